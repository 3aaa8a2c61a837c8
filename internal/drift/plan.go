// Package drift brings a golden path's new version to files that people have
// edited.
//
// [Plan] compares three trees: base, what the golden path rendered when the
// member last took it; ours, the member's files; theirs, what it renders now. It
// returns a [ChangeSet]: for each file an action with its reason, and the lock
// to write with it. A conflict is data, not an error: the member's text stays,
// and the lock keeps the file's old base, so that the conflict comes up again
// until somebody decides ([ChangeSet.Lock], [Resolve]).
//
// No silent loss: whatever of the member's is not in the result is named in a
// change, with what happened to it and why.
package drift

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Request is what a plan is made from.
type Request struct {
	GoldenPath string
	// Locked is the golden path's section of the member's lock; nil where the
	// member does not follow it yet.
	Locked *Section
	To     Revision
	Theirs scaffold.Rendering
	// Ours holds what the member has at every path that Locked or Theirs names, and in
	// the place of a folder on the way to one: files, or what is none.
	Ours tree.Tree
	// Base returns what the golden path rendered for a locked file, or false where
	// that can be neither rendered nor found any more. It is asked only for files
	// that both sides changed.
	Base func(path string, l LockedFile) (tree.File, bool)
	// Renames and Deletes are what migrations between the two versions declare: where
	// files go, and which go though the member has had them for itself since creation.
	Renames map[string]string
	Deletes []string
	Keeps   []Keep
	// Policies decide where changes meet.
	Policies Policies
	Today    string            // the day, as 2006-01-02
	Owned    map[string]string // paths that other golden paths have in the member, and whose they are
	// Handed are files that this golden path takes over from others, which have them no
	// more, by path; Base is asked for what they began from as for its own.
	Handed map[string]Handed
	// Waits says, by path, who is going to take over files of this one's, which has them
	// no more.
	Waits map[string]Taker
}

// Taker is the golden path that takes a file over, and the path at which it has it.
type Taker struct{ GoldenPath, Path string }

// Handed is a file of another golden path's lock.
type Handed struct {
	GoldenPath string
	File       LockedFile
}

// ChangeSet is what a sync would do.
type ChangeSet struct {
	GoldenPath string
	From       *Revision // nil where the member does not follow it yet
	To         Revision
	Changes    []Change // in order of paths
	// Lock is the section to write with the changes.
	Lock *Section
}

// Clean reports whether nothing is left to decide.
func (cs ChangeSet) Clean() bool {
	return !slices.ContainsFunc(cs.Changes, func(c Change) bool { return c.Action == Conflict })
}

// Writes returns the files to write, by path; nil means that the file goes.
func (cs ChangeSet) Writes() map[string]*tree.File {
	w := map[string]*tree.File{}
	for _, c := range cs.Changes {
		if c.From != "" && c.Before != nil {
			w[c.From] = nil
		}
	}
	for _, c := range cs.Changes {
		if c.Changes() {
			w[c.Path] = c.After
		}
	}
	return w
}

// Plan says what brings the member to r.To.
func Plan(r Request) ChangeSet {
	p := newPlanner(r)
	p.lock = &Section{Revision: r.To, Files: map[string]LockedFile{}, Earlier: map[string]Revision{}}
	cs := ChangeSet{GoldenPath: r.GoldenPath, To: r.To}
	if r.Locked != nil {
		cs.From = &r.Locked.Revision
	}
	cs.Changes = r.unobstructed(p.changes())
	p.rememberAll(cs.Changes)
	p.keepDecisions()
	if len(p.lock.Earlier) == 0 {
		p.lock.Earlier = nil
	}
	cs.Lock = p.lock
	return cs
}

type planner struct {
	Request
	moves
	lock *Section
}

func newPlanner(r Request) *planner {
	p := &planner{Request: r}
	p.Ours = onlyFiles(r.Ours)
	if p.Locked == nil {
		p.Locked = &Section{}
	}
	return p
}

