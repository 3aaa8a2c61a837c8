package walks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
)

// unfollow ends what is under way for golden paths that a repository does not follow any
// more, and drops their records. Its files stay.
func (w *Walks) unfollow(ctx context.Context, c Client, look Look, asked string, records []Record, followed []string, l *last) error {
	for _, r := range records {
		if slices.Contains(followed, r.GoldenPath) || look.Repository.closed() != "" {
			continue
		}
		b := &bringing{Walks: w, client: c, look: look, asked: asked, record: r, last: l}
		if err := b.withdraw(ctx); err != nil {
			return err
		}
	}
	forget(l, records, followed)
	return nil
}

// unfollowAll is unfollow for a repository that follows nothing any more. Where it was told
// to repair something, it has not to any more.
func (w *Walks) unfollowAll(ctx context.Context, c Client, look Look, asked string, records []Record, stuck bool, l *last) error {
	if stuck && look.Repository.closed() == "" {
		if err := c.CloseIssue(ctx, stuckKey, "This repository follows no golden path any more."); err != nil {
			return err
		}
	}
	return w.unfollow(ctx, c, look, asked, records, nil, l)
}

// withdraw closes the pull request of a golden path that is not followed any more. One
// on whose branch people have committed is theirs, and is told.
func (b *bringing) withdraw(ctx context.Context) error {
	if b.record.PullRequest == 0 {
		return nil
	}
	if err := b.lookAtBranch(ctx); err != nil {
		return err
	}
	open := b.openPullRequest()
	if open == nil {
		return nil
	}
	why := fmt.Sprintf("This repository does not follow %s any more, as %s on the default branch says.", code(b.record.GoldenPath), code(drift.MemberName))
	if !b.ours() {
		return b.client.EnsureComment(ctx, open.Number, "unfollowed", why+" This pull request has commits that are not syncer's, so it is left to you: close it, or merge what you need of it.")
	}
	if err := b.client.ClosePullRequest(ctx, open.Number, b.branch(), b.look.Branch.Commit, why+" Its files stay as they are."); err != nil {
		return err
	}
	b.noteLast("pull request closed", fmt.Sprintf("#%d is for %s, which is not followed any more", open.Number, b.record.GoldenPath))
	return nil
}

// leaving makes a pull request, on whose branch people took the golden path out, say
// that. There is nothing to bring there, and nothing to decide; to merge it is theirs.
func (b *bringing) leaving(ctx context.Context, open *PullRequest) error {
	b.record.State, b.record.PullRequest = Diverged, open.Number
	b.release()
	if err := b.warn(ctx, nil, *open, b.look.Branch.Commit); err != nil {
		return err
	}
	title := "Stop following " + b.record.GoldenPath
	text := fmt.Sprintf("On this branch %s does not name %s any more. Once this is merged the repository does not follow it, its files stay as they are on this branch, and nothing updates them. To go on following it, take that commit back.\n", code(drift.MemberName), code(b.record.GoldenPath))
	if !strings.Contains(open.Body, strings.TrimSpace(text)) {
		if err := b.client.EditPullRequest(ctx, *open, title, text); err != nil {
			return err
		}
	}
	b.rememberLast()
	return nil
}
