package main

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

// TestThePlatformIsRenamed: GitHub leads from the old name to the new one, for the API
// and for Git, and members go on without an edit.
func TestThePlatformIsRenamed(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.must(w.alice.Rename("acme/platform", "paths"))
	w.settle()
	_, err := w.alice.Push("acme/paths", "main", "change the golden path", localhub.Edit{Files: map[string]string{ciFile: "ci: 2\n"}})
	w.must(err)
	w.until("version 2 is offered", w.offered(payments, 2))
	w.settle()
	if n := len(w.pulls(payments)); n != 1 {
		t.Errorf("%d pull requests, want 1", n)
	}
	head, err := w.alice.Push("acme/paths", "next", "next", localhub.Edit{Files: map[string]string{ciFile: "ci: 3\n"}})
	w.must(err)
	_, err = w.alice.OpenPull("acme/paths", "next", "main", "next", "")
	w.must(err)
	w.until("the change is previewed", func() bool { return w.check("acme/paths", "golden paths", head).Status == "completed" })
	if got := w.check("acme/paths", "golden paths", head); got.Conclusion != "success" || !strings.HasPrefix(got.Title, "1 clean") {
		t.Errorf("the preview is %+v", got)
	}
	w.sound()
}

// TestThePlatformIsDeleted: members keep their state, and are told nothing.
func TestThePlatformIsDeleted(t *testing.T) {
	t.Parallel()
	w := hostile(t, variant{})
	w.must(w.alice.Delete("acme/platform"))
	w.settle()
	_ = w.service.Sweep(t.Context()) // says that there is no platform
	w.must(w.service.Queue.Sync(t.Context(), "a test", w.placeOf(payments)))
	w.settle()
	if len(w.pulls(payments)) > 0 || len(w.issues(payments, "open")) > 0 {
		t.Errorf("the member hears of it: %+v %+v", w.pulls(payments), w.issues(payments, "open"))
	}
	if !w.is(payments, store.Current) || w.file(payments, "main", "ci.yaml") != "ci: 1\n" {
		t.Errorf("the member did not keep its state: %+v", w.records())
	}
}

// sound reports dead letters.
func (w *world) sound() {
	w.Helper()
	letters, _, err := w.service.work.DeadLetters(w.Context(), "", 20)
	w.must(err)
	if len(letters) > 0 {
		w.Errorf("dead letters: %+v", letters)
	}
}
