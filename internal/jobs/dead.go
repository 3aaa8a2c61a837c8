package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Letter is a dead letter: a job that will not be tried again by itself.
type Letter struct {
	ID       int64
	Kind     string
	Args     json.RawMessage
	Cause    string // GUID of the delivery that it comes from
	Attempts int
	Created  time.Time
	Died     time.Time
	Error    string // the last one
	Person   bool   // a person must act first; otherwise it failed too often
}

// maxLetters is the most dead letters that one page has.
const maxLetters = 200

// DeadLetters returns dead letters, newest first, at most most, and the cursor of
// the next page, "" when there is none. Begin with the cursor "".
func (c *Client) DeadLetters(ctx context.Context, cursor string, most int) (_ []Letter, next string, err error) {
	r, err := c.open()
	if err != nil {
		return nil, "", err
	}
	most = min(max(most, 1), maxLetters)
	params := river.NewJobListParams().First(most).OrderBy(river.JobListOrderByID, river.SortOrderDesc).
		States(rivertype.JobStateDiscarded, rivertype.JobStateCancelled)
	if cursor != "" {
		var after river.JobListCursor
		if err := after.UnmarshalText([]byte(cursor)); err != nil {
			return nil, "", fmt.Errorf("%.40q is not a cursor that a list returned; begin without one", cursor)
		}
		params = params.After(&after)
	}
	res, err := r.JobList(ctx, params)
	if err != nil {
		return nil, "", fmt.Errorf("listing dead letters: %w", err)
	}
	letters := make([]Letter, len(res.Jobs))
	for i, row := range res.Jobs {
		letters[i] = letter(row)
	}
	if len(res.Jobs) == most && res.LastCursor != nil {
		text, err := res.LastCursor.MarshalText()
		if err != nil {
			return nil, "", err
		}
		next = string(text)
	}
	return letters, next, nil
}

func letter(row *rivertype.JobRow) Letter {
	l := Letter{
		ID: row.ID, Kind: row.Kind, Args: row.EncodedArgs, Cause: causeOf(row), Attempts: row.Attempt,
		Created: row.CreatedAt, Person: row.State == rivertype.JobStateCancelled,
	}
	if row.FinalizedAt != nil {
		l.Died = *row.FinalizedAt
	}
	if n := len(row.Errors); n > 0 {
		// What River puts before the error of a job that was cancelled.
		l.Error = strings.TrimPrefix(row.Errors[n-1].Error, "JobCancelError: ")
	}
	return l
}

// ErrNotDead says that a job to be replayed is not a dead letter.
var ErrNotDead = errors.New("the job is not a dead letter")

// ReplayAll puts every dead letter that there is now back into the queue, and returns
// how many that were. One that somebody else replays meanwhile is left to them.
func (c *Client) ReplayAll(ctx context.Context) (n int, err error) {
	for cursor := ""; ; {
		letters, next, err := c.DeadLetters(ctx, cursor, maxLetters)
		if err != nil {
			return n, err
		}
		for _, l := range letters {
			err := c.Replay(ctx, l.ID)
			switch {
			case err == nil:
				n++
			case !errors.Is(err, ErrNotDead):
				return n, err
			}
		}
		if next == "" {
			return n, nil
		}
		cursor = next
	}
}

// Replay puts a dead letter back into the queue, to be tried at once. It returns
// [ErrNotDead] when there is none with this number.
func (c *Client) Replay(ctx context.Context, id int64) error {
	return c.retry(ctx, id, rivertype.JobStateDiscarded, rivertype.JobStateCancelled)
}

// retry tries a job at once that is in one of the states.
func (c *Client) retry(ctx context.Context, id int64, from ...rivertype.JobState) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return inTx(ctx, c.cfg.DB, func(tx *sql.Tx) error {
		state, err := jobState(ctx, tx, id)
		if err != nil {
			return fmt.Errorf("looking for job %d: %w", id, err)
		}
		if !slices.Contains(from, state) {
			return fmt.Errorf("replaying job %d: %w", id, ErrNotDead)
		}
		if _, err := r.JobRetryTx(ctx, tx, id); err != nil {
			return fmt.Errorf("replaying job %d: %w", id, err)
		}
		return nil
	})
}

// TryAgain tries at once what failed of a kind and is meant by its arguments: dead
// letters, and jobs that wait for their next try. It is for when what they lacked may
// be there now.
func (c *Client) TryAgain(ctx context.Context, kind string, meant func(args json.RawMessage) bool) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	failed := []rivertype.JobState{rivertype.JobStateDiscarded, rivertype.JobStateCancelled, rivertype.JobStateRetryable}
	params := river.NewJobListParams().First(maxLetters).OrderBy(river.JobListOrderByID, river.SortOrderAsc).Kinds(kind).States(failed...)
	for {
		res, err := r.JobList(ctx, params)
		if err != nil {
			return fmt.Errorf("listing what failed: %w", err)
		}
		for _, row := range res.Jobs {
			if !meant(row.EncodedArgs) {
				continue
			}
			if err := c.retry(ctx, row.ID, failed...); err != nil && !errors.Is(err, ErrNotDead) {
				return err
			}
		}
		if len(res.Jobs) < maxLetters {
			return nil
		}
		params = params.After(res.LastCursor)
	}
}

// Waiting returns how many jobs there are in each state, by kind: what a metric
// shows, and what a test waits for.
func (c *Client) Waiting(ctx context.Context) (_ map[string]map[string]int, err error) {
	rows, err := c.cfg.DB.QueryContext(ctx, `SELECT kind, state, count(*) FROM river_job GROUP BY kind, state`)
	if err != nil {
		return nil, fmt.Errorf("counting jobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := map[string]map[string]int{}
	for rows.Next() {
		var kind, state string
		var n int
		if err := rows.Scan(&kind, &state, &n); err != nil {
			return nil, err
		}
		if all[kind] == nil {
			all[kind] = map[string]int{}
		}
		all[kind][state] = n
	}
	return all, rows.Err()
}
