package localhub_test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

//go:embed testdata/webhooks.json.gz
var packedExamples []byte

// examples are GitHub's own example payloads, by "event.action".
func examples(t *testing.T) map[string]map[string]any {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(packedExamples))
	must(t, err)
	var out map[string]map[string]any
	must(t, json.NewDecoder(zip).Decode(&out))
	return out
}

// TestPayloadsHaveTheShapeOfGitHubsExamples makes every event happen and holds each
// payload to the example of the same event and action: every member of the example is
// there with a value of the same kind, and go-github reads it.
func TestPayloadsHaveTheShapeOfGitHubsExamples(t *testing.T) {
	w := newWorld(t, localhub.Options{Limits: localhub.Unlimited()})
	w.everyEvent()
	known := examples(t)
	compared := map[string]bool{}
	for _, d := range w.settle() {
		event := d.header.Get("X-Github-Event")
		// go-github v60 is older than this event.
		if _, err := github.ParseWebHook(event, d.body); err != nil && event != "custom_property_values" {
			t.Errorf("%s: go-github does not read it: %v", event, err)
		}
		var payload map[string]any
		must(t, json.Unmarshal(d.body, &payload))
		name := event
		if action, is := payload["action"].(string); is {
			name += "." + action
		}
		example := known[name]
		if example == nil || compared[name] {
			continue
		}
		compared[name] = true
		for _, lack := range lacks(example, payload, "") {
			t.Errorf("%s: %s", name, lack)
		}
	}
	for _, name := range []string{
		"installation.created", "installation.deleted", "installation.suspend", "installation.unsuspend", "installation.new_permissions_accepted",
		"installation_repositories.added", "installation_repositories.removed", "repository.created", "repository.renamed", "repository.transferred",
		"repository.edited", "repository.publicized", "repository.privatized", "push", "create", "delete", "pull_request.opened", "pull_request.synchronize",
		"pull_request.closed", "pull_request.reopened", "pull_request.labeled", "pull_request.review_requested",
		"issue_comment.created", "issue_comment.edited", "issues.opened", "issues.edited", "issues.reopened", "check_run.created", "check_run.completed",
		"check_run.rerequested", "check_run.requested_action", "check_suite.requested", "check_suite.rerequested", "commit_comment.created",
		"pull_request_review.submitted", "pull_request_review_comment.created", "deployment_status.created", "workflow_run.completed", "merge_group.checks_requested", "ping",
	} {
		if !compared[name] {
			t.Errorf("%s was not sent", name)
		}
	}
}

// accidents are members of the examples that only that repository, fork, hook or
// moment had.
var accidents = []string{
	"/repository/license", "/repo/license", "/repository/parent", "/installation", "/organization", "/requester", "/sender/name", "/sender/email", "/milestone", "/pull_request/milestone", "/issue/milestone",
	"/pull_request/auto_merge", "/hook/ping_url", "/hook/test_url", "/hook/last_response", "/hook/url", "/repository", "/check_run/deployment",
	"/changes/owner/from/user", // it was an organisation's here
}

// lacks lists what an example has and a payload has not.
func lacks(example, payload any, at string) []string {
	switch want := example.(type) {
	case map[string]any:
		got, is := payload.(map[string]any)
		if !is {
			if payload == nil && at != "" {
				return nil // null where the example had something
			}
			return []string{fmt.Sprintf("%s is %T, not an object", at, payload)}
		}
		var out []string
		for _, name := range slices.Sorted(maps.Keys(want)) {
			below := at + "/" + name
			value, there := got[name]
			if !there {
				if !slices.Contains(accidents, below) && !strings.HasSuffix(at, "/repository/owner") && !strings.HasSuffix(at, "/permissions") {
					out = append(out, below+" is missing")
				}
				continue
			}
			out = append(out, lacks(want[name], value, below)...)
		}
		return out
	case []any:
		got, is := payload.([]any)
		if !is {
			return []string{fmt.Sprintf("%s is %T, not a list", at, payload)}
		}
		if len(want) > 0 && len(got) > 0 {
			return lacks(want[0], got[0], at+"/0")
		}
		return nil
	case nil:
		return nil
	}
	if payload != nil && fmt.Sprintf("%T", payload) != fmt.Sprintf("%T", example) && !strings.HasSuffix(at, "_at") {
		return []string{fmt.Sprintf("%s is %T, not %T", at, payload, example)}
	}
	return nil
}

