package drift_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/tree"
)

// meet plans one file under a policy.
func meet(base, ours, theirs tree.Tree, p policy.Policy) (drift.ChangeSet, tree.Tree) {
	return meetUnder(base, ours, theirs, everywhere(p))
}

func meetUnder(base, ours, theirs tree.Tree, p drift.Policies) (drift.ChangeSet, tree.Tree) {
	cs := drift.Plan(drift.Request{
		Locked: created(base, nil), To: drift.Revision{Version: "2.0.0"},
		Theirs: rendering(theirs, nil), Ours: ours, Base: baseOf(base), Policies: p,
	})
	return cs, apply(ours, cs.Writes())
}

// resolve decides about the file f, and plans again.
func resolve(t *testing.T, cs drift.ChangeSet, path string, base, ours, theirs tree.Tree, p drift.Policies, take drift.Side) (*drift.Resolved, tree.Tree, drift.ChangeSet) {
	t.Helper()
	r := drift.Resolving{Locked: cs.Lock, Path: path, Theirs: rendering(theirs, nil), Base: baseOf(base), Policies: p}
	if f, ok := ours[path]; ok {
		r.Ours = &f
	}
	out, err := r.Resolve(take)
	if err != nil {
		t.Fatal(err)
	}
	now := apply(ours, map[string]*tree.File{path: out.After})
	return out, now, drift.Plan(drift.Request{
		Locked: out.Section, To: cs.To, Theirs: rendering(theirs, nil), Ours: now, Base: baseOf(base), Policies: p,
	})
}

func TestPoliciesForRemovals(t *testing.T) {
	b, o, th := tree.Text("1\n"), tree.Text("mine\n"), tree.Text("theirs\n")
	for _, c := range []struct {
		name               string
		base, ours, theirs tree.Tree
		policy             policy.Policy
		action             drift.Action
		by                 string
		want               tree.Tree
	}{
		{"removed, asked", tree.Tree{"f": b}, tree.Tree{"f": o}, tree.Tree{}, policy.Policy{}, drift.Conflict, "", tree.Tree{"f": o}},
		{"removed, kept", tree.Tree{"f": b}, tree.Tree{"f": o}, tree.Tree{}, policy.Policy{OnDelete: policy.Keep}, drift.Yours, "onDelete: keep", tree.Tree{"f": o}},
		{"removed, followed", tree.Tree{"f": b}, tree.Tree{"f": o}, tree.Tree{}, policy.Policy{OnDelete: policy.Follow}, drift.Delete, "onDelete: follow", tree.Tree{}},
		{"removed, the member's", tree.Tree{"f": b}, tree.Tree{"f": o}, tree.Tree{}, policy.Policy{Care: policy.Member}, drift.Yours, "care: member", tree.Tree{"f": o}},
		{"deleted, stays", tree.Tree{"f": b}, tree.Tree{}, tree.Tree{"f": th}, policy.Policy{}, drift.Yours, "onDeleted: stay", tree.Tree{}},
		{"deleted, restored", tree.Tree{"f": b}, tree.Tree{}, tree.Tree{"f": th}, policy.Policy{OnDeleted: policy.Restore}, drift.Create, "onDeleted: restore", tree.Tree{"f": th}},
		{"deleted, asked", tree.Tree{"f": b}, tree.Tree{}, tree.Tree{"f": th}, policy.Policy{OnDeleted: policy.Conflict}, drift.Conflict, "", tree.Tree{}},
		{"both added, the member's", tree.Tree{}, tree.Tree{"f": o}, tree.Tree{"f": th}, policy.Policy{Care: policy.Member}, drift.Yours, "care: member", tree.Tree{"f": o}},
		{"both added, a program's", tree.Tree{}, tree.Tree{"f": o}, tree.Tree{"f": th}, policy.Policy{Care: policy.Tool}, drift.Yours, "care: tool", tree.Tree{"f": o}},
		{"both changed, a program's", tree.Tree{"f": b}, tree.Tree{"f": o}, tree.Tree{"f": th}, policy.Policy{Care: policy.Tool, Command: "make gen"}, drift.Yours, "care: tool", tree.Tree{"f": o}},
	} {
		cs, got := meet(c.base, c.ours, c.theirs, c.policy)
		change := cs.Changes[0]
		if change.Action != c.action || change.Policy != c.by {
			t.Errorf("%s: %s by %q, want %s by %q", c.name, change.Action, change.Policy, c.action, c.by)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: mismatch (-want +got)\n%s", c.name, diff)
		}
		if c.action == drift.Delete && (len(change.Clashes) != 1 || string(change.Clashes[0].Ours) != "mine\n" || !strings.Contains(change.Reason, string(o.Blob()))) {
			t.Errorf("%s: what is lost is not named: %+v", c.name, change)
		}
		if c.policy.Command != "" && (change.Run != "make gen" || !strings.Contains(change.Reason, "make gen")) {
			t.Errorf("%s: the command is not told: %+v", c.name, change)
		}
	}
}

