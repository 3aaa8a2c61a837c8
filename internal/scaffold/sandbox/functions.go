package sandbox

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/nearest"
)

// fromSprig are the functions of sprig v3.3.0 that give the same result each
// time, never change an argument, and make nothing much larger than their
// arguments. What is not here and not in own is not available.
var fromSprig = strings.Fields(`
	abbrev add add1 add1f addf all any atoi b64dec b64enc base camelcase ceil clean coalesce contains
	default dir div divf empty ext fail float64 floor has hasKey hasPrefix hasSuffix initials int int64
	isAbs kebabcase kindIs kindOf lower max maxf min minf mod mul mulf quote regexQuoteMeta round semverCompare sha1sum sha256sum snakecase squote sub subf substr
	swapcase ternary title toString trim trimAll trimPrefix trimSuffix trimall trunc typeIs typeOf untitle upper
	adler32sum nospace plural`)

func refusal(name string) string {
	switch {
	case strings.HasPrefix(name, "rand") || name == "shuffle" || name == "uuidv4":
		return "it is random"
	case strings.HasPrefix(name, "gen") || strings.Contains(name, "crypt") || name == "htpasswd" || name == "derivePassword" || strings.HasPrefix(name, "build"):
		return "it makes keys or random salt"
	case name == "env" || name == "expandenv" || name == "getHostByName" || strings.HasPrefix(name, "os"):
		return "it depends on the machine"
	case strings.Contains(strings.ToLower(name), "date") || name == "now" || name == "ago" || strings.Contains(name, "duration") || name == "unixEpoch" || name == "htmlDate":
		return "it depends on the clock or the time zone"
	}
	return ""
}

// unknownFunction says why there is no such function, and which ones there are.
func unknownFunction(name string) (message, hint string) {
	if why := refusal(name); why != "" {
		return fmt.Sprintf("the function %q is not available: %s, and a golden path must render the same every time", name, why), "make it an input"
	}
	return fmt.Sprintf("there is no function %q", name), nearest.Hint(name, Functions())
}

// builtins are text/template's own functions that templates may call. They make
// nothing larger than their arguments; call is not among them, because no value
// is a function.
func builtins() map[string]any {
	known := map[string]any{}
	for name := range strings.FieldsSeq("and or not len index slice eq ne lt le gt ge") {
		known[name] = true
	}
	return known
}

