package outline

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTogether merges versions of a file that were read to the end before, and
// such as are read when they are looked into: what the merge then leaves unread
// makes no difference. (Where siblings look the same, it may: which of them is gone
// is seen better from both ends than from the first.)
func TestTogether(t *testing.T) {
	lines := slices.Concat(yamlLines, []string{"  x: 1\n", "  y: 2\n", "  - name: a\n", "    b: 1\n", "  - name: c\n", "x:\n"})
	merged := 0
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SliceOfN(rapid.SampledFrom(lines), 1, 14).Draw(t, "base")
		edit := func(name string) string {
			side := slices.Clone(start)
			at := rapid.IntRange(0, len(side)).Draw(t, name)
			end := rapid.IntRange(at, min(len(side), at+2)).Draw(t, name+" until")
			return strings.Join(slices.Replace(side, at, end, rapid.SliceOfN(rapid.SampledFrom(lines), 0, 2).Draw(t, name+" has")...), "")
		}
		texts := [3]string{strings.Join(start, ""), edit("ours"), edit("theirs")}
		for _, text := range texts {
			if n, ok := Read("yaml", text); !ok || twins(n) {
				return
			}
		}
		merge := func(prepare func(*Node)) (string, bool) {
			var in [3]*Node
			for i, text := range texts {
				n, ok := Read("yaml", text)
				if !ok {
					return "", false
				}
				prepare(n)
				in[i] = n
			}
			return Merge(in[0], in[1], in[2], func(_, o, _ string) (string, bool) { return o, false })
		}
		text, ok := merge(func(*Node) {})
		want, wantOK := merge(openAll)
		if ok != wantOK || ok && text != want {
			t.Fatalf("%q: got %q, %v; want %q, %v", texts, text, ok, want, wantOK)
		}
		merged++
	})
	if merged == 0 {
		t.Error("nothing was merged")
	}
}

// twins reports whether a node has siblings within that nothing tells apart.
func twins(n *Node) bool {
	kids := n.open().Kids
	for _, key := range name(kids, base).names {
		if strings.Contains(key, "\x02") {
			return true
		}
	}
	return slices.ContainsFunc(kids, twins)
}

func openAll(n *Node) {
	for _, k := range n.open().Kids {
		openAll(k)
	}
}
