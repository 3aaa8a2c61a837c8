package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"
)

// maxText bounds the body of a pull request, an issue or a comment, in characters
// (GitHub refuses 65,537).
const maxText = 65536

// Proposal is a pull request to be opened.
type Proposal struct {
	Head, Base  string // branches of the same repository
	Title, Body string
	Draft       bool
}

// OpenPullRequest opens a pull request: one request. Where one is open already for
// this branch and base, that one is returned as it is. A draft that the
// repository's plan does not have becomes an ordinary pull request.
func (c *Client) OpenPullRequest(ctx context.Context, n Name, p Proposal) (PullRequest, error) {
	var made github.PullRequest
	k := call{
		op: fmt.Sprintf("opening a pull request from %s in %s", p.Head, n), method: http.MethodPost, path: n.path("pulls"), out: &made,
		in: map[string]any{"head": p.Head, "base": p.Base, "title": p.Title, "body": cut(p.Body, maxText), "draft": p.Draft},
	}
	_, err := c.send(ctx, k)
	if err == nil {
		return pullRequest(n, &made), nil
	}
	text := strings.ToLower(err.Error())
	switch kind := KindOf(err); {
	case kind == Invalid && p.Draft && strings.Contains(text, "draft pull requests are not supported"):
		p.Draft = false
		return c.OpenPullRequest(ctx, n, p)
	case lost(err), kind == Invalid && strings.Contains(text, "already exists"):
		open, listErr := c.listPulls(ctx, n, p.Head, "open")
		if listErr != nil {
			return PullRequest{}, err
		}
		for _, pr := range open {
			if pr.Base == p.Base {
				return pr, nil
			}
		}
	}
	return PullRequest{}, err
}

// EditPullRequest gives a pull request a title and a body, and reports whether it
// had others: where it has these, nothing is sent.
func (c *Client) EditPullRequest(ctx context.Context, p PullRequest, title, body string) (changed bool, err error) {
	body = cut(body, maxText)
	in := map[string]any{}
	if p.Title != title {
		in["title"] = title
	}
	if !sameText(p.Body, body) {
		in["body"] = body
	}
	if len(in) == 0 {
		return false, nil
	}
	_, err = c.send(ctx, call{op: fmt.Sprintf("editing %s#%d", p.Repository, p.Number), method: http.MethodPatch, path: fmt.Sprintf("%s/pulls/%d", p.Repository.path(), p.Number), in: in})
	return err == nil, err
}

// sameText compares texts as GitHub shows them: its editor writes CRLF, and it
// drops what is empty at the end.
func sameText(a, b string) bool {
	norm := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return norm(a) == norm(b)
}

// cut shortens s to limit characters, and says so at its end.
func cut(s string, limit int) string {
	const note = "\n\n… (cut: GitHub takes no more)"
	if len(s) <= limit {
		return s
	}
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit-len([]rune(note))]) + note
}

// Closing says how to close a pull request.
type Closing struct {
	Number int
	// Key and Comment are said first, once; no Comment is silence.
	Key, Comment string
	// Branch is deleted if it is still at Head; "" leaves it.
	Branch, Head string
}

// ClosePullRequest comments, closes, and deletes the branch, each if it is not
// done yet. A branch that somebody else moved stays.
func (c *Client) ClosePullRequest(ctx context.Context, r Repository, k Closing) error {
	if k.Comment != "" {
		if _, err := c.EnsureComment(ctx, r.Name, k.Number, k.Key, k.Comment); err != nil {
			return err
		}
	}
	_, err := c.send(ctx, call{
		op: fmt.Sprintf("closing %s#%d", r.Name, k.Number), method: http.MethodPatch,
		path: fmt.Sprintf("%s/pulls/%d", r.Name.path(), k.Number), in: map[string]string{"state": "closed"},
	})
	if err != nil || k.Branch == "" {
		return err
	}
	err = c.Move(ctx, r, Move{Branch: k.Branch, From: k.Head})
	if KindOf(err) == Conflict {
		return nil
	}
	return err
}

