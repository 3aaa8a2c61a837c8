package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

func (a *app) resolveCommand() *cobra.Command {
	var take string
	cmd := &cobra.Command{
		Use: "resolve PATH --take suggested|theirs|ours", Short: "Decide a file's conflicts, for good",
		Long: `Decide every conflict of a file: theirs takes the golden path's text in each of them,
ours keeps the file as it is now. suggested takes what is suggested, and leaves open
the conflicts for which nothing is. syncer explain shows all of them.

The decision is written to ` + drift.LockName + `, so that the same conflict is not
asked again. What is not committed yet is never replaced.

Of a file that the last sync kept because files of its kind are yours, such as a changelog,
theirs takes the golden path's text where yours was kept, this once. The file must be as
the sync left it.`,
		Example: "  syncer resolve Makefile --take theirs\n  syncer resolve package.json --take suggested",
		Args:    between(1, 1, "one PATH"), ValidArgsFunction: completeOpen,
		RunE: func(cmd *cobra.Command, args []string) error {
			if take == "" {
				return usage(cmd, errors.New("say what to take: --take suggested, theirs or ours"))
			}
			side, err := drift.ParseSide(take)
			if err != nil {
				return usage(cmd, fmt.Errorf("--take %w", err))
			}
			m, unlock, err := a.memberAround(args[0])
			if err != nil {
				return err
			}
			defer unlock()
			return a.resolve(cmd, m, args[0], side)
		},
	}
	takeFlag(cmd, &take)
	return cmd
}

// existing returns the folder, or the nearest one above that exists: a conflict may
// be about a file that is deleted.
func existing(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return dir
		}
		dir = up
	}
}

// fromHere makes a path absolute. Where the shell came into the folder through a link,
// ".." is the folder above the real one, as for every program.
func fromHere(arg string) (string, error) {
	if filepath.IsAbs(arg) {
		return filepath.Clean(arg), nil
	}
	here, err := os.Getwd()
	return filepath.Join(realPath(here), arg), err
}

// memberPath returns the path in a member that an argument means: relative to where
// the command runs, with the links on the way followed or not, or, as sync and check
// write it, to the member's root. It is one that has reports to be there, if there is one.
func memberPath(m member, has func(path string) bool, arg string) (string, error) {
	file, err := fromHere(arg)
	if err != nil {
		return "", err
	}
	followed := filepath.Join(realPath(filepath.Dir(file)), filepath.Base(file))
	inside, err := filepath.Rel(m.Root(), followed)
	if err != nil {
		return "", err
	}
	as := []string{filepath.ToSlash(inside), path.Clean(filepath.ToSlash(arg))}
	if unfollowed, err := filepath.Rel(m.Root(), file); err == nil {
		as = append(as, filepath.ToSlash(unfollowed))
	}
	if i := slices.IndexFunc(as, has); i >= 0 {
		return as[i], nil
	}
	return as[0], nil
}

// memberAround opens and locks the repository that a path is meant in.
func (a *app) memberAround(file string) (member, func(), error) {
	m, err := a.memberOf(file)
	if err != nil {
		return member{}, nil, err
	}
	unlock, err := m.Lock()
	return m, unlock, err
}

