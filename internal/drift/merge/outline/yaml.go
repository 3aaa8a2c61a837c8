package outline

import (
	"regexp"
	"strings"
)

// yamlKey returns the key that a line begins with, and where its value begins. A
// key is in quotes, or plain text without "#"; what follows it is a colon before
// white space or the line's end.
func yamlKey(t string) (key string, value int, ok bool) {
	if t == "" {
		return "", 0, false
	}
	end := 0 // of the key
	switch c := t[0]; {
	case c == '"' || c == '\'':
		n := quoted(t)
		if n < 0 {
			return "", 0, false
		}
		key, end = t[1:n-1], n
		for end < len(t) && isBlank(t[end]) {
			end++
		}
		if end == len(t) || t[end] != ':' || !endsKey(t, end) {
			return "", 0, false
		}
		return key, end + 1, true
	case strings.IndexByte("#[]{},&*!|>%@", c) >= 0, isBlank(c), c == '-' && (len(t) == 1 || isBlank(t[1]) || t[1] == '#'):
		return "", 0, false
	}
	end = 1
	if t[0] == '-' {
		end = 2
	}
	for ; end < len(t); end++ {
		if t[end] == '#' {
			return "", 0, false
		}
		if t[end] == ':' && endsKey(t, end) {
			return strings.TrimRight(t[:end], " \t"), end + 1, true
		}
	}
	return "", 0, false
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// endsKey reports whether the colon at i is followed by white space or nothing.
func endsKey(t string, i int) bool { return i+1 == len(t) || isBlank(t[i+1]) }

// quoted returns how long the quoted text is that t begins with, or -1.
func quoted(t string) int {
	for i := 1; i < len(t); i++ {
		switch {
		case t[i] == '\\' && t[0] == '"':
			i++
		case t[i] != t[0]:
		case t[0] == '\'' && i+1 < len(t) && t[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// readYAML reads maps and lists in block style by their indentation. Flow style,
// scalars over several lines and all else is text within a leaf. Tabs in the
// indentation, which YAML forbids, are refused.
func readYAML(root *Node, text string, lines []string) bool {
	for _, l := range lines {
		if strings.Contains(l[:indent(l)], "\t") && !blank(l) {
			return false
		}
	}
	f := &yamlFile{text: text, starts: make([]int, len(lines)+1)}
	for i, l := range lines {
		f.starts[i+1] = f.starts[i] + len(l)
	}
	p := &yamlPart{file: f, lines: lines}
	root.hi = len(lines)
	root.Kids = p.documents()
	return true
}

// documents returns a node for each document of a stream.
func (p *yamlPart) documents() []*Node {
	starts := []int{0}
	for i, l := range p.lines {
		if !strings.HasPrefix(l, "---") || len(l) > 3 && !isBlank(l[3]) {
			continue
		}
		// What is before the first marker belongs to the document that it begins, if
		// it is comments only.
		if len(starts) > 1 || p.inside(0, i) >= 0 {
			starts = append(starts, i)
		} else {
			starts[0] = 0
		}
	}
	starts = append(starts, len(p.lines))
	var docs []*Node
	for d, lo := range starts[:len(starts)-1] {
		hi, first := starts[d+1], lo
		for i := lo; i < hi && (i == lo || yamlComment(p.lines[i-1])); i++ {
			if strings.HasPrefix(p.lines[i], "---") {
				first = i + 1
				break
			}
		}
		n := &Node{Key: document, Head: p.join(lo, first), read: p.join(lo, hi), lo: lo, hi: hi, shape: shape{-1, true, true}}
		n.Kids, n.Tail = p.read(first, hi, 0)
		docs = append(docs, n)
	}
	if len(docs) > 1 {
		for _, n := range docs {
			n.Key = n.object()
		}
	}
	return docs
}

// document is the key of a document that nothing names.
const document = "\x00document"

// object returns the key of a document that is a Kubernetes object: its kind and
// name. Others have their place only.
func (n *Node) object() string {
	kind, name, space := "", "", ""
	for _, k := range n.Kids {
		switch k.Key {
		case "kind":
			kind = valueOf(k)
		case "metadata":
			for _, in := range k.open().Kids {
				switch in.Key {
				case "name":
					name = valueOf(in)
				case "namespace":
					space = valueOf(in)
				}
			}
		}
	}
	if kind == "" || name == "" {
		return document
	}
	return kind + " " + space + "/" + name
}

// valueOf returns the text after an entry's colon.
func valueOf(n *Node) string {
	_, value, _ := strings.Cut(n.open().Head, ":")
	return strings.TrimSpace(value)
}

// yamlPart is some lines of a file.
type yamlPart struct {
	file  *yamlFile
	lines []string
	from  int  // the number of the first
	bared bool // a dash was taken off the first
}

type yamlFile struct {
	text   string
	starts []int // where each line begins, and the end
}

// join returns the lines lo to hi as one text.
func (p *yamlPart) join(lo, hi int) string {
	if p.bared && lo == 0 {
		return join(p.lines[lo:hi])
	}
	return p.file.text[p.file.starts[p.from+lo]:p.file.starts[p.from+hi]]
}

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
		n := &Node{Lead: p.join(lead, i), lo: p.from + lead, hi: p.from + end}
		if lead > 0 || !p.bared {
			n.read = p.join(lead, end)
		}
		p.fill(n, i, end, level)
		kids = append(kids, n)
		i, lead = end, end
	}
	return kids, p.join(lead, hi)
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
	key, at, keyed := yamlKey(t)
	n.shape = shape{indent(p.lines[lo]), item, keyed || item}
	switch {
	case item && keyed && hi > lo+1 && level < maxDepth && p.inside(lo+1, hi) == strings.Index(p.lines[lo], t):
		// An item that is a map: its first entry shares the line with the dash.
		p.itemKids(n, lo, hi, level)
		return
	case !item && keyed:
		n.Key = key
	case item && key == "uses":
		n.Key = naturalKeyOf(key, t)
	case item:
		n.Key = "-" + itemKey(t)
	}
	value := ""
	if keyed {
		value = strings.TrimSpace(t[at:])
	}
	if item || !keyed || hi == first || level >= maxDepth || value != "" && value[0] != '#' {
		n.Head = p.join(lo, hi)
		return
	}
	n.pending = pending{p, lo, hi, level}
}

var pinned = regexp.MustCompile(`^["']?(?:[\w.-]+::)?([A-Za-z0-9][\w./-]*)\s*(?:[=<>!~]=?=?)\s*v?\d`)

// itemKey returns what tells an item that is one value from its siblings: the name
// that it pins a version of, or its text.
func itemKey(t string) string {
	if m := pinned.FindStringSubmatch(t); m != nil {
		return "=" + m[1]
	}
	return squashed.ReplaceAllString(t, "")
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
	q := &yamlPart{file: p.file, lines: append([]string{undashed}, p.lines[lo+1:hi]...), from: p.from + lo, bared: true}
	n.Kids, n.Tail = q.read(0, len(q.lines), level+1)
	n.Key = n.naturalKey()
	k := n.Kids[0].open()
	k.Head = k.Head[:dash] + "-" + k.Head[dash+1:]
}
