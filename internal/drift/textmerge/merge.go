package textmerge

import (
	"bytes"
	"slices"
)

// Hunk is a region that both sides changed, each in its own way. The slices are
// parts of the inputs, line terminators included, and must not be changed. Line
// numbers count from 1; where a side has no lines left, its number is that of
// the line before which they would stand.
type Hunk struct {
	Base, Ours, Theirs             []byte
	BaseLine, OursLine, TheirsLine int

	// Offset is where the hunk's text begins in Result.Merged: Ours, or, for a
	// settled hunk, the text that it was settled to.
	Offset int
}

// Result is what became of a merge.
type Result struct {
	// Merged is the merged text, with our side in every conflict. It may share
	// memory with an input and must not be changed.
	Merged []byte
	// Conflicts are the hunks that need a decision, from top to bottom.
	Conflicts []Hunk
	// Settled are the hunks that the caller of MergeWith decided.
	Settled []Hunk
	// Taken are the changes in Merged that only theirs made, from top to bottom.
	Taken []Taken

	made *merge // what Changes tells of; nil where a side changed nothing
}

// Clean reports whether the merge has no conflicts.
func (r Result) Clean() bool { return len(r.Conflicts) == 0 }

// Choice says which side of a conflict to take.
type Choice int

// The sides of a conflict.
const (
	Ours Choice = iota // what Merged holds
	Theirs
)

// Choose returns Merged with the chosen side in each conflict: choices[i] is
// for Conflicts[i], and where choices is shorter our side stays.
func (r Result) Choose(choices ...Choice) []byte {
	out := make([]byte, 0, len(r.Merged))
	at := 0
	for i, c := range choices[:min(len(choices), len(r.Conflicts))] {
		if c != Theirs {
			continue
		}
		h := r.Conflicts[i]
		out = append(out, r.Merged[at:h.Offset]...)
		out = append(out, h.Theirs...)
		at = h.Offset + len(h.Ours)
	}
	return append(out, r.Merged[at:]...)
}

// Merge applies to ours what changed between base and theirs. Where both sides
// changed the same lines, or lines without an unchanged one in between, and not
// to the same text, it reports a conflict and keeps ours.
//
// It is clean when git merge-file is, and then gives the same bytes. Bytes are
// never interpreted: a line ends with '\n', and whatever else is in it, NUL, a
// carriage return or invalid UTF-8, is content.
func Merge(base, ours, theirs []byte) Result {
	return MergeWith(base, ours, theirs, nil)
}

// MergeWith is Merge with somebody to ask: decide gets every hunk that would be
// a conflict, from top to bottom, and where ok is true, text takes the hunk's
// place. If text lacks the last line's terminator and other lines follow, a
// terminator is added, so that no two lines are glued together. A nil decide
// settles nothing. Offset is not yet known when decide is asked.
func MergeWith(base, ours, theirs []byte, decide func(Hunk) (text []byte, ok bool)) Result {
	switch {
	case bytes.Equal(base, theirs), bytes.Equal(ours, theirs):
		return Result{Merged: ours}
	case bytes.Equal(base, ours):
		return Result{Merged: theirs}
	}
	m := compare(base, ours, theirs)
	w := writer{merge: m, Result: Result{made: m}, out: make([]byte, 0, max(len(ours), len(ours)+len(theirs)-len(base)))}
	for _, r := range m.regions {
		switch r.kind {
		case byTheirs:
			w.oursUntil(r.oLo)
			c := Change{Was: m.base.slice(r.bLo, r.bHi), Is: m.theirs.slice(r.tLo, r.tHi)}
			w.Taken = append(w.Taken, Taken{c, len(w.out)})
			w.out = append(w.out, c.Is...)
			w.at = r.oHi
		case byBoth:
			w.conflict(r, decide)
		}
	}
	w.oursUntil(m.ours.lines())
	w.Merged = w.out
	return w.Result
}

// writer puts the merged text together.
type writer struct {
	*merge
	Result

	out []byte
	at  int // the lines of ours before it are dealt with
}

func (w *writer) oursUntil(line int) {
	w.out = append(w.out, w.ours.slice(w.at, line)...)
	w.at = line
}

func (w *writer) conflict(r region, decide func(Hunk) ([]byte, bool)) {
	w.oursUntil(r.oLo)
	h := w.hunk(r)
	if decide != nil {
		if text, ok := decide(h); ok {
			h.Offset = len(w.out)
			w.Settled = append(w.Settled, h)
			w.out = append(w.out, text...)
			if w.at = r.oHi; w.at < w.ours.lines() {
				w.out = terminated(w.out, text, false)
			}
			return
		}
	}
	h.Offset = len(w.out)
	w.Conflicts = append(w.Conflicts, h)
	w.oursUntil(r.oHi)
}

