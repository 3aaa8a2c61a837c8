package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// branch is the golden path's.
const branch = "goldenpath/svc"

// inConflict makes repositories whose lines.txt has a line of their own, where the
// golden path's next version has another one, and waits for their pull requests.
func (w *world) inConflict(names ...string) {
	w.Helper()
	mine := strings.Replace(lines, "seven", "mine", 1)
	for _, name := range names {
		org, _, _ := strings.Cut(name, "/")
		file := w.file("acme/template-svc", "main", ".goldenpath.yaml")
		file = strings.Replace(file, "name: svc\n", "name: svc\n      inputs: {name: "+org+", team: core}\n", 1)
		w.must(w.alice.CreateRepository(name, localhub.NewRepository{Files: map[string]string{".goldenpath.yaml": file}}))
	}
	for _, name := range names {
		w.until("the golden path is rendered for "+name, func() bool { return w.file(name, "main", "lines.txt") == lines })
		_, err := w.alice.Push(name, "main", "our own", localhub.Edit{Files: map[string]string{"lines.txt": mine}})
		w.must(err)
	}
	w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2, "goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
	for _, name := range names {
		w.until("a pull request asks "+name, func() bool {
			pr := w.pull(name, branch)
			return pr != nil && strings.Contains(pr.Body, "take the golden path")
		})
	}
}

// comment gives an order on a pull request.
func (w *world) comment(name, text string) {
	w.Helper()
	_, err := w.alice.Comment(name, w.pull(name, branch).Number, text)
	w.must(err)
}

// tick ticks the box in the pull request whose line contains some text.
func (w *world) tick(name, text string) {
	w.Helper()
	pr := w.pull(name, branch)
	if !strings.Contains(pr.Body, "- [ ] "+text) {
		w.Fatalf("%s has no box for %q:\n%s", name, text, pr.Body)
	}
	w.must(w.alice.Edit(name, pr.Number, pr.Title, strings.Replace(pr.Body, "- [ ] "+text, "- [x] "+text, 1)))
}

func (w *world) remembered(want ...store.MemoryOf) {
	w.Helper()
	w.settle()
	got, err := w.db.Memories(w.Context())
	w.must(err)
	for i := range got {
		got[i].Account, got[i].Installation = "", 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("remembered: mismatch (-want +got):\n%s", diff)
	}
}

