package main

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

// TestMistakesInAMembersFile: each is told in the repository, once, and in the portal's
// data, with what is wrong; nothing else is changed; and once it is repaired it goes on.
func TestMistakesInAMembersFile(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string // in .goldenpath.yaml
		says     []string
	}{
		"a source elsewhere":              {"/acme/platform", "/acme/platform/x", []string{"reads no other"}},
		"another host":                    {"source: http://", "source: https://example.invalid/", []string{"reads no other"}},
		"a repository that is not there":  {"/acme/platform", "/acme/nothing", []string{"/acme/nothing"}},
		"a golden path that is not there": {"name: svc", "name: scv", []string{"scv"}},
		"a version that is not there":     {"name: svc", "name: svc\n      version: \"^9\"", []string{"^9"}},
		"a pin that is not there":         {"name: svc", "name: svc\n      pin: v9.9.9", []string{"v9.9.9"}},
		"an input of another type":        {"team: core", "team: 7", []string{"team"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostile(t, variant{})
			good := w.file(payments, "main", ".goldenpath.yaml")
			bad := strings.Replace(good, c.old, c.new, 1)
			if bad == good {
				t.Fatalf("nothing is wrong in\n%s", good)
			}
			_, err := w.alice.Push(payments, "main", "a mistake", localhub.Edit{Files: map[string]string{".goldenpath.yaml": bad}})
			w.must(err)
			w.until("the member is told", func() bool { return len(w.issues(payments, "open")) == 1 })
			told := w.issues(payments, "open")[0]
			for _, part := range c.says {
				if !strings.Contains(told.Body, part) {
					t.Errorf("it does not say %q:\n%s", part, told.Body)
				}
			}
			w.settle()
			w.sweepNow()
			failing, _, err := w.db.Members(t.Context(), store.Filter{Failing: true}, "", 0)
			w.must(err)
			if known := !strings.Contains(bad, "scv"); known && (len(failing) != 1 || failing[0].Member.ErrorKind != store.PersonMustAct) || !known && w.events("work failed") == 0 {
				t.Errorf("the portal's data say %+v", failing)
			}
			if n := len(w.issues(payments, "open")); n != 1 || len(w.pulls(payments)) > 0 || w.file(payments, "main", "ci.yaml") != "ci: 1\n" {
				t.Errorf("%d issues, pull requests %+v", n, w.pulls(payments))
			}
			_, err = w.alice.Push(payments, "main", "repair", localhub.Edit{Files: map[string]string{".goldenpath.yaml": good}})
			w.must(err)
			w.version(2, nil)
			w.until("it goes on", w.offered(payments, 2))
			w.until("the issue is closed", func() bool { return len(w.issues(payments, "open")) == 0 })
		})
	}
}
