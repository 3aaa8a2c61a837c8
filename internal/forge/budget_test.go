package forge

import (
	"fmt"
	"testing"

	"github.com/goldenpaths/syncer/internal/tree"
)

const branch = "goldenpath/go-service"

func askOf(r Repository, contents ...string) Ask {
	return Ask{ID: r.ID, NodeID: r.NodeID, Name: r.Name, Contents: contents, Branch: branch}
}

// one reads one member.
func (w *world) one(c *Client, a Ask) Member {
	w.t.Helper()
	members, err := c.Members(w.t.Context(), []Ask{a})
	w.must(err)
	if members[0].Err != nil {
		w.t.Fatal(members[0].Err)
	}
	return members[0]
}

// TestRequestsOfANewPullRequest, and the two after it, hold the budgets that
// DESIGN.md names. Access tokens, one an hour, are not in them.
func TestRequestsOfANewPullRequest(t *testing.T) {
	for _, rest := range []bool{false, true} {
		t.Run(fmt.Sprintf("rest=%v", rest), func(t *testing.T) {
			w := newWorld(t, how{rest: rest})
			r := w.repository("pay", map[string]string{".goldenpath.lock": "lock\n", "Makefile": "all:\n"})
			c := w.client()
			got := w.spent(func() {
				m := w.one(c, askOf(r, ".goldenpath.lock"))
				pr, err := propose(t.Context(), c, m, branch, change("Makefile", "all: test\n"), "Update")
				w.must(err)
				if pr.Number == 0 || !pr.Open() {
					t.Errorf("pull request = %+v, want an open one", pr)
				}
			})
			limit := 5
			if rest { // repository, branch, root folder, one file, our branch, its pull requests
				limit = 10
			}
			t.Logf("a new pull request: %d requests, %d points, %d creating content:%s", got.API, got.Points, got.Content, names(got))
			if got.API > limit || got.Content != 4 {
				t.Errorf("%d requests, %d creating content; want at most %d and 4:%s", got.API, got.Content, limit, names(got))
			}
		})
	}
}

func TestRequestsOfARefresh(t *testing.T) {
	for _, rest := range []bool{false, true} {
		t.Run(fmt.Sprintf("rest=%v", rest), func(t *testing.T) { refresh(t, rest) })
	}
}

func refresh(t *testing.T, rest bool) {
	w := newWorld(t, how{rest: rest})
	r := w.repository("pay", map[string]string{"Makefile": "all:\n"})
	c := w.client()
	_, err := propose(t.Context(), c, w.one(c, askOf(r)), branch, change("Makefile", "all: test\n"), "Update to 1.1")
	w.must(err)
	got := w.spent(func() {
		_, err := propose(t.Context(), c, w.one(c, askOf(r)), branch, change("Makefile", "all: test lint\n"), "Update to 1.2")
		w.must(err)
	})
	t.Logf("a refresh: %d requests, %d points, %d creating content:%s", got.API, got.Points, got.Content, names(got))
	limit := 5
	if rest {
		limit = 11
	}
	if got.API > limit {
		t.Errorf("%d requests, want at most %d:%s", got.API, limit, names(got))
	}
	files, err := w.hub.Files("acme/pay", branch)
	w.must(err)
	if files["Makefile"] != "all: test lint\n" {
		t.Errorf("Makefile = %q", files["Makefile"])
	}
	pulls, err := w.hub.Pulls("acme/pay")
	w.must(err)
	if len(pulls) != 1 || pulls[0].Title != "Update to 1.2" || pulls[0].Body != "body of Update to 1.2" {
		t.Errorf("pull requests = %+v, want one with the new title and body", pulls)
	}
}

func TestRequestsOfMembersThatNeedNothing(t *testing.T) {
	w := newWorld(t, how{})
	var asks []Ask
	for i := range 30 {
		r := w.repository(fmt.Sprintf("svc-%d", i), map[string]string{".goldenpath.lock": "lock\n", "deploy/app.yaml": "a: 1\n"})
		a := askOf(r, ".goldenpath.lock")
		a.Paths = []string{"deploy/app.yaml"}
		asks = append(asks, a)
	}
	want := tree.Text("a: 1\n").Blob()
	got := w.spent(func() {
		members, err := w.client().Members(t.Context(), asks)
		w.must(err)
		for i, m := range members {
			if m.Err != nil || m.Entries["deploy/app.yaml"].Blob != want || string(m.Files[".goldenpath.lock"].Data) != "lock\n" {
				t.Errorf("member %d: %+v", i, m)
			}
		}
	})
	if got.API != 2 {
		t.Errorf("%d requests for 30 members, want 2:%s", got.API, names(got))
	}
}
