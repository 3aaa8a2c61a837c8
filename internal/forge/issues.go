package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v60/github"
)

// marker is the hidden line by which we know again what we wrote. The key is
// escaped, so that it cannot end the comment that hides it.
func marker(key string) string {
	return "<!-- syncer:" + strings.ReplaceAll(url.PathEscape(key), "--", "%2D%2D") + " -->"
}

// marked puts a key's marker under a text, which is cut so that both fit.
func marked(text, key string) string {
	m := marker(key)
	return cut(text, maxText-len(m)-2) + "\n\n" + m
}

// hasMarker reports whether a text of ours ends in the key's marker: a marker that
// is quoted in the middle of a text is not one.
func hasMarker(text, key string) bool {
	return strings.HasSuffix(strings.TrimSpace(text), marker(key))
}

// Issue is an issue of which there shall be exactly one for its Key.
type Issue struct {
	Key         string
	Title, Body string
	Labels      []string // at creation only
}

// IssueInfo is an issue that exists.
type IssueInfo struct {
	Number int
	URL    string
	State  string // "open" or "closed"
	Title  string
	Body   string // without the marker
}

func issueInfo(i *github.Issue, key string) IssueInfo {
	body, _ := strings.CutSuffix(strings.TrimSpace(i.GetBody()), marker(key))
	return IssueInfo{Number: i.GetNumber(), URL: i.GetHTMLURL(), State: i.GetState(), Title: i.GetTitle(), Body: strings.TrimSpace(body)}
}

// FindIssue returns the App's issue with a key, open or closed, the oldest where
// there are several; ok is false where there is none.
func (c *Client) FindIssue(ctx context.Context, n Name, key string) (info IssueInfo, ok bool, err error) {
	id, err := c.in.app.Identity(ctx)
	if err != nil {
		return IssueInfo{}, false, err
	}
	q := url.Values{"state": {"all"}, "creator": {id.Bot}, "sort": {"created"}, "direction": {"asc"}}
	found, err := c.searchIssues(ctx, n, key, id.Bot, q)
	if KindOf(err) == Invalid { // this GitHub takes no bot for a creator
		q.Del("creator")
		found, err = c.searchIssues(ctx, n, key, id.Bot, q)
	}
	if err != nil || found == nil {
		return IssueInfo{}, false, err
	}
	return issueInfo(found, key), true, nil
}

// searchIssues looks through a list for the App's issue with a key.
func (c *Client) searchIssues(ctx context.Context, n Name, key, bot string, q url.Values) (*github.Issue, error) {
	var page []*github.Issue
	var found *github.Issue
	_, err := c.pages(ctx, call{op: "listing the App's issues in " + n.String(), path: n.path("issues") + "?" + q.Encode(), out: &page}, func() bool {
		for _, i := range page {
			// The list has pull requests too.
			if found == nil && i.PullRequestLinks == nil && i.GetUser().GetLogin() == bot && hasMarker(i.GetBody(), key) {
				found = i
			}
		}
		page = nil
		return found == nil
	})
	return found, err
}

// EnsureIssue makes sure that there is one open issue with the key, this title and
// this body: it looks before it creates, looks again after a lost answer, opens a
// closed one again, and edits only what differs. Where issues are switched off the
// error is [Gone].
func (c *Client) EnsureIssue(ctx context.Context, n Name, want Issue) (IssueInfo, error) {
	found, ok, err := c.FindIssue(ctx, n, want.Key)
	if err != nil {
		return IssueInfo{}, err
	}
	if ok {
		return c.editIssue(ctx, n, found, want)
	}
	var made github.Issue
	in := map[string]any{"title": want.Title, "body": marked(want.Body, want.Key)}
	if len(want.Labels) > 0 {
		in["labels"] = want.Labels
	}
	_, err = c.send(ctx, call{op: "opening an issue in " + n.String(), method: http.MethodPost, path: n.path("issues"), in: in, out: &made})
	if lost(err) {
		if found, ok, findErr := c.FindIssue(ctx, n, want.Key); findErr == nil && ok {
			return found, nil
		}
	}
	if err != nil {
		return IssueInfo{}, err
	}
	return issueInfo(&made, want.Key), nil
}

