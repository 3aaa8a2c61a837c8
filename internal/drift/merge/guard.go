package merge

import (
	"bytes"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// repeats reports whether a hunk's proposal would bring a line of substance into
// the file twice that neither side has twice, or more often than both sides
// together account for; or keep one that the golden path has put elsewhere.
func (h *hunk) repeats(text []byte) bool {
	was, now := map[uint64]int{}, map[uint64]int{}
	eachLine(text, func(line []byte) { now[plainSum(line)]++ })
	eachLine(h.Ours, func(line []byte) { was[plainSum(line)]++ })
	more := map[uint64]bool{} // the lines of substance of which there would be more
	eachLine(text, func(line []byte) {
		if sum := plainSum(line); (now[sum] > was[sum] || h.file.taken()[sum]) && !trivial(string(line)) {
			more[sum] = true
		}
	})
	if len(more) == 0 {
		return false
	}
	counts := h.file.tally(more)
	for l := range more {
		c := counts[l]
		b, o, t, total := c.base, c.base+c.ours, c.base+c.theirs, c.base+c.ours+c.taken-was[l]+now[l]
		if total < 2 || total <= max(o, t) {
			continue
		}
		if o < 2 && t < 2 || total > o+t-min(b, o, t) {
			return true
		}
	}
	return false
}

// lineCount is how often a line is in the base, and how much more often on each
// side. taken is how much more often it is for what only theirs changed.
type lineCount struct{ base, ours, theirs, taken int }

// tally counts some lines in the versions of a file, layout aside. The sides'
// lines are those of the base but for what they changed.
func (f *file) tally(which map[uint64]bool) map[uint64]lineCount {
	counts := make(map[uint64]lineCount, len(which))
	for _, sum := range f.sums() {
		if which[sum] {
			c := counts[sum]
			c.base++
			counts[sum] = c
		}
	}
	count := func(text []byte, add func(*lineCount)) {
		eachLine(text, func(line []byte) {
			if sum := plainSum(line); which[sum] {
				c := counts[sum]
				add(&c)
				counts[sum] = c
			}
		})
	}
	for _, c := range f.lines.Changes(textmerge.Ours) {
		count(c.Was, func(c *lineCount) { c.ours-- })
		count(c.Is, func(c *lineCount) { c.ours++ })
	}
	for _, c := range f.lines.Changes(textmerge.Theirs) {
		count(c.Was, func(c *lineCount) { c.theirs-- })
		count(c.Is, func(c *lineCount) { c.theirs++ })
	}
	for _, c := range f.lines.Taken {
		count(c.Was, func(c *lineCount) { c.taken-- })
		count(c.Is, func(c *lineCount) { c.taken++ })
	}
	return counts
}

// taken returns the lines of substance that are in what only theirs changed, made once.
func (f *file) taken() map[uint64]bool {
	if f.takenSums == nil {
		f.takenSums = map[uint64]bool{}
		for _, c := range f.lines.Taken {
			eachLine(c.Is, func(line []byte) {
				if !trivial(string(line)) {
					f.takenSums[plainSum(line)] = true
				}
			})
		}
	}
	return f.takenSums
}

// sums returns the base's lines as numbers, made once (see plainSum).
func (f *file) sums() []uint64 {
	if f.baseSums == nil {
		f.baseSums = make([]uint64, 0, bytes.Count(f.base, []byte{'\n'})+1)
		eachLine(f.base, func(line []byte) { f.baseSums = append(f.baseSums, plainSum(line)) })
	}
	return f.baseSums
}

func eachLine(text []byte, do func(line []byte)) {
	for len(text) > 0 {
		n := bytes.IndexByte(text, '\n') + 1
		if n == 0 {
			n = len(text)
		}
		do(text[:n])
		text = text[n:]
	}
}

// plainSum returns a number that is the same for two lines which [plain] makes
// the same.
func plainSum(line []byte) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a's
	sum, kept := uint64(offset), uint64(offset)
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(line[i:])
			if !unicode.IsSpace(r) {
				sum = (sum ^ uint64(r)) * prime //nolint:gosec // a rune is not negative
				kept = sum
			}
			i += size - 1
			continue
		}
		if c == ' ' || c >= '\t' && c <= '\r' {
			continue
		}
		sum = (sum ^ uint64(c)) * prime
		if c != ',' && c != ';' {
			kept = sum
		}
	}
	return kept
}

