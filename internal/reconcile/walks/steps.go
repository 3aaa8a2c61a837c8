package walks

import (
	"context"
	"errors"
	"fmt"
)

// maxOrders bounds how many orders of one comment are obeyed.
const maxOrders = 20

// all does orders one after the other, and returns the answers. Where it fails, the next
// run goes on with the first that was not done.
func (d *ordered) all(ctx context.Context, orders int, obey func(n int) (string, error)) ([]string, error) {
	steps, err := d.Queue.Steps(ctx)
	if err != nil {
		return nil, err
	}
	var answers []string
	for n := range min(orders, maxOrders) {
		d.n, d.step = n, Step{}
		if n < len(steps) {
			d.step = steps[n]
		}
		if !d.step.Done {
			if err := d.one(ctx, func() (string, error) { return obey(n) }); err != nil {
				return nil, err
			}
		}
		answers = append(answers, d.step.Answer)
	}
	if more := orders - maxOrders; more > 0 {
		answers = append(answers, fmt.Sprintf("There are %d more orders in this comment. syncer obeys %d of one; give the others in another.", more, maxOrders))
	}
	return answers, nil
}

// one does an order, and notes that it is done, with the answer. What only a person can
// change is an answer too.
func (d *ordered) one(ctx context.Context, obey func() (string, error)) error {
	there, err := d.isThere(ctx)
	if err != nil {
		return err
	}
	answer := ""
	if there {
		answer, err = d.follow(ctx)
	} else {
		d.step = Step{}
		answer, err = obey()
	}
	_, told := errors.AsType[*PersonError](err)
	switch {
	case (told || lasts(err)) && d.moved:
		answer = d.step.Answer + "\n\nWhat follows from it could not be done:\n\n" + fenced(err.Error())
	case told || lasts(err):
		answer = nothing(err)
	case err != nil:
		return err
	}
	d.step = Step{Answer: answer, Done: true}
	return d.Queue.NoteStep(ctx, d.n, d.step)
}

// isThere reports whether an earlier run got so far that the order's commit is on its
// branch. Others may have committed to that since.
func (d *ordered) isThere(ctx context.Context) (bool, error) {
	d.moved = false
	if d.step.Then == ThenIgnore {
		pr, err := d.client.PullRequest(ctx, d.number)
		d.moved = err == nil && !pr.Open && !pr.Merged
		return d.moved, err
	}
	if d.step.Commit == "" {
		return false, nil
	}
	look, err := d.client.Look(ctx, Ask{Branch: d.step.Branch})
	if err != nil {
		return false, err
	}
	head := look.Branch.Commit
	if d.step.Branch == look.Head.Branch {
		head = look.Head.Commit
	}
	if head == "" || head == d.step.Commit {
		d.moved = head != ""
		return d.moved, nil
	}
	missing, err := d.client.Ahead(ctx, head, d.step.Commit)
	d.moved = err == nil && missing.Count == 0
	return d.moved, err
}

// push makes a commit and moves a branch to it. Before it moves that, it notes the step,
// so that a run after this one need not do it again.
func (d *ordered) push(ctx context.Context, c Commit, m Move, step Step) error {
	made, err := d.client.Commit(ctx, c)
	if err != nil {
		return err
	}
	d.step = step
	d.step.Branch, d.step.Commit = m.Branch, made.ID
	if err := d.Queue.NoteStep(ctx, d.n, d.step); err != nil {
		return err
	}
	m.To = made.ID
	err = d.client.Move(ctx, m)
	d.moved = err == nil
	return err
}

// follow does what follows from an order's commit, and returns the answer.
func (d *ordered) follow(ctx context.Context) (string, error) {
	if err := d.learnLessons(ctx); err != nil {
		return "", err
	}
	switch d.step.Then {
	case ThenScaffold:
		return d.step.Answer, d.scaffold(ctx, d.at)
	case ThenPropose:
		return d.propose(ctx)
	case ThenIgnore:
		return d.step.Answer, d.ignored(ctx)
	case ThenSync:
	}
	return d.step.Answer, d.sync(ctx, d.at, wish{byPerson: true})
}