// TestRemovalIsSuggested takes and refuses the removal of a file that the member
// had changed.
func TestRemovalIsSuggested(t *testing.T) {
	base, ours := tree.Tree{"f": tree.Text("1\n")}, tree.Tree{"f": tree.Text("mine\n")}
	for _, c := range []struct {
		take drift.Side
		want tree.Tree
	}{{drift.Suggested, tree.Tree{}}, {drift.Theirs, tree.Tree{}}, {drift.Ours, ours}} {
		cs, _ := meet(base, ours, tree.Tree{}, policy.Policy{})
		if clash := cs.Changes[0].Clashes[0]; clash.Tier != merge.Suggested || clash.Resolver != "removal" {
			t.Fatalf("clash %+v", clash)
		}
		out, got, again := resolve(t, cs, "f", base, ours, tree.Tree{}, drift.Policies{}, c.take)
		if diff := cmp.Diff(c.want, got); diff != "" || out.Open != 0 || !again.Clean() || len(again.Writes()) != 0 {
			t.Errorf("%s: %d open, then %+v: mismatch (-want +got)\n%s", c.take, out.Open, again.Changes, diff)
		}
	}
}

// TestGiven takes the golden path's text in the places of a member's own file, and in a
// file that both added.
func TestGiven(t *testing.T) {
	base, ours, theirs := "# 1\n\nstay\n\nold\n\nstay\n\nend\n", "# 1 of ours\n\nstay\n\nmine\n\nstay\n\nend\n", "# 2\n\nstay\n\nnew\n\nstay\n\nend, and more\n"
	for _, c := range []struct {
		name               string
		base, ours, theirs tree.Tree
		after, want        string
	}{
		{"in places", tree.Tree{"f": tree.Text(base)}, tree.Tree{"f": tree.Text(ours)}, tree.Tree{"f": tree.Text(theirs)}, strings.Replace(ours, "end", "end, and more", 1), theirs},
		{"both added it", tree.Tree{}, tree.Tree{"f": tree.Text(ours)}, tree.Tree{"f": tree.Text(theirs)}, ours, theirs},
		{"only the golden path changed it", tree.Tree{"f": tree.Text(base)}, tree.Tree{"f": tree.Text(base)}, tree.Tree{"f": tree.Text(theirs)}, theirs, ""},
	} {
		cs, got := meet(c.base, c.ours, c.theirs, policy.Policy{Care: policy.Member})
		given := cs.Changes[0].Given()
		if string(got["f"].Data) != c.after || (given == nil) != (c.want == "") || given != nil && string(given.Data) != c.want {
			t.Errorf("%s: %q, given %+v; want %q, given %q", c.name, got["f"].Data, given, c.after, c.want)
		}
	}
}

// TestLinkForAMembersFile: a link has no text that could be given in a file's place, so
// that it is a conflict like any other.
func TestLinkForAMembersFile(t *testing.T) {
	cs, got := meet(tree.Tree{}, tree.Tree{"f": tree.Text("mine\n")}, tree.Tree{"f": tree.Link("g")}, policy.Policy{Care: policy.Member})
	if c := cs.Changes[0]; c.Action != drift.Conflict || c.Given() != nil || !got["f"].Equal(tree.Text("mine\n")) {
		t.Errorf("%+v, given %+v, and the file is %+v; want a conflict, and mine", c, c.Given(), got["f"])
	}
}

