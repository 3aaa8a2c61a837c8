package gitrepo

import (
	"path/filepath"
	"testing"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// git clone --shared and --reference leave the objects in another repository's packs.
func TestObjectsOfAlternates(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"goldenpaths/go/goldenpath.yaml": "name: go\n"})
	gittest.Git(t, dir, "gc", "-q")
	clone := filepath.Join(t.TempDir(), "clone")
	gittest.Git(t, dir, "clone", "-q", "--shared", dir, clone)
	borrowing := filepath.Join(t.TempDir(), "borrowing")
	gittest.Git(t, dir, "clone", "-q", "--reference", dir, "file://"+filepath.ToSlash(dir), borrowing)
	const p = "goldenpaths/go/goldenpath.yaml"
	want := tree.Text("name: go\n")
	for _, dir := range []string{clone, borrowing} {
		m := open(t, dir)
		head := gittest.Git(t, dir, "rev-parse", "HEAD")
		if files, err := m.CommitFiles(head, []string{p}); err != nil || !files[p].Equal(want) {
			t.Errorf("CommitFiles = %v, %v", files, err)
		}
		if data, ok, err := m.Blob(want.Blob()); err != nil || !ok || string(data) != string(want.Data) {
			t.Errorf("Blob = %q, %t, %v", data, ok, err)
		}
		if files, err := openSource(t, &Cache{}, dir).Tree(t.Context(), head); err != nil || !files[p].Equal(want) {
			t.Errorf("Tree = %v, %v", files, err)
		}
		if _, ok, err := m.Blob(tree.Text("nowhere").Blob()); ok || err != nil {
			t.Errorf("Blob of what is nowhere = %t, %v", ok, err)
		}
	}
}
