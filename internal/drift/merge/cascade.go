package merge

import (
	"slices"
	"strings"
)

// resolver decides hunks of one sort. It returns false where it has nothing to
// say.
type resolver struct {
	name  string
	tier  Tier
	about string
	run   func(*hunk, *Options) (verdict, bool)
	// optional is true for a resolver that did not pay: people agreed with less than
	// half of what it proposed. It is asked only where [Options.On] names it.
	optional bool
}

// sure and unsure are the cascade: asked from top to bottom, the first that
// answers decides. The file's structure is asked between the two.
var sure = []resolver{
	{MemberFile, Suggested, "the file is of a kind that belongs to the member", members, false},
	{"layout", Merged, "one side changed white space only", plainly(layoutOnly), false},
	{"already-ours", Merged, "ours has the golden path's change already", plainly(alreadyOurs), false},
	{"already-theirs", Merged, "the golden path has the member's change already", plainly(alreadyTheirs), false},
	{"word-by-word", Merged, "the golden path has every word of the member's change", plainly(wordByWord), false},
	{"between", Merged, "ours is a version of the golden path between base and theirs", between, false},
	{"versions", Merged, "the sides differ in versions only: the larger", plainly(byVersions), false},
	{"renamed", Suggested, "one side renamed, throughout the file, what the other side's change uses", plainly(renamed), false},
	{"neighbours", Suggested, "the sides changed or removed different lines beside each other", plainly(byNeighbours), false},
	{"removed", Suggested, "the golden path changed lines that the member removed or rewrote", plainly(byRemoved), false},
	{"memory", Suggested, "people decided the same hunk alike in at least three other members", remembered, false},
	{"identifiers", Suggested, "both sides replaced a generated identifier", plainly(identifiers), false},
}

var unsure = []resolver{
	{"words", Suggested, "the sides changed different words of a line", plainly(byWords), false},
	{"beside", Suggested, "one side added lines beside lines that the other changed", plainly(byBeside), true},
	{"inserts", Suggested, "both sides added lines in the same place", plainly(byInserts), true},
	{"dropped", Suggested, "the golden path removed lines that the member changed", plainly(byDropped), false},
	{"gone", Suggested, "the golden path removed lines that the member's file does not have any more", plainly(byGone), false},
	{"comments", Suggested, "the golden path changed comments only", plainly(byComments), false},
	{"nearer", Suggested, "the golden path's version is nearly the member's, or has its change but for a word or two", plainly(nearer), false},
	{"touched", Suggested, "the golden path changed what the member had changed in a file otherwise left alone", plainly(touched), false},
}

// Resolver describes a member of the cascade.
type Resolver struct {
	Name  string
	Tier  Tier
	About string // what sort of hunk it decides
	// Optional resolvers are asked only where [Options.On] names them.
	Optional bool
}

// Resolvers returns the cascade in its order.
func Resolvers() []Resolver {
	var rs []Resolver
	for _, r := range sure {
		rs = append(rs, Resolver{r.name, r.tier, r.about, r.optional})
	}
	rs = append(rs, Resolver{structure, Suggested, "the sides changed different entries, blocks or sections of a structured file", false})
	for _, r := range unsure {
		rs = append(rs, Resolver{r.name, r.tier, r.about, r.optional})
	}
	return rs
}

func plainly(run func(*hunk) (verdict, bool)) func(*hunk, *Options) (verdict, bool) {
	return func(h *hunk, _ *Options) (verdict, bool) { return run(h) }
}

// resolve asks the resolvers about every hunk, and then the guards about the
// whole. It reports whether the file is sound with what is applied in any case.
func (f *file) resolve(options Options) bool {
	for _, h := range f.hunks {
		h.decide(&options)
		h.ask(&options, sure)
	}
	if !slices.Contains(options.Off, structure) {
		f.byStructure(&options)
	}
	for _, h := range f.hunks {
		h.ask(&options, unsure)
	}
	if options.Accepted != nil {
		f.accept(options.Accepted)
	}
	return f.guard()
}

// accept merges the suggestions that somebody took before.
func (f *file) accept(accepted func(base, ours, theirs []byte) bool) {
	for _, h := range f.hunks {
		if h.verdict.tier == Suggested && accepted(h.Base, h.Ours, h.Theirs) {
			h.verdict.tier = Merged
			h.verdict.reason += "; taken before"
		}
	}
}

