package localhub

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// mergeability is whether git can merge a pull request, null while it is not known,
// and what GitHub calls its state.
func (h *Hub) mergeability(r *repository, i *issue) (mergeable any, state string) {
	p := i.pull
	base, there := r.store.branch(p.base)
	if i.state == "closed" || !there || p.unknownReads > 0 {
		return nil, "unknown"
	}
	if !p.computed || p.computedBase != base {
		_, clean, err := r.store.merge(base, p.headID)
		if err != nil {
			h.options.Log.Error("mergeability not computed", "repository", r.fullName(), "number", i.number, "error", err)
			return nil, "unknown"
		}
		p.computed, p.computedBase, p.clean = true, base, clean
	}
	switch {
	case !p.clean:
		return false, "dirty"
	case p.draft:
		return true, "draft"
	}
	if missing := h.unmet(r, i, &actor{}); len(missing) > 0 {
		return true, "blocked"
	}
	if h.behind(r, i, base) {
		return true, "behind"
	}
	if r.anyFailing(p.headID.String()) {
		return true, "unstable"
	}
	return true, "clean"
}

// unmet are the demands of rules on merging that a pull request does not meet yet.
func (h *Hub) unmet(r *repository, i *issue, by *actor) []string {
	ref := "refs/heads/" + i.pull.base
	var list []string
	for _, one := range append(r.rulesFor(ref, by), r.protectionRules(ref, by)...) {
		switch one.Type {
		case "required_status_checks":
			if message := r.missingChecks(one, i.pull.headID); message != "" {
				list = append(list, message)
			}
		case "pull_request":
			if n := one.number("required_approving_review_count"); i.approvals(r) < n {
				list = append(list, fmt.Sprintf("At least %d approving review is required by reviewers with write access.", n))
			}
		case "update":
			list = append(list, "Cannot update this protected ref.")
		case "merge_queue":
			list = append(list, throughQueue)
		}
	}
	return list
}

// throughQueue is what a merge queue says to those who would go past it.
const throughQueue = "Changes must be made through the merge queue"

// behind tells whether strict checks demand that the head has all of the base.
func (h *Hub) behind(r *repository, i *issue, base plumbing.Hash) bool {
	ref := "refs/heads/" + i.pull.base
	for _, one := range append(r.rulesFor(ref, nil), r.protectionRules(ref, &actor{})...) {
		if one.Type == "required_status_checks" && one.flag("strict_required_status_checks_policy") {
			has, err := r.store.ancestor(base, i.pull.headID)
			return err == nil && !has
		}
	}
	return false
}

func isMerged(c *call) answer {
	if i := c.pull(); i != nil && i.pull.merged {
		return none()
	}
	return notFound()
}

