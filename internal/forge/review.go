package forge

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/go-github/v60/github"
)

// Review is a set of remarks on the lines of a pull request, said once for its Key.
type Review struct {
	Number   int
	Key      string
	Commit   string // of the pull request's head
	Body     string
	Comments []ReviewComment
}

// ReviewComment is one remark. GitHub takes only lines that the pull request's
// diff shows.
type ReviewComment struct {
	Path       string
	Start, End int // lines of the new file; Start 0 is one line
	Body       string
}

// Suggestion returns the text that GitHub shows as a change which a button applies:
// the lines of the remark become these. The fence is longer than any in the lines.
func Suggestion(lines string) string {
	fence := "```"
	for n, run := 0, 0; n < len(lines); n++ {
		if run++; lines[n] != '`' {
			run = 0
		}
		for run >= len(fence) {
			fence += "`"
		}
	}
	if lines != "" && lines[len(lines)-1] != '\n' {
		lines += "\n"
	}
	return fence + "suggestion\n" + lines + fence
}

// Review leaves a review without a verdict, unless ours with this key is there. It
// looks again after a lost answer.
func (c *Client) Review(ctx context.Context, n Name, r Review) error {
	if found, err := c.reviewed(ctx, n, r); err != nil || found {
		return err
	}
	comments := make([]map[string]any, 0, len(r.Comments))
	for _, k := range r.Comments {
		m := map[string]any{"path": k.Path, "line": k.End, "side": "RIGHT", "body": cut(k.Body, maxText)}
		if k.Start > 0 && k.Start < k.End {
			m["start_line"], m["start_side"] = k.Start, "RIGHT"
		}
		comments = append(comments, m)
	}
	_, err := c.send(ctx, call{
		op: fmt.Sprintf("reviewing %s#%d", n, r.Number), method: http.MethodPost, path: fmt.Sprintf("%s/pulls/%d/reviews", n.path(), r.Number),
		in: map[string]any{"commit_id": r.Commit, "event": "COMMENT", "body": marked(r.Body, r.Key), "comments": comments},
	})
	if lost(err) {
		if found, findErr := c.reviewed(ctx, n, r); findErr == nil && found {
			return nil
		}
	}
	return err
}

func (c *Client) reviewed(ctx context.Context, n Name, r Review) (found bool, err error) {
	id, err := c.in.app.Identity(ctx)
	if err != nil {
		return false, err
	}
	var page []*github.PullRequestReview
	_, err = c.pages(ctx, call{op: fmt.Sprintf("listing the reviews of %s#%d", n, r.Number), path: fmt.Sprintf("%s/pulls/%d/reviews", n.path(), r.Number), out: &page}, func() bool {
		for _, v := range page {
			found = found || v.GetUser().GetLogin() == id.Bot && hasMarker(v.GetBody(), r.Key)
		}
		page = nil
		return !found
	})
	return found, err
}
