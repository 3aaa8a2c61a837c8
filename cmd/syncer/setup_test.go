package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
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
	w.must(w.alice.CreateRepository("acme/infra", localhub.NewRepository{Files: map[string]string{
		".github/workflows/provision.yml": "on:\n  workflow_dispatch:\n    inputs:\n      service: {type: string}\njobs: {}\n",
	}}))
	w.release(map[string]string{manifest: manifestV1 + "  dispatch: [{repository: acme/infra, workflow: provision.yml, inputs: {service: \"{{ .name }}\"}}]\n"})
	w.publish()
	names := []string{"one", "three", "two"}
	for _, name := range names {
		w.useTemplate("acme/"+name, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	}
	w.until("the steps of all are done", func() bool { return w.events("repository set up") == len(names) })
	w.settle()
	started := func() (services []string) {
		all, err := w.hub.Dispatches("acme/infra")
		w.must(err)
		for _, d := range all {
			services = append(services, fmt.Sprint(d.Inputs["service"]))
		}
		slices.Sort(services)
		return services
	}
	if got := started(); !slices.Equal(got, names) {
		t.Errorf("the workflow was started for %q, want %q", got, names)
	}
	// Somebody asks for the steps again.
	for _, m := range w.records() {
		w.must(w.service.Queue.SetUp(t.Context(), place2(m)))
	}
	w.settle()
	if got := started(); !slices.Equal(got, names) {
		t.Errorf("done again, the workflow was started for %q, want %q", got, names)
	}
}
