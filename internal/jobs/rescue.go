package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// River gives a dead process's jobs to others when they are older than the job
// timeout, which must be long. Replicas here say every few seconds that they live,
// and whoever sees one fall silent gives its jobs back.

// sighting is what was last seen of another replica, and since when it has been
// that. It is timed by the clock of who looks: clocks need not agree.
type sighting struct {
	beat  int64
	since time.Time
}

// watch says that this replica lives, and looks after those that no longer do,
// until ctx ends.
func (c *Client) watch(ctx context.Context) {
	tick := time.NewTicker(c.cfg.Lost / 6)
	defer tick.Stop()
	seen := map[string]sighting{}
	for {
		err := c.beat(ctx)
		if err == nil {
			err = c.lookAround(ctx, seen)
		}
		if err != nil && ctx.Err() == nil {
			c.cfg.Log.WarnContext(ctx, "watching the replicas", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (c *Client) beat(ctx context.Context) error {
	_, err := c.cfg.DB.ExecContext(ctx, `INSERT INTO replicas (id, beat, seen) VALUES ($1, 1, $2)
		ON CONFLICT (id) DO UPDATE SET beat = replicas.beat + 1, seen = excluded.seen`, c.id, c.cfg.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("joining the replicas: %w; has the database been migrated?", err)
	}
	return nil
}

// leave takes this replica off the list.
func (c *Client) leave(ctx context.Context) error {
	if _, err := c.cfg.DB.ExecContext(ctx, `DELETE FROM replicas WHERE id = $1`, c.id); err != nil {
		return fmt.Errorf("leaving the replicas: %w", err)
	}
	return nil
}

// lookAround gives back the jobs of replicas that have been silent for
// Config.Lost.
func (c *Client) lookAround(ctx context.Context, seen map[string]sighting) error {
	beats, err := c.beats(ctx)
	if err != nil {
		return err
	}
	for id := range seen {
		if _, there := beats[id]; !there {
			delete(seen, id)
		}
	}
	for id, beat := range beats {
		last, known := seen[id]
		switch {
		case id == c.id:
		case !known || last.beat != beat:
			seen[id] = sighting{beat, time.Now()}
		case time.Since(last.since) >= c.cfg.Lost:
			n, err := c.rescue(ctx, id)
			if err != nil {
				return fmt.Errorf("giving back the jobs of replica %s: %w", id, err)
			}
			c.cfg.Log.WarnContext(ctx, "a replica fell silent; its jobs were given back", "replica", id, "jobs", n)
			delete(seen, id)
		}
	}
	return nil
}

func (c *Client) beats(ctx context.Context) (_ map[string]int64, err error) {
	rows, err := c.cfg.DB.QueryContext(ctx, `SELECT id, beat FROM replicas`)
	if err != nil {
		return nil, fmt.Errorf("looking for the other replicas: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := map[string]int64{}
	for rows.Next() {
		var id string
		var beat int64
		if err := rows.Scan(&id, &beat); err != nil {
			return nil, err
		}
		all[id] = beat
	}
	return all, rows.Err()
}

// rescue makes the jobs of a replica available again, takes it off the list, and
// returns how many jobs that were. Should the replica only have been slow, it comes
// back with its next beat, and finds when it comes to complete a job that this is
// no longer its own. A job that was at its last attempt, which may be what the
// replica died of, is left to River, which makes it a dead letter.
func (c *Client) rescue(ctx context.Context, id string) (n int64, err error) {
	// attempted_by ends with the replica that works on the job now.
	holder := `json_extract(attempted_by, '$[#-1]')`
	if c.cfg.Pool != nil {
		holder = `attempted_by[array_upper(attempted_by, 1)]`
	}
	err = inTx(ctx, c.cfg.DB, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE river_job SET state = 'available'
			WHERE state = 'running' AND attempt < max_attempts AND `+holder+` = $1`, id)
		if err != nil {
			return err
		}
		if n, err = res.RowsAffected(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM replicas WHERE id = $1`, id)
		return err
	})
	return n, err
}

// housekeeping forgets what nobody will ask for again.
type housekeeping struct{}

// Kind names the job.
func (housekeeping) Kind() string { return "housekeeping" }

// Priority is last.
func (housekeeping) Priority() int { return 4 }

func (c *Client) keepHouse(ctx context.Context) error {
	old := c.cfg.Now().Add(-deadKept).UnixMilli()
	for _, statement := range []string{
		`DELETE FROM newest WHERE updated < $1 AND done >= wanted`,
		`DELETE FROM lanes WHERE updated < $1 AND NOT EXISTS
			(SELECT 1 FROM river_job WHERE river_job.id = lanes.job AND river_job.state = 'running')`,
	} {
		if _, err := c.cfg.DB.ExecContext(ctx, statement, old); err != nil {
			return fmt.Errorf("keeping house: %w", err)
		}
	}
	_, err := c.cfg.DB.ExecContext(ctx, `DELETE FROM steps WHERE NOT EXISTS (SELECT 1 FROM river_job WHERE river_job.id = steps.job)`)
	if err != nil {
		return fmt.Errorf("keeping house: %w", err)
	}
	return nil
}
