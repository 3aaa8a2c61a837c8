package scaffold_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// head begins the manifest of a golden path called p.
const head = "apiVersion: syncer/v1\nkind: GoldenPath\nname: p\n"

// only is a platform repository with one golden path, p: its manifest and what is in its
// folder.
func only(manifest string, files ...string) tree.Tree {
	t := tree.Tree{"goldenpaths/p/goldenpath.yaml": tree.Text(head + manifest)}
	for i := 0; i+1 < len(files); i += 2 {
		t["goldenpaths/p/"+files[i]] = tree.Text(files[i+1])
	}
	return t
}

// resolved loads a golden path and resolves inputs.
func resolved(t *testing.T, files tree.Tree, given scaffold.Inputs) (scaffold.Inputs, error) {
	t.Helper()
	return load(t, files, "p").ResolveNew(scaffold.Place{}, given)
}

// A mistake of the inputs together is placed at none of them, and still shows no secret.
func TestMistakesTogetherDoNotShowSecrets(t *testing.T) {
	for _, rule := range []string{
		`oneOf: [{properties: {token: {pattern: ^a}}}, {properties: {token: {pattern: ^b}}}]`,
		`anyOf: [{properties: {token: {const: a}}}, {properties: {token: {enum: [b]}}}]`,
		`const: {token: a}`,
		`allOf: [{enum: [{token: a}]}]`,
	} {
		_, err := resolved(t, only("inputs:\n  properties: {token: {type: string, writeOnly: true}}\n  "+rule+"\n"), scaffold.Inputs{"token": "S3CRET"})
		if err == nil || strings.Contains(err.Error(), "S3CRET") || !strings.Contains(err.Error(), "is a secret, and is not shown") {
			t.Errorf("%s: %v", rule, err)
		}
	}
	_, err := resolved(t, only("inputs:\n  properties: {a: {type: string}, token: {type: string, writeOnly: true}}\n  oneOf: [{properties: {a: {const: x}}}, {properties: {a: {const: y}}}]\n"), scaffold.Inputs{"a": "z"})
	if err == nil || !strings.Contains(err.Error(), "z is not x; or z is not y") {
		t.Errorf("a rule about no secret: %v", err)
	}
}

// A secret that is only a part of an input, or is one by reference, would be written.
func TestSecretsAreWholeInputs(t *testing.T) {
	for manifest, want := range map[string]string{
		"inputs:\n  $defs: {s: {type: string, writeOnly: true}}\n  properties: {t: {$ref: '#/$defs/s'}}\n":               "goldenpath.yaml:5:40: writeOnly keeps only a whole input secret",
		"inputs:\n  properties:\n    db: {type: object, properties: {pw: {writeOnly: true}}}\n":                          "goldenpath.yaml:6:53: writeOnly keeps",
		"inputs:\n  properties: {l: {type: array, items: {type: string, writeOnly: true}}}\n":                            "goldenpath.yaml:5:66: writeOnly keeps",
		"inputs:\n  properties: {a: {type: string}}\n  allOf: [{properties: {a: {writeOnly: true}}}]\n":                  "goldenpath.yaml:6:40: writeOnly keeps",
		"inputs:\n  properties: {writeOnly: {type: object, default: {writeOnly: true}}, s: {writeOnly: true}}\n":         "",
		"inputs:\n  properties: {db: {type: object, properties: {writeOnly: {type: boolean}, w: {writeOnly: false}}}}\n": "",
	} {
		_, err := scaffold.Load(only(manifest), "p")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\ngot  %v\nwant %s", manifest, err, want)
		}
	}
}

// What a layer's schema says about its inputs together holds too, whatever the golden
// path's own says.
func TestRulesOfAllLayersHold(t *testing.T) {
	files := only(`includes: [base]
inputs:
  $defs: {mine: {type: string, maxLength: 3}}
  properties: {b: {$ref: "#/$defs/mine"}, kind: {type: string}}
  allOf: [{required: [b]}]
  if: {properties: {kind: {const: x}}, required: [kind]}
  then: {required: [a]}
`)
	files["goldenpaths/base/goldenpath.yaml"] = tree.Text(`apiVersion: syncer/v1
kind: GoldenPath
name: base
inputs:
  $defs: {theirs: {type: string, pattern: ^a}}
  properties: {a: {$ref: "#/$defs/theirs"}, c: {type: string}, token: {type: string, writeOnly: true}}
  allOf: [{dependentRequired: {a: [c]}}]
  dependentRequired: {b: [token]}
  if: {properties: {kind: {const: y}}, required: [kind]}
  then: {required: [a]}
`)
	g := load(t, files, "p")
	for _, test := range []struct {
		given scaffold.Inputs
		want  string
	}{
		{scaffold.Inputs{"a": "x", "b": "b", "c": "c", "token": "t"}, "does not match the pattern ^a"},
		{scaffold.Inputs{"b": "long", "token": "t"}, `input "b"`},
		{scaffold.Inputs{"a": "a", "c": "c"}, `"b" is missing`},
		{scaffold.Inputs{"a": "a", "b": "b", "token": "t"}, "'c' required"},
		{scaffold.Inputs{"b": "b", "kind": "x", "token": "t"}, `"a" is missing`},
		{scaffold.Inputs{"b": "b", "kind": "y", "token": "t"}, `"a" is missing`},
		{scaffold.Inputs{"b": "b"}, "'token' required"},
		{scaffold.Inputs{"b": "b", "token": "t"}, ""},
	} {
		_, err := g.ResolveNew(scaffold.Place{}, test.given)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v: got %v; want %s", test.given, err, test.want)
		}
	}
	// Later the secret is not known, and what asks for it is the only rule that ends.
	if _, err := g.Resolve(scaffold.Place{}, scaffold.Inputs{"b": "b"}); err != nil {
		t.Errorf("without the secret: %v", err)
	}
	if _, err := g.Resolve(scaffold.Place{}, scaffold.Inputs{"a": "a", "b": "b"}); err == nil {
		t.Error("without the secret the other rules do not hold")
	}
}

