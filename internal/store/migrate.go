package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// riverVersion is the version of River's schema that migration 1 makes. A
	// later River needs a migration of its own that goes on from there.
	riverVersion = 8
	// lockEvery and lockTimes: a replica that starts asks once a second for its
	// turn, for five minutes.
	lockEvery = time.Second
	lockTimes = 300
)

// Migrate brings the schema up to date: River's tables, then ours, each step
// in a transaction. Any number of processes may call it at once; they take turns,
// by an advisory lock on PostgreSQL and by a lock file beside the database on
// SQLite, and one that finds nothing to do does nothing.
func (s *Store) Migrate(ctx context.Context) (err error) {
	unlock, err := s.migrationTurn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	provider, err := s.migrator()
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	return nil
}

// SchemaVersions returns the schema's version, and the one this program needs.
func (s *Store) SchemaVersions(ctx context.Context) (current, needed int64, err error) {
	provider, err := s.migrator()
	if err != nil {
		return 0, 0, err
	}
	return provider.GetVersions(ctx)
}

// migrationTurn waits until no other process migrates the SQLite database. On
// PostgreSQL goose itself waits, for an advisory lock.
func (s *Store) migrationTurn(ctx context.Context) (unlock func() error, err error) {
	if s.engine != SQLite {
		return func() error { return nil }, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimes*lockEvery)
	defer cancel()
	turn := flock.New(s.file + ".migrate")
	if _, err := turn.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for another process that migrates %s: %w", s.file, err)
	}
	return turn.Close, nil
}

func (s *Store) migrator() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err // unreachable: the folder is embedded
	}
	options := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true),
		goose.WithTableName("schema_versions"),
		goose.WithSlog(slog.New(slog.DiscardHandler)),
	}
	dialect := goose.DialectSQLite3
	var river *goose.Migration
	if s.engine == PostgreSQL {
		dialect = goose.DialectPostgres
		turn, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(uint64(lockEvery/time.Second), lockTimes))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(turn))
		river = riverMigration(riverdatabasesql.New(s.db))
	} else {
		river = riverMigration(riversqlite.New(s.db))
	}
	options = append(options, goose.WithGoMigrations(river))
	return goose.NewProvider(dialect, s.db, files, options...)
}

// riverMigration makes River's tables. River's own migrator is not safe when
// replicas start together, so it runs inside goose's lock. Each of its versions is
// a transaction of its own, because PostgreSQL lets nobody use a new value of an
// enumeration in the transaction that added it; cut short, it goes on from there.
func riverMigration(driver riverdriver.Driver[*sql.Tx]) *goose.Migration {
	move := func(direction rivermigrate.Direction, to int) *goose.GoFunc {
		return &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) error {
			m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				return err
			}
			_, err = m.Migrate(ctx, direction, &rivermigrate.MigrateOpts{TargetVersion: to})
			return err
		}}
	}
	return goose.NewGoMigration(1,
		move(rivermigrate.DirectionUp, riverVersion), move(rivermigrate.DirectionDown, -1))
}
