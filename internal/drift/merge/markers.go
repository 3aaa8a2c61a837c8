package merge

import "github.com/goldenpaths/syncer/internal/drift/textmerge"

// Markers returns the result's text with conflict markers around what is open in
// it, and how many conflicts that makes. Where nothing but lines decided, it is
// what [textmerge.Markers] gives.
func (r Result) Markers(base, ours, theirs []byte, labels textmerge.Labels) (text []byte, conflicts int) {
	if r.Clean() {
		return r.Text, 0
	}
	if r.Open() == len(r.Hunks) {
		if text, n := textmerge.Markers(base, ours, theirs, labels); n > 0 {
			return text, n
		}
	}
	var out []byte
	at := 0
	for _, h := range r.Hunks {
		if h.Applied {
			continue
		}
		out = append(out, r.Text[at:h.Offset]...)
		at = h.Offset + len(h.Ours)
		marked, n := mark(h, labels)
		out = append(out, marked...)
		conflicts += n
	}
	return append(out, r.Text[at:]...), conflicts
}

// mark writes one open hunk. Its sides may merge by lines, where it is open
// because the file would not be sound with it: then it is shown as a whole.
func mark(h Hunk, labels textmerge.Labels) ([]byte, int) {
	if text, n := textmerge.Markers(h.Base, h.Ours, h.Theirs, labels); n > 0 {
		return text, n
	}
	return textmerge.Markers(nil, h.Ours, h.Theirs, labels)
}
