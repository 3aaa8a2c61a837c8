package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/webhooks"
)

// serviceConfig is what the service is put together from.
type serviceConfig struct {
	GitHub   string // its root
	Platform string // owner/name of the platform repository
	App      *forge.App
	DB       *store.Store
	Secrets  []string // that deliveries may be signed with
	Mirrors  string   // folder
	Prefix   string   // of template repositories
	Sweep    time.Duration
	Jobs     jobs.Config // but for DB and Pool
	Log      *slog.Logger
	Observe  func(event string, status int, took time.Duration)
}

// newService joins the walks to GitHub, the store and the queue, and returns the
// handler of deliveries. The App must be installed on the platform repository.
func newService(ctx context.Context, c serviceConfig) (*service, *webhooks.Handler, error) {
	root, err := url.Parse(c.GitHub)
	if err != nil {
		return nil, nil, fmt.Errorf("GitHub's address: %w", err)
	}
	identity, err := c.App.Identity(ctx)
	if err != nil {
		return nil, nil, err
	}
	at, platform, err := findPlatform(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	c.Jobs.DB, c.Jobs.Pool, c.Jobs.Log = c.DB.DB(), c.DB.Pool(), c.Log
	work := jobs.New(c.Jobs)
	h := &hub{app: c.App, db: c.DB, slug: identity.Slug}
	s := &service{
		Walks: &walks.Walks{
			Hub: h, Registry: registry{c.DB}, Queue: queue{work}, Platform: at, PlatformURL: platform.URL, Now: time.Now,
			Platforms: &platforms{app: c.App, root: root, platform: at, location: platform.URL, dir: c.Mirrors},
		},
		db: c.DB, app: c.App, work: work, bot: identity.Bot, prefix: c.Prefix, platform: at.Repository,
	}
	s.register(c.Sweep)
	handler, err := webhooks.NewHandler(webhooks.Config{
		Secrets: c.Secrets, Inbox: inbox{c.DB, work}, Log: c.Log, Observe: c.Observe,
		App: webhooks.App{ID: identity.ID, Slug: identity.Slug, Platform: c.Platform, PlatformID: at.Repository},
	})
	return s, handler, err
}

func findPlatform(ctx context.Context, c serviceConfig) (walks.Place, forge.Repository, error) {
	name, err := forge.ParseName(c.Platform)
	if err != nil {
		return walks.Place{}, forge.Repository{}, err
	}
	in, err := c.App.FindInstallation(ctx, name)
	if err != nil {
		return walks.Place{}, forge.Repository{}, fmt.Errorf("the App must be installed on the platform repository %s: %w", name, err)
	}
	r, err := c.App.Installation(in.ID).As(forge.Access{Permissions: map[string]string{"metadata": "read"}}).RepositoryByName(ctx, name)
	return walks.Place{Installation: in.ID, Repository: r.ID}, r, err
}

// inbox takes deliveries and the work they ask for, in one transaction.
type inbox struct {
	db   *store.Store
	work *jobs.Client
}

// Accept stores a delivery with its jobs; false means that it was there before.
func (b inbox) Accept(ctx context.Context, d webhooks.Delivery, all []webhooks.Job) (fresh bool, err error) {
	err = b.db.Together(ctx, func(tx *sql.Tx, s *store.Store) error {
		fresh, err = s.ProcessDelivery(ctx, store.Delivery{
			GUID: d.GUID, Event: d.Event, Action: d.Action, Installation: d.Installation, Repository: d.Repository,
			Received: d.Received, Outcome: d.Reason, Jobs: len(all),
		})
		if err != nil || !fresh {
			return err
		}
		return jobs.Enqueue(ctx, b.work, tx, d.GUID, all...)
	})
	return fresh, err
}
