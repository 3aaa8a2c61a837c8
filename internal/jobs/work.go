package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// worker is a handler as River wants it.
type worker[A Args] struct {
	river.WorkerDefaults[A]
	client *Client
	handle func(context.Context, A) error
}

// Work implements River's interface.
func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	r := &run{client: w.client, row: job.JobRow, traits: traitsOf(job.Args)}
	return r.work(ctx, func(ctx context.Context) error {
		args := job.Args
		if r.newer != nil {
			args = *new(A)
			if err := json.Unmarshal(r.newer, &args); err != nil {
				return PersonMustAct(fmt.Errorf("reading the newest arguments of %s: %w", job.Kind, err))
			}
		}
		return w.handle(ctx, args)
	})
}

// run is one run of a job.
type run struct {
	client *Client
	row    *rivertype.JobRow
	traits
	generation int64  // which wish for the work this run fulfils; 0: not counted
	newer      []byte // the arguments of that wish
	finished   bool   // completed in the database, by Finish
}

type runKey struct{}

// current returns the run that ctx belongs to, or nil.
func current(ctx context.Context) *run {
	r, _ := ctx.Value(runKey{}).(*run)
	return r
}

// afterwards bounds what is recorded after a job ran.
const afterwards = 30 * time.Second

// laneWait is how long a job waits whose lane is taken.
const laneWait = 500 * time.Millisecond

func (r *run) work(ctx context.Context, handle func(context.Context) error) error {
	began := time.Now()
	fate, err := r.begin(ctx)
	if err != nil {
		return fmt.Errorf("beginning job %d: %w", r.row.ID, err)
	}
	var wait time.Duration
	if fate == Done {
		err = guarded(context.WithValue(ctx, runKey{}, r), handle)
		// The job's own time may be over; how it ended is recorded all the same.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
		defer cancel()
		fate, wait, err = r.end(last, ctx.Err() != nil, err)
	}
	r.report(ctx, fate, err, time.Since(began))
	return verdict(fate, wait, err)
}

// verdict says a fate in River's words.
func verdict(fate Fate, wait time.Duration, err error) error {
	switch fate {
	case Done, Superseded:
		return nil
	case Busy:
		return river.JobSnooze(laneWait)
	case GivenBack:
		return river.JobSnooze(0)
	case Later:
		return river.JobSnooze(wait)
	case Person:
		return river.JobCancel(err)
	}
	return err
}

// guarded turns a handler's panic into an error.
func guarded(ctx context.Context, handle func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, over := context.WithCancel(ctx)
	defer over() // whoever keeps something for the job lets it go
	return handle(ctx)
}

// begin takes the lane, and the newest arguments. Done means that the handler may
// run.
func (r *run) begin(ctx context.Context) (fate Fate, err error) {
	if r.lane == "" && !r.newest {
		return Done, nil
	}
	err = inTx(ctx, r.client.cfg.DB, func(tx *sql.Tx) error {
		fate = Done
		if r.lane != "" {
			free, err := r.takeLane(ctx, tx)
			if err != nil || !free {
				fate = Busy
				return err
			}
		}
		if !r.newest {
			return nil
		}
		wanted, err := r.takeNewest(ctx, tx)
		if err == nil && !wanted {
			fate = Superseded
		}
		return err
	})
	return fate, err
}

// takeLane makes this job the one in its lane, and returns false when another runs
// in it. The first statement locks the lane, so that the ones after it see how the
// last holder stands now.
func (r *run) takeLane(ctx context.Context, tx *sql.Tx) (bool, error) {
	now := r.client.cfg.Now().UnixMilli()
	var holder int64
	err := tx.QueryRowContext(ctx, `INSERT INTO lanes (lane, job, updated) VALUES ($1, $2, $3)
		ON CONFLICT (lane) DO UPDATE SET updated = excluded.updated RETURNING job`, r.lane, r.row.ID, now).Scan(&holder)
	if err != nil || holder == r.row.ID {
		return err == nil, err
	}
	state, err := jobState(ctx, tx, holder)
	if err != nil || state == rivertype.JobStateRunning {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE lanes SET job = $2 WHERE lane = $1`, r.lane, r.row.ID)
	return err == nil, err
}

// takeNewest reads which wish this run fulfils, and returns false when all are
// fulfilled. From here on a new wish is a new job.
func (r *run) takeNewest(ctx context.Context, tx *sql.Tx) (bool, error) {
	var done int64
	var args string
	err := tx.QueryRowContext(ctx, `UPDATE newest SET waiting = CASE WHEN waiting = $3 THEN 0 ELSE waiting END
		WHERE kind = $1 AND key = $2 RETURNING wanted, done, args`, r.row.Kind, r.key, r.row.ID).Scan(&r.generation, &done, &args)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil // forgotten since, because it is old; its own arguments hold
	}
	r.newer = []byte(args)
	if err == nil {
		err = r.dropLetter(ctx, tx)
	}
	return done < r.generation, err
}

// dropLetter takes the dead letter of earlier work with the key away, which this run
// replaces.
func (r *run) dropLetter(ctx context.Context, tx *sql.Tx) error {
	var letter int64
	err := tx.QueryRowContext(ctx, `SELECT letter FROM newest WHERE kind = $1 AND key = $2`, r.row.Kind, r.key).Scan(&letter)
	if errors.Is(err, sql.ErrNoRows) || err == nil && letter == 0 {
		return nil
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM river_job WHERE id = $1 AND state IN ('cancelled', 'discarded')`, letter)
	}
	return err
}

