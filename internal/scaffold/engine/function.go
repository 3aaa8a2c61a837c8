package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/sprig/v3"
)

// Function describes a function that templates can call.
type Function struct {
	Name    string
	Doc     string // what it returns
	Example string // a template
	Result  string // what the example gives
}

// Functions returns all functions that templates can call, sorted by name.
func Functions() []Function {
	fs := make([]Function, 0, len(functions()))
	for _, f := range functions() {
		fs = append(fs, f.Function)
	}
	slices.SortFunc(fs, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return fs
}

// many is the arity of a function that takes any number of arguments.
const many = math.MaxInt

// function is a Function with its code.
type function struct {
	Function
	min, max int // number of arguments
	run      func(c *call) any
	price    weights // of each part of the arguments; see [run.walk]
}

// peeking is the price of functions that only look at the surface of their
// arguments. All others pay for all of them, with the text of each counted as
// often as the result can repeat it.
func peeking() weights { return weights{} }

// table is all functions by name. It is never changed once it is made.
type table map[string]*function

// functions makes the table once: it takes longer than most templates do.
var functions = sync.OnceValue(newTable)

func newTable() table {
	table := table{}
	sprigs := sprig.TxtFuncMap()
	for _, group := range [][]function{
		logicFunctions(), textFunctions(sprigs), listFunctions(), dictFunctions(),
		numberFunctions(sprigs), encodingFunctions(), regexFunctions(), borrowedFunctions(sprigs),
	} {
		for _, f := range group {
			table[f.Name] = &f
		}
	}
	for name, of := range aliases() {
		f := *table[of]
		f.Name = name
		f.Doc = "the same as " + of
		f.Example, f.Result = "", ""
		table[name] = &f
	}
	return table
}

// aliases are second names that sprig has. Its functions whose names begin with
// "must" report errors, and the others hide some; here all of them report.
func aliases() map[string]string {
	return map[string]string{
		"push": "append", "tuple": "list", "biggest": "max", "trimall": "trimAll",
		"mustAppend": "append", "mustPush": "append", "mustPrepend": "prepend", "mustChunk": "chunk",
		"mustCompact": "compact", "mustDeepCopy": "deepCopy", "mustFirst": "first", "mustHas": "has",
		"mustInitial": "initial", "mustLast": "last", "mustMerge": "merge", "mustMergeOverwrite": "mergeOverwrite",
		"mustRest": "rest", "mustReverse": "reverse", "mustSlice": "slice", "mustUniq": "uniq", "mustWithout": "without",
		"mustFromJson": "fromJson", "mustToJson": "toJson", "mustToPrettyJson": "toPrettyJson", "mustToRawJson": "toRawJson",
		"mustRegexFind": "regexFind", "mustRegexFindAll": "regexFindAll", "mustRegexMatch": "regexMatch",
		"mustRegexReplaceAll": "regexReplaceAll", "mustRegexReplaceAllLiteral": "regexReplaceAllLiteral",
		"mustRegexSplit": "regexSplit",
	}
}

// call is one call of a function. Its methods that read arguments note the first
// thing that is wrong in err and return a zero value, so that functions need not
// ask after each of them.
type call struct {
	*run
	name string
	args []any
	err  error
}

// call runs f. A panic is an error of the call: sprig's functions have some, for
// a division by zero for example.
func (f *function) call(r *run, args []any) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = nil, faultf("%s: %v", f.Name, p)
		}
	}()
	c := call{run: r, name: f.Name, args: args}
	if err := c.pay(f.price); err != nil {
		return nil, err
	}
	result = f.run(&c)
	if c.err != nil {
		return nil, c.err
	}
	return result, nil
}

// pay charges for the arguments. Even a function that only looks at them may
// compare or hash a long text, and be called a million times.
func (c *call) pay(w weights) error {
	steps := 1
	for _, a := range c.args {
		if s, ok := a.(string); ok {
			steps += len(s) / 1024
		}
		if w == peeking() {
			continue
		}
		if err := c.walk(a, w, 0); err != nil {
			return err
		}
	}
	return c.step(steps)
}

// fail notes an error.
func (c *call) fail(format string, args ...any) any {
	c.failWith("", format, args...)
	return nil
}

func (c *call) failWith(hint, format string, args ...any) {
	if c.err == nil {
		c.err = &fault{c.name + ": " + fmt.Sprintf(format, args...), hint}
	}
}

// check notes err, which may be nil.
func (c *call) check(err error) bool {
	if err == nil {
		return c.err == nil
	}
	var f *fault
	var e *Error
	switch {
	case c.err != nil:
	case errors.As(err, &e), errors.As(err, &f):
		c.err = err
	default:
		c.err = faultf("%s: %v", c.name, err)
	}
	return false
}

// grow pays for a result of n bytes, before it is made, and reports whether it
// may be made.
func (c *call) grow(n int) bool { return c.err == nil && c.check(c.charge(n)) }

// argument returns the i-th argument.
func (c *call) argument(i int) any {
	if i < 0 || i >= len(c.args) {
		return nil
	}
	return c.args[i]
}

func (c *call) wrong(i int, want, hint string) {
	c.failWith(hint, "argument %d is %s; it must be %s", i+1, describe(c.argument(i)), want)
}

// str returns the i-th argument, which must be a string.
func (c *call) str(i int) string {
	s, ok := c.argument(i).(string)
	if !ok {
		hint := "use toString"
		if c.argument(i) == nil {
			hint = "use default"
		}
		c.wrong(i, "a string", hint)
	}
	return s
}

// list returns the i-th argument, which must be a list.
func (c *call) list(i int) list {
	l, ok := c.argument(i).(list)
	if !ok {
		c.wrong(i, "a list", "make one with list")
	}
	return l
}

// dict returns the i-th argument, which must be a dict.
func (c *call) dict(i int) dict {
	d, ok := c.argument(i).(dict)
	if !ok {
		c.wrong(i, "a dict", "make one with dict")
	}
	return d
}

// int returns the i-th argument, which must be an integer, or a number that is one.
func (c *call) int(i int) int {
	switch n := c.argument(i).(type) {
	case int64:
		if int64(int(n)) == n {
			return int(n)
		}
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<31 {
			return int(n)
		}
	}
	c.wrong(i, "an integer", "use int")
	return 0
}

// text returns the i-th argument as it is written.
func (c *call) text(i int) string { return c.textOf(c.argument(i)) }

func (c *call) textOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	if v == nil {
		c.failWith("use default", "a value is null")
		return ""
	}
	buf, err := appendText(nil, v, c.limits.Memory-c.memory, 0)
	if !c.check(err) || !c.grow(len(buf)) {
		return ""
	}
	return string(buf)
}
