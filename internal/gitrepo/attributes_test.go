package gitrepo

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/attributes"
	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

// attributePaths are asked for; none of them needs to exist.
var attributePaths = []string{
	"a", "a.txt", "b.TXT", "d/a.txt", "d/e/a.txt", "d/e/f/a.txt", "dd/a", "d/dd/a", "x y", "é", "d/é", "[a]", "a]b", "*", "a*", "\\a",
	"d/.gitattributes", "foo/bar", "x/foo/bar", "foo/x/bar", "foo/x/y/bar", "foobar", "q-a", "q-z", "q_", "q9", "#a", "!a", "{a,b}", "-a", "a-b",
}

// Patterns, precedence and macros mean what they mean to git.
func TestAttributesAreGits(t *testing.T) {
	gittest.Isolate(t)
	cases := map[string]map[string]string{
		"names":        {".gitattributes": "*.txt text\na -text\n*.TXT eol=crlf\n"},
		"anchored":     {".gitattributes": "/a.txt text\nd/a.txt eol=lf\n/d/e/* eol=crlf\nfoo/bar ident\n"},
		"stars":        {".gitattributes": "foo/**/bar text\n**/foo/bar eol=lf\nd/** ident\n**/dd/a -text\nfoo** crlf\nd**/a.txt crlf=input\n**/é diff\n"},
		"odd stars":    {".gitattributes": "*** text\nfoo***/bar ident\nd/***/a.txt eol=lf\n/**/a.txt diff\n**a merge\n"},
		"classes":      {".gitattributes": "q[-_]a text\nq[!a-m]z ident\nq[^_]* eol=lf\n[[]a[]] diff\na[]]b merge\nq[[:digit:]] eol=crlf\nq-[[:alpha:]] crlf\nd[/]a.txt text=auto\n[ text\nq[ text\n"},
		"escapes":      {".gitattributes": "\\*  text\n\\\\a ident\na\\* eol=lf\n\\#a diff\n\\!a merge\n!a text\na\\ text\n"},
		"quotes":       {".gitattributes": "\"x y\" text\n\"\\303\\251\" eol=lf\n\"a.txt\" ident\n\"open text\n"},
		"braces":       {".gitattributes": "{a,b} text\n? ident\n?.txt eol=lf\nd?a.txt eol=crlf\nd/?.txt diff\n"},
		"folders":      {".gitattributes": "d/ text\nd/e/ eol=lf\nfoo/bar/ ident\n/ text\nfoo/ text\n"},
		"nearer":       {".gitattributes": "*.txt text eol=lf ident\n", "d/.gitattributes": "*.txt -text\n/a.txt eol=crlf\n", "d/e/.gitattributes": "a.txt !text !ident\n"},
		"order":        {".gitattributes": "a.txt text\na.txt -text\na.txt text -text eol=lf eol=crlf\n"},
		"macros":       {".gitattributes": "[attr]mine text eol=crlf\n*.txt mine\na binary\n[attr]yours mine -ident\n[a] yours\nfoobar mine -mine\nq9 mine\nq9 !mine\nq_ !text mine\nq-a mine !text\n"},
		"inner macros": {"d/.gitattributes": "[attr]mine text\na.txt mine\n"},
		"own binary":   {".gitattributes": "[attr]binary ident\na binary\n"},
		"mistakes":     {".gitattributes": "a text=x=y -eol=lf\na.txt -\nd/a.txt te+xt ident\nfoobar =x\nq9 --text\n\n   \n# a text\n  q_ text\n"},
		"crlf":         {".gitattributes": "a text\r\n*.txt eol=lf\r\n\r\n# x\r\n"},
		"bom":          {".gitattributes": "\ufeffa text\nq9 eol=lf"},
		"long line":    {".gitattributes": "a text\n" + "a.txt " + strings.Repeat("x", 2050) + " text\na.txt eol=lf\n"},
		"info":         {".gitattributes": "a text\n", ".git/info/attributes": "a -text\n[attr]mine eol=lf\na.txt mine\n"},
		"a link":       {"d/.gitattributes": "→../elsewhere", "elsewhere": "*.txt text\n"},
	}
	for name, files := range cases {
		t.Run(name, func(t *testing.T) {
			dir := gittest.Repository(t, map[string]string{"README": "x"})
			writeAttributes(t, dir, files)
			compareAttributes(t, dir)
			gittest.Git(t, dir, "config", "core.ignoreCase", "true")
			compareAttributes(t, dir)
		})
	}
}

func writeAttributes(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for p, text := range files {
		if target, is := strings.CutPrefix(text, "→"); is {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o777); err != nil {
				t.Fatal(err)
			}
			symlink(t, target, filepath.Join(dir, p))
			continue
		}
		gittest.Write(t, dir, p, text)
	}
}

// compareAttributes asks git and the product about every path.
func compareAttributes(t *testing.T, dir string) {
	t.Helper()
	want := map[string]map[string]string{}
	out := gittest.Git(t, dir, append([]string{"check-attr", "-z", "-a", "--"}, attributePaths...)...)
	fields := strings.Split(strings.TrimRight(out, "\x00"), "\x00")
	for i := 0; i+2 < len(fields); i += 3 {
		fields[i] = fields[i][strings.LastIndexByte(fields[i], '\n')+1:] // git warns before it
		if want[fields[i]] == nil {
			want[fields[i]] = map[string]string{}
		}
		value := fields[i+2]
		if v, special := map[string]string{"set": attributes.True, "unset": attributes.False}[value]; special {
			value = v
		}
		want[fields[i]][fields[i+1]] = value
	}
	c, err := open(t, dir).checkout()
	if err != nil {
		t.Fatal(err)
	}
	defer c.work.close()
	got := map[string]map[string]string{}
	for _, p := range attributePaths {
		attrs, err := c.converter().Attributes(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(attrs) > 0 {
			got[p] = maps.Clone(attrs)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// Attributes that are not checked out, and those of the machine, count too.
func TestAttributesFromElsewhere(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"d/.gitattributes": "a.txt text\n", "d/a.txt": "x"})
	if err := os.Remove(filepath.Join(dir, "d", ".gitattributes")); err != nil {
		t.Fatal(err)
	}
	compareAttributes(t, dir)
	own := filepath.Join(t.TempDir(), "attributes")
	gittest.Write(t, filepath.Dir(own), "attributes", "[attr]mine eol=crlf\n*.txt mine -text\nfoobar ident\n")
	gittest.Git(t, dir, "config", "core.attributesFile", own)
	compareAttributes(t, dir)
}
