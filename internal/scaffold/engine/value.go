package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// A value of a template is nil, a bool, a string, an int64, a float64, a list, a
// dict or a *semver.Version. Nothing else comes in, and no function makes
// anything else, so that no method of a Go type can be reached from a template.
type (
	list = []any
	dict = map[string]any
)

// maxNesting bounds how deep values are in each other. It stops
// {{range 100000}}{{$a = list $a}}{{end}} from overflowing the stack of whoever
// walks over $a, which nothing in Go recovers from.
const maxNesting = 200

var errNesting = &fault{
	message: fmt.Sprintf("the value has more than %d lists and dicts in each other", maxNesting),
	hint:    "keep data flatter",
}

// canonical reports whether v consists of a template's values already, which
// saves a copy for each execution.
func canonical(v any, depth int) bool {
	if depth > maxNesting {
		return false
	}
	switch v := v.(type) {
	case nil, bool, string, int64, float64:
		return true
	case list:
		return !slices.ContainsFunc(v, func(item any) bool { return !canonical(item, depth+1) })
	case dict:
		for _, item := range v {
			if !canonical(item, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// copyInput returns data as values of a template that share nothing with it.
func (r *run) copyInput(data dict) (dict, error) {
	v, err := r.input(data, 0)
	if err != nil {
		return nil, err
	}
	own, _ := v.(dict)
	return own, nil
}

func (r *run) input(v any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errNesting
	}
	switch v := v.(type) {
	case nil, bool, int64, float64:
		return v, nil
	case string:
		return v, r.charge(len(v))
	case json.Number:
		return number(v)
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Map:
		return r.inputMap(rv, depth)
	case reflect.Slice, reflect.Array:
		return r.inputList(rv, depth)
	default:
		return inputScalar(rv)
	}
}

func (r *run) inputMap(rv reflect.Value, depth int) (any, error) {
	if rv.Type().Key().Kind() != reflect.String {
		return nil, faultf("the data has a map with keys of type %s; they must be strings", rv.Type().Key())
	}
	if err := r.charge(valueSize * rv.Len()); err != nil {
		return nil, err
	}
	d := make(dict, rv.Len())
	for it := rv.MapRange(); it.Next(); {
		item, err := r.input(it.Value().Interface(), depth+1)
		if err != nil {
			return nil, err
		}
		d[it.Key().String()] = item
	}
	return d, nil
}

func (r *run) inputList(rv reflect.Value, depth int) (any, error) {
	if err := r.charge(valueSize * rv.Len()); err != nil {
		return nil, err
	}
	l := make(list, rv.Len())
	for i := range l {
		item, err := r.input(rv.Index(i).Interface(), depth+1)
		if err != nil {
			return nil, err
		}
		l[i] = item
	}
	return l, nil
}

func inputScalar(rv reflect.Value) (any, error) {
	switch {
	case rv.Kind() == reflect.String:
		return rv.String(), nil
	case rv.Kind() == reflect.Bool:
		return rv.Bool(), nil
	case rv.CanInt():
		return rv.Int(), nil
	case rv.CanUint() && rv.Uint() <= math.MaxInt64:
		return int64(rv.Uint()), nil
	case rv.CanFloat():
		return rv.Float(), nil
	}
	return nil, faultf("the data has a value of type %s, which a template cannot take", rv.Type())
}

// number reads a number of JSON: an integer where it is one.
func number(n json.Number) (any, error) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return nil, faultf("%.40q is not a number, or is too large", string(n))
	}
	return f, nil
}

// describe says what v is, in words that fit after "got".
func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a number with a fraction"
	case list:
		return "a list"
	case dict:
		return "a dict"
	}
	return "a version"
}

// truth is what if and with make of v.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int64:
		return v != 0
	case float64:
		return v != 0
	case list:
		return len(v) > 0
	case dict:
		return len(v) > 0
	}
	return true
}

// appendText appends v as fmt prints it with %v. It stops soon after buf has
// limit bytes, because a list that holds a shared list twice, sixty times over,
// is small in memory and endless on paper.
func appendText(buf []byte, v any, limit, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(buf, "<nil>"...), nil
	case bool:
		return strconv.AppendBool(buf, v), nil
	case string:
		if len(v) > limit-len(buf) {
			return buf, errTooLong
		}
		return append(buf, v...), nil
	case int64:
		return strconv.AppendInt(buf, v, 10), nil
	case float64:
		return fmt.Append(buf, v), nil
	case list:
		return appendList(buf, v, limit, depth)
	case dict:
		return appendDict(buf, v, limit, depth)
	case *semver.Version:
		return append(buf, v.String()...), nil
	}
	return buf, faultf("a value of type %T cannot be printed", v)
}

// errTooLong says that appendText reached its limit; its callers say which.
var errTooLong = &fault{message: "the text is too long"}

func appendList(buf []byte, l list, limit, depth int) ([]byte, error) {
	if depth >= maxNesting {
		return buf, errNesting
	}
	buf = append(buf, '[')
	for i, item := range l {
		if len(buf) > limit {
			return buf, errTooLong
		}
		if i > 0 {
			buf = append(buf, ' ')
		}
		var err error
		if buf, err = appendText(buf, item, limit, depth+1); err != nil {
			return buf, err
		}
	}
	return append(buf, ']'), nil
}

func appendDict(buf []byte, d dict, limit, depth int) ([]byte, error) {
	if depth >= maxNesting {
		return buf, errNesting
	}
	buf = append(buf, "map["...)
	for i, k := range sortedKeys(d) {
		if len(k) > limit-len(buf) {
			return buf, errTooLong
		}
		if i > 0 {
			buf = append(buf, ' ')
		}
		buf = append(append(buf, k...), ':')
		var err error
		if buf, err = appendText(buf, d[k], limit, depth+1); err != nil {
			return buf, err
		}
	}
	return append(buf, ']'), nil
}

func sortedKeys(d dict) []string {
	keys := make([]string, 0, len(d))
	for k := range d {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// sameDict reports whether a and b are one map, not two that are equal.
func sameDict(a, b dict) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// keysHint names the keys of d, and those that somebody may have meant.
func keysHint(d dict, near []string) string {
	if len(d) == 0 {
		return "nothing is known here"
	}
	const most = 20 // a message is read, not searched
	keys := sortedKeys(d)
	shown := keys[:min(most, len(keys))]
	hint := "known: " + strings.Join(shown, ", ")
	if len(keys) > most {
		hint += fmt.Sprintf(" and %d more", len(keys)-most)
	}
	if len(near) > 0 {
		hint += fmt.Sprintf(" (did you mean %q?)", near[0])
	}
	return hint
}