func TestDefaultsAreFilledInItems(t *testing.T) {
	got, err := resolved(t, only(`inputs:
  properties:
    ports: {type: array, default: [{name: web}], items: {type: object, properties: {name: {type: string}, port: {type: integer, default: 8080}}}}
    grid: {type: array, items: {type: array, items: {type: object, properties: {on: {default: true}}}}}
    tuple: {type: array, default: [1, x]}
`), scaffold.Inputs{"grid": []any{[]any{map[string]any{}}}})
	want := scaffold.Inputs{
		"ports": []any{map[string]any{"name": "web", "port": int64(8080)}},
		"grid":  []any{[]any{map[string]any{"on": true}}},
		"tuple": []any{int64(1), "x"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v; mismatch (-want +got):\n%s", err, diff)
	}
}

// A flag, and what GitHub knows of a repository, are texts.
func TestTextsBecomeWhatTheInputIs(t *testing.T) {
	g := load(t, only(`inputs:
  $defs: {level: {type: integer}}
  properties:
    port: {type: integer, x-from: repository.custom_properties.port}
    ratio: {type: number}
    on: {type: boolean, x-from: repository.custom_properties.on}
    maybe: {type: [integer, "null"]}
    ref: {$ref: "#/$defs/level"}
    size: {enum: [1, 2, large]}
    word: {type: [string, integer]}
    name: {type: string, x-from: repository.name}
`), "p")
	for _, test := range []struct {
		name, text string
		want       any
	}{
		{"maybe", "7", int64(7)}, {"maybe", "null", nil}, {"maybe", "x", "x"}, {"ref", "3", int64(3)},
		{"size", "2", int64(2)}, {"size", "large", "large"}, {"word", "12", "12"}, {"name", "12", "12"}, {"ratio", "1.5", 1.5},
	} {
		if got, err := g.Parse(test.name, test.text); err != nil || got != test.want {
			t.Errorf("Parse(%s, %s) = %#v, %v; want %#v", test.name, test.text, got, err, test.want)
		}
	}
	for _, text := range []string{"NaN", "Inf", "-Inf"} {
		if got, err := g.Parse("ratio", text); err == nil || !strings.Contains(err.Error(), "is not a number") {
			t.Errorf("Parse(ratio, %s) = %v, %v", text, got, err)
		}
	}
	got := g.Infer(nil, scaffold.Facts{"name": "007", "custom_properties": map[string]any{"port": "9000", "on": "true"}})
	if diff := cmp.Diff(scaffold.Inputs{"name": "007", "port": int64(9000), "on": true}, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	got = g.Infer(nil, scaffold.Facts{"custom_properties": map[string]any{"port": "many"}})
	if diff := cmp.Diff(scaffold.Inputs{"port": "many"}, got); diff != "" {
		t.Errorf("what does not fit is told by Resolve (-want +got):\n%s", diff)
	}
}

// An alias stands for what it points to, also where computed values are read.
func TestComputedTakesAliases(t *testing.T) {
	for manifest, want := range map[string]string{
		"computed: {a: &v '{{ .syncer.goldenPath }}1', b: *v}\n":                                     "p1 p1",
		"inputs: {properties: {o: {default: &c {a: x, b: '{{ .a }}y'}}}}\ncomputed: *c\n":            "x xy",
		"computed:\n  a: |-\n    {{ .syncer.goldenPath }}\n  b: {value: '{{ .a }}', type: string}\n": "p p",
	} {
		r, err := load(t, only(manifest, "template/f.tmpl", "{{ .a }} {{ .b }}"), "p").Render(nil, scaffold.Machine{})
		if got := string(r["f"].File.Data); err != nil || got != want {
			t.Errorf("%s\ngot %q, %v; want %q", manifest, got, err, want)
		}
	}
}

// A file with as many unknown inputs as it can hold is read once, not once for each: an
// hour, if it is.
func TestManyMistakesAreToldSoon(t *testing.T) {
	var text strings.Builder
	given := scaffold.Inputs{}
	for i := range 5000 {
		name := fmt.Sprintf("unknown%d", i)
		given[name] = int64(i)
		fmt.Fprintf(&text, "%s: %d\n", name, i)
	}
	_, err := load(t, only("inputs: {properties: {a: {}}}\n"), "p").Resolve(scaffold.Place{File: "f", Text: []byte(text.String())}, given)
	if err == nil || !strings.Contains(err.Error(), `f:1:1: unknown input "unknown0"`) || !strings.Contains(err.Error(), "and 4900 more mistakes") {
		t.Errorf("got %.300v", err)
	}
}
