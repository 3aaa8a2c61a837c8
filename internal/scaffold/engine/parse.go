package engine

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"text/template/parse"
)

// parse reads a file into its own body and those that it defines.
func (s *Set) parse(file string, text []byte, d Delimiters) (*body, map[string]*body, error) {
	src := source{file: file, text: string(text), table: s.table}
	src.left, src.right = d.Pair()
	if err := d.check(); err != nil {
		return nil, nil, src.errorAt(0, err)
	}
	// A large source costs memory and time before anything is executed.
	if len(text) > s.limits.Source {
		return nil, nil, src.errorAt(0, &fault{
			message: fmt.Sprintf("the template has %d bytes; at most %d are allowed", len(text), s.limits.Source),
			hint:    "copy it without executing it, or split it",
		})
	}
	sc := scanner{text: src.text, left: src.left, right: src.right}
	if pos, err := sc.scan(); err != nil {
		return nil, nil, src.errorAt(pos, err)
	}
	trees, err := src.trees(src.text)
	if _, placed := errors.AsType[*Error](err); placed {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, src.explain(err, &sc)
	}
	return src.bodies(trees)
}

// source is a file to parse.
type source struct {
	file, text, left, right string
	table                   table
}

func (src source) errorAt(pos int, err error) error {
	return (&body{file: src.file, text: src.text}).errorAt(parse.Pos(pos), err)
}

// trees parses text. The file's own tree has the empty name.
func (src source) trees(text string) (map[string]*parse.Tree, error) {
	trees := map[string]*parse.Tree{}
	t := parse.New("")
	// Which functions there are is checked later, because the parser does not say
	// in which column it met one.
	t.Mode = parse.SkipFuncCheck
	own, err := t.Parse(text, src.left, src.right, trees)
	if err != nil {
		return nil, err
	}
	// Where nothing else is in the file, a define without a name would take its place.
	if named := trees[""]; named != own {
		return nil, src.errorAt(int(named.Root.Position()), &fault{"a template is defined without a name", "write " + src.left + "define \"name\"" + src.right})
	}
	return trees, nil
}

func (src source) bodies(trees map[string]*parse.Tree) (*body, map[string]*body, error) {
	var main *body
	defined := map[string]*body{}
	var first error
	firstPos := parse.Pos(len(src.text) + 1)
	for name, t := range trees {
		b := &body{name: name, file: src.file, text: src.text, root: t.Root}
		// Maps have no order; of several mistakes the first in the file is told.
		if pos, err := b.check(src.table); err != nil && pos < firstPos {
			first, firstPos = b.errorAt(pos, err), pos
		}
		if name == "" {
			main = b
		} else {
			defined[name] = b
		}
	}
	return main, defined, first
}

// explain turns a parser's error, which has a line but no column, into ours.
func (src source) explain(err error, sc *scanner) error {
	line, message := splitParseError(err)
	switch {
	case strings.HasPrefix(message, "unexpected EOF") && len(sc.open) > 0:
		b := sc.open[len(sc.open)-1]
		return src.errorAt(b.start, &fault{fmt.Sprintf("%q is never closed", b.word), "add " + src.left + "end" + src.right})
	case strings.HasPrefix(message, "unclosed"), strings.HasPrefix(message, "unterminated"), strings.HasPrefix(message, "comment ends"):
		return src.errorAt(src.actionOn(line, sc.start), &fault{message, "close it with " + src.right})
	}
	return src.errorAt(src.locate(line, message), &fault{message: message})
}

// splitParseError takes "template: :LINE: message" apart.
func splitParseError(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "template: :")
	number, rest, ok := strings.Cut(message, ": ")
	line, atoi := strconv.Atoi(number)
	if !ok || atoi != nil {
		return 1, message
	}
	return line, strings.TrimPrefix(rest, "template: ")
}

// actionOn returns where the last action begins that the line has, or else the
// given offset.
func (src source) actionOn(line, otherwise int) int {
	from, to := lineAt(src.text, line)
	if i := strings.LastIndex(src.text[from:to], src.left); i >= 0 {
		return from + i
	}
	return otherwise
}

// lineAt returns the offsets between which a line lies, counted from 1.
func lineAt(text string, line int) (from, to int) {
	for ; line > 1; line-- {
		i := strings.IndexByte(text[from:], '\n')
		if i < 0 {
			break
		}
		from += i + 1
	}
	if i := strings.IndexByte(text[from:], '\n'); i >= 0 {
		return from, from + i
	}
	return from, len(text)
}

// maxSearch bounds the sources for which locate parses again and again.
const maxSearch = 64 << 10

// locate finds the offset that a parser's message is about. The parser reads no
// further than it must, so the shortest beginning of the source for which it says
// the same ends right behind the offending word.
func (src source) locate(line int, message string) int {
	from, to := lineAt(src.text, line)
	if len(src.text) > maxSearch {
		return from + max(0, strings.Index(src.text[from:to], src.left))
	}
	same := func(n int) bool {
		_, err := src.trees(src.text[:from+n])
		if err == nil {
			return false
		}
		l, m := splitParseError(err)
		return l == line && m == message
	}
	end := from + sort.Search(len(src.text)-from, same)
	start := strings.LastIndex(src.text[:end], src.left)
	if start < 0 {
		return from
	}
	if word := quotedWord(message); word != "" {
		if i := strings.LastIndex(src.text[start:end], word); i >= 0 {
			return start + i
		}
	}
	return start
}

// quotedWord returns the word that a parser's message has in quotes or in angle
// brackets.
func quotedWord(message string) string {
	if i := strings.IndexByte(message, '"'); i >= 0 {
		if q, err := strconv.QuotedPrefix(message[i:]); err == nil {
			word, _ := strconv.Unquote(q)
			return word
		}
	}
	if _, rest, ok := strings.Cut(message, "<"); ok {
		word, _, _ := strings.Cut(rest, ">")
		return word
	}
	return ""
}
