package engine

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is data such as a golden path's inputs.
func sample() map[string]any {
	return map[string]any{
		"name": "payments", "team": "core", "port": int64(8080), "ratio": 1.5, "on": true, "none": nil,
		"tags": []any{"a", "b"},
		"app":  map[string]any{"db": map[string]any{"port": int64(5432)}, "host": "h"},
	}
}

// render parses and executes text, with partials given as name and text.
func render(t testing.TB, l Limits, text string, partials ...string) (string, error) {
	t.Helper()
	s := NewSet(l)
	for i := 0; i+1 < len(partials); i += 2 {
		if err := s.AddPartial(partials[i], partials[i]+".tmpl", []byte(partials[i+1]), Delimiters{}); err != nil {
			return "", err
		}
	}
	tmpl, err := s.Parse("f.tmpl", []byte(text), Delimiters{})
	if err != nil {
		return "", err
	}
	out, err := tmpl.Execute(sample())
	return string(out), err
}

func TestExecute(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{``, ``},
		{`plain`, `plain`},
		{`{{ .name }}:{{ .port }} {{ .ratio }} {{ .on }} {{ .tags }}`, `payments:8080 1.5 true [a b]`},
		{`{{ if eq .port 8080 }}y{{ else }}n{{ end }}`, `y`},
		{`{{ if eq .port 8080.0 }}y{{ end }}{{ if lt 1 1.5 }}y{{ end }}`, `yy`},
		{`{{ if and .on (gt .port 80) }}y{{ end }}`, `y`},
		{`{{ .port | add 1 | mul 2 }}`, `16162`},
		{`{{ range .tags }}<{{ . }}>{{ end }}`, `<a><b>`},
		{`{{ range $i, $v := .tags }}{{ $i }}{{ $v }}{{ end }}`, `0a1b`},
		{`{{ range $k, $v := .app.db }}{{ $k }}={{ $v }}{{ end }}`, `port=5432`},
		{`{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}`, `01201`},
		{`{{ range list }}x{{ else }}none{{ end }}{{ range .none }}x{{ else }}-{{ end }}`, `none-`},
		{`{{ range until 9 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ if eq . 4 }}{{ break }}{{ end }}{{ . }}{{ end }}`, `013`},
		{`{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ $y }}{{ end }}{{ $x }}`, `32`},
		{`{{ $x := "a" }}{{ range $x = list 1 2 }}{{ end }}{{ $x }}`, `2`},
		{`{{ with .app }}{{ .host }}{{ $.name }}{{ end }}{{ with $x := .name }}{{ $x }}{{ . }}{{ end }}`, `hpaymentspaymentspayments`},
		{`{{ with .none }}a{{ else with .name }}{{ . }}{{ end }}`, `payments`},
		{`{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" .name }}{{ include "x" 1 | upper }}`, `[payments][1]`},
		{`{{ block "y" .team }}({{ . }}){{ end }}`, `(core)`},
		{`{{ (index .tags 1) }}{{ (.app).host }}{{ $.app.db.port }}`, `bh5432`},
		{`{{ (semver "1.2.3").Minor }} {{ (semver "1.2.3").Compare (semver "1.2.4") }} {{ semver "v1.2" }}`, `2 -1 1.2.0`},
		{`{{ "a" -}}   b {{- /* c */ -}}  c`, `abc`},
		{`{{ .none | default "d" }}{{ if .none }}x{{ end }}{{ if not .none }}y{{ end }}`, `dy`},
		{`{{ 'a' }} {{ 0x1F }} {{ 1e3 }} {{ 1_000 }} {{ -3 }}`, `97 31 1000 1000 -3`},
		{`{{ $d := dict "a" 1 }}{{ $_ := set $d "b" 2 }}{{ $_ := set .app "new" $d }}{{ .app.new.b }}`, `2`},
		{`{{ or .none .name }}{{ and .name 0 }}{{ or 0 "" | quote }}`, `payments0""`},
		{"{{ `raw }}` }}", "raw }}"},
	} {
		if got, err := render(t, Limits{}, test.text); err != nil || got != test.want {
			t.Errorf("%s\n got %q, %v\nwant %q", test.text, got, err, test.want)
		}
	}
}

