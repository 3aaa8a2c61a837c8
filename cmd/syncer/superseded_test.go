package main

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// visited is the registry, which does something once the first member of a golden path
// was visited, and counts those that were.
type visited struct {
	walks.Registry
	first   func()
	once    *sync.Once
	members *atomic.Int32
}

// Following implements walks.Registry.
func (v visited) Following(ctx context.Context, goldenPath string, visit func(walks.Record) error) error {
	return v.Registry.Following(ctx, goldenPath, func(r walks.Record) error {
		if err := visit(r); err != nil {
			return err
		}
		if goldenPath != "" {
			v.members.Add(1)
			v.once.Do(v.first)
		}
		return nil
	})
}

// TestANewerPushReplacesALookAtTheFleet pushes to the platform repository while the
// members are looked at because of an earlier push: the newer one looks at all of them,
// and the earlier one stops.
func TestANewerPushReplacesALookAtTheFleet(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		w := newVariant(t, db, variant{})
		w.publish()
		const members = 3
		for _, name := range []string{"acme/one", "acme/two", "acme/three"} {
			w.useTemplate(name, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		}
		w.until("all are current", func() bool { return w.standing(store.Current) == members })
		w.begun()
		var n atomic.Int32
		w.service.Registry = visited{w.service.Registry, func() {
			w.version(3, nil)
			w.must(w.hub.Settle(w.Context()))
		}, new(sync.Once), &n}
		w.version(2, nil)
		w.until("all are offered the newer version", func() bool {
			return w.offered("acme/one", 3)() && w.offered("acme/two", 3)() && w.offered("acme/three", 3)()
		})
		w.settle()
		if got := n.Load(); got != 1+members {
			t.Errorf("%d members were looked at, want one for the earlier push and %d for the newer", got, members)
		}
	})
}
