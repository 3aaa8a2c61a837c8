package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/riverqueue/river/rivertype"
)

// errNoJob says that a function was called outside of a handler.
var errNoJob = errors.New("not in a job: the context is not one that a handler was given")

// Finish runs f in a transaction that also completes the job that ctx belongs to:
// either both are in the database or neither, whenever the process dies. It is the
// last thing that a handler does; what the handler returns after it does not
// matter. In f use tx alone, for effects and for [Enqueue].
func Finish(ctx context.Context, f func(tx *sql.Tx) error) error {
	r := current(ctx)
	if r == nil {
		return errNoJob
	}
	if r.finished {
		return fmt.Errorf("job %d was finished already", r.row.ID)
	}
	err := inTx(ctx, r.client.cfg.DB, func(tx *sql.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return r.complete(ctx, tx)
	})
	r.finished = err == nil
	return err
}

// IsSuperseded returns true when newer work of the same kind and key is wanted, so
// that a long handler may stop early: what it returns then, one that waits included,
// leaves the work to the newer job.
func IsSuperseded(ctx context.Context) (bool, error) {
	r := current(ctx)
	if r == nil {
		return false, errNoJob
	}
	if r.generation == 0 {
		return false, nil
	}
	var wanted int64
	err := r.client.cfg.DB.QueryRowContext(ctx, `SELECT wanted FROM newest WHERE kind = $1 AND key = $2`, r.row.Kind, r.key).Scan(&wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return wanted > r.generation, err
}

// ID returns the number of the job that ctx belongs to, 0 outside of one.
func ID(ctx context.Context) int64 {
	if r := current(ctx); r != nil {
		return r.row.ID
	}
	return 0
}

// Cause returns the GUID of the delivery that the job in ctx comes from, or "".
func Cause(ctx context.Context) string {
	if r := current(ctx); r != nil {
		return causeOf(r.row)
	}
	return ""
}

func causeOf(row *rivertype.JobRow) string {
	var m metadata
	// River's own fields are beside ours; metadata that is not ours has no cause.
	_ = json.Unmarshal(row.Metadata, &m)
	return m.Cause
}

func isUnfinished(s rivertype.JobState) bool { return slices.Contains(unfinished, s) }
