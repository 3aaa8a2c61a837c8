package localhub

import (
	"fmt"
	"slices"
)

func getReviewers(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	j := c.hub.pullJSON(c.repo, i, false)
	return ok(obj{"users": j["requested_reviewers"], "teams": j["requested_teams"]})
}

type reviewerList struct {
	Users []string `json:"reviewers"`
	Teams []string `json:"team_reviewers"`
}

func requestReviewers(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var in reviewerList
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	outsider := unprocessable(fmt.Sprintf("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the %s repository.", c.repo.fullName()))
	var users []*account
	for _, login := range in.Users {
		a := c.hub.state.account(login)
		if a == nil || c.repo.role(a) == "" {
			return outsider
		}
		if a == i.author {
			return unprocessable("Review cannot be requested from pull request author.")
		}
		users = append(users, a)
	}
	var teams []*team
	for _, slug := range in.Teams {
		t := c.repo.owner.teams[slug]
		if t == nil || c.repo.teams[slug] == "" {
			return outsider
		}
		teams = append(teams, t)
	}
	for _, a := range users {
		if !slices.Contains(i.pull.reviewers, a) {
			i.pull.reviewers = append(i.pull.reviewers, a)
			c.hub.pullEvent(c.repo, i, "review_requested", c.actor, obj{"requested_reviewer": a.json(c.hub)})
		}
	}
	for _, t := range teams {
		if !slices.Contains(i.pull.teams, t) {
			i.pull.teams = append(i.pull.teams, t)
			c.hub.pullEvent(c.repo, i, "review_requested", c.actor, obj{"requested_team": c.hub.teamJSON(c.repo.owner, t)})
		}
	}
	return created(c.hub.pullJSON(c.repo, i, false))
}

func dropReviewers(c *call) answer {
	i := c.pull()
	if i == nil {
		return notFound()
	}
	var in reviewerList
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	i.pull.reviewers = slices.DeleteFunc(i.pull.reviewers, func(a *account) bool { return slices.Contains(in.Users, a.login) })
	i.pull.teams = slices.DeleteFunc(i.pull.teams, func(t *team) bool { return slices.Contains(in.Teams, t.slug) })
	return ok(c.hub.pullJSON(c.repo, i, false))
}
