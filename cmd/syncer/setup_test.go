package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
	"github.com/goldenpaths/syncer/webhooks"
)

// TestAPullRequestElsewhereIsOpenedAfterAFailure: the branch is made, and GitHub refuses
// the pull request from it. The next try finds the branch, and must not take it for done.
func TestAPullRequestElsewhereIsOpenedAfterAFailure(t *testing.T) {
	t.Parallel()
	w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{attempts: 200})
	w.publish()
	var refused atomic.Int32
	refuse := func(r localhub.Request) localhub.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/gitops/pulls") && refused.Add(1) <= 3 {
			return localhub.Fault{Kind: localhub.FaultStatus, Status: http.StatusInternalServerError}
		}
		return localhub.Fault{}
	}
	w.fault.Store(&refuse)
	w.useTemplate(payments, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.hurry()
	w.until("the member is current", func() bool { return w.is(payments, store.Current) })
	w.until("the steps are done", func() bool { return w.events("repository set up") > 0 })
	if w.pull("acme/gitops", "goldenpath/svc-payments") == nil || refused.Load() < 2 {
		t.Errorf("after %d refusals there is a branch without a pull request: %+v", refused.Load(), w.pulls("acme/gitops"))
	}
}

// TestAWorkflowIsStartedForEachRepository: of two repositories that are made together
// each starts the workflow, and once, whoever is first.
func TestAWorkflowIsStartedForEachRepository(t *testing.T) {
	t.Parallel()
	w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{})
	w.provisioning()
	names := []string{"one", "three", "two"}
	for _, name := range names {
		w.useTemplate("acme/"+name, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	}
	w.until("the steps of all are done", func() bool { return w.events("repository set up") == len(names) })
	w.settle()
	if got := w.provisioned(); !slices.Equal(got, names) {
		t.Errorf("the workflow was started for %q, want %q", got, names)
	}
	// Somebody asks for the steps again.
	for _, m := range w.records() {
		w.must(w.service.Queue.SetUp(t.Context(), place2(m)))
	}
	w.settle()
	if got := w.provisioned(); !slices.Equal(got, names) {
		t.Errorf("done again, the workflow was started for %q, want %q", got, names)
	}
}

// provisioning makes acme/infra, and a golden path that starts a workflow there.
func (w *world) provisioning() {
	w.must(w.alice.CreateRepository("acme/infra", localhub.NewRepository{Files: map[string]string{
		".github/workflows/provision.yml": "on:\n  workflow_dispatch:\n    inputs:\n      service: {type: string}\njobs: {}\n",
	}}))
	w.release(map[string]string{manifest: manifestV1 + "  dispatch: [{repository: acme/infra, workflow: provision.yml, inputs: {service: \"{{ .name }}\"}}]\n"})
	w.publish()
}

// provisioned returns for which services the workflow was started.
func (w *world) provisioned() (services []string) {
	w.Helper()
	all, err := w.hub.Dispatches("acme/infra")
	w.must(err)
	for _, d := range all {
		services = append(services, fmt.Sprint(d.Inputs["service"]))
	}
	slices.Sort(services)
	return services
}

// losing makes the first request to start a workflow fail, after it took effect or before.
func (w *world) losing(done bool) (asked *atomic.Int32) {
	asked = new(atomic.Int32)
	fault := func(r localhub.Request) localhub.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/dispatches") && asked.Add(1) == 1 {
			return localhub.Fault{Kind: localhub.FaultReset, Done: done}
		}
		return localhub.Fault{}
	}
	w.fault.Store(&fault)
	return asked
}

// TestALostStartIsNotAnothersRun: of two repositories one starts its workflow, and the
// request of the other is lost. What the first one started is not taken for it, and
// nothing starts twice.
func TestALostStartIsNotAnothersRun(t *testing.T) {
	t.Parallel()
	for name, took := range map[string]bool{"before it took effect": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{attempts: 200})
			w.provisioning()
			asked := w.losing(took)
			names := []string{"one", "two"}
			for _, name := range names {
				w.useTemplate("acme/"+name, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
			}
			w.until("one of them is done", func() bool { return w.events("repository set up") == 1 && asked.Load() == 2 })
			w.hurry()
			if !took {
				w.until("it was looked for", func() bool {
					return slices.ContainsFunc(w.hub.Requests(), func(r localhub.Request) bool { return strings.HasSuffix(r.Path, "/provision.yml/runs") })
				})
				w.ahead.Store(int64(doubtTime + time.Second))
			}
			w.until("the steps of all are done", func() bool { return w.events("repository set up") == len(names) })
			w.settle()
			if got := w.provisioned(); !slices.Equal(got, names) {
				t.Errorf("the workflow was started for %q, want %q", got, names)
			}
			if n := w.events("workflow started again"); n != 0 && took || n != 1 && !took {
				t.Errorf("told %d times that it was started again", n)
			}
		})
	}
}

