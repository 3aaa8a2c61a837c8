package outline

import (
	"regexp"
	"strings"
)

// style is what a format with brackets has besides them.
type style struct {
	line  string // begins a comment to the line's end
	hash  bool   // so does "#"
	block bool   // there are comments between /* and */, and strings in threes of quotes
	json  bool
	gomod bool
	xml   bool
}

// scanner follows brackets over lines.
type scanner struct {
	style
	open  []byte // the brackets that are open
	quote string // the string that is open over a line's end, by its quotes
	in    bool   // inside a block comment
	bad   bool
}

// feed reads a line, and returns the least number of brackets that were open in
// it.
func (s *scanner) feed(line string) int {
	least := len(s.open)
	for i := 0; i < len(line); {
		rest := line[i:]
		switch {
		case s.in:
			end := strings.Index(rest, "*/")
			if end < 0 {
				return least
			}
			s.in = false
			i += end + 2
		case s.quote != "":
			i += s.inString(rest)
		case strings.HasPrefix(rest, s.line), s.hash && rest[0] == '#':
			return least
		case s.block && strings.HasPrefix(rest, "/*"):
			s.in = true
			i += 2
		case s.block && (strings.HasPrefix(rest, `"""`) || strings.HasPrefix(rest, "'''")):
			s.quote = rest[:3]
			i += 3
		case rest[0] == '"' || rest[0] == '\'' && !s.json:
			s.quote = rest[:1]
			i++
		default:
			s.bracket(rest[0])
			least = min(least, len(s.open))
			i++
		}
	}
	if len(s.quote) == 1 {
		s.quote, s.bad = "", true // a string in one quote ends with its line
	}
	return least
}

// inString returns how much of the line to skip inside a string.
func (s *scanner) inString(rest string) int {
	switch {
	case rest[0] == '\\' && len(rest) > 1:
		return 2
	case strings.HasPrefix(rest, s.quote):
		n := len(s.quote)
		s.quote = ""
		return n
	}
	return 1
}

func (s *scanner) bracket(c byte) {
	switch c {
	case '{', '[', '(':
		s.open = append(s.open, c)
	case '}', ']', ')':
		want := map[byte]byte{'}': '{', ']': '[', ')': '('}[c]
		if len(s.open) == 0 || s.open[len(s.open)-1] != want {
			s.bad = true
			return
		}
		s.open = s.open[:len(s.open)-1]
	}
}

// readBraces reads a file of statements that are lines, or run until the brackets
// that they opened are closed.
func readBraces(root *Node, lines []string, st style) bool {
	s := &scanner{style: st}
	depth := make([]int, len(lines)+1) // before each line
	least := make([]int, len(lines))
	inside := make([]bool, len(lines)+1) // a string or comment is open before it
	for i, l := range lines {
		least[i] = s.feed(l)
		depth[i+1] = len(s.open)
		inside[i+1] = s.quote != "" || s.in
	}
	if s.bad || len(s.open) > 0 || s.quote != "" || s.in {
		return false
	}
	p := &bracePart{style: st, lines: lines, depth: depth, least: least, inside: inside}
	root.Kids, root.Tail = p.read(0, len(lines), 0)
	return true
}

type bracePart struct {
	style
	lines        []string
	depth, least []int
	inside       []bool
}

// read returns the nodes of the lines lo to hi, which are nested level deep, and
// what is left over after the last.
func (p *bracePart) read(lo, hi, level int) ([]*Node, string) {
	kids := []*Node{}
	lead := lo
	for i := lo; i < hi; {
		if p.isComment(i) {
			i = p.skipComment(i, hi)
			continue
		}
		end := i + 1
		for end < hi && (p.depth[end] > p.depth[i] || p.inside[end]) {
			end++
		}
		n := &Node{Lead: join(p.lines[lead:i])}
		p.fill(n, i, end, level)
		kids = append(kids, n)
		i, lead = end, end
	}
	if p.xml {
		tellApart(kids)
	}
	return kids, join(p.lines[lead:hi])
}

func (p *bracePart) isComment(i int) bool {
	t := strings.TrimSpace(p.lines[i])
	return t == "" || strings.HasPrefix(t, p.line) || p.xml && strings.HasPrefix(t, "<?") || p.hash && t[0] == '#' || p.block && strings.HasPrefix(t, "/*")
}

func (p *bracePart) skipComment(i, hi int) int {
	for i++; i < hi && p.inside[i]; i++ {
	}
	return i
}

// fill makes the node of the statement in the lines lo to hi. It has an inside
// where its first line opens brackets and its last only closes them.
func (p *bracePart) fill(n *Node, lo, hi, level int) {
	n.Key = p.key(p.lines[lo])
	d := p.depth[lo]
	if hi-lo < 3 || level >= maxDepth || p.inside[lo+1] || p.depth[lo+1] != p.depth[hi-1] || p.depth[hi] != d {
		n.Head = join(p.lines[lo:hi])
		return
	}
	for i := lo + 1; i < hi-1; i++ {
		if p.least[i] < p.depth[lo+1] {
			n.Head = join(p.lines[lo:hi]) // as in "} else {"
			return
		}
	}
	n.Head, n.Tail = p.lines[lo], p.lines[hi-1]
	var rest string
	n.Kids, rest = p.read(lo+1, hi-1, level+1)
	n.Tail = rest + n.Tail
	if strings.HasSuffix(strings.TrimSpace(n.Head), "[") || strings.HasSuffix(strings.TrimSpace(n.Head), "(") || p.json {
		n.separate(p.json)
	}
	if n.Key == "" {
		n.Key = n.naturalKey()
	}
}

