package drift_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

func TestObstacles(t *testing.T) {
	text := tree.Text
	folder := tree.Tree{"docs/a": text("1\n2\n3\n"), "docs/b": text("b\n")}
	file := tree.Tree{"docs": text("one file\n")}
	with := func(t tree.Tree, p string, f tree.File) tree.Tree {
		t = t.Clone()
		t[p] = f
		return t
	}
	submodule := tree.File{Kind: tree.Submodule}
	for name, c := range map[string]struct {
		base, ours, theirs tree.Tree
		want               tree.Tree
		open               map[string]string // path → a part of the reason
	}{
		"folder becomes a file":            {folder, folder, file, file, nil},
		"folder becomes a link":            {folder, folder, tree.Tree{"docs": tree.Link("a")}, tree.Tree{"docs": tree.Link("a")}, nil},
		"file becomes a folder":            {file, file, folder, folder, nil},
		"link becomes a folder":            {tree.Tree{"docs": tree.Link("a")}, tree.Tree{"docs": tree.Link("a")}, folder, folder, nil},
		"folder becomes one of its files":  {folder, folder, tree.Tree{"docs": folder["docs/a"]}, tree.Tree{"docs": folder["docs/a"]}, nil},
		"folder with a file of the member": {folder, with(folder, "docs/own", text("mine\n")), file, tree.Tree{"docs/own": text("mine\n")}, map[string]string{"docs": "own in it"}},
		"folder with an edited file": {
			folder, with(folder, "docs/a", text("mine\n")), file, tree.Tree{"docs/a": text("mine\n")},
			map[string]string{"docs": "a in it", "docs/a": "you changed it"},
		},
		"edited file becomes a folder": {
			file, tree.Tree{"docs": text("mine\n")}, folder, tree.Tree{"docs": text("mine\n")},
			map[string]string{"docs": "you changed it", "docs/a": "your docs is a file", "docs/b": "your docs is a file"},
		},
		"new file, folder of the member":    {nil, tree.Tree{"docs/x/y": text("mine\n")}, file, tree.Tree{"docs/x/y": text("mine\n")}, map[string]string{"docs": "x/y in it"}},
		"new folder, file of the member":    {nil, tree.Tree{"docs": text("mine\n")}, tree.Tree{"docs/a": text("a")}, tree.Tree{"docs": text("mine\n")}, map[string]string{"docs/a": "docs is a file"}},
		"new folder, link of the member":    {nil, tree.Tree{"docs": tree.Link("x")}, tree.Tree{"docs/a": text("a")}, tree.Tree{"docs": tree.Link("x")}, map[string]string{"docs/a": "docs is a symbolic link"}},
		"new file, submodule of the member": {nil, tree.Tree{"docs": submodule}, file, tree.Tree{"docs": submodule}, map[string]string{"docs": "a submodule"}},
		"new file in a submodule":           {nil, tree.Tree{"docs": submodule}, folder, tree.Tree{"docs": submodule}, map[string]string{"docs/a": "docs is a submodule", "docs/b": "docs is a submodule"}},
		"member made a folder of a file, which the golden path changed": {
			file, tree.Tree{"docs/own": text("mine\n")}, tree.Tree{"docs": text("changed\n")}, tree.Tree{"docs/own": text("mine\n")},
			nil, // it stays deleted, which is told
		},
		"member made a folder of a file that goes": {file, tree.Tree{"docs/own": text("mine\n")}, nil, tree.Tree{"docs/own": text("mine\n")}, nil},
		"member made a link of a folder":           {folder, tree.Tree{"docs": tree.Link("x")}, folder, tree.Tree{"docs": tree.Link("x")}, nil},
		"moved into a folder's place": {
			tree.Tree{"old": folder["docs/a"]}, tree.Tree{"old": text("1\n2\n3\nmine\n"), "docs/own": text("mine\n")}, tree.Tree{"docs": folder["docs/a"]},
			tree.Tree{"old": text("1\n2\n3\nmine\n"), "docs/own": text("mine\n")}, map[string]string{"old": "moved to docs"},
		},
		"new file, the member's differs in letter case":                     {nil, tree.Tree{"C.TXT": text("mine\n")}, tree.Tree{"c.txt": text("c\n")}, tree.Tree{"C.TXT": text("mine\n")}, map[string]string{"c.txt": "your C.TXT has the same name where letter case does not count"}},
		"new file, the member's is composed otherwise":                      {nil, tree.Tree{"cafe\u0301": text("mine\n")}, tree.Tree{"caf\u00e9": text("c\n")}, tree.Tree{"cafe\u0301": text("mine\n")}, map[string]string{"caf\u00e9": "your cafe\u0301 has the same name"}},
		"new file, the member's is in a folder that differs in letter case": {nil, tree.Tree{"Docs/a": text("mine\n")}, folder, tree.Tree{"Docs/a": text("mine\n"), "docs/b": text("b\n")}, map[string]string{"docs/a": "your Docs/a has"}},
		"new folder, the member's file differs in letter case":              {nil, tree.Tree{"Docs": text("mine\n")}, folder, tree.Tree{"Docs": text("mine\n")}, map[string]string{"docs/a": "your Docs has", "docs/b": "your Docs has"}},
		"new file, the member's folder differs in letter case":              {nil, tree.Tree{"Docs/own": text("mine\n")}, file, tree.Tree{"Docs/own": text("mine\n")}, map[string]string{"docs": "your Docs has"}},
		"the golden path changes letter case":                               {tree.Tree{"C.TXT": folder["docs/a"]}, tree.Tree{"C.TXT": text("1\n2\n3\nmine\n")}, tree.Tree{"c.txt": folder["docs/a"]}, tree.Tree{"c.txt": text("1\n2\n3\nmine\n")}, nil},
		"the member deleted the file and has another": {
			tree.Tree{"c.txt": text("c\n")}, tree.Tree{"C.TXT": text("mine\n")}, tree.Tree{"c.txt": text("new\n")}, tree.Tree{"C.TXT": text("mine\n")},
			nil, // it stays deleted, which is told
		},
		"moved out, so that a file can take the place": {
			folder, with(folder, "docs/a", text("mine\n1\n2\n3\n")), tree.Tree{"docs": text("one file\n"), "a": folder["docs/a"]},
			tree.Tree{"docs": text("one file\n"), "a": text("mine\n1\n2\n3\n")}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cs := plan(c.base, c.ours, c.theirs, nil)
			after := apply(c.ours, cs.Writes())
			if diff := cmp.Diff(c.want, after); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
			checkOpen(t, cs, c.open)
			again := drift.Plan(drift.Request{Locked: cs.Lock, To: cs.To, Theirs: rendering(c.theirs, nil), Ours: standing(after, c.base, c.theirs), Base: baseOf(c.base)})
			if len(again.Writes()) > 0 {
				t.Errorf("the second sync writes again: %+v", again.Changes)
			}
			checkOpen(t, again, c.open)
		})
	}
}

