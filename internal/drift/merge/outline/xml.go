package outline

import (
	"regexp"
	"strings"
)

// readXML reads a file of XML by its elements. An element that opens on one line
// and closes on another has its lines between as its inside; all else is text.
func readXML(root *Node, lines []string) bool {
	s := &tagScanner{}
	p := &bracePart{
		style: style{line: "<!--", xml: true}, lines: lines,
		depth: make([]int, len(lines)+1), least: make([]int, len(lines)), inside: make([]bool, len(lines)+1),
	}
	for i, l := range lines {
		p.least[i] = s.feed(l)
		p.depth[i+1] = len(s.open)
		p.inside[i+1] = s.until != ""
	}
	if s.bad || len(s.open) > 0 || s.until != "" {
		return false
	}
	root.Kids, root.Tail = p.read(0, len(lines), 0)
	return true
}

// tagScanner follows the elements of XML over lines.
type tagScanner struct {
	open  []string // the names of the elements that are open
	until string   // what ends the comment, section or tag that is open over a line's end
	tag   string   // the beginning of the tag that is open, from its name on
	empty bool     // what is read of the tag ends with a slash
	quote byte     // the quote that is open in the tag
	bad   bool
}

// sections are what looks like a tag and is none, and how each ends.
var sections = []struct{ begin, end string }{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"}}

// feed reads a line, and returns the least number of elements that were open in
// it.
func (s *tagScanner) feed(line string) int {
	least := len(s.open)
	for line != "" {
		if s.until == "" {
			at := strings.IndexByte(line, '<')
			if at < 0 {
				break
			}
			line = s.begin(line[at:])
		}
		end := s.end(line)
		if end < 0 {
			break
		}
		if s.until == ">" {
			s.close()
			least = min(least, len(s.open))
		}
		line = line[end+len(s.until):]
		s.until, s.tag, s.empty, s.quote = "", "", false, 0
	}
	return least
}

// begin enters what begins with "<".
func (s *tagScanner) begin(line string) string {
	for _, c := range sections {
		if strings.HasPrefix(line, c.begin) {
			s.until = c.end
			if s.until == ">" {
				s.tag = "!"
			}
			return line[len(c.begin):]
		}
	}
	s.until = ">"
	return line[1:]
}

// maxName is how much of a tag is looked at for the element's name.
const maxName = 256

// end returns where in the line ends what is open, or -1. A ">" in a tag's quotes
// does not end it.
func (s *tagScanner) end(line string) int {
	if s.until != ">" {
		return strings.Index(line, s.until)
	}
	for i := range len(line) {
		if s.quote = inQuote(s.quote, line[i]); s.quote == 0 && line[i] == '>' {
			s.tag += line[:min(i, max(0, maxName-len(s.tag)))]
			s.empty = s.empty && i == 0 || i > 0 && line[i-1] == '/'
			return i
		}
	}
	s.tag += line[:min(len(line), max(0, maxName-len(s.tag)))]
	s.empty = strings.HasSuffix(strings.TrimRight(line, "\r\n"), "/")
	return -1
}

// inQuote returns the quote that is open after a character.
func inQuote(quote, c byte) byte {
	switch {
	case quote == 0 && (c == '"' || c == '\''):
		return c
	case quote == c:
		return 0
	}
	return quote
}

// close takes a whole tag in.
func (s *tagScanner) close() {
	name := strings.TrimPrefix(s.tag, "/")
	if i := strings.IndexAny(name, " \t\r\n/"); i >= 0 {
		name = name[:i]
	}
	switch {
	case strings.HasPrefix(s.tag, "!"), s.empty:
	case !strings.HasPrefix(s.tag, "/"):
		s.open = append(s.open, name)
	case len(s.open) == 0 || s.open[len(s.open)-1] != name:
		s.bad = true
	default:
		s.open = s.open[:len(s.open)-1]
	}
}

var (
	xmlTag  = regexp.MustCompile(`^\s*<([A-Za-z_][\w:.-]*)`)
	xmlName = regexp.MustCompile(`(?i)\s(?:id|name|key|include|update|path)\s*=\s*("[^"]*"|'[^']*')`)
)

// xmlKey returns what tells an element from its siblings: its name, and the
// attribute that names it.
func xmlKey(line string) string {
	m := xmlTag.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	end := strings.IndexByte(line, '>')
	if end < 0 {
		end = len(line)
	}
	if a := xmlName.FindStringSubmatch(line[:end]); a != nil {
		return "<" + m[1] + " " + strings.Trim(a[1], `"'`)
	}
	return "<" + m[1]
}

// xmlNatural are the elements whose text names the element that they are in.
var xmlNatural = []string{"<id", "<name", "<key", "<groupId", "<artifactId"}

// tellApart gives elements that have their names in common the text of those
// elements in them that name them, or else no key, so that their text tells them
// apart.
func tellApart(kids []*Node) {
	seen := map[string]int{}
	for _, k := range kids {
		seen[k.Key]++
	}
	for _, k := range kids {
		if k.Key == "" || seen[k.Key] < 2 {
			continue
		}
		key := ""
		for _, in := range k.Kids {
			for _, name := range xmlNatural {
				if in.Key == name {
					key += "=" + squashed.ReplaceAllString(in.Head, "")
				}
			}
		}
		if key != "" {
			key = k.Key + key
		}
		k.Key = key
	}
}
