package walks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
)

// mergeClean is the policy by which a member lets pull requests without conflicts be
// merged by themselves.
const mergeClean = "clean"

// How long GitHub is asked again that refuses for what may pass, such as a base that
// moves; and when it is for the first time. What passed is the distance to the next.
const (
	mergeFor   = 24 * time.Hour
	mergeAgain = time.Minute
)

// automerge lets GitHub merge a pull request once its checks succeed, where the member
// wants that: only one without conflicts that holds nothing of other people's, that is
// no draft, and whose base requires checks, as nobody looks at it otherwise. A merge
// queue is GitHub's to respect. It is asked for once; what people do then stays, but
// when they commit to the branch, or it conflicts, it is taken back. A refusal that lasts
// is told, and asked about again only when a person gives an order. The [LaterError] is
// of one that may pass.
func (b *bringing) automerge(ctx context.Context, pr PullRequest, head string, conflicts []drift.Change) (*LaterError, error) {
	ours := slices.Contains(strings.Fields(b.record.Pushed), head)
	wanted := b.state.Member.Sync.Automerge == mergeClean && len(conflicts) == 0 && ours && !pr.Draft
	asked, refused := b.record.Merges == pr.Number, b.record.Merges == -pr.Number
	if !wanted || asked {
		b.record.MergesSince = time.Time{}
	}
	switch {
	case wanted && !asked && (!refused || b.byPerson):
		return b.startAutomerge(ctx, pr, head, refused)
	case !wanted && asked:
		b.record.Merges = 0
		if err := b.client.StopAutoMerge(ctx, pr); err != nil {
			if passes(err) {
				return nil, err
			}
			b.note(ctx, "merging by itself not stopped", err.Error()) // a draft is stopped by GitHub
		}
	}
	return nil, nil
}

// startAutomerge asks for it, and tells on the pull request what a person can change.
func (b *bringing) startAutomerge(ctx context.Context, pr PullRequest, head string, told bool) (*LaterError, error) {
	const key = "automerge"
	err := b.letMerge(ctx, pr, head)
	if passes(err) {
		return nil, err
	}
	since := b.record.MergesSince
	b.record.Merges, b.record.MergesSince = pr.Number, time.Time{}
	if err == nil {
		if told {
			err = b.client.EnsureComment(ctx, pr.Number, key, "GitHub takes it now: this is merged by itself once all that is required is there.")
		}
		return nil, err
	}
	if since.IsZero() {
		since = b.Now()
	}
	_, final := errors.AsType[*PersonError](err)
	if passed := b.Now().Sub(since); !final && !lasts(err) && passed < mergeFor {
		b.record.Merges, b.record.MergesSince = 0, since
		return &LaterError{err, max(passed, mergeAgain)}, nil
	}
	b.record.Merges = -pr.Number
	b.note(ctx, "not merged by itself", fmt.Sprintf("#%d: %v", pr.Number, err))
	return nil, b.client.EnsureComment(ctx, pr.Number, key, fmt.Sprintf("%s asks for this to be merged by itself, and GitHub does not take that:\n\n%s\nMerge it yourself; or change what is in the way, and comment `/syncer sync`.", code(drift.MemberName), fenced(err.Error())))
}

// letMerge has GitHub merge a pull request that something looks at.
func (b *bringing) letMerge(ctx context.Context, pr PullRequest, head string) error {
	checks, err := b.client.RequiredChecks(ctx, pr.Base)
	if err != nil {
		return err
	}
	if len(checks) == 0 {
		return &PersonError{fmt.Errorf("the branch %s requires no check, so nothing would look at it", pr.Base)}
	}
	return b.client.AutoMerge(ctx, pr, head)
}
