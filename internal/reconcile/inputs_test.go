package reconcile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// migration is one with what it does to inputs.
func migration(rename map[string]string, defaults map[string]any, deletes ...string) scaffold.Migration {
	m := scaffold.Migration{}
	m.Inputs.Rename, m.Inputs.Default, m.Inputs.Delete = rename, defaults, deletes
	return m
}

// What the file is told to do leads from what it gives to what the newest version
// takes, whatever happened to a name in between.
func TestMigrationsOfInputsAddUp(t *testing.T) {
	swap := map[string]string{"a": "b", "b": "a"}
	undone := scaffold.Migration{}
	undone.Inputs.Withdraw = map[string]any{"port": 9000, "list": []any{1, "x"}, "kept": "k", "region": "eu"}
	for name, c := range map[string]struct {
		given scaffold.Inputs
		ms    []scaffold.Migration
		want  drift.InputEdits
	}{
		"one name after the other": {
			scaffold.Inputs{"a": "x"}, []scaffold.Migration{migration(map[string]string{"a": "b"}, nil), migration(map[string]string{"b": "c"}, nil)},
			drift.InputEdits{Rename: map[string]string{"a": "c"}},
		},
		"there and back":           {scaffold.Inputs{"a": "x"}, []scaffold.Migration{migration(map[string]string{"a": "b"}, nil), migration(map[string]string{"b": "a"}, nil)}, drift.InputEdits{}},
		"names change places":      {scaffold.Inputs{"a": "x", "b": "y"}, []scaffold.Migration{migration(swap, nil)}, drift.InputEdits{Rename: swap}},
		"both are given":           {scaffold.Inputs{"a": "x", "b": "y"}, []scaffold.Migration{migration(map[string]string{"a": "b"}, nil)}, drift.InputEdits{}},
		"added, then renamed":      {nil, []scaffold.Migration{migration(nil, map[string]any{"a": 1}), migration(map[string]string{"a": "b"}, nil)}, drift.InputEdits{Add: scaffold.Inputs{"b": 1}}},
		"added, then removed":      {nil, []scaffold.Migration{migration(nil, map[string]any{"a": 1}), migration(nil, nil, "a")}, drift.InputEdits{}},
		"removed, then another":    {scaffold.Inputs{"a": "x"}, []scaffold.Migration{migration(nil, nil, "a"), migration(nil, map[string]any{"a": 1})}, drift.InputEdits{Remove: []string{"a"}, Add: scaffold.Inputs{"a": 1}}},
		"given, so no default":     {scaffold.Inputs{"a": "x"}, []scaffold.Migration{migration(nil, map[string]any{"a": 1})}, drift.InputEdits{}},
		"undone, as it was given":  {scaffold.Inputs{"port": int64(9000), "list": []any{int64(1), "x"}}, []scaffold.Migration{undone}, drift.InputEdits{Remove: []string{"list", "port"}}},
		"undone, but changed":      {scaffold.Inputs{"port": int64(9001), "region": "us"}, []scaffold.Migration{undone}, drift.InputEdits{}},
		"undone, but known before": {scaffold.Inputs{"kept": "k"}, []scaffold.Migration{undone}, drift.InputEdits{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := migrateInputs(c.given, c.ms, func(name string) bool { return name == "kept" })
			if len(got.Rename) == 0 {
				got.Rename = nil
			}
			if len(got.Add) == 0 {
				got.Add = nil
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReasonsAreOneShortLine(t *testing.T) {
	got := reasonOf(drift.InputEdits{Rename: map[string]string{"a": "b"}, Remove: []string{"c", "token"}, Add: scaffold.Inputs{
		"empty": "", "lines": "one\ntwo", "long": strings.Repeat("é", 100), "share": 0.1, "list": []any{map[string]any{"on": true}, nil},
	}}, scaffold.Inputs{"c": int64(3), "token": "hush"}, func(name string) bool { return name == "token" })
	want := `the input a is now called b; the golden path no longer has the input c, which was 3; the input token is a secret now, which must not stand in a file; the input empty begins as ""; ` +
		`the input lines begins as "one\ntwo"; the input list begins as [{"on":true},null]; the input long begins as ` + strings.Repeat("é", 60) + `…; the input share begins as 0.1`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}