// fewLeftOut is how many words that the golden path brought a proposal of the
// structure may lack: a version, say, of which ours has the larger.
const fewLeftOut = 2

// omits reports whether a proposal leaves out more than a word or two of what the
// golden path brought and ours did not: then it is no merge of the two.
func (h *hunk) omits(text []byte) bool {
	base, mine, theirs, got := bagOf(string(h.Base)), bagOf(string(h.Ours)), bagOf(string(h.Theirs)), bagOf(string(text))
	left := 0
	for w, n := range theirs.words {
		brought := n - base.words[w] - max(0, mine.words[w]-base.words[w])
		left += max(0, brought-max(0, got.words[w]-base.words[w])) / weight(w)
	}
	return left > fewLeftOut
}

// inspector tells whether a merged text is as sound as the three that it came
// from: it parses if they did, and has no key twice that none of them has twice.
type inspector struct {
	file    *file
	looked  bool
	idle    bool // the three are not sound themselves, or nothing is known of the format
	twice   map[string]bool
	known   []judgement // what was asked before
	bounds  map[uint64]bound
	counted bool // whether bounds are made
}

func (f *file) inspector() *inspector {
	return &inspector{
		file: f,
		idle: !f.kind.checked() || max(len(f.base), len(f.ours), len(f.theirs)) > maxParse,
	}
}

// judgement is what was found of a text.
type judgement struct {
	text  []byte
	sound bool
}

// look examines the three versions. That takes longer than all else, and most
// merges are sound, so that it is put off until one is not.
func (in *inspector) look() {
	if in.looked || in.idle {
		return
	}
	in.looked, in.twice = true, map[string]bool{}
	for i := range in.file.versions() {
		h := in.file.examineSide(i)
		if !h.parses {
			in.idle = true
			return
		}
		for key := range h.repeated {
			in.twice[key] = true
		}
	}
}

// checked reports whether examine knows anything of the format.
func (k Kind) checked() bool { return k.Brackets || k.keyed() || k.Format == "xml" }

// sound looks at the file with the verdicts that use picks.
func (in *inspector) sound(use func(*hunk) bool) bool {
	text := in.file.with(use)
	if bytes.Equal(text, in.file.ours) || bytes.Equal(text, in.file.theirs) || bytes.Equal(text, in.file.base) {
		return true
	}
	if len(in.file.hunks) > 0 && in.saysAgain(use) {
		return false
	}
	if in.idle {
		return true
	}
	for _, k := range in.known {
		if bytes.Equal(k.text, text) {
			return k.sound
		}
	}
	ok := in.judge(text, use)
	in.known = append(in.known, judgement{text, ok})
	return ok
}

// saysAgain reports whether a line of substance that both sides brought to a place, or
// that a resolver puts to one, would be in the file more often than it may. What git
// merges cleanly is not asked: there people keep it in most cases.
func (in *inspector) saysAgain(use func(*hunk) bool) bool {
	if !in.counted {
		in.bounds, in.counted = in.file.bounds(), true
	}
	if len(in.bounds) == 0 {
		return false
	}
	more := map[uint64]int{}
	for _, h := range in.file.hunks {
		if use(h) {
			eachLine(h.verdict.text, func(line []byte) { more[plainSum(line)]++ })
			eachLine(h.Ours, func(line []byte) { more[plainSum(line)]-- })
		}
	}
	for sum, b := range in.bounds {
		if b.now+more[sum] > b.most {
			return true
		}
	}
	return false
}

// bound is how often a line is in the file with ours in every hunk, and how often it
// may be.
type bound struct{ now, most int }

// bounds returns the bounds of the lines of substance that both sides brought to a
// place, or that a resolver puts to one. A line may be there as often as on the side
// that has it more often; one of which a side has several, as often as the sides
// together account for.
func (f *file) bounds() map[uint64]bound {
	which, both := map[uint64]bool{}, f.brought()
	for sum := range both {
		which[sum] = true
	}
	for _, h := range f.hunks {
		if h.verdict.tier == Conflict {
			continue
		}
		was := map[uint64]int{}
		eachLine(h.Ours, func(line []byte) { was[plainSum(line)]++ })
		eachLine(h.verdict.text, func(line []byte) {
			sum := plainSum(line)
			if was[sum]--; was[sum] < 0 && !trivial(string(line)) {
				which[sum] = true
			}
		})
	}
	if len(which) == 0 {
		return nil
	}
	bounds, counts := make(map[uint64]bound, len(which)), f.tally(which)
	for sum := range which {
		c := counts[sum] // nothing of one that a resolver made
		b, o, t := c.base, c.base+c.ours, c.base+c.theirs
		most := max(o, t, 1)
		if most > 1 && (b > 0 || !both[sum]) {
			most = max(most, o+t-min(b, o, t))
		}
		bounds[sum] = bound{now: o + c.taken, most: most}
	}
	return bounds
}

