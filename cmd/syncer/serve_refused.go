package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// askAgainAfter is how long after a refused delivery GitHub is asked for it again: what
// refused it, such as a disk that stalls, has to be over by then.
const askAgainAfter = 30 * time.Second

// redeliver asks for deliveries again that were refused a short while ago.
type redeliver struct{}

// Kind names the job.
func (redeliver) Kind() string { return "redeliver" }

// Newest is one for all: whatever was refused before it begins is asked for.
func (redeliver) Newest() string { return "all" }

// Lane is that of sweeps, which ask for the same.
func (redeliver) Lane() string { return sweep{}.Lane() }

// refused watches for deliveries that were refused for want of room or of a database.
// GitHub sends none twice by itself, and the next sweep may be hours away.
type refused struct {
	after   time.Duration
	ask     func(context.Context) error // for all that were refused so far
	waiting atomic.Bool
}

// observe is told how a delivery was answered. Nobody is asked any more once ctx ended:
// the sweep at the next start asks for all that failed.
func (r *refused) observe(ctx context.Context, status int) {
	if status != http.StatusServiceUnavailable || !r.waiting.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(r.after, func() {
		r.waiting.Store(false) // what is refused from here on may come too late for this time
		if ctx.Err() == nil && r.ask(ctx) != nil {
			r.observe(ctx, http.StatusServiceUnavailable) // the database is not back yet
		}
	})
}
