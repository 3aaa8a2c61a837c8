package forge

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

func TestIdentityAndInstallations(t *testing.T) {
	w := newWorld(t, how{})
	id, err := w.forge.Identity(t.Context())
	w.must(err)
	if id.Slug != w.app.Slug() || id.Bot != w.app.Slug()+"[bot]" || id.ID != w.app.ID() || id.Permissions["contents"] != "write" {
		t.Errorf("identity = %+v", id)
	}
	r := w.repository("pay", map[string]string{"a": "a\n"})
	list, err := w.forge.Installations(t.Context())
	w.must(err)
	if len(list) != 1 || list[0].ID != w.inst.ID() || list[0].Account != "acme" || list[0].AccountType != "Organization" || !list[0].Suspended.IsZero() || list[0].Selected {
		t.Errorf("installations = %+v", list)
	}
	found, err := w.forge.FindInstallation(t.Context(), r.Name)
	if err != nil || found.ID != w.inst.ID() {
		t.Errorf("FindInstallation = %+v, %v", found, err)
	}
	if _, err := w.forge.FindInstallation(t.Context(), Name{"acme", "none"}); !errors.Is(err, NotFound) {
		t.Errorf("of a repository that is not there: %v, want NotFound", err)
	}
	repos, err := w.client().Repositories(t.Context())
	w.must(err)
	if len(repos) != 1 || repos[0].ID != r.ID {
		t.Errorf("repositories = %+v", repos)
	}
	w.alice.Suspend(w.inst)
	if info, err := w.forge.InstallationInfo(t.Context(), w.inst.ID()); err != nil || info.Suspended.IsZero() {
		t.Errorf("suspended: %+v, %v", info, err)
	}
}

func TestTokenCanDoNoMoreThanItsAccess(t *testing.T) {
	w := newWorld(t, how{})
	r, other := w.repository("pay", map[string]string{"a": "a\n"}), w.repository("other", map[string]string{"a": "a\n"})
	c := w.forge.Installation(w.inst.ID()).As(Access{Repositories: []int64{r.ID}, Permissions: map[string]string{"contents": "read", "metadata": "read"}})
	head, err := c.Head(t.Context(), r.Name, "main")
	w.must(err)
	if _, err := c.Commit(t.Context(), r.Name, Commit{Parent: head.Commit, Tree: head.Tree, Changes: change("a", "b"), Message: "m"}); !errors.Is(err, Denied) {
		t.Errorf("a write: %v, want Denied", err)
	}
	if _, err := c.Commit(t.Context(), other.Name, Commit{Parent: head.Commit, Tree: head.Tree, Changes: change("a", "b"), Message: "m"}); err == nil {
		t.Error("a write to another repository was taken")
	}
}

