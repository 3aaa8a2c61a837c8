package engine

import (
	"strconv"
	"strings"
	"text/template"
)

// textFunctions make texts that can be much larger than what they are given: each
// says how large before it makes one.
func textFunctions(sprigs map[string]any) []function {
	deep := weights{value: valueSize, text: 1}
	// Quotes and escapes: a control character becomes at most ten bytes.
	escaping := weights{value: 3 * valueSize, text: 10}
	return []function{
		{Function{"cat", "the values as texts, with a space between them", `{{ cat "a" 1 }}`, "a 1"}, 0, many, cat, deep},
		{Function{"html", "a text that HTML shows as it is", `{{ html "<a>" }}`, "&lt;a&gt;"}, 1, many, escaped(template.HTMLEscapeString), escaping},
		{Function{"indent", "a text with each line moved to the right", `{{ indent 2 "a" }}`, "  a"}, 2, 2, indent, deep},
		{Function{"join", "a list's values as one text, with a separator between them", `{{ join "-" (list 1 2) }}`, "1-2"}, 2, 2, join, deep},
		{Function{"js", "a text that can stand in a string of JavaScript", `{{ js "it's" }}`, `it\'s`}, 1, many, escaped(template.JSEscapeString), escaping},
		{Function{"nindent", "a line's end, and what indent makes", `a:{{ nindent 2 "b" }}`, "a:\n  b"}, 2, 2, nindent, deep},
		{Function{"print", "the values as one text, with spaces between those that are not texts", `{{ print "a" 1 2 }}`, "a1 2"}, 0, many, printAll, deep},
		{Function{"printf", "the values in a format, as in Go", `{{ printf "%s-%03d" "a" 7 }}`, "a-007"}, 1, many, printf, peeking()},
		{Function{"println", "the values as one text, with spaces between them and a line's end", `{{ println "a" 1 }}`, "a 1\n"}, 0, many, printLine, deep},
		{Function{"quote", "the values in double quotes", `{{ quote "a" 1 }}`, `"a" "1"`}, 0, many, quoted(strconv.Quote), escaping},
		{Function{"repeat", "a text, a number of times", `{{ repeat 3 "ab" }}`, "ababab"}, 2, 2, repeat, deep},
		{Function{"replace", "the third text with the second in place of the first", `{{ replace "a" "o" "banana" }}`, "bonono"}, 3, 3, replace, deep},
		{Function{"split", "the parts of the second text between the first, as a dict with the keys _0, _1, …", `{{ (split "/" "a/b")._1 }}`, "b"}, 2, 2, func(c *call) any { return split(c, c.str(0), c.str(1), -1) }, deep},
		{Function{"splitList", "the parts of the second text between the first, as a list", `{{ splitList "/" "a/b" }}`, "[a b]"}, 2, 2, func(c *call) any { return splitList(c, c.str(0), c.str(1), -1) }, deep},
		{Function{"splitn", "what split makes, in at most so many parts", `{{ (splitn "/" 2 "a/b/c")._1 }}`, "b/c"}, 3, 3, func(c *call) any { return split(c, c.str(0), c.str(2), c.int(1)) }, deep},
		{Function{"squote", "the values in single quotes", `{{ squote "a" 1 }}`, `'a' '1'`}, 0, many, quoted(func(s string) string { return "'" + s + "'" }), escaping},
		{Function{"substr", "the bytes of a text from a first to before a last one", `{{ substr 1 3 "golden" }}`, "ol"}, 3, 3, substr, deep},
		{Function{"toString", "a value as a text", `{{ toString 1 | quote }}`, `"1"`}, 1, 1, func(c *call) any { return c.text(0) }, deep},
		{Function{"toStrings", "a list's values as texts", `{{ toStrings (list 1 2) | join "," }}`, "1,2"}, 1, 1, toStrings, deep},
		{Function{"trimAll", "a text without the given characters at its ends", `{{ trimAll "/" "/a/" }}`, "a"}, 2, 2, trimAll, weights{value: valueSize, text: 4}},
		{Function{"urlquery", "a text that can stand in a URL's query", `{{ urlquery "a b" }}`, "a+b"}, 1, many, escaped(func(s string) string { return template.URLQueryEscaper(s) }), escaping},
		{Function{"wrap", "a text with lines of at most so many bytes, where words allow it", `{{ wrap 5 "aaa bbb" }}`, "aaa\nbbb"}, 2, 2, wrap(sprigs["wrap"]), deep},
		{Function{"wrapWith", "what wrap makes, with the second argument for a line's end, and long words cut", `{{ wrapWith 3 "-" "aaaabb" }}`, "aaa-abb"}, 3, 3, wrapWith(sprigs["wrapWith"]), deep},
	}
}

// texts returns the arguments that are not null as texts.
func (c *call) texts() []string {
	ts := make([]string, 0, len(c.args))
	for _, a := range c.args {
		if a != nil {
			ts = append(ts, c.textOf(a))
		}
	}
	return ts
}

func cat(c *call) any {
	// sprig trims its format, not the result: spaces in values stay.
	return strings.Join(c.texts(), " ")
}

