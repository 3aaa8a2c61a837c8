package localhub

import (
	"fmt"
)

// source is the repository that a pull request's head is in.
func (p *pull) source(r *repository) *repository {
	if p.from != nil {
		return p.from
	}
	return r
}

// OpenPullFrom opens a pull request from a branch of a fork to a branch of the
// repository that it was forked from, as anybody who can read that may. GitHub keeps
// its commits in the latter too, behind refs/pull/N/head.
func (p *Person) OpenPullFrom(fork, head, fullName, base, title, body string) (number int, err error) {
	err = p.do(fullName, "read", func(r *repository) error {
		h := p.hub
		from, err := h.named(fork)
		if err != nil {
			return err
		}
		baseID, there := r.store.branch(base)
		if !from.fork || !there {
			return fmt.Errorf("localhub: %s is no fork, or %s has no branch %s", fork, fullName, base)
		}
		headID, there := from.store.branch(head)
		if !there {
			return fmt.Errorf("localhub: %s has no branch %s", fork, head)
		}
		i := h.newIssue(r, title, body, p.actor())
		i.pull = &pull{from: from, head: head, base: base, headID: headID, baseID: baseID, unknownReads: h.options.MergeableReads}
		if err := h.takeFromFork(r, i); err != nil {
			return err
		}
		h.pullEvent(r, i, "opened", p.actor(), nil)
		number = i.number
		return nil
	})
	return number, err
}

// takeFromFork copies the commits of a pull request's head.
func (h *Hub) takeFromFork(r *repository, i *issue) error {
	ref := fmt.Sprintf("refs/pull/%d/head", i.number)
	if _, err := r.store.in("fetch", "-q", i.pull.from.store.dir, "+refs/heads/"+i.pull.head+":"+ref); err != nil {
		return err
	}
	r.store.reopen()
	return nil
}

// forkMoved tells pull requests from a branch of a fork that it moved.
func (h *Hub) forkMoved(fork *repository, branch string, m refMove) {
	if !fork.fork {
		return
	}
	for _, r := range h.state.repos {
		for n := 1; n <= r.number; n++ {
			i := r.issues[n]
			if i == nil || i.pull == nil || i.state != "open" || i.pull.from != fork || i.pull.head != branch {
				continue
			}
			if !m.to.IsZero() {
				if err := h.takeFromFork(r, i); err != nil {
					h.options.Log.Error("head of a fork not taken", "repository", r.fullName(), "number", i.number, "error", err)
					continue
				}
			}
			h.headMoved(r, i, m)
		}
	}
}
