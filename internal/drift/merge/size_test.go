package merge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/drift/merge"
)

// TestSizeAndDepth merges files that are long, wide, deep, or built to make a
// search go far, each with both sides changed. The time is what no bounded
// algorithm needs on any machine.
func TestSizeAndDepth(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	numbered := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, c := range map[string]struct{ path, text string }{
		"long YAML":        {"x.yml", numbered(60_000, "key%d:\n  sub: value\n")},
		"one line of JSON": {"x.json", "{" + numbered(60_000, `"k%d": 1, `) + `"z": 1}`},
		"deep JSON":        {"x.json", strings.Repeat("[\n", 5_000) + strings.Repeat("]\n", 5_000)},
		"deep YAML": {"x.yml", func() string {
			var b strings.Builder
			for i := range 1500 {
				b.WriteString(strings.Repeat(" ", i) + "k:\n")
			}
			return b.String()
		}()},
		"brackets never closed": {"x.ini", numbered(40_000, "k%d = (\n")},
		"quotes never closed":   {"x.config", numbered(40_000, "k%d = '''x\n")},
		"the same line":         {"x.toml", strings.Repeat("a = 1\n", 60_000)},
		"a long prose line":     {"x.md", strings.Repeat("word and other ", 60_000) + "\n"},
		"10 MB of YAML":         {"x.yml", numbered(400_000, "key%d:\n  sub: value, long\n")},
		"a million lines":       {"x.txt", numbered(1_000_000, "%d\n")},
		"deep XML":              {"x.xml", strings.Repeat("<a>\n", 5_000) + strings.Repeat("</a>\n", 5_000)},
		"tags never closed":     {"x.xml", numbered(40_000, "<a b='%d'\n")},
		"a long table":          {"x.md", "| a | b |\n|---|---|\n" + numbered(60_000, "| %d | x |\n")},
		"many documents":        {"x.yml", numbered(30_000, "---\nkind: A\nmetadata:\n  name: n%d\n")},
		"NUL and no UTF-8":      {"x.txt", strings.Repeat("a\x00\xff\r\n", 60_000)},
	} {
		t.Run(name, func(t *testing.T) {
			edit := func(mark string) []byte {
				half := len(c.text) / 2
				return []byte(mark + "\n" + c.text[:half] + mark + c.text[half:] + mark + "\n")
			}
			start := time.Now()
			check(t, c.path, []byte(c.text), edit("#ours"), edit("#theirs"), merge.Options{Suggested: merge.Apply, On: optional()})
			if spent := time.Since(start); spent > 30*time.Second {
				t.Errorf("took %v for %d bytes", spent, len(c.text))
			}
		})
	}
}
