package merge

import (
	"bytes"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/merge/outline"
	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// structure is the name of the resolver that merges by the file's structure.
const structure = "structure"

// byStructure merges the file by its outline and proposes what comes out for the
// hunks that are still conflicts. It merges twice, once with ours and once with
// theirs wherever the outline does not decide: a hunk for which both come out the
// same is decided by the structure alone.
func (f *file) byStructure(options *Options) {
	if f.kind.Format == "text" || f.kind.Format == "code" || !f.undecided() {
		return
	}
	for i, text := range f.versions() {
		n, ok := outline.Read(f.kind.Format, string(text))
		if !ok {
			return
		}
		f.outlines[i] = n
	}
	b, o, t := f.outlines[0], f.outlines[1], f.outlines[2]
	mine, ok := outline.Merge(b, o, t, f.leaf(options, textmerge.Ours))
	if !ok {
		return
	}
	yours := mine
	if f.undecidedLeaf {
		if yours, ok = outline.Merge(b, o, t, f.leaf(options, textmerge.Theirs)); !ok {
			return
		}
	}
	ours := f.cutOut([]byte(mine))
	theirs := ours
	if f.undecidedLeaf {
		theirs = f.cutOut([]byte(yours))
	}
	if ours == nil || theirs == nil {
		return
	}
	for i, h := range f.hunks {
		if h.verdict.tier != Conflict || !bytes.Equal(ours[i], theirs[i]) || h.repeats(ours[i]) || h.omits(ours[i]) || h.piles(ours[i]) {
			continue
		}
		h.verdict = verdict{tier: Suggested, resolver: structure, text: ours[i], reason: "both changed this part; joined by what belongs together in " + f.kind.Format + " files"}
		if bytes.Equal(ours[i], h.Ours) && h.removedAlready() {
			h.verdict.tier, h.verdict.reason = Merged, "what the golden path removed here your version does not have any more"
		}
		if h.addsPatterns() {
			h.verdict.tier, h.verdict.reason = Merged, "both added patterns, whose order says nothing; all are kept"
		}
	}
}

// addsPatterns reports whether both sides did nothing but add patterns to a file
// that ignores what any of them fits. One that begins with "!" takes back what
// those before it say, so that its place matters.
func (h *hunk) addsPatterns() bool {
	if h.file.kind.Format != "ignore" || !contains(h.o, h.b) || !contains(h.t, h.b) {
		return false
	}
	for _, l := range slices.Concat(h.o, h.t) {
		if strings.HasPrefix(strings.TrimSpace(l), "!") {
			return false
		}
	}
	return true
}

// fewLines is how many lines of their own a member must have put in the place of
// what the golden path removed to be sure that it has no part there any more.
const fewLines = 3

// removedAlready reports whether the golden path did nothing but remove entries, in
// whose place ours has lines of its own, none of which is one of theirs with
// something added.
func (h *hunk) removedAlready() bool {
	mine := extra(h.b, h.o)
	if h.ofLines() || !contains(h.b, h.t) || notBlank(mine) < fewLines {
		return false
	}
	own := each(mine, bagOf)
	for _, gone := range extra(h.t, h.b) {
		was := bagOf(gone)
		if !trivial(gone) && slices.ContainsFunc(own, func(l bag) bool { return l.has(was) }) {
			return false
		}
	}
	return true
}

// ofLines reports whether the file is a set of lines, each of which stands for
// itself.
func (h *hunk) ofLines() bool {
	switch h.file.kind.Format {
	case "ignore", "owners", "requirements", "gomod":
		return true
	}
	return false
}

// piles reports whether a proposal has all lines that both sides brought, though
// lines were changed or taken away as well: mostly one stands in place of the
// other.
func (h *hunk) piles(text []byte) bool {
	if h.ofLines() {
		return false
	}
	mine, theirs := extra(h.b, h.o), extra(h.b, h.t)
	if notBlank(mine) == 0 || notBlank(theirs) == 0 || notBlank(extra(h.o, h.b))+notBlank(extra(h.t, h.b)) == 0 {
		return false
	}
	return notBlank(extra(cut(text), slices.Concat(mine, theirs))) == 0
}

func (f *file) undecided() bool {
	for _, h := range f.hunks {
		if h.verdict.tier == Conflict {
			return true
		}
	}
	return false
}

// leaf merges texts within the structure by their lines and the cascade, taking
// the given side where those do not decide.
func (f *file) leaf(options *Options, side textmerge.Choice) outline.Leaf {
	return func(base, ours, theirs string) (string, bool) {
		inner := f.mergeLeaf(options, [3]string{base, ours, theirs})
		ok := true
		text := inner.compose(func(h *hunk) []byte {
			switch {
			case h.verdict.tier != Conflict:
				return h.verdict.text
			case side == textmerge.Theirs:
				ok = false
				return h.Theirs
			}
			ok = false
			return h.Ours
		})
		f.undecidedLeaf = f.undecidedLeaf || !ok
		return string(text), ok
	}
}

// mergeLeaf merges a text within the structure, once for both sides that may be
// taken where it stays open.
func (f *file) mergeLeaf(options *Options, texts [3]string) *file {
	if inner, ok := f.leaves[texts]; ok {
		return inner
	}
	inner := &file{kind: f.kind, care: f.care, base: f.base, ours: f.ours, theirs: f.theirs, within: f}
	r := textmerge.Merge([]byte(texts[0]), []byte(texts[1]), []byte(texts[2]))
	inner.text = r.Merged
	for _, c := range r.Conflicts {
		h := newHunk(inner, c)
		h.inLeaf = true
		h.ask(options, sure)
		h.ask(options, unsure)
		inner.hunks = append(inner.hunks, h)
	}
	if f.leaves == nil {
		f.leaves = map[[3]string]*file{}
	}
	f.leaves[texts] = inner
	return inner
}

// cutOut returns what a merged text has in the place of each hunk, or nil where
// it differs from the lines' merge outside of the hunks.
func (f *file) cutOut(merged []byte) [][]byte {
	if out := f.cutBetween(merged); out != nil {
		return out
	}
	from, to := textmerge.LineStarts(f.text), textmerge.LineStarts(merged)
	edits := textmerge.Diff(f.text, merged)
	out := make([][]byte, len(f.hunks))
	e, shift := 0, 0
	for i, h := range f.hunks {
		lo, hi := lineAt(from, h.Offset), lineAt(from, h.Offset+len(h.Ours))
		if e < len(edits) && edits[e].AHi < lo {
			return nil
		}
		begin, end := lo+shift, hi+shift
		for ; e < len(edits) && edits[e].ALo <= hi; e++ {
			if edits[e].ALo < lo || edits[e].AHi > hi {
				return nil
			}
			shift = edits[e].BHi - edits[e].AHi
			end = hi + shift
		}
		out[i] = merged[to[begin]:to[end]]
	}
	if e < len(edits) {
		return nil
	}
	return out
}

// cutBetween is cutOut where what stands between the hunks tells where they are: at
// the beginning, at the end, and in between once. It returns nil where it does not.
func (f *file) cutBetween(merged []byte) [][]byte {
	if len(f.hunks) > maxTrials {
		return nil
	}
	last := f.hunks[len(f.hunks)-1]
	rest, ok := bytes.CutPrefix(merged, f.text[:f.hunks[0].Offset])
	if !ok {
		return nil
	}
	tail := f.text[last.Offset+len(last.Ours):]
	if rest, ok = bytes.CutSuffix(rest, tail); !ok || len(tail) > 0 && !wholeLines(rest) {
		return nil
	}
	out := make([][]byte, 0, len(f.hunks))
	for i, h := range f.hunks[:len(f.hunks)-1] {
		between := f.text[h.Offset+len(h.Ours) : f.hunks[i+1].Offset]
		at := bytes.Index(rest, between)
		if at < 0 || !wholeLines(rest[:at]) || bytes.Contains(rest[at+1:], between) {
			return nil
		}
		out = append(out, rest[:at])
		rest = rest[at+len(between):]
	}
	return append(out, rest)
}

// wholeLines reports whether a text ends with the end of a line.
func wholeLines(text []byte) bool { return len(text) == 0 || text[len(text)-1] == '\n' }

// lineAt returns the line that begins at an offset.
func lineAt(starts []int, offset int) int {
	lo, hi := 0, len(starts)-1
	for lo < hi {
		mid := (lo + hi) / 2
		if starts[mid] < offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
