package main

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

// TestARefusedDeliveryComesAgain: GitHub does not send a second time what was refused
// because the database was busy for too long. It is asked to.
func TestARefusedDeliveryComesAgain(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.publish()
		w.useTemplate(payments, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("the member is current", func() bool { return w.is(payments, store.Current) })
		w.begun() // the sweep at the start asks for such deliveries too
		before := len(w.app.Deliveries())
		refused := func() bool {
			return slices.ContainsFunc(w.app.Deliveries()[before:], func(d localhub.Delivery) bool {
				return d.Event == "push" && d.Repository == w.service.platform && d.Status == http.StatusServiceUnavailable
			})
		}
		w.must(w.db.InTx(t.Context(), func(tx *sql.Tx, in *store.Store) error {
			if err := keepOut(t.Context(), tx, in); err != nil {
				return err
			}
			w.release(map[string]string{ciFile: "ci: 2\n"})
			w.until("the push is refused", refused)
			return nil
		}))
		w.until("a pull request brings the change", func() bool { return w.file(payments, ourHead, "ci.yaml") == "ci: 2\n" })
	})
}

// keepOut keeps everybody else from writing deliveries until tx is over. On SQLite
// whoever writes does.
func keepOut(ctx context.Context, tx *sql.Tx, in *store.Store) error {
	if in.Pool() != nil {
		_, err := tx.ExecContext(ctx, "LOCK TABLE deliveries")
		return err
	}
	_, err := in.ProcessDelivery(ctx, store.Delivery{GUID: "one of another replica"})
	return err
}
