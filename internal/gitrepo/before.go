package gitrepo

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/tree"
)

// maxBefore bounds how many commits are looked at for an earlier version of a file.
const maxBefore = 10_000

// Before returns the newest commit, from one ("": the checked-out one) along first
// parents, in which the file at a path is another one than f (nil: there is none), and
// whether there is one. It looks at up to 10,000 commits.
func (m *Member) Before(from, path string, f *tree.File) (commit string, found bool, err error) {
	if from == "" {
		head, err := m.Head()
		if err != nil {
			return "", false, err
		}
		from = head.Commit
	}
	at := plumbing.NewHash(from)
	for range maxBefore {
		if at.IsZero() {
			return "", false, nil
		}
		c, err := m.store.commit(at)
		if err != nil {
			return "", false, fmt.Errorf("looking for an earlier %s in %s: %w", path, m.root, err)
		}
		e, ok, err := m.store.lookup(c.TreeHash, path, map[plumbing.Hash][]object.TreeEntry{})
		if err != nil {
			return "", false, fmt.Errorf("looking for an earlier %s in %s: %w", path, m.root, err)
		}
		if ok != (f != nil) || ok && e.Hash.String() != string(f.Blob()) {
			return at.String(), true, nil
		}
		at = plumbing.ZeroHash
		if len(c.ParentHashes) > 0 {
			at = c.ParentHashes[0]
		}
	}
	return "", false, nil
}
