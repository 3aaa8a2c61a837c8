package forge

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/openapi"
)

// elsewhere are the operations of functions that read an answer of a path which is not
// written where the answer is read.
var elsewhere = map[string][]string{
	"EnsureComment":   {"POST repos/1/1/issues/1/comments", "PATCH repos/1/1/issues/comments/1"},
	"EnsureRuleset":   {"GET repos/1/1/rulesets/1"},
	"newRepository":   {"POST orgs/1/repos"},
	"putCheck":        {"POST repos/1/1/check-runs", "PATCH repos/1/1/check-runs/1"},
	"readRepository":  {"GET repositories/1", "GET repos/1/1"},
	"teamPermissions": {"GET orgs/1/teams/1/repos/1/1"},
}

// unread are members that are read although an operation does not have them, and why
// that is right.
var unread = map[string]string{
	"Repositories /repositories/template_repository": "lists do not tell it, and nobody asks them; RepositoryByName does",
	"listPulls /mergeable":                           "lists do not tell it; PullRequest does",
	"listPulls /mergeable_state":                     "the same",
	"listPulls /merged":                              "lists tell merged_at, which is looked at too",
	"Compare /commits/parents/author":                "parents are counted only; go-github has one type for them and for a commit",
	"Compare /commits/parents/committer":             "the same",
	"Compare /commits/parents/message":               "the same",
	"Compare /merge_base_commit/parents/author":      "the same",
	"Compare /merge_base_commit/parents/committer":   "the same",
	"Compare /merge_base_commit/parents/message":     "the same",
}

// TestWhatIsReadIsDescribed holds the fields that are read of GitHub's answers to its
// description, from the source: a field that GitHub does not send would be empty for
// ever, and no test would notice where the hub in package localhub sends it. Of our own
// structures every field counts, of go-github's those that something here asks for.
func TestWhatIsReadIsDescribed(t *testing.T) {
	described, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := typed(t)
	found := s.answers(t)
	unread := maps.Clone(unread)
	for _, name := range slices.Sorted(maps.Keys(elsewhere)) {
		if !slices.ContainsFunc(found, func(a readFrom) bool { return a.function == name }) {
			t.Errorf("elsewhere: %s reads no answer", name)
		}
	}
	for _, a := range found {
		if a.operations == nil {
			t.Errorf("%s: %s reads an answer of what? Add it to elsewhere", a.at, a.function)
		}
		for _, operation := range a.operations {
			method, path, _ := strings.Cut(operation, " ")
			lacking, err := described.Lacking(method, path, s.reads(a.into, s.usedFrom(a.function), nil))
			if err != nil {
				t.Errorf("%s: %v", a.at, err)
			}
			for _, member := range lacking {
				if unread[a.function+" "+member] == "" {
					t.Errorf("%s: %s reads %s, which %s does not have", a.at, a.function, member, operation)
				}
				delete(unread, a.function+" "+member)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unread)) {
		t.Errorf("unread: %s is there, or is not read any more", name)
	}
	t.Logf("%d places read answers", len(found))
}

// sources are the package's own files with their types.
type sources struct {
	set   *token.FileSet
	files []*ast.File
	info  *types.Info
	pkg   *types.Package
	funcs map[string]*function
}

// function is what one function does, or all of that name: methods are not told apart.
type function struct {
	fields        map[string]bool // of go-github's types, as "Repository.FullName"
	calls         map[string]bool
	callers       map[string]bool
	returnsTheirs bool
}

// readFrom is a place where an answer is read.
type readFrom struct {
	at         token.Position
	function   string
	operations []string // "GET repos/1/1/pulls"; nil where the path is not known
	into       types.Type
}

func typed(t *testing.T) *sources {
	t.Helper()
	s := &sources{
		set: token.NewFileSet(), funcs: map[string]*function{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}},
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(s.set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, file)
	}
	// What the compiler knows of the packages that this one imports.
	out, err := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[name] = file
	}
	lookup := func(name string) (io.ReadCloser, error) { return os.Open(exports[name]) }
	conf := types.Config{Importer: importer.ForCompiler(s.set, "gc", lookup)}
	if s.pkg, err = conf.Check("github.com/goldenpaths/syncer/internal/forge", s.set, s.files, s.info); err != nil {
		t.Fatal(err)
	}
	for _, file := range s.files {
		for _, d := range file.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Body != nil {
				s.look(f)
			}
		}
	}
	return s
}

