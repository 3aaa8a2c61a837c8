package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// traits are what a job's arguments say of it beside their kind.
type traits struct {
	lane     string
	newest   bool
	key      string
	priority int
}

func traitsOf(args Args) traits {
	t := traits{priority: defaultPriority}
	if a, ok := args.(interface{ Priority() int }); ok {
		t.priority = min(max(a.Priority(), 1), 4)
	}
	if a, ok := args.(interface{ Lane() string }); ok {
		t.lane = a.Lane()
	}
	if a, ok := args.(interface{ Newest() string }); ok {
		t.newest, t.key = true, a.Newest()
		// One that is wanted while another runs must not overtake it.
		t.lane = cmp.Or(t.lane, args.Kind()+" "+t.key)
	}
	return t
}

// Enqueue adds jobs in tx: they begin once it is committed, and never if it is
// not. cause is the GUID of the delivery that they come from; "" takes over the
// cause of the job that enqueues them. Every kind must have a handler.
//
// The slice may be of any type of arguments, an interface of another package with
// the method Kind included.
func Enqueue[A Args](ctx context.Context, c *Client, tx *sql.Tx, cause string, all ...A) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	pending := make([]order, len(all))
	for i, args := range all {
		pending[i] = order{args, traitsOf(args)}
	}
	// In one order everywhere, so that two transactions do not wait for each other.
	slices.SortStableFunc(pending, func(a, b order) int {
		return cmp.Or(cmp.Compare(a.args.Kind(), b.args.Kind()), cmp.Compare(a.key, b.key))
	})
	meta, err := json.Marshal(metadata{Cause: cmp.Or(cause, Cause(ctx))})
	if err != nil {
		return err // unreachable: a string
	}
	for _, o := range pending {
		if err := c.enqueue(ctx, r, tx, o, meta); err != nil {
			return fmt.Errorf("enqueueing %s: %w", o.args.Kind(), err)
		}
	}
	return nil
}

// EnqueueNow is [Enqueue] in a transaction of its own.
func EnqueueNow[A Args](ctx context.Context, c *Client, cause string, all ...A) error {
	return inTx(ctx, c.cfg.DB, func(tx *sql.Tx) error { return Enqueue(ctx, c, tx, cause, all...) })
}

// order is a job to be enqueued.
type order struct {
	args Args
	traits
}

// metadata is what River keeps for us beside a job's arguments.
type metadata struct {
	Cause string `json:"cause,omitempty"`
}

func (c *Client) enqueue(ctx context.Context, r *river.Client[*sql.Tx], tx *sql.Tx, o order, meta []byte) error {
	if !o.newest {
		_, err := c.insert(ctx, r, tx, o, meta)
		return err
	}
	data, err := json.Marshal(o.args)
	if err != nil {
		return err
	}
	waiting, err := c.want(ctx, tx, o.args.Kind(), o.key, data)
	if err != nil {
		return err
	}
	state, err := jobState(ctx, tx, waiting)
	switch {
	case err != nil:
		return err
	case state == rivertype.JobStateRetryable:
		// It failed, and waits for its turn; what is new may be what it needs.
		_, err := r.JobRetryTx(ctx, tx, waiting)
		return err
	case slices.Contains(unfinished, state):
		return nil // it takes the newest arguments when it begins
	}
	id, err := c.insert(ctx, r, tx, o, meta)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE newest SET waiting = $3 WHERE kind = $1 AND key = $2`, o.args.Kind(), o.key, id)
	return err
}

func (c *Client) insert(ctx context.Context, r *river.Client[*sql.Tx], tx *sql.Tx, o order, meta []byte) (int64, error) {
	res, err := r.InsertTx(ctx, tx, o.args, &river.InsertOpts{
		Priority: o.priority, MaxAttempts: c.cfg.Attempts, Metadata: meta,
	})
	if err != nil {
		return 0, err
	}
	return res.Job.ID, nil
}

// want counts one more wish for the work, with these arguments, and returns the
// job that waits to do it. The row stays locked until the transaction ends.
func (c *Client) want(ctx context.Context, tx *sql.Tx, kind, key string, args []byte) (waiting int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO newest (kind, key, wanted, done, waiting, args, updated)
		VALUES ($1, $2, 1, 0, 0, $3, $4)
		ON CONFLICT (kind, key) DO UPDATE SET wanted = newest.wanted + 1, args = excluded.args, updated = excluded.updated
		RETURNING waiting`, kind, key, string(args), c.cfg.Now().UnixMilli()).Scan(&waiting)
	return waiting, err
}

// jobState returns the state of a job, "" when there is none.
func jobState(ctx context.Context, tx *sql.Tx, id int64) (rivertype.JobState, error) {
	if id == 0 {
		return "", nil
	}
	var state string
	err := tx.QueryRowContext(ctx, `SELECT state FROM river_job WHERE id = $1`, id).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return rivertype.JobState(state), err
}

// inTx runs f in a transaction and commits it when f returns nil.
func inTx(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}
