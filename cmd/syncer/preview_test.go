package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store"
)

// check returns the newest check run of a name on a commit, or none.
func (w *world) check(repo, name, head string) (found localhub.Check) {
	w.Helper()
	checks, err := w.hub.Checks(repo)
	w.must(err)
	for _, c := range checks {
		if c.Name == name && c.Head == head && c.ID > found.ID {
			found = c
		}
	}
	return found
}

// previewed waits for the preview of a commit.
func (w *world) previewed(head string) (found localhub.Check) {
	w.Helper()
	w.until("the change is previewed", func() bool {
		found = w.check("acme/platform", "golden paths", head)
		return found.Status == "completed"
	})
	return found
}

// TestPreviewOfAFork: the head is in a repository that the App is not installed on.
func TestPreviewOfAFork(t *testing.T) {
	for name, v := range map[string]variant{"graphql": {}, "rest": {rest: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, v)
			bob := w.hub.Person("bob")
			w.must(bob.Fork("acme/platform", "bob/platform"))
			head, err := bob.Push("bob/platform", "better", "a better ci", localhub.Edit{Files: map[string]string{ciFile: "ci: 2\n"}})
			w.must(err)
			number, err := bob.OpenPullFrom("bob/platform", "better", "acme/platform", "main", "A better CI", "")
			w.must(err)
			if got := w.previewed(head); got.Conclusion != "success" || got.Title != "1 clean, 0 with conflicts, 0 untouched" || !strings.Contains(got.Summary, payments) {
				t.Errorf("the preview is %+v", got)
			}
			head, err = bob.Push("bob/platform", "better", "a mistake", localhub.Edit{Files: map[string]string{manifest: manifestV1 + "files: [\n"}})
			w.must(err)
			got := w.previewed(head)
			if got.Conclusion != "failure" || got.Annotations == 0 {
				t.Errorf("the preview of a mistake is %+v", got)
			}
			// GitHub does not say of a fork's check which pull request it is of.
			head, err = bob.Push("bob/platform", "better", "repaired", localhub.Edit{Files: map[string]string{manifest: manifestV1}})
			w.must(err)
			first := w.previewed(head)
			w.settle()
			w.hub.ForgetRequests()
			w.must(w.alice.RerequestCheck("acme/platform", first.ID))
			w.settle()
			writes := 0
			for _, r := range w.hub.Requests() {
				if strings.Contains(r.Path, "/check-runs") && r.Method != "GET" {
					writes++
				}
			}
			if writes == 0 {
				t.Error("the button that runs the check again did nothing")
			}
			w.must(w.alice.MergePull("acme/platform", number, "merge"))
			w.until("what was previewed arrives", w.offered(payments, 2))
		})
	}
}

// TestPreviewEndsWithThePullRequest: a process that dies leaves a check in progress,
// which the closing ends; one that is done says what it said.
func TestPreviewEndsWithThePullRequest(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	open := func(branch string) (head string, number int) {
		head, err := w.alice.Push("acme/platform", branch, branch, localhub.Edit{Files: map[string]string{ciFile: "ci: " + branch + "\n"}})
		w.must(err)
		number, err = w.alice.OpenPull("acme/platform", branch, "main", branch, "")
		w.must(err)
		return head, number
	}
	done, n := open("done")
	w.previewed(done)
	w.settle()
	w.must(w.alice.Close("acme/platform", n))
	w.settle()
	if got := w.check("acme/platform", "golden paths", done); got.Conclusion != "success" {
		t.Errorf("after the closing the check that was done is %+v", got)
	}
	w.app.SetWebhook("", worldSecret)
	head, n := open("dead")
	w.must(w.service.Hub.Client(w.service.Platform, map[string]string{"checks": "write", "metadata": "read"}, true).EnsureCheck(t.Context(),
		walks.Check{Commit: head, Name: "golden paths", Key: fmt.Sprint(walks.PreviewKey, n), Status: "in_progress", Title: "Looking"}))
	w.app.SetWebhook(w.webhook, worldSecret)
	w.must(w.alice.Close("acme/platform", n))
	if got := w.previewed(head); got.Conclusion != "cancelled" {
		t.Errorf("after the closing the check that was in progress is %+v", got)
	}
}

