package document

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Edits are changes of a document's text that leave every other byte as it is:
// comments, order, quotes and indentation are people's. The parser knows where a
// node begins and not where it ends, so ends are found by reading the text again.
// Whoever makes edits must check what they made by its meaning: a document can be
// written in ways that nothing is inserted into.
type Edits struct {
	doc   *Document
	text  []byte
	lines []int // where each line begins
	list  []splice
	err   error
}

// splice puts a text in place of what is between two offsets.
type splice struct {
	lo, hi int
	text   string
}

// Edit begins edits of a document, whose text is the one that it was parsed from.
func (d *Document) Edit(text []byte) *Edits {
	return &Edits{doc: d, text: text, lines: lineStarts(text)}
}

// Text returns the edited text.
func (e *Edits) Text() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	slices.SortStableFunc(e.list, func(a, b splice) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi)) })
	var out bytes.Buffer
	at := 0
	for _, s := range e.list {
		if s.lo < at || s.hi > len(e.text) {
			return nil, fmt.Errorf("%s: two edits are at one place", e.doc.name)
		}
		out.Write(e.text[at:s.lo])
		out.WriteString(s.text)
		at = s.hi
	}
	out.Write(e.text[at:])
	return out.Bytes(), nil
}

func (e *Edits) add(s splice) { e.list = append(e.list, s) }

// refuse notes that an edit cannot be made.
func (e *Edits) refuse(n *yaml.Node, format string, args ...any) {
	if e.err == nil {
		e.err = Problem{File: e.doc.name, Line: max(n.Line, 1), Column: max(n.Column, 1), Message: fmt.Sprintf(format, args...)}
	}
}

// KeyEdit is what happens to the keys of a map.
type KeyEdit struct {
	Rename map[string]string // new names by old ones
	Remove []string
	Put    map[string]any // added at the end, in order of their names
}

// Keys edits the map that is the value of the key above. It stays, if only as {}.
func (e *Edits) Keys(above, of *yaml.Node, k KeyEdit) {
	if of.Kind != yaml.MappingNode {
		e.refuse(of, "this is no map that can be edited")
		return
	}
	flow := of.Style&yaml.FlowStyle != 0
	kept := 0 // where the keys end that stay last
	for i := 0; i+1 < len(of.Content); i += 2 {
		key := of.Content[i]
		switch to := k.Rename[key.Value]; {
		case !slices.Contains(k.Remove, key.Value):
			kept = i + 2
			if to != "" {
				e.add(splice{e.start(key), e.end(key), plainKey(to)})
			}
		case !flow:
			e.removeLines(key, of.Content[i+1])
		}
	}
	if flow {
		e.removeInFlow(of, k.Remove, kept)
	}
	if len(k.Put) > 0 {
		e.insert(of, k.Put, kept)
	} else if kept == 0 && len(of.Content) > 0 && !flow {
		colon := e.end(above) + bytes.IndexByte(e.text[e.end(above):], ':') + 1
		e.add(splice{colon, colon, " {}"})
	}
}

func (e *Edits) removeLines(key, value *yaml.Node) {
	lo := e.lines[key.Line-1]
	if len(bytes.TrimSpace(e.text[lo:e.start(key)])) > 0 {
		e.refuse(key, "the key %q does not stand on a line of its own", key.Value)
		return
	}
	e.add(splice{lo, e.lineAfter(max(e.end(key), e.end(value))), ""})
}

// removeInFlow takes keys out from between brackets, with the comma after them, or
// before them where none follows; kept is where the keys end that stay.
func (e *Edits) removeInFlow(of *yaml.Node, names []string, kept int) {
	n := len(of.Content)
	for i := 0; i < kept; i += 2 {
		if slices.Contains(names, of.Content[i].Value) {
			e.add(splice{e.start(of.Content[i]), e.start(of.Content[i+2]), ""})
		}
	}
	switch kept {
	case n:
	case 0:
		e.add(splice{e.start(of.Content[0]), e.end(of.Content[n-1]), ""})
	default:
		e.add(splice{e.end(of.Content[kept-1]), e.end(of.Content[n-1]), ""})
	}
}

// Append adds an item to the end of a list.
func (e *Edits) Append(to *yaml.Node, item any) {
	if to.Kind != yaml.SequenceNode {
		e.refuse(to, "this is no list that can be added to")
		return
	}
	e.insert(to, []any{item}, len(to.Content))
}

