package outline

import "strings"

// Essence returns a YAML text without the entries in which no line is changed, and
// the keys that are repeated among the entries that are left. A parser need not
// read again what it read before: where that parsed, the text parses if its
// essence does. (Where the essence does not, the text may.) What is left out has
// nothing that reaches out of it, such as a quote that is not closed or an alias.
func Essence(text string, changed func(line int) bool) (essence string, repeated map[string]bool, ok bool) {
	root := &Node{}
	f, ok := readYAML(root, text)
	if !ok {
		return "", nil, false
	}
	sums := make([]int, 2*f.count()+2)
	e := &essenceWriter{kept: sums[:f.count()+1], edited: sums[f.count()+1:], repeated: map[string]bool{}}
	e.Grow(len(text) / 4)
	for i := range f.count() {
		e.kept[i+1], e.edited[i+1] = e.kept[i], e.edited[i]
		if changed(i) {
			e.edited[i+1]++
			e.kept[i+1]++
		} else if !selfContained(text[f.lines[i].start:f.lines[i+1].start]) {
			e.kept[i+1]++
		}
	}
	e.visit(root, "", true)
	if e.odd {
		return "", nil, false
	}
	return e.String(), e.repeated, true
}

type essenceWriter struct {
	strings.Builder
	kept, edited []int // how many lines before each have to be kept, and were changed
	repeated     map[string]bool
	odd          bool // there are siblings of which one cannot be told from the others' text
}

// visit looks for repeated keys in a node that has changes, and writes it if it is
// not written yet. The kids of one that is read only now are made one by one.
func (e *essenceWriter) visit(n *Node, place string, write bool) {
	in := siblings{place: place, write: write}
	if e.edited[n.hi] > e.edited[n.lo] {
		defer e.count(&in)
	}
	p := n.pending
	if p.part == nil {
		e.put(write, n.Lead, n.Head)
		for _, k := range n.Kids {
			e.kid(&in, k)
		}
		e.put(write, n.Tail)
		return
	}
	e.put(write, n.Lead, p.part.text(p.lo))
	k := &Node{}
	for lo := p.lo + 1; ; {
		x, ok := p.part.next(lo, p.hi)
		if !ok {
			e.put(write, p.part.join(lo, p.hi))
			return
		}
		e.kid(&in, p.part.make(k, x, p.level+1))
		lo = x.end
	}
}

func (e *essenceWriter) put(write bool, texts ...string) {
	for _, t := range texts {
		if write {
			e.WriteString(t)
		}
	}
}

// siblings are the kids of a node while they are visited.
type siblings struct {
	place string
	write bool
	shape shape    // of the first
	keys  []string // of all, "" where one has none
}

// count looks for keys that are repeated among siblings. It looks at all of them:
// a line that was taken away may have stood between two maps.
func (e *essenceWriter) count(in *siblings) {
	seen := make(map[string]bool, len(in.keys))
	for _, k := range in.keys {
		if k != "" && seen[k] {
			e.repeated[in.place+"\x00"+k] = true
		}
		seen[k] = true
	}
}

// kid visits a node. The first of its siblings is always kept: a list must not be
// empty, and the first entry of an item stands behind the dash.
func (e *essenceWriter) kid(in *siblings, k *Node) {
	at, first := k.repeatable(), len(in.keys) == 0
	if in.keys = append(in.keys, at); first {
		in.shape = k.shape
	}
	e.odd = e.odd || in.write && (k.shape != in.shape || !k.shape.entry && !first)
	kept, edited := e.kept[k.hi]-e.kept[k.lo], e.edited[k.hi] > e.edited[k.lo]
	whole := in.write && kept == k.hi-k.lo && k.read != ""
	if whole {
		e.WriteString(k.read)
	}
	if write := in.write && !whole && (first || kept > 0); write || edited {
		e.visit(k, in.place+"\x00"+at, write)
	}
}

// selfContained reports whether a line of YAML means the same whatever stands
// around it: its quotes and brackets are closed, and it has no alias.
func selfContained(line string) bool {
	double, single, open := 0, 0, 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"':
			double++
		case '\'':
			single++
		case '[', '{':
			open++
		case ']', '}':
			open--
		case '*':
			if i+1 < len(line) && !isBlank(line[i+1]) {
				return false
			}
		case '\\':
			return false
		}
	}
	return double%2 == 0 && single%2 == 0 && open == 0
}
