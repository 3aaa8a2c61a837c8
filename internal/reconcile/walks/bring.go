package walks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// bringing is one golden path of one member on its way to the newest version.
type bringing struct {
	*Walks
	client Client
	syncer *reconcile.Syncer
	look   Look
	asked  string // the branch that look has
	repo   *snapshot
	state  *reconcile.State
	record Record
	wish
	last *last
}

// bring brings one golden path up to date, and notes where it could not. A missing
// permission is told in the repository; everything else may pass.
func (b *bringing) bring(ctx context.Context, name string) error {
	err := b.bringOne(ctx, name)
	if err == nil {
		return nil
	}
	if err = b.told(ctx, name, err); isTold(err) {
		return err
	}
	if _, held := errors.AsType[*LaterError](err); held {
		return err
	}
	return errors.Join(err, b.Registry.Failed(ctx, b.record.At.Repository, name, err))
}

func (b *bringing) bringOne(ctx context.Context, name string) error {
	if broken := b.cannotRead(ctx, name); broken != nil {
		b.last.failed(b.record.At.Repository, name, broken)
		return nil
	}
	p, err := b.syncer.Plan(ctx, b.repo, b.state, name, "")
	if _, wrong := errors.AsType[scaffold.Problems](err); wrong {
		return b.stuck(ctx, b.client, b.record.At, name, err)
	}
	if err != nil {
		return err
	}
	if err := b.learnDecided(ctx, p); err != nil {
		return err
	}
	before := b.record
	b.learn(p)
	if before.Source != "" && before.Digest == "" && b.record.Digest != "" {
		b.noteScaffolded(p.From.Name()) // whoever rendered it did not get to that
	}
	if err := b.lookAtBranch(ctx); err != nil {
		return err
	}
	b.takeRefusal(before)
	open := b.openPullRequest()
	switch {
	case !p.Behind:
		return b.finish(ctx, open)
	case open == nil && b.refused(p.To):
		b.record.State = Behind
		b.release()
		b.rememberLast()
		return nil
	case b.look.Repository.closed() != "":
		b.record.State = Unknown
		b.release()
		b.rememberLast()
		b.last.failed(b.record.At.Repository, name, errors.New(b.look.Repository.closed()))
		return nil
	}
	if b.look.Branch.Commit != "" && !b.ours() {
		return b.onTop(ctx, p, open)
	}
	return b.propose(ctx, p, open)
}

// cannotRead says what is wrong with the golden path itself, which is the platform
// team's to repair and is told on its commit.
func (b *bringing) cannotRead(ctx context.Context, name string) error {
	follow, ok := b.state.Member.Follows(name)
	if !ok {
		return nil
	}
	_, err := b.syncer.GoldenPath(ctx, follow.Source, name, follow.Wanted(b.syncer.Today))
	if _, wrong := errors.AsType[scaffold.Problems](err); wrong {
		return err
	}
	return nil
}

// takeRefusal sees that the pull request which was open is closed. Who merges or
// closes one of ours is told by a delivery, which may come late or not at all; we
// close ours only when there is nothing left to bring.
func (b *bringing) takeRefusal(before Record) {
	for _, pr := range b.look.PullRequests {
		if before.PullRequest == 0 || pr.Number != before.PullRequest || pr.Open {
			continue
		}
		b.record.PullRequest, b.record.Undecided = 0, ""
		if !pr.Merged {
			b.record.Refused = before.Wanted
			b.noteLast("pull request closed", fmt.Sprintf("#%d was closed without being merged: a no to %s", pr.Number, before.Wanted))
		}
	}
}

// refused reports whether people said no to this version: to its name, or to what
// it holds, since without tags every commit of the platform is a name.
func (b *bringing) refused(to drift.Revision) bool {
	return b.record.Refused != "" && (b.record.Refused == to.Name() || b.record.Offered == to.Digest)
}

// learn takes what the plan says into the record.
func (b *bringing) learn(p *reconcile.Planned) {
	r := &b.record
	r.Source, r.Channel, r.Wanted = p.Following.Source, p.Following.Wanted(b.syncer.Today), p.To.Name()
	r.Version, r.Digest = "", ""
	if !begins(p) { // what a template repository's lock says was rendered for nobody
		r.Version, r.Digest = p.From.Name(), p.From.Digest
	}
	r.Drifted = slices.ContainsFunc(p.Files, func(f drift.FileState) bool { return f.State == drift.Drifted })
	r.State = stateOf(p)
	r.Paths = nil
	for path := range p.Lock.Files {
		r.Paths = append(r.Paths, path)
	}
	slices.Sort(r.Paths)
}

// begins reports whether nothing was rendered for the repository yet.
func begins(p *reconcile.Planned) bool { return p.From == nil || p.From.Repository == "" }

func stateOf(p *reconcile.Planned) State {
	switch {
	case !p.Behind && p.Clean():
		return Current
	case !p.Clean():
		return Conflict
	}
	return Behind
}

func (b *bringing) branch() string { return branchPrefix + b.record.GoldenPath }

