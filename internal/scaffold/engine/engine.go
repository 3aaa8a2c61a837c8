// Package engine executes Go templates that nobody has vouched for: the same
// bytes for the same inputs on every machine and at every time, within bounds,
// and with nothing to reach.
//
// The language is text/template's. Its parser is used as it is; execution is
// this package's own, for four reasons. text/template cannot be stopped (a range
// over a large number never asks anybody), it follows values through reflection
// into methods, it says "<no value>" where an input is absent, and its positions
// survive only as text in a message. Here every node that is executed costs a
// step, every byte that a function makes is charged before it is made, values
// are of eight kinds and no others (nil, bool, string, int64, float64, list, map,
// version), and a mistake is an [Error] with file, line and column.
//
// The functions are an allow-list, see [Functions]: those of sprig that give the
// same result twice.
//
//	set := engine.NewSet(engine.Limits{})
//	err := set.AddPartial("labels", "partials/labels.tmpl", labels, engine.Delimiters{})
//	t, err := set.Parse("template/Makefile.tmpl", text, engine.Delimiters{})
//	out, err := t.Execute(map[string]any{"name": "payments"})
package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/template/parse"
	"unicode"

	"github.com/goldenpaths/syncer/internal/nearest"
)

// Delimiters are the two texts that enclose an action. The zero value stands for
// "{{" and "}}".
type Delimiters [2]string

// maxDelimiter is longer than any delimiter that somebody could read.
const maxDelimiter = 16

// check refuses delimiters that the parser would misread: those that could be
// part of an expression, or of the white space round it.
func (d Delimiters) check() error {
	if d == (Delimiters{}) {
		return nil
	}
	for _, s := range d {
		unfit := func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.IsLetter(r) || unicode.IsDigit(r) ||
				strings.ContainsRune("\"'`.$_\\", r)
		}
		if s == "" || len(s) > maxDelimiter || strings.ContainsFunc(s, unfit) || strings.HasPrefix(s, "/*") {
			return &fault{
				message: fmt.Sprintf("%.20q cannot be a delimiter", s),
				hint:    `use one to 16 signs that are neither letters, digits, spaces nor quotes, such as "[[" and "]]"`,
			}
		}
	}
	if d[0] == d[1] {
		return &fault{message: fmt.Sprintf("both delimiters are %q", d[0]), hint: "make them differ"}
	}
	return nil
}

// Pair returns the delimiters to parse with.
func (d Delimiters) Pair() (left, right string) {
	if d == (Delimiters{}) {
		return "{{", "}}"
	}
	return d[0], d[1]
}

// Limits bound what one template may cost. A field that is not positive stands
// for its default. Source bounds one file; all others bound one execution.
type Limits struct {
	Source int // bytes of a template's source; 1 MiB
	Steps  int // nodes executed and functions called; 1,000,000
	Memory int // bytes made or walked by functions, in total and never given back; 64 MiB
	Output int // bytes written; 8 MiB
	Depth  int // templates that call each other; 100
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field    *int
		standard int
	}{
		{&l.Source, 1 << 20},
		{&l.Steps, 1_000_000},
		{&l.Memory, 64 << 20},
		{&l.Output, 8 << 20},
		{&l.Depth, 100},
	} {
		if *f.field <= 0 {
			*f.field = f.standard
		}
	}
	return l
}

// Set holds what many templates share: the limits, the functions and the
// partials. It may be used from several goroutines.
type Set struct {
	limits Limits
	table  table

	mu       sync.RWMutex
	partials map[string]*body
}

// NewSet returns a set without partials.
func NewSet(l Limits) *Set {
	return &Set{limits: l.withDefaults(), table: functions(), partials: map[string]*body{}}
}

// body is one template: a whole file, or what a define encloses. It is never
// changed once it is checked.
type body struct {
	name string // empty for a file that is no partial
	file string
	text string // of the whole file, which positions count in
	root *parse.ListNode
	facts
}

// AddPartial makes a template known by name to all others of the set, together
// with the templates that it defines. Partials may call each other in any order,
// and must be added before the templates that call them are parsed. The file is
// named in messages. It returns an *Error for a text that does not parse, and
// for a name that is taken.
func (s *Set) AddPartial(name, file string, text []byte, d Delimiters) error {
	main, defined, err := s.parse(file, text, d)
	if err != nil {
		return err
	}
	// A file labels.tmpl that only says {{define "labels"}} is that template.
	if defined[name] == nil || !parse.IsEmptyTree(main.root) {
		main.name = name
		if defined[name] != nil {
			return defined[name].errorAt(defined[name].root.Position(), &fault{
				message: fmt.Sprintf("template %q is the file's own name", name),
				hint:    "define it under another name, or have nothing else in the file",
			})
		}
		defined[name] = main
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(defined)) {
		if err := s.taken(defined[n]); err != nil {
			return err
		}
	}
	maps.Copy(s.partials, defined)
	return nil
}

// taken returns an error where a partial has b's name already. A template that
// silently replaced another's would change files that nobody looked at.
func (s *Set) taken(b *body) error {
	other, ok := s.partials[b.name]
	if !ok {
		return nil
	}
	line, _ := position(other.text, int(other.root.Position()))
	return b.errorAt(b.root.Position(), &fault{
		message: fmt.Sprintf("template %q is already defined at %s:%d", b.name, other.file, line),
		hint:    "give one of the two another name",
	})
}

