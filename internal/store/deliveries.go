package store

import (
	"context"
	"fmt"
	"time"
)

// DeliveriesKept is how long processed deliveries are remembered: as long as a
// GitHub Enterprise Server can redeliver them (7 days; github.com: 3).
const DeliveriesKept = 7 * 24 * time.Hour

// Delivery is one webhook request that was processed: its jobs, if any, are in
// the queue. One that failed on the way is not remembered, so that it is
// processed when GitHub sends it again.
type Delivery struct {
	GUID         string // the same in a redelivery
	Event        string
	Action       string
	Installation int64 // 0: none
	Repository   int64 // 0: none
	Received     time.Time
	Processed    time.Time // set by ProcessDelivery
	Outcome      string    // what became of it, for people
	Jobs         int       // how many jobs it made
}

// ProcessDelivery remembers d as processed now, and returns false when it had
// been already. Call it in the transaction that enqueues the delivery's jobs, and
// enqueue only when it returns true: of two that carry the same GUID at the same
// time the second waits for the first, and sees how that one ended.
func (s *Store) ProcessDelivery(ctx context.Context, d Delivery) (fresh bool, err error) {
	n, err := s.exec(ctx, `INSERT INTO deliveries
		(guid, event, action, installation, repository, received, processed, outcome, jobs)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (guid) DO NOTHING`,
		d.GUID, d.Event, d.Action, d.Installation, d.Repository, millis(d.Received), millis(s.Now()), d.Outcome, d.Jobs)
	if err != nil {
		return false, fmt.Errorf("remembering delivery %s: %w", d.GUID, err)
	}
	return n == 1, nil
}

// Delivery returns what became of a delivery, or [ErrNotFound].
func (s *Store) Delivery(ctx context.Context, guid string) (Delivery, error) {
	d, err := scanDelivery(s.q.QueryRowContext(ctx, selectDeliveries+` WHERE guid = $1`, guid))
	return d, found(err, "delivery %s", guid)
}

// Deliveries returns the newest deliveries, at most max.
func (s *Store) Deliveries(ctx context.Context, most int) ([]Delivery, error) {
	all, err := collect(ctx, s.q, scanDelivery, selectDeliveries+` ORDER BY processed DESC, guid LIMIT $1`, most)
	if err != nil {
		return nil, fmt.Errorf("reading deliveries: %w", err)
	}
	return all, nil
}

// ForgetDeliveries removes what was processed longer than [DeliveriesKept] ago,
// and returns how many that were.
func (s *Store) ForgetDeliveries(ctx context.Context) (int64, error) {
	n, err := s.exec(ctx, `DELETE FROM deliveries WHERE processed < $1`, millis(s.Now().Add(-DeliveriesKept)))
	if err != nil {
		return 0, fmt.Errorf("forgetting old deliveries: %w", err)
	}
	return n, nil
}

const selectDeliveries = `SELECT guid, event, action, installation, repository, received, processed, outcome, jobs FROM deliveries`

func scanDelivery(r row) (Delivery, error) {
	var d Delivery
	var received, processed int64
	err := r.Scan(&d.GUID, &d.Event, &d.Action, &d.Installation, &d.Repository, &received, &processed, &d.Outcome, &d.Jobs)
	d.Received, d.Processed = at(received), at(processed)
	return d, err
}
