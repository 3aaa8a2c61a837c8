package localhub

import (
	"fmt"
)

// issueURL is the address of an issue or pull request in the API.
func (h *Hub) issueURL(r *repository, i *issue) string {
	return fmt.Sprintf("%s/issues/%d", h.repoURL(r), i.number)
}

func (i *issue) page(h *Hub, r *repository) string {
	kind := "issues"
	if i.pull != nil {
		kind = "pull"
	}
	return fmt.Sprintf("%s/%s/%d", h.pageURL(r), kind, i.number)
}

func (h *Hub) issueJSON(r *repository, i *issue) obj {
	url := h.issueURL(r, i)
	labels, assignees := []obj{}, []obj{}
	for _, l := range i.labels {
		labels = append(labels, h.labelJSON(r, l))
	}
	for _, a := range i.assignees {
		assignees = append(assignees, a.json(h))
	}
	j := obj{
		"id": i.id, "node_id": nodeID("I", i.id), "number": i.number, "title": i.title, "body": orNil(i.body), "state": i.state,
		"state_reason": orNil(i.reason), "user": i.author.json(h), "labels": labels, "assignees": assignees, "assignee": nil, "milestone": nil,
		"locked": i.locked, "active_lock_reason": nil, "comments": len(i.comments), "created_at": stamp(i.created), "updated_at": stamp(i.updated),
		"closed_at": stampOrNil(i.closed), "closed_by": nil, "author_association": h.association(r, i.author), "draft": false,
		"url": url, "html_url": i.page(h, r), "repository_url": h.repoURL(r), "labels_url": url + "/labels{/name}",
		"comments_url": url + "/comments", "events_url": url + "/events", "timeline_url": url + "/timeline",
		"reactions": reactions(url), "performed_via_github_app": appOrNil(i.app),
	}
	if len(assignees) > 0 {
		j["assignee"] = assignees[0]
	}
	if i.closedBy != nil {
		j["closed_by"] = i.closedBy.json(h)
	}
	if i.pull != nil {
		api := fmt.Sprintf("%s/pulls/%d", h.repoURL(r), i.number)
		page := i.page(h, r)
		j["draft"] = i.pull.draft
		j["pull_request"] = obj{"url": api, "html_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch", "merged_at": stampOrNil(i.pull.mergedAt)}
	}
	return j
}

func appOrNil(a *App) any {
	if a == nil {
		return nil
	}
	return a.json()
}

func reactions(url string) obj {
	j := obj{"url": url + "/reactions", "total_count": 0}
	for _, name := range []string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"} {
		j[name] = 0
	}
	return j
}

// association is what an author is to the repository.
func (h *Hub) association(r *repository, a *account) string {
	switch {
	case a == nil || a.kind == kindBot:
		return "NONE"
	case r.owner == a:
		return "OWNER"
	case r.owner.members[lower(a.login)] != "":
		return "MEMBER"
	case r.collaborators[lower(a.login)] != "":
		return "COLLABORATOR"
	}
	return "NONE"
}
