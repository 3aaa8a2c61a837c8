package jobs_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerAddress) != "" {
		workUntilKilled()
	}
	storetest.Main(m)
}

// plain is work with nothing special about it.
type plain struct {
	N int `json:"n"`
}

func (plain) Kind() string { return "plain" }

// latest is work of which the newest counts.
type latest struct {
	Key string `json:"key"`
	N   int    `json:"n"`
}

func (latest) Kind() string     { return "latest" }
func (l latest) Newest() string { return l.Key }

// other shares its lane with latest.
type other struct {
	Key string `json:"key"`
}

func (other) Kind() string   { return "other" }
func (o other) Lane() string { return "latest " + o.Key }

const patience = 30 * time.Second

// client returns a client on s that tells how every job ended.
func client(t *testing.T, s *store.Store, with ...func(*jobs.Config)) (*jobs.Client, chan jobs.Outcome) {
	t.Helper()
	ended := make(chan jobs.Outcome, 10_000)
	cfg := jobs.Config{DB: s.DB(), Pool: s.Pool(), Observe: func(o jobs.Outcome) {
		if o.Kind != "housekeeping" {
			ended <- o
		}
	}}
	for _, w := range with {
		w(&cfg)
	}
	return jobs.New(cfg), ended
}

func start(t *testing.T, c *jobs.Client) {
	t.Helper()
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited %s for %s", patience, what)
	}
	var never T
	return never
}

// until waits for a job to end with the fate.
func until(t *testing.T, ended <-chan jobs.Outcome, fate jobs.Fate) jobs.Outcome {
	t.Helper()
	for {
		if o := receive(t, ended, "a job to end as "+string(fate)); o.Fate == fate {
			return o
		}
	}
}

func enqueue[A jobs.Args](t *testing.T, c *jobs.Client, all ...A) {
	t.Helper()
	if err := jobs.EnqueueNow(t.Context(), c, "guid", all...); err != nil {
		t.Fatal(err)
	}
}

func TestEnqueueIsPartOfTheTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s)
		var sum atomic.Int64
		jobs.Handle(c, func(ctx context.Context, p plain) error {
			sum.Add(int64(p.N))
			if got := jobs.Cause(ctx); got != "guid" {
				return fmt.Errorf("cause is %q", got)
			}
			return nil
		})
		undo := errors.New("undo")
		err := s.InTx(t.Context(), func(tx *sql.Tx, _ *store.Store) error {
			return errors.Join(jobs.Enqueue(t.Context(), c, tx, "guid", plain{N: 1000}), undo)
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		enqueue(t, c, plain{N: 1}, plain{N: 2})
		start(t, c)
		for range 2 {
			until(t, ended, jobs.Done)
		}
		if got := sum.Load(); got != 3 {
			t.Errorf("the handlers saw %d, want 1+2", got)
		}
	})
}

// TestNewestWins is the trap of a wish that comes while the work is running: it
// must neither be dropped nor run beside it.
func TestNewestWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s)
		runs := make(chan int, 100)
		goOn := make(chan struct{}, 100)
		var superseded []bool
		jobs.Handle(c, func(ctx context.Context, l latest) error {
			runs <- l.N
			<-goOn
			newer, err := jobs.IsSuperseded(ctx)
			superseded = append(superseded, newer)
			return err
		})
		// Three wishes before it begins are one run, with the newest arguments.
		enqueue(t, c, latest{"a", 1})
		enqueue(t, c, latest{"a", 2})
		enqueue(t, c, latest{"a", 3})
		start(t, c)
		if got := receive(t, runs, "the first run"); got != 3 {
			t.Errorf("the first run got %d, want 3", got)
		}
		// Two wishes in mid-run are one more run, and not before the first has ended.
		enqueue(t, c, latest{"a", 4})
		enqueue(t, c, latest{"a", 5})
		until(t, ended, jobs.Busy)
		goOn <- struct{}{}
		if got := receive(t, runs, "the second run"); got != 5 {
			t.Errorf("the second run got %d, want 5", got)
		}
		goOn <- struct{}{}
		until(t, ended, jobs.Done)
		until(t, ended, jobs.Done)
		if diff := cmp.Diff([]bool{true, false}, superseded); diff != "" {
			t.Errorf("superseded, mismatch (-want +got):\n%s", diff)
		}
		if len(runs) > 0 {
			t.Errorf("%d runs too many", len(runs))
		}
	})
}