func (p *planner) changes() []Change {
	p.findMoves()
	paths := map[string]bool{}
	for path := range p.Locked.Files {
		paths[path] = !p.leaves(path)
	}
	for path := range p.Theirs {
		paths[path] = true
	}
	var cs []Change
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		_, taken := p.stay[path]
		switch owner, owned := p.Owned[path]; {
		case !paths[path]:
		case owned:
			cs = append(cs, p.owned(path, owner)...)
		case taken && p.from[path] == "":
			// The golden path has another file where one is kept that it moved.
		default:
			cs = append(cs, p.change(path, p.from[path]))
		}
	}
	slices.SortStableFunc(cs, func(a, b Change) int { return strings.Compare(a.Path, b.Path) }) // some stay at their old paths
	return cs
}

// change decides about one path; from is where the golden path had the file
// before, if it moved it.
func (p *planner) change(path, from string) Change {
	at := path
	if from != "" {
		at = from
	} else if p.leaves(path) {
		at = "" // another file had this path, and has a new one
	}
	locked, known := p.locked(at)
	f := facts{path: path, mode: locked.Mode, ours: get(p.Ours, at), policies: p.Policies}
	f.deleted = locked.Deleted || slices.Contains(p.Deletes, at)
	if t, ok := p.Theirs[path]; ok {
		f.theirs, f.mode = &t.File, t.Mode
	}
	f.decided = p.Locked.decided(path, f.of)
	if f.ours != nil {
		locked = locked.returned()
	}
	if known {
		f.compare(locked, p.Theirs[path])
		p.findBase(&f, at, locked)
	}
	if taker, waits := p.Waits[path]; waits && f.theirs == nil {
		as := ","
		if taker.Path != path {
			as = ", as " + taker.Path + ","
		}
		reason := fmt.Sprintf("the golden path %s has this file now%s and takes it over", taker.GoldenPath, as)
		return Change{Path: path, Action: Elsewhere, Reason: reason, Mode: f.mode, Before: f.ours, After: f.ours, For: taker.GoldenPath, at: at, to: path, goes: f.deleted}
	}
	if at == "" && p.staysOnce(path) {
		f.ours = get(p.Ours, path)
	}
	var c Change
	k, held := p.keepFor(at, path)
	if held {
		c, held = p.keep(f, at, k)
	}
	if !held {
		c = f.decide()
	}
	c.at, c.to, c.goes = at, path, f.deleted
	if h, ok := p.Handed[at]; ok {
		c.Reason = fmt.Sprintf("from the golden path %s, which has it no more; %s", h.GoldenPath, c.Reason)
	}
	if held || from == "" || f.ours == nil {
		return c
	}
	return p.movedChange(c, from)
}

// owned tells of a file that another golden path has in the member, unless both want
// the same there.
func (p *planner) owned(path, owner string) []Change {
	t, wanted := p.Theirs[path]
	f := get(p.Ours, path)
	if !wanted || f != nil && f.Equal(t.File) {
		return nil
	}
	return []Change{{
		Path: path, Action: Elsewhere, Mode: t.Mode, Before: f, After: f,
		Reason: fmt.Sprintf("the golden path %s has another file here, so that this one's is not written; one file has one owner", owner),
	}}
}

func (p *planner) movedChange(c Change, from string) Change {
	if c.Mode == scaffold.Once && !p.makesRoom(from) {
		c.Reason = fmt.Sprintf("the golden path has it at %s now; yours stays where it is, since creation", c.Path)
		c.Path, c.After = from, c.Before
		return c
	}
	c.From = from
	c.Reason = fmt.Sprintf("moved from %s in the golden path; %s", from, c.Reason)
	if c.Action == Same || c.Action == Yours || c.Action == Update || c.Action == Merged {
		c.Action = Rename
	}
	return c
}

// compare tells by object ids which side is as the base was. Ours is hashed only
// where it differs from theirs, whose id the rendering has.
func (f *facts) compare(locked LockedFile, theirs scaffold.Rendered) {
	f.hadBase, f.partly = locked.Blob != "", len(locked.Holes) > 0
	f.theirsIsBase = f.theirs != nil && theirs.File.Kind == locked.Kind && theirs.Blob() == locked.Blob
	switch {
	case f.ours == nil:
	case f.theirs != nil && f.ours.Equal(*f.theirs):
		f.oursIsBase = f.theirsIsBase
	default:
		f.oursIsBase = f.ours.Kind == locked.Kind && f.ours.Blob() == locked.Blob
	}
}

