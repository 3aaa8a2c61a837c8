// Package reconcile holds the flows that the command line and the service share:
// scaffold a repository, see where it stands, bring it up to date, decide its
// conflicts, adopt one that exists. It joins the pure packages, and declares the
// ports through which it reads golden paths and members.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/nearest"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Platform is where golden paths come from.
type Platform interface {
	// Resolve finds the version of a golden path that a channel, range, tag, branch
	// or commit means; "" is the stable channel. A part that the platform does not
	// have is "".
	Resolve(goldenPath, want string) (version, commit string, err error)
	// Tree returns the files below goldenpaths/ at a commit; "" is the platform as
	// it lies there.
	Tree(ctx context.Context, commit string) (tree.Tree, error)
}

// Repository is a member.
type Repository interface {
	// Files returns those of the paths that exist, as they are now, and what is in the
	// way of others: a folder or submodule at the path itself, or what stands in the
	// place of a folder on the way to it, at its own path.
	Files(paths []string) (tree.Tree, error)
	// Blob returns an object of the repository's history.
	Blob(id tree.BlobID) (data []byte, ok bool, err error)
	// Stored returns files as git stores them when they are added to the repository:
	// what attributes and settings convert is converted. Attributes count as they are
	// once changes are made; nil is a file that goes.
	Stored(files tree.Tree, changes map[string]*tree.File) (tree.Tree, error)
}

// Syncer runs the flows. It opens each source once and sees it as it was then, so
// that everything which one Syncer plans is planned from the same golden paths:
// make one for each command, or for each plan of a fleet. It is safe for concurrent
// use.
type Syncer struct {
	// Open opens a source of golden paths: a location without a version.
	Open func(ctx context.Context, location string) (Platform, error)
	// Split parts PATH-OR-URL[@VERSION].
	Split func(source string) (location, version string, err error)
	// Today is the day as 2006-01-02, on which pins and keeps are judged.
	Today string
	// Policy is what decides over what golden paths and members say about changes that
	// meet; where it is empty they decide.
	Policy policy.Policy
	// Memory tells how other members resolved a conflict; nil remembers nothing.
	Memory Memory

	mu      sync.Mutex
	sources map[string]*source // by location
	sharing *Syncer            // whose sources it uses in place of its own
}

// With returns a Syncer that asks another memory, and plans from the same golden
// paths: for a fleet, in which every member has its own organisation's.
func (s *Syncer) With(m Memory) *Syncer {
	return &Syncer{Open: s.Open, Split: s.Split, Today: s.Today, Policy: s.Policy, Memory: m, sharing: s}
}

// NotFollowingError says that a repository follows no golden path, or not that
// one.
type NotFollowingError struct {
	Name  string
	Known []string
	// Empty is true where there is a .goldenpath.yaml, which names none.
	Empty bool
}

// Error says how to begin, or which names may have been meant.
func (e *NotFollowingError) Error() string {
	if e.Empty {
		return "this repository follows no golden path: its " + drift.MemberName + " names none; begin with syncer adopt NAME"
	}
	if e.Name == "" {
		return "this repository follows no golden path: it has no " + drift.MemberName + "; begin with syncer adopt NAME"
	}
	return fmt.Sprintf("this repository does not follow %q; %s", e.Name, nearest.Hint(e.Name, e.Known))
}

// State is what a member's two files say.
type State struct {
	Member     *drift.Member
	MemberFile []byte
	Lock       *drift.Lock
}

// Load reads the two files of a member. The error is [NotFollowingError],
// document.Problems, or the repository's own. Where .goldenpath.yaml names no golden
// path there is a state with the error.
func Load(repo Repository) (*State, error) {
	files, err := repo.Files([]string{drift.MemberName, drift.LockName})
	if err != nil {
		return nil, err
	}
	for p, f := range files {
		if !f.Kind.IsFile() {
			return nil, fmt.Errorf("%s is a %s, not a file; move it away, or restore the file from the history", p, f.Kind)
		}
	}
	text, ok := files[drift.MemberName]
	if !ok {
		return nil, &NotFollowingError{}
	}
	s := &State{MemberFile: text.Data, Lock: &drift.Lock{GoldenPaths: map[string]*drift.Section{}}}
	var memberErr, lockErr error
	s.Member, memberErr = drift.ParseMember(text.Data)
	if lock, ok := files[drift.LockName]; ok {
		s.Lock, lockErr = drift.ParseLock(lock.Data)
	}
	if err := errors.Join(memberErr, lockErr); err != nil {
		return nil, err
	}
	if s.Member.GoldenPaths == nil && len(s.Lock.GoldenPaths) > 0 {
		return nil, emptied()
	}
	if len(s.Member.GoldenPaths) == 0 {
		return s, &NotFollowingError{Empty: true}
	}
	return s, nil
}

