package gitrepo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// lying returns every file below dir but git's.
func lying(t rapid.TB, dir string) tree.Tree {
	t.Helper()
	files := tree.Tree{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil // a linked work tree's
		}
		name, _ := filepath.Rel(dir, p)
		name = filepath.ToSlash(name)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			files[name] = tree.Link(target)
			return err
		case d.IsDir():
			if list, _ := os.ReadDir(p); len(list) == 0 && p != dir {
				files[name+"/"] = tree.Text("an empty folder")
			}
			return nil
		}
		data, err := os.ReadFile(p)
		f := tree.File{Kind: tree.Regular, Data: data}
		if info, _ := d.Info(); info.Mode()&0o100 != 0 {
			f.Kind = tree.Executable
		}
		files[name] = f
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// changing builds a change: nil deletes.
func changing(files map[string]any) map[string]*tree.File {
	changes := map[string]*tree.File{}
	for p, f := range files {
		switch f := f.(type) {
		case nil:
			changes[p] = nil
		case string:
			text := tree.Text(f)
			changes[p] = &text
		case tree.File:
			changes[p] = &f
		}
	}
	return changes
}

// after is what should lie there once changes are applied.
func after(before tree.Tree, changes map[string]*tree.File) tree.Tree {
	want := before.Clone()
	for p, f := range changes {
		delete(want, p)
		if f != nil {
			want[p] = *f
		}
	}
	return want
}

func everything() map[string]any {
	return map[string]any{
		"edit": "edited", "new": "n", "deep/er/new": "n", "gone": nil, "d/only": nil, "absent": nil,
		"run": tree.Script("#!new"), "unrun": tree.Text("plain"), "tolink": tree.Link("edit"), "tofile": "was a link",
		"filetofolder": nil, "filetofolder/x": "x", "foldertofile/a": nil, "foldertofile/b/c": nil, "foldertofile": "file",
	}
}

