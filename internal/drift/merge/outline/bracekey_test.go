package outline

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var assignedPattern = regexp.MustCompile(`^\s*(?:def\s+|export\s+|final\s+)?["']?([A-Za-z_$@][\w.$@/ -]*?)["']?\s*(?::|\+?=)(?:[^=]|$)`)

// TestBraceKey compares the reader of names that get a value with a pattern for
// them.
func TestBraceKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringMatching(`(def |export |final )?["'a1$@ ./=:+\-]{0,9}`).Draw(t, "line")
		want := ""
		if m := assignedPattern.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			want = m[1]
		}
		if got := braceKey(line, false); got != want {
			t.Fatalf("%q: key %q, want %q", line, got, want)
		}
	})
}