// TestAStartThatNobodyKnows: the server does not tell which run is whose. A person is
// asked to look, and nothing is started twice.
func TestAStartThatNobodyKnows(t *testing.T) {
	t.Parallel()
	w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{attempts: 200, old: true})
	w.provisioning()
	asked := new(atomic.Int32)
	fault := func(r localhub.Request) localhub.Fault {
		// The first and second of each are with and without the wish for details.
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/dispatches") && asked.Add(1) == 1 {
			return localhub.Fault{Kind: localhub.FaultReset}
		}
		return localhub.Fault{}
	}
	w.fault.Store(&fault)
	names := []string{"one", "two"}
	for _, name := range names {
		w.useTemplate("acme/"+name, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	}
	w.until("one of them is done", func() bool { return w.events("repository set up") == 1 && asked.Load() == 3 })
	w.hurry()
	w.ahead.Store(int64(doubtTime + time.Second))
	started := w.provisioned()
	lost := "acme/one"
	if slices.Equal(started, []string{"one"}) {
		lost = "acme/two"
	}
	w.until("the member is told", func() bool { return len(w.issues(lost, "open")) == 1 })
	told := w.issues(lost, "open")[0]
	for _, part := range []string{"starting provision.yml in acme/infra was lost", "/acme/infra/actions/runs/", "/syncer setup"} {
		if !strings.Contains(told.Body, part) {
			t.Errorf("it does not say %q:\n%s", part, told.Body)
		}
	}
	if got := w.provisioned(); !slices.Equal(got, started) {
		t.Errorf("the workflow was started for %q, and then for %q", started, got)
	}
	_, err := w.alice.Comment(lost, told.Number, "/syncer setup")
	w.must(err)
	w.until("the issue is closed", func() bool { return len(w.issues(lost, "open")) == 0 })
	w.settle()
	if got := w.provisioned(); !slices.Equal(got, started) {
		t.Errorf("after a person looked the workflow was started for %q, and then for %q", started, got)
	}
}

// TestUseThisTemplateWithAllBranches: the golden path is rendered on the default branch,
// once, and the other branches are people's.
func TestUseThisTemplateWithAllBranches(t *testing.T) {
	t.Parallel()
	w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{late: true})
	w.publish()
	w.until("the template repository is published", func() bool { return w.file("acme/template-svc", "main", ".goldenpath.yaml") != "" })
	for _, branch := range []string{"experiment", ourHead} {
		_, err := w.alice.Push("acme/template-svc", branch, branch, localhub.Edit{Files: map[string]string{"extra.txt": branch + "\n"}})
		w.must(err)
	}
	w.settle()
	w.useTemplate(payments, localhub.NewRepository{Properties: map[string]any{"team": "core"}, AllBranches: true})
	w.until("the member is current", func() bool { return w.is(payments, store.Current) })
	w.settle()
	for _, branch := range []string{"experiment", ourHead} {
		if w.file(payments, branch, "extra.txt") != branch+"\n" || w.file(payments, branch, "ci.yaml") != "" {
			t.Errorf("branch %s was touched", branch)
		}
	}
	if len(w.pulls(payments)) > 0 || len(w.issues(payments, "open")) > 0 || w.file(payments, "main", "ci.yaml") != "ci: 1\n" {
		t.Errorf("pull requests %+v, issues %+v", w.pulls(payments), w.issues(payments, "open"))
	}
	// A branch of that name that nobody of ours made is somebody's work.
	w.version(2, nil)
	w.settle()
	if w.file(payments, ourHead, "extra.txt") != ourHead+"\n" {
		t.Error("what was on the branch is gone")
	}
	if told := w.issues(payments, "open"); len(told) != 1 || !strings.Contains(told[0].Body, ourHead) {
		t.Errorf("the member is told %+v, want one issue about the branch", told)
	}
	w.must(w.alice.DeleteBranch(payments, ourHead))
	w.sweepNow()
	w.until("version 2 is offered once the branch is gone", w.offered(payments, 2))
}

