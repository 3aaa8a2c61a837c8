package outline

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

func parses(text string) bool {
	d := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		var n yaml.Node
		if err := d.Decode(&n); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// yamlLines are what a file of YAML is drawn from, among it what reaches over
// lines.
var yamlLines = []string{
	"a: 1\n", "b:\n", "c: \"x\n", "  y\"\n", "  d: 2\n", "  e:\n", "    f: 'q'\n", "  - g\n", "- h: 1\n", "  i: 2\n", "- j\n", "k: &z 1\n", "l: *z\n",
	"  m: *z\n", "n: [1,\n", "  2]\n", "o: |\n", "    text: \"\n", "# c\n", "\n", "---\n", "p: {q: 1}\n", "  'r': 3\n", "s: 'it\n", "  s'\n", "? t\n", ": u\n", "v: >-\n", "  w: x: y\n",
}

// TestEssenceParses edits YAML that parses: where its essence parses, it does.
func TestEssenceParses(t *testing.T) {
	said := 0
	rapid.Check(t, func(t *rapid.T) {
		ours := rapid.SliceOfN(rapid.SampledFrom(yamlLines), 1, 12).Draw(t, "ours")
		if !parses(strings.Join(ours, "")) {
			return
		}
		merged := slices.Clone(ours)
		at := rapid.IntRange(0, len(merged)).Draw(t, "at")
		end := rapid.IntRange(at, min(len(merged), at+2)).Draw(t, "end")
		put := rapid.SliceOfN(rapid.SampledFrom(yamlLines), 0, 2).Draw(t, "put")
		merged = slices.Replace(merged, at, end, put...)
		text := strings.Join(merged, "")
		essence, _, ok := Essence(text, func(line int) bool { return line >= at-1 && line <= at+len(put) })
		if !ok || !parses(essence) {
			return
		}
		if said++; !parses(text) {
			t.Fatalf("%q does not parse, but its essence %q does; ours was %q", text, essence, ours)
		}
	})
	if said == 0 {
		t.Error("no essence parsed")
	}
}

// FuzzEssence replaces some lines of a text that parses: where its essence parses,
// it does.
func FuzzEssence(f *testing.F) {
	f.Add("a: 1\nb:\n  c: \"x\n  y\"\n- d\n", 2, 1, "  e: &z 1\n")
	f.Add("a: &x 1\nb:\n  - c: *x\n    d: {e: f}\n---\ng: |\n  h: i\n", 0, 1, "a: 2\n")
	f.Fuzz(func(t *testing.T, ours string, at, cut int, put string) {
		lines := split(ours)
		if len(ours)+len(put) > 1<<13 || at < 0 || at > len(lines) || cut < 0 || cut > len(lines)-at || !parses(ours) {
			return
		}
		added := split(put)
		text := strings.Join(slices.Replace(slices.Clone(lines), at, at+cut, added...), "")
		essence, _, ok := Essence(text, func(line int) bool { return line >= at-1 && line <= at+len(added) })
		if ok && parses(essence) && !parses(text) {
			t.Fatalf("%q does not parse, but its essence %q does; ours was %q", text, essence, ours)
		}
	})
}

// TestComposed reads YAML to the end and writes it from its parts.
func TestComposed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(yamlLines), 0, 14).Draw(t, "lines"), "")
		root, ok := Read("yaml", text)
		if !ok {
			return
		}
		forget(root)
		if got := root.Text(); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

// forget takes from a node all that it was read from.
func forget(n *Node) {
	n.open()
	n.read = ""
	for _, k := range n.Kids {
		forget(k)
	}
}
