package scaffold_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// What some inputs would be refused for, or would stop at, is found without any.
func TestLintFindsWhatSomeInputsStopAt(t *testing.T) {
	const optional = "inputs: {properties: {on: {type: boolean, default: false}, note: {type: string}, n: {type: integer, default: 1}, l: {type: array, items: {}}, o: {type: object, properties: {l: {type: array}, s: {type: string}}}, token: {writeOnly: true}}}\n"
	for _, test := range []struct {
		manifest string
		files    []string
		want     string // "" for no mistake
	}{
		{"", []string{"template/a.tmpl", "{{ if .on }}\n{{ .nme }}{{ end }}"}, `p/template/a.tmpl:2:4: unknown input "nme"`},
		{"", []string{"template/a.tmpl", "{{ if .on }}{{ .token }}{{ end }}"}, `a.tmpl:1:16: the input "token" is a secret`},
		{"", []string{"template/a.tmpl", "{{ .note }}"}, "a.tmpl:1:4: the value is null where nobody gives it"},
		{"", []string{"template/{{ .note }}.tmpl", ""}, "}}.tmpl: in the file's path: the value is null where"},
		{"", []string{"template/{{ if .note }}x{{ end }}/a.tmpl", "{{ .note }}"}, ""},
		{"files: [{glob: a, when: '{{ not (empty .note) }}'}]\n", []string{"template/a.tmpl", "{{ .note }}"}, ""},
		{"files: [{glob: a, when: '{{ and .on .nme }}'}]\n", []string{"template/a.tmpl", ""}, `goldenpath.yaml:5:25: unknown input "nme"`},
		{"files: [{glob: 'b*', forEach: l}]\n", []string{"template/b{{ .item }}.tmpl", "{{ .item.x }}{{ .note }}"}, ""},
		{"files: [{glob: 'b*', forEach: l, as: x}]\n", []string{"template/b{{ .item }}.tmpl", ""}, `in the file's path: unknown input "item"`},
		{"files: [{glob: a, forEach: nope}]\n", []string{"template/a", ""}, `goldenpath.yaml:5:28: nothing is called "nope"`},
		{"files: [{glob: a, forEach: token}]\n", []string{"template/a", ""}, `goldenpath.yaml:5:28: nothing is called "token"`},
		{"files: [{glob: a, forEach: n}]\n", []string{"template/a", ""}, `goldenpath.yaml:5:28: "n" is not a list`},
		{"files: [{glob: a, forEach: o.x}]\n", []string{"template/a", ""}, `goldenpath.yaml:5:28: nothing is called "x"`},
		{"files: [{glob: a, forEach: o.s}]\n", []string{"template/a", ""}, `goldenpath.yaml:5:28: "o.s" is not a list`},
		{"files: [{glob: 'a*', forEach: o.l}]\n", []string{"template/a{{ .item }}", ""}, ""},
		{"files: [{glob: 'a*', forEach: l, as: note}]\n", []string{"template/a{{ .note }}", ""}, `goldenpath.yaml:5:38: the item is called "note", like an input`},
		{"computed: {c: '{{ if .on }}{{ .d }}{{ end }}', d: '{{ .c }}'}\n", nil, `goldenpath.yaml:5:15: computed "c": unknown input "d"`},
		{"after: {repository: {topics: ['{{ .nme }}']}}\n", nil, `goldenpath.yaml:5:31: unknown input "nme"; known: `},
		{"after: {repository: {teams: {'{{ uper .name }}': push}}}\n", nil, "goldenpath.yaml:5:50: there is no function"},
		{"after: {dispatch: [{repository: a/b, workflow: c.yml, inputs: {x: '{{ .syncer.nope }}'}}]}\n", nil, `goldenpath.yaml:5:67: .syncer has no "nope"`},
		{"after: {repository: {topics: ['{{ include \"t\" . }}']}}\n", []string{"partials/t.tmpl", "{{ .n }}"}, ""},
		{"", []string{"template/Docs/a", "", "template/docs/b", ""}, "p/template/docs/b: the rendered files cannot be written: docs/b: its folder docs differs from Docs only in letter case"},
		{"files: [{glob: B, when: '{{ .on }}'}]\n", []string{"template/B", "", "template/b", ""}, ""},
		{"", []string{"template/a", "-> ../../etc"}, `p/template/a: the rendered files cannot be written: a: the symbolic link's target "../../etc" is outside`},
		{"", []string{"template/d/a", "-> ../b.tmpl", "template/b.tmpl", ""}, `p/template/d/a: the symbolic link leads to the template "../b.tmpl", which renders to a file without .tmpl; have it lead to "../b"`},
		{"", []string{"template/d/a", "-> ../b", "template/b.tmpl", ""}, ""},
		{"", []string{"template/a", "-> b.tmpl", "template/b.tmpl.tmpl", ""}, ""},
	} {
		files := only(optional+test.manifest, test.files...)
		for p, f := range files {
			if target, is := strings.CutPrefix(string(f.Data), "-> "); is {
				files[p] = tree.Link(target)
			}
		}
		g, err := scaffold.Load(files, "p")
		ps := scaffold.Gather("", err)
		if err == nil {
			ps = g.Lint()
		}
		said := ps.Error()
		if test.want == "" && said != "" || !strings.Contains(said, test.want) {
			t.Errorf("%s%v\ngot  %s\nwant %s", test.manifest, test.files, said, test.want)
		}
	}
}

