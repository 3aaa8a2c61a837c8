package walks

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/tree"
)

func TestSuggestions(t *testing.T) {
	file := func(text string) *tree.File { return &tree.File{Kind: tree.Regular, Data: []byte(text)} }
	const before = "one\ntwo\nthree\nfour\nfive\nsix\nmine\n"
	clash := drift.Clash{Line: 7, Base: []byte("seven\n"), Ours: []byte("mine\n"), Theirs: []byte("SEVEN\n")}
	for _, c := range []struct {
		name          string
		before, after *tree.File
		clash         drift.Clash
		want          [][2]int
	}{
		{"near a change", file(before), file("one\ntwo\nthree\nfour\nFIVE\nsix\nmine\n"), clash, [][2]int{{7, 7}}},
		{"moved by a change", file(before), file("one\ntwo\nthree\nfour\nFIVE\nand\nmore\nsix\nmine\n"), clash, [][2]int{{9, 9}}},
		{"far from a change", file(before), file("ONE\ntwo\nthree\nfour\nfive\nsix\nmine\n"), clash, nil},
		{"no change", file(before), file(before), clash, nil},
		{"there twice", file(before), file("mine\ntwo\nthree\nfour\nFIVE\nsix\nmine\n"), clash, nil},
		{"a whole file", file(before), file(before), drift.Clash{Ours: []byte(before), Theirs: []byte("x")}, nil},
		{"a file that goes", file(before), nil, clash, nil},
	} {
		var got [][2]int
		for _, s := range reviewSuggestions(drift.Change{Path: "a", Before: c.before, After: c.after, Clashes: []drift.Clash{c.clash}}) {
			got = append(got, [2]int{s.Start, s.End})
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
