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
	"github.com/goldenpaths/syncer/internal/tree"
)

// Verdict is what somebody decided about a pull request of ours.
type Verdict string

// The verdicts.
const (
	Merged   Verdict = "merged"
	Closed   Verdict = "closed"
	Reopened Verdict = "reopened"
)

// Decide takes in that a pull request of ours was merged, closed or reopened. One
// that a person closed is a "no" until the next version.
func (w *Walks) Decide(ctx context.Context, at Place, number int, branch string, v Verdict, byPerson bool) error {
	name, ours := strings.CutPrefix(branch, branchPrefix)
	if !ours {
		return nil
	}
	records, err := w.Registry.Records(ctx, at.Repository)
	if err != nil {
		return err
	}
	r := recordOf(records, at, name)
	switch {
	case v == Closed && byPerson && (r.Source == "" || r.PullRequest != number && (r.PullRequest != 0 || r.Refused != "")):
		return nil // seen already, or told late of an earlier one
	case v == Closed && byPerson:
		r.Refused, r.PullRequest = r.Wanted, 0
	case v == Reopened:
		r.Refused, r.PullRequest = "", number
	case v == Merged:
		return errors.Join(w.learnMerged(ctx, at, number, r), w.Queue.Sync(ctx, "a pull request was merged", at))
	default:
		return w.Queue.Sync(ctx, "a pull request was "+string(v), at)
	}
	c := w.Hub.Client(at, toRead, false)
	look, err := c.Look(ctx, Ask{})
	if err != nil {
		return err
	}
	if err := w.Registry.Remember(ctx, look.Repository, r); err != nil {
		return err
	}
	what := fmt.Sprintf("the pull request for %s %s was %s", name, r.Wanted, v)
	return w.Registry.Note(ctx, Event{Repository: at.Repository, GoldenPath: name, Kind: "pull request " + string(v), What: what})
}

// mayWrite are the levels at which somebody may give orders.
var mayWrite = []string{"admin", "maintain", "write"}

// Order is a comment that may give orders.
type Order struct {
	Number int
	Text   string
	Author string
}

const help = "`/syncer sync` looks again · `/syncer set name=value …` answers what a new repository is asked · " +
	"`/syncer take theirs PATH`, `/syncer take ours PATH` or `/syncer take suggested PATH` decides a conflict on this pull request's branch · `/syncer setup` does the set-up's steps again · " +
	"`/syncer forget` forgets what other repositories learned from how conflicts were resolved in this one"

// Command does what a comment asks for. Lines that begin with /syncer are orders;
// who gives them must be allowed to write.
func (w *Walks) Command(ctx context.Context, at Place, o Order) error {
	orders := ordersOf(o.Text)
	if len(orders) == 0 {
		return nil
	}
	c := w.Hub.Client(at, toWrite, true)
	level, err := c.Level(ctx, o.Author)
	if err != nil {
		return err
	}
	if !slices.Contains(mayWrite, level) {
		return c.EnsureComment(ctx, o.Number, "refused", "Only somebody who may push to this repository can give orders here.")
	}
	for _, words := range orders {
		if err := w.obey(ctx, c, at, o, words); err != nil {
			return err
		}
	}
	return nil
}

// ordersOf returns the words of each line that is an order.
func ordersOf(text string) [][]string {
	var orders [][]string
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == "/syncer" {
			orders = append(orders, words[1:])
		}
	}
	return orders
}

func (w *Walks) obey(ctx context.Context, c Client, at Place, o Order, words []string) error {
	answer := func(text string) error { return c.EnsureComment(ctx, o.Number, "answer", text) }
	verb := "help"
	if len(words) > 0 {
		verb = words[0]
	}
	switch {
	case verb == "sync":
		return w.Sync(ctx, at)
	case verb == "setup":
		return errors.Join(w.Queue.SetUp(ctx, at), answer("The set-up's steps are done again."))
	case verb == "set" && len(words) > 1:
		return w.set(ctx, c, at, o.Number, words[1:])
	case verb == "take" && len(words) == 3 && isSide(words[1]):
		return w.Take(ctx, at, o.Number, []string{words[2]}, drift.Side(words[1]))
	case verb == "forget" && len(words) == 1:
		return w.forgetLearned(ctx, at, answer)
	case verb == "help":
		return answer(help)
	}
	return answer(fmt.Sprintf("%s is not an order that syncer knows.\n\n%s", code("/syncer "+strings.Join(words, " ")), help))
}

// set writes answers into .goldenpath.yaml, and begins. Several golden paths share
// one answer where more than one asks for it.
func (w *Walks) set(ctx context.Context, c Client, at Place, number int, pairs []string) error {
	look, err := c.Look(ctx, Ask{Contents: ownFiles})
	if err != nil {
		return err
	}
	st, err := reconcile.Load(newSnapshot(ctx, c, look, ownFiles))
	if err != nil {
		return w.stuck(ctx, c, at, "", err)
	}
	text, wrong, err := w.answered(ctx, at, st, pairs)
	if err != nil {
		return err
	}
	if wrong != nil {
		return c.EnsureComment(ctx, number, "answer", "Nothing was changed:\n\n"+fenced(wrong.Error()))
	}
	if string(text) != string(st.MemberFile) {
		err := w.commitFile(ctx, c, look, drift.MemberName, text, "Answer what the golden path asks\n")
		if errors.Is(err, ErrRefused) {
			return c.EnsureComment(ctx, number, "answer", "The default branch is protected, so the answers cannot be written to it. Add them to "+code(drift.MemberName)+" by a pull request:\n\n"+fenced(string(text)))
		}
		if err != nil {
			return err
		}
	}
	return w.Scaffold(ctx, at)
}

