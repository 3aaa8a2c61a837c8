package localhub

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

type review struct {
	id     int64
	author *account
	state  string // APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED
	body   string
	commit plumbing.Hash
	at     time.Time
}

// approvals counts the people with write access whose last word on the head's pull
// request is an approval.
func (i *issue) approvals(r *repository) int {
	last := map[*account]string{}
	for _, v := range i.pull.reviews {
		if v.state != "COMMENTED" {
			last[v.author] = v.state
		}
	}
	n := 0
	for a, state := range last {
		if state == "APPROVED" && roles[r.role(a)] >= roles["write"] {
			n++
		}
	}
	return n
}

func reviewRoutes() []route {
	r, w := read("pull_requests"), write("pull_requests")
	const base = "/repos/{owner}/{repo}/pulls"
	return []route{
		get(base+"/{pull_number}/reviews", r, "pulls/reviews#list-reviews-for-a-pull-request", listReviews),
		creating(post(base+"/{pull_number}/reviews", w, "pulls/reviews#create-a-review-for-a-pull-request", createReview)),
		put(base+"/{pull_number}/reviews/{review_id}/dismissals", w, "pulls/reviews#dismiss-a-review-for-a-pull-request", dismissReview),
		get(base+"/{pull_number}/comments", r, "pulls/comments#list-review-comments-on-a-pull-request", listPullRemarks),
		creating(post(base+"/{pull_number}/comments", w, "pulls/comments#create-a-review-comment-for-a-pull-request", createPullRemark)),
		patch(base+"/comments/{comment_id}", w, "pulls/comments#update-a-review-comment-for-a-pull-request", patchPullRemark),
		remove(base+"/comments/{comment_id}", w, "pulls/comments#delete-a-review-comment-for-a-pull-request", deletePullRemark),
	}
}

func (h *Hub) reviewJSON(r *repository, i *issue, v *review) obj {
	page := i.page(h, r)
	pullURL := fmt.Sprintf("%s/pulls/%d", h.repoURL(r), i.number)
	html := fmt.Sprintf("%s#pullrequestreview-%d", page, v.id)
	return obj{
		"id": v.id, "node_id": nodeID("PRR", v.id), "user": v.author.json(h), "body": v.body, "state": v.state, "html_url": html,
		"pull_request_url": pullURL, "_links": obj{"html": obj{"href": html}, "pull_request": obj{"href": pullURL}},
		"submitted_at": stamp(v.at), "commit_id": v.commit.String(), "author_association": h.association(r, v.author),
	}
}

func listReviews(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var list []obj
	for _, v := range i.pull.reviews {
		list = append(list, c.hub.reviewJSON(c.repo, i, v))
	}
	return c.page(list)
}

func createReview(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var in struct {
		CommitID string        `json:"commit_id"`
		Body     string        `json:"body"`
		Event    string        `json:"event"`
		Comments []lineComment `json:"comments"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	states := map[string]string{"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED", "": "PENDING"}
	state, known := states[in.Event]
	who := c.actor.account()
	switch {
	case !known:
		return unprocessable("Variable $event of type PullRequestReviewEvent was provided invalid value")
	case who == i.author && in.Event == "APPROVE":
		return reviewFlaw("Review Can not approve your own pull request")
	case who == i.author && in.Event == "REQUEST_CHANGES":
		return reviewFlaw("Review Can not request changes on your own pull request")
	case in.Event == "REQUEST_CHANGES" && in.Body == "", in.Event == "COMMENT" && in.Body == "" && len(in.Comments) == 0:
		return reviewFlaw("Body can't be blank")
	}
	if bad := checkText("PullRequestReview", "", in.Body); bad != nil {
		return *bad
	}
	for _, k := range in.Comments {
		if bad := c.placeable(i, k); bad != nil {
			return *bad
		}
	}
	v := &review{id: c.hub.state.id(), author: who, state: state, body: in.Body, commit: i.pull.headID, at: c.hub.now()}
	for _, k := range in.Comments {
		c.addRemark(i, k, v.id)
	}
	c.hub.addReview(c.repo, i, v, c.actor)
	c.hub.mergeWaiting(c.repo, i.pull.headID)
	return ok(c.hub.reviewJSON(c.repo, i, v))
}

// reviewFlaw is a refusal as the reviews API words it: its errors are bare texts.
func reviewFlaw(message string) answer {
	return answer{status: http.StatusUnprocessableEntity, body: obj{"message": "Unprocessable Entity", "errors": []string{message}}}
}

func (h *Hub) addReview(r *repository, i *issue, v *review, by *actor) {
	i.pull.reviews = append(i.pull.reviews, v)
	i.pull.reviewers = slices.DeleteFunc(i.pull.reviewers, func(a *account) bool { return a == v.author })
	j := h.reviewJSON(r, i, v)
	j["state"] = lower(v.state)
	h.emit(event{name: "pull_request_review", action: "submitted", repo: r, by: by, needs: "pull_requests",
		body: obj{"review": j, "pull_request": h.pullJSON(r, i, false)}})
}

func dismissReview(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	for _, v := range i.pull.reviews {
		if v.id == c.number("review_id") {
			v.state = "DISMISSED"
			return ok(c.hub.reviewJSON(c.repo, i, v))
		}
	}
	return notFound()
}
