package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/setup"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/webhooks"
)

// registerApp returns when an App is configured: at once, or when somebody has
// registered one at /setup.
func (s *server) registerApp(ctx context.Context) error {
	s.admin.show(s.adminRouter(nil, nil))
	defer s.ready.has("GitHub App")
	if s.cfg.Registered() {
		return nil
	}
	kept := make(chan setup.Kept, 1)
	once, err := setup.New(setup.Config{
		GitHub: s.cfg.GitHub.URL, Home: s.cfg.URL, Here: s.cfg.Setup.URL, HookPath: webhooks.Path,
		Owner: owner(s.cfg.Platform), Directory: s.cfg.Setup.Directory, Log: s.log.Logger,
		Done: func(k setup.Kept) { kept <- k },
	})
	if err != nil {
		return fmt.Errorf("no App is configured, and setup.directory is %s: %w", s.cfg.Setup.Directory, err)
	}
	router := s.baseRouter(false)
	once.Mount(router)
	router.PathPrefix("/").HandlerFunc(s.ready.notYet)
	s.public.show(router)
	// Whatever the level, without this line there is no way on.
	s.log.Log(ctx, max(s.cfg.LogLevel, slog.LevelWarn), "no GitHub App is configured; register one at this link within an hour", "link", once.Link())
	select {
	case k := <-kept:
		return s.reload(k)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reload reads the settings again, with those that were written at /setup.
func (s *server) reload(k setup.Kept) error {
	loaded, err := settings.Load(s.in)
	if err != nil {
		return fmt.Errorf("the App is registered and its settings are in %s; the server has to be started again: %w", k.Config, err)
	}
	s.cfg.GitHub = loaded.Config.GitHub
	s.log.hide.add(s.cfg.Secrets()...)
	return nil
}

// work is everything behind the public address.
type work struct {
	db   *store.Store
	jobs *jobs.Client
	halt context.CancelFunc // ends River's pages
}

// open connects everybody with everybody, in the order in which they need each other.
func (s *server) open(ctx context.Context) (_ *work, err error) {
	db, err := s.openDatabase(ctx)
	if err != nil {
		return nil, err
	}
	always, halt := context.WithCancel(context.WithoutCancel(ctx)) // until close, not until the signal
	w := &work{db: db, halt: halt}
	defer func() {
		if err != nil {
			halt()
			err = errors.Join(err, db.Close())
		}
	}()
	github, who, err := s.openGitHub(ctx, db)
	if err != nil {
		return nil, err
	}
	w.jobs = jobs.New(jobs.Config{DB: db.DB(), Pool: db.Pool(), Log: s.log.Logger, Workers: s.cfg.Workers,
		Timeout: s.cfg.JobTimeout, Observe: s.metrics.job})
	platform, err := s.openFlows(ctx, &flows{cfg: s.cfg, work: w.jobs, db: db, github: github, identity: who, log: s.log.Logger, tracer: s.traces.tracer()})
	if err != nil {
		return nil, err
	}
	again := &refused{after: askAgainAfter, ask: func(ctx context.Context) error { return jobs.EnqueueNow(ctx, w.jobs, "", redeliver{}) }}
	hook, err := webhooks.NewHandler(webhooks.Config{
		Secrets: reveal(s.cfg.GitHub.WebhookSecrets), App: webhooks.App{ID: who.ID, Slug: who.Slug, Platform: s.cfg.Platform, PlatformID: platform},
		Inbox: inbox{db, w.jobs}, Log: s.log.Logger, Observe: func(event string, status int, took time.Duration) {
			s.metrics.delivery(event, status, took)
			again.observe(always, status)
		}})
	if err != nil {
		return nil, err
	}
	if err = w.jobs.Start(always); err != nil {
		return nil, err
	}
	queue, err := w.jobs.UI(always, "/jobs")
	if err != nil {
		return nil, errors.Join(err, w.jobs.Stop(ctx))
	}
	s.metrics.registry.MustRegister(stock{w.jobs, db, github})
	s.ready.has("jobs")
	router := s.baseRouter(false)
	hook.Mount(router)
	s.public.show(router)
	s.admin.show(s.adminRouter(queue, db))
	return w, nil
}

// close finishes the jobs, or gives them back, and then closes the database.
func (w *work) close(ctx context.Context) error {
	err := w.jobs.Stop(ctx)
	w.halt()
	return errors.Join(err, w.db.Close())
}

// databaseTries is how often a database that does not answer is asked, over some two
// minutes: one that starts together with the server gets there.
const databaseTries = 8

func (s *server) openDatabase(ctx context.Context) (*store.Store, error) {
	for attempt := 0; ; attempt++ {
		db, err := s.tryDatabase(ctx)
		if err == nil {
			s.ready.watch(db.Ready)
			s.ready.has("database")
			return db, nil
		}
		s.ready.because("database", err)
		file := strings.HasPrefix(s.cfg.Database.Reveal(), "sqlite:")
		if file || attempt+1 >= databaseTries || ctx.Err() != nil {
			return nil, err
		}
		s.log.Warn("the database is not there yet", "error", err.Error(), "again", patience(attempt).String())
		if !wait(ctx, patience(attempt)) {
			return nil, ctx.Err()
		}
	}
}

func (s *server) tryDatabase(ctx context.Context) (*store.Store, error) {
	db, err := store.Open(ctx, s.cfg.Database.Reveal())
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openGitHub asks GitHub who we are, which shows that number and key belong
// together. Where GitHub does not answer it waits; where it refuses, it fails.
func (s *server) openGitHub(ctx context.Context, db *store.Store) (*forge.App, forge.Identity, error) {
	github, err := githubApp(s.cfg, s.githubTransport(), s.pace(), pace{db}, s.log.Logger)
	if err != nil {
		return nil, forge.Identity{}, err
	}
	for attempt := 0; ; attempt++ {
		who, err := github.Identity(ctx)
		if err == nil {
			s.ready.has("GitHub")
			return github, who, nil
		}
		s.ready.because("GitHub", err)
		again := patience(attempt)
		limit, limited := errors.AsType[*forge.LimitError](err)
		switch {
		case limited:
			again = max(again, time.Until(limit.Until))
		case ctx.Err() != nil:
			return nil, who, ctx.Err()
		case !errors.Is(err, forge.Unavailable):
			return nil, who, fmt.Errorf("GitHub at %s: %w", s.cfg.GitHub.URL, err)
		}
		s.log.Warn("GitHub does not answer", "error", err.Error(), "again", again.String())
		if !wait(ctx, again) {
			return nil, who, ctx.Err()
		}
	}
}

// openFlows joins the walks. An App that is not installed on the platform repository
// yet is waited for: somebody is about to press that button.
func (s *server) openFlows(ctx context.Context, f *flows) (platform int64, err error) {
	for attempt := 0; ; attempt++ {
		platform, err = s.register(ctx, f)
		if err == nil {
			s.ready.has("platform repository")
			return platform, nil
		}
		s.ready.because("platform repository", err)
		if !errors.Is(err, forge.NotFound) && !errors.Is(err, forge.Unavailable) || ctx.Err() != nil {
			return 0, err
		}
		s.log.Warn("the platform repository is not there yet", "error", err.Error(), "again", patience(attempt).String())
		if !wait(ctx, patience(attempt)) {
			return 0, ctx.Err()
		}
	}
}

// pace is GitHub's own, or none.
func (s *server) pace() forge.Pace {
	if !s.unpaced {
		return forge.Pace{}
	}
	const many = 1_000_000
	return forge.Pace{MutationGap: -1, PointsPerMinute: -1, GraphQLPointsPerMinute: -1, ContentPerMinute: -1, ContentPerHour: -1, PullRequestsMin: many, PullRequestsMax: many, Burst: many}
}

func reveal(all []settings.Secret) []string {
	var out []string
	for _, one := range all {
		out = append(out, one.Reveal())
	}
	return out
}

// inbox keeps a delivery and enqueues its jobs in one transaction.
type inbox struct {
	db   *store.Store
	work *jobs.Client
}

// Accept implements [webhooks.Inbox].
func (b inbox) Accept(ctx context.Context, d webhooks.Delivery, all []webhooks.Job) (fresh bool, err error) {
	err = b.db.Together(ctx, func(ctx context.Context, tx *sql.Tx, s *store.Store) error {
		fresh, err = s.ProcessDelivery(ctx, store.Delivery{
			GUID: d.GUID, Event: d.Event, Action: d.Action, Installation: d.Installation,
			Repository: d.Repository, Received: d.Received, Outcome: d.Reason, Jobs: len(all)})
		if err != nil || !fresh {
			return err
		}
		return jobs.Enqueue(ctx, b.work, tx, d.GUID, all...)
	})
	return fresh, err
}
