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

// Sync brings one repository up to date with every golden path that it follows, by
// one pull request for each, and remembers where it stands. A repository that
// follows none is forgotten.
func (w *Walks) Sync(ctx context.Context, at Place) error {
	c := w.Hub.Client(at, toWrite, false)
	records, err := w.Registry.Records(ctx, at.Repository)
	if err != nil {
		return err
	}
	ask := Ask{Contents: slices.Clone(ownFiles)}
	for _, r := range records {
		ask.Contents = append(ask.Contents, r.Paths...)
	}
	if len(records) > 0 {
		ask.Branch = branchPrefix + records[0].GoldenPath
	}
	look, err := c.Look(ctx, ask)
	switch {
	case errors.Is(err, ErrNotFound):
		return w.forget(ctx, records, nil)
	case errors.Is(err, ErrNotReady):
		return nil // a repository without a commit follows nothing
	case err != nil:
		return err
	}
	repo := newSnapshot(ctx, c, look, ask.Contents)
	st, err := reconcile.Load(repo)
	if notFollowing(err) {
		return w.forget(ctx, records, nil)
	}
	if err != nil {
		return w.stuck(ctx, c, at, "", err)
	}
	names, _ := st.Names("")
	if err := w.forget(ctx, records, names); err != nil {
		return err
	}
	s := w.syncer(at)
	var errs []error
	for _, name := range names {
		if !hasBegun(st, name) {
			if look.Repository.IsTemplate {
				continue
			}
			return w.Queue.Scaffold(ctx, at)
		}
		b := &bringing{Walks: w, client: c, syncer: s, look: look, asked: ask.Branch, repo: repo, state: st, record: recordOf(records, at, name)}
		errs = append(errs, b.bring(ctx, name))
	}
	return errors.Join(errs...)
}

func recordOf(records []Record, at Place, name string) Record {
	for _, r := range records {
		if r.GoldenPath == name {
			r.At = at
			return r
		}
	}
	return Record{At: at, GoldenPath: name}
}

// forget drops the records of golden paths that are not followed any more.
func (w *Walks) forget(ctx context.Context, records []Record, followed []string) error {
	for _, r := range records {
		if slices.Contains(followed, r.GoldenPath) {
			continue
		}
		if err := w.Registry.Forget(ctx, r.At.Repository, r.GoldenPath); err != nil {
			return err
		}
	}
	return nil
}

// stuckKey names the one issue in which a member is told what it has to repair.
const stuckKey = "stuck"

// stuck tells people in the repository what keeps syncer from going on.
func (w *Walks) stuck(ctx context.Context, c Client, at Place, goldenPath string, why error) error {
	if err := w.Registry.Failed(ctx, at.Repository, goldenPath, why); err != nil {
		return err
	}
	_, err := c.EnsureIssue(ctx, Issue{
		Key:   stuckKey,
		Title: "The golden path cannot be brought up to date",
		Body:  "syncer cannot go on in this repository until this is repaired:\n\n" + fenced(why.Error()) + "\nNothing was changed. The next push to the default branch lets syncer try again.\n",
	})
	return errors.Join(err, &PersonError{why})
}

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
}

func (b *bringing) bring(ctx context.Context, name string) error {
	p, err := b.syncer.Plan(ctx, b.repo, b.state, name, "")
	if _, wrong := errors.AsType[scaffold.Problems](err); wrong {
		return b.stuck(ctx, b.client, b.record.At, name, err)
	}
	if err != nil {
		return errors.Join(err, b.Registry.Failed(ctx, b.record.At.Repository, name, err))
	}
	b.learn(p)
	if err := b.lookAtBranch(ctx); err != nil {
		return err
	}
	open := b.openPullRequest()
	switch {
	case !p.Behind:
		return b.finish(ctx, open)
	case open == nil && b.record.Refused != "" && b.record.Refused == p.To.Name():
		b.record.State = Behind
		return b.remember(ctx)
	case b.look.Repository.closed() != "":
		b.record.State = Unknown
		if err := b.remember(ctx); err != nil {
			return err
		}
		return b.Registry.Failed(ctx, b.record.At.Repository, name, errors.New(b.look.Repository.closed()))
	}
	if b.look.Branch.Commit != "" && !b.ours() {
		return b.onTop(ctx, p, open)
	}
	return b.propose(ctx, p, open)
}

