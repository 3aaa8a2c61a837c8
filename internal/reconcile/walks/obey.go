package walks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

// mine is an open pull request of ours, with what is on both branches of it.
type mine struct {
	PullRequest
	goldenPath string
	look       Look // of the default branch, and of ours
	record     Record
}

// ours reports whether nobody but syncer has moved the branch.
func (m mine) ours() bool { return slices.Contains(m.pushed(), m.look.Branch.Commit) }

func (m mine) pushed() []string { return strings.Fields(m.record.Pushed) }

const notMine = "This order is for an open pull request of syncer's; this is none."

// mine returns the pull request that the order was given on; ok is false where that is
// none of ours, or not open.
func (d *ordered) mine(ctx context.Context) (m mine, ok bool, err error) {
	m.PullRequest, err = d.client.PullRequest(ctx, d.number)
	if errors.Is(err, ErrNotFound) {
		return m, false, nil // an issue
	}
	if err != nil {
		return m, false, err
	}
	name, prefixed := strings.CutPrefix(m.Head, branchPrefix)
	if !prefixed || !m.Open {
		return m, false, nil
	}
	m.goldenPath = name
	if m.look, err = d.client.Look(ctx, Ask{Contents: ownFiles, Branch: m.Head}); err != nil {
		return m, false, err
	}
	records, err := d.Registry.Records(ctx, d.at.Repository)
	m.record = recordOf(records, d.at, name)
	// A fork may have a branch of the same name.
	here := slices.ContainsFunc(m.look.PullRequests, func(pr PullRequest) bool { return pr.Number == d.number && pr.Open })
	return m, here, err
}

// rebase builds our branch on the default branch's newest commit, where it is ours.
func (d *ordered) rebase(ctx context.Context) (string, error) {
	m, ok, err := d.mine(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return d.lookAgain(ctx, "")
	}
	answer, err := d.lookAgain(ctx, m.goldenPath)
	if !m.ours() {
		answer += "\n\nThere are commits of others on this branch, which a rebase would rewrite, so it was not rebased. Merge the default branch into it, or say `/syncer recreate`."
	}
	return answer, err
}

// recreate throws our branch away and builds it anew from the default branch. Commits
// of others on it go only if that is confirmed, and are named before they do.
func (d *ordered) recreate(ctx context.Context, force bool) (string, error) {
	m, ok, err := d.mine(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return notMine, nil
	}
	if m.ours() {
		return d.lookAgain(ctx, m.goldenPath)
	}
	ahead, err := d.client.Ahead(ctx, m.look.Head.Commit, m.look.Branch.Commit)
	if err != nil {
		return "", err
	}
	named := namedCommits(ahead, m.pushed())
	if !force {
		if err := d.sync(ctx, d.at, wish{byPerson: true}); err != nil { // takes the tick out of a box
			return "", err
		}
		return fmt.Sprintf("Nothing was changed: this branch has commits that are not syncer's own rebuilds:\n\n%s\nTo throw them away and begin anew, comment `/syncer recreate --force`.", named), nil
	}
	said := fmt.Sprintf("This branch is built anew. It was at %s, with these commits:\n\n%s\nThey are not lost: `git fetch origin %[1]s && git branch rescued %[1]s` has them back.", m.look.Branch.Commit, named)
	if err := d.client.EnsureComment(ctx, d.number, "recreated "+m.look.Branch.Commit, said); err != nil {
		return "", err
	}
	// From here on this commit counts as one that we may replace.
	m.record.Pushed = strings.Join(append([]string{m.look.Branch.Commit}, m.pushed()...), " ")
	if err := d.Registry.Remember(ctx, m.look.Repository, m.record); err != nil {
		return "", err
	}
	return d.lookAgain(ctx, m.goldenPath)
}

// maxListed is how many commits are named one by one.
const maxListed = 50

// namedCommits lists commits but for those that are known.
func namedCommits(a Ahead, known []string) string {
	var b strings.Builder
	n := 0
	for _, c := range slices.Backward(a.Commits) {
		if slices.Contains(known, c.ID) {
			continue
		}
		if n++; n <= maxListed {
			fmt.Fprintf(&b, "- %s %s (%s)\n", c.ID[:min(10, len(c.ID))], plain(c.Title), plain(c.Author))
		}
	}
	if more := max(n-maxListed, 0) + a.Count - len(a.Commits); more > 0 {
		fmt.Fprintf(&b, "- and %d more\n", more)
	}
	return b.String()
}

