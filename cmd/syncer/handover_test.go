package main

import (
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

const opsBranch = "goldenpath/ops"

// TestWalkHandover: a golden path gives a file to another one, which the member follows
// too, and has edited it. Neither the preview nor the pull requests ask about it, and
// whichever is merged first, it is there.
func TestWalkHandover(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.release(map[string]string{
			"goldenpaths/ops/goldenpath.yaml":  "apiVersion: syncer/v1\nkind: GoldenPath\nname: ops\ntitle: Operations\ndescription: What runs it\n",
			"goldenpaths/ops/template/ops.txt": "ops\n",
			"goldenpaths/ops/tests/one.txtar":  "-- inputs.yaml --\n{}\n-- want/ops.txt --\nops\n",
		})
		w.payments()
		own := w.file("acme/payments", "main", ".goldenpath.yaml")
		list := strings.TrimRight(own, "\n")
		at := strings.Index(list, "- name: svc")
		indent := list[strings.LastIndex(list[:at], "\n")+1 : at]
		w.push("main", map[string]string{".goldenpath.yaml": list + "\n" + indent + "- name: ops\n", "lines.txt": "ONE" + lines[3:]})
		w.until("both are here", func() bool { return w.file("acme/payments", "main", "ops.txt") == "ops\n" })
		w.settle()
		moves := localhub.Edit{
			Files:  map[string]string{"goldenpaths/ops/template/lines.txt": linesV2, "goldenpaths/svc/tests/one.txtar": strings.Replace(fixtureV1, "-- want/lines.txt --\n"+lines, "", 1), "goldenpaths/ops/tests/one.txtar": "-- inputs.yaml --\n{}\n-- want/lines.txt --\n" + linesV2 + "-- want/ops.txt --\nops\n"},
			Delete: []string{"goldenpaths/svc/template/lines.txt"},
		}
		head, err := w.alice.Push("acme/platform", "next", "give lines to ops", moves)
		w.must(err)
		number, err := w.alice.OpenPull("acme/platform", "next", "main", "Give lines to ops", "")
		w.must(err)
		if got := w.previewed(head); got.Title != "2 clean, 0 with conflicts, 0 untouched" || !strings.Contains(got.Summary, "no file changes") {
			w.Errorf("the preview says %s\n%s", got.Title, got.Summary)
		}
		w.must(w.alice.MergePull("acme/platform", number, "merge"))
		w.until("both bring it", func() bool {
			return w.pull("acme/payments", ourBranch) != nil && w.pull("acme/payments", opsBranch) != nil
		})
		w.settle()
		merged := "ONE" + linesV2[3:]
		if got := w.file("acme/payments", ourBranch, "lines.txt"); got != "ONE"+lines[3:] {
			w.Errorf("the pull request of the old owner has %q", got)
		}
		if got := w.file("acme/payments", opsBranch, "lines.txt"); got != merged {
			w.Errorf("the pull request of the new owner has %q", got)
		}
		for _, branch := range []string{ourBranch, opsBranch} {
			pr := w.pull("acme/payments", branch)
			if branch == ourBranch && !strings.Contains(pr.Body, "this only notes the version in `.goldenpath.lock`") {
				w.Errorf("the pull request of the old owner says\n%s", pr.Body)
			}
			if pr.Draft || strings.Contains(pr.Body, "- [ ] take") {
				w.Errorf("%s asks:\n%s", branch, pr.Body)
			}
			w.must(w.alice.MergePull("acme/payments", pr.Number, "merge"))
			w.settle()
		}
		w.until("the member is current", func() bool { return w.is("acme/payments", store.Current) })
		if got := w.file("acme/payments", "main", "lines.txt"); got != merged {
			w.Errorf("lines.txt is %q", got)
		}
	})
}
