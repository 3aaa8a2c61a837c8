package engine

import (
	"errors"
	"fmt"
	"text/template/parse"

	"github.com/Masterminds/semver/v3"
)

// run is one execution: what it has used of its limits, and what it has written.
type run struct {
	template *Template
	limits   Limits
	scarce   bool // the limits are what other executions have left
	root     dict // the data
	secrets  []string

	steps, memory, depth int
	includes             int // that are being executed, in each other
	out                  []byte
	patterns             map[string]*pattern // regular expressions compiled so far
}

var errScarce = &fault{
	message: "the templates together take more steps, or make more values, than a golden path may",
	hint:    "range over less in all of them; this one is only where it ended",
}

// step pays for n units of work. It stops {{range 4000000000}}{{end}}, ranges in
// ranges, and partials that call each other twice.
func (r *run) step(n int) error {
	if n > r.limits.Steps-r.steps {
		r.steps = r.limits.Steps
		if r.scarce {
			return errScarce
		}
		return &fault{
			message: fmt.Sprintf("the template takes more than %d steps", r.limits.Steps),
			hint:    "range over less, and look for templates that call each other",
		}
	}
	r.steps += n
	return nil
}

// charge pays for n bytes before they are made. What was paid is never given
// back: an execution that makes and forgets much takes long, too.
func (r *run) charge(n int) error {
	if n < 0 || n > r.limits.Memory-r.memory {
		r.memory = r.limits.Memory
		if r.scarce {
			return errScarce
		}
		return &fault{
			message: fmt.Sprintf("the template makes more than %d bytes of values", r.limits.Memory),
			hint:    "look for a value that grows in a range, or a large count",
		}
	}
	r.memory += n
	return nil
}

// times is a*b, or more than any limit where that does not fit.
func times(a, b int) int {
	const most = int(^uint(0) >> 2)
	if a <= 0 || b <= 0 {
		return 0
	}
	if a > most/b {
		return most
	}
	return a * b
}

// valueSize is about what a value takes in a list or a dict, without its text.
const valueSize = 16

// weights say what a walk over a value pays for each part of it.
type weights struct {
	value int // for each value
	text  int // for each byte of text
	depth int // for each value, times how deep it is
}

// walk pays for every part of v, as often as it occurs. That is what it costs to
// print, encode, copy or compare v, and it ends early: {{$a = list $a $a}}, sixty
// times, has 2^60 parts.
func (r *run) walk(v any, w weights, depth int) error {
	if depth > maxNesting {
		return errNesting
	}
	cost := w.value + depth*w.depth
	switch v := v.(type) {
	case string:
		cost += times(w.text, len(v))
	case *semver.Version:
		cost += times(w.text, len(v.Original()))
	case list:
		for _, item := range v {
			if err := r.walk(item, w, depth+1); err != nil {
				return err
			}
		}
	case dict:
		for k, item := range v {
			if err := r.charge(times(w.text, len(k))); err != nil {
				return err
			}
			if err := r.walk(item, w, depth+1); err != nil {
				return err
			}
		}
	}
	return r.charge(cost)
}

// write appends to the output. It stops a range whose body is only text.
func (r *run) write(text []byte) error {
	if len(text) > r.limits.Output-len(r.out) {
		return r.tooMuch()
	}
	r.out = append(r.out, text...)
	return r.chargeInner(len(text))
}

// chargeInner pays for n bytes of the output where that is a value, of an include.
// It stops a hundred includes in each other, which all wait with a large output.
func (r *run) chargeInner(n int) error {
	if r.includes == 0 {
		return nil
	}
	return r.charge(n)
}

func (r *run) tooMuch() error {
	if r.limits.Output < r.template.limits.Output {
		return errScarce
	}
	return &fault{
		message: fmt.Sprintf("the template writes more than %d bytes", r.limits.Output),
		hint:    "write less, or copy a file that is large",
	}
}

// print writes v as the output of an action.
func (r *run) print(v any) error {
	if v == nil {
		return &fault{"the value is null, and cannot be written", `use default: {{ .x | default "" }}`}
	}
	if s, ok := v.(string); ok { // by far the most frequent, and needs no copy
		if len(s) > r.limits.Output-len(r.out) {
			return r.tooMuch()
		}
		r.out = append(r.out, s...)
		return r.chargeInner(len(s))
	}
	before := len(r.out)
	out, err := appendText(r.out, v, r.limits.Output, 0)
	if errors.Is(err, errTooLong) || err == nil && len(out) > r.limits.Output {
		return r.tooMuch()
	}
	r.out = out
	if err != nil {
		return err
	}
	return r.chargeInner(len(out) - before)
}

// render executes b with the given dot. It stops templates that call themselves
// before the stack ends.
func (r *run) render(b *body, dot any) error {
	if r.depth >= r.limits.Depth {
		return &fault{
			message: fmt.Sprintf("templates call each other more than %d deep", r.limits.Depth),
			hint:    "does one call itself?",
		}
	}
	r.depth++
	defer func() { r.depth-- }()
	f := frame{run: r, body: b, dollar: dot}
	_, err := f.list(b.root, dot)
	return err
}

