package drift_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/tree"
)

// meet plans one file under policies.
func meet(base, ours, theirs tree.Tree, p drift.Policies) (drift.ChangeSet, tree.Tree) {
	cs := drift.Plan(drift.Request{
		Locked: created(base, nil), To: drift.Revision{Version: "2.0.0"},
		Theirs: rendering(theirs, nil), Ours: ours, Base: baseOf(base), Policies: p,
	})
	return cs, apply(ours, cs.Writes())
}

func TestPoliciesForRemovals(t *testing.T) {
	b, o, th := tree.Text("1\n"), tree.Text("mine\n"), tree.Text("theirs\n")
	for _, c := range []struct {
		name               string
		base, ours, theirs tree.Tree
		policies           drift.Policies
		action             drift.Action
		want               tree.Tree
	}{
		{"removed, asked", tree.Tree{"f": b}, tree.Tree{"f": o}, tree.Tree{}, drift.Policies{}, drift.Conflict, tree.Tree{"f": o}},
		{"removed, ours", tree.Tree{"f": b}, tree.Tree{"f": o}, tree.Tree{}, drift.Policies{Removed: drift.TakeOurs}, drift.Yours, tree.Tree{"f": o}},
		{"removed, theirs", tree.Tree{"f": b}, tree.Tree{"f": o}, tree.Tree{}, drift.Policies{Removed: drift.TakeTheirs}, drift.Delete, tree.Tree{}},
		{"missing, ours", tree.Tree{"f": b}, tree.Tree{}, tree.Tree{"f": th}, drift.Policies{Missing: drift.TakeOurs}, drift.Yours, tree.Tree{}},
		{"missing, theirs", tree.Tree{"f": b}, tree.Tree{}, tree.Tree{"f": th}, drift.Policies{Missing: drift.TakeTheirs}, drift.Create, tree.Tree{"f": th}},
	} {
		cs, got := meet(c.base, c.ours, c.theirs, c.policies)
		if cs.Changes[0].Action != c.action {
			t.Errorf("%s: %s, want %s", c.name, cs.Changes[0].Action, c.action)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: mismatch (-want +got)\n%s", c.name, diff)
		}
		if c.action == drift.Delete && (len(cs.Changes[0].Clashes) != 1 || string(cs.Changes[0].Clashes[0].Ours) != "mine\n") {
			t.Errorf("%s: what is lost is not named: %+v", c.name, cs.Changes[0])
		}
	}
}

// TestTiersAreTold plans a file with a merged and a suggested place, and takes the
// proposal.
func TestTiersAreTold(t *testing.T) {
	base := tree.Tree{"f": tree.Text("set  one\n\nstay\n\na\nb\n")}
	ours := tree.Tree{"f": tree.Text("set one\n\nstay\n\na\nof ours, this\nb\n")}
	theirs := tree.Tree{"f": tree.Text("set  two\n\nstay\n\na\nof theirs, that\nb\n")}
	joined := tree.Tree{"f": tree.Text("set two\n\nstay\n\na\nof ours, this\nof theirs, that\nb\n")}

	cs, got := meet(base, ours, theirs, drift.Policies{Suggested: merge.Apply, On: []string{"inserts"}})
	if diff := cmp.Diff(joined, got); diff != "" || !cs.Clean() {
		t.Errorf("applied: mismatch (-want +got)\n%s", diff)
	}
	for _, part := range []string{"white space only", "both added lines"} {
		if !strings.Contains(cs.Changes[0].Reason, part) {
			t.Errorf("reason %q does not tell %q", cs.Changes[0].Reason, part)
		}
	}

	policies := drift.Policies{On: []string{"inserts"}}
	cs, got = meet(base, ours, theirs, policies)
	c := cs.Changes[0]
	if diff := cmp.Diff(tree.Tree{"f": tree.Text("set two\n\nstay\n\na\nof ours, this\nb\n")}, got); diff != "" {
		t.Errorf("proposed: mismatch (-want +got)\n%s", diff)
	}
	if c.Action != drift.Conflict || len(c.Hunks) != 2 || len(c.Clashes) != 1 || c.Clashes[0].Resolver != "inserts" || c.Clashes[0].Tier != merge.Suggested {
		t.Fatalf("change %+v", c)
	}
	now := got["f"]
	after, next, err := policies.Resolve(cs.Lock, "f", &now, rendering(theirs, nil), baseOf(base), drift.Proposed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(joined["f"], *after); diff != "" || next.Files["f"].Open {
		t.Errorf("taken: mismatch (-want +got)\n%s", diff)
	}
}

func TestNoProposalToTake(t *testing.T) {
	base, theirs := tree.Tree{"f": tree.Text("red today\n")}, tree.Tree{"f": tree.Text("green today\n")}
	ours := tree.Text("blue today\n")
	cs, _ := meet(base, tree.Tree{"f": ours}, theirs, drift.Policies{})
	if _, _, err := drift.Resolve(cs.Lock, "f", &ours, rendering(theirs, nil), baseOf(base), drift.Proposed); err == nil || !strings.Contains(err.Error(), "f:1 has no proposal") {
		t.Errorf("error %v", err)
	}
}

func TestMembersFiles(t *testing.T) {
	base, ours, theirs := tree.Tree{"CHANGELOG.md": tree.Text("# 0\n")}, tree.Tree{"CHANGELOG.md": tree.Text("# 1 mine\n")}, tree.Tree{"CHANGELOG.md": tree.Text("# 2 theirs\n")}
	cs, got := meet(base, ours, theirs, drift.Policies{})
	if diff := cmp.Diff(ours, got); diff != "" || !cs.Clean() || !strings.Contains(cs.Changes[0].Reason, "the member's") {
		t.Errorf("%+v\n%s", cs.Changes[0], diff)
	}
	cs, _ = meet(base, ours, theirs, drift.Policies{Care: func(string) merge.Care { return merge.Joined }})
	if cs.Clean() {
		t.Error("a changelog that is to be merged is not")
	}
}
