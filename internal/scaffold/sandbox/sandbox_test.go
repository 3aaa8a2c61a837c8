package sandbox_test

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/scaffold/sandbox"
)

var data = map[string]any{
	"name": "payments", "port": int64(8080), "on": true, "ratio": 1.5, "none": nil,
	"list": []any{"b", "a", "b"},
	"map":  map[string]any{"z": int64(1), "a": "x", "m": map[string]any{"k": "v"}},
}

func run(t *testing.T, text string, partials ...string) (string, error) {
	t.Helper()
	s := sandbox.NewSet(sandbox.Limits{})
	for i, p := range partials {
		if err := s.AddPartial("p"+string(rune('0'+i)), "partials/p.tmpl", []byte(p), sandbox.Delimiters{}); err != nil {
			return "", err
		}
	}
	tm, err := s.Parse("x.tmpl", []byte(text), sandbox.Delimiters{})
	if err != nil {
		return "", err
	}
	out, err := tm.Execute(data)
	return string(out), err
}

func TestExecute(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "",
		`{{/* only a comment */}}`:         "",
		`hello {{ .name }}:{{ .port }}`:    "hello payments:8080",
		`{{ if eq .port 8080 }}y{{ end }}`: "y",
		`{{ range $i, $x := .list }}{{ $i }}{{ $x }}{{ end }}`:              "0b1a2b",
		`{{ range .list }}{{ if eq . "a" }}{{ continue }}{{ end }}.{{end}}`: "..",
		`{{ keys .map | join "," }}{{ len (values .map) }}`:                 "a,m,z3",
		`{{ $d := set .map "new" 1 }}{{ len $d }}{{ len .map }}`:            "43",
		`{{ toYaml .map }}`:               "a: x\nm:\n  k: v\nz: 1",
		`{{ toJson .map }}`:               `{"a":"x","m":{"k":"v"},"z":1}`,
		`{{ .none | default "d" }}`:       "d",
		`{{ dig "m" "k" "d" .map }}`:      "v",
		`{{ .name | upper | quote }}`:     `"PAYMENTS"`,
		`{{ add .port 1 }}`:               "8081",
		`{{ uniq .list | join "" }}`:      "ba",
		`{{ include "p0" . | indent 2 }}`: "  <payments>",
		`{{ template "p0" . }}`:           "<payments>",
		`{{ printf "%s-%d" .name 3 }}`:    "payments-3",
		`{{ (semver "1.2.3").Minor }}`:    "2",
		`{{ snakecase "FooBar" }} {{ trunc 3 .name }} {{ replace "a" "o" .name }}`: "foo_bar pay poyments",
		`{{ with .map }}{{ $.name }}{{ end }}`:                                     "payments",
	} {
		got, err := run(t, text, "<{{ .name }}>")
		if err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"a\n  {{ .nme }}":           `x.tmpl:2:6: nothing is called "nme" here; did you mean name?`,
		"{{ now }}":                 `x.tmpl:1:4: the function "now" is not available: it depends on the clock or the time zone`,
		"{{ uper .name }}":          `did you mean upper`,
		"{{ .none }}":               `this value is null, and cannot be printed`,
		"a\n\n{{ if }}":             `x.tmpl:3:1: missing value for if`,
		"{{ fail \"no\" }}":         `x.tmpl:1:4: fail: no`,
		`{{ $_ := set .map "a" 1}}`: `set returns a new dict`,
		`{{ include "nix" . }}`:     `there is no partial "nix"`,
		`{{ define "x" }}{{ end }}`: `define and block are not allowed here`,
		`{{ upper 3 }}`:             `x.tmpl:1:4: argument 1 of upper is a number; it must be text`,
		`{{ .name.x }}`:             `x.tmpl:1:9: can't evaluate field x`,
	} {
		_, err := run(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
}

// Each of these would hang, exhaust memory or overflow the stack in text/template
// with sprig's functions.
func TestHostileTemplatesEndInAnError(t *testing.T) {
	for name, text := range map[string]string{
		"endless range":          `{{ range 4000000000 }}{{ end }}`,
		"nested ranges":          `{{ range 100000 }}{{ range 100000 }}x{{ end }}{{ end }}`,
		"doubling text":          `{{ $s := "xxxxxxxx" }}{{ range 60 }}{{ $s = print $s $s }}{{ end }}`,
		"doubling list":          `{{ $l := list 1 }}{{ range 60 }}{{ $l = list $l $l }}{{ end }}{{ $l }}`,
		"doubling by concat":     `{{ $l := list 1 }}{{ range 60 }}{{ $l = concat $l $l }}{{ end }}{{ len $l }}`,
		"doubling dict":          `{{ $d := dict "a" 1 }}{{ range 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ $d }}`,
		"self-containing dict":   `{{ $d := dict }}{{ range 100000 }}{{ $d = set $d "a" $d }}{{ end }}{{ $d }}`,
		"endless recursion":      `{{ template "p0" . }}`,
		"endless include":        `{{ include "p1" . }}`,
		"wide printf":            `{{ printf "%1000000000d" 1 }}`,
		"wide printf by star":    `{{ printf "%*d" 1000000000 1 }}`,
		"precise printf":         `{{ printf "%.1000000000f" 1.0 }}`,
		"repeat":                 `{{ repeat 1000000000 "x" }}`,
		"replace":                `{{ $s := repeat 100000 "x" }}{{ replace "x" $s $s }}`,
		"replace of nothing":     `{{ $s := repeat 100000 "x" }}{{ replace "" $s $s }}`,
		"regexReplaceAll":        `{{ $s := repeat 100000 "x" }}{{ regexReplaceAll "x" $s $s }}`,
		"regexReplaceAll by $0":  `{{ $s := repeat 10000 "x" }}{{ regexReplaceAll "x*?" $s "$0$0$0${0}" | len }}{{ range 60 }}{{ $s = regexReplaceAll "(.*)" $s "$1$1" }}{{ end }}`,
		"indent":                 `{{ repeat 10000 "\n" | indent 100000 }}`,
		"join":                   `{{ join (repeat 100000 "x") (until 60000) }}`,
		"until":                  `{{ until 4000000000 }}`,
		"untilStep":              `{{ untilStep 0 9000000000000000000 1 }}`,
		"much output":            `{{ range 400000 }}` + strings.Repeat("x", 1000) + `{{ end }}`,
		"nested actions":         strings.Repeat(`{{ if true }}`, 100000) + strings.Repeat(`{{ end }}`, 100000),
		"nested parentheses":     `{{ ` + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000) + ` }}`,
		"alias bomb":             `{{ fromYaml "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]" }}`,
		"escaping":               `{{ $s := repeat 1000000 "<" }}{{ html $s }}`,
		"bad regular expression": `{{ regexMatch "(" "x" }}`,
		"huge source":            strings.Repeat("x", 2<<20),
	} {
		if out, err := run(t, text, `{{ template "p0" . }}`, `{{ include "p1" . }}`); err == nil {
			t.Errorf("%s: no error, %d bytes", name, len(out))
		}
	}
}

