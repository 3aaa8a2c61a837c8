// Package policy says how changes that meet are decided: whether a merge asks its
// resolvers, what becomes of what they suggest, whose a file is, and what happens
// where one side removed what the other changed.
//
// A [Policy] is a part of what people write: in a golden path's manifest, for all
// of it and for single files, in a member's .goldenpath.yaml, and in a server's
// settings. [Policy.Over] joins them, the later over the earlier, and
// [Policy.Settled] fills in what nobody said.
package policy

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/nearest"
)

// DefaultResolve is what holds where nobody says whether resolvers are asked. It
// rests on how often people agree with what they merge; docs/merge.md has the
// figures.
const DefaultResolve = On

// Switch turns something on or off.
type Switch string

// The positions of a switch.
const (
	On  Switch = "on"
	Off Switch = "off"
)

// Suggested says what becomes of suggestions.
type Suggested string

// What can become of suggestions.
const (
	Propose Suggested = "propose" // they are shown, and taken or refused by a person
	Apply   Suggested = "apply"   // they are applied, and shown
)

// Care says whose a file is once both sides have changed it.
type Care string

// The kinds of care. By default the file's name tells ([merge.CareOf]).
const (
	Join   Care = "join"   // it is merged
	Member Care = "member" // it is the member's, where both changed the same lines
	Tool   Care = "tool"   // a program writes it: it is never merged
)

// Meeting says what to do where a removal meets a change.
type Meeting string

// The ways to decide such a meeting.
const (
	Conflict Meeting = "conflict" // somebody has to decide; the member's side stays until then
	Follow   Meeting = "follow"   // of a file that the golden path removed: it is removed
	Keep     Meeting = "keep"     // of a file that the golden path removed: it stays
	Stay     Meeting = "stay"     // of a file that the member removed: it stays away
	Restore  Meeting = "restore"  // of a file that the member removed: it comes back
)

// Policy is what one place says. What is empty is left to others.
type Policy struct {
	Resolve   Switch    `yaml:"resolve" json:"resolve,omitempty"`
	Suggested Suggested `yaml:"suggested" json:"suggested,omitempty"`
	// Off and On name resolvers that are not to be asked, and optional ones that are.
	Off []string `yaml:"off" json:"off,omitempty"`
	On  []string `yaml:"on" json:"on,omitempty"`
	// Care is whose the file is, and Command what writes a tool's file.
	Care    Care   `yaml:"care" json:"care,omitempty"`
	Command string `yaml:"command" json:"command,omitempty"`
	// OnDelete is for a file that the golden path removes and the member has changed.
	OnDelete Meeting `yaml:"onDelete" json:"onDelete,omitempty"`
	// OnDeleted is for a file that the member removed and the golden path changes.
	OnDeleted Meeting `yaml:"onDeleted" json:"onDeleted,omitempty"`
}

// Says reports whether the policy says anything.
func (p Policy) Says() bool {
	return p.Resolve != "" || p.Suggested != "" || len(p.Off)+len(p.On) > 0 || p.Care != "" || p.Command != "" || p.OnDelete != "" || p.OnDeleted != ""
}

// Over returns p with what it leaves open filled in from below. Of a resolver that
// both name, p says whether it is on or off.
func (p Policy) Over(below Policy) Policy {
	fill(&p.Resolve, below.Resolve)
	fill(&p.Suggested, below.Suggested)
	if p.Care == "" && p.Command == "" {
		p.Command = below.Command
	}
	fill(&p.Care, below.Care)
	fill(&p.OnDelete, below.OnDelete)
	fill(&p.OnDeleted, below.OnDeleted)
	off, on := p.Off, p.On
	p.Off = joined(below.Off, off, on)
	p.On = joined(below.On, on, off)
	return p
}

func fill[T ~string](above *T, below T) {
	if *above == "" {
		*above = below
	}
}

// joined returns the names of below and above, without those of not.
func joined(below, above, not []string) []string {
	var all []string
	for _, name := range slices.Concat(below, above) {
		if !slices.Contains(all, name) && (slices.Contains(above, name) || !slices.Contains(not, name)) {
			all = append(all, name)
		}
	}
	return all
}

// Settled returns p for the file at a path, with nothing left open. It is the same
// when it is settled again.
//
// Where nobody says otherwise suggestions are proposed, a removal of what the
// member changed is a conflict with the removal proposed (people follow four in
// five), and what the member removed stays away (nine in ten). Files of the
// member's kind stay.
func (p Policy) Settled(path string) Policy {
	fill(&p.Resolve, DefaultResolve)
	fill(&p.Suggested, Propose)
	care, command := merge.CareOf(path)
	fill(&p.Care, map[merge.Care]Care{merge.Members: Member, merge.Tools: Tool}[care])
	fill(&p.Care, Join)
	if p.Care == Tool {
		fill(&p.Command, command)
	}
	if p.Care == Member {
		fill(&p.OnDelete, Keep)
	}
	fill(&p.OnDelete, Conflict)
	fill(&p.OnDeleted, Stay)
	return p
}

// Options returns how a settled policy has a file merged.
func (p Policy) Options() merge.Options {
	o := merge.Options{Off: p.Off, On: p.On, MembersDecided: true}
	if p.Suggested == Apply {
		o.Suggested = merge.Apply
	}
	o.Care = map[Care]merge.Care{Join: merge.Joined, Member: merge.Members, Tool: merge.Tools}[p.Care]
	if p.Resolve != Off {
		return o
	}
	if p.Care == Member {
		o.Off = slices.DeleteFunc(Resolvers(), func(name string) bool { return name == merge.MemberFile }) // which needs no other
		return o
	}
	o.Lines = true
	return o
}

// Resolvers returns the names of all resolvers, in the order in which they are
// asked.
func Resolvers() []string {
	var names []string
	for _, r := range merge.Resolvers() {
		names = append(names, r.Name)
	}
	return names
}

// CheckResolver returns an error where no resolver has a name; it tells which may
// have been meant.
func CheckResolver(name string) error {
	all := Resolvers()
	if slices.Contains(all, name) {
		return nil
	}
	return fmt.Errorf("there is no resolver %q; %s", name, nearest.Hint(name, all))
}

// Check returns what is wrong with a policy beyond its schema; at leads to where
// the document has it.
func (p Policy) Check(doc *document.Document, at ...string) document.Problems {
	var ps document.Problems
	all := Resolvers()
	for key, names := range map[string][]string{"off": p.Off, "on": p.On} {
		for i, name := range names {
			step := append(slices.Clone(at), key, strconv.Itoa(i))
			switch {
			case !slices.Contains(all, name):
				ps = append(ps, doc.At(fmt.Sprintf("there is no resolver %q", name), nearest.Hint(name, all), step...))
			case key == "off" && slices.Contains(p.On, name):
				ps = append(ps, doc.At(fmt.Sprintf("the resolver %q is on and off", name), "name it in one of the two lists", step...))
			}
		}
	}
	slices.SortFunc(ps, func(a, b document.Problem) int { return (a.Line-b.Line)*10_000 + a.Column - b.Column })
	if p.Command != "" && p.Care != Tool {
		ps = append(ps, doc.At("command is for files that a program writes", "add care: tool", append(slices.Clone(at), "command")...))
	}
	return ps
}
