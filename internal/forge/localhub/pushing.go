package localhub

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Edit is a change of files. Paths in Executable get mode 100755; Links map paths to
// their targets.
type Edit struct {
	Files      map[string]string
	Executable []string
	Links      map[string]string
	Delete     []string
}

// Push commits a change to a branch and pushes it. A branch that does not exist is
// made from the default branch. It returns the commit's id.
func (p *Person) Push(fullName, branch, message string, change Edit) (id string, err error) {
	err = p.do(fullName, "write", func(r *repository) error {
		hash, err := p.hub.commitFiles(r, branch, message, change, p.actor())
		id = hash.String()
		return err
	})
	return id, err
}

// ForcePush replaces a branch by one commit with only these files and no history.
func (p *Person) ForcePush(fullName, branch, message string, files map[string]string) (id string, err error) {
	err = p.do(fullName, "write", func(r *repository) error {
		hash, err := p.hub.commitOn(r, plumbing.ZeroHash, message, Edit{Files: files}, p.actor())
		if err != nil {
			return err
		}
		id = hash.String()
		return p.hub.movedBy(r, "refs/heads/"+branch, hash, p.actor())
	})
	return id, err
}

// ResetBranch points a branch at a commit that is there, as a force push does.
func (p *Person) ResetBranch(fullName, branch, commit string) error {
	return p.do(fullName, "write", func(r *repository) error {
		return p.hub.movedBy(r, "refs/heads/"+branch, plumbing.NewHash(commit), p.actor())
	})
}

// Tag makes a lightweight tag on a branch's head.
func (p *Person) Tag(fullName, name, branch string) error {
	return p.do(fullName, "write", func(r *repository) error {
		head, there := r.store.branch(branch)
		if !there {
			return fmt.Errorf("localhub: no branch %s in %s", branch, fullName)
		}
		return p.hub.movedBy(r, "refs/tags/"+name, head, p.actor())
	})
}

// DeleteBranch deletes a branch; its open pull requests are closed.
func (p *Person) DeleteBranch(fullName, branch string) error {
	return p.do(fullName, "write", func(r *repository) error {
		return p.hub.movedBy(r, "refs/heads/"+branch, plumbing.ZeroHash, p.actor())
	})
}

// movedBy moves a reference wherever it is now.
func (h *Hub) movedBy(r *repository, name string, to plumbing.Hash, by *actor) error {
	from, _ := r.store.ref(name)
	if from == to {
		return errors.New("localhub: " + name + " is there already")
	}
	bad, err := h.moveRef(r, refMove{name: name, from: from, to: to, by: by}, false)
	if err != nil {
		return err
	}
	if bad != nil {
		a := bad.answer()
		return failure(&a)
	}
	return nil
}

// commitFiles commits a change on a branch and moves it.
func (h *Hub) commitFiles(r *repository, branch, message string, change Edit, by *actor) (plumbing.Hash, error) {
	head, there := r.store.branch(branch)
	if !there {
		head, _ = r.store.branch(r.defaultBranch)
	}
	id, err := h.commitOn(r, head, message, change, by)
	if err != nil {
		return id, err
	}
	return id, h.movedBy(r, "refs/heads/"+branch, id, by)
}

// commitOn writes a commit on top of another; zero for none.
func (h *Hub) commitOn(r *repository, parent plumbing.Hash, message string, change Edit, by *actor) (plumbing.Hash, error) {
	tree, err := r.store.treeOf(parent)
	if err != nil {
		return tree, err
	}
	edits := map[string]edit{}
	add := func(path, text string, mode filemode.FileMode) error {
		id, err := r.store.putBlob([]byte(text))
		edits[path] = edit{mode: mode, id: id}
		return err
	}
	for path, text := range change.Files {
		mode := filemode.Regular
		if slices.Contains(change.Executable, path) {
			mode = filemode.Executable
		}
		if err := add(path, text, mode); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	for path, target := range change.Links {
		if err := add(path, target, filemode.Symlink); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	for _, path := range change.Delete {
		edits[path] = edit{remove: true}
	}
	if tree, err = r.store.editTree(tree, edits); err != nil {
		return tree, err
	}
	who := by.account()
	signature := object.Signature{Name: who.login, Email: who.email(), When: h.now()}
	o := &object.Commit{TreeHash: tree, Author: signature, Committer: signature, Message: message + "\n"}
	if !parent.IsZero() {
		o.ParentHashes = []plumbing.Hash{parent}
	}
	return r.store.put(o)
}

// Files are the files of a branch: path → content.
func (h *Hub) Files(fullName, branch string) (map[string]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.named(fullName)
	if err != nil {
		return nil, err
	}
	head, there := r.store.branch(branch)
	if !there {
		return nil, fmt.Errorf("localhub: no branch %s in %s", branch, fullName)
	}
	changed, err := r.store.between(plumbing.ZeroHash, head)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, f := range changed {
		data, err := r.store.blob(f.to.Hash)
		if err != nil {
			return nil, err
		}
		out[f.path] = string(data)
	}
	return out, nil
}

// Branches are a repository's branches: name → commit id.
func (h *Hub) Branches(fullName string) (map[string]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.named(fullName)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, id := range r.store.heads() {
		out[name] = id.String()
	}
	return out, nil
}
