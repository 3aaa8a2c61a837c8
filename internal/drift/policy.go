package drift

import "github.com/goldenpaths/syncer/internal/drift/merge"

// Policies are what a platform team decides about changes that meet in a member.
// The zero value applies what is safe and asks about the rest.
type Policies struct {
	// Lines merges by lines alone, as git does, without resolvers.
	Lines bool
	// Suggested says what becomes of a merge's suggestions.
	Suggested merge.Policy
	// Off names the resolvers that are not to be used.
	Off []string
	// On names the optional resolvers that are to be used.
	On []string
	// Care says whose a file is; nil goes by the file's name ([merge.CareOf]).
	Care func(path string) merge.Care
	// Removed is for files that the golden path removed and the member had changed.
	Removed Meeting
	// Missing is for files that the member removed and the golden path changed.
	Missing Meeting
	// Between returns the golden path's versions of a file between the locked
	// revision and the new one, oldest first; nil where they are not known.
	Between func(path string) [][]byte
	// Memory tells how other members of the organisation resolved a hunk.
	Memory merge.Memory
}

// Meeting says what to do where a removal meets a change.
type Meeting string

// The ways to decide such a meeting.
const (
	Ask        Meeting = ""       // a conflict; the member's side stays until somebody decides
	TakeOurs   Meeting = "ours"   // the member's side, without asking
	TakeTheirs Meeting = "theirs" // the golden path's side, and the change names what it replaces
)

// options returns how to merge the file.
func (f facts) options() merge.Options {
	p := f.policies
	o := merge.Options{
		Lines: p.Lines, Suggested: p.Suggested, Off: p.Off, On: p.On, MembersDecided: true, Memory: p.Memory,
		Decided: func(base, ours, theirs []byte) ([]byte, bool) {
			switch f.decided[HunkID(base, ours, theirs)] {
			case Ours:
				return ours, true
			case Theirs:
				return theirs, true
			}
			return nil, false
		},
		Accepted: func(base, ours, theirs []byte) bool {
			return f.decided[HunkID(base, ours, theirs)] == Proposed
		},
	}
	if p.Care != nil {
		o.Care = p.Care(f.path)
	}
	if p.Between != nil {
		o.Between = p.Between(f.path)
	}
	return o
}

// met decides a removal that meets a change by policy, if there is one.
func (f facts) met(c Change, m Meeting, what string) (Change, bool) {
	switch m {
	case TakeOurs:
		return c.done(Yours, what+"; yours stays, by policy"), true
	case TakeTheirs:
		c.After = f.theirs
		c.Clashes = []Clash{{Path: f.path, Base: contents(f.base), Ours: contents(f.ours), Theirs: contents(f.theirs)}}
		if f.theirs == nil {
			return c.done(Delete, what+"; it is removed, by policy, and yours stays in the history"), true
		}
		return c.done(Create, what+"; it is written again, by policy"), true
	}
	return c, false
}