// TestWalkMembersLearnFromEachOther resolves the same conflict alike in three
// repositories, in the three ways that there are; the fourth is suggested to do the
// same, and what another organisation has is not told anything.
func TestWalkMembersLearnFromEachOther(t *testing.T) {
	eachWorld(t, func(w *world) {
		// Another organisation cannot have its set-up open pull requests in acme's.
		manifest, _, _ := strings.Cut(manifestV1, "after:")
		w.release(map[string]string{"goldenpaths/svc/goldenpath.yaml": manifest + "merge: {resolve: on}\n"})
		w.hub.Organization("other").Add("admin", "alice")
		_, err := w.alice.Install(w.app, "other")
		w.must(err)
		w.publish()
		w.until("the template repository is published", func() bool {
			return w.file("acme/template-svc", "main", ".goldenpath.yaml") != ""
		})
		w.inConflict("acme/a", "acme/b", "acme/c", "acme/d", "other/e")
		theirs := func(name string) func() bool {
			return func() bool { return strings.Contains(w.file(name, branch, "lines.txt"), "SEVEN") }
		}
		w.tick("acme/a", "take the golden path")
		w.until("the box is obeyed", theirs("acme/a"))
		w.comment("acme/b", "/syncer take theirs lines.txt")
		w.until("the order is obeyed", theirs("acme/b"))
		w.remembered(store.MemoryOf{Conflicts: 1, Repositories: 2})
		w.comment("acme/d", "/syncer sync")
		w.settle()
		if body := w.pull("acme/d", branch).Body; strings.Contains(body, "suggested") {
			t.Errorf("two are not enough to suggest something:\n%s", body)
		}
		// By hand, on the branch; what was merged is read.
		_, err = w.alice.Push("acme/c", branch, "as they have it", localhub.Edit{Files: map[string]string{"lines.txt": linesV2}})
		w.must(err)
		w.until("the pull request is ready", func() bool {
			pr := w.pull("acme/c", branch)
			if w.rest && w.checkIn("acme/c", pr.HeadID).Conclusion == "success" {
				w.must(w.alice.MarkReady("acme/c", pr.Number)) // nobody else can without GraphQL
			}
			return !w.pull("acme/c", branch).Draft
		})
		w.must(w.alice.MergePull("acme/c", w.pull("acme/c", branch).Number, "squash"))
		w.remembered(store.MemoryOf{Conflicts: 1, Repositories: 3})

		head := w.pull("acme/d", branch).HeadID
		for _, name := range []string{"acme/d", "other/e"} {
			w.comment(name, "/syncer sync")
		}
		w.until("the fourth is suggested the same", func() bool {
			return strings.Contains(w.pull("acme/d", branch).Body, "- [ ] take suggested `lines.txt`")
		})
		if body := w.pull("acme/d", branch).Body; !strings.Contains(body, "by `memory`: 3 of 3 repositories with this conflict took the golden path") {
			t.Errorf("why is not said:\n%s", body)
		}
		w.settle()
		if now := w.pull("acme/d", branch).HeadID; now != head {
			t.Errorf("the branch was at %s and is at %s, though only the description changed", head, now)
		}
		if body := w.pull("other/e", branch).Body; strings.Contains(body, "suggested") {
			t.Errorf("another organisation is told:\n%s", body)
		}
		w.tick("acme/d", "take suggested")
		w.until("the suggestion is taken", theirs("acme/d"))
		w.remembered(store.MemoryOf{Conflicts: 1, Repositories: 4})

		// What was learned from a repository is forgotten by order, and with it.
		w.comment("acme/a", "/syncer forget")
		w.remembered(store.MemoryOf{Conflicts: 1, Repositories: 3})
		w.must(w.alice.Delete("acme/b"))
		w.remembered(store.MemoryOf{Conflicts: 1, Repositories: 2})
	})
}

// TestWhatATakenSideTeachesIsNotLost: the process dies when the decision is on the branch
// and before it is learned, and again when it is learned and before that is noted. It is
// learned once.
func TestWhatATakenSideTeachesIsNotLost(t *testing.T) {
	for name, decide := range map[string]func(*world){
		"by order": func(w *world) { w.comment(payments, "/syncer take theirs lines.txt") },
		"by a box": func(w *world) { w.tick(payments, "take the golden path's `lines.txt`") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.Store) {
				if testing.Short() && db.Engine() != store.SQLite {
					t.Skip("one database is enough")
				}
				w := newVariant(t, db, variant{attempts: 200})
				w.payments()
				w.conflicting()
				again := func() {
					_, err := w.db.DB().ExecContext(w.Context(), tryNow)
					w.must(err)
				}
				allow := w.refuseTo("INSERT", "resolutions", "1 = 1")
				decide(w)
				w.until("it cannot be learned", func() bool { return w.waits(`'command', 'checkbox'`) })
				if got := w.file(payments, branch, "lines.txt"); got != linesV2 {
					t.Errorf("lines.txt is %q, and was to be decided already", got)
				}
				allow()
				allow = w.refuse("steps", `NEW.what LIKE '%"done":true%'`)
				again()
				w.until("it is learned", func() bool {
					got, err := w.db.Memories(w.Context())
					w.must(err)
					return len(got) == 1
				})
				w.until("that cannot be noted", func() bool { return w.waits(`'command', 'checkbox'`) })
				allow()
				again()
				w.until("it is answered", w.answered(payments, "Took theirs in `lines.txt`"))
				w.remembered(store.MemoryOf{Conflicts: 1, Repositories: 1})
				if n := count(w.titles(branch), "Take theirs in lines.txt"); n != 1 {
					t.Errorf("it was decided %d times", n)
				}
			})
		})
	}
}

