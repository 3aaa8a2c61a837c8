package localhub

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

func repoRoutes() []route {
	admin, meta := write("administration"), read("metadata")
	return []route{
		get("/repos/{owner}/{repo}", meta, "repos/repos#get-a-repository", getRepo),
		patch("/repos/{owner}/{repo}", admin, "repos/repos#update-a-repository", patchRepo),
		remove("/repos/{owner}/{repo}", admin, "repos/repos#delete-a-repository", deleteRepo),
		creating(post("/repos/{template_owner}/{template_repo}/generate", read("metadata"), "repos/repos#create-a-repository-using-a-template", generate)),
		creating(post("/orgs/{org}/repos", admin, "repos/repos#create-an-organization-repository", createOrgRepo)),
		get("/orgs/{org}/repos", meta, "repos/repos#list-organization-repositories", listOrgRepos),
		get("/repos/{owner}/{repo}/topics", meta, "repos/repos#get-all-repository-topics", func(c *call) answer { return ok(obj{"names": c.repo.topics}) }),
		put("/repos/{owner}/{repo}/topics", admin, "repos/repos#replace-all-repository-topics", putTopics),
		get("/repos/{owner}/{repo}/collaborators/{username}/permission", meta, "collaborators/collaborators#get-repository-permissions-for-a-user", collaboratorPermission),
		get("/repos/{owner}/{repo}/collaborators/{username}", meta, "collaborators/collaborators#check-if-a-user-is-a-repository-collaborator", isCollaborator),
	}
}

func getRepo(c *call) answer { return ok(c.hub.fullRepoJSON(c.repo, c.actor)) }