// decide takes what somebody decided about the hunk before.
func (h *hunk) decide(options *Options) {
	if options.Decided == nil {
		return
	}
	if text, ok := options.Decided(h.Base, h.Ours, h.Theirs); ok {
		h.verdict = verdict{tier: Merged, resolver: Decided, reason: "as decided before", text: h.terminated(text)}
	}
}

// ask asks some of the cascade about a hunk that is still a conflict.
func (h *hunk) ask(options *Options, cascade []resolver) {
	if h.verdict.tier != Conflict {
		return
	}
	if len(h.Base)+len(h.Ours)+len(h.Theirs) > maxHunkBytes {
		h.verdict.reason = "both changed these lines, and there are too many of them to be looked at closely"
		return
	}
	for _, r := range cascade {
		if slices.Contains(options.Off, r.name) || r.optional && !slices.Contains(options.On, r.name) {
			continue
		}
		if v, ok := r.run(h, options); ok {
			v.resolver, v.tier = r.name, max(v.tier, r.tier)
			if r.name == MemberFile && options.MembersDecided {
				v.tier = Merged
			}
			if v.text = h.terminated(v.text); !h.inLeaf && h.repeats(v.text) {
				continue
			}
			h.verdict = v
			return
		}
	}
}

// Decided is what [Hunk.Resolver] says of a hunk that [Options.Decided] decided.
const Decided = "decided"

// terminated ends a text with a line's end where lines follow the hunk.
func (h *hunk) terminated(text []byte) []byte {
	if len(text) == 0 || text[len(text)-1] == '\n' || h.Offset+len(h.Ours) == len(h.file.text) {
		return text
	}
	return append(slices.Clip(text), '\n')
}

// says makes a verdict of a text.
func (h *hunk) says(text, reason string) (verdict, bool) {
	return verdict{text: []byte(text), reason: reason}, true
}

func propose(lines []string, reason string) (verdict, bool) {
	return verdict{text: []byte(strings.Join(lines, "")), reason: reason}, true
}

// alreadyOurs: ours has what theirs changed, and more.
func alreadyOurs(h *hunk) (verdict, bool) {
	if g := h.grid(); !has(h.b, h.t, h.o, g.t, g.o) {
		return verdict{}, false
	}
	v, _ := propose(h.o, "your version already has the golden path's change")
	if bagOf(string(h.Base)).likeness(bagOf(string(h.Theirs))) < smallChange {
		v.tier = Suggested
		v.reason += ", and more; but that is a change of nearly all that stood here"
	}
	return v, true
}

// smallChange is how like the base theirs must be for ours to have its change for
// sure. Where the golden path wrote anew what stood there, people often take
// what it wrote as a whole.
const smallChange = 0.75

// alreadyTheirs: theirs has what ours changed, and more.
func alreadyTheirs(h *hunk) (verdict, bool) {
	if g := h.grid(); has(h.b, h.o, h.t, g.o, g.t) {
		return propose(h.t, "the golden path's version already has your change")
	}
	return verdict{}, false
}

// has reports whether the change from b to x is in y as well: what x added or
// changed is there, in order, and what it removed is not. A change of lines that
// say next to nothing is found everywhere, and does not count. A mere removal is not
// in what writes something else there: whoever removed it did not ask for that.
func has(b, x, y []string, inX, inY []int) bool {
	base, have := count(each(b, plain)), count(each(x, plain))
	var added []string
	substance := false
	for _, l := range x {
		if p := plain(l); have[p] > base[p] {
			added = append(added, l)
			substance = substance || !trivial(l)
		}
	}
	for i, l := range b {
		if inX[i] < 0 {
			if inY[i] >= 0 {
				return false
			}
			substance = substance || !blank(l)
		}
	}
	if len(added) == 0 && adds(b, y) {
		return false
	}
	return substance && contains(y, added)
}

// adds reports whether y has a line more often than b.
func adds(b, y []string) bool {
	base := count(each(b, plain))
	for l, n := range count(each(y, plain)) {
		if n > base[l] && !blank(l) {
			return true
		}
	}
	return false
}

func blank(line string) bool { return strings.TrimSpace(line) == "" }

// between: ours is what the golden path was on its way from base to theirs.
func between(h *hunk, options *Options) (verdict, bool) {
	if len(h.Ours) == 0 {
		return verdict{}, false
	}
	for _, render := range options.Between {
		at := strings.Index(string(render), string(h.Ours))
		if at >= 0 && (at == 0 || render[at-1] == '\n') && !trivial(string(h.Ours)) {
			return propose(h.t, "your version is what the golden path had in between; its newest is taken")
		}
	}
	return verdict{}, false
}
