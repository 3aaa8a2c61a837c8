package store_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

func TestClaim(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		s.Now = func() time.Time { return now }
		for id := int64(1); id <= 20; id++ {
			if err := s.RememberRepository(t.Context(), store.Repository{ID: id, Owner: "acme", Name: "r" + string(rune('a'+id)), Installation: 1}); err != nil {
				t.Fatal(err)
			}
			if err := s.RememberMember(t.Context(), store.Member{Repository: id, GoldenPath: "svc", State: store.Behind}); err != nil {
				t.Fatal(err)
			}
		}
		claim := func(id int64, l store.Limits) (time.Time, string) {
			t.Helper()
			until, why, err := s.Claim(t.Context(), id, "svc", l)
			if err != nil {
				t.Fatal(err)
			}
			return until, why
		}
		// However many ask at once, no more get a place than there are.
		var granted atomic.Int64
		var all sync.WaitGroup
		for id := int64(1); id <= 10; id++ {
			all.Go(func() {
				if _, why := claim(id, store.Limits{Open: 3}); why == "" {
					granted.Add(1)
				}
			})
		}
		all.Wait()
		if granted.Load() != 3 {
			t.Errorf("%d got one of 3 places", granted.Load())
		}
		for _, c := range []struct {
			name  string
			limit store.Limits
			why   string
			wait  time.Duration
		}{
			{"none", store.Limits{}, "", 0},
			{"of another golden path", store.Limits{PerGoldenPath: 4}, "", 0},
			{"of this one", store.Limits{PerGoldenPath: 2}, "of svc", 10 * time.Minute},
			{"an hour", store.Limits{PerHour: 2}, "within an hour", time.Hour},
		} {
			until, why := claim(20, c.limit)
			if !strings.Contains(why, c.why) || (c.why == "") != (why == "") {
				t.Errorf("%s: refused because %q, want %q", c.name, why, c.why)
			}
			if why != "" && until.Sub(now).Round(time.Second) != c.wait {
				t.Errorf("%s: it is to wait %s, want %s", c.name, until.Sub(now), c.wait)
			}
		}
		// Who has a place keeps it, and claims that came to nothing end.
		if _, why := claim(20, store.Limits{Open: 4, PerHour: 4}); why != "" {
			t.Errorf("its own place counts: %s", why)
		}
		now = now.Add(time.Hour + time.Minute)
		if _, why := claim(19, store.Limits{Open: 1, PerHour: 1}); why != "" {
			t.Errorf("an hour later: %s", why)
		}
	})
}
