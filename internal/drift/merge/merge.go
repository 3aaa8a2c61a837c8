// Package merge joins two versions of a file that come from a common base, and
// says of every place where both changed how sure it is of the outcome.
//
// [Merge] begins with the lines, as git does ([textmerge.Merge]). Where that is
// clean, its result is the result, byte for byte. Each hunk that git would leave
// as a conflict then goes through a cascade of resolvers (cascade.go), the surest
// first. What a resolver proposes is checked before it is believed (guard.go):
// no line twice that neither side had twice, and a file that parsed on all three
// sides parses afterwards.
//
// Every hunk ends in one of three tiers. [Merged] is as safe as what git merges
// cleanly, and applied. [Suggested] is probably right, and applied only where
// the [Policy] says so. [Conflict] is for a person. A hunk that is not applied
// keeps ours, and no hunk is left out of [Result.Hunks]: nothing is decided in
// silence.
//
// All functions are pure, and their time is bounded by the size of the inputs
// (limits.go).
package merge

import (
	"bytes"

	"github.com/goldenpaths/syncer/internal/drift/merge/outline"
	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// Tier says how sure the merge is of a hunk. A higher tier is less sure.
type Tier int

// The tiers.
const (
	Merged    Tier = iota // safe: applied
	Suggested             // probably right: applied where the policy says so
	Conflict              // somebody has to decide
)

// String returns the tier's name in lower case.
func (t Tier) String() string {
	return [...]string{"merged", "suggested", "conflict"}[t]
}

// MarshalText writes the tier by its name.
func (t Tier) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Policy says what becomes of suggestions.
type Policy int

// The policies.
const (
	Propose Policy = iota // a suggestion is shown; ours stays in the file
	Apply                 // a suggestion is applied, and shown
)

// Options are what a merge may take into account besides the three texts. The
// zero value is usable.
type Options struct {
	// Lines merges by lines alone, as git does: no resolver is asked, and no file is
	// treated by its kind.
	Lines     bool
	Suggested Policy
	// Off names the resolvers that are not to be used (see [Resolvers]).
	Off []string
	// On names the optional resolvers that are to be used.
	On []string
	// Decided returns what somebody decided about a hunk before. It is asked
	// first.
	Decided func(base, ours, theirs []byte) (text []byte, ok bool)
	// Accepted reports whether somebody took the proposal for a hunk before: a
	// suggestion for it is then merged.
	Accepted func(base, ours, theirs []byte) bool
	// Between are the golden path's versions of the file after base and before
	// theirs, oldest first.
	Between [][]byte
	// Care says whose the file is; the zero value goes by its name.
	Care Care
	// MembersDecided makes what a member's file keeps (see [Members]) a decision:
	// merged, where it otherwise is a suggestion.
	MembersDecided bool
	// Memory tells how people resolved the same hunk elsewhere; may be nil.
	Memory Memory
}

// Hunk is a place where both sides changed the same lines, each in its own way.
// The slices must not be changed; lines count from 1, and are 0 where the hunk is
// the file as a whole.
type Hunk struct {
	Base, Ours, Theirs             []byte
	BaseLine, OursLine, TheirsLine int

	Tier     Tier
	Resolver string // who proposes; "" for a conflict
	Reason   string // why, in words
	// Proposal is what a merged or suggested hunk's text should be; nil for a
	// conflict.
	Proposal []byte
	// Applied is true where Result.Text holds Proposal; where false it holds Ours.
	Applied bool
	// Offset is where the hunk begins in Result.Text.
	Offset int
}

// Text returns what stands in the merged file for the hunk.
func (h Hunk) Text() []byte {
	if h.Applied {
		return h.Proposal
	}
	return h.Ours
}

// Result is what became of a merge.
type Result struct {
	// Text is the merged file. It may share memory with an input and must not be
	// changed.
	Text []byte
	// Hunks are the places that both sides changed, from top to bottom; empty
	// where the lines alone merge cleanly.
	Hunks []Hunk
}

// Clean reports whether nothing is left to decide: every hunk is applied.
func (r Result) Clean() bool { return r.Open() == 0 }

// Open returns how many hunks are not applied.
func (r Result) Open() int {
	n := 0
	for _, h := range r.Hunks {
		if !h.Applied {
			n++
		}
	}
	return n
}

// With returns the text with what take returns in the place of every hunk that is
// not applied.
func (r Result) With(take func(Hunk) []byte) []byte {
	var out []byte
	at := 0
	for _, h := range r.Hunks {
		if h.Applied {
			continue
		}
		out = append(out, r.Text[at:h.Offset]...)
		out = append(out, take(h)...)
		at = h.Offset + len(h.Ours)
	}
	return append(out, r.Text[at:]...)
}

// Merge applies to ours what changed between base and theirs. The path tells
// what kind of file it is; it is not opened.
func Merge(path string, base, ours, theirs []byte, options Options) Result {
	r := textmerge.Merge(base, ours, theirs)
	if options.Lines && r.Clean() {
		return Result{Text: r.Merged}
	}
	f := newFile(path, base, ours, theirs, r)
	if options.Lines {
		for _, h := range f.hunks {
			h.decide(&options)
		}
		return f.result(options.Suggested)
	}
	if care, command := CareOf(path); options.Care == Tools || options.Care == ByKind && care == Tools {
		if one := oneSided(base, ours, theirs); one != nil {
			return Result{Text: one}
		}
		return f.whole("a lock file is never merged by lines; yours stays, and " + orElse(command, "its tool") + " brings it up to date")
	}
	if r.Clean() {
		if f.inspector().sound(nil) {
			return Result{Text: r.Merged}
		}
		return f.whole("the changes do not overlap, but together they would not parse, or say something twice; yours stays")
	}
	if !f.resolve(options) {
		return f.allOrNothing(options.Suggested)
	}
	f.tellMoved(options.Suggested)
	return f.result(options.Suggested)
}

// oneSided returns the result where at most one side changed the text, or both
// alike; nil where both did.
func oneSided(base, ours, theirs []byte) []byte {
	switch {
	case bytes.Equal(base, theirs), bytes.Equal(ours, theirs):
		return append([]byte{}, ours...)
	case bytes.Equal(base, ours):
		return append([]byte{}, theirs...)
	}
	return nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// whole makes one conflict of the file: ours stays.
func (f *file) whole(reason string) Result {
	return Result{Text: f.ours, Hunks: []Hunk{{
		Base: f.base, Ours: f.ours, Theirs: f.theirs,
		Tier: Conflict, Reason: reason,
	}}}
}

// file is a merge that has conflicts, on its way through the resolvers.
type file struct {
	kind               Kind
	care               Care
	base, ours, theirs []byte
	lines              textmerge.Result
	text               []byte // with ours in every hunk
	hunks              []*hunk
	baseNames          map[string]int // made when first asked for, as are the next
	ourNames           map[string]int
	theirNames         map[string]int
	times              *[2]string // see moments
	undecidedLeaf      bool       // the structure had to take a side
	alike              *float64
	baseSums           []uint64        // see sums
	takenSums          map[uint64]bool // see taken
	outlines           [3]*outline.Node
	leaves             map[[3]string]*file // what was merged within the structure
	within             *file               // of what is merged within the structure: the file that it is part of
}

// hunk is a conflict, and what is thought of it so far.
type hunk struct {
	textmerge.Hunk
	file    *file
	b, o, t []string // the lines
	laid    *grid    // made when first asked for
	inLeaf  bool     // part of a node of an outline
	course  *toward  // made when first asked for
	verdict verdict
}

// verdict is what a resolver says about a hunk.
type verdict struct {
	tier     Tier
	resolver string
	reason   string
	text     []byte
}

// applied reports whether the file gets what the verdict says, under a policy.
func (h *hunk) applied(p Policy) bool {
	return h.verdict.tier == Merged || h.verdict.tier == Suggested && p == Apply
}

func newFile(path string, base, ours, theirs []byte, r textmerge.Result) *file {
	f := &file{kind: KindOf(path), base: base, ours: ours, theirs: theirs, lines: r, text: r.Merged}
	f.care, _ = CareOf(path)
	for _, c := range r.Conflicts {
		f.hunks = append(f.hunks, newHunk(f, c))
	}
	return f
}

func newHunk(f *file, c textmerge.Hunk) *hunk {
	return &hunk{
		Hunk: c, file: f, b: cut(c.Base), o: cut(c.Ours), t: cut(c.Theirs),
		verdict: verdict{tier: Conflict, reason: "both changed these lines, each in its own way"},
	}
}

// allOrNothing makes one hunk of a file that is sound only with every suggestion
// in it, or not at all.
func (f *file) allOrNothing(p Policy) Result {
	r := f.whole("what can be merged makes no valid file without what cannot; yours stays as it is")
	for _, h := range f.hunks {
		if h.verdict.tier == Conflict {
			return r
		}
	}
	h := &r.Hunks[0]
	h.Tier, h.Resolver, h.Applied = Suggested, f.hunks[0].verdict.resolver, p == Apply
	h.Reason = "the parts of this merge make a valid file only together: " + f.hunks[0].verdict.reason
	h.Proposal = f.with(func(*hunk) bool { return true })
	r.Text = h.Text()
	return r
}

// result puts the file together under a policy.
func (f *file) result(p Policy) Result {
	r := Result{Hunks: make([]Hunk, 0, len(f.hunks))}
	out := make([]byte, 0, len(f.text)+len(f.text)/8)
	at := 0
	for _, h := range f.hunks {
		v, applied := h.verdict, h.applied(p)
		out = append(out, f.text[at:h.Offset]...)
		at = h.Offset + len(h.Ours)
		done := Hunk{
			Base: h.Base, Ours: h.Ours, Theirs: h.Theirs,
			BaseLine: h.BaseLine, OursLine: h.OursLine, TheirsLine: h.TheirsLine,
			Tier: v.tier, Resolver: v.resolver, Reason: v.reason, Proposal: v.text,
			Applied: applied, Offset: len(out),
		}
		r.Hunks = append(r.Hunks, done)
		out = append(out, done.Text()...)
	}
	r.Text = append(out, f.text[at:]...)
	return r
}

// compose returns the file with what take returns in the place of each hunk.
func (f *file) compose(take func(*hunk) []byte) []byte {
	if len(f.hunks) == 0 {
		return f.text
	}
	out := make([]byte, 0, len(f.text)+len(f.text)/8)
	at := 0
	for _, h := range f.hunks {
		out = append(out, f.text[at:h.Offset]...)
		out = append(out, take(h)...)
		at = h.Offset + len(h.Ours)
	}
	return append(out, f.text[at:]...)
}

// cut cuts a text into lines, terminators included.
func cut(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	parts := bytes.SplitAfter(text, []byte{'\n'})
	lines := make([]string, 0, len(parts))
	for _, p := range parts {
		if len(p) > 0 {
			lines = append(lines, string(p))
		}
	}
	return lines
}
