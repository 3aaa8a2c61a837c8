package webhooks

import (
	"cmp"
	"slices"
	"strings"
)

func ping(App, *payload) ([]Job, string) { return none("GitHub says hello") }

func installations(_ App, p *payload) ([]Job, string) {
	i := p.Installation
	known := []string{"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted", "added", "removed"}
	switch {
	case i.ID <= 0:
		return none("the payload names no installation")
	case !slices.Contains(known, p.Action):
		return none(noAction)
	}
	j := Installation{
		ID: i.ID, Action: p.Action, Account: i.Account.Login, AccountID: i.Account.ID, AccountType: cmp.Or(i.TargetType, i.Account.Type),
		Selection: i.Selection, Permissions: i.Permissions, By: p.Sender.actor(),
	}
	added, removed := p.Added, p.Removed
	switch p.Action {
	case "created":
		added = p.Repositories
	case "deleted":
		removed = p.Repositories
	}
	j.Added, j.Removed = p.all(added), p.all(removed)
	return one(j)
}

// all returns repositories as payloads of installations list them. They say only
// whether a repository is private; what kind of not public it is, is to be asked.
func (p *payload) all(listed []repository) []Repository {
	var all []Repository
	for _, r := range listed {
		if r.ID > 0 && strings.Contains(r.FullName, "/") {
			all = append(all, p.repository(r))
		}
	}
	return all
}

func installationTarget(_ App, p *payload) ([]Job, string) {
	if p.Action != "renamed" || p.Installation.ID <= 0 || p.Account.Login == "" {
		return none(noAction)
	}
	return one(Installation{
		ID: p.Installation.ID, Action: p.Action, Account: p.Account.Login, AccountID: p.Account.ID,
		AccountType: p.TargetType, By: p.Sender.actor(),
	})
}

func repositories(us App, p *payload) ([]Job, string) {
	switch {
	case !p.known():
		return none(noRepository)
	case us.own(p.Sender):
		return none(ours)
	case p.Action == "created":
		return one(Scaffold{Repository: p.repository(p.Repository), Creator: p.Sender.actor()})
	}
	j := RepositoryChanged{Repository: p.repository(p.Repository), Action: p.Action, By: p.Sender.actor()}
	switch p.Action {
	case "archived", "unarchived", "deleted":
	case "publicized":
		j.Repository.Visibility = "public"
	case "privatized":
		// Payloads have been seen that still say public.
		if j.Repository.Visibility == "public" {
			j.Repository.Visibility = "private"
		}
	case "renamed":
		j.From = p.Changes.Repository.Name.From
	case "transferred":
		j.From = cmp.Or(p.Changes.Owner.From.Organization.Login, p.Changes.Owner.From.User.Login)
	case "edited":
		if b := p.Changes.DefaultBranch; b != nil {
			j.From = b.From
		}
	default:
		return none(noAction)
	}
	return one(j)
}

func customProperties(us App, p *payload) ([]Job, string) {
	switch {
	case !p.known():
		return none(noRepository)
	case p.Action != "updated":
		return none(noAction)
	case us.own(p.Sender):
		return none(ours)
	}
	return one(Member{Repository: p.repository(p.Repository), Why: "custom properties changed"})
}

func create(us App, p *payload) ([]Job, string) {
	switch {
	case !p.known():
		return none(noRepository)
	case p.RefType != "tag" || !us.platform(p.Repository) || p.Ref == "":
		return none("only tags of the platform repository matter")
	}
	// A push tells of the tag too, but not when more than three come at once.
	return one(PathsChanged{
		Repository: p.repository(p.Repository), Ref: "refs/tags/" + strings.TrimPrefix(p.Ref, "refs/tags/"), Pusher: p.Sender.actor(),
	})
}

func push(us App, p *payload) ([]Job, string) {
	if !p.known() || p.Ref == "" {
		return none(noRepository)
	}
	branch, isBranch := strings.CutPrefix(p.Ref, "refs/heads/")
	isDefault := isBranch && branch == p.Repository.DefaultBranch
	var all []Job
	// Who pushed to the platform repository does not matter: a merge that we did
	// changes golden paths as any other does.
	if us.platform(p.Repository) && (isDefault || strings.HasPrefix(p.Ref, "refs/tags/")) {
		all = append(all, PathsChanged{
			Repository: p.repository(p.Repository), Ref: p.Ref, Before: object(p.Before), After: object(p.After),
			Forced: p.Forced, Pusher: p.Sender.actor(),
		})
	}
	switch {
	case us.own(p.Sender):
		return all, ours
	case isBranch && strings.HasPrefix(branch, BranchPrefix):
		all = append(all, Member{Repository: p.repository(p.Repository), Why: "a person pushed to " + branch, Branch: branch})
	case !isDefault || p.Deleted:
	case object(p.Before) == "" && !us.platform(p.Repository):
		// The first push is how a repository made from a template shows itself when
		// nothing told of its creation.
		all = append(all, Scaffold{Repository: p.repository(p.Repository), Creator: p.Sender.actor()})
	case p.mayTouchOurs():
		all = append(all, Member{Repository: p.repository(p.Repository), Why: "golden path files changed on the default branch"})
	}
	return all, notRelevant
}

// object returns an object's id, and "" for the one that stands for none.
func object(id string) string {
	if strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}

const (
	// mostCommits is how many commits a push lists at most.
	mostCommits = 2048
	// mostFiles is from where on we do not trust a list of files to be whole.
	mostFiles = 300
)

// mayTouchOurs says whether a push to a default branch changes .goldenpath.yaml or
// .goldenpath.lock, or lists too little to tell.
func (p *payload) mayTouchOurs() bool {
	if p.Forced || len(p.Commits) == 0 || len(p.Commits) >= mostCommits || p.Commits[len(p.Commits)-1].ID != p.After {
		return true
	}
	for _, c := range p.Commits {
		files := slices.Concat(c.Added, c.Modified, c.Removed)
		if len(files) >= mostFiles || slices.ContainsFunc(files, goldenPathFile) {
			return true
		}
	}
	return false
}

func goldenPathFile(name string) bool { return strings.HasPrefix(name, ".goldenpath.") }
