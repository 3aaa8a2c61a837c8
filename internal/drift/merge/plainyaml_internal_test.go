package merge

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPlainYAML(t *testing.T) {
	for text, want := range map[string]bool{
		"":                     true,
		"a: 1\nb:\n  c: x y\n": true,
		"---\na: 1\n":          true,
		"on:\n  push:\n    branches:\n      - main\n      - dev\njobs:\n  a:\n    steps:\n      - uses: a/b@v1 # pinned\n        with:\n          c: ${{ d.e }}\n      - run: |\n          make\n\n          make test: x\n        if: 'a'\n": true,
		"a:\n- b: 1\n  c: 2\n- d\ne: f\n": true,
		"a: \"b: c\"\r\nd: '#'\r\n":       true,
		"a: b: c\n":                       false,
		"a: 1\n  b: 2\n":                  false,
		"a:\n    b: 1\n  c: 2\n":          false,
		"a: [b\n":                         false,
		"a: \"b\n":                        false,
		"a: \"b\" c\n":                    false,
		"a: *b\n":                         false,
		"a:\n- b\nc\n":                    false,
		"- a\nb: 1\n":                     false,
		"a: 1\n- b\n":                     false,
		"a: |\n    b\n  c\n":              false,
		"a: |\nb: 1\n":                    false,
		"a: 1\n---\nb: 1\n":               false,
		"a:\tb\n":                         false,
		"a: b:\n":                         false,
		"a:\n  - b: 1\n c: 1\n":           false,
		"a:\n  - b\n    - c\n":            false,
		"- a:\n  - b\n":                   true,
	} {
		if got := plainYAML([]byte(text)); got != want {
			t.Errorf("plainYAML(%q) = %v, want %v", text, got, want)
		}
		if want && !parsesAsYAML([]byte(text)) {
			t.Errorf("%q does not parse", text)
		}
	}
}

// TestPlainYAMLParses draws files from lines: what is plain parses.
func TestPlainYAMLParses(t *testing.T) {
	lines := []string{
		"a: 1", "b:", "- c", "- d: 1", "- e:", "f: |", "g: >-", "h: \"i\"", "j: 'k' # l", "# m", "", "---", "n: o: p", "q: r:", "s: t # u", "- v:",
		"w: \"x\\", "y: [z", "- - a", "-", "text", "a/b.c-d: $e", "f: ~", "g: 1 #h", "...", "i: .j", "- k: |", "l: m\r", "- 'n'", "- \"o\": p", "? q", ": r",
	}
	said := 0
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for range rapid.IntRange(1, 8).Draw(t, "count") {
			text.WriteString(strings.Repeat(" ", rapid.IntRange(0, 5).Draw(t, "indent")) + rapid.SampledFrom(lines).Draw(t, "line") + "\n")
		}
		if !plainYAML([]byte(text.String())) {
			return
		}
		if said++; !parsesAsYAML([]byte(text.String())) {
			t.Fatalf("%q is plain, but does not parse", text.String())
		}
	})
	if said == 0 {
		t.Error("nothing was plain")
	}
}

// FuzzPlainYAML holds whatever is plain to what the parser says.
func FuzzPlainYAML(f *testing.F) {
	f.Add([]byte("a: 1\nb:\n  - c: |\n      d\n    e: 'f' # g\n"))
	f.Add([]byte("---\na:\n- b\n- \"c\"\nd: $e\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 1<<12 && plainYAML(text) && !parsesAsYAML(text) {
			t.Fatalf("%q is plain, but does not parse", text)
		}
	})
}
