package engine

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/goldenpaths/syncer/internal/nearest"
)

// dictFunctions make and change dicts. Wherever order shows, it is that of the
// keys: Go's maps have none.
func dictFunctions() []function {
	deep := weights{value: valueSize, text: 1}
	return []function{
		{Function{"deepCopy", "a value that shares nothing with the given one", `{{ deepCopy (list 1) }}`, "[1]"}, 1, 1, func(c *call) any { return deepCopy(c.argument(0)) }, weights{value: 4 * valueSize, text: 1}},
		{Function{"dict", "a dict of keys and values", `{{ dict "a" 1 "b" 2 }}`, "map[a:1 b:2]"}, 0, many, newDict, peeking()},
		{Function{"dig", "what dicts in a dict have under keys, or the default before the dict", `{{ dict "a" (dict "b" 1) | dig "a" "b" 0 }}`, "1"}, 3, many, dig, peeking()},
		{Function{"get", "what a dict has under a key, or an empty text", `{{ get (dict "a" 1) "a" }}`, "1"}, 2, 2, get, peeking()},
		{Function{"hasKey", "whether a dict has a key", `{{ hasKey (dict "a" 1) "a" }}`, "true"}, 2, 2, func(c *call) any { _, ok := c.dict(0)[c.str(1)]; return ok }, peeking()},
		{Function{"keys", "the keys of dicts, sorted", `{{ keys (dict "b" 1 "a" 2) }}`, "[a b]"}, 0, many, keys, deep},
		{Function{"merge", "the first dict, with what it lacks or has empty taken from the others", `{{ merge (dict "a" 1) (dict "a" 2 "b" 3) }}`, "map[a:1 b:3]"}, 1, many, func(c *call) any { return mergeAll(c, false) }, peeking()},
		{Function{"mergeOverwrite", "the first dict, with all that the others have put into it", `{{ mergeOverwrite (dict "a" 1) (dict "a" 2 "b" 3) }}`, "map[a:2 b:3]"}, 1, many, func(c *call) any { return mergeAll(c, true) }, peeking()},
		{Function{"omit", "a dict without some keys", `{{ omit (dict "a" 1 "b" 2) "a" }}`, "map[b:2]"}, 1, many, omit, deep},
		{Function{"pick", "a dict with some keys only", `{{ pick (dict "a" 1 "b" 2) "a" }}`, "map[a:1]"}, 1, many, pick, deep},
		{Function{"pluck", "what each of several dicts has under a key", `{{ pluck "a" (dict "a" 1) (dict "a" 2) }}`, "[1 2]"}, 1, many, pluck, deep},
		{Function{"set", "the dict, after a value was put into it under a key", `{{ $d := dict }}{{ $_ := set $d "a" 1 }}{{ $d.a }}`, "1"}, 3, 3, set, peeking()},
		{Function{"unset", "the dict, after a key was taken out of it", `{{ $d := dict "a" 1 }}{{ $_ := unset $d "a" }}{{ len $d }}`, "0"}, 2, 2, unset, peeking()},
		{Function{"values", "what a dict has, in the order of its keys", `{{ values (dict "b" 1 "a" 2) }}`, "[2 1]"}, 1, 1, func(c *call) any { return dictValues(c.dict(0)) }, deep},
	}
}

// noKey explains that d has no such key.
func (c *call) noKey(d dict, key string) error {
	return &fault{
		message: fmt.Sprintf("%s: there is no key %.80q", c.name, key),
		hint:    keysHint(d, nearest.Names(key, sortedKeys(d))),
	}
}

// entrySize is about what an entry of a map takes.
const entrySize = 4 * valueSize

func newDict(c *call) any {
	if !c.grow(times(entrySize, len(c.args)/2+1)) {
		return nil
	}
	d := make(dict, len(c.args)/2)
	for i := 0; i < len(c.args); i += 2 {
		if i+1 == len(c.args) {
			return c.fail("the key %.80q has no value", c.text(i))
		}
		d[c.text(i)] = c.args[i+1]
	}
	return d
}

func get(c *call) any {
	if v, ok := c.dict(0)[c.str(1)]; ok {
		return v
	}
	return ""
}

func dig(c *call) any {
	n := len(c.args)
	var v any = c.dict(n - 1)
	for i := 0; i < n-2 && c.err == nil; i++ {
		if v == nil {
			return c.args[n-2]
		}
		d, ok := v.(dict)
		if !ok {
			return c.fail("what is above %q is %s, not a dict", c.text(i), describe(v))
		}
		if v, ok = d[c.str(i)]; !ok {
			return c.args[n-2]
		}
	}
	return v
}