// separate takes the commas off the kids, if they are separated by commas.
func (n *Node) separate(json bool) {
	if len(n.Kids) == 0 {
		n.Commas = json
		return
	}
	last := len(n.Kids) - 1
	for i, k := range n.Kids {
		if i < last && !endsWithComma(k.end()) {
			return
		}
	}
	n.Commas, n.LastComma = true, endsWithComma(n.Kids[last].end())
	for i, k := range n.Kids {
		if i < last || n.LastComma {
			k.cutComma()
		}
	}
	if last == 0 && !n.LastComma && !json {
		n.Commas = false
	}
}

// endsWithComma reports whether a text's last word ends with a comma that withComma
// would put back in its place: one that stands alone on its line would move.
func endsWithComma(text string) bool {
	at := lastWord(text)
	return at > 0 && text[at-1] == ',' && !blank(text[:at-1]) && lastWord(text[:at-1]+text[at:]) == at-1
}

// end returns the part of the node that its text ends with.
func (n *Node) end() string {
	if n.Tail != "" {
		return n.Tail
	}
	return n.Head
}

func (n *Node) cutComma() {
	part := &n.Head
	if n.Tail != "" {
		part = &n.Tail
	}
	at := lastWord(*part)
	*part = (*part)[:at-1] + (*part)[at:]
}

var squashed = regexp.MustCompile(`[\s"']+`)

// key returns what tells the statement on a line from its siblings.
func (st style) key(line string) string {
	switch {
	case st.xml:
		return xmlKey(line)
	case st.gomod:
		return moduleKey(line)
	}
	return braceKey(line, st.json)
}

// moduleKey returns the module that a line of go.mod is about, with the directive
// where it stands on the same line.
func moduleKey(line string) string {
	line, _, _ = strings.Cut(line, "//")
	words := strings.Fields(line)
	if len(words) == 0 || words[0] == ")" {
		return ""
	}
	switch words[0] {
	case "module", "go", "toolchain":
		return words[0]
	case "require", "replace", "godebug", "tool", "ignore":
		return strings.Join(words[:min(2, len(words))], " ")
	case "exclude", "retract":
		return "" // of these there may be several
	}
	return words[0]
}

// braceKey returns what tells a statement from its siblings: the name that it
// gives a value to, or the head of its block.
func braceKey(line string, json bool) string {
	if json {
		return jsonKey(line)
	}
	t := strings.TrimSpace(line)
	if head, ok := strings.CutSuffix(t, "{"); ok {
		return "{" + squashed.ReplaceAllString(head, "")
	}
	for _, word := range []string{"def", "export", "final"} {
		if rest, ok := strings.CutPrefix(t, word); ok && rest != "" && isBlank(rest[0]) {
			if key := assigned(strings.TrimLeft(rest, " \t")); key != "" {
				return key
			}
		}
	}
	return assigned(t)
}

// assigned returns the name, in quotes or not, that a line gives a value to by a
// colon, "=" or "+=".
func assigned(t string) string {
	if t != "" && (t[0] == '"' || t[0] == '\'') {
		t = t[1:]
	}
	end := 0
	for end < len(t) && (isWord(t[end]) || strings.IndexByte("$@", t[end]) >= 0 || end > 0 && strings.IndexByte("./ -", t[end]) >= 0) {
		end++
	}
	if end == 0 || t[0] >= '0' && t[0] <= '9' {
		return ""
	}
	key, rest := strings.TrimRight(t[:end], " "), t[end:]
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		key, rest = t[:end], rest[1:]
	}
	rest = strings.TrimLeft(rest, " \t")
	if strings.HasPrefix(rest, "+=") {
		rest = rest[1:]
	}
	if rest == "" || rest[0] != '=' && rest[0] != ':' || len(rest) > 1 && rest[1] == '=' {
		return ""
	}
	return key
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// natural are the names of entries that tell the maps of a list apart, the best
// first.
var natural = []string{"name", "id", "@id", "uid", "key", "$ref", "uses", "path", "alias"}

func (n *Node) naturalKey() string {
	for _, name := range natural {
		for _, k := range n.Kids {
			if k.Key == name && k.leaf() {
				return naturalKeyOf(name, strings.TrimRight(strings.TrimSpace(k.Head), ","))
			}
		}
	}
	return ""
}

// naturalKeyOf returns the key of an entry that has a name in the given text. What
// it uses is the same in another version.
func naturalKeyOf(name, text string) string {
	if name == "uses" {
		text, _, _ = strings.Cut(text, "@")
	}
	return "=" + name + ":" + squashed.ReplaceAllString(text, "")
}

// commentStart returns where a comment to the line's end begins, or -1.
func commentStart(line string) int {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '/' && strings.HasPrefix(line[i:], "//"):
			return i
		}
	}
	return -1
}

// jsonKey returns the key that a line of JSON begins with, or "".
func jsonKey(line string) string {
	t := strings.TrimLeft(line, " \t")
	if t == "" || t[0] != '"' {
		return ""
	}
	for i := 1; i < len(t); i++ {
		switch t[i] {
		case '\\':
			i++
		case '"':
			if strings.HasPrefix(strings.TrimLeft(t[i+1:], " \t"), ":") {
				return t[1:i]
			}
			return ""
		}
	}
	return ""
}
