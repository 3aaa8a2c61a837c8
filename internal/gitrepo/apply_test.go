package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

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
	dir := gittest.Repository(t, map[string]string{
		"edit": "1", "gone": "2", "d/only": "3", "run": "4", "unrun": "5", "tolink": "6", "keep": "7",
		"filetofolder": "8", "foldertofile/a": "9", "foldertofile/b/c": "10",
	})
	symlink(t, "keep", filepath.Join(dir, "tofile"))
	if err := os.Chmod(filepath.Join(dir, "unrun"), 0o755); err != nil {
		t.Fatal(err)
	}
	gittest.Commit(t, dir, "varied", nil)
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

// staged returns an applier that is ready to move files.
func staged(t *testing.T, dir string, changes map[string]*tree.File) *applier {
	t.Helper()
	m := open(t, dir)
	a, err := m.applier()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.work.close)
	if err := a.plan(changes); err != nil {
		t.Fatal(err)
	}
	if err := a.stage(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	return a
}

// A process that dies after any number of steps leaves what Recover completes.
func TestRecoverCompletes(t *testing.T) {
	changes := changing(everything())
	for k := 0; ; k++ {
		dir := varied(t)
		want := after(lying(t, dir), changes)
		a := staged(t, dir, changes)
		if k > len(a.journal.Steps) {
			break
		}
		for i := range k {
			if err := a.forward(i); err != nil {
				t.Fatal(err)
			}
		}
		checkRecovered(t, dir, want, fmt.Sprintf("after %d steps", k))
	}
}

