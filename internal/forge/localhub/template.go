package localhub

import (
	"fmt"
	"net/http"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func generate(c *call) answer {
	var in struct {
		Owner       string `json:"owner"`
		Name        string `json:"name"`
		Description string `json:"description"`
		All         bool   `json:"include_all_branches"`
		Private     bool   `json:"private"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	c.header.Set("X-Accepted-GitHub-Permissions", "administration=write,contents=read")
	owner := c.actor.account()
	if in.Owner != "" {
		owner = c.hub.state.account(in.Owner)
	}
	if owner == nil || owner.kind == kindBot {
		return inaccessible()
	}
	if !c.repo.template || !c.actor.may(c.repo, need{"contents", "read"}) {
		return notFound()
	}
	if !c.hub.mayCreate(c.actor, owner) {
		return inaccessible()
	}
	if _, taken := c.hub.state.names[key(owner.login, in.Name)]; taken {
		return unprocessable("Could not clone: Name already exists on this account")
	}
	if bad := c.hub.freeName(owner, in.Name); bad != nil {
		return *bad
	}
	r, err := c.hub.fromTemplate(c.repo, owner, in.Name, in.Description, in.Private, in.All, c.actor)
	if err != nil {
		return broken(err)
	}
	return created(c.hub.fullRepoJSON(r, c.actor)).with("Location", c.hub.repoURL(r))
}

// mayCreate tells whether the actor may create repositories for an account.
func (h *Hub) mayCreate(a *actor, owner *account) bool {
	if a.isInstallation() {
		return a.token.install.account == owner && levels[a.token.permissions["administration"]] >= levels["write"]
	}
	return a.user != nil && (a.user == owner || owner.members[lower(a.user.login)] != "")
}

// fromTemplate makes a repository whose content arrives later, as GitHub does: the
// event first, commits after some reads or when told.
func (h *Hub) fromTemplate(from *repository, owner *account, name, description string, private, all bool, by *actor) (*repository, error) {
	r, err := h.newRepo(owner, name, private)
	if err != nil {
		return nil, err
	}
	r.description, r.templateOf, r.defaultBranch = description, from.id, from.defaultBranch
	if err := r.store.setHead(r.defaultBranch); err != nil {
		return nil, fmt.Errorf("localhub: default branch of %s: %w", r.fullName(), err)
	}
	r.awaited = &awaited{from: from, all: all, actor: by, readsLeft: h.options.ContentReads, whenTold: h.options.ContentReads < 0}
	h.announceNew(r, by)
	if h.options.ContentReads == 0 {
		return r, h.arrive(r)
	}
	return r, nil
}

// looked counts a read of a repository that waits for its content; the read that
// exhausts the count still finds it empty, the next one does not.
func (h *Hub) looked(r *repository) {
	if r.awaited == nil || r.awaited.whenTold {
		return
	}
	if r.awaited.readsLeft > 0 {
		r.awaited.readsLeft--
		return
	}
	if err := h.arrive(r); err != nil {
		h.options.Log.Error("content of template not copied", "repository", r.fullName(), "error", err)
	}
}

// FinishContent lets the content of a repository made from a template arrive now.
func (h *Hub) FinishContent(fullName string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.named(fullName)
	if err != nil {
		return err
	}
	return h.arrive(r)
}

// arrive copies a template: one commit without history a branch.
func (h *Hub) arrive(r *repository) error {
	wait := r.awaited
	if wait == nil {
		return nil
	}
	r.awaited = nil
	from := wait.from
	heads, err := from.store.refs("refs/heads/")
	if err != nil {
		return err
	}
	for _, head := range heads {
		branch := head.Name().Short()
		if !wait.all && branch != from.defaultBranch {
			continue
		}
		if _, err := r.store.in("fetch", "-q", "--no-tags", from.store.dir, head.Hash().String()); err != nil {
			return err
		}
		r.store.reopen()
		id, err := h.initialCommit(r, head.Hash(), wait.actor)
		if err != nil {
			return err
		}
		name := "refs/heads/" + branch
		if err := r.store.setRef(name, id); err != nil {
			return err
		}
		// GitHub tells of branches with "create" only when all are copied.
		h.refMoved(r, refMove{name: name, to: id, by: wait.actor, quietCreate: !wait.all})
	}
	return nil
}

func (h *Hub) initialCommit(r *repository, from plumbing.Hash, by *actor) (plumbing.Hash, error) {
	tree, err := r.store.treeOf(from)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	committer := webFlow
	committer.When = h.now()
	who := by.account()
	c := &object.Commit{
		Author:    object.Signature{Name: who.login, Email: who.email(), When: h.now()},
		Committer: committer, Message: "Initial commit", TreeHash: tree,
	}
	if err := h.signer.sign(c); err != nil {
		return plumbing.ZeroHash, err
	}
	return r.store.put(c)
}

// waiting says that a repository has no content yet, or nil. Every read of git data
// goes through it.
func (c *call) waiting() *answer {
	c.hub.looked(c.repo)
	if !c.repo.store.empty() {
		return nil
	}
	a := refuse(http.StatusConflict, "Git Repository is empty.")
	return &a
}
