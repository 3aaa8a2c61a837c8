package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/webhooks"
)

// flows is what the handlers of jobs work with.
type flows struct {
	cfg      settings.Config
	work     *jobs.Client
	db       *store.Store
	github   *forge.App
	identity forge.Identity
	log      *slog.Logger
	tracer   trace.Tracer
}

// register joins the walks to f, and says what is done for each kind of job. Jobs of
// a kind that has no handler wait in the queue for a version that knows them. It
// returns the platform repository's number.
func register(ctx context.Context, f *flows) (platform int64, err error) {
	s, err := newService(ctx, f)
	if err != nil {
		return 0, err
	}
	s.register()
	return s.platform, nil
}

// handle makes do what is done for jobs of A's kind, in a span of its own.
func handle[A jobs.Args](f *flows, do func(ctx context.Context, args A) error) {
	jobs.Handle(f.work, func(ctx context.Context, args A) error {
		ctx, span := f.tracer.Start(ctx, "job "+args.Kind(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.Int64("syncer.job", jobs.ID(ctx)), attribute.String("syncer.delivery", jobs.Cause(ctx))))
		defer span.End()
		at := installationOf(args)
		if f.suspended(ctx, at) {
			f.log.InfoContext(ctx, "nothing is done for a suspended installation", "kind", args.Kind(), "installation", at)
			return nil
		}
		err := do(ctx, args)
		if at != 0 && f.over(ctx, at, err) {
			return nil
		}
		if err != nil {
			// What went wrong is in the log, which has the trace's id: secrets are taken out
			// there, and may be in an error's text.
			span.SetStatus(codes.Error, "")
		}
		return err
	})
}

// finish makes what a job leaves in the database one with the job's completion: a
// process that dies leaves both or neither.
func (f *flows) finish(ctx context.Context, effect func(tx *sql.Tx, db *store.Store) error) error {
	return jobs.Finish(ctx, func(tx *sql.Tx) error { return effect(tx, f.db.In(tx)) })
}

// installation keeps in mind where the App is installed, and with what permissions.
func (f *flows) installation(ctx context.Context, db *store.Store, j webhooks.Installation) error {
	switch j.Action {
	case "deleted":
		return db.ForgetInstallation(ctx, j.ID)
	case "suspend", "unsuspend":
		since := time.Time{}
		if j.Action == "suspend" {
			since = time.Now()
		}
		if err := db.SuspendInstallation(ctx, j.ID, since); !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	i := store.Installation{ID: j.ID, Account: j.Account, AccountID: j.AccountID, AccountType: j.AccountType,
		Permissions: j.Permissions, Selection: j.Selection}
	if known, err := db.Installation(ctx, j.ID); err == nil {
		i = known
		i.Account, i.Selection = j.Account, j.Selection
		if len(j.Permissions) > 0 {
			i.Permissions = j.Permissions
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	f.log.InfoContext(ctx, "installation", "installation", i.ID, "account", i.Account, "action", j.Action, "selection", i.Selection)
	return db.RememberInstallation(ctx, i)
}
