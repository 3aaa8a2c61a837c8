package outline

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

var yamlKeyPattern = regexp.MustCompile(`^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#'"\[\]{},&*!|>%@-][^#]*?|-[^\s#][^#]*?))\s*:(?:\s|$)`)

// TestYAMLKey compares the reader of keys with a pattern for them.
func TestYAMLKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringMatching(`["'a#\\:\- \[*é]{0,12}`).Draw(t, "line")
		key, value, ok := yamlKey(line)
		m := yamlKeyPattern.FindStringSubmatchIndex(line)
		if ok != (m != nil) {
			t.Fatalf("%q: ok %v, pattern %v", line, ok, m)
		}
		if !ok {
			return
		}
		sub := yamlKeyPattern.FindStringSubmatch(line)
		if want := sub[1] + sub[2] + sub[3]; key != want {
			t.Fatalf("%q: key %q, want %q", line, key, want)
		}
		if line[value-1] != ':' {
			t.Fatalf("%q: value at %d", line, value)
		}
	})
}
