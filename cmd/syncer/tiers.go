package main

import (
	"fmt"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
)

// tiersReport tells the places of a file that both sides changed, by how sure the
// merge is of them, and what a policy decided.
type tiersReport struct {
	Merged    []placeReport `json:"merged,omitempty"`
	Suggested []placeReport `json:"suggested,omitempty"`
	Conflicts []placeReport `json:"conflicts,omitempty"`
	DecidedBy string        `json:"decidedBy,omitempty"` // the policy that did: "onDelete: follow"
	Run       string        `json:"run,omitempty"`       // the command that brings the file up to date
	// Kept is true where the golden path's text was not taken because the file is the
	// member's; resolve --take theirs takes it.
	Kept bool `json:"kept,omitempty"`
}

// placeReport is one place. Without a line it is the file as a whole.
type placeReport struct {
	Line     int        `json:"line,omitempty"` // of ours, from 1
	Tier     merge.Tier `json:"tier"`
	Resolver string     `json:"resolver,omitempty"`
	Reason   string     `json:"reason"`
	Applied  bool       `json:"applied"`
	Base     string     `json:"base"`
	Ours     string     `json:"ours"`
	Theirs   string     `json:"theirs"`
	Proposal *string    `json:"proposal,omitempty"`
	// Encoding is "base64" where a text is no UTF-8, which JSON could not hold.
	Encoding string `json:"encoding,omitempty"`
}

func tiersOf(c drift.Change) tiersReport {
	r := tiersReport{DecidedBy: c.Policy, Run: c.Run, Kept: c.Given() != nil}
	for _, h := range c.Places() {
		encode, encoding := encoder(h.Base, h.Ours, h.Theirs, h.Proposal)
		p := placeReport{
			Line: h.OursLine, Tier: h.Tier, Resolver: h.Resolver, Reason: h.Reason, Applied: h.Applied,
			Base: encode(h.Base), Ours: encode(h.Ours), Theirs: encode(h.Theirs), Encoding: encoding,
		}
		if h.Proposal != nil {
			text := encode(h.Proposal)
			p.Proposal = &text
		}
		switch h.Tier {
		case merge.Merged:
			r.Merged = append(r.Merged, p)
		case merge.Suggested:
			r.Suggested = append(r.Suggested, p)
		default:
			r.Conflicts = append(r.Conflicts, p)
		}
	}
	return r
}

// suggests reports whether something is suggested that is not applied.
func (r tiersReport) suggests() bool {
	return len(r.Suggested) > 0 && !r.Suggested[0].Applied
}

// printChanges tells what happens to files, and how to decide what is open; branch is
// where the result is, "" in the work tree.
func (a *app) printChanges(changes []changeReport, branch string) {
	first := ""
	if branch != "" {
		first = "git switch " + branch + ", then "
	}
	for _, c := range changes {
		fmt.Fprintf(a.out, "  %s %s (%s)\n", a.paint(styleOfAction(c.Action), fmt.Sprintf("%-9s", c.Action)), c.Path, c.Reason)
		for _, tier := range [][]placeReport{c.Merged, c.Suggested, c.Conflicts} {
			for _, p := range tier {
				if p.Resolver == "" && (p.Tier == merge.Merged || p.Reason == c.Reason) {
					continue // the line above says it
				}
				fmt.Fprintf(a.out, "            %s %s\n", at(c.Path, p.Line), inTier(merge.Hunk{Tier: p.Tier, Resolver: p.Resolver, Reason: p.Reason, Applied: p.Applied}))
			}
		}
		if c.Run != "" {
			fmt.Fprintf(a.out, "            run: %s\n", c.Run)
		}
		if c.Kept {
			fmt.Fprintf(a.out, "            instead, this once: %ssyncer resolve %s --take theirs\n", first, c.Path)
		}
		if c.Action == drift.Conflict {
			fmt.Fprintf(a.out, "            decide: %ssyncer resolve %s --take %s\n", first, c.Path, takes(c.suggests()))
		}
	}
}

// takes are the sides that can be taken.
func takes(suggested bool) string {
	if suggested {
		return "suggested|theirs|ours"
	}
	return "theirs|ours"
}

// at names a place of a file.
func at(path string, line int) string {
	if line == 0 {
		return path + ":"
	}
	return fmt.Sprintf("%s:%d:", path, line)
}

// inTier says how sure the merge is of a place, who says so, and why.
func inTier(h merge.Hunk) string {
	if replaced(h) {
		return "yours, which is replaced"
	}
	text := h.Tier.String()
	if h.Resolver != "" {
		text += " by " + h.Resolver
	}
	if h.Tier == merge.Suggested && h.Applied {
		text += ", applied by policy"
	}
	return text + ": " + h.Reason
}

// replaced reports whether a place is a managed file's, which nobody merges.
func replaced(h merge.Hunk) bool { return h.Reason == "" && h.Resolver == "" }

// printSides shows the versions of a place.
func (a *app) printSides(h merge.Hunk) {
	if replaced(h) {
		fmt.Fprintf(a.out, "### ours\n%s### theirs\n%s", quoted(h.Ours), quoted(h.Theirs))
		return
	}
	sides := []struct {
		name string
		text []byte
	}{{"base", h.Base}, {"ours", h.Ours}, {"theirs", h.Theirs}}
	for _, side := range sides {
		fmt.Fprintf(a.out, "### %s\n%s", side.name, quoted(side.text))
	}
	if h.Tier != merge.Conflict {
		fmt.Fprintf(a.out, "### %s\n%s", h.Tier, quoted(h.Proposal))
	}
}