// learn takes what the plan says into the record.
func (b *bringing) learn(p *reconcile.Planned) {
	r := &b.record
	r.Source, r.Channel, r.Wanted = p.Following.Source, p.Following.Wanted(b.syncer.Today), p.To.Name()
	r.Version, r.Digest = "", ""
	if p.From != nil {
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

// finish ends what is under way: the member has the newest version.
func (b *bringing) finish(ctx context.Context, open *PullRequest) error {
	b.record.PullRequest, b.record.Offered = 0, ""
	if open != nil && b.ours() {
		comment := "The default branch has all of this now, so there is nothing left to merge."
		if err := b.client.ClosePullRequest(ctx, open.Number, b.branch(), b.look.Branch.Commit, comment); err != nil {
			return err
		}
		b.note(ctx, "pull request closed", fmt.Sprintf("#%d has nothing left to bring", open.Number))
	} else if open != nil {
		b.record.PullRequest = open.Number
	}
	return b.remember(ctx)
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
	text := describe(p)
	if open != nil && strings.Contains(open.Body, text.mark) {
		// The pull request says that it has exactly this already.
		b.record.PullRequest, b.record.Offered = open.Number, p.To.Digest
		return b.remember(ctx)
	}
	made, err := b.client.Commit(ctx, Commit{Parent: b.look.Head.Commit, Tree: b.look.Head.Tree, Changes: writes, Message: text.message})
	if err != nil {
		return err
	}
	// Remembered before the branch moves: whatever happens in between, the branch is
	// at one of the two and is known to be ours.
	b.record.Pushed = strings.TrimSpace(made.ID + " " + b.look.Branch.Commit)
	if err := b.remember(ctx); err != nil {
		return err
	}
	if err := b.client.Move(ctx, Move{Branch: b.branch(), From: b.look.Branch.Commit, To: made.ID}); err != nil {
		return err
	}
	return b.pullRequest(ctx, p, open, text)
}

// onTop builds on a branch that people have committed to: it is the member's state
// then, with the lock that lies on it.
func (b *bringing) onTop(ctx context.Context, p *reconcile.Planned, open *PullRequest) error {
	if open == nil {
		ahead, err := b.client.Ahead(ctx, b.look.Head.Commit, b.look.Branch.Commit)
		if err != nil {
			return err
		}
		if ahead > 0 {
			return b.stuck(ctx, b.client, b.record.At, b.record.GoldenPath, fmt.Errorf("the branch %s has %d commits that the default branch does not have, and no pull request; merge or delete the branch", b.branch(), ahead))
		}
		return b.propose(ctx, p, nil) // all of it was merged
	}
	look := Look{Head: b.look.Branch}
	repo := newSnapshot(ctx, b.client, look, nil)
	st, err := reconcile.Load(repo)
	if err != nil {
		return b.stuck(ctx, b.client, b.record.At, b.record.GoldenPath, fmt.Errorf("on the branch %s: %w", b.branch(), err))
	}
	on, err := b.syncer.Plan(ctx, repo, st, b.record.GoldenPath, "")
	if err != nil {
		return err
	}
	b.record.State = Diverged
	writes, err := on.Writes()
	if err != nil {
		return err
	}
	if !on.Behind || len(writes) == 0 {
		b.record.PullRequest = open.Number
		return b.remember(ctx)
	}
	text := describe(on)
	made, err := b.client.Commit(ctx, Commit{Parent: b.look.Branch.Commit, Tree: b.look.Branch.Tree, Changes: writes, Message: text.message})
	if err != nil {
		return err
	}
	// Not remembered as pushed: below it are a person's commits, which a rebuild from
	// the default branch would lose.
	if err := b.client.Move(ctx, Move{Branch: b.branch(), From: b.look.Branch.Commit, To: made.ID, FastForward: true}); err != nil {
		return err
	}
	return b.pullRequest(ctx, on, open, text)
}

func (b *bringing) pullRequest(ctx context.Context, p *reconcile.Planned, open *PullRequest, text description) error {
	kind := "pull request updated"
	if open == nil {
		pr, err := b.client.OpenPullRequest(ctx, Proposal{Head: b.branch(), Base: b.look.Repository.DefaultBranch, Title: text.title, Body: text.body})
		if err != nil {
			return err
		}
		open, kind = &pr, "pull request opened"
	}
	if open.Title != text.title || open.Body != text.body {
		if err := b.client.EditPullRequest(ctx, *open, text.title, text.body); err != nil {
			return err
		}
	}
	b.record.PullRequest, b.record.Offered = open.Number, p.To.Digest
	if err := b.remember(ctx); err != nil {
		return err
	}
	b.note(ctx, kind, fmt.Sprintf("#%d brings %s to %s", open.Number, b.record.GoldenPath, p.To.Name()))
	return nil
}

// note adds to the log; that it could not is no reason to do the work again.
func (b *bringing) note(ctx context.Context, kind, what string) {
	_ = b.Registry.Note(ctx, Event{Repository: b.record.At.Repository, GoldenPath: b.record.GoldenPath, Kind: kind, What: what})
}
