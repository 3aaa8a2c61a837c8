package walks

import (
	"context"
	"errors"
	"fmt"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/tree"
)

// editsBranch has the edits of .goldenpath.yaml that people ordered where the default
// branch takes no pushes of syncer's. It is no golden path's.
const editsBranch = "goldenpath-edits"

// propose opens the pull request for the edits, where it is not open, and names it.
func (d *ordered) propose(ctx context.Context) (string, error) {
	why := d.step.Why
	look, err := d.client.Look(ctx, Ask{Branch: editsBranch})
	if err != nil {
		return "", err
	}
	number := 0
	for _, pr := range look.PullRequests {
		if pr.Open && pr.Head == editsBranch {
			number = pr.Number
		}
	}
	if number == 0 {
		pr, err := d.client.OpenPullRequest(ctx, Proposal{
			Head: editsBranch, Base: look.Repository.DefaultBranch, Title: "Edit .goldenpath.yaml as it was ordered",
			Body: fmt.Sprintf("%s, so what people order in comments, such as in #%d, is proposed here: one commit for each order.\n", why, d.number),
		})
		if err != nil {
			return "", err
		}
		number = pr.Number
	}
	return fmt.Sprintf("%s, so #%d proposes it. Once that is merged: %s", why, number, d.step.Answer), nil
}

// edit changes .goldenpath.yaml on the default branch, which was looked at; where that
// takes no pushes of syncer's, by a pull request. It answers as it is told to, or with
// what is wrong.
func (d *ordered) edit(ctx context.Context, look Look, change func(text []byte) ([]byte, error), message, answer string, then Then) (string, error) {
	text, err := change(ownFile(look))
	if err != nil {
		return nothing(err), nil
	}
	d.step.Answer, d.step.Then = answer, then
	if string(text) == string(ownFile(look)) {
		return d.follow(ctx)
	}
	err = d.push(ctx, withFile(look, text, message), Move{Branch: look.Head.Branch, From: look.Head.Commit, FastForward: true}, Step{Answer: answer, Then: then})
	if err == nil {
		return d.follow(ctx)
	}
	if !errors.Is(err, ErrRefused) {
		return "", err
	}
	proposed, again := d.editElsewhere(ctx, look, change, message, Step{Answer: answer, Then: ThenPropose, Why: noPush(err)})
	if errors.Is(again, ErrRefused) {
		return noPush(err) + ", and " + code(editsBranch) + " is refused too: " + plain(again.Error()) + "\n\nBring this to it yourself, by a pull request:\n\n" + fenced(string(text)), nil
	}
	return proposed, again
}

// editElsewhere puts an edit on the branch for edits: on top of those that wait there in
// a pull request, and otherwise on the default branch.
func (d *ordered) editElsewhere(ctx context.Context, look Look, change func(text []byte) ([]byte, error), message string, step Step) (string, error) {
	waiting, err := d.client.Look(ctx, Ask{Branch: editsBranch})
	if err != nil {
		return "", err
	}
	base, move := look, Move{Branch: editsBranch, From: waiting.Branch.Commit}
	if move.From != "" {
		open, err := d.waitsIn(ctx, waiting, look.Head.Commit)
		if err != nil {
			return "", err
		}
		if open {
			move.FastForward = true
			if base, err = d.client.Look(ctx, Ask{Ref: editsBranch, Contents: ownFiles}); err != nil {
				return "", err
			}
		}
	}
	text, err := change(ownFile(base))
	if err != nil {
		return nothing(err), nil
	}
	if string(text) == string(ownFile(base)) { // it waits already
		d.step = step
		return d.propose(ctx)
	}
	if err := d.push(ctx, withFile(base, text, message), move, step); err != nil {
		return "", err
	}
	return d.propose(ctx)
}

// waitsIn reports whether edits wait in an open pull request. What the branch has
// otherwise may go only where it is in the default branch, or in a pull request, which
// keeps it.
func (d *ordered) waitsIn(ctx context.Context, waiting Look, head string) (bool, error) {
	for _, pr := range waiting.PullRequests {
		if pr.Head == editsBranch && (pr.Open || pr.HeadCommit == waiting.Branch.Commit) {
			return pr.Open, nil
		}
	}
	ahead, err := d.client.Ahead(ctx, head, waiting.Branch.Commit)
	if err == nil && ahead.Count > 0 {
		err = &PersonError{fmt.Errorf("the branch %s has commits that the default branch does not have (%d), and no pull request; merge or delete the branch", editsBranch, ahead.Count)}
	}
	return false, err
}

// ownFile is .goldenpath.yaml as it was looked at.
func ownFile(look Look) []byte { return look.Files[drift.MemberName].Data }

// withFile is a commit on what was looked at, with another .goldenpath.yaml.
func withFile(on Look, text []byte, message string) Commit {
	return Commit{
		Parent: on.Head.Commit, Tree: on.Head.Tree, Message: message,
		Changes: map[string]*tree.File{drift.MemberName: {Kind: tree.Regular, Data: text}},
	}
}
