package localhub

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// plainNode is an object whose fields are at hand.
type plainNode struct {
	kind   string
	fields map[string]any
}

// about answers what a repository says of itself and of its pull requests.
func (x *execution) about(r *repository, name string, args map[string]any) (value any, done bool, err error) {
	switch name {
	case "owner":
		kind := "User"
		if r.owner.kind == kindOrg {
			kind = "Organization"
		}
		return plainNode{kind, map[string]any{"id": nodeID("U", r.owner.id), "login": r.owner.login}}, true, nil
	case "repositoryTopics":
		list := []any{}
		for _, t := range r.topics {
			list = append(list, plainNode{"RepositoryTopic", map[string]any{"topic": plainNode{"Topic", map[string]any{"name": t}}}})
		}
		return plainNode{"RepositoryTopicConnection", map[string]any{"nodes": list}}, true, nil
	case "pullRequests":
		if !x.c.actor.may(r, need{"pull_requests", "read"}) {
			return nil, true, &graphError{Type: "FORBIDDEN", Message: "Resource not accessible by integration"}
		}
		return x.pulls(r, args)
	case "visibility":
		if r.private {
			return "PRIVATE", true, nil
		}
		return "PUBLIC", true, nil
	case "description":
		if r.description == "" {
			return nil, true, nil
		}
		return r.description, true, nil
	case "url":
		return x.c.hub.pageURL(r), true, nil
	case "pushedAt":
		return stampOrNil(r.pushed), true, nil
	case "createdAt":
		return stamp(r.created), true, nil
	case "autoMergeAllowed":
		return r.settings.autoMerge, true, nil
	}
	return nil, false, nil
}

func (x *execution) pulls(r *repository, args map[string]any) (any, bool, error) {
	first, hasFirst := args["first"].(int64)
	if !hasFirst || first < 1 || first > 100 {
		return nil, true, &graphError{Type: "MISSING_PAGINATION_BOUNDARIES", Message: "You must provide a `first` or `last` value to properly paginate the `pullRequests` connection."}
	}
	var found []*issue
	for _, i := range r.issues {
		head, byHead := args["headRefName"].(string)
		if i.pull != nil && (!byHead || i.pull.head == head) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *issue) int { return cmp.Compare(a.number, b.number) })
	if order, is := args["orderBy"].(map[string]any); is && fmt.Sprint(order["direction"]) == "DESC" {
		slices.Reverse(found)
	}
	list := []any{}
	for _, i := range found[:min(int(first), len(found))] {
		list = append(list, x.pullNode(r, i))
	}
	return plainNode{"PullRequestConnection", map[string]any{"nodes": list, "totalCount": len(found)}}, true, nil
}

func (x *execution) pullNode(r *repository, i *issue) plainNode {
	state := strings.ToUpper(i.state)
	if i.pull.merged {
		state = "MERGED"
	}
	labels := []any{}
	for _, l := range i.labels {
		labels = append(labels, plainNode{"Label", map[string]any{"name": l.name}})
	}
	return plainNode{"PullRequest", map[string]any{
		"id": nodeID("PR", i.id), "number": i.number, "title": i.title, "body": i.body, "state": state, "isDraft": i.pull.draft,
		"url": i.page(x.c.hub, r), "headRefOid": i.pull.headID.String(), "headRefName": i.pull.head, "baseRefName": i.pull.base,
		"isCrossRepository": i.pull.from != nil, "merged": i.pull.merged, "createdAt": stamp(i.created), "closedAt": stampOrNil(i.closed),
		"labels": plainNode{"LabelConnection", map[string]any{"nodes": labels}},
	}}
}

// redraft makes a pull request a draft, or ready for review, and tells of it.
func (h *Hub) redraft(r *repository, i *issue, draft bool, by *actor) {
	if draft == i.pull.draft {
		return
	}
	i.pull.draft, i.pull.auto = draft, nil // a draft is not merged by itself
	h.pullEvent(r, i, map[bool]string{true: "converted_to_draft", false: "ready_for_review"}[draft], by, nil)
}

// setDraft makes a pull request a draft, or ready for review.
func (x *execution) setDraft(name string, args map[string]any) (any, error) {
	r, i, err := x.pullOf(args, need{"pull_requests", "write"})
	if err != nil {
		return nil, err
	}
	switch draft := name == "convertPullRequestToDraft"; {
	case draft && r.settings.noDrafts:
		return nil, &graphError{Type: "UNPROCESSABLE", Message: noDrafts}
	default:
		x.c.hub.redraft(r, i, draft, x.c.actor)
	}
	return plainNode{strings.ToUpper(name[:1]) + name[1:] + "Payload", nil}, nil
}
