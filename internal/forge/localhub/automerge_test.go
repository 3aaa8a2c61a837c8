package localhub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// Automatic merging and drafts are as strict as on GitHub: every refusal, then the way
// to a merge.
func TestGraphQLDraftsAndAutoMerge(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("r", map[string]string{"a": "1\n"})
	must(t, err2(w.alice.Push("acme/r", "change", "a change", localhub.Edit{Files: map[string]string{"a": "2\n"}})))
	number, err := w.alice.OpenPull("acme/r", "change", "main", "A change", "")
	must(t, err)
	client := w.client(w.install(), nil)
	pr, _, err := client.PullRequests.Get(t.Context(), "acme", "r", number)
	must(t, err)
	mutate := func(name, more string) string {
		t.Helper()
		out := w.graph(client, fmt.Sprintf("mutation($id: ID!) { %s(input: {pullRequestId: $id%s}) { clientMutationId } }", name, more), map[string]any{"id": pr.GetNodeID()})
		list, _ := out["errors"].([]any)
		if len(list) == 0 {
			return ""
		}
		return fmt.Sprint(dig(list[0], "message"))
	}
	refused := func(want, name, more string) {
		t.Helper()
		if got := mutate(name, more); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s%s answers %q, want %q", name, more, got, want)
		}
	}
	const enable = "enablePullRequestAutoMerge"
	refused("not allowed for this repository", enable, "")
	must(t, w.alice.SetTraits("acme/r", localhub.Traits{AutoMerge: true, NoDrafts: true}))
	refused("rules not configured", enable, "")
	refused("not supported", "convertPullRequestToDraft", "")
	must(t, w.alice.SetTraits("acme/r", localhub.Traits{AutoMerge: true}))
	must(t, w.alice.Protect("acme/r", "main", &localhub.Protection{Checks: []string{"ci"}}))
	refused("", "convertPullRequestToDraft", "")
	refused("draft status", enable, "")
	refused("", "markPullRequestReadyForReview", "")
	refused("Can't disable", "disablePullRequestAutoMerge", "")
	refused("", enable, ", mergeMethod: SQUASH")
	refused("", "disablePullRequestAutoMerge", "")
	refused("", enable, ", mergeMethod: SQUASH")
	must(t, w.alice.CompleteCheck("acme/r", pr.GetHead().GetSHA(), "ci", "failure"))
	if got, _, err := client.PullRequests.Get(t.Context(), "acme", "r", number); err != nil || got.GetMerged() || got.AutoMerge.GetMergeMethod() != "squash" {
		t.Errorf("after a failure: merged %v, automatic %v, %v", got.GetMerged(), got.AutoMerge, err)
	}
	must(t, w.alice.CompleteCheck("acme/r", pr.GetHead().GetSHA(), "ci", "success"))
	if got, _, err := client.PullRequests.Get(t.Context(), "acme", "r", number); err != nil || !got.GetMerged() {
		t.Errorf("after a success: merged %v, %v", got.GetMerged(), err)
	}
	refused("closed", enable, "")
}

func err2(_ string, err error) error { return err }