// emptied is the mistake of a file that lost what was in it: to follow nothing any more is
// said in words.
func emptied() error {
	return document.Problems{{
		File: drift.MemberName, Line: 1, Column: 1,
		Message: "there is nothing in it, and " + drift.LockName + " has golden paths",
		Hint:    "restore it: git log -- " + drift.MemberName + ", then git checkout COMMIT -- " + drift.MemberName + "; or, to follow none any more, write goldenPaths: []",
	}}
}

// Names returns the golden paths that the member follows, in the file's order;
// with a name, that one alone.
func (s *State) Names(only string) ([]string, error) {
	var names []string
	for _, f := range s.Member.GoldenPaths {
		names = append(names, f.Name)
	}
	if only == "" {
		return names, nil
	}
	if !slices.Contains(names, only) {
		return nil, &NotFollowingError{Name: only, Known: names}
	}
	return []string{only}, nil
}

// Unfollowed returns the golden paths that the lock knows and the member does not follow
// any more. Their files are the member's own now.
func (s *State) Unfollowed() []string {
	var left []string
	for name := range s.Lock.GoldenPaths {
		if _, follows := s.Member.Follows(name); !follows {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return left
}

// owned returns the paths that other golden paths than name have in the member.
func (s *State) owned(name string) map[string]string {
	owned := map[string]string{}
	for other, section := range s.Lock.GoldenPaths {
		if _, follows := s.Member.Follows(other); other == name || !follows {
			continue
		}
		for p := range section.Files {
			owned[p] = other
		}
	}
	return owned
}

// idle returns the entries of keep that match no file of the golden paths, of which
// the first one renders theirs. While one of them was never rendered nobody knows.
func (s *State) idle(name string, theirs scaffold.Rendering) []string {
	if len(s.Member.Keep) == 0 || s.Member.GoldenPaths[0].Name != name {
		return nil
	}
	paths := theirs.Paths()
	for _, f := range s.Member.GoldenPaths {
		section := s.Lock.GoldenPaths[f.Name]
		if section == nil && f.Name != name {
			return nil
		}
		if section != nil {
			paths = slices.AppendSeq(paths, maps.Keys(section.Files))
		}
	}
	slices.Sort(paths)
	return drift.Idle(s.MemberFile, s.Member.Keep, slices.Compact(paths))
}

// Scaffolded is a new repository's content.
type Scaffolded struct {
	Files    tree.Tree
	Revision drift.Revision
	// After says which steps of the manifest's after were not done: they need
	// GitHub.
	After []string
	// Forgotten are the secrets that were given, and are written nowhere.
	Forgotten []string
}

// Scaffold renders a golden path for a new repository, with its two files. The
// member's file names what was given and inferred; defaults stay the golden path's, so
// that a later version can change them.
func (s *Syncer) Scaffold(g *GoldenPath, given scaffold.Inputs, facts scaffold.Facts) (*Scaffolded, error) {
	name := g.Manifest.Name
	inputs := g.Infer(given, facts)
	if _, err := g.ResolveNew(scaffold.Place{}, inputs); err != nil {
		return nil, err
	}
	r, to, err := g.render(scaffold.Place{}, inputs, fullName(facts))
	if err != nil {
		return nil, err
	}
	if r, err = stored(unborn{r}, r, nil); err != nil {
		return nil, err
	}
	cs := drift.Plan(drift.Request{GoldenPath: name, To: to, Theirs: r, Ours: tree.Tree{}, Today: s.Today})
	files := r.Tree()
	member, err := drift.FormatMember(&drift.Member{Source: to.Source, GoldenPaths: []drift.Follow{{Name: name, Inputs: g.Public(inputs)}}})
	if err != nil {
		return nil, err
	}
	lock, err := (&drift.Lock{GoldenPaths: map[string]*drift.Section{name: cs.Lock}}).Format()
	if err != nil {
		return nil, err
	}
	files[drift.MemberName] = tree.File{Kind: tree.Regular, Data: member}
	files[drift.LockName] = tree.File{Kind: tree.Regular, Data: lock}
	made := &Scaffolded{Files: files, Revision: to, After: slices.Sorted(maps.Keys(g.Manifest.After))}
	for _, input := range slices.Sorted(maps.Keys(inputs)) {
		if g.IsSecret(input) {
			made.Forgotten = append(made.Forgotten, input)
		}
	}
	return made, nil
}

func fullName(facts scaffold.Facts) string {
	owner, _ := facts["owner"].(string)
	name, _ := facts["name"].(string)
	return strings.TrimPrefix(owner+"/"+name, "/")
}

// bases finds what a golden path rendered for files of a lock: by rendering the
// old revision again where that gives the locked bytes, else among the
// repository's objects.
type bases struct {
	ctx      context.Context
	source   *source
	name     string
	section  *drift.Section
	repo     Repository
	rendered map[string]map[tree.BlobID]tree.File // by name of the revision
	// gone says which old revision could not be rendered, and why.
	gone error
	// failed is why the repository's objects could not be read. A plan without a base
	// that exists would be another one.
	failed error
}

func newBases(ctx context.Context, src *source, name string, section *drift.Section, repo Repository) *bases {
	return &bases{ctx: ctx, source: src, name: name, section: section, repo: repo, rendered: map[string]map[tree.BlobID]tree.File{}}
}

func (b *bases) find(path string, l drift.LockedFile) (tree.File, bool) {
	if f, ok := b.rendering(l.Earlier)[l.Blob]; ok {
		return f, true
	}
	data, ok, err := b.repo.Blob(l.Blob)
	if err != nil {
		b.failed = fmt.Errorf("what was rendered for %s: %w", path, err)
	}
	if err != nil || !ok {
		return tree.File{}, false
	}
	return tree.File{Kind: l.Kind, Data: data}, true
}

func (b *bases) rendering(name string) map[tree.BlobID]tree.File {
	if files, ok := b.rendered[name]; ok {
		return files
	}
	rev := b.section.Revision
	if name != "" {
		rev = b.section.Earlier[name]
	}
	files := map[tree.BlobID]tree.File{}
	if r, err := b.source.render(b.ctx, b.name, rev); err != nil {
		b.gone = fmt.Errorf("%s cannot be rendered any more: %w", rev.Name(), err)
	} else {
		for _, f := range r {
			files[f.Blob()] = f.File
		}
		// The lock has what was stored of it, if the repository converts.
		converted, err := stored(b.repo, r, nil)
		if err != nil {
			b.failed = err
		}
		for _, f := range converted {
			files[f.Blob()] = f.File
		}
	}
	b.rendered[name] = files
	return files
}

// crossed returns the migrations that lie between two versions. Going back, they
// are undone in reverse order. Versions that are not semantic cross nothing.
func crossed(ms []scaffold.Migration, from, to string) []scaffold.Migration {
	a, errA := semver.NewVersion(from)
	b, errB := semver.NewVersion(to)
	if errA != nil || errB != nil {
		return nil
	}
	back := b.LessThan(a)
	if back {
		a, b = b, a
	}
	var between []scaffold.Migration
	for _, m := range ms {
		if v, err := semver.NewVersion(m.To); err == nil && v.GreaterThan(a) && !v.GreaterThan(b) {
			if back {
				m.Renames, m.Inputs.Rename = inverse(m.Renames), inverse(m.Inputs.Rename)
				m.Inputs.Withdraw = m.Inputs.Default
				m.Deletes, m.Inputs.Default, m.Inputs.Delete = nil, nil, nil
			}
			between = append(between, m)
		}
	}
	slices.SortStableFunc(between, func(x, y scaffold.Migration) int {
		return semver.MustParse(x.To).Compare(semver.MustParse(y.To))
	})
	if back {
		slices.Reverse(between)
	}
	return between
}

// inverse returns a map's keys by its values: of several with one value the first.
func inverse(m map[string]string) map[string]string {
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if _, twice := out[m[k]]; !twice {
			out[m[k]] = k
		}
	}
	return out
}
