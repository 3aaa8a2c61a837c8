package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

// grant makes the installation have all that the App asks for but some.
func (w *world) grant(without ...string) {
	w.Helper()
	granted := map[string]string{
		"contents": "write", "metadata": "read", "pull_requests": "write", "issues": "write", "checks": "write", "workflows": "write",
		"administration": "write", "actions": "write", "actions_variables": "write", "environments": "write",
	}
	maps.DeleteFunc(granted, func(name, _ string) bool { return slices.Contains(without, name) })
	w.app.RequestPermissions(granted)
	w.alice.Accept(w.install)
}

// membersTold reports whether no work is left but what waits to be tried again.
func (w *world) membersTold() bool {
	w.Helper()
	waiting, err := w.service.work.Waiting(w.Context())
	w.must(err)
	for _, states := range waiting {
		if states["available"]+states["running"]+states["scheduled"] > 0 {
			return false
		}
	}
	return waiting["member"]["cancelled"] > 0
}

// TestEachMissingPermission: what cannot be done for want of a permission, with a member
// and with a new repository, is said in the portal's data and, where GitHub lets syncer
// write there, in the repository, once. It is done when the permission is granted, and
// nothing else happens.
func TestEachMissingPermission(t *testing.T) {
	for name, c := range map[string]struct {
		without []string
		says    string
	}{
		"contents":                 {[]string{"contents"}, "contents=write"},
		"pull requests":            {[]string{"pull_requests"}, "pull_requests=write"},
		"pull requests and issues": {[]string{"pull_requests", "issues"}, "pull_requests=write"},
		"all but metadata": {[]string{"contents", "pull_requests", "issues", "checks", "workflows", "administration", "actions", "environments", "actions_variables"},
			"contents=write"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, variant{})
			w.grant(c.without...)
			w.settle()
			w.version(2, nil)
			w.useTemplate("acme/late", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
			w.until("it is tried", w.membersTold)
			w.must(w.service.Sweep(t.Context()))
			w.until("it is tried again", w.membersTold)
			failing, _, err := w.db.Members(t.Context(), store.Filter{Failing: true, Contains: "payments"}, "", 0)
			w.must(err)
			if len(failing) != 1 || failing[0].Member.ErrorKind != store.PersonMustAct || !strings.Contains(failing[0].Member.Error, c.says) {
				t.Errorf("the portal's data say %+v", failing)
			}
			told, want := w.issues(payments, "open"), 1
			if slices.Contains(c.without, "issues") {
				want = 0
			}
			if len(told) != want || want > 0 && !strings.Contains(told[0].Body, c.says) {
				t.Errorf("the member is told %+v, want %d issues", told, want)
			}
			if n := len(w.pulls(payments)); n > 0 {
				t.Errorf("%d pull requests", n)
			}
			w.grant()
			w.until("it goes on", w.offered(payments, 2))
			w.until("the issue is closed", func() bool { return len(w.issues(payments, "open")) == 0 })
			// Whether it began with the version before depends on which of the two came first.
			w.until("the new repository has the version, or is offered it", func() bool {
				return w.file("acme/late", "main", "ci.yaml") == "ci: 2\n" || w.file("acme/late", ourHead, "ci.yaml") == "ci: 2\n"
			})
			w.hurry()
			w.settle()
			if open := w.issues("acme/late", "open"); len(open) > 0 || len(w.pulls(payments)) != 1 {
				t.Errorf("in the new repository is open: %+v; the member has the pull requests %+v", open, w.pulls(payments))
			}
		})
	}
}