func mergePull(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var in struct {
		Title   string `json:"commit_title"`
		Message string `json:"commit_message"`
		SHA     string `json:"sha"`
		Method  string `json:"merge_method"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	id, bad := c.hub.merge(c.repo, i, mergeWish{title: in.Title, message: in.Message, sha: in.SHA, method: in.Method}, c.actor)
	if bad != nil {
		return *bad
	}
	return ok(obj{"sha": id.String(), "merged": true, "message": "Pull Request successfully merged"})
}

// mergeWish is how somebody wants a pull request merged.
type mergeWish struct{ title, message, sha, method string }

// merge merges a pull request if everything allows it.
func (h *Hub) merge(r *repository, i *issue, wish mergeWish, by *actor) (plumbing.Hash, *answer) {
	refused := func(status int, message string) (plumbing.Hash, *answer) {
		a := refuse(status, message)
		return plumbing.ZeroHash, &a
	}
	p := i.pull
	if wish.method == "" {
		wish.method = "merge"
	}
	allowed := map[string]bool{"merge": r.settings.merge, "squash": r.settings.squash, "rebase": r.settings.rebase}[wish.method]
	switch {
	case p.merged || i.state == "closed":
		return refused(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	case p.draft:
		return refused(http.StatusMethodNotAllowed, "Pull Request is still a draft")
	case wish.sha != "" && wish.sha != p.headID.String():
		return refused(http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	case !allowed:
		return refused(http.StatusMethodNotAllowed, map[string]string{
			"merge": "Merge commits are not allowed on this repository.", "squash": "Squash merges are not allowed on this repository.",
			"rebase": "Rebase merges are not allowed on this repository.",
		}[wish.method])
	}
	if missing := h.unmet(r, i, by); len(missing) > 0 {
		return refused(http.StatusMethodNotAllowed, "Repository rule violations found\n\n"+strings.Join(missing, "\n\n")+"\n\n")
	}
	base, there := r.store.branch(p.base)
	if !there {
		return refused(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	tree, clean, err := r.store.merge(base, p.headID)
	if err != nil {
		a := broken(err)
		return plumbing.ZeroHash, &a
	}
	if !clean {
		return refused(http.StatusMethodNotAllowed, "Pull Request has merge conflicts")
	}
	id, err := h.mergeCommit(r, i, wish, base, tree, by)
	if err != nil {
		a := broken(err)
		return plumbing.ZeroHash, &a
	}
	bad, err := h.moveRef(r, refMove{name: "refs/heads/" + p.base, from: base, to: id, by: by, merges: i}, true)
	if err != nil {
		a := broken(err)
		return plumbing.ZeroHash, &a
	}
	if bad != nil {
		a := bad.answer()
		a.status = http.StatusMethodNotAllowed
		return plumbing.ZeroHash, &a
	}
	h.markMerged(r, i, id, by)
	if r.settings.deleteBranch && p.from == nil {
		if _, err := h.moveRef(r, refMove{name: "refs/heads/" + p.head, from: p.headID, by: by}, true); err != nil {
			h.options.Log.Error("merged branch not deleted", "repository", r.fullName(), "branch", p.head, "error", err)
		}
	}
	return id, nil
}

// mergeCommit writes the commit that goes onto the base: one with two parents, or for
// squash and rebase one on top. A rebase of several commits is written as one; its
// tree is the same.
func (h *Hub) mergeCommit(r *repository, i *issue, wish mergeWish, base, tree plumbing.Hash, by *actor) (plumbing.Hash, error) {
	who, p := by.account(), i.pull
	author := object.Signature{Name: who.login, Email: who.email(), When: h.now()}
	title, message := fmt.Sprintf("Merge pull request #%d from %s/%s", i.number, r.owner.login, p.head), i.title
	parents := []plumbing.Hash{base, p.headID}
	if wish.method != "merge" {
		title, message, parents = fmt.Sprintf("%s (#%d)", i.title, i.number), "", parents[:1]
	}
	if wish.title != "" {
		title = wish.title
	}
	if wish.message != "" {
		message = wish.message
	}
	o := &object.Commit{TreeHash: tree, ParentHashes: parents, Author: author, Committer: author, Message: strings.TrimRight(title+"\n\n"+message, "\n")}
	if err := h.finishCommit(o, true); err != nil {
		return plumbing.ZeroHash, err
	}
	return r.store.put(o)
}

func (h *Hub) markMerged(r *repository, i *issue, commit plumbing.Hash, by *actor) {
	p, now := i.pull, h.now()
	p.merged, p.mergedAt, p.mergedBy, p.mergeCommit = true, now, by.account(), commit
	i.state, i.closed, i.closedBy, i.updated = "closed", now, by.account(), now
	h.pullEvent(r, i, "closed", by, nil)
}

// branchMoved tells pull requests of a moved branch.
func (h *Hub) branchMoved(r *repository, branch string, m refMove) {
	for n := 1; n <= r.number; n++ {
		i := r.issues[n]
		if i == nil || i.pull == nil || i.state != "open" || i == m.merges {
			continue
		}
		if i.pull.head == branch && i.pull.from == nil {
			h.headMoved(r, i, m)
		}
		if i.pull.base == branch && i.state == "open" {
			h.baseMoved(r, i, m)
		}
	}
	h.forkMoved(r, branch, m)
	if !m.to.IsZero() {
		h.requestSuites(r, branch, m)
	}
}

func (h *Hub) headMoved(r *repository, i *issue, m refMove) {
	p := i.pull
	p.computed, p.unknownReads = false, h.options.MergeableReads
	if m.to.IsZero() {
		h.closePull(r, i, m.by)
		return
	}
	before := p.headID
	p.headID = m.to
	if base, there := r.store.branch(p.base); there {
		p.baseID = base
	}
	h.keepHead(r, i)
	i.updated = h.now()
	h.pullEvent(r, i, "synchronize", m.by, obj{"before": before.String(), "after": m.to.String()})
	common, err := r.store.mergeBase(p.baseID, m.to)
	if err == nil && (common.IsZero() || common == m.to) { // unrelated, or nothing left to merge
		h.closePull(r, i, m.by)
	}
}

func (h *Hub) baseMoved(r *repository, i *issue, m refMove) {
	p := i.pull
	p.computed, p.unknownReads = false, h.options.MergeableReads
	if m.to.IsZero() {
		h.closePull(r, i, m.by)
		return
	}
	if in, err := r.store.ancestor(p.headID, m.to); err == nil && in {
		h.markMerged(r, i, m.to, m.by)
	}
}

func (h *Hub) closePull(r *repository, i *issue, by *actor) {
	i.pull.auto = nil
	i.state, i.closed, i.closedBy, i.updated = "closed", h.now(), by.account(), h.now()
	h.pullEvent(r, i, "closed", by, nil)
}

func updateBranch(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var in struct {
		Expected string `json:"expected_head_sha"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	p := i.pull
	if in.Expected != "" && in.Expected != p.headID.String() {
		return unprocessable("expected head sha didn’t match current head ref.")
	}
	base, there := c.repo.store.branch(p.base)
	if !there || i.state != "open" {
		return notFound()
	}
	if has, err := c.repo.store.ancestor(base, p.headID); err == nil && has {
		return unprocessable("There are no new commits on the base branch.")
	}
	tree, clean, err := c.repo.store.merge(p.headID, base)
	if err != nil {
		return broken(err)
	}
	if !clean {
		return unprocessable("merge conflict between base and head")
	}
	who := c.actor.account()
	author := object.Signature{Name: who.login, Email: who.email(), When: c.hub.now().Truncate(time.Second)}
	o := &object.Commit{TreeHash: tree, ParentHashes: []plumbing.Hash{p.headID, base}, Author: author, Committer: author,
		Message: fmt.Sprintf("Merge branch '%s' into %s", p.base, p.head)}
	if err := c.hub.finishCommit(o, true); err != nil {
		return broken(err)
	}
	id, err := c.repo.store.put(o)
	if err != nil {
		return broken(err)
	}
	if bad := c.move(refMove{name: "refs/heads/" + p.head, from: p.headID, to: id, by: c.actor}); bad != nil {
		return *bad
	}
	return answer{status: http.StatusAccepted, body: obj{"message": "Updating pull request branch.", "url": c.hub.repoURL(c.repo)}}
}
