package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

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

// A link in a folder's place does not hide that the folder's files are gone.
func TestRecoverCompletesALinkInAFoldersPlace(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"b/c": "1", "k": "2"})
	link := tree.Link("k")
	changes := map[string]*tree.File{"b/c": nil, "b": &link}
	want := after(lying(t, dir), changes)
	a := staged(t, dir, changes)
	for i := range a.journal.Steps {
		if err := a.forward(i); err != nil {
			t.Fatal(err)
		}
	}
	checkRecovered(t, dir, want, "with every step done")
}

// A folder in a link's place is finished, and undone, wherever the process died.
func TestRecoverAFolderInALinksPlace(t *testing.T) {
	gittest.Isolate(t)
	f := tree.Text("1")
	changes := map[string]*tree.File{"l": nil, "l/d/c": &f, "l/e": &f}
	for k := range len(changes) + 1 {
		for _, undo := range []bool{false, true} {
			dir := gittest.Repository(t, map[string]string{"k/d/c": "0", "k/e": "0"})
			symlink(t, "k", filepath.Join(dir, "l"))
			want := lying(t, dir)
			a := staged(t, dir, changes)
			for i := range k {
				if err := a.forward(i); err != nil {
					t.Fatal(err)
				}
			}
			if undo {
				if err := a.markUndo(); err != nil {
					t.Fatal(err)
				}
			} else {
				want = after(want, changes)
			}
			checkRecovered(t, dir, want, fmt.Sprintf("after %d steps, undo %t", k, undo))
		}
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