func (c *Client) editIssue(ctx context.Context, n Name, found IssueInfo, want Issue) (IssueInfo, error) {
	in := map[string]any{}
	if found.Title != want.Title {
		in["title"] = want.Title
	}
	if !sameText(found.Body, want.Body) {
		in["body"] = marked(want.Body, want.Key)
	}
	if found.State != "open" {
		in["state"] = "open"
	}
	if len(in) == 0 {
		return found, nil
	}
	var edited github.Issue
	_, err := c.send(ctx, call{
		op: fmt.Sprintf("editing %s#%d", n, found.Number), method: http.MethodPatch,
		path: fmt.Sprintf("%s/issues/%d", n.path(), found.Number), in: in, out: &edited,
	})
	if err != nil {
		return IssueInfo{}, err
	}
	return issueInfo(&edited, want.Key), nil
}

// CloseIssue closes the issue with a key, if there is one and it is open, with a
// comment unless that is "".
func (c *Client) CloseIssue(ctx context.Context, n Name, key, comment string) error {
	found, ok, err := c.FindIssue(ctx, n, key)
	if err != nil || !ok || found.State != "open" {
		return err
	}
	if comment != "" {
		if _, err := c.EnsureComment(ctx, n, found.Number, key+":closed", comment); err != nil {
			return err
		}
	}
	_, err = c.send(ctx, call{
		op: fmt.Sprintf("closing %s#%d", n, found.Number), method: http.MethodPatch,
		path: fmt.Sprintf("%s/issues/%d", n.path(), found.Number), in: map[string]string{"state": "closed", "state_reason": "completed"},
	})
	return err
}

// Comment is a comment of ours on an issue or a pull request.
type Comment struct {
	ID  int64
	URL string
}

// EnsureComment makes sure that there is one comment of ours with the key and that
// it says body: it looks first, edits only what differs, and looks again after a
// lost answer. The body may be empty, in which case nothing but the key is said.
func (c *Client) EnsureComment(ctx context.Context, n Name, number int, key, body string) (Comment, error) {
	found, text, err := c.findComment(ctx, n, number, key)
	if err != nil {
		return Comment{}, err
	}
	k := call{op: fmt.Sprintf("commenting on %s#%d", n, number), in: map[string]string{"body": marked(body, key)}}
	var made github.IssueComment
	k.out = &made
	switch {
	case found.ID == 0:
		k.method, k.path = http.MethodPost, fmt.Sprintf("%s/issues/%d/comments", n.path(), number)
	case sameText(text, marked(body, key)):
		return found, nil
	default:
		k.method, k.path = http.MethodPatch, fmt.Sprintf("%s/issues/comments/%d", n.path(), found.ID)
	}
	_, err = c.send(ctx, k)
	if lost(err) {
		if found, text, findErr := c.findComment(ctx, n, number, key); findErr == nil && found.ID != 0 && sameText(text, marked(body, key)) {
			return found, nil
		}
	}
	if err != nil {
		return Comment{}, err
	}
	return Comment{ID: made.GetID(), URL: made.GetHTMLURL()}, nil
}

// findComment looks for our comment with a key among the first 5,000; anybody can
// copy a marker, so that the author must be us.
func (c *Client) findComment(ctx context.Context, n Name, number int, key string) (Comment, string, error) {
	id, err := c.in.app.Identity(ctx)
	if err != nil {
		return Comment{}, "", err
	}
	var page []*github.IssueComment
	var found *github.IssueComment
	_, err = c.pages(ctx, call{op: fmt.Sprintf("listing the comments of %s#%d", n, number), path: fmt.Sprintf("%s/issues/%d/comments", n.path(), number), out: &page}, func() bool {
		for _, k := range page {
			if found == nil && k.GetUser().GetLogin() == id.Bot && hasMarker(k.GetBody(), key) {
				found = k
			}
		}
		page = nil
		return found == nil
	})
	if err != nil || found == nil {
		return Comment{}, "", err
	}
	return Comment{ID: found.GetID(), URL: found.GetHTMLURL()}, found.GetBody(), nil
}

// React answers a comment with one of GitHub's reactions ("eyes", "+1", "-1",
// "rocket", "confused" and others). GitHub keeps one of a kind from each of us.
func (c *Client) React(ctx context.Context, n Name, comment int64, reaction string) error {
	_, err := c.send(ctx, call{
		op: fmt.Sprintf("reacting to comment %d of %s", comment, n), method: http.MethodPost,
		path: fmt.Sprintf("%s/issues/comments/%d/reactions", n.path(), comment), in: map[string]string{"content": reaction},
	})
	return err
}
