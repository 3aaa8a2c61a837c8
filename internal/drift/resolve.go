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

// Resolve decides every conflict of one file for one side. Theirs is what the
// section's own revision renders; base is as in [Request]. It returns the file to
// write (After; nil: none) and the section with the decision in it: the golden
// path's file becomes the base, so that the same conflict does not come back.
//
// It goes by the zero [Policies]; see [Policies.Resolve] for others.
func Resolve(s *Section, path string, ours *tree.File, theirs scaffold.Rendering, base func(string, LockedFile) (tree.File, bool), take Side) (after *tree.File, next *Section, err error) {
	return Policies{}.Resolve(s, path, ours, theirs, base, take)
}

// Resolve is the function [Resolve] for a member that was planned with these
// policies. Proposed takes what the resolvers propose, and is an error where a
// conflict has no proposal.
func (policies Policies) Resolve(s *Section, path string, ours *tree.File, theirs scaffold.Rendering, base func(string, LockedFile) (tree.File, bool), take Side) (after *tree.File, next *Section, err error) {
	l, ok := s.Files[path]
	if !ok || !l.Open {
		return nil, nil, notOpen(s, path)
	}
	p := planner{Request: Request{Locked: s, Theirs: theirs, Base: base}}
	f := facts{path: path, mode: l.Mode, ours: ours, policies: policies}
	if t, has := theirs[path]; has {
		f.theirs = &t.File
	}
	f.compare(l, theirs[path])
	if f.hadBase {
		f.base = p.base(path, l)
		f.baseGone = f.base == nil
	}
	c := f.decide()
	if err := proposes(c, take); err != nil {
		return nil, nil, err
	}
	next = &Section{Revision: s.Revision, Files: maps.Clone(s.Files), Decisions: slices.Clone(s.Decisions)}
	for _, clash := range c.Clashes {
		next.Decisions = append(next.Decisions, Decision{path, clash.ID(), take})
	}
	if t, has := theirs[path]; has {
		next.Files[path] = lockedFile(path, t)
	} else {
		delete(next.Files, path)
	}
	next.Earlier = stillNeeded(s.Earlier, next.Files)
	return f.taken(c, take), next, nil
}

// proposes returns an error where a proposal is to be taken and a place has none.
func proposes(c Change, take Side) error {
	if take != Proposed {
		return nil
	}
	for _, clash := range c.Clashes {
		if clash.Tier != merge.Suggested {
			return fmt.Errorf("%s:%d has no proposal: %s; take ours or theirs", clash.Path, clash.Line, clash.Reason)
		}
	}
	return nil
}

// taken returns the file with one side in every conflict.
func (f facts) taken(c Change, take Side) *tree.File {
	switch {
	case c.Action != Conflict:
		return c.After
	case take == Ours:
		return c.After
	case len(c.Hunks) > 0:
		r := merge.Result{Text: c.After.Data, Hunks: c.Hunks}
		text := r.With(func(h merge.Hunk) []byte {
			if take == Proposed {
				return h.Proposal
			}
			return h.Theirs
		})
		return &tree.File{Kind: f.mergedKind(), Data: text}
	}
	return f.theirs
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
