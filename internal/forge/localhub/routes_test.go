package localhub_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// raw makes a request as a client would and returns the status and the body.
func (w *world) raw(client *github.Client, method, path string, body any) (int, map[string]any, http.Header) {
	w.t.Helper()
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		must(w.t, err)
		in = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.hub.URL()+"/api/v3"+path, in)
	must(w.t, err)
	response, err := client.Client().Do(r)
	must(w.t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(w.t, err)
	var out map[string]any
	if bytes.HasPrefix(data, []byte("{")) {
		must(w.t, json.Unmarshal(data, &out))
	}
	return response.StatusCode, out, response.Header
}

// TestEveryRoute asks for every route and holds every request and answer to GitHub's
// description.
func TestEveryRoute(t *testing.T) {
	w := newWorld(t, localhub.Options{Limits: localhub.Unlimited()})
	must(t, w.alice.CreateRepository("acme/template", localhub.NewRepository{Template: true, Private: true, Files: map[string]string{"README.md": "t\n"}}))
	w.repository("payments", map[string]string{
		"README.md": "hello\n", "docs/a.md": "a\nb\nc\n",
		".github/workflows/provision.yml": "on:\n  workflow_dispatch:\n    inputs:\n      service: {type: string}\njobs: {}\n",
	})
	w.org.Team("core", "bob")
	w.org.Property("team", "single_select", "core", "web")
	install := w.install()
	app, client := w.asApp(), w.client(install, nil)
	must(t, w.alice.Protect("acme/payments", "main", &localhub.Protection{Checks: []string{"build"}, Pull: true}))
	deployment, err := w.alice.Deploy("acme/payments", "main", "production", "success")
	must(t, err)

	check := func(client *github.Client, want int, method, path string, body any) map[string]any {
		t.Helper()
		status, out, _ := w.raw(client, method, path, body)
		if status != want {
			t.Errorf("%s %s: got %d %v, want %d", method, path, status, out, want)
		}
		return out
	}
	id := func(out map[string]any) string {
		n, _ := out["id"].(float64)
		return fmt.Sprintf("%.0f", n)
	}
	sha := func(out any) string { return fmt.Sprint(dig(out, "sha")) }
	const repo = "/repos/acme/payments"

	// The App itself.
	check(app, 200, "GET", "/app", nil)
	check(app, 200, "GET", "/app/installations", nil)
	inst := fmt.Sprintf("/app/installations/%d", install.ID())
	check(app, 200, "GET", inst, nil)
	check(app, 201, "POST", inst+"/access_tokens", map[string]any{"repositories": []string{"payments"}, "permissions": map[string]string{"contents": "read"}})
	check(app, 200, "GET", "/orgs/acme/installation", nil)
	check(app, 404, "GET", "/users/alice/installation", nil)
	check(app, 200, "GET", repo+"/installation", nil)
	check(app, 200, "GET", "/app/hook/config", nil)
	check(app, 200, "PATCH", "/app/hook/config", map[string]any{"secret": secret})
	w.settle()
	check(app, 200, "GET", "/app/hook/deliveries?per_page=1", nil)
	delivery := w.app.Deliveries()[0]
	check(app, 200, "GET", fmt.Sprintf("/app/hook/deliveries/%d", delivery.ID), nil)
	check(app, 202, "POST", fmt.Sprintf("/app/hook/deliveries/%d/attempts", delivery.ID), nil)
	check(client, 200, "GET", "/apps/syncer", nil)
	check(client, 404, "POST", "/app-manifests/nothing/conversions", nil)

	// Accounts and repositories.
	check(client, 200, "GET", "/installation/repositories?per_page=1", nil)
	check(client, 200, "GET", "/rate_limit", nil)
	check(client, 200, "GET", "/meta", nil)
	check(client, 200, "GET", "/orgs/acme", nil)
	check(client, 200, "GET", "/users/alice", nil)
	check(client, 403, "GET", "/user", nil)
	check(client, 200, "GET", "/orgs/acme/repos", nil)
	check(client, 201, "POST", "/orgs/acme/repos", map[string]any{"name": "made", "private": true, "auto_init": true})
	check(client, 201, "POST", "/repos/acme/template/generate", map[string]any{"owner": "acme", "name": "generated", "private": true})
	check(client, 200, "GET", "/repos/acme/generated", nil)
	check(client, 200, "PATCH", "/repos/acme/made", map[string]any{"description": "said", "is_template": true})
	check(client, 200, "GET", repo+"/topics", nil)
	check(client, 200, "PUT", repo+"/topics", map[string]any{"names": []string{"go"}})
	check(client, 200, "GET", repo+"/properties/values", nil)
	check(client, 204, "PATCH", repo+"/properties/values", map[string]any{"properties": []map[string]any{{"property_name": "team", "value": "core"}}})
	check(client, 200, "GET", "/orgs/acme/properties/schema", nil)
	check(client, 200, "GET", repo+"/collaborators/alice/permission", nil)
	check(client, 204, "GET", repo+"/collaborators/alice", nil)
	check(client, 200, "GET", "/orgs/acme/teams", nil)
	check(client, 200, "GET", "/orgs/acme/teams/core", nil)
	check(client, 204, "PUT", "/orgs/acme/teams/core/repos/acme/payments", map[string]any{"permission": "push"})
	check(client, 204, "GET", "/orgs/acme/teams/core/repos/acme/payments", nil)
	check(client, 200, "GET", "/orgs/acme/teams/core/memberships/bob", nil)
	check(client, 200, "GET", repo+"/teams", nil)
	check(client, 201, "POST", repo+"/actions/variables", map[string]any{"name": "REGION", "value": "eu"})
	check(client, 200, "GET", repo+"/actions/variables", nil)
	check(client, 200, "GET", repo+"/actions/variables/REGION", nil)
	check(client, 204, "PATCH", repo+"/actions/variables/REGION", map[string]any{"value": "us"})
	check(client, 204, "DELETE", repo+"/actions/variables/REGION", nil)
	check(client, 200, "PUT", repo+"/environments/staging", nil)
	check(client, 200, "GET", repo+"/environments", nil)
	check(client, 200, "GET", repo+"/environments/staging", nil)
	check(client, 204, "DELETE", repo+"/environments/staging", nil)
	check(client, 204, "POST", repo+"/actions/workflows/provision.yml/dispatches", map[string]any{"ref": "main", "inputs": map[string]string{"service": "x"}})
	check(client, 200, "POST", repo+"/actions/workflows/provision.yml/dispatches", map[string]any{"ref": "main", "return_run_details": true})
	check(client, 200, "GET", repo+"/actions/workflows/provision.yml/runs?event=workflow_dispatch", nil)
	check(client, 200, "GET", repo+"/deployments", nil)
	check(client, 200, "GET", fmt.Sprintf("%s/deployments/%d/statuses", repo, deployment), nil)
	rules := check(client, 201, "POST", repo+"/rulesets", map[string]any{
		"name": "tags", "enforcement": "active", "target": "tag", "conditions": map[string]any{"ref_name": map[string]any{"include": []string{"~ALL"}, "exclude": []string{}}},
		"rules": []map[string]any{{"type": "deletion"}},
	})
	check(client, 200, "GET", repo+"/rulesets", nil)
	check(client, 200, "GET", repo+"/rulesets/"+id(rules), nil)
	check(client, 200, "PUT", repo+"/rulesets/"+id(rules), map[string]any{"name": "tags", "enforcement": "disabled"})
	check(client, 204, "DELETE", repo+"/rulesets/"+id(rules), nil)
	check(client, 200, "GET", repo+"/rules/branches/main", nil)
	check(client, 200, "GET", repo+"/branches/main/protection", nil)

	// Git data.
	check(client, 200, "GET", repo+"/contents/docs/a.md", nil)
	check(client, 200, "GET", repo+"/contents/docs?ref=main", nil)
	check(client, 200, "GET", repo+"/contents/", nil)
	check(client, 200, "GET", repo+"/readme", nil)
	ref := check(client, 200, "GET", repo+"/git/ref/heads/main", nil)
	head := sha(ref["object"])
	check(client, 200, "GET", repo+"/git/matching-refs/heads/ma", nil)
	commit := check(client, 200, "GET", repo+"/git/commits/"+head, nil)
	tree := sha(commit["tree"])
	check(client, 200, "GET", repo+"/git/trees/"+tree+"?recursive=1", nil)
	blob := check(client, 201, "POST", repo+"/git/blobs", map[string]any{"content": "AAEC", "encoding": "base64"})
	check(client, 200, "GET", repo+"/git/blobs/"+sha(blob), nil)
	made := check(client, 201, "POST", repo+"/git/trees", map[string]any{"base_tree": tree, "tree": []map[string]any{
		{"path": "bin", "mode": "100644", "type": "blob", "sha": blob["sha"]}, {"path": "docs/a.md", "mode": "100644", "type": "blob", "content": "a\nB\nc\n"},
	}})
	next := check(client, 201, "POST", repo+"/git/commits", map[string]any{"message": "m", "tree": made["sha"], "parents": []string{head}})
	check(client, 201, "POST", repo+"/git/refs", map[string]any{"ref": "refs/heads/topic", "sha": head})
	check(client, 200, "PATCH", repo+"/git/refs/heads/topic", map[string]any{"sha": next["sha"], "force": false})
	tag := check(client, 201, "POST", repo+"/git/tags", map[string]any{"tag": "v1", "message": "one", "object": head, "type": "commit"})
	check(client, 200, "GET", repo+"/git/tags/"+sha(tag), nil)
	check(client, 201, "POST", repo+"/git/refs", map[string]any{"ref": "refs/tags/v1", "sha": tag["sha"]})
	check(client, 200, "GET", repo+"/tags", nil)
	check(client, 204, "DELETE", repo+"/git/refs/tags/v1", nil)
	check(client, 200, "GET", repo+"/branches?per_page=1", nil)
	check(client, 200, "GET", repo+"/branches/topic", nil)
	check(client, 200, "GET", repo+"/commits?sha=topic", nil)
	check(client, 200, "GET", repo+"/commits/topic", nil)
	check(client, 200, "GET", repo+"/compare/main...topic", nil)
	check(client, 201, "POST", repo+"/commits/"+head+"/comments", map[string]any{"body": "hm"})
	check(client, 200, "GET", repo+"/commits/"+head+"/comments", nil)

	// Pull requests, reviews, issues, labels, checks.
	pull := check(client, 201, "POST", repo+"/pulls", map[string]any{"title": "t", "head": "topic", "base": "main", "body": "b"})
	number := fmt.Sprintf("%s/pulls/%.0f", repo, pull["number"])
	issue := strings.Replace(number, "/pulls/", "/issues/", 1)
	check(client, 200, "GET", repo+"/pulls?head=acme:topic&state=open", nil)
	check(client, 200, "GET", number, nil)
	check(client, 200, "PATCH", number, map[string]any{"body": "b2"})
	check(client, 200, "GET", number+"/files", nil)
	check(client, 200, "GET", number+"/commits", nil)
	check(client, 404, "GET", number+"/merge", nil)
	check(client, 200, "GET", repo+"/commits/"+sha(next)+"/pulls", nil)
	check(client, 201, "POST", number+"/requested_reviewers", map[string]any{"reviewers": []string{"bob"}, "team_reviewers": []string{"core"}})
	check(client, 200, "GET", number+"/requested_reviewers", nil)
	check(client, 200, "DELETE", number+"/requested_reviewers", map[string]any{"reviewers": []string{"bob"}})
	review := check(client, 200, "POST", number+"/reviews", map[string]any{"event": "COMMENT", "comments": []map[string]any{
		{"path": "docs/a.md", "line": 2, "side": "RIGHT", "body": "```suggestion\nb\n```"},
	}})
	check(client, 200, "GET", number+"/reviews", nil)
	check(client, 200, "PUT", number+"/reviews/"+id(review)+"/dismissals", map[string]any{"message": "old"})
	remark := check(client, 201, "POST", number+"/comments", map[string]any{"body": "here", "path": "docs/a.md", "line": 2, "side": "RIGHT", "commit_id": next["sha"]})
	check(client, 200, "GET", number+"/comments", nil)
	check(client, 200, "PATCH", repo+"/pulls/comments/"+id(remark), map[string]any{"body": "there"})
	check(client, 204, "DELETE", repo+"/pulls/comments/"+id(remark), nil)
	run := check(client, 201, "POST", repo+"/check-runs", map[string]any{
		"name": "build", "head_sha": next["sha"], "status": "in_progress",
		"output": map[string]any{"title": "t", "summary": "s", "annotations": []map[string]any{{"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}}},
	})
	check(client, 200, "GET", repo+"/check-runs/"+id(run), nil)
	check(client, 200, "PATCH", repo+"/check-runs/"+id(run), map[string]any{"status": "completed", "conclusion": "success"})
	check(client, 200, "GET", repo+"/check-runs/"+id(run)+"/annotations", nil)
	check(client, 201, "POST", repo+"/check-runs/"+id(run)+"/rerequest", nil)
	check(client, 200, "GET", repo+"/commits/topic/check-runs", nil)
	check(client, 200, "GET", repo+"/commits/topic/check-suites", nil)
	check(client, 200, "GET", repo+"/commits/topic/status", nil)
	opened := check(client, 201, "POST", repo+"/issues", map[string]any{"title": "i", "labels": []string{"bug"}, "assignees": []string{"bob"}})
	one := fmt.Sprintf("%s/issues/%.0f", repo, opened["number"])
	check(client, 200, "GET", repo+"/issues?labels=bug&state=open", nil)
	check(client, 200, "GET", one, nil)
	check(client, 200, "PATCH", one, map[string]any{"state": "closed", "state_reason": "completed"})
	comment := check(client, 201, "POST", issue+"/comments", map[string]any{"body": "c"})
	check(client, 200, "GET", issue+"/comments", nil)
	check(client, 200, "GET", repo+"/issues/comments/"+id(comment), nil)
	check(client, 200, "PATCH", repo+"/issues/comments/"+id(comment), map[string]any{"body": "d"})
	check(client, 201, "POST", repo+"/issues/comments/"+id(comment)+"/reactions", map[string]any{"content": "eyes"})
	check(client, 204, "DELETE", repo+"/issues/comments/"+id(comment), nil)
	check(client, 201, "POST", one+"/assignees", map[string]any{"assignees": []string{"alice"}})
	check(client, 200, "DELETE", one+"/assignees", map[string]any{"assignees": []string{"alice"}})
	check(client, 201, "POST", repo+"/labels", map[string]any{"name": "golden path", "color": "ededed"})
	check(client, 200, "GET", repo+"/labels", nil)
	check(client, 200, "GET", repo+"/labels/golden%20path", nil)
	check(client, 200, "PATCH", repo+"/labels/golden%20path", map[string]any{"description": "d"})
	check(client, 200, "POST", issue+"/labels", map[string]any{"labels": []string{"golden path"}})
	check(client, 200, "GET", issue+"/labels", nil)
	check(client, 200, "PUT", issue+"/labels", map[string]any{"labels": []string{"bug"}})
	check(client, 200, "DELETE", issue+"/labels/bug", nil)
	check(client, 204, "DELETE", repo+"/labels/golden%20path", nil)
	must(t, w.alice.Protect("acme/payments", "main", nil))
	_, err = w.alice.Push("acme/payments", "main", "other", localhub.Edit{Files: map[string]string{"other": "x\n"}})
	must(t, err)
	check(client, 202, "PUT", number+"/update-branch", nil)
	check(client, 200, "PUT", number+"/merge", map[string]any{"merge_method": "squash"})
	check(client, 200, "POST", "/graphql", map[string]any{"query": "{viewer{login}}"})

	// Ends.
	check(client, 204, "DELETE", "/repos/acme/made", nil)
	check(client, 204, "DELETE", "/installation/token", nil)
	check(app, 204, "PUT", inst+"/suspended", nil)
	check(app, 204, "DELETE", inst+"/suspended", nil)
	check(app, 204, "DELETE", inst, nil)

	asked := localhub.Count(w.hub.Requests(), nil).Routes
	for _, route := range localhub.Routes() {
		if asked[route] == 0 {
			t.Errorf("%s was not asked for", route)
		}
	}
	w.conforms()
}
