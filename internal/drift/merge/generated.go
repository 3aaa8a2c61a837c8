package merge

import (
	"regexp"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// opaque finds what programs generate: times, digests and UUIDs.
var opaque = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}[0-9:.+Z-]*|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32,64}\b`)

// moment finds times of the day with their date.
var moment = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?`)

// identifiers: both sides put another digest, UUID or time into a line's place. What
// programs write says when it was written in most cases: the later one is the newer.
func identifiers(h *hunk) (verdict, bool) {
	if len(h.b) != len(h.o) || len(h.b) != len(h.t) {
		return verdict{}, false
	}
	for i := range h.b {
		b, o, t := h.b[i], h.o[i], h.t[i]
		form := opaque.ReplaceAllString(b, "\x00")
		if form == b && o != t || opaque.ReplaceAllString(o, "\x00") != form || opaque.ReplaceAllString(t, "\x00") != form {
			return verdict{}, false
		}
	}
	f := h.file
	if f.within != nil {
		f = f.within
	}
	switch ours, theirs := f.moments(); {
	case ours == "" || theirs == "" || ours == theirs:
		return propose(h.t, "both put another generated identifier here, and nothing tells which is newer; the golden path's is proposed")
	case ours > theirs:
		return propose(h.o, "both put another generated identifier here; yours was generated later by the file's times, and is proposed")
	}
	return propose(h.t, "both put another generated identifier here; the golden path's was generated later by the file's times, and is proposed")
}

// moments returns the latest time that each side brought to the file, found once; ""
// where it brought none.
func (f *file) moments() (ours, theirs string) {
	if f.times == nil {
		f.times = &[2]string{f.latest(textmerge.Ours), f.latest(textmerge.Theirs)}
	}
	return f.times[0], f.times[1]
}

func (f *file) latest(side textmerge.Choice) string {
	newest := ""
	for _, c := range f.lines.Changes(side) {
		for _, m := range moment.FindAllString(string(c.Is), -1) {
			newest = max(newest, m[:10]+"T"+m[11:]) // a space may part the day from the time
		}
	}
	return newest
}
