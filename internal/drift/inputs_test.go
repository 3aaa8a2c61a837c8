package drift_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

func TestAddInputs(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no inputs yet": {
			"# ours\nsource: x\ngoldenPaths:\n  - name: a # first\n  - name: b\nkeep: []\n",
			"# ours\nsource: x\ngoldenPaths:\n  - name: a # first\n    inputs:\n        name: pay\n        team: core\n  - name: b\nkeep: []\n",
		},
		"some inputs": {
			"source: x\ngoldenPaths:\n- name: a\n  inputs:\n    team: given # by us\n  channel: edge\n",
			"source: x\ngoldenPaths:\n- name: a\n  inputs:\n    team: given # by us\n    name: pay\n  channel: edge\n",
		},
		"no end of the last line": {
			"source: x\ngoldenPaths:\n- name: a",
			"source: x\ngoldenPaths:\n- name: a\n  inputs:\n      name: pay\n      team: core\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := drift.AddInputs([]byte(c.text), "a", scaffold.Inputs{"name": "pay", "team": "core"})
			if diff := cmp.Diff(c.want, string(got)); err != nil || diff != "" {
				t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
			}
			m, err := drift.ParseMember(got)
			if err != nil {
				t.Fatal(err)
			}
			if f, _ := m.Follows("a"); f.Inputs["name"] != "pay" {
				t.Errorf("the inputs are %v", f.Inputs)
			}
		})
	}
	if _, err := drift.AddInputs([]byte("source: x\ngoldenPaths:\n- name: a\n  inputs:\n    text: |\n      one\n      two\n"), "a", scaffold.Inputs{"name": "n"}); err == nil {
		t.Error("inputs were added inside a text of several lines")
	}
	if _, err := drift.AddInputs([]byte("source: x\ngoldenPaths: [{name: a}]\n"), "a", scaffold.Inputs{"name": "pay"}); err == nil || !strings.Contains(err.Error(), "one a line") {
		t.Errorf("a list in brackets: %v", err)
	}
}
