package drift

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/nearest"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Resolving is a file whose conflicts are to be decided.
type Resolving struct {
	// Locked is the golden path's section of the member's lock, Theirs what its own
	// revision renders, Ours the member's file (nil: there is none), Base as in
	// [Request].
	Locked   *Section
	Path     string
	Ours     *tree.File
	Theirs   scaffold.Rendering
	Base     func(string, LockedFile) (tree.File, bool)
	Policies Policies // as the member was planned with
}

// Resolved is what a decision about a file comes to.
type Resolved struct {
	After *tree.File // the file to write; nil: none
	// Section has the decision in it. Where nothing is left open the golden path's file
	// becomes the base, so that the same conflict does not come back.
	Section *Section
	// Open is how many conflicts of the file are still to be decided.
	Open    int
	Choices []Choice
}

// Resolve decides every conflict of one file for one side. Suggested takes what is
// suggested, and leaves open the conflicts without a suggestion; it is an error
// where there is none.
func (r Resolving) Resolve(take Side) (*Resolved, error) {
	l, ok := r.Locked.Files[r.Path]
	if !ok || !l.Open {
		return nil, notOpen(r.Locked, r.Path)
	}
	f := r.facts(l)
	c := f.decide()
	suggested := 0
	for _, clash := range c.Clashes {
		if clash.Tier == merge.Suggested {
			suggested++
		}
	}
	if take == Suggested && suggested == 0 {
		return nil, nothingSuggested(c)
	}
	next := &Section{Revision: r.Locked.Revision, Files: maps.Clone(r.Locked.Files), Decisions: slices.Clone(r.Locked.Decisions)}
	out := &Resolved{After: f.taken(c, take), Section: next, Choices: choices(c, take)}
	entry, inTheirs := r.entry(out.After)
	if take == Suggested && suggested < len(c.Clashes) {
		out.Open = len(c.Clashes) - suggested
		if entry.Holes, ok = f.holesLeft(c, out.After); !ok {
			return nil, fmt.Errorf("what is suggested for %s cannot be taken without deciding the rest of it, which is too close to it; take ours or theirs, or edit the file", r.Path)
		}
		entry.Open = true
	}
	about := c.Clashes
	if take == Suggested {
		about = slices.DeleteFunc(slices.Clone(about), func(clash Clash) bool { return clash.Tier != merge.Suggested })
	}
	next.decide(r.Path, f.of(), take, about)
	if inTheirs {
		next.Files[r.Path] = entry
	} else {
		delete(next.Files, r.Path)
		next.Decisions = slices.DeleteFunc(next.Decisions, func(d Decision) bool { return d.Path == r.Path })
	}
	next.Earlier = stillNeeded(r.Locked.Earlier, next.Files)
	return out, nil
}

// entry is the lock's entry of the file once nothing is left to decide; false where
// the golden path has none.
func (r Resolving) entry(after *tree.File) (LockedFile, bool) {
	t, has := r.Theirs[r.Path]
	if !has {
		return LockedFile{}, false
	}
	p := planner{Request: Request{To: r.Locked.Revision}}
	return p.given(Change{to: r.Path, Mode: t.Mode, After: after}, t), true
}

// facts are the facts about the file, as the plan that left it open had them.
func (r Resolving) facts(l LockedFile) facts {
	if r.Ours != nil {
		l = l.returned()
	}
	p := planner{Request: Request{Locked: r.Locked, Theirs: r.Theirs, Base: r.Base}}
	f := facts{path: r.Path, mode: l.Mode, ours: r.Ours, policies: r.Policies, deleted: l.Deleted}
	if t, has := r.Theirs[r.Path]; has {
		f.theirs = &t.File
	}
	f.decided = r.Locked.decided(r.Path, f.of)
	f.compare(l, r.Theirs[r.Path])
	if f.hadBase {
		f.base = p.base(r.Path, l)
		f.baseGone = f.base == nil
	}
	return f
}

func nothingSuggested(c Change) error {
	reason := c.Reason
	if len(c.Clashes) > 0 {
		reason = c.Clashes[0].Reason
	}
	return fmt.Errorf("nothing is suggested for %s: %s; take ours or theirs", c.Path, reason)
}

// taken returns the file with one side in every conflict, or with what is suggested
// in those for which something is. Ours is the file as it is now: what of the golden
// path's a person took out again stays out.
func (f facts) taken(c Change, take Side) *tree.File {
	switch {
	case take == Ours:
		return f.ours
	case c.Action != Conflict:
		return c.After
	case len(c.Hunks) > 0:
		r := merge.Result{Text: c.After.Data, Hunks: c.Hunks}
		text := r.With(func(h merge.Hunk) []byte {
			switch {
			case take == Theirs:
				return h.Theirs
			case h.Tier == merge.Suggested:
				return h.Proposal
			}
			return h.Ours
		})
		return &tree.File{Kind: f.mergedKind(), Data: text}
	}
	return f.theirs
}

// holesLeft returns the holes of a file in which what is suggested was taken, and the
// rest is left open. It returns false where the two are too near to each other to be
// told apart.
func (f facts) holesLeft(c Change, after *tree.File) ([]Hole, bool) {
	left := Change{Path: c.Path, After: after}
	for _, h := range c.Hunks {
		if !h.Applied && h.Tier != merge.Suggested {
			left.Hunks = append(left.Hunks, h)
		}
	}
	for _, clash := range c.Clashes {
		if clash.Tier != merge.Suggested {
			left.Clashes = append(left.Clashes, clash)
		}
	}
	return f.holes(left, *f.theirs)
}

func stillNeeded(earlier map[string]Revision, files map[string]LockedFile) map[string]Revision {
	needed := map[string]Revision{}
	for _, l := range files {
		if r, ok := earlier[l.Earlier]; ok {
			needed[l.Earlier] = r
		}
	}
	if len(needed) == 0 {
		return nil
	}
	return needed
}

// NotOpenError says that a file has no conflict to decide.
type NotOpenError struct {
	Path string
	Open []string
}

func notOpen(s *Section, path string) error {
	e := &NotOpenError{Path: path}
	for p, l := range s.Files {
		if l.Open {
			e.Open = append(e.Open, p)
		}
	}
	slices.Sort(e.Open)
	return e
}

// Error names the files that have a conflict.
func (e *NotOpenError) Error() string {
	text := fmt.Sprintf("%s has no conflict to decide", e.Path)
	if len(e.Open) == 0 {
		return text + ": no file has one"
	}
	if near := nearest.Names(e.Path, e.Open); len(near) > 0 {
		return text + "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return text + "; these have one: " + strings.Join(e.Open, ", ")
}
