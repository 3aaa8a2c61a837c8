package forge

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/tree"
)

func TestMembers(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		r := w.repository("pay", map[string]string{
			"README.md": "héllo\r\n", "a/b/c.txt": "c\n", "a/x.txt": "x\n", "bin": "\x00\x01\xff", "latin": "caf\xe9\n", "empty": "",
		})
		_, err := w.alice.Push("acme/pay", "main", "modes", localhub.Edit{
			Files: map[string]string{"run.sh": "#!/bin/sh\n"}, Executable: []string{"run.sh"}, Links: map[string]string{"l": "a/x.txt"},
		})
		w.must(err)
		gone := Ask{ID: 999_999, Name: Name{"acme", "gone"}}
		w.must(w.alice.CreateRepository("acme/empty", localhub.NewRepository{}))
		empty, err := w.client().RepositoryByName(t.Context(), Name{"acme", "empty"})
		w.must(err)
		contents := []string{"README.md", "a/b/c.txt", "bin", "latin", "empty", "run.sh", "l", "nothing", "a/none/x", "a", "l/below/x"}
		got, err := w.client().Members(t.Context(), []Ask{
			{ID: r.ID, NodeID: r.NodeID, Name: r.Name, Paths: []string{"a/x.txt", "a/b"}, Contents: contents, Branch: branch},
			gone, askOf(empty),
			{ID: r.ID, NodeID: r.NodeID, Name: r.Name, Ref: "nope"},
		})
		w.must(err)
		m := got[0]
		if m.Err != nil {
			t.Fatal(m.Err)
		}
		want := tree.Tree{
			"README.md": tree.Text("héllo\r\n"), "a/b/c.txt": tree.Text("c\n"), "bin": tree.Text("\x00\x01\xff"), "latin": tree.Text("caf\xe9\n"),
			"empty": tree.Text(""), "run.sh": tree.Script("#!/bin/sh\n"), "l": tree.Link("a/x.txt"),
			"a": tree.FolderOf([]string{"b/c.txt", "x.txt"}),
		}
		if diff := cmp.Diff(want, m.Files); diff != "" {
			t.Errorf("files mismatch (-want +got):\n%s", diff)
		}
		if e := m.Entries["a/x.txt"]; e.Blob != tree.Text("x\n").Blob() || e.Kind != tree.Regular {
			t.Errorf("a/x.txt = %+v", e)
		}
		if !m.Entries["a/b"].Folder || !m.Entries["a"].Folder {
			t.Errorf("folders = %+v, %+v", m.Entries["a/b"], m.Entries["a"])
		}
		branches, err := w.hub.Branches("acme/pay")
		w.must(err)
		if m.Head.Branch != "main" || m.Head.Commit != branches["main"] || len(m.Head.Tree) != 40 || m.Branch != (Head{}) || len(m.PullRequests) != 0 {
			t.Errorf("head = %+v, branch = %+v, pulls = %v", m.Head, m.Branch, m.PullRequests)
		}
		if m.Repository.ID != r.ID || m.Repository.Name != pay || m.Repository.DefaultBranch != "main" || m.Repository.OwnerType != "Organization" {
			t.Errorf("repository = %+v", m.Repository)
		}
		if !errors.Is(got[1].Err, NotFound) {
			t.Errorf("missing repository: %v", got[1].Err)
		}
		if !errors.Is(got[2].Err, NotReady) || !got[2].Repository.Empty {
			t.Errorf("empty repository: %v, %+v", got[2].Err, got[2].Repository)
		}
		if !errors.Is(got[3].Err, NotFound) {
			t.Errorf("missing branch: %v", got[3].Err)
		}
	})
}

func TestMembersSeeOurBranchAndItsPullRequests(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		r := w.repository("pay", map[string]string{"Makefile": "all:\n"})
		c := w.client()
		_, err := propose(t.Context(), c, w.one(c, askOf(r)), branch, change("Makefile", "1\n"), "First")
		w.must(err)
		w.must(w.alice.Close("acme/pay", 1))
		p, err := c.OpenPullRequest(t.Context(), r.Name, Proposal{Head: branch, Base: "main", Title: "Second", Body: "b", Draft: true})
		w.must(err)
		w.must(c.AddLabels(t.Context(), r.Name, p.Number, "syncer", "a b/c"))
		m := w.one(c, askOf(r))
		branches, err := w.hub.Branches("acme/pay")
		w.must(err)
		if m.Branch.Commit != branches[branch] || len(m.Branch.Tree) != 40 {
			t.Errorf("branch = %+v", m.Branch)
		}
		if len(m.PullRequests) != 2 {
			t.Fatalf("pull requests = %+v, want 2", m.PullRequests)
		}
		second, first := m.PullRequests[0], m.PullRequests[1]
		if second.Title != "Second" || !second.Open() || !second.Draft || second.Base != "main" || second.Head.Commit != branches[branch] || second.NodeID == "" {
			t.Errorf("second = %+v", second)
		}
		if first.Title != "First" || first.State != "closed" || first.ClosedAt.IsZero() {
			t.Errorf("first = %+v", first)
		}
		if diff := cmp.Diff([]string{"a b/c", "syncer"}, sorted(second.Labels)); diff != "" {
			t.Errorf("labels mismatch (-want +got):\n%s", diff)
		}
	})
}

func TestRepositoryThatMoved(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		r := w.repository("pay", map[string]string{"a": "1\n"})
		w.must(w.alice.Rename("acme/pay", "payments"))
		c := w.client()
		now := Name{"acme", "payments"}
		if got, err := c.RepositoryByName(t.Context(), pay); err != nil || got.Name != now || got.ID != r.ID {
			t.Errorf("by its old name: %+v, %v", got.Name, err)
		}
		if got, err := c.Repository(t.Context(), r.ID); err != nil || got.Name != now {
			t.Errorf("by id: %+v, %v", got.Name, err)
		}
		m := w.one(c, askOf(r, "a"))
		if m.Repository.Name != now || string(m.Files["a"].Data) != "1\n" {
			t.Errorf("member: %+v", m)
		}
		// A write to the old name is not done by halves.
		_, err := c.Commit(t.Context(), pay, Commit{Parent: m.Head.Commit, Tree: m.Head.Tree, Changes: change("a", "2\n"), Message: "m"})
		if !errors.Is(err, Moved) {
			t.Errorf("a write to the old name: %v, want Moved", err)
		}
	})
}

func TestGraphQLThatIsAbsentIsLeftAlone(t *testing.T) {
	w := newWorld(t, how{options: localhub.Options{NoGraphQL: true}})
	r := w.repository("pay", map[string]string{"a": "1\n"})
	c := w.client()
	for range 2 {
		w.one(c, askOf(r, "a"))
	}
	graphs := 0
	for _, q := range w.hub.Requests() {
		if strings.HasSuffix(q.Path, "graphql") {
			graphs++
		}
	}
	if graphs != 1 {
		t.Errorf("GraphQL was tried %d times, want once", graphs)
	}
}