// TestPreviewOfManyMembers reads them together: a fleet of a thousand is not a thousand
// requests for each push.
func TestPreviewOfManyMembers(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	names := []string{payments, "acme/a", "acme/b", "acme/c", "acme/d"}
	for _, name := range names[1:] {
		w.useTemplate(name, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	}
	for _, name := range names {
		w.until(name+" is current", func() bool { return w.is(strings.TrimPrefix(name, "acme/"), store.Current) })
	}
	w.settle()
	// One is gone, and one has another name than the service knows, when they are read.
	w.app.SetWebhook("", worldSecret)
	w.must(w.alice.Rename("acme/c", "renamed"))
	w.must(w.alice.Delete("acme/d"))
	w.app.SetWebhook(w.webhook, worldSecret)
	preview := func(branch, title string) (queries int) {
		head, err := w.alice.Push("acme/platform", branch, branch, localhub.Edit{Files: map[string]string{ciFile: "ci: " + branch + "\n"}})
		w.must(err)
		w.hub.ForgetRequests()
		_, err = w.alice.OpenPull("acme/platform", branch, "main", branch, "")
		w.must(err)
		if got := w.previewed(head); got.Conclusion != "success" || got.Title != title {
			t.Errorf("the preview is %+v, want %q", got, title)
		}
		for _, r := range w.hub.Requests() {
			if strings.HasSuffix(r.Path, "/graphql") {
				queries++
			}
		}
		return queries
	}
	preview("odd", "4 clean, 0 with conflicts, 0 untouched")
	w.sweepNow()
	w.settle()
	if n := preview("even", "4 clean, 0 with conflicts, 0 untouched"); n > 3 {
		t.Errorf("4 members took %d queries", n)
	}
}

// TestPreviewOfHostileTemplates: what takes too much ends the process that renders it,
// and nothing else.
func TestPreviewOfHostileTemplates(t *testing.T) {
	t.Parallel()
	big := "{{ $s := repeat 1000000 \"x\" }}" + strings.Repeat("{{ $s }}", 8)
	memory := map[string]string{}
	for i := range 80 {
		memory[fmt.Sprintf("goldenpaths/svc/template/big%d.txt.tmpl", i)] = big
	}
	busy := map[string]string{"goldenpaths/svc/template/busy.txt.tmpl": "{{ $l := until 670 }}{{ range $l }}{{ range $l }}{{ end }}{{ end }}"}
	for i := range 400 {
		busy[fmt.Sprintf("goldenpaths/svc/tests/t%d.txtar", i)] = strings.Replace(fixtureV1, "name: payments", fmt.Sprintf("name: p%d", i), 1)
	}
	for name, c := range map[string]struct {
		files  map[string]string
		limits settings.Config
		want   string
	}{
		"memory": {memory, settings.Config{PreviewMemory: 256, PreviewTimeout: time.Minute}, "256 MiB of memory"},
		// Where the collector cannot keep up on a busy machine, memory must not end it first.
		"time": {busy, settings.Config{PreviewMemory: 4096, PreviewTimeout: 4 * time.Second}, "longer than 4s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, variant{settings: c.limits})
			head, err := w.alice.Push("acme/platform", name, name, localhub.Edit{Files: c.files})
			w.must(err)
			_, err = w.alice.OpenPull("acme/platform", name, "main", name, "")
			w.must(err)
			if got := w.previewed(head); got.Conclusion != "failure" || !strings.Contains(got.Summary, c.want) {
				t.Errorf("the preview is %+v", got)
			}
			w.settle()
			letters, _, err := w.service.work.DeadLetters(t.Context(), "", 20)
			w.must(err)
			if len(letters) > 0 {
				t.Errorf("dead letters: %+v", letters)
			}
			// The service lives, and previews what is ordinary.
			head, err = w.alice.Push("acme/platform", "fine", "fine", localhub.Edit{Files: map[string]string{ciFile: "ci: 2\n"}})
			w.must(err)
			_, err = w.alice.OpenPull("acme/platform", "fine", "main", "fine", "")
			w.must(err)
			if got := w.previewed(head); got.Conclusion != "success" {
				t.Errorf("an ordinary change is %+v", got)
			}
		})
	}
}

// TestManagedFilesAreChecked under each policy.
func TestManagedFilesAreChecked(t *testing.T) {
	for policy, want := range map[string]string{"": "neutral", walks.ManagedNeutral: "neutral", walks.ManagedFails: "failure", walks.ManagedOff: ""} {
		t.Run("policy "+policy, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, variant{settings: settings.Config{ManagedCheck: policy}})
			head, err := w.alice.Push(payments, "edit", "edit", localhub.Edit{Files: map[string]string{"ci.yaml": "ci: mine\n", "lines.txt": "mine\n"}})
			w.must(err)
			_, err = w.alice.OpenPull(payments, "edit", "main", "edit", "")
			w.must(err)
			w.settle()
			got := w.check(payments, "golden path files", head)
			if got.Conclusion != want {
				t.Fatalf("the check is %+v, want %q", got, want)
			}
			for _, part := range []string{"`ci.yaml`", "the golden path svc", "template/ci.yaml", "goldenpaths/svc", "/acme/platform"} {
				if want != "" && !strings.Contains(got.Summary, part) {
					t.Errorf("the check does not say %q:\n%s", part, got.Summary)
				}
			}
			if strings.Contains(got.Summary, "lines.txt") {
				t.Errorf("a file that is merged counts as managed:\n%s", got.Summary)
			}
			free, err := w.alice.Push(payments, "free", "free", localhub.Edit{Files: map[string]string{"own.txt": "mine\n"}})
			w.must(err)
			_, err = w.alice.OpenPull(payments, "free", "main", "free", "")
			w.must(err)
			w.settle()
			if got := w.check(payments, "golden path files", free); want != "" && got.Conclusion != "success" {
				t.Errorf("the check of a free file is %+v", got)
			}
		})
	}
}

