package drift_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/tree"
)

// TestDecisionsHoldWhereTheyWereMade: what was decided about a few short lines says
// nothing about the same lines in another place, or in another version.
func TestDecisionsHoldWhereTheyWereMade(t *testing.T) {
	text := func(first, second, end string) tree.Tree {
		return tree.Tree{"f": tree.Text("one\non: " + first + "\ntwo\nthree\non: " + second + "\nfour\n" + end)}
	}
	base, theirs := text("no", "no", ""), text("yes", "yes", "")
	once, twice := text("maybe", "no", ""), text("maybe", "maybe", "")
	off := everywhere(policy.Policy{Resolve: policy.Off})

	decide := func(ours tree.Tree) []drift.Decision {
		cs, after := meetUnder(base, ours, theirs, off)
		resolved, _, _ := resolve(t, cs, "f", base, after, theirs, off, drift.Ours)
		return resolved.Section.Decisions
	}
	open := func(ours, theirs tree.Tree, decisions []drift.Decision) int {
		locked := created(base, nil)
		locked.Decisions = decisions
		cs := drift.Plan(drift.Request{
			Locked: locked, To: drift.Revision{Version: "2.0.0"},
			Theirs: rendering(theirs, nil), Ours: ours, Base: baseOf(base), Policies: off,
		})
		return len(cs.Changes[0].Clashes)
	}
	one, two := decide(once), decide(twice)
	got := map[string]int{
		"not decided":            open(once, theirs, nil),
		"decided":                open(once, theirs, one),
		"both decided":           open(twice, theirs, two),
		"one more of that kind":  open(twice, theirs, one),
		"less of them":           open(once, theirs, two),
		"another version":        open(once, text("yes", "yes", "end\n"), one),
		"both, another version":  open(twice, text("yes", "yes", "end\n"), two),
		"decided, edited around": open(text("maybe", "no", "mine\n"), theirs, one),
	}
	want := map[string]int{
		"not decided": 1, "decided": 0, "both decided": 0, "one more of that kind": 2, "less of them": 0,
		"another version": 1, "both, another version": 2, "decided, edited around": 0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open places (-want +got)\n%s", diff)
	}
}
