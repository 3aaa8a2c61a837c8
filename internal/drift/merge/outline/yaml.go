package outline

import (
	"regexp"
	"strings"
	"unicode/utf8"
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
func readYAML(root *Node, text string) (*yamlFile, bool) {
	f := &yamlFile{text: text}
	if !f.cut() {
		return nil, false
	}
	p := &yamlPart{file: f}
	root.hi = f.count()
	root.Kids = p.documents(root.hi)
	return f, true
}

// yamlFile is a text and what its lines are, looked at once.
type yamlFile struct {
	text  string
	lines []yamlLine // and one more, where the text ends
	nodes []Node     // room for nodes to come
}

// yamlLine is what counts of a line.
type yamlLine struct {
	start, indent int
	sort          lineSort
}

type lineSort int

const (
	entryLine   lineSort = iota // or any other text
	itemLine                    // begins with a dash
	commentLine                 // has nothing but a comment
	blankLine
)

func (f *yamlFile) count() int { return len(f.lines) - 1 }

// cut cuts the text into lines. It returns false where a tab indents one.
func (f *yamlFile) cut() bool {
	f.lines = make([]yamlLine, 0, strings.Count(f.text, "\n")+2)
	for at := 0; at < len(f.text); {
		end := len(f.text)
		if n := strings.IndexByte(f.text[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		l := readLine(f.text[at:end])
		if l.sort != blankLine && strings.IndexByte(f.text[at:at+l.indent], '\t') >= 0 {
			return false
		}
		l.start = at
		f.lines = append(f.lines, l)
		at = end
	}
	f.lines = append(f.lines, yamlLine{start: len(f.text)})
	return true
}

// readLine tells what a line is; where it starts is for the caller to know.
func readLine(line string) yamlLine {
	l := yamlLine{indent: indent(line)}
	t := line[l.indent:]
	if t == "" || t[0] < ' ' || t[0] >= utf8.RuneSelf {
		t = strings.TrimSpace(t) // there is white space of other sorts
	}
	switch {
	case t == "":
		l.sort = blankLine
	case t[0] == '#':
		l.sort = commentLine
	case t[0] == '-' && (len(t) > 1 && t[1] == ' ' || strings.TrimSpace(t[1:]) == ""):
		l.sort = itemLine
	}
	return l
}

// node makes a node. They are made some at a time.
func (f *yamlFile) node() *Node {
	const some = 32
	if len(f.nodes) == 0 {
		f.nodes = make([]Node, min(some, len(f.lines)))
	}
	n := &f.nodes[0]
	f.nodes = f.nodes[1:]
	return n
}

// documents returns a node for each document of a stream.
func (p *yamlPart) documents(count int) []*Node {
	starts := []int{0}
	for i := range count {
		l := p.text(i)
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
	starts = append(starts, count)
	var docs []*Node
	for d, lo := range starts[:len(starts)-1] {
		hi, first := starts[d+1], lo
		for i := lo; i < hi && (i == lo || p.at(i-1).sort >= commentLine); i++ {
			if strings.HasPrefix(p.text(i), "---") {
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
	file *yamlFile
	from int // the number of the first
	// bared is the first line without the dash of the item that it begins; "" where
	// there is none.
	bared string
}

// at returns what line i is.
func (p *yamlPart) at(i int) yamlLine {
	if i == 0 && p.bared != "" {
		return readLine(p.bared)
	}
	return p.file.lines[p.from+i]
}

func (p *yamlPart) text(i int) string { return p.join(i, i+1) }

// join returns the lines lo to hi as one text.
func (p *yamlPart) join(lo, hi int) string {
	if p.bared != "" && lo == 0 && hi > 0 {
		return p.bared + p.join(1, hi)
	}
	return p.file.text[p.file.lines[p.from+lo].start:p.file.lines[p.from+hi].start]
}

// read returns the nodes of the lines lo to hi, all at the indentation of the
// first that is no comment.
func (p *yamlPart) read(lo, hi, level int) ([]*Node, string) {
	kids := []*Node{}
	for {
		x, ok := p.next(lo, hi)
		if !ok {
			return kids, p.join(lo, hi)
		}
		kids = append(kids, p.make(p.file.node(), x, level))
		lo = x.end
	}
}

// extent is where a node stands: its comments begin at line lead, and what it is
// itself at line first.
type extent struct{ lead, first, end int }

// next returns where the first node of the lines lo to hi stands, if there is one.
func (p *yamlPart) next(lo, hi int) (extent, bool) {
	for i := lo; i < hi; i++ {
		if p.at(i).sort < commentLine {
			return extent{lo, i, p.end(i, hi)}, true
		}
	}
	return extent{}, false
}

// make makes a node.
func (p *yamlPart) make(n *Node, x extent, level int) *Node {
	*n = Node{Lead: p.join(x.lead, x.first), lo: p.from + x.lead, hi: p.from + x.end}
	if x.lead > 0 || p.bared == "" {
		n.read = p.join(x.lead, x.end)
	}
	p.fill(n, x.first, x.end, level)
	return n
}

// openTogether reads the inside of three versions of a node, if that is still to
// be done. The entries that all three begin with, and those that they end with, are
// one node each: nothing is to be decided about them.
func openTogether(b, o, t *Node) {
	versions := [...]*Node{b, o, t}
	var in [len(versions)]insides
	most := -1
	for i, n := range versions {
		if n.pending.part == nil {
			return
		}
		in[i] = n.pending.insides()
		if most < 0 || len(in[i].all) < most {
			most = len(in[i].all)
		}
	}
	head, tail := 0, 0
	for head < most && in[0].at(head) == in[1].at(head) && in[1].at(head) == in[2].at(head) {
		head++
	}
	for tail < most-head && in[0].at(^tail) == in[1].at(^tail) && in[1].at(^tail) == in[2].at(^tail) {
		tail++
	}
	for i, n := range versions {
		in[i].fill(n, head, tail)
	}
}

// insides are where the kids of a node that is not read yet stand.
type insides struct {
	pending
	all []extent
}

func (p pending) insides() insides {
	in := insides{pending: p}
	for lo := p.lo + 1; ; {
		x, ok := p.part.next(lo, p.hi)
		if !ok {
			return in
		}
		in.all = append(in.all, x)
		lo = x.end
	}
}

// at returns the text of a kid; ^i is the one that i come after.
func (in *insides) at(i int) string {
	if i < 0 {
		i += len(in.all)
	}
	return in.part.join(in.all[i].lead, in.all[i].end)
}

// fill makes the node's kids, the first and the last of them as one.
func (in *insides) fill(n *Node, head, tail int) {
	n.pending.part = nil
	n.Head = in.part.text(in.lo)
	n.Kids = make([]*Node, 0, len(in.all)-head-tail+2)
	if head > 0 {
		n.Kids = append(n.Kids, in.raw("\x00head", in.all[:head]))
	}
	end := len(in.all) - tail
	for _, x := range in.all[head:end] {
		n.Kids = append(n.Kids, in.part.make(in.part.file.node(), x, in.level+1))
	}
	if tail > 0 {
		n.Kids = append(n.Kids, in.raw("\x00tail", in.all[end:]))
	}
	last := in.lo + 1
	if len(in.all) > 0 {
		last = in.all[len(in.all)-1].end
	}
	n.Tail = in.part.join(last, in.hi)
}

// raw makes one node of several.
func (in *insides) raw(key string, all []extent) *Node {
	text := in.part.join(all[0].lead, all[len(all)-1].end)
	n := in.part.file.node()
	n.Key, n.Head, n.read = key, text, text
	return n
}

// end returns where the node that begins at line i ends: before the next line
// that is not indented more, comments before which belong to that.
func (p *yamlPart) end(i, hi int) int {
	first := p.at(i)
	end := i + 1
	for j := i + 1; j < hi; j++ {
		l := &p.file.lines[p.from+j]
		if l.sort == blankLine {
			continue
		}
		if l.indent < first.indent || l.indent == first.indent && (first.sort == itemLine || l.sort != itemLine) {
			if l.sort != commentLine {
				break
			}
			continue
		}
		end = j + 1
	}
	return end
}

// fill makes the node of lines lo to hi.
func (p *yamlPart) fill(n *Node, lo, hi, level int) {
	line, l := p.text(lo), p.at(lo)
	t := strings.TrimSpace(line)
	first := lo + 1
	item := l.sort == itemLine
	if item {
		t = strings.TrimSpace(strings.TrimPrefix(t, "-"))
	}
	key, at, keyed := yamlKey(t)
	n.shape = shape{l.indent, item, keyed || item}
	switch {
	case item && keyed && hi > lo+1 && level < maxDepth && p.inside(lo+1, hi) == strings.Index(line, t):
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
	for i := lo; i < hi; i++ {
		if l := p.at(i); l.sort < commentLine {
			return l.indent
		}
	}
	return -1
}

// itemKids makes the entries of an item that is a map.
func (p *yamlPart) itemKids(n *Node, lo, hi, level int) {
	line := p.text(lo)
	dash := strings.Index(line, "-")
	q := &yamlPart{file: p.file, from: p.from + lo, bared: line[:dash] + " " + line[dash+1:]}
	n.Kids, n.Tail = q.read(0, hi-lo, level+1)
	n.Key = n.naturalKey()
	k := n.Kids[0].open()
	k.Head = k.Head[:dash] + "-" + k.Head[dash+1:]
}
