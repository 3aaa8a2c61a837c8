// Package document reads the YAML and JSON files that people write, so that each
// mistake in them can be told with its file, line and column.
//
// A document is hostile input. Its size, its depth and what its aliases expand
// to are bounded, duplicate keys are mistakes, and nothing in it is executed.
// The YAML parser is go.yaml.in/yaml/v3, which bounds its own recursion; its
// nodes carry positions.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bounds of a document. A manifest of 200 inputs has some 20 KB and 3,000
// values.
const (
	MaxSize   = 1 << 20
	maxDepth  = 60
	maxValues = 100_000
)

// Problem is one mistake at one place. Line and Column count from 1; a Line of 0
// means the file as a whole. Hint says what would be right, where that is known.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Error returns "file:line:column: message; hint".
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("; ")
		b.WriteString(p.Hint)
	}
	return b.String()
}

// Problems are all the mistakes of one or more files. As an error it has a line
// for each.
type Problems []Problem

// Error returns the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// maxProblems is more than anybody mends before looking again.
const maxProblems = 100

// Err returns ps as an error, or nil where there are none. Of very many it has the first,
// and how many more there are.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	if more := len(ps) - maxProblems; more > 0 {
		last := Problem{File: ps[maxProblems].File, Message: fmt.Sprintf("and %d more mistakes", more)}
		return append(slices.Clone(ps[:maxProblems]), last)
	}
	return ps
}

// Gather returns the problems that err holds. An error of another kind becomes a
// problem of the file as a whole.
func Gather(file string, err error) Problems {
	var ps Problems
	var p Problem
	var at *Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ps):
		return ps
	case errors.As(err, &p):
		return Problems{p}
	case errors.As(err, &at):
		return Problems{*at}
	}
	return Problems{{File: file, Message: err.Error()}}
}

// Document is a parsed file.
type Document struct {
	name  string
	root  *yaml.Node
	value any
}

