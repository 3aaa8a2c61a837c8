package gitrepo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

func example(branch, parent, expect string, changes map[string]any) Commit {
	return Commit{
		Branch: branch, Parent: parent, Expect: expect, Changes: changing(changes), Message: "Bring it up to date\n",
		Author: Author{Name: "A <U> Thor", Email: "a@example.com"}, When: time.Date(2026, 11, 2, 3, 4, 5, 6, time.FixedZone("", 3600)),
	}
}

func TestCommit(t *testing.T) {
	dir := varied(t)
	m := open(t, dir)
	head, err := m.Head()
	if err != nil {
		t.Fatal(err)
	}
	files, err := m.CommitFiles(head.Commit, []string{"edit", "gone", "d/only", "run", "unrun", "tolink", "keep", "tofile", "filetofolder", "foldertofile/a", "foldertofile/b/c"})
	if err != nil {
		t.Fatal(err)
	}
	before := lying(t, dir)
	id, err := m.Commit(example("goldenpath/go-service", head.Commit, "", everything()))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Entry{}
	for p, f := range after(files, changing(everything())) {
		want[p] = Entry{f.Kind, f.Blob()}
	}
	got, err := m.Entries(id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, lying(t, dir)); diff != "" {
		t.Errorf("the work tree changed (-want +got):\n%s", diff)
	}
	gittest.Git(t, dir, "fsck", "--strict")
	if out := gittest.Git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("git status: %s", out)
	}
	log := gittest.Git(t, dir, "log", "-1", "--format=%H %P %an %ae %cI%n%B", "goldenpath/go-service")
	wantLog := id + " " + head.Commit + " A U Thor a@example.com 2026-11-02T03:04:05+01:00\nBring it up to date\n"
	if diff := cmp.Diff(strings.TrimSpace(wantLog), strings.TrimSpace(log)); diff != "" {
		t.Errorf("git log mismatch (-want +got):\n%s", diff)
	}
	// What git itself makes of the same changes is the same tree.
	gittest.Git(t, dir, "checkout", "-q", "goldenpath/go-service")
	gittest.Git(t, dir, "add", "-A")
	if tree, ours := gittest.Git(t, dir, "write-tree"), gittest.Git(t, dir, "rev-parse", id+"^{tree}"); tree != ours {
		t.Errorf("git writes tree %s, we wrote %s", tree, ours)
	}
}

func TestCommitRefuses(t *testing.T) {
	dir := varied(t)
	linked := filepath.Join(t.TempDir(), "linked")
	gittest.Git(t, dir, "worktree", "add", "-q", "-b", "shown", linked)
	m := open(t, dir)
	tip, _ := m.BranchTip("main")
	for _, branch := range []string{"main", "shown"} {
		var shown *CheckedOutError
		if _, err := m.Commit(example(branch, tip, tip, nil)); !errors.As(err, &shown) {
			t.Errorf("%s, which is checked out: %v", branch, err)
		}
	}
	if _, err := open(t, linked).Commit(example("main", tip, tip, nil)); err == nil {
		t.Error("main, which is checked out in the main work tree, was moved from a linked one")
	}
	gittest.Git(t, dir, "branch", "there")
	gittest.Git(t, dir, "pack-refs", "--all")
	var moved *RefMovedError
	if _, err := m.Commit(example("there", tip, "", nil)); !errors.As(err, &moved) || moved.Found != tip {
		t.Errorf("a branch that exists: %v", err)
	}
	if _, err := m.Commit(example("absent", tip, tip, nil)); !errors.As(err, &moved) || moved.Found != "" {
		t.Errorf("a branch that does not exist: %v", err)
	}
	for _, branch := range []string{"there/below", "bad..name", "x.lock", "", "a b", "../../x"} {
		if id, err := m.Commit(example(branch, tip, "", nil)); err == nil {
			t.Errorf("branch %q: made %s", branch, id)
		}
	}
	for p, f := range map[string]any{"../x": "w", ".git/x": "w", "a/.Git/x": "w", "keep/x": "w", "d": "w", "l": tree.Link("../x"), "": "w"} {
		if id, err := m.Commit(example("new", tip, "", map[string]any{p: f})); err == nil {
			t.Errorf("path %q: made %s", p, id)
		}
	}
	if tip, _ := m.BranchTip("new"); tip != "" {
		t.Errorf("a refused commit moved the branch to %s", tip)
	}
}