func quoted(quote func(string) string) func(*call) any {
	return func(c *call) any {
		ts := c.texts()
		for i, t := range ts {
			ts[i] = quote(t)
		}
		return strings.Join(ts, " ")
	}
}

func escaped(escape func(string) string) func(*call) any {
	return func(c *call) any {
		s, _ := printAll(c).(string)
		// The arguments were paid for as texts; what they are printed as is longer.
		if !c.grow(times(len(s), 10)) {
			return nil
		}
		return escape(s)
	}
}

// printAll joins like fmt.Sprint: a space goes between two values of which
// neither is a text.
func printAll(c *call) any {
	var b strings.Builder
	for i, a := range c.args {
		if i > 0 && !isText(a) && !isText(c.args[i-1]) {
			b.WriteByte(' ')
		}
		b.WriteString(c.textOf(a))
	}
	return b.String()
}

func isText(v any) bool {
	_, ok := v.(string)
	return ok
}

func printLine(c *call) any {
	ts := make([]string, len(c.args))
	for i := range ts {
		ts[i] = c.text(i)
	}
	return strings.Join(ts, " ") + "\n"
}

// repeat stops {{ repeat 1000000000 "x" }}.
func repeat(c *call) any {
	n, s := c.int(0), c.str(1)
	if n < 0 {
		return c.fail("the count %d is negative", n)
	}
	if !c.grow(times(n, len(s))) {
		return nil
	}
	return strings.Repeat(s, n)
}

// replace stops a long text in place of each letter of a long text.
func replace(c *call) any {
	old, with, s := c.str(0), c.str(1), c.str(2)
	if c.err != nil || !c.grow(len(s)+times(strings.Count(s, old), len(with))) {
		return nil
	}
	return strings.ReplaceAll(s, old, with)
}

// indent stops many lines that are moved far.
func indent(c *call) any {
	n, s := c.int(0), c.str(1)
	if n < 0 {
		return c.fail("the width %d is negative", n)
	}
	if !c.grow(len(s) + times(n, 1+strings.Count(s, "\n"))) {
		return nil
	}
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(s, "\n", "\n"+pad)
}

func nindent(c *call) any {
	s, ok := indent(c).(string)
	if !ok {
		return nil
	}
	return "\n" + s
}

// join stops a long separator between many values.
func join(c *call) any {
	sep := c.str(0)
	l, ok := c.argument(1).(list)
	if !ok {
		return c.text(1)
	}
	if !c.grow(times(len(l), len(sep)+valueSize)) {
		return nil
	}
	ts := make([]string, 0, len(l))
	for _, v := range l {
		if v != nil {
			ts = append(ts, c.textOf(v))
		}
	}
	return strings.Join(ts, sep)
}

func toStrings(c *call) any {
	l, ok := c.argument(0).(list)
	if !ok {
		l = c.args
	}
	texts := make(list, 0, len(l))
	for _, v := range l {
		if v != nil {
			texts = append(texts, c.textOf(v))
		}
	}
	return texts
}

// parts pays for the parts of a text before it is cut: each byte can be one.
func parts(c *call, sep, s string, n, each int) []string {
	count := strings.Count(s, sep) + 1
	if n >= 0 {
		count = min(count, n)
	}
	if c.err != nil || !c.grow(times(count, each)) {
		return nil
	}
	return strings.SplitN(s, sep, n)
}

func splitList(c *call, sep, s string, n int) any {
	ps := parts(c, sep, s, n, 2*valueSize)
	l := make(list, len(ps))
	for i, p := range ps {
		l[i] = p
	}
	return l
}

func split(c *call, sep, s string, n int) any {
	ps := parts(c, sep, s, n, 8*valueSize)
	d := make(dict, len(ps))
	for i, p := range ps {
		d["_"+strconv.Itoa(i)] = p
	}
	return d
}

func substr(c *call) any {
	start, end, s := c.int(0), c.int(1), c.str(2)
	if end < 0 || end > len(s) {
		end = len(s)
	}
	start = max(0, start)
	if start > end {
		return c.fail("there is nothing from byte %d to %d of a text of %d bytes", start, end, len(s))
	}
	return s[start:end]
}

// trimAll stops many characters to look for, for each of many: sprig's looks through
// all of them again.
func trimAll(c *call) any {
	set := map[rune]bool{}
	for _, r := range c.str(0) {
		set[r] = true
	}
	return strings.TrimFunc(c.str(1), func(r rune) bool { return set[r] })
}

func wrap(code any) func(c *call) any {
	split, _ := code.(func(int, string) string)
	return func(c *call) any {
		n, s := c.int(0), c.str(1)
		if !c.grow(2 * len(s)) {
			return nil
		}
		return split(n, s)
	}
}

// wrapWith stops a long text after each letter of a long one.
func wrapWith(code any) func(c *call) any {
	split, _ := code.(func(int, string, string) string)
	return func(c *call) any {
		n, sep, s := c.int(0), c.str(1), c.str(2)
		// Two lines that follow each other are longer than n together.
		breaks := 2*(len(s)/max(1, n)) + 1
		if !c.grow(len(s) + times(breaks, len(sep)+1)) {
			return nil
		}
		return split(n, sep, s)
	}
}
