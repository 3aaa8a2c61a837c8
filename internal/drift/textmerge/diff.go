package textmerge

import "bytes"

// Edit says that the lines ALo to AHi of one text became the lines BLo to BHi
// of another. Lines are counted from 0 and the upper bounds are exclusive; one
// of the two ranges may be empty, never both.
type Edit struct{ ALo, AHi, BLo, BHi int }

// Diff returns the edits that turn a into b, in order. Between two edits lies
// at least one line that is the same in both. Equal texts have no edits.
//
// It is the diff that git makes with --no-indent-heuristic: nearly always a
// shortest one, and an approximation where the shortest would take too long.
func Diff(a, b []byte) []Edit {
	if bytes.Equal(a, b) {
		return nil
	}
	ts, n := cutAll(a, b)
	return newDiffer(n).diff(ts[0].id, ts[1].id)
}

// differ compares sequences of line ids. It keeps its memory from one
// comparison to the next.
type differ struct {
	countA, countB []int32 // by id; all zero between comparisons
	reach          []int32
	ints           []int32
	flags          []byte
	standing       []byte
}

// newDiffer returns a differ for ids below n.
func newDiffer(n int) *differ {
	counts := make([]int32, 2*n)
	return &differ{countA: counts[:n], countB: counts[n:]}
}

// side is one of the two sequences that are compared.
type side struct {
	id      []int32
	changed []byte // 1 for a line that the other side lacks; one longer than id, for looking past the end
}

// diff returns the edits between two sequences of ids, as Diff does for texts.
func (d *differ) diff(a, b []int32) []Edit {
	flags := zeroed(&d.flags, len(a)+len(b)+2)
	x := &side{id: a, changed: flags[:len(a)+1]}
	y := &side{id: b, changed: flags[len(a)+1:]}

	head, tail := sharedEnds(a, b)
	aEnd, bEnd := len(a)-tail, len(b)-tail
	switch {
	case head == aEnd && head == bEnd:
		return nil
	case head == aEnd || head == bEnd:
		mark(x.changed[head:aEnd])
		mark(y.changed[head:bEnd])
	default:
		d.compare(x, y, head, aEnd, bEnd)
	}
	settle(x, y, head, aEnd)
	settle(y, x, min(head, untilChange(x.changed)), bEnd) // x may have moved up
	return edits(x, y)
}

// sharedEnds returns how many leading, and then trailing, ids are the same.
func sharedEnds(a, b []int32) (head, tail int) {
	n := min(len(a), len(b))
	for head < n && a[head] == b[head] {
		head++
	}
	for tail < n-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head, tail
}

func mark(flags []byte) {
	for i := range flags {
		flags[i] = 1
	}
}

// edits reads the edits off the two sides' flags.
func edits(x, y *side) []Edit {
	n := min(countGroups(x.changed)+countGroups(y.changed), len(x.id)+1)
	es := make([]Edit, 0, n)
	i, j := 0, 0
	for {
		skip := min(untilChange(x.changed[i:]), untilChange(y.changed[j:]))
		i, j = i+skip, j+skip
		e := Edit{ALo: i, AHi: i, BLo: j, BHi: j}
		for x.changed[e.AHi] != 0 {
			e.AHi++
		}
		for y.changed[e.BHi] != 0 {
			e.BHi++
		}
		if e.AHi == i && e.BHi == j {
			return es
		}
		es = append(es, e)
		i, j = e.AHi, e.BHi
	}
}

// untilChange returns how many lines follow before the next change or the end.
// The last flag stands past the end.
func untilChange(flags []byte) int {
	if n := bytes.IndexByte(flags, 1); n >= 0 {
		return n
	}
	return len(flags) - 1
}

func countGroups(flags []byte) int {
	n := 0
	for {
		at := bytes.IndexByte(flags, 1)
		if at < 0 {
			return n
		}
		n++
		end := bytes.IndexByte(flags[at:], 0)
		flags = flags[at+end:]
	}
}

// zeroed returns *buf with n zeroes, made larger where needed.
func zeroed[T byte | int32](buf *[]T, n int) []T {
	if cap(*buf) < n {
		*buf = make([]T, n+n/2)
		return (*buf)[:n]
	}
	b := (*buf)[:n]
	clear(b)
	return b
}
