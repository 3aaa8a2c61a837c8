package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

func TestWorkIsStartedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		began := time.UnixMilli(1_800_000_000_000).UTC()
		s.Now = func() time.Time { return began }
		ctx := t.Context()
		must(t, s.RememberRepository(ctx, store.Repository{ID: 7, Owner: "a", Name: "b"}))
		begin := func(what string, want store.Start) {
			t.Helper()
			got, err := s.BeginStart(ctx, 7, "provision.yml")
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v, mismatch (-want +got):\n%s", what, err, diff)
			}
		}
		begin("the first time", store.Start{Began: began})
		must(t, s.EndStart(ctx, 7, "provision.yml", false))
		began = began.Add(time.Hour)
		begin("after nothing was started", store.Start{Began: began})
		first := began
		began = began.Add(time.Hour)
		begin("after nobody knows what", store.Start{Began: first, Again: true})
		must(t, s.EndStart(ctx, 7, "provision.yml", true))
		begin("once it is done", store.Start{Began: first, Again: true, Done: true})
		if other, err := s.BeginStart(ctx, 8, "provision.yml"); err != nil || other.Again {
			t.Errorf("another repository's: %+v, %v", other, err)
		}
		must(t, s.ForgetRepository(ctx, 7))
		begin("after the repository was forgotten", store.Start{Began: began})
	})
}
