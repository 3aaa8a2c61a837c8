package localhub

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// pull is what a pull request has beyond an issue.
type pull struct {
	from            *repository // the fork that head is in; nil: the same repository
	head, base      string      // branches
	headID, baseID  plumbing.Hash
	draft           bool
	auto            *autoMerge
	merged          bool
	mergedAt        time.Time
	mergedBy        *account
	mergeCommit     plumbing.Hash
	maintainerEdits bool
	reviewers       []*account
	teams           []*team
	reviews         []*review
	remarks         []*comment
	unknownReads    int // reads left until mergeability is known
	computed        bool
	computedBase    plumbing.Hash
	clean           bool
	size            size
}

func pullRoutes() []route {
	r, w := read("pull_requests"), write("pull_requests")
	const base = "/repos/{owner}/{repo}/pulls"
	return []route{
		get(base, r, "pulls/pulls#list-pull-requests", listPulls),
		creating(post(base, w, "pulls/pulls#create-a-pull-request", createPull)),
		get(base+"/{pull_number}", r, "pulls/pulls#get-a-pull-request", getPull),
		patch(base+"/{pull_number}", w, "pulls/pulls#update-a-pull-request", patchPull),
		get(base+"/{pull_number}/files", r, "pulls/pulls#list-pull-requests-files", pullFiles),
		get(base+"/{pull_number}/commits", r, "pulls/pulls#list-commits-on-a-pull-request", pullCommits),
		get(base+"/{pull_number}/merge", read("contents"), "pulls/pulls#check-if-a-pull-request-has-been-merged", isMerged),
		put(base+"/{pull_number}/merge", write("contents"), "pulls/pulls#merge-a-pull-request", mergePull),
		put(base+"/{pull_number}/update-branch", w, "pulls/pulls#update-a-pull-request-branch", updateBranch),
		get(base+"/{pull_number}/requested_reviewers", r, "pulls/review-requests#get-all-requested-reviewers-for-a-pull-request", getReviewers),
		creating(post(base+"/{pull_number}/requested_reviewers", w, "reference/pulls#request-reviewers-for-a-pull-request", requestReviewers)),
		remove(base+"/{pull_number}/requested_reviewers", w, "pulls/review-requests#remove-requested-reviewers-from-a-pull-request", dropReviewers),
	}
}

// pull is the pull request that the path names.
func (c *call) pull() *issue {
	i := c.repo.issues[int(c.number("pull_number"))]
	if i == nil || i.pull == nil {
		return nil
	}
	return i
}

func (h *Hub) sideJSON(r *repository, branch string, id plumbing.Hash) obj {
	repo := h.repoJSON(r, nil)
	maps.Copy(repo, obj{
		"allow_squash_merge": r.settings.squash, "allow_merge_commit": r.settings.merge, "allow_rebase_merge": r.settings.rebase,
		"allow_auto_merge": r.settings.autoMerge, "delete_branch_on_merge": r.settings.deleteBranch, "allow_update_branch": r.settings.update,
	})
	return obj{"label": r.owner.login + ":" + branch, "ref": branch, "sha": id.String(), "user": r.owner.json(h), "repo": repo}
}

