package document_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/document"
)

// What is added to a map goes after the end of its last value, however that is
// written.
func TestEditsKnowWhereValuesEnd(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain":                   {"m:\n  a: x # note\nz: 1\n", "m:\n  a: x # note\n  b: 2\nz: 1\n"},
		"plain over lines":        {"m:\n  a: x\n    y\n\n    # z\nz: 1\n", "m:\n  a: x\n    y\n  b: 2\n\n    # z\nz: 1\n"},
		"nothing":                 {"m:\n  a:\nz: 1\n", "m:\n  a:\n  b: 2\nz: 1\n"},
		"null":                    {"m:\n  a: ~\nz: 1\n", "m:\n  a: ~\n  b: 2\nz: 1\n"},
		"double quotes":           {"m:\n  a: \"x\n  \\\" # '\n\n  y\" # note\nz: 1\n", "m:\n  a: \"x\n  \\\" # '\n\n  y\" # note\n  b: 2\nz: 1\n"},
		"single quotes":           {"m:\n  a: 'it''s\n\n    # \"x'\nz: 1\n", "m:\n  a: 'it''s\n\n    # \"x'\n  b: 2\nz: 1\n"},
		"literal":                 {"m:\n  a: |\n    x\n    # y\n\n# note\nz: 1\n", "m:\n  a: |\n    x\n    # y\n  b: 2\n\n# note\nz: 1\n"},
		"literal, all kept":       {"m:\n  a: |+ # note\n    x\n\n\n# note\nz: 1\n", "m:\n  a: |+ # note\n    x\n\n\n  b: 2\n# note\nz: 1\n"},
		"literal, spaces":         {"m:\n  a: |\n    x\n      \nz: 1\n", "m:\n  a: |\n    x\n      \n  b: 2\nz: 1\n"},
		"folded":                  {"m:\n  a: >2-\n      x\n\n     y\n  # note\nz: 1\n", "m:\n  a: >2-\n      x\n\n     y\n  b: 2\n  # note\nz: 1\n"},
		"list":                    {"m:\n  a:\n  - x\n  - - y\n    - z\nz: 1\n", "m:\n  a:\n  - x\n  - - y\n    - z\n  b: 2\nz: 1\n"},
		"brackets":                {"m:\n  a: [x, {y: 1},\n    z, # ]\n    ]\nz: 1\n", "m:\n  a: [x, {y: 1},\n    z, # ]\n    ]\n  b: 2\nz: 1\n"},
		"alias":                   {"k: &k v\nm:\n  a: *k\nz: 1\n", "k: &k v\nm:\n  a: *k\n  b: 2\nz: 1\n"},
		"properties":              {"m: &m\n  a: &a !!str\n    x\nz: 1\n", "m: &m\n  a: &a !!str\n    x\n  b: 2\nz: 1\n"},
		"no end of the last line": {"m:\n  a: x", "m:\n  a: x\n  b: 2\n"},
		"Windows' line endings":   {"m:\r\n  a: |\r\n    x\r\nz: 1\r\n", "m:\r\n  a: |\r\n    x\r\n  b: 2\r\nz: 1\r\n"},
		"in brackets":             {"m: {a: x}\n", "m: {a: x, b: 2}\n"},
		"in brackets, after é":    {"é: 'é'\nm: {\"é\": é, a: [é]} # é\n", "é: 'é'\nm: {\"é\": é, a: [é], b: 2} # é\n"},
		"in brackets, a comma":    {"m: {\n  a: x, # note\n}\n", "m: {\n  a: x, b: 2, # note\n}\n"},
		"empty brackets":          {"m: &m { # note\n}\n", "m: &m {b: 2 # note\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			edited(t, c.text, c.want, document.KeyEdit{Put: map[string]any{"b": 2}})
		})
	}
}

func TestKeysAreRenamedAndRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
		edit       document.KeyEdit
	}{
		"lines": {
			"m:\n  # of a\n  a: |\n    x\n\n    y\n  'b': 1 # of b\n  c: [1,\n   2]\nz: 1\n", "m:\n  # of a\n  d: 1 # of b\nz: 1\n",
			document.KeyEdit{Rename: map[string]string{"b": "d"}, Remove: []string{"a", "c"}},
		},
		"two names change places": {
			"m: {a: 1, b: 2}\n", "m: {b: 1, a: 2}\n",
			document.KeyEdit{Rename: map[string]string{"a": "b", "b": "a"}},
		},
		"all lines":           {"m: # note\n  a: 1\n  # more\n  b: 2\nz: 1\n", "m: {} # note\n  # more\nz: 1\n", document.KeyEdit{Remove: []string{"a", "b"}}},
		"all lines, then one": {"m:\n  a: 1\n  b: 2\nz: 1\n", "m:\n  c: 3\nz: 1\n", document.KeyEdit{Remove: []string{"a", "b"}, Put: map[string]any{"c": 3}}},
		"first in brackets":   {"m: {a: 1, b: 2}\n", "m: {b: 2}\n", document.KeyEdit{Remove: []string{"a"}}},
		"last in brackets":    {"m: {a: 1, b: 2, c: 3}\n", "m: {a: 1}\n", document.KeyEdit{Remove: []string{"b", "c"}}},
		"all in brackets":     {"m: {a: 1, b: [2]} # note\n", "m: {} # note\n", document.KeyEdit{Remove: []string{"a", "b"}}},
		"all, then one":       {"m: {a: 1, b: [2]}\n", "m: {c: 3}\n", document.KeyEdit{Remove: []string{"a", "b"}, Put: map[string]any{"c": 3}}},
		"last, then one":      {"m: {a: 1, b: [2]}\n", "m: {a: 1, c: 3}\n", document.KeyEdit{Remove: []string{"b"}, Put: map[string]any{"c": 3}}},
	} {
		t.Run(name, func(t *testing.T) { edited(t, c.text, c.want, c.edit) })
	}
}

// edited checks what an edit of the map m makes, and that it can be read.
func edited(t *testing.T, text, want string, k document.KeyEdit) {
	t.Helper()
	d, err := document.Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	e := d.Edit([]byte(text))
	above, m := d.Node("m")
	e.Keys(above, m, k)
	got, err := e.Text()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if _, err := document.Parse("f", got); err != nil {
		t.Error(err)
	}
}
