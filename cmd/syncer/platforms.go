package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// fresh is how long a source counts as read. Pushes to the platform repository are
// told by deliveries; this bounds how old what a delivery did not tell can be.
const fresh = time.Minute

// platforms opens sources of golden paths for the service. A member's file names
// its source, and a member is not to be trusted: only repositories on the GitHub
// that the service works for, and the golden paths in the program, are read.
type platforms struct {
	app      *forge.App
	root     *url.URL    // of GitHub
	platform walks.Place // whose installation reads platformURL
	location string      // of the platform repository
	dir      string      // of the mirrors

	mu     sync.Mutex
	opened map[string]*opened // by location, see read

	histories *lru.Cache[string, walks.History]
}

type opened struct {
	mu     sync.Mutex
	source *gitrepo.Platform
	at     time.Time
}

// Split parts PATH-OR-URL[@VERSION].
func (p *platforms) Split(source string) (location, version string, err error) {
	return split(source)
}

// Open opens a source as it was at most a minute ago.
func (p *platforms) Open(ctx context.Context, at walks.Place, location string) (reconcile.Platform, error) {
	if location == builtin {
		return shipped{}, nil
	}
	source, err := p.read(ctx, at, location, fresh)
	if err != nil {
		return nil, err
	}
	return platform{source}, nil
}

// histories is how many spans of history are kept: the members of a golden path are
// at few versions of it.
const histories = 64

// History reads what lies between two commits.
func (p *platforms) History(ctx context.Context, at walks.Place, location string, s walks.Span) (walks.History, error) {
	if location == builtin {
		return walks.History{}, nil
	}
	source, err := p.read(ctx, at, location, fresh)
	if err != nil {
		return walks.History{}, err
	}
	key := fmt.Sprint(at.Installation, location, s)
	p.mu.Lock()
	if p.histories == nil {
		if p.histories, err = lru.New[string, walks.History](histories); err != nil {
			p.mu.Unlock()
			return walks.History{}, err // unreachable: the size is positive
		}
	}
	p.mu.Unlock()
	if known, ok := p.histories.Get(key); ok {
		return known, nil
	}
	h, err := history(ctx, source, s)
	if err == nil {
		p.histories.Add(key, h)
	}
	return h, err
}

func history(ctx context.Context, source *gitrepo.Platform, s walks.Span) (h walks.History, err error) {
	entries, err := source.Log(ctx, s.From, s.To, s.GoldenPaths)
	if err != nil {
		return h, err
	}
	for _, e := range entries {
		h.Commits = append(h.Commits, walks.CommitLine(e))
	}
	if h.Before, err = changelogs(ctx, source, s.From, s.GoldenPaths); err != nil {
		return h, err
	}
	h.After, err = changelogs(ctx, source, s.To, s.GoldenPaths)
	return h, err
}

func changelogs(ctx context.Context, source *gitrepo.Platform, commit string, goldenPaths []string) (map[string][]byte, error) {
	files, err := source.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{}
	for _, name := range goldenPaths {
		if f, ok := files[scaffold.Root+"/"+name+"/CHANGELOG.md"]; ok {
			texts[name] = f.Data
		}
	}
	return texts, nil
}

// Latest opens a source as it is now.
func (p *platforms) Latest(ctx context.Context, at walks.Place, location string) (walks.Source, error) {
	if location == builtin {
		return shipped{}, nil
	}
	source, err := p.read(ctx, at, location, 0)
	if err != nil {
		return nil, err
	}
	return platform{source}, nil
}

func (p *platforms) read(ctx context.Context, at walks.Place, location string, age time.Duration) (*gitrepo.Platform, error) {
	if err := p.allowed(location); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if p.opened == nil {
		p.opened = map[string]*opened{}
	}
	// Other sources than the platform are kept apart by installation: what one
	// organisation can read another one may not.
	key := location
	if location != p.location {
		key = fmt.Sprint(at.Installation, " ", location)
	}
	o := p.opened[key]
	if o == nil {
		o = &opened{}
		p.opened[key] = o
	}
	p.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.source != nil && age > 0 && time.Since(o.at) < age {
		return o.source, nil
	}
	token, err := p.token(ctx, at, location)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	c := &gitrepo.Cache{Dir: p.dir, Token: token, TokenHost: p.root.Hostname()}
	source, err := c.Open(ctx, location)
	if errors.Is(err, transport.ErrRepositoryNotFound) && location != p.location {
		return nil, &sourceError{fmt.Errorf("there is no repository %s, or the App is not installed on it: %w", location, err)}
	}
	if err != nil {
		return nil, err
	}
	o.source, o.at = source, began
	return source, nil
}

// allowed refuses sources that would make the service read its own disk, or speak
// to a host that only it can reach.
func (p *platforms) allowed(location string) error {
	u, err := url.Parse(location)
	if err == nil && u.Scheme == p.root.Scheme && u.Host == p.root.Host && strings.Count(strings.Trim(u.Path, "/"), "/") == 1 {
		return nil
	}
	return &sourceError{fmt.Errorf("the source %q is not a repository at %s; the service reads no other", location, p.root)}
}

// sourceError is of a source that only the member's file names.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// MembersMistake is true.
func (*sourceError) MembersMistake() bool { return true }

// PersonMustAct is true.
func (*sourceError) PersonMustAct() bool { return true }

// token is of the platform's own installation for the platform, and else of the
// member's, so that nobody reads what their organisation cannot.
func (p *platforms) token(ctx context.Context, at walks.Place, location string) (string, error) {
	access := forge.Access{Permissions: map[string]string{"contents": "read", "metadata": "read"}}
	if location == p.location {
		at = p.platform
		access.Repositories = []int64{at.Repository}
	}
	token, err := p.app.Installation(at.Installation).As(access).GitToken(ctx)
	return token, fated(err)
}

// Whole returns all that ships with the program.
func (s shipped) Whole(ctx context.Context, commit string) (tree.Tree, error) {
	return s.Tree(ctx, commit)
}
