package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// TestAMergeQueueIsNotPassed renders into a repository whose default branch has a merge
// queue, and gives an order there that edits a file: neither is pushed past the queue,
// which is named instead.
func TestAMergeQueueIsNotPassed(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{rest: true}) // by which a push is seen
	w.hub.HoldDeliveries()
	w.useTemplate("acme/queued", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.must(w.hub.FinishContent("acme/queued"))
	w.must(w.alice.AddRuleset("acme/queued", "queue", "branch", []string{"~DEFAULT_BRANCH"}, localhub.Rule{Type: "merge_queue"}))
	before := w.file("acme/queued", "main", "README.md")
	w.hub.ForgetRequests()
	w.hub.ReleaseDeliveries()
	w.until("a pull request begins it", func() bool { return w.pull("acme/queued", ourHead) != nil })
	w.settle()
	begin := w.pull("acme/queued", ourHead)
	if !strings.Contains(begin.Body, "through its merge queue only") {
		t.Errorf("the pull request does not name the queue:\n%s", begin.Body)
	}
	issue, err := w.alice.OpenIssue("acme/queued", "Team", "/syncer set team=growth")
	w.must(err)
	w.until("the order is answered", func() bool {
		for _, i := range w.issues("acme/queued", "open") {
			if i.Number == issue && len(i.Comments) == 1 {
				w.says(i.Comments[0].Body, "through its merge queue only", "proposes it")
				return true
			}
		}
		return false
	})
	for _, r := range w.hub.Requests() {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.Path, "/acme/queued/git/refs/heads/main") {
			t.Errorf("a push past the queue was tried: %+v", r)
		}
	}
	if got := w.file("acme/queued", "main", "README.md"); got != before {
		t.Errorf("README.md on the default branch is %q", got)
	}
}
