package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/Masterminds/semver/v3"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Planned is what a sync of one golden path would do to a member.
type Planned struct {
	drift.ChangeSet
	Following drift.Follow
	// Files is where each file of the lock stands before the sync.
	Files []drift.FileState
	// Behind is true where the golden path or the inputs changed since the lock.
	Behind bool
	// Why says in words why the member is behind though it has that version; "" where it
	// is a newer one, or the member is not behind.
	Why string
	// Unfollowed are the golden paths that the lock has and the member follows no more;
	// the sync forgets them.
	Unfollowed []string
	// Unlocked is true where the lock says nothing about the golden path: it is new
	// here, or the lock was lost.
	Unlocked bool
	// BaseGone says which revision that the lock names could not be rendered any more,
	// and why, where that was needed.
	BaseGone error
	// Idle says which entries of keep match no file, each with its place. It is told
	// with the first golden path that the member follows.
	Idle []string

	state    *State
	repo     Repository
	ours     tree.Tree
	theirs   scaffold.Rendering
	policies drift.Policies
}

// Decided tells what the member's lock says people decided, as far as its policies let
// others learn from it.
func (p *Planned) Decided() []drift.Choice {
	section := p.state.Lock.GoldenPaths[p.Following.Name]
	if section == nil {
		return nil
	}
	return p.policies.Learned(section.Choices())
}

// Plan says what brings one golden path of the member to the version that it
// follows, or to another one where to is not "".
func (s *Syncer) Plan(ctx context.Context, repo Repository, st *State, name, to string) (*Planned, error) {
	return s.plan(ctx, repo, st, name, to, nil)
}

// Begin is Plan for a repository that is new: inputs that its file does not give
// are inferred from what is known of the repository, and are written to the file.
func (s *Syncer) Begin(ctx context.Context, repo Repository, st *State, name string, known scaffold.Facts) (*Planned, error) {
	return s.plan(ctx, repo, st, name, "", known)
}

// Try is Plan for golden paths that somebody else renders: what the sync would do, were
// the offers those of the platform, and the version the one at commit.
func (s *Syncer) Try(ctx context.Context, repo Repository, st *State, name, commit string, offers map[string]Offer) (*Planned, error) {
	follow, err := following(st, name)
	if err != nil {
		return nil, err
	}
	on := trial{follow.Source, commit, offers}
	g, err := s.candidateOf(ctx, follow, on)
	if err != nil {
		return nil, err
	}
	return s.planTo(ctx, repo, st, follow, g, nil, on)
}

func (s *Syncer) plan(ctx context.Context, repo Repository, st *State, name, to string, known scaffold.Facts) (*Planned, error) {
	follow, err := following(st, name)
	if err != nil {
		return nil, err
	}
	if to == "" {
		to = follow.Wanted(s.Today)
	}
	g, err := s.GoldenPath(ctx, follow.Source, name, to)
	if err != nil {
		return nil, err
	}
	return s.planTo(ctx, repo, st, follow, loaded(g), known, trial{})
}

func following(st *State, name string) (drift.Follow, error) {
	follow, ok := st.Member.Follows(name)
	if !ok {
		names, _ := st.Names("")
		return follow, &NotFollowingError{Name: name, Known: names}
	}
	return follow, nil
}

