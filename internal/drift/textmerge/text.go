package textmerge

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
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

// countLines returns how many lines data has.
func countLines(data []byte) int {
	n := bytes.Count(data, []byte{'\n'})
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	return n
}

// cut finds the beginnings of the lines lo to hi, the first of which is at byte
// at.
func (t *text) cut(lo, hi, at int) {
	for i := lo; i < hi; i++ {
		t.start[i] = at
		if nl := bytes.IndexByte(t.data[at:], '\n'); nl >= 0 {
			at += nl + 1
		}
	}
}

// interner gives equal lines equal numbers, counting up from zero.
//
// The hash is seeded anew each time, so that nobody can prepare a file whose
// lines all collide. No result depends on the seed: an id is the rank of a
// line's first appearance.
type interner struct {
	seed maphash.Seed
	slot []uint64 // a power of two of them: the line's hash in the upper half, its id plus one in the lower; 0 is free
	line [][]byte // by id
}

// The table begins with room for the lines of most files.
const (
	firstSlots = 1024
	firstLines = 256
)

func newInterner() interner {
	return interner{
		seed: maphash.MakeSeed(),
		slot: make([]uint64, firstSlots),
		line: make([][]byte, 0, firstLines),
	}
}

// intern returns the number of the line.
func (in *interner) intern(line []byte) int32 {
	hash := maphash.Bytes(in.seed, line) >> 32
	mask := uint64(len(in.slot) - 1)
	at := hash & mask
	for ; in.slot[at] != 0; at = (at + 1) & mask {
		if s := in.slot[at]; s>>32 == hash {
			if id := int32(s&math.MaxUint32) - 1; bytes.Equal(in.line[id], line) {
				return id
			}
		}
	}
	in.line = append(in.line, line)
	in.slot[at] = hash<<32 | uint64(len(in.line))
	if 2*len(in.line) > len(in.slot) {
		in.grow()
	}
	return int32(len(in.line) - 1)
}

// grow makes room for four times as many lines.
func (in *interner) grow() {
	old := in.slot
	in.slot = make([]uint64, 4*len(old))
	mask := uint64(len(in.slot) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		at := s >> 32 & mask
		for in.slot[at] != 0 {
			at = (at + 1) & mask
		}
		in.slot[at] = s
	}
}

// number gives the lines lo to hi of t their ids.
func (in *interner) number(t *text, lo, hi int) {
	for i := lo; i < hi; i++ {
		t.id[i] = in.intern(t.data[t.start[i]:t.start[i+1]])
	}
}

// mostTexts is how many texts a merge has.
const mostTexts = 3

// cutAll cuts texts into lines and numbers them together, and returns how many
// different lines they have. Most of a text is usually the same as in the first,
// the base: what the two share at both ends is copied from there, and neither
// searched for line ends nor hashed again. There may be mostTexts texts.
func cutAll(all ...[]byte) ([]text, int) {
	ts := make([]text, len(all))
	var like [mostTexts]overlap
	var lines [mostTexts]int
	total := 0
	for i, data := range all {
		if i > 0 {
			like[i] = sharedLines(all[0], data)
		}
		o := like[i]
		lines[i] = o.head + countLines(data[o.headBytes:len(data)-o.tailBytes]) + o.tail
		total += lines[i]
	}
	starts, ids := make([]int, total+len(all)), make([]int32, total)
	in := newInterner()
	for i, data := range all {
		n := lines[i]
		ts[i] = text{data: data, start: starts[: n+1 : n+1], id: ids[:n:n]}
		starts, ids = starts[n+1:], ids[n:]
		ts[i].fill(&ts[0], like[i], &in)
	}
	return ts, len(in.line)
}

// fill finds and numbers the lines of t, given what it shares with base.
func (t *text) fill(base *text, o overlap, in *interner) {
	n, tail := t.lines(), t.lines()-o.tail
	t.start[n] = len(t.data)
	copy(t.start[:o.head], base.start)
	copy(t.id[:o.head], base.id)
	t.cut(o.head, tail, o.headBytes)
	shift := len(t.data) - len(base.data)
	from := base.lines() - o.tail
	for i, at := range base.start[from : from+o.tail] {
		t.start[tail+i] = at + shift
	}
	copy(t.id[tail:], base.id[from:])
	in.number(t, o.head, tail)
}

// overlap is what two texts have in common at their beginnings, and at their
// ends after that, in whole lines.
type overlap struct{ head, headBytes, tail, tailBytes int }

// sharedLines returns the overlap of a and b.
func sharedLines(a, b []byte) overlap {
	var o overlap
	o.headBytes = bytes.LastIndexByte(a[:sharedPrefix(a, b)], '\n') + 1
	o.head = bytes.Count(a[:o.headBytes], []byte{'\n'})
	a, b = a[o.headBytes:], b[o.headBytes:]
	s := sharedSuffix(a, b)
	end := a[len(a)-s:]
	if !startsLine(a, s) || !startsLine(b, s) {
		nl := bytes.IndexByte(end, '\n')
		if nl < 0 { // no line begins in what they share
			return o
		}
		end = end[nl+1:]
	}
	o.tail, o.tailBytes = countLines(end), len(end)
	return o
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