// pullJSON is a pull request in lists; whole adds what only a single one shows.
func (h *Hub) pullJSON(r *repository, i *issue, whole bool) obj {
	p := i.pull
	url, issueURL, page := fmt.Sprintf("%s/pulls/%d", h.repoURL(r), i.number), h.issueURL(r, i), i.page(h, r)
	j := h.issueJSON(r, i)
	for _, name := range []string{"state_reason", "pull_request", "closed_by", "repository_url", "labels_url", "events_url", "timeline_url", "reactions", "performed_via_github_app", "comments"} {
		delete(j, name)
	}
	reviewers, teams := []obj{}, []obj{}
	for _, a := range p.reviewers {
		reviewers = append(reviewers, a.json(h))
	}
	for _, t := range p.teams {
		teams = append(teams, h.teamJSON(r.owner, t))
	}
	statuses := h.repoURL(r) + "/statuses/" + p.headID.String()
	maps.Copy(j, obj{
		"node_id": nodeID("PR", i.id), "url": url, "html_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch", "issue_url": issueURL,
		"commits_url": url + "/commits", "review_comments_url": url + "/comments", "review_comment_url": h.repoURL(r) + "/pulls/comments{/number}",
		"comments_url": issueURL + "/comments", "statuses_url": statuses, "head": h.sideJSON(p.source(r), p.head, p.headID), "base": h.sideJSON(r, p.base, p.baseID),
		"draft": p.draft, "merged_at": stampOrNil(p.mergedAt), "merge_commit_sha": hashOrNil(p.mergeCommit),
		"requested_reviewers": reviewers, "requested_teams": teams, "auto_merge": p.auto.json(h),
		"_links": obj{
			"self": obj{"href": url}, "html": obj{"href": page}, "issue": obj{"href": issueURL}, "comments": obj{"href": issueURL + "/comments"},
			"review_comments": obj{"href": url + "/comments"}, "review_comment": obj{"href": h.repoURL(r) + "/pulls/comments{/number}"},
			"commits": obj{"href": url + "/commits"}, "statuses": obj{"href": statuses},
		},
	})
	if whole {
		mergeable, state := h.mergeability(r, i)
		h.wholePull(r, i, j, mergeable, state)
	}
	return j
}

func hashOrNil(id plumbing.Hash) any {
	if id.IsZero() {
		return nil
	}
	return id.String()
}

// wholePull adds what lists leave out.
func (h *Hub) wholePull(r *repository, i *issue, j obj, mergeable any, state string) {
	p := i.pull
	if p.size.of != [2]plumbing.Hash{p.baseID, p.headID} {
		p.size = h.size(r, p)
	}
	var by any
	if p.mergedBy != nil {
		by = p.mergedBy.json(h)
	}
	maps.Copy(j, obj{
		"merged": p.merged, "mergeable": mergeable, "rebaseable": mergeable, "mergeable_state": state, "merged_by": by,
		"comments": len(i.comments), "review_comments": len(p.remarks), "maintainer_can_modify": p.maintainerEdits,
		"commits": p.size.commits, "additions": p.size.added, "deletions": p.size.removed, "changed_files": p.size.files,
	})
}

// size are the figures of a pull request.
type size struct {
	of                             [2]plumbing.Hash // base and head
	commits, added, removed, files int
}

func (h *Hub) size(r *repository, p *pull) size {
	out := size{of: [2]plumbing.Hash{p.baseID, p.headID}}
	base, err := r.store.mergeBase(p.baseID, p.headID)
	if err != nil || base.IsZero() {
		return out
	}
	_, out.commits, _ = r.store.commitsBetween(base, p.headID, 0)
	text, err := r.store.in("diff", "--no-ext-diff", "-M", "--raw", "--numstat", "--no-abbrev", "-z", base.String(), p.headID.String())
	if err != nil {
		return out
	}
	list := parseDiff(string(text))
	for _, f := range list {
		out.added, out.removed = out.added+f.added, out.removed+f.removed
	}
	out.files = len(list)
	return out
}

// pullEvent tells of a pull request.
func (h *Hub) pullEvent(r *repository, i *issue, action string, by *actor, more obj) {
	e := event{name: "pull_request", action: action, repo: r, by: by, needs: "pull_requests"}
	if !h.announced(e) {
		return
	}
	e.body = obj{"number": i.number, "pull_request": h.freshPull(r, i)}
	maps.Copy(e.body, more)
	h.emit(e)
}

// freshPull is a pull request in events and in the answer to its creation: GitHub has
// not tried to merge it yet.
func (h *Hub) freshPull(r *repository, i *issue) obj {
	j := h.pullJSON(r, i, false)
	h.wholePull(r, i, j, nil, "unknown")
	return j
}

