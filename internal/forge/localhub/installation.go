package localhub

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Installation is an App on an account.
type Installation struct {
	hub         *Hub
	id          int64
	app         *App
	account     *account
	all         bool
	selected    map[int64]bool
	permissions map[string]string
	events      []string
	created     time.Time
	suspended   time.Time
	suspendedBy *account
	deleted     bool
}

// ID is the installation's number.
func (i *Installation) ID() int64 { return i.id }

func (i *Installation) has(r *repository) bool {
	return !i.deleted && !r.hidden && r.owner == i.account && (i.all || i.selected[r.id])
}

// repositories are those the installation has, by id.
func (i *Installation) repositories() []*repository {
	var list []*repository
	for _, id := range slices.Sorted(maps.Keys(i.hub.state.repos)) {
		if r := i.hub.state.repos[id]; i.has(r) {
			list = append(list, r)
		}
	}
	return list
}

func (i *Installation) selection() string {
	if i.all {
		return "all"
	}
	return "selected"
}

func (i *Installation) json() obj {
	api := i.hub.apiURL()
	j := obj{
		"id": i.id, "client_id": i.app.clientID, "account": i.account.json(i.hub),
		"repository_selection": i.selection(), "app_id": i.app.id, "app_slug": i.app.slug,
		"access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", api, i.id),
		"repositories_url":  api + "/installation/repositories",
		"html_url":          fmt.Sprintf("%s/organizations/%s/settings/installations/%d", i.hub.url, i.account.login, i.id),
		"target_id":         i.account.id, "target_type": i.account.kind,
		"permissions": i.permissions, "events": nonNil(i.events), "created_at": stamp(i.created), "updated_at": stamp(i.created),
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []string{},
		"suspended_at": nil, "suspended_by": nil,
	}
	if !i.suspended.IsZero() {
		j["suspended_at"], j["suspended_by"] = stamp(i.suspended), i.suspendedBy.json(i.hub)
	}
	return j
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// short are repositories as installation events list them.
func short(list []*repository) []obj {
	out := []obj{}
	for _, r := range list {
		out = append(out, obj{
			"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "private": r.private,
		})
	}
	return out
}

// mine is the App's installation that the path names, or nil.
func (c *call) mine() *Installation {
	i := c.hub.state.installs[c.number("installation_id")]
	if i == nil || i.app != c.actor.app || i.deleted {
		return nil
	}
	return i
}

func listInstallations(c *call) answer {
	var list []obj
	for _, id := range slices.Sorted(maps.Keys(c.hub.state.installs)) {
		i := c.hub.state.installs[id]
		if i.app == c.actor.app && !i.deleted {
			list = append(list, i.json())
		}
	}
	return c.page(list)
}

func getInstallation(c *call) answer {
	if i := c.mine(); i != nil {
		return ok(i.json())
	}
	return notFound()
}

func (c *call) installationOn(match func(*Installation) bool) answer {
	for _, i := range c.hub.state.installs {
		if i.app == c.actor.app && !i.deleted && match(i) {
			return ok(i.json())
		}
	}
	return notFound()
}

func orgInstallation(c *call) answer {
	return c.installationOn(func(i *Installation) bool { return strings.EqualFold(i.account.login, c.vars["org"]) })
}

func userInstallation(c *call) answer {
	return c.installationOn(func(i *Installation) bool { return strings.EqualFold(i.account.login, c.vars["username"]) })
}

func repoInstallation(c *call) answer {
	repo, _ := c.hub.state.find(c.vars["owner"], c.vars["repo"])
	return c.installationOn(func(i *Installation) bool { return repo != nil && i.has(repo) })
}

func deleteInstallation(c *call) answer {
	i := c.mine()
	if i == nil {
		return notFound()
	}
	c.hub.uninstall(i, c.actor.user)
	return none()
}

func suspendInstallation(c *call) answer {
	i := c.mine()
	if i == nil {
		return notFound()
	}
	c.hub.suspend(i, c.actor.user)
	return none()
}

func unsuspendInstallation(c *call) answer {
	i := c.mine()
	if i == nil {
		return notFound()
	}
	c.hub.unsuspend(i, c.actor.user)
	return none()
}

// tokenLife is how long an installation token is valid.
const tokenLife = time.Hour

// tokenRepositories is how many repositories a token can be scoped to.
const tokenRepositories = 500