// memberOf opens, of the repositories around a path, the innermost whose lock has it: a
// folder on the way may be gone, or be a submodule or a link into another repository.
// Where no lock has it, it is the innermost that follows a golden path, if there is one.
func (a *app) memberOf(arg string) (member, error) {
	file, err := fromHere(arg)
	if err != nil {
		return member{}, err
	}
	var first error
	var best, following *member
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		if m, err := a.openMember([]string{existing(dir)}); err != nil {
			first = cmp.Or(first, err)
		} else {
			follows, has := meant(m, arg)
			switch {
			case has:
				return m, nil
			case follows && following == nil:
				following = &m
			case best == nil:
				best = &m
			}
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	switch {
	case following != nil:
		return *following, nil
	case best != nil:
		return *best, nil
	}
	return member{}, first
}

// meant reports whether a repository follows a golden path, or cannot say so because
// its files are broken, and whether its lock has the path that an argument means.
func meant(m member, arg string) (follows, has bool) {
	st, err := reconcile.Load(m)
	if err != nil {
		_, not := errors.AsType[*reconcile.NotFollowingError](err)
		return !not, false
	}
	inside, err := memberPath(m, st.Lock.Has, arg)
	return true, err == nil && st.Lock.Has(inside)
}

// aboutToDecide returns what the member's files say, and the path in it that an argument
// means, about which somebody decides; it is in no merge that a person has to finish.
func aboutToDecide(m member, arg string) (*reconcile.State, string, error) {
	st, err := reconcile.Load(m)
	if err != nil {
		return nil, "", err
	}
	path, err := memberPath(m, st.Lock.Has, arg)
	if err != nil {
		return nil, "", err
	}
	return st, path, refuseUnmerged(m, []string{path})
}

func (a *app) resolve(cmd *cobra.Command, m member, arg string, take drift.Side) error {
	st, path, err := aboutToDecide(m, arg)
	if err != nil {
		return err
	}
	r, err := a.syncer(m.Root()).Resolve(cmd.Context(), m, st, path, take)
	given := false
	if _, decided := errors.AsType[*drift.NotOpenError](err); decided && take == drift.Theirs && st.Lock.Has(path) {
		r, err = a.give(cmd, m, st, path, err)
		given = true
	}
	if err != nil {
		return err
	}
	if after, touched := r.Writes[path]; touched {
		if err := refuseLoss(m, st.Lock, path, after, take); err != nil {
			return err
		}
	}
	if err := m.Apply(cmd.Context(), r.Writes); err != nil {
		return err
	}
	if given && !a.json {
		fmt.Fprintf(a.out, "%s: the golden path's text is taken where yours was kept, this once\n", path)
		return nil
	}
	return a.resolved(path, take, r.Open)
}

// give takes the golden path's text where the last sync kept a file because it is the
// member's; notOpen is the error where it kept nothing.
func (a *app) give(cmd *cobra.Command, m member, st *reconcile.State, path string, notOpen error) (*reconcile.Resolution, error) {
	before, err := beforeSync(m, st, path)
	if err != nil {
		return nil, notOpen // there was no sync that could have kept anything
	}
	r, err := a.syncer(m.Root()).Give(cmd.Context(), newBranch{Member: m.Member, head: before}, m, path)
	if _, none := errors.AsType[*reconcile.NothingKeptError](err); none {
		return nil, notOpen
	}
	return r, err
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
			fmt.Fprintf(a.out, "still to be decided in it: %s; syncer resolve %s --take theirs|ours, or see syncer explain %s\n", many(open, "conflict"), path, path)
		}
	}
	if open > 0 {
		return errDifferences
	}
	return nil
}

// refuseLoss refuses to write after over lines that are neither in it nor in the
// checked-out commit: they would be nowhere any more. A file that a sync has just
// merged is not committed either, but the lines that it loses are.
func refuseLoss(m member, lock *drift.Lock, path string, after *tree.File, take drift.Side) error {
	dirty, err := m.Uncommitted([]string{path})
	if err != nil || len(dirty) == 0 {
		return err
	}
	now, err := m.Files([]string{path})
	if err != nil {
		return err
	}
	committed, err := committedAs(m, lock, path)
	if err != nil {
		return err
	}
	for _, then := range committed {
		if !loses(now[path].Data, then.Data, after) {
			return nil
		}
	}
	if !loses(now[path].Data, nil, after) {
		return nil
	}
	return fmt.Errorf("%s has changes that are not committed, and taking %s would lose them; commit or stash them first", path, take)
}

// committedAs returns the checked-out commit's file at a path, and those that it has
// at paths which a sync since has moved away: one of them may be this one.
func committedAs(m member, lock *drift.Lock, path string) (tree.Tree, error) {
	head, err := m.Head()
	if err != nil || head.Commit == "" {
		return nil, err
	}
	files, err := m.CommitFiles(head.Commit, []string{drift.LockName})
	if err != nil {
		return nil, err
	}
	paths := []string{path}
	if before, err := drift.ParseLock(files[drift.LockName].Data); err == nil {
		for _, section := range before.GoldenPaths {
			for p := range section.Files {
				if !lock.Has(p) {
					paths = append(paths, p)
				}
			}
		}
	}
	return m.CommitFiles(head.Commit, paths)
}

// loses reports whether now has a line that neither after nor the committed text
// has as often.
func loses(now, committed []byte, after *tree.File) bool {
	var then []byte
	if after != nil {
		then = after.Data
	}
	if bytes.Equal(now, committed) || bytes.Equal(now, then) {
		return false
	}
	if tree.IsBinary(now) || tree.IsBinary(committed) || tree.IsBinary(then) {
		return true
	}
	inCommit, inAfter := lineCounts(committed), lineCounts(then)
	for line, n := range lineCounts(now) {
		if n > max(inCommit[line], inAfter[line]) {
			return true
		}
	}
	return false
}

func lineCounts(text []byte) map[string]int {
	counts := map[string]int{}
	for line := range bytes.Lines(text) {
		counts[string(bytes.TrimRight(line, "\r\n"))]++
	}
	return counts
}
