package forge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// faults are the ways in which a call fails. In the second half of them GitHub did
// what was asked, and the answer was lost.
func faults() map[string]localhub.Fault {
	m := map[string]localhub.Fault{}
	for _, done := range []bool{false, true} {
		when := "before"
		if done {
			when = "after"
		}
		m[when+" reset"] = localhub.Fault{Kind: localhub.FaultReset, Done: done}
		m[when+" 502"] = localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusBadGateway, Done: done}
		m[when+" 422"] = localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusUnprocessableEntity, Done: done}
		m[when+" hang"] = localhub.Fault{Kind: localhub.FaultHang, Done: done}
	}
	m["after half an answer"] = localhub.Fault{Kind: localhub.FaultTruncate, Done: true}
	m["before 429"] = localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"0"}}}
	return m
}

// step is one thing that a job does to GitHub.
type step struct {
	name string
	run  func(ctx context.Context, c *Client, r Repository) error
}

// everyStep writes all that this package can write. Running it again changes
// nothing.
func everyStep() []step {
	return []step{
		{"sync", func(ctx context.Context, c *Client, r Repository) error {
			members, err := c.Members(ctx, []Ask{askOf(r)})
			if err != nil {
				return err
			}
			if members[0].Err != nil {
				return members[0].Err
			}
			_, err = propose(ctx, c, members[0], branch, change("Makefile", "all: test\n"), "Update")
			return err
		}},
		{"label", func(ctx context.Context, c *Client, r Repository) error {
			return c.AddLabels(ctx, r.Name, 1, "syncer")
		}},
		{"comment", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.EnsureComment(ctx, r.Name, 1, "status", "hello")
			return err
		}},
		{"comment edited", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.EnsureComment(ctx, r.Name, 1, "status", "hello again")
			return err
		}},
		{"issue", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.EnsureIssue(ctx, r.Name, Issue{Key: "inputs", Title: "Inputs are missing", Body: "Which team?", Labels: []string{"syncer"}})
			return err
		}},
		{"issue edited", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.EnsureIssue(ctx, r.Name, Issue{Key: "inputs", Title: "Inputs are missing", Body: "Which team, which port?"})
			return err
		}},
		{"check", func(ctx context.Context, c *Client, r Repository) error {
			head, err := c.Head(ctx, r.Name, "main")
			if err != nil {
				return err
			}
			_, err = c.EnsureCheck(ctx, r.Name, theCheck(head.Commit))
			return err
		}},
		{"review", func(ctx context.Context, c *Client, r Repository) error {
			return c.Review(ctx, r.Name, Review{Number: 1, Key: "suggest", Body: "See below."})
		}},
		{"topics", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.SetTopics(ctx, r.Name, "go")
			return err
		}},
		{"variable", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.SetVariable(ctx, r.Name, "TEAM", "payments")
			return err
		}},
		{"environment", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.EnsureEnvironment(ctx, r.Name, "production")
			return err
		}},
		{"ruleset", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.EnsureRuleset(ctx, r.Name, Ruleset{Name: "protected-main", Include: []string{"~DEFAULT_BRANCH"}, Rules: []RulesetRule{{Type: "deletion"}}})
			return err
		}},
		{"repository", func(ctx context.Context, c *Client, r Repository) error {
			_, err := c.CreateRepository(ctx, NewRepository{Name: Name{"acme", "fresh"}})
			return err
		}},
		{"close", func(ctx context.Context, c *Client, r Repository) error {
			m, err := c.Members(ctx, []Ask{askOf(r)})
			if err != nil {
				return err
			}
			if m[0].Err != nil {
				return m[0].Err
			}
			return c.ClosePullRequest(ctx, r, Closing{Number: 1, Key: "closed", Comment: "Reverted.", Branch: branch, Head: m[0].Branch.Commit})
		}},
	}
}

func theCheck(commit string) Check {
	k := Check{Commit: commit, Name: "syncer", Key: "preview", Status: "completed", Conclusion: "success", Title: "120 remarks", Summary: "fine"}
	for i := range 120 {
		k.Annotations = append(k.Annotations, Annotation{Path: "Makefile", Start: i + 1, Level: "notice", Message: fmt.Sprintf("remark %d", i)})
	}
	return k
}

// TestAnswersLost runs every step with every fault at each of its requests, and
// repeats it as a job would: in the end everything is there exactly once.
func TestAnswersLost(t *testing.T) {
	for _, rest := range []bool{false, true} {
		for name, fault := range faults() {
			t.Run(fmt.Sprintf("rest=%v/%s", rest, name), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, how{rest: rest})
				w.breakEveryCall(fault)
			})
		}
	}
}

