package drift

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/internal/document"
)

// AddKeep adds an entry to the list keep in the text of .goldenpath.yaml, behind the
// others, and leaves every other byte as it is. The error is [document.Problems]
// where the entry is wrong, or the list is written in a way that nothing can be added
// to.
func AddKeep(text []byte, k Keep) ([]byte, error) {
	doc, err := document.Parse(MemberName, text)
	if err != nil {
		return nil, err
	}
	fields := keepFields(k)
	if err := checkKeep(fields); err != nil {
		return nil, err
	}
	key, list := doc.Node("keep")
	edits := doc.Edit(text)
	if key == nil {
		_, root := doc.Node()
		edits.Keys(nil, root, document.KeyEdit{Put: map[string]any{"keep": []any{fields}}})
	} else {
		edits.Append(list, fields)
	}
	after, err := edits.Text()
	const byHand = "the list keep cannot be added to by machine; write the entry by hand"
	if err != nil {
		return nil, document.Problems{doc.At(byHand, "write its entries one a line, each with a -", "keep")}
	}
	return edited(text, after, byHand, func(m *Member) { m.Keep = append(m.Keep, k) })
}

// checkKeep says what is wrong with an entry itself.
func checkKeep(fields *yaml.Node) error {
	alone, err := yaml.Marshal(yamlMap("keep", yamlList(fields)))
	if err != nil {
		return fmt.Errorf("%s: %w", MemberName, err)
	}
	_, err = ParseMember(append([]byte("goldenPaths: [{name: any}]\n"), alone...))
	if problems, ok := errors.AsType[document.Problems](err); ok {
		for i := range problems {
			problems[i].Line, problems[i].Column = 0, 0 // of a text that nobody has
		}
	}
	return err
}

func keepFields(k Keep) *yaml.Node {
	pairs := []string{"path", k.Path, "reason", k.Reason}
	if k.Until != "" {
		pairs = append(pairs, "until", k.Until)
	}
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range pairs {
		s := &yaml.Node{}
		s.SetString(p)
		n.Content = append(n.Content, s)
	}
	return n
}

func yamlList(entry *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{entry}}
}

func yamlMap(key string, value *yaml.Node) *yaml.Node {
	k := &yaml.Node{}
	k.SetString(key)
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{k, value}}
}

// SetPin pins a golden path in the text of .goldenpath.yaml to a version, until a day
// or with "" for good; pin "" takes the pin out. Comments, order and every other byte
// stay. The error is [document.Problems].
func SetPin(text []byte, goldenPath, pin, until string) ([]byte, error) {
	after := text
	for _, field := range [][2]string{{"until", until}, {"pin", pin}} {
		var err error
		if after, err = setField(after, goldenPath, field[0], field[1]); err != nil {
			return nil, err
		}
	}
	return edited(text, after, "the pin cannot be changed by machine; change it by hand", func(m *Member) {
		for i := range m.GoldenPaths {
			if f := &m.GoldenPaths[i]; f.Name == goldenPath {
				f.Pin, f.Until = pin, until
			}
		}
	})
}

// RemoveFollow takes a golden path out of the list in the text of .goldenpath.yaml, with
// what stands within its entry, and leaves every other byte as it is: comments above it
// too. The error is [document.Problems] where the entry is written in a way that it
// cannot be told apart.
func RemoveFollow(text []byte, goldenPath string) ([]byte, error) {
	doc, err := document.Parse(MemberName, text)
	if err != nil {
		return nil, err
	}
	key, list := doc.Node("goldenPaths")
	at := entryOf(doc, goldenPath)
	i, err := strconv.Atoi(at)
	if err != nil {
		return nil, document.Problems{doc.At(fmt.Sprintf("the golden path %q is not here", goldenPath), "", "goldenPaths")}
	}
	edits := doc.Edit(text)
	edits.Drop(key, list, i)
	after, err := edits.Text()
	if err == nil {
		after, err = edited(text, after, "the file would say something else", func(m *Member) {
			m.GoldenPaths = slices.DeleteFunc(m.GoldenPaths, func(f Follow) bool { return f.Name == goldenPath })
		})
	}
	if err != nil {
		why := document.Gather(MemberName, err)[0].Message
		return nil, document.Problems{doc.At(fmt.Sprintf("the golden path %q cannot be taken out by machine (%s)", goldenPath, why), "take its entry out by hand", "goldenPaths", at)}
	}
	return after, nil
}

// offset returns where a line and column, both from 1, are in a text.
func offset(text []byte, line, column int) int { return lineEnd(text, line-1) + column - 1 }

