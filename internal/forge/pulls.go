package forge

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// PullRequest is a pull request of one of our branches.
type PullRequest struct {
	Repository Name
	Number     int
	NodeID     string
	URL        string
	Title      string
	Body       string
	State      string // "open", "closed" or "merged"
	Draft      bool
	Head       Head // branch and commit
	Base       string
	Labels     []string
	Author     string
	// Mergeable is nil while GitHub has not worked it out, and in lists.
	Mergeable *bool
	// MergeableState is GitHub's: "clean", "blocked", "behind", "dirty" and others.
	MergeableState      string
	CreatedAt, ClosedAt time.Time
}

// Open reports whether the pull request is open.
func (p PullRequest) Open() bool { return p.State == "open" }

func lower(s string) string { return strings.ToLower(s) }

func pullRequest(n Name, p *github.PullRequest) PullRequest {
	out := PullRequest{
		Repository: n, Number: p.GetNumber(), NodeID: p.GetNodeID(), URL: p.GetHTMLURL(), Title: p.GetTitle(), Body: p.GetBody(),
		State: p.GetState(), Draft: p.GetDraft(), Head: Head{Branch: p.GetHead().GetRef(), Commit: p.GetHead().GetSHA()},
		Base: p.GetBase().GetRef(), Author: p.GetUser().GetLogin(), Mergeable: p.Mergeable, MergeableState: p.GetMergeableState(),
		CreatedAt: p.GetCreatedAt().Time, ClosedAt: p.GetClosedAt().Time,
	}
	if p.MergedAt != nil || p.GetMerged() {
		out.State = "merged"
	}
	for _, l := range p.Labels {
		out.Labels = append(out.Labels, l.GetName())
	}
	return out
}

// gqlPull is a pull request in a GraphQL answer.
type gqlPull struct {
	ID                string
	Number            int
	Title, Body       string
	State             string // OPEN, CLOSED, MERGED
	IsDraft           bool
	URL               string
	HeadRefOid        string
	HeadRefName       string
	BaseRefName       string
	IsCrossRepository bool
	CreatedAt         time.Time
	ClosedAt          *time.Time
	Labels            struct{ Nodes []struct{ Name string } }
}

func (p gqlPull) pullRequest(n Name) PullRequest {
	out := PullRequest{
		Repository: n, Number: p.Number, NodeID: p.ID, URL: p.URL, Title: p.Title, Body: p.Body, State: lower(p.State), Draft: p.IsDraft,
		Head: Head{Branch: p.HeadRefName, Commit: p.HeadRefOid}, Base: p.BaseRefName, CreatedAt: p.CreatedAt,
	}
	if p.ClosedAt != nil {
		out.ClosedAt = *p.ClosedAt
	}
	for _, l := range p.Labels.Nodes {
		out.Labels = append(out.Labels, l.Name)
	}
	return out
}

// PullRequests lists the pull requests of a branch of the repository in every
// state, newest first, at most 5.
func (c *Client) PullRequests(ctx context.Context, n Name, branch string) ([]PullRequest, error) {
	return c.listPulls(ctx, n, branch, "all")
}

func (c *Client) listPulls(ctx context.Context, n Name, branch, state string) ([]PullRequest, error) {
	q := url.Values{"head": {n.Owner + ":" + branch}, "state": {state}, "sort": {"created"}, "direction": {"desc"}, "per_page": {"5"}}
	var list []*github.PullRequest
	op := fmt.Sprintf("listing the pull requests of %s of %s", branch, n)
	if _, err := c.send(ctx, call{op: op, path: n.path("pulls") + "?" + q.Encode(), out: &list}); err != nil {
		return nil, err
	}
	var out []PullRequest
	for _, p := range list {
		// Where the filter names no branch GitHub ignores it and lists them all.
		if p.GetHead().GetRef() == branch && strings.EqualFold(p.GetHead().GetRepo().GetFullName(), n.String()) {
			out = append(out, pullRequest(n, p))
		}
	}
	return out, nil
}

// PullRequest reads one, with whether it can be merged.
func (c *Client) PullRequest(ctx context.Context, n Name, number int) (PullRequest, error) {
	var p github.PullRequest
	_, err := c.send(ctx, call{op: fmt.Sprintf("reading %s#%d", n, number), path: fmt.Sprintf("%s/pulls/%d", n.path(), number), out: &p})
	if err != nil {
		return PullRequest{}, err
	}
	return pullRequest(n, &p), nil
}
