package merge

import (
	"bytes"
	"strings"
)

// plainYAML reports whether a text is YAML of the plain sort that most files are
// made of: maps and lists by indentation, whose values stand on one line or are a
// block of text. It answers far sooner than a parser does, and never yes where a
// parser says no; where it says no, a parser has to be asked.
func plainYAML(text []byte) bool {
	c := plainChecker{}
	for first := true; len(text) > 0; {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		if len(line) > 0 && line[len(line)-1] == '\r' {
			line = line[:len(line)-1]
		}
		if first && string(line) == "---" {
			first = false
			continue
		}
		if !c.line(line) {
			return false
		}
		first = first && len(line) == 0
	}
	return true
}

// plainChecker is what is known after some lines.
type plainChecker struct {
	levels []plainLevel // that are open, outermost first
	begun  bool         // there was an outermost
	// open is true where the last entry has no value, so that deeper lines may
	// follow.
	open bool
	// block is true in a block of text, all of which is indented deeper than parent,
	// and at least as deep as its first line, by deep; 0 before that.
	block        bool
	parent, deep int
}

// plainLevel is a map or list whose entries stand at one indentation.
type plainLevel struct {
	indent int
	list   bool
}

func (c *plainChecker) line(line []byte) bool {
	d := 0
	for d < len(line) && line[d] == ' ' {
		d++
	}
	for _, b := range line[d:] {
		if b < ' ' || b > '~' {
			return false
		}
	}
	text := string(line[d:])
	if c.block {
		switch {
		case text == "":
			return c.deep > 0
		case d > c.parent && c.deep == 0:
			c.deep = d
			return true
		case d > c.parent:
			return d >= c.deep
		case c.deep == 0:
			return false
		}
		c.block = false
	}
	if text == "" || text[0] == '#' {
		return true
	}
	return c.entry(text, d)
}

// entry takes a line that is an entry of a map or an item of a list, or both.
func (c *plainChecker) entry(text string, d int) bool {
	item := strings.HasPrefix(text, "- ")
	if !c.enter(d, item) {
		return false
	}
	c.open = false
	if item {
		rest := strings.TrimLeft(text[1:], " ")
		key, value, ok := plainKey(rest)
		if !ok {
			return plainValue(rest)
		}
		d += len(text) - len(rest)
		c.levels = append(c.levels, plainLevel{indent: d})
		return key && c.value(value, d)
	}
	key, value, ok := plainKey(text)
	return ok && key && c.value(value, d)
}

// enter goes to the level of a line.
func (c *plainChecker) enter(d int, list bool) bool {
	top := func() plainLevel { return c.levels[len(c.levels)-1] }
	for len(c.levels) > 0 && (top().indent > d || top().indent == d && top().list && !list) {
		c.levels = c.levels[:len(c.levels)-1]
		c.open = false
	}
	if len(c.levels) > 0 && top() == (plainLevel{d, list}) {
		return true
	}
	// Something new begins: the file itself, or what the last entry has.
	if len(c.levels) == 0 && c.begun || len(c.levels) > 0 && (!c.open || top().list || top().indent == d && !list) {
		return false
	}
	c.begun = true
	c.levels = append(c.levels, plainLevel{d, list})
	return true
}

// value takes what stands behind the colon of an entry at indentation d.
func (c *plainChecker) value(value string, d int) bool {
	if value == "" || value[0] == '#' {
		c.open = true
		return true
	}
	if value[0] == '|' || value[0] == '>' {
		c.block, c.parent, c.deep = true, d, 0
		return value[1:] == "" || value[1:] == "-" || value[1:] == "+"
	}
	return plainValue(value)
}

// maxPlainKey is how long a key may be; YAML's limit is 1024 bytes.
const maxPlainKey = 100

// plainKey takes the key off an entry. It returns ok false where there is no
// colon that could end one, and plain false where the key is not made of letters,
// digits and some signs.
func plainKey(text string) (plain bool, value string, ok bool) {
	i := 0
	for i < len(text) && (isWordByte(text[i]) || i > 0 && strings.IndexByte("-./", text[i]) >= 0) {
		i++
	}
	if i < len(text) && text[i] == ':' && (i+1 == len(text) || text[i+1] == ' ') {
		return i > 0 && i <= maxPlainKey, strings.Trim(text[i+1:], " "), true
	}
	return false, "", false
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// plainValue reports whether a value ends with its line and holds nothing that
// YAML gives a meaning to.
func plainValue(v string) bool {
	if v == "" {
		return false
	}
	switch c := v[0]; {
	case c == '"' || c == '\'':
		end := strings.IndexByte(v[1:], c)
		if end < 0 || c == '"' && strings.Contains(v[:end+1], `\`) {
			return false
		}
		rest := v[end+2:]
		return strings.Trim(rest, " ") == "" || strings.HasPrefix(rest, " ") && strings.TrimLeft(rest, " ")[0] == '#'
	case !isWordByte(c) && strings.IndexByte("./$~", c) < 0:
		return false
	}
	if i := strings.Index(v, " #"); i >= 0 {
		v = v[:i]
	}
	return !strings.Contains(v, ": ") && !strings.HasSuffix(strings.TrimRight(v, " "), ":")
}
