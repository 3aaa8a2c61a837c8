package textmerge

// How often a line occurs on the other side decides whether it can help to
// align the two.
const (
	nowhere    = iota // on the other side: it is changed, whatever else is true
	somewhere         // a few times: it takes part in the search
	everywhere        // so often that a match says little (blank lines, braces)
)

const (
	// commonest is the number of occurrences from which a line is everywhere,
	// however long the file is. In short files about the root of the number of
	// lines is enough.
	commonest = 1024
	// lookAround is how many lines before and after are looked at to judge a
	// line that is everywhere.
	lookAround = 100
	// fewRepeats is how many times rarer the lines that are everywhere must be
	// than all lines of a run of unmatched lines to be unmatched with them.
	fewRepeats = 4
)

// sequence is what remains of a side for the search: the lines that may match.
type sequence struct {
	id []int32
	at []int32 // each line's index in its side
}

// compare flags what differs between the lines head to aEnd of x and head to
// bEnd of y. Before the search it sets lines aside that occur on one side only:
// they are changed in any case, and the search is shorter and aligns better
// without them.
func (d *differ) compare(x, y *side, head, aEnd, bEnd int) {
	for _, id := range x.id {
		d.countA[id]++
	}
	for _, id := range y.id {
		d.countB[id]++
	}
	na, nb := aEnd-head, bEnd-head
	ints := zeroed(&d.ints, 2*(na+nb))
	a := sequence{id: ints[:0:na], at: ints[na : na : 2*na]}
	ints = ints[2*na:]
	b := sequence{id: ints[:0:nb], at: ints[nb : nb : 2*nb]}
	standing := zeroed(&d.standing, max(na, nb))
	a.collect(x, head, aEnd, d.countB, standing)
	b.collect(y, head, bEnd, d.countA, standing)
	for _, id := range x.id {
		d.countA[id] = 0
	}
	for _, id := range y.id {
		d.countB[id] = 0
	}
	d.search(x, y, a, b)
}

// collect fills the sequence with the lines lo to hi of s that may match one of
// the other side, whose lines are counted in other, and flags the rest as
// changed. standing is memory for a judgement of each line.
func (q *sequence) collect(s *side, lo, hi int, other []int32, standing []byte) {
	many := min(roughRoot(len(s.id)), commonest)
	standing = standing[:hi-lo]
	for i, id := range s.id[lo:hi] {
		switch n := int(other[id]); {
		case n == 0:
			standing[i] = nowhere
		case n < many:
			standing[i] = somewhere
		default:
			standing[i] = everywhere
		}
	}
	for i, st := range standing {
		if st == nowhere || st == everywhere && lost(standing, i) {
			s.changed[lo+i] = 1
			continue
		}
		q.id = append(q.id, s.id[lo+i])
		q.at = append(q.at, int32(lo+i))
	}
}

// lost reports whether line i, which is everywhere, stands in a run of lines
// that are nearly all nowhere. To match it with one of its many twins would
// tear the run apart for no gain.
func lost(standing []byte, i int) bool {
	before, after := standing[max(0, i-lookAround):i], standing[i+1:min(len(standing), i+1+lookAround)]
	unmatched, repeated := 0, 1
	for k := len(before) - 1; k >= 0 && before[k] != somewhere; k-- {
		if before[k] == nowhere {
			unmatched++
		} else {
			repeated++
		}
	}
	if unmatched == 0 {
		return false
	}
	first := unmatched
	// The line itself counts on both sides of the balance.
	repeated++
	for k := 0; k < len(after) && after[k] != somewhere; k++ {
		if after[k] == nowhere {
			unmatched++
		} else {
			repeated++
		}
	}
	return unmatched > first && repeated*fewRepeats < repeated+unmatched
}

// roughRoot returns a power of two near the square root of n: at least the
// root, at most twice as much (and 1 for 0).
func roughRoot(n int) int {
	root := 1
	for ; n > 0; n >>= 2 {
		root <<= 1
	}
	return root
}
