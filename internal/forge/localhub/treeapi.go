package localhub

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func getTree(c *call) answer {
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	id, found := c.treeish(c.vars["tree_sha"])
	if !found {
		return notFound()
	}
	recursive := c.query("recursive") != ""
	list := []obj{}
	truncated, err := c.listTree("", id, recursive, &list)
	if err != nil {
		return broken(err)
	}
	return ok(obj{"sha": id.String(), "url": c.hub.repoURL(c.repo) + "/git/trees/" + id.String(), "tree": list, "truncated": truncated})
}

// treeish is the tree that an id or a name of a branch, tag or commit stands for.
func (c *call) treeish(name string) (plumbing.Hash, bool) {
	if id := plumbing.NewHash(name); plumbing.IsHash(name) && c.repo.store.kind(id) == "tree" {
		return id, true
	}
	id, found := c.repo.store.resolve(name)
	if !found {
		return id, false
	}
	tree, err := c.repo.store.treeOf(id)
	return tree, err == nil
}

// resolve is the commit that a branch, tag, full reference or id names.
func (g *store) resolve(name string) (plumbing.Hash, bool) {
	for _, full := range []string{"refs/heads/" + name, "refs/tags/" + name, name, "refs/" + name} {
		if full != "HEAD" && !strings.HasPrefix(full, "refs/") {
			continue
		}
		if id, there := g.ref(full); there {
			id = g.peel(id)
			return id, g.kind(id) == "commit"
		}
	}
	if plumbing.IsHash(name) {
		id := g.peel(plumbing.NewHash(name))
		return id, g.kind(id) == "commit"
	}
	return plumbing.ZeroHash, false
}

// peel follows annotated tags.
func (g *store) peel(id plumbing.Hash) plumbing.Hash {
	for range 10 { // deeper chains of tags are nobody's
		t, err := object.GetTag(g.storage(), id)
		if err != nil {
			return id
		}
		id = t.Target
	}
	return id
}

func (c *call) listTree(prefix string, id plumbing.Hash, recursive bool, list *[]obj) (truncated bool, err error) {
	t, err := c.repo.store.tree(id)
	if err != nil {
		return false, err
	}
	url := c.hub.repoURL(c.repo) + "/git/"
	for _, e := range t.Entries {
		if recursive && len(*list) >= c.hub.options.TreeLimit {
			return true, nil
		}
		j := obj{"path": prefix + e.Name, "mode": e.Mode.String()[1:], "type": typeOf(e.Mode), "sha": e.Hash.String()}
		switch e.Mode {
		case filemode.Dir:
			j["url"] = url + "trees/" + e.Hash.String()
		case filemode.Submodule:
		default:
			j["url"], j["size"] = url+"blobs/"+e.Hash.String(), c.repo.store.blobSize(e.Hash)
		}
		*list = append(*list, j)
		if recursive && e.Mode == filemode.Dir {
			if truncated, err := c.listTree(prefix+e.Name+"/", e.Hash, true, list); truncated || err != nil {
				return truncated, err
			}
		}
	}
	return false, nil
}

// treeItem is one entry of POST trees.
type treeItem struct {
	Path    string           `json:"path"`
	Mode    string           `json:"mode"`
	Type    string           `json:"type"`
	SHA     optional[string] `json:"sha"`
	Content *string          `json:"content"`
}

func createTree(c *call) answer {
	var in struct {
		Base string     `json:"base_tree"`
		Tree []treeItem `json:"tree"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	c.header.Set("X-Accepted-GitHub-Permissions", "contents=write; contents=write,workflows=write")
	if len(in.Tree) == 0 {
		return unprocessable("Invalid tree info")
	}
	base := plumbing.ZeroHash
	if in.Base != "" {
		var found bool
		if base, found = c.treeish(in.Base); !found || !plumbing.IsHash(in.Base) {
			return unprocessable("base_tree is not a valid tree oid")
		}
	}
	edits := map[string]edit{}
	for _, item := range in.Tree {
		e, bad := c.treeEdit(item)
		if bad != nil {
			return *bad
		}
		edits[item.Path] = e
	}
	id, err := c.repo.store.editTree(base, edits)
	if errors.Is(err, errNoSuchPath) {
		return unprocessable("GitRPC::BadObjectState")
	}
	if err != nil {
		return broken(err)
	}
	list := []obj{}
	if id != emptyTree {
		if _, err := c.listTree("", id, false, &list); err != nil {
			return broken(err)
		}
	}
	url := c.hub.repoURL(c.repo) + "/git/trees/" + id.String()
	return created(obj{"sha": id.String(), "url": url, "tree": list, "truncated": false}).with("Location", url)
}

// modes are what POST trees takes.
var modes = map[string]filemode.FileMode{
	"100644": filemode.Regular, "100755": filemode.Executable, "040000": filemode.Dir, "160000": filemode.Submodule, "120000": filemode.Symlink,
}

// treeEdit checks one entry and stores its content.
func (c *call) treeEdit(item treeItem) (edit, *answer) {
	fail := func(message string) (edit, *answer) {
		a := unprocessable(message)
		return edit{}, &a
	}
	if !validPath(item.Path) {
		return fail("tree.path contains a malformed path component")
	}
	mode, known := modes[item.Mode]
	if !known {
		return fail("Must supply a valid tree.mode")
	}
	if isWorkflow(item.Path) && !c.actor.may(c.repo, need{"workflows", "write"}) {
		a := inaccessible()
		return edit{}, &a
	}
	for _, one := range c.repo.rulesFor("", c.actor) {
		if message := one.brokenPath(item.Path); message != "" {
			return fail("Repository rule violations found\n\n" + message + "\n\n")
		}
	}
	switch {
	case item.SHA.set == (item.Content != nil) && !item.SHA.null, item.SHA.set && !item.SHA.null && item.Content != nil:
		return fail("Must supply either tree.sha or tree.content. Request will be rejected if both are present.")
	case item.Content != nil:
		if !utf8.ValidString(*item.Content) || mode == filemode.Dir || mode == filemode.Submodule {
			return fail("tree.content must be UTF-8 text of a file")
		}
		id, err := c.repo.store.putBlob([]byte(*item.Content))
		if err != nil {
			a := broken(err)
			return edit{}, &a
		}
		return edit{mode: mode, id: id}, nil
	case item.SHA.null:
		return edit{remove: true}, nil
	}
	id := plumbing.NewHash(item.SHA.value)
	if kind := c.repo.store.kind(id); mode != filemode.Submodule && kind != typeOf(mode) {
		return fail("tree.sha " + item.SHA.value + " is not a valid " + typeOf(mode))
	}
	return edit{mode: mode, id: id}, nil
}

// validPath is a path that git takes into a tree.
func validPath(p string) bool {
	if p == "" || !utf8.ValidString(p) || strings.ContainsRune(p, 0) {
		return false
	}
	for name := range strings.SplitSeq(p, "/") {
		if name == "" || name == "." || name == ".." || strings.EqualFold(name, ".git") {
			return false
		}
	}
	return true
}
