package webhooks

import "strconv"

// Job is work that a delivery asks for. The types below are all there are. Beside
// Kind they may say, in methods of these names, which lane they are in (jobs of one
// lane are done one at a time), that only the newest of a key counts, and their
// priority from 1 (first) to 4: internal/jobs reads them.
//
// Deliveries come late, twice, and in any order. A job therefore says what to look
// at, not what to believe: whoever does it reads the truth from GitHub first. What
// is told once and cannot be read again (who closed a pull request) is in jobs
// that are not coalesced.
type Job interface{ Kind() string }

// Repository is what a payload says of a repository. Its number stays for life;
// everything else may have changed since.
type Repository struct {
	ID            int64  `json:"id"`
	Installation  int64  `json:"installation,omitempty"` // 0: the payload does not say
	Owner         string `json:"owner"`
	Name          string `json:"name"`
	DefaultBranch string `json:"defaultBranch,omitempty"`
	Visibility    string `json:"visibility,omitempty"` // public, private or internal
	Archived      bool   `json:"archived,omitempty"`
	Fork          bool   `json:"fork,omitempty"`
	Created       int64  `json:"created,omitempty"` // milliseconds since 1970
}

// FullName returns owner/name.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

func (r Repository) key() string  { return strconv.FormatInt(r.ID, 10) }
func (r Repository) lane() string { return "repository " + r.key() }
func (r Repository) numbered(n int) string {
	return r.key() + "#" + strconv.Itoa(n)
}

// Actor is who caused an event.
type Actor struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Bot   bool   `json:"bot,omitempty"`
}

// Scaffold renders a golden path into a repository that is new, if it was made
// from a template that asks for it or carries .goldenpath.yaml. The payload tells
// neither.
type Scaffold struct {
	Repository Repository `json:"repository"`
	Creator    Actor      `json:"creator"`
}

// Kind names the job.
func (Scaffold) Kind() string { return "scaffold" }

// Lane is the repository's.
func (j Scaffold) Lane() string { return j.Repository.lane() }

// Newest is the repository's number: created and the first push ask for the same.
func (j Scaffold) Newest() string { return j.Repository.key() }

// Priority is first: somebody has just pressed a button.
func (Scaffold) Priority() int { return 1 }

// PathsChanged looks which golden paths of the platform repository changed on a
// branch or by a tag, and who is to receive them. Before and After are of the
// newest push; earlier ones may have been folded into this job.
type PathsChanged struct {
	Repository Repository `json:"repository"`
	Ref        string     `json:"ref"`              // refs/heads/main, refs/tags/v1.2.0
	Before     string     `json:"before,omitempty"` // "": not known, or the ref is new
	After      string     `json:"after,omitempty"`  // "": not known, or the ref is gone
	Forced     bool       `json:"forced,omitempty"`
	Pusher     Actor      `json:"pusher"`
}

// Kind names the job.
func (PathsChanged) Kind() string { return "paths-changed" }

// Lane is the platform repository's.
func (j PathsChanged) Lane() string { return j.Repository.lane() }

// Newest is the ref.
func (j PathsChanged) Newest() string { return j.Repository.key() + " " + j.Ref }

// Priority is second.
func (PathsChanged) Priority() int { return 2 }

// Preview shows, on a pull request to the platform repository or on a group in its
// merge queue, what a change will do to every member; Closed ends what is shown.
type Preview struct {
	Repository Repository `json:"repository"`
	Number     int        `json:"number,omitempty"` // of the pull request; 0: a merge group
	Group      string     `json:"group,omitempty"`  // the merge group's ref
	Head       string     `json:"head"`
	Base       string     `json:"base"`             // name of the branch it would go to
	Closed     bool       `json:"closed,omitempty"` // the pull request or group is gone
	Merged     bool       `json:"merged,omitempty"` // closed by merging
}

// Kind names the job.
func (Preview) Kind() string { return "preview" }

// Newest is the pull request or merge group: a newer head, or its closing, replaces
// what waits.
func (j Preview) Newest() string {
	if j.Number == 0 {
		return j.Repository.key() + " " + j.Group
	}
	return j.Repository.numbered(j.Number)
}

// Priority is second: somebody waits for a check.
func (Preview) Priority() int { return 2 }

// Member looks at one repository anew: something of it changed that may matter.
// Whether it follows a golden path at all, the job finds out.
type Member struct {
	Repository Repository `json:"repository"`
	Why        string     `json:"why"`              // for people, newest reason only
	Branch     string     `json:"branch,omitempty"` // a branch of ours that people changed
	Number     int        `json:"number,omitempty"` // a pull request of ours that people changed
}

// Kind names the job.
func (Member) Kind() string { return "member" }

// Lane is the repository's.
func (j Member) Lane() string { return j.Repository.lane() }

// Newest is the repository's number.
func (j Member) Newest() string { return j.Repository.key() }

// Verdict is what was decided about a pull request of ours.
type Verdict string

// The verdicts.
const (
	Merged   Verdict = "merged"
	Closed   Verdict = "closed" // a "no" until the next version, if a person said it
	Reopened Verdict = "reopened"
)

// Decision records that somebody merged, closed or reopened a pull request of ours.
type Decision struct {
	Repository Repository `json:"repository"`
	Number     int        `json:"number"`
	Branch     string     `json:"branch"`
	Head       string     `json:"head"`
	Verdict    Verdict    `json:"verdict"`
	By         Actor      `json:"by"`
}

// Kind names the job.
func (Decision) Kind() string { return "decision" }

// Lane is the repository's.
func (j Decision) Lane() string { return j.Repository.lane() }

// Priority is second.
func (Decision) Priority() int { return 2 }

