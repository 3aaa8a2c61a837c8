package gitrepo

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// withSubmodule makes a repository with folders, a link and a submodule, which is
// checked out or not.
func withSubmodule(t *testing.T, checkedOut bool) string {
	t.Helper()
	other := gittest.Repository(t, map[string]string{"x": "other"})
	from := gittest.Repository(t, map[string]string{"file": "f", "dir/a": "a", "dir/deep/b": "b", "mixed/a": "a"})
	symlink(t, "dir", filepath.Join(from, "link"))
	gittest.Git(t, from, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other, "sub")
	gittest.Git(t, from, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other, "mixed/sub")
	gittest.Commit(t, from, "submodules", nil)
	if checkedOut {
		return from
	}
	dir := t.TempDir()
	gittest.Git(t, dir, "clone", "-q", from, ".")
	return dir
}

var obstructed = []string{"file", "file/x", "file/x/y", "dir", "dir/deep", "dir/deep/b/x", "dir/none", "link", "link/a", "sub", "sub/x", "sub/y/z", "mixed", "mixed/sub", "mixed/sub/x", "none/x"}

// A work tree, its commit and a sparse checkout of it show the same.
func TestObstaclesAreTheSameEverywhere(t *testing.T) {
	gittest.Isolate(t)
	for name, c := range map[string]struct {
		checkedOut bool
		sparse     []string
	}{
		"submodules checked out": {true, nil}, "submodules not checked out": {false, nil},
		"sparse": {false, []string{"--no-sparse-index"}}, "sparse index": {false, []string{"--sparse-index"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := withSubmodule(t, c.checkedOut)
			if c.sparse != nil {
				gittest.Git(t, dir, "sparse-checkout", "set", "--cone", c.sparse[0], "none")
			}
			m := open(t, dir)
			head, err := m.Head()
			if err != nil {
				t.Fatal(err)
			}
			submodule := tree.File{Kind: tree.Submodule}
			want := tree.Tree{
				"file": tree.Text("f"), "dir": tree.FolderOf([]string{"a", "deep/b"}), "dir/deep": tree.FolderOf([]string{"b"}),
				"dir/deep/b": tree.Text("b"), "link": tree.Link("dir"), "sub": submodule, "mixed": tree.FolderOf([]string{"a", "sub"}), "mixed/sub": submodule,
			}
			everywhere(t, m, head.Commit, obstructed, want)
			// What differs only in letter case is told where nothing is at the path itself.
			everywhere(t, m, head.Commit, []string{"FILE"}, tree.Tree{"file": want["file"]})
			everywhere(t, m, head.Commit, []string{"Dir", "file"}, tree.Tree{"dir": want["dir"], "file": want["file"]})
			everywhere(t, m, head.Commit, []string{"DIR/A", "dir/Deep/B", "DIR/none"}, tree.Tree{"dir/a": tree.Text("a"), "dir/deep/b": tree.Text("b")})
			everywhere(t, m, head.Commit, []string{"Link/x", "Sub/x/y", "mixed/SUB"}, tree.Tree{"link": want["link"], "sub": submodule, "mixed/sub": submodule})
		})
	}
}

// everywhere checks what a work tree and its commit have at paths.
func everywhere(t *testing.T, m *Member, commit string, paths []string, want tree.Tree) {
	t.Helper()
	committed, err := m.CommitFiles(commit, paths)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, committed); diff != "" {
		t.Errorf("commit: mismatch (-want +got):\n%s", diff)
	}
	work, err := m.WorkFiles(paths)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, work); diff != "" {
		t.Errorf("work tree: mismatch (-want +got):\n%s", diff)
	}
}

// A work tree has more than git knows of.
func TestObstaclesOfADisk(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{".gitignore": "*.o\n", "a": "a"})
	gittest.Write(t, dir, "ignored/x.o", "x")
	gittest.Write(t, dir, "untracked/y", "y")
	gittest.Write(t, dir, "nested/z", "z")
	gittest.Git(t, filepath.Join(dir, "nested"), "init", "-q")
	if err := os.MkdirAll(filepath.Join(dir, "empty", "deep"), 0o777); err != nil {
		t.Fatal(err)
	}
	socket(t, filepath.Join(dir, "socket"))
	got, err := open(t, dir).WorkFiles([]string{"ignored", "untracked", "nested", "nested/z", "empty", "empty/deep", "socket", "socket/x"})
	if err != nil {
		t.Fatal(err)
	}
	want := tree.Tree{
		"ignored": tree.FolderOf([]string{"x.o"}), "untracked": tree.FolderOf([]string{"y"}),
		"nested": {Kind: tree.Submodule}, "socket": {Kind: tree.Other},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// A folder where nothing is committed is no change of the path itself.
func TestFolderIsNoUncommittedChange(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"docs/a": "a", "file": "f"})
	if err := os.Remove(filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	gittest.Write(t, dir, "file/x", "x")
	if diff := cmp.Diff([]string{"file", "file/x"}, uncommitted(t, dir, "docs", "docs/a", "file", "file/x")); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// Whatever is planned, nothing is written over what is in the way.
func TestApplyStopsAtObstacles(t *testing.T) {
	gittest.Isolate(t)
	dir := withSubmodule(t, false)
	f := tree.Text("x")
	for _, p := range []string{"file/x", "dir", "link/a", "sub", "sub/x", "mixed/sub", "mixed/sub/x", "mixed"} {
		err := open(t, dir).Apply(context.Background(), map[string]*tree.File{p: &f})
		if _, is := errors.AsType[*NotFileError](err); !is {
			t.Errorf("Apply(%s) = %v, want a NotFileError", p, err)
		}
	}
	if out := gittest.Git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("git says %q", out)
	}
}

// socket makes what is neither a file nor a folder.
func socket(t *testing.T, at string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", at)
	if err != nil {
		t.Skipf("no sockets here: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
}
