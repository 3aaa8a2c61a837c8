package outline

import "strings"

// Essence returns a YAML text without the entries in which no line is changed, and
// the keys that are repeated among the entries that are left. A parser need not
// read again what it read before: where that parsed, the text parses if its
// essence does. (Where the essence does not, the text may.) What is left out has
// nothing that reaches out of it, such as a quote that is not closed or an alias.
func Essence(text string, changed func(line int) bool) (essence string, repeated map[string]bool, ok bool) {
	lines := split(text)
	root := &Node{}
	if !readYAML(root, text, lines) {
		return "", nil, false
	}
	e := &essenceWriter{sum: make([]int, len(lines)+1)}
	edited := make([]int, len(lines)+1)
	for i, l := range lines {
		e.sum[i+1], edited[i+1] = e.sum[i], edited[i]
		if changed(i) {
			edited[i+1]++
		}
		if changed(i) || !selfContained(l) {
			e.sum[i+1]++
		}
	}
	e.write(root)
	if e.odd {
		return "", nil, false
	}
	return e.String(), root.repeatedIn(edited), true
}

type essenceWriter struct {
	strings.Builder
	sum []int // how many lines before each have to be kept
	odd bool  // there are siblings of which one cannot be told from the others' text
}

// write writes a node. Its first kid is always kept: a list must not be empty, and
// the first entry of an item stands behind the dash.
func (e *essenceWriter) write(n *Node) {
	n.open()
	e.WriteString(n.Lead)
	e.WriteString(n.Head)
	for i, k := range n.Kids {
		e.odd = e.odd || k.shape != n.Kids[0].shape || !k.shape.entry && len(n.Kids) > 1
		switch {
		case e.sum[k.hi]-e.sum[k.lo] == k.hi-k.lo && k.read != "":
			e.WriteString(k.read)
		case i == 0 || e.sum[k.hi] > e.sum[k.lo]:
			e.write(k)
		}
	}
	e.WriteString(n.Tail)
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
