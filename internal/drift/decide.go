package drift

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/merge"
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
	// Elsewhere is a file that is not written because another golden path has one there,
	// or takes this one over.
	Elsewhere Action = "elsewhere"
)

// Clash is one conflict, as data. For a whole file Line is 0 and the texts are
// the files' contents; a side where the file is missing has nil.
type Clash struct {
	Path               string
	Base, Ours, Theirs []byte
	Line               int // of Ours, from 1
	// Tier says how sure the merge is of Proposal, by Resolver, for Reason. Without
	// a proposal it is [merge.Conflict], except where it is suggested that the file
	// goes.
	Tier     merge.Tier
	Resolver string
	Reason   string
	Proposal []byte
}

// ID identifies the clash by its texts.
func (c Clash) ID() string { return HunkID(c.Base, c.Ours, c.Theirs) }

// Change is what a sync does with one file, and why.
type Change struct {
	Path   string
	From   string // where the file was, if it is renamed
	Action Action
	Reason string
	Mode   scaffold.Mode
	Before *tree.File // the member's file now; nil: there is none
	After  *tree.File // the member's file afterwards; nil: there is none
	// Clashes are what is not applied (Conflict), what is replaced (Replace), or the
	// versions of a file about which a policy decided.
	Clashes []Clash
	// Policy is what decided, where changes of both sides met that cannot be joined:
	// "onDelete: follow". Such a change is told even where it does nothing.
	Policy string
	// For is the golden path that is going to take the file over.
	For string
	// Run is the command that people have to run for the file to be up to date.
	Run string
	// Hunks are the places that both sides changed, from top to bottom, those that
	// were merged included: each with its tier, who decided it, and why.
	Hunks []merge.Hunk
	// applied is true where the golden path's file needs no further look: its
	// render becomes the base.
	applied bool
	at, to  string // where the old lock has the file, and where the golden path has it now
	goes    bool   // a migration says that the file goes
}

// New is where the golden path has the file now: for one that is kept where it was
// another path than its own.
func (c Change) New() string { return cmp.Or(c.to, c.Path) }

// Places are the places that both sides changed, from top to bottom, whoever decided
// them. One with line 0 is the file as a whole.
func (c Change) Places() []merge.Hunk {
	if len(c.Hunks) > 0 {
		return c.Hunks
	}
	var all []merge.Hunk
	for _, clash := range c.Clashes {
		all = append(all, merge.Hunk{
			Base: clash.Base, Ours: clash.Ours, Theirs: clash.Theirs, OursLine: clash.Line,
			Tier: clash.Tier, Resolver: clash.Resolver, Reason: clash.Reason, Proposal: clash.Proposal,
			Applied: c.Action != Conflict,
		})
	}
	return all
}

// Suggests reports whether something is suggested for what the change leaves open.
func (c Change) Suggests() bool {
	return c.Action == Conflict && slices.ContainsFunc(c.Clashes, func(clash Clash) bool { return clash.Tier == merge.Suggested })
}

// Told reports whether people are told of the change: it does something, leaves
// something open, or somebody decided between what both sides wrote, even where the
// member's file stays as it is.
func (c Change) Told() bool {
	switch {
	case c.Changes(), c.Action == Conflict, c.Action == Kept, c.Action == Elsewhere, c.Policy != "":
		return true
	}
	return slices.ContainsFunc(c.Hunks, func(h merge.Hunk) bool { return h.Resolver != merge.Decided })
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
	partly             bool                // the base's file is not all of what the lock names: it has holes
	deleted            bool                // a migration says that the file goes
	decided            map[string]decision // by HunkID
	policies           Policies
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
	case !f.hadBase:
		return c.done(Yours, "the golden path no longer has this file; the one here was always yours")
	case f.mode == scaffold.Once && !f.deleted:
		return c.done(Yours, "the golden path no longer has this file, which was yours since creation")
	case f.oursIsBase:
		c.After = nil
		return c.done(Delete, "the golden path no longer has this file, and you had not changed it")
	}
	return f.removedEdited(c)
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
	case f.mode == scaffold.Managed:
		return f.clash(c, "new in the golden path, but you already have another file here; yours stays")
	}
	if c, ok := f.cared(c); ok {
		return c
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
	return f.deletedChanged(c)
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
	case f.theirsIsBase && !f.partly:
		return c.done(Yours, "changed by you only")
	}
	return f.merge(c)
}

// merge joins two files that both changed since the base.
func (f facts) merge(c Change) Change {
	if c, ok := f.cared(c); ok {
		return c
	}
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

// mergeText merges what is in the files, and tells of every place that both
// changed.
func (f facts) mergeText(c Change, kind tree.Kind) Change {
	r := f.merged()
	c.After = &tree.File{Kind: kind, Data: r.Text}
	c.Hunks = r.Hunks
	for _, h := range r.Hunks {
		if h.Applied {
			continue
		}
		c.Clashes = append(c.Clashes, Clash{
			Path: f.path, Base: h.Base, Ours: h.Ours, Theirs: h.Theirs, Line: h.OursLine,
			Tier: h.Tier, Resolver: h.Resolver, Reason: h.Reason, Proposal: h.Proposal,
		})
	}
	if len(c.Clashes) == 1 && c.Clashes[0].Line == 0 {
		return f.clashOf(c, c.Clashes[0])
	}
	if len(c.Clashes) > 0 {
		c.Action, c.Reason = Conflict, openReason(len(c.Clashes))
		return c
	}
	return c.done(Merged, mergedReason(r.Hunks))
}

// openReason says how much is open, and not for how much something is suggested: that
// may change while nothing else does, and every place tells it for itself.
func openReason(open int) string {
	return fmt.Sprintf("both changed the same lines in %s; yours stay there, the rest is merged", places(open))
}

// mergedReason says who decided the places that both sides changed.
func mergedReason(hunks []merge.Hunk) string {
	if len(hunks) == 0 {
		return "both changed different lines; both changes are kept"
	}
	var parts []string
	for _, h := range hunks {
		part := h.Reason
		if h.Resolver == merge.Decided {
			part = "as decided before"
		}
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(hunks) == 1 || len(parts) == 1 {
		return fmt.Sprintf("both changed; in %s: %s", places(len(hunks)), parts[0])
	}
	return fmt.Sprintf("both changed; in %s: %s", places(len(hunks)), strings.Join(parts, "; "))
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
	return f.clashOf(c, f.whole(merge.Conflict, reason))
}

func (f facts) clashOf(c Change, clash Clash) Change {
	hunks := c.Hunks
	c.Hunks = nil
	take := f.decided[f.wholeID()].take
	if take == Suggested && clash.Resolver == removal {
		take = Theirs
	}
	switch {
	case take == Ours:
		c.Clashes = nil
		return c.done(Yours, "yours, as decided before")
	case take == Theirs && f.theirs == nil:
		c.After, c.Clashes = nil, nil
		return c.done(Delete, "removed as in the golden path, as decided before")
	case take == Theirs:
		c.After, c.Clashes = f.theirs, nil
		return c.done(Update, "the golden path's, as decided before")
	case take == Suggested && clash.Proposal != nil:
		c.After, c.Clashes = &tree.File{Kind: f.mergedKind(), Data: clash.Proposal}, nil
		return c.done(Merged, clash.Reason+"; taken before")
	}
	c.Action, c.Reason, c.Clashes, c.Hunks = Conflict, clash.Reason, []Clash{clash}, hunks
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
