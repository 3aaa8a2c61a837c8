package merge

import "github.com/goldenpaths/syncer/internal/drift/textmerge"

// toward is how the words of a hunk's sides compare. Words are counted, their
// order aside.
type toward struct {
	// own is how many words ours brought that theirs did not bring, kept how many
	// words ours removed that theirs has left.
	own, kept int
	// closer is true where ours is more like theirs than the base is.
	closer bool
	// brought is how many names ours brought, and names how many it brought or
	// removed: signs alone say nothing.
	brought, names int
}

// towards compares ours with theirs by their words.
func (h *hunk) towards() toward {
	if h.course == nil {
		d := h.compareWords()
		h.course = &d
	}
	return *h.course
}

func (h *hunk) compareWords() toward {
	b, o, t := bagOf(string(h.Base)), bagOf(string(h.Ours)), bagOf(string(h.Theirs))
	d := toward{closer: o.likeness(t) > b.likeness(t)}
	for w, n := range o.words {
		added := n - b.words[w]
		if added <= 0 {
			continue
		}
		d.own += max(0, added-max(0, t.words[w]-b.words[w])) / weight(w)
		if isName(w) {
			d.brought++
			d.names++
		}
	}
	for w, n := range b.words {
		removed := n - o.words[w]
		if removed <= 0 {
			continue
		}
		d.kept += max(0, removed-max(0, n-t.words[w])) / weight(w)
		if isName(w) {
			d.names++
		}
	}
	return d
}

// wordByWord: every word that ours brought, theirs brought too, and what ours
// removed, theirs removed: nothing of the member's is lost with theirs.
func wordByWord(h *hunk) (verdict, bool) {
	if d := h.towards(); !d.closer || d.own > 0 || d.kept > 0 || d.names == 0 {
		return verdict{}, false
	}
	return propose(h.t, "the golden path's version has every word of your change, and goes further")
}

// fewOwn is how many words of the member's own theirs may lack to be proposed in
// its place, and ownShare which part of the names that the member brought: one
// of two is the change itself.
const (
	fewOwn   = 2
	ownShare = 3 // a third
)

// nearlySame is how like ours theirs must be, with nothing in it that ours removed,
// to be proposed in its place whatever ours brought.
const nearlySame = 0.8

// nearer: theirs is nearly the same as ours, or ours goes the golden path's way and
// has next to nothing of its own.
func nearer(h *hunk) (verdict, bool) {
	d := h.towards()
	if d.kept == 0 && bagOf(string(h.Ours)).likeness(bagOf(string(h.Theirs))) >= nearlySame {
		return propose(h.t, "the golden path's version is nearly yours, and has nothing that you removed; its version is proposed")
	}
	if !d.closer || d.own > fewOwn || d.own*ownShare > d.brought || d.kept > fewOwn {
		return verdict{}, false
	}
	return propose(h.t, "the golden path's version has your change but for a word or two; its version is proposed")
}

// untouched is how much of a file's words must be the base's for the member to
// have done next to nothing to it.
const untouched = 0.99

// touched: the golden path changed again one of the few places that the member
// had changed in the file.
func touched(h *hunk) (verdict, bool) {
	if h.file.likeness() < untouched {
		return verdict{}, false
	}
	return propose(h.t, "your file is the golden path's but for a few words, which it has now changed itself; its version is proposed")
}

// likeness is how like ours is to the base, as a whole: the share of the text that
// is in words which both have. Only the lines that differ are cut into words.
func (f *file) likeness() float64 {
	if f.within != nil {
		return f.within.likeness()
	}
	if f.alike != nil {
		return *f.alike
	}
	removed, added := map[string]int{}, map[string]int{}
	for _, c := range f.lines.Changes(textmerge.Ours) {
		countWords(removed, c.Was)
		countWords(added, c.Is)
	}
	differ := 0
	for w, n := range removed {
		differ += len(w) * max(0, n-added[w])
	}
	for w, n := range added {
		differ += len(w) * max(0, n-removed[w])
	}
	all := inWords(f.base) + inWords(f.ours)
	alike := 1.0
	if all > 0 {
		alike = 1 - float64(differ)/float64(all)
	}
	f.alike = &alike
	return alike
}

func countWords(into map[string]int, text []byte) {
	for _, w := range words(string(text)) {
		if !isSpace(w) {
			into[w]++
		}
	}
}

// inWords returns how many bytes of a text are no white space.
func inWords(text []byte) int {
	n := 0
	for _, c := range text {
		if c > ' ' {
			n++
		}
	}
	return n
}
