package gitrepo

import (
	"container/heap"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// newCommits returns the commits that lead to tip and to none of known: what
// `git rev-list tip --not known` lists. Commits are visited from the newest on, and
// the walk ends when only known ones are left. Clocks that went wrong can make it
// return some that are known, which costs time but does no harm.
func (s *store) newCommits(tip plumbing.Hash, known []plumbing.Hash) ([]*object.Commit, error) {
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
	for w.fresh() {
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
