package walks

import (
	"path"

	"github.com/goldenpaths/syncer/internal/tree"
)

// addTwins adds what is known of the repository, and what some file system takes for one
// of the paths that it does not have or for a folder on the way to one.
func (s *snapshot) addTwins(paths []string, found tree.Tree) {
	var twins map[string][]string
	for _, p := range paths {
		if _, there := found[p]; there {
			continue
		}
		if twins == nil {
			twins = map[string][]string{}
			for known := range s.known {
				same := tree.Folded(known)
				twins[same] = append(twins[same], known)
			}
		}
		for at := p; at != "."; at = path.Dir(at) {
			for _, twin := range twins[tree.Folded(at)] {
				if f := s.known[twin]; twin != at && (at == p || f.Kind != tree.Folder) {
					found[twin] = f
				}
			}
		}
	}
}
