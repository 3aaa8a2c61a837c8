package document

import (
	"fmt"
	"math"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxComparisons bounds how often a part of a schema is held against a part of a value: an
// enum of 10,000 words for the items of a list of 100,000 would be looked at a billion
// times, within all the other bounds.
const maxComparisons = 50_000_000

// few is how many parts a value may have without anybody looking at the schema, of which
// the parts are bounded, too.
const few = maxComparisons / maxSchemas

// tooMuch says that checking v would take too long, or nothing. It counts as if every part
// of the schema were held against every part of the value.
func (s *Schema) tooMuch(v any) []Fault {
	values := parts(v)
	if values <= few {
		return nil
	}
	w := weights{}
	if weight := w.of(s.compiled); weight > maxComparisons/values {
		return []Fault{{
			Message: fmt.Sprintf("%d values are too many to be checked by a schema with %d parts and values of enum, which takes %d comparisons at most", values, weight, maxComparisons),
			Hint:    "give fewer values, or have the schema ask for a pattern in place of a long enum",
		}}
	}
	return nil
}

// parts counts a value with all that is in it.
func parts(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += parts(item)
		}
	case map[string]any:
		for _, item := range v {
			n += parts(item)
		}
	}
	return n
}

// weights are how many parts schemas have, with what they refer to written out. Nothing
// refers to itself: [Compile] refuses that.
type weights map[*jsonschema.Schema]int

func (w weights) of(s *jsonschema.Schema) int {
	if s == nil {
		return 0
	}
	if known, ok := w[s]; ok {
		return known
	}
	w[s] = 1
	total := 1 + len(s.Required) + w.all(s.Ref, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema)
	total += w.all(s.AllOf...) + w.all(s.AnyOf...) + w.all(s.OneOf...) + w.all(s.PrefixItems...)
	if s.Enum != nil {
		for _, v := range s.Enum.Values {
			total += parts(v)
		}
	}
	for _, in := range s.Properties {
		total += w.of(in)
	}
	for _, in := range s.PatternProperties {
		total += w.of(in)
	}
	for _, in := range s.DependentSchemas {
		total += w.of(in)
	}
	if in, is := s.AdditionalProperties.(*jsonschema.Schema); is {
		total += w.of(in)
	}
	w[s] = min(total, math.MaxInt32)
	return w[s]
}

func (w weights) all(schemas ...*jsonschema.Schema) (total int) {
	for _, s := range schemas {
		total += w.of(s)
	}
	return total
}
