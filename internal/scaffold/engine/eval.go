package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/Masterminds/semver/v3"

	"github.com/goldenpaths/syncer/internal/nearest"
)

// absent is the value before a pipeline's first command.
type absent struct{}

// pipe evaluates a pipeline and declares its variables. A range's variables are
// declared with the whole value, and get the elements later.
func (f *frame) pipe(p *parse.PipeNode, dot any) (any, error) {
	var v any = absent{}
	for _, c := range p.Cmds {
		if err := f.step(1); err != nil {
			return nil, f.at(c, err)
		}
		var err error
		if v, err = f.command(c, dot, v); err != nil {
			return nil, err
		}
	}
	for _, d := range p.Decl {
		if p.IsAssign {
			f.assign(d.Ident[0], v)
			continue
		}
		if len(f.vars) >= maxVariables {
			return nil, f.at(d, faultf("more than %d variables in one template", maxVariables))
		}
		f.vars = append(f.vars, variable{d.Ident[0], v})
	}
	return v, nil
}

// maxVariables bounds the search for a variable: 50,000 of them, and a range that
// asks for the first, would cost what no step accounts for.
const maxVariables = 1000

// command evaluates one command; last is the result of the one before it.
func (f *frame) command(c *parse.CommandNode, dot, last any) (any, error) {
	first := c.Args[0]
	if id, ok := first.(*parse.IdentifierNode); ok {
		return f.function(id, c.Args[1:], dot, last)
	}
	if _, alone := last.(absent); alone && len(c.Args) == 1 {
		return f.value(first, dot)
	}
	return f.method(first, c.Args[1:], dot, last)
}

// value evaluates an operand.
func (f *frame) value(n parse.Node, dot any) (any, error) {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot, nil
	case *parse.NilNode:
		return nil, nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.StringNode:
		return n.Text, nil
	case *parse.NumberNode:
		v, err := constant(n)
		return v, f.at(n, err)
	case *parse.FieldNode, *parse.VariableNode, *parse.ChainNode:
		p, err := f.path(n, dot)
		if err != nil {
			return nil, err
		}
		return f.fields(p)
	case *parse.PipeNode:
		return f.pipe(n, dot)
	case *parse.IdentifierNode:
		return f.function(n, nil, dot, absent{})
	}
	return nil, f.at(n, faultf("%.40s is not a value", n))
}

// constant is the value of a number. It is an integer if it is written as one.
func constant(n *parse.NumberNode) (any, error) {
	hex := len(n.Text) > 2 && strings.ContainsAny(n.Text[:3], "xX")
	fraction := !hex && n.Text[0] != '\'' && strings.ContainsAny(n.Text, ".eEpP")
	imaginary := strings.HasSuffix(n.Text, "i")
	switch {
	case imaginary:
	case n.IsInt && !fraction:
		return n.Int64, nil
	case n.IsFloat && !n.IsUint, n.IsFloat && fraction:
		return n.Float64, nil
	case n.IsUint:
		return nil, faultf("%.40s is larger than %d, the largest integer", n.Text, int64(math.MaxInt64))
	}
	return nil, faultf("%.40s is not a number that a template can have", n.Text)
}

// path is a value and the names that lead on from it.
type path struct {
	base  any
	said  string // how the template says base
	names []string
	pos   parse.Pos // of the first name's dot
}

// path splits a field, a variable or a chain.
//
// The parser gives a node with several names the place of the second one's dot,
// so the place of the first one is counted back from there.
func (f *frame) path(n parse.Node, dot any) (path, error) {
	switch n := n.(type) {
	case *parse.FieldNode:
		pos := n.Pos
		if len(n.Ident) > 1 {
			pos -= parse.Pos(1 + len(n.Ident[0]))
		}
		return path{base: dot, names: n.Ident, pos: pos}, nil
	case *parse.VariableNode:
		return path{base: f.lookup(n.Ident[0]), said: n.Ident[0], names: n.Ident[1:], pos: n.Pos}, nil
	case *parse.ChainNode:
		base, err := f.value(n.Node, dot)
		return path{base: base, said: "(…)", names: n.Field, pos: n.Pos}, err
	}
	return path{}, f.at(n, faultf("%.40s has no fields", n))
}

func (f *frame) lookup(name string) any {
	for _, v := range slices.Backward(f.vars) {
		if v.name == name {
			return v.value
		}
	}
	return f.dollar // the parser has seen to it that all others are declared
}

// fields follows the names of a path.
func (f *frame) fields(p path) (any, error) {
	if err := f.step(len(p.names)); err != nil {
		return nil, f.body.errorAt(p.pos, err)
	}
	v := p.base
	for i, name := range p.names {
		var err error
		if d, ok := v.(dict); ok {
			next, known := d[name]
			if !known {
				err = f.missing(d, name, p.until(i))
			}
			v = next
		} else {
			v, err = fieldOf(v, name, p, i)
		}
		if err != nil {
			return nil, f.body.errorAt(p.place(i), err)
		}
	}
	return v, nil
}