// Begin adds the first item to an empty list, which is the value of the key above in a
// map that is written one key a line: so the list is written one item a line too.
func (e *Edits) Begin(above, empty *yaml.Node, item any) {
	if empty.Kind != yaml.SequenceNode || len(empty.Content) > 0 || empty.Style&yaml.FlowStyle == 0 {
		e.refuse(empty, "this is no empty list")
		return
	}
	text, err := formatted([]any{item}, false)
	if err != nil {
		e.refuse(empty, "%v", err)
		return
	}
	hi := e.end(empty)
	lo := len(bytes.TrimRight(e.text[:e.skipProperties(e.start(empty))], " \t"))
	e.add(splice{lo, hi, ""})
	e.addLines(e.lineAfter(hi), strings.Repeat(" ", above.Column+1), text)
}

// Drop takes one item out of the list that is the value of the key above. The list
// stays, if only as [].
func (e *Edits) Drop(above, from *yaml.Node, i int) {
	if from.Kind != yaml.SequenceNode || i >= len(from.Content) {
		e.refuse(from, "this is no list that something can be taken out of")
		return
	}
	item, last := from.Content[i], len(from.Content)-1
	switch flow := from.Style&yaml.FlowStyle != 0; {
	case !flow:
		e.dropLines(item)
	case i < last:
		e.add(splice{e.start(item), e.start(from.Content[i+1]), ""})
	case i > 0:
		e.add(splice{e.end(from.Content[i-1]), e.end(item), ""})
	default:
		e.add(splice{e.start(item), e.end(item), ""})
	}
	if last == 0 && from.Style&yaml.FlowStyle == 0 {
		colon := e.end(above) + bytes.IndexByte(e.text[e.end(above):], ':') + 1
		e.add(splice{colon, colon, " []"})
	}
}

// dropLines takes out the lines of an item, from its dash on.
func (e *Edits) dropLines(item *yaml.Node) {
	before := bytes.TrimRight(e.text[:e.start(item)], " \t\r\n")
	lo := e.lineStart(len(before))
	if !bytes.Equal(bytes.TrimSpace(e.text[lo:len(before)]), []byte("-")) {
		e.refuse(item, "the item does not begin on a line of its own")
		return
	}
	e.add(splice{lo, e.lineAfter(e.end(item)), ""})
}

// insert adds what v holds to the end of a map or list, in the style that it is
// written in; kept is how much of its content stays.
func (e *Edits) insert(in *yaml.Node, v any, kept int) {
	flow := in.Style&yaml.FlowStyle != 0
	text, err := formatted(v, flow)
	switch {
	case err != nil:
		e.refuse(in, "%v", err)
	case flow && len(in.Content) > 0:
		at := e.end(in.Content[len(in.Content)-1])
		if kept > 0 {
			text = ", " + text
		}
		e.add(splice{at, at, text})
	case flow:
		at := e.skipProperties(e.start(in)) + 1
		e.add(splice{at, at, text})
	case len(in.Content) == 0:
		e.refuse(in, "this has nothing in it to which could be added")
	default:
		e.insertLines(in, text)
	}
}

// insertLines adds lines after the last one of a map or list that is written one
// key or item a line.
func (e *Edits) insertLines(in *yaml.Node, text string) {
	column := in.Column // of the dash
	if in.Kind == yaml.MappingNode {
		column = in.Content[0].Column
	}
	e.addLines(e.lineAfter(e.end(in)), strings.Repeat(" ", column-1), text)
}

// addLines adds lines, each with an indent, where a line begins or the text ends.
func (e *Edits) addLines(at int, indent, text string) {
	ending := "\n"
	if bytes.Contains(e.text, []byte("\r\n")) {
		ending = "\r\n"
	}
	var lines strings.Builder
	if at > 0 && !e.startsLine(at) {
		lines.WriteString(ending) // the last line does not end
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			lines.WriteString(indent)
		}
		lines.WriteString(line + ending)
	}
	e.add(splice{at, at, lines.String()})
}

// formatted writes a map or list as the lines that it has, or as what stands
// between its brackets.
func formatted(v any, flow bool) (string, error) {
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		return "", err
	}
	if flow {
		n.Style = yaml.FlowStyle
	}
	text, err := yaml.Marshal(&n)
	if err != nil || !flow {
		return string(text), err
	}
	text = bytes.TrimSpace(text)
	return string(text[1 : len(text)-1]), nil
}

var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

func plainKey(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return fmt.Sprintf("%q", name)
}

// start returns where a node begins. The parser counts characters.
func (e *Edits) start(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(e.lines) {
		return len(e.text)
	}
	at := e.lines[n.Line-1]
	for i := 1; i < n.Column && at < len(e.text); i++ {
		_, size := utf8.DecodeRune(e.text[at:])
		at += size
	}
	return at
}

