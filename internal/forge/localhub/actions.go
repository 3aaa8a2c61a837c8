package localhub

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

type environment struct {
	id      int64
	name    string
	created time.Time
}

// Dispatch is a workflow that was asked to run.
type Dispatch struct {
	Repository string
	Workflow   string
	Ref        string
	Inputs     map[string]any
	By         string
	at         time.Time
	run        int64
}

func actionRoutes() []route {
	const base, vars, envs = "/repos/{owner}/{repo}", "/repos/{owner}/{repo}/actions/variables", "/repos/{owner}/{repo}/environments"
	r, w := read("actions_variables"), write("actions_variables")
	return []route{
		get(vars, r, "actions/variables#list-repository-variables", listVariables),
		creating(post(vars, w, "actions/variables#create-a-repository-variable", createVariable)),
		get(vars+"/{name}", r, "actions/variables#get-a-repository-variable", getVariable),
		patch(vars+"/{name}", w, "actions/variables#update-a-repository-variable", patchVariable),
		remove(vars+"/{name}", w, "actions/variables#delete-a-repository-variable", deleteVariable),
		get(envs, read("actions"), "deployments/environments#list-environments", listEnvironments),
		get(envs+"/{environment_name}", read("actions"), "deployments/environments#get-an-environment", getEnvironment),
		put(envs+"/{environment_name}", write("administration"), "deployments/environments#create-or-update-an-environment", putEnvironment),
		remove(envs+"/{environment_name}", write("administration"), "deployments/environments#delete-an-environment", deleteEnvironment),
		get(base+"/actions/workflows/{workflow_id}/runs", read("actions"), "actions/workflow-runs#list-workflow-runs-for-a-workflow", listDispatched),
		creating(post(base+"/actions/workflows/{workflow_id}/dispatches", write("actions"), "actions/workflows#create-a-workflow-dispatch-event", dispatch)),
		get(base+"/deployments", read("deployments"), "deployments/deployments#list-deployments", listDeployments),
		get(base+"/deployments/{deployment_id}/statuses", read("deployments"), "deployments/statuses#list-deployment-statuses", listStatuses),
	}
}

func (c *call) environmentJSON(e *environment) obj {
	url := c.hub.repoURL(c.repo) + "/environments/" + e.name
	return obj{
		"id": e.id, "node_id": nodeID("EN", e.id), "name": e.name, "url": url, "html_url": c.hub.pageURL(c.repo) + "/deployments/activity_log?environments_filter=" + e.name,
		"created_at": stamp(e.created), "updated_at": stamp(e.created), "protection_rules": []obj{}, "deployment_branch_policy": nil,
	}
}

func listEnvironments(c *call) answer {
	var list []obj
	for _, name := range slices.Sorted(maps.Keys(c.repo.environments)) {
		list = append(list, c.environmentJSON(c.repo.environments[name]))
	}
	return c.counted("environments", list)
}

func (c *call) environment() *environment {
	return c.repo.environments[lower(c.vars["environment_name"])]
}

func getEnvironment(c *call) answer {
	if e := c.environment(); e != nil {
		return ok(c.environmentJSON(e))
	}
	return notFound()
}

func putEnvironment(c *call) answer {
	var in obj
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	e := c.environment()
	if e == nil {
		e = &environment{id: c.hub.state.id(), name: c.vars["environment_name"], created: c.hub.now()}
		c.repo.environments[lower(e.name)] = e
	}
	return ok(c.environmentJSON(e))
}

func deleteEnvironment(c *call) answer {
	if c.environment() == nil {
		return notFound()
	}
	delete(c.repo.environments, lower(c.vars["environment_name"]))
	return none()
}

