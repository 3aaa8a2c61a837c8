package localhub

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	titleLimit = 256
	bodyMax    = 65_536 // characters of a body of an issue, pull request or comment
	assignMax  = 10
)

// issue is an issue; with pull set it is a pull request too.
type issue struct {
	id        int64
	number    int
	title     string
	body      string
	state     string // open or closed
	reason    string // why closed
	author    *account
	app       *App // that made it
	created   time.Time
	updated   time.Time
	closed    time.Time
	closedBy  *account
	labels    []*label
	assignees []*account
	comments  []*comment
	locked    bool
	pull      *pull
}

// comment is on an issue, a commit or a line of a pull request.
type comment struct {
	id       int64
	body     string
	author   *account
	app      *App
	created  time.Time
	updated  time.Time
	issue    *issue
	commit   string // of a commit or review comment
	path     string
	line     int
	start    int
	side     string
	review   int64
	replyTo  int64
	position int
}

func issueRoutes() []route {
	r, w := read("issues"), write("issues")
	both, writeBoth := read("issues", "pull_requests"), write("issues", "pull_requests")
	const base = "/repos/{owner}/{repo}/issues"
	return []route{
		get(base, r, "issues/issues#list-repository-issues", listIssues),
		creating(post(base, w, "issues/issues#create-an-issue", createIssue)),
		get(base+"/{issue_number}", both, "issues/issues#get-an-issue", getIssue),
		patch(base+"/{issue_number}", writeBoth, "issues/issues#update-an-issue", patchIssue),
		get(base+"/{issue_number}/comments", both, "issues/comments#list-issue-comments", listComments),
		creating(post(base+"/{issue_number}/comments", writeBoth, "issues/comments#create-an-issue-comment", createComment)),
		get(base+"/comments/{comment_id}", both, "issues/comments#get-an-issue-comment", getComment),
		patch(base+"/comments/{comment_id}", writeBoth, "issues/comments#update-an-issue-comment", patchComment),
		remove(base+"/comments/{comment_id}", writeBoth, "issues/comments#delete-an-issue-comment", deleteComment),
		creating(post(base+"/comments/{comment_id}/reactions", writeBoth, "reactions/reactions#create-reaction-for-an-issue-comment", react)),
		post(base+"/{issue_number}/assignees", writeBoth, "issues/assignees#add-assignees-to-an-issue", addAssignees),
		remove(base+"/{issue_number}/assignees", writeBoth, "reference/issues#remove-assignees-from-an-issue", removeAssignees),
	}
}

// checkText says why a title or body is refused, or nil.
func checkText(resource, title, body string) *answer {
	if utf8.RuneCountInString(title) > titleLimit {
		a := invalid(flaw{Resource: resource, Code: "custom", Field: "title", Message: fmt.Sprintf("title is too long (maximum is %d characters)", titleLimit)})
		return &a
	}
	if utf8.RuneCountInString(body) > bodyMax {
		a := invalid(flaw{Resource: resource, Code: "custom", Field: "body", Message: fmt.Sprintf("body is too long (maximum is %d characters)", bodyMax)})
		return &a
	}
	return nil
}

// newIssue numbers and keeps an issue.
func (h *Hub) newIssue(r *repository, title, body string, by *actor) *issue {
	r.number++
	now := h.now()
	i := &issue{id: h.state.id(), number: r.number, title: title, body: body, state: "open", author: by.account(), app: by.app, created: now, updated: now}
	r.issues[i.number] = i
	return i
}

// issue is the one that the path names.
func (c *call) issue() *issue {
	i := c.repo.issues[int(c.number("issue_number"))]
	if i == nil {
		return nil
	}
	// A permission on issues does not reach pull requests, nor the other way round.
	kind, level := "issues", "write"
	if i.pull != nil {
		kind = "pull_requests"
	}
	if c.r.Method == http.MethodGet {
		level = "read"
	}
	if !c.actor.may(c.repo, need{kind, level}) && (i.pull == nil || !c.actor.may(c.repo, need{"issues", level})) {
		return nil
	}
	return i
}

// names is a list in which an entry is a text or an object with a name.
type names []string

