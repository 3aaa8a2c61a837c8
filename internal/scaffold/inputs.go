package scaffold

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/nearest"
)

// Inputs are values by name: map[string]any, []any, string, bool, int64, float64
// and nil below.
type Inputs = map[string]any

// Facts are what is known of a repository, for inputs with x-from. Keys are the
// names after "repository.", such as name, owner, description and topics; maps
// nest.
type Facts map[string]any

// properties returns the declared inputs, layers' and the golden path's own
// together.
func (g *GoldenPath) properties() map[string]any {
	props, _ := g.inputs["properties"].(map[string]any)
	return props
}

// InputNames returns the names of the declared inputs, in order.
func (g *GoldenPath) InputNames() []string { return slices.Sorted(maps.Keys(g.properties())) }

// Input returns the JSON Schema of one input, and whether it must be given.
func (g *GoldenPath) Input(name string) (property map[string]any, required bool) {
	property, _ = g.properties()[name].(map[string]any)
	list, _ := g.inputs["required"].([]any)
	return property, slices.Contains(list, any(name))
}

// Infer returns given with the values that x-from finds in facts added. What is
// given wins.
func (g *GoldenPath) Infer(given Inputs, facts Facts) Inputs {
	all := maps.Clone(given)
	if all == nil {
		all = Inputs{}
	}
	for _, name := range g.InputNames() {
		if _, ok := all[name]; ok {
			continue
		}
		prop, _ := g.Input(name)
		for _, from := range froms(prop["x-from"]) {
			if v, ok := lookup(facts, strings.TrimPrefix(from, "repository.")); ok && v != "" {
				all[name] = g.inferred(name, v)
				break
			}
		}
	}
	return all
}

// inferred returns a fact as the value of an input. GitHub knows texts where the input
// may be a number, or true or false.
func (g *GoldenPath) inferred(name string, v any) any {
	if text, ok := v.(string); ok {
		if parsed, err := g.Parse(name, text); err == nil {
			return parsed
		}
	}
	return v
}

func froms(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var ss []string
		for _, s := range v {
			ss = append(ss, fmt.Sprint(s))
		}
		return ss
	}
	return nil
}

// lookup follows a dotted path through maps.
func lookup(m map[string]any, dotted string) (any, bool) {
	var v any = m
	for key := range strings.SplitSeq(dotted, ".") {
		var ok bool
		switch in := v.(type) {
		case map[string]any:
			v, ok = in[key]
		case Facts:
			v, ok = in[key]
		}
		if !ok {
			return nil, false
		}
	}
	return v, v != nil
}

// Place says where inputs were given, for messages.
type Place struct {
	File string   // "" where they come from flags
	Text []byte   // of File, where it is YAML whose lines can be told
	At   []string // the keys that lead to the inputs in Text
}

// Problem returns a mistake about the input called name.
func (p Place) Problem(name, message, hint string) document.Problem {
	return p.problem(p.document(), message, hint, []string{name}, (*document.Document).AtKey)
}

// document returns the text in which places are looked for, or nil.
func (p Place) document() *document.Document {
	if len(p.Text) == 0 {
		return nil
	}
	doc, err := document.Parse(p.File, p.Text)
	if err != nil {
		return nil
	}
	return doc
}

func (p Place) problem(doc *document.Document, message, hint string, below []string, at func(*document.Document, string, string, ...string) document.Problem) document.Problem {
	if doc != nil {
		return at(doc, message, hint, slices.Concat(p.At, below)...)
	}
	return document.Problem{File: p.File, Message: message, Hint: hint}
}

// Resolve returns given with defaults filled in, or everything that is wrong
// with it: missing, unknown and ill-typed inputs, all at once, as
// [document.Problems]. A secret need not be given: it was asked for when the
// repository was created, and nobody has it now.
func (g *GoldenPath) Resolve(at Place, given Inputs) (Inputs, error) {
	return g.resolve(g.later, at, given)
}

// ResolveNew is [GoldenPath.Resolve] for a repository that is created, for which
// required secrets must be given too.
func (g *GoldenPath) ResolveNew(at Place, given Inputs) (Inputs, error) {
	return g.resolve(g.schema, at, given)
}

func (g *GoldenPath) resolve(schema *document.Schema, at Place, given Inputs) (Inputs, error) {
	all, _ := withDefaults(g.inputs, given).(map[string]any)
	var ps document.Problems
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := g.properties()[name]; !known {
			unknown = append(unknown, name)
		}
	}
	faults := schema.Check(all)
	if len(unknown)+len(faults) == 0 {
		return all, nil
	}
	doc := at.document() // once: there can be as many mistakes as it has values
	for _, name := range unknown {
		ps = append(ps, at.problem(doc, fmt.Sprintf("unknown input %q", name), nearest.Hint(name, g.InputNames()), []string{name}, (*document.Document).AtKey))
	}
	for _, f := range faults {
		ps = append(ps, at.problem(doc, g.inputMessage(f), g.describe(f.At), f.At, (*document.Document).At))
	}
	return all, ps.Err()
}

func (g *GoldenPath) inputMessage(f document.Fault) string {
	switch {
	case len(f.At) > 0:
		return fmt.Sprintf("input %q: %s", strings.Join(f.At, "."), g.faultOf(f))
	case slices.ContainsFunc(f.Shows, g.holdsSecret):
		return "the inputs do not fit together; one of them is a secret, and is not shown"
	}
	return "input " + f.Message
}

// faultOf is what is wrong with an input's value, which most messages repeat.
func (g *GoldenPath) faultOf(f document.Fault) string {
	if g.IsSecret(f.At[0]) {
		return "the value does not fit; it is a secret, and is not shown"
	}
	return f.Message
}