func patchRepo(c *call) answer {
	var in struct {
		Name          optional[string] `json:"name"`
		Description   optional[string] `json:"description"`
		Homepage      optional[string] `json:"homepage"`
		Private       optional[bool]   `json:"private"`
		Visibility    optional[string] `json:"visibility"`
		DefaultBranch optional[string] `json:"default_branch"`
		Archived      optional[bool]   `json:"archived"`
		IsTemplate    optional[bool]   `json:"is_template"`
		HasIssues     optional[bool]   `json:"has_issues"`
		HasProjects   optional[bool]   `json:"has_projects"`
		HasWiki       optional[bool]   `json:"has_wiki"`
		Squash        optional[bool]   `json:"allow_squash_merge"`
		Merge         optional[bool]   `json:"allow_merge_commit"`
		Rebase        optional[bool]   `json:"allow_rebase_merge"`
		AutoMerge     optional[bool]   `json:"allow_auto_merge"`
		DeleteBranch  optional[bool]   `json:"delete_branch_on_merge"`
		UpdateBranch  optional[bool]   `json:"allow_update_branch"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	r := c.repo
	if r.archived && (!in.Archived.set || in.Archived.value) {
		return refuse(http.StatusForbidden, "Repository was archived so is read-only.")
	}
	if in.DefaultBranch.set && in.DefaultBranch.value != r.defaultBranch {
		if _, there := r.store.branch(in.DefaultBranch.value); !there {
			return invalid(flaw{Resource: "Repository", Field: "default_branch", Code: "invalid",
				Message: "The branch " + in.DefaultBranch.value + " was not found. Please push that ref first or create it via the Git Data API."})
		}
	}
	if in.Name.set && in.Name.value != r.name {
		if bad := c.hub.freeName(r.owner, in.Name.value); bad != nil {
			return *bad
		}
	}
	s := &r.settings
	in.HasIssues.into(&s.hasIssues)
	in.HasProjects.into(&s.hasProjects)
	in.HasWiki.into(&s.hasWiki)
	in.Squash.into(&s.squash)
	in.Merge.into(&s.merge)
	in.Rebase.into(&s.rebase)
	in.AutoMerge.into(&s.autoMerge)
	in.DeleteBranch.into(&s.deleteBranch)
	in.UpdateBranch.into(&s.update)
	in.IsTemplate.into(&r.template)
	if in.Visibility.set {
		in.Private = optional[bool]{set: true, value: in.Visibility.value != "public"}
	}
	c.hub.describe(r, in.Description, in.Homepage, in.DefaultBranch, c.actor)
	if in.Private.set {
		c.hub.setPrivate(r, in.Private.value, c.actor)
	}
	if in.Archived.set {
		c.hub.setArchived(r, in.Archived.value, c.actor)
	}
	if in.Name.set && in.Name.value != r.name {
		c.hub.rename(r, in.Name.value, c.actor)
	}
	r.updated = c.hub.now()
	return ok(c.hub.fullRepoJSON(r, c.actor))
}

func deleteRepo(c *call) answer {
	c.hub.deleteRepository(c.repo, c.actor)
	return none()
}

// org is the organisation that the path names, where the caller may create things.
func (c *call) org() (*account, *answer) {
	a := c.hub.state.account(c.vars["org"])
	if a == nil || a.kind != kindOrg {
		bad := notFound()
		return nil, &bad
	}
	if c.actor.isInstallation() && c.actor.token.install.account != a {
		bad := inaccessible()
		if c.r.Method == http.MethodGet {
			bad = notFound()
		}
		return nil, &bad
	}
	return a, nil
}

func createOrgRepo(c *call) answer {
	owner, bad := c.org()
	if bad != nil {
		return *bad
	}
	var in struct {
		Name        string         `json:"name"`
		Description string         `json:"description"`
		Homepage    string         `json:"homepage"`
		Private     bool           `json:"private"`
		Visibility  string         `json:"visibility"`
		AutoInit    bool           `json:"auto_init"`
		IsTemplate  bool           `json:"is_template"`
		HasIssues   optional[bool] `json:"has_issues"`
		Properties  map[string]any `json:"custom_properties"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := c.hub.freeName(owner, in.Name); bad != nil {
		return *bad
	}
	r, err := c.hub.newRepo(owner, in.Name, in.Private || in.Visibility != "" && in.Visibility != "public")
	if err != nil {
		return broken(err)
	}
	r.description, r.homepage, r.template = in.Description, in.Homepage, in.IsTemplate
	in.HasIssues.into(&r.settings.hasIssues)
	maps.Copy(r.properties, in.Properties)
	c.hub.announceNew(r, c.actor)
	if in.AutoInit {
		if _, err := c.hub.commitFiles(r, r.defaultBranch, "Initial commit", Edit{Files: map[string]string{"README.md": "# " + r.name + "\n"}}, c.actor); err != nil {
			return broken(err)
		}
	}
	return created(c.hub.fullRepoJSON(r, c.actor)).with("Location", c.hub.repoURL(r))
}

func listOrgRepos(c *call) answer {
	a := c.hub.state.account(c.vars["org"])
	if a == nil || a.kind != kindOrg {
		return notFound()
	}
	var list []obj
	for _, id := range slices.Sorted(maps.Keys(c.hub.state.repos)) {
		if r := c.hub.state.repos[id]; r.owner == a && !r.hidden && c.actor.sees(r) {
			list = append(list, c.hub.repoJSON(r, c.actor))
		}
	}
	return c.page(list)
}

// topicForm is what GitHub takes as a topic.
var topicForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,49}$`)

func putTopics(c *call) answer {
	var in struct {
		Names []string `json:"names"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	const most = 20
	for _, name := range in.Names {
		if !topicForm.MatchString(name) {
			return invalid(flaw{Resource: "Repository", Field: "topics", Code: "invalid", Message: "Topics must start with a lowercase letter or number, consist of 50 characters or less, and can include hyphens."})
		}
	}
	if len(in.Names) > most {
		return invalid(flaw{Resource: "Repository", Field: "topics", Code: "invalid", Message: "A repository cannot have more than 20 topics."})
	}
	c.repo.topics = append([]string{}, in.Names...)
	c.hub.emit(event{name: "repository", action: "edited", repo: c.repo, by: c.actor, needs: "metadata", body: obj{"changes": obj{"topics": obj{"from": []string{}}}}})
	return ok(obj{"names": c.repo.topics})
}

func collaboratorPermission(c *call) answer {
	user := c.hub.state.account(c.vars["username"])
	if user == nil {
		return notFound()
	}
	role := c.repo.role(user)
	permission := map[string]string{"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "": "none"}[role]
	j := user.json(c.hub)
	j["permissions"], j["role_name"] = permissionsOf(role), role
	return ok(obj{"permission": permission, "role_name": cmp.Or(role, "none"), "user": j})
}

func permissionsOf(role string) obj {
	return obj{
		"admin": roles[role] >= 5, "maintain": roles[role] >= 4, "push": roles[role] >= 3,
		"triage": roles[role] >= 2, "pull": roles[role] >= 1,
	}
}

func isCollaborator(c *call) answer {
	user := c.hub.state.account(c.vars["username"])
	if user == nil || c.repo.collaborators[strings.ToLower(user.login)] == "" && c.repo.owner.members[strings.ToLower(user.login)] == "" {
		return notFound()
	}
	return none()
}

// touched notes a push.
func (r *repository) touched(now time.Time) { r.pushed, r.updated = now, now }
