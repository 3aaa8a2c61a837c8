package textmerge

// group is a run of changed lines of a side, from lo to hi. It may be empty:
// there is a group before the first, between any two, and after the last
// unchanged line, so that the groups of two sides correspond one to one.
type group struct {
	*side
	lo, hi int
}

// groupAt returns the group that begins at line lo.
func groupAt(s *side, lo int) group {
	g := group{s, lo, lo}
	g.stretch()
	return g
}

// stretch moves the upper bound behind the last changed line.
func (g *group) stretch() {
	for g.changed[g.hi] != 0 {
		g.hi++
	}
}

func (g *group) reachBack() {
	for g.lo > 0 && g.changed[g.lo-1] != 0 {
		g.lo--
	}
}

func (g *group) empty() bool { return g.lo == g.hi }

// next moves to the group after the following unchanged line, if there is one.
func (g *group) next() bool {
	if g.hi == len(g.id) {
		return false
	}
	g.lo = g.hi + 1
	g.hi = g.lo
	g.stretch()
	return true
}

// previous moves to the group before the preceding unchanged line, of which the
// caller knows that it exists.
func (g *group) previous() {
	g.hi = g.lo - 1
	g.lo = g.hi
	g.reachBack()
}

// up moves the changed lines one line towards the beginning, where that says
// the same: the line before the group is equal to its last. A group that it
// runs into becomes part of it.
func (g *group) up() bool {
	if g.lo == 0 || g.id[g.lo-1] != g.id[g.hi-1] {
		return false
	}
	g.lo--
	g.hi--
	g.changed[g.lo], g.changed[g.hi] = 1, 0
	g.reachBack()
	return true
}

// down moves the changed lines one line towards the end.
func (g *group) down() bool {
	if g.hi == len(g.id) || g.id[g.lo] != g.id[g.hi] {
		return false
	}
	g.changed[g.lo], g.changed[g.hi] = 0, 1
	g.lo++
	g.hi++
	g.stretch()
	return true
}

// settle chooses a place for every group of s that could be in several (an
// inserted paragraph's blank line may be the one before or the one after). It
// goes beside a group of the other side where it can, so that a replacement is
// told as one; otherwise as far down as possible. Lines before from are
// unchanged on both sides, and so are the lines of s after until.
func settle(s, other *side, from, until int) {
	g, o := groupAt(s, from), groupAt(other, from)
	for {
		if !g.empty() {
			settleOne(&g, &o)
		}
		if g.lo > until || !g.next() {
			return
		}
		o.next()
	}
}

// settleOne moves g, and o along with it, so that they stay at corresponding
// unchanged lines.
func settleOne(g, o *group) {
	var highest int
	var beside bool
	for size := -1; size != g.hi-g.lo; {
		size = g.hi - g.lo
		for g.up() {
			o.previous()
		}
		highest, beside = g.hi, !o.empty()
		for g.down() {
			o.next()
			beside = beside || !o.empty()
		}
		// Where it has swallowed a neighbour it may slide farther.
	}
	if g.hi == highest || !beside {
		return
	}
	for o.empty() {
		g.up()
		o.previous()
	}
}