func checkOpen(t *testing.T, cs drift.ChangeSet, want map[string]string) {
	t.Helper()
	open := map[string]bool{}
	for _, c := range cs.Changes {
		if c.Action != drift.Conflict {
			continue
		}
		open[c.Path] = true
		if part, ok := want[c.Path]; !ok || !strings.Contains(c.Reason, part) {
			t.Errorf("%s is in conflict, because %s; want %q", c.Path, c.Reason, part)
		}
		if !cs.Lock.Files[c.Path].Open {
			t.Errorf("%s: the lock does not remember the conflict", c.Path)
		}
	}
	for p := range want {
		if !open[p] {
			t.Errorf("%s is not in conflict: %+v", p, cs.Changes)
		}
	}
}

// What is in the way can be kept, and a decision for it is not asked again.
func TestObstaclesAreDecided(t *testing.T) {
	ours, theirs := tree.Tree{"docs/own": tree.Text("mine\n")}, tree.Tree{"docs": tree.Text("file\n")}
	cs := plan(nil, ours, theirs, nil)
	decided, err := drift.Resolving{Locked: cs.Lock, Path: "docs", Theirs: rendering(theirs, nil), Base: baseOf(nil)}.Resolve(drift.Ours)
	if err != nil {
		t.Fatal(err)
	}
	r := drift.Request{Locked: decided.Section, To: cs.To, Theirs: rendering(theirs, nil), Ours: standing(ours, nil, theirs), Base: baseOf(theirs)}
	if third := drift.Plan(r); !third.Clean() || len(third.Writes()) > 0 {
		t.Errorf("asked again: %+v", third.Changes)
	}
	r.Locked, r.Keeps = cs.Lock, []drift.Keep{{Path: "docs", Reason: "we have a folder"}}
	if kept := drift.Plan(r); !kept.Clean() || kept.Changes[0].Action != drift.Kept {
		t.Errorf("not kept: %+v", kept.Changes)
	}
}