// Parse reads data as one YAML or JSON document; name is used in messages. The
// error is [Problems].
func Parse(name string, data []byte) (*Document, error) {
	if len(data) > MaxSize {
		return nil, Problems{{File: name, Message: fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), MaxSize)}}
	}
	if n := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte(",")); n > maxValues {
		// The parser makes half a kilobyte of each, before anybody counts values.
		return nil, Problems{{File: name, Message: fmt.Sprintf("the file has %d lines and commas; at most %d are read", n, maxValues)}}
	}
	if p, ok := conflictMarker(name, data); ok {
		return nil, Problems{p}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	switch err := dec.Decode(&root); {
	case errors.Is(err, io.EOF):
		return &Document{name: name, root: &yaml.Node{Kind: yaml.DocumentNode, Line: 1, Column: 1}}, nil
	case err != nil:
		return nil, Problems{syntaxProblem(name, data, err)}
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return nil, Problems{{File: name, Line: second.Line, Column: second.Column, Message: "a second document begins here", Hint: "remove the --- or split the file"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Problems{syntaxProblem(name, data, err)}
	}
	d := &Document{name: name, root: &root}
	c := converter{name: name}
	if len(root.Content) > 0 {
		d.value = c.convert(root.Content[0], 0)
	}
	return d, c.problems.Err()
}

var markerLine = regexp.MustCompile(`(?m)^(<{7}|={7}|>{7}|\|{7})( .*)?$`)

// conflictMarker finds a line that a merge left behind: seven of one of < | = >.
func conflictMarker(name string, data []byte) (Problem, bool) {
	at := markerLine.FindIndex(data)
	if at == nil {
		return Problem{}, false
	}
	return Problem{
		File: name, Line: 1 + bytes.Count(data[:at[0]], []byte("\n")), Column: 1,
		Message: "a conflict marker of an unfinished merge is here",
		Hint:    "take one of the two sides as a whole, for example git checkout --ours " + name,
	}, true
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s+)?line (\d+): (.*)`)

// syntaxProblem re-says an error of the YAML parser, which knows the line only.
func syntaxProblem(name string, data []byte, err error) Problem {
	p := Problem{File: name, Line: 1, Column: 1, Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		p.Line, _ = strconv.Atoi(m[1]) // digits, by the pattern
		p.Message = m[2]
	}
	p.Message = "not valid YAML: " + p.Message
	lines := bytes.SplitAfter(data, []byte("\n"))
	if p.Line <= len(lines) {
		line := lines[p.Line-1]
		p.Column = 1 + len(line) - len(bytes.TrimLeft(line, " "))
		if bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("\t")) {
			p.Hint = "indent with spaces, not tabs"
		}
	}
	return p
}

// Name returns the name that Parse was given.
func (d *Document) Name() string { return d.name }

// Value returns the document as JSON-like values: map[string]any, []any, string,
// bool, int64, float64 and nil. It is shared; do not change it.
func (d *Document) Value() any { return d.value }

// Decode fills v, a pointer to a struct with yaml tags, from the document.
func (d *Document) Decode(v any) error {
	if err := d.root.Decode(v); err != nil {
		return Problems{syntaxProblem(d.name, nil, err)}
	}
	return nil
}

// Node returns the node at a path of keys and indexes, or the deepest one on the
// way to it that exists; key is the node of the last key, where there is one.
func (d *Document) Node(path ...string) (key, value *yaml.Node) {
	n := d.root
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	for _, step := range path {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		k, v := child(n, step)
		if v == nil {
			break
		}
		key, n = k, v
	}
	return key, n
}

func child(n *yaml.Node, step string) (key, value *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i], n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
			return nil, n.Content[i]
		}
	}
	return nil, nil
}

// At returns a problem at the value that path leads to.
func (d *Document) At(message, hint string, path ...string) Problem {
	_, n := d.Node(path...)
	return Problem{File: d.name, Line: max(n.Line, 1), Column: max(n.Column, 1), Message: message, Hint: hint}
}

// AtKey returns a problem at the last key of path.
func (d *Document) AtKey(message, hint string, path ...string) Problem {
	k, n := d.Node(path...)
	if k != nil && k.Value == path[len(path)-1] {
		n = k
	}
	return Problem{File: d.name, Line: max(n.Line, 1), Column: max(n.Column, 1), Message: message, Hint: hint}
}

// converter turns nodes into values and notes what is wrong with them.
type converter struct {
	name     string
	problems Problems
	values   int
	full     bool
}

func (c *converter) fault(n *yaml.Node, message, hint string) {
	c.problems = append(c.problems, Problem{File: c.name, Line: n.Line, Column: n.Column, Message: message, Hint: hint})
}

func (c *converter) convert(n *yaml.Node, depth int) any {
	if c.full {
		return nil
	}
	c.values++
	switch {
	case depth > maxDepth:
		c.full = true
		c.fault(n, fmt.Sprintf("values are nested more than %d deep", maxDepth), "an alias must not contain itself")
		return nil
	case c.values > maxValues:
		c.full = true
		c.fault(n, fmt.Sprintf("the file has more than %d values when its aliases are expanded", maxValues), "write less, or use fewer aliases")
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.convert(n.Alias, depth+1)
	case yaml.MappingNode:
		return c.mapping(n, depth)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			list = append(list, c.convert(item, depth+1))
		}
		return list
	case yaml.ScalarNode:
		return c.scalar(n)
	}
	c.fault(n, "this kind of value is not understood", "")
	return nil
}

func (c *converter) mapping(n *yaml.Node, depth int) any {
	m := make(map[string]any, len(n.Content)/2)
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		switch before, twice := first[k.Value]; {
		case k.Kind != yaml.ScalarNode:
			c.fault(k, "a key must be a plain word", "")
			continue
		case k.Tag == "!!merge":
			c.fault(k, "merge keys (<<) are not supported", "write the values out, or use an alias for the whole value")
			continue
		case twice:
			c.fault(k, fmt.Sprintf("the key %q is here twice", k.Value), fmt.Sprintf("it is also on line %d; remove one", before.Line))
			continue
		}
		first[k.Value] = k
		m[k.Value] = c.convert(n.Content[i+1], depth+1)
	}
	return m
}

// zeroFirst matches what is a number in octal to readers of YAML 1.1, and in decimal to
// those of YAML 1.2.
var zeroFirst = regexp.MustCompile(`^[-+]?0[0-9_]`)

// number matches the numbers of YAML 1.2's core schema (chapter 10.3.2 of the
// specification). The parser takes more for numbers, which were some in YAML 1.1: 1_000,
// 0b11, -0x1F.
var number = regexp.MustCompile(`^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)

// ambiguous says of a scalar that the parser takes for a number why others would not,
// and what to write instead; "" where they would.
func ambiguous(value string) (message, hint string) {
	switch {
	case zeroFirst.MatchString(value):
		return fmt.Sprintf("%.40s begins with 0, which some take for a number in octal and some do not", value), "write it without the 0; or in quotes, as text; or with 0o, if it is octal"
	case !number.MatchString(value):
		return fmt.Sprintf("%.40s is written in a way which some take for a number and some for text", value), "write a number in decimal, without _; or in quotes, as text"
	}
	return "", ""
}

// scalar resolves a scalar as YAML 1.2's core schema does in what matters: dates and
// base-60 numbers are text, and so are yes, no, on and off.
func (c *converter) scalar(n *yaml.Node) any {
	if tag := n.ShortTag(); tag == "!!int" || tag == "!!float" {
		if message, hint := ambiguous(n.Value); message != "" {
			c.fault(n, message, hint)
			return nil
		}
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	case "!!int":
		var i int64
		if n.Decode(&i) == nil {
			return i
		}
		// As a floating-point number it would lose digits.
		c.fault(n, fmt.Sprintf("the whole number %.40s is too large; at most 19 digits, from %d to %d, are kept", n.Value, math.MinInt64, math.MaxInt64), "write it in quotes, as text")
		return nil
	case "!!float":
		var f float64
		if n.Decode(&f) == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	case "!!str", "!!timestamp", "!!binary":
		return n.Value
	}
	c.fault(n, fmt.Sprintf("the value %.40q with the tag %s is not understood", n.Value, n.Tag), "use text, a number, true, false, null, a list or a map")
	return nil
}
