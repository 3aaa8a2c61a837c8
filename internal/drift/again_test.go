package drift_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// life is a member over several versions of one golden path: what a person does in
// between must still be there after the next sync.
type life struct {
	*testing.T
	lock     *drift.Section
	files    tree.Tree
	versions map[string]tree.Tree // by version
	modes    map[string]map[string]scaffold.Mode
	version  string
	last     drift.ChangeSet
	// forgets is true where the source keeps no history.
	forgets bool
}

func newLife(t *testing.T, first tree.Tree, modes map[string]scaffold.Mode) *life {
	l := &life{T: t, versions: map[string]tree.Tree{}, modes: map[string]map[string]scaffold.Mode{}, files: tree.Tree{}}
	l.sync("1", first, modes, nil)
	return l
}

// sync brings the member to a version with these files. more changes the request.
func (l *life) sync(version string, files tree.Tree, modes map[string]scaffold.Mode, more func(*drift.Request)) map[string]drift.Change {
	l.Helper()
	l.versions[version], l.modes[version], l.version = files, modes, version
	r := drift.Request{Locked: l.lock, To: drift.Revision{Version: version, Commit: "c" + version}, Theirs: rendering(files, modes), Ours: l.files, Base: l.base}
	if l.forgets {
		r.To.Commit = ""
	}
	if more != nil {
		more(&r)
	}
	l.last = drift.Plan(r)
	l.files, l.lock = apply(l.files, l.last.Writes()), l.last.Lock
	data, err := (&drift.Lock{GoldenPaths: map[string]*drift.Section{"gp": l.lock}}).Format()
	if err != nil {
		l.Fatal(err)
	}
	read, err := drift.ParseLock(data)
	if err != nil {
		l.Fatal(err)
	}
	l.lock = read.GoldenPaths["gp"]
	changes := map[string]drift.Change{}
	for _, c := range l.last.Changes {
		changes[c.Path] = c
	}
	return changes
}

// base renders the version that the lock names, as a source with a history does.
func (l *life) base(path string, f drift.LockedFile) (tree.File, bool) {
	if l.forgets {
		return tree.File{}, false
	}
	revision := l.lock.Revision
	if f.Earlier != "" {
		revision = l.lock.Earlier[f.Earlier]
	}
	for _, file := range l.versions[revision.Version] {
		if file.Blob() == f.Blob {
			return file, true
		}
	}
	return tree.File{}, false
}

func (l *life) resolve(path string, take drift.Side) {
	l.Helper()
	r := drift.Resolving{Locked: l.lock, Path: path, Theirs: rendering(l.versions[l.version], l.modes[l.version]), Base: l.base}
	if f, ok := l.files[path]; ok {
		r.Ours = &f
	}
	got, err := r.Resolve(take)
	if err != nil {
		l.Fatal(err)
	}
	l.lock = got.Section
	l.files = apply(l.files, map[string]*tree.File{path: got.After})
}

// edit changes words of the member's file.
func (l *life) edit(path string, oldnew ...string) {
	l.Helper()
	before := string(l.files[path].Data)
	after := strings.NewReplacer(oldnew...).Replace(before)
	if before == after {
		l.Fatalf("%s has none of %q", path, oldnew)
	}
	l.files[path] = tree.Text(after)
}

func (l *life) is(path, want string) {
	l.Helper()
	f, ok := l.files[path]
	switch {
	case want == "" && ok:
		l.Errorf("%s is there: %q", path, f.Data)
	case want != "" && string(f.Data) != want:
		l.Errorf("%s is %q, want %q", path, f.Data, want)
	}
}

func (l *life) told(changes map[string]drift.Change, path string, a drift.Action) {
	l.Helper()
	if got := changes[path].Action; got != a {
		l.Errorf("%s: %q (%s), want %q", path, got, changes[path].Reason, a)
	}
}

func file(text string) tree.Tree { return tree.Tree{"f": tree.Text(text)} }

const (
	seven = "1\n2\n3\n4\n5\n6\n7\n"
	both2 = "1\nB2\n3\n4\n5\nB6\n7\n" // changes two places
	both3 = "1\nC2\n3\n4\n5\nC6\n7\n" // changes both again
)

