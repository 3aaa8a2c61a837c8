package walks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
)

// mergeClean is the policy by which a member lets pull requests without conflicts be
// merged by themselves.
const mergeClean = "clean"

// automerge lets GitHub merge a pull request once its checks succeed, where the member
// wants that: only one without conflicts that holds nothing of other people's, that is
// no draft, and whose base requires checks, as nobody looks at it otherwise. A merge
// queue is GitHub's to respect. It is asked for once; what people do then stays, but
// when they commit to the branch, or it conflicts, it is taken back.
func (b *bringing) automerge(ctx context.Context, pr PullRequest, head string, conflicts []drift.Change) error {
	ours := slices.Contains(strings.Fields(b.record.Pushed), head)
	wanted := b.state.Member.Sync.Automerge == mergeClean && len(conflicts) == 0 && ours && !pr.Draft
	asked, refused := b.record.Merges == pr.Number, b.record.Merges == -pr.Number
	switch {
	case wanted && !asked && !refused:
		b.record.Merges = pr.Number
		why, err := b.startAutomerge(ctx, pr)
		if err != nil {
			return err
		}
		if why != "" {
			b.record.Merges = -pr.Number
			b.note(ctx, "not merged by itself", fmt.Sprintf("#%d: %s", pr.Number, why))
		}
	case !wanted && asked:
		b.record.Merges = 0
		if err := b.client.StopAutoMerge(ctx, pr); err != nil {
			if passes(err) {
				return err
			}
			b.note(ctx, "merging by itself not stopped", err.Error()) // a draft is stopped by GitHub
		}
	}
	return nil
}

// startAutomerge returns why it is not to be.
func (b *bringing) startAutomerge(ctx context.Context, pr PullRequest) (why string, err error) {
	checks, err := b.client.RequiredChecks(ctx, pr.Base)
	switch {
	case passes(err):
		return "", err
	case err != nil:
		return err.Error(), nil
	case len(checks) == 0:
		return "the branch " + pr.Base + " requires no check, so nothing would look at it", nil
	}
	err = b.client.AutoMerge(ctx, pr)
	if passes(err) {
		return "", err
	}
	if err != nil {
		return err.Error(), nil
	}
	return "", nil
}
