package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// handover says which files go from one golden path of a member to another: the one
// has them no more in the version that the member follows, the other has them there. It
// takes such a file over with the base that the lock of the first has, and the first
// lets it lie until then. So nothing of it is lost or asked about, whichever of the two
// comes first, and in how many steps.
type handover struct {
	owned  map[string]string // by path, what stays with other golden paths
	handed map[string]drift.Handed
	waits  map[string]drift.Taker
	bases  map[string]*bases // of the golden paths that hand over
	moved  map[string]string // new paths, by old ones, of files that come under another name
	ours   tree.Tree         // the member's, of those
	err    error
}

// handover finds what a golden path that renders theirs takes over, and what others
// take over from it. Other golden paths are rendered only where there may be something.
func (s *Syncer) handover(ctx context.Context, repo Repository, st *State, me side, ours tree.Tree, on trial) handover {
	h := handover{owned: st.owned(me.name), handed: map[string]drift.Handed{}, waits: map[string]drift.Taker{}, bases: map[string]*bases{}, moved: map[string]string{}, ours: tree.Tree{}}
	var wanted, given []string
	adds := false
	for path := range me.theirs {
		if _, mine := me.locked.Files[path]; h.owned[path] != "" && !mine {
			wanted = append(wanted, path)
		} else if _, there := ours[path]; !mine && !there {
			adds = true
		}
	}
	for path, l := range me.locked.Files {
		if _, still := me.theirs[path]; !still && h.owned[path] == "" && l.Blob != "" {
			given = append(given, path)
		}
	}
	for _, f := range st.Member.GoldenPaths {
		concerned := len(given) > 0 || adds && st.Lock.GoldenPaths[f.Name] != nil || slices.ContainsFunc(wanted, func(p string) bool { return h.owned[p] == f.Name })
		if f.Name == me.name || !concerned {
			continue
		}
		other, err := s.wanted(ctx, st, f.Name, on)
		if err != nil {
			continue // it is told where that one is planned; until then everything stays whose it is
		}
		h.take(ctx, other.source, repo, st, f.Name, other.theirs, wanted)
		for _, path := range given {
			if _, takes := other.theirs[path]; takes && h.waits[path].GoldenPath == "" {
				h.waits[path] = drift.Taker{GoldenPath: f.Name, Path: path}
			}
		}
		c := crossing{ctx: ctx, repo: repo, st: st, today: s.Today, ours: ours}
		h.err = errors.Join(h.err, h.cross(c, me, other))
	}
	return h
}

// take notes the files that a golden path, which renders has, hands over.
func (h *handover) take(ctx context.Context, src *source, repo Repository, st *State, from string, has scaffold.Rendering, wanted []string) {
	section := st.Lock.GoldenPaths[from]
	for _, path := range wanted {
		if _, still := has[path]; still || h.owned[path] != from {
			continue
		}
		delete(h.owned, path)
		if section.Files[path].Blob == "" {
			continue // it never came there
		}
		h.handed[path] = drift.Handed{GoldenPath: from, File: section.Files[path]}
		if h.bases[from] == nil {
			h.bases[from] = newBases(ctx, src, from, section, repo)
		}
	}
}

// find looks for the bases of files that are handed over where they come from.
func (h handover) find(own func(string, drift.LockedFile) (tree.File, bool)) func(string, drift.LockedFile) (tree.File, bool) {
	return func(path string, l drift.LockedFile) (tree.File, bool) {
		if from, ok := h.handed[path]; ok {
			return h.bases[from.GoldenPath].find(path, l)
		}
		return own(path, l)
	}
}

func (h handover) failed() error {
	errs := []error{h.err}
	for _, b := range h.bases {
		errs = append(errs, b.failed)
	}
	return errors.Join(errs...)
}

// trial is a platform's golden paths at a commit that nobody follows yet.
type trial struct {
	source, commit string
	offers         map[string]Offer
}

// candidateOf returns the version that a plan of a golden path brings the member to,
// where it is not told another one: what is on trial, or what the member follows.
func (s *Syncer) candidateOf(ctx context.Context, follow drift.Follow, on trial) (candidate, error) {
	if o, ok := on.offers[follow.Name]; ok && on.source == follow.Source {
		src, _, err := s.open(ctx, follow.Source)
		return offered(o, src, follow.Source, follow.Name, on.commit), err
	}
	g, err := s.GoldenPath(ctx, follow.Source, follow.Name, follow.Wanted(s.Today))
	if err != nil {
		return candidate{}, err
	}
	return loaded(g), nil
}

// wanted renders the version of a golden path that the member is to have.
func (s *Syncer) wanted(ctx context.Context, st *State, name string, on trial) (side, error) {
	follow, err := following(st, name)
	if err != nil {
		return side{}, err
	}
	g, err := s.candidateOf(ctx, follow, on)
	if err != nil {
		return side{}, err
	}
	locked := st.Lock.GoldenPaths[name]
	if locked == nil {
		locked = &drift.Section{}
	}
	crossed := migrations(ctx, g, locked)
	inputs, _ := migrateInputs(follow.Inputs, crossed, g.declares)
	theirs, _, err := g.render(st.inputsOf(name), inputs, locked.Repository)
	return side{name, g.source, locked, theirs, renamesOf(crossed, g, locked)}, err
}
