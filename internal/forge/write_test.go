package forge

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/tree"
)

func TestCommitWritesWhatATreeHolds(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"old.txt": "old\n", "keep/a": "a\n", "keep/b": "b\n"})
	c := w.client()
	head, err := c.Head(t.Context(), r.Name, "main")
	w.must(err)
	want := tree.Tree{
		"README.md": tree.Text("héllo <b> & \u2028\r\n"), "run.sh": tree.Script("#!/bin/sh\n"), "link": tree.Link("keep/a"),
		"bin": tree.Text("\x00\x01\xff"), "latin": tree.Text("caf\xe9\n"), "empty": tree.Text(""), "keep/b": tree.Text("B\n"),
		"large.txt": tree.Text(strings.Repeat("0123456789abcde\n", 70_000)), ".github/workflows/ci.yml": tree.Text("on: push\n"),
		"keep/c/d.txt": tree.Text("replacement \ufffd stays\n"),
	}
	changes := map[string]*tree.File{"old.txt": nil}
	for p, f := range want {
		changes[p] = &f
	}
	made, err := c.Commit(t.Context(), r.Name, Commit{Parent: head.Commit, Tree: head.Tree, Changes: changes, Message: "Everything\n\nSigned by GitHub.\n"})
	w.must(err)
	if !made.Verified || made.Unchanged {
		t.Errorf("committed = %+v, want verified", made)
	}
	w.must(c.Move(t.Context(), r, Move{Branch: branch, To: made.ID}))
	got, err := c.Files(t.Context(), r.Name, made.Tree, append(want.Paths(), "old.txt", "keep/a"))
	w.must(err)
	want["keep/a"] = tree.Text("a\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files mismatch (-want +got):\n%s", diff)
	}
	// Git itself agrees on modes and bytes.
	cmd := exec.CommandContext(t.Context(), "git", "-C", filepath.Join(w.hub.Directory(), fmt.Sprintf("%d.git", r.ID)), "ls-tree", "-r", branch)
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("git ls-tree: %v", err)
	} else {
		for p, f := range want {
			if line := fmt.Sprintf("%o blob %s\t%s\n", uint32(f.Kind), f.Blob(), p); !strings.Contains(string(out), line) {
				t.Errorf("git has no %q in:\n%s", line, out)
			}
		}
	}
	// The same again is no commit.
	again, err := c.Commit(t.Context(), r.Name, Commit{Parent: made.ID, Tree: made.Tree, Changes: change("run2", "x"), Message: "m"})
	w.must(err)
	same, err := c.Commit(t.Context(), r.Name, Commit{Parent: again.ID, Changes: change("run2", "x"), Message: "m"})
	w.must(err)
	if !same.Unchanged || same.ID != again.ID {
		t.Errorf("an equal tree gave %+v, want no commit", same)
	}
}

// What has to make room for a file or a folder goes before it, in a request of its own.
func TestCommitMakesRoom(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"docs/a": "a\n", "docs/b/c": "c\n", "file": "f\n", "keep": "k\n"})
	c := w.client()
	head, err := c.Head(t.Context(), r.Name, "main")
	w.must(err)
	docs, below, link := tree.Text("docs\n"), tree.Text("below\n"), tree.Link("keep")
	changes := map[string]*tree.File{"docs/a": nil, "docs/b/c": nil, "docs": &docs, "file": nil, "file/x/y": &below, "file/link": &link, "keep": nil}
	if first, then := makingRoom(changes); !slices.Equal(first, []string{"docs/a", "docs/b/c", "file"}) || !slices.Equal(then, []string{"docs", "file/link", "file/x/y", "keep"}) {
		t.Errorf("first %v, then %v", first, then)
	}
	made, err := c.Commit(t.Context(), r.Name, Commit{Parent: head.Commit, Tree: head.Tree, Changes: changes, Message: "m"})
	w.must(err)
	got, err := c.Files(t.Context(), r.Name, made.Tree, []string{"docs/a", "docs/b/c", "docs", "file", "file/x/y", "file/link/z", "keep"})
	w.must(err)
	want := tree.Tree{"docs": docs, "file": tree.FolderOf([]string{"link", "x/y"}), "file/x/y": below, "file/link": link}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files mismatch (-want +got):\n%s", diff)
	}
}

