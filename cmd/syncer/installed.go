package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/webhooks"
)

// installationOf returns the installation that a job works for, where it is for one
// repository alone; 0 is none or many.
func installationOf(args jobs.Args) int64 {
	switch j := args.(type) {
	case webhooks.Scaffold:
		return j.Repository.Installation
	case webhooks.Member:
		return j.Repository.Installation
	case webhooks.CheckManaged:
		return j.Repository.Installation
	case webhooks.Decision:
		return j.Repository.Installation
	case webhooks.Command:
		return j.Repository.Installation
	case webhooks.Checkbox:
		return j.Repository.Installation
	case setUp:
		return j.Installation
	}
	return 0
}

// suspended reports whether an owner is known to have suspended an installation. Once
// it no longer is, a sweep looks at all that it has.
func (f *flows) suspended(ctx context.Context, id int64) bool {
	if id == 0 {
		return false
	}
	known, err := f.db.Installation(ctx, id)
	return err == nil && !known.Suspended.IsZero()
}

// over reports whether a job failed because its installation is suspended or gone, so
// that there is nothing to try again: the delivery that tells of it may be lost. The
// sweep makes sure, and looks at everything should it not be so.
func (f *flows) over(ctx context.Context, id int64, err error) bool {
	switch forge.KindOf(err) {
	case forge.Suspended:
		e := f.finish(ctx, func(_ *sql.Tx, db *store.Store) error {
			if e := db.SuspendInstallation(ctx, id, time.Now()); !errors.Is(e, store.ErrNotFound) {
				return e
			}
			return nil
		})
		if e != nil {
			return false
		}
	case forge.Gone:
		if _, e := f.github.InstallationInfo(ctx, id); !errors.Is(e, forge.NotFound) {
			return false
		}
	default:
		return false
	}
	f.log.WarnContext(ctx, "the job's installation is suspended or gone", "installation", id, "error", err.Error())
	return true
}

// Sweep follows the installations, and then the repositories in them.
func (s *service) Sweep(ctx context.Context) error {
	return errors.Join(s.followInstallations(ctx), s.Walks.Sweep(ctx))
}

// followInstallations finds what deliveries about installations did not tell: those
// that are gone, suspended or not, and what was granted.
func (s *service) followInstallations(ctx context.Context) error {
	listed, err := s.github.Installations(ctx)
	if err != nil {
		return fated(err)
	}
	known, err := s.db.Installations(ctx)
	if err != nil {
		return err
	}
	before := map[int64]store.Installation{}
	for _, i := range known {
		before[i.ID] = i
	}
	for _, i := range listed {
		was, had := before[i.ID]
		delete(before, i.ID)
		if err := s.followInstallation(ctx, i, was, had); err != nil {
			return err
		}
	}
	for _, i := range before {
		if err := s.forgetInstallation(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) followInstallation(ctx context.Context, i forge.InstallationInfo, was store.Installation, had bool) error {
	same := was.Suspended.IsZero() == i.Suspended.IsZero() && maps.Equal(was.Permissions, i.Permissions)
	if had && same {
		return nil
	}
	selection := "all"
	if i.Selected {
		selection = "selected"
	}
	err := s.db.RememberInstallation(ctx, store.Installation{ID: i.ID, Account: i.Account, AccountID: i.AccountID, AccountType: i.AccountType,
		Permissions: i.Permissions, Selection: selection, Suspended: i.Suspended})
	if err != nil {
		return err
	}
	s.github.Forget(i.ID) // tokens made before would lack new permissions
	what := "is installed"
	if !i.Suspended.IsZero() {
		what = "is suspended"
	}
	return s.db.Log(ctx, store.Event{Kind: "installation", Who: "syncer", What: fmt.Sprintf("the sweep found that the App %s at %s (%d)", what, i.Account, i.ID), Job: jobs.ID(ctx)})
}

// forgetInstallation ends what was done for an installation that is not listed, once
// GitHub says of it alone that it is not there.
func (s *service) forgetInstallation(ctx context.Context, i store.Installation) error {
	if _, err := s.github.InstallationInfo(ctx, i.ID); !errors.Is(err, forge.NotFound) {
		return fated(err)
	}
	s.github.Forget(i.ID)
	if err := s.db.ForgetInstallation(ctx, i.ID); err != nil {
		return err
	}
	return s.db.Log(ctx, store.Event{Kind: "installation", Who: "syncer", What: fmt.Sprintf("the sweep found that the App is no longer installed at %s (%d)", i.Account, i.ID), Job: jobs.ID(ctx)})
}
