package reconcile

import (
	"cmp"
	"context"
	"sync"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// GoldenPath is a golden path at a revision of its source.
type GoldenPath struct {
	*scaffold.GoldenPath
	source   *source
	revision drift.Revision
}

// Version is the version it was asked for by, or what its manifest calls itself.
func (g *GoldenPath) Version() string { return g.revision.Version }

// Called is the version, or where it has none the commit or digest that it is known by.
func (g *GoldenPath) Called() string { return cmp.Or(g.revision.Version, g.revision.Name()) }

func (g *GoldenPath) declares(input string) bool {
	property, _ := g.Input(input)
	return property != nil
}

// GoldenPath loads a golden path at what a source and a wanted version mean. A
// version in the source holds where want is "".
func (s *Syncer) GoldenPath(ctx context.Context, from, name, want string) (*GoldenPath, error) {
	src, version, err := s.open(ctx, from)
	if err != nil {
		return nil, err
	}
	if want == "" {
		want = version
	}
	v, commit, err := src.Resolve(name, want)
	if err != nil {
		return nil, err
	}
	g, err := src.load(ctx, commit, name)
	if err != nil {
		return nil, err
	}
	if v == "" {
		if v, err = src.version(g, commit); err != nil {
			return nil, err
		}
	}
	return src.at(g, from, v, commit), nil
}

// GoldenPaths loads every golden path of a source, each at the version that its
// members get.
func (s *Syncer) GoldenPaths(ctx context.Context, from string) ([]*GoldenPath, error) {
	src, version, err := s.open(ctx, from)
	if err != nil {
		return nil, err
	}
	_, commit, err := src.Resolve("", version)
	if err != nil {
		return nil, err
	}
	files, err := src.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	var all []*GoldenPath
	for _, name := range scaffold.Names(files) {
		g, err := s.GoldenPath(ctx, from, name, "")
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

// render resolves inputs, which stand at a place, and renders. The revision is what
// the member's lock will say.
func (g *GoldenPath) render(at scaffold.Place, given scaffold.Inputs, repository string) (scaffold.Rendering, drift.Revision, error) {
	to := g.revision
	inputs, err := g.Resolve(at, given)
	if err != nil {
		return nil, to, err
	}
	to.Inputs, to.Repository = g.Public(inputs), repository
	r, err := g.Render(inputs, scaffold.Machine{Repository: repository, Version: to.Version})
	return r, to, err
}

// open opens the source that PATH-OR-URL[@VERSION] names, once.
func (s *Syncer) open(ctx context.Context, from string) (src *source, version string, err error) {
	if s.sharing != nil {
		return s.sharing.open(ctx, from)
	}
	location, version, err := s.Split(from)
	if err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if src, ok := s.sources[location]; ok {
		return src, version, nil
	}
	p, err := s.Open(ctx, location)
	if err != nil {
		return nil, "", err
	}
	src = &source{Platform: p, loaded: map[loadKey]*scaffold.GoldenPath{}}
	if s.sources == nil {
		s.sources = map[string]*source{}
	}
	s.sources[location] = src
	return src, version, nil
}

// maxLoaded bounds how many golden paths a source keeps parsed. Members of a fleet
// are spread over few revisions, and one that was dropped is only loaded again.
const maxLoaded = 32

// source is a platform and what was loaded from it.
type source struct {
	Platform

	mu       sync.Mutex
	loaded   map[loadKey]*scaffold.GoldenPath
	order    []loadKey // the oldest first
	releases map[loadKey]string
}

type loadKey struct{ commit, name string }

func (s *source) load(ctx context.Context, commit, name string) (*scaffold.GoldenPath, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := loadKey{commit, name}
	if g, ok := s.loaded[key]; ok {
		return g, nil
	}
	files, err := s.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	g, err := scaffold.Load(files, name)
	if err != nil {
		return nil, err
	}
	if len(s.order) == maxLoaded {
		delete(s.loaded, s.order[0])
		s.order = s.order[1:]
	}
	s.loaded[key] = g
	s.order = append(s.order, key)
	return g, nil
}

func (s *source) at(g *scaffold.GoldenPath, from, version, commit string) *GoldenPath {
	return &GoldenPath{g, s, drift.Revision{Source: from, Version: version, Commit: commit, Digest: g.Digest, Engine: scaffold.Engine}}
}

// released is a platform that knows which versions a commit has in its history.
type released interface {
	// Release returns the highest of them, or "".
	Release(goldenPath, commit string) (string, error)
}

// version says how far a golden path is at a commit that no version names, such as a
// branch's: as far as the newest version in its history, or further where its manifest
// says so. The manifest alone may not have been touched since the first version.
func (s *source) version(g *scaffold.GoldenPath, commit string) (string, error) {
	stated := g.Manifest.Version
	tagged, err := s.release(g.Manifest.Name, commit)
	if err != nil || tagged == "" || isBefore(tagged, stated) {
		return stated, err
	}
	return tagged, nil
}

// release looks once for the newest version in a commit's history: it may be a long
// one, and a fleet asks for each member.
func (s *source) release(name, commit string) (string, error) {
	r, ok := s.Platform.(released)
	if !ok {
		return "", nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := loadKey{commit, name}
	if v, known := s.releases[key]; known {
		return v, nil
	}
	v, err := r.Release(name, commit)
	if err != nil {
		return "", err
	}
	if s.releases == nil || len(s.releases) >= maxLoaded {
		s.releases = map[loadKey]string{}
	}
	s.releases[key] = v
	return v, nil
}

// render renders what a lock says was rendered.
func (s *source) render(ctx context.Context, name string, rev drift.Revision) (scaffold.Rendering, error) {
	g, err := s.load(ctx, rev.Commit, name)
	if err != nil {
		return nil, err
	}
	return g.Render(rev.Inputs, scaffold.Machine{Repository: rev.Repository, Version: rev.Version})
}
