package outline

import (
	"regexp"
	"strings"
)

var (
	heading   = regexp.MustCompile(`^(#{1,6})\s+(.*?)\s*#*\s*$`)
	release   = regexp.MustCompile(`^\[?v?(\d+\.\d+[\w.+-]*)\]?(?:\W|$)`)
	tableRule = regexp.MustCompile(`^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$`)
	listItem  = regexp.MustCompile("^( {0,3})[-*+] +(?:\\[[ xX]\\] +)?(?:\\[([^\\]]+)\\]\\(|\\*\\*([^*]+)\\*\\*|`([^`]+)`)?")
)

// plainText is the key of text in a section that has no structure.
const plainText = "\x00text"

// readMarkdown reads sections by their headings, of a changelog by the version in
// them. The text of a section before its first subsection has at most one table or
// list in it; where there are more, nothing says which is which on another side.
func readMarkdown(root *Node, lines []string) bool {
	type level struct {
		node  *Node
		depth int
	}
	stack := []level{{root, 0}}
	fence := ""
	text := 0
	flush := func(to int) {
		n := stack[len(stack)-1].node
		n.Kids = append(n.Kids, sectionText(lines[text:to])...)
	}
	for i, l := range lines {
		if fence = fenced(fence, l); fence != "" {
			continue
		}
		m := heading.FindStringSubmatch(strings.TrimRight(l, "\r\n"))
		if m == nil {
			continue
		}
		flush(i)
		for stack[len(stack)-1].depth >= len(m[1]) {
			stack = stack[:len(stack)-1]
		}
		n := &Node{Key: "#" + m[2], Head: l}
		if v := release.FindStringSubmatch(m[2]); v != nil {
			n.Key = "#" + v[1]
		}
		parent := stack[len(stack)-1].node
		parent.Kids = append(parent.Kids, n)
		stack = append(stack, level{n, len(m[1])})
		text = i + 1
	}
	flush(len(lines))
	return fence == ""
}

// fenced returns the fence of code that is open after a line.
func fenced(fence, line string) string {
	t := strings.TrimSpace(line)
	if !strings.HasPrefix(t, "```") && !strings.HasPrefix(t, "~~~") {
		return fence
	}
	switch {
	case fence == "":
		return t[:3]
	case strings.HasPrefix(t, fence):
		return ""
	}
	return fence
}

// sectionText returns the nodes of a section's text: all of it, or what is before,
// in and after its one table or list.
func sectionText(lines []string) []*Node {
	var found *Node
	lo, hi := 0, 0
	fence := ""
	for i := 0; i < len(lines); i++ {
		was := fence
		if fence = fenced(fence, lines[i]); fence != "" || was != "" {
			continue
		}
		n, end := readTable(lines, i)
		if n == nil {
			n, end = readList(lines, i)
		}
		if n == nil {
			continue
		}
		if found != nil {
			return []*Node{{Key: plainText, Head: join(lines)}}
		}
		found, lo, hi = n, i, end
		i = end - 1
	}
	if found == nil {
		return []*Node{{Key: plainText, Head: join(lines)}}
	}
	return []*Node{{Key: plainText, Head: join(lines[:lo])}, found, {Key: plainText + " behind", Head: join(lines[hi:])}}
}

// readTable reads the table that begins at line i, by row: a row is told from
// others by its first cell.
func readTable(lines []string, i int) (table *Node, end int) {
	if i+1 >= len(lines) || !strings.Contains(lines[i], "|") || !strings.Contains(lines[i+1], "|") || !tableRule.MatchString(lines[i+1]) {
		return nil, i
	}
	n := &Node{Key: "\x00table", Head: lines[i] + lines[i+1], Kids: []*Node{}}
	for end = i + 2; end < len(lines) && strings.Contains(lines[end], "|"); end++ {
		cell, _, _ := strings.Cut(strings.TrimLeft(lines[end], " |"), "|")
		n.Kids = append(n.Kids, &Node{Key: "|" + strings.TrimSpace(cell), Head: lines[end]})
	}
	return n, end
}

// readList reads the list that begins at line i, if each of its items begins with
// what names it: a link, or bold or code.
func readList(lines []string, i int) (list *Node, end int) {
	m := listItem.FindStringSubmatch(lines[i])
	if m == nil {
		return nil, i
	}
	n := &Node{Key: "\x00list", Kids: []*Node{}}
	named := true
	for end = i; end < len(lines); {
		item := listItem.FindStringSubmatch(lines[end])
		if item == nil || item[1] != m[1] {
			break
		}
		from := end
		for end++; end < len(lines) && indent(lines[end]) > len(m[1]) && !blank(lines[end]); end++ {
		}
		name := item[2] + item[3] + item[4]
		named = named && name != ""
		n.Kids = append(n.Kids, &Node{Key: "-" + name, Head: join(lines[from:end])})
	}
	if !named {
		return &Node{Key: "\x00list", Head: join(lines[i:end])}, end
	}
	return n, end
}
