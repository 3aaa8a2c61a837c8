package webhooks_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
	"github.com/goldenpaths/syncer/webhooks"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// inbox is the wiring of cmd/syncer: the store remembers, the queue works.
type inbox struct {
	db   *store.Store
	work *jobs.Client
}

func (b inbox) Accept(ctx context.Context, d webhooks.Delivery, all []webhooks.Job) (fresh bool, err error) {
	err = b.db.Together(ctx, func(ctx context.Context, tx *sql.Tx, s *store.Store) error {
		fresh, err = s.ProcessDelivery(ctx, store.Delivery{
			GUID: d.GUID, Event: d.Event, Action: d.Action, Installation: d.Installation, Repository: d.Repository,
			Received: d.Received, Outcome: d.Reason, Jobs: len(all),
		})
		if err != nil || !fresh {
			return err
		}
		return jobs.Enqueue(ctx, b.work, tx, d.GUID, all...)
	})
	return fresh, err
}

func realInbox(s *store.Store) inbox {
	work := jobs.New(jobs.Config{DB: s.DB(), Pool: s.Pool()})
	jobs.Handle(work, func(context.Context, webhooks.Scaffold) error { return nil })
	jobs.Handle(work, func(context.Context, webhooks.Member) error { return nil })
	jobs.Handle(work, func(context.Context, webhooks.Command) error { return nil })
	return inbox{s, work}
}

// TestOneTransaction: the record and the jobs are kept together or not at all, and
// of the same delivery sent many times at once one is fresh.
func TestOneTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := realInbox(s)
		h := handler(t, b, io.Discard)
		body := payload(t, "issue_comment.created", set{"comment.body": "/syncer retry"})
		const times = 20
		answers := make(chan string, times)
		var all sync.WaitGroup
		for range times {
			all.Go(func() {
				status, answer := send(h, delivery("guid", "issue_comment", body))
				answers <- fmt.Sprint(status, " ", strings.Contains(answer, "processed before"))
			})
		}
		all.Wait()
		close(answers)
		counts := map[string]int{}
		for a := range answers {
			counts[a]++
		}
		if counts["202 false"] != 1 || counts["202 true"] != times-1 {
			t.Errorf("answers %v; want one that is fresh, and the others processed before", counts)
		}
		waiting, err := b.work.Waiting(t.Context())
		if err != nil || waiting["command"]["available"] != 1 {
			t.Errorf("jobs %v, %v; want one command", waiting, err)
		}
		// A kind without a handler cannot be enqueued: nothing of it is kept.
		status, _ := send(h, delivery("other", "ping", payload(t, "ping")))
		if status != http.StatusAccepted {
			t.Errorf("ping: %d", status)
		}
		status, _ = send(h, delivery("lost", "repository", payload(t, "repository.renamed")))
		if _, err := s.Delivery(t.Context(), "lost"); status != http.StatusServiceUnavailable || err == nil {
			t.Errorf("status %d, record %v; want 503 and none", status, err)
		}
	})
}

// BenchmarkDeliveries sends 10,000 deliveries over loopback as fast as they come,
// while workers do the jobs. It reports what GitHub would see.
//
//	go test -run '^$' -bench Deliveries -benchtime 1x ./webhooks
func BenchmarkDeliveries(b *testing.B) {
	for _, engine := range []struct {
		name    string
		address func(testing.TB) string
	}{{"sqlite", storetest.SQLite}, {"postgresql", storetest.PostgreSQL}} {
		for _, clients := range []int{16, 256} {
			b.Run(fmt.Sprintf("%s/clients=%d", engine.name, clients), func(b *testing.B) {
				for b.Loop() {
					load(b, storetest.Open(b, engine.address(b)), clients)
				}
			})
		}
	}
}

const deliveries = 10_000

func load(b *testing.B, s *store.Store, clients int) {
	in := realInbox(s)
	if err := in.work.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	h, err := webhooks.NewHandler(webhooks.Config{Secrets: []string{newSecret}, App: us, Inbox: in, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	http := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	kinds := bodies(b)
	next := make(chan int)
	took := make([]time.Duration, deliveries)
	status := make([]int, deliveries)
	var all sync.WaitGroup
	began := time.Now()
	for range clients {
		all.Go(func() {
			for i := range next {
				status[i], took[i] = post(b, http, srv.URL, fmt.Sprintf("guid-%d", i), kinds[i%len(kinds)])
			}
		})
	}
	for i := range deliveries {
		next <- i
	}
	close(next)
	all.Wait()
	total := time.Since(began)
	report(b, in, s, took, status, total)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := in.work.Stop(ctx); err != nil {
		b.Error(err)
	}
}

type kind struct {
	event string
	body  []byte
	sig   string
}

// bodies are the deliveries of 100 repositories: pushes, pull requests, comments.
func bodies(b *testing.B) []kind {
	var all []kind
	for i := range 100 {
		id := set{"repository.id": 1000 + i, "repository.full_name": fmt.Sprintf("acme/r%d", i)}
		for event, body := range map[string][]byte{
			"push":          payload(b, "push.branch", id, before, set{"forced": true}),
			"repository":    payload(b, "repository.created", id),
			"issue_comment": payload(b, "issue_comment.created", id, set{"comment.body": "/syncer retry"}),
			"star":          payload(b, "star.created", id),
		} {
			all = append(all, kind{event, body, sign(newSecret, body)})
		}
	}
	return all
}

func post(b *testing.B, c *http.Client, to, guid string, k kind) (int, time.Duration) {
	r, err := http.NewRequest(http.MethodPost, to, strings.NewReader(string(k.body)))
	if err != nil {
		b.Error(err)
		return 0, 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Delivery", guid)
	r.Header.Set("X-GitHub-Event", k.event)
	r.Header.Set("X-Hub-Signature-256", k.sig)
	began := time.Now()
	res, err := c.Do(r)
	if err != nil {
		b.Error(err)
		return 0, 0
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if err != nil {
		b.Error(err)
	}
	return res.StatusCode, time.Since(began)
}

// report counts what was answered otherwise than with 202 and what is not in the
// store: none may be lost.
func report(b *testing.B, in inbox, s *store.Store, took []time.Duration, status []int, total time.Duration) {
	var refused, lost int
	for i, code := range status {
		if code != http.StatusAccepted {
			refused++
		} else if _, err := s.Delivery(b.Context(), fmt.Sprintf("guid-%d", i)); err != nil {
			lost++
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(len(took))/total.Seconds(), "deliveries/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(float64(refused), "refused")
	b.ReportMetric(float64(lost), "lost")
	waiting, err := in.work.Waiting(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("jobs when the last was answered: %v", waiting)
	if refused > 0 {
		b.Errorf("%d deliveries were answered otherwise than with 202", refused)
	}
	if lost > 0 {
		b.Errorf("%d deliveries were answered with 202 and are lost", lost)
	}
}
