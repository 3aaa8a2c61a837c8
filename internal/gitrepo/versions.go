package gitrepo

import (
	"container/heap"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Revision is a golden path at a version.
type Revision struct {
	Version string // "1.4.0", from a tag; "" where no tag names it
	Commit  string // "" is the files as they lie on disk
}

// HasHistory reports whether the platform has commits to read from. A plain folder
// and golden paths that ship with the binary have none.
func (p *Platform) HasHistory() bool { return p.repo != nil }

// Versions returns the versions of a golden path, the newest first, each with the
// commit that its tag leads to.
func (p *Platform) Versions(goldenPath string) ([]Revision, error) {
	if p.repo == nil {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	tags, err := p.tags(goldenPath)
	if err != nil {
		return nil, err
	}
	revisions := make([]Revision, len(tags))
	for i, t := range tags {
		revisions[i] = Revision{t.version.String(), t.commit.String()}
	}
	return revisions, nil
}

// maxLooked bounds how many commits are looked at for a version. The newest version
// is a few commits back; only what was never merged is looked for to the end.
const maxLooked = 20_000

// Release returns the highest version of a golden path that the history of a commit
// has, or "" where it has none. A commit "" is the one that a path has checked out.
func (p *Platform) Release(goldenPath, commit string) (string, error) {
	if p.repo == nil {
		return "", nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	tags, err := p.tags(goldenPath)
	if err != nil || len(tags) == 0 {
		return "", err
	}
	if commit == "" {
		if _, commit, err = p.head(); err != nil {
			return "", err
		}
	}
	first, err := p.store.commit(plumbing.NewHash(commit))
	if err != nil {
		return "", fmt.Errorf("the versions of %s: %w", p.name, err)
	}
	w := &walk{store: p.store, old: map[plumbing.Hash]bool{}, queued: map[plumbing.Hash]bool{}}
	return w.highest(first, tags), nil
}

// highest looks from a commit back for the first one of the tags, which are in order.
// What cannot be read, as in a shallow clone, has no versions.
func (w *walk) highest(from *object.Commit, tags []tagged) string {
	rank := map[plumbing.Hash]int{}
	for i, t := range tags {
		if _, has := rank[t.commit]; !has {
			rank[t.commit] = i
		}
	}
	best := len(tags)
	w.push(from)
	for looked := 0; len(w.queue) > 0 && best > 0 && looked < maxLooked; looked++ {
		c := heap.Pop(&w.queue).(*object.Commit) //nolint:errcheck // the queue holds nothing else
		if i, has := rank[c.Hash]; has {
			best = min(best, i)
		}
		if err := w.parents(c); err != nil {
			break
		}
	}
	if best == len(tags) {
		return ""
	}
	return tags[best].version.String()
}
