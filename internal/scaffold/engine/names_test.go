package engine

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What rendering with some data would fail on is found without any.
func TestAskFindsNamesInEveryBranch(t *testing.T) {
	data := map[string]any{"name": Given{}, "note": nil, "app": Given{}, "syncer": map[string]any{"version": Given{}}}
	for _, test := range []struct{ text, want string }{
		{`{{ .name }}{{ .app.anything }}{{ .syncer.version }}{{ $.name }}`, ``},
		{`{{ if .name }}{{ else if .nme }}{{ end }}`, `1:26 unknown input "nme"`},
		{`{{ if .name }}{{ else }}{{ upper (print .nme) }}{{ end }}`, `1:41 unknown input "nme"`},
		{`{{ with .app }}{{ .x }}{{ $.nme }}{{ else }}{{ .nme2 }}{{ end }}`, `1:28 unknown input "nme"|1:48 unknown input "nme2"`},
		{`{{ with . }}{{ .nme }}{{ end }}{{ with $ }}{{ .nme }}{{ end }}`, `1:16 unknown input "nme"|1:47 unknown input "nme"`},
		{`{{ range .app }}{{ .x }}{{ $.nme.x }}{{ else }}{{ .nme2.x }}{{ end }}`, `1:29 unknown input "nme"|1:51 unknown input "nme2"`},
		{`{{ if and .name .syncer.verson }}{{ end }}`, `1:24 .syncer has no "verson"`},
		{`{{ if .name }}{{ .token }}{{ end }}`, `1:18 the input "token" is a secret`},
		{`{{ $x := .name }}{{ $x.y }}{{ (index .app 1).z }}{{ (.nme).z }}`, `1:54 unknown input "nme"`},
		{`{{ template "p" . }}{{ define "p" }}{{ .nme }}{{ $.nme2 }}{{ end }}`, `1:40 unknown input "nme"|1:51 unknown input "nme2"`},
		{`{{ include "p" $ | upper }}{{ define "p" }}{{ .nme }}{{ end }}`, `1:47 unknown input "nme"`},
		{`{{ template "p" .app }}{{ include "p" (dict) }}{{ template "p" }}{{ define "p" }}{{ .nme }}{{ $.nme }}{{ end }}`, ``},
		{`{{ define "p" }}{{ if .name }}{{ template "p" . }}{{ end }}{{ end }}{{ template "p" . }}`, ``},
		{`{{ $ = .app }}{{ $.nme }}`, ``},
		{`{{ $_ := set . "nme" 1 }}{{ .nme }}{{ .nme2 }}`, `1:39 unknown input "nme2"`},
		{`{{ $d := dict "a" 1 }}{{ $_ := set $d "nme" 1 }}{{ $d.nme }}{{ .nme }}`, `1:64 unknown input "nme"`},
		{`{{ $d := dict }}{{ $_ := set $d .name .app }}{{ .nme }}{{ .syncer.verson }}`, `1:49 unknown input "nme"|1:66 .syncer has no "verson"`},
		{`{{ $d := merge (dict "a" 1) . }}{{ $_ := set $d "nme" 1 }}{{ .nme }}`, `1:62 unknown input "nme"`},
		{`{{ $_ := set $ "note" "x" }}{{ .note }}{{ unset .app "x" }}{{ .nme }}`, `1:63 unknown input "nme"`},
		{`{{ $_ := merge . (dict "nme" 1) }}{{ .nme }}{{ .nme2 }}`, `1:48 unknown input "nme2"`},
		{`{{ $_ := merge . .app }}{{ .nme }}`, ``},
		{`{{ $_ := mustMergeOverwrite $ (fromYaml "a: 1") }}{{ .nme }}`, ``},
		{`{{ $_ := set . .name 1 }}{{ .nme }}`, ``},
		{`{{ $x := . }}{{ $_ := set $x "nme" 1 }}{{ .nme }}{{ .nme2 }}`, `1:53 unknown input "nme2"`},
		{`{{ $x := dict "r" . }}{{ $_ := set $x.r .name 1 }}{{ .nme }}`, ``},
		{`{{ $x := list . }}{{ range $x }}{{ $_ := set . "nme" 1 }}{{ end }}{{ .nme }}{{ .nme2 }}`, `1:80 unknown input "nme2"`},
		{`{{ $x := dict }}{{ $_ := set $x "r" . }}{{ $_ := set $x.r .name 1 }}{{ .nme }}`, ``},
		{`{{ $_ := .app | set (dict) "a" }}{{ .nme }}`, `1:37 unknown input "nme"`},
		{`{{ $_ := . | set (dict) "a" }}{{ .nme }}`, ``},
		{`{{ $_ := set .syncer "verson" 1 }}{{ .syncer.verson }}{{ .nme }}`, `1:58 unknown input "nme"`},
		{`{{ $s := .syncer }}{{ $_ := set $s "verson" 1 }}{{ .syncer.verson }}`, ``},
		{`{{ range . }}{{ $_ := set . "verson" 1 }}{{ end }}{{ .syncer.verson }}`, ``},
		{`{{ template "p" (dict "r" .) }}{{ .nme }}{{ .nme2 }}{{ define "p" }}{{ $_ := set .r "nme" 1 }}{{ end }}`, `1:45 unknown input "nme2"`},
		{`{{ template "p" (dict "r" .) }}{{ .nme }}{{ define "p" }}{{ include "q" $.r }}{{ end }}{{ define "q" }}{{ $_ := set . .name 1 }}{{ end }}`, ``},
		{`{{ template "p" (dict "r" .app) }}{{ .nme }}{{ define "p" }}{{ $_ := set . "nme" 1 }}{{ end }}`, `1:38 unknown input "nme"`},
		{`{{ $n := "p" }}{{ $x := include $n . }}{{ .nme }}{{ .nme2 }}{{ define "p" }}{{ $_ := set . "nme" 1 }}{{ end }}`, `1:53 unknown input "nme2"`},
		{`{{ $x := default . .note }}{{ $_ := set $x "nme" 1 }}{{ .nme }}`, ``},
		{`{{ with $x := . }}{{ $_ := set $x "nme" 1 }}{{ end }}{{ .nme }}`, ``},
		{`{{ $x := dict }}{{ if .name }}{{ $x = $ }}{{ end }}{{ $_ := set $x "nme" 1 }}{{ .nme }}`, ``},
		{`a {{ .note }}`, `1:6 the value is null where nobody gives it`},
		{`{{ $.note }}{{ template "p" . }}{{ define "p" }}{{ .note }}{{ end }}`, `1:5 the value is null where|1:52 the value is null where`},
		{`{{ if .note }}{{ .note }}{{ end }}{{ with .note }}{{ . }}{{ end }}{{ .note | default "" }}{{ $x := .note }}`, ``},
	} {
		tmpl, err := NewSet(Limits{}).Parse("f", []byte(test.text), Delimiters{})
		if err != nil {
			t.Fatalf("%s: %v", test.text, err)
		}
		var got []string
		for _, e := range tmpl.Ask(data, []string{"token"}) {
			got = append(got, fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Message))
		}
		if want := strings.Split(test.want, "|"); len(got) != len(want) && test.want+strings.Join(got, "") != "" {
			t.Errorf("%s\ngot  %q\nwant %q", test.text, got, want)
		}
		for i, want := range strings.Split(test.want, "|") {
			if i < len(got) && !strings.HasPrefix(got[i], want) {
				t.Errorf("%s\ngot  %s\nwant %s", test.text, got[i], want)
			}
		}
	}
}

