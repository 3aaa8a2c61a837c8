package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

const (
	payments = "acme/payments"
	ourHead  = "goldenpath/svc"
	ciFile   = "goldenpaths/svc/template/ci.yaml"
	manifest = "goldenpaths/svc/goldenpath.yaml"
)

// hostile is a world with one member, acme/payments.
func hostile(t *testing.T, v variant) *world {
	t.Helper()
	w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), v)
	w.publish()
	w.useTemplate(payments, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.until("the member is current", func() bool { return w.is(payments, store.Current) })
	w.begun()
	return w
}

// begun waits for the work that every start begins with, which has requests of its own.
func (w *world) begun() {
	w.Helper()
	w.until("the periodic work has begun", func() bool {
		waiting, err := w.service.work.Waiting(w.Context())
		w.must(err)
		return waiting["housekeeping"]["completed"] > 0 && waiting["sweep"]["completed"] > 0
	})
	w.settle()
}

func (w *world) is(name string, state store.State) bool {
	members, _, err := w.db.Members(w.Context(), store.Filter{Contains: strings.ToLower(name), WithArchived: true}, "", 0)
	w.must(err)
	return len(members) > 0 && !slices.ContainsFunc(members, func(l store.Listed) bool { return l.Member.State != state })
}

// version releases version n of ci.yaml, with other changes.
func (w *world) version(n int, more map[string]string) {
	w.Helper()
	change := map[string]string{ciFile: fmt.Sprintf("ci: %d\n", n)}
	maps.Copy(change, more)
	w.release(change)
}

func (w *world) offered(name string, n int) func() bool {
	return func() bool {
		p := w.pull(name, ourHead)
		return p != nil && p.State == "open" && w.file(name, ourHead, "ci.yaml") == fmt.Sprintf("ci: %d\n", n)
	}
}

func (w *world) pulls(name string) []localhub.Pull {
	w.Helper()
	pulls, err := w.hub.Pulls(name)
	w.must(err)
	return pulls
}

func (w *world) issues(name, state string) []localhub.Issue {
	w.Helper()
	issues, err := w.hub.Issues(name)
	w.must(err)
	return slices.DeleteFunc(issues, func(i localhub.Issue) bool { return i.State != state })
}

func TestAGoldenPathThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.release(map[string]string{manifest: manifestV1 + "files: [\n"})
	failures := func() []localhub.Check {
		checks, err := w.hub.Checks("acme/platform")
		w.must(err)
		return slices.DeleteFunc(checks, func(c localhub.Check) bool { return c.Conclusion != "failure" })
	}
	w.until("the platform team is told on the commit", func() bool { return len(failures()) == 1 })
	// Neither a sweep nor a member's own push tells it again, or tells the member.
	w.sweepNow()
	_, err := w.alice.Push(payments, "main", "our own", localhub.Edit{Files: map[string]string{".goldenpath.yaml": w.file(payments, "main", ".goldenpath.yaml") + "# ours\n"}})
	w.must(err)
	w.settle()
	if got := failures(); len(got) != 1 || !strings.Contains(got[0].Summary, "goldenpath.yaml") || got[0].Annotations == 0 {
		t.Errorf("the platform team is told %+v, want once, with the place", got)
	}
	if !w.is(payments, store.Current) || len(w.issues(payments, "open")) > 0 || len(w.pulls(payments)) > 0 {
		t.Errorf("the member did not keep its state: %+v %+v", w.issues(payments, "open"), w.pulls(payments))
	}
	w.version(2, map[string]string{manifest: manifestV1})
	w.until("the repaired golden path arrives", w.offered(payments, 2))
}

func (w *world) sweepNow() {
	w.Helper()
	w.must(w.service.Sweep(w.Context()))
	w.settle()
}

