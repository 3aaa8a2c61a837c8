package localhub

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

func (h *Hub) checkJSON(r *repository, k *checkRun) obj {
	url := fmt.Sprintf("%s/check-runs/%d", h.repoURL(r), k.id)
	return obj{
		"id": k.id, "node_id": nodeID("CR", k.id), "name": k.name, "head_sha": k.head, "external_id": k.external, "url": url,
		"html_url": fmt.Sprintf("%s/runs/%d", h.pageURL(r), k.id), "details_url": orNil(k.details), "status": k.status, "conclusion": orNil(k.conclusion),
		"started_at": stampOrNil(k.started), "completed_at": stampOrNil(k.completed), "app": k.app.json(), "pull_requests": h.pullsAt(r, k.head),
		"check_suite": obj{"id": k.suite.id},
		"output": obj{
			"title": k.output.Title, "summary": k.output.Summary, "text": k.output.Text,
			"annotations_count": len(k.annotations), "annotations_url": url + "/annotations",
		},
	}
}

// pullsAt are the open pull requests whose head is a commit, as checks name them: those
// of forks are left out (https://docs.github.com/rest/checks/runs#get-a-check-run).
func (h *Hub) pullsAt(r *repository, head string) []obj {
	list := []obj{}
	side := func(branch, id string) obj {
		return obj{"ref": branch, "sha": id, "repo": obj{"id": r.id, "url": h.repoURL(r), "name": r.name}}
	}
	for _, n := range slices.Sorted(maps.Keys(r.issues)) {
		i := r.issues[n]
		if i.pull != nil && i.pull.from == nil && i.state == "open" && i.pull.headID.String() == head {
			list = append(list, obj{
				"id": i.id, "number": i.number, "url": fmt.Sprintf("%s/pulls/%d", h.repoURL(r), i.number),
				"head": side(i.pull.head, head), "base": side(i.pull.base, i.pull.baseID.String()),
			})
		}
	}
	return list
}

func (h *Hub) suiteJSON(r *repository, s *checkSuite) obj {
	url := fmt.Sprintf("%s/check-suites/%d", h.repoURL(r), s.id)
	status, conclusion, count := "queued", "", 0
	for _, k := range r.checks {
		if k.suite == s {
			count++
			status, conclusion = k.status, k.conclusion
		}
	}
	j := obj{
		"id": s.id, "node_id": nodeID("CS", s.id), "head_branch": orNil(s.branch), "head_sha": s.head, "status": status, "conclusion": orNil(conclusion),
		"url": url, "before": s.before.String(), "after": s.head, "pull_requests": h.pullsAt(r, s.head), "app": s.app.json(),
		"created_at": stamp(s.created), "updated_at": stamp(s.created), "latest_check_runs_count": count, "check_runs_url": url + "/check-runs",
	}
	if o, err := r.store.commit(plumbing.NewHash(s.head)); err == nil {
		j["head_commit"] = obj{
			"id": s.head, "tree_id": o.TreeHash.String(), "message": o.Message, "timestamp": stamp(o.Committer.When),
			"author":    obj{"name": o.Author.Name, "email": o.Author.Email},
			"committer": obj{"name": o.Committer.Name, "email": o.Committer.Email},
		}
	}
	return j
}

// checkEvent tells of a check run: what its own App must do, that App alone.
func (h *Hub) checkEvent(r *repository, k *checkRun, action string, by *actor, more obj) {
	j := h.checkJSON(r, k)
	j["check_suite"] = h.suiteJSON(r, k.suite)
	e := event{name: "check_run", action: action, repo: r, by: by, needs: "checks", body: obj{"check_run": j}}
	maps.Copy(e.body, more)
	if action == "rerequested" || action == "requested_action" {
		e.only = k.app
	}
	h.emit(e)
}

// requestSuites asks every App that may write checks to check a pushed commit.
func (h *Hub) requestSuites(r *repository, branch string, m refMove) {
	for _, i := range h.installsOf(r.owner) {
		if !i.has(r) || i.permissions["checks"] != "write" {
			continue
		}
		s := h.suite(r, i.app, m.to.String())
		s.branch, s.before = branch, m.from
		h.emit(event{name: "check_suite", action: "requested", repo: r, by: m.by, needs: "checks", only: i.app, body: obj{"check_suite": h.suiteJSON(r, s)}})
	}
}

// checkState is the conclusion of the newest run of that name on a commit; "" if there
// is none or it is not done. Neutral and skipped satisfy a requirement too.
func (r *repository) checkState(name, head string) string {
	var newest *checkRun
	for _, k := range r.checks {
		if k.name == name && k.head == head && (newest == nil || k.id > newest.id) {
			newest = k
		}
	}
	if newest == nil || newest.status != "completed" {
		return ""
	}
	if newest.conclusion == "neutral" || newest.conclusion == "skipped" {
		return "success"
	}
	return newest.conclusion
}

// anyFailing tells whether a run on a commit failed or is not done.
func (r *repository) anyFailing(head string) bool {
	for _, k := range r.checks {
		if k.head == head && r.checkState(k.name, head) != "success" {
			return true
		}
	}
	return false
}
