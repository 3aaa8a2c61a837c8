package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

// destination is what a sync reads and where its result goes: the same place, so
// that the lock never names a file which is not beside it.
type destination interface {
	reconcile.Repository
	// refuse returns why a plan must not be carried out here.
	refuse(p *reconcile.Planned) error
	land(ctx context.Context, p *reconcile.Planned, writes map[string]*tree.File) (landing, error)
}

// landing is where the result of a sync is.
type landing struct {
	Branch string `json:"branch,omitempty"`
	Commit string `json:"commit,omitempty"`
	Pushed bool   `json:"pushed,omitempty"`
	where  string // for people; "" where there was nothing to do
}

func destinationOf(m member, f syncFlags) (destination, error) {
	if !f.commit {
		return workTree{m, map[string]bool{drift.LockName: true, drift.MemberName: true}}, nil
	}
	head, err := m.Head()
	if err != nil {
		return nil, err
	}
	if head.Commit == "" {
		return nil, errors.New("the repository has no commit yet, so there is nothing to branch from; commit first")
	}
	return newBranch{m.Member, head.Commit, f.push}, nil
}

// loadState is reconcile.Load; it also says where .goldenpath.yaml is only missing
// from the commit.
func loadState(m member, from destination) (*reconcile.State, error) {
	st, err := reconcile.Load(from)
	none, ok := errors.AsType[*reconcile.NotFollowingError](err)
	if _, commits := from.(newBranch); !ok || none.Empty || !commits {
		return st, err
	}
	there, readErr := m.Files([]string{drift.MemberName})
	if _, exists := there[drift.MemberName]; readErr == nil && exists {
		return nil, fmt.Errorf("%s is not committed yet, and --commit goes by the newest commit; commit it first", drift.MemberName)
	}
	return nil, none
}

// workTree takes a sync into the files as they lie there. What several golden paths
// of one sync write one after the other is not a person's uncommitted work: syncer's
// own two files, and those that this sync has written already.
type workTree struct {
	member
	written map[string]bool
}

// refuse refuses to begin a golden path anew whose lock HEAD has: what it says about
// the files would be forgotten.
func (w workTree) refuse(p *reconcile.Planned) error {
	head, err := w.Head()
	if err != nil || !p.Unlocked || head.Commit == "" {
		return err
	}
	files, err := w.CommitFiles(head.Commit, []string{drift.LockName})
	if err != nil {
		return err
	}
	lock, err := drift.ParseLock(files[drift.LockName].Data)
	if err != nil || lock.GoldenPaths[p.GoldenPath] == nil {
		return nil //nolint:nilerr // nothing there that could be used
	}
	return fmt.Errorf("%s lost what it says about %s, which the newest commit still has; take it back with git checkout HEAD -- %s, then sync again", drift.LockName, p.GoldenPath, drift.LockName)
}

func (w workTree) land(ctx context.Context, p *reconcile.Planned, writes map[string]*tree.File) (landing, error) {
	var paths []string
	for _, c := range p.Changes {
		paths = append(paths, c.Path)
	}
	if err := refuseUnmerged(w.member, paths); err != nil {
		return landing{}, err
	}
	if err := w.refuseUncommitted(writes); err != nil {
		return landing{}, err
	}
	if err := w.Apply(ctx, writes); err != nil {
		return landing{}, err
	}
	for path := range writes {
		w.written[path] = true
	}
	return landing{where: "the work tree"}, nil
}

// refuseUnmerged refuses files with a merge's conflicts in them: what is in such a
// file is nobody's version of it.
func refuseUnmerged(m member, paths []string) error {
	unmerged, err := m.Unmerged(paths)
	if err == nil && len(unmerged) > 0 {
		err = fmt.Errorf("these files are in the middle of a merge: %s; finish or abort it first (see git status)", strings.Join(unmerged, ", "))
	}
	return err
}

