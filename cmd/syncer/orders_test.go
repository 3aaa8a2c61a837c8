package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// answersTo returns what syncer said on our pull request after a comment.
func (w *world) answersTo(text string) (answers []string) {
	w.Helper()
	number := w.pull(payments, ourBranch).Number
	before := len(w.commentsOf(number))
	_, err := w.alice.Comment(payments, number, text)
	w.must(err)
	w.until("there is an answer to "+text, func() bool { return len(w.commentsOf(number)) > before+1 })
	w.settle()
	for _, c := range w.commentsOf(number)[before+1:] {
		answers = append(answers, c.Body)
	}
	return answers
}

// titles are the first lines of the commits of a branch of the member.
func (w *world) titles(branch string) (titles []string) {
	w.Helper()
	id := w.records()["payments"].Repository.ID
	repo, err := git.PlainOpen(filepath.Join(w.hub.Directory(), fmt.Sprintf("%d.git", id)))
	w.must(err)
	head, err := repo.Reference(plumbing.NewBranchReferenceName(branch), true)
	w.must(err)
	commits, err := repo.Log(&git.LogOptions{From: head.Hash()})
	w.must(err)
	w.must(commits.ForEach(func(c *object.Commit) error {
		title, _, _ := strings.Cut(c.Message, "\n")
		titles = append(titles, title)
		return nil
	}))
	return titles
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// TestOrdersGoOnWhereTheyFailed gives several orders in one comment, and lets the work
// fail in between, in each way once: none is done again, and the answer comes once.
func TestOrdersGoOnWhereTheyFailed(t *testing.T) {
	const orders = "/syncer take theirs lines.txt\n/syncer keep README.md because it is *ours*\n/syncer sync"
	for name, b := range map[string]*brokenCall{
		"the second order's commit": {n: 2, method: "POST", end: "/git/commits", how: localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusInternalServerError}},
		"the look after the first":  {n: 1, method: "GET", end: "/check-runs", how: localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusNotFound}},
		"the answer":                {n: 1, method: "POST", end: "/comments", how: localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusBadGateway}},
		"the answer's answer":       {n: 1, method: "POST", end: "/comments", how: localhub.Fault{Kind: localhub.FaultReset, Done: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, variant{attempts: 200})
			w.conflicting()
			w.hurry()
			breaks := b.fault
			w.fault.Store(&breaks)
			w.obeyed(w.answersTo(orders))
			if n := b.seen.Load(); n < b.n {
				t.Errorf("nothing failed: there were %d such calls", n)
			}
		})
	}
}

// obeyed looks whether the orders were obeyed once, and answered once.
func (w *world) obeyed(answers []string) {
	w.Helper()
	if len(answers) != 1 {
		w.Fatalf("there are %d answers:\n%s", len(answers), strings.Join(answers, "\n---\n"))
	}
	w.says(answers[0], "Took theirs in `lines.txt`", "`README.md` stays as it is", "Looked again")
	titles := w.titles(ourBranch)
	for _, title := range []string{"Take theirs in lines.txt", "Keep README.md"} {
		if n := count(titles, title); n != 1 {
			w.Errorf("%q was done %d times: %q", title, n, titles)
		}
	}
	if got := w.file(payments, ourBranch, "lines.txt"); got != linesV2 {
		w.Errorf("lines.txt is %q", got)
	}
}

// brokenCall is the nth request of a method to a path with an end, which fails.
type brokenCall struct {
	n           int32
	method, end string
	how         localhub.Fault
	seen        atomic.Int32
}

func (b *brokenCall) fault(r localhub.Request) localhub.Fault {
	if r.Method == b.method && strings.HasSuffix(r.Path, b.end) && b.seen.Add(1) == b.n {
		return b.how
	}
	return localhub.Fault{}
}

// TestAnOrderWhoseProcessDied refuses to note that the first order is done, as if the
// process died after its commit: the next run finds the commit, and answers as it would
// have.
func TestAnOrderWhoseProcessDied(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		w := newVariant(t, db, variant{attempts: 200})
		w.payments()
		w.conflicting()
		w.obeyed(w.answersThough("Took theirs", "/syncer take theirs lines.txt\n/syncer keep README.md because it is *ours*\n/syncer sync"))
		// Nor is the pull request that it closed taken for one that the order is not for.
		answers := w.answersThough("is ignored", "/syncer ignore")
		if len(answers) != 1 || !strings.Contains(answers[0], "is ignored; the next version comes again.") {
			t.Errorf("the answers are %q", answers)
		}
		if got := w.records()["payments"].Member; got.Refused == "" || got.PullRequest != 0 || w.events("version ignored") != 1 {
			t.Errorf("the member is %+v", got)
		}
	})
}

// answersThough is answersTo, where the process dies before it notes that the order with
// an answer is done.
func (w *world) answersThough(answer, orders string) (answers []string) {
	w.Helper()
	allow := w.refuse("steps", `NEW.what LIKE '%`+answer+`%' AND NEW.what LIKE '%"done":true%'`)
	number := w.pull(payments, ourBranch).Number
	before := len(w.commentsOf(number))
	_, err := w.alice.Comment(payments, number, orders)
	w.must(err)
	w.until("the order cannot be noted", func() bool { return w.waits(`'command'`) })
	if got := w.commentsOf(number); len(got) != before+1 {
		w.Errorf("it is answered: %+v", got)
	}
	allow()
	_, err = w.db.DB().ExecContext(w.Context(), tryNow)
	w.must(err)
	w.until("it is answered", func() bool { return len(w.commentsOf(number)) > before+1 })
	w.settle()
	for _, c := range w.commentsOf(number)[before+1:] {
		answers = append(answers, c.Body)
	}
	return answers
}

