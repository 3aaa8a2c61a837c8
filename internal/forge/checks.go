package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/google/go-github/v60/github"
)

// Check is a check run on a commit, of which there shall be one for its Key.
type Check struct {
	Commit string
	// Name is what people see and what a protection requires.
	Name string
	// Key tells runs of one name apart; it is the run's external_id.
	Key string
	// Status is "queued", "in_progress" or "completed".
	Status string
	// Conclusion, when completed: "success", "failure", "neutral", "cancelled",
	// "skipped", "timed_out" or "action_required".
	Conclusion string
	Title      string
	Summary    string // Markdown
	Text       string // Markdown
	URL        string
	// Annotations are sent 50 at a time. More may be added by a later call, with the
	// same ones first.
	Annotations []Annotation
	// Actions are buttons, at most three.
	Actions []Action
}

// Annotation is a remark at some lines of a file.
type Annotation struct {
	Path       string
	Start, End int    // lines, from 1
	Level      string // "notice", "warning" or "failure"
	Title      string
	Message    string
}

// Action is a button of a check run; pressing it sends us its ID.
type Action struct{ Label, Description, ID string }

// CheckInfo is a check run that exists.
type CheckInfo struct {
	ID          int64
	URL         string
	Annotations int
	Status      string
	Conclusion  string
}

// Bounds that GitHub documents for a check run: bytes, for texts and
// buttons.
const (
	maxCheckText   = 65535
	maxAnnotations = 50
	maxActions     = 3
)

// checkOutput is what a check run says.
type checkOutput struct {
	Title       string            `json:"title"`
	Summary     string            `json:"summary"`
	Text        string            `json:"text,omitempty"`
	Annotations []checkAnnotation `json:"annotations,omitempty"`
}

type checkAnnotation struct {
	Path    string `json:"path"`
	Start   int    `json:"start_line"`
	End     int    `json:"end_line"`
	Level   string `json:"annotation_level"`
	Title   string `json:"title,omitempty"`
	Message string `json:"message"`
}

type checkBody struct {
	Name       string        `json:"name,omitempty"`
	Commit     string        `json:"head_sha,omitempty"`
	Key        string        `json:"external_id,omitempty"`
	URL        string        `json:"details_url,omitempty"`
	Status     string        `json:"status,omitempty"`
	Conclusion string        `json:"conclusion,omitempty"`
	Completed  *time.Time    `json:"completed_at,omitempty"`
	Output     *checkOutput  `json:"output,omitempty"`
	Actions    []checkAction `json:"actions,omitempty"`
}

type checkAction struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	ID          string `json:"identifier"`
}

// EnsureCheck makes sure that the commit has one check run with the key, and that
// it says this: it looks for it, creates or updates it, and adds the annotations
// that are not there yet, by their number, so that a repeated call adds none twice.
// GitHub cannot take annotations back: for other ones use another Key, which makes
// a new run that hides the old one. A run is completed by the last of its requests, so that nobody sees it done with
// half of its annotations.
func (c *Client) EnsureCheck(ctx context.Context, n Name, k Check) (CheckInfo, error) {
	found, err := c.findCheck(ctx, n, k)
	if err != nil {
		return CheckInfo{}, err
	}
	sent := found.Annotations
	for {
		todo := k.Annotations[min(sent, len(k.Annotations)):]
		next := todo[:min(len(todo), maxAnnotations)]
		last := len(next) == len(todo)
		found, err = c.putCheck(ctx, n, k, found, next, last)
		if err != nil {
			return found, err
		}
		if sent += len(next); last {
			return found, nil
		}
	}
}

// CancelCheck completes the commit's run with the key as k says, where there is one
// that is not completed yet.
func (c *Client) CancelCheck(ctx context.Context, n Name, k Check) error {
	found, err := c.findCheck(ctx, n, k)
	if err != nil || found.ID == 0 || found.Status == "completed" {
		return err
	}
	_, err = c.putCheck(ctx, n, k, found, nil, true)
	return err
}