func TestCommitMovesPackedBranch(t *testing.T) {
	dir := varied(t)
	gittest.Git(t, dir, "branch", "side")
	gittest.Git(t, dir, "pack-refs", "--all")
	m := open(t, dir)
	tip, _ := m.BranchTip("side")
	id, err := m.Commit(example("side", tip, tip, map[string]any{"x": "y"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := gittest.Git(t, dir, "rev-parse", "side"); got != id {
		t.Errorf("side is at %s, want %s", got, id)
	}
}

// Of those who want to move a branch from the same place, one does.
func TestCommitRace(t *testing.T) {
	dir := varied(t)
	tip, _ := open(t, dir).BranchTip("main")
	const racers = 8
	errs := make([]error, racers)
	var wg sync.WaitGroup
	for i := range racers {
		m := open(t, dir)
		wg.Go(func() { _, errs[i] = m.Commit(example("raced", tip, "", map[string]any{"x": fmt.Sprint(i)})) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		var moved *RefMovedError
		switch {
		case err == nil:
			won++
		case !errors.As(err, &moved):
			t.Errorf("a loser's error: %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d commits won, want 1", won)
	}
	gittest.Git(t, dir, "fsck", "--strict")
}

func TestCommitHonoursGitsLock(t *testing.T) {
	dir := varied(t)
	gittest.Write(t, dir, ".git/refs/heads/held.lock", "")
	if _, err := open(t, dir).Commit(example("held", "", "", map[string]any{"x": "y"})); err == nil || !strings.Contains(err.Error(), "held.lock") {
		t.Errorf("Commit: %v", err)
	}
}

func TestCreate(t *testing.T) {
	gittest.Isolate(t)
	gittest.Need(t)
	files := tree.Tree{
		"README.md": tree.Text("# Pay\n"), "bin/run": tree.Script("#!/bin/sh\n"), "a/b/c.txt": tree.Text("c"),
		"link": tree.Link("a/b/c.txt"), "bin.txt": tree.Text("sorts between"), "empty": tree.Text(""),
	}
	when := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	author := Author{Name: "A", Email: "a@example.com"}
	existing := t.TempDir()
	for _, dir := range []string{filepath.Join(t.TempDir(), "new", "pay"), existing} {
		id, err := Create(dir, files, "Begin", author, when)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(files, lying(t, dir)); diff != "" {
			t.Errorf("mismatch (-want +got):\n%s", diff)
		}
		// diff-files believes the index's times; status would look again.
		for _, args := range [][]string{{"diff-files", "--name-only"}, {"status", "--porcelain"}, {"fsck", "--strict"}} {
			if out := gittest.Git(t, dir, args...); out != "" {
				t.Errorf("git %v: %s", args, out)
			}
		}
		head, err := open(t, dir).Head()
		if err != nil || head != (Head{"main", id}) || gittest.Git(t, dir, "rev-parse", "main") != id {
			t.Errorf("Head = %v, %v; want main at %s", head, err, id)
		}
		if dirty := uncommitted(t, dir, files.Paths()...); len(dirty) > 0 {
			t.Errorf("uncommitted: %v", dirty)
		}
	}
	var occupied *NotEmptyError
	if _, err := Create(existing, files, "Begin", author, when); !errors.As(err, &occupied) || len(occupied.Names) == 0 {
		t.Errorf("a folder with files: %v", err)
	}
}

func TestCreateLeavesNothingBehind(t *testing.T) {
	gittest.Isolate(t)
	parent := t.TempDir()
	gittest.Write(t, parent, "file", "x")
	long := strings.Repeat("x", 255)
	files := tree.Tree{"a": tree.Text("a"), "z/" + long: tree.Text("b")}
	files["z/"+long+"/"+long] = tree.Text("cannot be")
	for _, dir := range []string{filepath.Join(parent, "new"), filepath.Join(parent, "file", "new"), filepath.Join(parent, "file")} {
		if _, err := Create(dir, files, "m", Author{}, time.Time{}); err == nil {
			t.Errorf("Create(%s) succeeded", dir)
		}
		if _, err := Create(dir, tree.Tree{"../x": tree.Text("")}, "m", Author{}, time.Time{}); err == nil {
			t.Errorf("Create(%s) with a path outside succeeded", dir)
		}
	}
	// A folder that turns into a file at the last moment.
	if _, err := Create(filepath.Join(parent, "file", "deep"), tree.Tree{"a": tree.Text("a")}, "m", Author{}, time.Time{}); err == nil {
		t.Error("Create below a file succeeded")
	}
	if diff := cmp.Diff(tree.Tree{"file": tree.Text("x")}, lying(t, parent)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// large makes a repository with 50,000 files, without a work tree.
func large(b *testing.B) (string, string) {
	b.Helper()
	gittest.Isolate(b)
	gittest.Need(b)
	dir := b.TempDir()
	if _, err := Create(dir, tree.Tree{"a": tree.Text("a")}, "m", Author{Name: "A", Email: "a@b"}, time.Unix(1, 0)); err != nil {
		b.Fatal(err)
	}
	changes := map[string]any{}
	for i := range 50_000 {
		changes[fmt.Sprintf("d%02d/e%02d/f%d", i%50, i/50%50, i)] = fmt.Sprintf("%d", i%100)
	}
	id, err := open(b, dir).Commit(example("large", "", "", changes))
	if err != nil {
		b.Fatal(err)
	}
	gittest.Git(b, dir, "gc", "-q")
	gittest.Git(b, dir, "checkout", "-q", "large")
	return dir, id
}

func BenchmarkLarge(b *testing.B) {
	dir, id := large(b)
	paths := make([]string, 60)
	for i := range paths {
		paths[i] = fmt.Sprintf("d%02d/e%02d/f%d", i%50, i/50%50, i)
	}
	b.Run("OpenAndRead60", func(b *testing.B) {
		for b.Loop() {
			m := open(b, dir)
			if files, err := m.WorkFiles(paths); err != nil || len(files) != 60 {
				b.Fatal(len(files), err)
			}
			if files, err := m.CommitFiles(id, paths); err != nil || len(files) != 60 {
				b.Fatal(len(files), err)
			}
		}
	})
	b.Run("Uncommitted60", func(b *testing.B) {
		for b.Loop() {
			if dirty, err := open(b, dir).Uncommitted(paths); err != nil || len(dirty) > 0 {
				b.Fatal(dirty, err)
			}
		}
	})
	b.Run("Entries", func(b *testing.B) {
		for b.Loop() {
			if all, err := open(b, dir).Entries(id); err != nil || len(all) != 50_000 {
				b.Fatal(len(all), err)
			}
		}
	})
	b.Run("Commit", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			if _, err := open(b, dir).Commit(example(fmt.Sprintf("b%d", n), id, "", map[string]any{paths[0]: fmt.Sprint("new", n)})); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCreate60(b *testing.B) {
	gittest.Isolate(b)
	files := tree.Tree{}
	for i := range 60 {
		files[fmt.Sprintf("d%d/f%d", i%7, i)] = tree.Text(strings.Repeat(fmt.Sprintln(i), 200))
	}
	dir := b.TempDir()
	n := 0
	for b.Loop() {
		n++
		at := filepath.Join(dir, fmt.Sprint(n))
		if _, err := Create(at, files, "m", Author{Name: "A", Email: "a@b"}, time.Unix(1, 0)); err != nil {
			b.Fatal(err)
		}
	}
	_ = os.RemoveAll(dir)
}
