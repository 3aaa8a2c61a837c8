package forge

import (
	"context"
	"fmt"

	"github.com/goldenpaths/syncer/internal/tree"
)

// The bounds of a folder that is read whole: those of what is read by git, and how
// many files may have to be fetched, one request each.
const (
	maxFolderFiles   = 20_000
	maxFolderBytes   = 64 << 20
	maxFolderFile    = 10 << 20
	maxFolderFetched = 300
)

// Folder reads every file below a folder at a commit; paths begin with the folder.
// What known has by its id is not fetched. The commit may be of a pull request from a
// fork, which the installation may not see: GitHub has its objects in the repository
// that it goes to too, behind refs/pull/N/head.
func (c *Client) Folder(ctx context.Context, n Name, commit, folder string, known map[tree.BlobID][]byte) (tree.Tree, error) {
	op := fmt.Sprintf("reading %s/ at %.10s of %s", folder, commit, n)
	root, err := c.treeOf(ctx, n, commit)
	if err != nil {
		return nil, err
	}
	entries, err := c.Entries(ctx, n, root, []string{folder})
	if err != nil {
		return nil, err
	}
	if !entries[folder].Folder {
		return nil, &Error{Kind: NotFound, Op: op, Message: "there is no such folder"}
	}
	var t struct {
		Entries []struct {
			rawEntry

			Size int `json:"size"`
		} `json:"tree"`
		Truncated bool `json:"truncated"`
	}
	if _, err := c.send(ctx, call{op: op, path: n.path("git/trees", string(entries[folder].Blob)) + "?recursive=1", out: &t}); err != nil {
		return nil, err
	}
	tooMuch := func(format string, args ...any) error {
		return &Error{Kind: Invalid, Op: op, Message: fmt.Sprintf(format, args...)}
	}
	files, size, fetch := tree.Tree{}, 0, 0
	for _, raw := range t.Entries {
		e := raw.entry()
		if e.Folder || e.Submodule {
			continue
		}
		if _, have := known[e.Blob]; !have {
			fetch++
		}
		size += raw.Size
		if raw.Size > maxFolderFile {
			return nil, tooMuch("%s has more than %d bytes", raw.Path, maxFolderFile)
		}
		files[folder+"/"+raw.Path] = tree.File{Kind: e.Kind}
	}
	switch {
	case t.Truncated || len(files) > maxFolderFiles:
		return nil, tooMuch("there are more than %d files", maxFolderFiles)
	case size > maxFolderBytes:
		return nil, tooMuch("the files have more than %d bytes", maxFolderBytes)
	case fetch > maxFolderFetched:
		return nil, tooMuch("more than %d files were changed", maxFolderFetched)
	}
	for _, raw := range t.Entries {
		e := raw.entry()
		if e.Folder || e.Submodule {
			continue
		}
		data, have := known[e.Blob]
		if !have {
			if data, err = c.Blob(ctx, n, e.Blob); err != nil {
				return nil, err
			}
		}
		files[folder+"/"+raw.Path] = tree.File{Kind: e.Kind, Data: data}
	}
	return files, nil
}
