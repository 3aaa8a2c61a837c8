package engine

import (
	"fmt"
	"strings"
)

// The parser calls itself for every block and parenthesis, so a source of a
// mebibyte of "{{if 1}}" or "(" makes it, and everything that walks its tree
// later, that deep. And it turns the five bytes of "{{.}}" into some 400. So
// both are counted before it sees a source.
const (
	maxBlocks      = 200    // blocks in blocks; an "else if" is one inside the other
	maxParentheses = 100    // in each other, in one action
	maxActions     = 50_000 // in one file
)

// block is an action that an {{end}} must follow.
type block struct {
	word  string
	start int // of its left delimiter
	depth int // 1, and 1 for each "else if" and "else with"
}

// scanner walks over a source without building anything.
type scanner struct {
	text, left, right string

	pos     int
	start   int // of the action at hand, or of the one that is not closed
	open    []block
	depth   int
	actions int
	closed  bool // the last action is
}

// scan counts what a source holds, and says where it is too much.
func (s *scanner) scan() (pos int, err error) {
	s.closed = true
	for s.closed {
		i := strings.Index(s.text[s.pos:], s.left)
		if i < 0 {
			return 0, nil
		}
		s.start = s.pos + i
		s.pos = s.start + len(s.left)
		if s.actions++; s.actions > maxActions {
			return s.start, &fault{fmt.Sprintf("more than %d actions in one file", maxActions), "split the file, or copy it without executing it"}
		}
		if err := s.action(); err != nil {
			return s.start, err
		}
	}
	return 0, nil
}

func (s *scanner) action() error {
	s.trimMarker()
	if strings.HasPrefix(s.text[s.pos:], "/*") {
		end := strings.Index(s.text[s.pos:], "*/")
		s.closed = end >= 0
		if s.closed {
			s.pos += end + len("*/")
			s.skipTo(s.right)
		}
		return nil
	}
	from := s.pos
	if err := s.expression(); err != nil {
		return err
	}
	return s.control(s.text[from:s.pos])
}

// trimMarker skips the "- " that eats the white space before an action.
func (s *scanner) trimMarker() {
	rest := s.text[s.pos:]
	if len(rest) >= 2 && rest[0] == '-' && strings.ContainsRune(" \t\r\n", rune(rest[1])) {
		s.pos += 2
	}
}

func (s *scanner) skipTo(end string) {
	i := strings.Index(s.text[s.pos:], end)
	s.closed = i >= 0
	if s.closed {
		s.pos += i + len(end)
	}
}

// expression goes to the end of an action, and counts parentheses.
func (s *scanner) expression() error {
	parentheses := 0
	for s.pos < len(s.text) {
		if strings.HasPrefix(s.text[s.pos:], s.right) {
			s.pos += len(s.right)
			return nil
		}
		switch c := s.text[s.pos]; c {
		case '"', '\'', '`':
			s.quoted(c)
			continue
		case '(':
			parentheses++
		case ')':
			parentheses--
		}
		if parentheses > maxParentheses {
			return &fault{fmt.Sprintf("more than %d parentheses in each other", maxParentheses), "keep what is inside in a variable first"}
		}
		s.pos++
	}
	s.closed = false
	return nil
}

// quoted skips a text in quotes. In those of " and ' a backslash hides a quote,
// and a line's end is an end too, which the parser complains about.
func (s *scanner) quoted(quote byte) {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == quote:
			s.pos++
			return
		case quote != '`' && c == '\n':
			return
		case quote != '`' && c == '\\':
			s.pos++
		}
	}
	s.pos = min(s.pos, len(s.text))
}

// control keeps account of blocks. However much white space is before a word, the
// parser skips it.
func (s *scanner) control(action string) error {
	first, rest := keyword(action)
	switch first {
	case "if", "with", "range", "block", "define":
		s.open = append(s.open, block{word: first, start: s.start, depth: 1})
		s.depth++
	case "else":
		if second, _ := keyword(rest); len(s.open) > 0 && (second == "if" || second == "with") {
			s.open[len(s.open)-1].depth++
			s.depth++
		}
	case "end":
		if n := len(s.open); n > 0 {
			s.depth -= s.open[n-1].depth
			s.open = s.open[:n-1]
		}
	}
	if s.depth > maxBlocks {
		return &fault{fmt.Sprintf("more than %d blocks in each other", maxBlocks), "move the inner ones into a template of their own"}
	}
	return nil
}

// keyword returns the letters that s begins with after white space, and what
// follows them.
func keyword(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t\r\n")
	i := strings.IndexFunc(s, func(r rune) bool { return r|0x20 < 'a' || r|0x20 > 'z' })
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i:]
}
