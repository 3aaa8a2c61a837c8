package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store"
)

// configured reads the settings of "serve", for verbs that do by hand what the
// server does by itself.
func (a *app) configured(cmd *cobra.Command) (settings.Config, error) {
	loaded, bad := settings.Load(settings.Input{Flags: cmd.Flags(), Environ: os.Environ()})
	for _, w := range loaded.Warnings {
		fmt.Fprintln(a.err, "warning: "+w)
	}
	if bad != nil {
		return loaded.Config, usage(cmd, bad)
	}
	return loaded.Config, nil
}

// errNoApp says what is missing where GitHub has to be spoken to.
var errNoApp = errors.New("no GitHub App is configured; give github.app-id and github.private-key-file, or register one with syncer serve")

// githubApp is the App that the settings name.
func githubApp(cfg settings.Config, transport http.RoundTripper, pace forge.Pace, memory forge.Memory, log *slog.Logger) (*forge.App, error) {
	key := forge.KeyFile(cfg.GitHub.PrivateKeyFile)
	if cfg.GitHub.PrivateKeyFile == "" {
		key = func() ([]byte, error) { return []byte(cfg.GitHub.PrivateKey.Reveal()), nil }
	}
	return forge.New(forge.Config{
		URL: cfg.GitHub.URL.String(), AppID: cfg.GitHub.AppID, Key: key, UserAgent: "syncer/" + version,
		Transport: transport, Log: log, Pace: pace, Memory: memory,
	})
}

// configuredDatabase opens the database that the settings name. The other settings
// may be wrong or missing. It makes no database, and changes no schema: that is the
// server's.
func (a *app) configuredDatabase(cmd *cobra.Command) (*store.Store, error) {
	loaded, bad := settings.Load(settings.Input{Flags: cmd.Flags(), Environ: os.Environ()})
	if all, ok := errors.AsType[settings.Problems](bad); ok {
		all = slices.DeleteFunc(all, func(p settings.Problem) bool { return p.Setting != "" && !strings.HasPrefix(p.Setting, "database") })
		if bad = nil; len(all) > 0 {
			bad = all
		}
	}
	if bad != nil {
		return nil, usage(cmd, bad)
	}
	db, err := store.OpenExisting(cmd.Context(), loaded.Config.Database.Reveal())
	if err != nil {
		return nil, err
	}
	current, needed, err := db.SchemaVersions(cmd.Context())
	if err == nil && current != needed {
		err = fmt.Errorf("the database's schema is at version %d, and this syncer works with %d; use the server's version, or start the server once", current, needed)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// pace lets replicas tell each other through the store how GitHub treats them.
type pace struct{ db *store.Store }

// Noted returns what is known of an installation.
func (p pace) Noted(ctx context.Context, installation int64) (forge.Noted, error) {
	known, err := p.db.Pace(ctx, installation)
	return forge.Noted(known), err
}

// Slowed notes that GitHub found us too fast.
func (p pace) Slowed(ctx context.Context, installation int64, n forge.Noted) error {
	return p.db.Slow(ctx, installation, store.Pace(n))
}

// Quickened adds to the rate.
func (p pace) Quickened(ctx context.Context, installation int64, from, by float64) error {
	return p.db.Quicken(ctx, installation, from, by)
}
