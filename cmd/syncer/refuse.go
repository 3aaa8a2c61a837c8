package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

func (a *app) refuseCommand() *cobra.Command {
	return &cobra.Command{
		Use: "refuse PATH", Short: "Take back what was suggested and applied in a file",
		Long: `Take back what the last sync suggested for a file and applied, because the policy says
merge: {suggested: apply}: yours is there again in each of those places. What else the
sync brought stays, and the suggestions are not applied again.

The file must be as the sync left it; edit it by hand otherwise.`,
		Example: "  syncer refuse package.json",
		Args:    between(1, 1, "one PATH"), ValidArgsFunction: completeLocked,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, unlock, err := a.memberAround(args[0])
			if err != nil {
				return err
			}
			defer unlock()
			return a.refuse(cmd, m, args[0])
		},
	}
}

func (a *app) refuse(cmd *cobra.Command, m member, arg string) error {
	st, path, err := aboutToDecide(m, arg)
	if err != nil {
		return err
	}
	before, err := beforeSync(m, st, path)
	if err != nil {
		return err
	}
	r, err := a.syncer(m.Root()).Refuse(cmd.Context(), newBranch{Member: m.Member, head: before}, m, path)
	if err != nil {
		return err
	}
	if err := m.Apply(cmd.Context(), r.Writes); err != nil {
		return err
	}
	if a.json {
		return a.report(map[string]any{"path": path, "refused": true})
	}
	fmt.Fprintf(a.out, "%s: what was suggested is refused; yours is back\n", path)
	return nil
}

// beforeSync returns the newest commit in which the golden path that has a file is
// still at another version than now.
func beforeSync(m member, st *reconcile.State, path string) (string, error) {
	name, now := sectionOf(st.Lock, path)
	if now == nil {
		return "", fmt.Errorf("no golden path of this repository has %s", path)
	}
	files, err := m.Files([]string{drift.LockName})
	if err != nil {
		return "", err
	}
	lock, at := files[drift.LockName], ""
	for file := &lock; ; {
		commit, found, err := m.Before(at, drift.LockName, file)
		if err != nil {
			return "", err
		}
		if !found {
			return "", fmt.Errorf("no commit has %s before its last sync, so that it cannot be told what was suggested for %s", name, path)
		}
		then, err := m.CommitFiles(commit, []string{drift.LockName})
		if err != nil {
			return "", err
		}
		f, has := then[drift.LockName]
		if was := lockedAt(f, name); was == nil || was.Digest != now.Digest {
			return commit, nil
		}
		if file = nil; has {
			file = &f
		}
		at = commit
	}
}

// lockedAt returns a golden path's section of a lock as it once was; nil where there was
// none that can be read.
func lockedAt(f tree.File, name string) *drift.Section {
	lock, err := drift.ParseLock(f.Data)
	if err != nil {
		return nil
	}
	return lock.GoldenPaths[name]
}

func sectionOf(lock *drift.Lock, path string) (string, *drift.Section) {
	for name, section := range lock.GoldenPaths {
		if _, has := section.Files[path]; has {
			return name, section
		}
	}
	return "", nil
}
