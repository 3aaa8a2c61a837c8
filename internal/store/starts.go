package store

import (
	"context"
	"fmt"
	"time"
)

// Start is a piece of work elsewhere that a repository starts once, such as a run of a
// workflow.
type Start struct {
	Repository int64
	Work       string
	Began      time.Time // when it was first tried
	Tried      time.Time // and last
	Again      bool      // it was tried before, and nobody noted how that ended
	Done       bool
	Ended      time.Time // when that was noted; zero: it is not done
	Run        int64     // what it became; 0: not known
	Told       bool      // people were told that it cannot be known whether it is done
}

// BeginStart notes that a repository is about to start work, unless that is noted
// already, and returns what is known of it.
func (s *Store) BeginStart(ctx context.Context, repository int64, work string) (Start, error) {
	fresh, err := s.exec(ctx, `INSERT INTO starts (repository, work, began, tried, done) VALUES ($1, $2, $3, $3, 0)
		ON CONFLICT (repository, work) DO NOTHING`, repository, work, millis(s.Now()))
	var start Start
	if err == nil {
		start, err = scanStart(s.q.QueryRowContext(ctx, selectStarts+` WHERE repository = $1 AND work = $2`, repository, work))
	}
	if err != nil {
		return Start{}, fmt.Errorf("noting that repository %d starts %s: %w", repository, work, err)
	}
	start.Again = fresh == 0
	return start, nil
}

const selectStarts = `SELECT repository, work, began, tried, done, ended, run, told FROM starts`

func scanStart(r row) (Start, error) {
	var s Start
	var began, tried, done, ended, told int64
	err := r.Scan(&s.Repository, &s.Work, &began, &tried, &done, &ended, &s.Run, &told)
	s.Began, s.Tried, s.Ended, s.Done, s.Told = at(began), at(tried), at(ended), done != 0, told != 0
	return s, err
}

// Starts returns all starts of work whose name begins with a prefix, whichever
// repository's.
func (s *Store) Starts(ctx context.Context, prefix string) ([]Start, error) {
	all, err := collect(ctx, s.q, scanStart, selectStarts+` WHERE substr(work, 1, length($1)) = $1 ORDER BY repository, work`, prefix)
	if err != nil {
		return nil, fmt.Errorf("reading who starts %s: %w", prefix, err)
	}
	return all, nil
}

// TryStart notes that work is started once more.
func (s *Store) TryStart(ctx context.Context, repository int64, work string) error {
	return s.ended(ctx, repository, work, `UPDATE starts SET tried = $3 WHERE repository = $1 AND work = $2`, millis(s.Now()))
}

// EndStart notes that work is started, and what it became; 0 is not known.
func (s *Store) EndStart(ctx context.Context, repository int64, work string, run int64) error {
	return s.ended(ctx, repository, work, `UPDATE starts SET done = 1, told = 0, ended = $3, run = $4 WHERE repository = $1 AND work = $2`, millis(s.Now()), run)
}

// DropStart notes that nothing was started.
func (s *Store) DropStart(ctx context.Context, repository int64, work string) error {
	return s.ended(ctx, repository, work, `DELETE FROM starts WHERE repository = $1 AND work = $2`)
}

// TellStart notes that people are told that it cannot be known whether work was started.
func (s *Store) TellStart(ctx context.Context, repository int64, work string) error {
	return s.ended(ctx, repository, work, `UPDATE starts SET told = 1 WHERE repository = $1 AND work = $2 AND done = 0`)
}

func (s *Store) ended(ctx context.Context, repository int64, work, query string, more ...any) error {
	if _, err := s.exec(ctx, query, append([]any{repository, work}, more...)...); err != nil {
		return fmt.Errorf("noting how repository %d started %s: %w", repository, work, err)
	}
	return nil
}

// SettleStarts takes the starts of a repository that people were told of as done: they
// have seen to them.
func (s *Store) SettleStarts(ctx context.Context, repository int64) error {
	_, err := s.exec(ctx, `UPDATE starts SET done = 1, told = 0, ended = $2 WHERE repository = $1 AND told = 1`, repository, millis(s.Now()))
	if err != nil {
		return fmt.Errorf("noting that people have seen to what repository %d starts: %w", repository, err)
	}
	return nil
}