func (s *Syncer) planTo(ctx context.Context, repo Repository, st *State, follow drift.Follow, g candidate, known scaffold.Facts, on trial) (*Planned, error) {
	name := follow.Name
	locked := st.Lock.GoldenPaths[name]
	if locked == nil {
		locked = &drift.Section{Files: map[string]drift.LockedFile{}}
	}
	p := &Planned{Following: follow, Unfollowed: st.Unfollowed(), Unlocked: st.Lock.GoldenPaths[name] == nil, state: st}
	migrations := migrations(ctx, g, locked)
	inputs, edits := migrateInputs(follow.Inputs, migrations, g.declares)
	at := st.inputsOf(name)
	if err := refuseSecrets(g.secret, at, inputs); err != nil {
		return nil, err
	}
	repository := locked.Repository
	if known != nil {
		given := inputs
		inputs, repository = g.loaded.Infer(inputs, known), fullName(known)
		for name, v := range g.loaded.Public(inputs) {
			if _, has := given[name]; !has {
				edits.Add[name] = v
			}
		}
	}
	theirs, revision, err := g.render(at, inputs, repository)
	if err != nil {
		return nil, err
	}
	ours, err := repo.Files(union(locked, theirs))
	if err != nil {
		return nil, err
	}
	p.repo, p.ours = repo, ours
	b := newBases(ctx, g.source, name, locked, repo)
	renames := renamesOf(migrations, g, locked)
	over := s.handover(ctx, repo, st, side{name, g.source, locked, theirs, renames}, ours, on)
	maps.Copy(ours, over.ours)
	maps.Copy(renames, over.moved)
	policies, memory := s.policies(ctx, st, g.merge, locked, theirs)
	policies.Between = (&between{ctx: ctx, source: g.source, repo: repo, name: name, locked: locked, to: revision, migrations: g.migrations}).of
	p.policies = policies
	p.ChangeSet, p.theirs, err = planStored(repo, drift.Request{
		GoldenPath: name, Locked: locked, To: revision, Theirs: theirs, Ours: ours, Base: over.find(b.find),
		Renames: renames, Deletes: deletes(migrations), Keeps: st.Member.Keep, Today: s.Today, Policies: policies,
		Owned: over.owned, Handed: over.handed, Waits: over.waits,
	})
	if err != nil {
		return nil, err
	}
	p.Files = drift.Status(locked, ours, b.find)
	p.Behind = changed(locked, p.Lock) || slices.ContainsFunc(p.Changes, func(c drift.Change) bool { return pending(locked, c) })
	p.Why = p.behindIn(locked)
	p.BaseGone = b.gone
	p.Idle = st.idle(name, theirs)
	if err := errors.Join(b.failed, over.failed(), memory.failed); err != nil {
		return nil, err
	}
	return p, p.addChange(edits, g.secret)
}

// behindIn says why the member is behind, where it has that version of the golden path.
func (p *Planned) behindIn(locked *drift.Section) string {
	switch {
	case !p.Behind || p.Unlocked:
		return ""
	case locked.Digest != p.Lock.Digest:
		if locked.Name() != p.Lock.Name() {
			return ""
		}
		return "the golden path changed without a new version"
	case !sameInputs(locked.Inputs, p.Lock.Inputs):
		return "the inputs changed"
	}
	return "not all of it is here"
}

// pending reports whether a change brings something of the golden path's that the
// member never had, as after an adoption, or that was held back. What only undoes
// drift is not that.
func pending(locked *drift.Section, c drift.Change) bool {
	_, had := locked.Files[c.Path]
	switch c.Action {
	case drift.Create:
		return !had
	case drift.Update, drift.Merged, drift.Delete, drift.Rename:
		return c.Changes()
	}
	// One that the lock has as open is told as such.
	return c.Action == drift.Conflict && !locked.Files[c.Path].Open
}

// changed reports whether the golden path renders something else than what the
// lock was written for.
func changed(before, after *drift.Section) bool {
	if before.Digest == after.Digest && before.Version == after.Version && before.Repository == after.Repository && sameInputs(before.Inputs, after.Inputs) {
		return false
	}
	return before.Digest != after.Digest || !maps.EqualFunc(before.Files, after.Files, func(x, y drift.LockedFile) bool { return x.Blob == y.Blob && x.Kind == y.Kind })
}

func sameInputs(a, b scaffold.Inputs) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// migrations returns the migrations that the sync crosses. Going back, they are
// those of the version that the member has now, which knows more of them.
func migrations(ctx context.Context, g candidate, locked *drift.Section) []scaffold.Migration {
	ms := g.migrations
	if locked.Commit != "" && isBefore(g.revision.Version, locked.Version) {
		if now, err := g.source.load(ctx, locked.Commit, g.name); err == nil {
			ms = now.Manifest.Migrations
		}
	}
	return crossed(ms, locked.Version, g.revision.Version)
}

func isBefore(a, b string) bool {
	x, errX := semver.NewVersion(a)
	y, errY := semver.NewVersion(b)
	return errX == nil && errY == nil && x.LessThan(y)
}

