package drift

import (
	"bytes"
	"slices"

	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/textmerge"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Choice is what a person wrote in the place of one conflict: what other members
// with the same one can learn from it.
type Choice struct {
	Path string
	Key  string // merge.Key of the conflict's texts
	Take merge.Take
	Text []byte // for TakeText
}

func choice(clash Clash, resolved []byte) Choice {
	c := Choice{Path: clash.Path, Key: merge.Key(clash.Base, clash.Ours, clash.Theirs), Take: merge.TakeOf(clash.Ours, clash.Theirs, resolved)}
	if c.Take == merge.TakeText {
		c.Text = bytes.Clone(resolved)
	}
	return c
}

// choices are what it means to take a side in a change's conflicts. Whole files
// teach nothing: no two members have the same.
func choices(c Change, take Side) []Choice {
	var all []Choice
	for _, clash := range c.Clashes {
		switch {
		case clash.Line == 0 || take == Suggested && clash.Tier != merge.Suggested:
		case take == Theirs:
			all = append(all, choice(clash, clash.Theirs))
		case take == Suggested:
			all = append(all, choice(clash, clash.Proposal))
		default:
			all = append(all, choice(clash, clash.Ours))
		}
	}
	return all
}

// Choices are what a lock's decisions mean to other members: those about places in which
// one side was taken, wherever that was done.
func (s *Section) Choices() []Choice {
	var all []Choice
	for _, d := range s.Decisions {
		switch {
		case d.Like == "":
		case d.Take == Ours:
			all = append(all, Choice{Path: d.Path, Key: d.Like, Take: merge.TakeOurs})
		case d.Take == Theirs:
			all = append(all, Choice{Path: d.Path, Key: d.Like, Take: merge.TakeTheirs})
		}
	}
	return all
}

// Refused returns the file as it is without the suggestions that were applied in it,
// and what it means to refuse them; nil where none were.
func (c Change) Refused() (*tree.File, []Choice) {
	suggested := func(h merge.Hunk) bool { return h.Applied && h.Tier == merge.Suggested }
	file := c.instead(suggested, func(h merge.Hunk) []byte { return h.Ours })
	if file == nil {
		return nil, nil
	}
	var all []Choice
	for _, h := range c.Hunks {
		if suggested(h) && h.OursLine > 0 {
			all = append(all, choice(Clash{Path: c.Path, Base: h.Base, Ours: h.Ours, Theirs: h.Theirs}, h.Ours))
		}
	}
	return file, all
}

// Given returns the file with the golden path's text where the member's was kept because
// files of its kind are the member's; nil where none was. Nobody learns from that:
// it says something about this repository alone.
func (c Change) Given() *tree.File {
	if c.Action == Yours && c.Policy == careMember && len(c.Clashes) == 1 {
		return &tree.File{Kind: c.Before.Kind, Data: c.Clashes[0].Theirs}
	}
	return c.instead(func(h merge.Hunk) bool { return h.Applied && h.Resolver == merge.MemberFile }, func(h merge.Hunk) []byte { return h.Theirs })
}

// instead returns the file with another text in the places that which chooses; nil
// where it chooses none.
func (c Change) instead(which func(merge.Hunk) bool, text func(merge.Hunk) []byte) *tree.File {
	var out []byte
	at, found := 0, false
	for _, h := range c.Hunks {
		if which(h) {
			out = append(out, c.After.Data[at:h.Offset]...)
			out = append(out, text(h)...)
			at, found = h.Offset+len(h.Text()), true
		}
	}
	if !found {
		return nil
	}
	return &tree.File{Kind: c.After.Kind, Data: append(out, c.After.Data[at:]...)}
}

// Chosen tells what people wrote in the places that a change left open, given the
// file that they merged and the lock's section beside it. A place in which nothing
// was changed and nothing decided was not looked at, as far as can be told; one
// whose surroundings changed too cannot be found.
func (c Change) Chosen(merged []byte, section *Section) []Choice {
	if c.Action != Conflict || c.After == nil || len(c.Hunks) == 0 {
		return nil
	}
	decided := section.decided(c.Path, func() tree.BlobID { return section.Files[c.Path].Blob })
	places := alignment(c.After.Data, merged)
	var all []Choice
	for _, h := range c.Hunks {
		if h.Applied || h.OursLine == 0 {
			continue
		}
		clash := Clash{Path: c.Path, Base: h.Base, Ours: h.Ours, Theirs: h.Theirs}
		switch text, found := places.at(h.Offset, h.Offset+len(h.Ours)); {
		case found && !bytes.Equal(text, h.Ours):
			all = append(all, choice(clash, text))
		case found && decided[clash.ID()].take == Ours:
			all = append(all, choice(clash, h.Ours))
		}
	}
	return all
}

// aligned is two texts, and where lines of the first are in the second.
type aligned struct {
	b      []byte
	startA []int // of each line, and the end
	startB []int
	edits  []textmerge.Edit
}

func alignment(a, b []byte) aligned {
	return aligned{b: b, startA: textmerge.LineStarts(a), startB: textmerge.LineStarts(b), edits: textmerge.Diff(a, b)}
}

// at returns what became of a part of the first text that consists of whole lines.
// It is found where the lines around it are as they were.
func (x aligned) at(lo, hi int) (text []byte, found bool) {
	from, ok := slices.BinarySearch(x.startA, lo)
	to, ends := slices.BinarySearch(x.startA, hi)
	if !ok || !ends {
		return nil, false
	}
	shift, grown := 0, 0
	for _, e := range x.edits {
		delta := (e.BHi - e.BLo) - (e.AHi - e.ALo)
		switch {
		case e.AHi < from:
			shift += delta
		case e.ALo > to:
		case e.ALo >= from && e.AHi <= to:
			grown += delta
		default:
			return nil, false // the change goes over the edge
		}
	}
	first, last := from+shift, to+shift+grown
	if first < 0 || last < first || last >= len(x.startB) {
		return nil, false
	}
	return x.b[x.startB[first]:x.startB[last]], true
}
