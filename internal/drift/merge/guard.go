package merge

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"
)

// repeats reports whether a hunk's proposal would bring a line of substance into
// the file twice that neither side has twice, or more often than both sides
// together account for.
func (h *hunk) repeats(text []byte) bool {
	was, now := map[uint64]int{}, map[uint64]int{}
	eachLine(text, func(line []byte) { now[plainSum(line)]++ })
	eachLine(h.Ours, func(line []byte) { was[plainSum(line)]++ })
	more := map[uint64]bool{} // the lines of substance of which there would be more
	eachLine(text, func(line []byte) {
		if sum := plainSum(line); now[sum] > was[sum] && !trivial(string(line)) {
			more[sum] = true
		}
	})
	if len(more) == 0 {
		return false
	}
	f := h.file
	base, ours, theirs, merged := tally(f.base, more), tally(f.ours, more), tally(f.theirs, more), tally(f.text, more)
	for l := range more {
		n := now[l]
		total := merged[l] - was[l] + n
		o, t := ours[l], theirs[l]
		if total < 2 || total <= max(o, t) {
			continue
		}
		if o < 2 && t < 2 || total > o+t-min(base[l], o, t) {
			return true
		}
	}
	return false
}

// tally counts some lines of a text, layout aside.
func tally(text []byte, which map[uint64]bool) map[uint64]int {
	counts := make(map[uint64]int, len(which))
	eachLine(text, func(line []byte) {
		if sum := plainSum(line); which[sum] {
			counts[sum]++
		}
	})
	return counts
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
	file   *file
	looked bool
	idle   bool // the three are not sound themselves, or nothing is known of the format
	twice  map[string]bool
	known  map[string]bool // what was asked before
	alike  map[uint64]int  // see brought
}

func (f *file) inspector() *inspector {
	return &inspector{
		file: f, known: map[string]bool{},
		idle: !f.kind.checked() || max(len(f.base), len(f.ours), len(f.theirs)) > maxParse,
	}
}

// look examines the three versions. That takes longer than all else, and most
// merges are sound, so that it is put off until one is not.
func (in *inspector) look() {
	if in.looked || in.idle {
		return
	}
	in.looked, in.twice = true, map[string]bool{}
	for _, text := range [][]byte{in.file.base, in.file.ours, in.file.theirs} {
		h := in.file.kind.examine(text)
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

func (in *inspector) sound(text []byte) bool {
	if bytes.Equal(text, in.file.ours) || bytes.Equal(text, in.file.theirs) || bytes.Equal(text, in.file.base) {
		return true
	}
	if len(in.file.hunks) > 0 && in.saysAgain(text) {
		return false
	}
	if in.idle {
		return true
	}
	ok, known := in.known[string(text)]
	if !known {
		ok = in.judge(text)
		in.known[string(text)] = ok
	}
	return ok
}

// saysAgain reports whether a line of substance that both sides brought is in the
// text more often than in either: each put it somewhere else. What git merges
// cleanly is not asked: there people keep it in most cases.
func (in *inspector) saysAgain(text []byte) bool {
	if in.alike == nil {
		in.alike = in.file.brought()
	}
	if len(in.alike) == 0 {
		return false
	}
	seen := map[uint64]int{}
	again := false
	eachLine(text, func(line []byte) {
		sum := plainSum(line)
		if most, ok := in.alike[sum]; ok {
			seen[sum]++
			again = again || seen[sum] > most
		}
	})
	return again
}

// brought returns the lines of substance that both sides have and the base has
// not, each with how often the side has it that has it more often.
func (f *file) brought() map[uint64]int {
	base := map[uint64]bool{}
	eachLine(f.base, func(line []byte) { base[plainSum(line)] = true })
	ours, both := map[uint64]int{}, map[uint64]int{}
	eachLine(f.ours, func(line []byte) {
		if sum := plainSum(line); !base[sum] && !trivial(string(line)) {
			ours[sum]++
		}
	})
	eachLine(f.theirs, func(line []byte) {
		if sum := plainSum(line); ours[sum] > 0 {
			both[sum]++
		}
	})
	for sum, n := range both {
		both[sum] = max(n, ours[sum])
	}
	return both
}

func (in *inspector) judge(text []byte) bool {
	h := in.file.examine(text)
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
	f.sift(in, merged, func(h *hunk) {
		h.verdict.tier = Suggested
		h.verdict.reason += "; not applied, because the file would not parse, or say something twice"
	})
	f.sift(in, proposed, func(h *hunk) {
		h.verdict = verdict{tier: Conflict, reason: "both changed these lines, and what could be proposed would not parse, or say something twice"}
	})
	return in.sound(f.with(merged))
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

// sift demotes the verdicts among those that use picks which break the file.
func (f *file) sift(in *inspector, use func(*hunk) bool, demote func(*hunk)) {
	if in.sound(f.with(use)) {
		return
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
			if in.sound(f.with(func(h *hunk) bool { return slices.Contains(trial, h) })) {
				kept = trial
			}
		}
	}
	for _, h := range picked {
		if !slices.Contains(kept, h) {
			demote(h)
		}
	}
}
