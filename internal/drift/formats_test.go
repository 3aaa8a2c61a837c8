package drift_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/tree"
)

// formats are files whose names tell how they are read, and lines such as they have.
var formats = map[string][]string{
	"f.yaml":     {"a:\n", "  b: 1\n", "  c: v1.2.0\n", "  c: v1.3.0\n", "  - x\n", "  - name: y\n", "    z: 1\n", "d: [1, 2]\n", "d: [1,  2]\n", "# note\n", "\n"},
	"f.json":     {"{\n", "}\n", "  \"a\": 1,\n", "  \"b\": {\n", "  },\n", "  \"c\": \"1.2.0\",\n", "  \"c\": \"1.3.0\",\n", "  \"d\": [1, 2]\n", "\n"},
	"f.md":       {"# A\n", "## B\n", "one two three\n", "one  two three\n", "- item\n", "- other\n", "| a | b |\n", "\n"},
	".gitignore": {"*.log\n", "/bin\n", "!keep\n", "# note\n", "\n", "dist/\n"},
	"Dockerfile": {"FROM a:1.0\n", "FROM a:1.1\n", "RUN x && y\n", "RUN x  && y\n", "COPY a b\n", "ENV A=1 B=2\n", "\n"},
	"f.tf":       {"a \"b\" {\n", "  x = 1\n", "  x   = 1\n", "  y = 2\n", "}\n", "# note\n", "\n"},
	"f.toml":     {"[a]\n", "[b]\n", "x = 1\n", "y = \"1.2.0\"\n", "y = \"1.3.0\"\n", "\n"},
	"Makefile":   {"all: a b\n", "\tgo build\n", "\tgo  build\n", "a:\n", "X = 1\n", "\n"},
	"CHANGELOG":  {"# 1.1.0\n", "# 1.0.0\n", "- a\n", "- b\n", "\n"},
	"go.sum":     {"a v1.0.0 h1:a=\n", "a v1.1.0 h1:b=\n", "b v1.0.0 h1:c=\n"},
}

// TestNoSilentLossInFormats is TestNoSilentLoss for files that are read by more than
// their lines.
func TestNoSilentLossInFormats(t *testing.T) {
	for path, lines := range formats {
		t.Run(path, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				line := rapid.SampledFrom(lines)
				base := rapid.SliceOfN(line, 0, 12).Draw(rt, "base")
				// The sides are edits of the base, so that most of it is in all three.
				edited := func(label string) tree.Tree {
					out := []string{}
					for _, l := range base {
						switch rapid.IntRange(0, 5).Draw(rt, label) {
						case 0:
						case 1:
							out = append(out, line.Draw(rt, label+" changes"))
						case 2:
							out = append(out, l, line.Draw(rt, label+" adds"))
						default:
							out = append(out, l)
						}
					}
					return tree.Tree{path: tree.Text(strings.Join(out, ""))}
				}
				checkNoLoss(rt, tree.Tree{path: tree.Text(strings.Join(base, ""))}, edited("ours"), edited("theirs"), nil)
			})
		})
	}
}
