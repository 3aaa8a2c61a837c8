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
		now := time.UnixMilli(1_800_000_000_000).UTC()
		s.Now = func() time.Time { return now }
		ctx := t.Context()
		must(t, s.RememberRepository(ctx, store.Repository{ID: 7, Owner: "a", Name: "b"}))
		const work = "provision.yml in 5 with 1"
		begin := func(what string, want store.Start) {
			t.Helper()
			want.Repository, want.Work = 7, work
			got, err := s.BeginStart(ctx, 7, work)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v, mismatch (-want +got):\n%s", what, err, diff)
			}
		}
		begin("the first time", store.Start{Began: now, Tried: now})
		must(t, s.DropStart(ctx, 7, work))
		now = now.Add(time.Hour)
		begin("after nothing was started", store.Start{Began: now, Tried: now})
		first := now
		now = now.Add(time.Hour)
		begin("after nobody knows what", store.Start{Began: first, Tried: first, Again: true})
		must(t, s.TryStart(ctx, 7, work))
		begin("after it was tried again", store.Start{Began: first, Tried: now, Again: true})
		must(t, s.SettleStarts(ctx, 7))
		begin("people were told nothing", store.Start{Began: first, Tried: now, Again: true})
		must(t, s.TellStart(ctx, 7, work))
		begin("people were told", store.Start{Began: first, Tried: now, Again: true, Told: true})
		must(t, s.SettleStarts(ctx, 7))
		begin("people have seen to it", store.Start{Began: first, Tried: now, Ended: now, Again: true, Done: true})
		must(t, s.EndStart(ctx, 7, work, 42))
		begin("once it is done", store.Start{Began: first, Tried: now, Ended: now, Again: true, Done: true, Run: 42})
		if other, err := s.BeginStart(ctx, 8, work); err != nil || other.Again {
			t.Errorf("another repository's: %+v, %v", other, err)
		}
		if _, err := s.BeginStart(ctx, 7, "provision.yml in 55 with 1"); err != nil {
			t.Error(err)
		}
		all, err := s.Starts(ctx, "provision.yml in 5 with ")
		must(t, err)
		if len(all) != 2 || all[0].Run != 42 || all[1].Repository != 8 {
			t.Errorf("the starts of one workflow are %+v", all)
		}
		must(t, s.ForgetRepository(ctx, 7))
		begin("after the repository was forgotten", store.Start{Began: now, Tried: now})
	})
}
