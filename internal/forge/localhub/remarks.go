package localhub

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// lineComment is a comment on a line as the API takes it.
type lineComment struct {
	Path      string `json:"path"`
	Body      string `json:"body"`
	Line      int    `json:"line"`
	Side      string `json:"side"`
	StartLine int    `json:"start_line"`
	StartSide string `json:"start_side"`
	Position  int    `json:"position"`
	CommitID  string `json:"commit_id"`
	InReplyTo int64  `json:"in_reply_to"`
	Subject   string `json:"subject_type"`
}

var hunkForm = regexp.MustCompile(`^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@`)

// placeable says why a comment cannot stand on its line, or nil: it must be in the
// diff that is shown.
func (c *call) placeable(i *issue, k lineComment) *answer {
	refused := func(message string) *answer {
		a := reviewFlaw(message)
		return &a
	}
	if k.Body == "" {
		return refused("Body can't be blank")
	}
	if bad := checkText("PullRequestReviewComment", "", k.Body); bad != nil {
		return bad
	}
	base, err := c.repo.store.mergeBase(i.pull.baseID, i.pull.headID)
	if err != nil {
		a := broken(err)
		return &a
	}
	files, err := c.diff(base, i.pull.headID)
	if err != nil {
		a := broken(err)
		return &a
	}
	at := slices.IndexFunc(files, func(f obj) bool { return f["filename"] == k.Path })
	if at < 0 {
		return refused("Path could not be resolved")
	}
	if k.Subject == "file" {
		return nil
	}
	patch, _ := files[at]["patch"].(string)
	for _, place := range []struct {
		line int
		side string
	}{{k.Line, k.Side}, {k.StartLine, k.StartSide}} {
		if place.line != 0 && !shownLine(patch, place.line, place.side) {
			return refused("Line could not be resolved")
		}
	}
	if k.Line == 0 && k.Position == 0 {
		return refused("Line could not be resolved")
	}
	return nil
}

// shownLine tells whether a patch shows a line of the new or, with side LEFT, old file.
func shownLine(patch string, line int, side string) bool {
	oldLine, newLine := 0, 0
	for text := range strings.SplitSeq(patch, "\n") {
		if m := hunkForm.FindStringSubmatch(text); m != nil {
			oldLine, _ = strconv.Atoi(m[1])
			newLine, _ = strconv.Atoi(m[2])
			continue
		}
		inOld, inNew := !strings.HasPrefix(text, "+"), !strings.HasPrefix(text, "-")
		if strings.HasPrefix(text, `\`) {
			continue
		}
		if side == "LEFT" && inOld && oldLine == line || side != "LEFT" && inNew && newLine == line {
			return true
		}
		if inOld {
			oldLine++
		}
		if inNew {
			newLine++
		}
	}
	return false
}

func (c *call) addRemark(i *issue, k lineComment, review int64) *comment {
	now := c.hub.now()
	side := k.Side
	if side == "" {
		side = "RIGHT"
	}
	out := &comment{
		id: c.hub.state.id(), body: k.Body, author: c.actor.account(), app: c.actor.app, created: now, updated: now, issue: i,
		commit: i.pull.headID.String(), path: k.Path, line: k.Line, start: k.StartLine, side: side, review: review, replyTo: k.InReplyTo, position: k.Position,
	}
	i.pull.remarks = append(i.pull.remarks, out)
	c.hub.emit(event{name: "pull_request_review_comment", action: "created", repo: c.repo, by: c.actor, needs: "pull_requests",
		body: obj{"comment": c.hub.pullRemarkJSON(c.repo, out), "pull_request": c.hub.pullJSON(c.repo, i, false)}})
	return out
}

func (h *Hub) pullRemarkJSON(r *repository, k *comment) obj {
	url := fmt.Sprintf("%s/pulls/comments/%d", h.repoURL(r), k.id)
	html := fmt.Sprintf("%s#discussion_r%d", k.issue.page(h, r), k.id)
	pullURL := fmt.Sprintf("%s/pulls/%d", h.repoURL(r), k.issue.number)
	j := obj{
		"id": k.id, "node_id": nodeID("PRRC", k.id), "url": url, "html_url": html, "pull_request_url": pullURL, "pull_request_review_id": k.review,
		"diff_hunk": "@@ @@", "path": k.path, "position": k.position, "original_position": k.position, "commit_id": k.commit, "original_commit_id": k.commit,
		"user": k.author.json(h), "body": k.body, "created_at": stamp(k.created), "updated_at": stamp(k.updated), "line": k.line, "original_line": k.line,
		"side": k.side, "start_line": nil, "original_start_line": nil, "start_side": nil, "author_association": h.association(r, k.author),
		"_links":    obj{"self": obj{"href": url}, "html": obj{"href": html}, "pull_request": obj{"href": pullURL}},
		"reactions": reactions(url), "subject_type": "line",
	}
	if k.start != 0 {
		j["start_line"], j["original_start_line"], j["start_side"] = k.start, k.start, k.side
	}
	if k.replyTo != 0 {
		j["in_reply_to_id"] = k.replyTo
	}
	return j
}

func listPullRemarks(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var list []obj
	for _, k := range i.pull.remarks {
		list = append(list, c.hub.pullRemarkJSON(c.repo, k))
	}
	return c.page(list)
}

func createPullRemark(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var in lineComment
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if in.InReplyTo == 0 {
		if c.repo.store.kind(plumbing.NewHash(in.CommitID)) != "commit" {
			return invalid(flaw{Resource: "PullRequestReviewComment", Code: "invalid", Field: "commit_id"})
		}
		if bad := c.placeable(i, in); bad != nil {
			return *bad
		}
	}
	v := &review{id: c.hub.state.id(), author: c.actor.account(), state: "COMMENTED", commit: i.pull.headID, at: c.hub.now()}
	i.pull.reviews = append(i.pull.reviews, v)
	return created(c.hub.pullRemarkJSON(c.repo, c.addRemark(i, in, v.id)))
}

func (c *call) pullRemark() *comment {
	for _, i := range c.repo.issues {
		if i.pull == nil {
			continue
		}
		for _, k := range i.pull.remarks {
			if k.id == c.number("comment_id") {
				return k
			}
		}
	}
	return nil
}

func patchPullRemark(c *call) answer {
	k := c.pullRemark()
	if k == nil {
		return notFound()
	}
	var in struct {
		Body string `json:"body"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	k.body, k.updated = in.Body, c.hub.now()
	return ok(c.hub.pullRemarkJSON(c.repo, k))
}

func deletePullRemark(c *call) answer {
	k := c.pullRemark()
	if k == nil {
		return notFound()
	}
	p := k.issue.pull
	p.remarks = slices.DeleteFunc(p.remarks, func(o *comment) bool { return o == k })
	return none()
}
