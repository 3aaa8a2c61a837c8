package gitrepo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// versioned makes a platform with several versions and returns its folder and the
// commits by name.
func versioned(t *testing.T) (string, map[string]string) {
	t.Helper()
	dir := gittest.Repository(t, map[string]string{"README.md": "not read", "goldenpaths/go/a": "0"})
	at := map[string]string{}
	for i, tag := range []string{"v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0-rc.1"} {
		at[tag] = gittest.Commit(t, dir, tag, map[string]string{"goldenpaths/go/a": tag})
		if i%2 == 0 {
			gittest.Git(t, dir, "tag", tag)
		} else {
			gittest.Git(t, dir, "tag", "-a", "-m", "annotated", tag)
		}
	}
	gittest.Git(t, dir, "tag", "v1", at["v1.10.0"]) // moves with every 1.x
	gittest.Git(t, dir, "tag", "nightly")
	gittest.Git(t, dir, "tag", "blob", gittest.Git(t, dir, "rev-parse", "HEAD:README.md"))
	gittest.Git(t, dir, "tag", "web/v0.3.0", at["v1.0.0"])
	at["main"] = gittest.Commit(t, dir, "unreleased", map[string]string{"goldenpaths/go/a": "main"})
	gittest.Git(t, dir, "branch", "feature/x", at["v1.2.0"])
	return dir, at
}

func openSource(t *testing.T, c *Cache, location string) *Platform {
	t.Helper()
	p, err := c.Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func checkVersioned(t *testing.T, p *Platform, at map[string]string) {
	t.Helper()
	for _, c := range []struct{ name, want, version, commit string }{
		{"go", "", "1.10.0", "v1.10.0"},
		{"go", "stable", "1.10.0", "v1.10.0"},
		{"go", "edge", "2.0.0-rc.1", "v2.0.0-rc.1"},
		{"go", "v1.2.0", "1.2.0", "v1.2.0"},
		{"go", "1.2.0", "1.2.0", "v1.2.0"},
		{"go", "^1.0", "1.10.0", "v1.10.0"},
		{"go", "~1.2", "1.2.0", "v1.2.0"},
		{"go", ">=1 <1.5", "1.2.0", "v1.2.0"},
		{"go", ">=2.0.0-0", "2.0.0-rc.1", "v2.0.0-rc.1"},
		{"go", "main", "", "main"},
		{"go", "feature/x", "", "v1.2.0"},
		{"go", "nightly", "", "v2.0.0-rc.1"},
		{"go", at["main"], "", "main"},
		{"go", at["main"][:8], "", "main"},
		{"web", "", "0.3.0", "v1.0.0"}, // it has tags of its own
		{"web", "web/v0.3.0", "0.3.0", "v1.0.0"},
	} {
		version, commit, err := p.Resolve(c.name, c.want)
		got := [2]string{version, commit}
		if diff := cmp.Diff([2]string{c.version, at[c.commit]}, got); err != nil || diff != "" {
			t.Errorf("Resolve(%q, %q): %v, mismatch (-want +got):\n%s", c.name, c.want, err, diff)
		}
	}
	for _, c := range [][2]string{{"go", "v9.9.9"}, {"go", "^9"}, {"web", "1.2.0"}, {"go", "nowhere"}, {"go", "0123456789"}, {"go", "blob"}} {
		if version, commit, err := p.Resolve(c[0], c[1]); err == nil {
			t.Errorf("Resolve(%q, %q) = %q, %q", c[0], c[1], version, commit)
		} else if c[1] == "v9.9.9" && !strings.Contains(err.Error(), "1.10.0") {
			t.Errorf("the error names no version: %v", err)
		}
	}
	got, err := p.Tree(t.Context(), at["v1.2.0"])
	if diff := cmp.Diff(tree.Tree{"goldenpaths/go/a": tree.Text("v1.2.0")}, got); err != nil || diff != "" {
		t.Errorf("Tree: %v, mismatch (-want +got):\n%s", err, diff)
	}
	revisions, err := p.Versions("go")
	want := []Revision{
		{"2.0.0-rc.1", at["v2.0.0-rc.1"]}, {"1.10.0", at["v1.10.0"]}, {"1.2.0", at["v1.2.0"]}, {"1.0.0", at["v1.0.0"]},
	}
	if diff := cmp.Diff(want, revisions); err != nil || diff != "" {
		t.Errorf("Versions: %v, mismatch (-want +got):\n%s", err, diff)
	}
}

func TestPlatformOnThisMachine(t *testing.T) {
	gittest.Isolate(t)
	dir, at := versioned(t)
	linked := filepath.Join(t.TempDir(), "linked")
	gittest.Git(t, dir, "worktree", "add", "-q", "--detach", linked)
	bare := filepath.Join(t.TempDir(), "bare.git")
	gittest.Git(t, dir, "clone", "-q", "--bare", dir, bare)
	gittest.Git(t, dir, "sparse-checkout", "set", "--no-cone", "/*") // sets an extension
	gittest.Write(t, dir, ".git/refs/tags/v3.0.0.lock", "")          // of a git that is running
	for _, location := range []string{dir, linked, bare, "file://" + dir} {
		t.Run(filepath.Base(location), func(t *testing.T) { checkVersioned(t, openSource(t, &Cache{}, location), at) })
	}
}

func TestPlatformWorktreeAndFolders(t *testing.T) {
	gittest.Isolate(t)
	dir, at := versioned(t)
	gittest.Write(t, dir, "goldenpaths/go/new", "not committed")
	gittest.Write(t, dir, "inner/goldenpaths/x/a", "inner")
	p := openSource(t, &Cache{}, dir)
	version, commit, err := p.Resolve("go", "worktree")
	if version != "" || commit != "" || err != nil {
		t.Errorf("Resolve(worktree) = %q, %q, %v", version, commit, err)
	}
	got, err := p.Tree(t.Context(), "")
	want := tree.Tree{"goldenpaths/go/a": tree.Text("main"), "goldenpaths/go/new": tree.Text("not committed")}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
	}
	inner := openSource(t, &Cache{}, filepath.Join(dir, "inner"))
	if _, err := inner.Tree(t.Context(), at["main"]); err == nil || !strings.Contains(err.Error(), "goldenpaths/") {
		t.Errorf("a folder that is not committed: %v", err)
	}
	id := gittest.Commit(t, dir, "inner", nil)
	inner = openSource(t, &Cache{}, filepath.Join(dir, "inner"))
	got, err = inner.Tree(t.Context(), id)
	if diff := cmp.Diff(tree.Tree{"goldenpaths/x/a": tree.Text("inner")}, got); err != nil || diff != "" {
		t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
	}
}

