package gitrepo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// sparse makes a repository of which only the folder "in" and the root's files are
// checked out.
func sparse(t *testing.T, options ...string) string {
	t.Helper()
	dir := gittest.Repository(t, map[string]string{"root": "r\n", "in/a": "a\n", "out/b": "b\n", "out/deep/c": "c\n", ".gitattributes": "out/* text\n"})
	gittest.Git(t, dir, append(append([]string{"sparse-checkout", "set"}, options...), "in")...)
	if _, err := os.Stat(filepath.Join(dir, "out")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the checkout is not sparse: %v", err)
	}
	return dir
}

// What is left out is there: read from the index, and no uncommitted change.
func TestSparseFilesAreReadFromTheIndex(t *testing.T) {
	gittest.Isolate(t)
	for _, options := range [][]string{{"--cone", "--no-sparse-index"}, {"--cone", "--sparse-index"}} {
		t.Run(options[1], func(t *testing.T) {
			dir := sparse(t, options...)
			paths := []string{"root", "in/a", "out/b", "out/deep/c", "out/none", "none"}
			m := open(t, dir)
			got, err := m.WorkFiles(paths)
			if err != nil {
				t.Fatal(err)
			}
			want := tree.Tree{"root": tree.Text("r\n"), "in/a": tree.Text("a\n"), "out/b": tree.Text("b\n"), "out/deep/c": tree.Text("c\n")}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
			if got := uncommitted(t, dir, paths...); len(got) > 0 {
				t.Errorf("uncommitted: %v", got)
			}
			// A file that lies there nevertheless counts, as it does for git.
			gittest.Write(t, dir, "out/b", "mine\r\n")
			if got, err = m.WorkFiles([]string{"out/b"}); err != nil || string(got["out/b"].Data) != "mine\n" {
				t.Errorf("WorkFiles = %q, %v", got["out/b"].Data, err)
			}
			if out := gittest.Git(t, dir, "status", "--porcelain"); out != " M out/b" {
				t.Errorf("git says %q", out)
			}
		})
	}
}

// Nothing is written where nothing is checked out, and nothing else is, either.
func TestApplyAndSparseFiles(t *testing.T) {
	gittest.Isolate(t)
	dir := sparse(t, "--cone", "--no-sparse-index")
	m := open(t, dir)
	same, other := tree.Text("b\n"), tree.Text("other\n")
	err := m.Apply(context.Background(), map[string]*tree.File{"in/a": &other, "out/b": &other, "out/deep/c": nil})
	missing, is := errors.AsType[*SparseError](err)
	if !is {
		t.Fatalf("Apply = %v, want a SparseError", err)
	}
	if diff := cmp.Diff([]string{"out/b", "out/deep/c"}, missing.Paths); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if out := gittest.Git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("git says %q", out)
	}
	if err := m.Apply(context.Background(), map[string]*tree.File{"in/a": &other, "out/b": &same}); err != nil {
		t.Fatal(err)
	}
	if out := gittest.Git(t, dir, "status", "--porcelain"); out != " M in/a" {
		t.Errorf("git says %q", out)
	}
}

// Where somebody told git to overlook a file, what is staged counts, and the file on
// disk is left alone.
func TestSkippedFilesAreAsStaged(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"local": "shared\n"})
	gittest.Git(t, dir, "update-index", "--skip-worktree", "local")
	gittest.Write(t, dir, "local", "private\n")
	m := open(t, dir)
	got, err := m.WorkFiles([]string{"local"})
	if err != nil || string(got["local"].Data) != "shared\n" {
		t.Errorf("WorkFiles = %q, %v", got["local"].Data, err)
	}
	other := tree.Text("other\n")
	if err := m.Apply(context.Background(), map[string]*tree.File{"local": &other}); err == nil {
		t.Error("Apply overwrote a file that git is told to overlook")
	}
	if text := onDisk(t, dir, "local"); text != "private\n" {
		t.Errorf("local is %q", text)
	}
}
