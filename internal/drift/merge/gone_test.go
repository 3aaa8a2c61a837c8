package merge_test

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/drift/merge"
)

// TestGone has hunks in which the member has something else, and no optional
// resolver is asked.
func TestGone(t *testing.T) {
	const (
		block   = "    withName: REPORT {\n        ext.args = 'quiet'\n        when = true\n    }\n"
		another = "    withName: COUNT {\n        ext.args = 'all'\n        cpus = 4\n        when = true\n    }\n"
	)
	process := func(blocks string) string { return "process {\n    cpus = 1\n" + blocks + "}\n" }
	for _, c := range []struct {
		name, path, base, ours, theirs string
		tier                           merge.Tier
		resolver                       string
		want                           string // what is proposed
	}{
		{"the golden path removed what is gone", "x.txt",
			"a\nold colour\nolder shape\nb\n", "a\nsomething new\nb\n", "a\nb\n",
			merge.Suggested, "gone", "something new\n"},
		{"one of the removed lines is still there", "x.txt",
			"a\nold colour\nolder shape\nb\n", "a\nsomething new\nolder shape\nb\n", "a\nb\n",
			merge.Conflict, "", ""},
		{"only comments changed", "x.py",
			"value = compute(1)\n", "value = another(2)\n", "# why this\nvalue = compute(1)\n",
			merge.Suggested, "comments", "value = another(2)\n"},
		{"more than comments changed", "x.py",
			"value = compute(1)\n", "value = another(2)\n", "# why this\nvalue = compute(3)\n",
			merge.Conflict, "", ""},
		{"no comments are known", "x.txt",
			"value = compute(1)\n", "value = another(2)\n", "# why this\nvalue = compute(1)\n",
			merge.Conflict, "", ""},
		{"all that ours removed, and nearly the same", "x.txt",
			"run the old build with cache\n", "run the new build with a cache, tests, checks, docs, lint, and my report\n", "run the new build with a cache, tests, checks, docs, lint, format, and more\n",
			merge.Suggested, "nearer", "run the new build with a cache, tests, checks, docs, lint, format, and more\n"},
		{"nearly the same, with a word that ours removed", "x.txt",
			"run the old build with cache\n", "run the new build with a cache, tests, checks, docs, lint, and my report\n", "run the old build with a cache, tests, checks, docs, lint, format, and some more\n",
			merge.Suggested, "removed", "run the new build with a cache, tests, checks, docs, lint, and my report\n"},
		{"a block that ours has put another for", "x.config",
			process(block), process(another), process(""),
			merge.Merged, "structure", another},
		{"a block that ours has with something added", "x.config",
			process(block), process(strings.Replace(block, "'quiet'", "'quiet' // for now, and until the report is read by somebody", 1) + another), process(""),
			merge.Conflict, "", ""},
		{"a setting in whose place ours has one", "x.config",
			process("    time = '1h'\n"), process("    memory = 4\n"), process(""),
			merge.Suggested, "structure", "    memory = 4\n"},
		{"a pile of what both put in one place", "x.config",
			process("    time = '1h'\n"), process("    memory = 4\n    disk = 9\n"), process("    queue = 'long'\n"),
			merge.Conflict, "", ""},
		{"what both added", "x.config",
			process(""), process("    memory = 4\n"), process("    queue = 'long'\n"),
			merge.Suggested, "structure", "    memory = 4\n    queue = 'long'\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := merge.Merge(c.path, []byte(c.base), []byte(c.ours), []byte(c.theirs), merge.Options{})
			for i, h := range r.Hunks {
				if i == 0 && (h.Tier != c.tier || h.Resolver != c.resolver || string(h.Proposal) != c.want) {
					t.Errorf("got %s by %q: %q; want %s by %q: %q", h.Tier, h.Resolver, h.Proposal, c.tier, c.resolver, c.want)
				}
			}
			if len(r.Hunks) == 0 {
				t.Errorf("no hunk; text %q", r.Text)
			}
		})
	}
}
