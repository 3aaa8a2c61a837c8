package main

import (
	"errors"
	"time"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
)

// fate is an error of GitHub's with what it means for the walks and for the job.
type fate struct {
	error
	means error
	after time.Duration
}

func (f *fate) Unwrap() []error {
	if f.means == nil {
		return []error{f.error}
	}
	return []error{f.error, f.means}
}

type later struct{ *fate }

// TryAfter is when to try again.
func (l later) TryAfter() time.Duration { return l.after }

type person struct{ *fate }

// PersonMustAct is true.
func (person) PersonMustAct() bool { return true }

// fated says what an error of the forge means: for the walks, and whether trying
// again is of use.
func fated(err error) error {
	if err == nil {
		return nil
	}
	f := &fate{error: err}
	switch forge.KindOf(err) {
	case forge.NotFound, forge.Gone:
		f.means = walks.ErrNotFound
	case forge.NotReady:
		f.means = walks.ErrNotReady
	case forge.Conflict:
		f.means = walks.ErrMoved
	case forge.Refused:
		f.means = walks.ErrRefused
	case forge.Queued:
		f.means = walks.ErrQueued
	case forge.Invalid:
		if e, ok := errors.AsType[*forge.Error](err); !ok || !e.Unclear {
			f.means = walks.ErrInvalid
		}
	case forge.Unsupported:
		f.means = walks.ErrUnsupported
	case forge.Denied:
		// GitHub names the permission. What it does not say for sure may be otherwise
		// the next time.
		if e, ok := errors.AsType[*forge.Error](err); ok && e.Permission != "" {
			f.means = walks.ErrDenied
		}
	case forge.Limited:
		f.after = time.Minute
		if limit, ok := errors.AsType[*forge.LimitError](err); ok {
			f.after = max(time.Until(limit.Until), time.Second)
		}
		return later{f}
	case forge.Unavailable, forge.Moved:
		f.after = 30 * time.Second
		return later{f}
	case forge.Suspended, forge.Unauthorized:
		return person{f}
	}
	return f
}