func (w workTree) refuseUncommitted(writes map[string]*tree.File) error {
	paths := slices.DeleteFunc(slices.Sorted(maps.Keys(writes)), func(p string) bool { return w.written[p] })
	dirty, err := w.Uncommitted(paths)
	if err != nil {
		return err
	}
	if len(dirty) > 0 {
		return fmt.Errorf("these files have uncommitted changes, which a sync would touch: %s; commit or stash them, or use --commit", strings.Join(dirty, ", "))
	}
	return nil
}

// newBranch takes a sync of the newest commit to a branch of its own.
type newBranch struct {
	*gitrepo.Member
	head string
	push bool
}

// Files returns those of the paths that the commit has.
func (b newBranch) Files(paths []string) (tree.Tree, error) { return b.CommitFiles(b.head, paths) }

// Stored goes by the attributes that the commit has.
func (b newBranch) Stored(files tree.Tree, changes map[string]*tree.File) (tree.Tree, error) {
	return b.CommitStored(b.head, files, changes)
}

// refuse refuses nothing: the lock comes from the commit that is built on.
func (b newBranch) refuse(*reconcile.Planned) error { return nil }

func (b newBranch) land(ctx context.Context, p *reconcile.Planned, writes map[string]*tree.File) (landing, error) {
	branch := "goldenpath/" + p.GoldenPath
	tip, err := b.BranchTip(branch)
	if err != nil {
		return landing{}, err
	}
	author, err := b.Author()
	if err != nil {
		return landing{}, err
	}
	id, err := b.Prepare(gitrepo.Commit{Branch: branch, Parent: b.head, Expect: tip, Changes: writes, Message: commitMessage(p), Author: author, When: time.Now()})
	if err != nil {
		return landing{}, err
	}
	if id, err = b.onto(branch, tip, id); err != nil {
		return landing{}, err
	}
	// The remote's branch first: where that is refused, nothing has happened here
	// that would be in the way of trying again.
	if b.push {
		if id, err = b.publish(ctx, branch, id); err != nil {
			return landing{}, err
		}
	}
	if id != tip {
		if err := b.MoveBranch(branch, tip, id); err != nil {
			return landing{}, err
		}
	}
	at := landing{Branch: branch, Commit: id, Pushed: b.push, where: fmt.Sprintf("%s as %.10s", branch, id)}
	if b.push {
		at.where += ", pushed to origin"
	}
	return at, nil
}

// onto returns the commit that the branch is to lead to: id, or its tip where that
// has the same in it. A branch with other commits than HEAD has may hold somebody's
// work, and is not replaced.
func (b newBranch) onto(branch, tip, id string) (string, error) {
	if tip == "" {
		return id, nil
	}
	if b.SameCommit(tip, id) {
		return tip, nil
	}
	merged, err := b.Includes(b.head, tip)
	if err == nil && !merged {
		err = fmt.Errorf("the branch %s is there already, at %.10s, and is not merged; merge it or delete it (git branch -D %s), then sync again", branch, tip, branch)
	}
	return id, err
}

// publish pushes a commit to origin's branch of that name, and returns the commit
// that is there then: another one with the same in it may be there already. What it
// replaces is only what HEAD has.
func (b newBranch) publish(ctx context.Context, branch, id string) (string, error) {
	err := b.PushCommit(ctx, "origin", branch, id, "")
	moved, ok := errors.AsType[*gitrepo.RefMovedError](err)
	if !ok {
		return id, err
	}
	// What is there has to be here to be compared; a fresh clone may lack it.
	if _, err := b.Fetch(ctx, "origin", branch); err != nil {
		return "", err
	}
	if b.SameCommit(moved.Found, id) {
		return moved.Found, nil
	}
	merged, err := b.Includes(b.head, moved.Found)
	if err != nil {
		return "", err
	}
	if !merged {
		return "", fmt.Errorf("origin has a branch %s already, at %.10s, and it is not merged here; merge it or delete it (git push origin --delete %s), then sync again; nothing was changed", branch, moved.Found, branch)
	}
	return id, b.PushCommit(ctx, "origin", branch, id, moved.Found)
}
