package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// syncer wires the flows to Git. A source that is a relative path is relative to
// root, the member's: so every clone of it finds the same neighbour.
func (a *app) syncer(root string) *reconcile.Syncer {
	go drift.Prepare()
	go scaffold.Prepare()
	return &reconcile.Syncer{
		Open: func(ctx context.Context, location string) (reconcile.Platform, error) {
			if isRelative(location) {
				location = filepath.Join(realPath(root), filepath.FromSlash(location))
			}
			return open(ctx, location)
		},
		Split: split, Today: time.Now().Format(time.DateOnly),
	}
}

func isRelative(location string) bool {
	s := gitrepo.Source{Location: location}
	return location != builtin && !s.IsURL() && !strings.Contains(location, "://") && !filepath.IsAbs(location)
}

// realPath resolves the links in a path of which the end need not exist.
func realPath(p string) string {
	if resolved, err := filepath.EvalSymlinks(p); err == nil {
		return resolved
	}
	if up := filepath.Dir(p); up != p {
		return filepath.Join(realPath(up), filepath.Base(p))
	}
	return p
}

// sourceFor rewrites a source that is a relative path from here to be relative to
// a member's root.
func sourceFor(root, source string) (string, error) {
	s, err := gitrepo.ParseSource(source)
	if err != nil || !isRelative(s.Location) {
		return source, err
	}
	cwd, err := os.Getwd() // may be through a link, which ".." does not go back through
	if err != nil {
		return "", err
	}
	here := filepath.Join(realPath(cwd), filepath.FromSlash(s.Location))
	// The last name is kept: a link may be there to be moved to another platform.
	here = filepath.Join(realPath(filepath.Dir(here)), filepath.Base(here))
	relative, err := filepath.Rel(realPath(root), here)
	if err != nil {
		return "", err
	}
	s.Location = filepath.ToSlash(relative)
	return s.String(), nil
}

func split(source string) (location, version string, err error) {
	s, err := gitrepo.ParseSource(source)
	return s.Location, s.Version, err
}

func open(ctx context.Context, location string) (reconcile.Platform, error) {
	if location == builtin {
		return shipped{}, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	timeout, err := gitTimeout()
	if err != nil {
		return nil, err
	}
	c := &gitrepo.Cache{Dir: filepath.Join(cache, "syncer", "mirrors"), Token: os.Getenv("SYNCER_GIT_TOKEN"), TokenHost: os.Getenv("SYNCER_GIT_TOKEN_HOST"), Timeout: timeout}
	var done func()
	c.Progress, done = watched(os.Stderr)
	p, err := c.Open(ctx, location)
	done()
	if err != nil {
		return nil, err
	}
	return platform{p}, nil
}

// gitTimeout is how long a Git server may be silent; 0 is the default.
func gitTimeout() (time.Duration, error) {
	text := os.Getenv("SYNCER_GIT_TIMEOUT")
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("SYNCER_GIT_TIMEOUT is %q; write how long a Git server may be silent, such as 30s or 2m", text)
	}
	return d, nil
}

// platform lets the flows see a Git source.
type platform struct{ *gitrepo.Platform }

// Versions returns the versions of a golden path, the newest first, as pairs of
// version and commit.
func (p platform) Versions(goldenPath string) ([][2]string, error) {
	revisions, err := p.Platform.Versions(goldenPath)
	pairs := make([][2]string, len(revisions))
	for i, r := range revisions {
		pairs[i] = [2]string{r.Version, r.Commit}
	}
	return pairs, err
}

// member is a work tree as the flows see it.
type member struct{ *gitrepo.Member }

func (m member) Files(paths []string) (tree.Tree, error) { return m.WorkFiles(paths) }

func (m member) Stored(files tree.Tree, changes map[string]*tree.File) (tree.Tree, error) {
	return m.WorkStored(files, changes)
}

// openMember opens the repository around a folder, and finishes what a killed
// syncer left.
func (a *app) openMember(args []string) (member, error) {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	m, err := gitrepo.OpenMember(dir)
	if err != nil {
		return member{}, err
	}
	recovered, err := m.Recover()
	if err != nil {
		return member{}, err
	}
	if recovered {
		fmt.Fprintln(a.err, "syncer: finished a sync that was interrupted")
	}
	return member{m}, nil
}

// lockedMember is openMember for verbs that write: no other syncer works on the
// repository until unlock.
func (a *app) lockedMember(args []string) (m member, unlock func(), err error) {
	if m, err = a.openMember(args); err != nil {
		return member{}, nil, err
	}
	unlock, err = m.Lock()
	return m, unlock, err
}