// lineEnd returns where the line after a line, from 1, begins.
func lineEnd(text []byte, line int) int {
	at := 0
	for ; line > 0; line-- {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return len(text)
		}
		at += next + 1
	}
	return at
}

// setField gives a field of a golden path's entry a value, or with "" takes it out.
func setField(text []byte, goldenPath, field, value string) ([]byte, error) {
	doc, err := document.Parse(MemberName, text)
	if err != nil {
		return nil, err
	}
	at := entryOf(doc, goldenPath)
	if at == "" {
		return nil, document.Problems{doc.At(fmt.Sprintf("the golden path %q is not here", goldenPath), "", "goldenPaths")}
	}
	_, entry := doc.Node("goldenPaths", at)
	key, was := doc.Node("goldenPaths", at, field)
	if key == nil && value == "" {
		return text, nil
	}
	written, err := scalar(value)
	if err != nil {
		return nil, err
	}
	if key != nil {
		lo, hi := offset(text, key.Line, key.Column), offset(text, was.Line, was.Column)
		end, ok := scalarEnd(text, hi, was)
		switch {
		case !ok || lo > hi:
			return nil, document.Problems{doc.At("the "+field+" cannot be changed by machine", "change it by hand", "goldenPaths", at, field)}
		case value != "":
			return slices.Concat(text[:hi], written, text[end:]), nil
		}
		return cutField(text, lo, end), nil
	}
	nameKey, name := doc.Node("goldenPaths", at, "name")
	end, ok := scalarEnd(text, offset(text, name.Line, name.Column), name)
	if !ok {
		return nil, document.Problems{doc.At("the "+field+" cannot be added by machine", "add it by hand", "goldenPaths", at)}
	}
	if entry.Style&yaml.FlowStyle != 0 {
		return slices.Concat(text[:end], []byte(", "+field+": "), written, text[end:]), nil
	}
	line := strings.Repeat(" ", nameKey.Column-1) + field + ": " + string(written) + "\n"
	next := lineEnd(text, name.Line)
	head := text[:next]
	if len(head) > 0 && head[len(head)-1] != '\n' {
		head = append(bytes.Clone(head), '\n')
	}
	return slices.Concat(head, []byte(line), text[next:]), nil
}

// scalar writes a value so that it is a text in every place.
func scalar(value string) ([]byte, error) {
	if strings.ContainsAny(value, ",[]{}\n\"\\") {
		return []byte(strconv.Quote(value)), nil
	}
	b, err := yaml.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", MemberName, err)
	}
	return bytes.TrimSpace(b), nil
}

// scalarEnd returns where a scalar that begins at an offset ends, if it is written on
// one line and without escapes.
func scalarEnd(text []byte, at int, n *yaml.Node) (int, bool) {
	quote := ""
	switch n.Style {
	case yaml.DoubleQuotedStyle:
		quote = `"`
	case yaml.SingleQuotedStyle:
		quote = `'`
	case 0:
	default:
		return 0, false
	}
	whole := quote + n.Value + quote
	if n.Kind != yaml.ScalarNode || at < 0 || at+len(whole) > len(text) || string(text[at:at+len(whole)]) != whole {
		return 0, false
	}
	return at + len(whole), true
}

// cutField takes out the field between two offsets: its line, or between braces
// itself and one comma. A comment behind it stays.
func cutField(text []byte, lo, hi int) []byte {
	begin := bytes.LastIndexByte(text[:lo], '\n') + 1
	end := len(text)
	if n := bytes.IndexByte(text[hi:], '\n'); n >= 0 {
		end = hi + n + 1
	}
	rest := bytes.TrimSpace(text[hi:end])
	alone := len(bytes.TrimSpace(text[begin:lo])) == 0
	switch {
	case alone && len(rest) == 0:
		return slices.Concat(text[:begin], text[end:])
	case alone && rest[0] == '#':
		return slices.Concat(text[:lo], rest, text[end-1:])
	}
	if before := bytes.TrimRight(text[:lo], " "); bytes.HasSuffix(before, []byte(",")) {
		return slices.Concat(before[:len(before)-1], text[hi:])
	}
	return slices.Concat(text[:lo], bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimLeft(text[hi:], " "), []byte(",")), " "))
}

// edited returns after, if it says what before does with a change, and nothing else.
func edited(before, after []byte, otherwise string, change func(*Member)) ([]byte, error) {
	was, err := ParseMember(before)
	if err != nil {
		return nil, err
	}
	is, err := ParseMember(after)
	change(was)
	if err != nil || !reflect.DeepEqual(was, is) {
		return nil, document.Problems{{File: MemberName, Message: otherwise}}
	}
	return after, nil
}