func TestThePlatformIsForcePushed(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	_, err := w.alice.Push(payments, "main", "our own", localhub.Edit{Files: map[string]string{"lines.txt": "ONE" + lines[3:]}})
	w.must(err)
	files := platformFiles()
	files[ciFile], files["goldenpaths/svc/template/lines.txt"] = "ci: 2\n", linesV2
	delete(files, "goldenpaths/svc/tests/one.txtar")
	_, err = w.alice.ForcePush("acme/platform", "main", "history is gone", files)
	w.must(err)
	w.until("the new history arrives", w.offered(payments, 2))
	w.settle()
	if got, want := w.file(payments, ourHead, "lines.txt"), "ONE"+linesV2[3:]; got != want {
		t.Errorf("lines.txt is %q, want %q: the base is in the member's own history", got, want)
	}
	if n := len(w.pulls(payments)); n != 1 {
		t.Errorf("%d pull requests, want 1", n)
	}
}

func TestALockIsLostOrNonsense(t *testing.T) {
	for name, damage := range map[string]localhub.Edit{
		"deleted":  {Delete: []string{".goldenpath.lock"}},
		"nonsense": {Files: map[string]string{".goldenpath.lock": "{]"}},
		"member":   {Files: map[string]string{".goldenpath.yaml": "goldenPaths: 7\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, variant{})
			whole, err := w.hub.Files(payments, "main")
			w.must(err)
			_, err = w.alice.Push(payments, "main", "damage", damage)
			w.must(err)
			w.until("the member is told", func() bool { return len(w.issues(payments, "open")) == 1 })
			w.version(2, nil)
			w.sweepNow()
			if got := w.issues(payments, "open"); len(got) != 1 || len(w.pulls(payments)) > 0 || w.file(payments, "main", "ci.yaml") != "ci: 1\n" {
				t.Errorf("issues %+v, pull requests %+v, want one issue and nothing changed", got, w.pulls(payments))
			}
			_, err = w.alice.Push(payments, "main", "repair", localhub.Edit{Files: map[string]string{
				".goldenpath.lock": whole[".goldenpath.lock"], ".goldenpath.yaml": whole[".goldenpath.yaml"],
			}})
			w.must(err)
			w.until("it goes on", w.offered(payments, 2))
			w.until("the issue is closed", func() bool { return len(w.issues(payments, "open")) == 0 })
			w.settle()
			w.sweepNow()
			if n := len(w.issues(payments, "closed")); n != 1 {
				t.Errorf("%d issues, want 1", n)
			}
		})
	}
}

