package drift

import (
	"fmt"
	"maps"
	"slices"

	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Policies are what decides where changes meet in a member. The zero value goes by
// the defaults of package policy, and remembers nobody.
type Policies struct {
	// Of returns what is said about a file; nil says nothing about any. For a file
	// that the golden path moved it is asked by the new path.
	Of func(path string) policy.Policy
	// Between returns the golden path's versions of a file between the locked
	// revision and the new one, oldest first; nil where they are not known.
	Between func(path string) [][]byte
	// Memory tells how other members of the organisation resolved a hunk.
	Memory merge.Memory
}

// For returns what holds for a file, with nothing left open.
func (p Policies) For(path string) policy.Policy {
	var said policy.Policy
	if p.Of != nil {
		said = p.Of(path)
	}
	return said.Settled(path)
}

// Learned returns those of the choices that other members may learn: where the memory
// is not asked, nothing is added to it either.
func (p Policies) Learned(choices []Choice) []Choice {
	var all []Choice
	for _, c := range choices {
		if o := p.For(c.Path).Options(); !o.Lines && !slices.Contains(o.Off, "memory") {
			all = append(all, c)
		}
	}
	return all
}

// policy is what holds for the file. Most files never need it.
func (f facts) policy() policy.Policy { return f.policies.For(f.path) }

// options returns how to merge the file.
func (f facts) options() merge.Options {
	o := f.policy().Options()
	o.Memory = f.policies.Memory
	if len(f.decided) == 0 {
		return o
	}
	o.Decided = func(base, ours, theirs []byte) ([]byte, bool) {
		switch f.decided[HunkID(base, ours, theirs)].take {
		case Ours:
			return ours, true
		case Theirs:
			return theirs, true
		}
		return nil, false
	}
	o.Accepted = func(base, ours, theirs []byte) bool {
		return f.decided[HunkID(base, ours, theirs)].take == Suggested
	}
	return o
}

// ambiguous returns the decisions that fit more places of the file than they were made
// about. It cannot be told which of those was meant.
func (f facts) ambiguous(hunks []merge.Hunk) []string {
	places := map[string]int{}
	for _, h := range hunks {
		places[HunkID(h.Base, h.Ours, h.Theirs)]++
	}
	var all []string
	for id, d := range f.decided {
		if places[id] > d.places {
			all = append(all, id)
		}
	}
	return all
}

// of names the version of the golden path's file that decisions are about.
func (f facts) of() tree.BlobID {
	if f.theirs == nil {
		return ""
	}
	return f.theirs.Blob()
}

// merged merges the file's texts. The golden path's versions in between are asked for
// only where something is not sure without them: to render them takes long.
func (f facts) merged() merge.Result {
	o := f.options()
	r := merge.Merge(f.path, f.base.Data, f.ours.Data, f.theirs.Data, o)
	if unclear := f.ambiguous(r.Hunks); len(unclear) > 0 {
		f.decided = maps.Clone(f.decided)
		maps.DeleteFunc(f.decided, func(id string, _ decision) bool { return slices.Contains(unclear, id) })
		return f.merged()
	}
	unsure := slices.ContainsFunc(r.Hunks, func(h merge.Hunk) bool { return h.Tier != merge.Merged })
	if o.Lines || !unsure || f.policies.Between == nil {
		return r
	}
	if o.Between = f.policies.Between(f.path); len(o.Between) == 0 {
		return r
	}
	return merge.Merge(f.path, f.base.Data, f.ours.Data, f.theirs.Data, o)
}

// by notes the policy that decided.
func (c Change) by(policy string) Change {
	c.Policy = policy
	return c
}

// wholeID names the conflict about the file as a whole.
func (f facts) wholeID() string {
	return HunkID(contents(f.base), contents(f.ours), contents(f.theirs))
}

// careMember is the policy by which what is the member's stays.
const careMember = "care: member"

// removal is the name under which the removal of a file is suggested.
const removal = "removal"

// removedEdited decides about a file that the golden path removed and the member
// had changed.
func (f facts) removedEdited(c Change) Change {
	const what = "the golden path no longer has this file, but you changed it"
	clash := f.whole(merge.Suggested, "to remove it here as well is what most people decide")
	clash.Resolver = removal
	switch {
	case f.decided[f.wholeID()].take != "" || f.policy().OnDelete == policy.Conflict:
		if c = f.clashOf(c, clash); c.Action == Conflict {
			c.Reason = what + "; yours stays until you decide"
		}
		return c
	case f.policy().OnDelete == policy.Follow:
		clash.Tier, clash.Reason = merge.Merged, what
		c.After, c.Clashes = nil, []Clash{clash}
		return c.done(Delete, fmt.Sprintf("%s; it is removed, and yours stays in the history as blob %s", what, f.ours.Blob())).by("onDelete: follow")
	}
	why := "onDelete: keep"
	if f.policy().Care == policy.Member {
		why = careMember
	}
	return c.done(Yours, what+"; yours stays, and is yours alone from now on").by(why)
}

// deletedChanged decides about a file that the member removed and the golden path
// changed.
func (f facts) deletedChanged(c Change) Change {
	const what = "the golden path changed this file, but you deleted it"
	if f.decided[f.wholeID()].take != "" {
		return f.clash(c, what+"; it stays deleted")
	}
	switch f.policy().OnDeleted {
	case policy.Stay:
		return c.done(Yours, what+"; it stays deleted").by("onDeleted: stay")
	case policy.Restore:
		c.After = f.theirs
		return c.done(Create, what+"; it is written again").by("onDeleted: restore")
	}
	return f.clash(c, what+"; it stays deleted")
}

// cared decides about a file that both sides have, each in its own way, where it is
// not to be merged because of whose it is.
func (f facts) cared(c Change) (Change, bool) {
	if f.decided[f.wholeID()].take != "" {
		return c, false
	}
	switch {
	case f.policy().Care == policy.Tool:
		command := f.policy().Command
		if command == "" {
			command = "the program that writes it"
		}
		c.Run = command
		c.Clashes = []Clash{f.whole(merge.Merged, "it is written by a program, and never merged")}
		return c.done(Yours, fmt.Sprintf("both changed this file, which a program writes, so that it is not merged; yours stays, and %s brings it up to date", command)).by("care: tool"), true
	case f.policy().Care == policy.Member && !f.hadBase && !f.ours.Kind.IsLink() && !f.theirs.Kind.IsLink():
		c.Clashes = []Clash{f.whole(merge.Merged, "it is the member's")}
		return c.done(Yours, "files of this kind are yours, and you have one already; the golden path's is not taken").by(careMember), true
	}
	return c, false
}

// whole is the clash of the file's three versions.
func (f facts) whole(tier merge.Tier, reason string) Clash {
	return Clash{
		Path: f.path, Base: contents(f.base), Ours: contents(f.ours), Theirs: contents(f.theirs),
		Tier: tier, Reason: reason,
	}
}
