package drift

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Where the golden path turns a folder into a file or a link, or a file into a
// folder, or where the member has the one and the golden path the other, something is
// in the way of a file. It goes if it is nothing but the golden path's own files,
// which the same sync deletes or moves. Else it is the member's: the golden path's
// file is not written, and that is a conflict like any other. So is what has another
// name, but one that some file system takes for the same: a checkout there would have
// one file write over the other.

// onlyFiles leaves out what is no file.
func onlyFiles(ours tree.Tree) tree.Tree {
	for _, f := range ours {
		if !f.Kind.IsFile() {
			files := ours.Clone()
			maps.DeleteFunc(files, func(_ string, f tree.File) bool { return !f.Kind.IsFile() })
			return files
		}
	}
	return ours
}

// InTheWay says what keeps a file from being written at a path of the member, in
// words, or "". Ours holds what stands there and on the way to it; what is in gone
// goes.
func InTheWay(ours tree.Tree, at string, gone map[string]bool) string {
	return (&ground{Tree: ours}).inTheWay(at, gone)
}

// ground is what the member has.
type ground struct {
	tree.Tree
	twins map[string][]string // paths by what some file system takes for one; nil until needed
}

func (g *ground) inTheWay(at string, gone map[string]bool) string {
	if what := inTheWay(g.Tree, at, gone); what != "" {
		return what
	}
	if f, there := g.Tree[at]; there && f.Kind.IsFile() && !gone[at] {
		return "" // both have been there for long
	}
	if twin := g.twin(at, gone); twin != "" {
		return fmt.Sprintf("your %s has the same name where letter case does not count, as on macOS and Windows, and only one of the two could be there", twin)
	}
	return ""
}

// twin returns what stays of the member's that some file system takes for a path, or in
// the place of a folder on the way to it.
func (g *ground) twin(at string, gone map[string]bool) string {
	if g.twins == nil {
		g.twins = map[string][]string{}
		for _, p := range g.Paths() {
			same := tree.Folded(p)
			g.twins[same] = append(g.twins[same], p)
		}
	}
	for p := at; p != "."; p = path.Dir(p) {
		for _, twin := range g.twins[tree.Folded(p)] {
			if twin == p || gone[twin] || g.Tree[twin].Kind == tree.Folder && (p != at || inTheWay(g.Tree, twin, gone) == "") {
				continue
			}
			return twin
		}
	}
	return ""
}

func inTheWay(ours tree.Tree, at string, gone map[string]bool) string {
	for up := path.Dir(at); up != "."; up = path.Dir(up) {
		if f, ok := ours[up]; ok && f.Kind != tree.Folder && !gone[up] {
			return fmt.Sprintf("your %s is a %s, not a folder", up, f.Kind)
		}
	}
	f, ok := ours[at]
	switch {
	case !ok || f.Kind.IsFile():
		return ""
	case f.Kind != tree.Folder:
		return fmt.Sprintf("you have a %s", f.Kind)
	}
	var stay []string
	for _, name := range f.Names() {
		if !gone[path.Join(at, name)] {
			stay = append(stay, name)
		}
	}
	if len(stay) == 0 {
		return ""
	}
	return "you have a folder with " + some(stay)
}

// some names a few of the files of a folder.
func some(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ") + " in it"
	}
	return fmt.Sprintf("%s and %d more in it", strings.Join(names[:most], ", "), len(names)-most)
}

// unobstructed makes a conflict of every change that would write where something of
// the member's is in the way. Each may leave a file in its place that was to go, so
// it looks again until nothing changes any more.
func (r Request) unobstructed(cs []Change) []Change {
	moved, standing := false, ground{Tree: r.Ours}
	for again := true; again; {
		again = false
		gone := goneBy(cs)
		for i, c := range cs {
			if c.After == nil || !c.Changes() {
				continue
			}
			if what := standing.obstacle(c, gone); what != "" {
				cs[i], again = obstructed(c, what), true
				moved = moved || c.From != ""
			}
		}
	}
	cs = oneEach(cs)
	r.sayWhat(cs)
	if moved { // what stays where it was has its old path
		slices.SortStableFunc(cs, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	}
	return cs
}

// obstacle says what keeps a change from being carried out, or "": also a file that
// was to leave its path to another one, and stays.
func (g *ground) obstacle(c Change, gone map[string]bool) string {
	if c.From == "" && c.Before != nil {
		return inTheWay(g.Tree, c.Path, gone) // it is there
	}
	if what := g.inTheWay(c.Path, gone); what != "" {
		return what
	}
	if f, there := g.Tree[c.Path]; there && f.Kind.IsFile() && !gone[c.Path] {
		return fmt.Sprintf("your own %s stays", c.Path)
	}
	return ""
}

// oneEach leaves out the golden path's new file at a path from which another one could
// not be moved, and tells of it with that one.
func oneEach(cs []Change) []Change {
	if !slices.ContainsFunc(cs, func(c Change) bool { return c.at == "" }) {
		return cs
	}
	stuck, also := map[string]bool{}, map[string]bool{}
	for _, c := range cs {
		stuck[c.Path] = stuck[c.Path] || c.Action == Conflict && c.at == c.Path
		also[c.Path] = also[c.Path] || c.at == ""
	}
	var each []Change
	for _, c := range cs {
		switch both := stuck[c.Path] && also[c.Path]; {
		case both && c.at == "":
			continue
		case both:
			c.Reason += "; the golden path has another file here now"
		}
		each = append(each, c)
	}
	return each
}

// sayWhat adds what is in the way to conflicts about files that the member deleted:
// it may be why they are gone.
func (r Request) sayWhat(cs []Change) {
	for i, c := range cs {
		if c.Action != Conflict || c.Before != nil {
			continue
		}
		if what := InTheWay(r.Ours, c.Path, nil); !strings.Contains(c.Reason, what) {
			cs[i].Reason += "; " + what
		}
	}
}

// goneBy returns the paths at which nothing is left after the changes.
func goneBy(cs []Change) map[string]bool {
	gone := map[string]bool{}
	for _, c := range cs {
		switch {
		case c.Before == nil:
		case c.From != "":
			gone[c.From] = true
		case c.After == nil:
			gone[c.Path] = true
		}
	}
	return gone
}

// obstructed is a change that cannot be carried out. A file that was to move stays
// where it is, and so does its entry in the lock.
func obstructed(c Change, what string) Change {
	clash := Clash{Path: c.Path, Theirs: contents(c.After), Tier: merge.Conflict}
	reason := fmt.Sprintf("the golden path has a file here, but %s; yours stays", what)
	if c.From != "" && c.Before != nil {
		reason = fmt.Sprintf("moved to %s in the golden path, but there %s; yours stays where it is", c.Path, what)
		c.Path, c.From = c.From, ""
		c.to = c.at
		clash.Path, clash.Ours = c.Path, contents(c.Before)
	}
	clash.Reason = reason
	return Change{Path: c.Path, Mode: c.Mode, Action: Conflict, Reason: reason, Before: c.Before, After: c.Before, Clashes: []Clash{clash}, at: c.at, to: c.to}
}