func TestAProtectedDefaultBranchAtScaffold(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.hub.HoldDeliveries()
	w.useTemplate("acme/guarded", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.must(w.hub.FinishContent("acme/guarded"))
	w.must(w.alice.Protect("acme/guarded", "main", &localhub.Protection{Pull: true, Admins: true}))
	w.hub.ReleaseDeliveries()
	w.until("a pull request begins it", func() bool { return w.pull("acme/guarded", ourHead) != nil })
	w.settle()
	head, number := w.pull("acme/guarded", ourHead).HeadID, w.pull("acme/guarded", ourHead).Number
	w.sweepNow()
	w.sweepNow()
	if p := w.pulls("acme/guarded"); len(p) != 1 || p[0].HeadID != head {
		t.Errorf("looking again changed something: %+v, was at %s", p, head)
	}
	if wrong := slices.DeleteFunc(w.issues("acme/guarded", "open"), func(i localhub.Issue) bool { return i.Number == number }); len(wrong) > 0 {
		t.Errorf("somebody is told to repair something: %+v", wrong)
	}
	w.must(w.alice.MergePull("acme/guarded", w.pull("acme/guarded", ourHead).Number, "merge"))
	w.until("the member is current", func() bool { return w.is("acme/guarded", store.Current) })
	if got := w.file("acme/guarded", "main", "README.md"); got != "# guarded\n\nOwned by core.\n" {
		t.Errorf("README.md is %q", got)
	}
}

func TestAPersonClosesThePullRequest(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.version(2, nil)
	w.until("version 2 is offered", w.offered(payments, 2))
	w.settle()
	w.must(w.alice.Close(payments, 1))
	w.settle()
	w.must(w.alice.Reopen(payments, 1))
	w.settle()
	w.must(w.alice.Close(payments, 1))
	w.settle()
	// What changes nothing of the golden path is no next version.
	w.release(map[string]string{"README.md": "# Platform\n"})
	w.settle()
	w.sweepNow()
	if p := w.pulls(payments); len(p) != 1 || p[0].State != "closed" {
		t.Errorf("a refused version came again: %+v", p)
	}
	w.version(3, nil)
	w.until("version 3 is offered", w.offered(payments, 3))
	w.settle()
	if p := w.pulls(payments); len(p) != 2 {
		t.Errorf("%d pull requests, want 2", len(p))
	}
}

// TestAClosedPullRequestThatNobodyTold loses the delivery that tells of the closing.
func TestAClosedPullRequestThatNobodyTold(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.version(2, nil)
	w.until("version 2 is offered", w.offered(payments, 2))
	w.settle()
	w.app.SetWebhook("", worldSecret)
	w.must(w.alice.Close(payments, 1))
	w.must(w.service.Queue.Sync(t.Context(), "a test", w.placeOf(payments)))
	w.settle()
	if p := w.pulls(payments); len(p) != 1 || p[0].State != "closed" {
		t.Errorf("a refused version came again: %+v", p)
	}
}

func TestARenamedAndATransferredMember(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.must(w.alice.Rename(payments, "billing"))
	w.settle()
	w.version(2, nil)
	w.until("the renamed member is offered version 2", w.offered("acme/billing", 2))
	w.settle()
	// Nobody tells of this one, and its name is taken by another repository.
	w.app.SetWebhook("", worldSecret)
	w.must(w.alice.Rename("acme/billing", "invoices"))
	w.must(w.alice.CreateRepository("acme/billing", localhub.NewRepository{Files: map[string]string{"a": "a\n"}}))
	w.must(w.service.Queue.Sync(t.Context(), "a test", w.placeOf("acme/invoices")))
	w.settle()
	if !w.is("acme/invoices", store.Behind) {
		t.Error("the member is not followed by its number")
	}
	if p := w.pulls("acme/billing"); len(p) > 0 {
		t.Errorf("the wrong repository has a pull request: %+v", p)
	}
	// To an organisation that has the App too, under another installation.
	w.hub.Organization("umbrella").Add("admin", "alice")
	_, err := w.alice.Install(w.app, "umbrella")
	w.must(err)
	w.must(w.alice.Transfer("acme/invoices", "umbrella"))
	w.sweepNow()
	w.version(3, nil)
	w.sweepNow()
	w.until("the transferred member is offered version 3", w.offered("umbrella/invoices", 3))
	w.settle()
	if p := w.pulls("umbrella/invoices"); len(p) != 1 {
		t.Errorf("%d pull requests, want 1", len(p))
	}
	// One that is gone is forgotten by the sweep.
	w.must(w.alice.Delete("umbrella/invoices"))
	w.sweepNow()
	if n := w.standing(""); n != 0 {
		t.Errorf("%d members are remembered, want none", n)
	}
}

func (w *world) placeOf(name string) (at walks.Place) {
	w.Helper()
	members, _, err := w.db.Members(w.Context(), store.Filter{}, "", 0)
	w.must(err)
	if len(members) != 1 {
		w.Fatalf("%d members, looking for %s", len(members), name)
	}
	return walks.Place{Installation: members[0].Repository.Installation, Repository: members[0].Repository.ID}
}

func TestAnArchivedMember(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.must(w.alice.Archive(payments, true))
	w.settle()
	w.version(2, nil)
	w.settle()
	w.sweepNow()
	if len(w.pulls(payments)) > 0 {
		t.Error("an archived repository has a pull request")
	}
	letters, _, err := w.service.work.DeadLetters(t.Context(), "", 20)
	w.must(err)
	if len(letters) > 0 {
		t.Errorf("dead letters: %+v", letters)
	}
	w.must(w.alice.Archive(payments, false))
	w.until("it is offered version 2", w.offered(payments, 2))
}

func TestASuspendedInstallation(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.alice.Suspend(w.install)
	w.settle()
	w.version(2, nil)
	w.settle()
	if err := w.service.Sweep(t.Context()); err == nil {
		t.Error("the sweep does not say that it could not read the platform")
	}
	if n := w.standing(""); n != 1 {
		t.Fatalf("%d members are remembered, want 1", n)
	}
	w.alice.Unsuspend(w.install)
	w.until("it is offered version 2", w.offered(payments, 2))
}

func TestAMissingPermission(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{without: "workflows"})
	w.version(2, map[string]string{"goldenpaths/svc/template/.github/workflows/ci.yaml": "on: push\n"})
	w.until("the member is told", func() bool {
		issues := w.issues(payments, "open")
		return len(issues) == 1 && strings.Contains(issues[0].Body, "workflows")
	})
	members, _, err := w.db.Members(t.Context(), store.Filter{Failing: true}, "", 0)
	w.must(err)
	if len(members) != 1 || members[0].Member.ErrorKind != store.PersonMustAct || !strings.Contains(members[0].Member.Error, "workflows") {
		t.Errorf("the portal's data say %+v", members)
	}
	w.settle()
	w.sweepNow()
	if n := len(w.issues(payments, "open")); n != 1 || len(w.pulls(payments)) > 0 {
		t.Errorf("%d issues, want 1", n)
	}
	granted := map[string]string{
		"contents": "write", "metadata": "read", "pull_requests": "write", "issues": "write", "checks": "write", "workflows": "write",
		"administration": "write", "actions": "write", "actions_variables": "write", "environments": "write",
	}
	w.app.RequestPermissions(granted)
	w.alice.Accept(w.install)
	w.until("it goes on", w.offered(payments, 2))
	w.until("the issue is closed", func() bool { return len(w.issues(payments, "open")) == 0 })
}

