package localhub

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

type deployment struct {
	id          int64
	sha, ref    string
	environment string
	creator     *account
	created     time.Time
	statuses    []obj
}

func (c *call) deploymentJSON(d *deployment) obj { return c.hub.deploymentJSON(c.repo, d) }

func (h *Hub) deploymentJSON(r *repository, d *deployment) obj {
	url := fmt.Sprintf("%s/deployments/%d", h.repoURL(r), d.id)
	return obj{
		"id": d.id, "node_id": nodeID("DE", d.id), "url": url, "sha": d.sha, "ref": d.ref, "task": "deploy", "payload": obj{}, "original_environment": d.environment,
		"environment": d.environment, "description": nil, "creator": d.creator.json(h), "created_at": stamp(d.created), "updated_at": stamp(d.created),
		"statuses_url": url + "/statuses", "repository_url": h.repoURL(r), "transient_environment": false, "production_environment": d.environment == "production",
	}
}

func listDeployments(c *call) answer {
	var list []obj
	ids := slices.Sorted(maps.Keys(c.repo.deployments))
	slices.Reverse(ids)
	for _, id := range ids {
		d := c.repo.deployments[id]
		if (c.query("environment") == "" || c.query("environment") == d.environment) && (c.query("sha") == "" || c.query("sha") == d.sha) && (c.query("ref") == "" || c.query("ref") == d.ref) {
			list = append(list, c.deploymentJSON(d))
		}
	}
	return c.page(list)
}

func listStatuses(c *call) answer {
	d := c.repo.deployments[c.number("deployment_id")]
	if d == nil {
		return notFound()
	}
	list := slices.Clone(d.statuses)
	slices.Reverse(list)
	return c.page(list)
}

// Deploy says, as some delivery tool would, that a ref was deployed: a deployment with
// one status. It returns the deployment's id.
func (p *Person) Deploy(fullName, ref, environment, state string) (id int64, err error) {
	err = p.do(fullName, "write", func(r *repository) error {
		head, found := r.store.resolve(ref)
		if !found {
			return fmt.Errorf("localhub: no ref %s in %s", ref, fullName)
		}
		h := p.hub
		now := h.now()
		d := &deployment{id: h.state.id(), sha: head.String(), ref: ref, environment: environment, creator: p.account, created: now}
		r.deployments[d.id] = d
		status := h.state.id()
		url := fmt.Sprintf("%s/deployments/%d", h.repoURL(r), d.id)
		j := obj{
			"id": status, "node_id": nodeID("DES", status), "url": fmt.Sprintf("%s/statuses/%d", url, status), "state": state, "creator": p.account.json(h),
			"description": "", "environment": environment, "target_url": "", "created_at": stamp(now), "updated_at": stamp(now),
			"deployment_url": url, "repository_url": h.repoURL(r), "environment_url": "", "log_url": "",
		}
		d.statuses = append(d.statuses, j)
		h.emit(event{name: "deployment_status", action: "created", repo: r, by: p.actor(), needs: "deployments",
			body: obj{"deployment_status": j, "deployment": h.deploymentJSON(r, d), "check_run": nil, "workflow": nil, "workflow_run": nil}})
		id = d.id
		return nil
	})
	return id, err
}

// RunWorkflow says that GitHub Actions ran a workflow on a branch's head.
func (p *Person) RunWorkflow(fullName, branch, workflow, conclusion string) error {
	return p.do(fullName, "write", func(r *repository) error {
		head, found := r.store.branch(branch)
		if !found {
			return fmt.Errorf("localhub: no branch %s in %s", branch, fullName)
		}
		h := p.hub
		run, flow := h.state.id(), h.state.id()
		now, url := stamp(h.now()), fmt.Sprintf("%s/actions/runs/%d", h.repoURL(r), run)
		flowURL := fmt.Sprintf("%s/actions/workflows/%d", h.repoURL(r), flow)
		h.emit(event{name: "workflow_run", action: "completed", repo: r, by: p.actor(), needs: "actions", body: obj{
			"workflow": obj{
				"id": flow, "node_id": nodeID("W", flow), "name": workflow, "path": ".github/workflows/" + workflow, "state": "active", "created_at": now, "updated_at": now,
				"url": flowURL, "html_url": h.pageURL(r) + "/actions/workflows/" + workflow, "badge_url": h.pageURL(r) + "/workflows/" + workflow + "/badge.svg",
			},
			"workflow_run": obj{
				"id": run, "node_id": nodeID("WFR", run), "name": workflow, "path": ".github/workflows/" + workflow, "head_branch": branch, "head_sha": head.String(),
				"run_number": 1, "run_attempt": 1, "event": "push", "status": "completed", "conclusion": conclusion, "workflow_id": flow, "check_suite_id": 0,
				"check_suite_node_id": "", "url": url, "html_url": fmt.Sprintf("%s/actions/runs/%d", h.pageURL(r), run), "pull_requests": []obj{},
				"created_at": now, "updated_at": now, "run_started_at": now, "actor": p.account.json(h), "triggering_actor": p.account.json(h),
				"jobs_url": url + "/jobs", "logs_url": url + "/logs", "check_suite_url": "", "artifacts_url": url + "/artifacts", "cancel_url": url + "/cancel",
				"rerun_url": url + "/rerun", "workflow_url": flowURL, "previous_attempt_url": nil, "referenced_workflows": []obj{},
				"head_commit": h.commitPayload(r, head), "repository": h.repoJSON(r, nil), "head_repository": h.repoJSON(r, nil),
			},
		}})
		return nil
	})
}
