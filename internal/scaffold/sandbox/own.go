package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/semver/v3"
	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/internal/document"
)

// calls are the functions that syncer defines itself: because sprig's vary from
// run to run, change their arguments, or can make much out of little.
type calls struct {
	budget *budget
	root   *template.Template
}

type (
	dict = map[string]any
	list = []any
)

// own are functions whose result is about as large as their arguments.
func (c calls) own() map[string]any {
	return map[string]any{
		"append":    func(l list, v any) list { return append(slices.Clone(l), v) },
		"prepend":   func(l list, v any) list { return append(list{v}, l...) },
		"list":      func(vs ...any) list { return slices.Clone(vs) },
		"tuple":     func(vs ...any) list { return slices.Clone(vs) },
		"concat":    func(ls ...list) list { return slices.Concat(ls...) },
		"first":     func(l list) any { return at(l, 0) },
		"last":      func(l list) any { return at(l, len(l)-1) },
		"rest":      func(l list) list { return slices.Clone(l[min(1, len(l)):]) },
		"initial":   func(l list) list { return slices.Clone(l[:max(0, len(l)-1)]) },
		"reverse":   func(l list) list { l = slices.Clone(l); slices.Reverse(l); return l },
		"compact":   func(l list) list { return slices.DeleteFunc(slices.Clone(l), isEmpty) },
		"uniq":      uniq,
		"without":   without,
		"sortAlpha": sortAlpha,
		"dict":      newDict,
		"get":       func(d dict, k string) any { return d[k] },
		"set":       func(d dict, k string, v any) dict { return mergeDicts(d, dict{k: v}) },
		"unset":     func(d dict, k string) dict { d = maps.Clone(d); delete(d, k); return d },
		"pick": func(d dict, ks ...string) dict {
			return filter(d, func(k string) bool { return slices.Contains(ks, k) })
		},
		"omit": func(d dict, ks ...string) dict {
			return filter(d, func(k string) bool { return !slices.Contains(ks, k) })
		},
		"keys":           func(d dict) list { return anys(slices.Sorted(maps.Keys(d))) },
		"values":         values,
		"merge":          func(ds ...dict) dict { slices.Reverse(ds); return mergeDeep(ds...) },
		"mergeOverwrite": func(ds ...dict) dict { return mergeDeep(ds...) },
		"dig":            dig,
		"fromJson":       fromJSON,
		"fromYaml":       fromYAML,
		"toJson":         func(v any) (string, error) { return toJSON(v, "") },
		"toRawJson":      func(v any) (string, error) { return toJSON(v, "") },
		"toPrettyJson":   func(v any) (string, error) { return toJSON(v, "  ") },
		"toYaml":         toYAML,
		"required":       required,
		"semver":         func(s string) (dict, error) { return parseVersion(s) },
		"splitList":      func(sep, s string) list { return anys(strings.Split(s, sep)) },
		"regexMatch":     func(re, s string) (bool, error) { return regexp.MatchString(re, s) },
		"regexFind":      regexFind,
		"regexFindAll":   regexFindAll,
		"regexSplit":     regexSplit,
		"include":        c.include,
		"fileName":       path.Base,
	}
}

// growing are functions that can make much out of little. Each asks the budget
// before it makes anything.
func (c calls) growing() template.FuncMap {
	text := func(name string, fn any) any { return metered(c.budget, name, fn) }
	return template.FuncMap{
		"repeat": text("repeat", func(n int, s string) (string, error) {
			n = max(n, 0)
			return guarded(c, n, len(s), func() string { return strings.Repeat(s, n) })
		}),
		"replace": text("replace", func(from, to, s string) (string, error) {
			return guarded(c, strings.Count(s, from), len(to), func() string { return strings.ReplaceAll(s, from, to) })
		}),
		"regexReplaceAll":        text("regexReplaceAll", func(re, s, to string) (string, error) { return c.regexReplace(re, s, to, false) }),
		"regexReplaceAllLiteral": text("regexReplaceAllLiteral", func(re, s, to string) (string, error) { return c.regexReplace(re, s, to, true) }),
		"indent":                 text("indent", func(n int, s string) (string, error) { return c.indent(n, s, "") }),
		"nindent":                text("nindent", func(n int, s string) (string, error) { return c.indent(n, s, "\n") }),
		"join":                   text("join", c.join),
		"cat":                    text("cat", func(vs ...any) (string, error) { return c.join(" ", vs) }),
		"until":                  text("until", func(n int64) (list, error) { return c.sequence(0, n, 1) }),
		"untilStep":              text("untilStep", c.sequence),
		"print":                  text("print", func(vs ...any) (string, error) { return c.sprint(fmt.Sprint, vs) }),
		"println":                text("println", func(vs ...any) (string, error) { return c.sprint(fmt.Sprintln, vs) }),
		"printf":                 text("printf", c.printf),
		"html":                   text("html", func(vs ...any) (string, error) { return c.sprint(template.HTMLEscaper, vs) }),
		"js":                     text("js", func(vs ...any) (string, error) { return c.sprint(template.JSEscaper, vs) }),
		"urlquery":               text("urlquery", func(vs ...any) (string, error) { return c.sprint(template.URLQueryEscaper, vs) }),
	}
}

