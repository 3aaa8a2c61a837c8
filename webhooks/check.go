package webhooks

import (
	"path"
	"slices"
	"strings"
)

func checkRuns(us App, p *payload) ([]Job, string) {
	c := p.CheckRun
	switch {
	case !p.known() || c.ID <= 0:
		return none("the payload names no check run")
	case p.Action != "rerequested" && p.Action != "requested_action":
		return none(noAction)
	case c.App.ID != us.ID:
		return none("not a check of ours")
	}
	return one(Rerun{
		Repository: p.repository(p.Repository), CheckRun: c.ID, Suite: c.CheckSuite.ID, Name: c.Name, ExternalID: c.ExternalID,
		Head: c.HeadSHA, Numbers: numbers(c.Pulls), Identifier: p.RequestedAction.Identifier, By: p.Sender.actor(),
	})
}

func checkSuites(us App, p *payload) ([]Job, string) {
	c := p.CheckSuite
	switch {
	case !p.known() || c.ID <= 0:
		return none("the payload names no check suite")
	case p.Action != "rerequested":
		return none(noAction)
	case c.App.ID != us.ID:
		return none("not a check of ours")
	}
	return one(Rerun{
		Repository: p.repository(p.Repository), Suite: c.ID, Head: c.HeadSHA, Numbers: numbers(c.Pulls), By: p.Sender.actor(),
	})
}

func numbers(pulls []pull) []int {
	var all []int
	for _, p := range pulls {
		if p.Number > 0 {
			all = append(all, p.Number)
		}
	}
	return all
}

// mergeGroups answers for what waits in a merge queue: a required check must be
// there for the group's own commit, or the queue stands still.
func mergeGroups(us App, p *payload) ([]Job, string) {
	g := p.MergeGroup
	destroyed := p.Action == "destroyed"
	platform := us.platform(p.Repository)
	base := strings.TrimPrefix(g.BaseRef, "refs/heads/")
	switch {
	case !p.known() || g.HeadRef == "" || g.HeadSHA == "":
		return none("the payload names no merge group")
	case p.Action != "checks_requested" && !destroyed:
		return none(noAction)
	case platform:
		return one(Preview{
			Repository: p.repository(p.Repository), Group: g.HeadRef, Head: g.HeadSHA, Base: base,
			Closed: destroyed, Merged: destroyed && p.Reason == "merged",
		})
	case destroyed:
		return none("the merge group is gone")
	}
	return one(CheckManaged{Repository: p.repository(p.Repository), Group: g.HeadRef, Head: g.HeadSHA, Base: base})
}

// deploymentStatuses and workflowRuns count whoever caused them: what our own
// first commit sets going is the very thing to be measured.
func deploymentStatuses(_ App, p *payload) ([]Job, string) {
	switch {
	case !p.known():
		return none(noRepository)
	case p.DeploymentStatus.State != "success":
		return none("only a deployment that succeeded counts")
	}
	return one(FirstDeploy{
		Repository: p.repository(p.Repository), Source: "deployment_status", Environment: p.Deployment.Environment,
		Commit: p.Deployment.SHA, At: int64(p.DeploymentStatus.CreatedAt),
	})
}

func workflowRuns(_ App, p *payload) ([]Job, string) {
	w := p.WorkflowRun
	switch {
	case !p.known():
		return none(noRepository)
	case p.Action != "completed" || w.Conclusion != "success" || w.HeadBranch != p.Repository.DefaultBranch:
		return none("only a run that succeeded on the default branch counts")
	case !delivers(w.Path):
		return none("not a workflow that delivers")
	}
	return one(FirstDeploy{
		Repository: p.repository(p.Repository), Source: "workflow_run", Workflow: w.Path, Commit: w.HeadSHA, At: int64(w.UpdatedAt),
	})
}

// delivers tells by its file's name whether a workflow delivers something: most
// runs are of tests, and one of them in a fleet's every push is not worth a job.
func delivers(workflow string) bool {
	name := strings.ToLower(path.Base(workflow))
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' || r == ' ' })
	return slices.ContainsFunc(words, func(w string) bool {
		return w == "cd" || slices.ContainsFunc([]string{"deploy", "deliver", "release", "publish"}, func(stem string) bool {
			return strings.HasPrefix(w, stem)
		})
	})
}