// everyEvent makes everything happen.
func (w *world) everyEvent() {
	t := w.t
	t.Helper()
	files := map[string]string{"README.md": "a\nb\n"}
	w.app.Ping()
	w.hub.Organization("other").Add("admin", "alice")
	w.org.Property("team", "string")
	w.repository("first", files)
	install := w.install("first")
	must(t, w.alice.Remove(install, "first"))
	must(t, w.alice.Add(install, "first"))
	w.alice.Suspend(install)
	w.alice.Unsuspend(install)
	w.alice.Accept(install)
	w.alice.Uninstall(install)
	install = w.install()
	_, err := w.alice.Install(w.app, "other")
	must(t, err)
	w.repository("payments", files)
	const repo = "acme/payments"
	must(t, w.alice.Describe(repo, "said"))
	must(t, w.alice.SetPrivate(repo, false))
	must(t, w.alice.SetPrivate(repo, true))
	must(t, w.alice.Archive(repo, true))
	must(t, w.alice.Archive(repo, false))
	must(t, w.alice.SetProperties(repo, map[string]any{"team": "core"}))
	must(t, w.alice.Grant(repo, "bob", "write"))
	head, err := w.bob.Push(repo, "topic", "one", localhub.Edit{Files: map[string]string{"README.md": "a\nB\n", "new": "x\n"}})
	must(t, err)
	must(t, w.bob.Tag(repo, "v1", "topic"))
	number, err := w.bob.OpenPull(repo, "topic", "main", "t", "b")
	must(t, err)
	client := w.client(install, nil)
	_, err = w.bob.Push(repo, "topic", "two", localhub.Edit{Files: map[string]string{"README.md": "a\nC\n"}})
	must(t, err)
	must(t, w.bob.Edit(repo, number, "t2", "b2"))
	must(t, w.bob.SetLabels(repo, number, "bug"))
	must(t, w.bob.Close(repo, number))
	must(t, w.bob.Reopen(repo, number))
	_, _, err = client.PullRequests.RequestReviewers(t.Context(), "acme", "payments", number, github.ReviewersRequest{Reviewers: []string{"alice"}})
	must(t, err)
	must(t, w.alice.Review(repo, number, "APPROVED", "good"))
	_, _, err = client.PullRequests.CreateReview(t.Context(), "acme", "payments", number, &github.PullRequestReviewRequest{
		Event: new("COMMENT"), Comments: []*github.DraftReviewComment{{Path: new("README.md"), Line: new(2), Side: new("RIGHT"), Body: new("x")}},
	})
	must(t, err)
	comment, err := w.bob.Comment(repo, number, "/sync")
	must(t, err)
	must(t, w.bob.EditComment(repo, comment, "/sync again"))
	issue, err := w.bob.OpenIssue(repo, "i", "body")
	must(t, err)
	must(t, w.bob.Edit(repo, issue, "", "body [x]"))
	must(t, w.bob.Close(repo, issue))
	must(t, w.bob.Reopen(repo, issue))
	run, _, err := client.Checks.CreateCheckRun(t.Context(), "acme", "payments", github.CreateCheckRunOptions{
		Name: "preview", HeadSHA: head, Status: new("completed"), Conclusion: new("neutral"), Output: &github.CheckRunOutput{Title: new("t"), Summary: new("s")},
	})
	must(t, err)
	must(t, w.bob.RerequestCheck(repo, run.GetID()))
	must(t, w.bob.PressAction(repo, run.GetID(), "retry"))
	must(t, w.bob.RerequestSuite(repo, head, w.app))
	must(t, w.bob.CompleteCheck(repo, head, "build", "success"))
	_, _, err = client.Repositories.CreateComment(t.Context(), "acme", "payments", head, &github.RepositoryComment{Body: new("hm")})
	must(t, err)
	_, err = w.alice.Deploy(repo, "main", "production", "success")
	must(t, err)
	must(t, w.alice.RunWorkflow(repo, "main", "ci.yml", "success"))
	_, err = w.alice.QueueMerge(repo, number)
	must(t, err)
	must(t, w.alice.MergePull(repo, number, "merge"))
	must(t, w.bob.DeleteBranch(repo, "topic"))
	must(t, w.alice.Rename(repo, "billing"))
	must(t, w.alice.Transfer("acme/billing", "other"))
	must(t, w.alice.Delete("acme/first"))
}

