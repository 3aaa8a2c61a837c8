package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// refuse makes the database refuse updates of a table's rows for which a condition
// holds, as if the process died at that moment, until the function it returns is called.
func (w *world) refuse(table, where string) (allow func()) {
	w.Helper()
	return w.refuseTo("UPDATE", table, where)
}

// refuseTo is refuse for another statement.
func (w *world) refuseTo(do, table, where string) (allow func()) {
	w.Helper()
	on := ""
	statements := []string{`CREATE TRIGGER dies BEFORE ` + do + ` ON ` + table + `
		BEGIN SELECT RAISE(ABORT, 'it dies here') WHERE ` + where + `; END`}
	if w.db.Engine() == store.PostgreSQL {
		on = " ON " + table
		statements = []string{
			`CREATE OR REPLACE FUNCTION dies() RETURNS trigger LANGUAGE plpgsql AS $$
				BEGIN IF ` + where + ` THEN RAISE EXCEPTION 'it dies here'; END IF; RETURN NEW; END $$`,
			`CREATE TRIGGER dies BEFORE ` + do + ` ON ` + table + ` FOR EACH ROW EXECUTE FUNCTION dies()`,
		}
	}
	for _, s := range statements {
		_, err := w.db.DB().ExecContext(w.Context(), s)
		w.must(err)
	}
	return func() {
		_, err := w.db.DB().ExecContext(w.Context(), `DROP TRIGGER dies`+on)
		w.must(err)
	}
}

// waits reports whether a job of some kinds failed, and waits to be tried again.
func (w *world) waits(kinds string) bool {
	w.Helper()
	var n int
	w.must(w.db.DB().QueryRowContext(w.Context(), `SELECT count(*) FROM river_job WHERE kind IN (`+kinds+`) AND state IN ('retryable', 'available') AND attempt > 0`).Scan(&n))
	return n > 0
}

// events counts what the log has of a kind.
func (w *world) events(kind string) (n int) {
	w.Helper()
	all, err := w.db.Events(w.Context(), 0, "", 500)
	w.must(err)
	for _, e := range all {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// TestTheLastRecordIsOneWithTheEnd ends each kind of work whose last effect is in the
// database: as long as the job cannot be completed nothing of that effect is there, and
// when it can, all of it is there once.
func TestTheLastRecordIsOneWithTheEnd(t *testing.T) {
	t.Parallel() // most of it is waiting
	member := func(w *world, name string) store.Member { return w.records()[name].Member }
	begin := func(w *world) {
		w.useTemplate("acme/late", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	}
	for _, c := range []struct {
		kinds, noted string
		where        string // that the work did what it is for
		do           func(*world)
		there        func(*world) bool // any of it
		all          func(*world) bool
	}{
		{
			kinds: `'member'`, noted: "pull request opened",
			where: `EXISTS (SELECT 1 FROM members WHERE pull_request <> 0)`,
			do:    func(w *world) { w.version(2, nil) },
			there: func(w *world) bool { return member(w, "payments").PullRequest != 0 },
		},
		{
			kinds: `'decision'`, noted: "pull request closed",
			where: `EXISTS (SELECT 1 FROM members WHERE refused <> '')`,
			do: func(w *world) {
				w.version(2, nil)
				w.until("a pull request is open", func() bool { return member(w, "payments").PullRequest != 0 })
				w.settle()
				w.must(w.alice.Close(payments, 1))
			},
			there: func(w *world) bool { return member(w, "payments").Refused != "" },
		},
		{
			// The push of what is rendered asks for a look, which notes what is missing.
			kinds: `'scaffold', 'member'`, noted: "repository scaffolded",
			where: `(SELECT count(*) FROM members WHERE digest <> '') > 1`,
			do:    begin,
			there: func(w *world) bool { return member(w, "late").Digest != "" },
			all: func(w *world) bool {
				return !member(w, "late").Scaffolded.IsZero() && member(w, "late").State == store.Current
			},
		},
		{
			kinds: `'set-up'`, noted: "repository set up",
			where: `(SELECT count(*) FROM events WHERE kind = 'repository set up') > 1`,
			do:    begin,
			there: func(w *world) bool { return w.events("repository set up") > 1 }, // payments had its own
		},
	} {
		t.Run(c.kinds, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.Store) {
				if testing.Short() && db.Engine() != store.SQLite {
					t.Skip("one database is enough")
				}
				w := newVariant(t, db, variant{attempts: 200})
				w.payments()
				before := w.events(c.noted)
				allow := w.refuse("river_job", `NEW.state = 'completed' AND NEW.kind IN (`+c.kinds+`) AND `+c.where)
				c.do(w)
				w.until("the work's end fails", func() bool { return w.waits(c.kinds) || c.there(w) })
				if c.there(w) || w.events(c.noted) > before {
					t.Errorf("the last record is there, and the job is not at its end: %+v", w.records())
				}
				allow()
				w.hurry()
				w.until("the work is done", func() bool { return c.there(w) && (c.all == nil || c.all(w)) })
				w.settle()
				if got := w.events(c.noted); got != before+1 {
					t.Errorf("%q is noted %d times, want once", c.noted, got-before)
				}
				w.doneOnce()
			})
		})
	}
}

// doneOnce looks whether work that was done again left nothing double.
func (w *world) doneOnce() {
	w.Helper()
	for name := range w.records() {
		seen := map[string]bool{}
		for _, p := range w.pulls("acme/" + name) {
			said := fmt.Sprint(p.Title, p.State)
			if seen[said] {
				w.Errorf("acme/%s has two pull requests %s", name, said)
			}
			seen[said] = true
			for _, c := range p.Comments {
				if seen[c.Body] && strings.Contains(c.Author, "[bot]") {
					w.Errorf("acme/%s#%d says twice: %s", name, p.Number, c.Body)
				}
				seen[c.Body] = true
			}
		}
	}
}
