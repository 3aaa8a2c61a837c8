package scaffold_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// platform is a platform repository with a layer and a golden path.
func platform() tree.Tree {
	return tree.Tree{
		"goldenpaths/common/goldenpath.yaml": tree.Text(`apiVersion: syncer/v1
kind: GoldenPath
name: common
inputs:
  type: object
  required: [team]
  properties:
    team: {type: string, title: Owning team, x-from: repository.custom_properties.team}
files:
  - {glob: LICENSE, mode: once}
`),
		"goldenpaths/common/template/LICENSE":        tree.Text("free\n"),
		"goldenpaths/common/template/README.md.tmpl": tree.Text("# from common\n"),
		"goldenpaths/common/partials/owner.tmpl":     tree.Text("owned by {{ .team }}"),
		"goldenpaths/common/template/docs/latest":    tree.Link("../README.md"),
		"goldenpaths/svc/goldenpath.yaml": tree.Text(`apiVersion: syncer/v1
kind: GoldenPath
name: svc
version: 1.2.0
includes: [common]
inputs:
  type: object
  required: [name]
  properties:
    name: {type: string, pattern: "^[a-z-]+$", x-from: repository.name}
    port: {type: integer, default: 8080, minimum: 1024}
    envs: {type: array, items: {type: string}, default: [dev, prod]}
    extra: {type: boolean, default: false}
    token: {type: string, writeOnly: true}
    note: {type: string}
computed:
  package: '{{ .name | replace "-" "" }}'
  wide: {value: '{{ toJson (concat .envs (list "all")) }}', type: array}
files:
  - {glob: "deploy/*.yaml", forEach: wide, as: env}
  - {glob: extra.txt, when: "{{ .extra }}"}
  - {glob: "ci.yml", mode: managed, delimiters: ["[[", "]]"]}
`),
		"goldenpaths/svc/template/README.md.tmpl":                   tree.Text("# {{ .name }}\n{{ template \"owner\" . }}\r\n{{ .note | default \"-\" }} {{ .syncer.version }}"),
		"goldenpaths/svc/template/cmd/{{ .package }}/run.sh.tmpl":   tree.Script("#!/bin/sh\necho {{ .port }}\n"),
		"goldenpaths/svc/template/deploy/{{ .env }}.yaml.tmpl":      tree.Text("env: {{ .env }}\n"),
		"goldenpaths/svc/template/extra.txt":                        tree.Text("{{ not a template }}"),
		"goldenpaths/svc/template/ci.yml.tmpl":                      tree.Text("name: [[ .name ]] ${{ x }}\n"),
		"goldenpaths/svc/template/{{ if .extra }}x{{ end }}/y.tmpl": tree.Text("y"),
		"goldenpaths/svc/template/logo.bin":                         tree.Text("\x00\x01"),
		"goldenpaths/svc/template/empty":                            tree.Text(""),
	}
}