// Tests are most of a golden path's bytes, and only lint and test read them.
func TestPlatformTestsAreReadOnlyWhereAsked(t *testing.T) {
	gittest.Isolate(t)
	rendered := tree.Tree{
		"goldenpaths/go/a":                tree.Text("a"),
		"goldenpaths/go/template/tests/b": tree.Text("b"),
		"goldenpaths/tests/template/c":    tree.Text("c"),
	}
	whole := rendered.Clone()
	whole["goldenpaths/go/tests/one.txtar"] = tree.Text("fixture")
	content := map[string]string{}
	for p, f := range whole {
		content[p] = string(f.Data)
	}
	dir := gittest.Repository(t, content)
	p := openSource(t, &Cache{}, dir)
	for _, commit := range []string{gittest.Git(t, dir, "rev-parse", "HEAD"), ""} {
		got, err := p.Tree(t.Context(), commit)
		if diff := cmp.Diff(rendered, got); err != nil || diff != "" {
			t.Errorf("Tree(%q): %v, mismatch (-want +got):\n%s", commit, err, diff)
		}
		got, err = p.Whole(t.Context(), commit)
		if diff := cmp.Diff(whole, got); err != nil || diff != "" {
			t.Errorf("Whole(%q): %v, mismatch (-want +got):\n%s", commit, err, diff)
		}
	}
}