func varied(t *testing.T) string {
	t.Helper()
	gittest.Isolate(t)
	gittest.Need(t)
	dir := t.TempDir()
	_, err := Create(dir, tree.Tree{
		"edit": tree.Text("1"), "gone": tree.Text("2"), "d/only": tree.Text("3"), "run": tree.Text("4"),
		"unrun": tree.Script("5"), "tolink": tree.Text("6"), "keep": tree.Text("7"), "tofile": tree.Link("keep"),
		"filetofolder": tree.Text("8"), "foldertofile/a": tree.Text("9"), "foldertofile/b/c": tree.Text("10"),
	}, "varied", Author{Name: "A", Email: "a@example.com"}, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestApply(t *testing.T) {
	dir := varied(t)
	if err := os.Chmod(filepath.Join(dir, "edit"), 0o600); err != nil {
		t.Fatal(err)
	}
	changes := changing(everything())
	want := after(lying(t, dir), changes)
	m := open(t, dir)
	if err := m.Apply(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, lying(t, dir)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if info, _ := os.Stat(filepath.Join(dir, "edit")); info.Mode().Perm() != 0o600 {
		t.Errorf("the file's permissions became %v", info.Mode())
	}
	if staged := gittest.Git(t, dir, "diff", "--cached", "--name-only"); staged != "" {
		t.Errorf("something was staged: %s", staged)
	}
	gittest.Git(t, dir, "fsck", "--strict")
	if recovered, err := m.Recover(); recovered || err != nil {
		t.Errorf("Recover after success = %v, %v", recovered, err)
	}
	if err := m.Apply(t.Context(), changes); err != nil {
		t.Errorf("applying the same again: %v", err)
	}
}

func TestApplyRefuses(t *testing.T) {
	dir := varied(t)
	out := t.TempDir()
	gittest.Write(t, out, "x", "outside")
	symlink(t, out, filepath.Join(dir, "out"))
	symlink(t, "d", filepath.Join(dir, "in"))
	symlink(t, ".git", filepath.Join(dir, "git"))
	gittest.Git(t, dir, "init", "-q", "nested")
	gittest.Write(t, dir, "loose", "untracked")
	before := lying(t, dir)
	for p, f := range map[string]any{
		"out/x": "w", "out/y/z": "w", "in/only": "w", "git/config": "w", "d": "w", "keep/x": "w", "nested/x": "w",
		"../x": "w", "/etc/x": "w", ".git/hooks/x": "w", ".GIT/x": "w", "a/../../x": "w", "nul": "w", "foldertofile": "w",
		"link": tree.Link("/etc/passwd"), "link2": tree.Link("../x"), "odd": tree.File{Kind: 0o160000},
	} {
		changes := changing(map[string]any{"edit": "must not be written", p: f})
		if err := open(t, dir).Apply(t.Context(), changes); err == nil {
			t.Errorf("writing %q succeeded", p)
		}
		if diff := cmp.Diff(before, lying(t, dir)); diff != "" {
			t.Fatalf("writing %q mismatch (-want +got):\n%s", p, diff)
		}
	}
	for _, p := range []string{"out/x", "in/only", "nested/x", "git/config"} {
		if err := open(t, dir).Apply(t.Context(), changing(map[string]any{"edit": nil, p: nil})); err == nil {
			t.Errorf("deleting %q succeeded", p)
		}
	}
	if diff := cmp.Diff(before, lying(t, dir)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if data, err := os.ReadFile(filepath.Join(out, "x")); err != nil || string(data) != "outside" {
		t.Errorf("outside: %q, %v", data, err)
	}
}

func TestApplyCancelled(t *testing.T) {
	dir := varied(t)
	want := lying(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, dir).Apply(ctx, changing(everything())); !errors.Is(err, context.Canceled) {
		t.Errorf("Apply: %v", err)
	}
	if diff := cmp.Diff(want, lying(t, dir)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// A disk that is full fails before a file is touched.
func TestApplyOnAFullDisk(t *testing.T) {
	gittest.Isolate(t)
	gittest.Need(t)
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot make a small file system here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	gittest.Git(t, dir, "init", "-q", "-b", "main")
	gittest.Commit(t, dir, "first", map[string]string{"a": "1", "b": "2"})
	want := lying(t, dir)
	err := open(t, dir).Apply(t.Context(), changing(map[string]any{"a": "new", "b": string(make([]byte, 3<<20)), "c": "new"}))
	if err == nil {
		t.Error("Apply succeeded on a full disk")
	}
	if diff := cmp.Diff(want, lying(t, dir)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if err := open(t, dir).Apply(t.Context(), changing(map[string]any{"a": "new"})); err != nil {
		t.Errorf("a small change after that: %v", err)
	}
}

// In a linked work tree and in a submodule git's folder is elsewhere.
func TestApplyWhereGitsFolderIsElsewhere(t *testing.T) {
	dir := varied(t)
	linked := filepath.Join(t.TempDir(), "linked")
	gittest.Git(t, dir, "worktree", "add", "-q", "-b", "other", linked)
	changes := changing(everything())
	want := after(lying(t, linked), changes)
	if err := open(t, linked).Apply(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, lying(t, linked)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if out := gittest.Git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("the main work tree changed: %s", out)
	}
}

// copyInto is what moves files between file systems.
func TestCopyInto(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	root, err := os.OpenRoot(to)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	want := tree.Tree{"text": tree.Text("x"), "run": tree.Script("y"), "link": tree.Link("text")}
	for p, f := range want {
		if err := writeStaged(filepath.Join(from, p), f, 0); err != nil {
			t.Fatal(err)
		}
		gittest.Write(t, to, p, "before")
		if err := copyInto(filepath.Join(from, p), root, p); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, lying(t, to)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// Where the disk does not tell letters apart, a file that is renamed in case only
// is not deleted. The setting stands in for such a disk.
func TestApplyKeepsWhatIsRenamedInCase(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"Readme.md": "1", "other": "2"})
	gittest.Git(t, dir, "config", "core.ignorecase", "true")
	f := tree.Text("1")
	if err := open(t, dir).Apply(t.Context(), map[string]*tree.File{"Readme.md": nil, "README.md": &f, "other": nil}); err != nil {
		t.Fatal(err)
	}
	got := lying(t, dir)
	if _, kept := got["Readme.md"]; !kept {
		t.Errorf("the file is gone on a disk that has one name for both: %v", got.Paths())
	}
	if _, kept := got["other"]; kept {
		t.Error("a file that was deleted is still there")
	}
}