// What a person took out again while a conflict is open stays out, and the next
// version asks about no more than what conflicts.
func TestAppliedPartsAreTheBaseOfWhatFollows(t *testing.T) {
	l := newLife(t, file(seven), nil)
	l.edit("f", "2", "mine")
	l.told(l.sync("2", file(both2), nil, nil), "f", drift.Conflict)
	l.is("f", "1\nmine\n3\n4\n5\nB6\n7\n")
	l.edit("f", "B6", "6")
	changes := l.sync("2", file(both2), nil, nil)
	l.told(changes, "f", drift.Conflict)
	l.is("f", "1\nmine\n3\n4\n5\n6\n7\n")

	l = newLife(t, file(seven), nil)
	l.edit("f", "2", "mine")
	l.sync("2", file(both2), nil, nil)
	changes = l.sync("3", file(both3), nil, nil)
	l.is("f", "1\nmine\n3\n4\n5\nC6\n7\n")
	if n := len(changes["f"].Clashes); n != 1 {
		t.Errorf("%d conflicts, want the one", n)
	}
	if c := changes["f"].Clashes[0]; string(c.Base) != "2\n" || string(c.Theirs) != "C2\n" {
		t.Errorf("the conflict is between %q and %q since %q", c.Ours, c.Theirs, c.Base)
	}
	l.resolve("f", drift.Theirs)
	l.is("f", both3)
	if got := l.sync("3", file(both3), nil, nil)["f"].Action; got != drift.Same {
		t.Errorf("after the decision: %s", got)
	}
}

// To take one's own side leaves the file as it is.
func TestTakingOursChangesNothing(t *testing.T) {
	l := newLife(t, file(seven), nil)
	l.edit("f", "2", "mine")
	l.sync("2", file(both2), nil, nil)
	l.edit("f", "B6", "6", "mine", "2")
	l.resolve("f", drift.Ours)
	l.is("f", seven)
	l.told(l.sync("2", file(both2), nil, nil), "f", drift.Yours)
	l.is("f", seven)
}

func TestMovesKeepWhatWasDecidedBefore(t *testing.T) {
	old, moved := tree.Tree{"old": tree.Text(seven)}, tree.Tree{"new": tree.Text(both2)}
	renames := func(r *drift.Request) { r.Renames = map[string]string{"old": "new"} }
	t.Run("kept", func(t *testing.T) {
		l := newLife(t, old, nil)
		l.edit("old", "2", "mine")
		kept := func(r *drift.Request) {
			renames(r)
			r.Keeps = []drift.Keep{{Path: "old", Reason: "ours"}}
		}
		for range 2 {
			l.told(l.sync("2", moved, nil, kept), "old", drift.Kept)
			l.is("old", "1\nmine\n3\n4\n5\n6\n7\n")
			l.is("new", "")
		}
		// When the keep ends, the edits move along.
		l.told(l.sync("2", moved, nil, renames), "new", drift.Conflict)
		l.is("new", "1\nmine\n3\n4\n5\nB6\n7\n")
		l.is("old", "")
	})
	t.Run("deleted", func(t *testing.T) {
		l := newLife(t, old, nil)
		delete(l.files, "old")
		for range 2 {
			l.sync("2", moved, nil, renames)
			l.is("new", "")
		}
	})
	t.Run("once", func(t *testing.T) {
		modes := map[string]scaffold.Mode{"old": scaffold.Once, "new": scaffold.Once}
		l := newLife(t, old, modes)
		l.edit("old", "2", "mine")
		for range 2 {
			l.sync("2", moved, modes, renames)
			l.is("old", "1\nmine\n3\n4\n5\n6\n7\n")
			l.is("new", "")
		}
	})
	t.Run("never the golden path's", func(t *testing.T) {
		l := newLife(t, tree.Tree{}, nil)
		l.files["old"] = tree.Text("my own notes\n")
		l.told(l.sync("2", old, nil, nil), "old", drift.Conflict)
		for range 2 {
			l.sync("3", moved, nil, renames)
			l.is("old", "my own notes\n")
			l.is("new", both2)
		}
	})
}

// A file that was the member's since creation, and is not any more, is merged from
// what the member was given then.
func TestOnceNoMore(t *testing.T) {
	once := map[string]scaffold.Mode{"f": scaffold.Once}
	l := newLife(t, file(seven), once)
	l.sync("2", file(both2), once, nil)
	l.is("f", seven)
	l.told(l.sync("3", file(both3), nil, nil), "f", drift.Update)
	l.is("f", both3)

	l = newLife(t, file(seven), once)
	l.sync("2", file(both2), once, nil)
	goes := func(r *drift.Request) { r.Deletes = []string{"f"} }
	l.told(l.sync("3", tree.Tree{}, nil, goes), "f", drift.Delete)
	l.is("f", "")

	l = newLife(t, file(seven), once)
	l.edit("f", "7", "seven")
	l.told(l.sync("2", tree.Tree{}, nil, goes), "f", drift.Conflict)
	l.is("f", "1\n2\n3\n4\n5\n6\nseven\n")
	// Nobody decided, so it is asked again, though no migration is crossed any more.
	l.told(l.sync("2", tree.Tree{}, nil, nil), "f", drift.Conflict)
	l.resolve("f", drift.Ours)
	if len(l.sync("2", tree.Tree{}, nil, nil)) > 0 {
		t.Errorf("asked again after the decision: %+v", l.last.Changes)
	}

	// Moved without a word of it, with the same text.
	l = newLife(t, tree.Tree{"old": tree.Text(seven)}, map[string]scaffold.Mode{"old": scaffold.Once})
	l.edit("old", "7", "seven")
	for range 2 {
		l.sync("2", tree.Tree{"new": tree.Text(seven)}, map[string]scaffold.Mode{"new": scaffold.Once}, nil)
		l.is("new", "")
	}
}

