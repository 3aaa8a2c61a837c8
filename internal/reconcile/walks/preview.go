package walks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// previewName is the check run on pull requests to the platform repository.
const previewName = "golden paths"

// PreviewKey begins the key of that check; the pull request's number follows.
const PreviewKey = "preview "

// Change is a pull request to the platform repository, or a group in its merge queue,
// at one of its commits.
type Change struct {
	Number int // 0: a merge group
	Head   string
	Closed bool
}

// Preview shows what a change of golden paths will do to every member, before it is
// merged: it is the same computation as Sync without what it writes. Nobody has looked
// at the change yet, so it is rendered in isolation, wherever it comes from.
func (w *Walks) Preview(ctx context.Context, change Change) error {
	c := w.Hub.Client(w.Platform, toCheck, true)
	check := Check{Commit: change.Head, Name: previewName, Key: PreviewKey + strconv.Itoa(change.Number), Status: "completed"}
	if change.Closed {
		check.Conclusion, check.Title, check.Summary = "cancelled", "Closed", "It was closed before what it does was computed."
		return c.CancelCheck(ctx, check)
	}
	started := check
	started.Status, started.Title, started.Summary = "in_progress", "Looking at every member", "What the change does to each member is being computed."
	if err := c.EnsureCheck(ctx, started); err != nil {
		return err
	}
	e, err := w.effect(ctx, c, change.Head)
	hostile, isHostile := errors.AsType[*HostileError](err)
	switch {
	case errors.Is(err, errSuperseded):
		check.Conclusion, check.Title, check.Summary = "cancelled", "Superseded", "It was closed, or has newer commits, before what it does was computed."
		err = nil
	case isHostile:
		check.Conclusion, check.Title = "failure", "Rendering it was stopped"
		check.Summary = "Rendering the golden paths as they are here was stopped, because of what they are:\n\n" + fenced(hostile.Error())
		err = nil
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		check.Conclusion, check.Title = "neutral", "Took too long"
		check.Summary = "What the change does could not be computed in the time that one job may take (job-timeout). It is tried again:\n\n" + fenced(err.Error())
	case err != nil:
		check.Conclusion, check.Title = "neutral", "Could not be computed"
		check.Summary = "What the change does could not be computed:\n\n" + fenced(err.Error())
	default:
		e.report(&check)
	}
	last, done := lastWord(ctx)
	defer done()
	return errors.Join(c.EnsureCheck(last, check), err)
}

// lastWordTime is how long it may take to say that the time is over.
const lastWordTime = 20 * time.Second

// lastWord is ctx, or, where its time is over, one with a little more: what says in
// GitHub that it is in progress must not say so for ever.
func lastWord(ctx context.Context) (context.Context, context.CancelFunc) {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), lastWordTime)
}

// errSuperseded says that newer work replaces this.
var errSuperseded = errors.New("newer work replaces it")

// effect is what a change does to the fleet.
type effect struct {
	problems scaffold.Problems
	paths    []pathEffect
}

// pathEffect is what a change of one golden path does to its members.
type pathEffect struct {
	name      string
	untouched int
	failed    []string // with the reason
	groups    map[string]*group
	foreseen  map[string]*foreseen // by path and resolver
}

// group is members to whom exactly the same happens.
type group struct {
	members   []string // by name, as far as whoever reads the check may know it
	hidden    int      // the others
	conflicts int      // files to decide in each
	files     int
	summary   string
}

func (g *group) size() int { return len(g.members) + g.hidden }

// preview is one look at a change.
type preview struct {
	*Walks
	syncer *reconcile.Syncer
	head   string
	offers map[string]reconcile.Offer
	public bool // everybody may read the platform repository and its checks
}

func (w *Walks) effect(ctx context.Context, c Client, head string) (*effect, error) {
	look, err := c.Look(ctx, Ask{})
	if err != nil {
		return nil, err
	}
	whole, err := w.filesAt(ctx, c, head)
	if err != nil {
		return nil, err
	}
	untrusted, err := w.Isolate(ctx, whole)
	if err != nil {
		return nil, err
	}
	defer untrusted.Close()
	offers := untrusted.Offers()
	v := &preview{Walks: w, syncer: w.syncer(w.Platform), head: head, offers: offers, public: look.Repository.Visibility == "public"}
	e := &effect{problems: untrusted.Problems()}
	for _, name := range slices.Sorted(maps.Keys(offers)) {
		p := pathEffect{name: name, groups: map[string]*group{}, foreseen: map[string]*foreseen{}}
		var some []Record
		err = w.Registry.Following(ctx, name, func(r Record) error {
			if r.Source != w.PlatformURL || r.Digest == offers[name].Digest {
				p.untouched++
				return nil
			}
			if some = append(some, r); len(some) < previewed {
				return nil
			}
			err := v.onSome(ctx, &p, some)
			some = some[:0]
			return err
		})
		if err == nil {
			err = v.onSome(ctx, &p, some)
		}
		if err != nil {
			return nil, err
		}
		e.paths = append(e.paths, p)
	}
	return e, nil
}

// filesAt returns the golden paths at a commit of the platform repository. What no
// branch leads to, because it comes from a fork, is read from GitHub; most of it is on
// the default branch too, and known by its id.
func (w *Walks) filesAt(ctx context.Context, c Client, commit string) (tree.Tree, error) {
	src, err := w.Platforms.Latest(ctx, w.Platform, w.PlatformURL)
	if err != nil {
		return nil, err
	}
	if whole, err := src.Whole(ctx, commit); err == nil {
		return whole, nil
	}
	_, trusted, err := src.Resolve("", "")
	if err != nil {
		return nil, err
	}
	base, err := src.Whole(ctx, trusted)
	if err != nil {
		return nil, err
	}
	known := make(map[tree.BlobID][]byte, len(base))
	for _, f := range base {
		known[f.Blob()] = f.Data
	}
	return c.Folder(ctx, commit, scaffold.Root, known)
}

