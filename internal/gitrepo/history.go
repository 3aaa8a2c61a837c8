package gitrepo

import (
	"container/heap"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// newCommits returns the commits that lead to tip and to none of known: what
// `git rev-list tip --not known` lists. Commits are visited from the newest on, and
// the walk ends when only known ones are left. Clocks that went wrong can make it
// return some that are known, which costs time but does no harm.
func (s *store) newCommits(tip plumbing.Hash, known []plumbing.Hash) ([]*object.Commit, error) {
	return s.atMost(0, tip, known)
}

// atMost is newCommits, and an error where more than most commits are visited; 0 is no
// bound.
func (s *store) atMost(most int, tip plumbing.Hash, known []plumbing.Hash) ([]*object.Commit, error) {
	w := &walk{store: s, old: map[plumbing.Hash]bool{}, queued: map[plumbing.Hash]bool{}}
	for _, id := range known {
		// What the other side has and we do not cannot be on our way.
		if c, err := s.commit(id); err == nil {
			w.old[c.Hash] = true
			w.push(c)
		}
	}
	first, err := s.commit(tip)
	if err != nil {
		return nil, err
	}
	w.push(first)
	var found []*object.Commit
	for visited := 0; w.fresh(); visited++ {
		if most > 0 && visited >= most {
			return nil, errLongLog
		}
		c := heap.Pop(&w.queue).(*object.Commit) //nolint:errcheck // the queue holds nothing else
		if !w.old[c.Hash] {
			found = append(found, c)
		}
		if err := w.parents(c); err != nil {
			return nil, err
		}
	}
	kept := found[:0]
	for _, c := range found {
		if !w.old[c.Hash] {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// walk is a visit of history from the newest commit on.
type walk struct {
	*store
	queue  newest
	queued map[plumbing.Hash]bool
	old    map[plumbing.Hash]bool // reached from known commits
}

func (w *walk) push(c *object.Commit) {
	if !w.queued[c.Hash] {
		w.queued[c.Hash] = true
		heap.Push(&w.queue, c)
	}
}

// fresh reports whether a commit that is not known waits to be visited.
func (w *walk) fresh() bool {
	for _, c := range w.queue {
		if !w.old[c.Hash] {
			return true
		}
	}
	return false
}

func (w *walk) parents(c *object.Commit) error {
	shallow, err := w.Shallow()
	if err != nil {
		return err
	}
	if slices.Contains(shallow, c.Hash) {
		return nil // the parents were not fetched
	}
	for _, id := range c.ParentHashes {
		if w.old[c.Hash] {
			w.old[id] = true
		}
		p, err := w.commit(id)
		if err != nil {
			if w.old[c.Hash] {
				continue // only our own history has to be complete
			}
			return err
		}
		w.push(p)
	}
	return nil
}

// newest is a heap of commits, the newest first.
type newest []*object.Commit

func (q newest) Len() int           { return len(q) }
func (q newest) Less(i, j int) bool { return q[i].Committer.When.After(q[j].Committer.When) }
func (q newest) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push adds x, a *object.Commit; for container/heap.
func (q *newest) Push(x any) { *q = append(*q, x.(*object.Commit)) } //nolint:errcheck // the queue holds nothing else

// Pop removes the last element; for container/heap.
func (q *newest) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// Includes reports whether a commit has all that is in another one, the tip of a
// branch: its history has it; or, where the branch was squashed or rebased into it, a
// commit has the files that the branch changed as the branch left them. That is this
// one, or one before it since the two parted; what was done to the files afterwards
// counts for nothing. What is not in this repository is in nothing.
func (m *Member) Includes(commit, tip string) (bool, error) {
	if _, err := m.store.commit(plumbing.NewHash(tip)); err != nil {
		return false, nil //nolint:nilerr // the commit is not here
	}
	missing, err := m.store.newCommits(plumbing.NewHash(tip), []plumbing.Hash{plumbing.NewHash(commit)})
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return false, nil // a shallow clone cannot tell
	}
	if err != nil {
		return false, fmt.Errorf("the history of %s: %w", m.root, err)
	}
	if len(missing) == 0 {
		return true, nil
	}
	there, err := m.store.leaves(tip)
	if err != nil {
		return false, err
	}
	want := map[string]leaf{} // the zero value where the branch has no such file
	for _, c := range missing {
		changed, err := m.store.changedIn(c)
		if err != nil {
			return false, err
		}
		if len(changed) == 0 && len(c.ParentHashes) < 2 {
			return false, nil // it says something, and only its message does
		}
		for _, p := range changed {
			want[p] = there[p]
		}
	}
	return m.store.had(commit, tip, want)
}

// had reports whether a commit, or one on the way of first parents to where it parted
// from tip, has files just so. That way is what a branch looked like over time. Where
// it is too long to be looked at, or not here, the commit alone counts.
func (s *store) had(commit, tip string, want map[string]leaf) (bool, error) {
	since := map[plumbing.Hash]bool{}
	commits, err := s.atMost(maxLog, plumbing.NewHash(commit), []plumbing.Hash{plumbing.NewHash(tip)})
	if err != nil && !errors.Is(err, errLongLog) && !errors.Is(err, plumbing.ErrObjectNotFound) {
		return false, err
	}
	for _, c := range commits {
		since[c.Hash] = true
	}
	paths := slices.Sorted(maps.Keys(want))
	for at := plumbing.NewHash(commit); ; {
		c, err := s.commit(at)
		if err != nil {
			return false, err
		}
		if has, err := s.has(c.TreeHash, paths, want); has || err != nil {
			return has, err
		}
		if len(c.ParentHashes) == 0 || !since[c.ParentHashes[0]] {
			return false, nil
		}
		at = c.ParentHashes[0]
	}
}

// has reports whether a tree has files just so.
func (s *store) has(root plumbing.Hash, paths []string, want map[string]leaf) (bool, error) {
	folders := map[plumbing.Hash][]object.TreeEntry{}
	for _, p := range paths {
		e, found, err := s.lookup(root, p, folders)
		if err != nil {
			return false, err
		}
		is := leaf{}
		if found && e.Mode != filemode.Dir {
			is = leaf{e.Mode, e.Hash}
		}
		if is != want[p] {
			return false, nil
		}
	}
	return true, nil
}

// changedIn returns the paths at which a commit differs from all of its parents.
func (s *store) changedIn(c *object.Commit) ([]string, error) {
	entries, err := s.leaves(c.Hash.String())
	if err != nil {
		return nil, err
	}
	var changed []string
	for i := range max(1, len(c.ParentHashes)) {
		parent := map[string]leaf{}
		if len(c.ParentHashes) > 0 {
			if parent, err = s.leaves(c.ParentHashes[i].String()); err != nil {
				return nil, err
			}
		}
		differ := differing(entries, parent)
		if i > 0 {
			differ = slices.DeleteFunc(differ, func(p string) bool { return !slices.Contains(changed, p) })
		}
		changed = differ
	}
	return changed, nil
}

// leaf is anything in a commit but a folder: a file, a link, a submodule.
type leaf struct {
	mode filemode.FileMode
	id   plumbing.Hash
}

func (s *store) leaves(commit string) (map[string]leaf, error) {
	root, err := s.rootOf(commit)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", commit, err)
	}
	all := map[string]leaf{}
	return all, s.addLeaves(root, "", all)
}

func (s *store) addLeaves(id plumbing.Hash, prefix string, all map[string]leaf) error {
	list, err := s.entries(id)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Mode != filemode.Dir {
			all[prefix+e.Name] = leaf{e.Mode, e.Hash}
		} else if err := s.addLeaves(e.Hash, prefix+e.Name+"/", all); err != nil {
			return err
		}
	}
	return nil
}

func differing(a, b map[string]leaf) []string {
	var paths []string
	for p, e := range a {
		if b[p] != e {
			paths = append(paths, p)
		}
	}
	for p := range b {
		if _, has := a[p]; !has {
			paths = append(paths, p)
		}
	}
	return paths
}

// SameCommit reports whether two commits have the same files and parents, so that
// they differ in their time, author or message alone. One that is not in this
// repository is not the same.
func (m *Member) SameCommit(a, b string) bool {
	x, errX := m.store.commit(plumbing.NewHash(a))
	y, errY := m.store.commit(plumbing.NewHash(b))
	return errX == nil && errY == nil && x.TreeHash == y.TreeHash && slices.Equal(x.ParentHashes, y.ParentHashes)
}