func load(t *testing.T, files tree.Tree, name string) *scaffold.GoldenPath {
	t.Helper()
	g, err := scaffold.Load(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestRender(t *testing.T) {
	g := load(t, platform(), "svc")
	inputs, err := g.Resolve(scaffold.Place{}, scaffold.Inputs{"name": "pay-ments", "team": "t"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := g.Render(inputs, scaffold.Machine{Repository: "acme/pay", Version: "1.2.0"})
	if err != nil {
		t.Fatal(err)
	}
	want := tree.Tree{
		"LICENSE":             tree.Text("free\n"),
		"README.md":           tree.Text("# pay-ments\nowned by t\r\n- 1.2.0"),
		"docs/latest":         tree.Link("../README.md"),
		"cmd/payments/run.sh": tree.Script("#!/bin/sh\necho 8080\n"),
		"deploy/dev.yaml":     tree.Text("env: dev\n"),
		"deploy/prod.yaml":    tree.Text("env: prod\n"),
		"deploy/all.yaml":     tree.Text("env: all\n"),
		"ci.yml":              tree.Text("name: pay-ments ${{ x }}\n"),
		"logo.bin":            tree.Text("\x00\x01"),
		"empty":               tree.Text(""),
	}
	if diff := cmp.Diff(want, r.Tree()); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	for p, mode := range map[string]scaffold.Mode{"LICENSE": scaffold.Once, "ci.yml": scaffold.Managed, "README.md": scaffold.Merge} {
		if r[p].Mode != mode {
			t.Errorf("%s has mode %s, want %s", p, r[p].Mode, mode)
		}
	}
	if r["README.md"].Layer != "svc" || r["LICENSE"].Layer != "common" {
		t.Errorf("README.md and LICENSE belong to %s and %s", r["README.md"].Layer, r["LICENSE"].Layer)
	}
	for p, f := range r {
		if f.Blob() != f.File.Blob() {
			t.Errorf("%s: the kept id is not the content's", p)
		}
	}
	again, _ := g.Render(inputs, scaffold.Machine{Repository: "acme/pay", Version: "1.2.0"})
	if again.Tree().Digest() != r.Tree().Digest() {
		t.Error("rendering twice gives different trees")
	}
}

func TestResolveTellsEverythingAtOnce(t *testing.T) {
	g := load(t, platform(), "svc")
	_, err := g.Resolve(scaffold.Place{File: "in.yaml"}, scaffold.Inputs{"name": "Pay", "prot": int64(1), "port": "x"})
	for _, want := range []string{
		`unknown input "prot"; did you mean port`,
		`"team" is missing`,
		`input "name": "Pay" does not match the pattern ^[a-z-]+$`,
		`input "port": this is of type string; it must be integer`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Resolve() = %v\nwant %s", err, want)
		}
	}
}

func TestInferTakesFacts(t *testing.T) {
	g := load(t, platform(), "svc")
	got := g.Infer(scaffold.Inputs{"port": int64(9000)}, scaffold.Facts{"name": "pay", "custom_properties": map[string]any{"team": "core"}})
	want := scaffold.Inputs{"port": int64(9000), "name": "pay", "team": "core"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestSecretsAreNeverRendered(t *testing.T) {
	files := platform()
	files["goldenpaths/svc/template/leak.tmpl"] = tree.Text("{{ .token }}")
	g := load(t, files, "svc")
	inputs, err := g.Resolve(scaffold.Place{}, scaffold.Inputs{"name": "p", "team": "t", "token": "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Render(inputs, scaffold.Machine{}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("Render() of a template that prints a secret = %v", err)
	}
	if _, ok := g.Public(inputs)["token"]; ok {
		t.Error("Public keeps the secret")
	}
}

// A secret that does not fit is a mistake whose message goes to terminals and logs.
func TestMistakesDoNotShowSecrets(t *testing.T) {
	files := tree.Tree{"goldenpaths/p/goldenpath.yaml": tree.Text(`apiVersion: syncer/v1
kind: GoldenPath
name: p
inputs:
  properties:
    token: {type: string, writeOnly: true, pattern: "^[a-z]+$"}
    kind: {enum: [a, b], writeOnly: true}
    pin: {type: integer, writeOnly: true}
    scopes: {type: array, writeOnly: true, items: {type: string, format: email}}
`)}
	g := load(t, files, "p")
	_, resolved := g.Resolve(scaffold.Place{}, scaffold.Inputs{"token": "S3CRET", "kind": "S3CRET", "scopes": []any{"S3CRET"}})
	_, parsed := g.Parse("pin", "S3CRET")
	for _, err := range []error{resolved, parsed, g.CheckInput("token", "S3CRET")} {
		if err == nil || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("got %v; want a mistake that does not show the secret", err)
		}
	}
	if n := strings.Count(resolved.Error(), "is a secret, and is not shown"); n != 3 {
		t.Errorf("got %v; want three mistakes", resolved)
	}
}

// A when is written in the manifest that it stands in, also where the file that it
// is for is a layer's with other delimiters.
func TestWhenHasItsManifestsDelimiters(t *testing.T) {
	const head = "apiVersion: syncer/v1\nkind: GoldenPath\n"
	for _, test := range []struct{ outer, layer, when string }{
		{`["[[", "]]"]`, `["{{", "}}"]`, "[[ .use ]]"}, {`["{{", "}}"]`, `["[[", "]]"]`, "{{ .use }}"},
	} {
		g := load(t, tree.Tree{
			"goldenpaths/layer/goldenpath.yaml": tree.Text(head + "name: layer\ndelimiters: " + test.layer + "\n"),
			"goldenpaths/layer/template/a.txt":  tree.Text("a\n"),
			"goldenpaths/outer/goldenpath.yaml": tree.Text(head + "name: outer\nincludes: [layer]\ndelimiters: " + test.outer +
				"\ninputs: {properties: {use: {type: boolean}}}\nfiles: [{glob: a.txt, when: '" + test.when + "'}]\n"),
		}, "outer")
		for _, use := range []bool{true, false} {
			r, err := g.Render(scaffold.Inputs{"use": use}, scaffold.Machine{})
			if _, has := r["a.txt"]; err != nil || has != use {
				t.Errorf("%s with %t renders %v, %v", test.when, use, r.Paths(), err)
			}
		}
	}
}

func TestMistakesSayWhere(t *testing.T) {
	const head = "apiVersion: syncer/v1\nkind: GoldenPath\nname: bad\n"
	for want, manifest := range map[string]string{
		`goldenpath.yaml:4:1: unknown key "fils"; did you mean files`:                       head + "fils: []\n",
		`goldenpath.yaml:4:1: the key "name" is here twice`:                                 head + "name: bad\n",
		`goldenpath.yaml:5:21: mrege is not one of managed, merge, once`:                    head + "files:\n  - {glob: a, mode: mrege}\n",
		`goldenpath.yaml:4:16: "[" is not a valid glob`:                                     head + "files: [{glob: '['}]\n",
		`goldenpath.yaml:4:16: the braces of the glob`:                                      head + "files: [{glob: '" + strings.Repeat("{a,a}", 40) + "b'}]\n",
		`goldenpath.yaml:5:3: "syncer" cannot be the name of a computed value`:              head + "computed:\n  syncer: x\n",
		`goldenpath.yaml:5:31: "syncer" cannot be the name of an item`:                      head + "files:\n  - {glob: a, forEach: b, as: syncer}\n",
		`goldenpath.yaml:4:12: there is no golden path "nix"`:                               head + "includes: [nix]\n",
		`goldenpath.yaml:5:6: computed "x": unknown input "nme"`:                            head + "computed:\n  x: 'a{{ .nme }}'\n",
		`goldenpath.yaml:3:7: the name is "other", but the folder is "bad"`:                 "apiVersion: syncer/v1\nkind: GoldenPath\nname: other\n",
		`goldenpath.yaml:7:15: nonsense is not one of`:                                      head + "inputs:\n  properties:\n    a:\n        type: nonsense\n",
		`goldenpath.yaml:5:22: unknown input "nope"`:                                        head + "files:\n  - {glob: ok, when: \"{{ .nope }}\"}\n",
		`goldenpath.yaml:5:22: "maybe" renders to "maybe"; it must render to true or false`: head + "files:\n  - {glob: ok, when: maybe}\n",
		`goldenpath.yaml:5:25: nothing is called "nope"`:                                    head + "files:\n  - {glob: ok, forEach: nope}\n",
		`not valid YAML`: head + "files: [\n",
		`a conflict marker of an unfinished merge is here`:            head + "<<<<<<< HEAD\n",
		`t.tmpl:2:3: there is no function "uper"; did you mean upper`: head + "title: t\n",
	} {
		files := tree.Tree{"goldenpaths/bad/goldenpath.yaml": tree.Text(manifest), "goldenpaths/bad/template/ok": tree.Text("")}
		if strings.Contains(manifest, "title") {
			files["goldenpaths/bad/template/t.tmpl"] = tree.Text("x\n{{uper 1}}")
		}
		g, err := scaffold.Load(files, "bad")
		if err == nil {
			_, err = g.Render(nil, scaffold.Machine{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestRenderedPathsStayInTheTree(t *testing.T) {
	for _, name := range []string{"../x", ".git/config", "C:/x", "a ", "a\x00b", "aux"} {
		files := tree.Tree{
			"goldenpaths/p/goldenpath.yaml":      tree.Text("apiVersion: syncer/v1\nkind: GoldenPath\nname: p\ninputs: {properties: {f: {type: string}}}\n"),
			"goldenpaths/p/template/{{ .f }}":    tree.Text(""),
			"goldenpaths/p/template/d/{{ .f }}x": tree.Text(""),
		}
		g := load(t, files, "p")
		if r, err := g.Render(scaffold.Inputs{"f": name}, scaffold.Machine{}); err == nil {
			t.Errorf("a file %q is rendered to %v", name, r.Paths())
		}
	}
}

// The two files that say what a repository follows are never a golden path's, in no
// spelling that a file system takes for theirs.
func TestTheMembersOwnFilesAreNotRendered(t *testing.T) {
	const manifest = "apiVersion: syncer/v1\nkind: GoldenPath\nname: p\ninputs: {properties: {f: {type: string}}}\n"
	for _, name := range []string{".goldenpath.yaml", ".goldenpath.lock", ".GoldenPath.YAML", ".golden\u200cpath.lock", ".goldenpath.yaml/x"} {
		for source, inputs := range map[string]scaffold.Inputs{name: nil, "{{ .f }}": {"f": name}} {
			files := tree.Tree{"goldenpaths/p/goldenpath.yaml": tree.Text(manifest), "goldenpaths/p/template/" + source: tree.Text("x")}
			_, err := load(t, files, "p").Render(inputs, scaffold.Machine{})
			if err == nil || !strings.Contains(err.Error(), "goldenpaths/p/template/"+source+": ") || !strings.Contains(err.Error(), "no golden path's") {
				t.Errorf("%s as %s: %v", name, source, err)
			}
		}
	}
	files := tree.Tree{"goldenpaths/p/goldenpath.yaml": tree.Text(manifest), "goldenpaths/p/template/docs/.goldenpath.yaml": tree.Text("an example")}
	if _, err := load(t, files, "p").Render(nil, scaffold.Machine{}); err != nil {
		t.Errorf("a file that is called so in a folder: %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte("apiVersion: syncer/v1\nkind: GoldenPath\nname: p\n"))
	f.Add(platform()["goldenpaths/svc/goldenpath.yaml"].Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := scaffold.Load(tree.Tree{"goldenpaths/p/goldenpath.yaml": {Kind: tree.Regular, Data: data}, "goldenpaths/p/template/a.tmpl": tree.Text("{{ .syncer.version }}")}, "p")
		if err != nil {
			return
		}
		_ = g.Lint()
		_, _ = g.Render(nil, scaffold.Machine{})
	})
}

// Each template alone is within its bounds; together they would take minutes.
func TestRenderIsBoundedAsAWhole(t *testing.T) {
	files := tree.Tree{"goldenpaths/g/goldenpath.yaml": tree.Text("apiVersion: syncer/v1\nkind: GoldenPath\nname: g\n")}
	for i := range 40 {
		files[fmt.Sprintf("goldenpaths/g/template/f%d.tmpl", i)] = tree.Text("{{ range until 90000 }}{{ range until 5 }}{{ end }}{{ end }}")
	}
	g, err := scaffold.Load(files, "g")
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.Render(scaffold.Inputs{}, scaffold.Machine{})
	if err == nil || !strings.Contains(err.Error(), "the templates together take more") {
		t.Errorf("rendered, or failed otherwise: %.300v", err)
	}
}

// A list is as long as its author likes, and each item has a when and a path to render.
func TestListsAreBounded(t *testing.T) {
	inputs := map[string]any{}
	var properties strings.Builder
	for i := range 199 {
		name := fmt.Sprintf("i%d", i)
		fmt.Fprintf(&properties, "%s: {type: integer}, ", name)
		inputs[name] = int64(i)
	}
	numbers := func(n int) []any {
		l := make([]any, n)
		for i := range l {
			l[i] = int64(i)
		}
		return l
	}
	for _, test := range []struct {
		when  string
		items int
		want  string
	}{
		{"false", 2000, ""},
		{"false", 20_001, `goldenpath.yaml:5:28: "l" has 20001 items; at most 20000 are rendered`},
		{`{{ template "big" }}`, 1000, "the templates together take more"},
	} {
		manifest := "inputs: {properties: {" + properties.String() + "l: {type: array}}}\nfiles: [{glob: a, forEach: l, when: '" + test.when + "'}]\n"
		inputs["l"] = numbers(test.items)
		g := load(t, only(manifest, "template/a", "", "partials/big.tmpl", strings.Repeat(" ", 1<<20)), "p")
		_, err := g.Render(inputs, scaffold.Machine{})
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%d items with %s: %.300v; want %s", test.items, test.when, err, test.want)
		}
	}
}
