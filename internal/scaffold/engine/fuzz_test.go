package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

func seeds() []string {
	return []string{
		``, `{{ .name }}`, `{{ range .tags }}{{ . }}{{ else }}x{{ end }}`, `{{ range $i, $v := .app }}{{ $i }}{{ $v }}{{ end }}`,
		`{{ $d := dict "a" .app }}{{ $_ := set $d "b" $d }}{{ toYaml $d }}`, `{{ printf "%5d %*s %[1]v" .port 3 "x" }}`,
		`{{ if and .on .name }}x{{ else if .none }}z{{ else }}y{{ end }}`, `{{ with .app.db }}{{ .port | add 1 | mul 2 }}{{ end }}`,
		`{{ define "x" }}{{ template "x" . }}{{ end }}{{ include "x" . }}`, `{{ range 400000 }}{{ break }}{{ continue }}{{ end }}`,
		`{{ regexReplaceAll "(a+)+" (repeat 100 "a") "$1$1" }}`, `{{ fromYaml "a: &a [1, *a]\n<<: {b: 1}" }}`, `{{ (semver "1.2.3").Compare (semver "1") }}`,
		"{{- /* a */ -}}\n{{ \"a\\\"\" }}{{ `b` }}{{ 'c' }}{{ 1e3 }}{{ 0x_1p4 }}{{ 1i }}", `{{ block "x" . }}{{ .x.y.z }}{{ end }}{{ $x := (.app).db }}{{ $x.port }}`,
		`{{ define "p" }}{{ .nme }}{{ with $ }}{{ .x.y }}{{ end }}{{ end }}{{ if .on }}{{ template "p" . }}{{ include "p" $ }}{{ else }}{{ $.token }}{{ end }}`,
		`{{ merge .app (dict "db" .) }}{{ index .app "db" "port" }}{{ slice "abc" 1 }}{{ seq 1 2 9 }}{{ untilStep 9 1 -3 }}`,
	}
}

// FuzzTemplate executes any template: it must not panic, must keep its limits,
// and must do the same twice.
func FuzzTemplate(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	limits := Limits{Source: 4 << 10, Steps: 2000, Memory: 64 << 10, Output: 8 << 10, Depth: 10}
	f.Fuzz(func(t *testing.T, text string) {
		s := NewSet(limits)
		tmpl, err := s.Parse("f", []byte(text), Delimiters{})
		if err != nil {
			placed(t, text, err)
			return
		}
		for _, e := range tmpl.Ask(sample(), []string{"token"}) {
			placed(t, text, e)
		}
		first, err1 := tmpl.Execute(sample())
		second, err2 := tmpl.Execute(sample())
		if string(first) != string(second) || fmt.Sprint(err1) != fmt.Sprint(err2) {
			t.Fatalf("%q gives %q, %v and %q, %v", text, first, err1, second, err2)
		}
		if err1 != nil {
			placed(t, text, err1)
		}
		if len(first) > limits.Output {
			t.Fatalf("%q writes %d bytes", text, len(first))
		}
	})
}

// placed fails where err does not say where it is.
func placed(t *testing.T, text string, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: %v is no *Error", text, err)
	}
	lines := strings.Split(text, "\n")
	if e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > len(lines[e.Line-1])+1 || e.Message == "" {
		t.Fatalf("%q: %#v is not in it", text, e)
	}
}

// FuzzLikeTextTemplate executes with text/template too. Where both succeed they
// must agree: this package is stricter, and otherwise the same language.
func FuzzLikeTextTemplate(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	limits := Limits{Source: 1 << 10, Steps: 2000, Memory: 256 << 10, Output: 8 << 10, Depth: 10}
	base := template.New("f").Option("missingkey=error")
	// Functions of sprig that this package has replaced are compared in tests of
	// their own; what is fuzzed is the language.
	funcs := template.FuncMap{}
	for name := range strings.FieldsSeq("list dict first rest upper lower quote cat default ternary hasKey append kindIs trim join until") {
		funcs[name] = sprig.TxtFuncMap()[name]
	}
	base.Funcs(funcs)
	f.Fuzz(func(t *testing.T, text string) {
		tmpl, err := NewSet(limits).Parse("f", []byte(text), Delimiters{})
		if err != nil {
			return
		}
		got, err := tmpl.Execute(sample())
		if err != nil {
			return // a bound or a stricter rule; and safe to execute there only if not
		}
		clone, err := base.Clone()
		if err != nil {
			t.Fatal(err)
		}
		other, err := clone.Parse(text)
		if err != nil {
			return
		}
		var want strings.Builder
		if err := other.Execute(&want, sample()); err == nil && want.String() != string(got) {
			t.Fatalf("%q\n got %q\nwant %q", text, got, want.String())
		}
	})
}

// file is a small template such as golden paths have.
const file = `# {{ .name }}, owned by {{ .team }}
{{- /* what CI reads */}}
service:
  name: {{ .name | quote }}
  port: {{ .port }}
{{- if .on }}
  tags:
{{- range .tags }}
    - {{ . | lower }}
{{- end }}
{{- end }}
  database: {{ .app.db.port }}
`

func BenchmarkParse(b *testing.B) {
	s := NewSet(Limits{})
	for b.Loop() {
		if _, err := s.Parse("f", []byte(file), Delimiters{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExecute executes what a golden path has: 60 small files.
func BenchmarkExecute(b *testing.B) {
	s := NewSet(Limits{})
	tmpl, err := s.Parse("f", []byte(file), Delimiters{})
	if err != nil {
		b.Fatal(err)
	}
	data := sample()
	b.ReportAllocs()
	for b.Loop() {
		for range 60 {
			if _, err := tmpl.Execute(data); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkNewSet(b *testing.B) {
	for b.Loop() {
		NewSet(Limits{})
	}
}
