package store

import (
	"context"
	"fmt"
	"time"
)

// Pace is how fast an installation may go, as all replicas know it.
type Pace struct {
	Until    time.Time // nothing is sent before; zero: nobody was told to wait
	Why      string
	Rate     float64 // new pull requests an hour; 0: not known, or too long ago
	Replicas int     // that share it, this one among them
}

// paceKept is how long a rate says something: GitHub's patience is not for ever.
const paceKept = 24 * time.Hour

// thousandths are what a rate is kept in.
const thousandths = 1000

// Pace returns what is known of an installation.
func (s *Store) Pace(ctx context.Context, installation int64) (Pace, error) {
	var p Pace
	var until, rate, updated int64
	err := s.q.QueryRowContext(ctx, `SELECT r.n, COALESCE(p.until, 0), COALESCE(p.why, ''), COALESCE(p.rate, 0), COALESCE(p.updated, 0)
		FROM (SELECT count(*) AS n FROM replicas) r LEFT JOIN paces p ON p.installation = $1`, installation).
		Scan(&p.Replicas, &until, &p.Why, &rate, &updated)
	if err != nil {
		return p, fmt.Errorf("reading the pace of installation %d: %w", installation, err)
	}
	p.Until = at(until)
	if s.Now().Sub(at(updated)) < paceKept {
		p.Rate = float64(rate) / thousandths
	}
	return p, nil
}

// Slow records that GitHub found an installation too fast: the later of two pauses
// holds, and the rate is what the last one says.
func (s *Store) Slow(ctx context.Context, installation int64, p Pace) error {
	_, err := s.exec(ctx, `INSERT INTO paces (installation, until, why, rate, updated) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (installation) DO UPDATE SET rate = excluded.rate, updated = excluded.updated,
			why = CASE WHEN excluded.until > paces.until THEN excluded.why ELSE paces.why END,
			until = CASE WHEN excluded.until > paces.until THEN excluded.until ELSE paces.until END`,
		installation, millis(p.Until), limit(p.Why, maxError), int64(p.Rate*thousandths), millis(s.Now()))
	if err != nil {
		return fmt.Errorf("recording that installation %d has to wait: %w", installation, err)
	}
	return nil
}

// Quicken raises the rate of an installation by so much; from is where it begins that
// is not known yet.
func (s *Store) Quicken(ctx context.Context, installation int64, from, by float64) error {
	_, err := s.exec(ctx, `INSERT INTO paces (installation, until, why, rate, updated) VALUES ($1, 0, '', $2, $4)
		ON CONFLICT (installation) DO UPDATE SET updated = excluded.updated,
			rate = CASE WHEN paces.updated < $5 THEN excluded.rate ELSE paces.rate + $3 END`,
		installation, int64((from+by)*thousandths), int64(by*thousandths), millis(s.Now()), millis(s.Now().Add(-paceKept)))
	if err != nil {
		return fmt.Errorf("recording the pace of installation %d: %w", installation, err)
	}
	return nil
}
