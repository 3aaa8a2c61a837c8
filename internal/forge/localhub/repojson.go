package localhub

import (
	"fmt"
	"maps"
)

func (h *Hub) repoURL(r *repository) string { return h.apiURL() + "/repos/" + r.fullName() }
func (h *Hub) pageURL(r *repository) string { return h.url + "/" + r.fullName() }

func visibility(r *repository) string {
	if r.private {
		return "private"
	}
	return "public"
}

// links are the addresses below a repository's, by the name of the field.
var links = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
	"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
	"hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "languages_url": "/languages",
	"merges_url": "/merges", "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
	"pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
	"trees_url": "/git/trees{/sha}",
}

// repoJSON is a repository in lists and payloads; viewer may be nil.
func (h *Hub) repoJSON(r *repository, viewer *actor) obj {
	url, page := h.repoURL(r), h.pageURL(r)
	open := 0
	for _, i := range r.issues {
		if i.state == "open" {
			open++
		}
	}
	j := obj{
		"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "private": r.private,
		"owner": r.owner.json(h), "html_url": page, "description": orNil(r.description), "fork": r.fork, "url": url,
		"homepage": orNil(r.homepage), "size": 0, "stargazers_count": 0, "watchers_count": 0, "watchers": 0, "language": nil,
		"has_issues": r.settings.hasIssues, "has_projects": r.settings.hasProjects, "has_downloads": true,
		"has_wiki": r.settings.hasWiki, "has_pages": false, "has_discussions": false, "forks_count": 0, "forks": 0,
		"mirror_url": orNil(r.mirror), "archived": r.archived, "disabled": r.disabled, "open_issues_count": open, "open_issues": open,
		"license": nil, "allow_forking": true, "is_template": r.template, "web_commit_signoff_required": false,
		"topics": r.topics, "visibility": visibility(r), "default_branch": r.defaultBranch,
		"created_at": stamp(r.created), "updated_at": stamp(r.updated), "pushed_at": stamp(r.pushed),
		"git_url": "git" + page[len("http"):] + ".git", "ssh_url": fmt.Sprintf("git@localhub:%s.git", r.fullName()),
		"clone_url": page + ".git", "svn_url": page, "custom_properties": r.properties,
	}
	for name, path := range links {
		j[name] = url + path
	}
	if viewer != nil {
		j["permissions"] = h.viewerPermissions(r, viewer)
	}
	return j
}

func (h *Hub) viewerPermissions(r *repository, viewer *actor) obj {
	if !viewer.isInstallation() {
		return permissionsOf(r.role(viewer.user))
	}
	// What an installation sees here follows its contents and administration permissions.
	switch {
	case viewer.may(r, need{"administration", "write"}):
		return permissionsOf("admin")
	case viewer.may(r, need{"contents", "write"}):
		return permissionsOf("write")
	}
	return permissionsOf("read")
}

// fullRepoJSON is a repository as GET shows it: with settings, and the template it was
// made from where the viewer can see that.
func (h *Hub) fullRepoJSON(r *repository, viewer *actor) obj {
	j := h.repoJSON(r, viewer)
	s := r.settings
	maps.Copy(j, (obj{
		"allow_squash_merge": s.squash, "allow_merge_commit": s.merge, "allow_rebase_merge": s.rebase,
		"allow_auto_merge": s.autoMerge, "delete_branch_on_merge": s.deleteBranch, "allow_update_branch": s.update,
		"use_squash_pr_title_as_default": false, "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
		"squash_merge_commit_message": "COMMIT_MESSAGES", "merge_commit_title": "MERGE_MESSAGE", "merge_commit_message": "PR_TITLE",
		"network_count": 0, "subscribers_count": 0, "temp_clone_token": "",
	}))
	if r.owner.kind == kindOrg {
		j["organization"] = r.owner.json(h)
	}
	if from := h.state.repos[r.templateOf]; from != nil && !from.hidden && viewer.sees(from) {
		j["template_repository"] = plain(h.repoJSON(from, viewer))
	} else if r.templateOf != 0 {
		j["template_repository"] = nil
	}
	return j
}

// plain leaves off what GitHub does not describe for a repository inside of something
// else.
func plain(repo obj) obj {
	delete(repo, "custom_properties")
	return repo
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
