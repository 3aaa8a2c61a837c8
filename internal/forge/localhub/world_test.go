package localhub_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/forge/openapi"
)

// everything is what the product asks for.
var everything = map[string]string{
	"administration": "write", "contents": "write", "workflows": "write", "pull_requests": "write", "issues": "write", "checks": "write",
	"actions": "write", "actions_variables": "write", "deployments": "read", "members": "read", "statuses": "read",
	"repository_custom_properties": "write", "organization_custom_properties": "read",
}

var allEvents = []string{
	"push", "create", "delete", "pull_request", "pull_request_review", "pull_request_review_comment", "issues", "issue_comment", "check_run", "check_suite",
	"repository", "custom_property_values", "commit_comment", "label", "deployment_status", "workflow_run", "merge_group",
}

// appKey is made once; making one takes longer than most tests.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

const secret = "it is a secret to everybody"

// world is a hub with an organisation, two people, an App and somewhere to deliver to.
type world struct {
	t     *testing.T
	hub   *localhub.Hub
	org   *localhub.Organization
	alice *localhub.Person // administrator
	bob   *localhub.Person // member
	app   *localhub.App
	inbox *inbox
	valid *openapi.Validator
}

// inbox keeps deliveries.
type inbox struct {
	mu     sync.Mutex
	list   []received
	status int
}

type received struct {
	header http.Header
	body   []byte
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.list = append(i.list, received{r.Header.Clone(), body})
	w.WriteHeader(i.status)
}

func (i *inbox) all() []received {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]received(nil), i.list...)
}

func (i *inbox) answer(status int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.status = status
}

func newWorld(t *testing.T, options localhub.Options) *world {
	t.Helper()
	if options.Directory == "" {
		options.Directory = t.TempDir()
	}
	valid, err := openapi.Load()
	must(t, err)
	if options.Middleware == nil {
		options.Middleware = valid.Middleware
	}
	hub, err := localhub.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, hub: hub, valid: valid, org: hub.Organization("acme"), inbox: &inbox{status: http.StatusAccepted}}
	w.org.Add("admin", "alice")
	w.org.Add("member", "bob")
	w.alice, w.bob = hub.Person("alice"), hub.Person("bob")
	server := httptest.NewServer(w.inbox)
	t.Cleanup(server.Close)
	w.app, err = hub.App(localhub.AppOptions{
		Owner: "acme", Name: "syncer", PrivateKey: appKey(), WebhookURL: server.URL, WebhookSecret: secret, Permissions: everything, Events: allEvents,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// dig is what is at a path of decoded JSON; nil where there is nothing.
func dig(value any, path ...string) any {
	for _, name := range path {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

// conforms fails the test if something that passed does not fit GitHub's description.
func (w *world) conforms() {
	w.t.Helper()
	for _, v := range w.valid.Violations() {
		w.t.Error(v)
	}
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) repository(name string, files map[string]string) {
	w.t.Helper()
	must(w.t, w.alice.CreateRepository("acme/"+name, localhub.NewRepository{Private: true, Files: files}))
}

func (w *world) install(names ...string) *localhub.Installation {
	w.t.Helper()
	i, err := w.alice.Install(w.app, "acme", names...)
	must(w.t, err)
	return i
}

// enterprise points a client at the hub.
func (w *world) enterprise(transport http.RoundTripper) *github.Client {
	w.t.Helper()
	client, err := github.NewClient(&http.Client{Transport: transport, Timeout: 20 * time.Second}).WithEnterpriseURLs(w.hub.URL(), w.hub.URL())
	must(w.t, err)
	return client
}

// asApp is a client that carries the App's JWT.
func (w *world) asApp() *github.Client {
	w.t.Helper()
	transport, err := ghinstallation.NewAppsTransport(http.DefaultTransport, w.app.ID(), w.app.PrivateKey())
	must(w.t, err)
	return w.enterprise(transport)
}

// client is a client for an installation, with all it has or what options say.
func (w *world) client(i *localhub.Installation, options *github.InstallationTokenOptions) *github.Client {
	w.t.Helper()
	apps, err := ghinstallation.NewAppsTransport(http.DefaultTransport, w.app.ID(), w.app.PrivateKey())
	must(w.t, err)
	apps.BaseURL = w.hub.URL() + "/api/v3"
	transport := ghinstallation.NewFromAppsTransport(apps, i.ID())
	transport.InstallationTokenOptions = options
	return w.enterprise(transport)
}

// settle waits for the deliveries.
func (w *world) settle() []received {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	must(w.t, w.hub.Settle(ctx))
	return w.inbox.all()
}

// events are what was delivered, as "event.action".
func (w *world) events() []string {
	w.t.Helper()
	w.settle()
	var list []string
	for _, d := range w.app.Deliveries() {
		name := d.Event
		if d.Action != "" {
			name += "." + d.Action
		}
		list = append(list, name)
	}
	return list
}
