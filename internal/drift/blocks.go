package drift

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/tree"
)

// marker finds the lines that begin and end a block, in whatever comment the
// file's language has: "goldenpath:begin NAME" and "goldenpath:end NAME".
var marker = regexp.MustCompile(`goldenpath:(begin|end)[ \t]+([A-Za-z0-9._/-]+)`)

// region is one block of a file: its lines with both markers.
type region struct {
	name   string
	lo, hi int // byte offsets
}

// regions finds the blocks of a file. An error says which line is wrong.
func regions(data []byte) ([]region, error) {
	var rs []region
	open := -1
	name := ""
	offset := 0
	for n, line := range bytes.SplitAfter(data, []byte("\n")) {
		m := marker.FindSubmatch(line)
		start := offset
		offset += len(line)
		if m == nil {
			continue
		}
		this := string(m[2])
		switch begin := string(m[1]) == "begin"; {
		case begin && open >= 0:
			return nil, fmt.Errorf("line %d begins block %q inside block %q", n+1, this, name)
		case begin && slices.ContainsFunc(rs, func(r region) bool { return r.name == this }):
			return nil, fmt.Errorf("line %d begins block %q a second time", n+1, this)
		case begin:
			open, name = start, this
		case open < 0 || this != name:
			return nil, fmt.Errorf("line %d ends block %q, which is not open", n+1, this)
		default:
			rs = append(rs, region{name, open, offset})
			open = -1
		}
	}
	if open >= 0 {
		return nil, fmt.Errorf("block %q is not ended", name)
	}
	return rs, nil
}

// Blocks returns the names of the blocks that are marked in a file. The error says
// which line's marker is wrong.
func Blocks(data []byte) ([]string, error) {
	rs, err := regions(data)
	var names []string
	for _, r := range rs {
		names = append(names, r.name)
	}
	return names, err
}

func find(rs []region, name string) (region, bool) {
	i := slices.IndexFunc(rs, func(r region) bool { return r.name == name })
	if i < 0 {
		return region{}, false
	}
	return rs[i], true
}

// blocks merges a file of which only the marked regions are the golden path's:
// each region's content becomes the golden path's, and all else stays.
func (f facts) blocks(c Change) Change {
	if f.ours.Kind.IsLink() || f.theirs.Kind.IsLink() {
		return f.clash(c, "one is a symbolic link, in which no blocks can be found; yours stays")
	}
	ours, err := regions(f.ours.Data)
	if err != nil {
		return f.clash(c, "the block markers in your file are broken: "+err.Error()+"; yours stays")
	}
	theirs, err := regions(f.theirs.Data)
	if err != nil {
		return f.clash(c, "the block markers in the golden path's file are broken: "+err.Error()+"; yours stays")
	}
	var base []region
	if f.base != nil {
		base, _ = regions(f.base.Data) // a broken base has no blocks to compare with
	}
	if len(ours)+len(theirs)+len(base) == 0 && f.hadBase {
		// Nothing is marked, so the file is as any other.
		if f.theirsIsBase {
			return c.done(Yours, "changed by you only")
		}
		return f.merge(c)
	}
	b := blockMerge{f: f, ours: ours, theirs: theirs, base: base}
	b.run()
	c.After = &tree.File{Kind: f.ours.Kind, Data: b.out.Bytes()}
	c.Clashes = b.replaced
	switch {
	case len(b.replaced) > 0:
		return c.done(Replace, "you changed the golden path's blocks "+strings.Join(b.names, ", ")+": its content replaces yours there, which stays in the history"+b.leaves("; "))
	case len(b.left) > 0:
		return c.done(Merged, b.leaves("")).by("changed blocks stay")
	case bytes.Equal(c.After.Data, f.ours.Data):
		return c.done(Same, "the golden path's blocks are as they should be")
	}
	return c.done(Merged, "the golden path's blocks are brought up to date; all else is yours")
}

type blockMerge struct {
	f                  facts
	ours, theirs, base []region
	out                bytes.Buffer
	replaced           []Clash
	names              []string
	left               []string // blocks that only the member has now, and changed
}

// leaves says which blocks are the member's alone from now on.
func (b *blockMerge) leaves(before string) string {
	if len(b.left) == 0 {
		return ""
	}
	return before + "the golden path no longer has the blocks " + strings.Join(b.left, ", ") + ", which you changed: they stay, and are yours"
}

func (b *blockMerge) run() {
	at := 0
	data := b.f.ours.Data
	for _, o := range b.ours {
		b.out.Write(data[at:o.lo])
		at = o.hi
		t, inTheirs := find(b.theirs, o.name)
		was, inBase := find(b.base, o.name)
		mine := data[o.lo:o.hi]
		switch {
		case inTheirs:
			b.replace(o, was, inBase, mine, b.f.theirs.Data[t.lo:t.hi])
		case inBase && bytes.Equal(mine, b.f.base.Data[was.lo:was.hi]):
			// The golden path took the block back, and nobody had changed it.
		default:
			b.out.Write(mine)
			if inBase {
				b.left = append(b.left, o.name)
			}
		}
	}
	b.out.Write(data[at:])
	b.append()
}

// replace writes the golden path's block, and notes when that replaces an edit.
func (b *blockMerge) replace(o, was region, inBase bool, mine, theirs []byte) {
	b.out.Write(theirs)
	untouched := inBase && bytes.Equal(mine, b.f.base.Data[was.lo:was.hi])
	if !untouched && !bytes.Equal(mine, theirs) {
		line := 1 + bytes.Count(b.f.ours.Data[:o.lo], []byte("\n"))
		b.replaced = append(b.replaced, Clash{Path: b.f.path, Ours: mine, Theirs: theirs, Line: line})
		b.names = append(b.names, o.name)
	}
}

// append adds the blocks that the golden path has and the member never had. One
// that was in the base was taken out by the member, and stays out.
func (b *blockMerge) append() {
	for _, t := range b.theirs {
		_, has := find(b.ours, t.name)
		_, had := find(b.base, t.name)
		if has || had {
			continue
		}
		if n := b.out.Len(); n > 0 && b.out.Bytes()[n-1] != '\n' {
			b.out.WriteByte('\n')
		}
		b.out.Write(b.f.theirs.Data[t.lo:t.hi])
	}
}