func createToken(c *call) answer {
	i := c.mine()
	if i == nil {
		return notFound()
	}
	if !i.suspended.IsZero() {
		return refuse(http.StatusForbidden, "This installation has been suspended")
	}
	var in struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if len(in.Repositories) > tokenRepositories || len(in.RepositoryIDs) > tokenRepositories {
		return unprocessable(fmt.Sprintf("A token can be scoped to at most %d repositories.", tokenRepositories))
	}
	t := &token{value: newToken("ghs_"), install: i, permissions: maps.Clone(i.permissions), expires: c.hub.now().Add(tokenLife)}
	chosen, bad := i.choose(in.Repositories, in.RepositoryIDs)
	if bad != nil {
		return *bad
	}
	if len(in.Permissions) > 0 {
		for permission, level := range in.Permissions {
			if levels[level] == 0 || levels[level] > levels[i.permissions[permission]] {
				return unprocessable("The permissions requested are not granted to this installation.")
			}
		}
		t.permissions = withMetadata(in.Permissions)
	}
	out := obj{
		"token": t.value, "expires_at": stamp(t.expires), "permissions": t.permissions, "repository_selection": i.selection(),
	}
	if chosen != nil {
		t.repos = map[int64]bool{}
		var list []obj
		for _, r := range chosen {
			t.repos[r.id] = true
			list = append(list, plain(c.hub.repoJSON(r, c.actor)))
		}
		out["repositories"], out["repository_selection"] = list, "selected"
	}
	c.hub.state.tokens[t.value] = t
	return created(out)
}

// choose are the repositories a token is asked for; nil where it is for all.
func (i *Installation) choose(names []string, ids []int64) ([]*repository, *answer) {
	missing := unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.")
	var list []*repository
	for _, name := range names {
		r, _ := i.hub.state.find(i.account.login, name)
		if r == nil || !i.has(r) {
			return nil, &missing
		}
		list = append(list, r)
	}
	for _, id := range ids {
		r := i.hub.state.repos[id]
		if r == nil || !i.has(r) {
			return nil, &missing
		}
		list = append(list, r)
	}
	return list, nil
}

func installationRoutes() []route {
	return []route{
		get("/installation/repositories", read("metadata"), "apps/installations#list-repositories-accessible-to-the-app-installation", installationRepos),
		remove("/installation/token", nil, "apps/installations#revoke-an-installation-access-token", revokeToken),
		{method: http.MethodGet, path: "/rate_limit", who: anybody, doc: "rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user", serve: rateLimit},
	}
}

func installationRepos(c *call) answer {
	if !c.actor.isInstallation() {
		return refuse(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
	}
	var list []obj
	for _, r := range c.actor.token.install.repositories() {
		if c.actor.reaches(r) {
			list = append(list, c.hub.repoJSON(r, c.actor))
		}
	}
	total := len(list)
	a := c.page(list)
	if a.failed() {
		return a
	}
	a.body = obj{"total_count": total, "repository_selection": c.actor.token.install.selection(), "repositories": a.body}
	return a
}

func revokeToken(c *call) answer {
	if c.actor.isInstallation() {
		delete(c.hub.state.tokens, c.actor.token.value)
	}
	return none()
}

// install puts an App on an account.
func (h *Hub) install(app *App, on *account, by *account, selected []*repository, all bool) *Installation {
	i := &Installation{
		hub: h, id: h.state.id(), app: app, account: on, all: all, selected: map[int64]bool{},
		permissions: maps.Clone(app.permissions), events: slices.Clone(app.events), created: h.now(),
	}
	for _, r := range selected {
		i.selected[r.id] = true
	}
	h.state.installs[i.id] = i
	h.deliver(app, i, nil, "installation", obj{
		"action": "created", "installation": i.json(), "repositories": short(i.repositories()),
		"requester": nil, "sender": by.json(h),
	})
	return i
}

func (h *Hub) uninstall(i *Installation, by *account) {
	list := short(i.repositories())
	body := obj{"action": "deleted", "installation": i.json(), "repositories": list, "sender": by.json(h)}
	h.deliver(i.app, i, nil, "installation", body)
	i.deleted = true
}

func (h *Hub) suspend(i *Installation, by *account) {
	i.suspended, i.suspendedBy = h.now(), by
	h.deliver(i.app, i, nil, "installation", obj{"action": "suspend", "installation": i.json(), "sender": by.json(h)})
}

func (h *Hub) unsuspend(i *Installation, by *account) {
	i.suspended, i.suspendedBy = time.Time{}, nil
	h.deliver(i.app, i, nil, "installation", obj{"action": "unsuspend", "installation": i.json(), "sender": by.json(h)})
}
