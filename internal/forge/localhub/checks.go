package localhub

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// checkRun is one check run.
type checkRun struct {
	id          int64
	suite       *checkSuite
	app         *App
	name        string
	head        string
	status      string
	conclusion  string
	details     string
	external    string
	started     time.Time
	completed   time.Time
	output      checkOutput
	annotations []annotation
	actions     []checkAction
}

type checkSuite struct {
	id      int64
	app     *App
	head    string
	branch  string
	before  plumbing.Hash
	created time.Time
}

const (
	checkText65535  = 65_535 // bytes of summary and of text
	annotationsMost = 50     // a request
	actionsMost     = 3
)

func checkRoutes() []route {
	r, w := read("checks"), write("checks")
	const base = "/repos/{owner}/{repo}"
	return []route{
		creating(post(base+"/check-runs", w, "checks/runs#create-a-check-run", createCheck)),
		get(base+"/check-runs/{check_run_id}", r, "checks/runs#get-a-check-run", getCheck),
		patch(base+"/check-runs/{check_run_id}", w, "checks/runs#update-a-check-run", patchCheck),
		get(base+"/check-runs/{check_run_id}/annotations", r, "checks/runs#list-check-run-annotations", listAnnotations),
		post(base+"/check-runs/{check_run_id}/rerequest", w, "checks/runs#rerequest-a-check-run", rerequestCheck),
		get(base+"/commits/{ref}/check-runs", r, "checks/runs#list-check-runs-for-a-git-reference", commitChecks),
		get(base+"/commits/{ref}/check-suites", r, "checks/suites#list-check-suites-for-a-git-reference", commitSuites),
		get(base+"/commits/{ref}/status", read("statuses"), "commits/statuses#get-the-combined-status-for-a-specific-reference", combinedStatus),
	}
}