// TestTiersAreTold plans a file with a merged and a suggested place, and takes the
// suggestion.
func TestTiersAreTold(t *testing.T) {
	base := tree.Tree{"f": tree.Text("set  one\n\nstay\n\na\nb\n")}
	ours := tree.Tree{"f": tree.Text("set one\n\nstay\n\na\nof ours, this\nb\n")}
	theirs := tree.Tree{"f": tree.Text("set  two\n\nstay\n\na\nof theirs, that\nb\n")}
	joined := tree.Tree{"f": tree.Text("set two\n\nstay\n\na\nof ours, this\nof theirs, that\nb\n")}

	cs, got := meet(base, ours, theirs, policy.Policy{Resolve: policy.On, Suggested: policy.Apply, On: []string{"inserts"}})
	if diff := cmp.Diff(joined, got); diff != "" || !cs.Clean() {
		t.Errorf("applied: mismatch (-want +got)\n%s", diff)
	}
	refused, learned := cs.Changes[0].Refused()
	if want := "set two\n\nstay\n\na\nof ours, this\nb\n"; refused == nil || string(refused.Data) != want || len(learned) != 1 || learned[0].Take != merge.TakeOurs {
		t.Errorf("refused: %+v, learned %+v, want %q", refused, learned, want)
	}
	for _, part := range []string{"white space only", "both added lines"} {
		if !strings.Contains(cs.Changes[0].Reason, part) {
			t.Errorf("reason %q does not tell %q", cs.Changes[0].Reason, part)
		}
	}

	policies := everywhere(policy.Policy{Resolve: policy.On, On: []string{"inserts"}})
	cs, got = meetUnder(base, ours, theirs, policies)
	c := cs.Changes[0]
	if diff := cmp.Diff(tree.Tree{"f": tree.Text("set two\n\nstay\n\na\nof ours, this\nb\n")}, got); diff != "" {
		t.Errorf("proposed: mismatch (-want +got)\n%s", diff)
	}
	if c.Action != drift.Conflict || len(c.Hunks) != 2 || len(c.Clashes) != 1 || c.Clashes[0].Resolver != "inserts" || c.Clashes[0].Tier != merge.Suggested {
		t.Fatalf("change %+v", c)
	}
	out, after, again := resolve(t, cs, "f", base, got, theirs, policies, drift.Suggested)
	if diff := cmp.Diff(joined, after); diff != "" || out.Section.Files["f"].Open || !again.Clean() {
		t.Errorf("taken: mismatch (-want +got)\n%s", diff)
	}
}

// TestSomeIsSuggested takes what is suggested for a file in which something else
// is for a person to decide.
func TestSomeIsSuggested(t *testing.T) {
	base := tree.Tree{"f": tree.Text("a\nb\n\nstay\nhere\n\nred today\n")}
	ours := tree.Tree{"f": tree.Text("a\nof ours, this\nb\n\nstay\nhere\n\ngreen today\n")}
	theirs := tree.Tree{"f": tree.Text("a\nof theirs, that\nb\n\nstay\nhere\n\nblue today\n")}
	policies := everywhere(policy.Policy{Resolve: policy.On, On: []string{"inserts"}})
	cs, got := meetUnder(base, ours, theirs, policies)
	if len(cs.Changes[0].Clashes) != 2 {
		t.Fatalf("change %+v", cs.Changes[0])
	}
	out, half, again := resolve(t, cs, "f", base, got, theirs, policies, drift.Suggested)
	if diff := cmp.Diff(tree.Tree{"f": tree.Text("a\nof ours, this\nof theirs, that\nb\n\nstay\nhere\n\ngreen today\n")}, half); diff != "" || out.Open != 1 {
		t.Errorf("%d open: mismatch (-want +got)\n%s", out.Open, diff)
	}
	if len(out.Choices) != 1 || out.Choices[0].Take != merge.TakeText || string(out.Choices[0].Text) != "of ours, this\nof theirs, that\n" {
		t.Errorf("choices %+v", out.Choices)
	}
	if c := again.Changes[0]; len(again.Writes()) != 0 || c.Action != drift.Conflict || len(c.Clashes) != 1 || string(c.Clashes[0].Ours) != "green today\n" {
		t.Fatalf("the suggestion is asked for again, or the conflict is not: %+v", c)
	}
	// The rest is decided, and nothing is asked any more.
	_, whole, last := resolve(t, again, "f", base, half, theirs, policies, drift.Theirs)
	if diff := cmp.Diff(tree.Tree{"f": tree.Text("a\nof ours, this\nof theirs, that\nb\n\nstay\nhere\n\nblue today\n")}, whole); diff != "" || !last.Clean() || len(last.Writes()) != 0 {
		t.Errorf("then %+v: mismatch (-want +got)\n%s", last.Changes, diff)
	}
}

func TestNothingToTake(t *testing.T) {
	base, theirs := tree.Tree{"f": tree.Text("red today\n")}, tree.Tree{"f": tree.Text("green today\n")}
	ours := tree.Text("blue today\n")
	cs, _ := meet(base, tree.Tree{"f": ours}, theirs, policy.Policy{})
	_, err := drift.Resolving{Locked: cs.Lock, Path: "f", Ours: &ours, Theirs: rendering(theirs, nil), Base: baseOf(base)}.Resolve(drift.Suggested)
	if err == nil || !strings.Contains(err.Error(), "nothing is suggested for f") {
		t.Errorf("error %v", err)
	}
}