// renames joins migrations: where each file goes that has its name before the first
// of them. The renames of one migration are one step; a map has no order to chain
// them in.
func renames(ms []scaffold.Migration) map[string]string {
	all := map[string]string{}
	for _, m := range ms {
		for first, last := range all {
			if to, ok := m.Renames[last]; ok {
				all[first] = to
			}
		}
		for from, to := range m.Renames {
			if _, moved := all[from]; !moved {
				all[from] = to
			}
		}
	}
	return all
}

// renamesOf is [renames], and for files that were held back those since the version
// that their base is from.
func renamesOf(ms []scaffold.Migration, g candidate, locked *drift.Section) map[string]string {
	all := renames(ms)
	since := map[string]map[string]string{}
	for path, l := range locked.Files {
		from := locked.Earlier[l.Earlier].Version
		if l.Earlier == "" || !isBefore(from, g.revision.Version) {
			continue
		}
		if since[l.Earlier] == nil {
			since[l.Earlier] = renames(crossed(g.migrations, from, g.revision.Version))
		}
		if to, moved := since[l.Earlier][l.BasePath(path)]; moved {
			all[path] = to // where it is already, if it was held back there
		}
	}
	return all
}

// deletes returns the files that migrations say go, by the names that they have before
// the first of them.
func deletes(ms []scaffold.Migration) []string {
	var all []string
	for i, m := range ms {
		names := map[string]string{} // by what the file is called when the migration comes
		for first, last := range renames(ms[:i]) {
			names[last] = first
		}
		for _, path := range m.Deletes {
			if first, moved := names[path]; moved {
				path = first
			}
			all = append(all, path)
		}
	}
	return all
}

func union(locked *drift.Section, theirs scaffold.Rendering) []string {
	paths := map[string]bool{}
	for p := range locked.Files {
		paths[p] = true
	}
	for p := range theirs {
		paths[p] = true
	}
	return slices.Sorted(maps.Keys(paths))
}

// Writes returns every file that the sync writes, its own two among them; nil
// means that a file goes. It is empty where nothing changes.
func (p *Planned) Writes() (map[string]*tree.File, error) {
	w := p.ChangeSet.Writes()
	lock, err := p.state.withSection(p.GoldenPath, p.Lock)
	if err != nil {
		return nil, err
	}
	before, err := p.state.Lock.Format()
	if err != nil {
		return nil, err
	}
	if string(before) != string(lock) {
		w[drift.LockName] = &tree.File{Kind: tree.Regular, Data: lock}
	}
	return w, nil
}

// Left is where each file of the golden path stands once the sync is done.
func (p *Planned) Left() []drift.FileState {
	after := maps.Clone(p.ours)
	for path, f := range p.ChangeSet.Writes() {
		if delete(after, path); f != nil {
			after[path] = *f
		}
	}
	return drift.Status(p.Lock, after, func(path string, l drift.LockedFile) (tree.File, bool) {
		if t, ok := p.theirs[path]; ok && t.Blob() == l.Blob {
			return t.File, true
		}
		data, ok, err := p.repo.Blob(l.Blob)
		return tree.File{Kind: l.Kind, Data: data}, ok && err == nil
	})
}

// withSection returns the lock's bytes with one section replaced, and without those
// of golden paths that are not followed any more.
func (s *State) withSection(name string, section *drift.Section) ([]byte, error) {
	l := &drift.Lock{GoldenPaths: maps.Clone(s.Lock.GoldenPaths)}
	if s.Member != nil {
		for _, left := range s.Unfollowed() {
			delete(l.GoldenPaths, left)
		}
	}
	l.GoldenPaths[name] = section
	return l.Format()
}

// Resolution is a decision about a file, and what it comes to.
type Resolution struct {
	GoldenPath string
	Writes     map[string]*tree.File // nil: the file goes
	// Open is how many conflicts of the file are still to be decided.
	Open    int
	Choices []drift.Choice
}