// findBase looks the base up where the table will need its content.
func (p *planner) findBase(f *facts, at string, locked LockedFile) {
	if !f.hadBase {
		return
	}
	if f.ours == nil || f.theirs == nil {
		if f.ours != nil && !f.oursIsBase || f.theirs != nil && !f.theirsIsBase {
			f.base = p.base(at, locked) // for the conflict's data
		}
		return
	}
	if f.ours.Equal(*f.theirs) || f.mode != scaffold.Block && (f.oursIsBase || f.theirsIsBase && !f.partly) {
		return
	}
	f.base = p.base(at, locked)
	f.baseGone = f.base == nil
	if f.base == nil {
		return
	}
	ended := f.sameEnds()
	if f.partly || ended {
		f.theirsIsBase = f.base.Equal(*f.theirs)
		f.partly = f.partly && !f.theirsIsBase
		f.oursIsBase = f.base.Equal(*f.ours)
	}
}

// sameEnds gives the base the line ends that both sides have now, and reports whether
// it had others: the repository began to store them otherwise, which is no change of
// anybody's.
func (f *facts) sameEnds() bool {
	crlf := bytes.Contains(f.base.Data, []byte("\r\n"))
	if f.base.Kind.IsLink() || !crlf || bytes.Contains(f.ours.Data, []byte("\r\n")) || bytes.Contains(f.theirs.Data, []byte("\r\n")) {
		return false
	}
	b := tree.File{Kind: f.base.Kind, Data: bytes.ReplaceAll(f.base.Data, []byte("\r\n"), []byte("\n"))}
	f.base = &b
	return true
}

// locked returns what a lock says about a file: this golden path's, or that of the one
// which hands the file over.
func (p *planner) locked(path string) (LockedFile, bool) {
	l, known := p.Locked.Files[path]
	if !known {
		h, handed := p.Handed[path]
		return h.File, handed
	}
	return l, known
}

func (p *planner) base(at string, locked LockedFile) *tree.File { return locked.base(at, p.Base) }

// base returns what the member's file began from; nil where that is not to be had.
func (l LockedFile) base(at string, find func(string, LockedFile) (tree.File, bool)) *tree.File {
	text, ok := l.text()
	b := tree.File{Data: text}
	if !ok && find != nil {
		b, ok = find(at, l)
	}
	if !ok || b.Blob() != l.Blob {
		return nil
	}
	b.Kind = l.Kind
	if b.Data, ok = filled(b.Data, l.Holes); !ok {
		return nil
	}
	return &b
}

// keepFor returns the entry of keep that holds for a file, which the lock has at at.
func (p *planner) keepFor(at, path string) (Keep, bool) {
	if k, ok := p.stay[at]; ok {
		return k, true
	}
	return p.kept(at, path)
}

// keep holds back what the golden path would do to a file that .goldenpath.yaml
// keeps, if it would do something: at is where the lock has the file.
func (p *planner) keep(f facts, at string, k Keep) (Change, bool) {
	_, stays := p.stay[at]
	moves := stays && at != f.path && f.ours != nil
	if c := f.decide(); !moves && (c.Action == Same || c.Action == Yours) {
		return Change{}, false
	}
	reason := "kept: " + k.Reason
	if k.Until != "" {
		reason += " (until " + k.Until + ")"
	}
	if moves {
		reason += fmt.Sprintf("; the golden path has it at %s now", f.path)
		if _, another := p.Theirs[at]; another && p.from[at] == "" {
			reason += ", and another file here"
		}
	}
	return Change{Path: cmp.Or(at, f.path), Mode: f.mode, Action: Kept, Reason: reason, Before: f.ours, After: f.ours}, true
}

func get(t tree.Tree, path string) *tree.File {
	if f, ok := t[path]; ok {
		return &f
	}
	return nil
}