// ReopenPullRequest opens a closed pull request again. Where its branch is gone or
// was rewritten GitHub refuses, which is [Invalid]: open a new one then.
func (c *Client) ReopenPullRequest(ctx context.Context, p PullRequest) error {
	_, err := c.send(ctx, call{
		op: fmt.Sprintf("opening %s#%d again", p.Repository, p.Number), method: http.MethodPatch,
		path: fmt.Sprintf("%s/pulls/%d", p.Repository.path(), p.Number), in: map[string]string{"state": "open"},
	})
	return err
}

// AddLabels adds labels to an issue or a pull request; GitHub makes those that the
// repository lacks. Labels that are there stay.
func (c *Client) AddLabels(ctx context.Context, n Name, number int, labels ...string) error {
	if len(labels) == 0 {
		return nil
	}
	_, err := c.send(ctx, call{
		op: fmt.Sprintf("labelling %s#%d", n, number), method: http.MethodPost,
		path: fmt.Sprintf("%s/issues/%d/labels", n.path(), number), in: map[string][]string{"labels": labels},
	})
	return err
}

// RemoveLabel takes a label off, if it is on.
func (c *Client) RemoveLabel(ctx context.Context, n Name, number int, label string) error {
	_, err := c.send(ctx, call{
		op: fmt.Sprintf("taking label %s off %s#%d", label, n, number), method: http.MethodDelete,
		path: fmt.Sprintf("%s/issues/%d/labels/%s", n.path(), number, escapeOne(label)),
	})
	if KindOf(err) == NotFound {
		return nil
	}
	return err
}

// RequestReviewers asks people and teams (by slug) for a review, and returns those
// that GitHub refuses: who cannot see the repository, and the author.
func (c *Client) RequestReviewers(ctx context.Context, n Name, number int, people, teams []string) (refused []string, err error) {
	if len(people)+len(teams) == 0 {
		return nil, nil
	}
	ask := func(people, teams []string) error {
		in := map[string][]string{}
		if len(people) > 0 {
			in["reviewers"] = people
		}
		if len(teams) > 0 {
			in["team_reviewers"] = teams
		}
		_, err := c.send(ctx, call{
			op: fmt.Sprintf("asking for reviews of %s#%d", n, number), method: http.MethodPost,
			path: fmt.Sprintf("%s/pulls/%d/requested_reviewers", n.path(), number), in: in,
		})
		return err
	}
	// One who is refused makes GitHub refuse all, so that then each is asked alone.
	if err = ask(people, teams); KindOf(err) != Invalid || len(people)+len(teams) == 1 {
		if KindOf(err) == Invalid {
			return append(append(refused, people...), teams...), nil
		}
		return nil, err
	}
	for i, who := range append(append([]string{}, people...), teams...) {
		if i < len(people) {
			err = ask([]string{who}, nil)
		} else {
			err = ask(nil, []string{who})
		}
		if KindOf(err) == Invalid {
			refused = append(refused, who)
		} else if err != nil {
			return refused, err
		}
	}
	return refused, nil
}

// SetDraft makes a pull request a draft or ready for review. REST cannot: where
// there is no GraphQL the error is [Unsupported].
func (c *Client) SetDraft(ctx context.Context, p PullRequest, draft bool) error {
	if p.Draft == draft {
		return nil
	}
	mutation := "markPullRequestReadyForReview"
	if draft {
		mutation = "convertPullRequestToDraft"
	}
	return c.onPull(ctx, fmt.Sprintf("changing the draft state of %s#%d", p.Repository, p.Number), mutation, p, nil)
}