func TestThousandsOfPushes(t *testing.T) {
	w := hostile(t, variant{})
	w.service.prefix = ""
	w.version(2, nil)
	w.until("version 2 is offered", w.offered(payments, 2))
	w.settle()
	var push *localhub.Delivery
	for _, d := range w.app.Deliveries() {
		if d.Event == "push" && bytes.Contains(d.Payload, []byte(ciFile)) {
			push = &d
		}
	}
	if push == nil {
		t.Fatal("no push of the platform was delivered")
	}
	w.hub.ForgetRequests()
	began := time.Now()
	const all = 3000
	for range all {
		w.post("push", push.Payload)
	}
	took := time.Since(began)
	w.version(3, nil)
	w.until("version 3 is offered", w.offered(payments, 3))
	w.settle()
	waiting, err := w.service.work.Waiting(t.Context())
	w.must(err)
	runs := 0
	for _, n := range waiting["paths-changed"] {
		runs += n
	}
	tally := localhub.Count(w.hub.Requests(), nil)
	t.Logf("%d pushes in %s made %d runs, %d API and %d git requests", all, took.Round(time.Millisecond), runs, tally.API, tally.Git)
	if runs > all/10 {
		t.Errorf("%d pushes made %d runs", all, runs)
	}
	if n := len(w.pulls(payments)); n != 1 {
		t.Errorf("%d pull requests, want 1", n)
	}
}

// post delivers a payload as GitHub does, with a new GUID.
func (w *world) post(event string, payload []byte) {
	w.Helper()
	mac := hmac.New(sha256.New, []byte(worldSecret))
	mac.Write(payload)
	r := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "/webhooks/github", bytes.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", uuid.NewString())
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	answer := httptest.NewRecorder()
	w.deliver.ServeHTTP(answer, r)
	if answer.Code != http.StatusAccepted {
		w.Fatalf("a delivery was answered with %d: %s", answer.Code, answer.Body)
	}
}