func createPull(c *call) answer {
	var in struct {
		Title *string `json:"title"`
		Head  string  `json:"head"`
		Base  string  `json:"base"`
		Body  string  `json:"body"`
		Draft bool    `json:"draft"`
		Edits *bool   `json:"maintainer_can_modify"`
		Issue int     `json:"issue"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if in.Title == nil || *in.Title == "" {
		return invalid(flaw{Resource: "PullRequest", Code: "missing_field", Field: "title"})
	}
	if bad := checkText("PullRequest", *in.Title, in.Body); bad != nil {
		return *bad
	}
	i, bad := c.hub.openPull(c.repo, *in.Title, in.Body, in.Head, in.Base, in.Draft, c.actor)
	if bad != nil {
		return *bad
	}
	i.pull.maintainerEdits = in.Edits != nil && *in.Edits
	j := c.hub.freshPull(c.repo, i)
	location, _ := j["url"].(string)
	return created(j).with("Location", location)
}

const noDrafts = "Draft pull requests are not supported in this repository."

func (h *Hub) openPull(r *repository, title, body, head, base string, draft bool, by *actor) (*issue, *answer) {
	field := func(name string) (*issue, *answer) {
		a := invalid(flaw{Resource: "PullRequest", Field: name, Code: "invalid"})
		return nil, &a
	}
	custom := func(message string) (*issue, *answer) {
		a := invalid(flaw{Resource: "PullRequest", Code: "custom", Message: message})
		return nil, &a
	}
	if owner, branch, has := strings.Cut(head, ":"); has {
		if !strings.EqualFold(owner, r.owner.login) {
			return field("head")
		}
		head = branch
	}
	baseID, there := r.store.branch(base)
	if !there {
		return field("base")
	}
	headID, there := r.store.branch(head)
	if !there {
		return field("head")
	}
	for _, other := range r.issues {
		if p := other.pull; p != nil && p.from == nil && other.state == "open" && p.head == head && p.base == base {
			return custom(fmt.Sprintf("A pull request already exists for %s:%s.", r.owner.login, head))
		}
	}
	common, err := r.store.mergeBase(baseID, headID)
	if err != nil {
		a := broken(err)
		return nil, &a
	}
	if common.IsZero() {
		return custom(fmt.Sprintf("The %s branch has no history in common with %s", head, base))
	}
	if common == headID {
		return custom(fmt.Sprintf("No commits between %s and %s", base, head))
	}
	if draft && r.settings.noDrafts {
		return custom(noDrafts)
	}
	i := h.newIssue(r, title, body, by)
	i.pull = &pull{head: head, base: base, headID: headID, baseID: baseID, draft: draft, unknownReads: h.options.MergeableReads}
	h.keepHead(r, i)
	h.pullEvent(r, i, "opened", by, nil)
	return i, nil
}

// keepHead points refs/pull/N/head at the head, where GitHub serves it.
func (h *Hub) keepHead(r *repository, i *issue) {
	if err := r.store.setRef(fmt.Sprintf("refs/pull/%d/head", i.number), i.pull.headID); err != nil {
		h.options.Log.Error("head of a pull request not kept", "repository", r.fullName(), "number", i.number, "error", err)
	}
}

func getPull(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	if i.pull.unknownReads > 0 {
		defer func() { i.pull.unknownReads-- }()
	}
	accept := c.r.Header.Get("Accept")
	if strings.Contains(accept, "diff") || strings.Contains(accept, "patch") {
		base, err := c.repo.store.mergeBase(i.pull.baseID, i.pull.headID)
		if err != nil {
			return broken(err)
		}
		out, err := c.repo.store.in("diff", "--no-color", "--no-ext-diff", "-M", base.String(), i.pull.headID.String())
		if err != nil {
			return broken(err)
		}
		return answer{status: http.StatusOK, raw: out, media: "application/vnd.github.diff; charset=utf-8"}
	}
	return ok(c.hub.pullJSON(c.repo, i, true))
}
