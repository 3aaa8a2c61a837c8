package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

const ourBranch = "goldenpath/svc"

// payments is a member that has what the golden path renders.
func (w *world) payments() {
	w.Helper()
	w.publish()
	w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.until("the golden path is rendered", func() bool { return w.file("acme/payments", "main", "lines.txt") == lines })
	w.settle()
}

// conflicting makes the member and the golden path change the same line, and returns
// the pull request about it.
func (w *world) conflicting() *localhub.Pull {
	w.Helper()
	w.push("main", map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)})
	w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2, "goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
	w.until("a pull request asks", func() bool { return w.pull("acme/payments", ourBranch) != nil })
	w.settle()
	return w.pull("acme/payments", ourBranch)
}

// push commits files to a branch of the member.
func (w *world) push(branch string, files map[string]string) {
	w.Helper()
	_, err := w.alice.Push("acme/payments", branch, "our own", localhub.Edit{Files: files})
	w.must(err)
}

// checkOf returns our check of a commit, the zero value where there is none.
func (w *world) checkOf(commit string) localhub.Check {
	w.Helper()
	checks, err := w.hub.Checks("acme/payments")
	w.must(err)
	i := slices.IndexFunc(checks, func(c localhub.Check) bool { return c.Head == commit && c.Name == "syncer / svc" })
	if i < 0 {
		return localhub.Check{}
	}
	return checks[i]
}

func TestWalkOpenConflictIsADraftWithAFailingCheck(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		pr := w.conflicting()
		if !pr.Draft {
			w.Error("the pull request is no draft")
		}
		check := w.checkOf(pr.HeadID)
		if check.Conclusion != "failure" || !strings.Contains(check.Summary, "lines.txt") || !strings.Contains(check.Summary, "SEVEN") || !strings.Contains(check.Summary, "mine") {
			w.Errorf("the check is %+v", check)
		}
		if err := w.alice.MergePull("acme/payments", pr.Number, "merge"); err == nil {
			w.Fatal("a draft was merged")
		}
		w.must(w.alice.Edit("acme/payments", pr.Number, pr.Title, strings.Replace(pr.Body, "- [ ] take", "- [x] take", 1)))
		w.until("the box is obeyed", func() bool { return strings.Contains(w.file("acme/payments", ourBranch, "lines.txt"), "SEVEN") })
		w.settle()
		w.decided()
	})
}

// decided checks that the pull request says that nothing is left to decide.
func (w *world) decided() {
	w.Helper()
	pr := w.pull("acme/payments", ourBranch)
	if c := w.checkOf(pr.HeadID); c.Conclusion != "success" {
		w.Errorf("the check of the decided head is %+v", c)
	}
	if strings.Contains(pr.Body, "To decide") {
		w.Errorf("the description still asks:\n%s", pr.Body)
	}
	told := slices.ContainsFunc(pr.Comments, func(c localhub.Comment) bool { return strings.Contains(c.Body, "Ready for review") })
	if pr.Draft != w.rest || told != w.rest { // without GraphQL a person has to press the button
		w.Errorf("draft: %v; told to press the button: %v", pr.Draft, told)
	}
}

func TestWalkConflictIsDecidedByHand(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		pr := w.conflicting()
		w.push(ourBranch, map[string]string{"lines.txt": strings.Replace(lines, "seven", "MINE AND SEVEN", 1)})
		w.until("the check of the new head succeeds", func() bool { return w.checkOf(w.pull("acme/payments", ourBranch).HeadID).Conclusion == "success" })
		w.settle()
		w.decided()
		if got := w.file("acme/payments", ourBranch, "lines.txt"); !strings.Contains(got, "MINE AND SEVEN") {
			w.Errorf("the person's line is gone:\n%s", got)
		}
		// The decision is remembered: the next version does not ask again.
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 3\n"})
		w.until("the next version is on the branch", func() bool { return w.file("acme/payments", ourBranch, "ci.yaml") == "ci: 3\n" })
		w.settle()
		w.noConflict()
		if again := w.pull("acme/payments", ourBranch); again.Number != pr.Number {
			w.Errorf("there is another pull request, #%d", again.Number)
		}
	})
}

func (w *world) noConflict() {
	w.Helper()
	if pr := w.pull("acme/payments", ourBranch); strings.Contains(pr.Body, "To decide") {
		w.Errorf("it asks again:\n%s", pr.Body)
	}
}

// A pull request that was clean becomes a draft when the next version conflicts; and
// where the plan has no drafts, the check alone tells.
func TestWalkConflictAppearsLater(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.push("main", map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)})
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		if pr := w.pull("acme/payments", ourBranch); pr.Draft || w.checkOf(pr.HeadID).ID != 0 {
			w.Errorf("a clean pull request is a draft, or has a check: %+v", pr)
		}
		w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2})
		w.until("the check fails", func() bool { return w.checkOf(w.pull("acme/payments", ourBranch).HeadID).Conclusion == "failure" })
		w.settle()
		if pr := w.pull("acme/payments", ourBranch); pr.Draft == w.rest {
			w.Errorf("draft: %v", pr.Draft)
		}
	})
}

func TestWalkConflictWhereThereAreNoDrafts(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.must(w.alice.SetTraits("acme/payments", localhub.Traits{NoDrafts: true}))
		pr := w.conflicting()
		if pr.Draft {
			w.Error("a draft, where there are none")
		}
		if c := w.checkOf(pr.HeadID); c.Conclusion != "failure" {
			w.Errorf("the check is %+v", c)
		}
		members, _, err := w.db.Members(w.Context(), store.Filter{Contains: "payments"}, "", 0)
		w.must(err)
		if len(members) != 1 || members[0].Member.State != store.Conflict || members[0].Member.Error != "" {
			w.Errorf("the member is %+v", members)
		}
	})
}
