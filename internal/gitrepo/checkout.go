package gitrepo

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/attributes"
	"github.com/goldenpaths/syncer/internal/tree"
)

// checkout is a work tree with what git knows of it: what is staged, and how files
// are converted between the repository and the disk.
type checkout struct {
	*Member
	work    *work
	index   *gitIndex // nil until something asks for it
	folders map[plumbing.Hash][]object.TreeEntry
	beside  listed
	// changes are files that are about to be written. Attributes among them hold
	// already, as in a checkout by git.
	changes map[string]*tree.File
	convert *attributes.Converter // nil until something asks for it
}

func (m *Member) checkout() (*checkout, error) {
	w, err := openWork(m.root)
	if err != nil {
		return nil, err
	}
	return &checkout{Member: m, work: w, folders: map[plumbing.Hash][]object.TreeEntry{}, beside: listed{}}, nil
}

func (c *checkout) needIndex() (err error) {
	if c.index == nil {
		c.index, err = c.readIndex()
	}
	return err
}

// staged returns the entry of the index, or the zero entry. In a sparse index the
// path may be in a folder that is kept as one.
func (c *checkout) staged(p string) (indexEntry, error) {
	if err := c.needIndex(); err != nil {
		return indexEntry{}, err
	}
	if e, ok := c.index.entries[p]; ok {
		if e.kind == 0 {
			return indexEntry{}, nil // a submodule
		}
		return e, nil
	}
	for dir, id := range c.index.folders {
		if rest, ok := strings.CutPrefix(p, dir); ok {
			e, err := c.lookupEntry(id, rest)
			e.sparse = true
			return e, err
		}
	}
	return indexEntry{}, nil
}

func (c *checkout) lookupEntry(root plumbing.Hash, p string) (indexEntry, error) {
	e, ok, err := c.store.lookup(root, p, c.folders)
	kind, isFile := kindOf(e.Mode)
	if err != nil || !ok || !isFile {
		return indexEntry{}, err
	}
	return indexEntry{kind: kind, blob: e.Hash}, nil
}

// read returns the file at p as git would store it, and whether there is one. What a
// sparse checkout leaves out of the work tree is there nevertheless, as it is staged.
func (c *checkout) read(p string) (tree.File, bool, error) {
	f, exists, err := c.work.read(p)
	if err != nil {
		return f, exists, err
	}
	if out, e, err := c.leftOut(p, exists); err != nil || out {
		if err == nil {
			f, err = c.content(e)
		}
		return f, true, err
	}
	if !exists {
		return f, false, nil
	}
	if err := c.recallKind(p, &f); err != nil {
		return f, true, err
	}
	g, err := c.stored(p, f)
	if err != nil || g.Equal(f) {
		return g, true, err
	}
	// A file that lies on disk since it was staged has not been changed, even where
	// adding it anew would change its line ends.
	e, err := c.staged(p)
	if err != nil || e.kind != f.Kind || e.blob.String() != string(f.Blob()) {
		return g, true, err
	}
	untouched, err := c.untouched(p, e)
	if untouched {
		g = f
	}
	return g, true, err
}

// untouched reports whether size and time say that a file was not written since it was
// staged. Such a file git does not look into.
func (c *checkout) untouched(p string, staged indexEntry) (bool, error) {
	info, err := c.work.stat(p)
	if err != nil || info == nil {
		return false, err
	}
	return uint32(info.Size()) == staged.size && info.ModTime().Equal(staged.modified), nil
}

// leftOut reports whether the index says that the file at p is deliberately not in
// the work tree (skip-worktree), and how it is staged. In a sparse checkout a file
// that lies on disk nevertheless counts as git counts it, as any other; elsewhere
// somebody has told git to overlook what is there.
func (c *checkout) leftOut(p string, onDisk bool) (bool, indexEntry, error) {
	e, err := c.staged(p)
	if err != nil || e.kind == 0 || !e.sparse {
		return false, e, err
	}
	return !onDisk || !c.settings.flag("core", "sparseCheckout", false) || c.settings.flag("sparse", "expectFilesOutsideOfPatterns", false), e, nil
}

func (c *checkout) content(e indexEntry) (tree.File, error) {
	data, err := c.store.blob(e.blob, maxMemberFile)
	if err != nil {
		err = fmt.Errorf("what is staged: %w", err)
	}
	return tree.File{Kind: e.kind, Data: data}, err
}

// recallKind takes from the index what the file system cannot keep.
func (c *checkout) recallKind(p string, f *tree.File) error {
	modes, links := c.settings.fileMode(), c.settings.symlinks()
	if modes && links || f.Kind.IsLink() {
		return nil
	}
	e, err := c.staged(p)
	if e.kind.IsLink() && !links || !e.kind.IsLink() && e.kind != 0 && !modes {
		f.Kind = e.kind
	}
	return err
}
