package localhub

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

//go:embed graph.graphql
var graphText string

// graphSchema is parsed at the first query; the text is part of the program.
var graphSchema = sync.OnceValue(func() *ast.Schema {
	return gqlparser.MustLoadSchema(&ast.Source{Name: "graph.graphql", Input: graphText})
})

func graphRoutes() []route {
	return []route{{method: http.MethodPost, path: "/graphql", serve: serveGraph}}
}

const (
	graphTokens = 50_000 // of one query
	graphNodes  = 10_000 // objects that one answer may resolve; GitHub's bound is 500,000 nodes
)

// graphError is an error of one field as GitHub writes it.
type graphError struct {
	Type    string `json:"type,omitempty"`
	Message string `json:"message"`
	Path    []any  `json:"path,omitempty"`
}

// Error is the message.
func (e *graphError) Error() string { return e.Message }

// execution is one document being answered.
type execution struct {
	c         *call
	variables map[string]any
	errors    []*graphError
	nodes     int
}

// serveGraph answers a document. What goes wrong inside is a 200 with errors.
func serveGraph(c *call) answer {
	if c.hub.options.NoGraphQL {
		return notFound()
	}
	var in struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
		Operation string         `json:"operationName"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	operation, variables, err := parseGraph(in.Query, in.Operation, in.Variables)
	if err != nil {
		return ok(obj{"errors": graphFaults(err)})
	}
	x := &execution{c: c, variables: variables}
	root := any(queryRoot{})
	if operation.Operation == ast.Mutation {
		root = mutationRoot{}
	}
	data, failed := x.object(root, operation.SelectionSet, nil)
	body := obj{"data": data}
	if failed {
		body["data"] = nil
	}
	if x.errors != nil {
		body["errors"] = x.errors
	}
	return ok(body)
}

// mutates tells whether a GraphQL request changes something, by its first word.
func mutates(body []byte) bool {
	var in struct {
		Query string `json:"query"`
	}
	return json.Unmarshal(body, &in) == nil && strings.HasPrefix(strings.TrimSpace(in.Query), "mutation")
}

// parseGraph reads and checks a document against the schema.
func parseGraph(text, name string, given map[string]any) (*ast.OperationDefinition, map[string]any, error) {
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, graphTokens)
	if err != nil {
		return nil, nil, err
	}
	if list := validator.ValidateWithRules(graphSchema(), document, rules.NewDefaultRules()); len(list) > 0 {
		return nil, nil, list
	}
	operation := document.Operations.ForName(name)
	if operation == nil {
		return nil, nil, errors.New("An operation name is required") //nolint:staticcheck // GitHub's words
	}
	variables, err := validator.VariableValues(graphSchema(), operation, given)
	if err != nil {
		return nil, nil, err
	}
	return operation, variables, nil
}

func graphFaults(err error) []obj {
	var list gqlerror.List
	var one *gqlerror.Error
	switch {
	case errors.As(err, &list):
	case errors.As(err, &one):
		list = gqlerror.List{one}
	default:
		return []obj{{"message": err.Error()}}
	}
	var out []obj
	for _, e := range list {
		out = append(out, obj{"message": e.Message, "locations": e.Locations, "path": []string{"query"}})
	}
	return out
}

// object answers a selection on a value. failed tells that a field that must not be
// null is null, so that the object itself is.
func (x *execution) object(on any, set ast.SelectionSet, path []any) (out obj, failed bool) {
	out = obj{}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if !x.included(s.Directives) {
				continue
			}
			value, bad := x.field(on, s, append(slices.Clip(path), s.Alias))
			failed = failed || bad
			merge(out, s.Alias, value)
		case *ast.InlineFragment:
			if x.included(s.Directives) && applies(on, s.TypeCondition) {
				failed = x.fragment(out, on, s.SelectionSet, path) || failed
			}
		case *ast.FragmentSpread:
			if x.included(s.Directives) && applies(on, s.Definition.TypeCondition) {
				failed = x.fragment(out, on, s.Definition.SelectionSet, path) || failed
			}
		}
	}
	return out, failed
}

func (x *execution) fragment(out obj, on any, set ast.SelectionSet, path []any) bool {
	fields, failed := x.object(on, set, path)
	for name, value := range fields {
		merge(out, name, value)
	}
	return failed
}

// merge adds a field; the same object selected twice is one object.
func merge(out obj, name string, value any) {
	was, both := out[name].(obj)
	more, isObject := value.(obj)
	if !both || !isObject {
		out[name] = value
		return
	}
	for k, v := range more {
		merge(was, k, v)
	}
}

func (x *execution) included(list ast.DirectiveList) bool {
	for _, d := range list {
		on, _ := d.ArgumentMap(x.variables)["if"].(bool)
		if d.Name == "include" && !on || d.Name == "skip" && on {
			return false
		}
	}
	return true
}

// applies tells whether a fragment on a type is for a value.
func applies(on any, condition string) bool {
	kind := graphType(on)
	if condition == "" || condition == kind {
		return true
	}
	return slices.Contains(graphSchema().Types[kind].Interfaces, condition)
}

func (x *execution) field(on any, f *ast.Field, path []any) (value any, failed bool) {
	if f.Name == "__typename" {
		return graphType(on), false
	}
	if x.nodes++; x.nodes > graphNodes {
		x.fail(&graphError{Type: "MAX_NODE_LIMIT_EXCEEDED", Message: fmt.Sprintf("This query requests more than %d nodes.", graphNodes)}, path)
		return nil, true
	}
	found, err := x.resolve(on, f.Name, f.ArgumentMap(x.variables))
	if err != nil {
		var one *graphError
		if !errors.As(err, &one) {
			one = &graphError{Type: "INTERNAL", Message: err.Error()}
		}
		x.fail(one, path)
		return nil, f.Definition.Type.NonNull
	}
	return x.complete(found, f, path)
}

func (x *execution) fail(e *graphError, path []any) {
	copied := *e
	copied.Path = path
	x.errors = append(x.errors, &copied)
}

// complete descends into objects and lists of them.
func (x *execution) complete(found any, f *ast.Field, path []any) (any, bool) {
	if list, is := found.([]any); is {
		out := []any{}
		for n, one := range list {
			value, failed := x.complete(one, f, append(slices.Clip(path), n))
			if failed {
				return nil, f.Definition.Type.NonNull
			}
			out = append(out, value)
		}
		return out, false
	}
	if found == nil || graphType(found) == "" {
		return found, false
	}
	value, failed := x.object(found, f.SelectionSet, path)
	if failed {
		return nil, f.Definition.Type.NonNull
	}
	return value, false
}
