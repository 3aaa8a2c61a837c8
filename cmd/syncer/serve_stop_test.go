package main

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// slow is a job that takes as long as the test wants.
type slow struct {
	Name string `json:"name"`
}

func (slow) Kind() string { return "slow" }

// running is a server in this process, with a handler of the test's.
type running struct {
	ready chan *flows
	stop  context.CancelFunc
	ended chan error
}

func runServer(t *testing.T, database string, timeout time.Duration, do func(context.Context, slow) error) *running {
	t.Helper()
	_, _, env := hubWithApp(t)
	loaded, err := settings.Load(settings.Input{Environ: append(env, "HOME="+t.TempDir(), "SYNCER_URL=http://127.0.0.1:1", "SYNCER_PLATFORM_REPOSITORY=a/b",
		"SYNCER_DATABASE="+database, "SYNCER_LISTEN=127.0.0.1:0", "SYNCER_ADMIN_LISTEN=off")})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{ready: make(chan *flows, 1), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	t.Cleanup(cancel)
	s := &server{cfg: loaded.Config, log: newLogger(io.Discard, &loaded.Config)}
	s.cfg.ShutdownTimeout = timeout
	s.register = func(_ context.Context, f *flows) (int64, error) {
		handle(f, do)
		r.ready <- f
		return 0, nil
	}
	go func() { r.ended <- s.run(ctx) }()
	return r
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("the server ended with %v", err)
		}
	case <-time.After(waitLimit):
		t.Fatal("the server did not end")
	}
}

func within[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(waitLimit):
		t.Fatalf("waited %s for %s", waitLimit, what)
	}
	return v
}

// TestServeLetsJobsFinish stops the server while a job runs that is soon done.
func TestServeLetsJobsFinish(t *testing.T) {
	database := storetest.SQLite(t)
	began, goOn := make(chan string, 1), make(chan struct{})
	r := runServer(t, database, waitLimit, func(ctx context.Context, j slow) error {
		began <- j.Name
		<-goOn
		return ctx.Err() // a stop within the timeout does not cancel it
	})
	f := within(t, "the handlers", r.ready)
	enqueue(t, f, "one")
	within(t, "the job", began)
	r.stop()
	close(goOn)
	r.end(t)
	if got := states(t, database); got["completed"] != 1 || len(got) != 1 {
		t.Errorf("after the stop the job is %v, want completed", got)
	}
}

// TestServeGivesJobsBack stops the server while a job runs that would take for ever;
// the next start does it.
func TestServeGivesJobsBack(t *testing.T) {
	database := storetest.SQLite(t)
	began := make(chan string, 1)
	r := runServer(t, database, 50*time.Millisecond, func(ctx context.Context, j slow) error {
		began <- j.Name
		<-ctx.Done()
		return ctx.Err()
	})
	f := within(t, "the handlers", r.ready)
	enqueue(t, f, "one")
	within(t, "the job", began)
	r.end(t)
	if got := states(t, database); got["completed"]+got["discarded"]+got["cancelled"]+got["running"] > 0 || len(got) != 1 {
		t.Errorf("after the stop the job is %v, want it to wait", got)
	}
	again := make(chan string, 1)
	r = runServer(t, database, waitLimit, func(_ context.Context, j slow) error {
		again <- j.Name
		return nil
	})
	within(t, "the handlers", r.ready)
	if name := within(t, "the job to be done at the next start", again); name != "one" {
		t.Errorf("the next start did %q", name)
	}
	r.end(t)
}

// enqueue waits for the queue, which is there a moment after the handlers.
func enqueue(t *testing.T, f *flows, name string) {
	t.Helper()
	if err := jobs.EnqueueNow(t.Context(), f.work, "", slow{name}); err != nil {
		t.Fatal(err)
	}
}

// states counts the jobs of kind slow by their state.
func states(t *testing.T, database string) map[string]int {
	t.Helper()
	db := storetest.Open(t, database)
	all, err := jobs.New(jobs.Config{DB: db.DB()}).Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all["slow"]
}