// A file of the mode block in which nothing is marked is as any other.
func TestBlockWithoutBlocks(t *testing.T) {
	modes := map[string]scaffold.Mode{"f": scaffold.Block}
	l := newLife(t, file(seven), modes)
	l.edit("f", "4", "mine")
	l.told(l.sync("2", file(both2), modes, nil), "f", drift.Merged)
	l.is("f", "1\nB2\n3\nmine\n5\nB6\n7\n")
}

// What was decided between two changes is told, also where the member's file stays.
func TestDecidedPlacesAreTold(t *testing.T) {
	l := newLife(t, tree.Tree{"CHANGELOG.md": tree.Text(seven)}, nil)
	l.edit("CHANGELOG.md", "2", "mine")
	c := l.sync("2", tree.Tree{"CHANGELOG.md": tree.Text(strings.Replace(seven, "2", "theirs", 1))}, nil, nil)["CHANGELOG.md"]
	if c.Changes() || !c.Told() || len(c.Hunks) != 1 {
		t.Errorf("not told: %+v", c)
	}
}

// A source without a history gives no old version again: what the member's file began
// from is in the lock.
func TestSourceWithoutHistory(t *testing.T) {
	l := &life{T: t, versions: map[string]tree.Tree{}, modes: map[string]map[string]scaffold.Mode{}, files: tree.Tree{}, forgets: true}
	l.sync("1", file(seven), nil, nil)
	l.files["f"] = tree.Text(seven)
	// The first base is the member's own first commit; here it is given.
	first := func(r *drift.Request) {
		r.Base = func(string, drift.LockedFile) (tree.File, bool) { return tree.Text(seven), true }
	}
	l.edit("f", "4", "mine")
	l.told(l.sync("2", file(both2), nil, first), "f", drift.Merged)
	l.told(l.sync("3", file(both3), nil, nil), "f", drift.Merged)
	l.is("f", "1\nC2\n3\nmine\n5\nC6\n7\n")
}

// Two golden paths want different files in one place: it is told, and nothing of
// either is lost.
func TestAnotherGoldenPathsFile(t *testing.T) {
	l := newLife(t, tree.Tree{}, nil)
	l.files["f"] = tree.Text("the other's\n")
	owned := func(r *drift.Request) { r.Owned = map[string]string{"f": "other"} }
	for range 2 {
		l.told(l.sync("2", file(seven), nil, owned), "f", drift.Elsewhere)
		l.is("f", "the other's\n")
	}
	l.told(l.sync("2", file(seven), nil, nil), "f", drift.Conflict) // the other one left
	l.is("f", "the other's\n")
}

// A file that another golden path hands over is merged from what that one gave, also
// where that comes later.
func TestHandedOver(t *testing.T) {
	l := newLife(t, tree.Tree{}, nil)
	l.files["f"] = tree.Text(strings.Replace(seven, "4", "mine", 1))
	old := tree.Text(seven)
	entry := drift.LockedFile{Mode: scaffold.Merge, Kind: tree.Regular, Blob: old.Blob()}
	handed := func(r *drift.Request) {
		r.Handed = map[string]drift.Handed{"f": {GoldenPath: "other", File: entry}}
		r.Base = func(string, drift.LockedFile) (tree.File, bool) { return old, true }
	}
	kept := func(r *drift.Request) {
		handed(r)
		r.Keeps = []drift.Keep{{Path: "f", Reason: "so"}}
	}
	l.told(l.sync("2", file(both2), nil, kept), "f", drift.Kept)
	l.is("f", "1\n2\n3\nmine\n5\n6\n7\n")
	// Nobody hands it over any more, and what it began from is known.
	l.told(l.sync("2", file(both2), nil, nil), "f", drift.Merged)
	l.is("f", "1\nB2\n3\nmine\n5\nB6\n7\n")

	// The one that hands it over lets it lie until it is taken, and remembers it.
	l = newLife(t, file(seven), nil)
	waits := func(r *drift.Request) { r.Waits = map[string]drift.Taker{"f": {GoldenPath: "other", Path: "f"}} }
	for range 2 {
		l.told(l.sync("2", tree.Tree{}, nil, waits), "f", drift.Elsewhere)
		l.is("f", seven)
		if _, has := l.lock.Files["f"]; !has {
			t.Error("the lock forgot the file")
		}
	}
	taken := func(r *drift.Request) { r.Owned = map[string]string{"f": "other"} }
	l.sync("2", tree.Tree{"g": tree.Text(seven)}, nil, taken) // which is no move of f
	l.is("f", seven)
	if _, has := l.lock.Files["f"]; has {
		t.Error("the lock still has the file")
	}
}

