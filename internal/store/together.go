package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
)

// SQLite has one writer at a time, and a commit waits for the disk. Where many
// small transactions come at once they are therefore done together: whoever finds
// nobody at it lets all that wait be done, each in a savepoint of one transaction.

// mostTogether bounds how many share a transaction, and so how long the first of
// them waits for the last.
const mostTogether = 64

// part is one small transaction that waits for its turn.
type part struct {
	ctx   context.Context
	f     func(ctx context.Context, tx *sql.Tx, in *Store) error
	taken atomic.Bool // by who does it, or by who asked and waits no longer
	done  chan error
}

// take returns whether nobody took it before.
func (p *part) take() bool { return p.taken.CompareAndSwap(false, true) }

// turns holds the parts that wait, and whose turn it is.
type turns struct {
	waiting chan *part
	turn    chan struct{}
}

func newTurns() *turns {
	return &turns{waiting: make(chan *part, mostTogether), turn: make(chan struct{}, 1)}
}

// Together is [Store.InTx] for small transactions of which many come at once, like
// deliveries: on SQLite they share a commit. Each succeeds or fails for itself, and
// it returns when the commit is done, or when ctx ends before f was begun. f must be
// quick, and use the context that it is given: on SQLite that one does not end, since
// a statement that is broken off takes what the others did with it
// (https://sqlite.org/c3ref/interrupt.html). If f panics, that is its error.
func (s *Store) Together(ctx context.Context, f func(ctx context.Context, tx *sql.Tx, in *Store) error) error {
	if s.engine != SQLite {
		return s.InTx(ctx, func(tx *sql.Tx, in *Store) error { return guarded(ctx, f, tx, in) })
	}
	p := &part{ctx: ctx, f: f, done: make(chan error, 1)}
	queued := s.turns.waiting
	for {
		select {
		case queued <- p:
			queued = nil
		case s.turns.turn <- struct{}{}:
			go s.doWaiting() // whose wait for the database is nobody's
		case err := <-p.done:
			return err
		case <-ctx.Done():
			if p.take() {
				return ctx.Err()
			}
			return <-p.done // to report a failure that is none would be wrong
		}
	}
}

// doWaiting does what waits now, in one transaction, tells everybody, and passes the
// turn on.
func (s *Store) doWaiting() {
	defer func() { <-s.turns.turn }()
	var all []*part
	for len(all) < mostTogether {
		select {
		case p := <-s.turns.waiting:
			all = append(all, p)
			continue
		default:
		}
		break
	}
	if len(all) == 0 {
		return
	}
	results := make([]error, len(all))
	// Nobody's impatience may undo what others wait for.
	err := s.InTx(context.WithoutCancel(all[0].ctx), func(tx *sql.Tx, in *Store) error {
		for i, p := range all {
			if !p.take() {
				continue
			}
			var broken error
			if results[i], broken = inSavepoint(p, tx, in); broken != nil {
				return broken
			}
		}
		return nil
	})
	for i, p := range all {
		if err != nil {
			results[i] = err
		}
		p.done <- results[i]
	}
}

// inSavepoint does one part; broken means that the transaction as a whole cannot go
// on.
func inSavepoint(p *part, tx *sql.Tx, in *Store) (result, broken error) {
	ctx := context.WithoutCancel(p.ctx)
	if _, err := tx.ExecContext(ctx, "SAVEPOINT part"); err != nil {
		return nil, fmt.Errorf("beginning a part of a transaction: %w", err)
	}
	if result = guarded(ctx, p.f, tx, in); result != nil {
		_, broken = tx.ExecContext(ctx, "ROLLBACK TO part")
	}
	_, err := tx.ExecContext(ctx, "RELEASE part")
	return result, errors.Join(broken, err)
}

// guarded turns a panic into an error: it belongs to one part, and the others wait.
func guarded(ctx context.Context, f func(ctx context.Context, tx *sql.Tx, in *Store) error, tx *sql.Tx, in *Store) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in a transaction: %v", v)
		}
	}()
	return f(ctx, tx, in)
}