// managedCheck waits for the check of managed files on a commit.
func (w *world) managedCheck(head string) (found localhub.Check) {
	w.Helper()
	w.until("there is a check of managed files on "+head, func() bool {
		found = w.check(payments, "golden path files", head)
		return found.Status == "completed"
	})
	return found
}

// TestManagedFilesCanBeRequired: where the check fails, people let the default branch
// require it. Then syncer's own pull requests must have it too, and one that repairs what
// syncer cannot read; and nobody gets past it by a branch's name or on syncer's branch.
func TestManagedFilesCanBeRequired(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{settings: settings.Config{ManagedCheck: walks.ManagedFails}})
	w.must(w.alice.Protect(payments, "main", &localhub.Protection{Checks: []string{"golden path files"}}))
	w.version(2, nil)
	w.until("version 2 is offered", w.offered(payments, 2))
	ours := w.pull(payments, ourHead)
	if got := w.managedCheck(ours.HeadID); got.Conclusion != "success" {
		t.Errorf("the check of syncer's own pull request is %+v", got)
	}
	w.settle()
	edited, err := w.alice.Push(payments, ourHead, "edit", localhub.Edit{Files: map[string]string{"ci.yaml": "ci: mine\n"}})
	w.must(err)
	if got := w.managedCheck(edited); got.Conclusion != "failure" || !strings.Contains(got.Summary, "`ci.yaml`") {
		t.Errorf("somebody edited a managed file on syncer's branch, and the check is %+v", got)
	}
	w.settle()
	back, err := w.alice.Push(payments, ourHead, "take it back", localhub.Edit{Files: map[string]string{"ci.yaml": "ci: 2\n"}})
	w.must(err)
	if got := w.managedCheck(back); got.Conclusion != "success" {
		t.Errorf("the edit is taken back, and the check is %+v", got)
	}
	w.settle()
	w.must(w.alice.MergePull(payments, ours.Number, "merge"))
	w.until("the member is current", func() bool { return w.is(payments, store.Current) })

	named, err := w.alice.Push(payments, "goldenpath/mine", "edit", localhub.Edit{Files: map[string]string{"ci.yaml": "ci: mine\n"}})
	w.must(err)
	_, err = w.alice.OpenPull(payments, "goldenpath/mine", "main", "edit", "")
	w.must(err)
	if got := w.managedCheck(named); got.Conclusion != "failure" {
		t.Errorf("a branch that is called as syncer's are: the check is %+v", got)
	}
	w.settle()

	kept, err := w.alice.Push(payments, "keep", "edit, and say why", localhub.Edit{Files: map[string]string{
		"ci.yaml": "ci: mine\n", ".goldenpath.yaml": w.file(payments, "main", ".goldenpath.yaml") + "keep:\n  - {path: ci.yaml, reason: ours}\n",
	}})
	w.must(err)
	_, err = w.alice.OpenPull(payments, "keep", "main", "keep", "")
	w.must(err)
	if got := w.managedCheck(kept); got.Conclusion != "success" {
		t.Errorf("the file is listed under keep, as the check advises, and it is %+v", got)
	}
	w.settle()

	whole := w.file(payments, "main", ".goldenpath.lock")
	_, err = w.alice.Push(payments, "main", "damage", localhub.Edit{Files: map[string]string{".goldenpath.lock": "{]"}})
	w.must(err)
	w.until("the member is told", func() bool {
		return slices.ContainsFunc(w.issues(payments, "open"), func(i localhub.Issue) bool { return strings.Contains(i.Title, "cannot be brought up to date") })
	})
	repair, err := w.alice.Push(payments, "repair", "repair", localhub.Edit{Files: map[string]string{".goldenpath.lock": whole}})
	w.must(err)
	number, err := w.alice.OpenPull(payments, "repair", "main", "repair", "")
	w.must(err)
	if got := w.managedCheck(repair); got.Conclusion != "neutral" || !strings.Contains(got.Summary, ".goldenpath.lock") {
		t.Errorf("the check of a repair is %+v", got)
	}
	w.settle()
	w.must(w.alice.MergePull(payments, number, "merge"))
	w.until("the issue is closed", func() bool {
		return !slices.ContainsFunc(w.issues(payments, "open"), func(i localhub.Issue) bool { return strings.Contains(i.Title, "cannot be brought up to date") })
	})
}

