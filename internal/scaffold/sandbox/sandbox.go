// Package sandbox runs text/template on templates and data that are not trusted,
// and gets the same bytes every time.
//
// Repeatable: the functions are an allow-list without clock, randomness, network
// or map order (functions.go). Values are never changed in place, so one
// template cannot influence another and no value can contain itself.
//
// Bounded: an execution pays in steps and bytes instead of seconds, so that a
// template fails on every machine or on none. After parsing, a step is counted
// in front of every range body and every printed value, and calls of templates
// are counted on the way in and out. Each function pays for the deep size of its
// result before that is built, which also bounds what printing a value costs.
package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/nearest"
)

// Delimiters begin and end an action. The zero value is {{ and }}.
type Delimiters [2]string

func (d Delimiters) orDefault() Delimiters {
	if d == (Delimiters{}) {
		return Delimiters{"{{", "}}"}
	}
	return d
}

// Limits bound one execution. A field that is zero has the default.
type Limits struct {
	Source int // bytes of one template's source; 1 MiB
	Steps  int // range bodies, printed values, template calls, and 64 bytes of a function's arguments each; 500,000
	Memory int // bytes of all values that functions make; 16 MiB
	Value  int // bytes of one such value; 1 MiB
	Output int // bytes written; 8 MiB
	Depth  int // templates that call each other; 100
}

func (l Limits) orDefault() Limits {
	set := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	set(&l.Source, 1<<20)
	set(&l.Steps, 500_000)
	set(&l.Memory, 16<<20)
	set(&l.Value, 1<<20)
	set(&l.Output, 8<<20)
	set(&l.Depth, 100)
	return l
}

// Set is a group of templates that can call the same partials. Parse everything
// before the first Execute; then it is safe for concurrent use.
type Set struct {
	limits  Limits
	root    *template.Template
	known   map[string]any    // every function, for the parser
	sources map[string]source // by template name
	pool    sync.Pool         // of *machine
}

// source is what error messages need to know of a template.
type source struct {
	file string
	text string
	d    Delimiters
}

// machine is a copy of the set's templates whose functions pay from its budget.
type machine struct {
	root   *template.Template
	budget *budget
}

// NewSet returns a set without templates.
func NewSet(l Limits) *Set {
	s := &Set{limits: l.orDefault(), known: builtins(), sources: map[string]source{}}
	// The functions bound here are never called: each machine binds its own.
	funcs := newMachineFuncs(nil, nil)
	maps.Copy(s.known, funcs)
	s.root = template.New("").Option("missingkey=error").Funcs(funcs)
	return s
}

// Template is one parsed template of a Set.
type Template struct {
	set  *Set
	name string
}

// AddPartial parses text as the template that {{ template "name" . }} and
// {{ include "name" . }} call. Only partials may hold {{ define }}. The error is
// a [document.Problem].
func (s *Set) AddPartial(name, file string, text []byte, d Delimiters) error {
	if s.root.Lookup(name) != nil {
		return document.Problem{File: file, Line: 1, Column: 1, Message: fmt.Sprintf("the partial %q is defined twice", name), Hint: "rename one"}
	}
	trees, err := s.parse(name, file, text, d)
	if err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(trees)) {
		if _, err := s.add(n, file, text, d, trees[n], true); err != nil {
			return err
		}
	}
	return nil
}

// add puts a parsed template into the set, with counters.
func (s *Set) add(name, file string, text []byte, d Delimiters, t *parse.Tree, partial bool) (*Template, error) {
	if t.Root == nil {
		t = emptyTree(name) // the parser leaves nothing of a template that is empty
	}
	meter(t, partial)
	if _, err := s.root.AddParseTree(name, t); err != nil {
		return nil, document.Problem{File: file, Line: 1, Column: 1, Message: err.Error()}
	}
	s.sources[name] = source{file, string(text), d.orDefault()}
	return &Template{s, name}, nil
}

// Parse parses text; file is its path for messages. Line 1 of the text is line 1
// of the file. The error is a [document.Problem].
func (s *Set) Parse(file string, text []byte, d Delimiters) (*Template, error) {
	name := "file " + strconv.Itoa(len(s.sources)) + " " + file
	trees, err := s.parse(name, file, text, d)
	if err != nil {
		return nil, err
	}
	if _, own := trees[name]; len(trees) > 1 || len(trees) == 1 && !own {
		return nil, document.Problem{File: file, Line: 1, Column: 1, Message: "define and block are not allowed here", Hint: "put the shared template into partials/"}
	}
	t := trees[name]
	if t == nil {
		t = emptyTree(name)
	}
	return s.add(name, file, text, d, t, false)
}

// maxOpeners bounds how deep actions can be nested in a template's source, which
// text/template parses and runs by recursion.
const maxOpeners = 5000

