package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
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
changes are refused. With --commit the work tree stays as it is, and the result
is committed to the branch goldenpath/NAME.

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
	cmd.Flags().StringVar(&f.only, "golden-path", "", "only this golden path")
	cmd.Flags().BoolVar(&f.commit, "commit", false, "commit to the branch goldenpath/NAME and leave the work tree alone")
	cmd.Flags().BoolVar(&f.push, "push", false, "push that branch to origin")
	return cmd
}

func (a *app) sync(cmd *cobra.Command, m member, f syncFlags) error {
	st, err := reconcile.Load(m)
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
	open := false
	var reports []pathReport
	for _, name := range names {
		// Each golden path sees what the one before it wrote.
		if st, err = reconcile.Load(m); err != nil {
			return err
		}
		p, err := s.Plan(cmd.Context(), m, st, name, f.to)
		if err != nil {
			return err
		}
		where, err := a.carryOut(cmd, m, p, f)
		if err != nil {
			return err
		}
		open = open || !p.Clean()
		reports = append(reports, reportOf(p))
		if !a.json {
			a.printSync(p, where)
		}
	}
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

// carryOut writes a plan to the work tree, or commits it to its branch. It
// returns where the result is.
func (a *app) carryOut(cmd *cobra.Command, m member, p *reconcile.Planned, f syncFlags) (string, error) {
	writes, err := p.Writes()
	if err != nil || len(writes) == 0 {
		return "", err
	}
	if f.commit {
		return a.commitSync(cmd, m, p, writes, f.push)
	}
	if err := refuseUnmerged(m, p); err != nil {
		return "", err
	}
	if err := a.refuseUncommitted(m, writes); err != nil {
		return "", err
	}
	return "the work tree", m.Apply(cmd.Context(), writes)
}

// refuseUnmerged refuses files with a merge's conflicts in them: what is in such a
// file is nobody's version of it.
func refuseUnmerged(m member, p *reconcile.Planned) error {
	var paths []string
	for _, c := range p.Changes {
		paths = append(paths, c.Path)
	}
	unmerged, err := m.Unmerged(paths)
	if err == nil && len(unmerged) > 0 {
		err = fmt.Errorf("these files are in the middle of a merge: %s; finish or abort it first (see git status), or use --commit", strings.Join(unmerged, ", "))
	}
	return err
}

// ownFiles are syncer's two files, which several golden paths of one sync write
// one after the other.
var ownFiles = []string{drift.LockName, drift.MemberName}

func (a *app) refuseUncommitted(m member, writes map[string]*tree.File) error {
	paths := slices.DeleteFunc(slices.Sorted(maps.Keys(writes)), func(p string) bool { return slices.Contains(ownFiles, p) })
	dirty, err := m.Uncommitted(paths)
	if err != nil {
		return err
	}
	if len(dirty) > 0 {
		return fmt.Errorf("these files have uncommitted changes, which a sync would touch: %s; commit or stash them, or use --commit", strings.Join(dirty, ", "))
	}
	return nil
}

func (a *app) commitSync(cmd *cobra.Command, m member, p *reconcile.Planned, writes map[string]*tree.File, push bool) (string, error) {
	head, err := m.Head()
	if err != nil {
		return "", err
	}
	if head.Commit == "" {
		return "", errors.New("the repository has no commit yet, so there is nothing to branch from; commit first")
	}
	if err := refuseUnmerged(m, p); err != nil {
		return "", err
	}
	if err := a.refuseUncommitted(m, writes); err != nil {
		return "", err
	}
	branch := "goldenpath/" + p.GoldenPath
	tip, err := m.BranchTip(branch)
	if err != nil {
		return "", err
	}
	if tip != "" && tip != head.Commit {
		// It may hold somebody's commits, and must not be replaced.
		return "", fmt.Errorf("the branch %s is there already, at %.10s; merge it or delete it (git branch -D %s), then sync again", branch, tip, branch)
	}
	author, err := m.Author()
	if err != nil {
		return "", err
	}
	id, err := m.Commit(gitrepo.Commit{Branch: branch, Parent: head.Commit, Expect: tip, Changes: writes, Message: commitMessage(p), Author: author, When: time.Now()})
	if err != nil {
		return "", err
	}
	where := fmt.Sprintf("%s as %.10s", branch, id)
	if !push {
		return where, nil
	}
	return where + ", pushed to origin", m.Push(cmd.Context(), "origin", branch, tip)
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

func (a *app) printSync(p *reconcile.Planned, where string) {
	r := reportOf(p)
	if where == "" {
		fmt.Fprintf(a.out, "%s %s: nothing to do\n", p.GoldenPath, p.To.Name())
	} else {
		fmt.Fprintf(a.out, "%s %s → %s, in %s\n", p.GoldenPath, r.Version, r.Newest, where)
	}
	a.printChanges(r.Changes)
	a.printLeft(r)
}

func (a *app) resolveCommand() *cobra.Command {
	var take string
	cmd := &cobra.Command{
		Use: "resolve PATH --take suggested|theirs|ours", Short: "Decide a file's conflicts, for good",
		Long: `Decide every conflict of a file: theirs takes the golden path's text in each of them,
ours keeps the file as it is now. suggested takes what is suggested, and leaves open
the conflicts for which nothing is. syncer explain shows all of them.

The decision is written to ` + drift.LockName + `, so that the same conflict is not
asked again.`,
		Example: "  syncer resolve Makefile --take theirs\n  syncer resolve package.json --take suggested",
		Args:    between(1, 1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			side, err := drift.ParseSide(take)
			if err != nil {
				return usage(cmd, fmt.Errorf("--take %w", err))
			}
			m, unlock, err := a.lockedMember(nil)
			if err != nil {
				return err
			}
			defer unlock()
			st, err := reconcile.Load(m)
			if err != nil {
				return err
			}
			r, err := a.syncer(m.Root()).Resolve(cmd.Context(), m, st, args[0], side)
			if err != nil {
				return err
			}
			if err := m.Apply(cmd.Context(), r.Writes); err != nil {
				return err
			}
			return a.resolved(args[0], side, r.Open)
		},
	}
	cmd.Flags().StringVar(&take, "take", "", "suggested, theirs (the golden path's) or ours (the file as it is)")
	return cmd
}

// resolved tells what was decided, and whether something of the file is still open.
func (a *app) resolved(path string, take drift.Side, open int) error {
	if a.json {
		if err := a.report(map[string]any{"path": path, "take": take, "open": open}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.out, "%s: %s taken, remembered in %s\n", path, take, drift.LockName)
		if open > 0 {
			fmt.Fprintf(a.out, "%d conflicts are still to be decided: syncer resolve %s --take theirs|ours, or see syncer explain %s\n", open, path, path)
		}
	}
	if open > 0 {
		return errDifferences
	}
	return nil
}
