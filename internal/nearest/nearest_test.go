package nearest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/nearest"
)

func TestNames(t *testing.T) {
	known := []string{"name", "port", "team", "environment"}
	for name, want := range map[string][]string{
		"nam": {"name"}, "prot": {"port"}, "env": {"environment"}, "teams": {"team"}, "zzz": {}, "": {},
	} {
		if diff := cmp.Diff(want, nearest.Names(name, known)); diff != "" {
			t.Errorf("Names(%q): mismatch (-want +got):\n%s", name, diff)
		}
	}
	if got, want := nearest.Hint("zzz", known), "known: environment, name, port, team"; got != want {
		t.Errorf("Hint = %q, want %q", got, want)
	}
}
