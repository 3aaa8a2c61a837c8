package drift_test

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// rendering turns a tree into one; mode gives a path another mode than merge.
func rendering(t tree.Tree, mode map[string]scaffold.Mode) scaffold.Rendering {
	r := scaffold.Rendering{}
	for p, f := range t {
		m := scaffold.Merge
		if mode[p] != "" {
			m = mode[p]
		}
		r[p] = scaffold.Rendered{File: f, Mode: m, Layer: "gp", Origin: p}
	}
	return r
}

// created is the lock that a new member has.
func created(base tree.Tree, mode map[string]scaffold.Mode) *drift.Section {
	return drift.Plan(drift.Request{To: drift.Revision{Version: "1.0.0"}, Theirs: rendering(base, mode), Ours: tree.Tree{}}).Lock
}

func baseOf(t tree.Tree) func(string, drift.LockedFile) (tree.File, bool) {
	return func(p string, _ drift.LockedFile) (tree.File, bool) { f, ok := t[p]; return f, ok }
}

// standing is what a member's whole tree shows at the paths that the golden path
// names: the files there, a folder in the place of one, and what is in the place of a
// folder.
func standing(member, base, theirs tree.Tree) tree.Tree {
	seen := tree.Tree{}
	for _, p := range append(base.Paths(), theirs.Paths()...) {
		if f, ok := member[p]; ok {
			seen[p] = f
			continue
		}
		if below := member.Under(p).Paths(); len(below) > 0 {
			seen[p] = tree.FolderOf(below)
		}
		for up := path.Dir(p); up != "."; up = path.Dir(up) {
			if f, ok := member[up]; ok {
				seen[up] = f
			}
		}
		if _, there := member[p]; !there {
			addTwins(member, p, seen)
		}
	}
	return seen
}

// addTwins adds what some file system takes for p.
func addTwins(member tree.Tree, p string, seen tree.Tree) {
	list := func(dir string) (tree.Listing, error) {
		names := map[string]bool{}
		in := member
		if dir != "" {
			in = member.Under(dir)
		}
		for _, below := range in.Paths() {
			name, _, _ := strings.Cut(below, "/")
			names[name] = true
		}
		return tree.ListOf(slices.Sorted(maps.Keys(names))), nil
	}
	_ = tree.Twins(p, list, func(at string, end bool) error { // list does not fail
		if f, ok := member[at]; ok {
			seen[at] = f
		} else if below := member.Under(at).Paths(); end && len(below) > 0 {
			seen[at] = tree.FolderOf(below)
		}
		return nil
	})
}

func plan(base, ours, theirs tree.Tree, mode map[string]scaffold.Mode) drift.ChangeSet {
	return planUnder(base, ours, theirs, mode, drift.Policies{})
}

func planUnder(base, ours, theirs tree.Tree, mode map[string]scaffold.Mode, policies drift.Policies) drift.ChangeSet {
	return drift.Plan(drift.Request{Policies: policies,
		Locked: created(base, mode), To: drift.Revision{Version: "2.0.0"},
		Theirs: rendering(theirs, mode), Ours: standing(ours, base, theirs), Base: baseOf(base), Renames: map[string]string{"f": "moved"},
	})
}

// everywhere is one policy for all files.
func everywhere(p policy.Policy) drift.Policies {
	return drift.Policies{Of: func(string) policy.Policy { return p }}
}

func apply(t tree.Tree, w map[string]*tree.File) tree.Tree {
	t = t.Clone()
	for p, f := range w {
		if f == nil {
			delete(t, p)
		} else {
			t[p] = *f
		}
	}
	return t
}

func one(f tree.File, ok bool) tree.Tree {
	if !ok {
		return tree.Tree{}
	}
	return tree.Tree{"f": f}
}