// AutoMerge asks GitHub to merge a pull request ("MERGE", "SQUASH" or "REBASE")
// once all that its base requires is there. It is refused ([Invalid]) where the
// repository does not allow it, or nothing is required ([Refused]), and [Mergeable] where
// all that is required is there already. [Conflict] may pass. REST cannot: see SetDraft.
func (c *Client) AutoMerge(ctx context.Context, p PullRequest, method string) error {
	return autoMergeRefusal(c.onPull(ctx, fmt.Sprintf("switching auto-merge on for %s#%d", p.Repository, p.Number), "enablePullRequestAutoMerge", p, map[string]any{"mergeMethod": method}))
}

// Parts of GitHub's refusals, in lower case. The first are of a pull request that nothing
// is missing for (https://github.com/peter-evans/enable-pull-request-automerge/issues/343,
// https://github.com/peter-evans/enable-pull-request-automerge/issues/355), the others of
// one that changes just now (https://github.com/cli/cli/issues/8092,
// https://github.com/NixOS/nixpkgs-merge-bot/issues/179), and of a way of merging that the
// repository's settings do not have (https://github.com/akuity/kargo/pull/6490).
var (
	wordsOfMergeable = []string{"in clean status", "in unstable status", "in has_hooks status"}
	wordsOfModified  = []string{"branch was modified", " status"}
	wordsOfMethod    = []string{"not allowed on this repository"}
)

// autoMergeRefusal says what kind of refusal it is: GraphQL has no codes for it.
func autoMergeRefusal(err error) error {
	e, is := errors.AsType[*Error](err)
	if !is || e.Kind != Invalid {
		return err
	}
	known := *e
	switch {
	case has(e.text(), wordsOfMergeable):
		known.Kind = Mergeable
	case has(e.text(), wordsOfModified):
		known.Kind = Conflict
	}
	return &known
}

// Merge merges a pull request ("MERGE", "SQUASH" or "REBASE") whose branch is at head. It
// is refused ([Invalid]) where the repository does not have that way of merging. Other
// refusals may pass ([Conflict]): GitHub answers 405 for all of them, and for a base that
// is just being moved too.
func (c *Client) Merge(ctx context.Context, n Name, number int, head, method string) error {
	path := fmt.Sprintf("%s/pulls/%d/merge", n.path(), number)
	_, err := c.send(ctx, call{
		op: fmt.Sprintf("merging %s#%d", n, number), method: http.MethodPut, path: path,
		in: map[string]string{"sha": head, "merge_method": strings.ToLower(method)},
	})
	if lost(err) {
		// GitHub answers 204 where it is merged.
		if _, seen := c.send(ctx, call{op: fmt.Sprintf("looking whether %s#%d is merged", n, number), path: path}); seen == nil {
			return nil
		}
		return err
	}
	e, is := errors.AsType[*Error](err)
	if !is || e.Status != http.StatusMethodNotAllowed || e.Kind == Queued {
		return err
	}
	known := *e
	known.Kind = Conflict
	if has(e.text(), wordsOfMethod) {
		known.Kind = Invalid
	}
	return &known
}

// StopAutoMerge takes [Client.AutoMerge] back.
func (c *Client) StopAutoMerge(ctx context.Context, p PullRequest) error {
	return c.onPull(ctx, fmt.Sprintf("switching auto-merge off for %s#%d", p.Repository, p.Number), "disablePullRequestAutoMerge", p, nil)
}

func (c *Client) onPull(ctx context.Context, op, mutation string, p PullRequest, input map[string]any) error {
	if !c.graphQL() {
		return &Error{Kind: Unsupported, Op: op, Message: "GitHub offers this by GraphQL only, which is switched off or absent"}
	}
	if input == nil {
		input = map[string]any{}
	}
	input["pullRequestId"] = p.NodeID
	var d document
	d.printf("%s(input:%s){clientMutationId}", mutation, d.arg(strings.ToUpper(mutation[:1])+mutation[1:]+"Input!", input))
	return c.mutate(ctx, op, &d)
}