// A process that dies while undoing leaves what Recover undoes.
func TestRecoverUndoes(t *testing.T) {
	changes := changing(everything())
	for k := range len(changes) {
		dir := varied(t)
		want := lying(t, dir)
		a := staged(t, dir, changes)
		for i := range min(k, len(a.journal.Steps)) {
			if err := a.forward(i); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.markUndo(); err != nil {
			t.Fatal(err)
		}
		checkRecovered(t, dir, want, fmt.Sprintf("undoing %d steps", k))
	}
}

func checkRecovered(t *testing.T, dir string, want tree.Tree, when string) {
	t.Helper()
	m := open(t, dir)
	if recovered, err := m.Recover(); !recovered || err != nil {
		t.Fatalf("%s: Recover = %v, %v", when, recovered, err)
	}
	if diff := cmp.Diff(want, lying(t, dir)); diff != "" {
		t.Errorf("%s mismatch (-want +got):\n%s", when, diff)
	}
	if recovered, err := m.Recover(); recovered || err != nil {
		t.Errorf("%s: the second Recover = %v, %v", when, recovered, err)
	}
}

func TestRecoverForgetsUnfinishedStaging(t *testing.T) {
	dir := varied(t)
	want := lying(t, dir)
	a := staged(t, dir, changing(everything()))
	if err := os.Remove(a.journalFile()); err != nil {
		t.Fatal(err)
	}
	checkRecovered(t, dir, want, "without a journal")
}

// What a person does between the crash and the recovery stays, and nothing is half
// applied around it.
func TestRecoverKeepsEdits(t *testing.T) {
	dir := varied(t)
	want := lying(t, dir)
	a := staged(t, dir, changing(everything()))
	for i := range 6 {
		if err := a.forward(i); err != nil {
			t.Fatal(err)
		}
	}
	gittest.Write(t, dir, "edit", "a person's")
	want["edit"] = tree.Text("a person's")
	checkRecovered(t, dir, want, "after an edit")
}

// A move that fails in the middle undoes those before it.
func TestApplyUndoesWhereAMoveFails(t *testing.T) {
	for i := range staged(t, varied(t), changing(everything())).journal.Steps {
		dir := varied(t)
		want := lying(t, dir)
		a := staged(t, dir, changing(everything()))
		s := a.journal.Steps[i]
		if s.New.absent() {
			continue
		}
		// The staged file is gone, as if the disk had lost it.
		if err := os.Remove(filepath.Join(a.dir, "new", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if err := a.finish(); err == nil {
			t.Errorf("%s: finish succeeded", s.Path)
		}
		if diff := cmp.Diff(want, lying(t, dir)); diff != "" {
			t.Errorf("%s mismatch (-want +got):\n%s", s.Path, diff)
		}
		if recovered, err := open(t, dir).Recover(); recovered || err != nil {
			t.Errorf("%s: Recover = %v, %v", s.Path, recovered, err)
		}
	}
}

// A file that changes under Apply's hands is its editor's.
func TestApplyNoticesEdits(t *testing.T) {
	dir := varied(t)
	want := lying(t, dir)
	a := staged(t, dir, changing(everything()))
	gittest.Write(t, dir, "run", "a person's")
	want["run"] = tree.Text("a person's")
	var changed *ChangedError
	if err := a.finish(); !errors.As(err, &changed) || changed.Path != "run" {
		t.Errorf("finish: %v, want a ChangedError", err)
	}
	if diff := cmp.Diff(want, lying(t, dir)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// A folder that is swapped for a link between planning and moving is not followed.
func TestApplyDoesNotFollowAFolderThatBecameALink(t *testing.T) {
	dir := varied(t)
	out := t.TempDir()
	gittest.Write(t, out, "only", "3") // just as it was
	a := staged(t, dir, changing(map[string]any{"d/only": "overwritten"}))
	a.work.forget("d")
	if err := os.RemoveAll(filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	symlink(t, out, filepath.Join(dir, "d"))
	if err := a.finish(); err == nil {
		t.Error("finish succeeded")
	}
	if data, _ := os.ReadFile(filepath.Join(out, "only")); string(data) != "3" {
		t.Errorf("the file outside became %q", data)
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

// Whatever is there and whatever is asked for: Apply does all of it or nothing, and
// a crash at any step is recovered from.
func TestApplyIsAllOrNothing(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, nil)
	names := []string{"a", "b", "d", "d/x", "d/y", "d/e/z", "b/c"}
	content := rapid.Custom(func(t *rapid.T) *tree.File {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			f := tree.Script(rapid.SampledFrom([]string{"1", "2"}).Draw(t, "text"))
			return &f
		case 2:
			f := tree.Link("k")
			return &f
		}
		f := tree.Text(rapid.SampledFrom([]string{"1", "2"}).Draw(t, "text"))
		return &f
	})
	rapid.Check(t, func(t *rapid.T) {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Name() != ".git" {
				_ = os.RemoveAll(filepath.Join(dir, d.Name()))
			}
		}
		for _, p := range names {
			if f := content.Draw(t, "before "+p); f != nil {
				// What cannot be there beside the others is left out.
				full := filepath.Join(dir, p)
				_ = os.MkdirAll(filepath.Dir(full), 0o777)
				_ = writeStaged(full, *f, 0)
			}
		}
		changes := map[string]*tree.File{}
		for _, p := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(t, "paths") {
			changes[p] = content.Draw(t, "change "+p)
		}
		before := lying(t, dir)
		m, err := OpenMember(dir)
		if err != nil {
			t.Fatal(err)
		}
		a, err := m.applier()
		if err != nil {
			t.Fatal(err)
		}
		defer a.work.close()
		if err := a.plan(changes); err != nil {
			if err := m.Apply(context.Background(), changes); err == nil {
				t.Fatal("Apply did what its plan refuses")
			}
			if diff := cmp.Diff(before, lying(t, dir)); diff != "" {
				t.Fatalf("refused, yet mismatch (-want +got):\n%s", diff)
			}
			return
		}
		if err := a.stage(context.Background(), changes); err != nil {
			t.Fatal(err)
		}
		for i := range rapid.IntRange(0, len(a.journal.Steps)).Draw(t, "steps") {
			if err := a.forward(i); err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
		}
		want := after(before, changes)
		if rapid.Bool().Draw(t, "undo") {
			want = before
			if err := a.markUndo(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.Recover(); err != nil {
			t.Fatal(err)
		}
		got := lying(t, dir)
		if slices.ContainsFunc(want.Paths(), func(p string) bool { return p[len(p)-1] == '/' }) {
			return // folders that were empty before may go
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("mismatch (-want +got):\n%s", diff)
		}
	})
}
