package engine

import (
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// reach says what a value may share with the data: what is put into it may then be found
// in the data.
type reach int

const (
	apart  reach = iota // nothing whose names are known
	inside              // a dict in the data, or something that holds one
	whole               // it is the data
	around              // it may be the data, or hold it
)

func joined(a, b reach) reach {
	switch {
	case a == b:
		return a
	case max(a, b) >= whole:
		return around
	}
	return max(a, b)
}

// part is what is below a value.
func (r reach) part() reach {
	if r == whole {
		return apart // those that matter are told by name
	}
	return r
}

// changes finds the names that a template may put into its data. It does not know in
// which order things happen, nor which branches are taken.
type changes struct {
	template *Template
	data     map[string]any
	names    map[string]bool
	unknown  bool // names of which nobody knows which
	inside   bool // something in dicts of the data
	dots     map[*body]reach
	vars     map[*body]map[string]reach // by name; "$" is the body's own
	anyone   bool                       // any template may be called, with dot
	dot      reach
	again    bool // something was learned
}

// maxPasses bounds how often what was learned is applied to what was seen before.
const maxPasses = 12

// changed returns the data as a template may find it: with what it may put there as
// [Given]; false where that may be anything.
func (t *Template) changed(data map[string]any) (map[string]any, bool) {
	if !t.mutates {
		return data, true
	}
	c := changes{template: t, data: data, names: map[string]bool{}, dots: map[*body]reach{}, vars: map[*body]map[string]reach{}}
	c.call(t.main, whole)
	for pass := 0; c.again && !c.unknown; pass++ {
		if pass == maxPasses {
			return nil, false
		}
		c.again = false
		for _, b := range slices.Collect(maps.Keys(c.dots)) {
			s := scope{&c, b}
			s.list(b.root, c.dots[b])
		}
	}
	after := maps.Clone(data)
	for name, v := range after {
		if _, known := v.(dict); known && c.inside {
			after[name] = Given{}
		}
	}
	for name := range c.names {
		after[name] = Given{}
	}
	return after, !c.unknown
}

// call notes that a template is called with a value.
func (c *changes) call(b *body, dot reach) {
	if b == nil {
		return
	}
	before, known := c.dots[b]
	if known {
		dot = joined(before, dot)
	}
	if !known {
		c.vars[b] = map[string]reach{}
	}
	if !known || dot != before {
		c.dots[b], c.vars[b]["$"], c.again = dot, dot, true
	}
}

// scope is one template.
type scope struct {
	*changes
	body *body
}

func (s scope) list(l *parse.ListNode, dot reach) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			s.declare(n.Pipe, s.pipe(n.Pipe, dot))
		case *parse.IfNode:
			s.branch(&n.BranchNode, dot, dot)
		case *parse.WithNode:
			s.branch(&n.BranchNode, dot, s.pipe(n.Pipe, dot))
		case *parse.RangeNode:
			s.ranged(n, dot)
		case *parse.TemplateNode:
			s.call(s.template.bodies[n.Name], s.pipe(n.Pipe, dot))
		}
	}
}

func (s scope) branch(n *parse.BranchNode, dot, inner reach) {
	s.declare(n.Pipe, s.pipe(n.Pipe, dot))
	s.list(n.List, inner)
	s.list(n.ElseList, dot)
}

func (s scope) ranged(n *parse.RangeNode, dot reach) {
	of := s.pipe(n.Pipe, dot)
	if of == whole {
		of = inside // what is in the data
	}
	s.declare(n.Pipe, of)
	s.list(n.List, of)
	s.list(n.ElseList, dot)
}

// declare joins what variables may be, wherever they are given it.
func (s scope) declare(p *parse.PipeNode, r reach) {
	if p == nil {
		return
	}
	for _, d := range p.Decl {
		vars, name := s.vars[s.body], d.Ident[0]
		before, known := vars[name]
		if now := joined(before, r); known && now != before || !known {
			if !known {
				now = r
			}
			vars[name], s.again = now, true
		}
	}
}

func (s scope) pipe(p *parse.PipeNode, dot reach) reach {
	if p == nil {
		return apart
	}
	var piped []reach
	for _, c := range p.Cmds {
		piped = []reach{s.command(c, dot, piped)}
	}
	if len(piped) == 0 {
		return apart
	}
	return piped[0]
}