// drawPlaces draws a tree in which paths are files or folders as it comes.
func drawPlaces(t *rapid.T, label string, kinds []tree.Kind, own ...string) tree.Tree {
	out := tree.Tree{}
	for _, p := range append([]string{"d", "d/h", "d/h/i", "d/k", "f", "f/g", "e"}, own...) {
		kind := rapid.SampledFrom(kinds).Draw(t, label+p)
		taken := kind == 0
		for q := range out {
			taken = taken || strings.HasPrefix(p, q+"/") || strings.HasPrefix(q, p+"/")
		}
		if !taken {
			out[p] = tree.File{Kind: kind, Data: []byte(rapid.SampledFrom([]string{"a\n", "a\nb\nc\nd\n", "x\nb\nc\nd\n", "a\nb\nc\ny\n"}).Draw(t, label+p+"text"))}
		}
	}
	return out
}

// Nothing is lost where files, folders, links and submodules take each other's place.
func TestNoSilentLossWithObstacles(t *testing.T) {
	files := []tree.Kind{0, 0, tree.Regular, tree.Regular, tree.Symlink}
	rapid.Check(t, func(rt *rapid.T) {
		base, theirs := drawPlaces(rt, "base", files), drawPlaces(rt, "theirs", files)
		ours := base.Clone()
		if rapid.Bool().Draw(rt, "edited") {
			ours = drawPlaces(rt, "ours", append([]tree.Kind{tree.Submodule}, files...), "d/own", "f/own/x", "d/h/own", "E", "D/K", "F")
		}
		mode := map[string]scaffold.Mode{}
		for _, p := range []string{"d", "d/h", "d/h/i", "d/k", "f", "f/g", "e"} {
			mode[p] = rapid.SampledFrom([]scaffold.Mode{scaffold.Merge, scaffold.Merge, scaffold.Managed, scaffold.Once}).Draw(rt, "mode"+p)
		}
		checkNoLoss(rt, base, ours, theirs, mode)
		cs := plan(base, ours, theirs, mode)
		after := apply(ours, cs.Writes())
		for p, f := range ours {
			_, b := base[p]
			_, th := theirs[p]
			if !b && !th && !after[p].Equal(f) {
				t.Fatalf("%s is the member's own, and was %s", p, f.Data)
			}
		}
		for p := range after {
			if _, there := ours[p]; there {
				continue
			}
			for q := range after {
				if p != q && tree.SameName(p, q) {
					t.Fatalf("%s came beside %s: %+v", p, q, cs.Changes)
				}
			}
		}
		for p, f := range theirs {
			c, _ := changeOf(cs, p)
			if mode[p] == scaffold.Once {
				continue // may stay where it was before
			}
			stays := slices.ContainsFunc(cs.Changes, func(c drift.Change) bool { return strings.HasPrefix(c.Reason, "moved to "+p+" in") })
			if got, ok := after[p]; (!ok || !got.Equal(f)) && !stays && (c == nil || c.Action == drift.Same) {
				t.Fatalf("%s is not as in the golden path, and nothing says so: %+v", p, cs.Changes)
			}
		}
	})
}