func TestEveryOutcome(t *testing.T) {
	none := tree.File{}
	text := func(s string) tree.File { return tree.Text(s) }
	const b, o, th = "1\n2\n3\n4\n5\n", "one\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n"
	for name, c := range map[string]struct {
		base, ours, theirs tree.File
		mode               scaffold.Mode
		action             drift.Action
		want               tree.File
	}{
		"nothing changed":              {text(b), text(b), text(b), "", drift.Same, text(b)},
		"template changed":             {text(b), text(b), text(th), "", drift.Update, text(th)},
		"member changed":               {text(b), text(o), text(b), "", drift.Yours, text(o)},
		"both, apart":                  {text(b), text(o), text(th), "", drift.Merged, text("one\n2\n3\n4\nfive\n")},
		"both, alike":                  {text(b), text(o), text(o), "", drift.Same, text(o)},
		"both, the same line":          {text(b), text(o), text("eins\n2\n3\n4\n5\n"), "", drift.Conflict, text(o)},
		"new":                          {none, none, text(b), "", drift.Create, text(b)},
		"new, already there":           {none, text(b), text(b), "", drift.Same, text(b)},
		"add/add":                      {none, text(o), text(b), "", drift.Conflict, text(o)},
		"add/add, once":                {none, text(o), text(b), scaffold.Once, drift.Yours, text(o)},
		"removed":                      {text(b), text(b), none, "", drift.Delete, none},
		"delete/edit":                  {text(b), text(o), none, "", drift.Conflict, text(o)},
		"edit/delete":                  {text(b), none, text(th), "", drift.Yours, none},
		"deleted by member":            {text(b), none, text(b), "", drift.Yours, none},
		"deleted by both":              {text(b), none, none, "", drift.Same, none},
		"managed, edited":              {text(b), text(o), text(b), scaffold.Managed, drift.Replace, text(b)},
		"managed, deleted":             {text(b), none, text(b), scaffold.Managed, drift.Create, text(b)},
		"once, changed":                {text(b), text(b), text(th), scaffold.Once, drift.Yours, text(b)},
		"mode by template":             {text(b), text(o), tree.Script(b), "", drift.Merged, tree.Script(o)},
		"mode by member":               {text(b), tree.Script(b), text(th), "", drift.Merged, tree.Script(th)},
		"binary, replaced by member":   {text("\x00a"), text("\x00b"), text("\x00a"), "", drift.Yours, text("\x00b")},
		"binary, both":                 {text("\x00a"), text("\x00b"), text("\x00c"), "", drift.Conflict, text("\x00b")},
		"link, both":                   {tree.Link("a"), tree.Link("b"), tree.Link("c"), "", drift.Conflict, tree.Link("b")},
		"file became link, and edited": {text(b), text(o), tree.Link("c"), "", drift.Conflict, text(o)},
		"CRLF":                         {text("a\r\nb\r\nc\r\nd\r\n"), text("A\r\nb\r\nc\r\nd\r\n"), text("a\r\nb\r\nc\r\nD"), "", drift.Merged, text("A\r\nb\r\nc\r\nD")},
		"block": {
			text("x\n# goldenpath:begin a\n1\n# goldenpath:end a\n"), text("mine\n# goldenpath:begin a\n1\n# goldenpath:end a\nmore\n"),
			text("y\n# goldenpath:begin a\n2\n# goldenpath:end a\n"), scaffold.Block, drift.Merged,
			text("mine\n# goldenpath:begin a\n2\n# goldenpath:end a\nmore\n"),
		},
		"block, edited inside": {
			text("# goldenpath:begin a\n1\n# goldenpath:end a\n"), text("# goldenpath:begin a\nmine\n# goldenpath:end a\n"),
			text("# goldenpath:begin a\n2\n# goldenpath:end a\n"), scaffold.Block, drift.Replace,
			text("# goldenpath:begin a\n2\n# goldenpath:end a\n"),
		},
		"block, broken markers": {
			text("# goldenpath:begin a\n1\n# goldenpath:end a\n"), text("# goldenpath:begin a\nmine\n"),
			text("# goldenpath:begin a\n2\n# goldenpath:end a\n"), scaffold.Block, drift.Conflict, text("# goldenpath:begin a\nmine\n"),
		},
	} {
		mode := map[string]scaffold.Mode{"f": c.mode}
		has := func(f tree.File) tree.Tree { return one(f, f.Kind != 0) }
		cs := plan(has(c.base), has(c.ours), has(c.theirs), mode)
		got := apply(has(c.ours), cs.Writes())
		if diff := cmp.Diff(has(c.want), got); diff != "" {
			t.Errorf("%s: mismatch (-want +got):\n%s", name, diff)
		}
		if len(cs.Changes) != 1 || cs.Changes[0].Action != c.action || cs.Changes[0].Reason == "" {
			t.Errorf("%s: changes %+v, want one %s with a reason", name, cs.Changes, c.action)
		}
	}
}