// Resolve decides every conflict of one file of the member, or takes what is
// suggested for it.
func (s *Syncer) Resolve(ctx context.Context, repo Repository, st *State, path string, take drift.Side) (*Resolution, error) {
	for _, name := range slices.Sorted(maps.Keys(st.Lock.GoldenPaths)) {
		if section := st.Lock.GoldenPaths[name]; section.Files[path].Open {
			return s.resolve(ctx, repo, st, name, section, path, take)
		}
	}
	all := &drift.Section{Files: map[string]drift.LockedFile{}}
	for _, section := range st.Lock.GoldenPaths {
		maps.Copy(all.Files, section.Files)
	}
	_, err := drift.Resolving{Locked: all, Path: path}.Resolve(take)
	return nil, err
}

// renderLocked renders what a lock says was rendered, from the source that the
// member names today, or else from the one of that time.
func (s *Syncer) renderLocked(ctx context.Context, st *State, name string, section *drift.Section) (*source, *scaffold.GoldenPath, scaffold.Rendering, error) {
	sources := []string{section.Source}
	if follow, ok := st.Member.Follows(name); ok && follow.Source != section.Source {
		sources = []string{follow.Source, section.Source}
	}
	var errs []error
	for _, from := range sources {
		src, g, r, err := s.renderFrom(ctx, from, name, section)
		if err == nil {
			return src, g, r, nil
		}
		errs = append(errs, err)
	}
	return nil, nil, nil, errors.Join(errs...)
}

func (s *Syncer) renderFrom(ctx context.Context, from, name string, section *drift.Section) (*source, *scaffold.GoldenPath, scaffold.Rendering, error) {
	src, _, err := s.open(ctx, from)
	if err != nil {
		return nil, nil, nil, err
	}
	g, err := src.load(ctx, section.Commit, name)
	if err != nil {
		return nil, nil, nil, err
	}
	r, err := src.render(ctx, name, section.Revision)
	return src, g, r, err
}

func (s *Syncer) resolve(ctx context.Context, repo Repository, st *State, name string, section *drift.Section, path string, take drift.Side) (*Resolution, error) {
	src, g, theirs, err := s.renderLocked(ctx, st, name, section)
	if err != nil {
		return nil, fmt.Errorf("the version %s of %s, which the conflict is about, cannot be rendered: %w", section.Name(), name, err)
	}
	if t, ok := theirs[path]; ok && section.Digest != "" && g.Digest != section.Digest {
		return nil, fmt.Errorf("%s changed since the last sync, from which the conflict in %s (%s) comes; run syncer sync first", name, path, t.Origin)
	}
	if theirs, err = stored(repo, theirs, nil); err != nil {
		return nil, err
	}
	files, err := repo.Files([]string{path})
	if err != nil {
		return nil, err
	}
	if what := drift.InTheWay(files, path, nil); what != "" && take != drift.Ours {
		return nil, fmt.Errorf("%s cannot be taken from the golden path while %s; move that away first, or take ours", path, what)
	}
	var ours *tree.File
	if f, ok := files[path]; ok && f.Kind.IsFile() {
		ours = &f
	}
	b := newBases(ctx, src, name, section, repo)
	policies, memory := s.policies(ctx, st, g.MergeRules(), section, theirs)
	policies.Between = (&between{ctx: ctx, source: src, repo: repo, name: name, locked: section, to: section.Revision, migrations: g.Manifest.Migrations}).of
	resolved, err := drift.Resolving{Locked: section, Path: path, Ours: ours, Theirs: theirs, Base: b.find, Policies: policies}.Resolve(take)
	if err := errors.Join(err, b.failed, memory.failed); err != nil {
		return nil, err
	}
	lock, err := st.withSection(name, resolved.Section)
	if err != nil {
		return nil, err
	}
	out := &Resolution{
		GoldenPath: name, Writes: map[string]*tree.File{drift.LockName: {Kind: tree.Regular, Data: lock}},
		Open: resolved.Open, Choices: policies.Learned(resolved.Choices),
	}
	if what := drift.InTheWay(files, path, nil); what != "" {
		return out, nil // what is in the way stays
	}
	if after := resolved.After; (after == nil) != (ours == nil) || after != nil && !after.Equal(*ours) {
		out.Writes[path] = after
	}
	return out, nil
}
