package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// LogEntry is a commit in a list for people.
type LogEntry struct{ ID, Title, Author string }

// maxLog bounds how many commits one log looks at.
const maxLog = 5_000

// errLongLog says that there are more.
var errLongLog = errors.New("there are too many commits between the two")

// Log returns the commits that to has and from has not and that change something in
// the folders of golden paths, the newest first. Merges that only join what others
// changed are left out, as git does.
func (p *Platform) Log(ctx context.Context, from, to string, goldenPaths []string) ([]LogEntry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.repo == nil {
		return nil, nil
	}
	// A commit that is gone would make all of the history new.
	if _, err := p.store.rootOf(from); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	commits, err := p.store.atMost(maxLog, plumbing.NewHash(to), []plumbing.Hash{plumbing.NewHash(from)})
	if err != nil {
		return nil, fmt.Errorf("%s from %.10s to %.10s: %w", p.name, from, to, err)
	}
	var entries []LogEntry
	for _, c := range commits {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		touched, err := p.touches(c, goldenPaths)
		if err != nil {
			return nil, err
		}
		if touched {
			title, _, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
			entries = append(entries, LogEntry{ID: c.Hash.String(), Title: title, Author: c.Author.Name})
		}
	}
	return entries, nil
}

// touches reports whether a commit has other folders than each of its parents.
func (p *Platform) touches(c *object.Commit, goldenPaths []string) (bool, error) {
	now, err := p.folders(c.TreeHash, goldenPaths)
	if err != nil {
		return false, err
	}
	if c.NumParents() == 0 {
		return strings.Trim(now, " ") != "", nil
	}
	for _, id := range c.ParentHashes {
		parent, err := p.store.commit(id)
		if err != nil {
			return false, nil //nolint:nilerr // where a shallow clone's history begins
		}
		before, err := p.folders(parent.TreeHash, goldenPaths)
		if err != nil || before == now {
			return false, err
		}
	}
	return true, nil
}

// folders identifies what is in the folders of golden paths.
func (p *Platform) folders(root plumbing.Hash, goldenPaths []string) (string, error) {
	var all strings.Builder
	read := map[plumbing.Hash][]object.TreeEntry{}
	for _, name := range goldenPaths {
		e, ok, err := p.store.lookup(root, path.Join(p.sub, folder, name), read)
		if err != nil {
			return "", err
		}
		if ok {
			all.WriteString(e.Hash.String())
		}
		all.WriteByte(' ')
	}
	return all.String(), nil
}
