package localhub

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// apiURL is the root of the REST API as answers name it.
func (h *Hub) apiURL() string { return h.url + "/api/v3" }

// stamp is a time as REST answers tell it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// stampOrNil is null for the zero time.
func stampOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// nodeID is opaque to clients; GitHub's hold a type prefix too.
func nodeID(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(id, 10)))
}

// json is the account as it appears inside other objects.
func (a *account) json(h *Hub) obj {
	if a == nil {
		return nil
	}
	api := h.apiURL() + "/users/" + a.login
	return obj{
		"login": a.login, "id": a.id, "node_id": nodeID(a.kind[:1], a.id), "avatar_url": h.url + "/avatars/" + a.login,
		"gravatar_id": "", "url": api, "html_url": h.url + "/" + strings.TrimSuffix(a.login, "[bot]"),
		"followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}",
		"subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs", "repos_url": api + "/repos",
		"events_url": api + "/events{/privacy}", "received_events_url": api + "/received_events",
		"type": a.kind, "user_view_type": "public", "site_admin": false,
	}
}

// organization is the account as webhook payloads name an organisation.
func (a *account) organization(h *Hub) obj {
	api := h.apiURL() + "/orgs/" + a.login
	return obj{
		"login": a.login, "id": a.id, "node_id": nodeID("O", a.id), "url": api, "repos_url": api + "/repos",
		"events_url": api + "/events", "hooks_url": api + "/hooks", "issues_url": api + "/issues",
		"members_url": api + "/members{/member}", "public_members_url": api + "/public_members{/member}",
		"avatar_url": h.url + "/avatars/" + a.login, "description": "",
	}
}

// email is the address that GitHub puts into commits.
func (a *account) email() string {
	return fmt.Sprintf("%d+%s@users.noreply.github.com", a.id, a.login)
}

func accountRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/orgs/{org}", who: anybody, doc: "orgs/orgs#get-an-organization", serve: getOrg},
		{method: http.MethodGet, path: "/users/{username}", who: anybody, doc: "users/users#get-a-user", serve: getUser},
		get("/user", nil, "users/users#get-the-authenticated-user", getMyself),
		{method: http.MethodGet, path: "/meta", who: anybody, doc: "meta/meta#get-apiname-meta-information", serve: getMeta},
	}
}

func getMeta(c *call) answer {
	return ok(obj{"verifiable_password_authentication": true, "installed_version": "3.19.0"})
}

func getOrg(c *call) answer {
	a := c.hub.state.account(c.vars["org"])
	if a == nil || a.kind != kindOrg {
		return notFound()
	}
	return ok(a.whole(c.hub))
}

// whole is an organisation as GET shows it.
func (a *account) whole(h *Hub) obj {
	j := a.organization(h)
	public := 0
	for _, r := range h.state.repos {
		if r.owner == a && !r.private && !r.hidden {
			public++
		}
	}
	maps.Copy(j, (obj{
		"name": a.login, "has_organization_projects": true, "has_repository_projects": true, "public_repos": public,
		"public_gists": 0, "followers": 0, "following": 0, "html_url": h.url + "/" + a.login, "type": kindOrg,
		"created_at": stamp(a.created), "updated_at": stamp(a.created), "archived_at": nil,
	}))
	return j
}

func getUser(c *call) answer {
	a := c.hub.state.account(c.vars["username"])
	if a == nil {
		return notFound()
	}
	return ok(c.profile(a))
}

func getMyself(c *call) answer {
	if c.actor.isInstallation() {
		return inaccessible()
	}
	if c.actor.user == nil {
		return *unauthorized("Requires authentication")
	}
	return ok(c.profile(c.actor.user))
}

func (c *call) profile(a *account) obj {
	j := a.json(c.hub)
	maps.Copy(j, (obj{
		"name": a.login, "company": nil, "blog": "", "location": nil, "email": nil, "hireable": nil, "bio": nil,
		"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": stamp(a.created), "updated_at": stamp(a.created),
	}))
	return j
}
