package textmerge

import (
	"bytes"
	"unicode/utf8"
)

// Style says what stands between conflict markers.
type Style int

// The styles of conflict markers, named as in git's merge.conflictStyle.
const (
	StyleMerge  Style = iota // both sides, cut down to the lines in which they differ
	StyleDiff3               // both sides and what the base has in their place
	StyleZDiff3              // as StyleDiff3, without the lines that both sides begin and end with
)

// Labels says how conflicts are marked. The zero value is usable.
type Labels struct {
	Ours, Base, Theirs string // what to write behind the markers; nothing where empty
	Style              Style
	MarkerSize         int // how many characters a marker has; 7 where zero or less
}

// markerSize is git's default (conflict-marker-size in gitattributes).
const markerSize = 7

// Markers returns the merged text with conflicts between markers, as git
// merge-file -p writes it, and how many there are: none exactly where [Merge] is
// clean. In StyleMerge there may be more of them than Merge has conflicts, since
// one region can fall apart into smaller ones.
//
// Unlike git, the styles with a base do not mark a region in which both sides
// came to the same text by different edits.
func Markers(base, ours, theirs []byte, labels Labels) (text []byte, conflicts int) {
	r := Merge(base, ours, theirs)
	if r.Clean() {
		return r.Merged, 0
	}
	m := compare(base, ours, theirs)
	switch labels.Style {
	case StyleMerge:
		m.refine()
	case StyleZDiff3:
		m.trim()
	}
	if labels.MarkerSize <= 0 {
		labels.MarkerSize = markerSize
	}
	w := marker{merge: m, labels: labels, out: make([]byte, 0, len(ours)+len(theirs))}
	for _, r := range m.regions {
		switch r.kind {
		case byTheirs:
			w.oursUntil(r.oLo)
			w.out = append(w.out, m.theirs.slice(r.tLo, r.tHi)...)
			w.at = r.oHi
		case byBoth:
			w.oursUntil(r.oLo)
			w.conflict(r)
			w.at = r.oHi
			conflicts++
		}
	}
	w.oursUntil(m.ours.lines())
	return w.out, conflicts
}

// refine replaces every conflict by the parts in which the two sides really
// differ, and joins again what lies too close together to be read apart. The
// parts' lines in base are not known.
func (m *merge) refine() {
	var fine []region
	for _, r := range m.regions {
		if r.kind != byBoth || r.oLo == r.oHi || r.tLo == r.tHi {
			fine = append(fine, r)
			continue
		}
		for _, e := range m.differ.diff(m.ours.id[r.oLo:r.oHi], m.theirs.id[r.tLo:r.tHi]) {
			fine = append(fine, region{
				kind: byBoth, bLo: r.bLo, bHi: r.bHi,
				oLo: r.oLo + e.ALo, oHi: r.oLo + e.AHi,
				tLo: r.tLo + e.BLo, tHi: r.tLo + e.BHi,
			})
		}
	}
	m.regions = fine[:0]
	for _, r := range fine {
		if n := len(m.regions); n > 0 && m.together(m.regions[n-1], r) {
			last := &m.regions[n-1]
			last.bHi, last.oHi, last.tHi = r.bHi, r.oHi, r.tHi
			continue
		}
		m.regions = append(m.regions, r)
	}
}

// closeBy is how few lines between two conflicts make them one.
const closeBy = 3

// together reports whether two neighbouring conflicts are shown as one: when
// there are only few lines in between, or none with a letter or a digit.
func (m *merge) together(r, next region) bool {
	if r.kind != byBoth || next.kind != byBoth {
		return false
	}
	return next.oLo-r.oHi <= closeBy ||
		!bytes.ContainsFunc(m.ours.slice(r.oHi, next.oLo), isAlnum)
}

func isAlnum(r rune) bool {
	return '0' <= r && r <= '9' || r < utf8.RuneSelf && isAlpha(byte(r))
}

// trim takes the lines that both sides begin or end with out of every conflict.
func (m *merge) trim() {
	for i := range m.regions {
		r := &m.regions[i]
		if r.kind != byBoth {
			continue
		}
		head, tail := sharedEnds(m.ours.id[r.oLo:r.oHi], m.theirs.id[r.tLo:r.tHi])
		r.oLo, r.tLo = r.oLo+head, r.tLo+head
		r.oHi, r.tHi = r.oHi-tail, r.tHi-tail
	}
}

// marker puts together a text with conflict markers.
type marker struct {
	*merge

	labels Labels
	out    []byte
	at     int // the lines of ours before it are dealt with
}

func (w *marker) oursUntil(line int) {
	w.out = append(w.out, w.ours.slice(w.at, line)...)
	w.at = line
}

func (w *marker) conflict(r region) {
	crlf := w.crlf(r)
	w.line('<', w.labels.Ours, crlf)
	w.lines(w.ours.slice(r.oLo, r.oHi), crlf)
	if w.labels.Style != StyleMerge {
		w.line('|', w.labels.Base, crlf)
		w.lines(w.base.slice(r.bLo, r.bHi), crlf)
	}
	w.line('=', "", crlf)
	w.lines(w.theirs.slice(r.tLo, r.tHi), crlf)
	w.line('>', w.labels.Theirs, crlf)
}

func (w *marker) line(c byte, label string, crlf bool) {
	for range w.labels.MarkerSize {
		w.out = append(w.out, c)
	}
	if label != "" {
		w.out = append(w.out, ' ')
		w.out = append(w.out, label...)
	}
	if crlf {
		w.out = append(w.out, '\r')
	}
	w.out = append(w.out, '\n')
}

func (w *marker) lines(text []byte, crlf bool) {
	w.out = terminated(append(w.out, text...), text, crlf)
}

// crlf reports whether markers end in a carriage return: when the lines before
// the conflict do on both sides, and so does the base's first.
func (w *marker) crlf(r region) bool {
	known := false
	for _, e := range []ending{
		w.ours.ending(max(r.oLo-1, 0)),
		w.theirs.ending(max(r.tLo-1, 0)),
		w.base.ending(0),
	} {
		if e == endsLF {
			return false
		}
		known = e == endsCRLF
	}
	return known
}

// ending is how a line ends.
type ending int

const (
	endsUnknown ending = iota // the text has no terminator to judge by
	endsLF
	endsCRLF
)

// ending returns how line i of the text ends; a last line without a terminator
// is taken to end like the one before.
func (t *text) ending(i int) ending {
	if i == t.lines()-1 && t.data[len(t.data)-1] != '\n' {
		i--
	}
	if i < 0 || i >= t.lines() {
		return endsUnknown
	}
	if bytes.HasSuffix(t.slice(i, i+1), []byte("\r\n")) {
		return endsCRLF
	}
	return endsLF
}