func TestDeliveries(t *testing.T) {
	list := []Delivery{
		{ID: 5, GUID: "c", OK: true}, {ID: 4, GUID: "b"}, {ID: 3, GUID: "b"}, {ID: 2, GUID: "a", OK: true}, {ID: 1, GUID: "a"},
	}
	if diff := cmp.Diff([]Delivery{{ID: 4, GUID: "b"}}, Failed(list)); diff != "" {
		t.Errorf("failed mismatch (-want +got):\n%s", diff)
	}
	w := newWorld(t, how{})
	w.app.SetWebhook("http://127.0.0.1:1/none", "secret")
	w.app.Ping()
	w.must(w.hub.Settle(t.Context()))
	got, err := w.forge.Deliveries(t.Context(), time.Now().Add(-time.Hour))
	w.must(err)
	failed := Failed(got)
	i := slices.IndexFunc(failed, func(d Delivery) bool { return d.Event == "ping" })
	if i < 0 {
		t.Fatalf("deliveries = %+v, want a failed ping", got)
	}
	w.must(w.forge.Redeliver(t.Context(), failed[i].ID))
	w.must(w.hub.Settle(t.Context()))
	again, err := w.forge.Deliveries(t.Context(), time.Now().Add(-time.Hour))
	w.must(err)
	n := 0
	for _, d := range again {
		if d.GUID == failed[i].GUID {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d deliveries with the GUID, want 2", n)
	}
	if old, err := w.forge.Deliveries(t.Context(), time.Now().Add(time.Hour)); err != nil || len(old) != 0 {
		t.Errorf("since an hour from now: %d, %v; want none", len(old), err)
	}
}

func TestCreateRepository(t *testing.T) {
	w := newWorld(t, how{options: localhub.Options{ContentReads: -1}})
	w.must(w.alice.CreateRepository("acme/tpl", localhub.NewRepository{Template: true, Files: map[string]string{"a": "a\n"}}))
	c := w.client()
	want := NewRepository{Name: pay, Description: "Payments", Template: true, Begun: true}
	made, err := c.CreateRepository(t.Context(), want)
	w.must(err)
	if again, err := c.CreateRepository(t.Context(), want); err != nil || again.ID != made.ID || !again.IsTemplate {
		t.Errorf("again: %+v, %v; want the same", again, err)
	}
	if _, err := c.CreateRepository(t.Context(), NewRepository{Name: Name{"acme", "tpl"}}); !errors.Is(err, Conflict) {
		t.Errorf("a name that is taken: %v, want Conflict", err)
	}
	w.must(w.alice.UseTemplate("acme/tpl", "acme/later", localhub.NewRepository{}))
	later := Name{"acme", "later"}
	if _, err := c.Head(t.Context(), later, "main"); !errors.Is(err, NotReady) {
		t.Errorf("before its content: %v, want NotReady", err)
	}
	w.must(w.hub.FinishContent("acme/later"))
	if _, err := c.Head(t.Context(), later, "main"); err != nil {
		t.Errorf("with its content: %v", err)
	}
}

func TestAfterStepsActOnce(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{".github/workflows/p.yml": "on: workflow_dispatch\n"})
	w.hub.Organization("acme").Team("core", "alice")
	c := w.client()
	main := Ruleset{Name: "protected-main", Include: []string{"~DEFAULT_BRANCH"}, Rules: []RulesetRule{
		{Type: "deletion"}, {Type: "required_status_checks", Parameters: map[string]any{
			"strict_required_status_checks_policy": false, "required_status_checks": []any{map[string]any{"context": "ci"}},
		}},
	}}
	stricter := main
	stricter.Rules = append(slices.Clone(main.Rules), RulesetRule{Type: "non_fast_forward"})
	for _, s := range []struct {
		name string
		run  func() (bool, error)
	}{
		{"topics", func() (bool, error) { return c.SetTopics(t.Context(), r.Name, "go", "Payments") }},
		{"team", func() (bool, error) { return c.GrantTeam(t.Context(), r.Name, "core", "push") }},
		{"variable", func() (bool, error) { return c.SetVariable(t.Context(), r.Name, "TEAM", "core") }},
		{"variable changed", func() (bool, error) { return c.SetVariable(t.Context(), r.Name, "TEAM", "other") }},
		{"environment", func() (bool, error) { return c.EnsureEnvironment(t.Context(), r.Name, "prod/eu") }},
		{"ruleset", func() (bool, error) { return c.EnsureRuleset(t.Context(), r.Name, main) }},
		{"ruleset changed", func() (bool, error) { return c.EnsureRuleset(t.Context(), r.Name, stricter) }},
	} {
		t.Run(s.name, func(t *testing.T) {
			if changed, err := s.run(); err != nil || !changed {
				t.Fatalf("the first time: changed = %v, %v", changed, err)
			}
			got := w.spent(func() {
				if changed, err := s.run(); err != nil || changed {
					t.Errorf("the second time: changed = %v, %v", changed, err)
				}
			})
			if got.Content != 0 {
				t.Errorf("the second time wrote:%s", names(got))
			}
		})
	}
	if changed, err := c.GrantTeam(t.Context(), r.Name, "core", "pull"); changed || err != nil {
		t.Errorf("less than it has: changed = %v, %v", changed, err)
	}
}

