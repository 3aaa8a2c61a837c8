package jobs_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// workerAddress names the database of a worker process that a test starts.
const workerAddress = "SYNCER_TEST_WORKER"

// lost is how soon the dead worker's jobs are given back in these tests.
const lost = 600 * time.Millisecond

// numbered is work with a number, in a lane, of which the newest counts.
type numbered struct {
	N int `json:"n"`
}

func (numbered) Kind() string     { return "numbered" }
func (n numbered) Newest() string { return strconv.Itoa(n.N % 50) }

// counted is work without lane or key.
type counted struct {
	N int `json:"n"`
}

func (counted) Kind() string { return "counted" }

// worker returns a client that writes every job it does into the log.
func worker(s *store.Store, observe func(jobs.Outcome)) *jobs.Client {
	c := jobs.New(jobs.Config{DB: s.DB(), Pool: s.Pool(), Lost: lost, Observe: observe})
	note := func(ctx context.Context, kind string, n int) error {
		return jobs.Finish(ctx, func(tx *sql.Tx) error {
			return s.In(tx).Log(ctx, store.Event{Kind: kind, What: strconv.Itoa(n), Job: jobs.ID(ctx)})
		})
	}
	jobs.Handle(c, func(ctx context.Context, n numbered) error { return note(ctx, "numbered", n.N) })
	jobs.Handle(c, func(ctx context.Context, n counted) error { return note(ctx, "counted", n.N) })
	return c
}

// workUntilKilled is the worker process. It says a line for every job it did.
func workUntilKilled() {
	ctx := context.Background()
	s, err := store.Open(ctx, os.Getenv(workerAddress))
	if err == nil {
		err = s.Migrate(ctx)
	}
	if err == nil {
		err = worker(s, func(o jobs.Outcome) { fmt.Println(o.Fate) }).Start(ctx)
	}
	if err != nil {
		slog.Error("worker", "error", err)
		os.Exit(1)
	}
	select {}
}

// TestKill kills worker processes at random moments until all is done: every job
// has had its effect exactly once.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	storetest.EachAddress(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address)
		const all = 300
		c := worker(s, nil)
		for i := range all {
			if err := jobs.EnqueueNow(t.Context(), c, "guid", counted{i}); err != nil {
				t.Fatal(err)
			}
			if err := jobs.EnqueueNow(t.Context(), c, "guid", numbered{i}); err != nil {
				t.Fatal(err)
			}
		}
		kills := 0
		for deadline := time.Now().Add(4 * patience); unfinished(t, c) > 0; kills++ {
			if time.Now().After(deadline) {
				n, err := c.Waiting(t.Context())
				t.Fatalf("not done after %d kills: %v, %v", kills, n, err)
			}
			killed(t, address, rand.IntN(80))
		}
		counts := map[string]map[string]int{"counted": {}, "numbered": {}}
		for before := ""; ; {
			page, err := s.Events(t.Context(), 0, before, 500)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				counts[e.Kind][e.What]++
				before = e.ID
			}
			if len(page) < 500 {
				break
			}
		}
		if got := len(counts["counted"]); got != all {
			t.Errorf("%d of %d jobs had their effect", got, all)
		}
		for i := range 50 {
			if newest := strconv.Itoa(all - 50 + i); counts["numbered"][newest] != 1 {
				t.Errorf("the newest of key %d had its effect %d times", i, counts["numbered"][newest])
			}
		}
		for kind, what := range counts {
			for n, times := range what {
				if times != 1 {
					t.Errorf("%s %s had its effect %d times", kind, n, times)
				}
			}
		}
		t.Logf("%d kills", kills)
	})
}

// killed starts a worker and kills it after so many jobs, or when it has nothing
// to do.
func killed(t *testing.T, address string, after int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), workerAddress+"="+address)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
	}()
	idle := time.NewTimer(5 * lost)
	for n := 0; n < after; {
		select {
		case <-lines:
			n++
			idle.Reset(5 * lost)
			continue
		case <-idle.C:
		}
		break
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	for range lines { // what it said while it died
	}
	_ = cmd.Wait() // it was killed, and says so
}

func unfinished(t *testing.T, c *jobs.Client) int {
	t.Helper()
	all, err := c.Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, kind := range []string{"counted", "numbered"} {
		for state, k := range all[kind] {
			if state != "completed" {
				n += k
			}
		}
	}
	return n
}

func readAll(t *testing.T, res *http.Response) string {
	t.Helper()
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestAReplicaThatWasOnlySlow: its job was given to another, which did it; what the
// slow one wants to add to the database when it wakes up is refused.
func TestAReplicaThatWasOnlySlow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		began, goOn := make(chan struct{}), make(chan struct{})
		refused := make(chan error, 1)
		one := func(c *jobs.Config) { c.Workers = 1 }
		slow, _ := client(t, s, one)
		jobs.Handle(slow, func(ctx context.Context, n counted) error {
			close(began)
			<-goOn
			err := jobs.Finish(ctx, func(tx *sql.Tx) error { return s.In(tx).Log(ctx, store.Event{Kind: "slow"}) })
			refused <- err
			return err
		})
		start(t, slow)
		enqueue(t, slow, counted{1})
		receive(t, began, "the slow replica's run")
		// What giving back does, without waiting for the silence.
		if _, err := s.DB().ExecContext(t.Context(), `UPDATE river_job SET state = 'available' WHERE kind = 'counted'`); err != nil {
			t.Fatal(err)
		}
		fast, ended := client(t, s, one)
		jobs.Handle(fast, func(ctx context.Context, n counted) error {
			return jobs.Finish(ctx, func(tx *sql.Tx) error { return s.In(tx).Log(ctx, store.Event{Kind: "fast"}) })
		})
		start(t, fast)
		until(t, ended, jobs.Done)
		close(goOn)
		if err := receive(t, refused, "the slow replica's end"); err == nil {
			t.Error("the slow replica's effect was let in")
		}
		log, err := s.Events(t.Context(), 0, "", 10)
		if err != nil || len(log) != 1 || log[0].Kind != "fast" {
			t.Errorf("effects: %+v, %v; want the fast one's alone", log, err)
		}
	})
}
