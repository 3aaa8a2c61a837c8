package scaffold_test

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/scaffold"
)

// A mistake is told where it stands: in the path, in the manifest, in a partial.
func TestMistakesInTemplatesSayWhere(t *testing.T) {
	for _, test := range []struct {
		manifest string
		files    []string
		want     string
	}{
		{"files: [{glob: '**', when: 'true'}]\n", []string{"template/{{ .x", "hi"}, "p/template/{{ .x: in the file's path: unclosed action"},
		{"", []string{"template/{{ .nope }}", "hi"}, `p/template/{{ .nope }}: in the file's path: unknown input "nope"`},
		{"files: [{glob: '**', when: '{{ uper 1 }}'}]\n", []string{"template/{{ uper 1 }}.tmpl", "{{ uper 1 }}"}, "goldenpath.yaml:4:28: there is no function"},
		{"files: [{glob: '**', when: '{{ uper 1 }}'}]\n", []string{"template/{{ uper 1 }}.tmpl", "{{ uper 1 }}"}, "1 }}.tmpl:1:4: there is no function"},
		{"files: [{glob: '**', when: '{{ uper 1 }}'}]\n", []string{"template/{{ uper 1 }}.tmpl", "{{ uper 1 }}"}, "1 }}.tmpl: in the file's path: there is no function"},
		{"files: [{glob: '**', when: '{{ include \"w\" . }}'}]\n", []string{"template/a", "", "partials/w.tmpl", "\n  {{ .nope }}"}, `partials/w.tmpl:2:6: unknown input "nope"`},
		{"computed: {c: '{{ include \"w\" . }}'}\n", []string{"partials/w.tmpl", "\n  {{ .nope }}"}, `partials/w.tmpl:2:6: unknown input "nope"`},
		{"computed: {c: 'a{{ uper 1 }}'}\n", nil, "goldenpath.yaml:4:20: there is no function"},
		{"computed:\n  c: a{{ uper 1 }}\n", nil, "goldenpath.yaml:5:10: there is no function"},
		{"computed:\n  c: |\n    x\n    {{ uper 1 }}\n", nil, "goldenpath.yaml:7:4: there is no function"},
		{"computed: {l: {value: '[1, 2]', type: array}}\nfiles: [{glob: a, forEach: l}]\n", []string{"template/a", ""}, `goldenpath.yaml:5:28: two items of "l" both render a to a`},
		{"version: 1.0.0-a..b\n", nil, `goldenpath.yaml:4:10: "1.0.0-a..b" is not a version`},
	} {
		g, err := scaffold.Load(only(test.manifest, test.files...), "p")
		if err == nil {
			_, err = g.Render(nil, scaffold.Machine{})
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}
