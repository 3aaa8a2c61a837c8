package document

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/goldenpaths/syncer/internal/nearest"
)

// Schema is a compiled JSON Schema. It is safe for concurrent use.
type Schema struct{ compiled *jsonschema.Schema }

// noLoader refuses references to other documents: a schema that comes with a
// golden path must not make anybody read a file or a URL.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("a schema must not refer to another document (%s)", url)
}

// CompileJSON compiles a JSON Schema given as JSON text.
func CompileJSON(text []byte) (*Schema, error) {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return nil, fmt.Errorf("JSON Schema: %w", err)
	}
	return Compile(v)
}

// Compile compiles a JSON Schema (2020-12 unless it says otherwise) given as a
// value, such as [Document.Value] returns. Formats are checked.
func Compile(v any) (*Schema, error) {
	if faults := checkReferences(v); len(faults) > 0 {
		return nil, &SchemaError{faults}
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.AssertFormat()
	const url = "mem:///schema.json"
	if err := c.AddResource(url, v); err != nil {
		return nil, fmt.Errorf("JSON Schema: %w", err)
	}
	s, err := c.Compile(url)
	if err != nil {
		return nil, compileError(err)
	}
	return &Schema{s}, nil
}

// SchemaError says what is wrong with a schema itself.
type SchemaError struct {
	// Faults are the mistakes; At is the path of keys to each.
	Faults []Fault
}

// Fault is one mistake at a place within a value.
type Fault struct {
	At      []string
	Message string
	Hint    string
	// Shows are the places of the values that Message repeats.
	Shows [][]string
	key   string // where the mistake is a key of At's value, its name
}

// Error returns the faults, one a line.
func (e *SchemaError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = strings.TrimPrefix(strings.Join(f.At, ".")+": "+f.Message, ": ")
	}
	return strings.Join(lines, "\n")
}

func compileError(err error) error {
	if sv, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if ve, ok := errors.AsType[*jsonschema.ValidationError](sv.Err); ok {
			return &SchemaError{Faults: faults(ve, nil)}
		}
	}
	return &SchemaError{Faults: []Fault{{Message: err.Error()}}}
}

// Check returns every way in which v does not fit the schema, in order of place.
func (s *Schema) Check(v any) []Fault {
	if fs := s.tooMuch(v); fs != nil {
		return fs
	}
	var ve *jsonschema.ValidationError
	if err := s.compiled.Validate(v); errors.As(err, &ve) {
		return faults(ve, s.compiled)
	}
	return nil
}

// Validate returns every way in which the document does not fit the schema.
func (d *Document) Validate(s *Schema) Problems {
	return d.Place(s.Check(d.value))
}

// Place finds the positions of faults that lie below the given path of the
// document.
func (d *Document) Place(fs []Fault, below ...string) Problems {
	var ps Problems
	for _, f := range fs {
		at := append(slices.Clone(below), f.At...)
		if f.key != "" {
			ps = append(ps, d.AtKey(f.Message, f.Hint, append(at, f.key)...))
			continue
		}
		ps = append(ps, d.At(f.Message, f.Hint, at...))
	}
	return ps
}