// take decides conflicts in files of a pull request of ours for one side, on its
// branch, or takes the golden path's text where yours was kept.
func (d *ordered) take(ctx context.Context, paths []string, side drift.Side) (string, error) {
	m, ok, err := d.mine(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return notMine, nil
	}
	branch, err := d.client.Look(ctx, Ask{Ref: m.Head, Contents: ownFiles})
	if err != nil {
		return "", err
	}
	repo, ours := newSnapshot(ctx, d.client, m.look, ownFiles), newSnapshot(ctx, d.client, branch, ownFiles)
	changes, taken, err := resolved(ours, paths, func(st *reconcile.State, path string) (*reconcile.Resolution, error) {
		return decide(ctx, d.syncer(d.at), repo, ours, st, path, side)
	})
	if passes(err) {
		return "", err
	}
	if err != nil {
		return nothing(err), nil
	}
	// A person's decision lies on the branch now, so it counts as touched: what comes
	// later builds on top.
	message := fmt.Sprintf("Take %s in %s\n", side, strings.Join(paths, ", "))
	answer := fmt.Sprintf("Took %s in %s.%s", side, code(strings.Join(paths, ", ")), stillOpen(taken))
	if err := d.onTop(ctx, branch, changes, message, Step{Answer: answer, Lessons: d.lessons(taken)}); err != nil {
		return "", err
	}
	return d.follow(ctx)
}

// decide decides a file's conflicts on a branch of ours; where none is open, and the golden
// path's side is asked for, it is taken where the member's was kept because it is the
// member's.
func decide(ctx context.Context, s *reconcile.Syncer, repo, branch *snapshot, st *reconcile.State, path string, side drift.Side) (*reconcile.Resolution, error) {
	r, err := s.Resolve(ctx, branch, st, path, side)
	if _, none := errors.AsType[*drift.NotOpenError](err); !none || side != drift.Theirs {
		return r, err
	}
	given, why := s.Give(ctx, repo, branch, path)
	if _, nothing := errors.AsType[*reconcile.NothingKeptError](why); nothing {
		return nil, err
	}
	return given, why
}

// onTop commits to the branch that was looked at; a sync is to follow.
func (d *ordered) onTop(ctx context.Context, branch Look, changes map[string]*tree.File, message string, step Step) error {
	step.Then = ThenSync
	commit := Commit{Parent: branch.Head.Commit, Tree: branch.Head.Tree, Changes: changes, Message: message}
	return d.push(ctx, commit, Move{Branch: branch.Head.Branch, From: branch.Head.Commit, FastForward: true}, step)
}

// ignore closes a pull request of ours, which is a "no" until the next version.
func (d *ordered) ignore(ctx context.Context) (string, error) {
	m, ok, err := d.mine(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return notMine, nil
	}
	branch := ""
	if m.ours() {
		branch = m.Head // what others committed stays where it is
	}
	answer := plain(fmt.Sprintf("%s of %s is ignored; the next version comes again.", m.record.Wanted, m.goldenPath))
	d.step = Step{Answer: answer, Then: ThenIgnore}
	if err := d.Queue.NoteStep(ctx, d.n, d.step); err != nil {
		return "", err
	}
	// Closed first: if what follows is not done, the next look sees a refusal.
	if err := d.client.ClosePullRequest(ctx, d.number, branch, m.look.Branch.Commit, ""); err != nil {
		return "", err
	}
	d.moved = true
	return d.follow(ctx)
}

// ignored remembers that the version of the pull request, which is closed, is refused,
// unless a look has seen that already.
func (d *ordered) ignored(ctx context.Context) error {
	pr, err := d.client.PullRequest(ctx, d.number)
	if err != nil {
		return err
	}
	look, err := d.client.Look(ctx, Ask{})
	if err != nil {
		return err
	}
	records, err := d.Registry.Records(ctx, d.at.Repository)
	if err != nil {
		return err
	}
	r := recordOf(records, d.at, strings.TrimPrefix(pr.Head, branchPrefix))
	if r.PullRequest != d.number {
		return nil
	}
	r.Refused, r.PullRequest, r.Undecided = r.Wanted, 0, ""
	var l last
	l.remember(look.Repository, r)
	l.note(Event{Repository: d.at.Repository, GoldenPath: r.GoldenPath, Kind: "version ignored", What: fmt.Sprintf("%s is ignored; the next version comes again", r.Refused)})
	return d.leave(ctx, l)
}
