package engine

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/Masterminds/semver/v3"
	"go.yaml.in/yaml/v3"
)

// encodingFunctions read and write formats. An encoder escapes a byte with at
// most six and indents a value by two for each level, so a tree of n values is
// worth n times its depth: that is paid before.
func encodingFunctions() []function {
	encoding := weights{value: 2 * valueSize, text: 6, depth: 2}
	// An encoder of YAML makes more than a kilobyte on the way for each value.
	yamling := weights{value: 16 * valueSize, text: 6, depth: 2}
	deep := weights{value: valueSize, text: 1}
	// A parser makes up to 64 bytes of one, as of "[[],[],[]]".
	parsing := weights{value: 1024, text: 64}
	return []function{
		{Function{"b32dec", "the text that base 32 stands for", `{{ b32dec "M5XQ====" }}`, "go"}, 1, 1, decoded(base32.StdEncoding.DecodeString), deep},
		{Function{"b64dec", "the text that base 64 stands for", `{{ b64dec "Z28=" }}`, "go"}, 1, 1, decoded(base64.StdEncoding.DecodeString), deep},
		{Function{"fromJson", "the value that JSON stands for", "{{ (fromJson `{\"a\": 1}`).a }}", "1"}, 1, 1, fromJSON, parsing},
		{Function{"fromYaml", "the value that YAML stands for", `{{ (fromYaml "a: 1").a }}`, "1"}, 1, 1, fromYAML, parsing},
		{Function{"toJson", "a value as JSON, with <, > and & escaped", `{{ toJson (dict "a" "<") }}`, `{"a":"\u003c"}`}, 1, 1, func(c *call) any { return toJSON(c, true, "") }, encoding},
		{Function{"toPrettyJson", "a value as JSON in lines", `{{ toPrettyJson (list 1) }}`, "[\n  1\n]"}, 1, 1, func(c *call) any { return toJSON(c, true, "  ") }, encoding},
		{Function{"toRawJson", "a value as JSON, with <, > and & as they are", `{{ toRawJson (dict "a" "<") }}`, `{"a":"<"}`}, 1, 1, func(c *call) any { return toJSON(c, false, "") }, encoding},
		{Function{"toYaml", "a value as YAML, with keys sorted and without a line's end", `{{ toYaml (dict "b" 1 "a" "x") }}`, "a: x\nb: 1"}, 1, 1, toYAML, yamling},
	}
}

// decoded stops where sprig would write the error into the file.
func decoded(decode func(string) ([]byte, error)) func(c *call) any {
	return func(c *call) any {
		b, err := decode(c.str(0))
		c.check(err)
		return string(b)
	}
}

// plain returns v with versions as texts, for encoders.
func plain(v any) any {
	switch v := v.(type) {
	case list:
		l := make(list, len(v))
		for i, item := range v {
			l[i] = plain(item)
		}
		return l
	case dict:
		d := make(dict, len(v))
		for k, item := range v {
			d[k] = plain(item)
		}
		return d
	case *semver.Version:
		return v.String()
	}
	return v
}

// forYAML puts texts into quotes that would not be read as the same text otherwise. It
// changes v, and refuses keys that have no such way out: those of several lines,
// and those that the encoder does not put into the same order twice.
func forYAML(v any) (any, error) {
	switch v := v.(type) {
	case list:
		for i, item := range v {
			var err error
			if v[i], err = forYAML(item); err != nil {
				return nil, err
			}
		}
	case dict:
		for k, item := range v {
			if strings.Contains(k, "\n") {
				return nil, faultf("toYaml: the key %.40q has more than one line", k)
			}
			if k == "<<" { // the encoder does not quote it
				return nil, &fault{"toYaml: the key \"<<\" would be read as a merge of mappings", "use toJson"}
			}
			if len(v) > 1 && !hasPlace(k) {
				return nil, &fault{fmt.Sprintf("toYaml: the key %.40q has no fixed place among others", k), "use UTF-8, and at most 18 digits from 0 to 9 in a row; or toJson"}
			}
			var err error
			if v[k], err = forYAML(item); err != nil {
				return nil, err
			}
		}
	case string:
		if misread(v) {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: v}, nil
		}
	}
	return v, nil
}

// misread reports whether a text is not read as itself where the encoder does not put it
// into quotes: of several lines, one whose last lines are empty loses them at the
// result's end, one that begins with white space is indented wrongly, and one with a
// line's end that only YAML 1.1 knows cannot be indented by lines. << and = are a merge
// and a default value to some readers.
func misread(v string) bool {
	if v == "<<" || v == "=" {
		return true
	}
	return strings.Contains(v, "\n") &&
		(strings.HasSuffix(v, "\n\n") || strings.TrimLeft(v[:1], " \t\n") == "" || strings.ContainsAny(v, "\u0085\u2028\u2029"))
}

