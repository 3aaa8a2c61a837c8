package walks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/schedule"
)

// hold returns a [LaterError] where a member's window is closed, or, where a pull
// request is to be opened, the limits leave no room. Nothing is lost: the record says
// what waits, and a look at that time is asked for. New repositories do not wait, nor
// do people who gave an order.
func (b *bringing) hold(ctx context.Context, p *reconcile.Planned, opens bool) error {
	if b.byPerson || begins(p) {
		return nil
	}
	wait, err := b.window(ctx)
	if err != nil {
		return err
	}
	if wait.Why == "" && opens && b.Limits != (Limits{}) {
		if err := b.remember(ctx); err != nil {
			return err
		}
		if wait, err = b.Registry.Claim(ctx, b.record, b.Limits); err != nil {
			return err
		}
	}
	if wait.Why == "" {
		return nil
	}
	if b.record.Held != p.To.Digest {
		b.noteLast("held back", fmt.Sprintf("%s waits until %s: %s", p.To.Name(), wait.Until.UTC().Format(time.RFC3339), wait.Why))
	}
	b.record.Held, b.record.HeldUntil = p.To.Digest, wait.Until
	b.rememberLast()
	return &LaterError{errors.New(wait.Why), max(wait.Until.Sub(b.Now()), time.Second)}
}

// release forgets what was held back: it is done, or not wanted.
func (b *bringing) release() { b.record.Held, b.record.HeldUntil = "", time.Time{} }

// window returns until when the member's schedule, or the server's, is closed.
func (b *bringing) window(ctx context.Context) (Wait, error) {
	s := b.Schedule
	if own := b.state.Member.Sync.Schedule; own != "" {
		var err error
		if s, err = schedule.Parse(own, time.LoadLocation); err != nil {
			return Wait{}, b.stuck(ctx, b.client, b.record.At, b.record.GoldenPath, fmt.Errorf("%s, sync: %w", drift.MemberName, err))
		}
	}
	now := b.Now()
	if next := s.Next(now); next.After(now) {
		return Wait{next, fmt.Sprintf("changes come %s", s)}, nil
	}
	return Wait{}, nil
}

// Due looks at a repository where something waits whose time has come. As long as the
// limits leave no room it asks GitHub for nothing.
func (w *Walks) Due(ctx context.Context, at Place) error {
	records, err := w.Registry.Records(ctx, at.Repository)
	if err != nil {
		return err
	}
	var first time.Time
	later := func(t time.Time) {
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	ready := false
	for _, r := range records {
		switch {
		case !r.MergesSince.IsZero(): // to be merged by itself
		case r.Held == "":
			continue
		case w.Now().Before(r.HeldUntil):
			later(r.HeldUntil)
			continue
		case r.PullRequest == 0:
			r.At = at
			wait, err := w.Registry.Claim(ctx, r, w.Limits)
			if err != nil {
				return err
			}
			if wait.Why != "" {
				later(wait.Until)
				continue
			}
		}
		ready = true
	}
	if ready {
		return w.Sync(ctx, at) // which asks again for what has to wait on
	}
	if first.IsZero() {
		return nil
	}
	var l last
	l.syncAt(at, first)
	return w.end(ctx, l, nil)
}