func TestPlatformPlainFolder(t *testing.T) {
	gittest.Isolate(t)
	dir := t.TempDir()
	gittest.Write(t, dir, "goldenpaths/go/a", "a")
	gittest.Write(t, dir, "else", "not read")
	symlink(t, "a", filepath.Join(dir, "goldenpaths/go/link"))
	if err := os.Chmod(filepath.Join(dir, "goldenpaths/go/a"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := openSource(t, &Cache{}, dir)
	if p.HasHistory() {
		t.Error("a plain folder has a history")
	}
	for _, want := range []string{"", "stable", "edge", "worktree"} {
		if v, commit, err := p.Resolve("go", want); v != "" || commit != "" || err != nil {
			t.Errorf("Resolve(%q) = %q, %q, %v", want, v, commit, err)
		}
	}
	if _, _, err := p.Resolve("go", "v1.0.0"); err == nil {
		t.Error("a plain folder has version v1.0.0")
	}
	got, err := p.Tree(t.Context(), "")
	if diff := cmp.Diff(tree.Tree{"goldenpaths/go/a": tree.Script("a"), "goldenpaths/go/link": tree.Link("a")}, got); err != nil || diff != "" {
		t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
	}
	if _, err := openSource(t, &Cache{}, t.TempDir()).Tree(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "goldenpaths/") {
		t.Errorf("without goldenpaths/: %v", err)
	}
	if _, err := (&Cache{}).Open(t.Context(), filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that does not exist was opened")
	}
}

func TestPlatformWithoutReleases(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"goldenpaths/go/a": "0"})
	head := gittest.Git(t, dir, "rev-parse", "HEAD")
	for _, want := range []string{"", "stable", "edge"} {
		if v, commit, err := openSource(t, &Cache{}, dir).Resolve("go", want); v != "" || commit != head || err != nil {
			t.Errorf("Resolve(%q) = %q, %q, %v; want the default branch", want, v, commit, err)
		}
	}
	gittest.Git(t, dir, "tag", "v0.1.0-rc.1")
	if _, commit, err := openSource(t, &Cache{}, dir).Resolve("go", ""); err == nil || !strings.Contains(err.Error(), "edge") {
		t.Errorf("only a pre-release: %s, %v; want an error that says how to take it", commit, err)
	}
}

// A tree of trees without files: each is twice in the next.
func TestPlatformBoundsFolders(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, nil)
	mktree := func(text string) string {
		cmd := exec.Command("git", "mktree", "--missing")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(text)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	id := mktree("")
	for range maxDepth - 1 {
		id = mktree(fmt.Sprintf("040000 tree %s\ta\n040000 tree %[1]s\tb\n", id))
	}
	commit := gittest.Git(t, dir, "commit-tree", "-m", "bomb", mktree("040000 tree "+id+"\tgoldenpaths\n"))
	if _, err := openSource(t, &Cache{}, dir).Tree(t.Context(), commit); err == nil || !strings.Contains(err.Error(), "folders") {
		t.Errorf("got %v; want an error that says how many folders there may be", err)
	}
}

func TestPlatformBounds(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"goldenpaths/go/big": strings.Repeat("x", maxFile+1)})
	head := gittest.Git(t, dir, "rev-parse", "HEAD")
	p := openSource(t, &Cache{}, dir)
	for _, commit := range []string{head, ""} {
		if _, err := p.Tree(t.Context(), commit); err == nil || !strings.Contains(err.Error(), fmt.Sprint(maxFile)) {
			t.Errorf("a file that is too large: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Tree(ctx, head); err == nil {
		t.Error("Tree did not notice that it was cancelled")
	}
}

func TestRelease(t *testing.T) {
	dir, at := versioned(t)
	checkedOut := gittest.Commit(t, dir, "more", map[string]string{"goldenpaths/go/a": "more"})
	p := openSource(t, &Cache{}, dir)
	for _, c := range []struct{ name, commit, want string }{
		{"go", at["main"], "2.0.0-rc.1"},
		{"go", checkedOut, "2.0.0-rc.1"},
		{"go", "", "2.0.0-rc.1"},
		{"go", at["v1.10.0"], "1.10.0"},
		{"go", at["v1.2.0"], "1.2.0"},
		{"web", at["main"], "0.3.0"},
	} {
		got, err := p.Release(c.name, c.commit)
		if err != nil || got != c.want {
			t.Errorf("Release(%s, %.10s) = %q, %v; want %q", c.name, c.commit, got, err, c.want)
		}
	}
	older := openSource(t, &Cache{}, gittest.Repository(t, map[string]string{"goldenpaths/go/a": "0"}))
	if got, err := older.Release("go", ""); err != nil || got != "" {
		t.Errorf("Release without tags = %q, %v; want none", got, err)
	}
	if _, err := p.Release("go", strings.Repeat("1", 40)); err == nil {
		t.Error("Release of a commit that is not there is no error")
	}
}