// leaveLetter notes that the job is a dead letter from now on, until newer work replaces it.
func (r *run) leaveLetter(ctx context.Context) error {
	return inTx(ctx, r.client.cfg.DB, func(tx *sql.Tx) error {
		// Locks the row.
		_, err := tx.ExecContext(ctx, `UPDATE newest SET updated = $3 WHERE kind = $1 AND key = $2`, r.row.Kind, r.key, r.client.cfg.Now().UnixMilli())
		if err == nil {
			err = r.dropLetter(ctx, tx)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE newest SET letter = $3 WHERE kind = $1 AND key = $2`, r.row.Kind, r.key, r.row.ID)
		}
		return err
	})
}

// end decides what becomes of the job after its handler returned err, and records
// it where that must not be left to River.
func (r *run) end(ctx context.Context, cancelled bool, err error) (Fate, time.Duration, error) {
	if r.finished {
		return Done, 0, nil
	}
	fate, wait := judge(err, r.client.cfg.Now().Sub(r.row.CreatedAt), r.row.Attempt, r.row.MaxAttempts)
	if err != nil && cancelled && r.client.stopping.Load() {
		fate = GivenBack
	}
	if !r.newest {
		return fate, wait, err
	}
	switch fate {
	case Done:
		if err := inTx(ctx, r.client.cfg.DB, func(tx *sql.Tx) error { return r.complete(ctx, tx) }); err != nil {
			return Retry, 0, fmt.Errorf("recording that %s was done: %w", r.row.Kind, err)
		}
	case Later, Retry, GivenBack:
		stands, e := r.standBy(ctx)
		if e != nil {
			return Retry, 0, errors.Join(err, e)
		}
		if !stands {
			fate = Superseded
		}
	case Person, Dead:
		if e := r.leaveLetter(ctx); e != nil { // it is one all the same, and stays when newer work is done
			r.client.cfg.Log.ErrorContext(ctx, "a dead letter is not noted", "job", r.row.ID, "kind", r.row.Kind, "error", e.Error())
		}
	}
	return fate, wait, err
}

// standBy makes this job the one that waits for new wishes, and returns false when
// another does that already.
func (r *run) standBy(ctx context.Context) (stands bool, err error) {
	err = inTx(ctx, r.client.cfg.DB, func(tx *sql.Tx) error {
		var waiting int64
		// Locks the row; what is read after it is as new as can be.
		err := tx.QueryRowContext(ctx, `UPDATE newest SET updated = $3 WHERE kind = $1 AND key = $2 RETURNING waiting`,
			r.row.Kind, r.key, r.client.cfg.Now().UnixMilli()).Scan(&waiting)
		if errors.Is(err, sql.ErrNoRows) {
			stands = true
			return nil
		}
		if err != nil {
			return err
		}
		if waiting != r.row.ID {
			state, err := jobState(ctx, tx, waiting)
			if err != nil || isUnfinished(state) {
				return err
			}
		}
		stands = true
		_, err = tx.ExecContext(ctx, `UPDATE newest SET waiting = $3 WHERE kind = $1 AND key = $2`, r.row.Kind, r.key, r.row.ID)
		return err
	})
	return stands, err
}

// complete ends the job, and notes the wish as fulfilled, in tx. It is an error when
// this run is not the job's last: another replica has begun it anew since, and what
// this transaction holds must not happen twice.
func (r *run) complete(ctx context.Context, tx *sql.Tx) error {
	// River completes a job whoever runs it, and says nothing when it is completed
	// already. Every fetch counts one more attempt, which tells runs apart; the
	// update changes nothing and holds the row.
	res, err := tx.ExecContext(ctx, `UPDATE river_job SET attempt = attempt WHERE id = $1 AND attempt = $2 AND state = 'running'`,
		r.row.ID, r.row.Attempt)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("job %d: %w", r.row.ID, errLost))
	}
	if r.generation > 0 {
		_, err := tx.ExecContext(ctx, `UPDATE newest SET done = $3 WHERE kind = $1 AND key = $2 AND done < $3`,
			r.row.Kind, r.key, r.generation)
		if err != nil {
			return err
		}
	}
	_, err = river.JobCompleteTx[riverdriver.Driver[*sql.Tx]](ctx, tx, &river.Job[anyArgs]{JobRow: r.row})
	return err
}

// errLost says that a job was taken from this process.
var errLost = errors.New("it was given to another replica, because this one was silent for too long")

// anyArgs stands for arguments that nobody looks at.
type anyArgs struct{}

// Kind implements River's interface.
func (anyArgs) Kind() string { return "any" }

// UnmarshalJSON takes anything.
func (*anyArgs) UnmarshalJSON([]byte) error { return nil }

func (r *run) report(ctx context.Context, fate Fate, err error, took time.Duration) {
	o := Outcome{
		Job: r.row.ID, Kind: r.row.Kind, Lane: r.lane, Cause: causeOf(r.row), Attempt: r.row.Attempt,
		Fate: fate, Err: err, Took: took,
	}
	level := slog.LevelInfo
	switch fate {
	case Busy:
		level = slog.LevelDebug
	case Dead:
		level = slog.LevelError
	case Retry, Person: // a person was told; nothing is wrong with the service
		level = slog.LevelWarn
	}
	attrs := []any{"job", o.Job, "kind", o.Kind, "lane", o.Lane, "delivery", o.Cause, "attempt", o.Attempt, "fate", string(fate), "took", took}
	if err != nil {
		attrs = append(attrs, "error", err.Error())
	}
	r.client.cfg.Log.Log(ctx, level, "job "+string(fate), attrs...)
	if r.client.cfg.Observe != nil {
		r.client.cfg.Observe(o)
	}
}
