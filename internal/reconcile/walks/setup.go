package walks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// SetUp does what creation does besides files, for every golden path that a
// repository follows.
func (w *Walks) SetUp(ctx context.Context, at Place) error {
	var l last
	err := w.setUp(ctx, at, &l)
	return w.end(ctx, l, err)
}

func (w *Walks) setUp(ctx context.Context, at Place, l *last) error {
	c := w.Hub.Client(at, toSetUp, true)
	look, err := c.Look(ctx, Ask{Contents: ownFiles, Facts: true})
	if err != nil {
		return err
	}
	repo := newSnapshot(ctx, c, look, ownFiles)
	st, err := reconcile.Load(repo)
	if notFollowing(err) {
		return nil
	}
	if err != nil {
		return w.stuck(ctx, c, at, "", err)
	}
	s := w.syncer(at)
	names, _ := st.Names("")
	var errs []error
	if !slices.ContainsFunc(names, func(name string) bool { return !hasBegun(st, name) }) {
		errs = append(errs, c.CloseIssue(ctx, inputsKey, "Thank you: the repository is set up."))
	}
	for _, name := range names {
		var p *reconcile.Planned
		if hasBegun(st, name) {
			p, err = s.Plan(ctx, repo, st, name, "")
		} else { // a pull request proposes it
			p, err = s.Begin(ctx, repo, st, name, facts(look.Repository))
		}
		if _, wrong := errors.AsType[scaffold.Problems](err); wrong {
			continue // told where it is brought up to date
		}
		if err == nil {
			b := &bringing{Walks: w, client: c, syncer: s, look: look, repo: repo, state: st, record: Record{At: at, GoldenPath: name}, last: l}
			err = b.after(ctx, p)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// setUpKey names the one issue about steps that could not be done.
const setUpKey = "after"

// after does the steps of one golden path. Each can be done again; those that fail
// are told in one issue, and the rest is done. What GitHub only puts off is not told.
func (b *bringing) after(ctx context.Context, p *reconcile.Planned) error {
	g, err := b.syncer.GoldenPath(ctx, p.Following.Source, p.GoldenPath, p.Following.Wanted(b.syncer.Today))
	if err != nil {
		return err
	}
	steps, err := g.After(p.To.Inputs, scaffold.Machine{Repository: p.To.Repository, Version: p.To.Version})
	if err != nil {
		return b.stuck(ctx, b.client, b.record.At, p.GoldenPath, err)
	}
	if steps.Empty() {
		return nil
	}
	var failed []string
	var errs []error
	try := func(what string, err error) {
		if err == nil {
			return
		}
		errs = append(errs, err)
		var passes interface{ TryAfter() time.Duration }
		if !errors.As(err, &passes) {
			failed = append(failed, fmt.Sprintf("- %s: %s", plain(what), plain(err.Error())))
		}
	}
	if len(steps.Topics) > 0 {
		try("topics", b.client.SetTopics(ctx, steps.Topics))
	}
	for _, team := range sorted(steps.Teams) {
		try("access of the team "+team, b.client.GrantTeam(ctx, team, steps.Teams[team]))
	}
	for _, name := range sorted(steps.Variables) {
		try("the variable "+name, b.client.SetVariable(ctx, name, steps.Variables[name]))
	}
	for _, name := range steps.Environments {
		try("the environment "+name, b.client.EnsureEnvironment(ctx, name))
	}
	if steps.Ruleset != "" {
		try("the ruleset "+steps.Ruleset, b.client.EnsureRuleset(ctx, steps.Ruleset))
	}
	for _, d := range steps.Dispatch {
		try("starting "+d.Workflow+" in "+d.Repository, b.client.Dispatch(ctx, d.Repository, d.Workflow, d.Inputs))
	}
	for _, pr := range steps.PullRequests {
		try("the pull request in "+pr.Repository, b.proposeElsewhere(ctx, p, pr))
	}
	switch {
	case len(errs) == 0:
		if err := b.client.CloseIssue(ctx, setUpKey, "Every step is done now."); err != nil {
			return err
		}
		b.noteLast("repository set up", "every step after the first commit was done")
	case len(failed) > 0:
		b.note(ctx, "set-up incomplete", strings.Join(failed, "; "))
		_, err = b.client.EnsureIssue(ctx, Issue{Key: setUpKey, Title: "Some steps of the golden path's set-up could not be done", Body: "The files are in place. These steps are not done. syncer tries them again for about two hours; comment `/syncer setup` when the cause is repaired later than that.\n\n" + strings.Join(failed, "\n") + "\n"})
	}
	return errors.Join(append(errs, err)...)
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