// include renders the template with the given name to a string.
func (r *run) include(name string, dot any) (string, error) {
	b := r.template.bodies[name]
	if b == nil {
		names := make([]string, 0, len(r.template.bodies))
		for n := range r.template.bodies {
			names = append(names, n)
		}
		return "", notDefined(name, names)
	}
	outer := r.out
	r.out = nil
	r.includes++
	err := r.render(b, dot)
	r.includes--
	inner := r.out
	r.out = outer
	if err != nil {
		return "", err
	}
	return string(inner), r.charge(len(inner))
}

// frame is one template in execution.
type frame struct {
	*run
	body   *body
	dollar any // $
	vars   []variable
}

type variable struct {
	name  string
	value any
}

// signal says how a list of nodes ended.
type signal int

const (
	done signal = iota
	broken
	continued
)

func (f *frame) list(l *parse.ListNode, dot any) (signal, error) {
	if l == nil {
		return done, nil
	}
	for _, n := range l.Nodes {
		if s, err := f.node(n, dot); s != done || err != nil {
			return s, err
		}
	}
	return done, nil
}

func (f *frame) node(n parse.Node, dot any) (signal, error) {
	if err := f.step(1); err != nil {
		return done, f.at(n, err)
	}
	switch n := n.(type) {
	case *parse.TextNode:
		return done, f.at(n, f.write(n.Text))
	case *parse.ActionNode:
		return done, f.action(n, dot)
	case *parse.IfNode:
		return f.branch(&n.BranchNode, dot, false)
	case *parse.WithNode:
		return f.branch(&n.BranchNode, dot, true)
	case *parse.RangeNode:
		return f.loop(n, dot)
	case *parse.TemplateNode:
		return done, f.call(n, dot)
	case *parse.BreakNode:
		return broken, nil
	case *parse.ContinueNode:
		return continued, nil
	case *parse.CommentNode:
		return done, nil
	}
	return done, f.at(n, faultf("the action %.40s is not supported", n))
}

// at gives err the place of n.
func (f *frame) at(n parse.Node, err error) error {
	if err == nil {
		return nil
	}
	return f.body.errorAt(n.Position(), err)
}

func (f *frame) action(n *parse.ActionNode, dot any) error {
	v, err := f.pipe(n.Pipe, dot)
	if err != nil || len(n.Pipe.Decl) > 0 {
		return err
	}
	return f.at(n, f.print(v))
}

func (f *frame) branch(n *parse.BranchNode, dot any, with bool) (signal, error) {
	mark := len(f.vars)
	defer func() { f.vars = f.vars[:mark] }()
	v, err := f.pipe(n.Pipe, dot)
	if err != nil {
		return done, err
	}
	if !truth(v) {
		return f.list(n.ElseList, dot)
	}
	if with {
		dot = v
	}
	return f.list(n.List, dot)
}

func (f *frame) call(n *parse.TemplateNode, dot any) error {
	var inner any
	if n.Pipe != nil {
		var err error
		if inner, err = f.pipe(n.Pipe, dot); err != nil {
			return err
		}
	}
	b := f.template.bodies[n.Name]
	if b == nil { // link has found all of them
		return f.at(n, notDefined(n.Name, nil))
	}
	return f.at(n, f.render(b, inner))
}

// loop executes a range.
func (f *frame) loop(n *parse.RangeNode, dot any) (signal, error) {
	mark := len(f.vars)
	defer func() { f.vars = f.vars[:mark] }()
	v, err := f.pipe(n.Pipe, dot)
	if err != nil {
		return done, err
	}
	body := iteration{f: f, n: n, mark: len(f.vars)}
	switch v := v.(type) {
	case nil:
	case int64:
		if len(n.Pipe.Decl) > 1 {
			return done, f.at(n.Pipe, &fault{"a range over a number has one variable", "write {{ range $i := 3 }}"})
		}
		for i := int64(0); i < v && body.next(nil, i); i++ {
		}
	case list:
		for i := 0; i < len(v) && body.next(int64(i), v[i]); i++ {
		}
	case dict:
		if err := f.charge(times(valueSize, len(v))); err != nil {
			return done, f.at(n.Pipe, err)
		}
		for _, k := range sortedKeys(v) {
			if !body.next(k, v[k]) {
				break
			}
		}
	default:
		return done, f.at(n.Pipe, &fault{"range cannot go over " + describe(v), "give it a list, a dict or an integer"})
	}
	if !body.begun {
		return f.list(n.ElseList, dot)
	}
	return done, body.err
}

// iteration executes a range's body for one element after the other.
type iteration struct {
	f     *frame
	n     *parse.RangeNode
	mark  int
	begun bool
	err   error
}

// next reports whether the range goes on.
func (it *iteration) next(key, element any) bool {
	it.begun = true
	// A body may be empty, so it is the range itself that pays.
	if err := it.f.step(1); err != nil {
		it.err = it.f.at(it.n, err)
		return false
	}
	decl := it.n.Pipe.Decl
	if len(decl) == 1 {
		it.f.assign(decl[0].Ident[0], element)
	}
	if len(decl) == 2 {
		it.f.assign(decl[0].Ident[0], key)
		it.f.assign(decl[1].Ident[0], element)
	}
	s, err := it.f.list(it.n.List, element)
	it.f.vars = it.f.vars[:it.mark]
	it.err = err
	return s != broken && err == nil
}

// assign gives the variable that was declared last under that name a value.
func (f *frame) assign(name string, v any) {
	for i := len(f.vars) - 1; i >= 0; i-- {
		if f.vars[i].name == name {
			f.vars[i].value = v
			return
		}
	}
	if name == "$" {
		f.dollar = v
	}
}
