package attributes_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/attributes"
	"github.com/goldenpaths/syncer/internal/tree"
)

func TestOn(t *testing.T) {
	want := []string{"a/b/.gitattributes", "a/.gitattributes", ".gitattributes", "x/.gitattributes"}
	if diff := cmp.Diff(want, attributes.On([]string{"a/b/c", "a/b/d", "e", "x/y"})); diff != "" {
		t.Errorf("mismatch (-want +got)\n%s", diff)
	}
}

// TestStoredStays is what a plan rests on: what is stored is stored as it is when it is
// added again, and what git shows of it comes back as it was. That attributes mean what
// they mean to git is tested where git is (package gitrepo).
func TestStoredStays(t *testing.T) {
	line := rapid.SampledFrom([]string{"* text", "* text=auto", "*.txt eol=crlf", "*.txt eol=lf", "*.txt ident", "* -text", "d/** text eol=crlf", "*.bin binary", "[attr]x text", "*.txt x", "*.txt !text"})
	piece := rapid.SampledFrom([]string{"a", "\n", "\r\n", "\r", "\x00", "$Id$ ", "$Id: abc $ ", " "})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 4).Draw(t, "attributes"), "\n")
		inner := strings.Join(rapid.SliceOfN(line, 0, 2).Draw(t, "inner"), "\n")
		c := &attributes.Converter{
			Text: func(p string) ([]byte, error) {
				return map[string][]byte{".gitattributes": []byte(text), "d/.gitattributes": []byte(inner)}[p], nil
			},
			Settings: attributes.Settings{AutoCRLF: rapid.SampledFrom([]string{"", "input", "true"}).Draw(t, "autocrlf"), EOL: rapid.SampledFrom([]string{"lf", "crlf"}).Draw(t, "eol")},
		}
		p := rapid.SampledFrom([]string{"a.txt", "d/a.txt", "d/e/a.bin", "b"}).Draw(t, "path")
		f := tree.Text(strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "file"), ""))
		if strings.Contains(string(f.Data), "\r\r") {
			t.Skip("git takes one CR before LF at a time")
		}
		stored, err := c.Stored(p, f)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := c.Stored(p, stored); !again.Equal(stored) {
			t.Fatalf("%q is stored as %q, and that as %q", f.Data, stored.Data, again.Data)
		}
		shown, err := c.Shown(p, stored)
		if err != nil {
			t.Fatal(err)
		}
		if back, _ := c.Stored(p, shown); !back.Equal(stored) {
			t.Fatalf("%q is shown as %q, and stored as %q", stored.Data, shown.Data, back.Data)
		}
	})
}
