package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

func TestMembersKeepWhatIsToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_800_000_000_000).UTC()
		s.Now = func() time.Time { return now }
		ctx := t.Context()
		must(t, s.RememberRepository(ctx, store.Repository{ID: 7, Owner: "a", Name: "b"}))
		first := store.Member{
			Repository: 7, GoldenPath: "go", Source: "src", Channel: "stable", Version: "1.0.0", Wanted: "1.1.0", State: store.Behind,
			Drifted: true, PullRequest: 5, PushedHead: "abc", Offered: "def", Refused: "0.9.0", ErrorKind: store.TryLater,
			Error: strings.Repeat("é", 4000), Failed: now, Scaffolded: now.Add(-time.Hour), Looked: now,
		}
		must(t, s.RememberMember(ctx, first))
		if fresh, err := s.Deployed(ctx, 7, now); err != nil || !fresh {
			t.Errorf("first deployment: %t, %v", fresh, err)
		}
		began := now
		now = now.Add(time.Minute)
		if fresh, err := s.Deployed(ctx, 7, now); err != nil || fresh {
			t.Errorf("second deployment: %t, %v", fresh, err)
		}
		must(t, s.RememberMember(ctx, first))
		want := first
		want.Error = strings.Repeat("é", 2048)
		want.Joined, want.FirstDeploy, want.BehindSince, want.Updated = began, began, began, now
		got, err := s.Memberships(ctx, 7)
		if diff := cmp.Diff([]store.Member{want}, got); diff != "" || err != nil {
			t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
		}
		want.State, want.Version, want.BehindSince = store.Current, "1.1.0", time.Time{}
		want.ErrorKind, want.Error, want.Failed = "", "", time.Time{}
		must(t, s.RememberMember(ctx, want))
		got, err = s.Memberships(ctx, 7)
		if diff := cmp.Diff([]store.Member{want}, got); diff != "" || err != nil {
			t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
		}
		must(t, s.MemberFailed(ctx, 7, "go", store.PersonMustAct, "permission missing"))
		arrivals, err := s.Arrivals(ctx, began.Add(-2*time.Hour))
		wantArrivals := []store.Arrival{{Repository: 7, GoldenPath: "go", Scaffolded: began.Add(-time.Hour), FirstDeploy: began}}
		if diff := cmp.Diff(wantArrivals, arrivals); diff != "" || err != nil {
			t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
		}
		must(t, s.ForgetMember(ctx, 7, "go"))
		if err := s.RememberMember(ctx, store.Member{Repository: 404, GoldenPath: "go"}); err == nil {
			t.Error("a member without a repository was remembered")
		}
	})
}

