package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// migrateAddress names the database that a process of a test migrates.
const migrateAddress = "SYNCER_TEST_MIGRATE"

func TestMain(m *testing.M) {
	if address := os.Getenv(migrateAddress); address != "" {
		if err := migrate(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	storetest.Main(m)
}

func migrate(address string) error {
	s, err := store.Open(context.Background(), address)
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(context.Background()), s.Close())
}

// TestMigrateTogether starts three processes and three goroutines on an empty
// database at once.
func TestMigrateTogether(t *testing.T) {
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no migrations", err)
	}
	storetest.EachAddress(t, func(t *testing.T, address string) {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				cmd := exec.CommandContext(t.Context(), self)
				cmd.Env = append(os.Environ(), migrateAddress+"="+address)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
			all.Go(func() {
				if err := migrate(address); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s := storetest.Open(t, address)
		current, needed, err := s.SchemaVersions(t.Context())
		if err != nil || current != needed || fmt.Sprintf("%05d", needed) != filepath.Base(files[len(files)-1])[:5] {
			t.Errorf("schema is at %d of %d, %v", current, needed, err)
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		var applied int
		if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM schema_versions WHERE version_id > 0").Scan(&applied); err != nil || applied != len(files)+1 {
			t.Errorf("%d migrations were recorded, %v; want each once", applied, err)
		}
	})
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"mysql://root@localhost/x", "mysql"},
		{"sqlite:", "path of a file"},
		{"sqlite::memory:", "lose every job"},
		{"sqlite:" + filepath.Join(t.TempDir(), "absent", "x.db"), "folder must exist"},
		{"postgres://user:hunter2@[::1", "does not"},
		{"postgres://user:hunter2@/x?host=" + t.TempDir() + "&connect_timeout=1", "opening PostgreSQL"},
	} {
		s, err := store.Open(t.Context(), c.address)
		if err == nil {
			t.Errorf("%s: opened %v", c.address, s.Engine())
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the password: %v", c.address, err)
		}
		if !strings.Contains(err.Error(), c.want) && c.want != "does not" {
			t.Errorf("%s: %v; want something about %q", c.address, err, c.want)
		}
	}
}

func TestDeliveriesAreProcessedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_800_000_000_000).UTC()
		s.Now = func() time.Time { return now }
		d := store.Delivery{GUID: "a", Event: "push", Action: "x", Installation: 1, Repository: 2, Received: now.Add(-time.Second), Outcome: "member", Jobs: 3}
		undo := errors.New("undo")
		err := s.InTx(t.Context(), func(_ *sql.Tx, in *store.Store) error {
			if fresh, err := in.ProcessDelivery(t.Context(), d); err != nil || !fresh {
				t.Errorf("first: %t, %v", fresh, err)
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		if _, err := s.Delivery(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what was rolled back is remembered: %v", err)
		}
		fresh := make(chan bool, 10)
		var all sync.WaitGroup
		for range cap(fresh) {
			all.Go(func() {
				err := s.Together(t.Context(), func(ctx context.Context, _ *sql.Tx, in *store.Store) error {
					f, err := in.ProcessDelivery(ctx, d)
					fresh <- f
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		close(fresh)
		n := 0
		for f := range fresh {
			if f {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of 10 were fresh, want 1", n)
		}
		got, err := s.Delivery(t.Context(), "a")
		d.Processed = now
		if diff := cmp.Diff(d, got); diff != "" || err != nil {
			t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
		}
		now = now.Add(store.DeliveriesKept + time.Minute)
		if n, err := s.ForgetDeliveries(t.Context()); n != 1 || err != nil {
			t.Errorf("forgot %d, %v", n, err)
		}
	})
}

// TestTogether: parts that share a transaction fail for themselves only, and one
// whose caller has gone is either done or not, as its caller is told.
func TestTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const parts = 200
		var all sync.WaitGroup
		told := make([]error, parts)
		for i := range parts {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				told[i] = s.Together(ctx, func(ctx context.Context, _ *sql.Tx, in *store.Store) error {
					_, err := in.ProcessDelivery(ctx, store.Delivery{GUID: fmt.Sprint(i)})
					switch i % 4 {
					case 0:
						return errors.New("broken")
					case 1:
						cancel()
					case 2:
						if i%8 == 2 {
							panic("oops")
						}
					}
					return err
				})
			})
		}
		all.Wait()
		for i, err := range told {
			_, absent := s.Delivery(t.Context(), fmt.Sprint(i))
			if (err == nil) != (absent == nil) {
				t.Errorf("part %d was told %v, and the store says %v", i, err, absent)
			}
			if i%4 == 3 && err != nil || i%4 == 0 && err == nil {
				t.Errorf("part %d was told %v", i, err)
			}
		}
	})
}

// TestNobodysImpatienceUndoesWhatOthersDo: SQLite rolls a whole transaction back when a
// statement in it that writes is interrupted, and parts share one.
func TestNobodysImpatienceUndoesWhatOthersDo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const parts, impatient = 8, 3
		var all sync.WaitGroup
		told := make([]error, parts)
		gate := make(chan struct{}) // all but the first come while it works, and so share what follows
		for i := range parts {
			all.Go(func() {
				if i > 0 {
					<-gate
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				told[i] = s.Together(ctx, func(ctx context.Context, tx *sql.Tx, in *store.Store) error {
					if i == 0 {
						close(gate)
					}
					if _, err := in.ProcessDelivery(ctx, store.Delivery{GUID: fmt.Sprint(i)}); err != nil || i != impatient {
						return err
					}
					time.AfterFunc(20*time.Millisecond, cancel)
					_, err := tx.ExecContext(ctx, `
						WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 300000)
						UPDATE deliveries SET jobs = (SELECT count(*) FROM n) WHERE guid = '3'`)
					return err
				})
			})
		}
		all.Wait()
		for i, err := range told {
			got, absent := s.Delivery(t.Context(), fmt.Sprint(i))
			if (err == nil) != (absent == nil) || err != nil && i != impatient {
				t.Errorf("part %d was told %v, and the store says %v", i, err, absent)
			}
			if i == impatient && err == nil && got.Jobs != 300000 {
				t.Errorf("part %d was broken off", i)
			}
		}
	})
}

func TestRepositoriesAreFollowedByNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_800_000_000_000).UTC()
		s.Now = func() time.Time { return now }
		ctx := t.Context()
		full := store.Repository{ID: 7, Installation: 1, Owner: "Acme", Name: "Pay", DefaultBranch: "main", Visibility: "internal",
			Template: "acme/t", Created: now.Add(-time.Hour), Updated: now}
		must(t, s.RememberRepository(ctx, full))
		must(t, s.RememberRepository(ctx, store.Repository{ID: 7, Owner: "Acme", Name: "Payments", Archived: true}))
		got, err := s.Repository(ctx, 7)
		want := full
		want.Name, want.Archived = "Payments", true
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
		}
		must(t, s.ForgetRepository(ctx, 7))
		if _, err := s.Repository(ctx, 7); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("forgotten, and yet %v", err)
		}
	})
}

func TestInstallations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_800_000_000_000).UTC()
		s.Now = func() time.Time { return now }
		ctx := t.Context()
		want := store.Installation{ID: 1, Account: "acme", AccountID: 2, AccountType: "Organization", Selection: "all",
			Permissions: map[string]string{"contents": "write", "metadata": "read"}, Updated: now}
		must(t, s.RememberInstallation(ctx, want))
		must(t, s.SuspendInstallation(ctx, 1, now))
		want.Suspended = now
		got, err := s.Installations(ctx)
		if diff := cmp.Diff([]store.Installation{want}, got); diff != "" || err != nil {
			t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
		}
		if err := s.SuspendInstallation(ctx, 9, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("suspending what is not there: %v", err)
		}
		must(t, s.RememberRepository(ctx, store.Repository{ID: 7, Installation: 1, Owner: "a", Name: "b"}))
		must(t, s.RememberMember(ctx, store.Member{Repository: 7, GoldenPath: "go"}))
		must(t, s.ForgetInstallation(ctx, 1))
		_, e1 := s.Installation(ctx, 1)
		_, e2 := s.Repository(ctx, 7)
		for _, err := range []error{e1, e2} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("forgotten, and yet %v", err)
			}
		}
		if left, err := s.Memberships(ctx, 7); err != nil || len(left) > 0 {
			t.Errorf("forgotten, and yet %v, %v", left, err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