// Whatever templates put into their data, Ask finds no mistake in one without branches
// that renders.
func TestAskFindsNothingInWhatRenders(t *testing.T) {
	values := []string{`.`, `$`, `$a`, `$b`, `$a.x`, `$b.y.x`, `.app`, `.syncer`, `(dict)`, `(dict "x" .)`, `(dict "y" $a)`, `(list .)`, `(first $l)`, `(first (list $a $b))`, `(get . "app")`, `(default $a $b)`, `(merge (dict) .)`, `(deepCopy .)`, `(pick . "app" "syncer")`, `(index $l 0)`, `(ternary . $a true)`, `1`, `.name`}
	statements := []string{
		`{{ $a = %[1]s }}`, `{{ $b = %[1]s }}`, `{{ $l = list %[1]s %[2]s }}`, `{{ $_ = set %[1]s "x" %[2]s }}`, `{{ $_ = set %[1]s "y" %[2]s }}`, `{{ $_ = set %[1]s .name %[2]s }}`,
		`{{ $_ = merge %[1]s %[2]s }}`, `{{ $_ = %[2]s | set %[1]s "x" }}`, `{{ $_ = mergeOverwrite %[1]s (dict "x" 1 "syncer" 2) }}`, `{{ $_ = unset %[1]s "y" }}`,
		`{{ with %[1]s }}{{ $_ = set . "x" %[2]s }}{{ end }}`, `{{ with %[1]s }}{{ $b = . }}{{ end }}`, `{{ range $l }}{{ $_ = set . "y" %[2]s }}{{ end }}`, `{{ range $v := %[1]s }}{{ $a = $v }}{{ end }}`,
		`{{ template "p" %[1]s }}`, `{{ $_ = include "q" %[1]s }}`, `{{ $_ = include .q (dict "y" %[1]s) }}`, `{{ $_ = .x }}`, `{{ $_ = .y }}`, `{{ $_ = .syncer.x }}`, `{{ $_ = $.them }}`, `{{ $_ = .syncer.y }}`,
	}
	const start = `{{ $_ := 0 }}{{ $a := dict }}{{ $b := dict "y" (dict) }}{{ $l := list $a }}`
	const called = `{{ define "p" }}{{ $_ := set . "x" . | default 1 }}{{ end }}{{ define "q" }}{{ $_ := set .y "y" $ }}{{ $_ = set $.y "x" 1 }}{{ end }}`
	rendered := 0
	rapid.Check(t, func(rt *rapid.T) {
		text := start
		for range rapid.IntRange(1, 7).Draw(rt, "statements") {
			text += fmt.Sprintf(rapid.SampledFrom(statements).Draw(rt, "statement")+"%[3]s", rapid.SampledFrom(values).Draw(rt, "first"), rapid.SampledFrom(values).Draw(rt, "second"), "")
		}
		tmpl, err := NewSet(Limits{}).Parse("f", []byte(text+called), Delimiters{})
		if err != nil {
			rt.Fatal(err)
		}
		data := map[string]any{"name": "them", "q": "q", "app": map[string]any{"x": int64(1)}, "syncer": map[string]any{"version": "1"}}
		if _, err := tmpl.Execute(data); err != nil {
			return
		}
		rendered++
		given := map[string]any{"name": Given{}, "q": Given{}, "app": Given{}, "syncer": map[string]any{"version": Given{}}}
		for _, e := range tmpl.Ask(given, nil) {
			rt.Fatalf("%s\nrenders, and yet: %v", text, e)
		}
	})
	if rendered == 0 {
		t.Error("nothing rendered")
	}
}

// What Ask works out is bounded by the template, also where everything may call everything.
func TestAskOnAHostileTemplate(t *testing.T) {
	var b strings.Builder
	for i := range 12_000 {
		fmt.Fprintf(&b, `{{ define "p%d" }}{{ $_ := include .n $ }}{{ $_ = set . "x" 1 }}{{ end }}`, i)
	}
	b.WriteString(`{{ $_ := include .n . }}{{ .x }}{{ .y }}`)
	tmpl, err := NewSet(Limits{}).Parse("f", []byte(b.String()), Delimiters{})
	if err != nil {
		t.Fatal(err)
	}
	got := tmpl.Ask(map[string]any{"n": Given{}}, nil)
	if len(got) != 1 || !strings.Contains(got[0].Message, `"y"`) {
		t.Errorf("got %v", got)
	}
}