func TestLanesAreSharedByKindsAndReplicas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const each = 12
		var inLane [2]atomic.Int32
		var most atomic.Int32
		work := func(key string) {
			lane := &inLane[key[0]-'a']
			n := lane.Add(1)
			for {
				old := most.Load()
				if n <= old || most.CompareAndSwap(old, n) {
					break
				}
			}
			for range 1000 {
				_ = strings.Repeat("x", 1000) // long enough to be seen in each other's way
			}
			lane.Add(-1)
		}
		var all [2]*jobs.Client
		done := make(chan string, 10*each)
		for i := range all {
			all[i], _ = client(t, s, func(c *jobs.Config) {
				c.Observe = func(o jobs.Outcome) {
					if o.Fate == jobs.Done && o.Kind != "housekeeping" {
						done <- o.Kind
					}
				}
			})
			jobs.Handle(all[i], func(_ context.Context, o other) error { work(o.Key); return nil })
			jobs.Handle(all[i], func(_ context.Context, l latest) error { work(l.Key); return nil })
		}
		for i := range each {
			enqueue(t, all[0], other{"a"}, other{"b"})
			enqueue(t, all[1], latest{"a", i}, latest{"b", i})
		}
		start(t, all[0])
		start(t, all[1])
		for others := 0; others < 2*each; {
			if receive(t, done, "all jobs") == "other" {
				others++
			}
		}
		if got := most.Load(); got != 1 {
			t.Errorf("%d jobs were in one lane at the same time", got)
		}
	})
}

// notYet and denied are errors of a package that does not know this one.
type notYet struct{ after time.Duration }

func (notYet) Error() string             { return "not yet" }
func (n notYet) TryAfter() time.Duration { return n.after }

type denied struct{}

func (denied) Error() string       { return "permission missing" }
func (denied) PersonMustAct() bool { return true }

func TestAnErrorsKindDecides(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s, func(c *jobs.Config) { c.Attempts = 1 })
		var mu sync.Mutex
		answers := map[int][]error{
			1: {fmt.Errorf("wrapped: %w", notYet{time.Second}), nil},
			2: {fmt.Errorf("wrapped: %w", denied{}), nil},
			3: {errors.New("broken"), nil},
			4: {nil}, // panics first
		}
		panicked := false
		jobs.Handle(c, func(_ context.Context, p plain) error {
			mu.Lock()
			defer mu.Unlock()
			if p.N == 4 && !panicked {
				panicked = true
				panic("at the disco")
			}
			err := answers[p.N][0]
			answers[p.N] = answers[p.N][1:]
			return err
		})
		start(t, c)
		enqueue(t, c, plain{1})
		until(t, ended, jobs.Later)
		if o := until(t, ended, jobs.Done); o.Attempt != 1 {
			t.Errorf("waiting counted as an attempt: this is attempt %d", o.Attempt)
		}
		for i, want := range []struct {
			fate   jobs.Fate
			person bool
			text   string
		}{{jobs.Person, true, "permission missing"}, {jobs.Dead, false, "broken"}, {jobs.Dead, false, "at the disco"}} {
			enqueue(t, c, plain{2 + i})
			o := until(t, ended, want.fate)
			l := letter(t, c, o.Job)
			if l.Person != want.person || !strings.Contains(l.Error, want.text) || l.Cause != "guid" || l.Kind != "plain" {
				t.Errorf("dead letter is %+v, want one about %q, person %t", l, want.text, want.person)
			}
			if err := c.Replay(t.Context(), o.Job); err != nil {
				t.Fatal(err)
			}
			until(t, ended, jobs.Done)
			if err := c.Replay(t.Context(), o.Job); !errors.Is(err, jobs.ErrNotDead) {
				t.Errorf("replaying what is done: %v", err)
			}
		}
	})
}

// letter waits until the job is among the dead letters: River notes a job's end a
// moment after the handler returned.
func letter(t *testing.T, c *jobs.Client, id int64) jobs.Letter {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if time.Now().After(deadline) {
			t.Fatalf("job %d is not among the dead letters", id)
		}
		for cursor := ""; ; {
			page, next, err := c.DeadLetters(t.Context(), cursor, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range page {
				if l.ID == id {
					return l
				}
			}
			if next == "" {
				break
			}
			cursor = next
		}
	}
}