func TestEveryFunctionIsRepeatable(t *testing.T) {
	wide := map[string]any{}
	for i := range 50 {
		wide[strings.Repeat(string(rune('a'+i%26)), 1+i/26)] = int64(i)
	}
	s := sandbox.NewSet(sandbox.Limits{})
	for _, call := range []string{
		`keys .`, `values .`, `toYaml .`, `toJson .`, `toPrettyJson .`, `pick . "a" "b"`, `omit . "a"`, `merge . (dict "b" 1)`,
		`print .`, `printf "%v" .`, `keys . | join ","`, `set . "q" 1`, `include "p" .`, `uniq (values .)`,
	} {
		if s == nil {
			t.Fatal("no set")
		}
		set := sandbox.NewSet(sandbox.Limits{})
		if err := set.AddPartial("p", "p", []byte("{{ range $k, $v := . }}{{ $k }}{{ end }}"), sandbox.Delimiters{}); err != nil {
			t.Fatal(err)
		}
		tm, err := set.Parse("x", []byte("{{ "+call+" }}"), sandbox.Delimiters{})
		if err != nil {
			t.Fatal(err)
		}
		first, err := tm.Execute(wide)
		if err != nil {
			t.Fatalf("%s: %v", call, err)
		}
		for range 20 {
			if again, _ := tm.Execute(wide); string(again) != string(first) {
				t.Errorf("%s gives %s and %s", call, first, again)
			}
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`{{ .name }}`, `{{ range .list }}{{ . }}{{ end }}`, `{{ $d := dict "a" .map }}{{ toYaml $d }}`, `{{ printf "%5d" .port }}`, `{{ if and .on .name }}x{{ else }}y{{ end }}`} {
		f.Add(s)
	}
	limits := sandbox.Limits{Steps: 2000, Memory: 1 << 16, Value: 1 << 14, Output: 1 << 14, Depth: 10}
	f.Fuzz(func(t *testing.T, text string) {
		s := sandbox.NewSet(limits)
		tm, err := s.Parse("x", []byte(text), sandbox.Delimiters{})
		if err != nil {
			return
		}
		a, errA := tm.Execute(data)
		b, errB := tm.Execute(data)
		if string(a) != string(b) || (errA == nil) != (errB == nil) {
			t.Errorf("%q gives %q, %v and %q, %v", text, a, errA, b, errB)
		}
		if len(a) > limits.Output {
			t.Errorf("%q writes %d bytes", text, len(a))
		}
	})
}
