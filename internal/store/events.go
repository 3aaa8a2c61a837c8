package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Event is one thing that was done or seen, in the log that is only ever added
// to. It says who or what caused it, so that every effect can be traced.
type Event struct {
	ID         string    // set by Log; rises with time
	Happened   time.Time // zero: now
	Repository int64     // 0: none
	GoldenPath string    // "": none
	Kind       string    // short and stable: "pull request opened"
	Who        string    // login of the person, or "syncer"
	What       string    // a sentence for people
	Delivery   string    // GUID of the delivery that caused it; "": none
	Job        int64     // number of the job that did it; 0: none
}

// maxWhat bounds what is kept of an event's sentence.
const maxWhat = 8 << 10

// Log adds an event.
func (s *Store) Log(ctx context.Context, e Event) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("making an event's id: %w", err)
	}
	if e.Happened.IsZero() {
		e.Happened = s.Now()
	}
	_, err = s.exec(ctx, `INSERT INTO events (id, happened, repository, golden_path, kind, who, what, delivery, job)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id.String(), millis(e.Happened), e.Repository, e.GoldenPath, e.Kind, e.Who, limit(e.What, maxWhat), e.Delivery, e.Job)
	if err != nil {
		return fmt.Errorf("logging %q: %w", e.Kind, err)
	}
	return nil
}

// Events returns a page of the log, newest first, at most most: those before the
// event with the id before ("": from the newest), of one repository or with 0 of
// all.
func (s *Store) Events(ctx context.Context, repository int64, before string, most int) ([]Event, error) {
	var w where
	if repository != 0 {
		w.and("repository = ?", repository)
	}
	if before != "" {
		w.and("id < ?", before)
	}
	w.args = append(w.args, min(max(most, 1), MaxPage))
	all, err := collect(ctx, s.q, scanEvent, fmt.Sprintf(
		`SELECT id, happened, repository, golden_path, kind, who, what, delivery, job FROM events%s ORDER BY id DESC LIMIT $%d`,
		w.clause(), len(w.args)), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return all, nil
}

func scanEvent(r row) (Event, error) {
	var e Event
	var happened int64
	err := r.Scan(&e.ID, &happened, &e.Repository, &e.GoldenPath, &e.Kind, &e.Who, &e.What, &e.Delivery, &e.Job)
	e.Happened = at(happened)
	return e, err
}