// TestRunsOfAWorkflow: GitHub tells which run a request started, where the server knows
// how, and lists ours apart from those of others.
func TestRunsOfAWorkflow(t *testing.T) {
	for name, old := range map[string]bool{"with run details": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, how{options: localhub.Options{NoRunDetails: old}})
			r := w.repository("pay", map[string]string{".github/workflows/p.yml": "on: workflow_dispatch\n", ".github/workflows/q.yml": "on: workflow_dispatch\n"})
			w.must(w.alice.StartWorkflow("acme/pay", "p.yml", "main"))
			c, since := w.client(), time.Now()
			started, err := c.Dispatch(t.Context(), r.Name, Dispatch{Workflow: "p.yml", Ref: "main"})
			w.must(err)
			_, err = c.Dispatch(t.Context(), r.Name, Dispatch{Workflow: "q.yml", Ref: "main"})
			w.must(err)
			runs, err := c.Runs(t.Context(), r.Name, "p.yml", "main", since)
			w.must(err)
			if len(runs) != 1 || runs[0].URL == "" || !old && (runs[0].ID != started.ID || runs[0].URL != started.URL) || old && started != (Run{}) {
				t.Errorf("it started %+v, and the list has %+v", started, runs)
			}
			for branch, since := range map[string]time.Time{"main": since.Add(time.Minute), "other": since} {
				if runs, err := c.Runs(t.Context(), r.Name, "p.yml", branch, since); err != nil || len(runs) > 0 {
					t.Errorf("on %s since %s: %+v, %v", branch, since, runs, err)
				}
			}
			all, err := w.hub.Dispatches("acme/pay")
			w.must(err)
			if len(all) != 3 {
				t.Errorf("%d runs, want 3: alice's and two of ours", len(all))
			}
		})
	}
}

func TestCheckIsCutToWhatGitHubTakes(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"a": "a\n"})
	c := w.client()
	head, err := c.Head(t.Context(), r.Name, "main")
	w.must(err)
	k := Check{
		Commit: head.Commit, Name: "syncer", Key: "preview", Status: "in_progress", Title: "T", Summary: strings.Repeat("ü", 40_000), Text: strings.Repeat("x", 70_000),
		Actions: []Action{{strings.Repeat("l", 30), strings.Repeat("d", 50), "retry"}, {"a", "b", "c"}, {"a", "b", "d"}, {"a", "b", "e"}},
	}
	first, err := c.EnsureCheck(t.Context(), r.Name, k)
	w.must(err)
	for i := range 101 {
		k.Annotations = append(k.Annotations, Annotation{Path: "a", Start: 0, Level: "warning", Title: strings.Repeat("t", 300), Message: fmt.Sprint(i)})
	}
	k.Status, k.Conclusion = "completed", "neutral"
	got := w.spent(func() {
		last, err := c.EnsureCheck(t.Context(), r.Name, k)
		w.must(err)
		if last.ID != first.ID || last.Status != "completed" || last.Conclusion != "neutral" || last.Annotations != 101 {
			t.Errorf("check = %+v, want run %d completed with 101 annotations", last, first.ID)
		}
	})
	if n := got.Routes["PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}"]; n != 3 {
		t.Errorf("%d updates for 101 annotations, want 3", n)
	}
	checks, err := w.hub.Checks("acme/pay")
	w.must(err)
	if len(checks) != 1 || len(checks[0].Summary) > maxCheckText || !strings.Contains(checks[0].Summary, "cut") {
		t.Errorf("%d checks, summary of %d bytes", len(checks), len(checks[0].Summary))
	}
	other, err := c.EnsureCheck(t.Context(), r.Name, Check{Commit: head.Commit, Name: "syncer", Key: "other", Status: "queued"})
	if err != nil || other.ID == first.ID {
		t.Errorf("another key: %+v, %v", other, err)
	}
}

func TestLevel(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"a": "a\n"})
	bob := w.hub.Person("bob")
	w.must(w.alice.Grant("acme/pay", "bob", "triage"))
	for login, want := range map[string]string{"alice": "admin", bob.Login(): "triage", "stranger": "none", "../x": "none", "some[bot]": "none"} {
		got, err := w.client().Level(t.Context(), r.Name, login)
		if err != nil {
			t.Errorf("%s: %v", login, err)
		}
		// A public repository may be read by everybody.
		if got != want && (want != "none" || got != "read") {
			t.Errorf("%s may %q, want %q", login, got, want)
		}
	}
}