// Functions returns the names of all functions that templates can call besides
// text/template's and, or, not, len, index, slice and comparisons.
func Functions() []string {
	var names []string
	for name := range newMachineFuncs(nil, nil) {
		if !strings.HasPrefix(name, internalPrefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// newMachineFuncs binds every function to one budget.
func newMachineFuncs(b *budget, root *template.Template) template.FuncMap {
	all := sprig.HermeticTxtFuncMap()
	funcs := template.FuncMap{}
	for _, name := range fromSprig {
		if refusal(name) != "" {
			continue
		}
		if fn, ok := all[name]; ok {
			funcs[name] = metered(b, name, fn)
		}
	}
	c := calls{b, root}
	for name, fn := range c.own() {
		funcs[name] = metered(b, name, fn)
	}
	maps.Copy(funcs, c.growing())
	maps.Copy(funcs, template.FuncMap{
		tick:  func() (string, error) { return "", b.step(1) },
		enter: func() (string, error) { return b.enter() },
		leave: func() string { return b.leave() },
		show:  func(v any) (any, error) { return b.show(v) },
	})
	return funcs
}

// metered wraps fn so that each call pays for its arguments in steps and for its
// result in bytes. fn may return a value, or a value and an error.
func metered(b *budget, name string, fn any) func(args ...any) (any, error) {
	f := reflect.ValueOf(fn)
	t := f.Type()
	return func(args ...any) (result any, err error) {
		defer func() {
			if r := recover(); r != nil { // some of sprig's functions panic on odd arguments
				err = document.Problem{Message: fmt.Sprintf("%s: %v", name, r)}
			}
		}()
		in, err := arguments(name, t, args)
		if err != nil {
			return nil, err
		}
		cost := 0
		for _, a := range args {
			cost += deepSize(a, b.limits.Memory)
		}
		if err := b.step(1 + cost/64); err != nil {
			return nil, err
		}
		out := f.Call(in)
		if len(out) == 2 && !out[1].IsNil() {
			return nil, problem(name, out[1].Interface())
		}
		result = out[0].Interface()
		return result, b.pay(deepSize(result, b.limits.Value+1))
	}
}

func problem(name string, err any) error {
	if p, ok := err.(document.Problem); ok {
		return p
	}
	return document.Problem{Message: fmt.Sprintf("%s: %v", name, err)}
}

// arguments converts what a template passes into what a function takes.
func arguments(name string, t reflect.Type, args []any) ([]reflect.Value, error) {
	fixed := t.NumIn()
	if t.IsVariadic() {
		fixed--
	}
	if len(args) < fixed || len(args) > fixed && !t.IsVariadic() {
		return nil, document.Problem{Message: fmt.Sprintf("%s takes %d arguments, and has %d", name, fixed, len(args))}
	}
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		want := t.In(min(i, t.NumIn()-1))
		if t.IsVariadic() && i >= fixed {
			want = t.In(t.NumIn() - 1).Elem()
		}
		v, ok := convert(a, want)
		if !ok {
			return nil, document.Problem{Message: fmt.Sprintf("argument %d of %s is %s; it must be %s", i+1, name, describe(a), describeType(want))}
		}
		in[i] = v
	}
	return in, nil
}

func convert(a any, want reflect.Type) (reflect.Value, bool) {
	if a == nil {
		ok := want.Kind() == reflect.Interface || want.Kind() == reflect.Map || want.Kind() == reflect.Slice
		return reflect.Zero(want), ok
	}
	v := reflect.ValueOf(a)
	switch {
	case v.Type().AssignableTo(want):
		return v, true
	case isNumber(want.Kind()) && v.CanConvert(want) && isNumber(v.Kind()):
		c := v.Convert(want)
		return c, c.Convert(v.Type()).Equal(v)
	case want.Kind() == reflect.Slice && v.Kind() == reflect.Slice && want.Elem().Kind() == reflect.String:
		list := reflect.MakeSlice(want, v.Len(), v.Len())
		for i := range v.Len() {
			s, ok := reflect.TypeAssert[string](v.Index(i))
			if !ok {
				return v, false
			}
			list.Index(i).SetString(s)
		}
		return list, true
	}
	return v, false
}

func isNumber(k reflect.Kind) bool { return reflect.Int <= k && k <= reflect.Float64 }

func describe(a any) string {
	if a == nil {
		return "null"
	}
	return describeType(reflect.TypeOf(a))
}

func describeType(t reflect.Type) string {
	switch k := t.Kind(); {
	case k == reflect.String:
		return "text"
	case isNumber(k):
		return "a number"
	case k == reflect.Bool:
		return "true or false"
	case k == reflect.Map:
		return "a dict"
	case k == reflect.Slice:
		return "a list"
	}
	return t.String()
}

// deepSize is about how many bytes v takes when it is printed: the parts of a
// shared part count each time. It stops counting at limit.
func deepSize(v any, limit int) int {
	switch v := v.(type) {
	case nil:
		return 8
	case string:
		return len(v) + 16
	case []any:
		n := 24
		for _, item := range v {
			if n > limit {
				return n
			}
			n += deepSize(item, limit-n)
		}
		return n
	case map[string]any:
		n := 48
		for k, item := range v {
			if n > limit {
				return n
			}
			n += len(k) + 16 + deepSize(item, limit-n)
		}
		return n
	case []string:
		n := 24
		for _, item := range v {
			n += len(item) + 16
		}
		return n
	case map[string]string:
		n := 48
		for k, item := range v {
			n += len(k) + len(item) + 32
		}
		return n
	}
	return 16
}
