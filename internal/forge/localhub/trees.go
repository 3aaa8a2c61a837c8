package localhub

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// edit is what happens to one path of a tree.
type edit struct {
	mode   filemode.FileMode
	id     plumbing.Hash
	remove bool
}

var errNoSuchPath = errors.New("no such path to remove")

// editTree is the tree base with edits; base may be zero. Folders that become empty
// go.
func (g *store) editTree(base plumbing.Hash, edits map[string]edit) (plumbing.Hash, error) {
	entries := map[string]object.TreeEntry{}
	if !base.IsZero() {
		t, err := g.tree(base)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		for _, e := range t.Entries {
			entries[e.Name] = e
		}
	}
	below := map[string]map[string]edit{}
	for path, e := range edits {
		if dir, rest, nested := strings.Cut(path, "/"); nested {
			if below[dir] == nil {
				below[dir] = map[string]edit{}
			}
			below[dir][rest] = e
			continue
		}
		if err := apply(entries, path, e); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(below)) {
		if err := g.editFolder(entries, dir, below[dir]); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	return g.putTree(entries)
}

func apply(entries map[string]object.TreeEntry, name string, e edit) error {
	if !e.remove {
		entries[name] = object.TreeEntry{Name: name, Mode: e.mode, Hash: e.id}
		return nil
	}
	if was, there := entries[name]; !there || was.Mode == filemode.Dir {
		return errNoSuchPath
	}
	delete(entries, name)
	return nil
}

func (g *store) editFolder(entries map[string]object.TreeEntry, dir string, edits map[string]edit) error {
	was := plumbing.ZeroHash
	if e, there := entries[dir]; there && e.Mode == filemode.Dir {
		was = e.Hash
	}
	id, err := g.editTree(was, edits)
	if err != nil {
		return err
	}
	if id == emptyTree {
		delete(entries, dir)
		return nil
	}
	entries[dir] = object.TreeEntry{Name: dir, Mode: filemode.Dir, Hash: id}
	return nil
}

// emptyTree is git's id of a tree without entries.
var emptyTree = plumbing.NewHash("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

func (g *store) putTree(entries map[string]object.TreeEntry) (plumbing.Hash, error) {
	list := slices.Collect(maps.Values(entries))
	sort.Sort(object.TreeEntrySorter(list))
	return g.put(&object.Tree{Entries: list})
}

// fileChange is one path that differs between two trees.
type fileChange struct {
	path     string
	from, to object.TreeEntry // the zero entry where it is not there
}

// status is added, removed or modified.
func (f fileChange) status() string {
	switch {
	case f.from.Hash.IsZero():
		return "added"
	case f.to.Hash.IsZero():
		return "removed"
	}
	return "modified"
}

// changes are the files that differ between two trees, sorted by path. It looks only
// into folders that differ. Zero hashes are empty trees.
func (g *store) changes(from, to plumbing.Hash) ([]fileChange, error) {
	var list []fileChange
	err := g.walkChanges("", from, to, &list)
	sort.Slice(list, func(i, j int) bool { return list[i].path < list[j].path })
	return list, err
}

func (g *store) walkChanges(prefix string, from, to plumbing.Hash, list *[]fileChange) error {
	if from == to {
		return nil
	}
	a, err := g.entries(from)
	if err != nil {
		return err
	}
	b, err := g.entries(to)
	if err != nil {
		return err
	}
	names := maps.Clone(a)
	maps.Copy(names, b)
	for name := range names {
		x, y := a[name], b[name]
		if x.Hash == y.Hash && x.Mode == y.Mode {
			continue
		}
		if err := g.walkChange(prefix+name, x, y, list); err != nil {
			return err
		}
	}
	return nil
}

// walkChange handles one name: a folder on either side is walked, a file on either
// side is listed.
func (g *store) walkChange(path string, x, y object.TreeEntry, list *[]fileChange) error {
	var folders [2]plumbing.Hash
	for i, e := range []*object.TreeEntry{&x, &y} {
		if e.Mode == filemode.Dir {
			folders[i], *e = e.Hash, object.TreeEntry{}
		}
	}
	if !x.Hash.IsZero() || !y.Hash.IsZero() {
		*list = append(*list, fileChange{path: path, from: x, to: y})
	}
	return g.walkChanges(path+"/", folders[0], folders[1], list)
}

func (g *store) entries(id plumbing.Hash) (map[string]object.TreeEntry, error) {
	out := map[string]object.TreeEntry{}
	if id.IsZero() {
		return out, nil
	}
	t, err := g.tree(id)
	if err != nil {
		return nil, err
	}
	for _, e := range t.Entries {
		out[e.Name] = e
	}
	return out, nil
}

// treeOf is a commit's tree; zero for the zero commit.
func (g *store) treeOf(commit plumbing.Hash) (plumbing.Hash, error) {
	if commit.IsZero() {
		return plumbing.ZeroHash, nil
	}
	c, err := g.commit(commit)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return c.TreeHash, nil
}

// between are the files that differ between two commits.
func (g *store) between(from, to plumbing.Hash) ([]fileChange, error) {
	a, err := g.treeOf(from)
	if err != nil {
		return nil, err
	}
	b, err := g.treeOf(to)
	if err != nil {
		return nil, err
	}
	return g.changes(a, b)
}

// lookup is the entry at a path of a tree.
func (g *store) lookup(tree plumbing.Hash, path string) (object.TreeEntry, bool) {
	path = strings.Trim(path, "/")
	entry := object.TreeEntry{Mode: filemode.Dir, Hash: tree}
	if path == "" {
		return entry, true
	}
	for name := range strings.SplitSeq(path, "/") {
		if entry.Mode != filemode.Dir {
			return entry, false
		}
		below, err := g.entries(entry.Hash)
		if err != nil {
			return entry, false
		}
		found, there := below[name]
		if !there {
			return entry, false
		}
		entry = found
	}
	return entry, true
}

// isBinary is git's own test: a NUL in the first 8,000 bytes.
func isBinary(data []byte) bool { return bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 }

// typeOf is the kind of object a tree entry names.
func typeOf(m filemode.FileMode) string {
	switch m {
	case filemode.Dir:
		return "tree"
	case filemode.Submodule:
		return "commit"
	}
	return "blob"
}
