package drift

import (
	"bytes"
	"unicode/utf8"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Hole is a part of the golden path's text that the member's file does not have,
// because both changed it and nobody decided.
type Hole struct {
	Line  int    `json:"line"`           // of the golden path's text, from 1
	Lines int    `json:"lines"`          // how many of its lines are not applied
	Base  string `json:"base,omitempty"` // what both began with there
}

// filled returns the golden path's text with what both began with in the holes: the
// base of a file to which all else was applied. It returns false where the holes do
// not fit the text.
func filled(text []byte, holes []Hole) ([]byte, bool) {
	if len(holes) == 0 {
		return text, true
	}
	starts := textmerge.LineStarts(text)
	lines := len(starts) - 1
	var out []byte
	at := 0
	for _, h := range holes {
		first := h.Line - 1
		if first < at || h.Lines < 0 || first > lines || h.Lines > lines-first {
			return nil, false
		}
		out = append(out, text[starts[at]:starts[first]]...)
		out = append(out, h.Base...)
		at = first + h.Lines
	}
	return append(out, text[starts[at]:]...), true
}

// holes returns the holes that a change leaves in the golden path's file. It returns
// false where there are none (a file conflicts as a whole), and where a merge from
// the base that they give would not come to the same again.
func (f facts) holes(c Change, theirs tree.File) ([]Hole, bool) {
	if c.After == nil || f.theirs == nil || !utf8.Valid(theirs.Data) {
		return nil, false
	}
	var holes []Hole
	for _, h := range c.Hunks {
		switch {
		case h.Applied:
			continue
		case h.TheirsLine == 0 || !utf8.Valid(h.Base):
			return nil, false
		}
		holes = append(holes, Hole{Line: h.TheirsLine, Lines: len(textmerge.LineStarts(h.Theirs)) - 1, Base: string(h.Base)})
	}
	base, ok := filled(theirs.Data, holes)
	if !ok || len(holes) == 0 {
		return nil, false
	}
	f.base, f.ours = &tree.File{Kind: theirs.Kind, Data: base}, c.After
	again := f.mergeText(Change{Path: f.path}, c.After.Kind)
	return holes, again.After.Equal(*c.After) && sameClashes(again.Clashes, c.Clashes)
}

func sameClashes(a, b []Clash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i].Base, b[i].Base) || !bytes.Equal(a[i].Ours, b[i].Ours) || !bytes.Equal(a[i].Theirs, b[i].Theirs) {
			return false
		}
	}
	return true
}
