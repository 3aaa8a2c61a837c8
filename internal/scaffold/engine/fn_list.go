package engine

import (
	"slices"
	"strings"
)

// listFunctions make and take apart lists. A list is never changed in place, so
// that none can come to contain itself.
func listFunctions() []function {
	deep := weights{value: valueSize, text: 1}
	return []function{
		{Function{"append", "a list with one more value at its end", `{{ append (list 1) 2 }}`, "[1 2]"}, 2, 2, func(c *call) any { return joinLists(c, c.list(0), list{c.argument(1)}) }, peeking()},
		{Function{"chunk", "a list in lists of at most so many values", `{{ chunk 2 (list 1 2 3) }}`, "[[1 2] [3]]"}, 2, 2, chunk, deep},
		{Function{"compact", "a list without its empty values", `{{ compact (list 1 "" 2) }}`, "[1 2]"}, 1, 1, compact, deep},
		{Function{"concat", "the values of several lists in one", `{{ concat (list 1) (list 2) }}`, "[1 2]"}, 0, many, concat, peeking()},
		{Function{"first", "a list's first value, or null", `{{ first (list 1 2) }}`, "1"}, 1, 1, first, peeking()},
		{Function{"has", "whether a list has a value", `{{ has 2 (list 1 2) }}`, "true"}, 2, 2, has, deep},
		{Function{"index", "what a list or a dict has under a number or a key, and in that under the next", `{{ index (list "a" "b") 1 }}`, "b"}, 1, many, index, peeking()},
		{Function{"initial", "a list without its last value", `{{ initial (list 1 2) }}`, "[1]"}, 1, 1, func(c *call) any { l := c.list(0); return l[:max(0, len(l)-1)] }, peeking()},
		{Function{"last", "a list's last value, or null", `{{ last (list 1 2) }}`, "2"}, 1, 1, last, peeking()},
		{Function{"len", "how many values a list or a dict has, or bytes a text", `{{ len (list 1 2) }}`, "2"}, 1, 1, length, peeking()},
		{Function{"list", "the values as a list", `{{ list 1 "a" }}`, "[1 a]"}, 0, many, func(c *call) any { return joinLists(c, c.args, nil) }, peeking()},
		{Function{"prepend", "a list with one more value at its beginning", `{{ prepend (list 1) 2 }}`, "[2 1]"}, 2, 2, func(c *call) any { return joinLists(c, list{c.argument(1)}, c.list(0)) }, peeking()},
		{Function{"rest", "a list without its first value", `{{ rest (list 1 2) }}`, "[2]"}, 1, 1, func(c *call) any { l := c.list(0); return l[min(1, len(l)):] }, peeking()},
		{Function{"reverse", "a list from its end to its beginning", `{{ reverse (list 1 2) }}`, "[2 1]"}, 1, 1, reverse, peeking()},
		{Function{"seq", "the numbers to, from and to, or from, in steps of, and to, with spaces between them", `{{ seq 3 }}`, "1 2 3"}, 0, 3, seq, deep},
		{Function{"slice", "the values of a list, or the bytes of a text, from a first to before a last", `{{ slice (list 1 2 3) 1 }}`, "[2 3]"}, 1, 3, slice, peeking()},
		{Function{"sortAlpha", "a list's values as texts, sorted", `{{ sortAlpha (list "b" "a") }}`, "[a b]"}, 1, 1, sortAlpha, deep},
		{Function{"uniq", "a list without values that it has before", `{{ uniq (list 1 2 1) }}`, "[1 2]"}, 1, 1, uniq, deep},
		{Function{"until", "the numbers from 0 to before one", `{{ until 3 }}`, "[0 1 2]"}, 1, 1, until, deep},
		{Function{"untilStep", "the numbers from the first to before the second, in steps of the third", `{{ untilStep 0 6 2 }}`, "[0 2 4]"}, 3, 3, func(c *call) any { return numbers(c, c.int(0), c.int(1), c.int(2)) }, deep},
		{Function{"without", "a list without the values given", `{{ without (list 1 2 3) 2 }}`, "[1 3]"}, 1, many, without, deep},
	}
}

// joinLists returns a new list of the values of both.
func joinLists(c *call, a, b list) any {
	if !c.grow(times(valueSize, len(a)+len(b))) {
		return nil
	}
	return append(append(make(list, 0, len(a)+len(b)), a...), b...)
}

// concat stops {{ $l = concat $l $l }} in a range: each turn pays for its list.
func concat(c *call) any {
	ls := make([]list, len(c.args))
	n := 0
	for i := range ls {
		ls[i] = c.list(i)
		n += len(ls[i])
	}
	if !c.grow(times(valueSize, n)) {
		return nil
	}
	all := make(list, 0, n)
	for _, l := range ls {
		all = append(all, l...)
	}
	return all
}

func chunk(c *call) any {
	n, l := c.int(0), c.list(1)
	if n < 1 {
		return c.fail("the size %d is not positive", n)
	}
	if !c.grow(times(3*valueSize, len(l)/n+1)) {
		return nil
	}
	chunks := list{}
	for part := range slices.Chunk(l, n) {
		chunks = append(chunks, part)
	}
	return chunks
}