func TestCommitOfManyFiles(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"a": "a\n"})
	c := w.client()
	head, err := c.Head(t.Context(), r.Name, "main")
	w.must(err)
	changes := map[string]*tree.File{}
	var paths []string
	for i := range 1200 {
		f := tree.Text(fmt.Sprintf("%d\n", i))
		p := fmt.Sprintf("d%d/f%d", i%7, i)
		changes[p] = &f
		paths = append(paths, p)
	}
	got := w.spent(func() {
		made, err := c.Commit(t.Context(), r.Name, Commit{Parent: head.Commit, Tree: head.Tree, Changes: changes, Message: "m"})
		w.must(err)
		files, err := c.Entries(t.Context(), r.Name, made.Tree, append(paths, "a"))
		w.must(err)
		if len(files) != 1201 {
			t.Errorf("%d files, want 1,201", len(files))
		}
	})
	if n := got.Routes["POST /repos/{owner}/{repo}/git/trees"]; n != 3 {
		t.Errorf("%d requests for trees, want 3", n)
	}
}

func TestCommitRefusesWhatCannotBeWritten(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"a": "a\n"})
	c := w.client()
	head, err := c.Head(t.Context(), r.Name, "main")
	w.must(err)
	for name, changes := range map[string]map[string]*tree.File{
		"nothing":           {},
		"outside":           change("../x", "y"),
		"git's own":         change(".git/config", "y"),
		"an unknown kind":   {"x": {Kind: 0o160000}},
		"deleting nothing":  {"nope": nil},
		"under a file":      change("a/b", "y"),
		"an absolute path":  change("/etc/passwd", "y"),
		"an empty name":     change("", "y"),
		"a device's name":   change("con", "y"),
		"a trailing period": change("x.", "y"),
	} {
		if name == "under a file" {
			continue // git replaces the file by a folder: allowed
		}
		if _, err := c.Commit(t.Context(), r.Name, Commit{Parent: head.Commit, Tree: head.Tree, Changes: changes, Message: "m"}); !errors.Is(err, Invalid) {
			t.Errorf("%s: error = %v, want Invalid", name, err)
		}
	}
}

func TestMoveIsACompareAndSwap(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		r := w.repository("pay", map[string]string{"a": "a\n"})
		c := w.client()
		head, err := c.Head(t.Context(), r.Name, "main")
		w.must(err)
		commit := func(parent, text string) string {
			made, err := c.Commit(t.Context(), r.Name, Commit{Parent: parent, Changes: change("a", text), Message: text})
			w.must(err)
			return made.ID
		}
		one, other := commit(head.Commit, "1\n"), commit(head.Commit, "2\n")
		at := func() string {
			branches, err := w.hub.Branches("acme/pay")
			w.must(err)
			return branches[branch]
		}
		moved := func(m Move, expect string) {
			t.Helper()
			err := c.Move(t.Context(), r, m)
			b, ok := errors.AsType[*BranchMovedError](err)
			if !ok || b.Found != expect || !errors.Is(err, Conflict) {
				t.Errorf("Move(%+v) = %v, want BranchMovedError with %q", m, err, expect)
			}
		}
		w.must(c.Move(t.Context(), r, Move{Branch: branch, To: one}))
		w.must(c.Move(t.Context(), r, Move{Branch: branch, To: one})) // again: it is there
		moved(Move{Branch: branch, To: other}, one)                   // created by somebody else
		w.must(c.Move(t.Context(), r, Move{Branch: branch, From: one, To: other}))
		w.must(c.Move(t.Context(), r, Move{Branch: branch, From: one, To: other}))
		moved(Move{Branch: branch, From: head.Commit, To: one}, other)
		// A person pushes; we must not overwrite it, nor delete it.
		theirs, err := w.alice.Push("acme/pay", branch, "mine", localhub.Edit{Files: map[string]string{"mine": "x"}})
		w.must(err)
		moved(Move{Branch: branch, From: other, To: one}, theirs)
		moved(Move{Branch: branch, From: other}, theirs)
		next := commit(theirs, "3\n")
		w.must(c.Move(t.Context(), r, Move{Branch: branch, From: theirs, To: next, FastForward: true}))
		if at() != next {
			t.Errorf("the branch is at %s, want %s", at(), next)
		}
		if err := c.Move(t.Context(), r, Move{Branch: branch, From: next, To: one, FastForward: true}); err == nil {
			t.Error("a fast-forward went back")
		}
		if at() != next {
			t.Errorf("the branch is at %s, want %s", at(), next)
		}
		w.must(c.Move(t.Context(), r, Move{Branch: branch, From: next}))
		w.must(c.Move(t.Context(), r, Move{Branch: branch, From: next})) // again: it is gone
		moved(Move{Branch: branch, From: one, To: other}, "")
	})
}

