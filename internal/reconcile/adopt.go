package reconcile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// maxVersions bounds how many versions adoption compares a repository with.
const maxVersions = 50

// versioned is a platform that can list the versions of a golden path, the
// newest first, as pairs of version and commit.
type versioned interface {
	Versions(goldenPath string) ([][2]string, error)
}

// Adopted is what adopting a golden path writes, and how well it fits.
type Adopted struct {
	Files map[string]*tree.File
	// Revision is the version that fits the repository best.
	Revision drift.Revision
	// Same, Different and Missing count the golden path's files by how the
	// repository has them.
	Same, Different, Missing int
	// Owned are the golden path's files that another one, which the repository follows
	// already, has there, and its name. They stay the other one's.
	Owned map[string]string
}

// AlreadyError says that a repository follows the golden path already.
type AlreadyError struct{ Name string }

// Error says what to use instead.
func (e *AlreadyError) Error() string {
	return fmt.Sprintf("this repository follows %s already; use syncer check and syncer sync", e.Name)
}

// Adopt makes an existing repository follow a golden path. The version that fits
// the repository best becomes the base, so that the repository's own text counts
// as its edits. Files that are nothing like the golden path's get no base, and
// come up as conflicts in the first sync; files that the repository lacks are
// offered by it. Files of another golden path stay that one's. Where the repository
// follows the golden path and only its lock is lost, the lock alone is made, from the
// inputs in .goldenpath.yaml.
func (s *Syncer) Adopt(ctx context.Context, repo Repository, newest *GoldenPath, given scaffold.Inputs, facts scaffold.Facts) (*Adopted, error) {
	name := newest.Manifest.Name
	st, err := Load(repo)
	var none *NotFollowingError
	switch {
	case errors.As(err, &none) && st != nil: // what its file says beside stays
	case errors.As(err, &none):
		st = &State{Lock: &drift.Lock{GoldenPaths: map[string]*drift.Section{}}}
	case err != nil:
		return nil, err
	default:
		follow, ok := st.Member.Follows(name)
		if ok && st.Lock.GoldenPaths[name] == nil {
			if len(given) > 0 {
				return nil, fmt.Errorf("the inputs of %s are in %s; change them there", name, drift.MemberName)
			}
			return relock(ctx, repo, st, newest, follow, facts)
		}
		if ok {
			return nil, &AlreadyError{name}
		}
	}
	inputs := newest.Infer(given, facts)
	if _, err := newest.Resolve(scaffold.Place{}, inputs); err != nil {
		return nil, err
	}
	a := adoption{repo: repo, newest: newest, inputs: inputs, facts: facts, owned: st.owned(name)}
	best, err := a.bestMatch(ctx)
	if err != nil {
		return nil, err
	}
	return best.write(st, newest.revision.Source, name, newest.Public(inputs))
}

// match is a version and how the repository fits it.
type match struct {
	revision  drift.Revision
	rendering scaffold.Rendering // without what other golden paths own
	ours      tree.Tree
	score     float64
	owned     map[string]string // of what was rendered
}

// adoption looks for the version that a repository fits.
type adoption struct {
	repo   Repository
	newest *GoldenPath
	inputs scaffold.Inputs // of the newest version
	older  bool            // they are of an older one
	facts  scaffold.Facts
	owned  map[string]string // paths of other golden paths, and their names
}