// maxKeyDigits is how many digits always fit into an int64.
const maxKeyDigits = 18

// hasPlace reports whether the encoder orders a key in one way only. It takes
// digits in a row for a number. One that is long wraps round, and one whose digits
// are not ASCII is a number here and a letter there, so that a < b < c < a. All
// bytes that are not UTF-8 are one letter to it (go.yaml.in/yaml/v3, keyList).
func hasPlace(key string) bool {
	row, foreign := 0, false
	for _, r := range key {
		if !unicode.IsDigit(r) {
			row, foreign = 0, false
			continue
		}
		row++
		foreign = foreign || r > '9'
		if row > maxKeyDigits || foreign && row > 1 {
			return false
		}
	}
	return utf8.ValidString(key)
}

func toJSON(c *call, escape bool, indent string) any {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(escape)
	e.SetIndent("", indent)
	if !c.check(e.Encode(plain(c.argument(0)))) {
		return nil
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func toYAML(c *call) any {
	v, err := forYAML(plain(c.argument(0)))
	if !c.check(err) {
		return nil
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if !c.check(e.Encode(v)) || !c.check(e.Close()) {
		return nil
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func fromJSON(c *call) any {
	d := json.NewDecoder(strings.NewReader(c.str(0)))
	d.UseNumber()
	var v any
	if !c.check(d.Decode(&v)) {
		return nil
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c.fail("there is something after the value")
	}
	v, err := c.input(v, 0)
	c.check(err)
	return v
}

func fromYAML(c *call) any {
	d := yaml.NewDecoder(strings.NewReader(c.str(0)))
	var n yaml.Node
	switch err := d.Decode(&n); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		c.check(err)
		return nil
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return c.fail("there is more than one document")
	}
	v, err := c.yamlValue(&n, 0)
	c.check(err)
	return v
}

// yamlValue turns a node into a value. It stops aliases of aliases, nine wide and
// nine deep, which are a few hundred bytes and a billion values: each use of an
// alias pays for all that it stands for, and an alias in itself is too deep.
func (c *call) yamlValue(n *yaml.Node, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errNesting
	}
	if err := c.charge(entrySize + len(n.Value)); err != nil {
		return nil, err
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return c.yamlValue(n.Content[0], depth)
	case yaml.AliasNode:
		return c.yamlValue(n.Alias, depth+1)
	case yaml.SequenceNode:
		l := make(list, len(n.Content))
		for i, item := range n.Content {
			var err error
			if l[i], err = c.yamlValue(item, depth+1); err != nil {
				return nil, err
			}
		}
		return l, nil
	case yaml.MappingNode:
		return c.yamlDict(n, depth)
	}
	return yamlScalar(n)
}

func (c *call) yamlDict(n *yaml.Node, depth int) (any, error) {
	d := make(dict, len(n.Content)/2)
	var merged []dict
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		v, err := c.yamlValue(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		switch {
		case key.Tag == "!!merge":
			if merged, err = yamlMerge(merged, v); err != nil {
				return nil, err
			}
		case key.Kind != yaml.ScalarNode:
			return nil, faultf("fromYaml: line %d: a key must be a text", key.Line)
		default:
			if _, ok := d[key.Value]; ok {
				return nil, faultf("fromYaml: line %d: the key %.80q is there twice", key.Line, key.Value)
			}
			d[key.Value] = v
		}
	}
	// What is written in the mapping itself wins, and then what is merged first.
	for _, from := range merged {
		for k, v := range from {
			if _, ok := d[k]; !ok {
				d[k] = v
			}
		}
	}
	return d, nil
}

func yamlMerge(merged []dict, v any) ([]dict, error) {
	switch v := v.(type) {
	case dict:
		return append(merged, v), nil
	case list:
		for _, item := range v {
			d, ok := item.(dict)
			if !ok {
				return nil, faultf("fromYaml: << merges mappings, not %s", describe(item))
			}
			merged = append(merged, d)
		}
		return merged, nil
	}
	return nil, faultf("fromYaml: << merges mappings, not %s", describe(v))
}

// yamlScalar reads a scalar. Times stay the text that they are written as.
func yamlScalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!str", "!!timestamp", "!!binary":
		return n.Value, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, faultf("fromYaml: line %d: %v", n.Line, err)
	}
	switch v := v.(type) {
	case nil, bool, string, int64, float64:
		return v, nil
	case int:
		return int64(v), nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
	}
	return nil, faultf("fromYaml: line %d: %.40q is not a value that a template can have", n.Line, n.Value)
}