// rememberAll writes the lock's entries. What is left undone at a path counts for more
// than that a file which stays elsewhere has its new one there.
func (p *planner) rememberAll(cs []Change) {
	for _, done := range []bool{true, false} {
		for _, c := range cs {
			if (c.Action != Elsewhere || c.For != "") && c.applied == done {
				p.remember(c)
			}
		}
	}
}

// remember writes the lock's entry for a change. Where the golden path's file was
// applied in part, the base is what was applied; where not at all, it stays what it
// was.
func (p *planner) remember(c Change) {
	if c.Action == Kept || c.For != "" {
		// At the old path, so that it is found to have moved again when the keep ends.
		path := cmp.Or(c.at, c.to)
		p.lock.Files[path] = p.held(c, path)
		return
	}
	t, inTheirs := p.Theirs[c.to]
	was, known := p.locked(c.at)
	switch {
	case c.applied && !inTheirs:
	case c.applied && c.Mode == scaffold.Once && known && was.Blob != "" && was.Blob != t.Blob():
		// The base stays what the member was given at creation: what the golden path
		// changed since then never came.
		p.lock.Files[c.to] = p.held(c, c.to)
	case c.applied:
		l := p.given(c, t)
		if c.Before == nil && c.After == nil && was.Blob != "" {
			l.decline(was)
		}
		p.lock.Files[c.to] = l
	default:
		p.lock.Files[c.to] = p.open(c, t)
	}
}

// given is the entry of a file of which the member has all that it is to have.
func (p *planner) given(c Change, t scaffold.Rendered) LockedFile {
	l := lockedFile(c.to, t)
	if c.After != nil && !c.After.Equal(t.File) && c.Mode != scaffold.Once {
		if p.To.Commit == "" { // nobody could render it again
			l.keep(t.File)
		}
	}
	return l
}

// open is the entry of a file with something to decide.
func (p *planner) open(c Change, t scaffold.Rendered) LockedFile {
	f := facts{path: c.to, mode: c.Mode, theirs: &t.File, decided: p.Locked.decided(c.to, t.Blob), policies: p.Policies}
	holes, ok := f.holes(c, t.File)
	if !ok {
		return p.held(c, c.to)
	}
	l := p.given(c, t)
	l.Holes, l.Open = holes, true
	return l
}

// held is the entry, at a path, of a file whose base stays.
func (p *planner) held(c Change, path string) LockedFile {
	l, known := p.locked(c.at)
	if _, handed := p.Handed[c.at]; handed && p.Base != nil {
		if f, ok := p.Base(c.at, l); ok {
			l.keep(f) // its revision is another golden path's
		}
	}
	if !known {
		l = LockedFile{Kind: tree.Regular}
	} else if l.Blob != "" {
		l.Earlier = p.earlier(l.Earlier)
		from := l.BasePath(c.at)
		if from == path {
			from = ""
		}
		l.setFrom(from)
	}
	l.Mode, l.Open, l.Deleted = c.Mode, c.Action == Conflict, c.goes
	return l
}

func lockedFile(path string, t scaffold.Rendered) LockedFile {
	l := LockedFile{Mode: t.Mode, Kind: t.File.Kind, Blob: t.Blob()}
	if t.Origin != path {
		l.Origin = t.Origin
	}
	return l
}

// origin returns the source of a locked file.
func (l LockedFile) origin(path string) string {
	if l.Origin != "" {
		return l.Origin
	}
	return path
}

// earlier returns the name, in the new lock, of the revision that the old lock
// calls name.
func (p *planner) earlier(name string) string {
	rev := p.Locked.Revision
	if name != "" {
		rev = p.Locked.Earlier[name]
	}
	for n, r := range p.lock.Earlier {
		if reflect.DeepEqual(r, rev) {
			return n
		}
	}
	for i := 1; ; i++ {
		n := fmt.Sprintf("r%d", i)
		if _, taken := p.lock.Earlier[n]; !taken {
			p.lock.Earlier[n] = rev
			return n
		}
	}
}

func (p *planner) keepDecisions() {
	for _, d := range p.Locked.Decisions {
		if _, ok := p.lock.Files[d.Path]; ok {
			p.lock.Decisions = append(p.lock.Decisions, d)
		}
	}
}
