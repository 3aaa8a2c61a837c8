package reconcile

import (
	"context"

	"github.com/Masterminds/semver/v3"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// maxBetween bounds how many versions between two are rendered; the newest are.
const maxBetween = 10

// between renders the versions of a golden path between the one that a file has and
// the newest, for members that copied one of them by hand. Each is rendered when it
// is first asked for, with the newest inputs under the names that they had then.
type between struct {
	ctx        context.Context //nolint:containedctx // package drift is pure and has none, and this lives as long as one plan
	source     *source
	repo       Repository
	name       string
	locked     *drift.Section
	to         drift.Revision
	migrations []scaffold.Migration          // of the newest
	rendered   map[string]scaffold.Rendering // by commit; nil where it cannot be rendered
}

// of returns the versions of a file, the oldest first.
func (b *between) of(path string) [][]byte {
	from := b.locked.Revision
	if l := b.locked.Files[path]; l.Earlier != "" {
		from = b.locked.Earlier[l.Earlier]
	}
	var texts [][]byte
	for _, pair := range b.versions(from.Version) {
		if f, ok := b.rendering(pair)[path]; ok {
			texts = append(texts, f.File.Data)
		}
	}
	return texts
}

// versions are pairs of version and commit, the oldest first. A source without version
// tags has none.
func (b *between) versions(from string) [][2]string {
	lists, ok := b.source.Platform.(versioned)
	low, errLow := semver.NewVersion(from)
	high, errHigh := semver.NewVersion(b.to.Version)
	if !ok || errLow != nil || errHigh != nil {
		return nil
	}
	all, err := lists.Versions(b.name)
	if err != nil {
		return nil // they only help
	}
	var found [][2]string
	for _, pair := range all {
		if v, err := semver.NewVersion(pair[0]); err == nil && low.LessThan(v) && v.LessThan(high) && len(found) < maxBetween {
			found = append([][2]string{pair}, found...)
		}
	}
	return found
}

func (b *between) rendering(pair [2]string) scaffold.Rendering {
	if r, ok := b.rendered[pair[1]]; ok {
		return r
	}
	if b.rendered == nil {
		b.rendered = map[string]scaffold.Rendering{}
	}
	var r scaffold.Rendering
	if loaded, err := b.source.load(b.ctx, pair[1], b.name); err == nil {
		g := b.source.at(loaded, b.to.Source, pair[0], pair[1])
		// A version whose inputs were other ones is left out.
		r, _, _ = g.render(scaffold.Place{}, g.takes(b.to.Inputs, b.migrations, b.to.Version), b.to.Repository)
		if converted, err := stored(b.repo, r, nil); err == nil {
			r = converted
		}
	}
	b.rendered[pair[1]] = r
	return r
}