// decidedByHand brings a repository's default branch to what our branch has, with the
// member's side taken in lines.txt, as the command line writes it.
func (w *world) decidedByHand(name string) {
	w.Helper()
	lock, err := drift.ParseLock([]byte(w.file(name, branch, drift.LockName)))
	w.must(err)
	mine := tree.Text(w.file(name, branch, "lines.txt"))
	r, err := drift.Resolving{
		Locked: lock.GoldenPaths["svc"], Path: "lines.txt", Ours: &mine,
		Theirs: scaffold.Rendering{"lines.txt": {File: tree.Text(linesV2), Mode: scaffold.Merge, Layer: "svc", Origin: "lines.txt"}},
		Base:   func(string, drift.LockedFile) (tree.File, bool) { return tree.Text(linesV2), true },
	}.Resolve(drift.Ours)
	w.must(err)
	lock.GoldenPaths["svc"] = r.Section
	text, err := lock.Format()
	w.must(err)
	_, err = w.alice.Push(name, "main", "sync and resolve by hand", localhub.Edit{Files: map[string]string{
		drift.LockName: string(text), "ci.yaml": w.file(name, branch, "ci.yaml"), "lines.txt": string(r.After.Data),
	}})
	w.must(err)
}

// TestWalkLocksTeach decides a conflict without a pull request. What is forgotten then is
// not learned again from the lock, which goes on saying it; what is decided later is.
func TestWalkLocksTeach(t *testing.T) {
	eachWorld(t, func(w *world) {
		manifest, _, _ := strings.Cut(manifestV1, "after:")
		w.release(map[string]string{"goldenpaths/svc/goldenpath.yaml": manifest + "merge: {resolve: on}\n"})
		w.publish()
		w.until("the template repository is published", func() bool {
			return w.file("acme/template-svc", "main", ".goldenpath.yaml") != ""
		})
		w.inConflict("acme/a", "acme/b")
		w.remembered()
		w.decidedByHand("acme/a")
		w.remembered(store.MemoryOf{Conflicts: 1, Repositories: 1})
		all, err := w.db.Memories(w.Context())
		w.must(err)
		_, err = w.db.ForgetResolutions(w.Context(), all[0].Installation, 0)
		w.must(err)
		_, err = w.alice.Push("acme/a", "main", "something else", localhub.Edit{Files: map[string]string{"own.txt": "own\n"}})
		w.must(err)
		w.remembered()
		w.decidedByHand("acme/b")
		w.remembered(store.MemoryOf{Conflicts: 1, Repositories: 1})
	})
}

// TestMemoryPage has an administrator forget what is remembered.
func TestMemoryPage(t *testing.T) {
	s, db := &server{log: newLogger(io.Discard, &settings.Config{})}, storetest.Open(t, storetest.SQLite(t))
	s.metrics = newMetrics("test")
	server := httptest.NewServer(s.adminRouter(nil, db))
	defer server.Close()
	for _, id := range []int64{5, 6} {
		if err := db.RememberRepository(t.Context(), store.Repository{ID: id, Installation: 1, Owner: "o", Name: "r"}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.RememberResolution(t.Context(), store.Resolution{Installation: 1, Repository: id, GoldenPath: "svc", Hunk: "h", Take: "ours"}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if body := read(http.Get(server.URL + "/memory")); !strings.Contains(body, "<td>1</td><td>1</td><td>2</td>") {
		t.Errorf("the page is\n%s", body)
	}
	for _, c := range []struct {
		form url.Values
		want string
	}{
		{url.Values{}, "give installation"},
		{url.Values{"installation": {"1"}, "repository": {"x"}}, "give installation"},
		{url.Values{"installation": {"1"}, "repository": {"0"}}, "give installation"},
		{url.Values{"installation": {"1"}, "repository": {"5"}}, "the resolutions of 1 conflict of installation 1"},
		{url.Values{"installation": {"1"}}, "the resolutions of 1 conflict of installation 1"},
		{url.Values{"installation": {"1"}}, "the resolutions of 0 conflicts"},
	} {
		if body := read(http.PostForm(server.URL+"/memory", c.form)); !strings.Contains(body, c.want) {
			t.Errorf("%v: %q, want %q", c.form, body, c.want)
		}
	}
	if body := read(http.Get(server.URL + "/memory")); !strings.Contains(body, "nothing is remembered") {
		t.Errorf("the page is\n%s", body)
	}
}