// faults flattens the tree of causes into its leaves. The branches of oneOf and
// anyOf say contradicting things, so they are told as one.
func faults(ve *jsonschema.ValidationError, root *jsonschema.Schema) []Fault {
	var fs []Fault
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		switch k := e.ErrorKind.(type) {
		case *kind.AdditionalProperties:
			known := knownKeys(root, e.InstanceLocation)
			for _, p := range slices.Sorted(slices.Values(k.Properties)) {
				fs = append(fs, Fault{At: e.InstanceLocation, key: p, Message: fmt.Sprintf("unknown key %q", p), Hint: nearest.Hint(p, known)})
			}
			return
		case *kind.Required:
			for _, m := range k.Missing {
				fs = append(fs, Fault{At: e.InstanceLocation, Message: fmt.Sprintf("%q is missing", m)})
			}
			return
		case *kind.OneOf, *kind.AnyOf:
			if only := byType(e); only != nil {
				walk(only)
				return
			}
			fs = append(fs, Fault{At: e.InstanceLocation, Message: alternatives(e), Shows: shown(e)})
			return
		case *kind.PropertyNames:
			fs = append(fs, Fault{At: e.InstanceLocation, key: k.Property, Message: fmt.Sprintf("%q cannot be a key here: %s", k.Property, leaf(e))})
			return
		}
		if len(e.Causes) == 0 {
			fs = append(fs, Fault{At: e.InstanceLocation, Message: say(e.ErrorKind), Shows: shown(e)})
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(ve)
	slices.SortStableFunc(fs, func(a, b Fault) int { return slices.Compare(a.At, b.At) })
	return fs
}

func say(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Pattern:
		return fmt.Sprintf("%q does not match the pattern %s", k.Got, k.Want)
	case *kind.Minimum:
		return fmt.Sprintf("%s is less than the minimum %s", k.Got.RatString(), k.Want.RatString())
	case *kind.Maximum:
		return fmt.Sprintf("%s is more than the maximum %s", k.Got.RatString(), k.Want.RatString())
	case *kind.Type:
		return fmt.Sprintf("this is of type %s; it must be %s", k.Got, strings.Join(k.Want, " or "))
	case *kind.Enum:
		return fmt.Sprintf("%v is not one of %s", k.Got, oneOf(k.Want))
	case *kind.Const:
		return fmt.Sprintf("%v is not %v", k.Got, k.Want)
	}
	return k.LocalizedString(message.NewPrinter(language.English))
}

// maxWords is how many values of an enum a message repeats: each of a list's items may
// have one.
const maxWords = 20

func oneOf(values []any) string {
	shown := values[:min(len(values), maxWords)]
	words := make([]string, len(shown))
	for i, w := range shown {
		words[i] = fmt.Sprint(w)
	}
	all := strings.Join(words, ", ")
	if more := len(values) - len(shown); more > 0 {
		all += fmt.Sprintf(" or %d more", more)
	}
	return all
}

func leaf(e *jsonschema.ValidationError) string { return say(firstLeaf(e).ErrorKind) }

func firstLeaf(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	return e
}

// shown returns the places of the values that the message about e repeats. Only few
// mistakes of a value as a whole show all of it.
func shown(e *jsonschema.ValidationError) [][]string {
	var places [][]string
	for _, c := range e.Causes {
		places = append(places, shown(firstLeaf(c))...)
	}
	switch e.ErrorKind.(type) {
	case *kind.Enum, *kind.Const:
		return [][]string{e.InstanceLocation}
	}
	if len(e.Causes) == 0 && len(e.InstanceLocation) > 0 {
		return [][]string{e.InstanceLocation}
	}
	return places
}

// byType returns the one alternative that does not fail for the value's type,
// which is the one that was meant.
func byType(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	var meant *jsonschema.ValidationError
	for _, c := range e.Causes {
		inner := c
		for len(inner.Causes) == 1 {
			inner = inner.Causes[0]
		}
		if _, ok := inner.ErrorKind.(*kind.Type); ok && len(inner.Causes) == 0 {
			continue
		}
		if meant != nil {
			return nil
		}
		meant = c
	}
	return meant
}

func alternatives(e *jsonschema.ValidationError) string {
	ways := make([]string, 0, len(e.Causes))
	for _, c := range e.Causes {
		if l := leaf(c); !slices.Contains(ways, l) {
			ways = append(ways, l)
		}
	}
	return "this fits none of what is allowed here: " + strings.Join(ways, "; or ")
}

// knownKeys returns the keys that the schema names for the object at a path.
func knownKeys(s *jsonschema.Schema, at []string) []string {
	for _, step := range at {
		for s != nil && s.Ref != nil {
			s = s.Ref
		}
		if s == nil {
			return nil
		}
		switch next, ok := s.Properties[step]; {
		case ok:
			s = next
		case s.Items2020 != nil:
			s = s.Items2020
		default:
			s, _ = s.AdditionalProperties.(*jsonschema.Schema)
		}
	}
	for s != nil && s.Ref != nil {
		s = s.Ref
	}
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.Properties))
}