func compact(c *call) any {
	kept := list{}
	for _, v := range c.list(0) {
		if truth(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

func first(c *call) any {
	if l := c.list(0); len(l) > 0 {
		return l[0]
	}
	return nil
}

func last(c *call) any {
	if l := c.list(0); len(l) > 0 {
		return l[len(l)-1]
	}
	return nil
}

func reverse(c *call) any {
	l, _ := joinLists(c, c.list(0), nil).(list)
	slices.Reverse(l)
	return l
}

func length(c *call) any {
	switch v := c.argument(0).(type) {
	case string:
		return int64(len(v))
	case list:
		return int64(len(v))
	case dict:
		return int64(len(v))
	}
	c.wrong(0, "a list, a dict or a string", "")
	return nil
}

func index(c *call) any {
	v := c.argument(0)
	for i := 1; i < len(c.args) && c.err == nil; i++ {
		switch at := v.(type) {
		case dict:
			key := c.str(i)
			next, ok := at[key]
			if !ok && c.err == nil {
				c.check(c.noKey(at, key))
			}
			v = next
		case list:
			n := c.int(i)
			if n < 0 || n >= len(at) {
				return c.fail("there is no value %d in a list of %d", n, len(at))
			}
			v = at[n]
		case string:
			n := c.int(i)
			if n < 0 || n >= len(at) {
				return c.fail("there is no byte %d in a text of %d", n, len(at))
			}
			v = int64(at[n])
		default:
			return c.fail("%s has nothing to look up in", describe(v))
		}
	}
	return v
}

// slice takes lists, as sprig's, and texts, as text/template's.
func slice(c *call) any {
	bounds := func(n int) (from, to int) {
		from, to = 0, n
		if len(c.args) > 1 {
			from = c.int(1)
		}
		if len(c.args) > 2 {
			to = c.int(2)
		}
		if c.err == nil && (from < 0 || to > n || from > to) {
			c.fail("there is nothing from %d to %d of %d", from, to, n)
		}
		if c.err != nil {
			return 0, 0
		}
		return from, to
	}
	if s, ok := c.argument(0).(string); ok {
		from, to := bounds(len(s))
		return s[from:to]
	}
	l := c.list(0)
	from, to := bounds(len(l))
	return l[from:to]
}

// key is a text that two values share only if they are equal. It makes finding
// doubles linear; comparing each with each is what a list of 100,000 is for.
func (c *call) key(v any) string {
	var b strings.Builder
	appendKey(&b, v)
	return b.String()
}

func (c *call) keySet(l list) map[string]bool {
	set := make(map[string]bool, len(l))
	for _, v := range l {
		set[c.key(v)] = true
	}
	return set
}

func uniq(c *call) any {
	l := c.list(0)
	if !c.grow(times(4*valueSize, len(l))) {
		return nil
	}
	seen := make(map[string]bool, len(l))
	kept := list{}
	for _, v := range l {
		if k := c.key(v); !seen[k] {
			seen[k] = true
			kept = append(kept, v)
		}
	}
	return kept
}

func without(c *call) any {
	l := c.list(0)
	omit := c.keySet(c.args[1:])
	kept := list{}
	for _, v := range l {
		if !omit[c.key(v)] {
			kept = append(kept, v)
		}
	}
	return kept
}

func has(c *call) any {
	if c.argument(1) == nil {
		return false
	}
	k := c.key(c.argument(0))
	return slices.ContainsFunc(c.list(1), func(v any) bool { return c.key(v) == k })
}

func sortAlpha(c *call) any {
	l, ok := toStrings(c).(list)
	if !ok {
		return nil
	}
	slices.SortFunc(l, func(a, b any) int {
		x, _ := a.(string)
		y, _ := b.(string)
		return strings.Compare(x, y)
	})
	return l
}

func until(c *call) any {
	n := c.int(0)
	if n < 0 {
		return numbers(c, 0, n, -1)
	}
	return numbers(c, 0, n, 1)
}

// numbers stops {{ until 4000000000 }} and steps that never arrive.
func numbers(c *call, from, to, step int) any {
	if step == 0 || from < to != (step > 0) || from == to {
		return list{}
	}
	// The difference of two integers can be larger than an integer.
	n := (uint64(to) - uint64(from)) / uint64(step)
	if step < 0 {
		n = (uint64(from) - uint64(to)) / -uint64(step)
	}
	if n >= uint64(c.limits.Memory) || !c.grow(times(2*valueSize, int(n)+1)) {
		c.check(c.charge(-1))
		return nil
	}
	l := make(list, 0, n+1)
	for i := from; i < to == (step > 0) && i != to; i += step {
		l = append(l, int64(i))
		if next := i + step; next < i != (step < 0) {
			break // beyond the largest integer
		}
	}
	return l
}

func seq(c *call) any {
	from, to, step := 1, 0, 1
	switch len(c.args) {
	case 0:
		return ""
	case 1:
		to = c.int(0)
	case 2:
		from, to = c.int(0), c.int(1)
	case 3:
		from, step, to = c.int(0), c.int(1), c.int(2)
	}
	if len(c.args) < 3 && to < from {
		step = -1
	}
	if to < from && step > 0 || to > from && step < 0 || step == 0 {
		return ""
	}
	end := to + 1
	if step < 0 {
		end = to - 1
	}
	l, ok := numbers(c, from, end, step).(list)
	if !ok || !c.grow(times(20, len(l))) {
		return nil
	}
	inner := call{run: c.run, name: c.name, args: list{" ", l}}
	text := join(&inner)
	c.check(inner.err)
	return text
}