// dispatch checks what GitHub checks: the workflow is on the ref, it can be dispatched,
// and it declares the inputs.
func dispatch(c *call) answer {
	var in struct {
		Ref    string         `json:"ref"`
		Inputs map[string]any `json:"inputs"`
		Tell   *bool          `json:"return_run_details"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if in.Tell != nil && c.hub.options.NoRunDetails {
		return unprocessable("Invalid request.\n\n\"return_run_details\" is not a permitted key.")
	}
	inputs, bad := c.repo.dispatchable(in.Ref, c.vars["workflow_id"])
	if bad != nil {
		return *bad
	}
	var unexpected []string
	for name := range in.Inputs {
		if !slices.Contains(inputs, name) {
			unexpected = append(unexpected, fmt.Sprintf("%q", name))
		}
	}
	if unexpected != nil {
		slices.Sort(unexpected)
		return unprocessable("Unexpected inputs provided: [" + strings.Join(unexpected, ", ") + "]")
	}
	d := c.hub.run(c.repo, Dispatch{Workflow: c.vars["workflow_id"], Ref: in.Ref, Inputs: in.Inputs, By: c.actor.account().login})
	if in.Tell == nil || !*in.Tell {
		return none()
	}
	run := c.hub.runJSON(c.repo, d, len(c.repo.dispatches))
	return ok(obj{"workflow_run_id": run["id"], "run_url": run["url"], "html_url": run["html_url"]})
}

// dispatchable returns the inputs of a workflow on a ref, or why it cannot be started.
func (r *repository) dispatchable(ref, workflow string) (inputs []string, bad *answer) {
	refuse := func(a answer) ([]string, *answer) { return nil, &a }
	if ref == "" {
		return refuse(unprocessable("Invalid request.\n\n\"ref\" wasn't supplied."))
	}
	head, found := r.store.resolve(strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/"))
	if !found {
		return refuse(unprocessable("No ref found for: " + ref))
	}
	tree, err := r.store.treeOf(head)
	if err != nil {
		return refuse(broken(err))
	}
	file, there := r.store.lookup(tree, ".github/workflows/"+workflow)
	if !there {
		return refuse(notFound())
	}
	data, err := r.store.blob(file.Hash)
	if err != nil {
		return refuse(broken(err))
	}
	inputs, can := dispatchInputs(data)
	if !can {
		return refuse(unprocessable("Workflow does not have 'workflow_dispatch' trigger"))
	}
	return inputs, nil
}

// run notes a run that was started.
func (h *Hub) run(r *repository, d Dispatch) Dispatch {
	d.Repository, d.at, d.run = r.fullName(), h.now(), h.state.id()
	r.dispatches = append(r.dispatches, d)
	return d
}

// StartWorkflow starts a workflow, as the button "Run workflow" does.
func (p *Person) StartWorkflow(fullName, workflow, ref string) error {
	return p.do(fullName, "write", func(r *repository) error {
		if _, bad := r.dispatchable(ref, workflow); bad != nil {
			return fmt.Errorf("localhub: %s of %s cannot be started on %s: status %d", workflow, fullName, ref, bad.status)
		}
		p.hub.run(r, Dispatch{Workflow: workflow, Ref: ref, By: p.account.login})
		return nil
	})
}

// dispatchInputs are the inputs of a workflow's workflow_dispatch, and whether it has
// that trigger.
func dispatchInputs(data []byte) ([]string, bool) {
	var w map[string]any
	if yaml.Unmarshal(data, &w) != nil {
		return nil, false
	}
	switch on := w["on"].(type) {
	case string:
		return nil, on == "workflow_dispatch"
	case []any:
		return nil, slices.Contains(on, any("workflow_dispatch"))
	case map[string]any:
		how, has := on["workflow_dispatch"]
		settings, _ := how.(map[string]any)
		inputs, _ := settings["inputs"].(map[string]any)
		return slices.Collect(maps.Keys(inputs)), has
	}
	return nil, false
}

// Dispatches are the workflows that were asked to run in a repository.
func (h *Hub) Dispatches(fullName string) ([]Dispatch, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.named(fullName)
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.dispatches), nil
}

// listDispatched lists the runs that dispatches started, newest first. It knows the
// filters actor, branch, event and created=>=T.
func listDispatched(c *call) answer {
	q := c.query
	from, _ := time.Parse(time.RFC3339, strings.TrimPrefix(q("created"), ">="))
	runs := []obj{}
	for i, d := range slices.Backward(c.repo.dispatches) {
		other := q("actor") != "" && q("actor") != d.By || q("branch") != "" && q("branch") != d.Ref || q("event") != "" && q("event") != "workflow_dispatch"
		if d.Workflow == c.vars["workflow_id"] && !other && !d.at.Before(from) {
			runs = append(runs, c.hub.runJSON(c.repo, d, i+1))
		}
	}
	return c.counted("workflow_runs", runs)
}

// runJSON is a run that waits for a runner, of which there is none here.
func (h *Hub) runJSON(r *repository, d Dispatch, number int) obj {
	base := h.repoURL(r) + "/actions"
	url := fmt.Sprintf("%s/runs/%d", base, d.run)
	j := obj{
		"id": d.run, "node_id": nodeID("WFR", d.run), "name": d.Workflow, "display_title": d.Workflow, "run_number": number,
		"event": "workflow_dispatch", "status": "queued", "conclusion": nil, "workflow_id": 1, "path": ".github/workflows/" + d.Workflow,
		"head_branch": d.Ref, "head_sha": strings.Repeat("0", 40), "head_commit": nil, "pull_requests": []obj{},
		"created_at": stamp(d.at), "updated_at": stamp(d.at), "repository": h.repoJSON(r, nil), "head_repository": h.repoJSON(r, nil),
		"url": url, "html_url": fmt.Sprintf("%s/actions/runs/%d", h.pageURL(r), d.run), "jobs_url": url + "/jobs", "logs_url": url + "/logs",
		"check_suite_url": h.repoURL(r) + "/check-suites/1", "artifacts_url": url + "/artifacts", "cancel_url": url + "/cancel",
		"rerun_url": url + "/rerun", "workflow_url": base + "/workflows/1",
	}
	if by := h.state.account(d.By); by != nil {
		j["actor"], j["triggering_actor"] = by.json(h), by.json(h)
	}
	return j
}
