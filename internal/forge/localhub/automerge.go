package localhub

import (
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// autoMerge is a wish to merge a pull request once all that is required is there.
type autoMerge struct {
	by     *actor
	method string // merge, squash or rebase
}

func (a *autoMerge) json(h *Hub) any {
	if a == nil {
		return nil
	}
	return obj{"enabled_by": a.by.account().json(h), "merge_method": a.method, "commit_title": "", "commit_message": ""}
}

// pullOf is the open pull request with a node id, if the actor may change it.
func (x *execution) pullOf(args map[string]any, needs ...need) (*repository, *issue, error) {
	input, _ := args["input"].(map[string]any)
	id, _ := input["pullRequestId"].(string)
	for _, r := range x.c.hub.state.repos {
		for _, i := range r.issues {
			if i.pull == nil || nodeID("PR", i.id) != id || r.hidden || !x.c.actor.sees(r) {
				continue
			}
			if slices.ContainsFunc(needs, func(n need) bool { return !x.c.actor.may(r, n) }) {
				return nil, nil, &graphError{Type: "FORBIDDEN", Message: "Resource not accessible by integration"}
			}
			if i.state != "open" {
				return nil, nil, &graphError{Type: "UNPROCESSABLE", Message: "Pull request is closed"}
			}
			return r, i, nil
		}
	}
	return nil, nil, &graphError{Type: "NOT_FOUND", Message: fmt.Sprintf("Could not resolve to a node with the global id of '%s'.", id)}
}

// setAutoMerge switches automatic merging on or off. GitHub takes it only where the
// repository allows it, where the base requires something, and while that is missing.
// The words of the first three refusals are GitHub's, as quoted in
// peter-evans/enable-pull-request-automerge#343 and iterative/cml#955; drafts are
// refused too (reitermarkus/automerge#1525).
func (x *execution) setAutoMerge(name string, args map[string]any) (any, error) {
	r, i, err := x.pullOf(args, need{"pull_requests", "write"}, need{"contents", "write"})
	if err != nil {
		return nil, err
	}
	refused := func(message string) (any, error) {
		return nil, &graphError{Type: "UNPROCESSABLE", Message: message}
	}
	if name == "disablePullRequestAutoMerge" {
		if i.pull.auto == nil {
			return refused("Can't disable auto-merge for this pull request")
		}
		i.pull.auto = nil
		return plainNode{"DisablePullRequestAutoMergePayload", nil}, nil
	}
	input, _ := args["input"].(map[string]any)
	method := "merge"
	if m := fmt.Sprint(input["mergeMethod"]); m == "SQUASH" || m == "REBASE" {
		method = lower(m)
	}
	_, state := x.c.hub.mergeability(r, i)
	switch {
	case !r.settings.autoMerge:
		return refused("Pull request Auto merge is not allowed for this repository")
	case !requiresSomething(r, i):
		return refused("Pull request Protected branch rules not configured for this branch")
	case state == "clean" || state == "unstable":
		return refused("Pull request is in " + state + " status")
	case i.pull.draft:
		return refused("Pull request is in draft status")
	case !map[string]bool{"merge": r.settings.merge, "squash": r.settings.squash, "rebase": r.settings.rebase}[method]:
		return refused("Merge method " + method + " is not allowed on this repository")
	}
	i.pull.auto = &autoMerge{x.c.actor, method}
	return plainNode{"EnablePullRequestAutoMergePayload", nil}, nil
}

// requiresSomething tells whether the base asks for anything before a merge.
func requiresSomething(r *repository, i *issue) bool {
	ref := "refs/heads/" + i.pull.base
	return slices.ContainsFunc(append(r.rulesFor(ref, nil), r.protectionRules(ref, &actor{})...), func(one Rule) bool {
		return one.Type == "required_status_checks" || one.Type == "pull_request" || one.Type == "merge_queue"
	})
}

// mergeWaiting merges the pull requests with a head that only waited for what is there
// now; where there is a merge queue it puts them in.
func (h *Hub) mergeWaiting(r *repository, head plumbing.Hash) {
	for n := 1; n <= r.number; n++ {
		i := r.issues[n]
		if i == nil || i.pull == nil || i.state != "open" || i.pull.headID != head || i.pull.auto == nil || i.pull.draft {
			continue
		}
		auto := i.pull.auto
		missing := h.unmet(r, i, auto.by)
		if slices.Equal(missing, []string{throughQueue}) {
			i.pull.auto = nil
			if _, err := h.queueMerge(r, i, auto.by); err != nil {
				h.options.Log.Error("not queued", "repository", r.fullName(), "number", n, "error", err)
			}
			continue
		}
		if len(missing) == 0 {
			_, _ = h.merge(r, i, mergeWish{method: auto.method}, auto.by) // what is in the way stays in the way
		}
	}
}