// lookAtBranch looks at the golden path's branch, unless the first look had it.
func (b *bringing) lookAtBranch(ctx context.Context) error {
	if b.asked == b.branch() {
		return nil
	}
	look, err := b.client.Look(ctx, Ask{Branch: b.branch()})
	if err != nil {
		return err
	}
	b.look.Branch, b.look.PullRequests = look.Branch, look.PullRequests
	return nil
}

func (b *bringing) openPullRequest() *PullRequest {
	for i := range b.look.PullRequests {
		if pr := &b.look.PullRequests[i]; pr.Open && pr.Head == b.branch() {
			return pr
		}
	}
	return nil
}

// ours reports whether nobody but syncer has moved the branch.
func (b *bringing) ours() bool {
	return slices.Contains(strings.Fields(b.record.Pushed), b.look.Branch.Commit)
}

func (b *bringing) remember(ctx context.Context) error {
	return b.Registry.Remember(ctx, b.look.Repository, b.record)
}

// rememberLast remembers the record as it is now when the walk ends.
func (b *bringing) rememberLast() { b.last.remember(b.look.Repository, b.record) }

func (b *bringing) noteScaffolded(version string) {
	b.noteLast("repository scaffolded", fmt.Sprintf("%s rendered %s", b.look.Repository.FullName(), version))
}

// finish ends what is under way: the member has the newest version.
func (b *bringing) finish(ctx context.Context, open *PullRequest) error {
	b.record.PullRequest, b.record.Offered, b.record.Undecided = 0, "", ""
	b.release()
	if open != nil && b.ours() {
		comment := "There is nothing left to merge: the default branch has what this repository follows."
		if err := b.client.ClosePullRequest(ctx, open.Number, b.branch(), b.look.Branch.Commit, comment); err != nil {
			return err
		}
		b.noteLast("pull request closed", fmt.Sprintf("#%d has nothing left to bring", open.Number))
	} else if open != nil {
		b.record.PullRequest = open.Number
	}
	b.rememberLast()
	return nil
}

// propose makes or rebuilds the branch from the default branch, and the pull
// request.
func (b *bringing) propose(ctx context.Context, p *reconcile.Planned, open *PullRequest) error {
	writes, err := p.Writes()
	if err != nil {
		return err
	}
	if len(writes) == 0 {
		return b.finish(ctx, open)
	}
	why, err := b.story(ctx, p)
	if err != nil {
		return err
	}
	conflicts := undecided(p)
	text := describe(p, conflicts, why)
	if open != nil && b.look.Branch.Commit != "" && b.rebuild != b.record.GoldenPath && strings.Contains(open.Body, text.mark) {
		// The pull request says that it has exactly this already. An open one without a
		// branch there is not: GitHub closes it with the branch.
		return b.pullRequest(ctx, p, open, text, b.look.Branch.Commit, conflicts)
	}
	if err := b.hold(ctx, p, open == nil); err != nil {
		return err
	}
	commit := Commit{Parent: b.look.Head.Commit, Tree: b.look.Head.Tree, Changes: writes, Message: text.message}
	made, err := b.client.Commit(ctx, commit)
	if err != nil {
		return err
	}
	// Remembered before the branch moves: whatever happens in between, the branch is
	// at one of the two and is known to be ours.
	b.pushing(made.ID)
	if err := b.remember(ctx); err != nil {
		return err
	}
	if err := b.advance(ctx, commit, &made, Move{Branch: b.branch(), From: b.look.Branch.Commit, To: made.ID}); err != nil {
		return err
	}
	return b.pullRequest(ctx, p, open, text, made.ID, conflicts)
}

// pushed is how many of our commits are remembered for a branch.
const pushed = 8

// pushing adds a commit to those that the branch may be at without a person's hand.
// Earlier ones stay: where a look did not show the branch, it may be at any of them.
func (b *bringing) pushing(commit string) {
	known := append([]string{commit}, strings.Fields(b.record.Pushed)...)
	b.record.Pushed = strings.Join(known[:min(len(known), pushed)], " ")
}

