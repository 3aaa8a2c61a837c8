package walks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/scaffold/fixture"
)

// previewName is the check run on pull requests to the platform repository.
const previewName = "golden paths"

// Change is a pull request to the platform repository, at one of its commits.
type Change struct {
	Number  int
	Head    string // commit
	Foreign bool   // from a fork
	Closed  bool
}

// Preview shows what a change of golden paths will do to every member, before it is
// merged: it is the same computation as Sync without what it writes.
func (w *Walks) Preview(ctx context.Context, change Change) error {
	c := w.Hub.Client(w.Platform, toCheck, true)
	check := Check{Commit: change.Head, Name: previewName, Key: fmt.Sprint("preview ", change.Number), Status: "completed"}
	switch {
	case change.Closed:
		return nil // a closed pull request's last check stands as it is
	case change.Foreign:
		check.Conclusion, check.Title = "neutral", "Not shown for forks"
		check.Summary = "The change comes from a fork, so it is not rendered before somebody of this repository has looked at it. Push it to a branch here to see what it does."
		return c.EnsureCheck(ctx, check)
	}
	started := check
	started.Status, started.Title, started.Summary = "in_progress", "Looking at every member", "What the change does to each member is being computed."
	if err := c.EnsureCheck(ctx, started); err != nil {
		return err
	}
	e, err := w.effect(ctx, change.Head)
	if err != nil {
		check.Conclusion, check.Title = "neutral", "Could not be computed"
		check.Summary = "What the change does could not be computed:\n\n" + fenced(err.Error())
		return errors.Join(c.EnsureCheck(ctx, check), err)
	}
	e.report(&check)
	return c.EnsureCheck(ctx, check)
}

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
}

// group is members to whom exactly the same happens.
type group struct {
	members   []string
	conflicts int // files to decide in each
	files     int
	summary   string
}

func (w *Walks) effect(ctx context.Context, head string) (*effect, error) {
	src, err := w.Platforms.Latest(ctx, w.Platform, w.PlatformURL)
	if err != nil {
		return nil, err
	}
	whole, err := src.Whole(ctx, head)
	if err != nil {
		return nil, err
	}
	e := &effect{problems: fixture.Lint(whole)}
	broken := map[string]bool{}
	for _, p := range e.problems {
		broken[p.File] = true
	}
	s := w.syncer(w.Platform)
	for _, name := range scaffold.Names(whole) {
		g, err := scaffold.Load(whole, name)
		if err != nil {
			continue // among the problems
		}
		p := pathEffect{name: name, groups: map[string]*group{}}
		err = w.Registry.Following(ctx, name, func(r Record) error {
			if r.Source != w.PlatformURL || r.Digest == g.Digest {
				p.untouched++
				return nil
			}
			return w.effectOn(ctx, s, &p, r, head)
		})
		if err != nil {
			return nil, err
		}
		e.paths = append(e.paths, p)
	}
	return e, nil
}

// effectOn adds what the change does to one member. A member that cannot be read
// is told, and is no reason to say nothing about the others.
func (w *Walks) effectOn(ctx context.Context, s *reconcile.Syncer, e *pathEffect, r Record, head string) error {
	c := w.Hub.Client(r.At, toRead, false)
	asked := append(slices.Clone(ownFiles), r.Paths...)
	look, err := c.Look(ctx, Ask{Contents: asked})
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotReady) {
		return nil
	}
	if err != nil {
		return err
	}
	repo := newSnapshot(ctx, c, look, asked)
	st, err := reconcile.Load(repo)
	var p *reconcile.Planned
	if err == nil {
		p, err = s.Plan(ctx, repo, st, e.name, head)
	}
	if err != nil {
		e.failed = append(e.failed, look.Repository.FullName()+": "+err.Error())
		return nil //nolint:nilerr // it is in the report
	}
	if !p.Behind && p.Clean() {
		e.untouched++
		return nil
	}
	key, files, conflicts := fingerprint(p)
	if e.groups[key] == nil {
		e.groups[key] = &group{files: files, conflicts: conflicts, summary: summary(p)}
	}
	e.groups[key].members = append(e.groups[key].members, look.Repository.FullName())
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
				conflicted += len(g.members)
			} else {
				clean += len(g.members)
			}
		}
	}
	check.Title = fmt.Sprintf("%d clean, %d with conflicts, %d untouched", clean, conflicted, untouched)
	check.Conclusion = "success"
	switch {
	case len(e.problems) > 0:
		check.Conclusion = "failure"
		check.Title = fmt.Sprintf("%d mistakes", len(e.problems))
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
	check.Summary = fmt.Sprintf("Merging this brings changes to **%d** repositories cleanly, leaves conflicts to decide in **%d**, and does not touch **%d**.\n", clean, conflicted, untouched) + b.end("")
}

// maxNamed is how many members of a group are named.
const maxNamed = 20

func (e *pathEffect) describe(b *body) {
	if len(e.groups) == 0 && len(e.failed) == 0 {
		return
	}
	b.add("\n### %s\n\n| repositories | files | to decide | what |\n|---|---|---|---|\n", e.name)
	for _, key := range slices.SortedFunc(maps.Keys(e.groups), func(x, y string) int {
		return len(e.groups[y].members)*1000 - len(e.groups[x].members)*1000 + strings.Compare(x, y)
	}) {
		g := e.groups[key]
		slices.Sort(g.members)
		names := strings.Join(g.members[:min(len(g.members), maxNamed)], ", ")
		if more := len(g.members) - maxNamed; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		b.add("| %d: %s | %d | %d | %s |\n", len(g.members), plain(names), g.files, g.conflicts, plain(g.summary))
	}
	for _, f := range e.failed {
		b.add("\n- could not be computed: %s\n", plain(f))
	}
}
