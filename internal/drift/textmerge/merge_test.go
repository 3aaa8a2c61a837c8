package textmerge

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMerge(t *testing.T) {
	tests := []struct {
		name               string
		base, ours, theirs string
		want               string
		conflicts          []Hunk
	}{
		{name: "nothing", want: ""},
		{name: "far apart", base: "a\nb\nc\n", ours: "A\nb\nc\n", theirs: "a\nb\nC\n", want: "A\nb\nC\n"},
		{name: "both the same", base: "a\nb\n", ours: "a\nx\n", theirs: "a\nx\n", want: "a\nx\n"},
		{name: "same and more", base: "a\nb\nc\n", ours: "x\nb\nc\n", theirs: "x\nb\nz\n", want: "x\nb\nz\n"},
		{
			name: "touching", base: "a\nb\n", ours: "A\nb\n", theirs: "a\nB\n", want: "A\nb\n",
			conflicts: []Hunk{{
				Base: []byte("a\nb\n"), Ours: []byte("A\nb\n"), Theirs: []byte("a\nB\n"),
				BaseLine: 1, OursLine: 1, TheirsLine: 1,
			}},
		},
		{
			name: "after an insertion", base: "a\nb\nc\nd\n", ours: "a\nb\nc\nx\n", theirs: "0\n0\na\nb\nc\ny\n",
			want: "0\n0\na\nb\nc\nx\n",
			conflicts: []Hunk{{
				Base: []byte("d\n"), Ours: []byte("x\n"), Theirs: []byte("y\n"),
				BaseLine: 4, OursLine: 4, TheirsLine: 6, Offset: 10,
			}},
		},
		{
			name: "deleted and changed", base: "a\nb\nc\n", ours: "a\nc\n", theirs: "a\nB\nc\n", want: "a\nc\n",
			conflicts: []Hunk{{
				Base: []byte("b\n"), Ours: []byte{}, Theirs: []byte("B\n"),
				BaseLine: 2, OursLine: 2, TheirsLine: 2, Offset: 2,
			}},
		},
		{
			// Glued, this would read "bc".
			name: "added after a line that lost its end", base: "a\nb\n", ours: "a\nb", theirs: "a\nb\nc\n", want: "a\nb",
			conflicts: []Hunk{{
				Base: []byte("b\n"), Ours: []byte("b"), Theirs: []byte("b\nc\n"),
				BaseLine: 2, OursLine: 2, TheirsLine: 2, Offset: 2,
			}},
		},
		{name: "the end comes and goes", base: "a\nb\nc", ours: "A\nb\nc", theirs: "a\nb\nc\n", want: "A\nb\nc\n"},
		{name: "Windows line ends", base: "a\r\nb\r\nc\r\n", ours: "A\r\nb\r\nc\r\n", theirs: "a\r\nb\r\nC\r\n", want: "A\r\nb\r\nC\r\n"},
		{name: "any bytes", base: "\x00\n\n\xff\n", ours: "\x00\x00\n\n\xff\n", theirs: "\x00\n\n\xfe", want: "\x00\x00\n\n\xfe"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := Merge([]byte(test.base), []byte(test.ours), []byte(test.theirs))
			if diff := cmp.Diff(test.want, string(r.Merged)); diff != "" {
				t.Errorf("Merged mismatch (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(test.conflicts, r.Conflicts); diff != "" {
				t.Errorf("Conflicts mismatch (-want +got)\n%s", diff)
			}
		})
	}
}

