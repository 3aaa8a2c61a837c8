package main

import (
	"context"
	"fmt"
	"time"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
)

// newService joins the walks to GitHub, the store and the queue. The App must be
// installed on the platform repository.
func newService(ctx context.Context, f *flows) (*service, error) {
	at, platform, err := findPlatform(ctx, f)
	if err != nil {
		return nil, err
	}
	var remembered walks.Memory
	if f.cfg.Memory {
		remembered = memory{f.db}
	}
	box, err := newSandbox(f.cfg)
	if err != nil {
		return nil, err
	}
	return &service{
		flows: f, bot: f.identity.Bot, prefix: f.cfg.TemplatePrefix, platform: at.Repository,
		Walks: &walks.Walks{
			Hub: &hub{app: f.github, db: f.db}, Registry: registry{f.db}, Queue: queue{work: f.work}, Ending: ending{f},
			Platform: at, PlatformURL: platform.URL, Now: time.Now, Name: f.identity.Slug, Policy: f.cfg.Merge, Memory: remembered,
			Isolate: isolate(box), ManagedCheck: f.cfg.ManagedCheck,
			Limits: walks.Limits(f.cfg.PullRequests.Limits), Schedule: f.cfg.PullRequests.Schedule,
			Platforms: &platforms{app: f.github, root: f.cfg.GitHub.URL, platform: at, location: platform.URL, dir: f.cfg.CacheDirectory},
		},
	}, nil
}

func findPlatform(ctx context.Context, f *flows) (walks.Place, forge.Repository, error) {
	name, err := forge.ParseName(f.cfg.Platform)
	if err != nil {
		return walks.Place{}, forge.Repository{}, err
	}
	in, err := f.github.FindInstallation(ctx, name)
	if err != nil {
		return walks.Place{}, forge.Repository{}, fmt.Errorf("the App must be installed on the platform repository %s: %w", name, err)
	}
	r, err := f.github.Installation(in.ID).As(forge.Access{Permissions: map[string]string{"metadata": "read"}}).RepositoryByName(ctx, name)
	return walks.Place{Installation: in.ID, Repository: r.ID}, r, err
}