// TestLevelOfSomebody: that GitHub does not find a repository says nothing about what a
// person may do in it.
func TestLevelOfSomebody(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"a": "a\n"})
	lie := func(r localhub.Request) localhub.Fault {
		if strings.HasSuffix(r.Path, "/permission") {
			return localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusNotFound}
		}
		return localhub.Fault{}
	}
	w.fault.Store(&lie)
	if level, err := w.client().Level(t.Context(), r.Name, "alice"); KindOf(err) != NotFound {
		t.Errorf("alice may %q (%v), want that the repository is not found", level, err)
	}
	if level, err := w.client().Level(t.Context(), r.Name, "stranger"); level != "none" || err != nil {
		t.Errorf("stranger, who is nobody, may %q (%v), want none", level, err)
	}
}

func TestDraftAndReview(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"a": "a\n"})
	c := w.client()
	_, err := propose(t.Context(), c, w.one(c, askOf(r)), branch, change("a", "b\n"), "Title")
	w.must(err)
	p := w.one(c, askOf(r)).PullRequests[0]
	w.must(c.SetDraft(t.Context(), p, true))
	if p = w.one(c, askOf(r)).PullRequests[0]; !p.Draft {
		t.Error("it is no draft")
	}
	w.must(c.SetDraft(t.Context(), p, false))
	if p = w.one(c, askOf(r)).PullRequests[0]; p.Draft {
		t.Error("it is a draft still")
	}
	review := Review{Number: p.Number, Key: "take", Commit: p.Head.Commit, Body: "Take these:", Comments: []ReviewComment{{Path: "a", End: 1, Body: Suggestion("a\n")}}}
	w.must(c.Review(t.Context(), r.Name, review))
	w.must(c.Review(t.Context(), r.Name, review))
	pulls, err := w.hub.Pulls("acme/pay")
	w.must(err)
	if len(pulls[0].Reviews) != 1 || pulls[0].Reviews[0].State != "COMMENTED" {
		t.Errorf("reviews = %+v, want one", pulls[0].Reviews)
	}
	without := newWorld(t, how{rest: true})
	if err := without.client().SetDraft(t.Context(), p, true); !errors.Is(err, Unsupported) {
		t.Errorf("without GraphQL: %v, want Unsupported", err)
	}
}

// watch notes when writes leave.
type watch struct {
	next  http.RoundTripper
	mu    sync.Mutex
	began []time.Time
}

func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/graphql") && !strings.HasSuffix(r.URL.Path, "/access_tokens") {
		w.mu.Lock()
		w.began = append(w.began, time.Now())
		w.mu.Unlock()
	}
	return w.next.RoundTrip(r)
}

// TestPaceOnTheWire measures where requests leave.
func TestPaceOnTheWire(t *testing.T) {
	const gap = 60 * time.Millisecond
	clock := &watch{next: defaultTransport()}
	w := newWorld(t, how{config: func(c *Config) { c.Pace, c.Transport = Pace{MutationGap: gap, Burst: 2}, clock }})
	var repos []Repository
	for i := range 3 {
		repos = append(repos, w.repository(fmt.Sprintf("r%d", i), map[string]string{"a": "a\n"}))
	}
	c := w.client()
	start := time.Now()
	var err error
	for _, r := range repos {
		if _, err = propose(t.Context(), c, w.one(c, askOf(r)), branch, change("a", "b\n"), "Title"); err != nil {
			break
		}
	}
	l, ok := errors.AsType[*LimitError](err)
	if !ok || l.Sent {
		t.Fatalf("the third pull request: %v, want our own LimitError", err)
	}
	if wait := time.Until(l.Until); wait < 30*time.Second || wait > time.Minute {
		t.Errorf("the third waits %v, want most of a minute at 60 an hour", wait)
	}
	if len(clock.began) != 8 {
		t.Errorf("%d writes, want the 8 of two pull requests", len(clock.began))
	}
	for i, began := range clock.began {
		// The clock is read after the governor let the request go, how much is the system's
		// affair: so from the start, and not from one to the next.
		if d := began.Sub(start); d < time.Duration(i)*gap {
			t.Errorf("write %d came %v after the start, want %d gaps of %v", i+1, d, i, gap)
		}
	}
	b := w.forge.Installation(w.inst.ID()).Budget()
	if b.ContentLastHour != 8 || b.PullRequestsPerHour <= 60 {
		t.Errorf("budget = %+v, want 8 writes and a rising pace", b)
	}
}
