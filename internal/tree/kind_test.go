package tree_test

import (
	"slices"
	"testing"

	"github.com/goldenpaths/syncer/internal/tree"
)

func TestFolderHasNames(t *testing.T) {
	names := []string{"a b", "c/d", "new\nline"}
	if got := tree.FolderOf(names).Names(); !slices.Equal(got, names) {
		t.Errorf("Names = %q", got)
	}
	if got := tree.FolderOf(nil).Names(); len(got) != 0 {
		t.Errorf("an empty folder has %q", got)
	}
	if got := tree.Text("a").Names(); len(got) != 0 {
		t.Errorf("a file has %q", got)
	}
	for kind, is := range map[tree.Kind]bool{tree.Regular: true, tree.Executable: true, tree.Symlink: true, tree.Folder: false, tree.Submodule: false, tree.Other: false, 0: false} {
		if kind.IsFile() != is {
			t.Errorf("%s: IsFile = %t", kind, !is)
		}
	}
}
