package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// again is tried again at once.
type again struct{ error }

func (again) TryAfter() time.Duration { return 0 }

// A job finds what its earlier run noted, and nothing that was noted in a transaction
// which came to nothing. When the job goes, its steps go.
func TestSteps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, ended := client(t, s)
		seen := make(chan []string, 2)
		jobs.Handle(c, func(ctx context.Context, _ plain) error {
			steps, err := jobs.Steps[string](ctx)
			if err != nil {
				return err
			}
			seen <- steps
			if len(steps) > 0 {
				return nil
			}
			undone := errors.New("undone")
			err = s.InTx(ctx, func(tx *sql.Tx, _ *store.Store) error {
				return errors.Join(jobs.NoteStep(ctx, tx, 2, "three"), undone)
			})
			if !errors.Is(err, undone) {
				return err
			}
			err = errors.Join(jobs.NoteStep(ctx, nil, 0, "begun"), jobs.NoteStep(ctx, nil, 0, "one"), jobs.NoteStep(ctx, nil, 1, "two"))
			return errors.Join(err, again{errors.New("once more")})
		})
		// What a job left that is gone, for the housekeeping that each start begins with.
		if _, err := s.DB().ExecContext(t.Context(), `INSERT INTO steps (job, position, what) VALUES (4711, 0, '"gone"')`); err != nil {
			t.Fatal(err)
		}
		start(t, c)
		enqueue(t, c, plain{})
		until(t, ended, jobs.Later)
		until(t, ended, jobs.Done)
		if diff := cmp.Diff([][]string{nil, {"one", "two"}}, [][]string{<-seen, <-seen}); diff != "" {
			t.Errorf("what the runs found (-want +got):\n%s", diff)
		}
		for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			var left int
			if err := s.DB().QueryRowContext(t.Context(), `SELECT count(*) FROM steps`).Scan(&left); err != nil {
				t.Fatal(err)
			}
			if left == 2 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d steps are left, want the job's 2", left)
			}
		}
		if _, err := jobs.Steps[string](t.Context()); err == nil {
			t.Error("there are steps outside of a job")
		}
	})
}
