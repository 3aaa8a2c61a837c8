package localhub

import (
	"slices"
	"strings"
	"time"
)

// assignable are the accounts among logins that can be assigned; GitHub ignores others.
func (h *Hub) assignable(r *repository, logins []string) []*account {
	var out []*account
	for _, login := range logins {
		a := h.state.account(login)
		if a != nil && a.kind == kindUser && r.role(a) != "" && len(out) < assignMax && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func listIssues(c *call) answer {
	state := c.query("state")
	var list []*issue
	for _, i := range c.repo.issues {
		if c.wanted(i, state) {
			list = append(list, i)
		}
	}
	key := func(i *issue) time.Time { return i.created }
	switch c.query("sort") {
	case "updated":
		key = func(i *issue) time.Time { return i.updated }
	case "comments":
		key = func(i *issue) time.Time { return time.Unix(int64(len(i.comments)), 0) }
	}
	slices.SortFunc(list, func(a, b *issue) int {
		if n := key(b).Compare(key(a)); n != 0 {
			return n
		}
		return b.number - a.number
	})
	if c.query("direction") == "asc" {
		slices.Reverse(list)
	}
	var out []obj
	for _, i := range list {
		out = append(out, c.hub.issueJSON(c.repo, i))
	}
	return c.page(out)
}

// wanted applies the filters of listing issues.
func (c *call) wanted(i *issue, state string) bool {
	if state == "" {
		state = "open"
	}
	if state != "all" && i.state != state {
		return false
	}
	if login := c.query("creator"); login != "" && !strings.EqualFold(i.author.login, login) {
		return false
	}
	if login := c.query("assignee"); login != "" && login != "*" && login != "none" &&
		!slices.ContainsFunc(i.assignees, func(a *account) bool { return strings.EqualFold(a.login, login) }) {
		return false
	}
	if since, err := time.Parse(time.RFC3339, c.query("since")); err == nil && i.updated.Before(since) {
		return false
	}
	if wanted := c.query("labels"); wanted != "" {
		for name := range strings.SplitSeq(wanted, ",") {
			if !i.hasLabel(strings.TrimSpace(name)) {
				return false
			}
		}
	}
	return true
}

func addAssignees(c *call) answer    { return c.assign(true) }
func removeAssignees(c *call) answer { return c.assign(false) }

func (c *call) assign(add bool) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	var in struct {
		Assignees []string `json:"assignees"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	action := "unassigned"
	if add {
		action = "assigned"
	}
	for _, a := range c.hub.assignable(c.repo, in.Assignees) {
		has := slices.Contains(i.assignees, a)
		if has == add {
			continue
		}
		if add {
			i.assignees = append(i.assignees, a)
		} else {
			i.assignees = slices.DeleteFunc(i.assignees, func(o *account) bool { return o == a })
		}
		c.hub.issueEvent(c.repo, i, action, c.actor, obj{"assignee": a.json(c.hub)})
	}
	j := c.hub.issueJSON(c.repo, i)
	if add {
		return created(j)
	}
	return ok(j)
}
