package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

type syncFlags struct {
	to, only     string
	commit, push bool
}

func (a *app) syncCommand() *cobra.Command {
	var f syncFlags
	cmd := &cobra.Command{
		Use: "sync [DIR]", Short: "Bring a repository to the newest version that it follows",
		Long: `Merge the newest version of the golden paths into the repository in DIR. The work
tree is changed and nothing is staged, for you to review; files with uncommitted
changes are refused. With --commit the work tree is neither read nor changed: the
newest commit is what is brought up to date, and the result is committed to the
branch goldenpath/NAME. A branch that was merged is begun anew.

Where you and the golden path changed the same lines, yours stay and the conflict
is told; decide it with syncer resolve. Exit 2 where conflicts are open.`,
		Example: "  syncer sync\n  syncer sync --to 1.4.0\n  syncer sync --commit --push",
		Args:    between(0, 1, "at most one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.push && !f.commit {
				return usage(cmd, errors.New("--push needs --commit: it pushes the branch"))
			}
			m, unlock, err := a.lockedMember(args)
			if err != nil {
				return err
			}
			defer unlock()
			return a.sync(cmd, m, f)
		},
	}
	cmd.Flags().StringVar(&f.to, "to", "", "a version, branch or commit, in place of the one that is followed")
	goldenPathFlag(cmd, &f.only)
	cmd.Flags().BoolVar(&f.commit, "commit", false, "commit to the branch goldenpath/NAME and leave the work tree alone")
	cmd.Flags().BoolVar(&f.push, "push", false, "push that branch to origin")
	return cmd
}

func (a *app) sync(cmd *cobra.Command, m member, f syncFlags) error {
	to, err := destinationOf(m, f)
	if err != nil {
		return err
	}
	st, err := loadState(m, to)
	if err != nil {
		return err
	}
	names, err := st.Names(f.only)
	if err != nil {
		return err
	}
	if f.to != "" && len(names) > 1 {
		return usage(cmd, errors.New("--to needs --golden-path where a repository follows several"))
	}
	s := a.syncer(m.Root())
	reports := []syncReport{}
	for _, name := range names {
		r, err := a.syncOne(cmd.Context(), s, to, name, f.to)
		if err != nil {
			return partly(err, reports)
		}
		if reports = append(reports, r); !a.json {
			a.printSync(r)
		}
	}
	if err := a.letGo(cmd.Context(), s, to, reports); err != nil {
		return partly(err, reports)
	}
	open := slices.ContainsFunc(reports, func(r syncReport) bool { return r.Conflicts > 0 })
	if a.json {
		if err := a.report(reports); err != nil {
			return err
		}
	}
	if open {
		return errDifferences
	}
	return nil
}

// letGo ends in the work tree what golden paths know about files that others took over
// in the same sync: only the lock changes. On branches it waits until both are merged.
func (a *app) letGo(ctx context.Context, s *reconcile.Syncer, to destination, reports []syncReport) error {
	if _, here := to.(workTree); !here || len(reports) < 2 {
		return nil
	}
	for i, r := range reports {
		if !r.waits {
			continue
		}
		again, err := a.syncOne(ctx, s, to, r.GoldenPath, "")
		if err != nil {
			return err
		}
		reports[i].Files, reports[i].Drifted, reports[i].Conflicts = again.Files, again.Drifted, again.Conflicts
		if again.changes && !a.json {
			a.printSync(again)
		}
	}
	return nil
}

// syncOne brings one golden path of a repository up to date. In a work tree, each golden
// path sees what the one before it wrote.
func (a *app) syncOne(ctx context.Context, s *reconcile.Syncer, to destination, name, version string) (syncReport, error) {
	st, err := reconcile.Load(to)
	if err != nil {
		return syncReport{}, err
	}
	p, err := s.Plan(ctx, to, st, name, version)
	if err != nil {
		return syncReport{}, err
	}
	if err := to.refuse(p); err != nil {
		return syncReport{}, err
	}
	writes, err := p.Writes()
	if err != nil {
		return syncReport{}, err
	}
	var at landing
	if len(writes) > 0 {
		if at, err = to.land(ctx, p, writes); err != nil {
			return syncReport{}, err
		}
	}
	return syncReportOf(p, at), nil
}

// syncReport is what a sync of one golden path did, as JSON tells it. Files,
// Drifted and Conflicts are the state that it left.
type syncReport struct {
	GoldenPath string            `json:"goldenPath"`
	From       string            `json:"from,omitempty"` // the version before
	Why        string            `json:"why,omitempty"`  // there was something to do, where it is the same version
	Version    string            `json:"version"`
	Drifted    bool              `json:"drifted"`
	Conflicts  int               `json:"conflicts"`
	Files      []drift.FileState `json:"files"`
	Changes    []changeReport    `json:"changes"`
	notes
	landing
	waits   bool // for other golden paths to take files over
	changes bool // files of the member's
}

func syncReportOf(p *reconcile.Planned, at landing) syncReport {
	before, files := reportOf(p), p.Left()
	r := syncReport{GoldenPath: p.GoldenPath, From: before.Version, Why: before.Why, Version: p.To.Name(), Files: files, Changes: before.Changes, notes: before.notes, landing: at}
	r.Drifted, r.Conflicts = countStates(files)
	r.changes = len(p.ChangeSet.Writes()) > 0
	r.waits = slices.ContainsFunc(p.Changes, func(c drift.Change) bool { return c.For != "" })
	return r
}

// partialError is a failure after a part of the work was done.
type partialError struct {
	err  error
	done []syncReport
}

func (e *partialError) Error() string { return e.err.Error() }
func (e *partialError) Unwrap() error { return e.err }

func partly(err error, done []syncReport) error {
	if len(done) == 0 {
		return err
	}
	return &partialError{err, done}
}

func commitMessage(p *reconcile.Planned) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Bring %s to %s\n\n", p.GoldenPath, p.To.Name())
	for _, c := range p.Changes {
		if c.Changes() || c.Action == drift.Conflict {
			fmt.Fprintf(&b, "%s %s: %s\n", c.Action, c.Path, c.Reason)
		}
	}
	return b.String()
}

func (a *app) printSync(r syncReport) {
	if r.where == "" {
		fmt.Fprintf(a.out, "%s %s: nothing to do\n", r.GoldenPath, r.Version)
	} else {
		a.printLanding(r)
		if len(r.Changes) == 0 {
			fmt.Fprintf(a.out, "  no file changes; only %s does\n", drift.LockName)
		}
	}
	a.printChanges(r.Changes, r.Branch)
	a.printNotes(r.GoldenPath, r.notes)
}

// printLanding says from which version to which, and where the result is.
func (a *app) printLanding(r syncReport) {
	brought := strings.TrimSpace(r.GoldenPath+" "+r.From) + " → " + r.Version
	if r.From == r.Version {
		brought = r.GoldenPath + " stays at " + r.Version
	}
	if r.Why != "" {
		brought += ": " + r.Why + "; done"
	} else {
		brought += ","
	}
	fmt.Fprintf(a.out, "%s in %s\n", brought, r.where)
}
