package localhub

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func teamRoutes() []route {
	members := read("members")
	return []route{
		get("/orgs/{org}/teams", members, "teams/teams#list-teams", listTeams),
		get("/orgs/{org}/teams/{team_slug}", members, "teams/teams#get-a-team-by-name", getTeam),
		put("/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", write("administration"), "teams/teams#add-or-update-team-repository-permissions", putTeamRepo),
		get("/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", members, "teams/teams#check-team-permissions-for-a-repository", getTeamRepo),
		get("/repos/{owner}/{repo}/teams", read("administration"), "repos/repos#list-repository-teams", repoTeams),
		get("/orgs/{org}/teams/{team_slug}/memberships/{username}", members, "teams/members#get-team-membership-for-a-user", getMembership),
	}
}

func (h *Hub) teamJSON(org *account, t *team) obj {
	url := fmt.Sprintf("%s/organizations/%d/team/%d", h.apiURL(), org.id, t.id)
	return obj{
		"id": t.id, "node_id": nodeID("T", t.id), "name": t.name, "slug": t.slug, "description": "", "privacy": "closed", "notification_setting": "notifications_enabled",
		"permission": "pull", "url": url, "html_url": fmt.Sprintf("%s/orgs/%s/teams/%s", h.url, org.login, t.slug),
		"members_url": url + "/members{/member}", "repositories_url": url + "/repos", "parent": nil, "type": "organization", "organization_id": org.id,
	}
}

func listTeams(c *call) answer {
	org, bad := c.org()
	if bad != nil {
		return *bad
	}
	var list []obj
	for _, slug := range slices.Sorted(maps.Keys(org.teams)) {
		list = append(list, c.hub.teamJSON(org, org.teams[slug]))
	}
	return c.page(list)
}

// team is the one that the path names, with its organisation.
func (c *call) team() (*account, *team) {
	org, bad := c.org()
	if bad != nil {
		return nil, nil
	}
	return org, org.teams[c.vars["team_slug"]]
}

func getTeam(c *call) answer {
	org, t := c.team()
	if t == nil {
		return notFound()
	}
	j := c.hub.teamJSON(org, t)
	repos := 0
	for _, r := range c.hub.state.repos {
		if r.owner == org && r.teams[t.slug] != "" {
			repos++
		}
	}
	maps.Copy(j, obj{
		"members_count": len(t.members), "repos_count": repos, "created_at": stamp(org.created), "updated_at": stamp(org.created),
		"organization": org.whole(c.hub),
	})
	return ok(j)
}

// teamPermissions are the words of the teams API.
var teamPermissions = []string{"pull", "triage", "push", "maintain", "admin"}

func putTeamRepo(c *call) answer {
	_, t := c.team()
	if t == nil || c.repo.owner.login != c.vars["org"] && !strings.EqualFold(c.repo.owner.login, c.vars["org"]) {
		return notFound()
	}
	if !c.actor.may(nil, need{"members", "read"}) {
		return inaccessible()
	}
	var in struct {
		Permission string `json:"permission"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if in.Permission == "" {
		in.Permission = "push"
	}
	if !slices.Contains(teamPermissions, in.Permission) {
		return invalid(flaw{Resource: "TeamMember", Field: "permission", Code: "invalid"})
	}
	c.repo.teams[t.slug] = in.Permission
	return none()
}

func getTeamRepo(c *call) answer {
	_, t := c.team()
	if t == nil || c.repo.teams[t.slug] == "" {
		return notFound()
	}
	if strings.Contains(c.r.Header.Get("Accept"), "repository") {
		j := plain(c.hub.repoJSON(c.repo, nil))
		delete(j, "has_discussions") // which a team's repository has not
		j["permissions"], j["role_name"] = permissionsOf(legacyRole(c.repo.teams[t.slug])), legacyRole(c.repo.teams[t.slug])
		return ok(j)
	}
	return none()
}

func repoTeams(c *call) answer {
	var list []obj
	for _, slug := range slices.Sorted(maps.Keys(c.repo.teams)) {
		if t := c.repo.owner.teams[slug]; t != nil {
			j := c.hub.teamJSON(c.repo.owner, t)
			j["permission"], j["permissions"] = c.repo.teams[slug], permissionsOf(legacyRole(c.repo.teams[slug]))
			list = append(list, j)
		}
	}
	return c.page(list)
}

func getMembership(c *call) answer {
	_, t := c.team()
	if t == nil || !t.members[lower(c.vars["username"])] {
		return notFound()
	}
	return ok(obj{"url": "", "role": "member", "state": "active"})
}