// end returns where the text of a node ends.
func (e *Edits) end(n *yaml.Node) int {
	at := e.start(n)
	switch n.Kind {
	case yaml.AliasNode:
		return at + len("*") + len(n.Value)
	case yaml.ScalarNode:
		return e.scalarEnd(n, e.skipProperties(at))
	}
	// The last value ends last, but nothing may stand for it.
	for _, c := range n.Content[max(0, len(n.Content)-2):] {
		at = max(at, e.end(c))
	}
	if n.Style&yaml.FlowStyle == 0 {
		return at
	}
	if len(n.Content) == 0 {
		at = e.skipProperties(at) + 1
	}
	return e.closing(at)
}

// skipProperties returns where a node's own text begins, after its anchor and tag.
func (e *Edits) skipProperties(at int) int {
	for at < len(e.text) && (e.text[at] == '&' || e.text[at] == '!') {
		for at < len(e.text) && !isWhite(rune(e.text[at])) {
			at++
		}
		at = e.skipWhite(at)
	}
	return at
}

// skipWhite returns where the next text that is no comment begins.
func (e *Edits) skipWhite(at int) int {
	for at < len(e.text) {
		r, size := utf8.DecodeRune(e.text[at:])
		switch {
		case r == '#':
			at = e.lineAfter(at)
		case isWhite(r):
			at += size
		default:
			return at
		}
	}
	return at
}

// closing returns the end of a list or map in brackets, after whose last value at
// is.
func (e *Edits) closing(at int) int {
	for at = e.skipWhite(at); at < len(e.text); at = e.skipWhite(at + 1) {
		if c := e.text[at]; c == ']' || c == '}' {
			return at + 1
		}
	}
	return at
}

func (e *Edits) scalarEnd(n *yaml.Node, at int) int {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		for at++; at < len(e.text) && e.text[at] != '"'; at++ {
			if e.text[at] == '\\' {
				at++
			}
		}
		return min(at+1, len(e.text))
	case n.Style&yaml.SingleQuotedStyle != 0:
		for at++; at < len(e.text); at++ {
			if e.text[at] != '\'' {
				continue
			}
			if at++; at == len(e.text) || e.text[at] != '\'' {
				break
			}
		}
		return at
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return e.blockEnd(n, at)
	}
	return e.matched(n.Value, at)
}

// matched returns where a value ends that is written without escapes: only white
// space may differ from the text, which folds lines.
func (e *Edits) matched(value string, at int) int {
	end := at
	for _, want := range value {
		if isWhite(want) {
			continue
		}
		for at < len(e.text) {
			r, size := utf8.DecodeRune(e.text[at:])
			at += size
			if r == want {
				end = at
				break
			}
			if !isWhite(r) {
				return end
			}
		}
	}
	return end
}

// blockEnd returns the end of a text after | or >: of its last line, and of those
// with nothing but white space that belong to it.
func (e *Edits) blockEnd(n *yaml.Node, at int) int {
	header := e.lineAfter(at)
	keepsAll := bytes.ContainsRune(bytes.SplitN(e.text[at:header], []byte(" #"), 2)[0], '+')
	last := header
	if end := e.matched(n.Value, header); end > header {
		last = e.lineAfter(end)
	}
	for next := last; next < len(e.text); {
		after := e.lineAfter(next)
		line := e.text[next:after]
		if len(bytes.TrimSpace(line)) > 0 {
			break
		}
		if keepsAll || len(bytes.TrimRight(line, "\r\n")) > 0 {
			last = after
		}
		next = after
	}
	// The end is on the last line, not on the one after it.
	if last > header && e.startsLine(last) {
		return last - 1
	}
	return last
}

func (e *Edits) startsLine(at int) bool {
	_, found := slices.BinarySearch(e.lines, at)
	return found
}

// lineStart returns where the line at an offset begins.
func (e *Edits) lineStart(at int) int {
	i, found := slices.BinarySearch(e.lines, at)
	if found || i == 0 {
		return at
	}
	return e.lines[i-1]
}

// lineAfter returns where the line after the one at an offset begins.
func (e *Edits) lineAfter(at int) int {
	i, _ := slices.BinarySearch(e.lines, at+1)
	if i == len(e.lines) {
		return len(e.text)
	}
	return e.lines[i]
}

// lineStarts returns where the lines of a text begin, as YAML's parser counts them.
func lineStarts(text []byte) []int {
	at := len(text) - len(bytes.TrimPrefix(text, []byte("\ufeff")))
	starts := []int{at}
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		at += size
		if !isBreak(r) {
			continue
		}
		if r == '\r' && at < len(text) && text[at] == '\n' {
			at++
		}
		starts = append(starts, at)
	}
	return starts
}

// isBreak reports whether a character ends a line in YAML 1.1.
func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

func isWhite(r rune) bool { return r == ' ' || r == '\t' || isBreak(r) }
