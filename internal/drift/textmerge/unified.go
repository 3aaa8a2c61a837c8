package textmerge

import (
	"bytes"
	"fmt"
	"strings"
)

// Unified returns what changed from a to b as a unified diff with the given
// number of lines of context, or "" where nothing did. The names are written as
// they are after --- and +++: prefixes such as a/ and b/, and /dev/null for a
// text that does not exist, are the caller's. A hunk's heading ends with the
// last line before it that begins with a letter, '_' or '$', as git writes it.
func Unified(aName, bName string, a, b []byte, context int) string {
	if bytes.Equal(a, b) {
		return ""
	}
	ts, n := cutAll(a, b)
	context = max(context, 0)
	u := unified{a: &ts[0], b: &ts[1], context: context}
	fmt.Fprintf(&u.out, "--- %s\n+++ %s\n", aName, bName)
	es := newDiffer(n).diff(u.a.id, u.b.id)
	for len(es) > 0 {
		k := 1
		for k < len(es) && es[k].ALo-es[k-1].AHi <= 2*context {
			k++
		}
		u.hunk(es[:k])
		es = es[k:]
	}
	return u.out.String()
}

// unified writes a diff hunk by hunk.
type unified struct {
	a, b    *text
	context int
	out     strings.Builder
	seen    int    // the lines of a before it were searched for a heading
	heading []byte // the last one found
}

// hunk writes edits that are near enough to each other to share their context.
func (u *unified) hunk(es []Edit) {
	first, last := es[0], es[len(es)-1]
	before := min(u.context, first.ALo)
	after := min(u.context, u.a.lines()-last.AHi)
	u.out.WriteString("@@ -")
	u.span(first.ALo-before, last.AHi+after)
	u.out.WriteString(" +")
	u.span(first.BLo-before, last.BHi+after)
	u.out.WriteString(" @@")
	if h := u.headingBefore(first.ALo - before); len(h) > 0 {
		u.out.WriteByte(' ')
		u.out.Write(h)
	}
	u.out.WriteByte('\n')

	at := first.ALo - before
	for _, e := range es {
		u.lines(' ', u.a, at, e.ALo)
		u.lines('-', u.a, e.ALo, e.AHi)
		u.lines('+', u.b, e.BLo, e.BHi)
		at = e.AHi
	}
	u.lines(' ', u.a, at, at+after)
}

// span writes a range of lines; an empty one is named by the line before it.
func (u *unified) span(lo, hi int) {
	switch n := hi - lo; n {
	case 0:
		fmt.Fprintf(&u.out, "%d,0", lo)
	case 1:
		fmt.Fprintf(&u.out, "%d", lo+1)
	default:
		fmt.Fprintf(&u.out, "%d,%d", lo+1, n)
	}
}

func (u *unified) lines(sign byte, t *text, lo, hi int) {
	for i := lo; i < hi; i++ {
		line := t.slice(i, i+1)
		u.out.WriteByte(sign)
		u.out.Write(line)
		if line[len(line)-1] != '\n' {
			u.out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// longestHeading is how many bytes of a line git shows in a hunk's heading.
const longestHeading = 80

// headingBefore returns the heading for a hunk whose context begins at line lo.
func (u *unified) headingBefore(lo int) []byte {
	for i := lo - 1; i >= u.seen; i-- {
		if line := u.a.slice(i, i+1); isAlpha(line[0]) || line[0] == '_' || line[0] == '$' {
			line = line[:min(len(line), longestHeading)]
			u.heading = bytes.TrimRight(line, " \t\r\n")
			break
		}
	}
	u.seen = lo
	return u.heading
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
