package engine

import "reflect"

// borrowedFunctions are sprig's own: those that take and return texts, numbers
// and booleans, make at most four times as much text as they are given, and need
// no more time than in proportion to it. All others are written anew in this
// package, because they vary, follow reflection, hide errors, or grow.
func borrowedFunctions(sprigs map[string]any) []function {
	var fs []function
	for _, f := range []Function{
		{"abbrev", "a text cut to a number of bytes, ending in an ellipsis", `{{ abbrev 8 "hello world" }}`, "hello..."},
		{"abbrevboth", "a text cut at both ends, with ellipses", `{{ abbrevboth 5 10 "1234 5678 9123" }}`, "...5678..."},
		{"adler32sum", "the Adler-32 checksum of a text, in decimal", `{{ adler32sum "go" }}`, "20906199"},
		{"b32enc", "a text in base 32", `{{ b32enc "go" }}`, "M5XQ===="},
		{"b64enc", "a text in base 64", `{{ b64enc "go" }}`, "Z28="},
		{"base", "the last element of a path", `{{ base "a/b.txt" }}`, "b.txt"},
		{"camelcase", "a text in CamelCase", `{{ camelcase "http_server" }}`, "HttpServer"},
		{"clean", "a path without . and .. where possible", `{{ clean "a/../b" }}`, "b"},
		{"contains", "whether the second text contains the first", `{{ contains "o" "go" }}`, "true"},
		{"dir", "a path without its last element", `{{ dir "a/b.txt" }}`, "a"},
		{"ext", "the ending of a path", `{{ ext "a/b.txt" }}`, ".txt"},
		{"hasPrefix", "whether the second text begins with the first", `{{ hasPrefix "g" "go" }}`, "true"},
		{"hasSuffix", "whether the second text ends with the first", `{{ hasSuffix "o" "go" }}`, "true"},
		{"initials", "the first letter of each word", `{{ initials "Team Platform" }}`, "TP"},
		{"isAbs", "whether a path is absolute", `{{ isAbs "/a" }}`, "true"},
		{"kebabcase", "a text in kebab-case", `{{ kebabcase "HttpServer" }}`, "http-server"},
		{"lower", "a text in lower case", `{{ lower "GO" }}`, "go"},
		{"nospace", "a text without white space", `{{ nospace "a b c" }}`, "abc"},
		{"plural", "the first text if the number is 1, or else the second", `{{ plural "file" "files" 2 }}`, "files"},
		{"regexQuoteMeta", "a text as a regular expression that matches just it", `{{ regexQuoteMeta "1.2" }}`, `1\.2`},
		{"sha1sum", "the SHA-1 digest of a text, in hexadecimal", `{{ sha1sum "go" | trunc 8 }}`, "1ec558a6"},
		{"sha256sum", "the SHA-256 digest of a text, in hexadecimal", `{{ sha256sum "go" | trunc 8 }}`, "4cd0e21a"},
		{"sha512sum", "the SHA-512 digest of a text, in hexadecimal", `{{ sha512sum "go" | trunc 8 }}`, "2f273778"},
		{"snakecase", "a text in snake_case", `{{ snakecase "HttpServer" }}`, "http_server"},
		{"swapcase", "a text with upper and lower case exchanged", `{{ swapcase "Go" }}`, "gO"},
		{"title", "a text with each word's first letter in upper case", `{{ title "team platform" }}`, "Team Platform"},
		{"trim", "a text without the white space at its ends", `{{ trim " go " }}`, "go"},
		{"trimPrefix", "a text without a beginning", `{{ trimPrefix "v" "v1.2" }}`, "1.2"},
		{"trimSuffix", "a text without an ending", `{{ trimSuffix ".git" "a.git" }}`, "a"},
		{"trunc", "the first bytes of a text, or with a negative number the last ones", `{{ trunc 3 "golden" }}`, "gol"},
		{"untitle", "a text with each word's first letter in lower case", `{{ untitle "Team Platform" }}`, "team platform"},
		{"upper", "a text in upper case", `{{ upper "go" }}`, "GO"},
		{"urlJoin", "the URL that a dict such as urlParse's makes", `{{ urlJoin (dict "scheme" "https" "host" "a.example" "path" "/b") }}`, "https://a.example/b"},
		{"urlParse", "the parts of a URL, as a dict", `{{ (urlParse "https://a.example/b").host }}`, "a.example"},
	} {
		fs = append(fs, borrow(f, sprigs[f.Name]))
	}
	return fs
}

// borrow wraps a Go function whose parameters are strings, integers and dicts.
func borrow(f Function, code any) function {
	v := reflect.ValueOf(code)
	n := v.Type().NumIn()
	return function{
		Function: f, min: n, max: n, price: weights{value: valueSize, text: 4},
		run: func(c *call) any {
			in := make([]reflect.Value, n)
			for i := range in {
				in[i] = reflect.ValueOf(c.goValue(i, v.Type().In(i).Kind()))
			}
			if c.err != nil {
				return nil
			}
			out := v.Call(in)
			return c.fromGo(out[0].Interface())
		},
	}
}

// goValue returns the i-th argument as a value of one of Go's kinds.
func (c *call) goValue(i int, k reflect.Kind) any {
	switch k {
	case reflect.String:
		return c.str(i)
	case reflect.Int:
		return c.int(i)
	case reflect.Map:
		return c.dict(i)
	}
	return c.fail("argument %d cannot be given", i+1)
}

// fromGo returns what a Go function returned as a value of a template.
func (c *call) fromGo(v any) any {
	if n, ok := v.(int); ok {
		return int64(n)
	}
	if canonical(v, 0) {
		return v
	}
	v, err := c.input(v, 0)
	c.check(err)
	return v
}
