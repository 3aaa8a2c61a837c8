package webhooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// App says who we are and where the golden paths live.
type App struct {
	ID       int64  // the App's number
	Slug     string // its name in URLs; its bot's login is <slug>[bot]
	Platform string // owner/name of the platform repository
	// PlatformID is its number, which survives a rename; 0: not known yet.
	PlatformID int64
}

// BranchPrefix begins the name of every branch that is ours.
const BranchPrefix = "goldenpath/"

// Translation is what a delivery means.
type Translation struct {
	Action       string
	Installation int64 // 0: the payload names none
	Repository   int64 // 0: the payload names none
	Jobs         []Job
	Reason       string // why there are no jobs, or what there are, for people
}

// MalformedError says that a payload is not JSON.
type MalformedError struct{ Err error }

// Error says where reading stopped.
func (e *MalformedError) Error() string {
	if at, ok := errors.AsType[*json.SyntaxError](e.Err); ok {
		return fmt.Sprintf("the payload is not JSON: at byte %d: %v", at.Offset, e.Err)
	}
	return fmt.Sprintf("the payload is not JSON: %v", e.Err)
}

// Unwrap returns the cause.
func (e *MalformedError) Unwrap() error { return e.Err }

// translators says, for every event that we handle, what becomes of it: jobs, or
// the reason why there are none.
var translators = map[string]func(App, *payload) ([]Job, string){
	"ping":                      ping,
	"installation":              installations,
	"installation_repositories": installations,
	"installation_target":       installationTarget,
	"repository":                repositories,
	"push":                      push,
	"create":                    create,
	"custom_property_values":    customProperties,
	"pull_request":              pullRequests,
	"issue_comment":             issueComment,
	"issues":                    issues,
	"check_run":                 checkRuns,
	"check_suite":               checkSuites,
	"merge_group":               mergeGroups,
	"deployment_status":         deploymentStatuses,
	"workflow_run":              workflowRuns,
}

// Translate says what an event asks for. It is a function of its arguments: the
// same delivery always means the same. What it does not know, be it an event, an
// action or a shape of a payload that came after us, makes no jobs and says so; the
// sweep finds what such an event might have told. Only a payload that is not JSON
// is an error, a *[MalformedError].
func Translate(us App, event string, body []byte) (Translation, error) {
	var p payload
	shape := json.Unmarshal(body, &p)
	// The whole body is checked before anything is decoded.
	if _, ok := errors.AsType[*json.SyntaxError](shape); ok {
		return Translation{}, &MalformedError{shape}
	}
	t := Translation{Action: limit(p.Action, 64), Installation: p.Installation.ID, Repository: p.Repository.ID}
	translate, known := translators[event]
	switch {
	case !known:
		t.Reason = "event not handled"
	case shape != nil:
		t.Reason = limit(fmt.Sprintf("unexpected shape of payload: %v", shape), 200)
	default:
		t.Jobs, t.Reason = translate(us, &p)
	}
	if len(t.Jobs) > 0 {
		t.Reason = kinds(t.Jobs)
	}
	return t, nil
}

func kinds(all []Job) string {
	names := make([]string, len(all))
	for i, j := range all {
		names[i] = j.Kind()
	}
	return strings.Join(names, ", ")
}

// Reasons why there is nothing to do.
const (
	ours         = "caused by ourselves"
	noAction     = "action not handled"
	noRepository = "the payload names no repository"
	notRelevant  = "touches nothing of ours"
)

// own says whether u is our bot.
func (us App) own(u user) bool {
	return us.Slug != "" && strings.EqualFold(u.Login, us.Slug+"[bot]")
}

// wrote says whether a text is ours: our bot's, or a person's through us.
func (us App) wrote(author user, via app) bool {
	return us.own(author) || us.ID != 0 && via.ID == us.ID
}

// platform says whether r is the platform repository.
func (us App) platform(r repository) bool {
	return us.PlatformID != 0 && r.ID == us.PlatformID ||
		us.PlatformID == 0 && us.Platform != "" && strings.EqualFold(r.FullName, us.Platform)
}

// known says whether the payload names a repository well enough to work on it.
func (p *payload) known() bool {
	owner, name, ok := strings.Cut(p.Repository.FullName, "/")
	return p.Repository.ID > 0 && ok && owner != "" && name != "" && !strings.Contains(name, "/")
}

// one is a single job, and all that most events ask for.
func one(j Job) ([]Job, string) { return []Job{j}, "" }

func none(why string) ([]Job, string) { return nil, why }

// limit cuts s to at most n bytes, at the beginning of a character.
func limit(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
