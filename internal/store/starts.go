package store

import (
	"context"
	"fmt"
	"time"
)

// Start is a piece of work elsewhere that a repository starts once, such as a run of a
// workflow.
type Start struct {
	Began time.Time // when it was first tried
	Again bool      // it was tried before, and nobody noted how that ended
	Done  bool
}

// BeginStart notes that a repository is about to start work, unless that is noted
// already, and returns what is known of it.
func (s *Store) BeginStart(ctx context.Context, repository int64, work string) (Start, error) {
	fresh, err := s.exec(ctx, `INSERT INTO starts (repository, work, began, done) VALUES ($1, $2, $3, 0)
		ON CONFLICT (repository, work) DO NOTHING`, repository, work, millis(s.Now()))
	var began, done int64
	if err == nil {
		err = s.q.QueryRowContext(ctx, `SELECT began, done FROM starts WHERE repository = $1 AND work = $2`, repository, work).Scan(&began, &done)
	}
	if err != nil {
		return Start{}, fmt.Errorf("noting that repository %d starts %s: %w", repository, work, err)
	}
	return Start{Began: at(began), Again: fresh == 0, Done: done != 0}, nil
}

// EndStart notes how it ended: it is done, or it is known that nothing was started.
func (s *Store) EndStart(ctx context.Context, repository int64, work string, done bool) error {
	query := `DELETE FROM starts WHERE repository = $1 AND work = $2`
	if done {
		query = `UPDATE starts SET done = 1 WHERE repository = $1 AND work = $2`
	}
	if _, err := s.exec(ctx, query, repository, work); err != nil {
		return fmt.Errorf("noting how repository %d started %s: %w", repository, work, err)
	}
	return nil
}