// answered returns the text of .goldenpath.yaml with answers for every golden path
// that asks for them, or what is wrong with the answers. That a golden path cannot
// be read now is neither, and no reason to turn somebody down.
func (w *Walks) answered(ctx context.Context, at Place, st *reconcile.State, pairs []string) (text []byte, wrong, err error) {
	s := w.syncer(at)
	text = st.MemberFile
	var errs []error
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("%q: write it as name=value", pair))
			continue
		}
		asked := false
		for _, f := range st.Member.GoldenPaths {
			f, _ = st.Member.Follows(f.Name)
			g, err := s.GoldenPath(ctx, f.Source, f.Name, f.Wanted(s.Today))
			if err != nil {
				return nil, nil, err
			}
			if property, _ := g.Input(name); property == nil {
				continue
			}
			asked = true
			v, err := g.Parse(name, value)
			if err == nil {
				err = g.CheckInput(name, v)
			}
			if err == nil {
				text, err = drift.AddInputs(text, f.Name, scaffold.Inputs{name: v})
			}
			errs = append(errs, err)
		}
		if !asked {
			errs = append(errs, fmt.Errorf("no golden path of this repository has an input %q", name))
		}
	}
	return text, errors.Join(errs...), nil
}

func (w *Walks) commitFile(ctx context.Context, c Client, look Look, path string, text []byte, message string) error {
	made, err := c.Commit(ctx, Commit{
		Parent: look.Head.Commit, Tree: look.Head.Tree, Message: message,
		Changes: map[string]*tree.File{path: {Kind: tree.Regular, Data: text}},
	})
	if err != nil {
		return err
	}
	return c.Move(ctx, Move{Branch: look.Head.Branch, From: look.Head.Commit, To: made.ID, FastForward: true})
}

// Ticked takes the golden path's side, or what is suggested, in the files whose boxes
// were ticked in the description of a pull request of ours.
func (w *Walks) Ticked(ctx context.Context, at Place, number int, lines []string, by string) error {
	var paths []string
	for _, line := range lines {
		if path, ok := takenPath(line); ok {
			paths = append(paths, path)
		}
	}
	suggested := suggestedPaths(lines, paths)
	if len(paths)+len(suggested) == 0 {
		return nil
	}
	level, err := w.Hub.Client(at, toWrite, true).Level(ctx, by)
	if err != nil || !slices.Contains(mayWrite, level) {
		return err
	}
	if len(suggested) > 0 {
		err = w.Take(ctx, at, number, suggested, drift.Suggested)
	}
	if len(paths) > 0 {
		err = errors.Join(err, w.Take(ctx, at, number, paths, drift.Theirs))
	}
	return err
}

// Take decides conflicts in files of a pull request of ours for one side, on its
// branch.
func (w *Walks) Take(ctx context.Context, at Place, number int, paths []string, side drift.Side) error {
	c := w.Hub.Client(at, toWrite, true)
	pr, err := c.PullRequest(ctx, number)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(pr.Head, branchPrefix) || !pr.Open {
		return c.EnsureComment(ctx, number, "answer", "There is nothing to decide here: this is not an open pull request of syncer's.")
	}
	look, err := c.Look(ctx, Ask{Ref: pr.Head, Contents: ownFiles})
	if err != nil {
		return err
	}
	changes, taken, err := resolved(ctx, w.syncer(at), newSnapshot(ctx, c, look, ownFiles), paths, side)
	if err != nil {
		return c.EnsureComment(ctx, number, "answer", "Nothing was changed:\n\n"+fenced(err.Error()))
	}
	made, err := c.Commit(ctx, Commit{Parent: look.Head.Commit, Tree: look.Head.Tree, Changes: changes, Message: fmt.Sprintf("Take %s in %s\n", side, strings.Join(paths, ", "))})
	if err != nil {
		return err
	}
	// A person's decision lies on the branch now, so it counts as touched: what comes
	// later builds on top.
	if err := c.Move(ctx, Move{Branch: pr.Head, From: look.Head.Commit, To: made.ID, FastForward: true}); err != nil {
		return err
	}
	if err := w.learnTaken(ctx, at, taken); err != nil {
		return err
	}
	return errors.Join(w.Sync(ctx, at), c.EnsureComment(ctx, number, "answer", fmt.Sprintf("Took %s in %s.%s", side, code(strings.Join(paths, ", ")), stillOpen(taken))))
}

// resolved decides every conflict of some files for one side, and returns what to
// write.
func resolved(ctx context.Context, s *reconcile.Syncer, repo *snapshot, paths []string, side drift.Side) (map[string]*tree.File, []*reconcile.Resolution, error) {
	changes := map[string]*tree.File{}
	var taken []*reconcile.Resolution
	for _, path := range paths {
		st, err := reconcile.Load(repo)
		if err != nil {
			return nil, nil, err
		}
		resolution, err := s.Resolve(ctx, repo, st, path, side)
		if err != nil {
			return nil, nil, err
		}
		taken = append(taken, resolution)
		for p, f := range resolution.Writes {
			changes[p] = f
			repo.put(p, f)
		}
	}
	return changes, taken, nil
}