// breakEveryCall does each step again and again, and lets every route that it
// writes to fail twice.
func (w *world) breakEveryCall(fault localhub.Fault) {
	t := w.t
	r := w.repository("pay", map[string]string{"Makefile": "all:\n"})
	total := map[string]int{}
	for _, s := range everyStep() {
		var mu sync.Mutex
		failed := map[string]int{}
		hit := false
		inject := func(q localhub.Request) localhub.Fault {
			mu.Lock()
			defer mu.Unlock()
			route := q.Method + " " + q.Template
			if q.Method == http.MethodGet || q.Template == "/app/installations/{installation_id}/access_tokens" || failed[route] == 2 {
				return localhub.Fault{}
			}
			failed[route]++
			total[route]++
			hit = true
			return fault
		}
		w.repeat(s, r, inject, func() bool {
			mu.Lock()
			defer mu.Unlock()
			again := hit
			hit = false
			return again
		})
	}
	for _, route := range []string{
		"POST /repos/{owner}/{repo}/git/trees", "POST /repos/{owner}/{repo}/git/commits", "POST /repos/{owner}/{repo}/git/refs",
		"POST /repos/{owner}/{repo}/pulls", "POST /repos/{owner}/{repo}/issues", "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
		"POST /repos/{owner}/{repo}/check-runs", "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
		"PUT /repos/{owner}/{repo}/topics", "POST /repos/{owner}/{repo}/actions/variables", "POST /orgs/{org}/repos",
	} {
		if total[route] == 0 {
			t.Errorf("%s never failed: %v", route, total)
		}
	}
	w.checkOnce()
}

// repeat does a step as a job would, until it succeeds and again says that nothing
// failed on the way.
func (w *world) repeat(s step, r Repository, inject func(localhub.Request) localhub.Fault, again func() bool) {
	w.t.Helper()
	for range 60 {
		w.fault.Store(&inject)
		err := s.run(w.t.Context(), w.client(), r)
		w.fault.Store(nil)
		if err != nil && KindOf(err) != Unavailable && KindOf(err) != Limited && !isUnclear(err) {
			w.t.Fatalf("%s: %v", s.name, err)
		}
		if more := again(); err == nil && !more {
			return
		}
	}
	w.t.Fatalf("%s: not done after 60 attempts", s.name)
}

func isUnclear(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Unclear
}

// TestAFifthOfAllCallsFails breaks reads and tokens too, in every way, by chance.
func TestAFifthOfAllCallsFails(t *testing.T) {
	for _, rest := range []bool{false, true} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("rest=%v/%d", rest, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, how{rest: rest})
				r := w.repository("pay", map[string]string{"Makefile": "all:\n"})
				kinds := faults()
				order := slices.Sorted(maps.Keys(kinds))
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(seed, 1))
				inject := func(localhub.Request) localhub.Fault {
					mu.Lock()
					defer mu.Unlock()
					if random.IntN(5) != 0 {
						return localhub.Fault{}
					}
					return kinds[order[random.IntN(len(order))]]
				}
				for _, s := range everyStep() {
					w.repeat(s, r, inject, func() bool { return false })
				}
				w.checkOnce()
			})
		}
	}
}

// checkOnce looks at what GitHub has.
func (w *world) checkOnce() {
	t := w.t
	t.Helper()
	pulls, err := w.hub.Pulls("acme/pay")
	w.must(err)
	if len(pulls) != 1 || pulls[0].State != "closed" {
		t.Fatalf("%d pull requests, want one that is closed: %+v", len(pulls), pulls)
	}
	bodies := map[string]int{}
	for _, c := range pulls[0].Comments {
		bodies[c.Body]++
	}
	want := map[string]int{marked("hello again", "status"): 1, marked("Reverted.", "closed"): 1}
	if !maps.Equal(bodies, want) {
		t.Errorf("comments = %v, want %v", bodies, want)
	}
	if len(pulls[0].Reviews) != 1 {
		t.Errorf("%d reviews, want 1", len(pulls[0].Reviews))
	}
	if !slices.Equal(pulls[0].Labels, []string{"syncer"}) {
		t.Errorf("labels = %v", pulls[0].Labels)
	}
	issues, err := w.hub.Issues("acme/pay")
	w.must(err)
	if len(issues) != 1 || issues[0].Body != marked("Which team, which port?", "inputs") {
		t.Errorf("issues = %+v, want one", issues)
	}
	branches, err := w.hub.Branches("acme/pay")
	w.must(err)
	if len(branches) != 1 {
		t.Errorf("branches = %v, want main alone", branches)
	}
	checks, err := w.hub.Checks("acme/pay")
	w.must(err)
	if len(checks) != 1 || checks[0].Annotations != 120 || checks[0].Status != "completed" {
		t.Errorf("checks = %+v, want one, completed, with 120 annotations", checks)
	}
}