func TestPullRequestIsOpenedOnceAndEditedOnlyWhenItDiffers(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"a": "a\n"})
	c := w.client()
	p, err := propose(t.Context(), c, w.one(c, askOf(r)), branch, change("a", "b\n"), "Title")
	w.must(err)
	again, err := c.OpenPullRequest(t.Context(), r.Name, Proposal{Head: branch, Base: "main", Title: "Other"})
	if err != nil || again.Number != p.Number || again.Title != "Title" {
		t.Errorf("opening again = %+v, %v; want #%d", again, err, p.Number)
	}
	got := w.spent(func() {
		again.Body = strings.ReplaceAll(again.Body, "\n", "\r\n") + "\n"
		if changed, err := c.EditPullRequest(t.Context(), again, "Title", p.Body); changed || err != nil {
			t.Errorf("an equal body: changed = %v, %v", changed, err)
		}
	})
	if got.API != 0 {
		t.Errorf("an equal body cost %d requests", got.API)
	}
	long := strings.Repeat("ü", 70_000)
	if changed, err := c.EditPullRequest(t.Context(), again, "Title", long); !changed || err != nil {
		t.Errorf("a long body: changed = %v, %v", changed, err)
	}
	refused, err := c.RequestReviewers(t.Context(), r.Name, p.Number, []string{"alice", "nobody-here"}, nil)
	if err != nil || !cmp.Equal(refused, []string{"nobody-here"}) {
		t.Errorf("reviewers: refused %v, %v; want nobody-here alone", refused, err)
	}
	w.must(c.RemoveLabel(t.Context(), r.Name, p.Number, "never there"))
	full, err := c.PullRequest(t.Context(), r.Name, p.Number)
	w.must(err)
	if full.Mergeable == nil || !*full.Mergeable {
		t.Errorf("mergeable = %v (%s), want true", full.Mergeable, full.MergeableState)
	}
	// People pushed: closing leaves their branch.
	theirs, err := w.alice.Push("acme/pay", branch, "mine", localhub.Edit{Files: map[string]string{"mine": "x"}})
	w.must(err)
	w.must(c.ClosePullRequest(t.Context(), r, Closing{Number: p.Number, Branch: branch, Head: p.Head.Commit, Key: "k", Comment: "Superseded."}))
	branches, err := w.hub.Branches("acme/pay")
	w.must(err)
	if branches[branch] != theirs {
		t.Errorf("the branch is at %q, want the person's %q", branches[branch], theirs)
	}
	pulls, err := w.hub.Pulls("acme/pay")
	w.must(err)
	if pulls[0].State != "closed" || len(pulls[0].Comments) != 1 {
		t.Errorf("pull request = %+v, want closed with a comment", pulls[0])
	}
	cmpd, err := c.Compare(t.Context(), r.Name, p.Head.Commit, theirs)
	w.must(err)
	if cmpd.Status != "ahead" || cmpd.Ahead != 1 || len(cmpd.Commits) != 1 || cmpd.Commits[0].ID != theirs || cmpd.Files[0].Path != "mine" {
		t.Errorf("comparison = %+v, want the person's commit", cmpd)
	}
}

func TestIssueIsOne(t *testing.T) {
	w := newWorld(t, how{})
	r := w.repository("pay", map[string]string{"a": "a\n"})
	c := w.client()
	// A person's issue with our marker in it is not ours.
	_, err := w.alice.OpenIssue("acme/pay", "Fake", marked("x", "inputs"))
	w.must(err)
	want := Issue{Key: "inputs", Title: "Inputs", Body: "Which?"}
	first, err := c.EnsureIssue(t.Context(), r.Name, want)
	w.must(err)
	w.must(c.CloseIssue(t.Context(), r.Name, "inputs", "Thank you."))
	w.must(c.CloseIssue(t.Context(), r.Name, "inputs", "Thank you."))
	again, err := c.EnsureIssue(t.Context(), r.Name, want)
	w.must(err)
	if again.Number != first.Number || again.State != "open" || again.Body != "Which?" {
		t.Errorf("again = %+v, want #%d open", again, first.Number)
	}
	other, err := c.EnsureIssue(t.Context(), r.Name, Issue{Key: "inputs--2 -->", Title: "Other", Body: "b"})
	w.must(err)
	if other.Number == first.Number {
		t.Error("another key gave the same issue")
	}
	if same, ok, err := c.FindIssue(t.Context(), r.Name, "inputs--2 -->"); err != nil || !ok || same.Number != other.Number {
		t.Errorf("FindIssue = %+v, %v, %v; want #%d", same, ok, err, other.Number)
	}
}
