package drift

import (
	"maps"
	"slices"

	"github.com/goldenpaths/syncer/internal/scaffold"
)

// Crossing returns the files, new paths by old ones, that go from one golden path of the
// member to another under another name: the one has them no more, and the other has
// something new that is much like them. Only files that the member edited count; of others
// nothing has to be carried along. One that is kept stays where it is.
func Crossing(from, to Request) map[string]string {
	a, b := newPlanner(from), newPlanner(to)
	a.findMoves()
	gone := slices.DeleteFunc(a.gone(), func(path string) bool { return !a.carries(path) })
	if len(gone) == 0 {
		return nil
	}
	b.findMoves()
	added := b.added()
	maps.DeleteFunc(added, func(path string, _ bool) bool {
		return b.Theirs[path].Mode == scaffold.Once || b.Holds(path)
	})
	crossing := map[string]string{}
	for _, path := range gone {
		if at := a.mostAlike(path, b.Theirs, added); at != "" {
			crossing[path] = at
			delete(added, at)
		}
	}
	return crossing
}

// carries reports whether a file has edits of the member's that are to go with it.
func (p *planner) carries(path string) bool {
	mine, l := get(p.Ours, path), p.Locked.Files[path]
	return mine != nil && l.Mode != scaffold.Once && mine.Blob() != l.Blob && !p.Holds(path)
}
