package main

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

// A folder becomes a file and a file a folder, in the golden path and on GitHub: what
// is unedited follows, and what is a person's is in the way and stays.
func TestFoldersAndFilesInEachOthersPlace(t *testing.T) {
	for name, rest := range map[string]bool{"graphql": false, "rest": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obstaclesOnGitHub(t, rest)
		})
	}
}

func obstaclesOnGitHub(t *testing.T, rest bool) {
	const docs = "goldenpaths/svc/template/docs"
	w := hostile(t, variant{rest: rest})
	change := func(n int, files map[string]string, gone ...string) {
		w.Helper()
		files[ciFile] = "ci: " + string(rune('0'+n)) + "\n"
		if len(gone) > 0 {
			_, err := w.alice.Push("acme/platform", "main", "make room", localhub.Edit{Delete: gone})
			w.must(err)
		}
		w.release(files)
		w.until("it is offered", w.offered(payments, n))
		w.settle()
	}
	merge := func() {
		w.Helper()
		w.must(w.alice.MergePull(payments, w.pull(payments, ourHead).Number, "merge"))
		w.until("the member is current", func() bool { return w.is(payments, store.Current) })
		w.settle()
	}
	change(2, map[string]string{docs + "/a.md": "a\n", docs + "/b/c.md": "c\n"})
	merge()
	change(3, map[string]string{docs: "a file\n"}, docs+"/a.md", docs+"/b/c.md")
	if got := w.file(payments, ourHead, "docs"); got != "a file\n" {
		t.Errorf("docs is %q on the branch", got)
	}
	merge()
	// The developer edits the file that becomes a folder.
	_, err := w.alice.Push(payments, "main", "ours", localhub.Edit{Files: map[string]string{"docs": "mine\n"}})
	w.must(err)
	w.settle()
	change(4, map[string]string{docs + "/d.md": "d\n"}, docs)
	if got := w.file(payments, ourHead, "docs"); got != "mine\n" {
		t.Errorf("docs is %q on the branch", got)
	}
	pr := w.pull(payments, ourHead)
	if !strings.Contains(pr.Body, "your docs is a file, not a folder") {
		t.Errorf("the pull request does not say what is in the way:\n%s", pr.Body)
	}
	say := func(command, want string) {
		w.Helper()
		_, err := w.alice.Comment(payments, pr.Number, command)
		w.must(err)
		w.until("it is answered: "+want, func() bool {
			for _, c := range w.pull(payments, ourHead).Comments {
				if strings.Contains(c.Body, want) {
					return true
				}
			}
			return false
		})
	}
	say("/syncer take theirs docs/d.md", "cannot be taken from the golden path while your docs is a file")
	say("/syncer take ours docs", "Took ours in `docs`")
	say("/syncer take ours docs/d.md", "Took ours in `docs/d.md`")
	w.settle()
	if got := w.file(payments, ourHead, "docs"); got != "mine\n" {
		t.Errorf("docs is %q on the branch", got)
	}
	if rest {
		return // without GraphQL a person makes the pull request ready
	}
	merge()
	if got := w.file(payments, "main", "docs"); got != "mine\n" {
		t.Errorf("docs is %q", got)
	}
}

// A file of the developer's that macOS takes for the golden path's new one is in its way.
func TestATwinOnGitHub(t *testing.T) {
	for name, rest := range map[string]bool{"graphql": false, "rest": true} {
		t.Run(name, func(t *testing.T) {
			w := hostile(t, variant{rest: rest})
			_, err := w.alice.Push(payments, "main", "ours", localhub.Edit{Files: map[string]string{"C.TXT": "mine\n", "Docs/A.md": "mine\n"}})
			w.must(err)
			w.settle()
			w.version(2, map[string]string{"goldenpaths/svc/template/c.txt": "theirs\n", "goldenpaths/svc/template/docs/a.md": "a\n", "goldenpaths/svc/template/docs/b.md": "b\n"})
			w.until("it is offered", w.offered(payments, 2))
			body := w.pull(payments, ourHead).Body
			for _, part := range []string{"your C.TXT has the same name", "your Docs/A.md has the same name"} {
				if !strings.Contains(body, part) {
					t.Errorf("%q is not told in\n%s", part, body)
				}
			}
			if got := w.file(payments, ourHead, "c.txt") + w.file(payments, ourHead, "docs/a.md"); got != "" {
				t.Errorf("it was written all the same: %q", got)
			}
			if got := w.file(payments, ourHead, "docs/b.md"); got != "b\n" {
				t.Errorf("docs/b.md is %q", got)
			}
		})
	}
}