// previewed is how many members are looked at in one request.
const previewed = 20

// onSome adds what the change does to some members.
func (v *preview) onSome(ctx context.Context, e *pathEffect, some []Record) error {
	asks := map[Place]Ask{}
	for _, r := range some {
		asks[r.At] = Ask{Contents: append(slices.Clone(ownFiles), r.Paths...)}
	}
	looks, err := v.Hub.LookAll(ctx, asks)
	if err != nil {
		return err
	}
	for _, r := range some {
		if newer, err := v.Queue.Superseded(ctx); err != nil || newer {
			return cmp.Or(err, errSuperseded)
		}
		c := v.Hub.Client(r.At, toRead, false)
		look, seen := looks[r.At]
		var err error
		if !seen {
			look, err = c.Look(ctx, asks[r.At])
		}
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotReady) {
			continue
		}
		if err != nil {
			return err
		}
		if err := v.on(ctx, e, r, newSnapshot(ctx, c, look, asks[r.At].Contents), look); err != nil {
			return err
		}
	}
	return nil
}

// on adds what the change does to one member. A member that cannot be read is told,
// and is no reason to say nothing about the others.
func (v *preview) on(ctx context.Context, e *pathEffect, r Record, repo *snapshot, look Look) error {
	name := look.Repository.FullName()
	if v.public && look.Repository.Visibility != "public" {
		name = ""
	}
	st, err := reconcile.Load(repo)
	var p *reconcile.Planned
	if err == nil {
		p, err = v.syncer.With(v.memory(r.At)).Try(ctx, repo, st, e.name, v.head, v.offers)
	}
	if notFollowing(err) {
		return nil // any more, and the record does not know yet
	}
	if _, hostile := errors.AsType[*HostileError](err); hostile || ctx.Err() != nil {
		return err
	}
	if err != nil {
		e.failed = append(e.failed, cmp.Or(name, "a private repository")+": "+err.Error())
		return nil //nolint:nilerr // it is in the report
	}
	if !p.Behind && p.Clean() {
		e.untouched++
		return nil
	}
	e.foresee(p, name != "")
	key, files, conflicts := fingerprint(p)
	g := e.groups[key]
	if g == nil {
		g = &group{files: files, conflicts: conflicts, summary: summary(p)}
		e.groups[key] = g
	}
	if name == "" {
		g.hidden++
	} else {
		g.members = append(g.members, name)
	}
	return nil
}

// fingerprint identifies what happens to a member's files by what changes in them,
// so that members with other names and ports in the same files count as alike.
func fingerprint(p *reconcile.Planned) (key string, files, conflicts int) {
	var b strings.Builder
	for _, c := range p.Changes {
		if !c.Changes() && c.Action != drift.Conflict {
			continue
		}
		files++
		if c.Action == drift.Conflict {
			conflicts++
		}
		fmt.Fprintf(&b, "%q %q %s %d\n", c.From, c.Path, c.Action, len(c.Clashes))
	}
	return b.String(), files, conflicts
}

func (e *effect) report(check *Check) {
	b := body{limit: maxCheck}
	clean, conflicted, untouched, failed := 0, 0, 0, 0
	for _, p := range e.paths {
		untouched += p.untouched
		failed += len(p.failed)
		p.describe(&b)
		for _, g := range p.groups {
			if g.conflicts > 0 {
				conflicted += g.size()
			} else {
				clean += g.size()
			}
		}
	}
	check.Title = fmt.Sprintf("%d clean, %d with conflicts, %d untouched", clean, conflicted, untouched)
	check.Conclusion = "success"
	switch {
	case len(e.problems) > 0:
		check.Conclusion = "failure"
		check.Title = fmt.Sprintf("Mistakes: %d", len(e.problems))
	case failed > 0 || conflicted > 0:
		check.Conclusion = "neutral"
	}
	for _, p := range e.problems {
		message := p.Message
		if p.Hint != "" {
			message += "; " + p.Hint
		}
		check.Annotations = append(check.Annotations, Annotation{Path: p.File, Line: max(p.Line, 1), Level: "failure", Message: message})
	}
	check.Summary = fmt.Sprintf("Repositories to which merging this brings changes cleanly: **%d**; in which it leaves conflicts to decide: **%d**; which it does not touch: **%d**.\n", clean, conflicted, untouched) + b.end("")
}

// maxNamed is how many members of a group are named.
const maxNamed = 20

func (e *pathEffect) describe(b *body) {
	if len(e.groups) == 0 && len(e.failed) == 0 {
		return
	}
	b.add("\n### %s\n\n| repositories | files | to decide | what |\n|---|---|---|---|\n", e.name)
	for _, key := range slices.SortedFunc(maps.Keys(e.groups), func(x, y string) int {
		return cmp.Or(e.groups[y].size()-e.groups[x].size(), strings.Compare(x, y))
	}) {
		g := e.groups[key]
		slices.Sort(g.members)
		names := strings.Join(g.members[:min(len(g.members), maxNamed)], ", ")
		if more := len(g.members) - maxNamed; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		if g.hidden > 0 {
			names = strings.TrimPrefix(fmt.Sprintf("%s, %d private", names, g.hidden), ", ")
		}
		b.add("| %d: %s | %d | %d | %s |\n", g.size(), plain(names), g.files, g.conflicts, plain(g.summary))
	}
	e.suggested(b)
	for _, f := range e.failed {
		b.add("\n- could not be computed: %s\n", plain(f))
	}
}