func (c *call) labelsNamed(r *repository, list names) []*label {
	var out []*label
	for _, name := range list {
		l := c.hub.label(r, name)
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

func createIssue(c *call) answer {
	var in struct {
		Title     any      `json:"title"`
		Body      string   `json:"body"`
		Labels    []any    `json:"labels"`
		Assignees []string `json:"assignees"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if !c.repo.settings.hasIssues {
		return refuse(http.StatusGone, "Issues are disabled for this repo")
	}
	title := fmt.Sprint(in.Title)
	if in.Title == nil || strings.TrimSpace(title) == "" {
		return invalid(flaw{Resource: "Issue", Code: "missing_field", Field: "title"})
	}
	if bad := checkText("Issue", title, in.Body); bad != nil {
		return *bad
	}
	i := c.hub.newIssue(c.repo, title, in.Body, c.actor)
	if c.actor.may(c.repo, need{"issues", "write"}) { // dropped silently without push access
		i.labels = c.labelsNamed(c.repo, textNames(in.Labels))
		i.assignees = c.hub.assignable(c.repo, in.Assignees)
	}
	c.hub.issueEvent(c.repo, i, "opened", c.actor, nil)
	for _, l := range i.labels {
		c.hub.issueEvent(c.repo, i, "labeled", c.actor, obj{"label": c.hub.labelJSON(c.repo, l)})
	}
	return created(c.hub.issueJSON(c.repo, i)).with("Location", c.hub.issueURL(c.repo, i))
}

// textNames reads labels, which are texts or objects with a name.
func textNames(list []any) names {
	var out names
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case map[string]any:
			if name, is := v["name"].(string); is {
				out = append(out, name)
			}
		}
	}
	return out
}

// issueEvent tells of an issue, as pull_request where it is one.
func (h *Hub) issueEvent(r *repository, i *issue, action string, by *actor, more obj) {
	if i.pull != nil {
		h.pullEvent(r, i, action, by, more)
		return
	}
	body := obj{"issue": h.issueJSON(r, i)}
	maps.Copy(body, more)
	h.emit(event{name: "issues", action: action, repo: r, by: by, needs: "issues", body: body})
}

func getIssue(c *call) answer {
	if i := c.issue(); i != nil {
		return ok(c.hub.issueJSON(c.repo, i))
	}
	return notFound()
}

func patchIssue(c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	var in struct {
		Title     optional[string]   `json:"title"`
		Body      optional[string]   `json:"body"`
		State     optional[string]   `json:"state"`
		Reason    optional[string]   `json:"state_reason"`
		Labels    optional[[]any]    `json:"labels"`
		Assignees optional[[]string] `json:"assignees"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := checkText("Issue", in.Title.value, in.Body.value); bad != nil {
		return *bad
	}
	if in.State.set && in.State.value != "open" && in.State.value != "closed" {
		return invalid(flaw{Resource: "Issue", Field: "state", Code: "invalid", Value: in.State.value})
	}
	c.hub.editIssue(c.repo, i, in.Title, in.Body, c.actor)
	if in.Labels.set {
		c.hub.setLabels(c.repo, i, c.labelsNamed(c.repo, textNames(in.Labels.value)), c.actor)
	}
	if in.Assignees.set {
		i.assignees = c.hub.assignable(c.repo, in.Assignees.value)
	}
	if in.State.set && in.State.value != i.state {
		if bad := c.hub.setState(c.repo, i, in.State.value, in.Reason.value, c.actor); bad != nil {
			return *bad
		}
	}
	return ok(c.hub.issueJSON(c.repo, i))
}

func (h *Hub) editIssue(r *repository, i *issue, title, body optional[string], by *actor) {
	changes := obj{}
	if title.set && title.value != i.title {
		changes["title"] = obj{"from": i.title}
		i.title = title.value
	}
	if body.set && body.value != i.body {
		changes["body"] = obj{"from": i.body}
		i.body = body.value
	}
	if len(changes) > 0 {
		i.updated = h.now()
		h.issueEvent(r, i, "edited", by, obj{"changes": changes})
	}
}

// setState opens or closes an issue or pull request.
func (h *Hub) setState(r *repository, i *issue, state, reason string, by *actor) *answer {
	if i.pull != nil && state == "open" {
		if bad := h.reopenable(r, i); bad != nil {
			return bad
		}
	}
	i.state, i.updated = state, h.now()
	action := "reopened"
	i.closed, i.closedBy, i.reason = time.Time{}, nil, ""
	if state == "closed" {
		action = "closed"
		i.closed, i.closedBy = h.now(), by.account()
		if i.pull == nil {
			if i.reason = reason; reason == "" {
				i.reason = "completed"
			}
		}
	} else if i.pull == nil {
		i.reason = "reopened"
	}
	h.issueEvent(r, i, action, by, nil)
	return nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
