package textmerge

import "math"

// The limits of the search. They are what keeps two long and very different
// files from taking minutes; the numbers are git's, because to agree with its
// merges is to give up at the same points.
const (
	// patience is the least number of differences that a search goes through
	// before it settles for the best split that it has seen.
	patience = 256
	// worthIt is the number of differences from which a promising split is
	// taken without looking for the best.
	worthIt = 256
	// longRun is how many equal lines in a row make a split promising.
	longRun = 20
	// lead is how many times farther than its cost a promising path has come.
	lead = 4
)

// search is Myers' O(ND) search in linear space ("An O(ND) Difference Algorithm
// and Its Variations", 1986): from both corners of the grid at once, the
// farthest point on each diagonal that can be reached with a growing number of
// differences; where the two meet is a point of a shortest path, and the halves
// before and after it are searched alike.
//
// A point (i, j) is on diagonal i-j.
type search struct {
	x, y      *side
	a, b      sequence
	fwd, back frontier
	limit     int
}

// frontier holds, for every second diagonal from lo to hi, how far along a the
// search has come.
type frontier struct {
	reach  []int32
	zero   int // index of diagonal 0 in reach
	lo, hi int
	beyond int32 // what a diagonal that is out of reach holds
}

// box is the part of the grid that is being searched.
type box struct{ aLo, aHi, bLo, bHi int }

// split is the point at which a box is divided. A half that is known to hold a
// shortest path's part is exact: it may not be approximated any further.
type split struct {
	a, b                    int
	exactBefore, exactAfter bool
}

// search flags the lines of a and b that are not on a common subsequence.
func (d *differ) search(x, y *side, a, b sequence) {
	diagonals := len(a.id) + len(b.id) + 3
	reach := zeroed(&d.reach, 2*diagonals)
	zero := len(b.id) + 1
	s := search{
		x: x, y: y, a: a, b: b,
		fwd:   frontier{reach: reach[:diagonals], zero: zero, beyond: -1},
		back:  frontier{reach: reach[diagonals:], zero: zero, beyond: math.MaxInt32},
		limit: max(patience, roughRoot(diagonals)),
	}
	s.solve(box{0, len(a.id), 0, len(b.id)}, false)
}

// solve flags what differs inside the box.
func (s *search) solve(g box, exact bool) {
	for {
		a, b := s.a.id[g.aLo:g.aHi], s.b.id[g.bLo:g.bHi]
		head, tail := sharedEnds(a, b)
		g = box{g.aLo + head, g.aHi - tail, g.bLo + head, g.bHi - tail}
		if g.aLo == g.aHi || g.bLo == g.bHi {
			for _, i := range s.a.at[g.aLo:g.aHi] {
				s.x.changed[i] = 1
			}
			for _, j := range s.b.at[g.bLo:g.bHi] {
				s.y.changed[j] = 1
			}
			return
		}
		sp := s.divide(g, exact)
		s.solve(box{g.aLo, sp.a, g.bLo, sp.b}, sp.exactBefore)
		g = box{sp.a, g.aHi, sp.b, g.bHi}
		exact = sp.exactAfter
	}
}

// divide finds a point to split the box at: one on a shortest path, or, where
// that gets too expensive and the box need not be exact, a good one.
func (s *search) divide(g box, exact bool) split {
	lowest, highest := g.aLo-g.bHi, g.aHi-g.bLo
	s.fwd.begin(g.aLo-g.bLo, g.aLo)
	s.back.begin(g.aHi-g.bHi, g.aHi)
	odd := (s.fwd.lo-s.back.lo)&1 != 0
	for cost := 1; ; cost++ {
		s.fwd.widen(lowest, highest)
		sp, ranFwd, met := s.forward(g, odd)
		if met {
			return sp
		}
		s.back.widen(lowest, highest)
		sp, ranBack, met := s.backward(g, !odd)
		if met {
			return sp
		}
		if exact {
			continue
		}
		if (ranFwd || ranBack) && cost > worthIt {
			if sp, ok := s.promising(g, lead*cost); ok {
				return sp
			}
		}
		if cost >= s.limit {
			return s.farthest(g)
		}
	}
}

func (f *frontier) begin(diagonal, at int) {
	f.lo, f.hi = diagonal, diagonal
	f.reach[f.zero+diagonal] = int32(at)
}

// widen moves the bounds one diagonal outwards, or inwards at the edge of the
// box, so that the diagonals in play are those that one more difference can
// reach.
func (f *frontier) widen(lowest, highest int) {
	if f.lo > lowest {
		f.lo--
		f.reach[f.zero+f.lo-1] = f.beyond
	} else {
		f.lo++
	}
	if f.hi < highest {
		f.hi++
		f.reach[f.zero+f.hi+1] = f.beyond
	} else {
		f.hi--
	}
}

