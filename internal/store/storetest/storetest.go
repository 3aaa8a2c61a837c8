// Package storetest gives tests real databases: a file of their own, and a PostgreSQL
// that is started from the binaries that are installed.
package storetest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/goldenpaths/syncer/internal/store"
)

// RequirePostgres is the environment variable that, set to 1, makes tests fail
// where there is no PostgreSQL, instead of being skipped.
const RequirePostgres = "SYNCER_REQUIRE_POSTGRES"

// shared is the cluster of this test binary; the first test that wants one starts
// it, Main ends it.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
	main    bool
}

// Main runs a package's tests and ends the cluster that they started. Call it
// from TestMain, which every package that uses this one needs:
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is [Main] for a TestMain that does something else too: it returns the exit
// code. m is a *testing.M.
func Run(m interface{ Run() int }) int {
	shared.main = true
	code := m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// Each runs f on every engine, as sub-tests "sqlite" and "postgresql", each with
// an empty database whose schema is up to date.
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	EachAddress(t, func(t *testing.T, address string) { f(t, Open(t, address)) })
}

// EachAddress is [Each] for tests that open the database themselves, or in another
// process: f gets the address of an empty database that is not migrated.
func EachAddress(t *testing.T, f func(t *testing.T, address string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgresql", func(t *testing.T) { f(t, PostgreSQL(t)) })
}

// SQLite returns the address of a database that does not exist yet. It is in memory
// where that can be: no test cuts the power, and most of a story's time was waiting for
// the disk, more of it than the product's deadlines allow where many stories share one.
// PostgreSQL's cluster does without fsync for the same reason. A benchmark's is on the disk.
func SQLite(tb testing.TB) string {
	tb.Helper()
	dir := memory()
	if _, measures := tb.(*testing.B); measures || dir == "" {
		return "sqlite:" + filepath.Join(tb.TempDir(), "syncer.db")
	}
	dir, err := os.MkdirTemp(dir, "syncer-test-") //nolint:usetesting // TempDir has its own place, on the disk
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	return "sqlite:" + filepath.Join(dir, "syncer.db")
}

// PostgreSQL returns the address of a new, empty database. It skips the test where
// PostgreSQL is not installed, or fails it where [RequirePostgres] is set.
func PostgreSQL(tb testing.TB) string {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.main {
		tb.Fatal("storetest: this package lacks func TestMain(m *testing.M) { storetest.Main(m) }")
	}
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = StartCluster()
	}
	if shared.err != nil {
		if os.Getenv(RequirePostgres) == "1" {
			tb.Fatal(shared.err)
		}
		tb.Skip(shared.err)
	}
	address, err := shared.cluster.Create(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return address
}

// Open opens the database at address, migrates it, and closes it with the test.
func Open(tb testing.TB, address string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}
