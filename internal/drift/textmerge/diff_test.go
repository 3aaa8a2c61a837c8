package textmerge

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDiff(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       []Edit
	}{
		{"nothing", "", "", nil},
		{"equal", "a\nb", "a\nb", nil},
		{"everything new", "", "a\nb\n", []Edit{{0, 0, 0, 2}}},
		{"everything gone", "a\nb\n", "", []Edit{{0, 2, 0, 0}}},
		{"one line", "a\nb\nc\n", "a\nB\nc\n", []Edit{{1, 2, 1, 2}}},
		{"the end", "a\nb\n", "a\nb", []Edit{{1, 2, 1, 2}}},
		{"as far down as it goes", "a\n\na\n\n", "a\n\na\n\na\n\n", []Edit{{4, 4, 4, 6}}},
		{"beside a change", "a\nx\nx\nb\n", "a\nx\nc\nb\n", []Edit{{2, 3, 2, 3}}},
		{"two", "1\n2\n3\n4\n", "2\n3\n4\n5\n", []Edit{{0, 1, 0, 0}, {4, 4, 3, 4}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Diff([]byte(test.a), []byte(test.b))); diff != "" {
				t.Errorf("mismatch (-want +got)\n%s", diff)
			}
			checkDiff(t, test.a, test.b)
		})
	}
}

func TestDiffProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkDiff(t, drawText(t, "a"), drawText(t, "b"))
	})
}

func FuzzDiff(f *testing.F) {
	f.Add("", "a")
	f.Add("a\nb\nc\n", "a\nc\nb")
	f.Add("\n\n\n", "\n\n\n\n")
	f.Add("a\r\n\x00\n\xff", "a\n\x00\n\xff\n")
	f.Fuzz(func(t *testing.T, a, b string) { checkDiff(t, a, b) })
}

// checkDiff checks that the edits turn a into b, and that what lies between them
// is the same in both.
func checkDiff(t failer, a, b string) {
	t.Helper()
	la, lb := strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
	var out strings.Builder
	at, bAt := 0, 0
	for i, e := range Diff([]byte(a), []byte(b)) {
		if e.ALo == e.AHi && e.BLo == e.BHi || i > 0 && e.ALo <= at || e.ALo-at != e.BLo-bAt {
			t.Fatalf("Diff(%q, %q): edit %d, %v, is out of place", a, b, i, e)
		}
		out.WriteString(strings.Join(la[at:e.ALo], ""))
		out.WriteString(strings.Join(lb[e.BLo:e.BHi], ""))
		at, bAt = e.AHi, e.BHi
	}
	out.WriteString(strings.Join(la[at:], ""))
	if out.String() != b {
		t.Fatalf("the edits of %q to %q give %q", a, b, out.String())
	}
}

func TestUnified(t *testing.T) {
	a := "func f() {\n1\n2\n3\n4\n5\n6\n7\n8\n9\n}\nend"
	b := "func f() {\n1\n2\n3\n4\n5\n6\nseven\n8\n9\n}\nend\n"
	want := `--- a/x
+++ /dev/null
@@ -8 +8 @@ func f() {
-7
+seven
@@ -12 +12 @@ func f() {
-end
\ No newline at end of file
+end
`
	if diff := cmp.Diff(want, Unified("a/x", "/dev/null", []byte(a), []byte(b), 0)); diff != "" {
		t.Errorf("mismatch (-want +got)\n%s", diff)
	}
	if got := Unified("a", "b", []byte(a), []byte(a), 3); got != "" {
		t.Errorf("Unified of equal texts = %q, want nothing", got)
	}
}

// TestUnifiedAgreesWithGit compares with git diff, heading and all. Without
// context git sets the common end aside before it compares, which gives another
// diff now and then, so that is left out.
func TestUnifiedAgreesWithGit(t *testing.T) {
	g := newGit(t)
	rng := rand.New(rand.NewPCG(9, 10))
	for i := range rounds(t, 400) {
		c := repeatedLines(rng)
		if i%2 == 0 {
			c = editedFile(rng)
		}
		g.write(t, "ours", c.ours)
		g.write(t, "theirs", c.theirs)
		context := 1 + rng.IntN(4)
		out, _ := g.run(t, "diff", "--no-index", "--no-color", "--no-indent-heuristic", "--text", fmt.Sprintf("-U%d", context), "ours", "theirs")
		want := ""
		if at := strings.Index(out, "--- "); at >= 0 {
			want = out[at:]
		}
		got := Unified("a/ours", "b/theirs", []byte(c.ours), []byte(c.theirs), context)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Unified(%q, %q, %d) mismatch (-want +got)\n%s", c.ours, c.theirs, context, diff)
		}
	}
}