// guarded makes a value of n times size bytes if the budget allows that many.
func guarded[T any](c calls, n, size int, build func() T) (T, error) {
	limit := c.budget.limits.Value
	if size > 0 && n > limit/size {
		var none T
		return none, document.Problem{Message: fmt.Sprintf("a value would have more than %d bytes", limit)}
	}
	return build(), nil
}

func (c calls) regexReplace(pattern, s, to string, literal bool) (string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	// Each match can insert the whole text for each $ of the replacement.
	size := len(to)
	if !literal {
		size += strings.Count(to, "$") * len(s)
	}
	return guarded(c, len(re.FindAllStringIndex(s, -1)), size, func() string {
		if literal {
			return re.ReplaceAllLiteralString(s, to)
		}
		return re.ReplaceAllString(s, to)
	})
}

func (c calls) indent(n int, s, before string) (string, error) {
	n = max(n, 0)
	return guarded(c, 1+strings.Count(s, "\n"), n, func() string {
		pad := strings.Repeat(" ", n)
		return before + pad + strings.ReplaceAll(s, "\n", "\n"+pad)
	})
}

func (c calls) join(sep string, v any) (string, error) {
	var parts []string
	switch v := v.(type) {
	case list:
		for _, item := range v {
			if item != nil {
				parts = append(parts, fmt.Sprint(item))
			}
		}
	case []string:
		parts = v
	default:
		return "", document.Problem{Message: "join: this is " + describe(v) + "; it must be a list"}
	}
	return guarded(c, len(parts), len(sep), func() string { return strings.Join(parts, sep) })
}

func (c calls) sequence(from, to, step int64) (list, error) {
	if step == 0 || from < to && step < 0 || from > to && step > 0 {
		return list{}, nil
	}
	n := (to - from) / step
	if n < 0 || n > int64(c.budget.limits.Value)/16 {
		return nil, document.Problem{Message: fmt.Sprintf("a list of %d numbers is too long", n)}
	}
	l := list{}
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		l = append(l, i)
	}
	return l, nil
}

// escapes is how many bytes an escaping function makes of one.
const escapes = 6

func (c calls) sprint(format func(...any) string, vs []any) (string, error) {
	return guarded(c, deepSize(vs, c.budget.limits.Value), escapes, func() string { return format(vs...) })
}

var wide = regexp.MustCompile(`%[-+# 0]*(\*|\d{4,}|\d*\.(\*|\d{4,})|\[)`)

// printf refuses widths of 1,000 and more, and ones taken from arguments.
func (c calls) printf(format string, vs ...any) (string, error) {
	if m := wide.FindString(format); m != "" {
		return "", document.Problem{Message: fmt.Sprintf("printf: the width in %q is not allowed", m), Hint: "use a number below 1000"}
	}
	size := strings.Count(format, "%")*1000 + len(format) + 2*deepSize(vs, c.budget.limits.Value)
	return guarded(c, 1, size, func() string { return fmt.Sprintf(format, vs...) })
}

func (c calls) include(name string, data any) (string, error) {
	t := c.root.Lookup(name)
	if t == nil {
		return "", document.Problem{Message: fmt.Sprintf("there is no partial %q", name), Hint: "partials are the files in partials/"}
	}
	// What a partial writes is cut out of the one output, so that it counts
	// against the same limit.
	out := &c.budget.out
	start := out.Len()
	if err := t.Execute(c.budget, data); err != nil {
		return "", err
	}
	text := string(out.Bytes()[start:])
	out.Truncate(start)
	return text, nil
}

