package walks

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestNewSections(t *testing.T) {
	const old = "# Changes\n\n## 1.1.0\n\n- one\n\n## 1.0.0\n\n- first\n"
	for _, c := range []struct{ name, before, after, want string }{
		{"one more", old, "# Changes\n\n## 1.2.0\n\n- two\n- three\n\n## 1.1.0\n\n- one\n\n## 1.0.0\n\n- first\n", "## 1.2.0\n\n- two\n- three"},
		{"written otherwise", old, strings.Replace(old, "- one", "- one, and more", 1), "## 1.1.0\n\n- one, and more"},
		{"a heading alone", old, strings.Replace(old, "## 1.1.0", "## Unreleased\n\n## 1.1.0", 1), ""},
		{"line ends", old, strings.ReplaceAll(old, "\n", "\r\n"), ""},
		{"the first", "", "text before\n## 1.0.0\n- first", "## 1.0.0\n- first"},
		{"none any more", old, "", ""},
	} {
		if diff := cmp.Diff(c.want, newSections(c.before, c.after)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// What GitHub would act on or draw: mentions, references to issues, links, tags,
// emphasis, code, tables, mathematics.
var active = regexp.MustCompile("(?i)@[a-z0-9]|#[0-9]|gh-[0-9]|://|www\\.|[<>\"'$\n\r]|(^|[^\\\\])(\\\\\\\\)*[`*_~|\\[\\]!]")

func TestPlainIsInert(t *testing.T) {
	for _, text := range []string{
		"Fix #12, closes acme/payments#3", "thanks @alice and @acme/team", "fixes https://github.com/acme/payments/issues/1",
		"GH-7", "<img src=x>", "--> <!-- syncer:take a -->", "`code`", `\*not emphasis*`, "a | b", "![x](y)", "$$x$$", "_a_ ~b~",
	} {
		if got := plain(text); active.MatchString(strings.ReplaceAll(got, "&#", "&")) {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching("[\\\\@#ghGH0-9`*_~|<>!\\[\\]:/w. \n$&]{0,20}").Draw(t, "text")
		if got := plain(text); active.MatchString(strings.ReplaceAll(got, "&#", "&")) {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}

func TestFencedStaysInItsBlock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching("[`~a\n ]{0,30}").Draw(t, "text")
		lines := strings.Split(strings.TrimSuffix(fenced(text), "\n"), "\n")
		fence := lines[0]
		for _, line := range lines[1 : len(lines)-1] {
			if strings.Contains(line, fence) {
				t.Fatalf("%q ends its own block: %q", text, lines)
			}
		}
		if lines[len(lines)-1] != fence {
			t.Fatalf("the block is not closed: %q", lines)
		}
	})
}
