package localhub

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func listPulls(c *call) answer {
	state, head, base := c.query("state"), c.query("head"), c.query("base")
	if state == "" {
		state = "open"
	}
	owner, branch, hasOwner := strings.Cut(head, ":")
	var list []*issue
	for _, i := range c.repo.issues {
		switch {
		case i.pull == nil, state != "all" && i.state != state, base != "" && i.pull.base != base:
		// GitHub filters by owner:branch only; a bare branch filters nothing.
		case hasOwner && (!strings.EqualFold(owner, c.repo.owner.login) || i.pull.head != branch):
		default:
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b *issue) int {
		if c.query("sort") == "updated" {
			return a.updated.Compare(b.updated)
		}
		return a.number - b.number
	})
	descending := c.query("direction") == "desc" || c.query("direction") == "" && (c.query("sort") == "" || c.query("sort") == "created")
	if descending {
		slices.Reverse(list)
	}
	var out []obj
	for _, i := range list {
		out = append(out, c.hub.pullJSON(c.repo, i, false))
	}
	return c.page(out)
}

func patchPull(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var in struct {
		Title optional[string] `json:"title"`
		Body  optional[string] `json:"body"`
		State optional[string] `json:"state"`
		Base  optional[string] `json:"base"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := checkText("PullRequest", in.Title.value, in.Body.value); bad != nil {
		return *bad
	}
	if in.Base.set && in.Base.value != i.pull.base {
		id, there := c.repo.store.branch(in.Base.value)
		if !there {
			return invalid(flaw{Resource: "PullRequest", Field: "base", Code: "invalid"})
		}
		was := i.pull.base
		i.pull.base, i.pull.baseID, i.pull.computed = in.Base.value, id, false
		c.hub.pullEvent(c.repo, i, "edited", c.actor, obj{"changes": obj{"base": obj{"ref": obj{"from": was}, "sha": obj{"from": id.String()}}}})
	}
	c.hub.editIssue(c.repo, i, in.Title, in.Body, c.actor)
	if in.State.set && in.State.value != i.state {
		if in.State.value != "open" && in.State.value != "closed" {
			return invalid(flaw{Resource: "PullRequest", Field: "state", Code: "invalid"})
		}
		if bad := c.hub.setState(c.repo, i, in.State.value, "", c.actor); bad != nil {
			return *bad
		}
	}
	return ok(c.hub.pullJSON(c.repo, i, true))
}

// reopenable says why a pull request cannot be opened again, or nil.
func (h *Hub) reopenable(r *repository, i *issue) *answer {
	refused := func(message string) *answer {
		a := invalid(flaw{Resource: "PullRequest", Code: "invalid", Field: "state", Message: message})
		return &a
	}
	p := i.pull
	if p.merged {
		return refused("state cannot be changed. The pull request cannot be reopened.")
	}
	head, there := p.source(r).store.branch(p.head)
	if !there {
		return refused(fmt.Sprintf("state cannot be changed. The %s branch has been deleted.", p.head))
	}
	if related, err := r.store.ancestor(p.headID, head); err != nil || !related {
		return refused(fmt.Sprintf("state cannot be changed. The %s branch was force-pushed or recreated.", p.head))
	}
	base, there := r.store.branch(p.base)
	common, err := r.store.mergeBase(base, head)
	if !there || err != nil || common.IsZero() || common == head {
		return refused(fmt.Sprintf("state cannot be changed. There are no new commits on the %s branch.", p.head))
	}
	for _, other := range r.issues {
		if o := other.pull; o != nil && other.state == "open" && o.head == p.head && o.base == p.base {
			return refused(fmt.Sprintf("state cannot be changed. There is already an open pull request from %s to %s.", p.head, p.base))
		}
	}
	p.headID, p.computed = head, false
	return nil
}

func pullFiles(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	base, err := c.repo.store.mergeBase(i.pull.baseID, i.pull.headID)
	if err != nil {
		return broken(err)
	}
	files, err := c.diff(base, i.pull.headID)
	if err != nil {
		return broken(err)
	}
	const most = 3000
	return c.page(files[:min(len(files), most)])
}

func pullCommits(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	const most = 250
	ids, _, err := c.repo.store.commitsBetween(i.pull.baseID, i.pull.headID, most)
	if err != nil {
		return broken(err)
	}
	var list []obj
	for _, id := range ids {
		j, err := c.commitJSON(id, false)
		if err != nil {
			return broken(err)
		}
		list = append(list, j)
	}
	return c.page(list)
}

func commitPulls(c *call) answer {
	id, found := c.repo.store.resolve(c.vars["commit_sha"])
	if !found {
		return unprocessable("No commit found for SHA: " + c.vars["commit_sha"])
	}
	var list []obj
	for _, n := range slices.Sorted(maps.Keys(c.repo.issues)) {
		i := c.repo.issues[n]
		if i.pull == nil {
			continue
		}
		ids, _, err := c.repo.store.commitsBetween(i.pull.baseID, i.pull.headID, 250)
		if err == nil && slices.Contains(ids, id) || i.pull.mergeCommit == id {
			list = append(list, c.hub.pullJSON(c.repo, i, false))
		}
	}
	return c.page(list)
}
