// Package store remembers what must outlive a process: which deliveries were
// processed, where the App is installed, which repositories there are, who
// follows which golden path and in what state, and what was done to whom.
//
// Git is the record. What is kept here about members can be rebuilt from their
// lock files; only the audit log, people's refusals and measured times are found
// here alone.
//
// It works on SQLite and on PostgreSQL, with one SQL text for both: numbered
// parameters, text and bigint columns, times as milliseconds since 1970, nothing
// that only one of them has. [Open] chooses by the address, [Store.Migrate] brings
// the schema up to date, River's tables included, and is safe when several
// replicas start at once.
//
// A [Store] speaks to the database directly; [Store.In] gives the same store
// bound to a transaction, so that its effects and a job's completion, or a
// delivery and the jobs it makes, are one.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// ErrNotFound says that what was asked for is not remembered.
var ErrNotFound = errors.New("not found in the store")

// Engine is a kind of database.
type Engine string

// The engines that there are.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgresql"
)

const (
	// sqliteConnections allows reading while somebody writes. Writers take turns.
	sqliteConnections = 8
	// busyTimeout is how long a writer waits for its turn.
	busyTimeout = 10 * time.Second
)

// querier is what a database and a transaction have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Store is a database, or a transaction on it. Its methods may be called at the
// same time, except that a store bound to a transaction is one goroutine's.
type Store struct {
	// Now tells the time of what is recorded; Open sets time.Now.
	Now func() time.Time

	q      querier
	db     *sql.DB
	turns  *turns
	pool   *pgxpool.Pool
	file   string // the SQLite database's
	engine Engine
}

// Open opens the database at address, without migrating it: "sqlite:<file>", or
// "postgres://…" in the form that pgx reads. It does not log the address, which
// may hold a password; neither does an error that it returns.
func Open(ctx context.Context, address string) (*Store, error) {
	return open(ctx, address, "rwc")
}

// OpenExisting is [Open] for a database that somebody else has made: a SQLite file
// that is not there is an error, and not made.
func OpenExisting(ctx context.Context, address string) (*Store, error) {
	if file, is := strings.CutPrefix(address, "sqlite:"); is && file != "" {
		file = strings.TrimPrefix(file, "//")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s; it must be the file that the server works with", file)
		}
	}
	return open(ctx, address, "rw")
}

func open(ctx context.Context, address, mode string) (*Store, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest, mode)
	case "postgres", "postgresql":
		return openPostgreSQL(ctx, address)
	}
	return nil, fmt.Errorf("database address begins with %q; give sqlite:<file> or postgres://<user>@<host>/<database>", limit(scheme, 20))
}

// openSQLite opens a file in a mode of SQLite's URIs: "rwc" makes it where it is not
// there, "rw" does not (https://www.sqlite.org/uri.html).
func openSQLite(ctx context.Context, file, mode string) (*Store, error) {
	file = strings.TrimPrefix(file, "//")
	if file == "" || strings.HasPrefix(file, ":memory:") || strings.Contains(file, "?") {
		return nil, fmt.Errorf("sqlite:%s: give the path of a file, without options; a database in memory would lose every job when the process ends", file)
	}
	// Every transaction takes the write lock as it begins: one that first read and
	// then wants to write could otherwise only fail.
	options := url.Values{
		"mode":    {mode},
		"_txlock": {"immediate"},
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
			"journal_mode(WAL)",
			"synchronous(FULL)", // an acknowledged delivery survives a power cut
			"foreign_keys(ON)",
		},
	}
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: options.Encode()}).String()
	if !strings.HasPrefix(file, "/") {
		dsn = "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + options.Encode()
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("opening sqlite:%s: %w", file, err)
	}
	db.SetMaxOpenConns(sqliteConnections)
	db.SetMaxIdleConns(sqliteConnections)
	if err := db.PingContext(ctx); err != nil {
		hint := "its folder must exist and be writable"
		if mode == "rw" {
			hint = "it must be the file that the server works with"
		}
		return nil, errors.Join(fmt.Errorf("opening sqlite:%s: %w; %s", file, err, hint), db.Close())
	}
	return &Store{Now: time.Now, q: db, db: db, turns: newTurns(), file: file, engine: SQLite}, nil
}

func openPostgreSQL(ctx context.Context, address string) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The cause repeats the address; pgx hides a password only where it finds one.
		return nil, errors.New("the database address is not one that PostgreSQL's driver understands; give postgres://<user>@<host>:<port>/<database>")
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening PostgreSQL at %s: %w", cfg.ConnConfig.Host, err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening PostgreSQL at %s, database %s: %w", cfg.ConnConfig.Host, cfg.ConnConfig.Database, err)
	}
	db := stdlib.OpenDBFromPool(pool)
	// Idle connections belong to the pool; one kept here is one less for others.
	db.SetMaxIdleConns(0)
	return &Store{Now: time.Now, q: db, db: db, turns: newTurns(), pool: pool, engine: PostgreSQL}, nil
}

// Close gives the connections back. A store bound to a transaction is not closed.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.pool != nil {
		s.pool.Close()
	}
	return err
}

// DB returns the database below, for internal/jobs.
func (s *Store) DB() *sql.DB { return s.db }

// Pool returns PostgreSQL's connections, and nil on SQLite.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Engine says which database it is.
func (s *Store) Engine() Engine { return s.engine }

// Ready returns nil when the database answers.
func (s *Store) Ready(ctx context.Context) error {
	var one int
	return s.q.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// In returns the same store with everything it does in tx, which its caller
// commits.
func (s *Store) In(tx *sql.Tx) *Store {
	bound := *s
	bound.q = tx
	return &bound
}

// InTx runs f in a transaction, and commits it when f returns nil. On SQLite f
// must use tx alone: what it does beside it waits for it in vain.
func (s *Store) InTx(ctx context.Context, f func(tx *sql.Tx, in *Store) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(tx, s.In(tx)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// exec runs a statement and returns how many rows it touched.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := s.q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// collect runs a query and reads every row with scan.
func collect[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, args ...any) (_ []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(into ...any) error }

// found turns the driver's word for "no such row" into ours, saying what was
// looked for.
func found(err error, format string, args ...any) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		err = ErrNotFound
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// millis and at convert times; the zero time is stored as 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// limit cuts s to at most n bytes, at the beginning of a character.
func limit(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