func (s *sources) function(name string) *function {
	if s.funcs[name] == nil {
		s.funcs[name] = &function{fields: map[string]bool{}, calls: map[string]bool{}, callers: map[string]bool{}}
	}
	return s.funcs[name]
}

// look notes what a function reads and calls.
func (s *sources) look(f *ast.FuncDecl) {
	me := s.function(f.Name.Name)
	if f.Type.Results != nil {
		for _, result := range f.Type.Results.List {
			me.returnsTheirs = me.returnsTheirs || theirs(namedOf(s.info.TypeOf(result.Type)))
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if selection := s.info.Selections[n]; selection != nil {
				me.use(selection)
			}
		case *ast.Ident:
			if called, is := s.info.Uses[n].(*types.Func); is && called.Pkg() == s.pkg {
				me.calls[called.Name()] = true
				s.function(called.Name()).callers[f.Name.Name] = true
			}
		}
		return true
	})
}

// use notes a field of go-github's that is read, by itself or by its getter.
func (f *function) use(selection *types.Selection) {
	at, name := selection.Recv(), selection.Obj().Name()
	for _, i := range selection.Index()[:len(selection.Index())-1] {
		at = structOf(at).Field(i).Type() // through what is embedded
	}
	if selection.Kind() != types.FieldVal {
		name = strings.TrimPrefix(name, "Get")
	}
	if named := namedOf(at); theirs(named) {
		f.fields[named.Obj().Name()+"."+name] = true
	}
}

// usedFrom are the fields of go-github's types that a function reads, with those that it
// calls, and where it hands on one of these types, with those that call it.
func (s *sources) usedFrom(name string) map[string]bool {
	used, seen := map[string]bool{}, map[string]bool{}
	var visit func(name string, up bool)
	visit = func(name string, up bool) {
		if seen[name] {
			return
		}
		seen[name] = true
		f := s.function(name)
		maps.Copy(used, f.fields)
		for called := range f.calls {
			visit(called, false)
		}
		if up && f.returnsTheirs {
			for caller := range f.callers {
				visit(caller, true)
			}
		}
	}
	visit(name, true)
	return used
}

func namedOf(t types.Type) *types.Named {
	if p, is := types.Unalias(t).(*types.Pointer); is {
		t = p.Elem()
	}
	named, _ := types.Unalias(t).(*types.Named)
	return named
}

func structOf(t types.Type) *types.Struct {
	if p, is := t.Underlying().(*types.Pointer); is {
		t = p.Elem()
	}
	s, _ := t.Underlying().(*types.Struct)
	return s
}

func theirs(named *types.Named) bool {
	return named != nil && named.Obj().Pkg() != nil && strings.Contains(named.Obj().Pkg().Path(), "google/go-github")
}

// answers finds every place where an answer of the REST API is read.
func (s *sources) answers(t *testing.T) (out []readFrom) {
	t.Helper()
	for _, file := range s.files {
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is || f.Body == nil {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if method, path, into := s.asked(n); into != nil {
					out = append(out, readFrom{s.set.Position(n.Pos()), f.Name.Name, s.operations(f, method, path), s.info.TypeOf(into)})
				}
				return true
			})
		}
	}
	return out
}

// asked returns the parts of a node that reads an answer: a call with out, out given to
// it later, what the App sends, or go-github's own Do.
func (s *sources) asked(n ast.Node) (method, path, into ast.Expr) {
	switch n := n.(type) {
	case *ast.CompositeLit:
		if named := namedOf(s.info.TypeOf(n)); named == nil || named.Obj().Name() != "call" {
			return nil, nil, nil
		}
		parts := map[string]ast.Expr{}
		for _, e := range n.Elts {
			if kv, is := e.(*ast.KeyValueExpr); is {
				parts[types.ExprString(kv.Key)] = kv.Value
			}
		}
		return parts["method"], parts["path"], addressOf(parts["out"])
	case *ast.AssignStmt:
		if to, is := n.Lhs[0].(*ast.SelectorExpr); is && to.Sel.Name == "out" {
			return nil, nil, addressOf(n.Rhs[0])
		}
	case *ast.CallExpr:
		to, is := n.Fun.(*ast.SelectorExpr)
		switch {
		case !is:
		case to.Sel.Name == "send" && len(n.Args) == 5:
			return n.Args[2], n.Args[3], addressOf(n.Args[4])
		case to.Sel.Name == "Do" && len(n.Args) == 3:
			if into = addressOf(n.Args[2]); into != nil && namedOf(s.info.TypeOf(into)).Obj().Name() != "gqlAnswer" {
				return nil, nil, into
			}
		}
	}
	return nil, nil, nil
}