// Command is a comment that gives syncer an order. Association is what GitHub says
// of its author; whether they may write is to be asked.
type Command struct {
	Repository  Repository `json:"repository"`
	Number      int        `json:"number"` // of the issue or pull request
	PullRequest bool       `json:"pullRequest,omitempty"`
	Comment     int64      `json:"comment"` // 0: the text is the issue's own
	Text        string     `json:"text"`
	Author      Actor      `json:"author"`
	Association string     `json:"association"` // OWNER, MEMBER, COLLABORATOR, …
}

// Kind names the job.
func (Command) Kind() string { return "command" }

// Lane is the repository's.
func (j Command) Lane() string { return j.Repository.lane() }

// Priority is first: somebody waits for an answer.
func (Command) Priority() int { return 1 }

// Checkbox is that somebody ticked boxes in a text that syncer wrote. Ticked has
// the lines, without the box; several edits may have been folded together on
// GitHub's side, never on ours.
type Checkbox struct {
	Repository  Repository `json:"repository"`
	Number      int        `json:"number"`
	PullRequest bool       `json:"pullRequest,omitempty"`
	Comment     int64      `json:"comment,omitempty"` // 0: the description's own
	Ticked      []string   `json:"ticked"`
	By          Actor      `json:"by"`
}

// Kind names the job.
func (Checkbox) Kind() string { return "checkbox" }

// Lane is the repository's.
func (j Checkbox) Lane() string { return j.Repository.lane() }

// Priority is first: somebody waits for an answer.
func (Checkbox) Priority() int { return 1 }

// CheckManaged looks whether a pull request, or a group in a merge queue, of a
// repository edits files that a golden path owns.
type CheckManaged struct {
	Repository Repository `json:"repository"`
	Number     int        `json:"number,omitempty"` // 0: a merge group
	Group      string     `json:"group,omitempty"`
	Head       string     `json:"head"`
	Base       string     `json:"base"` // name of the branch it would go to
	Ours       bool       `json:"ours,omitempty"`
}

// Kind names the job.
func (CheckManaged) Kind() string { return "check-managed" }

// Newest is the pull request or merge group.
func (j CheckManaged) Newest() string {
	if j.Number == 0 {
		return j.Repository.key() + " " + j.Group
	}
	return j.Repository.numbered(j.Number)
}

// Priority is second: somebody waits for a check.
func (CheckManaged) Priority() int { return 2 }

// Rerun does a check of ours again, or what a button on it asks for.
type Rerun struct {
	Repository Repository `json:"repository"`
	CheckRun   int64      `json:"checkRun,omitempty"` // 0: the whole suite
	Suite      int64      `json:"suite"`
	Name       string     `json:"name,omitempty"`
	ExternalID string     `json:"externalId,omitempty"` // what we called the check run
	Head       string     `json:"head"`
	Numbers    []int      `json:"numbers,omitempty"`    // pull requests with this head; none for forks
	Identifier string     `json:"identifier,omitempty"` // of the button; "": run again
	By         Actor      `json:"by"`
}

// Kind names the job.
func (Rerun) Kind() string { return "rerun" }

// Lane is the repository's.
func (j Rerun) Lane() string { return j.Repository.lane() }

// Priority is first: somebody has just pressed a button.
func (Rerun) Priority() int { return 1 }

// Installation is that the App was installed, changed or removed somewhere, or
// that it sees other repositories than before.
type Installation struct {
	ID          int64             `json:"id"`
	Action      string            `json:"action"` // created, deleted, suspend, unsuspend, new_permissions_accepted, added, removed, renamed
	Account     string            `json:"account"`
	AccountID   int64             `json:"accountId"`
	AccountType string            `json:"accountType,omitempty"` // Organization, User
	Selection   string            `json:"selection,omitempty"`   // all, selected
	Permissions map[string]string `json:"permissions,omitempty"`
	Added       []Repository      `json:"added,omitempty"`   // seen from now on
	Removed     []Repository      `json:"removed,omitempty"` // no longer seen
	By          Actor             `json:"by"`
}

// Kind names the job.
func (Installation) Kind() string { return "installation" }

// Lane is the installation's.
func (j Installation) Lane() string { return "installation " + strconv.FormatInt(j.ID, 10) }

// Priority is first: without an installation nothing else works.
func (Installation) Priority() int { return 1 }

// RepositoryChanged is that a repository was renamed, transferred, archived and so
// on. Followed by its number, it stays the same member.
type RepositoryChanged struct {
	Repository Repository `json:"repository"`
	Action     string     `json:"action"`         // renamed, transferred, archived, unarchived, deleted, edited, publicized, privatized
	From       string     `json:"from,omitempty"` // the old name, owner or default branch
	By         Actor      `json:"by"`
}

// Kind names the job.
func (RepositoryChanged) Kind() string { return "repository-changed" }

// Lane is the repository's.
func (j RepositoryChanged) Lane() string { return j.Repository.lane() }

// Priority is second: what comes after it needs the new name.
func (RepositoryChanged) Priority() int { return 2 }

// FirstDeploy is that a deployment, or a workflow that delivers, succeeded; the
// first one of a member is its time to first deploy.
type FirstDeploy struct {
	Repository  Repository `json:"repository"`
	Source      string     `json:"source"` // deployment_status, workflow_run
	Environment string     `json:"environment,omitempty"`
	Workflow    string     `json:"workflow,omitempty"` // its file
	Commit      string     `json:"commit"`
	At          int64      `json:"at"` // milliseconds since 1970
}

// Kind names the job.
func (FirstDeploy) Kind() string { return "first-deploy" }

// Priority is last: it is a measurement.
func (FirstDeploy) Priority() int { return 4 }
