package localhub

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

func lower(s string) string { return strings.ToLower(s) }

// account is who the actor is in events and as author: a person, or the App's bot.
func (a *actor) account() *account {
	if a.user != nil {
		return a.user
	}
	return nil
}

// event is something that Apps may be told.
type event struct {
	name, action string
	repo         *repository
	by           *actor
	needs        string // permission that an App needs to be told
	or           string // another one that does as well
	body         obj
	only         *App // the only App to be told, whatever its subscriptions
}

// emit tells every App that is installed, has the permission, and subscribed. The hub
// is locked.
func (h *Hub) emit(e event) {
	if !h.announced(e) {
		return
	}
	payload := obj{"repository": h.repoJSON(e.repo, nil), "sender": e.by.account().json(h)}
	if e.action != "" {
		payload["action"] = e.action
	}
	if e.repo.owner.kind == kindOrg {
		payload["organization"] = e.repo.owner.organization(h)
	}
	maps.Copy(payload, e.body)
	for _, i := range h.installsOf(e.repo.owner) {
		if i.told(e) {
			h.deliver(i.app, i, e.repo, e.name, payload)
		}
	}
}

// announced tells whether anybody listens, so that no payload is made in vain.
func (h *Hub) announced(e event) bool {
	for _, i := range h.installsOf(e.repo.owner) {
		if i.told(e) {
			return true
		}
	}
	return false
}

func (i *Installation) told(e event) bool {
	if !i.has(e.repo) || !i.suspended.IsZero() {
		return false
	}
	if e.only != nil {
		return i.app == e.only
	}
	granted := i.permissions[e.needs] != "" || e.or != "" && i.permissions[e.or] != ""
	return granted && slices.Contains(i.events, e.name)
}

// changed is the payload of installation_repositories.
func (i *Installation) changed(action string, added, removed []*repository, by *account) obj {
	return obj{
		"action": action, "installation": i.json(), "repository_selection": i.selection(),
		"repositories_added": short(added), "repositories_removed": short(removed), "requester": nil, "sender": by.json(i.hub),
	}
}

// refMove is a reference that has moved.
type refMove struct {
	name        string // in full
	from, to    plumbing.Hash
	by          *actor
	forced      bool
	quietCreate bool   // no create event, as for a template's first branch
	merges      *issue // the pull request that is being merged
}

// refMoved does all that follows from a moved reference: events, pull requests, check
// suites. The reference is moved already.
func (h *Hub) refMoved(r *repository, m refMove) {
	r.touched(h.now())
	branch, isBranch := strings.CutPrefix(m.name, "refs/heads/")
	tag, isTag := strings.CutPrefix(m.name, "refs/tags/")
	if !isBranch && !isTag {
		return
	}
	kind, short := "branch", branch
	if isTag {
		kind, short = "tag", tag
	}
	if m.from.IsZero() && !m.quietCreate {
		h.emit(event{name: "create", repo: r, by: m.by, needs: "contents", body: obj{
			"ref": short, "ref_type": kind, "full_ref": m.name, "master_branch": r.defaultBranch,
			"description": orNil(r.description), "pusher_type": "user",
		}})
	}
	if m.to.IsZero() {
		h.emit(event{name: "delete", repo: r, by: m.by, needs: "contents", body: obj{
			"ref": short, "ref_type": kind, "full_ref": m.name, "pusher_type": "user",
		}})
	}
	h.pushEvent(r, m)
	if isBranch {
		h.branchMoved(r, branch, m)
	}
}

const (
	pushCommits = 2048 // GitHub lists at most so many
	pushFiles   = 300  // files of one commit listed here; GitHub's bound is not documented
)

func (h *Hub) pushEvent(r *repository, m refMove) {
	e := event{name: "push", repo: r, by: m.by, needs: "contents"}
	if !h.announced(e) {
		return
	}
	who := m.by.account()
	page := h.pageURL(r)
	body := obj{
		"ref": m.name, "before": m.from.String(), "after": m.to.String(), "created": m.from.IsZero(), "deleted": m.to.IsZero(),
		"forced": m.forced, "base_ref": nil, "compare": fmt.Sprintf("%s/compare/%.12s...%.12s", page, m.from, m.to),
		"commits": []obj{}, "head_commit": nil, "pusher": obj{"name": who.login, "email": who.email()},
		"repository": h.pushRepo(r),
	}
	if !m.to.IsZero() {
		if commits := h.pushedCommits(r, m); commits != nil && strings.HasPrefix(m.name, "refs/heads/") {
			body["commits"] = commits
		}
		body["head_commit"] = h.commitPayload(r, m.to)
	}
	e.body = body
	h.emit(e)
}

// pushRepo is the repository in a push payload, whose times are numbers and whose
// owner has a name.
func (h *Hub) pushRepo(r *repository) obj {
	j := h.repoJSON(r, nil)
	j["created_at"], j["pushed_at"] = r.created.Unix(), r.pushed.Unix()
	owner := r.owner.json(h)
	owner["name"], owner["email"] = r.owner.login, nil
	j["owner"], j["master_branch"], j["stargazers"] = owner, r.defaultBranch, 0
	if r.owner.kind == kindOrg {
		j["organization"] = r.owner.login
	}
	return j
}

func (h *Hub) pushedCommits(r *repository, m refMove) []obj {
	base := m.from
	if base.IsZero() && m.name != "refs/heads/"+r.defaultBranch {
		base, _ = r.store.branch(r.defaultBranch)
	}
	ids, _, err := r.store.commitsBetween(base, m.to, pushCommits)
	if err != nil {
		h.options.Log.Error("commits of a push not listed", "repository", r.fullName(), "error", err)
		return nil
	}
	var list []obj
	for _, id := range ids {
		list = append(list, h.commitPayload(r, id))
	}
	return list
}

// commitPayload is a commit as push events tell it.
func (h *Hub) commitPayload(r *repository, id plumbing.Hash) obj {
	if id = r.store.peel(id); r.store.kind(id) != "commit" {
		return nil
	}
	c, err := r.store.commit(id)
	if err != nil {
		return nil
	}
	parent := plumbing.ZeroHash
	if len(c.ParentHashes) > 0 {
		parent = c.ParentHashes[0]
	}
	files := map[string][]string{"added": {}, "removed": {}, "modified": {}}
	if changed, err := r.store.between(parent, id); err == nil {
		for _, f := range changed[:min(len(changed), pushFiles)] {
			files[f.status()] = append(files[f.status()], f.path)
		}
	}
	return obj{
		"id": id.String(), "tree_id": c.TreeHash.String(), "distinct": true, "message": strings.TrimRight(c.Message, "\n"),
		"timestamp": c.Committer.When.Format(time.RFC3339), "url": h.pageURL(r) + "/commit/" + id.String(),
		"author":    obj{"name": c.Author.Name, "email": c.Author.Email, "username": h.loginOf(c.Author.Email)},
		"committer": obj{"name": c.Committer.Name, "email": c.Committer.Email, "username": h.loginOf(c.Committer.Email)},
		"added":     files["added"], "removed": files["removed"], "modified": files["modified"],
	}
}

// loginOf finds the account behind a noreply address.
func (h *Hub) loginOf(email string) any {
	if a := h.byEmail(email); a != nil {
		return a.login
	}
	return nil
}

func (h *Hub) byEmail(email string) *account {
	name, found := strings.CutSuffix(email, "@users.noreply.github.com")
	if !found {
		return nil
	}
	if _, login, has := strings.Cut(name, "+"); has {
		name = login
	}
	return h.state.account(name)
}
