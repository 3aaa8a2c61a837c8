// Package outline reads the structure of configuration and prose out of a file's
// lines and merges three versions of it by what belongs together: an entry with
// the entry of the same key, wherever it stands.
//
// An outline is made of whole lines, and nothing is ever written anew: comments,
// blank lines, quotes and indentation are those of the side that a line comes
// from. [Read] refuses what it does not understand, and a caller that gets false
// has the lines to fall back on.
package outline

import "strings"

// Node is a part of a file: an entry, a block, a section. Its text is Lead,
// Head, the texts of Kids, and Tail, in this order; every byte of a file is in
// exactly one node.
type Node struct {
	// Key tells the node from its siblings; "" where only its text does.
	Key string
	// Lead are the comments and blank lines before the node.
	Lead string
	Head string
	Tail string
	Kids []*Node
	// Commas is true where the kids are separated by commas at the ends of their
	// lines; their texts then do not have them, and LastComma tells whether one
	// stands after the last.
	Commas, LastComma bool

	// For YAML, the node's text and lines as they were read, and what is left to
	// read of it: the inside of a node is read when somebody looks into it.
	read    string
	lo, hi  int
	pending pending
	shape   shape
}

// pending is the part of a file that a node's inside is to be read from.
type pending struct {
	part          *yamlPart // nil where nothing is left to read
	lo, hi, level int
}

// shape is what the siblings of a YAML map or list have in common.
type shape struct {
	indent      int
	item, entry bool // an item of a list; that, or an entry of a map
}

// Text returns the node's text.
func (n *Node) Text() string {
	if n.read != "" {
		return n.read
	}
	var b strings.Builder
	n.write(&b)
	return b.String()
}

// open reads the inside of a node, if that is still to be done. Lead and Key are
// there without it.
func (n *Node) open() *Node {
	if p := n.pending; p.part != nil {
		n.pending.part = nil
		n.Head = p.part.text(p.lo)
		n.Kids, n.Tail = p.part.read(p.lo+1, p.hi, p.level+1)
	}
	return n
}

func (n *Node) write(b *strings.Builder) {
	if n.read != "" {
		b.WriteString(n.read)
		return
	}
	n.compose(b)
}

// compose writes the node from its parts.
func (n *Node) compose(b *strings.Builder) {
	n.open()
	b.WriteString(n.Lead)
	b.WriteString(n.Head)
	for i, k := range n.Kids {
		if n.Commas && (i < len(n.Kids)-1 || n.LastComma) {
			b.WriteString(withComma(k.Text()))
			continue
		}
		k.write(b)
	}
	b.WriteString(n.Tail)
}

// withComma puts a comma behind a text's last word, before a comment and the
// line's end.
func withComma(text string) string {
	at := lastWord(text)
	return text[:at] + "," + text[at:]
}

// lastWord returns where the text's last line ends, comment and white space
// aside.
func lastWord(text string) int {
	body := strings.TrimRight(text, " \t\r\n")
	line := strings.LastIndexByte(body, '\n') + 1
	end := len(body)
	if c := commentStart(body[line:]); c >= 0 {
		end = line + len(strings.TrimRight(body[line:line+c], " \t"))
	}
	return end
}

// leaf reports whether the node has no inside.
func (n *Node) leaf() bool {
	n.open()
	return n.Kids == nil && n.Tail == ""
}

// maxDepth is how deep an outline may be nested. What is deeper is one leaf.
const maxDepth = 40

// Read returns the outline of a text in a format, or false where the format has
// none or the text does not read as it should. The formats are yaml, json,
// braces, hcl, toml, ini, markdown, makefile, dockerfile, gomod, ignore, owners
// (a pattern and what it has, as CODEOWNERS), requirements and xml.
func Read(format, text string) (*Node, bool) {
	root := &Node{}
	if format == "yaml" {
		_, ok := readYAML(root, text)
		return root, ok
	}
	lines := split(text)
	switch format {
	case "json":
		return root, readBraces(root, lines, style{line: "//", json: true})
	case "braces":
		return root, readBraces(root, lines, style{line: "//", block: true})
	case "hcl", "gomod":
		return root, readBraces(root, lines, style{line: "//", hash: format == "hcl", block: true, gomod: format == "gomod"})
	case "xml":
		return root, readXML(root, lines)
	case "toml", "ini":
		return root, readSections(root, lines)
	case "markdown":
		return root, readMarkdown(root, lines)
	case "makefile", "dockerfile":
		return root, readRules(root, lines, format)
	case "ignore":
		return root, readSet(root, lines, func(l string) string { return l })
	case "owners":
		return root, readSet(root, lines, firstWord)
	case "requirements":
		return root, readSet(root, lines, requirement)
	}
	return nil, false
}

// split cuts a text into lines, terminators included.
func split(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func blank(line string) bool { return strings.TrimSpace(line) == "" }

func indent(line string) int {
	n := 0
	for n < len(line) && (line[n] == ' ' || line[n] == '\t') {
		n++
	}
	return n
}

func join(lines []string) string { return strings.Join(lines, "") }
