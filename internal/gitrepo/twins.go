package gitrepo

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/tree"
)

// listed remembers what is in folders, by path; "" is the root.
type listed map[string]tree.Listing

func (l listed) of(dir string, names func() ([]string, error)) (tree.Listing, error) {
	if list, ok := l[dir]; ok {
		return list, nil
	}
	all, err := names()
	if err == nil {
		l[dir] = tree.ListOf(all)
	}
	return l[dir], err
}

// lookBeside adds to seen what some file system takes for p, at its own path.
func (c *checkout) lookBeside(p string, seen tree.Tree) error {
	list := func(dir string) (tree.Listing, error) {
		return c.beside.of(dir, func() ([]string, error) { return c.namesIn(dir) })
	}
	return tree.Twins(p, list, func(at string, end bool) error {
		f, found, err := c.obstacle(at, end)
		if found {
			seen[at] = f
		}
		return err
	})
}

// namesIn lists a folder on disk, with what a sparse checkout leaves out of it. Another
// repository is no folder.
func (c *checkout) namesIn(dir string) ([]string, error) {
	names := map[string]bool{}
	d, _, err := c.work.folder(path.Join(".", dir), false)
	_, another := errors.AsType[*NotFileError](err)
	if err != nil && !another && !absent(err) {
		return nil, err
	}
	if err == nil {
		entries, err := fs.ReadDir(d.FS(), ".")
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			names[e.Name()] = true
		}
	}
	err = c.leftOutIn(dir, names)
	delete(names, ".git")
	return slices.Sorted(maps.Keys(names)), err
}

// leftOutIn adds the names in a folder that a sparse checkout leaves out.
func (c *checkout) leftOutIn(dir string, names map[string]bool) error {
	prefix := strings.TrimPrefix(dir+"/", "/")
	out := slices.AppendSeq(slices.Clone(c.index.elsewhere), maps.Keys(c.index.folders))
	for _, p := range out {
		if rest, below := strings.CutPrefix(p, prefix); below {
			name, _, _ := strings.Cut(rest, "/")
			names[name] = true
		}
	}
	for folder, id := range c.index.folders {
		if rest, within := strings.CutPrefix(prefix, folder); within {
			list, err := c.store.namesIn(id, strings.TrimSuffix(rest, "/"), c.folders)
			if err != nil {
				return err
			}
			for _, name := range list {
				names[name] = true
			}
		}
	}
	return nil
}

// namesIn lists a folder below a tree; nothing where there is none.
func (s *store) namesIn(root plumbing.Hash, dir string, folders map[plumbing.Hash][]object.TreeEntry) ([]string, error) {
	e := object.TreeEntry{Mode: filemode.Dir, Hash: root}
	if dir != "" {
		var ok bool
		var err error
		if e, ok, err = s.lookup(root, dir, folders); err != nil || !ok || e.Mode != filemode.Dir {
			return nil, err
		}
	}
	entries, err := s.entries(e.Hash)
	var names []string
	for _, in := range entries {
		names = append(names, in.Name)
	}
	return names, err
}
