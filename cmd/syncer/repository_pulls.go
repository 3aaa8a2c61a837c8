package main

import (
	"context"
	"errors"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
)

// OpenPullRequest opens a pull request, or finds the open one.
func (r *repository) OpenPullRequest(ctx context.Context, p walks.Proposal) (pr walks.PullRequest, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		opened, err := r.Client.OpenPullRequest(ctx, f.Name, forge.Proposal(p))
		pr = asPullRequest(opened)
		return err
	})
	return pr, err
}

// EditPullRequest changes what a pull request says, where it says something else.
func (r *repository) EditPullRequest(ctx context.Context, pr walks.PullRequest, title, body string) error {
	return r.on(ctx, func(f forge.Repository) error {
		_, err := r.Client.EditPullRequest(ctx, forge.PullRequest{Repository: f.Name, Number: pr.Number, Title: pr.Title, Body: pr.Body}, title, body)
		return err
	})
}

// ClosePullRequest comments, closes and deletes the branch.
func (r *repository) ClosePullRequest(ctx context.Context, number int, branch, head, comment string) error {
	return r.on(ctx, func(f forge.Repository) error {
		return r.Client.ClosePullRequest(ctx, f, forge.Closing{Number: number, Key: "closed", Comment: comment, Branch: branch, Head: head})
	})
}

// PullRequest reads one.
func (r *repository) PullRequest(ctx context.Context, number int) (pr walks.PullRequest, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		found, err := r.Client.PullRequest(ctx, f.Name, number)
		pr = asPullRequest(found)
		return err
	})
	return pr, err
}

// SetDraft makes a pull request a draft, or ready for review.
func (r *repository) SetDraft(ctx context.Context, pr walks.PullRequest, draft bool) error {
	return r.on(ctx, func(f forge.Repository) error {
		return r.Client.SetDraft(ctx, forge.PullRequest{Repository: f.Name, Number: pr.Number, NodeID: pr.NodeID, Draft: pr.Draft}, draft)
	})
}

// AddLabels adds labels.
func (r *repository) AddLabels(ctx context.Context, number int, labels ...string) error {
	return r.on(ctx, func(f forge.Repository) error { return r.Client.AddLabels(ctx, f.Name, number, labels...) })
}

// RequestReviewers asks for reviews.
func (r *repository) RequestReviewers(ctx context.Context, number int, who walks.Reviewers) error {
	return r.on(ctx, func(f forge.Repository) error {
		_, err := r.Client.RequestReviewers(ctx, f.Name, number, who.People, who.Teams)
		return err
	})
}

// Review leaves suggestions.
func (r *repository) Review(ctx context.Context, review walks.Review) error {
	return r.on(ctx, func(f forge.Repository) error {
		out := forge.Review{Number: review.Number, Key: review.Key, Commit: review.Commit, Body: review.Body}
		for _, s := range review.Suggestions {
			out.Comments = append(out.Comments, forge.ReviewComment{Path: s.Path, Start: s.Start, End: s.End, Body: s.Why + "\n\n" + forge.Suggestion(s.Text)})
		}
		return r.Client.Review(ctx, f.Name, out)
	})
}

// RequiredChecks returns what must succeed before a merge.
func (r *repository) RequiredChecks(ctx context.Context, branch string) (names []string, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		names, err = r.Client.RequiredChecks(ctx, f.Name, branch)
		return err
	})
	return names, err
}

// AutoMerge switches automatic merging on, by the first way of merging that the
// repository allows; a merge queue has its own. GitHub refuses that where nothing is
// missing any more: then it merges.
func (r *repository) AutoMerge(ctx context.Context, pr walks.PullRequest, head string) error {
	return r.on(ctx, func(f forge.Repository) (err error) {
		for _, method := range []string{"MERGE", "SQUASH", "REBASE"} {
			err = r.Client.AutoMerge(ctx, forge.PullRequest{Repository: f.Name, Number: pr.Number, NodeID: pr.NodeID}, method)
			if forge.KindOf(err) == forge.Mergeable {
				err = r.Merge(ctx, f.Name, pr.Number, head, method)
			}
			e, is := errors.AsType[*forge.Error](err)
			if !is || e.Kind != forge.Invalid || e.Unclear {
				return err
			}
		}
		return err
	})
}

// StopAutoMerge switches automatic merging off.
func (r *repository) StopAutoMerge(ctx context.Context, pr walks.PullRequest) error {
	return r.on(ctx, func(f forge.Repository) error {
		return r.Client.StopAutoMerge(ctx, forge.PullRequest{Repository: f.Name, Number: pr.Number, NodeID: pr.NodeID})
	})
}
