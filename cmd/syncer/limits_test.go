package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// records returns the members, by name.
func (w *world) records() map[string]store.Listed {
	w.Helper()
	members, _, err := w.db.Members(w.Context(), store.Filter{}, "", 0)
	w.must(err)
	all := map[string]store.Listed{}
	for _, m := range members {
		all[m.Repository.Name] = m
	}
	return all
}

func place2(l store.Listed) walks.Place {
	return walks.Place{Installation: l.Repository.Installation, Repository: l.Repository.ID}
}

func TestWalkWaitsForItsWindow(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		// A day on which nothing comes today, wherever the test runs.
		opens := time.Now().UTC().AddDate(0, 0, 2)
		member := w.file("acme/payments", "main", ".goldenpath.yaml")
		w.push("main", map[string]string{".goldenpath.yaml": member + fmt.Sprintf("sync: {schedule: %q}\n", strings.ToLower(opens.Format("Mon"))+" 00:00-24:00 UTC")})
		w.settle()
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("the version is held back", func() bool { return w.records()["payments"].Member.Held != "" })
		held := w.records()["payments"]
		if got := held.Member.HeldUntil.UTC().Format(time.DateOnly); got != opens.Format(time.DateOnly) {
			w.Errorf("it is held until %s, want %s", got, opens.Format(time.DateOnly))
		}
		w.until("a look is asked for at that time", func() bool {
			waiting, err := w.service.work.Waiting(w.Context())
			w.must(err)
			return waiting["waiting"]["scheduled"] == 1
		})
		w.must(w.service.Due(w.Context(), place2(held)))
		w.must(w.service.Changed(w.Context()))
		if pr := w.pull("acme/payments", ourBranch); pr != nil {
			w.Fatal("a pull request came before its window")
		}
		w.ahead.Store(int64(time.Until(opens)))
		w.must(w.service.Due(w.Context(), place2(held)))
		if pr := w.pull("acme/payments", ourBranch); pr == nil {
			w.Fatal("no pull request came in its window")
		}
		// A refresh waits too, but not for somebody who asks for it.
		w.ahead.Store(0)
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 3\n"})
		w.until("the next version is held back", func() bool { return w.records()["payments"].Member.Held != "" })
		if got := w.file("acme/payments", ourBranch, "ci.yaml"); got != "ci: 2\n" {
			w.Errorf("the branch was moved: %q", got)
		}
		_, err := w.alice.Comment("acme/payments", w.pull("acme/payments", ourBranch).Number, "/syncer sync")
		w.must(err)
		w.until("the order is obeyed", func() bool { return w.file("acme/payments", ourBranch, "ci.yaml") == "ci: 3\n" })
	})
}

func TestWalkWrongScheduleIsTold(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		member := w.file("acme/payments", "main", ".goldenpath.yaml")
		w.push("main", map[string]string{".goldenpath.yaml": member + "sync: {schedule: \"weekdays 8-18 Europe/Berlin\"}\n"})
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("an issue tells of it", func() bool {
			issues, _ := w.hub.Issues("acme/payments")
			return len(issues) == 1 && strings.Contains(issues[0].Body, "weekdays 08:00-18:00 Europe/Berlin")
		})
	})
}

func TestWalkLimitsOfOpenPullRequests(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		w := newVariant(t, db, variant{limits: settings.Limits{Open: 1, PerHour: 10}})
		w.publish()
		for _, name := range []string{"payments", "orders"} {
			w.useTemplate("acme/"+name, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		}
		w.until("both are current", func() bool {
			all := w.records()
			return all["payments"].Member.State == store.Current && all["orders"].Member.State == store.Current
		})
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		first, second := "", ""
		w.until("one has a pull request, and the other one waits", func() bool {
			for name, other := range map[string]string{"payments": "orders", "orders": "payments"} {
				all := w.records()
				if all[name].Member.PullRequest != 0 && all[other].Member.Held != "" {
					first, second = name, other
				}
			}
			return first != ""
		})
		// The limits do not hold up a new repository.
		w.useTemplate("acme/late", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("a new repository begins", func() bool { return w.file("acme/late", "main", "ci.yaml") == "ci: 2\n" })
		held := w.records()[second]
		w.until("no other work is left", func() bool { // one waits, for hours
			before, idle := w.lastJob(), w.membersIdle()
			w.must(w.hub.Settle(w.Context()))
			return idle && w.membersIdle() && w.lastJob() == before
		})
		w.hub.ForgetRequests()
		w.must(w.service.Due(w.Context(), place2(held)))
		if w.pull("acme/"+second, ourBranch) != nil {
			w.Fatal("a second pull request is open")
		}
		for _, r := range w.hub.Requests() {
			if strings.Contains(r.Path, "/"+second) || strings.Contains(r.Path, fmt.Sprint(held.Repository.ID)) {
				w.Errorf("waiting costs a request: %+v", r)
			}
		}
		w.must(w.alice.MergePull("acme/"+first, w.pull("acme/"+first, ourBranch).Number, "merge"))
		w.until("the first is current", func() bool { return w.records()[first].Member.State == store.Current })
		w.ahead.Store(int64(time.Hour / 2)) // the place of the first is free
		w.until("the second one comes", func() bool {
			w.must(w.service.Due(w.Context(), place2(held)))
			return w.pull("acme/"+second, ourBranch) != nil
		})
	})
}