var (
	checkStatuses    = []string{"queued", "in_progress", "completed", "waiting", "requested", "pending"}
	checkConclusions = []string{"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}
	checkLevels      = []string{"notice", "warning", "failure"}
)

// check says what is wrong with a check run, or nil.
func (in checkIn) check() *answer {
	refused := func(field, message string) *answer {
		a := refuse(http.StatusUnprocessableEntity, "Invalid request.\n\n"+message, flaw{Resource: "CheckRun", Field: field, Code: "invalid"})
		return &a
	}
	switch {
	case in.Status.set && !slices.Contains(checkStatuses, in.Status.value):
		return refused("status", in.Status.value+" is not a member of [\"queued\", \"in_progress\", \"completed\"].")
	case in.Conclusion.set && !in.Conclusion.null && !slices.Contains(checkConclusions, in.Conclusion.value):
		return refused("conclusion", in.Conclusion.value+" is not a valid conclusion.")
	case in.Status.value == "completed" && !in.Conclusion.set:
		return refused("conclusion", "\"conclusion\" wasn't supplied.")
	case len(in.Actions.value) > actionsMost:
		return refused("actions", fmt.Sprintf("No more than %d items are allowed; %d were supplied.", actionsMost, len(in.Actions.value)))
	}
	for _, a := range in.Actions.value {
		if len(a.Label) > 20 || len(a.Description) > 40 || len(a.Identifier) > 20 || a.Label == "" || a.Identifier == "" {
			return refused("actions", "label and identifier have at most 20 characters, description 40.")
		}
	}
	return in.checkOutput(refused)
}

func createCheck(c *call) answer {
	if !c.actor.isInstallation() {
		return refuse(http.StatusForbidden, "You must authenticate via a GitHub App.")
	}
	var in checkIn
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if !in.Name.set || in.HeadSHA == "" {
		return unprocessable("Invalid request.\n\n\"name\", \"head_sha\" weren't supplied.")
	}
	if bad := in.check(); bad != nil {
		return *bad
	}
	if c.repo.store.kind(plumbing.NewHash(in.HeadSHA)) != "commit" {
		return unprocessable("No commit found for SHA: " + in.HeadSHA)
	}
	k := &checkRun{id: c.hub.state.id(), app: c.actor.app, head: in.HeadSHA, status: "queued", started: c.hub.now()}
	k.suite = c.hub.suite(c.repo, c.actor.app, in.HeadSHA)
	in.into(k, c.hub.now())
	c.repo.checks[k.id] = k
	c.hub.checkEvent(c.repo, k, "created", c.actor, nil)
	if k.status == "completed" {
		c.hub.checkEvent(c.repo, k, "completed", c.actor, nil)
		c.hub.mergeWaiting(c.repo, plumbing.NewHash(k.head))
	}
	return created(c.hub.checkJSON(c.repo, k))
}

// suite is the App's suite for a commit, made if it is not there.
func (h *Hub) suite(r *repository, app *App, head string) *checkSuite {
	for _, s := range r.suites {
		if s.app == app && s.head == head {
			return s
		}
	}
	s := &checkSuite{id: h.state.id(), app: app, head: head, created: h.now()}
	if list, err := r.store.refs("refs/heads/"); err == nil {
		for _, ref := range list {
			if ref.Hash().String() == head {
				s.branch = ref.Name().Short()
			}
		}
	}
	r.suites[s.id] = s
	return s
}

func (c *call) check() *checkRun { return c.repo.checks[c.number("check_run_id")] }

func getCheck(c *call) answer {
	if k := c.check(); k != nil {
		return ok(c.hub.checkJSON(c.repo, k))
	}
	return notFound()
}

func patchCheck(c *call) answer {
	k := c.check()
	if k == nil {
		return notFound()
	}
	if k.app != c.actor.app {
		return refuse(http.StatusForbidden, "Invalid app_id `"+itoa(k.app.id)+"` - check run can only be modified by the GitHub App that created it.")
	}
	var in checkIn
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := in.check(); bad != nil {
		return *bad
	}
	was := k.status
	in.into(k, c.hub.now())
	if k.status == "completed" && was != "completed" {
		c.hub.checkEvent(c.repo, k, "completed", c.actor, nil)
		c.hub.mergeWaiting(c.repo, plumbing.NewHash(k.head))
	}
	return ok(c.hub.checkJSON(c.repo, k))
}

func listAnnotations(c *call) answer {
	k := c.check()
	if k == nil {
		return notFound()
	}
	var list []obj
	for _, a := range k.annotations {
		list = append(list, obj{
			"path": a.Path, "blob_href": fmt.Sprintf("%s/blob/%s/%s", c.hub.pageURL(c.repo), k.head, a.Path), "start_line": a.StartLine, "end_line": a.EndLine,
			"start_column": a.StartColumn, "end_column": a.EndColumn, "annotation_level": a.Level, "message": a.Message, "title": a.Title, "raw_details": a.RawDetails,
		})
	}
	return c.page(list)
}

func rerequestCheck(c *call) answer {
	k := c.check()
	if k == nil {
		return notFound()
	}
	c.hub.checkEvent(c.repo, k, "rerequested", c.actor, nil)
	return created(obj{})
}

func commitChecks(c *call) answer {
	head, found := c.repo.store.resolve(c.vars["ref"])
	if !found {
		return unprocessable("No commit found for SHA: " + c.vars["ref"])
	}
	var list []*checkRun
	latest := map[string]bool{}
	ids := slices.Sorted(maps.Keys(c.repo.checks))
	slices.Reverse(ids)
	for _, id := range ids {
		k := c.repo.checks[id]
		name, app := c.query("check_name"), c.query("app_id")
		if k.head != head.String() || name != "" && k.name != name || app != "" && itoa(k.app.id) != app || c.query("status") != "" && k.status != c.query("status") {
			continue
		}
		if c.query("filter") != "all" && latest[k.app.slug+"\n"+k.name] {
			continue
		}
		latest[k.app.slug+"\n"+k.name] = true
		list = append(list, k)
	}
	var out []obj
	for _, k := range list {
		out = append(out, c.hub.checkJSON(c.repo, k))
	}
	return c.counted("check_runs", out)
}

func commitSuites(c *call) answer {
	head, found := c.repo.store.resolve(c.vars["ref"])
	if !found {
		return unprocessable("No commit found for SHA: " + c.vars["ref"])
	}
	var out []obj
	for _, id := range slices.Sorted(maps.Keys(c.repo.suites)) {
		if s := c.repo.suites[id]; s.head == head.String() {
			j := c.hub.suiteJSON(c.repo, s)
			j["repository"] = c.hub.repoJSON(c.repo, nil)
			out = append(out, j)
		}
	}
	return c.counted("check_suites", out)
}

// combinedStatus has no statuses: everything here reports by checks.
func combinedStatus(c *call) answer {
	head, found := c.repo.store.resolve(c.vars["ref"])
	if !found {
		return notFound()
	}
	url := c.hub.repoURL(c.repo) + "/commits/" + head.String()
	return ok(obj{"state": "pending", "statuses": []obj{}, "sha": head.String(), "total_count": 0, "repository": c.hub.repoJSON(c.repo, nil), "commit_url": url, "url": url + "/status"})
}