// brought returns the lines of substance that both sides brought to a place.
func (f *file) brought() map[uint64]bool {
	ours, both := map[uint64]bool{}, map[uint64]bool{}
	for _, c := range f.lines.Changes(textmerge.Ours) {
		eachLine(c.Is, func(line []byte) {
			if !trivial(string(line)) {
				ours[plainSum(line)] = true
			}
		})
	}
	for _, c := range f.lines.Changes(textmerge.Theirs) {
		eachLine(c.Is, func(line []byte) {
			if sum := plainSum(line); ours[sum] {
				both[sum] = true
			}
		})
	}
	return both
}

// tellMoved says of the hunks that stay open which of their lines the golden path has
// put elsewhere, where they are now too: until somebody decides they are there twice.
func (f *file) tellMoved(p Policy) {
	taken := f.taken()
	if len(taken) == 0 {
		return
	}
	var counts map[uint64]lineCount
	for _, h := range f.hunks {
		if h.applied(p) {
			continue
		}
		moved := ""
		eachLine(h.Ours, func(line []byte) {
			sum := plainSum(line)
			if moved != "" || !taken[sum] {
				return
			}
			if counts == nil {
				counts = f.tally(taken)
			}
			if c := counts[sum]; c.taken > max(0, c.theirs-c.ours) {
				moved = string(bytes.TrimSpace(line))
			}
		})
		if moved != "" {
			h.verdict.reason += fmt.Sprintf("; the golden path has put %q elsewhere in the file, so that it is there twice until this is decided", moved)
		}
	}
}

func (in *inspector) judge(text []byte, use func(*hunk) bool) bool {
	h := in.file.examine(text, use)
	if h.parses && len(h.repeated) == 0 {
		return true
	}
	in.look()
	if in.idle {
		return true
	}
	if !h.parses {
		return false
	}
	for key := range h.repeated {
		if !in.twice[key] {
			return false
		}
	}
	return true
}

// maxTrials is how many hunks are tried one by one for the one that breaks the
// file.
const maxTrials = 24

// guard looks at the file as a whole. It reports false where even what is merged
// by lines alone makes no sound file without the hunks that are left open.
//
// A verdict without which the file is sound goes down a tier: merged to
// suggested, suggested to conflict.
func (f *file) guard() bool {
	in := f.inspector()
	merged := func(h *hunk) bool { return h.verdict.tier == Merged }
	proposed := func(h *hunk) bool { return h.verdict.tier != Conflict }
	safe := f.sift(in, merged, func(h *hunk) {
		h.verdict.tier = Suggested
		h.verdict.reason += "; not applied, because the file would not parse, or say something twice"
	})
	all := f.sift(in, proposed, func(h *hunk) {
		h.verdict = verdict{tier: Conflict, reason: "both changed these lines, and what could be proposed would not parse, or say something twice"}
	})
	return safe && all || in.sound(merged)
}

// with returns the file with the verdicts that use picks.
func (f *file) with(use func(*hunk) bool) []byte {
	return f.compose(func(h *hunk) []byte {
		if use(h) {
			return h.verdict.text
		}
		return h.Ours
	})
}

// sift demotes the verdicts among those that use picks which break the file, and
// reports whether there is none.
func (f *file) sift(in *inspector, use func(*hunk) bool, demote func(*hunk)) bool {
	if in.sound(use) {
		return true
	}
	var picked []*hunk
	for _, h := range f.hunks {
		if use(h) {
			picked = append(picked, h)
		}
	}
	var kept []*hunk
	if len(picked) <= maxTrials {
		for _, h := range picked {
			trial := append(slices.Clone(kept), h)
			if in.sound(func(h *hunk) bool { return slices.Contains(trial, h) }) {
				kept = trial
			}
		}
	}
	for _, h := range picked {
		if !slices.Contains(kept, h) {
			demote(h)
		}
	}
	return false
}