// TestPreviewThatTakesTooLong says so, instead of being in progress for ever.
func TestPreviewThatTakesTooLong(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	head, err := w.alice.Push("acme/platform", "slow", "slow", localhub.Edit{Files: map[string]string{ciFile: "ci: 2\n"}})
	w.must(err)
	over, expire := context.WithTimeout(t.Context(), 3*time.Second)
	defer expire()
	slow := func(r localhub.Request) localhub.Fault {
		if r.Path == "/graphql" && w.check("acme/platform", "golden paths", head).ID != 0 {
			<-over.Done()
		}
		return localhub.Fault{}
	}
	w.fault.Store(&slow)
	if err := w.service.Preview(over, walks.Change{Number: 7, Head: head}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the preview ends with %v, want that its time is over", err)
	}
	w.fault.Store(nil)
	if got := w.check("acme/platform", "golden paths", head); got.Conclusion != "neutral" || !strings.Contains(got.Summary, "job-timeout") {
		t.Errorf("the check is %+v, want a neutral one that says why", got)
	}
}

// TestChecksAreRunAgain: the button of each check, and the one of all of them, works.
func TestChecksAreRunAgain(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.push("main", map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)})
	w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2})
	w.until("the conflict has a check", func() bool {
		p := w.pull(payments, ourHead)
		return p != nil && w.checkOf(p.HeadID).Conclusion == "failure"
	})
	w.settle()
	conflict := w.checkOf(w.pull(payments, ourHead).HeadID)
	w.pressed("the conflict's button", func() error { return w.alice.RerequestCheck(payments, conflict.ID) })
	w.pressed("the button of all the member's checks", func() error { return w.alice.RerequestSuite(payments, conflict.Head, w.app) })
	w.release(map[string]string{manifest: manifestV1 + "files: [\n"})
	var broken localhub.Check
	w.until("the platform team is told", func() bool {
		checks, err := w.hub.Checks("acme/platform")
		w.must(err)
		for _, c := range checks {
			if c.Conclusion == "failure" {
				broken = c
			}
		}
		return broken.ID != 0
	})
	w.settle()
	w.pressed("the platform's button", func() error { return w.alice.RerequestCheck("acme/platform", broken.ID) })
	w.pressed("the button of all the platform's checks", func() error { return w.alice.RerequestSuite("acme/platform", broken.Head, w.app) })
}

// TestManagedFilesOfAForkAreCheckedAgain: GitHub does not tell which pull request a check
// of a fork's commit belongs to, and each button works all the same; so it does for a
// group in the merge queue.
func TestManagedFilesOfAForkAreCheckedAgain(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	bob := w.hub.Person("bob")
	w.must(bob.Fork(payments, "bob/payments"))
	head, err := bob.Push("bob/payments", "edit", "edit", localhub.Edit{Files: map[string]string{"ci.yaml": "ci: bob\n"}})
	w.must(err)
	_, err = bob.OpenPullFrom("bob/payments", "edit", payments, "main", "edit", "")
	w.must(err)
	w.settle()
	first := w.check(payments, "golden path files", head)
	if first.Conclusion != "neutral" {
		t.Fatalf("the check is %+v, want a neutral one", first)
	}
	w.pressed("the button of a fork's check", func() error { return w.alice.RerequestCheck(payments, first.ID) })
	w.pressed("the button of all of a fork's checks", func() error { return w.alice.RerequestSuite(payments, head, w.app) })
	if again := w.check(payments, "golden path files", head); again.Conclusion != "neutral" || !strings.Contains(again.Summary, "`ci.yaml`") {
		t.Errorf("made again, the check is %+v", again)
	}
	// As does that of a group in the merge queue, which is no pull request.
	w.must(w.service.CheckManaged(t.Context(), w.placeOf(payments), 0, head))
	group := w.check(payments, "golden path files", head)
	if group.Conclusion != "success" {
		t.Fatalf("the check of a group is %+v", group)
	}
	w.pressed("the button of a group's check", func() error { return w.alice.RerequestCheck(payments, group.ID) })
}

// pressed presses a button that makes a check again, and looks whether one was made.
func (w *world) pressed(what string, press func() error) {
	w.Helper()
	w.hub.ForgetRequests()
	w.must(press())
	w.settle()
	for _, r := range w.hub.Requests() {
		if strings.Contains(r.Path, "/check-runs") && r.Method != "GET" {
			return
		}
	}
	w.Errorf("%s did nothing", what)
}