func TestRenameCarriesEdits(t *testing.T) {
	text := strings.Repeat("line\nand another\n", 5)
	base := tree.Tree{"old": tree.Text(text + "end\n")}
	ours := tree.Tree{"old": tree.Text("mine\n" + text + "end\n")}
	theirs := tree.Tree{"new": tree.Text(text + "END\n")}
	cs := plan(base, ours, theirs, nil)
	want := tree.Tree{"new": tree.Text("mine\n" + text + "END\n")}
	if diff := cmp.Diff(want, apply(ours, cs.Writes())); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if cs.Changes[0].Action != drift.Rename {
		t.Errorf("action %s, want rename", cs.Changes[0].Action)
	}
}

func TestConflictComesBackUntilItIsResolved(t *testing.T) {
	base, ours := tree.Tree{"f": tree.Text("1\n2\n3\n4\n5\n")}, tree.Tree{"f": tree.Text("1\nmine\n3\n4\n5\n")}
	theirs := tree.Tree{"f": tree.Text("1\ntheirs\n3\n4\nfive\n")}
	for _, take := range []drift.Side{drift.Ours, drift.Theirs} {
		cs := plan(base, ours, theirs, nil)
		now := apply(ours, cs.Writes())
		if string(now["f"].Data) != "1\nmine\n3\n4\nfive\n" {
			t.Fatalf("the clean hunk is not applied: %q", now["f"].Data)
		}
		again := drift.Plan(drift.Request{Locked: cs.Lock, To: cs.To, Theirs: rendering(theirs, nil), Ours: now, Base: baseOf(base)})
		if again.Clean() || len(again.Writes()) != 0 {
			t.Fatalf("the second sync says %+v", again.Changes)
		}
		f := now["f"]
		resolved, err := drift.Resolving{Locked: again.Lock, Path: "f", Ours: &f, Theirs: rendering(theirs, nil), Base: baseOf(base)}.Resolve(take)
		if err != nil {
			t.Fatal(err)
		}
		after, lock := resolved.After, resolved.Section
		want := map[drift.Side]string{drift.Ours: "1\nmine\n3\n4\nfive\n", drift.Theirs: "1\ntheirs\n3\n4\nfive\n"}[take]
		if string(after.Data) != want {
			t.Errorf("take %s: %q, want %q", take, after.Data, want)
		}
		third := drift.Plan(drift.Request{Locked: lock, To: cs.To, Theirs: rendering(theirs, nil), Ours: tree.Tree{"f": *after}, Base: baseOf(theirs)})
		if !third.Clean() || len(third.Writes()) != 0 {
			t.Errorf("take %s: asked again: %+v", take, third.Changes)
		}
	}
}

func TestKeepHoldsBackAndComesBackLater(t *testing.T) {
	base, theirs := tree.Tree{"f": tree.Text("1\n")}, tree.Tree{"f": tree.Text("2\n")}
	r := drift.Request{Locked: created(base, nil), To: drift.Revision{Version: "2.0.0"}, Theirs: rendering(theirs, nil), Ours: base, Base: baseOf(base),
		Keeps: []drift.Keep{{Path: "f", Reason: "glibc", Until: "2027-03-01"}}, Today: "2027-03-01"}
	cs := drift.Plan(r)
	if cs.Changes[0].Action != drift.Kept || len(cs.Writes()) != 0 {
		t.Fatalf("changes %+v, want kept", cs.Changes)
	}
	r.Locked, r.Today = cs.Lock, "2027-03-02"
	if cs := drift.Plan(r); cs.Changes[0].Action != drift.Update {
		t.Errorf("after the day it says %+v, want update", cs.Changes)
	}
}

func TestLostBaseIsSaid(t *testing.T) {
	cs := drift.Plan(drift.Request{
		Locked: created(tree.Tree{"f": tree.Text("1\n")}, nil), Theirs: rendering(tree.Tree{"f": tree.Text("2\n")}, nil),
		Ours: tree.Tree{"f": tree.Text("3\n")}, Base: baseOf(nil),
	})
	if c := cs.Changes[0]; c.Action != drift.Conflict || !strings.Contains(c.Reason, "cannot be rendered or found") {
		t.Errorf("change %+v, want a conflict that says that the base is lost", c)
	}
}