// until is how the template says what is before the i-th name.
func (p path) until(i int) string {
	if s := p.said + "." + strings.Join(p.names[:i], "."); i > 0 || s == "." {
		return s
	}
	return p.said
}

// place is where the i-th name's dot is.
func (p path) place(i int) parse.Pos {
	pos := p.pos
	for _, n := range p.names[:i] {
		pos += parse.Pos(1 + len(n))
	}
	return pos
}

// fieldOf returns what v, which is no dict, has under the i-th name of p.
func fieldOf(v any, name string, p path, i int) (any, error) {
	switch v := v.(type) {
	case *semver.Version:
		return versionField(v, name)
	case nil:
		return nil, &fault{fmt.Sprintf("%s is null, and has no %q", p.until(i), name), "give it a value, or ask with dig"}
	}
	return nil, &fault{fmt.Sprintf("%s is %s, and has no %q", p.until(i), describe(v), name), ""}
}

// missing explains a key that is not there: a name that the data has not is an
// input that nobody declared.
func (f *frame) missing(d dict, name, said string) error {
	near := nearest.Names(name, sortedKeys(d))
	what := fmt.Sprintf("%s has no %q", said, name)
	if sameDict(d, f.root) || len(d) == 0 && len(f.root) == 0 && said == "." {
		if slices.Contains(f.secrets, name) {
			return &fault{fmt.Sprintf("the input %q is a secret, which no template sees: what is rendered is written to files", name), "name the place that it is read from instead, such as a secret of the workflow"}
		}
		what = fmt.Sprintf("unknown input %q", name)
	}
	return &fault{what, keysHint(d, near)}
}

// method evaluates a command that gives arguments to something that is not a
// function. Only versions have methods.
func (f *frame) method(n parse.Node, args []parse.Node, dot, last any) (any, error) {
	switch n.(type) {
	case *parse.FieldNode, *parse.VariableNode, *parse.ChainNode:
	default:
		return nil, f.at(n, &fault{fmt.Sprintf("%.40s takes no arguments", n), "is a function's name missing before it?"})
	}
	p, err := f.path(n, dot)
	if err != nil {
		return nil, err
	}
	if len(p.names) == 0 {
		return nil, f.at(n, &fault{fmt.Sprintf("%.40s takes no arguments", n), "is a function's name missing before it?"})
	}
	name := p.names[len(p.names)-1]
	p.names = p.names[:len(p.names)-1]
	v, err := f.fields(p)
	if err != nil {
		return nil, err
	}
	values, err := f.arguments(args, dot, last)
	if err != nil {
		return nil, err
	}
	version, ok := v.(*semver.Version)
	if !ok {
		return nil, f.at(n, &fault{fmt.Sprintf("%.40s is a value and takes no arguments", n), "is a function's name missing before it?"})
	}
	v, err = versionMethod(version, name, values)
	return v, f.at(n, err)
}

func (f *frame) arguments(nodes []parse.Node, dot, last any) ([]any, error) {
	// Arguments are not free: {{ list 0 0 0 … }} can have half a million.
	if err := f.step(len(nodes)); err != nil {
		return nil, f.at(nodes[0], err)
	}
	values := make([]any, 0, len(nodes)+1)
	for _, n := range nodes {
		v, err := f.value(n, dot)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	if _, alone := last.(absent); !alone {
		values = append(values, last)
	}
	return values, nil
}

// function calls a function. How many arguments it takes was checked before.
func (f *frame) function(id *parse.IdentifierNode, args []parse.Node, dot, last any) (any, error) {
	if id.Ident == "and" || id.Ident == "or" {
		return f.shortCircuit(id.Ident == "or", args, dot, last)
	}
	values, err := f.arguments(args, dot, last)
	if err != nil {
		return nil, err
	}
	fn := f.template.table[id.Ident]
	if fn == nil { // check has found all of them
		return nil, f.at(id, f.template.table.unknown(id.Ident))
	}
	v, err := fn.call(f.run, values)
	return v, f.at(id, err)
}

// shortCircuit evaluates and, or: the arguments after the deciding one are not
// looked at, so that {{ if and .a .a.b }} is no mistake where a is absent.
func (f *frame) shortCircuit(until bool, args []parse.Node, dot, last any) (any, error) {
	var v any
	for _, n := range args {
		err := f.step(1)
		if err != nil {
			return nil, f.at(n, err)
		}
		if v, err = f.value(n, dot); err != nil || truth(v) == until {
			return v, err
		}
	}
	if _, alone := last.(absent); !alone {
		v = last
	}
	return v, nil
}
