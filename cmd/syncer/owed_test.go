package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
)

// TestACheckThatGitHubRefuses answers 422 to the check of a conflict. What may be
// otherwise the next time is tried again; what is wrong for good is owed, told once in
// the log, and paid by the first sweep that can.
func TestACheckThatGitHubRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		final   bool
	}{
		"without a reason":            {},
		"the commit is not there yet": {message: "No commit found for SHA: 0123456789012345678901234567890123456789"},
		"it is wrong":                 {message: "Invalid request.\n\nFor 'properties/name', nil is not a string.", final: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, variant{attempts: 200})
			w.patience = time.Minute
			lie := func(r localhub.Request) localhub.Fault {
				if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/check-runs") && strings.Contains(r.Path, "/payments/") {
					return localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusUnprocessableEntity, Message: c.message}
				}
				return localhub.Fault{}
			}
			w.fault.Store(&lie)
			w.push("main", map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)})
			w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2})
			if c.final {
				w.until("the pull request is remembered", func() bool { return w.records()["payments"].Member.PullRequest == 1 })
				w.settle()
				w.sweepNow() // it is refused still
			} else {
				w.until("the work is tried again", func() bool { return w.waits(`'member'`) })
			}
			if check := w.checkOf(w.pull(payments, ourHead).HeadID); check.ID != 0 {
				t.Fatalf("there is a check: %+v", check)
			}
			w.fault.Store(nil)
			if c.final {
				w.must(jobs.EnqueueNow(t.Context(), w.service.work, "", sweep{}))
			} else {
				w.hurry()
			}
			w.until("the check is paid", func() bool { return w.checkOf(w.pull(payments, ourHead).HeadID).Conclusion == "failure" })
			w.settle()
			if got := w.events("the check about open conflicts is missing"); got != map[bool]int{true: 1}[c.final] {
				t.Errorf("it is noted %d times that the check is missing", got)
			}
			if !w.is(payments, store.Conflict) || len(w.pulls(payments)) != 1 || !w.pull(payments, ourHead).Draft {
				t.Errorf("members %+v, pull requests %+v", w.records(), w.pulls(payments))
			}
			// It is paid, so that nothing is owed any more.
			w.hub.ForgetRequests()
			w.sweepNow()
			for _, r := range w.hub.Requests() {
				if strings.Contains(r.Path, "check-runs") {
					t.Errorf("the check is asked for again: %+v", r)
				}
			}
		})
	}
}

// TestACheckIsPaidWhenItsPermissionIsGranted opens a conflict without the permission for
// checks. Once an owner grants it, the check comes by itself; and where the conflict is
// decided before that, so does the check that succeeds.
func TestACheckIsPaidWhenItsPermissionIsGranted(t *testing.T) {
	for name, c := range map[string]struct {
		decided    bool
		conclusion string
	}{"open": {false, "failure"}, "decided": {true, "success"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, variant{without: "checks"})
			w.patience = time.Minute
			pr := w.conflicting()
			if c.decided {
				w.says(w.order("/syncer take theirs lines.txt"), "Took theirs")
				pr = w.pull(payments, ourBranch)
			}
			if check := w.checkOf(pr.HeadID); check.ID != 0 || pr.Draft == c.decided {
				t.Fatalf("the check is %+v, the pull request %+v", check, pr)
			}
			w.sweepNow() // which is no use yet
			w.app.RequestPermissions(map[string]string{
				"contents": "write", "metadata": "read", "pull_requests": "write", "issues": "write", "checks": "write",
				"workflows": "write", "administration": "write", "actions": "write", "actions_variables": "write", "environments": "write",
			})
			w.alice.Accept(w.install)
			w.until("the check is paid", func() bool { return w.checkOf(pr.HeadID).Conclusion == c.conclusion })
			w.settle()
			if got := w.events("the check about open conflicts is missing"); got != map[bool]int{false: 1, true: 2}[c.decided] {
				t.Errorf("it is noted %d times that a check is missing, want once for each", got)
			}
		})
	}
}