func TestLockRoundTripAndDamage(t *testing.T) {
	s := created(tree.Tree{"a": tree.Text("x"), "b/c": tree.Script("y")}, nil)
	s.Inputs = scaffold.Inputs{"n": int64(3), "f": 1.5, "l": []any{"x"}, "m": map[string]any{"k": int64(1)}}
	s.Decisions = []drift.Decision{{Path: "a", Hunk: "00", Take: drift.Ours}}
	text, err := (&drift.Lock{GoldenPaths: map[string]*drift.Section{"gp": s, "other": {Files: map[string]drift.LockedFile{}}}}).Format()
	if err != nil {
		t.Fatal(err)
	}
	l, err := drift.ParseLock(text)
	if err != nil {
		t.Fatalf("ParseLock(Format()) = %v\n%s", err, text)
	}
	again, _ := l.Format()
	if !bytes.Equal(text, again) {
		t.Errorf("mismatch (-want +got):\n%s", cmp.Diff(string(text), string(again)))
	}
	for want, damaged := range map[string][]byte{
		"cut off":                 text[:len(text)/2],
		"something other than":    bytes.Replace(text, []byte(`"1.0.0"`), []byte(`"1.0.1"`), 1),
		"this syncer knows up to": bytes.Replace(text, []byte(`"lockVersion": 1`), []byte(`"lockVersion": 99`), 1),
		"unfinished merge":        append([]byte("<<<<<<< HEAD\n"), text...),
		"was edited":              bytes.Replace(text, []byte(`"lockVersion"`), []byte(`"x": 1, "lockVersion"`), 1),
	} {
		if _, err := drift.ParseLock(damaged); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), drift.LockName+":") {
			t.Errorf("ParseLock = %v, want %q", err, want)
		}
	}
}

// A tree of a few files with lines out of a few, so that edits meet.
func drawTree(t *rapid.T, label string) tree.Tree {
	line := rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "d\r\n", "e", "\n", "f\n", "g\n"})
	kind := rapid.SampledFrom([]tree.Kind{tree.Regular, tree.Regular, tree.Regular, tree.Executable})
	out := tree.Tree{}
	for _, p := range []string{"f", "g", "d/h", "moved"} {
		if rapid.IntRange(0, 4).Draw(t, label+p) > 0 {
			text := strings.Join(rapid.SliceOfN(line, 0, 8).Draw(t, label+p+"lines"), "")
			if rapid.IntRange(0, 9).Draw(t, label+p+"bin") == 0 {
				text += "\x00"
			}
			out[p] = tree.File{Kind: kind.Draw(t, label+p+"kind"), Data: []byte(text)}
		}
	}
	return out
}

// Every line that is the member's own (not the base's, or more often than there)
// is afterwards in the same file or where it moved to, or the change's clashes
// name it.
func TestNoSilentLoss(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		base, ours, theirs := drawTree(rt, "base"), drawTree(rt, "ours"), drawTree(rt, "theirs")
		mode := map[string]scaffold.Mode{}
		for _, p := range []string{"f", "g", "d/h", "moved"} {
			mode[p] = rapid.SampledFrom([]scaffold.Mode{scaffold.Merge, scaffold.Merge, scaffold.Managed, scaffold.Once, scaffold.Block}).Draw(rt, "mode")
		}
		if rapid.Bool().Draw(rt, "move") {
			// The golden path moves f, which the member has not.
			delete(base, "moved")
			delete(ours, "moved")
			delete(theirs, "f")
		}
		checkNoLoss(rt, base, ours, theirs, mode)
	})
}

// policiesToCheck are combinations of policies, the first of which is by lines alone.
// Resolvers may change the layout of a member's line, and name every place that they
// decide.
var policiesToCheck = []drift.Policies{
	everywhere(policy.Policy{Resolve: policy.Off}),
	everywhere(policy.Policy{Resolve: policy.On, On: []string{"beside", "inserts"}}),
	everywhere(policy.Policy{Resolve: policy.On, Suggested: policy.Apply, On: []string{"beside", "inserts"}, OnDelete: policy.Follow}),
	everywhere(policy.Policy{OnDelete: policy.Keep, OnDeleted: policy.Restore}),
	everywhere(policy.Policy{OnDelete: policy.Follow, OnDeleted: policy.Conflict}),
	everywhere(policy.Policy{Care: policy.Member}),
	everywhere(policy.Policy{Care: policy.Tool, OnDelete: policy.Follow}),
	{Of: everywhere(policy.Policy{Resolve: policy.On, Suggested: policy.Apply}).Of, Memory: everybodyTook(merge.TakeTheirs)},
}

// everybodyTook is a memory in which all hunks were resolved in one way.
type everybodyTook merge.Take

func (m everybodyTook) Recall(string) []merge.Resolution {
	return []merge.Resolution{{Take: merge.Take(m), Count: 3}}
}

func checkNoLoss(t rapid.TB, base, ours, theirs tree.Tree, mode map[string]scaffold.Mode) {
	for _, p := range policiesToCheck {
		checkNoLossUnder(t, base, ours, theirs, mode, p)
	}
}