// holdsSecret reports whether what is at a place among the inputs is, or has in it, a
// secret.
func (g *GoldenPath) holdsSecret(at []string) bool {
	if len(at) == 0 {
		return len(g.secrets) > 0
	}
	return g.IsSecret(at[0])
}

// describe returns what an input is for, from its title or description.
func (g *GoldenPath) describe(at []string) string {
	if len(at) == 0 {
		return ""
	}
	prop, _ := g.Input(at[0])
	for _, key := range []string{"title", "description"} {
		if s, ok := prop[key].(string); ok {
			return "it is: " + s
		}
	}
	return ""
}

// withDefaults returns v with the defaults of an object schema's properties
// filled in, at every depth, also in the items of lists. An optional property without a
// default is left out.
func withDefaults(schema map[string]any, v any) any {
	if list, ok := v.([]any); ok {
		return itemsWithDefaults(schema, list)
	}
	props, _ := schema["properties"].(map[string]any)
	m, ok := v.(map[string]any)
	if !ok && v != nil || props == nil {
		return v
	}
	out := maps.Clone(m)
	if out == nil {
		out = map[string]any{}
	}
	for name, p := range props {
		prop, _ := p.(map[string]any)
		given, has := out[name]
		switch def, hasDefault := prop["default"]; {
		case has:
			out[name] = withDefaults(prop, given)
		case hasDefault:
			out[name] = withDefaults(prop, def)
		}
	}
	return out
}

func itemsWithDefaults(schema map[string]any, list []any) any {
	items, ok := schema["items"].(map[string]any)
	if !ok {
		return list
	}
	out := make([]any, len(list))
	for i, item := range list {
		if out[i] = item; item != nil {
			out[i] = withDefaults(items, item)
		}
	}
	return out
}

// Public returns inputs without the secret ones, which is what may be written to
// a file.
func (g *GoldenPath) Public(inputs Inputs) Inputs {
	out := maps.Clone(inputs)
	for _, name := range g.secrets {
		delete(out, name)
	}
	return out
}

// IsSecret reports whether an input is one that nothing writes or renders.
func (g *GoldenPath) IsSecret(name string) bool { return slices.Contains(g.secrets, name) }

// Secrets returns the names of the inputs that nothing writes or renders, in order.
func (g *GoldenPath) Secrets() []string { return slices.Clone(g.secrets) }

// secretsOf returns the names of the inputs that are secret, in order.
func secretsOf(schema map[string]any) []string {
	props, _ := schema["properties"].(map[string]any)
	var names []string
	for name, p := range props {
		if def, ok := p.(map[string]any); ok && def["writeOnly"] == true {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// withoutSecrets returns the part of an inputs' schema that holds when the secrets
// are not known: they are not required, and rules over several inputs that name one
// are left out.
func withoutSecrets(schema map[string]any, secrets []string) map[string]any {
	later := map[string]any{}
	for key, v := range schema {
		switch key {
		case "properties", "$defs", "definitions":
			later[key] = v
		case "required", "allOf":
			list, _ := v.([]any)
			if left := slices.DeleteFunc(slices.Clone(list), func(part any) bool { return names(part, secrets) }); len(left) > 0 {
				later[key] = left
			}
		default:
			if !names(v, secrets) {
				later[key] = v
			}
		}
	}
	return later
}

// names reports whether a part of a schema names one of some inputs.
func names(part any, inputs []string) bool {
	switch v := part.(type) {
	case string:
		return slices.Contains(inputs, v)
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return names(item, inputs) })
	case map[string]any:
		for key, item := range v {
			if slices.Contains(inputs, key) || names(item, inputs) {
				return true
			}
		}
	}
	return false
}

// Parse reads an input that was given as text, such as a flag's, by the type
// that the schema declares: numbers and true or false as such, a list as
// a,b,c or [a, b], an object as {k: v}.
func (g *GoldenPath) Parse(name, text string) (any, error) {
	prop, _ := g.Input(name)
	fault := func(want string) error {
		said := fmt.Sprintf("%q", text)
		if g.IsSecret(name) {
			said = "the secret value"
		}
		return document.Problem{Message: fmt.Sprintf("input %q: %s is not %s", name, said, want), Hint: g.describe([]string{name})}
	}
	switch prop["type"] {
	case "integer":
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fault("a whole number")
		}
		return i, nil
	case "number":
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fault("a number")
		}
		return f, nil
	case "boolean":
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fault("true or false")
		}
		return b, nil
	case "array":
		if !strings.HasPrefix(strings.TrimSpace(text), "[") {
			text = "[" + text + "]"
		}
		return parseYAML(text, fault("a list such as a,b,c"))
	case "object":
		return parseYAML(text, fault("an object such as {key: value}"))
	case "string":
		return text, nil
	}
	return g.fitting(name, text), nil
}

// fitting returns what a text means for an input that has no one type: the text, or the
// value that it is in YAML where only that fits.
func (g *GoldenPath) fitting(name, text string) any {
	if g.CheckInput(name, text) == nil {
		return text
	}
	if d, err := document.Parse("", []byte(text)); err == nil && g.CheckInput(name, d.Value()) == nil {
		return d.Value()
	}
	return text
}

func parseYAML(text string, fault error) (any, error) {
	d, err := document.Parse("", []byte(text))
	if err != nil {
		return nil, fault
	}
	return d.Value(), nil
}

// CheckInput returns what is wrong with one input's value alone, or nil.
func (g *GoldenPath) CheckInput(name string, v any) error {
	for _, f := range g.schema.Check(Inputs{name: v}) {
		if len(f.At) > 0 && f.At[0] == name {
			return errors.New(g.faultOf(f))
		}
	}
	return nil
}