// addressOf is what an expression is the address of, or nil.
func addressOf(e ast.Expr) ast.Expr {
	if of, is := e.(*ast.UnaryExpr); is && of.Op == token.AND {
		return of.X
	}
	return nil
}

func (s *sources) operations(f *ast.FuncDecl, method, path ast.Expr) []string {
	if path != nil {
		if text, known := s.text(f, path); known {
			name := "GET"
			if method != nil {
				name, _ = s.text(f, method)
			}
			text, _, _ = strings.Cut(text, "?")
			return []string{name + " " + text}
		}
	}
	return elsewhere[f.Name.Name]
}

var verb = regexp.MustCompile(`%[a-z]`)

// text is what an expression of a path amounts to, with 1 for what is only known when
// the program runs; known is false where nothing is.
func (s *sources) text(f *ast.FuncDecl, e ast.Expr) (text string, known bool) {
	if v := s.info.Types[e].Value; v != nil && v.Kind() == constant.String {
		return constant.StringVal(v), true
	}
	part := func(e ast.Expr) string {
		text, known := s.text(f, e)
		if !known {
			return "1"
		}
		return text
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return part(e.X) + part(e.Y), true
	case *ast.Ident:
		if one := s.assigned(f, s.info.Uses[e]); one != nil {
			return s.text(f, one)
		}
	case *ast.CallExpr:
		to, is := e.Fun.(*ast.SelectorExpr)
		switch {
		case is && to.Sel.Name == "path":
			parts := []string{"repos/1/1"}
			for _, a := range e.Args {
				parts = append(parts, part(a))
			}
			return strings.Join(parts, "/"), true
		case is && to.Sel.Name == "Sprintf":
			i := 0
			return verb.ReplaceAllStringFunc(part(e.Args[0]), func(string) string { i++; return part(e.Args[i]) }), true
		}
	}
	return "", false
}

// assigned is the one expression that a variable of a function is given, or nil.
func (s *sources) assigned(f *ast.FuncDecl, variable types.Object) (one ast.Expr) {
	several := false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		a, is := n.(*ast.AssignStmt)
		for i := range len(lefts(a, is)) {
			id, is := a.Lhs[i].(*ast.Ident)
			if is && variable != nil && (s.info.Defs[id] == variable || s.info.Uses[id] == variable) && len(a.Rhs) == len(a.Lhs) {
				several, one = one != nil, a.Rhs[i]
			}
		}
		return true
	})
	if several {
		return nil
	}
	return one
}

func lefts(a *ast.AssignStmt, is bool) []ast.Expr {
	if !is {
		return nil
	}
	return a.Lhs
}

// reads are the members that decoding into a type reads, and of go-github's types those
// that are used; in are the types around it.
func (s *sources) reads(t types.Type, used map[string]bool, in []string) openapi.Reads {
	switch u := types.Unalias(t).(type) {
	case *types.Pointer:
		return s.reads(u.Elem(), used, in)
	case *types.Slice:
		return s.reads(u.Elem(), used, in)
	}
	named, fields := namedOf(t), structOf(t)
	if fields == nil || named != nil && (named.Obj().Pkg() != s.pkg && !theirs(named) || readsItself(named) || slices.Contains(in, named.String())) {
		return nil
	}
	if named != nil {
		in = append(slices.Clone(in), named.String())
	}
	out := openapi.Reads{}
	for i := range fields.NumFields() {
		field := fields.Field(i)
		name, _, _ := strings.Cut(reflect.StructTag(fields.Tag(i)).Get("json"), ",")
		switch {
		case field.Embedded() && name == "":
			maps.Copy(out, s.reads(field.Type(), used, in))
		case !field.Exported() || name == "-" || theirs(named) && !used[named.Obj().Name()+"."+field.Name()]:
		case name == "":
			panic(fmt.Sprintf("%s.%s has no name in JSON", t, field.Name()))
		default:
			out[name] = s.reads(field.Type(), used, in)
		}
	}
	return out
}

// readsItself reports whether a type has its own way to read JSON.
func readsItself(named *types.Named) bool {
	set := types.NewMethodSet(types.NewPointer(named))
	return slices.ContainsFunc([]string{"UnmarshalJSON", "UnmarshalText"}, func(name string) bool { return set.Lookup(nil, name) != nil })
}
