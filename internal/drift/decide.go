package drift

import (
	"bytes"
	"fmt"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Action is what a sync does with one file.
type Action string

// The actions of a sync. Those from Conflict on leave something undone or
// replace something of the member's, and are always told.
const (
	Same     Action = "same"     // nothing to do
	Create   Action = "create"   // the golden path's new file is written
	Update   Action = "update"   // the golden path's change is taken; the member had none
	Merged   Action = "merge"    // both changed, and both changes are in the result
	Delete   Action = "delete"   // the golden path removed the file; the member had not changed it
	Rename   Action = "rename"   // the golden path moved the file; the member's edits moved along
	Yours    Action = "yours"    // the member's file stays, as it should
	Kept     Action = "kept"     // the member's file stays because .goldenpath.yaml says so
	Replace  Action = "replace"  // a managed file's local edit gives way to the golden path's content
	Conflict Action = "conflict" // both changed the same; the member's stays until somebody decides
)

// Clash is one conflict, as data. For a whole file Line is 0 and the texts are
// the files' contents; a side where the file is missing has nil.
type Clash struct {
	Path               string
	Base, Ours, Theirs []byte
	Line               int // of Ours, from 1
}

// ID identifies the clash by its texts.
func (c Clash) ID() string { return HunkID(c.Base, c.Ours, c.Theirs) }

// Change is what a sync does with one file, and why.
type Change struct {
	Path    string
	From    string // where the file was, if it is renamed
	Action  Action
	Reason  string
	Mode    scaffold.Mode
	Before  *tree.File // the member's file now; nil: there is none
	After   *tree.File // the member's file afterwards; nil: there is none
	Clashes []Clash    // what is not applied (Conflict), or what is replaced (Replace)
	// applied is true where the golden path's file needs no further look: its
	// render becomes the base.
	applied bool
}

// Changes reports whether the sync changes the member's files here.
func (c Change) Changes() bool {
	if c.From != "" {
		return true // the file moves, whatever becomes of its content
	}
	if c.Before == nil || c.After == nil {
		return c.Before != c.After
	}
	return !c.Before.Equal(*c.After)
}

// facts are what a decision about one file rests on. base is nil where there was
// none; baseGone is true where there was one whose content cannot be had.
type facts struct {
	path               string
	mode               scaffold.Mode
	base, ours, theirs *tree.File
	baseGone           bool
	hadBase            bool // there was a base, known even if baseGone
	oursIsBase         bool
	theirsIsBase       bool
	decided            map[string]Side // by HunkID
}

// decide is the table: for each combination of what exists and what changed, one
// outcome with its reason in words. It is total; what cannot be joined is a
// conflict that keeps the member's side.
func (f facts) decide() Change {
	c := Change{Path: f.path, Mode: f.mode, Before: f.ours, After: f.ours}
	switch {
	case f.theirs == nil:
		return f.removed(c)
	case !f.hadBase:
		return f.added(c)
	case f.ours == nil:
		return f.missing(c)
	}
	return f.both(c)
}

// removed: the golden path no longer has the file.
func (f facts) removed(c Change) Change {
	switch {
	case f.ours == nil:
		return c.done(Same, "gone in both")
	case f.mode == scaffold.Once:
		return c.done(Yours, "the golden path no longer has this file, which was yours since creation")
	case f.oursIsBase:
		c.After = nil
		return c.done(Delete, "the golden path no longer has this file, and you had not changed it")
	}
	return f.clash(c, "the golden path no longer has this file, but you changed it; yours stays")
}

// added: the golden path did not have the file before.
func (f facts) added(c Change) Change {
	switch {
	case f.ours == nil:
		c.After = f.theirs
		return c.done(Create, "new in the golden path")
	case f.ours.Equal(*f.theirs):
		return c.done(Same, "you already have this file as the golden path has it")
	case f.mode == scaffold.Once:
		return c.done(Yours, "the golden path writes this file only once, and you already have one")
	case f.mode == scaffold.Block:
		return f.blocks(c)
	}
	return f.clash(c, "new in the golden path, but you already have another file here; yours stays")
}

// missing: both versions of the golden path have the file, the member does not.
func (f facts) missing(c Change) Change {
	unchanged := f.theirsIsBase
	switch {
	case f.mode == scaffold.Managed:
		c.After = f.theirs
		return c.done(Create, "you deleted this file, but it is managed: it is written again")
	case f.mode == scaffold.Once:
		return c.done(Yours, "you deleted this file, which is yours since creation")
	case unchanged:
		return c.done(Yours, "you deleted this file; it stays deleted")
	}
	return f.clash(c, "the golden path changed this file, but you deleted it; it stays deleted")
}

// both: everybody has the file.
func (f facts) both(c Change) Change {
	switch {
	case f.mode == scaffold.Once:
		return c.done(Yours, "written once, at creation")
	case f.ours.Equal(*f.theirs):
		return c.done(Same, "you have it as the golden path has it")
	case f.oursIsBase:
		c.After = f.theirs
		return c.done(Update, "changed in the golden path only")
	case f.mode == scaffold.Managed:
		c.After = f.theirs
		c.Clashes = []Clash{{Path: f.path, Base: contents(f.base), Ours: f.ours.Data, Theirs: f.theirs.Data}}
		return c.done(Replace, "you changed this file, but it is managed: the golden path's content replaces yours, which stays in the history")
	case f.mode == scaffold.Block:
		return f.blocks(c)
	case f.theirsIsBase:
		return c.done(Yours, "changed by you only")
	}
	return f.merge(c)
}

// merge joins two files that both changed since the base.
func (f facts) merge(c Change) Change {
	switch {
	case f.baseGone:
		return f.clash(c, "both changed, and the version that you started from cannot be rendered or found any more; yours stays")
	case f.ours.Kind.IsLink() || f.theirs.Kind.IsLink() || f.base.Kind.IsLink():
		return f.clash(c, "both changed, and one is a symbolic link; yours stays")
	}
	kind := f.mergedKind()
	if bytes.Equal(f.ours.Data, f.theirs.Data) || bytes.Equal(f.base.Data, f.theirs.Data) || bytes.Equal(f.base.Data, f.ours.Data) {
		data := f.ours.Data
		if bytes.Equal(f.base.Data, f.ours.Data) {
			data = f.theirs.Data
		}
		c.After = &tree.File{Kind: kind, Data: data}
		return c.done(Merged, "one changed the content, the other whether it can be executed")
	}
	if f.ours.IsBinary() || f.theirs.IsBinary() || f.base.IsBinary() {
		return f.clash(c, "both changed this binary file; yours stays")
	}
	return f.mergeText(c, kind)
}

func (f facts) mergeText(c Change, kind tree.Kind) Change {
	took := 0
	r := textmerge.MergeWith(f.base.Data, f.ours.Data, f.theirs.Data, func(h textmerge.Hunk) ([]byte, bool) {
		side, ok := f.decided[HunkID(h.Base, h.Ours, h.Theirs)]
		if ok {
			took++
		}
		if side == Theirs {
			return h.Theirs, ok
		}
		return h.Ours, ok
	})
	c.After = &tree.File{Kind: kind, Data: r.Merged}
	for _, h := range r.Conflicts {
		c.Clashes = append(c.Clashes, Clash{Path: f.path, Base: h.Base, Ours: h.Ours, Theirs: h.Theirs, Line: h.OursLine})
	}
	switch n := len(r.Conflicts); {
	case n > 0:
		c.Action = Conflict
		c.Reason = fmt.Sprintf("both changed the same lines in %s; yours stay there, the rest is merged", places(n))
		return c
	case took > 0:
		return c.done(Merged, fmt.Sprintf("both changed; %s as decided before", places(took)))
	}
	return c.done(Merged, "both changed different lines; both changes are kept")
}

func places(n int) string {
	if n == 1 {
		return "one place"
	}
	return fmt.Sprintf("%d places", n)
}

// mergedKind merges the executable bit. With only two kinds left, a side that
// changed it decides.
func (f facts) mergedKind() tree.Kind {
	if f.ours.Kind == f.base.Kind {
		return f.theirs.Kind
	}
	return f.ours.Kind
}

// clash reports a conflict about the file as a whole, unless somebody decided it
// before.
func (f facts) clash(c Change, reason string) Change {
	clash := Clash{Path: f.path, Base: contents(f.base), Ours: contents(f.ours), Theirs: contents(f.theirs)}
	switch f.decided[clash.ID()] {
	case Ours:
		return c.done(Yours, "yours, as decided before")
	case Theirs:
		c.After = f.theirs
		return c.done(Update, "the golden path's, as decided before")
	}
	c.Action, c.Reason, c.Clashes = Conflict, reason, []Clash{clash}
	return c
}

func contents(f *tree.File) []byte {
	if f == nil {
		return nil
	}
	return f.Data
}

func (c Change) done(a Action, reason string) Change {
	c.Action, c.Reason, c.applied = a, reason, true
	return c
}
