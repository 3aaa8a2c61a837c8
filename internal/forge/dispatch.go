package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Dispatch is a workflow to be started in some repository.
type Dispatch struct {
	Workflow string // file name
	Ref      string // a branch
	Inputs   map[string]string
}

// Run is a run of a workflow. ID is 0 where the server does not tell which run it
// started.
type Run struct {
	ID      int64
	URL     string
	Created time.Time
}

// dispatch is the body of a request to start a workflow. GitHub tells which run it
// started where it is asked to
// (https://github.blog/changelog/2026-02-19-workflow-dispatch-api-now-returns-run-ids).
type dispatch struct {
	Ref     string            `json:"ref"`
	Inputs  map[string]string `json:"inputs,omitempty"`
	Details bool              `json:"return_run_details,omitempty"`
}

// Dispatch starts a workflow, every time that it is called: GitHub has no key by which
// a second request would be known. Where the answer is lost, [Client.Runs] may tell
// whether it started.
func (c *Client) Dispatch(ctx context.Context, n Name, d Dispatch) (Run, error) {
	var out struct {
		ID  int64  `json:"workflow_run_id"`
		URL string `json:"html_url"`
	}
	in := dispatch{Ref: d.Ref, Inputs: d.Inputs, Details: true}
	k := call{
		op: fmt.Sprintf("starting workflow %s of %s", d.Workflow, n), method: http.MethodPost,
		path: n.path("actions/workflows", escapeOne(d.Workflow), "dispatches"), in: in, out: &out,
	}
	_, err := c.send(ctx, k)
	if unknownDetails(err) {
		in.Details = false
		k.in = in
		_, err = c.send(ctx, k)
	}
	return Run{ID: out.ID, URL: out.URL}, err
}

// unknownDetails reports whether a server refused to tell which run it starts, and
// started none: Enterprise Servers up to 3.20 refuse what they do not know
// (https://github.com/benc-uk/workflow-dispatch/issues/86, and
// https://github.com/cli/cli/issues/12672, which has 400 for it).
func unknownDetails(err error) bool {
	e, is := errors.AsType[*Error](err)
	return is && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity) && strings.Contains(e.text(), "return_run_details")
}

// clockSlack is how far times of GitHub's may be from ours: it tells whole seconds, and
// its own clock is known as well as that.
const clockSlack = 2 * time.Second

// Runs lists the runs of a workflow on a branch that this App's bot has started by hand
// since a time, of ours. GitHub does not tell their inputs.
//
// The list is read without filters: with them it is a search, whose results end at a
// thousand and have been seen to come late (https://github.com/max-sixty/tend/pull/348).
func (c *Client) Runs(ctx context.Context, n Name, workflow, branch string, since time.Time) ([]Run, error) {
	id, err := c.in.app.Identity(ctx)
	if err != nil {
		return nil, err
	}
	since = since.Add(c.in.app.clock.skew() - clockSlack)
	var page struct {
		Runs []*github.WorkflowRun `json:"workflow_runs"`
	}
	var found []Run
	older := false
	k := call{op: fmt.Sprintf("listing the runs of workflow %s of %s", workflow, n), path: n.path("actions/workflows", escapeOne(workflow), "runs"), out: &page}
	more, err := c.pages(ctx, k, func() bool {
		for _, r := range page.Runs {
			created := r.GetCreatedAt().Time
			if older = created.Before(since); !older && r.GetEvent() == "workflow_dispatch" && r.GetHeadBranch() == branch && strings.EqualFold(r.GetActor().GetLogin(), id.Bot) {
				found = append(found, Run{ID: r.GetID(), URL: r.GetHTMLURL(), Created: created})
			}
		}
		page.Runs = nil
		return !older
	})
	if err == nil && more && !older {
		err = fmt.Errorf("%s: there are too many since %s to look through", k.op, since.UTC().Format(time.RFC3339))
	}
	return found, err
}
