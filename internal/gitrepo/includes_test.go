package gitrepo

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

// TestIncludes makes a branch of two commits and says, for ways in which it can come
// into main, whether main has all of it.
func TestIncludes(t *testing.T) {
	for _, c := range []struct {
		name string
		come func(t *testing.T, dir string)
		want bool
	}{
		{"not at all", func(*testing.T, string) {}, false},
		{"merged", func(t *testing.T, dir string) { gittest.Git(t, dir, "merge", "--no-ff", "-m", "m", "side") }, true},
		{"squashed", squash, true},
		{"squashed, and main went on", func(t *testing.T, dir string) {
			squash(t, dir)
			gittest.Commit(t, dir, "on", map[string]string{"other": "2"})
		}, true},
		{"squashed, and changed since", func(t *testing.T, dir string) {
			squash(t, dir)
			gittest.Commit(t, dir, "on", map[string]string{"b": "3"})
		}, true},
		{"squashed, changed since, and on another branch that was merged", func(t *testing.T, dir string) {
			squash(t, dir)
			gittest.Git(t, dir, "checkout", "-q", "-b", "more")
			gittest.Commit(t, dir, "more", map[string]string{"a": "3", "gone": "again"})
			gittest.Git(t, dir, "checkout", "-q", "main")
			gittest.Commit(t, dir, "on", map[string]string{"other": "2"})
			gittest.Git(t, dir, "merge", "-q", "--no-edit", "more")
		}, true},
		{"squashed with a change of one's own", func(t *testing.T, dir string) {
			gittest.Git(t, dir, "merge", "-q", "--squash", "side")
			gittest.Commit(t, dir, "squashed, but", map[string]string{"b": "3"})
			gittest.Commit(t, dir, "on", map[string]string{"b": "2", "a": "3"})
		}, false},
		{"squashed on a branch that is not merged as a whole", func(t *testing.T, dir string) {
			gittest.Git(t, dir, "checkout", "-q", "-b", "more")
			squash(t, dir)
			gittest.Git(t, dir, "checkout", "-q", "main")
			gittest.Git(t, dir, "merge", "-q", "-s", "ours", "--no-edit", "more")
		}, false},
		{"a file became a folder since", func(t *testing.T, dir string) {
			squash(t, dir)
			gittest.Git(t, dir, "rm", "-q", "a")
			gittest.Commit(t, dir, "on", map[string]string{"a/b": "2"})
		}, true},
		{"one of two picked", func(t *testing.T, dir string) { gittest.Git(t, dir, "cherry-pick", "side~1") }, false},
		{"both picked onto something else", func(t *testing.T, dir string) {
			gittest.Commit(t, dir, "on", map[string]string{"other": "2"})
			gittest.Git(t, dir, "cherry-pick", "side~1", "side")
		}, true},
		{"squashed, the branch had merged main", func(t *testing.T, dir string) {
			gittest.Commit(t, dir, "on", map[string]string{"other": "2"})
			gittest.Git(t, dir, "checkout", "-q", "side")
			gittest.Git(t, dir, "merge", "-q", "--no-edit", "main")
			gittest.Git(t, dir, "checkout", "-q", "main")
			squash(t, dir)
		}, true},
		{"squashed without an empty commit", func(t *testing.T, dir string) {
			squash(t, dir)
			gittest.Git(t, dir, "checkout", "-q", "side")
			gittest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "says something")
			gittest.Git(t, dir, "checkout", "-q", "main")
		}, false},
		{"squashed without a submodule that the branch added", func(t *testing.T, dir string) {
			squash(t, dir)
			gittest.Git(t, dir, "checkout", "-q", "side")
			gittest.Git(t, dir, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",sub")
			gittest.Git(t, dir, "commit", "-q", "-m", "submodule")
			gittest.Git(t, dir, "checkout", "-q", "-f", "main")
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := gittest.Repository(t, map[string]string{"a": "1", "b": "1", "gone": "1", "other": "1"})
			gittest.Git(t, dir, "checkout", "-q", "-b", "side")
			gittest.Commit(t, dir, "one", map[string]string{"a": "2"})
			gittest.Git(t, dir, "rm", "-q", "gone")
			gittest.Commit(t, dir, "two", map[string]string{"b": "2"})
			gittest.Git(t, dir, "checkout", "-q", "main")
			c.come(t, dir)
			m := open(t, dir)
			got, err := m.Includes(gittest.Git(t, dir, "rev-parse", "main"), gittest.Git(t, dir, "rev-parse", "side"))
			if err != nil || got != c.want {
				t.Errorf("Includes = %v, %v; want %v", got, err, c.want)
			}
		})
	}
	m := open(t, gittest.Repository(t, map[string]string{"a": "1"}))
	head, _ := m.Head()
	if got, err := m.Includes(head.Commit, strings.Repeat("1", 40)); got || err != nil {
		t.Errorf("Includes of a commit that is not here = %v, %v; want false", got, err)
	}
}

func squash(t *testing.T, dir string) {
	gittest.Git(t, dir, "merge", "-q", "--squash", "side")
	gittest.Git(t, dir, "commit", "-q", "-m", "squashed")
}

func TestPrepare(t *testing.T) {
	dir := varied(t)
	m := open(t, dir)
	head, err := m.Head()
	if err != nil {
		t.Fatal(err)
	}
	first, err := m.Prepare(example("new", head.Commit, "", map[string]any{"x": "1"}))
	if err != nil {
		t.Fatal(err)
	}
	if tip, _ := m.BranchTip("new"); tip != "" {
		t.Errorf("Prepare made the branch, at %s", tip)
	}
	later := example("new", head.Commit, "", map[string]any{"x": "1"})
	later.When, later.Message = later.When.AddDate(0, 0, 1), "Again\n"
	again, err := m.Prepare(later)
	if err != nil {
		t.Fatal(err)
	}
	other, err := m.Prepare(example("new", head.Commit, "", map[string]any{"x": "2"}))
	if err != nil {
		t.Fatal(err)
	}
	if first == again || !m.SameCommit(first, again) || m.SameCommit(first, other) || m.SameCommit(first, head.Commit) || m.SameCommit(first, strings.Repeat("1", 40)) {
		t.Errorf("SameCommit does not go by files and parents alone: %s %s %s", first, again, other)
	}
	if err := m.MoveBranch("new", "", first); err != nil {
		t.Fatal(err)
	}
	if tip := gittest.Git(t, dir, "rev-parse", "new"); tip != first {
		t.Errorf("the branch is at %s, want %s", tip, first)
	}
	gittest.Git(t, dir, "fsck", "--strict")
}
