package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// TestReplicasObeyGitHubTogether: what stops one replica stops the other, whose
// process has not sent a thing; a third, which starts later, waits too; and each takes
// its part of the limits.
func TestReplicasObeyGitHubTogether(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		hub, err := localhub.New(localhub.Options{Limits: localhub.Limits{ContentPerMinute: 4, RetryAfter: 5 * time.Minute}})
		must(t, err)
		t.Cleanup(func() { _ = hub.Close() })
		hub.Organization("acme").Add("admin", "alice")
		app, err := hub.App(localhub.AppOptions{Owner: "acme", Name: "syncer", Permissions: map[string]string{"issues": "write", "metadata": "read"}})
		must(t, err)
		must(t, hub.Person("alice").CreateRepository("acme/pay", localhub.NewRepository{Files: map[string]string{"a": "a\n"}}))
		in, err := hub.Person("alice").Install(app, "acme")
		must(t, err)
		key := app.PrivateKey()
		replica := func() *forge.Installation {
			a, err := forge.New(forge.Config{URL: hub.URL(), AppID: app.ID(), Key: func() ([]byte, error) { return key, nil }, Memory: pace{db},
				Pace: forge.Pace{MutationGap: -1, ContentPerMinute: -1, PullRequestsMin: 100, PullRequestsMax: 400}})
			must(t, err)
			return a.Installation(in.ID())
		}
		for range 2 { // the queue's clients, by which replicas are counted
			workUntilEnd(t, jobs.New(jobs.Config{DB: db.DB(), Pool: db.Pool()}))
		}
		first, second := replica(), replica()
		pay := forge.Name{Owner: "acme", Repo: "pay"}
		comment := func(in *forge.Installation) error {
			_, err := in.As(forge.Access{}).EnsureIssue(t.Context(), pay, forge.Issue{Key: time.Now().String(), Title: "an issue"})
			return err
		}
		// The second has read what there is to know, which is nothing.
		_, err = second.As(forge.Access{}).RepositoryByName(t.Context(), pay)
		must(t, err)
		for err = nil; err == nil; {
			err = comment(first)
		}
		limit, ok := errors.AsType[*forge.LimitError](err)
		if !ok || time.Until(limit.Until) < 4*time.Minute {
			t.Fatalf("the first replica was stopped by %v", err)
		}
		hub.ForgetRequests()
		third := replica()
		if err := comment(third); !errors.Is(err, forge.Limited) {
			t.Errorf("a replica that starts now: %v, want Limited", err)
		}
		deadline := time.Now().Add(time.Minute)
		for second.Budget().Until.IsZero() {
			if _, err := second.As(forge.Access{}).RepositoryByName(t.Context(), pay); err != nil && !errors.Is(err, forge.Limited) {
				t.Fatal(err)
			}
			if time.Now().After(deadline) {
				t.Fatal("the second replica does not learn that the first was stopped")
			}
		}
		if err := comment(second); !errors.Is(err, forge.Limited) {
			t.Errorf("the second replica: %v, want Limited", err)
		}
		for _, r := range hub.Requests() {
			if r.Method != "GET" && r.Installation != 0 {
				t.Errorf("a write was sent all the same: %s %s", r.Method, r.Path)
			}
		}
		known, err := db.Pace(t.Context(), in.ID())
		if err != nil || known.Replicas != 2 || known.Rate != 100 {
			t.Errorf("the store has %+v (%v), want 2 replicas at the lowest rate", known, err)
		}
	})
}

// TestThePaceIsKept: rises add up, the later pause holds, and what is old says nothing.
func TestThePaceIsKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		now := time.UnixMilli(1_700_000_000_000).UTC()
		db.Now = func() time.Time { return now }
		ctx := context.Background()
		m := pace{db}
		for range 2 { // two replicas begin at 60
			must(t, m.Quickened(ctx, 7, 60, 2.5))
		}
		known, err := m.Noted(ctx, 7)
		must(t, err)
		if known.Rate != 65 || !known.Until.IsZero() {
			t.Errorf("known is %+v, want 65 an hour and no pause", known)
		}
		later := now.Add(time.Hour)
		must(t, m.Slowed(ctx, 7, forge.Noted{Until: later, Why: "the first", Rate: 32.5}))
		must(t, m.Slowed(ctx, 7, forge.Noted{Until: now.Add(time.Minute), Why: "the second", Rate: 30}))
		known, err = m.Noted(ctx, 7)
		must(t, err)
		if !known.Until.Equal(later) || known.Why != "the first" || known.Rate != 30 {
			t.Errorf("known is %+v, want the later pause and the last rate", known)
		}
		now = now.Add(25 * time.Hour)
		if known, err = m.Noted(ctx, 7); err != nil || known.Rate != 0 {
			t.Errorf("a day later known is %+v (%v)", known, err)
		}
		must(t, m.Quickened(ctx, 7, 60, 1))
		if known, err = m.Noted(ctx, 7); err != nil || known.Rate != 61 {
			t.Errorf("then it begins anew: %+v (%v)", known, err)
		}
		if known, err = m.Noted(ctx, 8); err != nil || known != (forge.Noted{}) {
			t.Errorf("another installation: %+v (%v)", known, err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoRoomForAPullRequest: where the pace leaves room for one new pull request, the
// other member's job is put off before it writes anything.
func TestNoRoomForAPullRequest(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{pace: forge.Pace{MutationGap: -1, PointsPerMinute: -1, GraphQLPointsPerMinute: -1, ContentPerMinute: -1, ContentPerHour: -1, PullRequestsMin: 1, PullRequestsMax: 1, Burst: 2}})
	// The pull requests to the repository of deployments take the two that there are.
	w.useTemplate("acme/orders", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.until("the other member is current", func() bool { return w.is("acme/orders", store.Current) })
	w.until("both are set up", func() bool {
		return w.pull("acme/gitops", "goldenpath/svc-payments") != nil && w.pull("acme/gitops", "goldenpath/svc-orders") != nil
	})
	w.settle()
	w.hub.ForgetRequests()
	w.version(2, nil)
	later := func() int {
		waiting, err := w.service.work.Waiting(t.Context())
		w.must(err)
		return waiting["member"]["scheduled"]
	}
	w.until("both members' jobs are put off", func() bool { return later() == 2 })
	for _, r := range w.hub.Requests() {
		for _, repo := range []string{"payments", "orders"} {
			if r.Method == "POST" && strings.Contains(r.Path, "/"+repo+"/git/") {
				t.Errorf("it wrote half-way: %s %s", r.Method, r.Path)
			}
		}
	}
}
