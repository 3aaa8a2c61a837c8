package localhub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

func (w *world) graph(client *github.Client, query string, variables map[string]any) map[string]any {
	w.t.Helper()
	r, err := client.NewRequest("POST", w.hub.URL()+"/api/graphql", map[string]any{"query": query, "variables": variables})
	must(w.t, err)
	var out map[string]any
	_, err = client.Do(w.t.Context(), r, &out)
	must(w.t, err)
	return out
}

func TestGraphQLReadsManyRepositoriesAtOnce(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	var query strings.Builder
	query.WriteString("query { ")
	for i := range 20 {
		name := fmt.Sprintf("r%d", i)
		w.repository(name, map[string]string{".goldenpath.lock": name + "\n", "bin": "\x00"})
		fmt.Fprintf(&query, `%s: repository(owner: "acme", name: %q) { ...F } `, name, name)
	}
	query.WriteString(`gone: repository(owner: "acme", name: "gone") { ...F } }
		fragment F on Repository {
			id nameWithOwner isArchived
			defaultBranchRef { name target { oid ... on Commit { tree { oid } } } }
			lock: object(expression: "HEAD:.goldenpath.lock") { __typename ... on Blob { oid text byteSize isBinary } }
			bin: object(expression: "main:bin") { ... on Blob { text isBinary } }
			none: object(expression: "HEAD:no/such") { oid }
		}`)
	client := w.client(w.install(), nil)
	w.hub.ForgetRequests()
	out := w.graph(client, query.String(), nil)
	heads, err := w.hub.Branches("acme/r7")
	must(t, err)
	r7 := dig(out, "data", "r7")
	target := dig(r7, "defaultBranchRef", "target")
	if dig(target, "oid") != heads["main"] || dig(target, "tree", "oid") == nil {
		t.Errorf("got head %v, want %s", target, heads["main"])
	}
	want := map[string]any{"__typename": "Blob", "oid": plumbing.ComputeHash(plumbing.BlobObject, []byte("r7\n")).String(), "text": "r7\n", "byteSize": 3.0, "isBinary": false}
	if diff := cmp.Diff(any(want), dig(r7, "lock")); diff != "" {
		t.Errorf("lock (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(any(map[string]any{"text": nil, "isBinary": true}), dig(r7, "bin")); diff != "" {
		t.Errorf("binary (-want +got):\n%s", diff)
	}
	if dig(r7, "none") != nil || dig(out, "data", "gone") != nil {
		t.Errorf("what is not there: %v, %v", dig(r7, "none"), dig(out, "data", "gone"))
	}
	faults, _ := out["errors"].([]any)
	if len(faults) != 1 || dig(faults[0], "type") != "NOT_FOUND" || dig(faults[0], "message") != "Could not resolve to a Repository with the name 'acme/gone'." {
		t.Errorf("errors: %v", faults)
	}
	tally := localhub.Count(w.hub.Requests(), func(r localhub.Request) bool { return r.Installation != 0 })
	if tally.API != 1 || tally.Points != 1 || tally.Content != 0 {
		t.Errorf("cost %+v", tally)
	}
}

func TestGraphQLUpdatesReferencesByCompareAndSwap(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"a": "1\n"})
	client := w.client(w.install(), nil)
	branches := func() map[string]string {
		list, err := w.hub.Branches("acme/payments")
		must(t, err)
		return list
	}
	first := branches()["main"]
	second, err := w.alice.Push("acme/payments", "other", "m", localhub.Edit{Files: map[string]string{"a": "2\n"}})
	must(t, err)
	id := dig(w.graph(client, `{repository(owner: "acme", name: "payments") {id}}`, nil), "data", "repository", "id")
	const zeros = "0000000000000000000000000000000000000000"
	update := func(updates ...map[string]any) string {
		out := w.graph(client, `mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }`,
			map[string]any{"input": map[string]any{"repositoryId": id, "refUpdates": updates}})
		faults, _ := out["errors"].([]any)
		if len(faults) == 0 {
			return ""
		}
		message, _ := dig(faults[0], "message").(string)
		return message
	}
	one := func(name, before, after string, force bool) map[string]any {
		return map[string]any{"name": "refs/heads/" + name, "beforeOid": before, "afterOid": after, "force": force}
	}
	for _, c := range []struct {
		name    string
		updates []map[string]any
		want    string // in the error
		heads   map[string]string
	}{
		{"create", []map[string]any{one("x", zeros, first, false)}, "", map[string]string{"main": first, "other": second, "x": first}},
		{"create what is there", []map[string]any{one("x", zeros, second, false)}, "expected " + zeros, map[string]string{"main": first, "other": second, "x": first}},
		{"forward", []map[string]any{one("x", first, second, false)}, "", map[string]string{"main": first, "other": second, "x": second}},
		{"stale", []map[string]any{one("x", first, second, true)}, "expected " + first, map[string]string{"main": first, "other": second, "x": second}},
		{"back without force", []map[string]any{one("x", second, first, false)}, "not a fast forward", map[string]string{"main": first, "other": second, "x": second}},
		{"back with force", []map[string]any{one("x", second, first, true)}, "", map[string]string{"main": first, "other": second, "x": first}},
		{"all or none", []map[string]any{one("x", first, second, false), one("y", first, second, false)}, "expected " + first, map[string]string{"main": first, "other": second, "x": first}},
		{"delete", []map[string]any{one("x", first, zeros, false)}, "", map[string]string{"main": first, "other": second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := update(c.updates...)
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("got error %q, want %q", got, c.want)
			}
			if diff := cmp.Diff(c.heads, branches()); diff != "" {
				t.Errorf("branches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGraphQLCanBeAbsentAndIsStrict(t *testing.T) {
	absent := newWorld(t, localhub.Options{NoGraphQL: true})
	client := absent.client(absent.install(), nil)
	if code, _, _ := absent.raw(client, "POST", "/graphql", map[string]any{"query": "{viewer{login}}"}); code != 404 {
		t.Errorf("got %d, want 404", code)
	}
	w := newWorld(t, localhub.Options{})
	client = w.client(w.install(), nil)
	for query, want := range map[string]string{
		`{repository(owner: "acme") {id}}`:                 "name",
		`{repository(owner: "acme", name: "x") {nothing}}`: "nothing",
		`{`: "Expected",
		`mutation {createPullRequest(input: {}) {clientMutationId}}`: "createPullRequest",
	} {
		out := w.graph(client, query, nil)
		faults, _ := out["errors"].([]any)
		if len(faults) == 0 || !strings.Contains(fmt.Sprint(faults[0]), want) {
			t.Errorf("%s: got %v, want %q", query, out, want)
		}
	}
}
