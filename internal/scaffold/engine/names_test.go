package engine

import (
	"fmt"
	"strings"
	"testing"
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
		{`{{ $_ := set . "nme" 1 }}{{ .nme }}`, ``},
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
