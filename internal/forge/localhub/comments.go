package localhub

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

func (h *Hub) commentJSON(r *repository, k *comment) obj {
	url := fmt.Sprintf("%s/issues/comments/%d", h.repoURL(r), k.id)
	return obj{
		"id": k.id, "node_id": nodeID("IC", k.id), "url": url, "html_url": fmt.Sprintf("%s#issuecomment-%d", k.issue.page(h, r), k.id),
		"issue_url": h.issueURL(r, k.issue), "body": k.body, "user": k.author.json(h), "created_at": stamp(k.created), "updated_at": stamp(k.updated),
		"author_association": h.association(r, k.author), "performed_via_github_app": appOrNil(k.app), "reactions": reactions(url),
	}
}

// addComment adds a comment to an issue or pull request and tells of it.
func (h *Hub) addComment(r *repository, i *issue, body string, by *actor) *comment {
	now := h.now()
	k := &comment{id: h.state.id(), body: body, author: by.account(), app: by.app, created: now, updated: now, issue: i}
	i.comments = append(i.comments, k)
	i.updated = now
	h.commentEvent(r, k, "created", by, nil)
	return k
}

func (h *Hub) commentEvent(r *repository, k *comment, action string, by *actor, more obj) {
	body := obj{"issue": h.issueJSON(r, k.issue), "comment": h.commentJSON(r, k)}
	maps.Copy(body, more)
	e := event{name: "issue_comment", action: action, repo: r, by: by, needs: "issues", body: body}
	if k.issue.pull != nil {
		e.or = "pull_requests"
	}
	h.emit(e)
}

func listComments(c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	since, err := time.Parse(time.RFC3339, c.query("since"))
	var list []obj
	for _, k := range i.comments {
		if err != nil || !k.updated.Before(since) {
			list = append(list, c.hub.commentJSON(c.repo, k))
		}
	}
	return c.page(list)
}

func createComment(c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	var in struct {
		Body string `json:"body"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if in.Body == "" {
		return invalid(flaw{Resource: "IssueComment", Code: "missing_field", Field: "body"})
	}
	if bad := checkText("IssueComment", "", in.Body); bad != nil {
		return *bad
	}
	if i.locked && c.repo.role(c.actor.user) == "read" {
		return refuse(http.StatusForbidden, "Unable to create comment because issue is locked.")
	}
	k := c.hub.addComment(c.repo, i, in.Body, c.actor)
	j := c.hub.commentJSON(c.repo, k)
	location, _ := j["url"].(string)
	return created(j).with("Location", location)
}

// comment is the issue comment that the path names.
func (c *call) comment() *comment {
	for _, i := range c.repo.issues {
		for _, k := range i.comments {
			if k.id == c.number("comment_id") {
				return k
			}
		}
	}
	return nil
}

func getComment(c *call) answer {
	if k := c.comment(); k != nil {
		return ok(c.hub.commentJSON(c.repo, k))
	}
	return notFound()
}

func patchComment(c *call) answer {
	k := c.comment()
	if k == nil {
		return notFound()
	}
	var in struct {
		Body string `json:"body"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if in.Body == "" {
		return invalid(flaw{Resource: "IssueComment", Code: "missing_field", Field: "body"})
	}
	if bad := checkText("IssueComment", "", in.Body); bad != nil {
		return *bad
	}
	c.hub.editComment(c.repo, k, in.Body, c.actor)
	return ok(c.hub.commentJSON(c.repo, k))
}

func (h *Hub) editComment(r *repository, k *comment, body string, by *actor) {
	was := k.body
	k.body, k.updated = body, h.now()
	if was != body {
		h.commentEvent(r, k, "edited", by, obj{"changes": obj{"body": obj{"from": was}}})
	}
}

func deleteComment(c *call) answer {
	k := c.comment()
	if k == nil {
		return notFound()
	}
	k.issue.comments = slices.DeleteFunc(k.issue.comments, func(o *comment) bool { return o == k })
	c.hub.commentEvent(c.repo, k, "deleted", c.actor, nil)
	return none()
}

// reactionKinds are GitHub's.
var reactionKinds = []string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}

func react(c *call) answer {
	k := c.comment()
	if k == nil {
		return notFound()
	}
	var in struct {
		Content string `json:"content"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if !slices.Contains(reactionKinds, in.Content) {
		return invalid(flaw{Resource: "Reaction", Field: "content", Code: "invalid"})
	}
	id := c.hub.state.id()
	return created(obj{"id": id, "node_id": nodeID("REA", id), "user": c.actor.account().json(c.hub), "content": in.Content, "created_at": stamp(c.hub.now())})
}

// remarkJSON is a comment on a commit.
func (h *Hub) remarkJSON(r *repository, k *comment) obj {
	url := fmt.Sprintf("%s/comments/%d", h.repoURL(r), k.id)
	j := obj{
		"id": k.id, "node_id": nodeID("CC", k.id), "url": url, "html_url": fmt.Sprintf("%s/commit/%s#commitcomment-%d", h.pageURL(r), k.commit, k.id),
		"body": k.body, "path": orNil(k.path), "position": nil, "line": nil, "commit_id": k.commit, "user": k.author.json(h),
		"created_at": stamp(k.created), "updated_at": stamp(k.updated), "author_association": h.association(r, k.author), "reactions": reactions(url),
	}
	return j
}

func listRemarks(c *call) answer {
	var list []obj
	for _, k := range c.repo.remarks {
		if k.commit == c.vars["commit_sha"] {
			list = append(list, c.hub.remarkJSON(c.repo, k))
		}
	}
	return c.page(list)
}

func createRemark(c *call) answer {
	var in struct {
		Body string `json:"body"`
		Path string `json:"path"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if c.repo.store.kind(plumbing.NewHash(c.vars["commit_sha"])) != "commit" {
		return unprocessable("No commit found for SHA: " + c.vars["commit_sha"])
	}
	if in.Body == "" {
		return invalid(flaw{Resource: "CommitComment", Code: "missing_field", Field: "body"})
	}
	if bad := checkText("CommitComment", "", in.Body); bad != nil {
		return *bad
	}
	now := c.hub.now()
	k := &comment{id: c.hub.state.id(), body: in.Body, path: in.Path, author: c.actor.account(), app: c.actor.app, created: now, updated: now, commit: c.vars["commit_sha"]}
	c.repo.remarks = append(c.repo.remarks, k)
	j := c.hub.remarkJSON(c.repo, k)
	c.hub.emit(event{name: "commit_comment", action: "created", repo: c.repo, by: c.actor, needs: "contents", body: obj{"comment": j}})
	location, _ := j["url"].(string)
	return created(j).with("Location", location)
}
