package webhooks

import (
	"encoding/json"
	"strings"
	"time"
)

// payload is what we read of any event; everything else is skipped over. One
// structure for all of them, of values and not of pointers, so that what a payload
// lacks is a zero and never a crash. go-github's structures are not used: they
// cannot hold what newer payloads have, refuse events that they do not know, and
// hold hundreds of fields where we look at a handful.
type payload struct {
	Action       string       `json:"action"`
	Number       int          `json:"number"`
	Sender       user         `json:"sender"`
	Repository   repository   `json:"repository"`
	Installation installation `json:"installation"`

	// push and create
	Ref     string   `json:"ref"`
	RefType string   `json:"ref_type"`
	Before  string   `json:"before"`
	After   string   `json:"after"`
	Created bool     `json:"created"`
	Deleted bool     `json:"deleted"`
	Forced  bool     `json:"forced"`
	Commits []commit `json:"commits"`

	// installation, installation_repositories, installation_target
	Repositories []repository `json:"repositories"`
	Added        []repository `json:"repositories_added"`
	Removed      []repository `json:"repositories_removed"`
	Account      user         `json:"account"`
	TargetType   string       `json:"target_type"`

	PullRequest      pullRequest      `json:"pull_request"`
	Issue            issue            `json:"issue"`
	Comment          comment          `json:"comment"`
	Changes          changes          `json:"changes"`
	CheckRun         checkRun         `json:"check_run"`
	CheckSuite       checkSuite       `json:"check_suite"`
	RequestedAction  requestedAction  `json:"requested_action"`
	MergeGroup       mergeGroup       `json:"merge_group"`
	Reason           string           `json:"reason"`
	Deployment       deployment       `json:"deployment"`
	DeploymentStatus deploymentStatus `json:"deployment_status"`
	WorkflowRun      workflowRun      `json:"workflow_run"`
}

type user struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name"` // what a push calls an owner's login
	Type  string `json:"type"`
}

func (u user) actor() Actor {
	return Actor{ID: u.ID, Login: u.Login, Bot: u.Type == "Bot"}
}

type repository struct {
	ID            int64   `json:"id"`
	Name          string  `json:"name"`
	FullName      string  `json:"full_name"`
	DefaultBranch string  `json:"default_branch"`
	Visibility    string  `json:"visibility"`
	Private       bool    `json:"private"`
	Archived      bool    `json:"archived"`
	Fork          bool    `json:"fork"`
	CreatedAt     instant `json:"created_at"`
}

// repository returns what a payload says of one; the owner is taken from the full
// name, which every form of a repository has.
func (p *payload) repository(r repository) Repository {
	owner, name, _ := strings.Cut(r.FullName, "/")
	visibility := r.Visibility
	switch {
	case visibility != "":
	case r.Private:
		visibility = "private"
	default:
		visibility = "public"
	}
	return Repository{
		ID: r.ID, Installation: p.Installation.ID, Owner: owner, Name: name, DefaultBranch: r.DefaultBranch,
		Visibility: visibility, Archived: r.Archived, Fork: r.Fork, Created: int64(r.CreatedAt),
	}
}

type installation struct {
	ID          int64             `json:"id"`
	Account     user              `json:"account"`
	TargetType  string            `json:"target_type"`
	Selection   string            `json:"repository_selection"`
	Permissions map[string]string `json:"permissions"`
}

type commit struct {
	ID       string   `json:"id"`
	Added    []string `json:"added"`
	Modified []string `json:"modified"`
	Removed  []string `json:"removed"`
}

type app struct {
	ID int64 `json:"id"`
}

type pullRequest struct {
	Number int    `json:"number"`
	User   user   `json:"user"`
	Body   string `json:"body"`
	Merged bool   `json:"merged"`
	Head   side   `json:"head"`
	Base   side   `json:"base"`
}

type side struct {
	Ref  string     `json:"ref"`
	SHA  string     `json:"sha"`
	Repo repository `json:"repo"` // null when a fork was deleted
}

type issue struct {
	Number      int             `json:"number"`
	User        user            `json:"user"`
	Body        string          `json:"body"`
	Association string          `json:"author_association"`
	PullRequest json.RawMessage `json:"pull_request"`
	Via         app             `json:"performed_via_github_app"`
}

type comment struct {
	ID          int64  `json:"id"`
	User        user   `json:"user"`
	Body        string `json:"body"`
	Association string `json:"author_association"`
	Via         app    `json:"performed_via_github_app"`
}

type changes struct {
	Body          *from `json:"body"`
	DefaultBranch *from `json:"default_branch"`
	Login         *from `json:"login"`
	Base          struct {
		Ref *from `json:"ref"`
	} `json:"base"`
	Repository struct {
		Name from `json:"name"`
	} `json:"repository"`
	Owner struct {
		From struct {
			User         user `json:"user"`
			Organization user `json:"organization"`
		} `json:"from"`
	} `json:"owner"`
}

type from struct {
	From string `json:"from"`
}

type checkRun struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	ExternalID string     `json:"external_id"`
	HeadSHA    string     `json:"head_sha"`
	App        app        `json:"app"`
	CheckSuite checkSuite `json:"check_suite"`
	Pulls      []pull     `json:"pull_requests"`
}

type checkSuite struct {
	ID      int64  `json:"id"`
	HeadSHA string `json:"head_sha"`
	App     app    `json:"app"`
	Pulls   []pull `json:"pull_requests"`
}

type pull struct {
	Number int `json:"number"`
}

type requestedAction struct {
	Identifier string `json:"identifier"`
}

type mergeGroup struct {
	HeadSHA string `json:"head_sha"`
	HeadRef string `json:"head_ref"`
	BaseRef string `json:"base_ref"`
}

type deployment struct {
	SHA         string `json:"sha"`
	Environment string `json:"environment"`
}

type deploymentStatus struct {
	State     string  `json:"state"`
	CreatedAt instant `json:"created_at"`
}

type workflowRun struct {
	Path       string  `json:"path"`
	Name       string  `json:"name"`
	HeadSHA    string  `json:"head_sha"`
	HeadBranch string  `json:"head_branch"`
	Conclusion string  `json:"conclusion"`
	UpdatedAt  instant `json:"updated_at"`
}

// instant is a time in milliseconds since 1970. GitHub writes most as text, and
// those of a pushed repository as seconds; what is neither is 0.
type instant int64

// UnmarshalJSON never fails: no time that we read decides anything but a number in
// a report.
func (i *instant) UnmarshalJSON(data []byte) error {
	var seconds int64
	var t time.Time
	switch {
	case json.Unmarshal(data, &seconds) == nil && seconds > 0 && seconds < 1<<40:
		*i = instant(seconds * 1000)
	case json.Unmarshal(data, &t) == nil && !t.IsZero():
		*i = instant(t.UnixMilli())
	}
	return nil
}
