package document

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxSchemas bounds a schema with all that it refers to written out. Whoever checks a
// value looks at each part as often as something refers to it: thirty definitions that
// each refer twice to the next are a billion parts.
const maxSchemas = 10_000

// draft is the one version of JSON Schema that is read.
const draft = "https://json-schema.org/draft/2020-12/schema"

// references measures a schema with what it refers to.
type references struct {
	root   any
	sizes  map[string]int  // of what was measured, by its pointer
	within map[string]bool // pointers that are being measured
	faults []Fault
}

// checkReferences returns what is wrong with a schema's references: they lead out of it,
// nowhere, in a circle, or to too much.
func checkReferences(schema any) []Fault {
	r := references{root: schema, sizes: map[string]int{}, within: map[string]bool{"#": true}}
	if r.size(schema, nil) > maxSchemas && len(r.faults) == 0 {
		r.fail(nil, fmt.Sprintf("the schema has more than %d parts when its references are followed, values of enum among them", maxSchemas))
	}
	return r.faults
}

func (r *references) fail(at []string, message string) int {
	r.faults = append(r.faults, Fault{At: at, Message: message})
	return 0
}

// size returns how many parts a schema has, or more than may be.
func (r *references) size(v any, at []string) int {
	total := 0
	switch v := v.(type) {
	case []any:
		for i, part := range v {
			total += r.size(part, append(slices.Clone(at), strconv.Itoa(i)))
		}
	case map[string]any:
		total = 1
		for _, k := range slices.Sorted(maps.Keys(v)) {
			total += r.keyword(k, v[k], at)
		}
	}
	return min(total, maxSchemas+1)
}

// keyword returns the size of what stands under a keyword of a schema at a place.
func (r *references) keyword(k string, v any, at []string) int {
	here := append(slices.Clone(at), k)
	text, isText := v.(string)
	switch k {
	case "enum": // values, not schemas; each of them is held against what is checked
		return parts(v) - 1
	case "default", "const", "examples":
		return 0
	case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas": // keys are names
		named, _ := v.(map[string]any)
		total := 0
		for _, name := range slices.Sorted(maps.Keys(named)) {
			total += r.size(named[name], append(slices.Clone(here), name))
		}
		return total
	}
	switch {
	case !isText:
		return r.size(v, here)
	case k == "$ref":
		return r.referred(text, here)
	case k == "$schema" && text != draft:
		return r.fail(here, "only JSON Schema 2020-12 is read, "+draft)
	case k == "$id" && len(at) > 0, k == "$dynamicRef", k == "$recursiveRef", k == "$anchor", k == "$dynamicAnchor":
		return r.fail(here, k+` is not supported; refer to a definition with $ref: "#/$defs/NAME"`)
	}
	return 0
}

// referred returns the size of what a reference leads to.
func (r *references) referred(to string, at []string) int {
	size, known := r.sizes[to]
	switch {
	case known:
		return size
	case !strings.HasPrefix(to, "#"):
		return r.fail(at, fmt.Sprintf("a schema must not refer to another document (%s)", to))
	case r.within[to]:
		return r.fail(at, fmt.Sprintf("%s refers to itself", to))
	}
	path := strings.Split(to, "/")
	if path[0] != "#" {
		return r.fail(at, fmt.Sprintf("there is no %s", to))
	}
	path = path[1:]
	v := r.root
	for i, step := range path {
		path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		in, _ := v.(map[string]any)
		if v = in[path[i]]; v == nil {
			return r.fail(at, fmt.Sprintf("there is no %s", to))
		}
	}
	r.within[to] = true
	size = r.size(v, path)
	delete(r.within, to)
	r.sizes[to] = size
	return size
}
