package merge

import (
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// spaced is a word of a text together with the white space before it.
type spaced struct{ before, word string }

// spacedWords cuts a text into its words. The white space after the last one
// belongs to an empty word at the end.
func spacedWords(text string) []spaced {
	var out []spaced
	before := ""
	for len(text) > 0 {
		n := wordEnd(text)
		if isSpace(text) {
			before = text[:n]
		} else {
			out = append(out, spaced{before, text[:n]})
			before = ""
		}
		text = text[n:]
	}
	return append(out, spaced{before: before})
}

func bare(ws []spaced) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w.word
	}
	return out
}

// sameWords reports whether two texts have the same words in the same order:
// white space between words may differ, but "a b" is not "ab".
func sameWords(a, b string) bool {
	if squeeze(a) != squeeze(b) {
		return false
	}
	x, y := spacedWords(a), spacedWords(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i].word != y[i].word {
			return false
		}
	}
	return true
}

// joinLayout joins a change of layout with a change of content: laid has base's
// words with other white space, content has other words. Where content has the
// white space of base before a word, or before the word that took its place, it
// gets laid's.
func joinLayout(base, laid, content string) string {
	b, l, c := spacedWords(base), spacedWords(laid), spacedWords(content)
	if len(c) > maxLayoutWords || len(b) > maxLayoutWords {
		return content
	}
	edits := textmerge.EditsOf(bare(b), bare(c))
	if gone := removedBy(edits); 2*gone > len(b) {
		return content // written anew: there is no layout to follow
	}
	var out strings.Builder
	// put writes word i of content, which stands where word at of base stood.
	put := func(i, at int) {
		before := c[i].before
		if at < len(b) && before == b[at].before {
			before = l[at].before
		}
		out.WriteString(before + c[i].word)
	}
	at, i := 0, 0
	for _, e := range append(edits, textmerge.Edit{ALo: len(b), AHi: len(b), BLo: len(c), BHi: len(c)}) {
		for ; i < e.BLo; i, at = i+1, at+1 {
			put(i, at)
		}
		for ; i < e.BHi; i, at = i+1, at+1 {
			if at >= e.AHi {
				out.WriteString(c[i].before + c[i].word)
				continue
			}
			put(i, at)
		}
		at = e.AHi
	}
	return out.String()
}

// removedBy returns how many words the edits take away.
func removedBy(edits []textmerge.Edit) int {
	n := 0
	for _, e := range edits {
		n += e.AHi - e.ALo
	}
	return n
}

// layoutOnly: one side changed white space only.
func layoutOnly(h *hunk) (verdict, bool) {
	b, o, t := string(h.Base), string(h.Ours), string(h.Theirs)
	switch {
	case sameWords(o, t):
		return h.says(o, "both made the same change and differ in white space only; yours stays")
	case sameWords(b, t):
		return h.says(joinLayout(b, t, o), "the golden path changed white space only: your words, its layout where you had not changed it")
	case sameWords(b, o):
		return h.says(joinLayout(b, o, t), "you changed white space only: the golden path's words, your layout where it had not changed it")
	}
	return verdict{}, false
}
