package forge

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// sync does what a job does for one member, without the read.
func (w *world) sync(r Repository, path string) error {
	c := w.client()
	head, err := c.Head(w.t.Context(), r.Name, r.DefaultBranch)
	if err != nil {
		return err
	}
	_, err = propose(w.t.Context(), c, Member{Repository: r, Head: head}, branch, change(path, "new\n"), "Update")
	return err
}

func TestRefusalsHaveTheirKind(t *testing.T) {
	without := func(names ...string) map[string]string {
		m := maps.Clone(asked)
		for _, n := range names {
			delete(m, n)
		}
		return m
	}
	for _, c := range []struct {
		name   string
		grant  map[string]string
		before func(w *world) error
		path   string
		want   Kind
		words  string
	}{
		{"archived", nil, func(w *world) error { return w.alice.Archive("acme/pay", true) }, "a", Refused, "archived"},
		{"suspended", nil, func(w *world) error { w.alice.Suspend(w.inst); return nil }, "a", Suspended, "unsuspend"},
		{"uninstalled", nil, func(w *world) error { w.alice.Uninstall(w.inst); return nil }, "a", Gone, "no longer installed"},
		{"deleted", nil, func(w *world) error { return w.alice.Delete("acme/pay") }, "a", NotFound, ""},
		{"without pull requests", without("pull_requests"), nil, "a", Denied, "pull_requests=write"},
		{"without contents", without("contents"), nil, "a", Denied, "contents"},
		{"without workflows", without("workflows"), nil, ".github/workflows/ci.yml", Denied, "workflows=write"},
		{"a rule on names", nil, func(w *world) error {
			return w.alice.AddRuleset("acme/pay", "names", "branch", []string{"~ALL"}, localhub.Rule{Type: "branch_name_pattern", Parameters: map[string]any{"operator": "starts_with", "pattern": "team/"}})
		}, "a", Refused, ""},
		{"a rule on creation", nil, func(w *world) error {
			return w.alice.AddRuleset("acme/pay", "no new branches", "branch", []string{"~ALL"}, localhub.Rule{Type: "creation"})
		}, "a", Refused, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, how{grant: c.grant})
			r := w.repository("pay", map[string]string{"a": "a\n"})
			// What is known from before is not asked again; a job's token is.
			w.forge.Forget(w.inst.ID())
			if c.before != nil {
				w.must(c.before(w))
			}
			err := w.sync(r, c.path)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("error = %v (%s), want %s with %q", err, KindOf(err), c.want, c.words)
			}
			if lost(err) {
				t.Error("a refusal counts as lost")
			}
		})
	}
}

// TestPreflight judges without asking GitHub.
func TestPreflight(t *testing.T) {
	ok := Repository{Name: Name{"acme", "pay"}}
	for _, c := range []struct {
		name  string
		r     func(*Repository)
		in    Intent
		want  Kind
		words string
	}{
		{"nothing", nil, Intent{Granted: asked, Proposes: true, Paths: map[string]int{".github/workflows/ci.yml": 5}}, "", ""},
		{"not known", nil, Intent{Proposes: true, Paths: map[string]int{".github/workflows/ci.yml": 5}}, "", ""},
		{"archived", func(r *Repository) { r.Archived = true }, Intent{}, Refused, "unarchive it"},
		{"disabled", func(r *Repository) { r.Disabled = true }, Intent{}, Refused, "support"},
		{"locked", func(r *Repository) { r.Locked = true }, Intent{}, Refused, "later"},
		{"mirror", func(r *Repository) { r.Mirror = true }, Intent{}, Refused, "source"},
		{"no contents", nil, Intent{Granted: map[string]string{"contents": "read"}}, Denied, "contents=write"},
		{"no workflows", nil, Intent{Granted: map[string]string{"contents": "write"}, Paths: map[string]int{".github/workflows/ci.yml": 5}}, Denied, "workflows=write): .github/workflows/ci.yml changes"},
		{"no workflows, nor needed", nil, Intent{Granted: map[string]string{"contents": "write"}, Paths: map[string]int{"ci.yml": 5}}, "", ""},
		{"no pull requests", nil, Intent{Granted: map[string]string{"contents": "write"}, Proposes: true}, Denied, "pull_requests=write"},
	} {
		r := ok
		if c.r != nil {
			c.r(&r)
		}
		if err := Preflight(r, c.in); KindOf(err) != c.want || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %q with %q", c.name, err, c.want, c.words)
		}
	}
}

