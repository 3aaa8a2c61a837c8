package localhub

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// nameForm is what GitHub takes as a repository's name; other characters it replaces
// by a hyphen.
var nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`) })

// newRepo makes an empty repository. The name must be free.
func (h *Hub) newRepo(owner *account, name string, private bool) (*repository, error) {
	id := h.state.id()
	g, err := newStore(h.git, filepath.Join(h.dir, strconv.FormatInt(id, 10)+".git"))
	if err != nil {
		return nil, fmt.Errorf("localhub: repository %s/%s: %w", owner.login, name, err)
	}
	now := h.now()
	r := &repository{
		id: id, owner: owner, name: name, private: private, defaultBranch: "main", created: now, updated: now, pushed: now,
		store: g, topics: []string{}, properties: map[string]any{},
		settings: settings{hasIssues: true, hasProjects: true, hasWiki: true, squash: true, merge: true, rebase: true},
		issues:   map[int]*issue{}, labels: map[string]*label{}, checks: map[int64]*checkRun{}, suites: map[int64]*checkSuite{},
		protections: map[string]*Protection{}, variables: map[string]*variable{}, environments: map[string]*environment{},
		deployments: map[int64]*deployment{}, teams: map[string]string{}, collaborators: map[string]string{},
	}
	r.defaultLabels(h.state)
	h.state.repos[id] = r
	h.state.names[key(owner.login, name)] = id
	delete(h.state.moved, key(owner.login, name))
	return r, nil
}

// announceNew sends what follows from a repository being there.
func (h *Hub) announceNew(r *repository, by *actor) {
	h.emit(event{name: "repository", action: "created", repo: r, by: by, needs: "metadata"})
	if by.isInstallation() && !by.token.install.all && by.token.install.account == r.owner {
		by.token.install.selected[r.id] = true // GitHub adds what an App creates
	}
	for _, i := range h.installsOf(r.owner) {
		if i.all {
			h.deliver(i.app, i, nil, "installation_repositories", i.changed("added", []*repository{r}, nil, by.account()))
		}
	}
}

// installsOf are the installations on an account, by id.
func (h *Hub) installsOf(a *account) []*Installation {
	var list []*Installation
	for _, id := range slices.Sorted(maps.Keys(h.state.installs)) {
		if i := h.state.installs[id]; i.account == a && !i.deleted {
			list = append(list, i)
		}
	}
	return list
}

// describe changes what repository.edited tells.
func (h *Hub) describe(r *repository, description, homepage, branch optional[string], by *actor) {
	changes := obj{}
	change := func(name string, in optional[string], field *string) {
		if in.set && in.value != *field {
			changes[name] = obj{"from": *field}
			*field = in.value
		}
	}
	change("description", description, &r.description)
	change("homepage", homepage, &r.homepage)
	change("default_branch", branch, &r.defaultBranch)
	if len(changes) == 0 {
		return
	}
	if changes["default_branch"] != nil {
		if err := r.store.setHead(r.defaultBranch); err != nil {
			h.options.Log.Error("default branch not set on disk", "repository", r.fullName(), "error", err)
		}
	}
	h.emit(event{name: "repository", action: "edited", repo: r, by: by, needs: "metadata", body: obj{"changes": changes}})
}

func (h *Hub) setPrivate(r *repository, private bool, by *actor) {
	if r.private == private {
		return
	}
	r.private = private
	action := "publicized"
	if private {
		action = "privatized"
	}
	h.emit(event{name: "repository", action: action, repo: r, by: by, needs: "metadata"})
}

func (h *Hub) setArchived(r *repository, archived bool, by *actor) {
	if r.archived == archived {
		return
	}
	r.archived = archived
	action := "unarchived"
	if archived {
		action = "archived"
	}
	h.emit(event{name: "repository", action: action, repo: r, by: by, needs: "metadata"})
}

// rename gives a repository another name; the old one redirects until it is taken.
func (h *Hub) rename(r *repository, name string, by *actor) {
	old := r.name
	delete(h.state.names, key(r.owner.login, old))
	h.state.moved[key(r.owner.login, old)] = r.id
	delete(h.state.moved, key(r.owner.login, name))
	r.name = name
	h.state.names[key(r.owner.login, name)] = r.id
	h.emit(event{name: "repository", action: "renamed", repo: r, by: by, needs: "metadata",
		body: obj{"changes": obj{"repository": obj{"name": obj{"from": old}}}}})
}

// freeName says why a repository cannot have a name, or nil.
func (h *Hub) freeName(owner *account, name string) *answer {
	if !nameForm().MatchString(name) || name == "." || name == ".." || strings.HasSuffix(name, ".git") {
		a := refuse(http.StatusUnprocessableEntity, "Repository creation failed.", flaw{Resource: "Repository", Code: "custom", Field: "name", Message: "name is invalid"})
		return &a
	}
	if _, taken := h.state.names[key(owner.login, name)]; taken {
		a := refuse(http.StatusUnprocessableEntity, "Repository creation failed.", flaw{
			Resource: "Repository", Code: "custom", Field: "name", Message: "name already exists on this account",
		})
		return &a
	}
	return nil
}

func (h *Hub) deleteRepository(r *repository, by *actor) {
	h.emit(event{name: "repository", action: "deleted", repo: r, by: by, needs: "metadata"})
	r.hidden = true
	delete(h.state.names, key(r.owner.login, r.name))
	for name, id := range h.state.moved {
		if id == r.id {
			delete(h.state.moved, name)
		}
	}
}
