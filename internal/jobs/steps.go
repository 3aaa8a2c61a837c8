package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// Steps returns what [NoteStep] noted of the job that ctx belongs to, in this run and in
// earlier ones, in the order of their numbers from 0, up to the first that is not there.
func Steps[T any](ctx context.Context) (steps []T, err error) {
	r := current(ctx)
	if r == nil {
		return nil, errNoJob
	}
	rows, err := r.client.cfg.DB.QueryContext(ctx, `SELECT position, what FROM steps WHERE job = $1 ORDER BY position`, r.row.ID)
	if err != nil {
		return nil, fmt.Errorf("reading what job %d did before: %w", r.row.ID, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var position int
		var text string
		if err := rows.Scan(&position, &text); err != nil {
			return nil, err
		}
		var step T
		if err := json.Unmarshal([]byte(text), &step); err != nil || position != len(steps) {
			break // an older version's, or none of ours: it is done again
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}

// NoteStep notes in tx, or at once where that is nil, for the job that ctx belongs to, what became of the nth of the
// things that it does one after the other, so that a later run goes on behind it. It is
// kept as JSON for as long as the job is.
func NoteStep(ctx context.Context, tx *sql.Tx, n int, step any) error {
	r := current(ctx)
	if r == nil {
		return errNoJob
	}
	text, err := json.Marshal(step)
	if err != nil {
		return err
	}
	exec := r.client.cfg.DB.ExecContext
	if tx != nil {
		exec = tx.ExecContext
	}
	_, err = exec(ctx, `INSERT INTO steps (job, position, what) VALUES ($1, $2, $3)
		ON CONFLICT (job, position) DO UPDATE SET what = excluded.what`, r.row.ID, n, string(text))
	if err != nil {
		return fmt.Errorf("noting step %d of job %d: %w", n, r.row.ID, err)
	}
	return nil
}