// TestObstacles says why a write was refused.
func TestObstacles(t *testing.T) {
	w := newWorld(t, how{})
	facts := func(r Repository, in Intent) []string {
		t.Helper()
		list, err := w.client().Obstacles(t.Context(), r, in)
		w.must(err)
		names := []string{}
		for _, o := range list {
			if o.Reason == "" || strings.Contains(o.Reason, "%!") {
				t.Errorf("%s: reason %q", o.Fact, o.Reason)
			}
			names = append(names, o.Fact)
		}
		refusal := &Error{Kind: Refused, Op: "op"}
		if said := Because(refusal, list); KindOf(said) != Refused || len(list) > 0 && !strings.Contains(said.Error(), list[0].Reason) || refusal.Hint != "" {
			t.Errorf("the refusal says %v", said)
		}
		return names
	}
	expect := func(what string, got []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Errorf("%s mismatch (-want +got):\n%s", what, diff)
		}
	}
	intent := Intent{Branch: branch, Paths: map[string]int{"Makefile": 10, ".github/workflows/ci.yml": 5}, Message: "Update"}
	expect("plain", facts(w.repository("plain", map[string]string{"a": "a\n"}), intent))
	ruled := w.repository("ruled", map[string]string{"a": "a\n"})
	w.must(w.alice.AddRuleset("acme/ruled", "all", "branch", []string{"~ALL"},
		localhub.Rule{Type: "required_signatures"},
		localhub.Rule{Type: "branch_name_pattern", Parameters: map[string]any{"operator": "starts_with", "pattern": "team/"}},
		localhub.Rule{Type: "commit_message_pattern", Parameters: map[string]any{"operator": "regex", "pattern": "^JIRA-[0-9]+"}},
	))
	w.must(w.alice.AddRuleset("acme/ruled", "main", "branch", []string{"~DEFAULT_BRANCH"}, localhub.Rule{Type: "pull_request"}, localhub.Rule{Type: "merge_queue"}))
	expect("ruled", facts(ruled, intent), "signatures", "branch-name", "message")
	direct := intent
	direct.Branch = "main"
	expect("direct", facts(ruled, direct), "protected", "merge-queue", "signatures", "branch-name", "message")
	// A push past a merge queue is not tried; what else is in the way GitHub judges.
	if err := w.client().PreflightPush(t.Context(), ruled, direct); KindOf(err) != Queued || !strings.Contains(err.Error(), "branch main takes changes through its merge queue only") {
		t.Errorf("before a push past the queue: %v", err)
	}
	if err := w.client().PreflightPush(t.Context(), ruled, intent); err != nil {
		t.Errorf("before a push to our own branch: %v", err)
	}
	head, err := w.client().Head(t.Context(), ruled.Name, "main")
	w.must(err)
	made, err := w.client().Commit(t.Context(), ruled.Name, Commit{Parent: head.Commit, Changes: change("a", "b\n"), Message: "JIRA-1"})
	w.must(err)
	if err := w.client().Move(t.Context(), ruled, Move{Branch: "main", From: head.Commit, To: made.ID}); KindOf(err) != Queued {
		t.Errorf("a push past the queue: %v", err)
	}
}