func keys(c *call) any {
	l := list{}
	for i := range c.args {
		for _, k := range sortedKeys(c.dict(i)) {
			l = append(l, k)
		}
	}
	return l
}

func pick(c *call) any {
	d := c.dict(0)
	picked := dict{}
	for i := 1; i < len(c.args); i++ {
		if v, ok := d[c.str(i)]; ok {
			picked[c.str(i)] = v
		}
	}
	return picked
}

func omit(c *call) any {
	drop := map[string]bool{}
	for i := 1; i < len(c.args); i++ {
		drop[c.str(i)] = true
	}
	kept := dict{}
	for k, v := range c.dict(0) {
		if !drop[k] {
			kept[k] = v
		}
	}
	return kept
}

func pluck(c *call) any {
	l := list{}
	for i := 1; i < len(c.args); i++ {
		if v, ok := c.dict(i)[c.str(0)]; ok {
			l = append(l, v)
		}
	}
	return l
}

// set changes the dict it is given, as sprig's does. It stops
// {{ $_ := set $d "a" $d }}{{ $d }}, and the same by way of a list or of another
// dict: whoever walks over such a value overflows the stack. The walk that pays
// for the value bounds how long looking for the dict in it takes.
func set(c *call) any {
	d, key, v := c.dict(0), c.str(1), c.argument(2)
	if !c.grow(entrySize+len(key)) || !c.check(c.walk(v, weights{value: valueSize}, 0)) {
		return nil
	}
	if contains(v, d, 0) {
		c.failWith("put a deepCopy of it there", "the dict would contain itself under %.80q", key)
		return nil
	}
	d[key] = v
	return d
}

// contains reports whether d is in v.
func contains(v any, d dict, depth int) bool {
	if depth > maxNesting {
		return true // and too deep to put anywhere
	}
	switch v := v.(type) {
	case list:
		for _, item := range v {
			if contains(item, d, depth+1) {
				return true
			}
		}
	case dict:
		if sameDict(v, d) {
			return true
		}
		for _, item := range v {
			if contains(item, d, depth+1) {
				return true
			}
		}
	}
	return false
}

func unset(c *call) any {
	d := c.dict(0)
	delete(d, c.str(1))
	return d
}

// mergeAll changes the first dict, as sprig's merge does, but puts copies into it:
// {{ merge $d (dict "a" $d) }} would make a dict that contains itself. Each copy is
// paid for when it is made, because an argument may hold the first dict, which
// grows: {{ merge $d (dict "a" $d) (dict "b" $d) … }} doubles it at each.
func mergeAll(c *call, overwrite bool) any {
	d := c.dict(0)
	for i := 1; i < len(c.args) && c.err == nil; i++ {
		from := c.dict(i)
		if c.err != nil || !c.check(c.walk(from, weights{value: entrySize, text: 1}, 0)) {
			return nil
		}
		if own, ok := deepCopy(from).(dict); ok {
			mergeInto(d, own, overwrite)
		}
	}
	return d
}

func mergeInto(d, from dict, overwrite bool) {
	for k, v := range from {
		old, ok := d[k]
		oldDict, both := old.(dict)
		newDict, isDict := v.(dict)
		switch {
		case both && isDict && len(oldDict) > 0:
			mergeInto(oldDict, newDict, overwrite)
		case overwrite, v != nil && (!ok || !truth(old)):
			d[k] = v
		}
	}
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case list:
		l := make(list, len(v))
		for i, item := range v {
			l[i] = deepCopy(item)
		}
		return l
	case dict:
		d := make(dict, len(v))
		for k, item := range v {
			d[k] = deepCopy(item)
		}
		return d
	}
	return v
}

// appendKey writes v so that different values never give the same text: texts
// have their length before them, and each kind its letter.
func appendKey(b *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		b.WriteString("s" + strconv.Itoa(len(v)) + ":" + v)
	case list:
		b.WriteString("l" + strconv.Itoa(len(v)) + ":")
		for _, item := range v {
			appendKey(b, item)
		}
	case dict:
		b.WriteString("d" + strconv.Itoa(len(v)) + ":")
		for _, k := range sortedKeys(v) {
			appendKey(b, k)
			appendKey(b, v[k])
		}
	case *semver.Version:
		b.WriteString("v" + v.String() + ";")
	default:
		fmt.Fprintf(b, "%s%v;", reflect.TypeOf(v), v)
	}
}