func (s *Set) parse(name, file string, text []byte, d Delimiters) (map[string]*parse.Tree, error) {
	d = d.orDefault()
	whole := func(message, hint string) (map[string]*parse.Tree, error) {
		return nil, document.Problem{File: file, Line: 1, Column: 1, Message: message, Hint: hint}
	}
	switch {
	case len(text) > s.limits.Source:
		return whole(fmt.Sprintf("the template has %d bytes; at most %d are read", len(text), s.limits.Source), "")
	case bytes.Count(text, []byte(d[0])) > maxOpeners:
		return whole(fmt.Sprintf("the template has more than %d actions", maxOpeners), "split it")
	case bytes.Count(text, []byte("(")) > 4*maxOpeners:
		return whole(fmt.Sprintf("the template has more than %d parentheses", 4*maxOpeners), "")
	case bytes.Contains(text, []byte(internalPrefix)):
		return whole("names that begin with "+internalPrefix+" are syncer's own", "use another name")
	}
	src := source{file, string(text), d}
	trees, err := parse.Parse(name, string(text), d[0], d[1], s.known)
	if err != nil {
		return nil, src.problem(name, err, nil)
	}
	for _, t := range trees {
		if err := refuseLostResults(src, t); err != nil {
			return nil, err
		}
	}
	return trees, nil
}

// Execute runs the template on data, whose keys are its top level, and returns
// what it writes. The data is not changed. The error is a [document.Problem].
func (t *Template) Execute(data map[string]any) ([]byte, error) {
	m, err := t.set.machine()
	if err != nil {
		return nil, err
	}
	defer t.set.pool.Put(m)
	m.budget.reset(t.set.limits)
	if err := m.root.Lookup(t.name).Execute(m.budget, data); err != nil {
		return nil, t.set.problem(t.name, err, data)
	}
	return bytes.Clone(m.budget.out.Bytes()), nil
}

func (s *Set) machine() (*machine, error) {
	if m, ok := s.pool.Get().(*machine); ok {
		return m, nil
	}
	root, err := s.root.Clone()
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	m := &machine{root: root, budget: &budget{}}
	root.Funcs(newMachineFuncs(m.budget, root))
	return m, nil
}

// problem finds the file of an execution's error: it may be in a partial.
func (s *Set) problem(name string, err error, data map[string]any) error {
	for other := range s.sources {
		if other != name && strings.HasPrefix(err.Error(), "template: "+other+":") {
			name = other
			break
		}
	}
	return s.sources[name].problem(name, err, data)
}

var (
	position   = regexp.MustCompile(`^(\d+)(?::(\d+))?: `)
	executing  = regexp.MustCompile(`^executing "[^"]*" at <(?:[^>]|>[^:])*>: `)
	noEntry    = regexp.MustCompile(`map has no entry for key "([^"]*)"$`)
	noFunction = regexp.MustCompile(`function "([^"]*)" not defined$`)
	calling    = regexp.MustCompile(`^error calling (\w+): `)
)

// problem turns an error of text/template, whose form is
// "template: NAME:LINE[:COLUMN]: [executing "NAME" at <NODE>: ]MESSAGE" with
// columns that count from 0, into a problem that says what to do.
func (src source) problem(name string, err error, data map[string]any) error {
	var inner document.Problem
	if errors.As(err, &inner) && inner.File != "" {
		return inner // an include that failed: already told with its own place
	}
	text := strings.TrimPrefix(err.Error(), "template: "+name+":")
	p := document.Problem{File: src.file, Line: 1, Column: 1}
	if m := position.FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1]) // digits, by the pattern
		p.Column = src.find(p.Line, src.d[0])
		if m[2] != "" {
			p.Column, _ = strconv.Atoi(m[2])
			p.Column++
		}
		text = text[len(m[0]):]
	}
	text = executing.ReplaceAllString(text, "")
	p.Message = calling.ReplaceAllString(strings.TrimPrefix(text, "error calling "+show+": "), "$1: ")
	switch {
	case noEntry.MatchString(text):
		key := noEntry.FindStringSubmatch(text)[1]
		p.Message = fmt.Sprintf("nothing is called %q here", key)
		p.Hint = nearest.Hint(key, slices.Collect(maps.Keys(data)))
	case noFunction.MatchString(text):
		fn := noFunction.FindStringSubmatch(text)[1]
		p.Message, p.Hint = unknownFunction(fn)
		p.Column = src.find(p.Line, fn)
	case inner.Message != "":
		p.Message, p.Hint = inner.Message, inner.Hint
	}
	return p
}

// find returns the column at which a line has a text. It stands in for the
// column of a parse error, which text/template does not tell.
func (src source) find(line int, what string) int {
	lines := strings.SplitN(src.text, "\n", line+1)
	if line < 1 || line > len(lines) {
		return 1
	}
	return 1 + max(0, strings.Index(lines[line-1], what))
}