// TestTryAgain: what failed is tried at once, whether it was given up or waits for its
// next try; what is not meant goes on as it was.
func TestTryAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s)
		var there atomic.Bool
		jobs.Handle(c, func(_ context.Context, p plain) error {
			switch {
			case there.Load():
				return nil
			case p.N == 1:
				return denied{}
			}
			return errors.New("broken")
		})
		start(t, c)
		enqueue(t, c, plain{1}, plain{2}, plain{3})
		deadline := time.Now().Add(patience)
		for waiting := map[string]int(nil); waiting["cancelled"] != 1 || waiting["retryable"] != 2; {
			n, err := c.Waiting(t.Context())
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("%+v, %v; want all three to have failed", n, err)
			}
			waiting = n["plain"]
		}
		there.Store(true)
		err := c.TryAgain(t.Context(), "plain", func(args json.RawMessage) bool { return !strings.Contains(string(args), "3") })
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.Waiting(t.Context()); err != nil || n["plain"]["retryable"] != 1 || n["plain"]["cancelled"] != 0 {
			t.Errorf("%+v, %v; want one that waits for its next try", n, err)
		}
		until(t, ended, jobs.Done)
		until(t, ended, jobs.Done)
	})
}

// TestANewWishAfterAPersonMustAct: the job ended, yet the wish that came while it
// ran, and the one that comes after it, are worked on.
func TestANewWishAfterAPersonMustAct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s)
		began, goOn := make(chan int, 10), make(chan error, 10)
		jobs.Handle(c, func(_ context.Context, l latest) error { began <- l.N; return <-goOn })
		start(t, c)
		enqueue(t, c, latest{"a", 1})
		receive(t, began, "the first run")
		enqueue(t, c, latest{"a", 2})
		goOn <- denied{}
		until(t, ended, jobs.Person)
		if got := receive(t, began, "the wish from mid-run"); got != 2 {
			t.Errorf("got %d, want 2", got)
		}
		goOn <- denied{}
		until(t, ended, jobs.Person)
		enqueue(t, c, latest{"a", 3})
		if got := receive(t, began, "the wish from afterwards"); got != 3 {
			t.Errorf("got %d, want 3", got)
		}
		goOn <- nil
		until(t, ended, jobs.Done)
	})
}

// TestOneLetterForOneKey: a wish whose work ends in vain again and again, as each sweep has
// it for a member that somebody has to repair, leaves one dead letter, and none once it
// is done.
func TestOneLetterForOneKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s, func(cfg *jobs.Config) { cfg.Attempts = 1 })
		answer := make(chan error, 10)
		jobs.Handle(c, func(context.Context, latest) error { return <-answer })
		start(t, c)
		letters := func(want ...int64) {
			t.Helper()
			var got []int64
			for patient := time.Now().Add(patience); time.Now().Before(patient); {
				all, _, err := c.DeadLetters(t.Context(), "", 100)
				if err != nil {
					t.Fatal(err)
				}
				got = nil
				for _, l := range all {
					got = append(got, l.ID)
				}
				if slices.Equal(got, want) { // River notes it a moment later
					return
				}
			}
			t.Fatalf("there are the letters %d, want %d", got, want)
		}
		fail := func(key string, n int, why error, fate jobs.Fate) int64 {
			t.Helper()
			answer <- why
			enqueue(t, c, latest{key, n})
			id := until(t, ended, fate).Job
			return id
		}
		first := fail("a", 1, denied{}, jobs.Person)
		letters(first)
		second := fail("a", 2, errors.New("broken"), jobs.Dead)
		letters(second)
		third := fail("a", 3, denied{}, jobs.Person)
		letters(third)
		another := fail("b", 1, denied{}, jobs.Person)
		letters(another, third)
		answer <- denied{}
		if err := c.Replay(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		if o := until(t, ended, jobs.Person); o.Job != third {
			t.Errorf("job %d was replayed, want %d", o.Job, third)
		}
		letters(another, third)
		fail("a", 4, nil, jobs.Done)
		letters(another)
	})
}