func (s scope) command(c *parse.CommandNode, dot reach, piped []reach) reach {
	var args []reach
	for _, n := range c.Args[1:] {
		args = append(args, s.operand(n, dot))
	}
	args = append(args, piped...)
	if id, ok := c.Args[0].(*parse.IdentifierNode); ok {
		return s.function(id.Ident, c.Args[1:], args)
	}
	return s.operand(c.Args[0], dot)
}

func (s scope) operand(n parse.Node, dot reach) reach {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return s.below(dot, n.Ident)
	case *parse.VariableNode:
		return s.below(s.vars[s.body][n.Ident[0]], n.Ident[1:])
	case *parse.ChainNode:
		return s.below(s.operand(n.Node, dot), n.Field)
	case *parse.PipeNode:
		r := s.pipe(n, dot)
		s.declare(n, r)
		return r
	case *parse.IdentifierNode:
		return s.function(n.Ident, nil, nil)
	}
	return apart
}

// below is what names lead to.
func (s scope) below(of reach, names []string) reach {
	if len(names) == 0 {
		return of
	}
	if _, known := s.data[names[0]].(dict); of == whole && known && len(names) == 1 {
		return inside
	}
	return of.part()
}

// function is what a function makes of its arguments, of which nodes are those that are
// not piped.
func (s scope) function(name string, nodes []parse.Node, args []reach) reach {
	name = strings.TrimPrefix(name, "must")
	switch {
	case name == "include":
		s.include(nodes, args)
		return apart
	case len(args) == 0 || name == "deepCopy":
		return apart
	case name == "set" && len(args) == 3:
		return s.set(nodes, args)
	case strings.EqualFold(name, "merge") || strings.EqualFold(name, "mergeOverwrite"):
		s.merge(nodes, args[0])
		return args[0]
	case name == "unset":
		return args[0]
	}
	all := args[0]
	for _, r := range args[1:] {
		all = joined(all, r)
	}
	if all != apart && all != inside {
		return around
	}
	return all
}

func (s scope) include(nodes []parse.Node, args []reach) {
	if len(args) != 2 {
		return
	}
	if name, ok := constantText(nodes); ok {
		s.call(s.template.bodies[name], args[1])
		return
	}
	dot := args[1]
	if s.anyone {
		dot = joined(s.dot, dot)
	}
	if s.anyone && dot == s.dot {
		return // all know it; there may be as many of these as templates
	}
	s.anyone, s.dot = true, dot
	for _, b := range s.template.bodies {
		s.call(b, dot)
	}
}

// set notes what set does: names come to where the dict may be found. A value that holds
// some of the data may be found again from anywhere.
func (s scope) set(nodes []parse.Node, args []reach) reach {
	key, constant := "", false
	if len(nodes) > 1 {
		key, constant = constantText(nodes[1:])
	}
	s.put(args[0], key, constant)
	switch {
	case args[2] >= whole:
		s.unknown = true
	case args[2] == inside:
		s.inside = true
	}
	return args[0]
}

// put notes a name in a dict.
func (s scope) put(into reach, key string, constant bool) {
	switch {
	case into == apart:
	case into == inside:
		s.inside = true
	case constant:
		s.names[key] = true
		s.inside = s.inside || into == around
	default:
		s.unknown = true
	}
}

// merge notes what merge does, with copies: the names of dicts that are written out are
// known.
func (s scope) merge(nodes []parse.Node, into reach) {
	if into == apart {
		return
	}
	if len(nodes) == 0 {
		s.put(into, "", false)
		return
	}
	for _, n := range nodes[1:] {
		keys, ok := keysOf(n)
		if !ok {
			s.put(into, "", false)
		}
		for _, key := range keys {
			s.put(into, key, true)
		}
	}
	s.inside = true // dicts in both are merged, too
}

// keysOf returns the keys of (dict "key" …); false where it is something else.
func keysOf(n parse.Node) (keys []string, ok bool) {
	p, isPipe := n.(*parse.PipeNode)
	if !isPipe || len(p.Cmds) != 1 {
		return nil, false
	}
	args := p.Cmds[0].Args
	if id, isCall := args[0].(*parse.IdentifierNode); !isCall || id.Ident != "dict" {
		return nil, false
	}
	for i := 1; i < len(args); i += 2 {
		key, constant := constantText(args[i:])
		if !constant {
			return nil, false
		}
		keys = append(keys, key)
	}
	return keys, true
}
