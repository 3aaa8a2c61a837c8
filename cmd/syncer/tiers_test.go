package main

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/tree"
)

// TestWalkTiersAreTold has a pull request in which a resolver merged something, a
// policy removed a file of the member's, a lock file is left to its program, and
// something is suggested beside a conflict. The suggestion is taken by an order.
func TestWalkTiersAreTold(t *testing.T) {
	const (
		app   = "version: 1.0.0\n\nstay\n\nfirst\nlast\n\nstay\n\ncolour: red today\n"
		mine  = "version: 1.1.0\n\nstay\n\nfirst\nours, this\nlast\n\nstay\n\ncolour: green today\n"
		next  = "version: 1.2.0\n\nstay\n\nfirst\ntheirs, that\nlast\n\nstay\n\ncolour: blue today\n"
		taken = "version: 1.2.0\n\nstay\n\nfirst\nours, this\ntheirs, that\nlast\n\nstay\n\ncolour: green today\n"
	)
	eachWorld(t, func(w *world) {
		manifest := strings.Replace(manifestV1, "files:\n", "merge: {resolve: on, onDelete: follow}\nfiles:\n  - {glob: app.txt, merge: {on: [inserts]}}\n", 1)
		w.release(map[string]string{
			"goldenpaths/svc/goldenpath.yaml": manifest, "goldenpaths/svc/template/app.txt": app,
			"goldenpaths/svc/template/go.sum": "a v1.0.0 h1:a=\n", "goldenpaths/svc/template/gone.txt": "one\n",
			"goldenpaths/svc/template/CHANGELOG.md": "# 1.0\n",
		})
		w.publish()
		w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("the golden path is rendered", func() bool { return w.file("acme/payments", "main", "app.txt") == app })
		_, err := w.alice.Push("acme/payments", "main", "our own", localhub.Edit{Files: map[string]string{
			"app.txt": mine, "go.sum": "a v1.0.0 h1:a=\nb v1.0.0 h1:b=\n", "gone.txt": "one\nof ours\n",
			"CHANGELOG.md": "# 1.1 of ours\n",
		}})
		w.must(err)
		head, err := w.alice.Push("acme/platform", "next", "the next version", localhub.Edit{
			Files: map[string]string{
				"goldenpaths/svc/template/app.txt": next, "goldenpaths/svc/template/go.sum": "a v1.1.0 h1:aa=\n",
				"goldenpaths/svc/template/CHANGELOG.md": "# 2.0 of theirs\n",
			},
			Delete: []string{"goldenpaths/svc/template/gone.txt"},
		})
		w.must(err)
		number, err := w.alice.OpenPull("acme/platform", "next", "main", "The next version", "")
		w.must(err)
		want := "- `app.txt`, by `inserts`: 1 place in 1 repository; both added lines in the same place; yours first"
		if got := w.previewed(head); !strings.Contains(got.Summary, want) {
			t.Errorf("the preview does not tell %q:\n%s", want, got.Summary)
		}
		w.must(w.alice.MergePull("acme/platform", number, "merge"))
		w.until("a pull request brings it", func() bool { return w.pull("acme/payments", branch) != nil })
		body := w.pull("acme/payments", branch).Body
		gone := tree.Text("one\nof ours\n").Blob()
		for _, part := range []string{
			"### Merged by a resolver", "- `app.txt`, line 1, by `versions`: ",
			"- [ ] take suggested `app.txt`", "`app.txt`, line 6, by `inserts`: ", "ours, this\ntheirs, that",
			"- [ ] take the golden path's `app.txt`", "green today",
			"### Decided by policy", "run `go mod tidy`", "(`onDelete: follow`); `git cat-file blob " + string(gone) + " > gone.txt` brings yours back",
		} {
			if !strings.Contains(body, part) {
				t.Errorf("%q is not told in\n%s", part, body)
			}
		}
		w.tick("acme/payments", "take the golden path's `CHANGELOG.md`, this once")
		w.until("the golden path's is taken", func() bool { return w.file("acme/payments", branch, "CHANGELOG.md") == "# 2.0 of theirs\n" })
		w.comment("acme/payments", "/syncer take theirs README.md")
		w.until("what was not kept is not given", w.answered("acme/payments", "README.md has no conflict to decide"))
		w.comment("acme/payments", "/syncer take suggested app.txt")
		w.until("the suggestion is taken", func() bool { return w.file("acme/payments", branch, "app.txt") == taken })
		w.until("what is left is told", w.answered("acme/payments", "Took suggested in `app.txt`. Conflicts for which nothing is suggested, and which are still to be decided: 1."))
		w.comment("acme/payments", "/syncer take suggested app.txt")
		w.until("there is nothing more to take", w.answered("acme/payments", "nothing is suggested for app.txt"))
	})
}

// TestWalkSuggestionsAreApplied has a policy that applies suggestions: they are listed
// all the same, and refused in one act.
func TestWalkSuggestionsAreApplied(t *testing.T) {
	const (
		app    = "first\nlast\n\nstay\n"
		mine   = "first\nours, this\nlast\n\nstay\n"
		next   = "first\ntheirs, that\nlast\n\nstay\n\nand more\n"
		joined = "first\nours, this\ntheirs, that\nlast\n\nstay\n\nand more\n"
		back   = "first\nours, this\nlast\n\nstay\n\nand more\n"
	)
	eachWorld(t, func(w *world) {
		w.release(map[string]string{
			"goldenpaths/svc/goldenpath.yaml":  strings.Replace(manifestV1, "files:\n", "merge: {resolve: on, on: [inserts]}\nfiles:\n", 1),
			"goldenpaths/svc/template/app.txt": app,
		})
		w.publish()
		w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("the golden path is rendered", func() bool { return w.file("acme/payments", "main", "app.txt") == app })
		_, err := w.alice.Push("acme/payments", "main", "our own", localhub.Edit{Files: map[string]string{
			"app.txt": mine, ".goldenpath.yaml": w.file("acme/payments", "main", ".goldenpath.yaml") + "merge: {suggested: apply}\n",
		}})
		w.must(err)
		w.release(map[string]string{"goldenpaths/svc/template/app.txt": next})
		w.until("a pull request brings it", func() bool { return w.file("acme/payments", branch, "app.txt") == joined })
		w.until("what is applied is listed", func() bool {
			pr := w.pull("acme/payments", branch)
			return pr != nil && strings.Contains(pr.Body, "### Suggested, and applied") && strings.Contains(pr.Body, "- `app.txt`, line 2, by `inserts`: ")
		})
		w.tick("acme/payments", "refuse what is suggested for `app.txt`")
		w.until("it is refused", func() bool { return w.file("acme/payments", branch, "app.txt") == back })
		w.comment("acme/payments", "/syncer refuse app.txt")
		w.until("it cannot be refused twice", w.answered("acme/payments", "app.txt was changed since the suggestions were applied in it"))
		w.comment("acme/payments", "/syncer refuse README.md")
		w.until("there is nothing else to refuse", w.answered("acme/payments", "nothing that was suggested is applied in README.md"))
	})
}

// answered reports whether a comment on the pull request says something.
func (w *world) answered(name, text string) func() bool {
	return func() bool {
		for _, c := range w.pull(name, branch).Comments {
			if strings.Contains(c.Body, text) {
				return true
			}
		}
		return false
	}
}