// TestANewWishBringsAFailedOneForward: it does not wait out the distance, and a
// rate limit's wait is not cut short.
func TestANewWishBringsAFailedOneForward(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s)
		answer := make(chan error, 10)
		jobs.Handle(c, func(context.Context, latest) error { return <-answer })
		start(t, c)
		answer <- errors.New("broken")
		enqueue(t, c, latest{"a", 1})
		failed := until(t, ended, jobs.Retry)
		answer <- notYet{time.Hour}
		for retryable := false; !retryable; { // River notes it a moment later
			n, err := c.Waiting(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			retryable = n["latest"]["retryable"] == 1
		}
		enqueue(t, c, latest{"a", 2})
		if o := until(t, ended, jobs.Later); o.Job != failed.Job {
			t.Errorf("job %d waits, want %d again", o.Job, failed.Job)
		}
		enqueue(t, c, latest{"a", 3})
		n, err := c.Waiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, k := range n["latest"] {
			total += k
		}
		if total != 1 {
			t.Errorf("%d jobs, want the one that waits: %v", total, n)
		}
	})
}

func TestFinishIsOneWithTheEffect(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s)
		jobs.Handle(c, func(ctx context.Context, l latest) error {
			err := jobs.Finish(ctx, func(tx *sql.Tx) error {
				if err := s.In(tx).Log(ctx, store.Event{Kind: "undone"}); err != nil {
					return err
				}
				return errors.New("no")
			})
			if err == nil {
				return errors.New("an error in Finish was swallowed")
			}
			err = jobs.Finish(ctx, func(tx *sql.Tx) error {
				if err := s.In(tx).Log(ctx, store.Event{Kind: "done", Job: jobs.ID(ctx), Delivery: jobs.Cause(ctx)}); err != nil {
					return err
				}
				return jobs.Enqueue(ctx, c, tx, "", plain{l.N})
			})
			return errors.Join(err, errors.New("does not matter any more"))
		})
		jobs.Handle(c, func(ctx context.Context, p plain) error {
			if p.N != 7 || jobs.Cause(ctx) != "guid" {
				return jobs.PersonMustAct(fmt.Errorf("got %d, cause %q", p.N, jobs.Cause(ctx)))
			}
			return nil
		})
		start(t, c)
		enqueue(t, c, latest{"a", 7})
		first := until(t, ended, jobs.Done)
		until(t, ended, jobs.Done)
		log, err := s.Events(t.Context(), 0, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(log) != 1 || log[0].Kind != "done" || log[0].Job != first.Job || log[0].Delivery != "guid" {
			t.Errorf("log is %+v, want one event of job %d", log, first.Job)
		}
		if err := jobs.Finish(t.Context(), nil); err == nil {
			t.Error("Finish outside of a job returned no error")
		}
	})
}

func TestStopGivesBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		began := make(chan struct{}, 10)
		first, ended := client(t, s)
		jobs.Handle(first, func(ctx context.Context, _ latest) error {
			began <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		if err := first.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		enqueue(t, first, latest{"a", 1})
		receive(t, began, "the job")
		now, cancel := context.WithCancel(t.Context())
		cancel()
		if err := first.Stop(now); err != nil {
			t.Fatal(err)
		}
		until(t, ended, jobs.GivenBack)

		second, ended := client(t, s)
		jobs.Handle(second, func(context.Context, latest) error { return nil })
		start(t, second)
		if o := until(t, ended, jobs.Done); o.Attempt != 1 {
			t.Errorf("giving back counted as an attempt: this is attempt %d", o.Attempt)
		}
	})
}

func TestEveryRunsAtStartOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s)
		jobs.Handle(c, func(context.Context, plain) error { return nil })
		jobs.Every(c, time.Hour, plain{})
		start(t, c)
		until(t, ended, jobs.Done)
	})
}

func TestUI(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, _ := client(t, s)
		jobs.Handle(c, func(context.Context, plain) error { return nil })
		enqueue(t, c, plain{1})
		ui, err := c.UI(t.Context(), "/jobs")
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(ui)
		defer srv.Close()
		for path, want := range map[string]string{"/jobs/": "<html", "/jobs/api/jobs?state=available": `"plain"`, "/jobs/api/states": "available"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var body strings.Builder
			_, err = fmt.Fprint(&body, readAll(t, res))
			if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(strings.ToLower(body.String()), want) {
				t.Errorf("GET %s: %s, %.300s; want something with %q", path, res.Status, body.String(), want)
			}
		}
	})
}
