package textmerge

// Change is a range of lines that a side changed: what the base has there, and what
// the side has. One of the two may be empty, never both.
type Change struct{ Was, Is []byte }

// Changes returns what a side changed, as [Diff] does. Of a merge in which one side
// changed nothing, or both the same, it returns nothing.
func (r Result) Changes(by Choice) []Change {
	if r.made == nil {
		return nil
	}
	side, edits := r.made.ours, r.made.oEdits
	if by == Theirs {
		side, edits = r.made.theirs, r.made.tEdits
	}
	cs := make([]Change, len(edits))
	for i, e := range edits {
		cs[i] = Change{Was: r.made.base.slice(e.ALo, e.AHi), Is: side.slice(e.BLo, e.BHi)}
	}
	return cs
}

// Taken is a change that only theirs made, in the merged text.
type Taken struct {
	Change
	Offset int // where Is begins in Result.Merged
}