// terminated ends the line that out ends with, if it was just given text and
// text lacks its last terminator.
func terminated(out, text []byte, crlf bool) []byte {
	if len(text) == 0 || text[len(text)-1] == '\n' {
		return out
	}
	if crlf {
		out = append(out, '\r')
	}
	return append(out, '\n')
}

// merge is two comparisons with the same base, put side by side.
type merge struct {
	base, ours, theirs *text
	differ             *differ
	oEdits, tEdits     []Edit
	regions            []region
}

// kind says who changed a region.
type kind int

const (
	byOurs   kind = iota
	byTheirs      // alone
	alike         // both, by different edits, to the same text
	byBoth        // each to its own
)

// region is a range of lines of all three texts that somebody changed. Between
// two regions, and around them, ours and theirs are the same.
type region struct {
	kind                         kind
	bLo, bHi, oLo, oHi, tLo, tHi int
}

// compare finds the regions.
func compare(base, ours, theirs []byte) *merge {
	ts, n := cutAll(base, ours, theirs)
	m := &merge{base: &ts[0], ours: &ts[1], theirs: &ts[2], differ: newDiffer(n)}
	m.oEdits, m.tEdits = m.differ.diff(m.base.id, m.ours.id), m.differ.diff(m.base.id, m.theirs.id)
	m.join(m.oEdits, m.tEdits)
	return m
}

// join makes regions of the edits of both sides: edits that overlap or touch
// belong to one. An edit that both sides made is no region: ours has it.
func (m *merge) join(ours, theirs []Edit) {
	m.regions = make([]region, 0, len(ours)+len(theirs))
	o, t := strand{edits: ours}, strand{edits: theirs}
	for !o.done() || !t.done() {
		if m.sameEdit(o, t) {
			o.take()
			t.take()
			continue
		}
		r := region{bLo: min(o.begin(), t.begin())}
		r.oLo, r.tLo = r.bLo+o.shift, r.bLo+t.shift
		r.bHi = r.bLo
		var inOurs, inTheirs bool
		for o.begin() <= r.bHi || t.begin() <= r.bHi {
			if o.begin() <= r.bHi {
				r.bHi, inOurs = max(r.bHi, o.take()), true
			}
			if t.begin() <= r.bHi {
				r.bHi, inTheirs = max(r.bHi, t.take()), true
			}
		}
		r.oHi, r.tHi = r.bHi+o.shift, r.bHi+t.shift
		r.kind = m.judge(r, inOurs, inTheirs)
		m.regions = append(m.regions, r)
	}
}

// sameEdit reports whether both sides' next edit is the same.
func (m *merge) sameEdit(o, t strand) bool {
	if o.done() || t.done() {
		return false
	}
	x, y := o.edits[0], t.edits[0]
	return x.ALo == y.ALo && x.AHi == y.AHi &&
		slices.Equal(m.ours.id[x.BLo:x.BHi], m.theirs.id[y.BLo:y.BHi])
}

// judge says who changed the region, given whose edits are in it.
func (m *merge) judge(r region, ours, theirs bool) kind {
	switch {
	case !theirs:
		return byOurs
	case !ours:
		return byTheirs
	case slices.Equal(m.ours.id[r.oLo:r.oHi], m.theirs.id[r.tLo:r.tHi]):
		return alike
	}
	return byBoth
}

func (m *merge) hunk(r region) Hunk {
	return Hunk{
		Base: m.base.slice(r.bLo, r.bHi), BaseLine: r.bLo + 1,
		Ours: m.ours.slice(r.oLo, r.oHi), OursLine: r.oLo + 1,
		Theirs: m.theirs.slice(r.tLo, r.tHi), TheirsLine: r.tLo + 1,
	}
}

// strand is one side's edits, taken one by one.
type strand struct {
	edits []Edit
	shift int // what to add to a line of base to get the side's, after the taken edits
}

func (s *strand) done() bool { return len(s.edits) == 0 }

// begin returns the line of base at which the next edit begins; after the last
// one, a line that is never reached.
func (s *strand) begin() int {
	if s.done() {
		return int(^uint(0) >> 1)
	}
	return s.edits[0].ALo
}

// take takes the next edit and returns where in base it ends.
func (s *strand) take() int {
	e := s.edits[0]
	s.edits = s.edits[1:]
	s.shift = e.BHi - e.AHi
	return e.AHi
}
