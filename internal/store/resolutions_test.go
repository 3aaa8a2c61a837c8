package store_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// learned is a store with an organisation of four repositories, and another one with
// two, all of which resolved the conflict "h".
func learned(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	must(t, s.RememberInstallation(ctx, store.Installation{ID: 1, Account: "acme", AccountID: 10}))
	for id, how := range map[int64]store.Resolution{
		11: {Installation: 1, Take: "ours"}, 12: {Installation: 1, Take: "ours"}, 5_000_000_013: {Installation: 1, Take: "text", Text: []byte("mixed\n")},
		14: {Installation: 1, Take: "ours"}, 21: {Installation: 2, Take: "theirs"}, 22: {Installation: 2, Take: "text", Text: []byte("secret\n")},
	} {
		must(t, s.RememberRepository(ctx, store.Repository{ID: id, Installation: how.Installation, Owner: "o", Name: "r"}))
		how.Repository, how.GoldenPath, how.Hunk = id, "go", "h"
		if kept, err := s.RememberResolution(ctx, how); err != nil || !kept {
			t.Fatalf("kept %t, %v", kept, err)
		}
	}
}

func wantResolved(t *testing.T, s *store.Store, installation, except int64, want ...store.Resolved) {
	t.Helper()
	got, err := s.Resolutions(t.Context(), installation, except, "h")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("installation %d but for %d: %v, mismatch (-want +got):\n%s", installation, except, err, diff)
	}
}

func TestResolutionsOfAnOrganisation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		learned(t, s)
		ours := func(n int) store.Resolved { return store.Resolved{Take: "ours", Text: []byte{}, Repositories: n} }
		mixed := store.Resolved{Take: "text", Text: []byte("mixed\n"), Repositories: 1}
		wantResolved(t, s, 1, 0, ours(3), mixed)
		wantResolved(t, s, 1, 11, ours(2), mixed)
		// Nothing of one organisation's is seen by another one.
		wantResolved(t, s, 2, 22, store.Resolved{Take: "theirs", Text: []byte{}, Repositories: 1})
		wantResolved(t, s, 3, 0)
		memories, err := s.Memories(t.Context())
		want := []store.MemoryOf{{Installation: 2, Conflicts: 1, Repositories: 2}, {Installation: 1, Account: "acme", Conflicts: 1, Repositories: 4}}
		if len(memories) == 2 && memories[0].Account != "" {
			want[0], want[1] = want[1], want[0] // the databases sort what is not known differently
		}
		if diff := cmp.Diff(want, memories); diff != "" || err != nil {
			t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
		}
	})
}

func TestResolutionsAreForgotten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		learned(t, s)
		ours := func(n int) store.Resolved { return store.Resolved{Take: "ours", Text: []byte{}, Repositories: n} }
		// By hand, by leaving the golden path, by being deleted.
		if n, err := s.ForgetResolutions(ctx, 1, 5_000_000_013); err != nil || n != 1 {
			t.Errorf("forgot %d, %v", n, err)
		}
		wantResolved(t, s, 1, 0, ours(3))
		must(t, s.ForgetMember(ctx, 14, "another"))
		wantResolved(t, s, 1, 0, ours(3))
		must(t, s.ForgetMember(ctx, 14, "go"))
		wantResolved(t, s, 1, 0, ours(2))
		must(t, s.ForgetRepository(ctx, 12))
		wantResolved(t, s, 1, 0, ours(1))
		// By going to another organisation, which learns nothing either.
		must(t, s.RememberRepository(ctx, store.Repository{ID: 11, Installation: 2, Owner: "other", Name: "r"}))
		wantResolved(t, s, 1, 0)
		wantResolved(t, s, 2, 22, store.Resolved{Take: "theirs", Text: []byte{}, Repositories: 1})
		// With the installation, and all at once.
		must(t, s.ForgetInstallation(ctx, 2))
		wantResolved(t, s, 2, 0)
		learned(t, s)
		if n, err := s.ForgetResolutions(ctx, 1, 0); err != nil || n != 4 {
			t.Errorf("forgot %d, %v", n, err)
		}
		wantResolved(t, s, 1, 0)
	})
}

// TestLessons: what was forgotten by order is known not to be new; what is gone for
// another reason is not.
func TestLessons(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		want := func(installation, repository int64, want ...store.Lesson) {
			t.Helper()
			got, err := s.Lessons(ctx, installation, repository, "go")
			if diff := cmp.Diff(want, slices.Collect(maps.Keys(got))); diff != "" || err != nil {
				t.Errorf("of %d in %d: %v, mismatch (-want +got):\n%s", repository, installation, err, diff)
			}
		}
		learned(t, s)
		ours := store.Lesson{Hunk: "h", Take: "ours"}
		want(1, 11, ours)
		want(1, 5_000_000_013, store.Lesson{Hunk: "h", Take: "text"})
		_, err := s.ForgetResolutions(ctx, 1, 0)
		must(t, err)
		want(1, 11, ours)
		must(t, s.ForgetMember(ctx, 14, "another"))
		want(1, 14, ours)
		must(t, s.ForgetMember(ctx, 14, "go"))
		want(1, 14)
		must(t, s.RememberRepository(ctx, store.Repository{ID: 11, Installation: 2, Owner: "other", Name: "r"}))
		want(1, 11)
		want(2, 11)
		must(t, s.ForgetRepository(ctx, 12))
		want(1, 12)
		must(t, s.ForgetInstallation(ctx, 2))
		want(2, 21)
	})
}

func TestResolutionsAreBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must(t, s.RememberRepository(ctx, store.Repository{ID: 1, Installation: 1, Owner: "o", Name: "r"}))
		r := store.Resolution{Installation: 1, Repository: 1, GoldenPath: "go", Hunk: "h", Take: "theirs"}
		if kept, err := s.RememberResolution(ctx, r); !kept || err != nil {
			t.Errorf("kept %t, %v", kept, err)
		}
		r.Take = "text"
		for _, text := range [][]byte{bytes.Repeat([]byte("x"), store.MaxResolution+1), {0xff}, []byte("a\x00b")} {
			r.Text = text
			if kept, err := s.RememberResolution(ctx, r); kept || err != nil {
				t.Errorf("%.5q: kept %t, %v", text, kept, err)
			}
		}
		wantResolved(t, s, 1, 0) // what it was before holds no more
		r.Text = bytes.Repeat([]byte("x"), store.MaxResolution)
		if kept, err := s.RememberResolution(ctx, r); !kept || err != nil {
			t.Errorf("kept %t, %v", kept, err)
		}
		now := time.UnixMilli(1_900_000_000_000)
		s.Now = func() time.Time { return now }
		r.Take, r.Text = "ours", nil
		err := s.InTx(ctx, func(_ *sql.Tx, in *store.Store) error {
			for i := range 1000 {
				now = now.Add(time.Millisecond)
				r.Hunk = fmt.Sprint(i)
				if _, err := in.RememberResolution(ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
		must(t, err)
		wantResolved(t, s, 1, 0) // the oldest made room
	})
}