// TestRepositoriesThatAreLeftAlone were made in another way than from a template.
func TestRepositoriesThatAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.must(w.alice.CreateRepository("acme/plain", localhub.NewRepository{Files: map[string]string{"README.md": "# Plain\n"}}))
	w.must(w.alice.CreateRepository("acme/other-template", localhub.NewRepository{Template: true, Files: map[string]string{"README.md": "# Other\n"}}))
	w.must(w.alice.UseTemplate("acme/other-template", "acme/made", localhub.NewRepository{}))
	w.must(w.hub.Person("bob").CreateRepository("bob/lib", localhub.NewRepository{Files: map[string]string{"README.md": "# Lib\n"}}))
	w.must(w.alice.Fork("bob/lib", "acme/lib"))
	w.settle()
	w.version(2, nil)
	w.until("the member gets its change", w.offered(payments, 2))
	w.sweepNow()
	for _, name := range []string{"acme/plain", "acme/other-template", "acme/made", "acme/lib"} {
		files, err := w.hub.Files(name, "main")
		w.must(err)
		if len(files) != 1 || len(w.pulls(name)) > 0 || len(w.issues(name, "open")) > 0 {
			t.Errorf("%s was not left alone: %v", name, files)
		}
	}
	if n := len(w.records()); n != 1 {
		t.Errorf("%d members, want 1", n)
	}
	w.sound()
}

// TestAForkThatFollows carries .goldenpath.yaml, and is no less a member for being one.
func TestAForkThatFollows(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	own := strings.ReplaceAll(w.file(payments, "main", ".goldenpath.yaml"), "payments", "begun")
	w.must(w.hub.Person("bob").CreateRepository("bob/begun", localhub.NewRepository{Files: map[string]string{".goldenpath.yaml": own}}))
	w.must(w.alice.Fork("bob/begun", "acme/begun"))
	w.sweepNow()
	w.until("the golden path is rendered", func() bool { return w.file("acme/begun", "main", ".goldenpath.lock") != "" })
	w.version(2, nil)
	w.until("it gets changes as others do", w.offered("acme/begun", 2))
	w.sound()
}

// TestSweepsThatAreAskedForAreOne: repositories are added one by one, and the fleet is
// not swept for each.
func TestSweepsThatAreAskedForAreOne(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	swept := func() int {
		waiting, err := w.service.work.Waiting(t.Context())
		w.must(err)
		return waiting["sweep-soon"]["completed"]
	}
	before := swept()
	in, err := w.db.Installation(t.Context(), w.install.ID())
	w.must(err)
	w.must(jobs.EnqueueNow(t.Context(), w.service.work, "", webhooks.Installation{ID: in.ID, Action: "added", Account: in.Account, Selection: in.Selection}))
	w.settle()
	if n := swept() - before; n != 1 {
		t.Errorf("%d sweeps for a change of the installation, want 1", n)
	}
	before = swept()
	w.must(jobs.EnqueueNow(t.Context(), w.service.work, "", make([]sweepSoon, 20)...))
	w.settle()
	if n := swept() - before; n < 1 || n > 2 {
		t.Errorf("%d sweeps for 20 wishes, want 1, or 2 where one had begun", n)
	}
}

// TestStepsGoOnWhenTheirPermissionIsGranted, whether they were given up or wait for
// their next try.
func TestStepsGoOnWhenTheirPermissionIsGranted(t *testing.T) {
	for state, attempts := range map[string]int{"discarded": 1, "retryable": 20} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			stepsGoOn(t, state, attempts)
		})
	}
}

func stepsGoOn(t *testing.T, state string, attempts int) {
	w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{without: "actions_variables", attempts: attempts})
	w.publish()
	w.useTemplate(payments, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.until("the member is told", func() bool { return len(w.issues(payments, "open")) == 1 })
	w.until("the steps have failed", func() bool {
		waiting, err := w.service.work.Waiting(t.Context())
		w.must(err)
		return waiting["set-up"][state] == 1
	})
	w.app.RequestPermissions(map[string]string{
		"contents": "write", "metadata": "read", "pull_requests": "write", "issues": "write", "checks": "write",
		"workflows": "write", "administration": "write", "actions": "write", "actions_variables": "write", "environments": "write",
	})
	w.alice.Accept(w.install)
	w.until("the steps are done", func() bool { return w.events("repository set up") == 1 })
	w.settle()
	if told := w.issues(payments, "open"); len(told) != 0 {
		t.Errorf("the issue is open still: %+v", told)
	}
	w.sound()
}
