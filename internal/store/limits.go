package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Limits bound pull requests. 0 is no bound.
type Limits struct {
	Open          int // at once, over the fleet
	PerGoldenPath int // at once, of one golden path
	PerHour       int // new ones
}

const (
	// claimed is how long a place counts as taken before the pull request is remembered.
	claimed = 15 * time.Minute
	// again is when to ask again for a place that only a closed pull request frees.
	again = 10 * time.Minute
)

// Claim takes a place for a member's new pull request. Where the limits leave none,
// why says so and until is when to ask again. A member that has a place keeps it.
func (s *Store) Claim(ctx context.Context, repository int64, goldenPath string, l Limits) (until time.Time, why string, err error) {
	if l == (Limits{}) {
		return time.Time{}, "", nil
	}
	err = s.InTx(ctx, func(_ *sql.Tx, in *Store) error {
		until, why, err = in.claim(ctx, repository, goldenPath, l)
		return err
	})
	if err != nil {
		return time.Time{}, "", fmt.Errorf("taking a place for a pull request in repository %d: %w", repository, err)
	}
	return until, why, nil
}

func (s *Store) claim(ctx context.Context, repository int64, goldenPath string, l Limits) (time.Time, string, error) {
	now := s.Now()
	_, err := s.exec(ctx, `INSERT INTO counting (what, updated) VALUES ('pull requests', $1)
		ON CONFLICT (what) DO UPDATE SET updated = excluded.updated`, millis(now))
	if err != nil {
		return time.Time{}, "", err
	}
	for _, bound := range []struct {
		most       int
		goldenPath string
		of         string
	}{{l.Open, "", ""}, {l.PerGoldenPath, goldenPath, " of " + goldenPath}} {
		n := 0
		err := s.q.QueryRowContext(ctx, `SELECT count(*) FROM members WHERE (pull_request <> 0 OR opened > $1)
			AND NOT (repository = $2 AND golden_path = $3) AND ($4 = '' OR golden_path = $5)`,
			millis(now.Add(-claimed)), repository, goldenPath, bound.goldenPath, bound.goldenPath).Scan(&n)
		if err != nil {
			return time.Time{}, "", err
		}
		if bound.most > 0 && n >= bound.most {
			return now.Add(again), fmt.Sprintf("%d pull requests%s are open, and no more than %d may be", n, bound.of, bound.most), nil
		}
	}
	if until, err := s.nextHour(ctx, repository, goldenPath, l.PerHour); err != nil || !until.IsZero() {
		return until, fmt.Sprintf("%d pull requests were opened within an hour, and no more may be", l.PerHour), err
	}
	_, err = s.exec(ctx, `UPDATE members SET opened = $3 WHERE repository = $1 AND golden_path = $2`, repository, goldenPath, millis(now))
	return time.Time{}, "", err
}

// nextHour returns when an hour has room for one more; zero is now.
func (s *Store) nextHour(ctx context.Context, repository int64, goldenPath string, most int) (time.Time, error) {
	if most <= 0 {
		return time.Time{}, nil
	}
	opened, err := collect(ctx, s.q, func(r row) (int64, error) {
		var ms int64
		err := r.Scan(&ms)
		return ms, err
	}, `SELECT opened FROM members WHERE opened > $1 AND NOT (repository = $2 AND golden_path = $3)
		ORDER BY opened DESC LIMIT $4`, millis(s.Now().Add(-time.Hour)), repository, goldenPath, most)
	if err != nil || len(opened) < most {
		return time.Time{}, err
	}
	return at(opened[most-1]).Add(time.Hour), nil
}
