package gitrepo

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/tree"
)

// maxListed bounds how many files of a folder are listed.
const maxListed = 10_000

// unlisted stands for the files of a folder that are too many to be listed. No file
// has that name, so that nobody takes the folder for one that is empty without those
// that are listed.
const unlisted = "…/"

// look adds what stands at p to seen: the file, or what is in its way.
func (c *checkout) look(p string, seen tree.Tree) error {
	f, exists, err := c.read(p)
	if _, obstructed := errors.AsType[*NotFileError](err); err != nil && !obstructed {
		return err
	}
	if err == nil && exists {
		seen[p] = f
		return nil
	}
	for at := range ways(p) {
		f, found, err := c.obstacle(at, at == p)
		if err != nil {
			return err
		}
		if found {
			seen[at] = f
			return nil
		}
	}
	return c.lookBeside(p, seen)
}

// ways goes through the folders on the way to p, the outermost first, and p itself.
func ways(p string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(p) {
			if p[i] == '/' && !yield(p[:i]) {
				return
			}
		}
		yield(p)
	}
}

// obstacle returns what stands at a path that no file is to be read from: a folder
// counts only at the end of the way.
func (c *checkout) obstacle(at string, end bool) (tree.File, bool, error) {
	e, staged := c.index.entries[at]
	info, err := c.work.stat(at)
	if err != nil {
		return tree.File{}, false, err
	}
	switch {
	case staged && e.kind == 0 && (info == nil || info.IsDir()):
		return tree.File{Kind: tree.Submodule}, true, nil
	case info != nil && info.IsDir():
		_, _, err := c.work.folder(at, false)
		if _, own := errors.AsType[*NotFileError](err); own {
			return tree.File{Kind: tree.Submodule}, true, nil
		} else if err != nil {
			return tree.File{}, false, err
		}
	case info != nil && info.Mode()&fs.ModeSymlink == 0 && !info.Mode().IsRegular():
		return tree.File{Kind: tree.Other}, true, nil
	case info != nil:
		return c.read(at)
	}
	if f, found, err := c.leftOutAt(at); err != nil || found {
		return f, found, err
	}
	if !end {
		return tree.File{}, false, nil
	}
	names, err := c.filesBelow(at, info != nil)
	return tree.FolderOf(names), len(names) > 0, err
}

// leftOutAt returns the file or submodule at a path that a sparse checkout leaves out.
func (c *checkout) leftOutAt(at string) (tree.File, bool, error) {
	for dir, id := range c.index.folders {
		rest, within := strings.CutPrefix(at, dir)
		if !within {
			continue
		}
		if e, ok, err := c.store.lookup(id, rest, c.folders); err != nil || ok && e.Mode == filemode.Submodule {
			return tree.File{Kind: tree.Submodule}, ok, err
		}
	}
	e, err := c.staged(at)
	if err != nil || e.kind == 0 || !e.sparse {
		return tree.File{}, false, err
	}
	return c.read(at)
}

// filesBelow lists the files in the folder at p, tracked or not, relative to it.
func (c *checkout) filesBelow(p string, onDisk bool) ([]string, error) {
	names := map[string]bool{}
	if onDisk {
		dir, _, err := c.work.folder(p, false)
		if err != nil {
			return nil, err
		}
		if err := listBelow(dir.FS(), names); err != nil {
			return nil, err
		}
	}
	err := c.leftOutBelow(p+"/", names)
	return slices.Sorted(maps.Keys(names)), err
}

// listBelow adds the files of a folder on disk; another repository in it counts as
// one.
func listBelow(disk fs.FS, names map[string]bool) error {
	return fs.WalkDir(disk, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return err
		case len(names) >= maxListed:
			names[unlisted] = true
			return fs.SkipAll
		case !d.IsDir():
			names[name] = true
			return nil
		}
		if _, err := fs.Lstat(disk, name+"/.git"); err == nil {
			names[name] = true
			return fs.SkipDir
		}
		return nil
	})
}

// leftOutBelow adds the files below a folder that a sparse checkout leaves out.
func (c *checkout) leftOutBelow(prefix string, names map[string]bool) error {
	for _, p := range c.index.elsewhere {
		if rest, below := strings.CutPrefix(p, prefix); below {
			names[rest] = true
		}
	}
	for dir, id := range c.index.folders {
		rest, below := strings.CutPrefix(dir, prefix)
		if inner, within := strings.CutPrefix(prefix, dir); within && inner != "" {
			e, ok, err := c.store.lookup(id, strings.TrimSuffix(inner, "/"), c.folders)
			if err != nil {
				return err
			}
			id, below = e.Hash, ok && e.Mode == filemode.Dir
			rest = ""
		}
		if !below {
			continue
		}
		if err := c.namesBelow(id, rest, names); err != nil {
			return err
		}
	}
	return nil
}

// namesBelow adds the paths of everything in a commit's folder.
func (m *Member) namesBelow(id plumbing.Hash, prefix string, names map[string]bool) error {
	list, err := m.store.entries(id)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Mode != filemode.Dir {
			names[prefix+e.Name] = true
		} else if err := m.namesBelow(e.Hash, prefix+e.Name+"/", names); err != nil {
			return err
		}
	}
	return nil
}

// committed is a commit's tree.
type committed struct {
	*Member
	root    plumbing.Hash
	folders map[plumbing.Hash][]object.TreeEntry
	beside  listed
}

// look adds what stands at p to seen: the file, or what is in its way.
func (c *committed) look(p string, seen tree.Tree) error {
	for at := range ways(p) {
		exists, end, err := c.add(at, at == p, seen)
		if err != nil || end {
			return err
		}
		if !exists {
			break
		}
	}
	list := func(dir string) (tree.Listing, error) {
		return c.beside.of(dir, func() ([]string, error) { return c.store.namesIn(c.root, dir, c.folders) })
	}
	return tree.Twins(p, list, func(at string, end bool) error {
		_, _, err := c.add(at, end, seen)
		return err
	})
}

// add adds what is at a path to seen; a folder only where it is the end of the way. It
// reports whether there is something, and whether the way ends with it.
func (c *committed) add(at string, last bool, seen tree.Tree) (exists, end bool, err error) {
	e, exists, err := c.store.lookup(c.root, at, c.folders)
	kind, isFile := kindOf(e.Mode)
	switch {
	case err != nil || !exists:
		return false, false, err
	case isFile:
		data, err := c.store.blob(e.Hash, maxMemberFile)
		seen[at] = tree.File{Kind: kind, Data: data}
		return true, true, err
	case e.Mode == filemode.Submodule:
		seen[at] = tree.File{Kind: tree.Submodule}
		return true, true, nil
	case !last:
		return true, false, nil
	}
	names := map[string]bool{}
	if err := c.namesBelow(e.Hash, "", names); err != nil {
		return true, true, err
	}
	seen[at] = tree.FolderOf(slices.Sorted(maps.Keys(names)))
	return true, true, nil
}
