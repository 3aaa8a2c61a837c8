package drift

import (
	"bytes"
	"maps"
	"slices"

	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// moves are the files to which the golden path gave other paths.
type moves struct {
	from map[string]string // old paths by new ones
	to   map[string]string // new paths by old ones
	// stay are those, by their old paths, that the member keeps where they are.
	stay map[string]Keep
}

// leaves reports whether the golden path moved the file that it had at a path.
func (m moves) leaves(path string) bool { return m.to[path] != "" }

func (m moves) take(to, from string) { m.from[to], m.to[from] = from, to }

// findMoves finds the files that the golden path moved. A migration says so, or both
// come from the same source, or what the golden path removed is much like what it
// added.
func (p *planner) findMoves() {
	p.moves = moves{p.declared(), map[string]string{}, map[string]Keep{}}
	for to, from := range p.from {
		p.to[from] = to
	}
	added := p.added()
	for _, from := range p.gone() {
		for _, to := range slices.Sorted(maps.Keys(added)) {
			if p.Theirs[to].Origin == p.Locked.Files[from].origin(from) {
				p.take(to, from)
				delete(added, to)
				break
			}
		}
	}
	for _, from := range p.gone() {
		if to := p.mostAlike(from, p.Theirs, added); to != "" {
			p.take(to, from)
			delete(added, to)
		}
	}
	p.findStaying()
}

// declared are the moves, old paths by new ones, that migrations declare. They are
// made all at once, so that one may lead to where another one begins, as where two
// files change places.
func (p *planner) declared() map[string]string {
	from, leaving := map[string]string{}, map[string]bool{}
	for _, old := range slices.Sorted(maps.Keys(p.Renames)) {
		to := p.Renames[old]
		_, rendered := p.Theirs[to]
		_, owned := p.Owned[to]
		if old != to && p.movable(old) && rendered && !owned && from[to] == "" {
			from[to], leaving[old] = old, true
		}
	}
	// One whose new path stays taken is none, and leaves its old path taken.
	for again := true; again; {
		again = false
		for to, old := range from {
			if !leaving[to] && p.taken(to) {
				delete(from, to)
				delete(leaving, old)
				again = true
			}
		}
	}
	return from
}

// taken reports whether the golden path had a file at a path before, or the member has
// one of its own.
func (p *planner) taken(path string) bool {
	_, before := p.locked(path)
	_, theirOwn := p.Ours[path]
	return before || theirOwn
}

// movable reports whether a file is the golden path's to move: what never had a base is
// the member's own, and what another golden path has taken over is that one's.
func (p *planner) movable(path string) bool {
	_, owned := p.Owned[path]
	l, _ := p.locked(path)
	return !owned && l.Blob != ""
}

// gone returns the files that the golden path has no more, nor moved as far as is
// known.
func (p *planner) gone() []string {
	var gone []string
	for path := range p.Locked.Files {
		if _, still := p.Theirs[path]; !still && p.movable(path) && !p.leaves(path) {
			gone = append(gone, path)
		}
	}
	slices.Sort(gone)
	return gone
}

// added returns the paths to which the golden path may have moved a file: new
// ones, at which the member has nothing of its own.
func (p *planner) added() map[string]bool {
	added := map[string]bool{}
	for path := range p.Theirs {
		if _, owned := p.Owned[path]; !owned && p.from[path] == "" && !p.taken(path) {
			added[path] = true
		}
	}
	return added
}

// findStaying finds the files that stay where they are, though the golden path moved
// them: those of which the member keeps the old path or the new one, and those that
// would go where one of them stays.
func (p *planner) findStaying() {
	moving := slices.Sorted(maps.Keys(p.to))
	for _, from := range moving {
		if k, ok := p.kept(from, p.to[from]); ok && p.moving(from) {
			p.stay[from] = k
		}
	}
	for again := true; again; {
		again = false
		for _, from := range moving {
			_, stays := p.stay[from]
			if k, taken := p.stay[p.to[from]]; taken && !stays && p.moving(from) {
				p.stay[from], again = k, true
			}
		}
	}
}

// moving reports whether the member has a file that a move would take along.
func (p *planner) moving(from string) bool {
	_, has := p.Ours[from]
	return has && (p.Theirs[p.to[from]].Mode != scaffold.Once || p.makesRoom(from))
}

// makesRoom reports whether a file of the member's since creation, which would stay where
// it is, goes along with the golden path's move: another one is moved to its place.
func (p *planner) makesRoom(from string) bool {
	for at := from; ; {
		at = p.from[at]
		_, has := p.Ours[at]
		_, stays := p.stay[at]
		switch {
		case at == "" || at == from || !has || stays:
			return false
		case p.Theirs[p.to[at]].Mode != scaffold.Once:
			return true
		}
	}
}

// staysOnce reports whether the member has a file, since creation, at a path from which
// the golden path moved it.
func (p *planner) staysOnce(path string) bool {
	_, has := p.Ours[path]
	return has && p.leaves(path) && p.Theirs[p.to[path]].Mode == scaffold.Once
}

// kept returns the entry of keep that holds for one of two paths today.
func (p *planner) kept(a, b string) (Keep, bool) {
	if k, ok := kept(p.Keeps, a, p.Today); ok {
		return k, true
	}
	return kept(p.Keeps, b, p.Today)
}

// maxCandidates bounds the comparisons of removed with added files.
const maxCandidates = 200

// mostAlike returns the file, of those that were added to a rendering, that is the most
// like a removed one: at least half of their lines are the same, as git's rename
// detection asks.
func (p *planner) mostAlike(from string, theirs scaffold.Rendering, added map[string]bool) string {
	locked := p.Locked.Files[from]
	if len(added) == 0 || len(added) > maxCandidates || locked.Blob == "" {
		return ""
	}
	best, most := "", 0.5
	var base *tree.File
	for _, to := range slices.Sorted(maps.Keys(added)) {
		if theirs[to].Blob() == locked.Blob && len(theirs[to].File.Data) > 0 {
			return to
		}
		if locked.Mode == scaffold.Once {
			continue // its base is what the member was given long ago
		}
		if base == nil {
			if base = p.base(from, locked); base == nil {
				return ""
			}
		}
		if s := Similarity(base.Data, theirs[to].File.Data); s > most && len(base.Data) > 0 {
			best, most = to, s
		}
	}
	return best
}

// Similarity is the share of bytes, from 0 to 1, that stand in lines that both
// texts have. Binary files are alike only where they are equal.
func Similarity(a, b []byte) float64 {
	if bytes.Equal(a, b) {
		return 1
	}
	if tree.IsBinary(a) || tree.IsBinary(b) {
		return 0
	}
	count := map[string]int{}
	for line := range bytes.SplitAfterSeq(a, []byte("\n")) {
		count[string(line)]++
	}
	same := 0
	for line := range bytes.SplitAfterSeq(b, []byte("\n")) {
		if count[string(line)] > 0 {
			count[string(line)]--
			same += len(line)
		}
	}
	return 2 * float64(same) / float64(len(a)+len(b))
}