func TestDelimiters(t *testing.T) {
	s := NewSet(Limits{})
	tmpl, err := s.Parse("ci.yml.tmpl", []byte(`${{ github.ref }} [[ .name ]] [[/* c */]]x`), Delimiters{"[[", "]]"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := tmpl.Execute(sample())
	if want := "${{ github.ref }} payments x"; err != nil || string(out) != want {
		t.Errorf("got %q, %v; want %q", out, err, want)
	}
	for _, d := range []Delimiters{{"", "]]"}, {"[[", ""}, {"<<", "<<"}, {"a", "b"}, {"{ {", "}}"}, {"\"", "'"}, {"(.", ".)"}, {strings.Repeat("[", 17), "]]"}} {
		if _, err := s.Parse("x", nil, d); err == nil {
			t.Errorf("%q: no error", d)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		// Inputs and keys.
		{"a\nb\n  port: {{ .nme }}", `f.tmpl:3:12: unknown input "nme"; known: app, name, none, on, port, ratio, tags, team (did you mean "name"?)`},
		{`{{ $.prot }}`, `f.tmpl:1:5: unknown input "prot"; known: app, name, none, on, port, ratio, tags, team (did you mean "port"?)`},
		{`{{ .app.db.prot }}`, `f.tmpl:1:11: .app.db has no "prot"; known: port (did you mean "port"?)`},
		{`{{ .app.dbx.port }}`, `f.tmpl:1:8: .app has no "dbx"; known: db, host (did you mean "db"?)`},
		{`{{ $x := .app }}{{ $x.hots }}`, `f.tmpl:1:22: $x has no "hots"; known: db, host (did you mean "host"?)`},
		{`{{ .none.x }}`, `f.tmpl:1:9: .none is null, and has no "x"; give it a value, or ask with dig`},
		{`{{ .name.x }}`, `f.tmpl:1:9: .name is a string, and has no "x"`},
		{`{{ index .app "hots" }}`, `f.tmpl:1:4: index: there is no key "hots"; known: db, host (did you mean "host"?)`},
		{`{{ index .tags 2 }}`, `f.tmpl:1:4: index: there is no value 2 in a list of 2`},
		{`{{ .none }}`, `f.tmpl:1:4: the value is null, and cannot be written; use default: {{ .x | default "" }}`},
		{`{{ .name 1 }}`, `f.tmpl:1:4: .name is a value and takes no arguments; is a function's name missing before it?`},
		// Functions.
		{"x\n{{ now }}", `f.tmpl:2:4: function "now" is not available: it does not give the same result twice; make the value an input`},
		{`{{ .name | uper }}`, `f.tmpl:1:12: there is no function "uper"; did you mean upper?`},
		{`{{ upper }}`, `f.tmpl:1:4: upper takes 1 argument, and has 0; for example {{ upper "go" }}`},
		{`{{ upper .port }}`, `f.tmpl:1:4: upper: argument 1 is an integer; it must be a string; use toString`},
		{`{{ fail "no" }}`, `f.tmpl:1:4: no`},
		{`{{ required "name it" .none }}`, `f.tmpl:1:4: name it`},
		{`{{ eq .name 1 }}`, `f.tmpl:1:4: eq: a string cannot equal an integer; use toString or int on one of them`},
		{`{{ div 1 0 }}`, `f.tmpl:1:4: div: 1 cannot be divided by 0`},
		{`{{ b64dec "?" }}`, `f.tmpl:1:4: b64dec: illegal base64 data at input byte 0`},
		{`{{ range .name }}{{ end }}`, `f.tmpl:1:10: range cannot go over a string; give it a list, a dict or an integer`},
		// Templates.
		{`{{ template "x" . }}`, `f.tmpl:1:13: template "x" is not defined; did you mean p?`},
		{`{{ include "lables" . }}`, `f.tmpl:1:4: template "lables" is not defined; did you mean labels?`},
		{"\n {{ include \"p\" . }}", `p.tmpl:2:5: unknown input "q"; known: app, name, none, on, port, ratio, tags, team`},
		{`{{ define "p" }}{{ end }}`, `f.tmpl:1:17: template "p" is already defined at p.tmpl:1; give one of the two another name`},
		// Syntax.
		{"a\n{{ if .name }}\n b", `f.tmpl:2:1: "if" is never closed; add {{end}}`},
		{"a\n b {{ .x", `f.tmpl:2:4: unclosed action; close it with }}`},
		{"a\n b {{ .name }} {{ .name | | }}", `f.tmpl:2:27: unexpected "|" in command`},
		{"{{ end }}", `f.tmpl:1:1: unexpected {{end}}`},
		{"x {{ $y }}", `f.tmpl:1:6: undefined variable "$y"`},
		{"x {{ \"a }}", `f.tmpl:1:3: unterminated quoted string; close it with }}`},
		{`{{ nil }}`, `f.tmpl:1:4: nil is not a command; write "" or use default`},
		{`{{ 9999999999999999999 }}`, `f.tmpl:1:4: 9999999999999999999 is larger than 9223372036854775807, the largest integer`},
	} {
		_, err := render(t, Limits{}, test.text, "p", "\n<{{ .q }}>", "labels", "{{ define \"labels\" }}l{{ end }}")
		if err == nil {
			t.Errorf("%s: no error; want %s", test.text, test.want)
			continue
		}
		if diff := cmp.Diff(test.want, err.Error()); diff != "" {
			t.Errorf("%s: mismatch (-want +got):\n%s", test.text, diff)
		}
		var e *Error
		if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
			t.Errorf("%s: %#v is not an *Error with a place", test.text, err)
		}
	}
}

func TestUnknownInputWithoutData(t *testing.T) {
	tmpl, err := NewSet(Limits{}).Parse("f", []byte("{{ .x }}"), Delimiters{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tmpl.Execute(nil)
	if want := `f:1:4: unknown input "x"; nothing is known here`; err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
}

func TestAddPartial(t *testing.T) {
	s := NewSet(Limits{})
	add := func(name, text string) error { return s.AddPartial(name, name+".tmpl", []byte(text), Delimiters{}) }
	if err := add("a", `{{ template "b" . }}!`); err != nil {
		t.Fatal(err)
	}
	if err := add("b", `{{ define "inner" }}<{{ . }}>{{ end }}{{ template "inner" .name }}`); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"a": `a.tmpl:1:1: template "a" is already defined at a.tmpl:1; give one of the two another name`,
		"c": `c.tmpl:1:4: there is no function "nix"; the manual lists all functions`,
	} {
		if err := add(name, `{{ nix }}`); name == "c" && (err == nil || err.Error() != want) {
			t.Errorf("%s: got %v; want %s", name, err, want)
		}
	}
	if err := add("a", "again"); err == nil || !strings.Contains(err.Error(), "already defined") {
		t.Errorf("a twice: got %v", err)
	}
	tmpl, err := s.Parse("f", []byte(`{{ include "a" . }}{{ template "inner" 1 }}`), Delimiters{})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := tmpl.Execute(sample()); err != nil || string(out) != "<payments>!<1>" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestDataStaysAsItIs(t *testing.T) {
	text := `{{ $_ := set .app "x" 1 }}{{ $_ := unset . "name" }}{{ $_ := mergeOverwrite .app.db (dict "port" 1) }}{{ .app.x }}{{ .app.db.port }}`
	tmpl, err := NewSet(Limits{}).Parse("f", []byte(text), Delimiters{})
	if err != nil {
		t.Fatal(err)
	}
	data := sample()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if out, err := tmpl.Execute(data); err != nil || string(out) != "11" {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
	wait.Wait()
	if diff := cmp.Diff(sample(), data); diff != "" {
		t.Errorf("data changed (-want +got):\n%s", diff)
	}
}

func TestDataOfOtherTypes(t *testing.T) {
	type port uint16
	tmpl, err := NewSet(Limits{}).Parse("f", []byte(`{{ eq .p 8080 }} {{ join "," .l }} {{ .m.a }} {{ add .i 1 }}`), Delimiters{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := tmpl.Execute(map[string]any{"p": port(8080), "l": []string{"a", "b"}, "m": map[string]string{"a": "x"}, "i": 1})
	if err != nil || string(out) != "true a,b x 2" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := tmpl.Execute(map[string]any{"f": func() {}}); err == nil || !strings.Contains(err.Error(), "type func()") {
		t.Errorf("a function: got %v", err)
	}
}
