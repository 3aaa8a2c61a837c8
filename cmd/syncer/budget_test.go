package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

// cost is what one member costs of GitHub's API: requests, the points of its secondary
// limit, and requests that create content. Tokens, which live an hour, are not in it, nor
// are the label that a new pull request gets and the reviewers that it may ask.
type cost struct{ Requests, Points, Content int }

// bill is what a member costs that gets its pull request, has it refreshed, and does not
// change.
type bill struct{ New, Refreshed, Unchanged cost }

// TestRequestBudget counts what members cost on either database, with GraphQL and
// without it: both databases cost the same, with GraphQL not more than was promised, and
// what docs/benchmarks.md tells is so.
func TestRequestBudget(t *testing.T) {
	var mu sync.Mutex
	bills := map[bool]map[store.Engine]bill{false: {}, true: {}} // by whether GraphQL is there
	t.Cleanup(func() { compare(t, bills[true], bills[false]) })  // once all have counted
	everyWorld(t, variant{}, func(w *world) {
		b := w.bill()
		if b.Unchanged != (cost{}) || !w.rest && (b.New.Requests > 5 || b.New.Content > 4 || b.Refreshed.Requests > 5) {
			w.Errorf("a member costs %+v; promised are 5 requests for a pull request, of which 4 create content for a new one, and none where nothing changes", b)
		}
		mu.Lock()
		defer mu.Unlock()
		bills[!w.rest][w.db.Engine()] = b
	})
}

func compare(t *testing.T, withGraphQL, without map[store.Engine]bill) {
	t.Helper()
	graphql, rest := same(t, withGraphQL), same(t, without)
	if t.Failed() || len(withGraphQL) < 2 || len(without) < 2 {
		return // a short run, or one of a part: not all have counted
	}
	table := tableOf(graphql, rest)
	t.Logf("what one member costs, on SQLite and PostgreSQL:\n%s", table)
	docs, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(docs), table) {
		t.Errorf("docs/benchmarks.md has other figures; these are right:\n%s", table)
	}
}

// same is the bill that both databases have.
func same(t *testing.T, of map[store.Engine]bill) bill {
	t.Helper()
	want := of[store.SQLite]
	if diff := cmp.Diff(want, of[store.PostgreSQL]); len(of) == 2 && diff != "" {
		t.Errorf("a member costs otherwise on PostgreSQL than on SQLite (-SQLite +PostgreSQL):\n%s", diff)
	}
	return want
}

// tableOf is the table of docs/benchmarks.md.
func tableOf(graphql, rest bill) string {
	var b strings.Builder
	b.WriteString("| | with GraphQL | points | creating content | by REST alone | points | creating content |\n|---|---|---|---|---|---|---|\n")
	for _, row := range []struct {
		what          string
		graphql, rest cost
	}{
		{"a new pull request", graphql.New, rest.New},
		{"a refreshed one", graphql.Refreshed, rest.Refreshed},
		{"a member that does not change", graphql.Unchanged, rest.Unchanged},
	} {
		g, r := row.graphql, row.rest
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n", row.what, g.Requests, g.Points, g.Content, r.Requests, r.Points, r.Content)
	}
	return b.String()
}

// bill has a member get a pull request, and counts.
func (w *world) bill() (b bill) {
	w.Helper()
	w.publish()
	w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.until("the member is current", func() bool { return w.is(payments, store.Current) })
	w.begun()
	w.service.prefix = "" // template repositories have requests of their own
	b.New = w.cost("a new pull request", func() {
		w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2})
		w.until("a pull request brings the change", func() bool { return w.pull("acme/payments", ourBranch) != nil })
	})
	b.Refreshed = w.cost("a refreshed one", func() {
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("the pull request has the next version too", func() bool { return w.file("acme/payments", ourBranch, "ci.yaml") == "ci: 2\n" })
	})
	b.Unchanged = w.cost("an unchanged member", func() {
		w.release(map[string]string{"goldenpaths/svc/README.md": "# Told differently\n"})
	})
	return b
}

// cost counts what something costs, with all the work that it makes.
func (w *world) cost(what string, do func()) cost {
	w.Helper()
	w.hub.ForgetRequests()
	do()
	w.settle()
	all := localhub.Count(w.hub.Requests(), func(r localhub.Request) bool {
		ofMember := strings.Contains(r.Path, "/payments") || strings.HasPrefix(r.Path, "/repositories/") || strings.HasSuffix(r.Path, "/graphql")
		aside := strings.HasSuffix(r.Path, "/labels") || strings.HasSuffix(r.Path, "/requested_reviewers")
		return r.Installation != 0 && ofMember && !aside
	})
	w.Logf("%s: %v", what, all.Routes)
	return cost{all.API, all.Points, all.Content}
}
