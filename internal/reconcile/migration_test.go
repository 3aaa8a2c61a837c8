package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/scaffold"
)

func TestDeletesByTheirFirstName(t *testing.T) {
	ms := []scaffold.Migration{
		{Deletes: []string{"gone"}, Renames: map[string]string{"a": "b"}},
		{Deletes: []string{"b", "c"}},
	}
	if diff := cmp.Diff([]string{"gone", "a", "c"}, deletes(ms)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// The renames of one migration happen at the same time, those of the next one to
// what they made: a chain within one is no chain of moves, whatever order its map
// has.
func TestRenamesOfOneMigrationAreOneStep(t *testing.T) {
	ms := []scaffold.Migration{
		{Renames: map[string]string{"a": "b", "b": "c", "x": "y", "y": "x"}},
		{Renames: map[string]string{"c": "d", "x": "z"}},
	}
	want := map[string]string{"a": "b", "b": "d", "x": "y", "y": "z", "c": "d"}
	for range 100 {
		if diff := cmp.Diff(want, renames(ms)); diff != "" {
			t.Fatalf("mismatch (-want +got):\n%s", diff)
		}
	}
}
