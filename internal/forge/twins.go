package forge

import (
	"context"
	"maps"
	"slices"

	"github.com/goldenpaths/syncer/internal/tree"
)

// addTwins adds to files what some file system takes for one of the paths that do not
// exist. The folders on the way were read already, so that it costs nothing but where
// there is one.
func (c *Client) addTwins(ctx context.Context, n Name, treeID string, paths []string, files tree.Tree) error {
	b := beside{Client: c, ctx: ctx, name: n, root: treeID, entries: map[string]map[string]Entry{}, listed: map[string]tree.Listing{}}
	for _, p := range paths {
		if _, there := files[p]; there {
			continue
		}
		err := tree.Twins(p, b.list, func(at string, end bool) error {
			up, name := splitPath(at)
			e := b.entries[up][name]
			if e.Folder && !end {
				return nil
			}
			f, err := c.content(ctx, n, e)
			files[at] = f
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// beside lists the folders of one tree.
type beside struct {
	*Client
	ctx     context.Context //nolint:containedctx // it lives as long as one call
	name    Name
	root    string
	entries map[string]map[string]Entry // by folder
	listed  map[string]tree.Listing
}

func (b *beside) list(dir string) (tree.Listing, error) {
	if list, ok := b.listed[dir]; ok {
		return list, nil
	}
	id := b.root
	if dir != "" {
		up, name := splitPath(dir)
		e := b.entries[up][name]
		if !e.Folder {
			return nil, nil
		}
		id = string(e.Blob)
	}
	entries, err := b.folder(b.ctx, b.name, id)
	if err != nil {
		return nil, err
	}
	b.entries[dir] = entries
	b.listed[dir] = tree.ListOf(slices.Sorted(maps.Keys(entries)))
	return b.listed[dir], nil
}