func TestTwoGoldenPathsInOneRepository(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.release(map[string]string{
		"goldenpaths/docs/goldenpath.yaml":        "apiVersion: syncer/v1\nkind: GoldenPath\nname: docs\ntitle: Docs\ndescription: Docs\n",
		"goldenpaths/docs/template/docs/index.md": "# 1\n",
	})
	w.settle()
	source := w.hub.URL() + "/acme/platform"
	w.must(w.alice.CreateRepository("acme/both", localhub.NewRepository{Files: map[string]string{
		".goldenpath.yaml": "source: " + source + "\ngoldenPaths:\n  - name: svc\n    inputs:\n      name: both\n      team: core\n  - name: docs\n",
	}}))
	w.until("both are rendered", func() bool {
		return w.file("acme/both", "main", "docs/index.md") == "# 1\n" && w.file("acme/both", "main", "ci.yaml") == "ci: 1\n" && w.is("acme/both", store.Current)
	})
	w.settle()
	w.version(2, map[string]string{"goldenpaths/docs/template/docs/index.md": "# 2\n"})
	w.until("each has its pull request", func() bool {
		return w.file("acme/both", ourHead, "ci.yaml") == "ci: 2\n" && w.file("acme/both", "goldenpath/docs", "docs/index.md") == "# 2\n" && len(w.pulls("acme/both")) == 2
	})
	w.settle()
	w.must(w.alice.MergePull("acme/both", w.pull("acme/both", ourHead).Number, "merge"))
	w.until("the first is current", func() bool {
		members, _, err := w.db.Members(t.Context(), store.Filter{Contains: "both", GoldenPath: "svc"}, "", 0)
		w.must(err)
		return len(members) == 1 && members[0].Member.State == store.Current
	})
	w.settle()
	w.until("the second can be merged", func() bool {
		return w.alice.MergePull("acme/both", w.pull("acme/both", "goldenpath/docs").Number, "merge") == nil
	})
	w.until("both are current", func() bool { return w.is("acme/both", store.Current) })
	if w.file("acme/both", "main", "ci.yaml") != "ci: 2\n" || w.file("acme/both", "main", "docs/index.md") != "# 2\n" {
		t.Error("not both versions arrived")
	}
	if n := len(w.pulls("acme/both")); n != 2 {
		t.Errorf("%d pull requests, want 2", n)
	}
}

// TestAnInstallationThatNobodyToldOf loses every delivery about an installation in
// another organisation: suspended, unsuspended, removed.
func TestAnInstallationThatNobodyToldOf(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.hub.Organization("umbrella").Add("admin", "alice")
	there, err := w.alice.Install(w.app, "umbrella")
	w.must(err)
	w.must(w.alice.Transfer(payments, "umbrella"))
	w.settle()
	w.sweepNow()
	const member = "umbrella/payments"
	if !w.is(member, store.Current) {
		t.Fatal("the member is not followed into the other organisation")
	}
	at := w.placeOf(member)
	quiet := func(what string) {
		t.Helper()
		letters, _, err := w.service.work.DeadLetters(t.Context(), "", 20)
		w.must(err)
		if len(letters) > 0 {
			t.Errorf("%s: dead letters: %+v", what, letters)
		}
	}
	w.app.SetWebhook("", worldSecret)
	w.alice.Suspend(there)
	// A job that runs into it ends, without being tried again.
	w.must(w.service.Queue.Sync(t.Context(), "a test", at))
	w.settle()
	quiet("suspended")
	w.sweepNow()
	known, err := w.db.Installation(t.Context(), there.ID())
	if err != nil || known.Suspended.IsZero() {
		t.Errorf("the sweep has not noticed the suspension: %+v (%v)", known, err)
	}
	w.version(2, nil)
	w.sweepNow()
	quiet("a new version while suspended")
	w.alice.Unsuspend(there)
	w.sweepNow()
	w.until("it is offered version 2", w.offered(member, 2))
	w.settle()
	w.alice.Uninstall(there)
	w.must(w.service.Queue.Sync(t.Context(), "a test", at))
	w.settle()
	quiet("removed")
	w.sweepNow()
	if n := w.standing(""); n != 0 {
		t.Errorf("%d members are remembered, want none", n)
	}
	if _, err := w.db.Installation(t.Context(), there.ID()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the installation is remembered: %v", err)
	}
	if known, err = w.db.Installation(t.Context(), w.install.ID()); err != nil || !known.Suspended.IsZero() {
		t.Errorf("the other installation is %+v (%v)", known, err)
	}
}