// A block that the member took out stays out, and is no drift; one that the member
// changed and the golden path gave up stays, and is named.
func TestBlocksThatGo(t *testing.T) {
	const a, b = "# goldenpath:begin a\n1\n# goldenpath:end a\n", "# goldenpath:begin b\n2\n# goldenpath:end b\n"
	modes := map[string]scaffold.Mode{"f": scaffold.Block}
	l := newLife(t, file(a+b), modes)
	l.files["f"] = tree.Text(b + "own\n")
	l.sync("1", file(a+b), modes, nil)
	l.is("f", b+"own\n")
	if got := drift.Status(l.lock, l.files, l.base)[0].State; got != drift.Edited {
		t.Errorf("the state is %s", got)
	}
	l.edit("f", "2", "mine")
	c := l.sync("2", file(a), modes, nil)["f"]
	l.is("f", strings.Replace(b, "2", "mine", 1)+"own\n")
	if c.Policy == "" || !strings.Contains(c.Reason, "no longer has the blocks b, which you changed") {
		t.Errorf("told: %s (%s)", c.Reason, c.Policy)
	}
}

// Over any number of versions and edits every line that a person wrote stays, in its
// order, and a second sync of the same version changes nothing.
func TestLives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(3, 12).Draw(rt, "lines")
		golden := make([]string, n)
		for i := range golden {
			golden[i] = fmt.Sprintf("g%d", i)
		}
		text := func() tree.Tree { return file(strings.Join(golden, "\n") + "\n") }
		l := newLife(t, text(), nil)
		wrote := 0
		for v := range rapid.IntRange(1, 4).Draw(rt, "versions") {
			mine := strings.Split(strings.TrimSuffix(string(l.files["f"].Data), "\n"), "\n")
			for range rapid.IntRange(0, 3).Draw(rt, "edits") {
				at := rapid.IntRange(0, len(mine)-1).Draw(rt, "at")
				wrote++
				switch rapid.IntRange(0, 2).Draw(rt, "edit") {
				case 0:
					mine[at] = fmt.Sprintf("p%d", wrote)
				case 1:
					mine = slices.Insert(mine, at, fmt.Sprintf("p%d", wrote))
				default:
					if len(mine) > 1 && !strings.HasPrefix(mine[at], "p") {
						mine = slices.Delete(mine, at, at+1)
					}
				}
			}
			l.files["f"] = tree.Text(strings.Join(mine, "\n") + "\n")
			for range rapid.IntRange(0, 3).Draw(rt, "changes") {
				golden[rapid.IntRange(0, n-1).Draw(rt, "line")] = fmt.Sprintf("g%d.%d", v, rapid.IntRange(0, 9).Draw(rt, "text"))
			}
			before := people(l.files["f"])
			l.sync(fmt.Sprint("v", v), text(), nil, nil)
			if after := people(l.files["f"]); !slices.Equal(before, after) {
				rt.Fatalf("a person's lines were %v, and are %v", before, after)
			}
			once := l.files["f"]
			l.sync(fmt.Sprint("v", v), text(), nil, nil)
			if !l.files["f"].Equal(once) {
				rt.Fatalf("a second sync makes\n%s\nof\n%s", l.files["f"].Data, once.Data)
			}
			if open := slices.ContainsFunc(l.last.Changes, func(c drift.Change) bool { return c.Action == drift.Conflict }); open && rapid.Bool().Draw(rt, "decide") {
				l.resolve("f", drift.Ours)
				if !l.files["f"].Equal(once) {
					rt.Fatalf("to take ours makes\n%s\nof\n%s", l.files["f"].Data, once.Data)
				}
			}
		}
	})
}

func people(f tree.File) []string {
	var all []string
	for line := range strings.Lines(string(f.Data)) {
		if strings.HasPrefix(line, "p") {
			all = append(all, line)
		}
	}
	return all
}