func TestMergeWith(t *testing.T) {
	base, ours, theirs := "1\n2\n3\n4\n5\n", "a\n2\nb\n4\nc\n", "x\n2\ny\n4\nz\n"
	var asked []string
	r := MergeWith([]byte(base), []byte(ours), []byte(theirs), func(h Hunk) ([]byte, bool) {
		asked = append(asked, string(h.Base))
		return []byte("both"), string(h.Ours) != "b\n"
	})
	if diff := cmp.Diff([]string{"1\n", "3\n", "5\n"}, asked); diff != "" {
		t.Errorf("asked for: mismatch (-want +got)\n%s", diff)
	}
	// The first text is given a terminator, the last one ends the file.
	if diff := cmp.Diff("both\n2\nb\n4\nboth", string(r.Merged)); diff != "" {
		t.Errorf("Merged mismatch (-want +got)\n%s", diff)
	}
	if len(r.Conflicts) != 1 || r.Conflicts[0].BaseLine != 3 || r.Clean() {
		t.Errorf("Conflicts = %v, want the one in line 3", r.Conflicts)
	}
	if len(r.Settled) != 2 || r.Settled[0].Offset != 0 || r.Settled[1].Offset != 11 {
		t.Errorf("Settled = %v, want those at 0 and 11", r.Settled)
	}
}

func TestChoose(t *testing.T) {
	r := Merge([]byte("1\n2\n3\n4\n5\n"), []byte("a\n2\nb\n4\n"), []byte("x\n2\nyy\nyy\n4\nz"))
	for _, test := range []struct {
		choices []Choice
		want    string
	}{
		{nil, "a\n2\nb\n4\n"},
		{[]Choice{Theirs}, "x\n2\nb\n4\n"},
		{[]Choice{Ours, Theirs}, "a\n2\nyy\nyy\n4\n"},
		{[]Choice{Theirs, Theirs, Theirs, Theirs}, "x\n2\nyy\nyy\n4\nz"},
	} {
		if diff := cmp.Diff(test.want, string(r.Choose(test.choices...))); diff != "" {
			t.Errorf("Choose(%v) mismatch (-want +got)\n%s", test.choices, diff)
		}
	}
}

func TestMarkers(t *testing.T) {
	base, ours, theirs := "a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n", "a\r\nbb\r\nc\r\n"
	want := "a\r\n<<<<<<< me\r\nB\r\n|||||||\r\nb\r\n=======\r\nbb\r\n>>>>>>> you\r\nc\r\n"
	got, n := Markers([]byte(base), []byte(ours), []byte(theirs), Labels{Ours: "me", Theirs: "you", Style: StyleDiff3})
	if diff := cmp.Diff(want, string(got)); diff != "" || n != 1 {
		t.Errorf("Markers: %d conflicts, mismatch (-want +got)\n%s", n, diff)
	}
}

// drawText makes a text of few different lines, with and without an end.
func drawText(t *rapid.T, name string) string {
	lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "", "\x00", "\xff\r", "{", "}"}), 0, 30).Draw(t, name)
	text := strings.Join(lines, "\n")
	if rapid.Bool().Draw(t, name+" ends") && text != "" {
		text += "\n"
	}
	return text
}

func TestMergeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkMerge(t, drawText(t, "base"), drawText(t, "ours"), drawText(t, "theirs"))
	})
}

func FuzzMerge(f *testing.F) {
	f.Add("", "", "")
	f.Add("a\nb\nc\n", "a\nc\n", "a\nb\nb\nc")
	f.Add("a\na\na\n", "a\na", "a\na\na\na\n")
	f.Add("{\n}\n\n{\n}\n", "{\nx\n}\n\n{\n}\n", "{\n}\n\n{\n}\n\n{\n}\n")
	f.Add("x\r\ny\x00\n\xff", "x\ny\x00\n\xff", "x\r\n\xff\n")
	f.Fuzz(func(t *testing.T, base, ours, theirs string) {
		checkMerge(t, base, ours, theirs)
	})
}