func TestDeliveriesAreSignedAndLogged(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"a": "a\n"})
	w.inbox.answer(http.StatusInternalServerError)
	install := w.install()
	_, err := w.alice.Push("acme/payments", "main", "m", localhub.Edit{Files: map[string]string{"a": "b\n"}})
	must(t, err)
	for _, d := range w.settle() {
		if err := github.ValidateSignature(d.header.Get("X-Hub-Signature-256"), d.body, []byte(secret)); err != nil {
			t.Errorf("%s: %v", d.header.Get("X-Github-Event"), err)
		}
		for _, name := range []string{"X-GitHub-Delivery", "X-GitHub-Hook-ID", "X-GitHub-Hook-Installation-Target-ID", "X-GitHub-Hook-Installation-Target-Type"} {
			if d.header.Get(name) == "" {
				t.Errorf("no %s", name)
			}
		}
	}
	w.inbox.answer(http.StatusAccepted)
	app := w.asApp()
	ctx := t.Context()
	var failed []*github.HookDelivery
	cursor := &github.ListCursorOptions{PerPage: 1}
	for {
		list, response, err := app.Apps.ListHookDeliveries(ctx, cursor)
		must(t, err)
		for _, d := range list {
			if d.GetStatusCode() != http.StatusAccepted {
				failed = append(failed, d)
			}
		}
		if cursor.Cursor = response.Cursor; cursor.Cursor == "" {
			break
		}
	}
	if len(failed) != 3 {
		t.Fatalf("got %d failed deliveries, want 3 (installation, push, check_suite)", len(failed))
	}
	before := len(w.inbox.all())
	_, _, err = app.Apps.RedeliverHookDelivery(ctx, failed[0].GetID())
	if _, accepted := err.(*github.AcceptedError); err != nil && !accepted { //nolint:errorlint // go-github returns it bare
		t.Fatal(err)
	}
	again := w.settle()[before:]
	if len(again) != 1 || again[0].header.Get("X-GitHub-Delivery") != failed[0].GetGUID() {
		t.Errorf("redelivered %d, want one with GUID %s", len(again), failed[0].GetGUID())
	}
	one, _, err := app.Apps.GetHookDelivery(ctx, failed[0].GetID())
	must(t, err)
	if one.Request == nil || one.Request.Headers["X-GitHub-Delivery"] != failed[0].GetGUID() {
		t.Errorf("got %v", one)
	}
	if install.ID() != failed[0].GetInstallationID() {
		t.Errorf("got installation %d", failed[0].GetInstallationID())
	}
	w.conforms()
}

func TestOnlyWhatTheAppMayKnowIsDelivered(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("in", map[string]string{"a": "a\n"})
	w.repository("out", map[string]string{"a": "a\n"})
	w.app.RequestPermissions(map[string]string{"contents": "read"}, "push", "issues")
	install := w.install("in")
	for _, repo := range []string{"acme/in", "acme/out"} {
		_, err := w.alice.Push(repo, "main", "m", localhub.Edit{Files: map[string]string{"a": "b\n"}})
		must(t, err)
		_, err = w.alice.OpenIssue(repo, "not permitted", "")
		must(t, err)
	}
	w.alice.Suspend(install)
	_, err := w.alice.Push("acme/in", "main", "m", localhub.Edit{Files: map[string]string{"a": "c\n"}})
	must(t, err)
	if got := strings.Join(w.events(), " "); got != "installation.created push installation.suspend" {
		t.Errorf("got %s", got)
	}
}

func TestManifestFlow(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	var code, state string
	back := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		code, state = r.URL.Query().Get("code"), r.URL.Query().Get("state")
	}))
	defer back.Close()
	manifest, err := json.Marshal(map[string]any{
		"name": "Golden paths", "url": "https://example.com", "redirect_url": back.URL + "/setup/done", "hook_attributes": map[string]any{"url": back.URL + "/hooks"},
		"default_permissions": map[string]string{"contents": "write"}, "default_events": []string{"push"},
	})
	must(t, err)
	form := map[string][]string{"manifest": {string(manifest)}}
	address := w.hub.URL() + "/organizations/acme/settings/apps/new?state=abc"
	page, err := http.PostForm(address, form) //nolint:noctx // the test's own server
	must(t, err)
	must(t, page.Body.Close())
	if page.StatusCode != 200 || code != "" {
		t.Fatalf("before confirming: %d, code %q", page.StatusCode, code)
	}
	form["confirm"] = []string{"yes"}
	done, err := http.PostForm(address, form) //nolint:noctx // the test's own server
	must(t, err)
	must(t, done.Body.Close())
	if code == "" || state != "abc" {
		t.Fatalf("came back with code %q and state %q", code, state)
	}
	config, _, err := w.enterprise(http.DefaultTransport).Apps.CompleteAppManifest(t.Context(), code)
	must(t, err)
	if config.GetSlug() != "golden-paths" || !strings.Contains(config.GetPEM(), "PRIVATE KEY") || config.GetWebhookSecret() == "" || config.GetOwner().GetLogin() != "acme" {
		t.Errorf("got %v", config)
	}
	if _, _, err := w.enterprise(http.DefaultTransport).Apps.CompleteAppManifest(t.Context(), code); status(err) != 404 {
		t.Errorf("the code works twice: %v", err)
	}
	if made := w.hub.FindApp("golden-paths"); made == nil || made.ID() != config.GetID() {
		t.Errorf("got %v", made)
	}
}
