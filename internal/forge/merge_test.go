package forge

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// TestRefusalsToMerge: some last, some pass, and one says that nothing is missing.
func TestRefusalsToMerge(t *testing.T) {
	var next atomic.Pointer[localhub.Fault]
	w := newWorld(t, how{})
	fault := func(r localhub.Request) localhub.Fault {
		if r.Method == http.MethodPut && strings.HasSuffix(r.Path, "/merge") {
			if f := next.Swap(nil); f != nil {
				return *f
			}
		}
		return localhub.Fault{}
	}
	w.fault.Store(&fault)
	r := w.repository("pay", map[string]string{"a": "a\n"})
	c := w.client()
	_, err := propose(t.Context(), c, w.one(c, askOf(r)), branch, change("a", "b\n"), "Title")
	w.must(err)
	p := w.one(c, askOf(r)).PullRequests[0]
	refused := func(what string, want Kind, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v (%s), want %s", what, err, KindOf(err), want)
		}
	}
	merge := func(f *localhub.Fault, head string) error {
		next.Store(f)
		return c.Merge(t.Context(), r.Name, p.Number, head, "SQUASH")
	}
	said := func(status int, message string) *localhub.Fault {
		return &localhub.Fault{Kind: localhub.FaultStatus, Status: status, Message: message}
	}
	refused("a repository that does not allow it", Invalid, c.AutoMerge(t.Context(), p, "MERGE"))
	w.must(w.alice.SetTraits("acme/pay", localhub.Traits{AutoMerge: true}))
	refused("nothing is required", Refused, c.AutoMerge(t.Context(), p, "MERGE"))
	w.must(w.alice.Protect("acme/pay", "main", &localhub.Protection{Checks: []string{"ci"}}))
	w.must(w.alice.CompleteCheck("acme/pay", p.Head.Commit, "ci", "success"))
	refused("nothing is missing", Mergeable, c.AutoMerge(t.Context(), p, "MERGE"))
	w.must(c.SetDraft(t.Context(), p, true))
	refused("a draft", Conflict, c.AutoMerge(t.Context(), p, "MERGE"))
	refused("a draft, at once", Conflict, merge(nil, p.Head.Commit))
	p.Draft = true
	w.must(c.SetDraft(t.Context(), p, false))
	refused("another head", Conflict, merge(nil, r.DefaultBranch))
	refused("a base that moves", Conflict, merge(said(405, "Base branch was modified. Review and try the merge again."), p.Head.Commit))
	refused("not computed yet", Conflict, merge(said(405, "Pull Request is not mergeable"), p.Head.Commit))
	refused("a check that is pending", Conflict, merge(said(405, `Required status check "ci" is expected.`), p.Head.Commit))
	refused("a way that is switched off", Invalid, merge(said(405, "Squash merges are not allowed on this repository."), p.Head.Commit))
	refused("a merge queue", Queued, merge(said(405, "Repository rule violations found\n\nChanges must be made through the merge queue\n\n"), p.Head.Commit))
	refused("a permission", Denied, merge(said(403, "Resource not accessible by integration"), p.Head.Commit))
	refused("it did not arrive", Unavailable, merge(&localhub.Fault{Kind: localhub.FaultReset}, p.Head.Commit))
	if err := merge(&localhub.Fault{Kind: localhub.FaultReset, Done: true}, p.Head.Commit); err != nil {
		t.Errorf("it was merged, and the answer was lost: %v", err)
	}
	pulls, err := w.hub.Pulls("acme/pay")
	w.must(err)
	if !pulls[0].Merged {
		t.Error("it is not merged")
	}
}
