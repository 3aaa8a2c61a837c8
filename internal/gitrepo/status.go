package gitrepo

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Uncommitted returns those of the paths at which the work tree, the index and the
// checked-out commit do not all say the same, in byte order: edited, staged,
// untracked, deleted, or in conflict. Only these paths are looked at, and files
// are compared by content, never by their times alone.
//
// What git would not call a change is none: line ends that core.autocrlf or the
// text attribute converts, execute bits where core.fileMode is false.
func (m *Member) Uncommitted(paths []string) ([]string, error) {
	c, err := m.comparison()
	if err != nil {
		return nil, fmt.Errorf("comparing files of %s: %w", m.root, err)
	}
	defer c.work.close()
	var dirty []string
	for _, p := range paths {
		same, err := c.same(p)
		if err != nil {
			return nil, fmt.Errorf("comparing %s in %s: %w", p, m.root, err)
		}
		if !same {
			dirty = append(dirty, p)
		}
	}
	slices.Sort(dirty)
	return slices.Compact(dirty), nil
}

// Unmerged returns those of the paths that are in the middle of a merge which a
// person has to finish, in the given order.
func (m *Member) Unmerged(paths []string) ([]string, error) {
	index, err := m.readIndex()
	if err != nil {
		return nil, fmt.Errorf("the index of %s: %w", m.root, err)
	}
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !index.unmerged[p] }), nil
}

// comparison is what the three states of a file are read from.
type comparison struct {
	*checkout
	head plumbing.Hash // the tree; zero where there is no commit yet
}

func (m *Member) comparison() (*comparison, error) {
	head, err := m.Head()
	if err != nil {
		return nil, err
	}
	c := &comparison{}
	if head.Commit != "" {
		if c.head, err = m.store.rootOf(head.Commit); err != nil {
			return nil, err
		}
	}
	if c.checkout, err = m.checkout(); err != nil {
		return nil, err
	}
	if err := c.needIndex(); err != nil {
		c.work.close()
		return nil, err
	}
	return c, nil
}

func (c *comparison) same(p string) (bool, error) {
	if err := checkInside(p); err != nil {
		return false, err
	}
	if c.index.unmerged[p] {
		return false, nil
	}
	committed, err := c.committed(p)
	if err != nil {
		return false, err
	}
	staged, err := c.staged(p)
	if err != nil {
		return false, err
	}
	if staged.promised || staged.kind != committed.kind || staged.blob != committed.blob {
		return false, nil
	}
	return c.sameOnDisk(p, staged)
}

// committed returns the entry of the checked-out commit, or the zero entry.
func (c *comparison) committed(p string) (indexEntry, error) {
	if c.head.IsZero() {
		return indexEntry{}, nil
	}
	return c.lookupEntry(c.head, p)
}

func (c *comparison) sameOnDisk(p string, staged indexEntry) (bool, error) {
	f, exists, err := c.work.read(p)
	var obstacle *NotFileError
	switch {
	case errors.As(err, &obstacle):
		// Where nothing is committed or staged, a folder is no change of this path: the
		// files in it have their own.
		return staged.kind == 0, nil
	case err != nil:
		return false, err
	case !exists:
		return staged.kind == 0 || staged.sparse, nil
	case staged.kind == 0:
		return false, nil
	}
	if !c.sameKind(f.Kind, staged.kind) {
		return false, nil
	}
	if plumbing.NewHash(string(f.Blob())) == staged.blob {
		return true, nil
	}
	if f.Kind.IsLink() {
		return false, nil
	}
	return c.sameConverted(p, f, staged)
}

func (c *comparison) sameKind(disk, staged tree.Kind) bool {
	switch {
	case disk == staged:
		return true
	case staged == tree.Symlink:
		// Where links cannot be made, git writes their target into a file.
		return !c.settings.symlinks()
	case disk == tree.Symlink:
		return false
	}
	return !c.settings.fileMode()
}

// sameConverted compares a file with the index as git would see it when adding it.
func (c *comparison) sameConverted(p string, f tree.File, staged indexEntry) (bool, error) {
	attrs, err := c.converter().Attributes(p)
	if err != nil {
		return false, err
	}
	if c.converter().Filtered(attrs) {
		// What a filter (Git LFS) makes of the file only the filter knows; git
		// believes size and time here, and so must we, but only a time that is
		// older than the index.
		same, err := c.untouched(p, staged)
		return same && staged.modified.Before(c.index.written), err
	}
	stored, err := c.stored(p, f)
	return err == nil && plumbing.NewHash(string(stored.Blob())) == staged.blob, err
}