// onTop builds on a branch that people have committed to: it is the member's state
// then, with the lock that lies on it.
func (b *bringing) onTop(ctx context.Context, p *reconcile.Planned, open *PullRequest) error {
	if open == nil {
		ahead, err := b.client.Ahead(ctx, b.look.Head.Commit, b.look.Branch.Commit)
		if errors.Is(err, ErrUnrelated) {
			return b.stuck(ctx, b.client, b.record.At, b.record.GoldenPath, fmt.Errorf("the branch %s has no history in common with the default branch, and no pull request; rename or delete the branch", b.branch()))
		}
		if err != nil {
			return err
		}
		if ahead.Count > 0 {
			return b.stuck(ctx, b.client, b.record.At, b.record.GoldenPath, fmt.Errorf("the branch %s has commits that the default branch does not have (%d), and no pull request; merge or delete the branch", b.branch(), ahead.Count))
		}
		return b.propose(ctx, p, nil) // all of it was merged
	}
	look := Look{Head: b.look.Branch}
	repo := newSnapshot(ctx, b.client, look, nil)
	st, err := reconcile.Load(repo)
	if notFollowing(err) {
		return b.leaving(ctx, open)
	}
	if err != nil {
		return b.stuck(ctx, b.client, b.record.At, b.record.GoldenPath, fmt.Errorf("on the branch %s: %w", b.branch(), err))
	}
	on, err := b.syncer.Plan(ctx, repo, st, b.record.GoldenPath, "")
	if notFollowing(err) {
		return b.leaving(ctx, open)
	}
	if err != nil {
		return err
	}
	b.record.State = Diverged
	writes, err := on.Writes()
	if err != nil {
		return err
	}
	why, err := b.story(ctx, p)
	if err != nil {
		return err
	}
	conflicts := undecided(on)
	text := describe(p, conflicts, why)
	if !on.Behind {
		if byHand := decidedByHand(p, on); len(byHand) > 0 {
			return b.noteDecided(ctx, p, open, repo, byHand)
		}
	}
	if !on.Behind || len(writes) == 0 {
		return b.pullRequest(ctx, p, open, text, b.look.Branch.Commit, conflicts)
	}
	if err := b.hold(ctx, p, false); err != nil {
		return err
	}
	commit := Commit{Parent: b.look.Branch.Commit, Tree: b.look.Branch.Tree, Changes: writes, Message: text.message}
	made, err := b.client.Commit(ctx, commit)
	if err != nil {
		return err
	}
	// Not remembered as pushed: below it are a person's commits, which a rebuild from
	// the default branch would lose.
	if err := b.advance(ctx, commit, &made, Move{Branch: b.branch(), From: b.look.Branch.Commit, To: made.ID, FastForward: true}); err != nil {
		return err
	}
	return b.pullRequest(ctx, p, open, text, made.ID, conflicts)
}

// noteDecided writes into the lock on the branch what people decided by editing.
func (b *bringing) noteDecided(ctx context.Context, p *reconcile.Planned, open *PullRequest, repo *snapshot, paths []string) error {
	changes, _, err := resolved(repo, paths, func(st *reconcile.State, path string) (*reconcile.Resolution, error) {
		return b.syncer.Resolve(ctx, repo, st, path, drift.Ours)
	})
	if err != nil {
		return err
	}
	message := fmt.Sprintf("Note what was decided in %s\n", strings.Join(paths, ", "))
	commit := Commit{Parent: b.look.Branch.Commit, Tree: b.look.Branch.Tree, Changes: changes, Message: message}
	made, err := b.client.Commit(ctx, commit)
	if err != nil {
		return err
	}
	if err := b.advance(ctx, commit, &made, Move{Branch: b.branch(), From: b.look.Branch.Commit, To: made.ID, FastForward: true}); err != nil {
		return err
	}
	b.look.Branch.Commit, b.look.Branch.Tree = made.ID, made.Tree
	return b.onTop(ctx, p, open)
}

// pullRequest opens the pull request for our branch, which is at head, or makes the
// open one say what it says now. One that says it already is left as it is, unless a
// box in it is ticked: what was asked for by that is done by now, or was refused.
func (b *bringing) pullRequest(ctx context.Context, p *reconcile.Planned, open *PullRequest, text description, head string, conflicts []drift.Change) error {
	if open == nil {
		pr, err := b.client.OpenPullRequest(ctx, Proposal{Head: b.branch(), Base: b.look.Repository.DefaultBranch, Title: text.title, Body: text.body, Draft: len(conflicts) > 0})
		if err != nil {
			return err
		}
		open = &pr
	}
	if err := b.warn(ctx, conflicts, *open, head); err != nil {
		return err
	}
	isNew := b.record.PullRequest != open.Number // not remembered yet
	if isNew {
		if err := b.dress(ctx, p, *open); err != nil {
			return err
		}
	}
	says := strings.Contains(open.Body, text.mark) && strings.Contains(open.Body, tiersMark(p)) && !hasTicked(open.Body)
	if !says {
		if err := b.client.EditPullRequest(ctx, *open, text.title, text.body); err != nil {
			return err
		}
	}
	later, err := b.automerge(ctx, *open, head, conflicts)
	if err != nil {
		return err
	}
	b.record.PullRequest, b.record.Offered, b.record.Refused = open.Number, p.To.Digest, ""
	b.release()
	b.rememberLast()
	what := fmt.Sprintf("#%d brings %s to %s", open.Number, b.record.GoldenPath, p.To.Name())
	switch {
	case isNew:
		b.noteLast("pull request opened", what)
	case !says:
		b.noteLast("pull request updated", what)
	}
	if later != nil {
		return later
	}
	return nil
}

// noteLast adds to the log when the walk ends.
func (b *bringing) noteLast(kind, what string) {
	b.last.note(Event{Repository: b.record.At.Repository, GoldenPath: b.record.GoldenPath, Kind: kind, What: what})
}

// note adds to the log; that it could not is no reason to do the work again.
func (b *bringing) note(ctx context.Context, kind, what string) {
	_ = b.Registry.Note(ctx, Event{Repository: b.record.At.Repository, GoldenPath: b.record.GoldenPath, Kind: kind, What: what})
}