// at returns how far the frontier has come on a diagonal.
func (f *frontier) at(diagonal int) int { return int(f.reach[f.zero+diagonal]) }

func (f *frontier) covers(diagonal int) bool { return f.lo <= diagonal && diagonal <= f.hi }

// forward takes one more difference on every diagonal, a line of a before a
// line of b where they come equally far, and then every equal line. It reports
// whether it ran along a long row of equal lines, and the point at which it met
// the backward search, if meeting is possible in this step.
func (s *search) forward(g box, meet bool) (sp split, ran, met bool) {
	f, a, b := &s.fwd, s.a.id, s.b.id
	for d := f.hi; d >= f.lo; d -= 2 {
		i := f.at(d + 1)
		if left := f.at(d - 1); left >= i {
			i = left + 1
		}
		from := i
		for i < g.aHi && i-d < g.bHi && a[i] == b[i-d] {
			i++
		}
		ran = ran || i-from > longRun
		f.reach[f.zero+d] = int32(i)
		if meet && s.back.covers(d) && s.back.at(d) <= i {
			return split{i, i - d, true, true}, ran, true
		}
	}
	return split{}, ran, false
}

// backward is forward from the other corner.
func (s *search) backward(g box, meet bool) (sp split, ran, met bool) {
	f, a, b := &s.back, s.a.id, s.b.id
	for d := f.hi; d >= f.lo; d -= 2 {
		i := f.at(d+1) - 1
		if left := f.at(d - 1); left <= i {
			i = left
		}
		from := i
		for i > g.aLo && i-d > g.bLo && a[i-1] == b[i-d-1] {
			i--
		}
		ran = ran || from-i > longRun
		f.reach[f.zero+d] = int32(i)
		if meet && s.fwd.covers(d) && i <= s.fwd.at(d) {
			return split{i, i - d, true, true}, ran, true
		}
	}
	return split{}, ran, false
}

// promising returns the point that has come farthest from its corner, at least
// as far as need, at the end of a long row of equal lines. Being far from the
// corner's own diagonal counts against a point.
func (s *search) promising(g box, need int) (split, bool) {
	best, sp := need, split{}
	corner := g.aLo - g.bLo
	for d := s.fwd.hi; d >= s.fwd.lo; d -= 2 {
		i := s.fwd.at(d)
		j := i - d
		if i < g.aLo+longRun || i >= g.aHi || j < g.bLo+longRun || j >= g.bHi {
			continue
		}
		if v := i - g.aLo + j - g.bLo - distance(d, corner); v > best && s.run(i-longRun, j-longRun) {
			best, sp = v, split{a: i, b: j, exactBefore: true}
		}
	}
	if best > need {
		return sp, true
	}
	corner = g.aHi - g.bHi
	for d := s.back.hi; d >= s.back.lo; d -= 2 {
		i := s.back.at(d)
		j := i - d
		if i <= g.aLo || i > g.aHi-longRun || j <= g.bLo || j > g.bHi-longRun {
			continue
		}
		if v := g.aHi - i + g.bHi - j - distance(d, corner); v > best && s.run(i, j) {
			best, sp = v, split{a: i, b: j, exactAfter: true}
		}
	}
	return sp, best > need
}

// run reports whether a long row of equal lines begins at the point.
func (s *search) run(i, j int) bool {
	for k := range longRun {
		if s.a.id[i+k] != s.b.id[j+k] {
			return false
		}
	}
	return true
}

func distance(d, e int) int { return max(d-e, e-d) }

// farthest returns the point that either search has come farthest to.
func (s *search) farthest(g box) split {
	ahead, ai := -1, -1
	for d := s.fwd.hi; d >= s.fwd.lo; d -= 2 {
		i := min(s.fwd.at(d), g.aHi, g.bHi+d)
		if i+i-d > ahead {
			ahead, ai = i+i-d, i
		}
	}
	behind, bi := math.MaxInt, -1
	for d := s.back.hi; d >= s.back.lo; d -= 2 {
		i := max(s.back.at(d), g.aLo, g.bLo+d)
		if i+i-d < behind {
			behind, bi = i+i-d, i
		}
	}
	if g.aHi+g.bHi-behind < ahead-(g.aLo+g.bLo) {
		return split{a: ai, b: ahead - ai, exactBefore: true}
	}
	return split{a: bi, b: behind - bi, exactAfter: true}
}