// putCheck creates or updates the run, with some annotations.
func (c *Client) putCheck(ctx context.Context, n Name, k Check, at CheckInfo, notes []Annotation, last bool) (CheckInfo, error) {
	body := c.checkBody(k, notes, last)
	q := call{op: fmt.Sprintf("updating check %q of %s", k.Name, n), method: http.MethodPatch, path: fmt.Sprintf("%s/check-runs/%d", n.path(), at.ID), in: body}
	if at.ID == 0 {
		q.op, q.method, q.path = fmt.Sprintf("creating check %q of %s", k.Name, n), http.MethodPost, n.path("check-runs")
		body.Name, body.Commit, body.Key = k.Name, k.Commit, k.Key
	}
	var run github.CheckRun
	q.out = &run
	_, err := c.send(ctx, q)
	if !lost(err) {
		return checkInfo(&run), err
	}
	// Look whether it was done: the same run, with these annotations.
	seen, findErr := c.findCheck(ctx, n, k)
	if findErr != nil || seen.ID == 0 || seen.Annotations < at.Annotations+len(notes) || last && seen.Status != k.Status {
		return at, err
	}
	return seen, nil
}

func (c *Client) checkBody(k Check, notes []Annotation, last bool) *checkBody {
	b := &checkBody{URL: k.URL, Status: k.Status, Conclusion: k.Conclusion}
	if !last {
		b.Status, b.Conclusion = "in_progress", ""
	}
	if b.Conclusion != "" {
		now := c.now().UTC().Truncate(time.Second)
		b.Completed = &now
	}
	if k.Title != "" || k.Summary != "" {
		b.Output = &checkOutput{Title: bounded(k.Title), Summary: cutBytes(k.Summary, maxCheckText), Text: cutBytes(k.Text, maxCheckText)}
		for _, a := range notes {
			b.Output.Annotations = append(b.Output.Annotations, checkAnnotation{
				Path: a.Path, Start: max(1, a.Start), End: max(1, a.Start, a.End), Level: a.Level,
				Title: cut(a.Title, 255), Message: cutBytes(a.Message, 64<<10),
			})
		}
	}
	for _, a := range k.Actions[:min(len(k.Actions), maxActions)] {
		b.Actions = append(b.Actions, checkAction{cutShort(a.Label, 20), cutShort(a.Description, 40), cutShort(a.ID, 20)})
	}
	return b
}

// CheckKeys returns the keys of our check runs on a commit.
func (c *Client) CheckKeys(ctx context.Context, n Name, commit string) ([]string, error) {
	var page struct {
		Runs []*github.CheckRun `json:"check_runs"`
	}
	var keys []string
	q := url.Values{"app_id": {fmt.Sprint(c.in.app.cfg.AppID)}}
	_, err := c.pages(ctx, call{op: fmt.Sprintf("listing the checks of %.10s of %s", commit, n), path: n.path("commits", commit, "check-runs") + "?" + q.Encode(), out: &page}, func() bool {
		for _, r := range page.Runs {
			if key := r.GetExternalID(); r.GetApp().GetID() == c.in.app.cfg.AppID && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
		page.Runs = nil
		return true
	})
	return keys, err
}

// findCheck looks for the newest run with the name and the key on the commit.
func (c *Client) findCheck(ctx context.Context, n Name, k Check) (CheckInfo, error) {
	var page struct {
		Runs []*github.CheckRun `json:"check_runs"`
	}
	var found *github.CheckRun
	q := url.Values{"check_name": {k.Name}, "filter": {"all"}, "app_id": {fmt.Sprint(c.in.app.cfg.AppID)}}
	_, err := c.pages(ctx, call{op: fmt.Sprintf("listing the checks of %.10s of %s", k.Commit, n), path: n.path("commits", k.Commit, "check-runs") + "?" + q.Encode(), out: &page}, func() bool {
		for _, r := range page.Runs {
			if r.GetExternalID() == k.Key && r.GetName() == k.Name && r.GetApp().GetID() == c.in.app.cfg.AppID && r.GetID() > found.GetID() {
				found = r
			}
		}
		page.Runs = nil
		return true
	})
	if err != nil || found == nil {
		return CheckInfo{}, err
	}
	return checkInfo(found), nil
}

func checkInfo(r *github.CheckRun) CheckInfo {
	return CheckInfo{
		ID: r.GetID(), URL: r.GetHTMLURL(), Annotations: r.GetOutput().GetAnnotationsCount(),
		Status: r.GetStatus(), Conclusion: r.GetConclusion(),
	}
}

// cutBytes shortens s to limit bytes on a rune's edge, and says so at its end.
func cutBytes(s string, limit int) string {
	const note = "\n\n… (cut: GitHub takes no more)"
	if len(s) <= limit {
		return s
	}
	end := limit - len(note)
	for end > 0 && s[end]&0xc0 == 0x80 {
		end--
	}
	return s[:end] + note
}

// cutShort shortens a button's text to limit bytes, without a note: there is no
// room for one.
func cutShort(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xc0 == 0x80 {
		limit--
	}
	return s[:limit]
}
