package outline

import (
	"regexp"
	"strings"
)

var yamlKey = regexp.MustCompile(`^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#'"\[\]{},&*!|>%@-][^#]*?|-[^\s#][^#]*?))\s*:(?:\s|$)`)

// readYAML reads maps and lists in block style by their indentation. Flow style,
// scalars over several lines and all else is text within a leaf. Tabs in the
// indentation, which YAML forbids, are refused.
func readYAML(root *Node, lines []string) bool {
	for _, l := range lines {
		if strings.Contains(l[:indent(l)], "\t") && !blank(l) {
			return false
		}
	}
	p := &yamlPart{lines: lines}
	root.Kids, root.Tail = p.read(0, len(lines), 0)
	return true
}

type yamlPart struct{ lines []string }

func yamlComment(line string) bool {
	t := strings.TrimSpace(line)
	return t == "" || t[0] == '#'
}

// read returns the nodes of the lines lo to hi, all at the indentation of the
// first that is no comment.
func (p *yamlPart) read(lo, hi, level int) ([]*Node, string) {
	kids := []*Node{}
	lead := lo
	for i := lo; i < hi; {
		if yamlComment(p.lines[i]) {
			i++
			continue
		}
		end := p.end(i, hi)
		n := &Node{Lead: join(p.lines[lead:i])}
		p.fill(n, i, end, level)
		kids = append(kids, n)
		i, lead = end, end
	}
	return kids, join(p.lines[lead:hi])
}

// end returns where the node that begins at line i ends: before the next line
// that is not indented more, comments before which belong to that.
func (p *yamlPart) end(i, hi int) int {
	d := indent(p.lines[i])
	item := isItem(p.lines[i])
	end := i + 1
	for j := i + 1; j < hi; j++ {
		if blank(p.lines[j]) {
			continue
		}
		in := indent(p.lines[j])
		if in < d || in == d && (item || !isItem(p.lines[j])) {
			if !yamlComment(p.lines[j]) {
				break
			}
			continue
		}
		end = j + 1
	}
	return end
}

func isItem(line string) bool {
	t := strings.TrimSpace(line)
	return t == "-" || strings.HasPrefix(t, "- ")
}

// fill makes the node of lines lo to hi.
func (p *yamlPart) fill(n *Node, lo, hi, level int) {
	t := strings.TrimSpace(p.lines[lo])
	first := lo + 1
	item := isItem(t)
	if item {
		t = strings.TrimSpace(strings.TrimPrefix(t, "-"))
	}
	m := yamlKey.FindStringSubmatch(t)
	switch {
	case item && m != nil && hi > lo+1 && level < maxDepth && p.inside(lo+1, hi) == strings.Index(p.lines[lo], t):
		// An item that is a map: its first entry shares the line with the dash.
		p.itemKids(n, lo, hi, level)
		return
	case !item && m != nil:
		n.Key = m[1] + m[2] + m[3]
	case item:
		n.Key = "-" + squashed.ReplaceAllString(t, "")
	}
	value := ""
	if m != nil {
		value = strings.TrimSpace(t[len(m[0]):])
	}
	if item || m == nil || hi == first || level >= maxDepth || value != "" && value[0] != '#' {
		n.Head = join(p.lines[lo:hi])
		return
	}
	n.Head = p.lines[lo]
	n.Kids, n.Tail = p.read(first, hi, level+1)
}

// inside returns the indentation of the first line that is no comment.
func (p *yamlPart) inside(lo, hi int) int {
	for _, l := range p.lines[lo:hi] {
		if !yamlComment(l) {
			return indent(l)
		}
	}
	return -1
}

// itemKids makes the entries of an item that is a map.
func (p *yamlPart) itemKids(n *Node, lo, hi, level int) {
	dash := strings.Index(p.lines[lo], "-")
	undashed := p.lines[lo][:dash] + " " + p.lines[lo][dash+1:]
	q := &yamlPart{lines: append([]string{undashed}, p.lines[lo+1:hi]...)}
	n.Kids, n.Tail = q.read(0, len(q.lines), level+1)
	n.Key = n.naturalKey()
	k := n.Kids[0]
	k.Head = k.Head[:dash] + "-" + k.Head[dash+1:]
}
