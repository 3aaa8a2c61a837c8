package walks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

// suggesting is a plan with one suggestion in a file.
func suggesting(path, reason string, applied bool) *reconcile.Planned {
	action := drift.Conflict
	if applied {
		action = drift.Merged
	}
	h := merge.Hunk{OursLine: 1, Tier: merge.Suggested, Resolver: "words", Reason: reason, Applied: applied}
	return &reconcile.Planned{ChangeSet: drift.ChangeSet{Changes: []drift.Change{{Path: path, Action: action, Hunks: []merge.Hunk{h}}}}}
}

func TestForeseen(t *testing.T) {
	e := pathEffect{foreseen: map[string]*foreseen{}}
	e.foresee(suggesting("a", "quotes a private file", false), false)
	e.foresee(suggesting("b", "why", false), true)
	e.foresee(suggesting("b", "why", true), true)
	b := body{limit: maxCheck}
	e.suggested(&b)
	want := "- `b`, by `words`: 2 places in 2 repositories, 1 of them applied by policy; why\n- `a`, by `words`: 1 place in 1 repository\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("got\n%s\nwant in it\n%s", b.String(), want)
	}
	for i := range 2 * maxForeseen {
		e.foresee(suggesting(fmt.Sprint("c", i), "why", false), true)
	}
	b = body{limit: maxCheck}
	e.suggested(&b)
	if n := strings.Count(b.String(), "\n- "); n != maxForeseen+1 || !strings.Contains(b.String(), "- and 32 more\n") {
		t.Errorf("%d lines:\n%s", n, b.String())
	}
}
