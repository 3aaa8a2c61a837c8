package gitrepo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// open opens a member that must be one.
func open(t testing.TB, dir string) *Member {
	t.Helper()
	m, err := OpenMember(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// physical resolves the links in a path, which t.TempDir may have on macOS.
func physical(t *testing.T, dir string) string {
	t.Helper()
	p, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOpenMemberFindsTheWorkTree(t *testing.T) {
	gittest.Isolate(t)
	dir := physical(t, gittest.Repository(t, map[string]string{"a/b/c": "x"}))
	linked := filepath.Join(physical(t, t.TempDir()), "linked")
	gittest.Git(t, dir, "worktree", "add", "-q", "-b", "other", linked)
	gittest.Git(t, dir, "-c", "protocol.file.allow=always", "submodule", "add", "-q", gittest.Repository(t, map[string]string{"s": "s"}), "sub")
	first := gittest.Git(t, dir, "rev-parse", "main")
	for _, c := range []struct {
		dir, root string
		head      Head
	}{
		{dir, dir, Head{"main", first}},
		{filepath.Join(dir, "a", "b"), dir, Head{"main", first}},
		{filepath.Join(linked, "a"), linked, Head{"other", first}},
		{filepath.Join(dir, "sub"), filepath.Join(dir, "sub"), Head{"main", gittest.Git(t, filepath.Join(dir, "sub"), "rev-parse", "HEAD")}},
	} {
		m := open(t, c.dir)
		head, err := m.Head()
		if err != nil || m.Root() != c.root {
			t.Errorf("%s: root %s, want %s; %v", c.dir, m.Root(), c.root, err)
		}
		if diff := cmp.Diff(c.head, head); diff != "" {
			t.Errorf("%s: head mismatch (-want +got):\n%s", c.dir, diff)
		}
		if _, err := m.Entries(head.Commit); err != nil {
			t.Errorf("%s: %v", c.dir, err)
		}
	}
}

func TestHeadUnbornAndDetached(t *testing.T) {
	gittest.Isolate(t)
	gittest.Need(t)
	dir := t.TempDir()
	gittest.Git(t, dir, "init", "-q", "-b", "trunk")
	if head, err := open(t, dir).Head(); err != nil || head != (Head{"trunk", ""}) {
		t.Errorf("unborn: %v, %v", head, err)
	}
	if dirty, err := open(t, dir).Uncommitted([]string{"a"}); err != nil || len(dirty) > 0 {
		t.Errorf("unborn: %v, %v", dirty, err)
	}
	id := gittest.Commit(t, dir, "c", map[string]string{"a": "a"})
	gittest.Git(t, dir, "checkout", "-q", "--detach")
	if head, err := open(t, dir).Head(); err != nil || head != (Head{"", id}) {
		t.Errorf("detached: %v, %v", head, err)
	}
}

func TestOpenMemberRefuses(t *testing.T) {
	gittest.Isolate(t)
	gittest.Need(t)
	plain := t.TempDir()
	if _, err := OpenMember(plain); !errors.Is(err, ErrNotRepository) {
		t.Errorf("a plain folder: %v", err)
	}
	gittest.Git(t, plain, "init", "-q", "--bare", "bare.git")
	if _, err := OpenMember(filepath.Join(plain, "bare.git")); !errors.Is(err, ErrBare) {
		t.Errorf("a bare repository: %v", err)
	}
	gittest.Git(t, plain, "init", "-q", "new")
	gittest.Git(t, filepath.Join(plain, "new"), "config", "core.repositoryformatversion", "1")
	gittest.Git(t, filepath.Join(plain, "new"), "config", "extensions.objectformat", "sha256")
	if _, err := OpenMember(filepath.Join(plain, "new")); err == nil || !strings.Contains(err.Error(), "SHA-1") {
		t.Errorf("a SHA-256 repository: %v", err)
	}
	if _, err := OpenMember(filepath.Join(plain, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	gittest.Write(t, plain, "broken/.git", "gitdir: ../gone\n")
	if _, err := OpenMember(filepath.Join(plain, "broken")); err == nil {
		t.Error("a .git file that leads nowhere was accepted")
	}
}

// Extensions that change nothing for us, such as sparse checkout's.
func TestOpenMemberWithWorktreeConfig(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a/x": "x", "b/y": "y"})
	gittest.Git(t, dir, "sparse-checkout", "set", "--cone", "--sparse-index", "a")
	m := open(t, dir)
	dirty, err := m.Uncommitted([]string{"a/x", "b/y", "b/z"})
	if err != nil || len(dirty) > 0 {
		t.Errorf("Uncommitted = %v, %v", dirty, err)
	}
	entries, err := m.WorkEntries()
	if err != nil || len(entries) != 2 {
		t.Errorf("WorkEntries = %v, %v; want both files", entries, err)
	}
}

func TestWorkFiles(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a": "one", "d/b": "two", "d/run": "#!"})
	if err := os.Chmod(filepath.Join(dir, "d/run"), 0o755); err != nil {
		t.Fatal(err)
	}
	symlink(t, "d/b", filepath.Join(dir, "link"))
	symlink(t, "d", filepath.Join(dir, "dir"))
	symlink(t, t.TempDir(), filepath.Join(dir, "out"))
	m := open(t, dir)
	got, err := m.WorkFiles([]string{"a", "d/b", "d/run", "link", "missing", "d/missing", "nowhere/x", "a/below", "dir", "out"})
	if err != nil {
		t.Fatal(err)
	}
	want := tree.Tree{"a": tree.Text("one"), "d/b": tree.Text("two"), "d/run": tree.Script("#!"), "link": tree.Link("d/b"), "dir": tree.Link("d"), "out": got["out"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	// What is in the way is told, and nothing is read through it.
	for p, want := range map[string]tree.Tree{
		"d": {"d": tree.FolderOf([]string{"b", "run"})}, "dir/b": {"dir": tree.Link("d")}, "dir/no/x": {"dir": tree.Link("d")},
		"out/x": {"out": got["out"]}, "link/x": {"link": tree.Link("d/b")}, "a/b/c": {"a": tree.Text("one")},
	} {
		got, err := m.WorkFiles([]string{p})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("WorkFiles(%q) mismatch (-want +got):\n%s", p, diff)
		}
	}
	for _, p := range []string{"", "../x", "/etc/passwd", ".git/config", "a/.GIT/x", "a//b", "./a"} {
		if _, err := m.WorkFiles([]string{p}); err == nil {
			t.Errorf("WorkFiles(%q) succeeded", p)
		}
	}
}

// Where core.symlinks is false, git writes a link's target into a file.
func TestWorkFilesWithoutLinks(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a": "one"})
	symlink(t, "a", filepath.Join(dir, "link"))
	gittest.Commit(t, dir, "a link", nil)
	clone := filepath.Join(t.TempDir(), "clone")
	gittest.Git(t, dir, "clone", "-q", "-c", "core.symlinks=false", dir, clone)
	if err := os.Chmod(filepath.Join(clone, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, clone).WorkFiles([]string{"a", "link"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree.Tree{"a": tree.Script("one"), "link": tree.Link("a")}, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func symlink(t *testing.T, target, at string) {
	t.Helper()
	if err := os.Symlink(target, at); err != nil {
		t.Fatal(err)
	}
}

func TestCommitFilesEntriesAndBlob(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a": "old", "d/e/f": "deep"})
	symlink(t, "a", filepath.Join(dir, "l"))
	first := gittest.Commit(t, dir, "link", nil)
	gittest.Commit(t, dir, "second", map[string]string{"a": "new"})
	gittest.Git(t, dir, "gc", "-q")
	m := open(t, dir)
	got, err := m.CommitFiles(first, []string{"a", "d/e/f", "l", "d", "d/e", "no", "a/b"})
	if err != nil {
		t.Fatal(err)
	}
	want := tree.Tree{"a": tree.Text("old"), "d/e/f": tree.Text("deep"), "l": tree.Link("a")}
	seen := want.Clone()
	seen["d"], seen["d/e"] = tree.FolderOf([]string{"e/f"}), tree.FolderOf([]string{"f"})
	if diff := cmp.Diff(seen, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	entries, err := m.Entries(first)
	if err != nil {
		t.Fatal(err)
	}
	wantEntries := map[string]Entry{}
	for p, f := range want {
		wantEntries[p] = Entry{f.Kind, f.Blob()}
	}
	if diff := cmp.Diff(wantEntries, entries); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if data, ok, err := m.Blob(tree.Text("old").Blob()); err != nil || !ok || string(data) != "old" {
		t.Errorf("Blob of an old file = %q, %v, %v", data, ok, err)
	}
	if _, ok, err := m.Blob(tree.Text("never").Blob()); ok || err != nil {
		t.Errorf("Blob of what is not there: %v, %v", ok, err)
	}
	if _, err := m.CommitFiles("main", []string{"a"}); err == nil {
		t.Error("a branch's name was taken for a commit's id")
	}
}

func TestAuthorAndRepository(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, nil)
	if a, _ := open(t, dir).Author(); !a.Guessed || a.Name == "" || !strings.Contains(a.Email, "@") {
		t.Errorf("without configuration: %+v", a)
	}
	if owner, name := open(t, dir).Repository(); owner != "" || name != filepath.Base(dir) {
		t.Errorf("Repository without a remote = %q, %q", owner, name)
	}
	gittest.Write(t, os.Getenv("HOME"), "gitconfig", "[user]\n\tname = Global\n\temail = global@example.com\n"+
		"[includeIf \"gitdir:"+filepath.ToSlash(physical(t, filepath.Dir(dir)))+"/\"]\n\tpath = work\n[url \"git@github.com:\"]\n\tinsteadOf = gh:\n")
	gittest.Git(t, dir, "remote", "add", "origin", "gh:acme/pay.git")
	m := open(t, physical(t, dir))
	if a, _ := m.Author(); a != (Author{"Global", "global@example.com", false}) {
		t.Errorf("global: %+v", a)
	}
	if owner, name := m.Repository(); owner != "acme" || name != "pay" {
		t.Errorf("Repository = %q, %q", owner, name)
	}
	gittest.Write(t, os.Getenv("HOME"), "work", "[user]\n\temail = work@example.com\n")
	if a, _ := open(t, physical(t, dir)).Author(); a.Email != "work@example.com" {
		t.Errorf("included: %+v", a)
	}
	gittest.Git(t, dir, "config", "user.name", "Local")
	t.Setenv("GIT_AUTHOR_EMAIL", "env@example.com")
	if a, _ := open(t, dir).Author(); a != (Author{"Local", "env@example.com", false}) {
		t.Errorf("local and environment: %+v", a)
	}
}

func TestLock(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a": "a"})
	one, two := open(t, dir), open(t, dir)
	unlock, err := one.Lock()
	if err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if _, err := two.Lock(); !errors.As(err, &busy) || busy.PID != os.Getpid() {
		t.Errorf("the second Lock: %v", err)
	}
	text := tree.Text("b")
	if err := two.Apply(t.Context(), map[string]*tree.File{"a": &text}); !errors.As(err, &busy) {
		t.Errorf("Apply while another has the lock: %v", err)
	}
	if err := one.Apply(t.Context(), map[string]*tree.File{"a": &text}); err != nil {
		t.Errorf("Apply by who has the lock: %v", err)
	}
	unlock()
	unlock, err = two.Lock()
	if err != nil {
		t.Fatalf("after unlocking: %v", err)
	}
	unlock()
	if out := gittest.Git(t, dir, "status", "--porcelain"); out != " M a" {
		t.Errorf("git status: %q", out)
	}
}