func TestRulesOnFiles(t *testing.T) {
	rules := Rules{Paths: []string{".github/**", "**/secret.txt", "docs/*"}, MaxFileBytes: 100, MaxPath: 20, Extensions: []string{"*.jar", ".exe"}}
	in := Intent{Paths: map[string]int{
		".github/workflows/ci.yml": 1, "a/b/secret.txt": 1, "docs/a.md": 1, "docs/b/c.md": 1, "large": 101, "x.jar": 1, "y.exe": 1,
		"z.jar.txt": 1, "old.jar": -1, "a/very/long/path/to/a/file": 1,
	}}
	got := map[string]int{}
	for _, o := range rules.paths(in) {
		for p := range in.Paths {
			if strings.Contains(o.Reason, p) {
				got[p]++
			}
		}
	}
	want := map[string]int{".github/workflows/ci.yml": 2, "a/b/secret.txt": 1, "docs/a.md": 1, "large": 1, "x.jar": 1, "y.exe": 1, "a/very/long/path/to/a/file": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refused paths mismatch (-want +got):\n%s", diff)
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		p    Pattern
		s    string
		want bool
	}{
		{Pattern{Operator: "starts_with", Pattern: "feat/"}, "feat/x", true},
		{Pattern{Operator: "starts_with", Pattern: "feat/"}, "goldenpath/x", false},
		{Pattern{Operator: "starts_with", Pattern: "goldenpath", Negate: true}, "goldenpath/x", false},
		{Pattern{Operator: "ends_with", Pattern: "x"}, "x", true},
		{Pattern{Operator: "contains", Pattern: "y"}, "x", false},
		{Pattern{Operator: "regex", Pattern: `^[a-z]+/`}, "goldenpath/x", true},
		{Pattern{Operator: "regex", Pattern: `(?<=x)y`}, "anything", true}, // not for us to judge
		{Pattern{Operator: "rhymes_with", Pattern: "x"}, "anything", true},
	} {
		if got := c.p.Allows(c.s); got != c.want {
			t.Errorf("%+v.Allows(%q) = %v, want %v", c.p, c.s, got, c.want)
		}
	}
}

// TestGitHubsLimitsAreObeyed runs into the limits of a GitHub that is stricter than
// we think: not one request follows until the time is up.
func TestGitHubsLimitsAreObeyed(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits localhub.Limits
	}{
		{"secondary, 403", localhub.Limits{ContentPerMinute: 6, RetryAfter: 40 * time.Second}},
		{"secondary, 429", localhub.Limits{ContentPerMinute: 6, RetryAfter: 40 * time.Second, Status: 429}},
		{"secondary, without a time", localhub.Limits{ContentPerMinute: 6, NoRetryAfter: true}},
		{"points", localhub.Limits{PointsPerMinute: 40, ContentPerMinute: -1}},
		{"primary", localhub.Limits{PerHour: 12, ContentPerMinute: -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, how{options: localhub.Options{Limits: c.limits}})
			var err error
			for i := 0; i < 20 && err == nil; i++ {
				_, err = w.client().EnsureComment(t.Context(), pay, 1, "none", "x")
				if errors.Is(err, NotFound) {
					_, err = w.client().CreateRepository(t.Context(), NewRepository{Name: Name{"acme", "n" + string(rune('a'+i))}})
				}
			}
			l, ok := errors.AsType[*LimitError](err)
			if !ok {
				t.Fatalf("error = %v, want a LimitError", err)
			}
			if wait := time.Until(l.Until); wait < 30*time.Second || wait > 61*time.Minute {
				t.Errorf("try again in %v", wait)
			}
			w.hub.ForgetRequests()
			for range 5 {
				if _, err := w.client().CreateRepository(t.Context(), NewRepository{Name: Name{"acme", "z"}}); !errors.Is(err, Limited) {
					t.Errorf("error = %v, want Limited", err)
				}
			}
			if n := len(w.hub.Requests()); n != 0 {
				t.Errorf("%d requests were sent all the same", n)
			}
		})
	}
}
