package textmerge

// Party says who changed a [Region].
type Party int

// The parties to a merge.
const (
	Neither    Party = iota // as in the base, on both sides
	OursOnly                // we did
	TheirsOnly              // they did
	Alike                   // both did, to the same
	Both                    // both did, each to something else
)

// Region is a range of three sequences that are merged. The regions of a merge
// cover the sequences without a gap; upper bounds are exclusive.
type Region struct {
	By                           Party
	BLo, BHi, OLo, OHi, TLo, THi int
}

// Regions merges sequences of words, or of anything else that a string can
// stand for, as [Merge] does lines: with the same diff and the same rule for
// what belongs together. It returns all regions in order, those that nobody
// changed included.
func Regions(base, ours, theirs []string) []Region {
	b, o, t, n := number(base, ours, theirs)
	d := newDiffer(n)
	m := &merge{base: &text{id: b}, ours: &text{id: o}, theirs: &text{id: t}, differ: d}
	mine, yours := d.diff(b, o), d.diff(b, t)
	m.join(mine, yours)
	return m.cover()
}

// EditsOf returns the edits that turn one sequence of strings into another, as
// [Diff] does for the lines of texts.
func EditsOf(a, b []string) []Edit {
	x, y, _, n := number(a, b, nil)
	return newDiffer(n).diff(x, y)
}

// number gives equal strings equal numbers and returns how many there are.
func number(base, ours, theirs []string) (b, o, t []int32, n int) {
	seen := make(map[string]int32, len(base)+len(ours)/4)
	of := func(words []string) []int32 {
		ids := make([]int32, len(words))
		for i, w := range words {
			id, ok := seen[w]
			if !ok {
				id = int32(len(seen))
				seen[w] = id
			}
			ids[i] = id
		}
		return ids
	}
	b, o, t = of(base), of(ours), of(theirs)
	return b, o, t, len(seen)
}

// cover returns the merge's regions and what is between them. The edits that
// both sides made alike are no regions of their own, and are found here as
// places where the sides agree and the base does not.
func (m *merge) cover() []Region {
	var all []Region
	bAt, oAt, tAt := 0, 0, 0
	between := func(bTo, oTo, tTo int) {
		if bTo == bAt && oTo == oAt && tTo == tAt {
			return
		}
		r := Region{Neither, bAt, bTo, oAt, oTo, tAt, tTo}
		if bTo-bAt != oTo-oAt || !equalIDs(m.base.id[bAt:bTo], m.ours.id[oAt:oTo]) {
			r.By = Alike
		}
		all = append(all, r)
	}
	parties := [...]Party{byOurs: OursOnly, byTheirs: TheirsOnly, alike: Alike, byBoth: Both}
	for _, r := range m.regions {
		between(r.bLo, r.oLo, r.tLo)
		all = append(all, Region{parties[r.kind], r.bLo, r.bHi, r.oLo, r.oHi, r.tLo, r.tHi})
		bAt, oAt, tAt = r.bHi, r.oHi, r.tHi
	}
	between(len(m.base.id), len(m.ours.id), len(m.theirs.id))
	return all
}

func equalIDs(a, b []int32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
