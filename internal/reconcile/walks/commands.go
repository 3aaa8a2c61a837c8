package walks

import (
	"context"
	"errors"
	"fmt"
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
	var l last
	r := recordOf(records, at, name)
	switch {
	case v == Closed && byPerson && (r.Source == "" || r.PullRequest != number && (r.PullRequest != 0 || r.Refused != "")):
		return nil // seen already, or told late of an earlier one
	case v == Closed && byPerson:
		r.Refused, r.PullRequest, r.Undecided = r.Wanted, 0, ""
	case v == Reopened && r.Source != "":
		r.Refused, r.PullRequest = "", number
	case v == Merged:
		l.sync("a pull request was merged", at)
		return w.end(ctx, l, w.learnMerged(ctx, at, number, r))
	default:
		l.sync("a pull request was "+string(v), at)
		return w.end(ctx, l, nil)
	}
	c := w.Hub.Client(at, toRead, false)
	look, err := c.Look(ctx, Ask{})
	if err != nil {
		return err
	}
	l.remember(look.Repository, r)
	what := fmt.Sprintf("the pull request for %s %s was %s", name, r.Wanted, v)
	l.note(Event{Repository: at.Repository, GoldenPath: name, Kind: "pull request " + string(v), What: what})
	return w.end(ctx, l, nil)
}

// set writes answers into .goldenpath.yaml, and begins. Several golden paths share
// one answer where more than one asks for it.
func (d *ordered) set(ctx context.Context, pairs []string) (string, error) {
	look, err := d.client.Look(ctx, Ask{Contents: ownFiles})
	if err != nil {
		return "", err
	}
	st, err := reconcile.Load(newSnapshot(ctx, d.client, look, ownFiles))
	if notFollowing(err) {
		return nothing(err), nil
	}
	if err != nil {
		return "", d.stuck(ctx, d.client, d.at, "", err)
	}
	all, wrong, err := d.answered(ctx, d.at, st, pairs)
	if err != nil {
		return "", err
	}
	if wrong != nil {
		return nothing(wrong), nil
	}
	return d.edit(ctx, look, all.write, "Answer what the golden path asks\n", "The answers are written to "+code(drift.MemberName)+".", ThenScaffold)
}

// reply is a person's value for an input of a golden path.
type reply struct {
	goldenPath, input string
	value             any
}

// replies are written into .goldenpath.yaml together.
type replies []reply

func (all replies) write(text []byte) ([]byte, error) {
	for _, r := range all {
		var err error
		if text, err = drift.AddInputs(text, r.goldenPath, scaffold.Inputs{r.input: r.value}); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// answered returns the replies for every golden path that asks for them, or what is
// wrong with them. That a golden path cannot be read now is neither, and no reason to
// turn somebody down.
func (w *Walks) answered(ctx context.Context, at Place, st *reconcile.State, pairs []string) (all replies, wrong, err error) {
	s := w.syncer(at)
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
			if g.IsSecret(name) {
				errs = append(errs, fmt.Errorf("%q is a secret, which must stand neither in a comment nor in a file; nothing asks for it. Delete the comment, and make a new secret", name))
				break
			}
			v, err := g.Parse(name, value)
			if err == nil {
				err = g.CheckInput(name, v)
			}
			all = append(all, reply{f.Name, name, v})
			errs = append(errs, err)
		}
		if !asked {
			errs = append(errs, fmt.Errorf("no golden path of this repository has an input %q", name))
		}
	}
	return all, errors.Join(errs...), nil
}

// resolved decides about some files of a branch, and returns what to write.
func resolved(branch *snapshot, paths []string, decide func(st *reconcile.State, path string) (*reconcile.Resolution, error)) (map[string]*tree.File, []*reconcile.Resolution, error) {
	changes := map[string]*tree.File{}
	var taken []*reconcile.Resolution
	for _, path := range paths {
		st, err := reconcile.Load(branch)
		if err != nil {
			return nil, nil, err
		}
		resolution, err := decide(st, path)
		if err != nil {
			return nil, nil, err
		}
		taken = append(taken, resolution)
		for p, f := range resolution.Writes {
			changes[p] = f
			branch.put(p, f)
		}
	}
	return changes, taken, nil
}