func at(l list, i int) any {
	if i < 0 || i >= len(l) {
		return nil
	}
	return l[i]
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case list:
		return len(v) == 0
	case dict:
		return len(v) == 0
	case int64:
		return v == 0
	case int:
		return v == 0
	case float64:
		return v == 0
	}
	return false
}

// identity is a key by which values are equal when they print the same as JSON.
func identity(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T %v", v, v)
	}
	return string(b)
}

func uniq(l list) list {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(l), func(v any) bool {
		k := identity(v)
		defer func() { seen[k] = true }()
		return seen[k]
	})
}

func without(l list, vs ...any) list {
	gone := map[string]bool{}
	for _, v := range vs {
		gone[identity(v)] = true
	}
	return slices.DeleteFunc(slices.Clone(l), func(v any) bool { return gone[identity(v)] })
}

func sortAlpha(l list) list {
	ss := make([]string, len(l))
	for i, v := range l {
		ss[i] = fmt.Sprint(v)
	}
	slices.Sort(ss)
	return anys(ss)
}

func anys(ss []string) list {
	l := make(list, len(ss))
	for i, s := range ss {
		l[i] = s
	}
	return l
}

func newDict(kvs ...any) (dict, error) {
	if len(kvs)%2 != 0 {
		return nil, document.Problem{Message: "dict takes keys and values in pairs"}
	}
	d := dict{}
	for i := 0; i < len(kvs); i += 2 {
		k, ok := kvs[i].(string)
		if !ok {
			return nil, document.Problem{Message: "a key of a dict is " + describe(kvs[i]) + "; it must be text"}
		}
		d[k] = kvs[i+1]
	}
	return d, nil
}

func filter(d dict, keep func(string) bool) dict {
	out := dict{}
	for k, v := range d {
		if keep(k) {
			out[k] = v
		}
	}
	return out
}

func values(d dict) list {
	l := make(list, 0, len(d))
	for _, k := range slices.Sorted(maps.Keys(d)) {
		l = append(l, d[k])
	}
	return l
}

func mergeDicts(ds ...dict) dict {
	out := dict{}
	for _, d := range ds {
		maps.Copy(out, d)
	}
	return out
}

// mergeDeep returns a new dict; where two have the same key, a later dict wins,
// and dicts below a key are merged too.
func mergeDeep(ds ...dict) dict {
	out := dict{}
	for _, d := range ds {
		for k, v := range d {
			below, ok := v.(dict)
			before, both := out[k].(dict)
			if ok && both {
				v = mergeDeep(before, below)
			}
			out[k] = v
		}
	}
	return out
}

func dig(args ...any) (any, error) {
	if len(args) < 3 {
		return nil, document.Problem{Message: "dig takes keys, a default and a dict"}
	}
	v := args[len(args)-1]
	for _, k := range args[:len(args)-2] {
		d, _ := v.(dict)
		next, ok := d[fmt.Sprint(k)]
		if !ok {
			return args[len(args)-2], nil
		}
		v = next
	}
	return v, nil
}

func required(message string, v any) (any, error) {
	if isEmpty(v) && v != false && v != int64(0) {
		return nil, document.Problem{Message: message}
	}
	return v, nil
}

func parseVersion(s string) (dict, error) {
	v, err := semver.NewVersion(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a version: %w", s, err)
	}
	return dict{"Major": int64(v.Major()), "Minor": int64(v.Minor()), "Patch": int64(v.Patch()), "Prerelease": v.Prerelease(), "Metadata": v.Metadata(), "Original": v.Original()}, nil //nolint:gosec // version numbers
}

func regexFind(pattern, s string) (string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	return re.FindString(s), nil
}

func regexFindAll(pattern, s string, n int) (list, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return anys(re.FindAllString(s, n)), nil
}

func regexSplit(pattern, s string, n int) (list, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return anys(re.Split(s, n)), nil
}

func toJSON(v any, indent string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func fromJSON(s string) (any, error) { return parseValue(s) }

func fromYAML(s string) (any, error) { return parseValue(s) }

// parseValue reads JSON and YAML with the bounds that documents have.
func parseValue(s string) (any, error) {
	d, err := document.Parse("", []byte(s))
	if err != nil {
		return nil, document.Problem{Message: strings.TrimPrefix(err.Error(), ": ")}
	}
	return d.Value(), nil
}

func toYAML(v any) (string, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
