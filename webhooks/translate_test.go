package webhooks_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/webhooks"
)

// testdata/recorded holds payloads as GitHub sent them, taken by testdata/take.sh.
// Events and actions that nobody has recorded are made from the nearest that
// somebody has, by the edits beside them.

const (
	hello    = "Codertocat/Hello-World"
	platform = "Acme/Platform"
)

// us is the App in these tests; hello follows golden paths of another repository.
var us = webhooks.App{ID: 29310, Slug: "golden", Platform: platform}

// here is us where the recorded repository is the platform repository.
var here = webhooks.App{ID: 29310, Slug: "golden", Platform: strings.ToLower(hello)}

// set is an edit of a payload: a path with dots, and what is there then.
type set map[string]any

var (
	bot    = set{"sender.login": "golden[bot]", "sender.type": "Bot"}
	ourPR  = set{"pull_request.user.login": "golden[bot]", "pull_request.head.ref": "goldenpath/go-service"}
	ourBox = set{"comment.user.login": "golden[bot]", "comment.user.type": "Bot",
		"comment.body":      "Choose:\n- [x] rebase <!-- rebase -->\n- [ ] pin\n* [X] was ticked\r\n- [x] is new",
		"changes.body.from": "Choose:\n- [ ] rebase <!-- rebase -->\n- [ ] pin\n* [x] was ticked"}
)

func repo(installation int64, more ...func(*webhooks.Repository)) webhooks.Repository {
	r := webhooks.Repository{ID: 186853002, Installation: installation, Owner: "Codertocat", Name: "Hello-World",
		DefaultBranch: "master", Visibility: "public", Created: 1557933565000}
	for _, m := range more {
		m(&r)
	}
	return r
}

func octo(installation int64) webhooks.Repository {
	return repo(installation, func(r *webhooks.Repository) {
		r.ID, r.Owner, r.Fork, r.Created = 186853261, "Octocoders", true, 1557933642000
	})
}

var cat = webhooks.Actor{ID: 21031067, Login: "Codertocat"}

// recorded is one case: a payload, edits, who we are, and what must come of it.
type recorded struct {
	file   string
	event  string // "": what the file's name begins with
	app    webhooks.App
	edits  []set
	want   []webhooks.Job
	reason string // where there are no jobs
}

func TestTranslateRecorded(t *testing.T) {
	seen := map[string]bool{}
	for _, group := range [][]recorded{repositoryCases, pullRequestCases, checkCases, installationCases} {
		for _, c := range group {
			seen[c.file+".json"] = true
			t.Run(strings.TrimSuffix(c.file+" "+describe(c.edits), " "), func(t *testing.T) {
				event, _, _ := strings.Cut(cmp.Or(c.event, c.file), ".")
				got, err := webhooks.Translate(c.app, event, payload(t, c.file, c.edits...))
				if err != nil {
					t.Fatal(err)
				}
				if d := diff.Diff(c.want, got.Jobs); d != "" {
					t.Errorf("jobs, mismatch (-want +got):\n%s\nreason: %s", d, got.Reason)
				}
				if c.want == nil && got.Reason != c.reason {
					t.Errorf("reason is %q, want %q", got.Reason, c.reason)
				}
			})
		}
	}
	all, err := os.ReadDir("testdata/recorded")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if !seen[f.Name()] {
			t.Errorf("no case reads testdata/recorded/%s", f.Name())
		}
	}
}

func describe(edits []set) string {
	data, err := json.Marshal(edits)
	if err != nil || len(edits) == 0 {
		return ""
	}
	return string(data[:min(len(data), 80)])
}

// payload returns a recorded payload with edits made to it.
func payload(tb testing.TB, file string, edits ...set) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "recorded", file+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	if len(edits) == 0 {
		return data
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		tb.Fatal(err)
	}
	for _, e := range edits {
		for path, value := range e {
			put(all, strings.Split(path, "."), value)
		}
	}
	if data, err = json.Marshal(all); err != nil {
		tb.Fatal(err)
	}
	return data
}

func put(in map[string]any, path []string, value any) {
	if len(path) == 1 {
		in[path[0]] = value
		return
	}
	next, ok := in[path[0]].(map[string]any)
	if !ok {
		next = map[string]any{}
		in[path[0]] = next
	}
	put(next, path[1:], value)
}

func TestTranslateWhatIsNotKnown(t *testing.T) {
	for _, c := range []struct{ name, event, body, reason string }{
		{"an event that came after us", "quantum_entangled", `{"action":"observed","repository":{"id":7}}`, "event not handled"},
		{"an action that came after us", "repository", `{"action":"folded","repository":{"id":7,"full_name":"a/b"}}`, "action not handled"},
		{"a shape that came after us", "repository", `{"action":"renamed","repository":"a/b"}`, "unexpected shape of payload: json: cannot unmarshal string into Go struct field payload.repository of type webhooks.repository"},
		{"a list", "push", `[]`, "unexpected shape of payload: json: cannot unmarshal array into Go value of type webhooks.payload"},
		{"nothing in it", "push", `{}`, "the payload names no repository"},
		{"null", "pull_request", `null`, "the payload names no pull request"},
		{"a name that leads elsewhere", "push", `{"ref":"refs/heads/main","repository":{"id":7,"full_name":"a/b/../c"}}`, "the payload names no repository"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := webhooks.Translate(us, c.event, []byte(c.body))
			if err != nil || len(got.Jobs) > 0 || got.Reason != c.reason {
				t.Errorf("got %+v, %v; want no jobs and %q", got, err, c.reason)
			}
		})
	}
	for _, body := range []string{"", "{", "{}{}", "<xml/>", `{"action":"created"`} {
		var malformed *webhooks.MalformedError
		if _, err := webhooks.Translate(us, "push", []byte(body)); !errors.As(err, &malformed) {
			t.Errorf("%q: got %v, want a MalformedError", body, err)
		}
	}
}

func FuzzTranslate(f *testing.F) {
	files, err := os.ReadDir("testdata/recorded")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".json")
		event, _, _ := strings.Cut(name, ".")
		f.Add(event, payload(f, name))
	}
	f.Add("pull_request", payload(f, "pull_request.closed", ourPR))
	f.Add("issue_comment", payload(f, "issue_comment.edited", ourBox))
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		first, err := webhooks.Translate(here, event, body)
		if (err == nil) != json.Valid(body) {
			t.Fatalf("an error if and only if it is not JSON; got %v", err)
		}
		if err != nil {
			return
		}
		if first.Reason == "" {
			t.Error("no reason given")
		}
		second, _ := webhooks.Translate(here, event, body)
		if d := diff.Diff(first, second); d != "" {
			t.Errorf("not repeatable (-first +second):\n%s", d)
		}
		for _, j := range first.Jobs {
			data, err := json.Marshal(j)
			if err != nil {
				t.Fatalf("%s cannot be kept: %v", j.Kind(), err)
			}
			if strings.Contains(string(data), `"repository":{"id":0`) {
				t.Errorf("%s is about no repository: %s", j.Kind(), data)
			}
		}
	})
}