// TestTooManyOrders bounds how many orders of one comment are obeyed.
func TestTooManyOrders(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.version(2, nil)
	w.until("version 2 is offered", w.offered(payments, 2))
	w.settle()
	answers := w.answersTo(strings.Repeat("/syncer help\n", 30))
	if len(answers) != 1 || strings.Count(answers[0], "| order |") != 20 {
		t.Fatalf("%d answers, %d orders obeyed", len(answers), strings.Count(answers[0], "| order |"))
	}
	w.says(answers[0], "10 more orders")
}

// TestOrdersOnAProtectedBranch gives orders that edit .goldenpath.yaml where the default
// branch takes no pushes: one pull request proposes them, a commit for each, and the
// answers name it.
func TestOrdersOnAProtectedBranch(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.release(map[string]string{ciFile: "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull(payments, ourBranch) != nil })
		w.settle()
		w.must(w.alice.Protect(payments, "main", &localhub.Protection{Pull: true, Admins: true}))
		first := w.pull(payments, ourBranch).Number
		answer := w.order("/syncer pin")
		edits := w.pull(payments, "goldenpath-edits")
		if edits == nil {
			w.Fatalf("no pull request proposes it:\n%s", answer)
		}
		number := fmt.Sprintf("#%d", edits.Number)
		w.says(answer, number, "protected", "svc stays at")
		issue, err := w.alice.OpenIssue(payments, "Ours", "/syncer keep README.md because it is *ours*")
		w.must(err)
		w.until("the second order is answered", func() bool {
			return slices.ContainsFunc(w.issues(payments, "open"), func(i localhub.Issue) bool {
				return i.Number == issue && len(i.Comments) == 1 && strings.Contains(i.Comments[0].Body, number)
			})
		})
		w.settle()
		member := w.file(payments, "goldenpath-edits", ".goldenpath.yaml")
		if !strings.Contains(member, "pin: ") || !strings.Contains(member, "path: README.md") {
			w.Errorf("proposed is\n%s", member)
		}
		if got := w.file(payments, "main", ".goldenpath.yaml"); strings.Contains(got, "pin: ") {
			w.Errorf("the default branch has\n%s", got)
		}
		if n := len(w.pulls(payments)); n != 2 {
			w.Errorf("there are %d pull requests, want ours and the edits'", n)
		}
		w.must(w.alice.MergePull(payments, edits.Number, "squash"))
		w.until("the pin ends the pull request about what is newer", func() bool {
			return w.pulls(payments)[0].Number == first && w.pulls(payments)[0].State == "closed"
		})
		w.settle()
		// What was merged, though as another commit, is in nobody's way.
		_, err = w.alice.Comment(payments, issue, "/syncer unpin")
		w.must(err)
		w.until("the next edit has a pull request of its own", func() bool {
			p := w.pull(payments, "goldenpath-edits")
			return p.Number != edits.Number && p.State == "open"
		})
		w.settle()
		if member := w.file(payments, "goldenpath-edits", ".goldenpath.yaml"); strings.Contains(member, "pin: ") || !strings.Contains(member, "path: README.md") {
			w.Errorf("proposed is\n%s", member)
		}
	})
}

// TestAnOrderThatARuleForbids is given on our pull request, whose branch takes no pushes:
// it is answered with the reason at once, and not tried until nobody hears of it.
func TestAnOrderThatARuleForbids(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.conflicting()
	w.must(w.alice.AddRuleset(payments, "ours", "branch", []string{"refs/heads/goldenpath/**"}, localhub.Rule{Type: "update"}))
	answers := w.answersTo("/syncer take theirs lines.txt\n/syncer keep README.md because it is *ours*")
	if len(answers) != 1 || strings.Count(answers[0], "Nothing was changed") != 2 || !strings.Contains(answers[0], "Cannot update this protected ref") {
		t.Errorf("the answers are %q", answers)
	}
	if got := w.file(payments, ourBranch, "lines.txt"); strings.Contains(got, "SEVEN") {
		t.Errorf("lines.txt is %q", got)
	}
	// One that is done, and only what follows from it is not, does not say the contrary.
	w.version(3, nil)
	w.settle()
	issue, err := w.alice.OpenIssue(payments, "Ours", "/syncer keep README.md because it is *ours*")
	w.must(err)
	w.until("the order is answered", func() bool {
		i := slices.IndexFunc(w.issues(payments, "open"), func(i localhub.Issue) bool { return i.Number == issue && len(i.Comments) == 1 })
		if i < 0 {
			return false
		}
		w.says(w.issues(payments, "open")[i].Comments[0].Body, "`README.md` stays as it is", "What follows from it could not be done", "Cannot update this protected ref")
		return true
	})
	if got := w.file(payments, "main", ".goldenpath.yaml"); !strings.Contains(got, "path: README.md") {
		t.Errorf(".goldenpath.yaml is\n%s", got)
	}
}
