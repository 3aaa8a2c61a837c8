package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
)

// noneFollowed is what syncer unfollow leaves of the only golden path.
var noneFollowed = localhub.Edit{Files: map[string]string{".goldenpath.yaml": "source: x\ngoldenPaths: []\n"}, Delete: []string{".goldenpath.lock"}}

// left checks that nothing is done any more in a repository that follows nothing.
func (w *world) left() {
	w.Helper()
	w.until("the member is forgotten", func() bool {
		members, _, err := w.db.Members(w.Context(), store.Filter{Contains: "payments"}, "", 0)
		w.must(err)
		return len(members) == 0
	})
	before := w.file("acme/payments", "main", "lines.txt")
	pulls := len(w.pulls("acme/payments"))
	w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 9\n"})
	w.settle()
	w.sweepNow()
	w.push("main", map[string]string{"mine.txt": "after\n"})
	w.settle()
	if got := w.file("acme/payments", "main", "lines.txt"); got != before {
		w.Errorf("lines.txt became %q", got)
	}
	if got := w.pulls("acme/payments"); len(got) != pulls {
		w.Errorf("%d pull requests, want %d", len(got), pulls)
	}
	if open := w.issues("acme/payments", "open"); len(open) > 0 {
		w.Errorf("an issue is open: %s\n%s", open[0].Title, open[0].Body)
	}
	letters, _, err := w.service.work.DeadLetters(w.Context(), "", 5)
	w.must(err)
	letters = slices.DeleteFunc(letters, func(l jobs.Letter) bool { return l.Person }) // what was told in an issue
	if len(letters) > 0 {
		w.Errorf("work failed for good: %+v", letters)
	}
}

// A repository that follows nothing any more is left alone, and what was proposed
// there is withdrawn.
func TestWalkUnfollowed(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		pr := w.conflicting()
		if _, err := w.alice.Push("acme/payments", "main", "unfollow svc", noneFollowed); err != nil {
			w.Fatal(err)
		}
		w.until("the pull request is closed", func() bool { return w.pull("acme/payments", ourBranch).State == "closed" })
		w.settle()
		if !slices.ContainsFunc(w.commentsOf(pr.Number), func(c localhub.Comment) bool { return strings.Contains(c.Body, "does not follow `svc` any more") }) {
			w.Errorf("nobody is told why: %+v", w.commentsOf(pr.Number))
		}
		if w.file("acme/payments", ourBranch, "ci.yaml") != "" {
			w.Error("the branch is still there")
		}
		w.left()
	})
}

// Where people have committed to the branch it is theirs. The file may be gone as a
// whole, and an issue about it is answered.
func TestWalkUnfollowedWithPeoplesCommits(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		pr := w.conflicting()
		w.push(ourBranch, map[string]string{"fix.txt": "fix\n"})
		w.settle()
		w.push("main", map[string]string{".goldenpath.yaml": "source: [\n"})
		w.until("the mistake is told", func() bool { return len(w.issues("acme/payments", "open")) == 1 })
		w.settle()
		if _, err := w.alice.Push("acme/payments", "main", "no more", localhub.Edit{Delete: []string{".goldenpath.yaml", ".goldenpath.lock"}}); err != nil {
			w.Fatal(err)
		}
		w.until("it is told", func() bool {
			return slices.ContainsFunc(w.commentsOf(pr.Number), func(c localhub.Comment) bool { return strings.Contains(c.Body, "does not follow `svc` any more") })
		})
		w.until("the issue is closed", func() bool { return len(w.issues("acme/payments", "open")) == 0 })
		w.settle()
		if now := w.pull("acme/payments", ourBranch); now.State != "open" || w.file("acme/payments", ourBranch, "fix.txt") != "fix\n" {
			w.Errorf("the pull request with a person's commit is %s", now.State)
		}
		w.left()
	})
}

// To leave on our own branch is a person's say too: the pull request stays as they
// made it, until it is merged.
func TestWalkUnfollowedOnTheBranch(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		pr := w.conflicting()
		if _, err := w.alice.Push("acme/payments", ourBranch, "unfollow svc", noneFollowed); err != nil {
			w.Fatal(err)
		}
		w.settle()
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 3\n"})
		w.settle()
		if now := w.pull("acme/payments", ourBranch); now.State != "open" || w.file("acme/payments", ourBranch, ".goldenpath.yaml") != noneFollowed.Files[".goldenpath.yaml"] {
			w.Errorf("the pull request is %s", now.State)
		}
		if now := w.pull("acme/payments", ourBranch); now.Title != "Stop following svc" || now.Draft != w.rest || w.checkOf(now.HeadID).Conclusion != "success" {
			w.Errorf("the pull request says %q, draft %v, check %+v", now.Title, now.Draft, w.checkOf(now.HeadID))
		}
		if open := w.issues("acme/payments", "open"); len(open) > 0 {
			w.Errorf("an issue is open: %s\n%s", open[0].Title, open[0].Body)
		}
		if w.rest { // without GraphQL a person has to press the button
			w.must(w.alice.MarkReady("acme/payments", pr.Number))
		}
		w.must(w.alice.MergePull("acme/payments", pr.Number, "merge"))
		w.settle()
		w.left()
	})
}
