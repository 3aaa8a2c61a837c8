package main

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

// ruleset adds a ruleset for branches.
func (w *world) ruleset(repo, name string, refs []string, rules ...localhub.Rule) {
	w.Helper()
	w.must(w.alice.AddRuleset(repo, name, "branch", refs, rules...))
}

// toldOf waits until the member was told, once, and returns what.
func (w *world) toldOf(repo string, words ...string) {
	w.Helper()
	w.until("the member is told", func() bool { return len(w.issues(repo, "open")) == 1 })
	w.settle()
	body := w.issues(repo, "open")[0].Body
	for _, word := range words {
		if !strings.Contains(body, word) {
			w.Errorf("the issue does not say %q:\n%s", word, body)
		}
	}
	members, _, err := w.db.Members(w.Context(), store.Filter{Failing: true}, "", 0)
	w.must(err)
	if len(members) != 1 || members[0].Member.ErrorKind != store.PersonMustAct || !strings.Contains(members[0].Member.Error, words[0]) {
		w.Errorf("the store says %+v", members)
	}
}

// TestARulesetForbidsOurBranch: a refusal is told with the rule that is behind it, and
// costs nothing while nothing changes.
func TestARulesetForbidsOurBranch(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.ruleset(payments, "names", []string{"~ALL"}, localhub.Rule{Type: "branch_name_pattern", Parameters: map[string]any{"operator": "starts_with", "pattern": "team/"}})
	w.version(2, nil)
	w.toldOf(payments, "forbids the name goldenpath/svc", "exclude goldenpath/** from it")
	w.sweepNow()
	if n := len(w.issues(payments, "open")); n != 1 || len(w.pulls(payments)) > 0 {
		t.Errorf("%d issues, %d pull requests, want one and none", n, len(w.pulls(payments)))
	}
	letters, _, err := w.service.work.DeadLetters(t.Context(), "", 20)
	w.must(err)
	for _, l := range letters {
		if !l.Person {
			t.Errorf("it was tried for nothing: %+v", l)
		}
	}
}

// TestOnlySignedCommits: GitHub does not sign what the Git Data API makes, and the
// branches take signed commits only.
func TestOnlySignedCommits(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{unsigned: true})
	w.ruleset(payments, "signed", []string{"~ALL"}, localhub.Rule{Type: "required_signatures"})
	w.version(2, nil)
	w.until("version 2 is offered", w.offered(payments, 2))
	w.settle()
	first := w.pulls(payments)[0].HeadID
	w.version(3, map[string]string{"goldenpaths/svc/template/more.txt": "more\n"})
	w.until("version 3 is offered", w.offered(payments, 3))
	w.settle()
	if p := w.pulls(payments); len(p) != 1 || p[0].HeadID == first || p[0].State != "open" {
		t.Errorf("pull requests: %+v, want the one that there was, rebuilt", p)
	}
	if _, err := w.hub.Files(payments, "goldenpath/svc-signing"); err == nil {
		t.Error("the branch that commits are signed on is still there")
	}
	// Looking again changes nothing: the commit is known to be ours.
	head := w.pulls(payments)[0].HeadID
	w.sweepNow()
	if p := w.pulls(payments); p[0].HeadID != head {
		t.Error("looking again moved the branch")
	}
	w.must(w.alice.MergePull(payments, w.pulls(payments)[0].Number, "merge"))
	w.until("the member is current", func() bool { return w.is(payments, store.Current) })
}

// TestWhatCannotBeSigned is told, with the reason.
func TestWhatCannotBeSigned(t *testing.T) {
	for name, c := range map[string]struct {
		v     variant
		words []string
	}{
		"an executable":   {variant{unsigned: true}, []string{"signed commits only", "mode.txt is executable"}},
		"without GraphQL": {variant{unsigned: true, rest: true}, []string{"signed commits only", "GraphQL"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, c.v)
			if !c.v.rest {
				// A person has made a file of the golden path executable.
				w.version(2, map[string]string{"goldenpaths/svc/template/mode.txt": "one\ntwo\nthree\n"})
				w.until("version 2 is offered", w.offered(payments, 2))
				w.settle()
				w.must(w.alice.MergePull(payments, w.pulls(payments)[0].Number, "merge"))
				w.until("the member is current", func() bool { return w.is(payments, store.Current) })
				_, err := w.alice.Push(payments, "main", "executable", localhub.Edit{Files: map[string]string{"mode.txt": "ONE\ntwo\nthree\n"}, Executable: []string{"mode.txt"}})
				w.must(err)
				w.settle()
			}
			w.ruleset(payments, "signed", []string{"~ALL"}, localhub.Rule{Type: "required_signatures"})
			w.version(3, map[string]string{"goldenpaths/svc/template/mode.txt": "one\ntwo\nTHREE\n"})
			w.toldOf(payments, c.words...)
		})
	}
}
