package forge

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Commit is a change of some files on top of a commit.
type Commit struct {
	// Parent is the commit to build on; "" makes the first of a history.
	Parent string
	// Tree is Parent's tree; "" reads it.
	Tree string
	// More are further parents, of a merge.
	More []string
	// Changes are the files to write, and those to delete where the value is nil.
	// A file that is deleted must exist.
	Changes map[string]*tree.File
	Message string
}

// Committed is a commit that was made. No branch shows it yet.
type Committed struct {
	ID   string
	Tree string
	// Verified says that GitHub signed it, and Reason why not.
	Verified bool
	Reason   string
	// Unchanged is set where the parent has these files already: no commit was
	// made, and ID is the parent.
	Unchanged bool
}

// Bounds of one request for a tree. GitHub has been seen to fail at 20,000 entries
// and to manage 1,500, and documents 40 MB for a blob.
const (
	maxTreeEntries = 500
	maxTreeBytes   = 16 << 20
	maxInline      = 1 << 20
	maxBlob        = 40 << 20
)

// Commit makes a commit: two requests, and one more for every file that is not
// UTF-8 text or larger than 1 MiB. It names no author, so that GitHub signs in the
// App's name. Nothing points to the commit until [Client.Move], so that a commit
// whose answer was lost is harmless.
func (c *Client) Commit(ctx context.Context, n Name, k Commit) (Committed, error) {
	op := "committing to " + n.String()
	if len(k.Changes) == 0 && len(k.More) == 0 {
		return Committed{}, &Error{Kind: Invalid, Op: op, Message: "there are no changes"}
	}
	base := k.Tree
	if base == "" && k.Parent != "" {
		var err error
		if base, err = c.treeOf(ctx, n, k.Parent); err != nil {
			return Committed{}, err
		}
	}
	root, err := c.writeTree(ctx, n, base, k.Changes)
	if err != nil {
		return Committed{}, err
	}
	if root == base && len(k.More) == 0 {
		return Committed{ID: k.Parent, Tree: root, Unchanged: true}, nil
	}
	body := struct {
		Message string   `json:"message"`
		Tree    string   `json:"tree"`
		Parents []string `json:"parents"`
	}{k.Message, root, k.More}
	if k.Parent != "" {
		body.Parents = append([]string{k.Parent}, k.More...)
	}
	if body.Parents == nil {
		body.Parents = []string{}
	}
	var made github.Commit
	if _, err := c.send(ctx, call{op: op, method: http.MethodPost, path: n.path("git/commits"), in: body, out: &made}); err != nil {
		return Committed{}, err
	}
	v := made.GetVerification()
	return Committed{ID: made.GetSHA(), Tree: root, Verified: v.GetVerified(), Reason: v.GetReason()}, nil
}

// writeTree applies changes to a tree, in as many requests as its bounds ask for,
// and returns the new tree's id. What GitHub makes of a request that deletes a
// folder's files and puts a file in its place, or the other way round, is not
// documented: what has to make room goes in a request before the others.
func (c *Client) writeTree(ctx context.Context, n Name, base string, changes map[string]*tree.File) (root string, err error) {
	first, then := makingRoom(changes)
	root = base
	for _, paths := range [][]string{first, then} {
		for len(paths) > 0 {
			var entries []*github.TreeEntry
			size := 0
			for len(paths) > 0 && len(entries) < maxTreeEntries && size < maxTreeBytes {
				p := paths[0]
				e, err := c.entry(ctx, n, p, changes[p])
				if err != nil {
					return "", err
				}
				size += len(e.GetContent())
				entries = append(entries, e)
				paths = paths[1:]
			}
			if root, err = c.postTree(ctx, n, root, entries); err != nil {
				return "", err
			}
		}
	}
	return root, nil
}

// makingRoom parts the paths of changes into those that are deleted so that another
// one can be written, and the rest.
func makingRoom(changes map[string]*tree.File) (first, then []string) {
	folders, written := map[string]bool{}, map[string]bool{} // those of what is written
	for p, f := range changes {
		if f == nil {
			continue
		}
		written[p] = true
		for up, _ := splitPath(p); up != ""; up, _ = splitPath(up) {
			folders[up] = true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(changes)) {
		room := folders[p]
		for up, _ := splitPath(p); up != "" && !room; up, _ = splitPath(up) {
			room = written[up]
		}
		if changes[p] == nil && room {
			first = append(first, p)
		} else {
			then = append(then, p)
		}
	}
	return first, then
}

func (c *Client) postTree(ctx context.Context, n Name, base string, entries []*github.TreeEntry) (string, error) {
	body := struct {
		Base    string              `json:"base_tree,omitempty"`
		Entries []*github.TreeEntry `json:"tree"`
	}{base, entries}
	var made struct {
		SHA string `json:"sha"`
	}
	op := fmt.Sprintf("writing files of %s (%d)", n, len(entries))
	_, err := c.send(ctx, call{op: op, method: http.MethodPost, path: n.path("git/trees"), in: body, out: &made})
	return made.SHA, err
}

// entry describes one change. Text goes along with the tree; other bytes are
// stored first, because JSON would change them.
func (c *Client) entry(ctx context.Context, n Name, p string, f *tree.File) (*github.TreeEntry, error) {
	if err := tree.CheckPath(p); err != nil {
		return nil, &Error{Kind: Invalid, Op: "writing " + p, Message: err.Error()}
	}
	e := &github.TreeEntry{Path: new(p), Type: new("blob"), Mode: new("100644")}
	if f == nil {
		return e, nil // without sha and content go-github sends "sha": null
	}
	switch f.Kind {
	case tree.Regular, tree.Executable, tree.Symlink:
	default:
		return nil, &Error{Kind: Invalid, Op: "writing " + p, Message: fmt.Sprintf("a %s cannot be written", f.Kind)}
	}
	e.Mode = new(fmt.Sprintf("%o", uint32(f.Kind)))
	if len(f.Data) <= maxInline && utf8.Valid(f.Data) && bytes.IndexByte(f.Data, 0) < 0 {
		e.Content = new(string(f.Data))
		return e, nil
	}
	id, err := c.writeBlob(ctx, n, p, *f)
	e.SHA = new(string(id))
	return e, err
}

func (c *Client) writeBlob(ctx context.Context, n Name, p string, f tree.File) (tree.BlobID, error) {
	op := fmt.Sprintf("storing %s in %s", p, n)
	if len(f.Data) > maxBlob {
		return "", &Error{Kind: Invalid, Op: op, Message: fmt.Sprintf("it has %d bytes; GitHub's API takes %d", len(f.Data), maxBlob)}
	}
	body := map[string]string{"content": base64.StdEncoding.EncodeToString(f.Data), "encoding": "base64"}
	var made struct {
		SHA tree.BlobID `json:"sha"`
	}
	if _, err := c.send(ctx, call{op: op, method: http.MethodPost, path: n.path("git/blobs"), in: body, out: &made}); err != nil {
		return "", err
	}
	if want := f.Blob(); made.SHA != want {
		return "", &Error{Kind: Unavailable, Op: op, Message: fmt.Sprintf("GitHub stored %.10s, not %.10s", made.SHA, want)}
	}
	return made.SHA, nil
}
