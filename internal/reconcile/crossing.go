package reconcile

import (
	"context"
	"fmt"
	"maps"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// side is one of two golden paths of a member, as it is in the lock and as it is wanted.
type side struct {
	name    string
	source  *source
	locked  *drift.Section
	theirs  scaffold.Rendering
	renames map[string]string // that migrations declare
}

// crossing is where files that go from one golden path to another under another name are
// looked for. Both golden paths find the same.
type crossing struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one plan
	repo  Repository
	st    *State
	today string
	ours  tree.Tree // what is known of the member
}

// cross notes what goes from one to the other under another name.
func (h *handover) cross(c crossing, me, other side) error {
	from, err := c.between(me, other)
	if err != nil {
		return err
	}
	for path, at := range from {
		if _, waits := h.waits[path]; !waits {
			h.waits[path] = drift.Taker{GoldenPath: other.name, Path: at}
		}
	}
	to, err := c.between(other, me)
	for path, at := range to {
		if _, mine := h.owned[path]; !mine {
			continue
		}
		delete(h.owned, path)
		h.handed[path] = drift.Handed{GoldenPath: other.name, File: other.locked.Files[path]}
		h.moved[path], h.ours[path] = at, c.ours[path]
		if h.bases[other.name] == nil {
			h.bases[other.name] = c.bases(other)
		}
	}
	return err
}

func (c *crossing) bases(s side) *bases {
	return newBases(c.ctx, s.source, s.name, s.locked, c.repo)
}

// between returns what goes from one golden path to another, new paths by old ones.
func (c *crossing) between(from, to side) (map[string]string, error) {
	var gone []string
	for path, l := range from.locked.Files {
		if _, still := from.theirs[path]; !still && l.Blob != "" {
			gone = append(gone, path)
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	if err := c.know(append(union(from.locked, from.theirs), union(to.locked, to.theirs)...)); err != nil {
		return nil, err
	}
	b := c.bases(from)
	found := drift.Crossing(c.request(from, b), c.request(to, nil))
	return found, b.failed
}

// know reads what is not known yet of the member.
func (c *crossing) know(paths []string) error {
	more, err := c.repo.Files(paths)
	if err != nil {
		return fmt.Errorf("what goes from one golden path to another: %w", err)
	}
	c.ours = maps.Clone(c.ours)
	maps.Copy(c.ours, more)
	return nil
}

func (c *crossing) request(s side, b *bases) drift.Request {
	r := drift.Request{GoldenPath: s.name, Locked: s.locked, Theirs: s.theirs, Ours: c.ours, Renames: s.renames, Keeps: c.st.Member.Keep, Today: c.today, Owned: c.st.owned(s.name)}
	if b != nil {
		r.Base = b.find
	}
	return r
}
