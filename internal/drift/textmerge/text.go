package textmerge

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// text is a text cut into lines. A line ends after its '\n'; the last one may
// lack it and is then another line than its twin that has it.
type text struct {
	data  []byte
	start []int   // where each line begins, and the text's length at the end
	id    []int32 // equal ids mean equal lines, over all texts of one interner
}

// lines returns how many lines the text has.
func (t *text) lines() int { return len(t.id) }

// slice returns the bytes of the lines lo to hi, without copying them.
func (t *text) slice(lo, hi int) []byte { return t.data[t.start[lo]:t.start[hi]:t.start[hi]] }

// cut finds the beginnings of the lines of data and makes room for their ids.
func cut(data []byte) *text {
	n := bytes.Count(data, newline)
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	t := &text{data: data, start: make([]int, n+1), id: make([]int32, n)}
	at := 0
	for i := range n {
		t.start[i] = at
		if nl := bytes.IndexByte(data[at:], '\n'); nl >= 0 {
			at += nl + 1
		}
	}
	t.start[n] = len(data)
	return t
}

// newline is what separates lines. It is never written to.
var newline = []byte{'\n'}

// interner gives equal lines equal numbers, counting up from zero.
//
// The hash is seeded anew each time, so that nobody can prepare a file whose
// lines all collide. No result depends on the seed: an id is the rank of a
// line's first appearance.
type interner struct {
	seed maphash.Seed
	slot []uint64 // upper half of the line's hash, then its id plus one; 0 is free
	line [][]byte // the first line that got the id
}

// newInterner returns an interner with room for n different lines.
func newInterner(n int) *interner {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return &interner{seed: maphash.MakeSeed(), slot: make([]uint64, size), line: make([][]byte, 0, n)}
}

// intern returns the number of the line.
func (in *interner) intern(line []byte) int32 {
	h := maphash.Bytes(in.seed, line)
	tag := h &^ 0xffffffff
	mask := uint64(len(in.slot) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		s := in.slot[at]
		if s == 0 {
			in.line = append(in.line, line)
			in.slot[at] = tag | uint64(len(in.line))
			return int32(len(in.line) - 1)
		}
		if s&^0xffffffff != tag {
			continue
		}
		if id := int32(s&0xffffffff) - 1; bytes.Equal(in.line[id], line) {
			return id
		}
	}
}

// number gives the lines lo to hi of t their ids.
func (in *interner) number(t *text, lo, hi int) {
	for i := lo; i < hi; i++ {
		t.id[i] = in.intern(t.data[t.start[i]:t.start[i+1]])
	}
}

// cutAll cuts base and the others into lines and numbers them together. Most of
// a text is usually its base's: what the two share at both ends takes over the
// base's ids and is not hashed again. It returns the texts, base first, and how
// many different lines they have.
func cutAll(base []byte, others ...[]byte) ([]*text, int) {
	ts := make([]*text, 1, 1+len(others))
	ts[0] = cut(base)
	head := make([]int, len(others)+1)
	tail := make([]int, len(others)+1)
	fresh := ts[0].lines()
	for i, data := range others {
		t := cut(data)
		ts = append(ts, t)
		head[i+1], tail[i+1] = sharedLines(base, data)
		fresh += t.lines() - head[i+1] - tail[i+1]
	}
	in := newInterner(fresh)
	in.number(ts[0], 0, ts[0].lines())
	for i, t := range ts[1:] {
		h, e := head[i+1], tail[i+1]
		copy(t.id[:h], ts[0].id)
		copy(t.id[t.lines()-e:], ts[0].id[ts[0].lines()-e:])
		in.number(t, h, t.lines()-e)
	}
	return ts, len(in.line)
}

// sharedLines returns how many whole lines a and b have in common at their
// beginnings, and at their ends after that.
func sharedLines(a, b []byte) (head, tail int) {
	p := bytes.LastIndexByte(a[:sharedPrefix(a, b)], '\n') + 1
	head = bytes.Count(a[:p], newline)
	a, b = a[p:], b[p:]
	s := sharedSuffix(a, b)
	end := a[len(a)-s:]
	if !startsLine(a, s) || !startsLine(b, s) {
		end = end[bytes.IndexByte(end, '\n')+1:]
		if len(end) == s { // no line begins in what they share
			return head, 0
		}
	}
	tail = bytes.Count(end, newline)
	if len(end) > 0 && end[len(end)-1] != '\n' {
		tail++
	}
	return head, tail
}

// startsLine reports whether a line begins s bytes before the end of a.
func startsLine(a []byte, s int) bool {
	return s == len(a) || a[len(a)-s-1] == '\n'
}

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+8 <= n && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]) {
		i += 8
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

func sharedSuffix(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[len(a)-n:], b[len(b)-n:]
	i := n
	for i >= 8 && binary.LittleEndian.Uint64(a[i-8:]) == binary.LittleEndian.Uint64(b[i-8:]) {
		i -= 8
	}
	for i > 0 && a[i-1] == b[i-1] {
		i--
	}
	return n - i
}
