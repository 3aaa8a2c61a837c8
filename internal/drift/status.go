package drift

import (
	"bytes"
	"maps"
	"slices"

	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// State says how a member's file stands to what its lock renders.
type State string

// The states of a file.
const (
	Current     State = "current"   // as the golden path rendered it
	Edited      State = "edited"    // changed by the member, which its mode allows
	Deleted     State = "deleted"   // deleted by the member, which its mode allows
	Drifted     State = "drifted"   // managed, and not as rendered
	Undecided   State = "undecided" // has a conflict that nobody decided
	HeldBack    State = "kept"      // kept by .goldenpath.yaml
	WrittenOnce State = "once"      // the member's since creation
)

// FileState is one file and its state.
type FileState struct {
	Path  string        `json:"path"`
	State State         `json:"state"`
	Mode  scaffold.Mode `json:"mode"`
}

// Status compares a member's files with its lock, without any rendering; base is
// asked for the files with blocks that were edited.
func Status(s *Section, ours tree.Tree, base func(string, LockedFile) (tree.File, bool)) []FileState {
	var fs []FileState
	ours = onlyFiles(ours)
	for _, path := range slices.Sorted(maps.Keys(s.Files)) {
		l, mine := s.Files[path], get(ours, path)
		if mine != nil {
			l = l.returned()
		}
		fs = append(fs, FileState{path, l.state(path, mine, base), l.Mode})
	}
	return fs
}

func (l LockedFile) state(path string, ours *tree.File, base func(string, LockedFile) (tree.File, bool)) State {
	switch {
	case l.Open:
		return Undecided
	case l.Mode == scaffold.Once && l.Blob != "" && !l.Deleted:
		return WrittenOnce // its base is from long ago, and nothing waits for it
	case l.Earlier != "" || l.Blob == "":
		return HeldBack
	case ours != nil && ours.Kind == l.Kind && ours.Blob() == l.Blob:
		return Current
	case l.Mode == scaffold.Managed:
		return Drifted
	case ours == nil:
		return Deleted
	case l.Mode == scaffold.Block && blocksDiffer(path, l, ours, base):
		return Drifted
	}
	return Edited
}

// blocksDiffer reports whether a block of the golden path's is changed. One that the
// member took out stays out, as a file does that the member deleted.
func blocksDiffer(path string, l LockedFile, ours *tree.File, base func(string, LockedFile) (tree.File, bool)) bool {
	b := l.base(path, base)
	if b == nil {
		return true
	}
	mine, err := regions(ours.Data)
	if err != nil {
		return true
	}
	theirs, _ := regions(b.Data) // a file without sound markers has no blocks to compare
	for _, t := range theirs {
		m, has := find(mine, t.name)
		if has && !bytes.Equal(ours.Data[m.lo:m.hi], b.Data[t.lo:t.hi]) {
			return true
		}
	}
	return false
}
