package drift_test

import (
	"bytes"
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
}

func TestAddInputsByHand(t *testing.T) {
	text := "source: x\ngoldenPaths:\n- name: a\n  inputs: &i\n    one: 1\n- name: b\n  inputs: *i\n"
	_, err := drift.AddInputs([]byte(text), "a", scaffold.Inputs{"team": "core"})
	want := `.goldenpath.yaml:4:11: inputs are missing which cannot be added by machine (the file would say something else); write this below inputs: here, then try again: team: core`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// One more golden path comes after the end of the last one, however that is written.
func TestAddFollow(t *testing.T) {
	entry := "- name: ops\n  source: ../pc\n  inputs:\n    team: core\n"
	for name, c := range map[string]struct{ text, want string }{
		"literal": {
			"goldenPaths:\n- name: svc\n  inputs:\n    team: |\n      core\n      second line\n\n# why\nkeep: []\n",
			"goldenPaths:\n- name: svc\n  inputs:\n    team: |\n      core\n      second line\n" + entry + "\n# why\nkeep: []\n",
		},
		"quotes over lines": {
			"goldenPaths:\n- name: svc\n  inputs:\n    team: \"core\n      second line\"\nkeep: []\n",
			"goldenPaths:\n- name: svc\n  inputs:\n    team: \"core\n      second line\"\n" + entry + "keep: []\n",
		},
		"no end of the last line": {"goldenPaths:\n- name: svc", "goldenPaths:\n- name: svc\n" + entry},
		"in brackets": {
			"goldenPaths: [{name: svc}]\n",
			"goldenPaths: [{name: svc}, {name: ops, source: ../pc, inputs: {team: core}}]\n",
		},
		"the first": {
			"goldenPaths: [] # c\n  # d\nkeep: []\n",
			"goldenPaths: # c\n  " + strings.TrimSpace(strings.ReplaceAll(entry, "\n", "\n  ")) + "\n  # d\nkeep: []\n",
		},
		"the first, and no end of the line": {
			"goldenPaths: [ ]",
			"goldenPaths:\n  " + strings.TrimSpace(strings.ReplaceAll(entry, "\n", "\n  ")) + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := drift.AddFollow([]byte("source: x\n"+c.text), drift.Follow{Name: "ops", Source: "../pc", Inputs: scaffold.Inputs{"team": "core"}})
			if diff := cmp.Diff("source: x\n"+c.want, string(got)); err != nil || diff != "" {
				t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
			}
		})
	}
	_, err := drift.AddFollow([]byte("source: x\ngoldenPaths: &list\n  - name: svc\n"), drift.Follow{Name: "ops"})
	if err == nil || !strings.Contains(err.Error(), "add this to the list by hand:\n- name: ops\n") {
		t.Errorf("a list that cannot be added to: %v", err)
	}
}

// FuzzEdits edits what people may write. Whatever is made has been checked by its
// meaning; what is looked for is a text on which the edits panic, or lose a comment.
func FuzzEdits(f *testing.F) {
	for _, text := range []string{
		"source: x\ngoldenPaths:\n- name: a\n  inputs:\n    one: |\n      x # y\n\n    two: 'z'\n",
		"goldenPaths: [{name: a, inputs: {one: \"x\", two: [y], three: {z: 1}, } }] # c\n",
		"\ufeffgoldenPaths:\r\n  - inputs: &i {one: >+\r\n\r\n  } # c\r\n    name: a\r\n",
		"goldenPaths:\n  -\n    name: a # c\n    inputs: !!map\n      ? one\n      : two\n",
		"source: x\ngoldenPaths: !!seq []# c\n  # d\nkeep: []",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before, err := drift.ParseMember(text)
		if err != nil {
			return
		}
		name := "none"
		if len(before.GoldenPaths) > 0 {
			name = before.GoldenPaths[0].Name
		}
		for _, e := range []drift.InputEdits{
			{Add: scaffold.Inputs{"added": "a: b", "more": []any{int64(1), "x\ny\n"}}},
			{Rename: map[string]string{"one": "two", "two": "one"}},
			{Remove: []string{"one"}},
			{Remove: []string{"one", "two", "three"}, Add: scaffold.Inputs{"one": true}},
		} {
			after, err := drift.EditInputs(text, name, e)
			if err != nil {
				continue
			}
			if _, err := drift.ParseMember(after); err != nil {
				t.Fatalf("%v makes what cannot be read: %v\n%q\n%q", e, err, text, after)
			}
			if len(e.Remove) == 0 && strings.Count(string(after), "#") < strings.Count(string(text), "#") {
				t.Fatalf("%v loses a comment:\n%q\n%q", e, text, after)
			}
		}
		for _, g := range before.GoldenPaths {
			if after, err := drift.RemoveFollow(text, g.Name); err == nil {
				checkOneCut(t, text, after)
			}
		}
		if after, err := drift.AddFollow(text, drift.Follow{Name: "another-one"}); err == nil && len(after) <= len(text) {
			t.Fatalf("adding makes %q of %q", after, text)
		}
	})
}

// checkOneCut checks that one piece of a text is gone, and nothing else but for what
// says that nothing is left.
func checkOneCut(t *testing.T, before, after []byte) {
	t.Helper()
	for _, left := range [][]byte{after, bytes.Replace(after, []byte(" []"), nil, 1)} {
		head := 0
		for head < len(left) && head < len(before) && left[head] == before[head] {
			head++
		}
		if len(left) < len(before) && bytes.HasSuffix(before, left[head:]) {
			return
		}
	}
	t.Fatalf("more than one piece is gone:\n%q\n%q", before, after)
}
