package engine

import (
	"maps"
	"slices"
	"text/template/parse"
)

// Inputs returns the names of the data's top level that the template can ask
// for, sorted: .name and $.name where . and $ are the data, also in the templates
// that it calls with them, and names that get, hasKey and index are given as
// constants. ok is false where that cannot be known, because the template uses
// the data as a whole, as {{ toYaml . }} does; the names are those that could be
// found nevertheless.
func (t *Template) Inputs() (names []string, ok bool) {
	v := &reader{template: t, names: map[string]bool{}, seen: map[*body]bool{}}
	v.enter(t.main)
	return slices.Sorted(maps.Keys(v.names)), !v.whole
}

// reader walks over all bodies that have the data as their $.
type reader struct {
	template *Template
	names    map[string]bool
	seen     map[*body]bool
	whole    bool
}

// enter reads a body whose . and $ are the data.
func (v *reader) enter(b *body) {
	if b == nil || v.seen[b] {
		return
	}
	v.seen[b] = true
	v.list(b.root, true)
}

// list reads nodes; data says whether . is the data there. $ always is.
func (v *reader) list(l *parse.ListNode, data bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			v.pipe(n.Pipe, data)
		case *parse.IfNode:
			v.branch(&n.BranchNode, data, data)
		case *parse.WithNode:
			v.branch(&n.BranchNode, data, v.isData(n.Pipe, data))
		case *parse.RangeNode:
			v.branch(&n.BranchNode, data, false)
		case *parse.TemplateNode:
			if v.isData(n.Pipe, data) {
				v.enter(v.template.bodies[n.Name])
			} else {
				v.pipe(n.Pipe, data)
			}
		}
	}
}

func (v *reader) branch(n *parse.BranchNode, data, inner bool) {
	// {{with .}} and {{if $}} only ask whether there are data.
	if !v.isData(n.Pipe, data) || len(n.Pipe.Decl) > 0 || n.NodeType == parse.NodeRange {
		v.pipe(n.Pipe, data)
	}
	v.list(n.List, inner)
	v.list(n.ElseList, data)
}

// isData reports whether p is the data and nothing else.
func (v *reader) isData(p *parse.PipeNode, data bool) bool {
	return p != nil && len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 && isDataNode(p.Cmds[0].Args[0], data)
}

func isDataNode(n parse.Node, data bool) bool {
	switch n := n.(type) {
	case *parse.DotNode:
		return data
	case *parse.VariableNode:
		return len(n.Ident) == 1 && n.Ident[0] == "$"
	}
	return false
}

func (v *reader) pipe(p *parse.PipeNode, data bool) {
	if p == nil {
		return
	}
	for _, c := range p.Cmds {
		if id, ok := c.Args[0].(*parse.IdentifierNode); ok && v.knownCall(id.Ident, c.Args[1:], data) {
			continue
		}
		for _, a := range c.Args {
			v.operand(a, data)
		}
	}
}

// knownCall reads the calls whose use of the data is known.
func (v *reader) knownCall(name string, args []parse.Node, data bool) bool {
	if len(args) < 2 {
		return false
	}
	switch name {
	case "include":
		to, ok := constantText(args)
		if !ok || len(args) != 2 || !isDataNode(args[1], data) {
			return false
		}
		v.enter(v.template.bodies[to])
		return true
	case "get", "hasKey", "index":
		key, ok := constantText(args[1:])
		if !ok || !isDataNode(args[0], data) {
			return false
		}
		v.names[key] = true
		for _, a := range args[1:] {
			v.operand(a, data)
		}
		return true
	}
	return false
}

func (v *reader) operand(n parse.Node, data bool) {
	switch n := n.(type) {
	case *parse.DotNode:
		v.whole = v.whole || data
	case *parse.FieldNode:
		if data {
			v.names[n.Ident[0]] = true
		}
	case *parse.VariableNode:
		v.variable(n)
	case *parse.ChainNode:
		if p, ok := n.Node.(*parse.PipeNode); ok && v.isData(p, data) {
			v.names[n.Field[0]] = true
			return
		}
		v.operand(n.Node, data)
	case *parse.PipeNode:
		v.pipe(n, data)
	}
}

func (v *reader) variable(n *parse.VariableNode) {
	if n.Ident[0] != "$" {
		return
	}
	if len(n.Ident) == 1 {
		v.whole = true
		return
	}
	v.names[n.Ident[1]] = true
}