func (a adoption) bestMatch(ctx context.Context) (*match, error) {
	candidates, err := a.candidates(ctx)
	if err != nil {
		return nil, err
	}
	var best *match
	for _, c := range candidates {
		r, revision, err := c.render(scaffold.Place{}, a.inputsOf(c), fullName(a.facts))
		if err != nil {
			continue // its inputs were other ones
		}
		m, err := a.fit(revision, r)
		if err != nil {
			return nil, err
		}
		if best == nil || m.score > best.score {
			best = m
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no version of %s renders with these inputs", a.newest.Manifest.Name)
	}
	return best, nil
}

// candidates returns the versions that the repository is compared with, the newest
// first.
func (a adoption) candidates(ctx context.Context) ([]*GoldenPath, error) {
	newest, candidates := a.newest, []*GoldenPath{a.newest}
	if v, ok := newest.source.Platform.(versioned); ok {
		versions, err := v.Versions(newest.Manifest.Name)
		if err != nil {
			return nil, err
		}
		for _, pair := range versions[:min(len(versions), maxVersions)] {
			if pair[1] == newest.revision.Commit {
				continue
			}
			g, err := newest.source.load(ctx, pair[1], newest.Manifest.Name)
			if err != nil {
				continue // an old version that no longer loads cannot be the base
			}
			candidates = append(candidates, newest.source.at(g, newest.revision.Source, pair[0], pair[1]))
		}
	}
	return candidates, nil
}

// inputsOf returns the inputs as an older version takes them, with what it can infer
// itself.
func (a adoption) inputsOf(c *GoldenPath) scaffold.Inputs {
	if a.older {
		return c.Infer(a.inputs, a.facts)
	}
	return c.Infer(c.takes(a.inputs, a.newest.Manifest.Migrations, a.newest.revision.Version), a.facts)
}

func (a adoption) fit(rev drift.Revision, r scaffold.Rendering) (*match, error) {
	m := &match{revision: rev, rendering: scaffold.Rendering{}, owned: map[string]string{}}
	for p, f := range r {
		if owner, ok := a.owned[p]; ok {
			m.owned[p] = owner
		} else {
			m.rendering[p] = f
		}
	}
	var err error
	if m.rendering, err = stored(a.repo, m.rendering, nil); err != nil {
		return nil, err
	}
	if m.ours, err = a.repo.Files(m.rendering.Paths()); err != nil {
		return nil, err
	}
	for p, f := range m.rendering {
		if o, ok := m.ours[p]; ok && o.Kind.IsFile() {
			m.score += drift.Similarity(f.File.Data, o.Data)
		}
	}
	return m, nil
}

// alike is the least similarity at which the repository's file counts as an
// edited form of the golden path's.
const alike = 0.5

func (m *match) write(st *State, source, name string, inputs scaffold.Inputs) (*Adopted, error) {
	out := &Adopted{Files: map[string]*tree.File{}, Revision: m.revision, Owned: m.owned}
	base := scaffold.Rendering{}
	for p, f := range m.rendering {
		o, ok := m.ours[p]
		switch {
		case !ok || !o.Kind.IsFile():
			out.Missing++
			continue
		case o.Equal(f.File):
			out.Same++
		default:
			out.Different++
		}
		if o.Equal(f.File) || f.Mode == scaffold.Once || drift.Similarity(f.File.Data, o.Data) >= alike {
			base[p] = f
		}
	}
	section := drift.Plan(drift.Request{GoldenPath: name, To: m.revision, Theirs: base, Ours: tree.Tree{}}).Lock
	lock, err := st.withSection(name, section)
	if err != nil {
		return nil, err
	}
	out.Files[drift.LockName] = &tree.File{Kind: tree.Regular, Data: lock}
	text, err := memberWith(st, source, drift.Follow{Name: name, Inputs: inputs})
	out.Files[drift.MemberName] = &tree.File{Kind: tree.Regular, Data: text}
	return out, err
}

// onlyComments reports whether a file says nothing.
func onlyComments(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// memberWith returns .goldenpath.yaml with one more golden path at the end of its
// list; what people wrote stays byte for byte.
func memberWith(st *State, source string, f drift.Follow) ([]byte, error) {
	if st.Member == nil || onlyComments(st.MemberFile) {
		text, err := drift.FormatMember(&drift.Member{Source: source, GoldenPaths: []drift.Follow{f}})
		before := slices.Clone(st.MemberFile) // comments stay
		if len(before) > 0 && !bytes.HasSuffix(before, []byte("\n")) {
			before = append(before, '\n')
		}
		return append(before, text...), err
	}
	if st.Member.Source != source {
		f.Source = source
	}
	return drift.AddFollow(st.MemberFile, f)
}
