package engine

import (
	"errors"
	"text/template/parse"
)

// Given stands in the data of [Template.Ask] for a value that is not null, whatever it
// is. A nil there stands for one that may be null.
type Given struct{}

// Ask returns the mistakes that a template, and those that it calls, make with the names
// of the data, also in branches that some data never take: names that are not in data,
// and values that may be null and are always written as they are. What is asked of other
// values than the data shows only when they are known. A name that the template may put
// into the data counts as being there.
func (t *Template) Ask(data map[string]any, secrets []string) []*Error {
	data, ok := t.changed(data)
	if !ok {
		return nil
	}
	a := asker{run: &run{template: t, limits: t.limits, root: data, secrets: secrets}, seen: map[*body]bool{}}
	a.body(t.main, true)
	return a.found
}

// asker walks over a template, and those that it calls with the data.
type asker struct {
	*run
	frame *frame // of the body at hand; its $ is the data, or null where that is not known
	seen  map[*body]bool
	found []*Error
}

// body walks over a template whose dot is the data; always is whether no branch leads to
// it.
func (a *asker) body(b *body, always bool) {
	if b == nil || a.seen[b] {
		return
	}
	a.seen[b] = true
	outer := a.frame
	a.frame = &frame{run: a.run, body: b, dollar: a.root}
	a.list(b.root, true, always)
	a.frame = outer
}

// list walks over nodes; dot is whether the dot is the data.
func (a *asker) list(l *parse.ListNode, dot, always bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			a.pipe(n.Pipe, dot, always)
			if always {
				a.written(n.Pipe, dot)
			}
		case *parse.IfNode:
			a.branch(&n.BranchNode, dot, dot)
		case *parse.WithNode:
			a.branch(&n.BranchNode, dot, a.isData(n.Pipe, dot))
		case *parse.RangeNode:
			a.branch(&n.BranchNode, dot, false)
		case *parse.TemplateNode:
			a.pipe(n.Pipe, dot, always)
			if a.isData(n.Pipe, dot) {
				a.body(a.template.bodies[n.Name], always)
			}
		}
	}
}

func (a *asker) branch(n *parse.BranchNode, dot, inner bool) {
	a.pipe(n.Pipe, dot, false)
	a.list(n.List, inner, false)
	a.list(n.ElseList, dot, false)
}

func (a *asker) pipe(p *parse.PipeNode, dot, always bool) {
	if p == nil {
		return
	}
	for _, c := range p.Cmds {
		for _, n := range c.Args {
			a.operand(n, dot)
		}
		id, ok := c.Args[0].(*parse.IdentifierNode)
		if !ok || id.Ident != "include" || len(c.Args) != 3 || !a.data(c.Args[2], dot) {
			continue
		}
		if name, ok := constantText(c.Args[1:]); ok {
			a.body(a.template.bodies[name], always)
		}
	}
	for _, d := range p.Decl {
		if p.IsAssign && d.Ident[0] == "$" {
			a.frame.dollar = nil
		}
	}
}

func (a *asker) operand(n parse.Node, dot bool) {
	switch n := n.(type) {
	case *parse.PipeNode:
		a.pipe(n, dot, false)
	case *parse.ChainNode:
		a.operand(n.Node, dot)
	case *parse.FieldNode, *parse.VariableNode:
		if _, err := a.value(n, dot); err != nil {
			a.note(err)
		}
	}
}

func (a *asker) note(err error) {
	if e, ok := errors.AsType[*Error](err); ok {
		a.found = append(a.found, e)
	}
}

// data reports whether an operand is the data itself.
func (a *asker) data(n parse.Node, dot bool) bool {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.VariableNode:
		return len(n.Ident) == 1 && n.Ident[0] == "$" && a.frame.dollar != nil
	}
	return false
}

// isData reports whether a pipeline is the data itself.
func (a *asker) isData(p *parse.PipeNode, dot bool) bool {
	return p != nil && len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 && a.data(p.Cmds[0].Args[0], dot)
}

// value follows the names of an operand as far as it is known what they lead to, and
// returns [Given] beyond.
func (a *asker) value(n parse.Node, dot bool) (any, error) {
	switch n := n.(type) {
	case *parse.FieldNode:
		if !dot {
			return Given{}, nil
		}
	case *parse.VariableNode:
		if n.Ident[0] != "$" || a.frame.dollar == nil {
			return Given{}, nil
		}
	default:
		return Given{}, nil
	}
	p, err := a.frame.path(n, a.root)
	if err != nil {
		return nil, err
	}
	v := p.base
	for i, name := range p.names {
		d, ok := v.(dict)
		if !ok {
			return Given{}, nil
		}
		if v, ok = d[name]; !ok {
			return nil, a.frame.body.errorAt(p.place(i), a.frame.missing(d, name, p.until(i)))
		}
	}
	return v, nil
}

// written finds a value that may be null, and that an action writes as it is.
func (a *asker) written(p *parse.PipeNode, dot bool) {
	if len(p.Decl) > 0 || len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return
	}
	n := p.Cmds[0].Args[0]
	if v, err := a.value(n, dot); v == nil && err == nil {
		a.note(a.frame.at(n, &fault{"the value is null where nobody gives it, and cannot be written then", `use default: {{ .x | default "" }}, or require the input`}))
	}
}
