package gitrepo

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

func uncommitted(t *testing.T, dir string, paths ...string) []string {
	t.Helper()
	dirty, err := open(t, dir).Uncommitted(paths)
	if err != nil {
		t.Fatal(err)
	}
	return dirty
}

func TestUncommitted(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{
		"clean": "x", "edited": "x", "staged": "x", "reverted": "x", "deleted": "x",
		"removed": "x", "mode": "x", "kind": "x", "folder": "x", "d/deep": "x", "touched": "x",
	})
	gittest.Write(t, dir, "edited", "y")
	gittest.Write(t, dir, "staged", "y")
	gittest.Write(t, dir, "reverted", "y")
	gittest.Write(t, dir, "added", "new")
	gittest.Git(t, dir, "add", "staged", "reverted", "added")
	gittest.Write(t, dir, "reverted", "x") // as committed on disk, but not in the index
	gittest.Write(t, dir, "untracked", "new")
	gittest.Write(t, dir, "promised", "new")
	gittest.Git(t, dir, "add", "-N", "promised")
	gittest.Git(t, dir, "rm", "-q", "--cached", "removed")
	for _, p := range []string{"deleted", "kind", "folder"} {
		if err := os.Remove(filepath.Join(dir, p)); err != nil {
			t.Fatal(err)
		}
	}
	symlink(t, "x", filepath.Join(dir, "kind"))
	gittest.Write(t, dir, "folder/x", "x")
	if err := os.Chmod(filepath.Join(dir, "mode"), 0o755); err != nil {
		t.Fatal(err)
	}
	// A time that the index does not know makes no difference.
	when := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "touched"), when, when); err != nil {
		t.Fatal(err)
	}
	got := uncommitted(t, dir, "clean", "edited", "staged", "reverted", "deleted", "removed", "mode", "kind",
		"folder", "d/deep", "touched", "untracked", "added", "promised", "absent", "d/absent", "no/where", "clean/below")
	want := []string{"added", "deleted", "edited", "folder", "kind", "mode", "promised", "removed", "reverted", "staged", "untracked"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	gittest.Git(t, dir, "config", "core.fileMode", "false")
	if got := uncommitted(t, dir, "mode"); len(got) > 0 {
		t.Errorf("with core.fileMode=false: %v", got)
	}
}

// Same size, same time, other bytes: only reading the file tells.
func TestUncommittedReadsFilesThatLookUnchanged(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a": "x"})
	file := filepath.Join(dir, "a")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	gittest.Write(t, dir, "a", "y")
	if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a"}, uncommitted(t, dir, "a")); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestUncommittedAndLineEnds(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a.txt": "one\ntwo\n", "a.bin": "one\ntwo\n", "b.txt": "one\ntwo\n"})
	for _, p := range []string{"a.txt", "a.bin"} {
		gittest.Write(t, dir, p, "one\r\ntwo\r\n")
	}
	both := []string{"a.bin", "a.txt"}
	check := func(setting string, want []string) {
		t.Helper()
		if diff := cmp.Diff(want, uncommitted(t, dir, "a.txt", "a.bin", "b.txt")); diff != "" {
			t.Errorf("%s mismatch (-want +got):\n%s", setting, diff)
		}
	}
	check("nothing set", both)
	gittest.Git(t, dir, "config", "core.autocrlf", "true")
	check("autocrlf=true", nil)
	gittest.Git(t, dir, "config", "core.autocrlf", "input")
	check("autocrlf=input", nil)
	gittest.Git(t, dir, "config", "core.autocrlf", "false")
	gittest.Write(t, dir, ".gitattributes", "* text=auto\n*.bin binary\n")
	check("text=auto but for *.bin", []string{"a.bin"})
	gittest.Write(t, dir, ".gitattributes", "*.txt eol=crlf\n")
	check("eol=crlf for *.txt", []string{"a.bin"})
	gittest.Write(t, dir, "a.txt", "one\r\nTWO\r\n")
	gittest.Write(t, dir, ".gitattributes", "* text\n")
	check("an edit besides", []string{"a.txt"})
}

// Which files' line ends git converts, by what it would add.
func TestUncommittedConvertsAsGitDoes(t *testing.T) {
	gittest.Isolate(t)
	files := map[string]string{
		"text": "x\ny\n", "lone": "x\ny\rz\n", "nul": strings.Repeat("x\n", 9000) + "\x00\n", "tabs": "\t\b\x1b\f\n",
		"control": "x\x01\n", "few": strings.Repeat("x", 128) + "\x01\n", "many": strings.Repeat("x", 128) + "\x01\x02\n", "eof": "x\n\x1a", "del": "\x7f\n",
	}
	dir := gittest.Repository(t, files)
	paths := slices.Sorted(maps.Keys(files))
	for _, p := range paths {
		gittest.Write(t, dir, p, strings.ReplaceAll(files[p], "\n", "\r\n"))
	}
	for _, attributes := range []string{
		"* text=auto", "* text", "* -text", "* crlf", "* -crlf", "* crlf=input", "* crlf=auto", "* eol=lf", "* eol=crlf", "* eol=x", "* eol", "* -eol",
		"* text=auto eol=crlf", "* binary", "* text !text", "* text=auto -crlf", "* text=x", "* text=input",
	} {
		gittest.Write(t, dir, ".gitattributes", attributes+"\n")
		var want []string
		for _, p := range paths {
			if gittest.Git(t, dir, "hash-object", "--path="+p, p) != gittest.Git(t, dir, "rev-parse", "HEAD:"+p) {
				want = append(want, p)
			}
		}
		if diff := cmp.Diff(want, uncommitted(t, dir, paths...)); diff != "" {
			t.Errorf("%s: mismatch (-git +got):\n%s", attributes, diff)
		}
	}
}

func TestUncommittedInConflict(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a": "base\n", "b": "x"})
	gittest.Git(t, dir, "checkout", "-q", "-b", "other")
	gittest.Commit(t, dir, "theirs", map[string]string{"a": "theirs\n"})
	gittest.Git(t, dir, "checkout", "-q", "main")
	gittest.Commit(t, dir, "ours", map[string]string{"a": "ours\n"})
	if _, err := gittest.Try(dir, "merge", "other"); err == nil {
		t.Fatal("the merge did not conflict")
	}
	if diff := cmp.Diff([]string{"a"}, uncommitted(t, dir, "a", "b")); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// Every version of the index that git writes is read alike.
func TestIndexVersions(t *testing.T) {
	gittest.Isolate(t)
	files := map[string]string{"a": "1", "aa/b": "2", "aa/bc": "3", "z/long-name-that-needs-padding": "4"}
	dir := gittest.Repository(t, files)
	var want map[string]Entry
	for _, version := range []string{"2", "3", "4"} {
		gittest.Git(t, dir, "update-index", "--index-version", version)
		got, err := open(t, dir).WorkEntries()
		if err != nil {
			t.Fatalf("version %s: %v", version, err)
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != len(files) {
			t.Errorf("version %s mismatch (-want +got):\n%s", version, diff)
		}
	}
	gittest.Git(t, dir, "update-index", "--split-index")
	if _, err := open(t, dir).WorkEntries(); err == nil {
		t.Error("a split index was read as if it were whole")
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		idx := emptyIndex()
		_ = idx.decode(data)
	})
}