// failer is what tests, fuzz targets and properties have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkMerge checks what holds of every merge.
func checkMerge(t failer, base, ours, theirs string) {
	t.Helper()
	b, o, th := []byte(base), []byte(ours), []byte(theirs)
	r := Merge(b, o, th)
	checkNoLoss(t, r, base, ours, theirs)
	checkHunks(t, r, ours)

	for _, id := range []struct{ base, ours, theirs, want string }{
		{base, ours, base, ours}, {base, base, theirs, theirs}, {base, ours, ours, ours},
	} {
		s := Merge([]byte(id.base), []byte(id.ours), []byte(id.theirs))
		if !s.Clean() || string(s.Merged) != id.want {
			t.Fatalf("Merge(%q, %q, %q) = %q, want %q", id.base, id.ours, id.theirs, s.Merged, id.want)
		}
	}

	swapped := Merge(b, th, o)
	if len(swapped.Conflicts) != len(r.Conflicts) {
		t.Fatalf("Merge(%q, %q, %q): %d conflicts, swapped %d", base, ours, theirs, len(r.Conflicts), len(swapped.Conflicts))
	}
	for i, h := range r.Conflicts {
		s := swapped.Conflicts[i]
		s.Ours, s.Theirs, s.OursLine, s.TheirsLine, s.Offset = s.Theirs, s.Ours, s.TheirsLine, s.OursLine, h.Offset
		if diff := cmp.Diff(h, s); diff != "" {
			t.Fatalf("Merge(%q, %q, %q): hunk %d mismatch with swapped (-want +got)\n%s", base, ours, theirs, i, diff)
		}
	}
	// The other side's view of every conflict, with ours chosen, is our view.
	choices := make([]Choice, len(r.Conflicts))
	for i := range choices {
		choices[i] = Theirs
	}
	if got := swapped.Choose(choices...); !bytes.Equal(got, r.Merged) {
		t.Fatalf("Merge(%q, %q, %q) = %q, swapped %q", base, ours, theirs, r.Merged, got)
	}
	if text, n := Markers(b, o, th, Labels{}); (n == 0) != r.Clean() || n == 0 && !bytes.Equal(text, r.Merged) {
		t.Fatalf("Markers(%q, %q, %q) = %q, %d", base, ours, theirs, text, n)
	}
}

// checkHunks checks that Conflicts say where in the texts they are.
func checkHunks(t failer, r Result, ours string) {
	t.Helper()
	for _, h := range r.Conflicts {
		if !bytes.HasPrefix(r.Merged[h.Offset:], h.Ours) || bytes.Equal(h.Ours, h.Theirs) {
			t.Fatalf("the merge's text at %d does not begin with %q: %q", h.Offset, h.Ours, r.Merged)
		}
		if at := strings.Join(strings.SplitAfter(ours, "\n")[h.OursLine-1:], ""); !strings.HasPrefix(at, string(h.Ours)) {
			t.Fatalf("ours at line %d does not begin with %q: %q", h.OursLine, h.Ours, ours)
		}
	}
}

// checkNoLoss checks that nothing is invented, and that a line of ours is missing
// only if the base had it and theirs has it less often.
func checkNoLoss(t failer, r Result, base, ours, theirs string) {
	t.Helper()
	merged, nb, no, nt := count(string(r.Merged)), count(base), count(ours), count(theirs)
	for line, n := range merged {
		if n > no[line]+nt[line] {
			t.Fatalf("Merge(%q, %q, %q) = %q has %q too often", base, ours, theirs, r.Merged, line)
		}
	}
	for line, n := range no {
		if lost, dropped := n-merged[line], max(0, nb[line]-nt[line]); lost > dropped {
			// A line that theirs moved counts as deleted where it was.
			if lost > nb[line] {
				t.Fatalf("Merge(%q, %q, %q) = %q lost %q", base, ours, theirs, r.Merged, line)
			}
			if deletedByDiff(base, theirs)[line] < lost {
				t.Fatalf("Merge(%q, %q, %q) = %q lost %q, which theirs kept", base, ours, theirs, r.Merged, line)
			}
		}
	}
}

func count(text string) map[string]int {
	n := map[string]int{}
	for line := range strings.SplitAfterSeq(text, "\n") {
		if line != "" {
			n[line]++
		}
	}
	return n
}

// deletedByDiff counts the lines of a that its edits to b remove.
func deletedByDiff(a, b string) map[string]int {
	lines := strings.SplitAfter(a, "\n")
	n := map[string]int{}
	for _, e := range Diff([]byte(a), []byte(b)) {
		for _, line := range lines[e.ALo:e.AHi] {
			n[line]++
		}
	}
	return n
}
