package merge

import "strings"

// notes are what happened while a hunk was merged line by line.
type notes struct {
	layout, versions, words bool // on a line that both changed
	inserts                 bool // both added lines in the same place
	replaced                bool // one added lines where the other removed some
	oursGone, theirsGone    bool // one removed a line that the other changed
	oAdd, oCut, oMod        bool // ours added, removed, changed lines
	tAdd, tCut, tMod        bool // theirs did
}

// grid is a hunk laid out along the base's lines: what became of each on both
// sides, and what each side has between them.
type grid struct {
	h    *hunk
	o, t []int // where base line i is on each side, or -1
	out  []string
	notes
	clash bool // two changes to one line could not be joined
}

// grid lays the hunk out and merges it, once.
func (h *hunk) grid() *grid {
	if h.laid == nil {
		g := &grid{h: h, o: align(h.b, h.o), t: align(h.b, h.t)}
		g.oAdd, g.oCut, g.oMod = changes(h.b, h.o, g.o)
		g.tAdd, g.tCut, g.tMod = changes(h.b, h.t, g.t)
		g.merge()
		h.laid = g
	}
	return h.laid
}

// changes tells what became of the base's lines on a side.
func changes(b, x []string, to []int) (added, removed, changed bool) {
	there := 0
	for i, j := range to {
		if j < 0 {
			removed = true
			continue
		}
		there++
		changed = changed || plain(x[j]) != plain(b[i])
	}
	return there < len(x), removed, changed
}

// merge goes down the base's lines. What a side has in place of lines that it
// removed stands before the first of them.
func (g *grid) merge() {
	b, o, t := g.h.b, g.h.o, g.h.t
	oAt, tAt := 0, 0
	for i := 0; i <= len(b); i++ {
		oNext, tNext := nextAt(g.o, i, len(o)), nextAt(g.t, i, len(t))
		g.gap(i, o[oAt:max(oAt, oNext)], t[tAt:max(tAt, tNext)])
		oAt, tAt = max(oAt, oNext), max(tAt, tNext)
		if i == len(b) {
			return
		}
		g.cell(i)
		if g.o[i] >= 0 {
			oAt = g.o[i] + 1
		}
		if g.t[i] >= 0 {
			tAt = g.t[i] + 1
		}
	}
}

// nextAt returns where on a side the next base line that is there stands.
func nextAt(to []int, i, end int) int {
	for ; i < len(to); i++ {
		if to[i] >= 0 {
			return to[i]
		}
	}
	return end
}

// gone reports whether a side has removed the base line before or after gap i.
func gone(to []int, i int) bool {
	return i < len(to) && to[i] < 0 || i > 0 && to[i-1] < 0
}

// gap merges what both sides have before base line i.
func (g *grid) gap(i int, o, t []string) {
	switch {
	case len(o) == 0 && len(t) == 0:
	case len(t) == 0:
		g.replaced = g.replaced || gone(g.t, i)
		g.out = append(g.out, o...)
	case len(o) == 0:
		g.replaced = g.replaced || gone(g.o, i)
		g.out = append(g.out, t...)
	case contains(o, t):
		g.out = append(g.out, o...)
	case contains(t, o):
		g.out = append(g.out, t...)
	default:
		g.inserts = true
		g.out = append(append(g.out, o...), t...)
	}
}

// cell merges what became of base line i.
func (g *grid) cell(i int) {
	b, oi, ti := g.h.b[i], g.o[i], g.t[i]
	switch {
	case oi < 0 && ti < 0:
	case oi < 0:
		g.oursGone = g.oursGone || plain(g.h.t[ti]) != plain(b)
	case ti < 0:
		if o := g.h.o[oi]; plain(o) != plain(b) {
			g.theirsGone = true
			g.out = append(g.out, o)
		}
	default:
		g.line(b, g.h.o[oi], g.h.t[ti])
	}
}

// line merges two versions of one line.
func (g *grid) line(b, o, t string) {
	take := func(line string, note *bool) {
		*note = true
		g.out = append(g.out, line)
	}
	ignored := false
	switch {
	case o == t, b == t:
		take(o, &ignored)
		return
	case b == o:
		take(t, &ignored)
		return
	case sameWords(b, o):
		take(joinLayout(b, o, t), &g.layout)
		return
	case sameWords(b, t):
		take(joinLayout(b, t, o), &g.layout)
		return
	case sameWords(o, t):
		take(o, &ignored)
		return
	}
	if v, ok := larger(b, o, t); ok {
		take(v, &g.versions)
	} else if l, ok := joinWords(b, o, t); ok {
		take(l, &g.words)
	} else {
		g.clash = true
	}
}

// contains reports whether b's lines are all in a, in their order, layout aside.
func contains(a, b []string) bool {
	i := 0
	for _, l := range b {
		p := plain(l)
		for i < len(a) && plain(a[i]) != p {
			i++
		}
		if i == len(a) {
			return false
		}
		i++
	}
	return true
}

func (g *grid) says(reason string) (verdict, bool) {
	return verdict{text: []byte(strings.Join(g.out, "")), reason: reason}, true
}

// calm reports whether no line of one side's was dropped or put to a place of
// which there is any doubt.
func (g *grid) calm() bool {
	return !g.clash && !g.inserts && !g.replaced && !g.oursGone && !g.theirsGone
}

func byVersions(h *hunk) (verdict, bool) {
	g := h.grid()
	if !g.calm() || !g.versions || g.words || g.tAdd {
		return verdict{}, false
	}
	return g.says("the sides differ in versions; the larger is taken")
}

func byNeighbours(h *hunk) (verdict, bool) {
	g := h.grid()
	if !g.calm() || g.words || g.tAdd || g.oAdd {
		return verdict{}, false
	}
	return g.says("you and the golden path changed different lines, one beside the other; both changes are kept")
}

func byRemoved(h *hunk) (verdict, bool) {
	g := h.grid()
	if g.clash || g.words || !g.oursGone || g.inserts || g.replaced || g.theirsGone || g.tAdd || g.tCut {
		return verdict{}, false
	}
	return g.says("the golden path changed lines that you had removed or written anew; yours stay as you left them")
}

// byWords is not asked in the leaves of a structure, of which it would make proposals for
// the whole that people take less often.
func byWords(h *hunk) (verdict, bool) {
	g := h.grid()
	if h.inLeaf || !g.calm() || !g.words || g.oAdd || g.tAdd {
		return verdict{}, false
	}
	return g.says("you and the golden path changed different words of the same lines; both changes are kept")
}

func byBeside(h *hunk) (verdict, bool) {
	g := h.grid()
	if !g.oAdd && !g.tAdd || g.clash || g.inserts || g.oursGone || g.theirsGone || g.words || g.replaced && (g.oCut || g.tAdd || g.oMod || g.tMod) {
		return verdict{}, false
	}
	return g.says("one side added lines beside lines that the other changed; both changes are kept")
}

func byInserts(h *hunk) (verdict, bool) {
	g := h.grid()
	if h.inLeaf && h.file.kind.keyed() || g.clash || !g.inserts || g.words || g.oCut || g.tCut || g.oMod || g.tMod {
		return verdict{}, false
	}
	return g.says("both added lines in the same place; yours first, then the golden path's")
}

func byDropped(h *hunk) (verdict, bool) {
	g := h.grid()
	if !g.theirsGone || g.oAdd || g.oCut || g.tAdd {
		return verdict{}, false
	}
	return propose(h.t, "the golden path removed lines that you had changed; removing them is proposed")
}