// checkPaths checks that no file lies below another one.
func checkPaths(t rapid.TB, files tree.Tree) {
	for p := range files {
		for up := path.Dir(p); up != "."; up = path.Dir(up) {
			if _, is := files[up]; is {
				t.Fatalf("%s lies below the file %s", p, up)
			}
		}
	}
}

func checkNoLossUnder(t rapid.TB, base, ours, theirs tree.Tree, mode map[string]scaffold.Mode, policies drift.Policies) {
	cs := planUnder(base, ours, theirs, mode, policies)
	after := apply(ours, cs.Writes())
	checkPaths(t, after)
	for _, p := range slices.Sorted(maps.Keys(ours)) {
		mine := ours[p]
		c, at := changeOf(cs, p)
		if c == nil || !mine.Kind.IsFile() {
			if !after[p].Equal(mine) {
				t.Fatalf("%s changed, and no change names it, or it is no file", p)
			}
			continue
		}
		if c.Reason == "" {
			t.Fatalf("%s: no reason", p)
		}
		if got, ok := after[at]; ok != (c.After != nil) || ok && !got.Equal(*c.After) {
			t.Fatalf("%s: the change says that %s becomes %v, and the writes make it %q", p, at, c.After, got.Data)
		}
		named := ""
		for _, cl := range c.Clashes {
			named += string(cl.Ours)
		}
		for _, h := range c.Hunks {
			named += string(h.Ours)
		}
		was := base[p]
		for line, n := range counts(mine.Data) {
			own := n - counts(was.Data)[line]
			left := counts(after[at].Data)[line] + strings.Count(named, line)
			if own > left {
				t.Fatalf("%s: %d of the member's lines %q, %d left and none named\nbase %q\nours %q\ntheirs %q\nafter %q\n%+v", p, own, line, left, was.Data, mine.Data, theirs[at].Data, after[at].Data, *c)
			}
		}
		if c.Action == drift.Conflict && !cs.Lock.Files[c.Path].Open {
			t.Fatalf("%s: a conflict that the lock does not remember", p)
		}
		if c.Action == drift.Conflict && c.Mode == scaffold.Merge {
			checkDecisions(t, cs, c.Path, at, base, after, theirs, mode, policies)
		}
	}
	if len(plan(base, base, theirs, mode).Changes) > 0 && !plan(base, base, base, mode).Clean() {
		t.Fatalf("a sync to the same version conflicts")
	}
}

// checkDecisions takes each side of a file's conflicts: the next plan leaves the file
// alone, and asks for what is still open and for nothing else.
func checkDecisions(t rapid.TB, cs drift.ChangeSet, path, at string, base, now, theirs tree.Tree, mode map[string]scaffold.Mode, policies drift.Policies) {
	bases := maps.Clone(base)
	if f, ok := base["f"]; ok && base["moved"].Kind == 0 {
		bases["moved"] = f // the base moved along
	}
	for _, take := range []drift.Side{drift.Suggested, drift.Theirs, drift.Ours} {
		r := drift.Resolving{Locked: cs.Lock, Path: path, Theirs: rendering(theirs, mode), Base: baseOf(bases), Policies: policies}
		if f, ok := now[at]; ok {
			r.Ours = &f
		}
		out, err := r.Resolve(take)
		if err != nil {
			if take != drift.Suggested {
				t.Fatalf("%s: take %s: %v", path, take, err)
			}
			continue
		}
		next := apply(now, map[string]*tree.File{at: out.After})
		newBases := maps.Clone(bases)
		if out.Open == 0 {
			delete(newBases, path)
			if f, ok := theirs[path]; ok {
				newBases[path] = f
			}
		}
		again := drift.Plan(drift.Request{Policies: policies, Locked: out.Section, To: cs.To, Theirs: rendering(theirs, mode), Ours: next, Base: baseOf(newBases)})
		c, _ := changeOf(again, path)
		switch {
		case c == nil && out.Open == 0:
		case c == nil || c.Changes() || (c.Action == drift.Conflict) != (out.Open > 0) || out.Open > 0 && len(c.Clashes) != out.Open:
			t.Fatalf("%s: take %s leaves %d open, then the plan says %+v\nbase %q\nours %q\ntheirs %q", path, take, out.Open, c, bases[path].Data, now[at].Data, theirs[path].Data)
		}
	}
}

