package forge

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Head is where a branch is. The zero Head is a branch that does not exist.
type Head struct {
	Branch string
	Commit string
	Tree   string // the commit's tree; "" in lists
}

// Entry is what a path holds: a file, a folder or a submodule.
type Entry struct {
	Kind      tree.Kind // of a file
	Blob      tree.BlobID
	Folder    bool
	Submodule bool
}

// Head reads a branch. The error is [NotFound] where there is no such branch, and
// [NotReady] where the repository has no commit yet: one that was just made from
// a template is empty for a while.
func (c *Client) Head(ctx context.Context, n Name, branch string) (Head, error) {
	var b struct {
		Name   string `json:"name"`
		Commit struct {
			SHA    string `json:"sha"`
			Commit struct {
				Tree struct {
					SHA string `json:"sha"`
				} `json:"tree"`
			} `json:"commit"`
		} `json:"commit"`
	}
	op := fmt.Sprintf("reading branch %s of %s", branch, n)
	_, err := c.send(ctx, call{op: op, path: n.path("branches", escapePath(branch)), out: &b})
	if KindOf(err) == NotFound {
		if heads, listErr := c.Branches(ctx, n); listErr == nil && len(heads) == 0 {
			return Head{}, &Error{Kind: NotReady, Op: op, Message: "the repository has no commit yet", cause: err}
		}
	}
	if err != nil {
		return Head{}, err
	}
	// A branch that was renamed answers under its new name.
	if b.Name != branch {
		return Head{}, &Error{Kind: NotFound, Op: op, Message: "the branch is called " + bounded(b.Name) + " now"}
	}
	return Head{Branch: b.Name, Commit: b.Commit.SHA, Tree: b.Commit.Commit.Tree.SHA}, nil
}

// Branches lists the first 100 branches, without their trees. A repository that
// has none is empty: its size says nothing for minutes after it was made.
func (c *Client) Branches(ctx context.Context, n Name) ([]Head, error) {
	var list []struct {
		Name   string `json:"name"`
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
	}
	if _, err := c.send(ctx, call{op: "listing the branches of " + n.String(), path: n.path("branches") + "?per_page=100", out: &list}); err != nil {
		return nil, err
	}
	heads := make([]Head, 0, len(list))
	for _, b := range list {
		heads = append(heads, Head{Branch: b.Name, Commit: b.Commit.SHA})
	}
	return heads, nil
}

// branchHead reads a branch that may not exist, by its ref.
func (c *Client) branchHead(ctx context.Context, n Name, branch string) (Head, error) {
	var r struct {
		Ref    string `json:"ref"`
		Object struct {
			SHA string `json:"sha"`
		} `json:"object"`
	}
	_, err := c.send(ctx, call{op: fmt.Sprintf("reading branch %s of %s", branch, n), path: n.path("git/ref/heads", escapePath(branch)), out: &r})
	switch KindOf(err) {
	case NotFound:
		return Head{}, nil
	case "":
	default:
		return Head{}, err
	}
	if r.Ref != "refs/heads/"+branch {
		return Head{}, err
	}
	return Head{Branch: branch, Commit: r.Object.SHA}, err
}

// rawEntry is a tree's entry as GitHub lists it.
type rawEntry struct {
	Path string `json:"path"`
	Mode string `json:"mode"`
	Type string `json:"type"`
	SHA  string `json:"sha"`
}

func (e rawEntry) entry() Entry {
	mode, err := strconv.ParseUint(e.Mode, 8, 32)
	if err != nil {
		mode = uint64(tree.Regular)
	}
	return entryOf(uint32(mode), e.SHA)
}

// entryOf reads git's mode; 0100664, which old versions of git wrote, is a file.
func entryOf(mode uint32, id string) Entry {
	e := Entry{Blob: tree.BlobID(id)}
	switch mode & 0o170000 {
	case 0o040000:
		e.Folder = true
	case 0o160000:
		e.Submodule = true
	case 0o120000:
		e.Kind = tree.Symlink
	default:
		e.Kind = tree.Regular
		if mode&0o100 != 0 {
			e.Kind = tree.Executable
		}
	}
	return e
}

// folder lists one folder by its tree's id.
func (c *Client) folder(ctx context.Context, n Name, id string) (map[string]Entry, error) {
	var t struct {
		Entries   []rawEntry `json:"tree"`
		Truncated bool       `json:"truncated"`
	}
	op := fmt.Sprintf("reading tree %.10s of %s", id, n)
	if _, err := c.send(ctx, call{op: op, path: n.path("git/trees", id), out: &t}); err != nil {
		return nil, err
	}
	if t.Truncated {
		return nil, &Error{Kind: Refused, Op: op, Message: "a folder has more entries than GitHub lists"}
	}
	list := make(map[string]Entry, len(t.Entries))
	for _, e := range t.Entries {
		list[e.Path] = e.entry()
	}
	return list, nil
}

// folders returns the folders that hold paths, each after the one that holds it;
// the root is "".
func folders(paths []string) []string {
	set := map[string]bool{"": true}
	for _, p := range paths {
		for d := path.Dir(p); d != "." && d != "/" && !set[d]; d = path.Dir(d) {
			set[d] = true
		}
	}
	list := make([]string, 0, len(set))
	for d := range set {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b string) int {
		if n := strings.Count(a, "/") - strings.Count(b, "/"); n != 0 && a != "" && b != "" {
			return n
		}
		return strings.Compare(a, b)
	})
	return list
}

