package drift_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// However files change places, whatever is kept, missing or the member's since
// creation: each person's text is in one file afterwards, and a conflict is remembered.
func TestMovesLoseNothing(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(rt *rapid.T) {
		some := func(label string) []string {
			return rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(rt, label)
		}
		base, ours, theirs := tree.Tree{}, tree.Tree{}, tree.Tree{}
		for _, p := range some("base") {
			base[p] = tree.Text(strings.Repeat("of "+p+"\n", 3))
			ours[p] = base[p]
		}
		for _, p := range some("deleted") {
			delete(ours, p)
		}
		for _, p := range some("edited") {
			ours[p] = tree.Text(string(ours[p].Data) + "person's " + p + "\n")
		}
		renames := map[string]string{}
		for i, p := range some("renamed") {
			renames[p] = rapid.SampledFrom(names).Draw(rt, fmt.Sprint("to", i))
		}
		for _, p := range some("theirs") {
			theirs[p] = tree.Text("new at " + p + "\n")
		}
		for from, to := range renames {
			theirs[to] = tree.Text(string(base[from].Data) + rapid.SampledFrom([]string{"", "more\n"}).Draw(rt, "more"))
		}
		modes := map[string]scaffold.Mode{}
		for _, p := range names {
			modes[p] = rapid.SampledFrom([]scaffold.Mode{scaffold.Merge, scaffold.Merge, scaffold.Once}).Draw(rt, "mode")
		}
		r := drift.Request{Locked: created(base, modes), To: drift.Revision{Version: "2.0.0", Commit: "c"}, Theirs: rendering(theirs, modes), Renames: renames}
		r.Base = func(_ string, l drift.LockedFile) (tree.File, bool) {
			for _, f := range slices.Concat(slices.Collect(maps.Values(base)), slices.Collect(maps.Values(theirs))) {
				if f.Blob() == l.Blob {
					return f, true
				}
			}
			return tree.File{}, false
		}
		for _, p := range some("keep") {
			r.Keeps = append(r.Keeps, drift.Keep{Path: p, Reason: "so"})
		}
		after := ours.Clone()
		for range 3 {
			r.Ours = standing(after, base, theirs)
			cs := drift.Plan(r)
			for _, c := range cs.Changes {
				if c.Action == drift.Conflict && !cs.Lock.Files[c.Path].Open {
					rt.Fatalf("%s: a conflict that the lock does not remember: %+v", c.Path, c)
				}
			}
			after, r.Locked, r.Renames = apply(after, cs.Writes()), cs.Lock, map[string]string{}
			for p, l := range cs.Lock.Files {
				if to, moved := renames[l.BasePath(p)]; moved && l.Earlier != "" {
					r.Renames[p] = to // it is still crossed for what was held back
				}
			}
			for p := range ours {
				if n := strings.Count(all(after), "person's "+p+"\n"); n != strings.Count(all(ours), "person's "+p+"\n") {
					rt.Fatalf("the person's text of %s is there %d times:\n%s\nafter %+v", p, n, all(after), cs.Changes)
				}
			}
		}
		if again := drift.Plan(r); len(again.Writes()) > 0 {
			rt.Fatalf("it does not settle: %+v", again.Changes)
		}
	})
}

func all(files tree.Tree) string {
	var b strings.Builder
	for _, p := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "-- %s --\n%s", p, files[p].Data)
	}
	return b.String()
}