// TestMembersListsLikeAModel compares filters, order and pages with a list in
// memory, on both engines.
func TestMembersListsLikeAModel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		type known struct {
			repo   store.Repository
			member store.Member
		}
		var all []known
		id := int64(0)
		// Names that order and match differently where an engine minds case, or takes
		// % and _ for wildcards.
		for _, name := range []string{"b", "B2", "a_b", "a%b", "axb", "ab", "Ünal", "z-1", `back\slash`} {
			for owner := range 2 {
				id++
				r := store.Repository{ID: id, Installation: int64(owner + 1), Owner: []string{"acme", "Beta"}[owner], Name: name, Archived: id%5 == 0}
				must(t, s.RememberRepository(ctx, r))
				for i, path := range []string{"go", "web"} {
					m := store.Member{Repository: id, GoldenPath: path, Version: fmt.Sprintf("1.%d.0", id%2),
						State: []store.State{store.Current, store.Behind, store.Conflict}[(int(id)+i)%3], Drifted: id%4 == 0, PullRequest: id % 3}
					if id%6 == 0 {
						m.ErrorKind, m.Error = store.Failed, "x"
					}
					must(t, s.RememberMember(ctx, m))
					all = append(all, known{r, m})
				}
			}
		}
		rapid.Check(t, func(rt *rapid.T) {
			f := store.Filter{
				GoldenPath:   rapid.SampledFrom([]string{"", "go", "none"}).Draw(rt, "path"),
				Version:      rapid.SampledFrom([]string{"", "1.0.0"}).Draw(rt, "version"),
				State:        rapid.SampledFrom([]store.State{"", store.Behind}).Draw(rt, "state"),
				Installation: rapid.SampledFrom([]int64{0, 1}).Draw(rt, "installation"),
				Owner:        rapid.SampledFrom([]string{"", "BETA"}).Draw(rt, "owner"),
				Contains:     rapid.SampledFrom([]string{"", "a_b", "%", "B", `\`, "ACME/a"}).Draw(rt, "contains"),
				Drifted:      rapid.Bool().Draw(rt, "drifted"),
				Failing:      rapid.Bool().Draw(rt, "failing"),
				Open:         rapid.Bool().Draw(rt, "open"),
				WithArchived: rapid.Bool().Draw(rt, "archived"),
			}
			var want []string
			for _, k := range all {
				full := strings.ToLower(k.repo.FullName())
				if (f.GoldenPath == "" || f.GoldenPath == k.member.GoldenPath) && (f.Version == "" || f.Version == k.member.Version) &&
					(f.State == "" || f.State == k.member.State) && (f.Installation == 0 || f.Installation == k.repo.Installation) &&
					(f.Owner == "" || strings.EqualFold(f.Owner, k.repo.Owner)) && strings.Contains(full, strings.ToLower(f.Contains)) &&
					(!f.Drifted || k.member.Drifted) && (!f.Failing || k.member.ErrorKind != "") &&
					(!f.Open || k.member.PullRequest != 0) && (f.WithArchived || !k.repo.Archived) {
					want = append(want, full+" "+k.member.GoldenPath)
				}
			}
			slices.Sort(want)
			var got []string
			size := rapid.IntRange(1, 40).Draw(rt, "size")
			for cursor := ""; ; {
				page, next, err := s.Members(ctx, f, cursor, size)
				if err != nil {
					rt.Fatal(err)
				}
				for _, l := range page {
					if l.Member.Repository != l.Repository.ID {
						rt.Fatalf("member of %d with repository %d", l.Member.Repository, l.Repository.ID)
					}
					got = append(got, strings.ToLower(l.Repository.FullName())+" "+l.Member.GoldenPath)
				}
				if cursor = next; next == "" {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("mismatch (-want +got):\n%s", diff)
			}
		})
		counts, err := s.Counts(ctx, "go")
		must(t, err)
		total := 0
		for _, c := range counts {
			total += c.Members
			if c.GoldenPath != "go" || c.Failing && c.State == "" {
				t.Errorf("counted %+v", c)
			}
		}
		if total != len(all)/2 {
			t.Errorf("counted %d, want %d", total, len(all)/2)
		}
		for _, cursor := range []string{"x", "e30", "!!"} {
			if _, _, err := s.Members(ctx, store.Filter{}, cursor, 1); err == nil {
				t.Errorf("cursor %q was taken", cursor)
			}
		}
	})
}

func TestLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i := range 5 {
			must(t, s.Log(t.Context(), store.Event{Repository: int64(i % 2), Kind: fmt.Sprint(i), Who: "syncer", What: "did", Delivery: "guid", Job: 3}))
		}
		var got []string
		for before := ""; ; {
			page, err := s.Events(t.Context(), 0, before, 2)
			must(t, err)
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				got, before = append(got, e.Kind), e.ID
			}
		}
		if diff := cmp.Diff([]string{"4", "3", "2", "1", "0"}, got); diff != "" {
			t.Errorf("mismatch (-want +got):\n%s", diff)
		}
		of, err := s.Events(t.Context(), 1, "", 10)
		if err != nil || len(of) != 2 || of[0].Happened.IsZero() || of[0].What != "did" || of[0].Job != 3 {
			t.Errorf("of repository 1: %+v, %v", of, err)
		}
	})
}