// Entries returns what those of the paths hold that exist below a tree, and where
// something stands in the place of a folder on the way to one, that. It reads only the
// folders on the way, one request each; trees never change, so that most come from
// the cache.
func (c *Client) Entries(ctx context.Context, n Name, treeID string, paths []string) (map[string]Entry, error) {
	listed := map[string]map[string]Entry{}
	for _, d := range folders(paths) {
		id := treeID
		if d != "" {
			up, name := splitPath(d)
			e, ok := listed[up][name]
			if !ok || !e.Folder {
				continue
			}
			id = string(e.Blob)
		}
		list, err := c.folder(ctx, n, id)
		if err != nil {
			return nil, err
		}
		listed[d] = list
	}
	return pick(listed, paths), nil
}

func pick(listed map[string]map[string]Entry, paths []string) map[string]Entry {
	found := map[string]Entry{}
	for _, p := range paths {
		up, name := splitPath(p)
		if e, ok := listed[up][name]; ok {
			found[p] = e
			continue
		}
		for up != "" {
			at := up
			up, name = splitPath(at)
			if e, ok := listed[up][name]; ok && !e.Folder {
				found[at] = e
			}
		}
	}
	return found
}

// splitPath parts a path into its folder, "" for the root, and its name.
func splitPath(p string) (folder, name string) {
	i := strings.LastIndexByte(p, '/')
	if i < 0 {
		return "", p
	}
	return p[:i], p[i+1:]
}

// Files returns those of the paths that exist below a tree, and what is in the way of
// others: at the path itself a folder or a submodule, or at its own path what stands
// in the place of a folder on the way, and what some file system takes for the path.
func (c *Client) Files(ctx context.Context, n Name, treeID string, paths []string) (tree.Tree, error) {
	entries, err := c.Entries(ctx, n, treeID, paths)
	if err != nil {
		return nil, err
	}
	files, err := c.Contents(ctx, n, entries, paths, tree.Tree{})
	if err != nil {
		return nil, err
	}
	return files, c.addTwins(ctx, n, treeID, paths, files)
}

// Contents adds to files what entries say of the paths, as [Client.Files] does. It
// reads only what files do not have yet.
func (c *Client) Contents(ctx context.Context, n Name, entries map[string]Entry, paths []string, files tree.Tree) (tree.Tree, error) {
	for _, p := range paths {
		for at := p; at != ""; at, _ = splitPath(at) {
			e, exists := entries[at]
			if _, have := files[at]; have || !exists || at != p && e.Folder {
				continue
			}
			f, err := c.content(ctx, n, e)
			if err != nil {
				return nil, err
			}
			files[at] = f
		}
	}
	return files, nil
}

func (c *Client) content(ctx context.Context, n Name, e Entry) (tree.File, error) {
	switch {
	case e.Submodule:
		return tree.File{Kind: tree.Submodule}, nil
	case e.Folder:
		names, err := c.namesBelow(ctx, n, string(e.Blob), "")
		return tree.FolderOf(names), err
	}
	data, err := c.Blob(ctx, n, e.Blob)
	return tree.File{Kind: e.Kind, Data: data}, err
}

// maxNames bounds how many files are listed of a folder that is in the way.
const maxNames = 1000

// namesBelow lists the files of a folder, relative to it. Where there are too many,
// the last name is one that no file has.
func (c *Client) namesBelow(ctx context.Context, n Name, id, prefix string) (names []string, err error) {
	list, err := c.folder(ctx, n, id)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if len(names) >= maxNames {
			return append(names, prefix+"…/"), nil
		}
		if e := list[name]; !e.Folder {
			names = append(names, prefix+name)
			continue
		}
		below, err := c.namesBelow(ctx, n, string(list[name].Blob), prefix+name+"/")
		if err != nil {
			return nil, err
		}
		names = append(names, below...)
	}
	return names, nil
}

// Blob reads an object by its id, at most 40 MiB, and checks that it is the one.
func (c *Client) Blob(ctx context.Context, n Name, id tree.BlobID) ([]byte, error) {
	var b struct {
		Content  string `json:"content"`
		Encoding string `json:"encoding"`
	}
	op := fmt.Sprintf("reading object %.10s of %s", id, n)
	if _, err := c.send(ctx, call{op: op, path: n.path("git/blobs", string(id)), out: &b}); err != nil {
		return nil, err
	}
	data := []byte(b.Content)
	if b.Encoding == "base64" {
		var err error
		// GitHub breaks the lines; the decoder skips line ends.
		if data, err = base64.StdEncoding.DecodeString(b.Content); err != nil {
			return nil, &Error{Kind: Unavailable, Op: op, Message: "the answer is no base64", cause: err}
		}
	}
	if got := (tree.File{Data: data}).Blob(); got != id {
		return nil, &Error{Kind: Unavailable, Op: op, Message: fmt.Sprintf("the answer is another object (%.10s)", got)}
	}
	return data, nil
}