// What a schema says where nobody reads it does nothing, and its author thinks it does.
func TestLintFindsWhatIsNotRead(t *testing.T) {
	for inputs, want := range map[string]string{
		"properties: {a: {x-from: repository.names}}":                                                                                 `goldenpath.yaml:4:35: of a repository nothing is known as "names"; did you mean name`,
		"properties: {a: {x-from: [repository.name, repository.custom_property.a]}}":                                                  `nothing is known as "custom_property"`,
		"properties: {a: {type: object, properties: {b: {x-from: repository.name}}}}":                                                 "goldenpath.yaml:4:66: x-from is read only where",
		"properties: {a: {type: string, patern: '^a$'}}":                                                                              `goldenpath.yaml:4:41: nobody knows what "patern" asks for; did you mean pattern?`,
		"properties: {a: {type: string, x-secret: true}}":                                                                             "writeOnly: true marks a secret",
		"properties: {a: {items: {minLenght: 3}}}":                                                                                    "did you mean minLength",
		"properties: {a: {type: string, x-team: b}}":                                                                                  `nobody knows what "x-team" asks for; JSON Schema has no such keyword; what is meant for people goes below x-ui`,
		"requird: [a], properties: {a: {type: string}}":                                                                               "did you mean required?",
		"properties: {secrt: {x-ui: {width: 3}}, a: {properties: {minimun: {}}, default: {any: 1}}}, dependentRequired: {secrt: [a]}": "",
		"$defs: {a: {default: 1}}, properties: {a: {$ref: '#/$defs/a'}}":                                                              "goldenpath.yaml:4:31: this default is not filled in",
		"properties: {a: {anyOf: [{default: 1}]}}":                                                                                    "goldenpath.yaml:4:45: this default is not filled in",
		"properties: {a: {default: {default: 1, x-from: x}, x-from: [repository.custom_properties.team]}}":                            "",
		"properties: {a: {type: array, items: {properties: {default: {default: 1}, items: {items: {default: 2}}}}}}":                  "",
	} {
		said := load(t, only("inputs: {"+inputs+"}\n"), "p").Lint().Error()
		if want == "" && said != "" || !strings.Contains(said, want) {
			t.Errorf("%s\ngot  %s\nwant %s", inputs, said, want)
		}
	}
}

// A layer's mistakes are found where it is a golden path, and not again in each that
// includes it.
func TestLintTellsAMistakeWhereItIs(t *testing.T) {
	files := only("includes: [base]\ninputs: {required: [typo], properties: {a: {type: string}}}\n", "template/b.tmpl", "{{ include \"w\" . }}", "template/c.tmpl", "{{ include \"w\" . }}", "partials/w.tmpl", "{{ if .x }}{{ .nme }}{{ end }}")
	files["goldenpaths/base/goldenpath.yaml"] = tree.Text("apiVersion: syncer/v1\nkind: GoldenPath\nname: base\ninputs: {properties: {x: {default: true}}}\n")
	files["goldenpaths/base/template/a.tmpl"] = tree.Text("{{ if .x }}{{ .nope }}{{ end }}")
	var said []string
	for _, p := range load(t, files, "p").Lint() {
		said = append(said, p.Error())
	}
	if len(said) != 2 || !strings.Contains(said[0], `goldenpath.yaml:5:21: "typo" is required, but is not among the properties`) || !strings.Contains(said[1], `p/partials/w.tmpl:1:15: unknown input "nme"`) {
		t.Errorf("p: %q", said)
	}
	if ps := load(t, files, "base").Lint(); !slices.ContainsFunc(ps, func(p document.Problem) bool { return p.File == "goldenpaths/base/template/a.tmpl" }) {
		t.Errorf("base: %v", ps)
	}
}

// A rule's own delimiters hold in a layer too, also where they are the golden path's.
func TestARulesDelimitersHold(t *testing.T) {
	files := only("delimiters: ['[[', ']]']\nincludes: [base]\nfiles: [{glob: a, delimiters: ['[[', ']]']}, {glob: b}]\n")
	files["goldenpaths/base/goldenpath.yaml"] = tree.Text("apiVersion: syncer/v1\nkind: GoldenPath\nname: base\n")
	files["goldenpaths/base/template/a.tmpl"] = tree.Text("[[ 1 ]]{{ 2 }}")
	files["goldenpaths/base/template/b.tmpl"] = tree.Text("[[ 1 ]]{{ 2 }}")
	r, err := load(t, files, "p").Render(nil, scaffold.Machine{})
	if a, b := string(r["a"].File.Data), string(r["b"].File.Data); err != nil || a != "1{{ 2 }}" || b != "[[ 1 ]]2" {
		t.Errorf("got %q and %q, %v", a, b, err)
	}
}

// A file of a list of numbers is the same file when the list is reordered.
func TestOriginsNameItems(t *testing.T) {
	g := load(t, only("inputs: {properties: {l: {type: array}}}\nfiles: [{glob: '*', forEach: l}]\n", "template/{{ .item }}", ""), "p")
	r, err := g.Render(scaffold.Inputs{"l": []any{int64(7), "x", true}}, scaffold.Machine{})
	if got := []string{r["7"].Origin, r["x"].Origin, r["true"].Origin}; err != nil || !slices.Equal(got, []string{"{{ .item }}[7]", "{{ .item }}[x]", "{{ .item }}[true]"}) {
		t.Errorf("%q, %v", got, err)
	}
}
