package tree_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/tree"
)

func TestBlobIsGitsObjectID(t *testing.T) {
	// The ids that git hash-object prints for these contents.
	for content, want := range map[string]tree.BlobID{
		"":        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
		"hello\n": "ce013625030ba8dba906f756967f9e9ca394464a",
	} {
		if got := tree.Text(content).Blob(); got != want {
			t.Errorf("Blob(%q) = %s, want %s", content, got, want)
		}
	}
}

func TestCheckPathRefuses(t *testing.T) {
	for _, p := range []string{
		"", "/etc/passwd", "../x", "a/../b", "a/./b", "a//b", "a/", `a\b`, "C:/x", "c:x",
		".git/config", "a/.GIT/x", "GIT~1/x", ".g\u200cit/x", "a ", "a/b.", " a", "a\tb", "a\x00b",
		"aux", "x/NUL.txt", "com1", "CON .txt", "COM².log", "conin$", "a:b", "a?b", "\xff", strings.Repeat("x", 256), strings.Repeat("x/", 2100) + "x",
	} {
		if tree.CheckPath(p) == nil {
			t.Errorf("CheckPath(%q) = nil, want an error", p)
		}
	}
	for _, p := range []string{"a", ".gitignore", ".github/workflows/ci.yml", "a b/c", "größe.txt", "...a", "com10", "auxiliary", "com", "com.txt", "lpt0"} {
		if err := tree.CheckPath(p); err != nil {
			t.Errorf("CheckPath(%q) = %v, want nil", p, err)
		}
	}
}

func TestCheckFindsWhatCannotBeWritten(t *testing.T) {
	for name, files := range map[string]tree.Tree{
		"link that is absolute":        {"a": tree.Link("/etc/passwd")},
		"link that leaves the tree":    {"d/a": tree.Link("../../x")},
		"link into git's folder":       {"a": tree.Link(".git/config")},
		"names that differ in case":    {"README": tree.Text(""), "readme": tree.Text("")},
		"a file where a folder is":     {"a": tree.Text(""), "a/b": tree.Text("")},
		"a path through a link":        {"a": tree.Link("b"), "a/c": tree.Text("")},
		"a path out of the tree":       {"../x": tree.Text("")},
		"a file for a folder by case":  {"A": tree.Text(""), "a/b/c": tree.Text("")},
		"names composed differently":   {"caf\u00e9": tree.Text(""), "cafe\u0301": tree.Text("")},
		"names that HFS+ takes as one": {"ab": tree.Text(""), "a\u200cb": tree.Text("")},
		"letters with three cases":     {"\u03c3": tree.Text(""), "\u03c2": tree.Text("")},
		"the long s":                   {"\u017fort": tree.Text(""), "Sort": tree.Text("")},
		"folders that differ in case":  {"Docs/a": tree.Text(""), "docs/b": tree.Text("")},
		"a link that leaves by way of another": {
			"p/q/x": tree.Link("../.."), "y": tree.Link("p/q/x/../etc"),
		},
		"a link that git refuses": {"d/.GitModules": tree.Link("x")},
	} {
		if files.Check() == nil {
			t.Errorf("%s: Check() = nil, want an error", name)
		}
	}
	ok := tree.Tree{"d/a": tree.Link("../b"), "d/e": tree.Link("./.././b/"), "d/f": tree.Link("../c/d"), ".gitmodules": tree.Text(""), "\u00e9": tree.Text(""), "e": tree.Text(""), "b": tree.Text(""), "c/d": tree.Script("#!/bin/sh\n")}
	if err := ok.Check(); err != nil {
		t.Errorf("Check() = %v, want nil", err)
	}
}

func TestDiff(t *testing.T) {
	before := tree.Tree{"same": tree.Text("x"), "gone": tree.Text("x"), "mode": tree.Text("x"), "text": tree.Text("x")}
	after := tree.Tree{"same": tree.Text("x"), "new": tree.Text("x"), "mode": tree.Script("x"), "text": tree.Text("y")}
	var got []string
	for _, d := range tree.Diff(before, after) {
		got = append(got, d.Path)
	}
	if diff := cmp.Diff([]string{"gone", "mode", "new", "text"}, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if before.Digest() == after.Digest() {
		t.Error("different trees have the same digest")
	}
	if before.Digest() != before.Clone().Digest() {
		t.Error("equal trees have different digests")
	}
}

func FuzzCheckPath(f *testing.F) {
	for _, p := range []string{"a/b", "../a", ".git", "C:\\x", "a\x00"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if tree.CheckPath(p) != nil {
			return
		}
		if strings.HasPrefix(p, "/") || strings.Contains("/"+p+"/", "/../") || strings.Contains(strings.ToLower("/"+p+"/"), "/.git/") {
			t.Errorf("CheckPath accepts %q", p)
		}
	})
}

func TestCheckGlob(t *testing.T) {
	for _, glob := range []string{"**", "*.{yml,yaml}", "deploy/{dev,prod}/**/*.{yaml,json,toml}", "a{b,c{d,e}}", `a\{b`, "[{,}]", "{a[,}],b}"} {
		if err := tree.CheckGlob(glob); err != nil {
			t.Errorf("CheckGlob(%q) = %v", glob, err)
		}
	}
	for _, glob := range []string{"[", "{a", strings.Repeat("{a,a}", 40) + "b", strings.Repeat(`{a\},a}`, 40), strings.Repeat("{[}],a}", 40), "{" + strings.Repeat("a,", 200) + "}", strings.Repeat("{a,b}{", 7) + "c" + strings.Repeat("}", 7)} {
		if err := tree.CheckGlob(glob); err == nil {
			t.Errorf("CheckGlob(%q) = nil", glob)
		}
	}
}