func TestMembersFiles(t *testing.T) {
	base, ours, theirs := tree.Tree{"CHANGELOG.md": tree.Text("# 0\n")}, tree.Tree{"CHANGELOG.md": tree.Text("# 1 mine\n")}, tree.Tree{"CHANGELOG.md": tree.Text("# 2 theirs\n")}
	for _, p := range []policy.Policy{{}, {Resolve: policy.Off}} {
		cs, got := meet(base, ours, theirs, p)
		if diff := cmp.Diff(ours, got); diff != "" || !cs.Clean() || !strings.Contains(cs.Changes[0].Reason, "the member's") {
			t.Errorf("%+v\n%s", cs.Changes[0], diff)
		}
	}
	cs, _ := meet(base, ours, theirs, policy.Policy{Care: policy.Join})
	if cs.Clean() {
		t.Error("a changelog that is to be merged is not")
	}
}

// TestChosen finds what people wrote in the places that were open, in a file that
// they also changed elsewhere.
func TestChosen(t *testing.T) {
	base := tree.Tree{"f": tree.Text("one\nred today\ntwo\nthree\nred tonight\nfour\n")}
	ours := tree.Tree{"f": tree.Text("one\ngreen today\ntwo\nthree\ngreen tonight\nfour\n")}
	theirs := tree.Tree{"f": tree.Text("one\nblue today\ntwo\nthree\nblue tonight\nfour\n")}
	cs, _ := meet(base, ours, theirs, policy.Policy{})
	first, second := cs.Changes[0].Clashes[0], cs.Changes[0].Clashes[1]
	at := func(c drift.Clash, take merge.Take, text string) drift.Choice {
		made := drift.Choice{Path: "f", Key: merge.Key(c.Base, c.Ours, c.Theirs), Take: take}
		if text != "" {
			made.Text = []byte(text)
		}
		return made
	}
	blob := theirs["f"].Blob()
	decided := &drift.Section{
		Files:     map[string]drift.LockedFile{"f": {Blob: blob}},
		Decisions: []drift.Decision{{Path: "f", Of: blob, Hunk: second.ID(), Take: drift.Ours}},
	}
	for _, c := range []struct {
		name, merged string
		section      *drift.Section
		want         []drift.Choice
	}{
		{"nothing", "one\ngreen today\ntwo\nthree\ngreen tonight\nfour\n", &drift.Section{}, nil},
		{"the golden path's", "one\nblue today\ntwo\nthree\ngreen tonight\nfour\n", &drift.Section{}, []drift.Choice{at(first, merge.TakeTheirs, "")}},
		{"other text, and elsewhere", "zero\none\nyellow today\nand more\ntwo\nthree\ngreen tonight\nfour\nfive\n", &drift.Section{}, []drift.Choice{at(first, merge.TakeText, "yellow today\nand more\n")}},
		{"gone", "one\ntwo\nthree\ngreen tonight\nfour\n", &drift.Section{}, []drift.Choice{{Path: "f", Key: at(first, 0, "").Key, Take: merge.TakeText, Text: []byte{}}}},
		{"kept by decision", "one\ngreen today\ntwo\nthree\ngreen tonight\nfour\n", decided, []drift.Choice{at(second, merge.TakeOurs, "")}},
		{"with what is around it", "other\nyellow today\ntwo\nthree\ngreen tonight\nfour\n", &drift.Section{}, nil},
	} {
		if diff := cmp.Diff(c.want, cs.Changes[0].Chosen([]byte(c.merged), c.section)); diff != "" {
			t.Errorf("%s: mismatch (-want +got)\n%s", c.name, diff)
		}
	}
}

// TestPolicyOfAFile has a manifest's rule for one file only.
func TestPolicyOfAFile(t *testing.T) {
	both := func(text string) tree.Tree { return tree.Tree{"a.txt": tree.Text(text), "b.txt": tree.Text(text)} }
	p := drift.Policies{Of: func(path string) policy.Policy {
		if path == "a.txt" {
			return policy.Policy{Resolve: policy.Off}
		}
		return policy.Policy{Resolve: policy.On}
	}}
	cs, _ := meetUnder(both("set  one\n"), both("set one\n"), both("set  two\n"), p)
	var got []drift.Action
	for _, c := range cs.Changes {
		got = append(got, c.Action)
	}
	if diff := cmp.Diff([]drift.Action{drift.Conflict, drift.Merged}, got); diff != "" {
		t.Errorf("mismatch (-want +got)\n%s", diff)
	}
}
