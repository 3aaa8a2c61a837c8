package localhub

import (
	"errors"
	"os/exec"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// ancestor tells whether a is b or comes before it.
func (g *store) ancestor(a, b plumbing.Hash) (bool, error) {
	if a == b {
		return true, nil
	}
	if _, straight := g.line(a, b); straight {
		return true, nil
	}
	first, err := g.commit(a)
	if err != nil {
		return false, err
	}
	second, err := g.commit(b)
	if err != nil {
		return false, err
	}
	return first.IsAncestor(second)
}

// line follows first parents from head to base: the commits after base, oldest first.
// It gives up where there is a merge, or base is not near; then git has to be asked,
// which takes a process.
func (g *store) line(base, head plumbing.Hash) ([]plumbing.Hash, bool) {
	const near = 64
	var list []plumbing.Hash
	for at := head; len(list) < near; {
		if at == base {
			slices.Reverse(list)
			return list, true
		}
		c, err := g.commit(at)
		if err != nil || len(c.ParentHashes) > 1 {
			return nil, false
		}
		list = append(list, at)
		if len(c.ParentHashes) == 0 {
			slices.Reverse(list)
			return list, base.IsZero()
		}
		at = c.ParentHashes[0]
	}
	return nil, false
}

// mergeBase is the best common ancestor; the zero hash where histories are unrelated.
func (g *store) mergeBase(a, b plumbing.Hash) (plumbing.Hash, error) {
	if _, ahead := g.line(a, b); ahead {
		return a, nil
	}
	if _, behind := g.line(b, a); behind {
		return b, nil
	}
	out, err := g.in("merge-base", a.String(), b.String())
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return plumbing.ZeroHash, nil
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return plumbing.NewHash(strings.TrimSpace(string(out))), nil
}

// commitsBetween are the commits of head that base does not have, oldest first, at
// most limit of them, and how many there are.
func (g *store) commitsBetween(base, head plumbing.Hash, limit int) ([]plumbing.Hash, int, error) {
	if list, straight := g.line(base, head); straight {
		return list[:min(limit, len(list))], len(list), nil
	}
	args := []string{"rev-list", "--reverse", "--topo-order", head.String()}
	if !base.IsZero() {
		args = append(args, "^"+base.String())
	}
	out, err := g.in(args...)
	if err != nil {
		return nil, 0, err
	}
	lines := strings.Fields(string(out))
	var list []plumbing.Hash
	for _, line := range lines[:min(limit, len(lines))] {
		list = append(list, plumbing.NewHash(line))
	}
	return list, len(lines), nil
}

// merge merges head into base in memory. It returns the tree and whether it is clean.
func (g *store) merge(base, head plumbing.Hash) (plumbing.Hash, bool, error) {
	out, err := g.in("merge-tree", "--write-tree", "--no-messages", "--name-only", base.String(), head.String())
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return plumbing.ZeroHash, false, nil
	}
	if err != nil {
		return plumbing.ZeroHash, false, err
	}
	g.reopen()
	tree, _, _ := strings.Cut(string(out), "\n")
	return plumbing.NewHash(tree), true, nil
}
