package merge

import (
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// joinWords joins two changes to one line word by word. It refuses where both
// changed the same or neighbouring words, and where the three lines have little
// in common.
func joinWords(b, o, t string) (string, bool) {
	bw, ow, tw := terms(b), terms(o), terms(t)
	if len(bw) > maxWords || len(ow) > maxWords || len(tw) > maxWords {
		return "", false
	}
	var out strings.Builder
	for _, r := range textmerge.Regions(bw, ow, tw) {
		mine, theirs := strings.Join(ow[r.OLo:r.OHi], ""), strings.Join(tw[r.TLo:r.THi], "")
		switch r.By {
		case textmerge.Neither, textmerge.OursOnly, textmerge.Alike:
			out.WriteString(mine)
		case textmerge.TheirsOnly:
			out.WriteString(theirs)
		case textmerge.Both:
			base := strings.Join(bw[r.BLo:r.BHi], "")
			switch {
			case squeeze(mine) == squeeze(theirs), squeeze(base) == squeeze(theirs):
				out.WriteString(mine)
			case squeeze(base) == squeeze(mine):
				out.WriteString(theirs)
			default:
				return "", false
			}
		}
	}
	joined := out.String()
	return joined, keepsWords(b, o, t, joined)
}

// keepsWords reports whether every word that a side brought is in the result as
// often as the sides together have it, and none that they did not bring.
func keepsWords(b, o, t, joined string) bool {
	base, mine, theirs := count(terms(b)), count(terms(o)), count(terms(t))
	for w, n := range count(terms(joined)) {
		want := mine[w] + theirs[w] - base[w]
		if n > max(want, mine[w], theirs[w]) {
			return false
		}
	}
	got := count(terms(joined))
	if saysAgain(base, mine, theirs, got) || saysAgain(base, theirs, mine, got) {
		return false
	}
	for w, n := range mine {
		if !isSpace(w) && n > base[w] && got[w] < n-base[w]+min(base[w], theirs[w]) {
			return false
		}
	}
	for w, n := range theirs {
		if !isSpace(w) && n > base[w] && got[w] < n-base[w]+min(base[w], mine[w]) {
			return false
		}
	}
	return true
}

// saysAgain reports whether all names that are new in x are new in y as well, and
// the joined line has them more often than either: it says the same thing twice.
func saysAgain(base, x, y, joined map[string]int) bool {
	found := false
	for w := range x {
		if base[w] > 0 || trivial(w) {
			continue
		}
		if y[w] == 0 || joined[w] <= max(x[w], y[w]) {
			return false
		}
		found = true
	}
	return found
}

func count(ws []string) map[string]int {
	n := make(map[string]int, len(ws))
	for _, w := range ws {
		n[w]++
	}
	return n
}
