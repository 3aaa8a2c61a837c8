package textmerge

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestChanges(t *testing.T) {
	r := Merge([]byte("a\nb\nc\nd\ne\nf\ng\n"), []byte("a\nB\nc\nd\ne\no\ng\n"), []byte("a\nb\nc\nD\nx\ne\nt\ng\n"))
	change := func(was, is string) Change { return Change{[]byte(was), []byte(is)} }
	same := cmp.Comparer(bytes.Equal)
	if diff := cmp.Diff([]Change{change("b\n", "B\n"), change("f\n", "o\n")}, r.Changes(Ours), same); diff != "" {
		t.Errorf("ours mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Change{change("d\n", "D\nx\n"), change("f\n", "t\n")}, r.Changes(Theirs), same); diff != "" {
		t.Errorf("theirs mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Taken{{change("d\n", "D\nx\n"), 6}}, r.Taken, same); diff != "" {
		t.Errorf("taken mismatch (-want +got):\n%s", diff)
	}
	if got := Merge([]byte("a\n"), []byte("a\n"), []byte("b\n")).Changes(Theirs); got != nil {
		t.Errorf("only theirs changed: got %q, want none", got)
	}
}

// TestTaken puts back what a merge took from theirs, which gives ours.
func TestTaken(t *testing.T) {
	text := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "d\n", "e"}), 0, 12), func(lines []string) []byte {
		var b []byte
		for _, l := range lines {
			b = append(b, l...)
		}
		return b
	})
	rapid.Check(t, func(t *rapid.T) {
		base, ours, theirs := text.Draw(t, "base"), text.Draw(t, "ours"), text.Draw(t, "theirs")
		r := Merge(base, ours, theirs)
		if r.Taken == nil && bytes.Equal(r.Merged, theirs) {
			return
		}
		var back []byte
		at := 0
		for _, c := range r.Taken {
			back = append(append(back, r.Merged[at:c.Offset]...), c.Was...)
			at = c.Offset + len(c.Is)
		}
		if back = append(back, r.Merged[at:]...); !bytes.Equal(back, ours) {
			t.Fatalf("%q, %q and %q: merged %q, taken back %q", base, ours, theirs, r.Merged, back)
		}
	})
}
