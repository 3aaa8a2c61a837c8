package sandbox

import (
	"bytes"
	"fmt"
	"text/template/parse"

	"github.com/goldenpaths/syncer/internal/document"
)

// The functions that meter puts into templates. A template that names one itself
// is refused: it could lower its own depth.
const (
	internalPrefix = "syncer__"

	tick  = internalPrefix + "step"
	enter = internalPrefix + "enter"
	leave = internalPrefix + "leave"
	show  = internalPrefix + "show"
)

// budget is what one execution may still use. It is the writer of its output.
type budget struct {
	limits Limits
	steps  int
	memory int
	depth  int
	out    bytes.Buffer
}

func (b *budget) reset(l Limits) {
	*b = budget{limits: l, out: b.out}
	b.out.Reset()
}

// Write refuses output beyond the limit: a range of a template's own text makes
// it without calling any function.
func (b *budget) Write(p []byte) (int, error) {
	if b.out.Len()+len(p) > b.limits.Output {
		return 0, document.Problem{Message: fmt.Sprintf("the template writes more than %d bytes", b.limits.Output)}
	}
	return b.out.Write(p)
}

// step pays n steps.
func (b *budget) step(n int) error {
	b.steps += n
	if b.steps > b.limits.Steps {
		return document.Problem{Message: fmt.Sprintf("the template takes more than %d steps", b.limits.Steps), Hint: "does a range run too long, or a template call itself?"}
	}
	return nil
}

// pay charges n bytes of a value that is about to be made.
func (b *budget) pay(n int) error {
	if n > b.limits.Value {
		return document.Problem{Message: fmt.Sprintf("a value would have %d bytes or more; at most %d are allowed", n, b.limits.Value)}
	}
	b.memory += n
	if b.memory > b.limits.Memory {
		return document.Problem{Message: fmt.Sprintf("the template makes more than %d bytes of values", b.limits.Memory)}
	}
	return nil
}

func (b *budget) enter() (string, error) {
	b.depth++
	if b.depth > b.limits.Depth {
		return "", document.Problem{Message: fmt.Sprintf("templates call each other more than %d deep", b.limits.Depth), Hint: "does one call itself?"}
	}
	return "", b.step(1)
}

func (b *budget) leave() string {
	b.depth--
	return ""
}

// show stands between a value and its printing.
func (b *budget) show(v any) (any, error) {
	if v == nil {
		return nil, document.Problem{Message: "this value is null, and cannot be printed", Hint: `give a default: {{ .x | default "…" }}`}
	}
	return v, b.step(1)
}

func emptyTree(name string) *parse.Tree {
	return &parse.Tree{Name: name, Root: &parse.ListNode{NodeType: parse.NodeList}}
}

// meter puts the counting functions into a parsed template. A partial also
// counts how deep templates are in each other.
func meter(t *parse.Tree, partial bool) {
	meterList(t, t.Root)
	if partial {
		nodes := append([]parse.Node{action(t, t.Root.Pos, 0, enter)}, t.Root.Nodes...)
		t.Root.Nodes = append(nodes, action(t, t.Root.Pos, 0, leave))
	}
}

func meterList(t *parse.Tree, list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				n.Pipe.Cmds = append(n.Pipe.Cmds, command(t, n.Pos, show))
			}
		case *parse.IfNode:
			meterList(t, n.List)
			meterList(t, n.ElseList)
		case *parse.WithNode:
			meterList(t, n.List)
			meterList(t, n.ElseList)
		case *parse.RangeNode:
			meterList(t, n.List)
			meterList(t, n.ElseList)
			n.List.Nodes = append([]parse.Node{action(t, n.Pos, n.Line, tick)}, n.List.Nodes...)
		}
	}
}

func command(t *parse.Tree, pos parse.Pos, function string) *parse.CommandNode {
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{parse.NewIdentifier(function).SetPos(pos).SetTree(t)}}
}

func action(t *parse.Tree, pos parse.Pos, line int, function string) *parse.ActionNode {
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Pos: pos, Line: line, Cmds: []*parse.CommandNode{command(t, pos, function)}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: pos, Line: line, Pipe: pipe}
}

// refuseLostResults finds {{ $_ := set … }}: set returns a new dict here, so a result that
// is thrown away is a mistake that would be silent.
func refuseLostResults(src source, t *parse.Tree) error {
	if t == nil || t.Root == nil {
		return nil
	}
	for _, n := range t.Root.Nodes {
		a, ok := n.(*parse.ActionNode)
		if !ok || len(a.Pipe.Decl) != 1 || a.Pipe.Decl[0].Ident[0] != "$_" {
			continue
		}
		id, ok := a.Pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
		if ok && (id.Ident == "set" || id.Ident == "unset" || id.Ident == "merge" || id.Ident == "mergeOverwrite") {
			return document.Problem{File: src.file, Line: a.Line, Column: src.find(a.Line, src.d[0]), Message: id.Ident + " returns a new dict and does not change the one it is given", Hint: "keep its result: {{ $d = " + id.Ident + " $d … }}"}
		}
	}
	return nil
}
