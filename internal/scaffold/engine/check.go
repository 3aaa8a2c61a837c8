package engine

import (
	"fmt"
	"strconv"
	"text/template/parse"
)

// facts are what check learns about a body.
type facts struct {
	calls   []reference // templates that it calls by name
	dynamic bool        // it includes a template whose name is not a constant
	mutates bool        // it calls set, unset or merge
}

// reference is a template's name where it is called.
type reference struct {
	name string
	pos  parse.Pos
}

// check looks for what is wrong whatever the data are: functions that do not
// exist, or are given too few or too many arguments. It returns where.
func (b *body) check(t table) (parse.Pos, error) {
	if b.root == nil {
		b.root = &parse.ListNode{NodeType: parse.NodeList}
	}
	v := &checker{body: b, table: t}
	v.list(b.root)
	return v.pos, v.err
}

// checker walks over a body and remembers the first mistake.
type checker struct {
	body  *body
	table table
	pos   parse.Pos
	err   error
}

func (v *checker) fail(pos parse.Pos, err error) {
	if v.err == nil {
		v.pos, v.err = pos, err
	}
}

func (v *checker) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			v.pipe(n.Pipe)
		case *parse.IfNode:
			v.branch(&n.BranchNode)
		case *parse.WithNode:
			v.branch(&n.BranchNode)
		case *parse.RangeNode:
			v.branch(&n.BranchNode)
		case *parse.TemplateNode:
			v.body.calls = append(v.body.calls, reference{n.Name, n.Pos})
			v.pipe(n.Pipe)
		}
	}
}

func (v *checker) branch(n *parse.BranchNode) {
	v.pipe(n.Pipe)
	v.list(n.List)
	v.list(n.ElseList)
}

func (v *checker) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for i, c := range p.Cmds {
		piped := 0
		if i > 0 {
			piped = 1
		}
		if id, ok := c.Args[0].(*parse.IdentifierNode); ok {
			v.function(id, c.Args[1:], piped)
		} else {
			v.operand(c.Args[0])
		}
		if _, ok := c.Args[0].(*parse.NilNode); ok {
			v.fail(c.Pos, &fault{"nil is not a command", `write "" or use default`})
		}
		for _, a := range c.Args[1:] {
			v.operand(a)
		}
	}
}

func (v *checker) operand(n parse.Node) {
	switch n := n.(type) {
	case *parse.PipeNode:
		v.pipe(n)
	case *parse.ChainNode:
		v.operand(n.Node)
	case *parse.IdentifierNode:
		v.function(n, nil, 0)
	case *parse.NumberNode:
		if _, err := constant(n); err != nil {
			v.fail(n.Pos, err)
		}
	}
}

func (v *checker) function(id *parse.IdentifierNode, args []parse.Node, piped int) {
	f, ok := v.table[id.Ident]
	if !ok {
		v.fail(id.Pos, v.table.unknown(id.Ident))
		return
	}
	if n := len(args) + piped; n < f.min || n > f.max {
		v.fail(id.Pos, &fault{
			message: fmt.Sprintf("%s takes %s, and has %d", id.Ident, arity(f.min, f.max), n),
			hint:    usage(f.Function),
		})
	}
	switch id.Ident {
	case "set", "unset", "merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite":
		v.body.mutates = true
	case "include":
		name, ok := constantText(args)
		v.body.dynamic = v.body.dynamic || !ok
		if ok {
			v.body.calls = append(v.body.calls, reference{name, id.Pos})
		}
	}
}

// constantText returns the first of args if it is a text that is written down.
func constantText(args []parse.Node) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	s, ok := args[0].(*parse.StringNode)
	if !ok {
		return "", false
	}
	return s.Text, true
}

func arity(least, most int) string {
	switch {
	case least == most && least == 1:
		return "1 argument"
	case least == most:
		return strconv.Itoa(least) + " arguments"
	case most == many && least == 1:
		return "1 argument or more"
	case most == many:
		return strconv.Itoa(least) + " arguments or more"
	}
	return fmt.Sprintf("%d to %d arguments", least, most)
}

func usage(f Function) string {
	if f.Example == "" {
		return f.Doc
	}
	return "for example " + f.Example
}