// changeOf returns what happens to the member's file at a path, and where it is then:
// it may go elsewhere while another one comes.
func changeOf(cs drift.ChangeSet, p string) (*drift.Change, string) {
	var at *drift.Change
	for _, c := range cs.Changes {
		switch {
		case c.From == p:
			return &c, c.Path
		case c.Path == p && (at == nil || at.Before == nil):
			at = &c
		}
	}
	if at == nil {
		return nil, p
	}
	return at, at.Path
}

func counts(data []byte) map[string]int {
	n := map[string]int{}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		n[strings.TrimSuffix(string(line), "\r")]++
	}
	delete(n, "")
	return n
}

func FuzzNoSilentLoss(f *testing.F) {
	f.Add([]byte("1\n2\n3\n"), []byte("1\nx\n3\n"), []byte("1\n2\ny\n"), uint8(0))
	f.Add([]byte("a\n"), []byte("a\nb"), []byte(""), uint8(1))
	f.Add([]byte("a:\n  b: 1\n  c: v1.2.0\n"), []byte("a:\n  b: 2\n  c: v1.2.0\n"), []byte("a:\n  b: 1\n  c: v1.3.0\n"), uint8(1<<5))
	modes := []scaffold.Mode{scaffold.Merge, scaffold.Managed, scaffold.Once, scaffold.Block}
	names := append(slices.Sorted(maps.Keys(formats)), "f")
	// how says the mode (2 bits), which files may be missing (3), and the policies (3).
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte, how uint8) {
		name := names[(len(base)+len(theirs))%len(names)]
		file := func(b []byte, bit uint) tree.Tree {
			if how>>bit&1 == 1 && len(b) == 0 {
				return tree.Tree{}
			}
			return tree.Tree{name: {Kind: tree.Regular, Data: b}}
		}
		checkNoLossUnder(t, file(base, 2), file(ours, 3), file(theirs, 4), map[string]scaffold.Mode{name: modes[how%4]}, policiesToCheck[how>>5])
	})
}

func FuzzLock(f *testing.F) {
	text, _ := (&drift.Lock{GoldenPaths: map[string]*drift.Section{"gp": created(tree.Tree{"a": tree.Text("x")}, nil)}}).Format()
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := drift.ParseLock(data)
		if err != nil {
			return
		}
		again, err := l.Format()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := drift.ParseLock(again); err != nil {
			t.Fatalf("a lock that was read cannot be read again: %v", err)
		}
	})
}

func FuzzMember(f *testing.F) {
	f.Add([]byte("source: x\ngoldenPaths: [{name: a, inputs: {b: 1}}]\nkeep: [{path: '**', reason: r}]\n"))
	f.Add([]byte("goldenPaths: []\n"))
	f.Add([]byte("# nothing yet\n"))
	f.Add([]byte("goldenPaths: [{name: a}]\nmerge: {resolve: on, off: [words, word], on: [words], onDelete: keep}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := drift.ParseMember(data)
		if err == nil && m.GoldenPaths == nil {
			if doc, err := document.Parse("f", data); err != nil || doc.Value() != nil {
				t.Error("a member that does not say what it follows is accepted")
			}
		}
		_ = fmt.Sprint(err)
	})
}

func TestRenameWithConflictLosesNothing(t *testing.T) {
	text := strings.Repeat("line\nand another\n", 5)
	for name, c := range map[string]struct{ base, ours, theirs tree.File }{
		"text":   {tree.Text(text + "end\n"), tree.Text(text + "mine\n"), tree.Text(text + "theirs\n")},
		"binary": {tree.Text("\x00" + text), tree.Text("\x00" + text + "mine"), tree.Text("\x00" + text)},
	} {
		base, ours, theirs := tree.Tree{"old": c.base}, tree.Tree{"old": c.ours}, rendering(tree.Tree{"new": c.theirs}, nil)
		r := drift.Request{Locked: created(base, nil), To: drift.Revision{Version: "2"}, Theirs: theirs, Ours: ours, Base: baseOf(base), Renames: map[string]string{"old": "new"}}
		cs := drift.Plan(r)
		after := apply(ours, cs.Writes())
		if diff := cmp.Diff(tree.Tree{"new": c.ours}, after); diff != "" {
			t.Errorf("%s: mismatch (-want +got):\n%s", name, diff)
		}
		r.Locked, r.Ours = cs.Lock, after
		if again := drift.Plan(r); len(again.Writes()) != 0 || again.Clean() != cs.Clean() {
			t.Errorf("%s: the second sync says %+v", name, again.Changes)
		}
	}
}