// Parse reads a template. The file is named in messages, for example
// "goldenpaths/go-service/template/Makefile.tmpl". All errors are *Error: a text
// that does not parse, is too large or too deeply nested, or that calls a function
// or a template that does not exist or takes other arguments.
func (s *Set) Parse(file string, text []byte, d Delimiters) (*Template, error) {
	main, defined, err := s.parse(file, text, d)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, n := range slices.Sorted(maps.Keys(defined)) {
		if err := s.taken(defined[n]); err != nil {
			return nil, err
		}
	}
	t := &Template{main: main, limits: s.limits, table: s.table}
	if err := t.link(defined, s.partials); err != nil {
		return nil, err
	}
	return t, nil
}

// Template is a parsed template. It is never changed, so it may be executed from
// several goroutines at once.
type Template struct {
	main    *body
	bodies  map[string]*body // every template that main can reach, by name
	limits  Limits
	table   table
	mutates bool // some reachable body changes maps
}

// link finds every template that main can reach. That happens once, here, so
// that a name that is not defined is a mistake even in a branch that is never
// taken.
func (t *Template) link(defined, partials map[string]*body) error {
	t.bodies = map[string]*body{}
	waiting, all := []*body{t.main}, false
	// add looks name up in the file first, then among the partials.
	add := func(name string) bool {
		b := defined[name]
		if b == nil {
			b = partials[name]
		}
		if b != nil && t.bodies[name] == nil {
			t.bodies[name] = b
			waiting = append(waiting, b)
		}
		return b != nil
	}
	for len(waiting) > 0 {
		b := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		t.mutates = t.mutates || b.mutates
		for _, c := range b.calls {
			if !add(c.name) {
				names := slices.Concat(slices.Collect(maps.Keys(defined)), slices.Collect(maps.Keys(partials)))
				return b.errorAt(c.pos, notDefined(c.name, names))
			}
		}
		if b.dynamic && !all {
			all = true // once: as many templates may call any as there are
			for _, name := range slices.Concat(slices.Sorted(maps.Keys(defined)), slices.Sorted(maps.Keys(partials))) {
				add(name)
			}
		}
	}
	return nil
}

func notDefined(name string, names []string) error {
	f := &fault{message: fmt.Sprintf("template %.80q is not defined", name)}
	if f.hint = nearest.Hint(name, names); f.hint == "" {
		f.hint = "no template is defined"
	}
	return f
}

// Execute returns what the template makes of data, whose keys are the names that
// it sees as .name. Values may be nil, bool, string, int64, float64, lists of them
// and maps from string to them; Go's other integer types, json.Number, and typed
// slices and maps are taken for what they hold. Data is never changed, and may be
// shared. Every error is an *Error.
func (t *Template) Execute(data map[string]any) ([]byte, error) {
	return t.ExecuteOn(NewData(data))
}

// Budget is what executions that belong together may cost in all: each template is
// bounded by itself, and a golden path can have thousands. It is for one goroutine.
type Budget struct {
	steps, memory int // what is left
	// Secrets are names that the data does not have because no template may see them,
	// which is said to one that asks for them.
	Secrets []string
}

// NewBudget returns a budget of ten times what one template may take.
func NewBudget(l Limits) *Budget {
	l = l.withDefaults()
	return &Budget{steps: 10 * l.Steps, memory: 10 * l.Memory}
}

// Data are the values that templates see, looked at once for any number of
// executions, and the budget of those.
type Data struct {
	root      map[string]any
	canonical bool
	budget    *Budget
}

// Data returns data for [Template.ExecuteOn], which is paid for from b. The map must
// not be changed after.
func (b *Budget) Data(data map[string]any) Data { return Data{data, canonical(data, 0), b} }

// With returns data with one more value, for executions that differ in that one only. It
// pays for the copy; the error, which has no place, says that too much was asked for.
func (d Data) With(name string, v any) (Data, error) {
	cost := 1 + len(d.root)/copiedAtOnce
	if cost > d.budget.steps {
		d.budget.steps = 0
		return Data{}, &Error{Message: errScarce.message, Hint: "have a shorter list"}
	}
	d.budget.steps -= cost
	root := maps.Clone(d.root)
	if root == nil {
		root = dict{}
	}
	root[name] = v
	return Data{root, d.canonical && canonical(v, 1), d.budget}, nil
}

// copiedAtOnce is how many entries of a map are copied in about the time of a step.
const copiedAtOnce = 10

// NewData returns data with a budget of its own.
func NewData(data map[string]any) Data { return NewBudget(Limits{}).Data(data) }

// share bounds r by what is left, and returns a function that pays for it.
func (b *Budget) share(r *run) (pay func()) {
	if b.steps < r.limits.Steps {
		r.limits.Steps, r.scarce = b.steps, true
	}
	if b.memory < r.limits.Memory {
		r.limits.Memory, r.scarce = b.memory, true
	}
	r.limits.Output = min(r.limits.Output, b.memory)
	// What is written is memory, too, until somebody has used it.
	return func() { b.steps, b.memory = max(b.steps-r.steps, 0), max(b.memory-r.memory-len(r.out), 0) }
}

// ExecuteOn is [Template.Execute] for data that several templates see.
func (t *Template) ExecuteOn(data Data) ([]byte, error) {
	r := &run{template: t, limits: t.limits, root: data.root, secrets: data.budget.Secrets}
	defer data.budget.share(r)()
	// Most files come out about as long as they went in.
	r.out = make([]byte, 0, min(len(t.main.text), t.limits.Output))
	if t.mutates || !data.canonical {
		own, err := r.copyInput(data.root)
		if err != nil {
			return nil, t.main.errorAt(0, err)
		}
		r.root = own
	}
	if r.root == nil {
		r.root = map[string]any{}
	}
	if err := r.render(t.main, r.root); err != nil {
		return nil, t.main.errorAt(0, err)
	}
	return r.out, nil
}
