package forge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/forge/openapi"
	"github.com/goldenpaths/syncer/internal/tree"
)

// change is one file to write.
func change(path, text string) map[string]*tree.File {
	f := tree.Text(text)
	return map[string]*tree.File{path: &f}
}

// asked is what the App asks owners for in these tests.
var asked = map[string]string{
	"administration": "write", "contents": "write", "workflows": "write", "pull_requests": "write", "issues": "write", "checks": "write",
	"actions": "write", "actions_variables": "write", "environments": "write", "members": "read", "metadata": "read",
}

// world is a GitHub with an organisation, a person and the App.
type world struct {
	t     *testing.T
	hub   *localhub.Hub
	alice *localhub.Person
	app   *localhub.App
	inst  *localhub.Installation
	forge *App
	fault atomic.Pointer[func(localhub.Request) localhub.Fault]
}

// how varies a world.
type how struct {
	options localhub.Options
	rest    bool // our side does without GraphQL
	config  func(*Config)
	grant   map[string]string
}

func newWorld(t *testing.T, k how) *world {
	t.Helper()
	w := &world{t: t}
	k.options.Directory = t.TempDir()
	if k.options.Limits == (localhub.Limits{}) {
		k.options.Limits = localhub.Unlimited()
	}
	impatient := &localhub.Impatient{Next: defaultTransport()}
	k.options.Fault = func(r localhub.Request) localhub.Fault {
		if f := w.fault.Load(); f != nil {
			return impatient.Watch((*f)(r))
		}
		return localhub.Fault{}
	}
	held, err := openapi.Load()
	w.must(err)
	k.options.Middleware = held.Middleware
	w.hub, err = localhub.New(k.options)
	w.must(err)
	t.Cleanup(func() {
		w.must(w.hub.Close())
		described(t, held)
	})
	w.hub.Organization("acme").Add("admin", "alice")
	w.alice = w.hub.Person("alice")
	if k.grant == nil {
		k.grant = asked
	}
	w.app, err = w.hub.App(localhub.AppOptions{Owner: "acme", Name: "syncer", Permissions: k.grant})
	w.must(err)
	w.inst, err = w.alice.Install(w.app, "acme")
	w.must(err)
	cfg := Config{
		URL: w.hub.URL(), AppID: w.app.ID(), Key: fixed(w.app.PrivateKey()), NoGraphQL: k.rest, Transport: impatient,
		Pace: Pace{MutationGap: -1, PointsPerMinute: -1, ContentPerMinute: -1, ContentPerHour: -1, PullRequestsMax: -1},
	}
	if k.config != nil {
		k.config(&cfg)
	}
	w.forge, err = New(cfg)
	w.must(err)
	return w
}

// described fails the test for a request that GitHub's description does not know, and
// for an answer that GitHub would not give.
func described(t *testing.T, held *openapi.Validator) {
	t.Helper()
	for _, v := range held.Violations() {
		t.Errorf("GitHub's description does not know: %s", v)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// client is one with all permissions.
func (w *world) client() *Client { return w.forge.Installation(w.inst.ID()).As(Access{}) }

// repository makes acme/name and reads it.
func (w *world) repository(name string, files map[string]string) Repository {
	w.t.Helper()
	w.must(w.alice.CreateRepository("acme/"+name, localhub.NewRepository{Files: files}))
	r, err := w.client().RepositoryByName(w.t.Context(), Name{"acme", name})
	w.must(err)
	return r
}

// spent counts what act cost, the token's request apart.
func (w *world) spent(act func()) localhub.Tally {
	w.t.Helper()
	// The hub notes a request once it is answered. Another one on the same
	// connection comes after that.
	flush := func() {
		_, err := w.forge.Installations(w.t.Context())
		w.must(err)
	}
	flush()
	w.hub.ForgetRequests()
	act()
	flush()
	return localhub.Count(w.hub.Requests(), func(r localhub.Request) bool { return r.Installation != 0 })
}

// propose is what a sync does for one member: reserve, commit, branch, pull
// request. It is here as the product will have it.
func propose(ctx context.Context, c *Client, m Member, branch string, files map[string]*tree.File, title string) (PullRequest, error) {
	release, err := c.Reserve(Work{Content: 4, PullRequests: 1})
	if err != nil {
		return PullRequest{}, err
	}
	defer release()
	made, err := c.Commit(ctx, m.Repository.Name, Commit{Parent: m.Head.Commit, Tree: m.Head.Tree, Changes: files, Message: title})
	if err != nil {
		return PullRequest{}, err
	}
	if m.Branch.Tree != made.Tree {
		if err := c.Move(ctx, m.Repository, Move{Branch: branch, From: m.Branch.Commit, To: made.ID}); err != nil {
			return PullRequest{}, err
		}
	}
	for _, p := range m.PullRequests {
		if p.Open() {
			_, err := c.EditPullRequest(ctx, p, title, "body of "+title)
			return p, err
		}
	}
	return c.OpenPullRequest(ctx, m.Repository.Name, Proposal{Head: branch, Base: m.Head.Branch, Title: title, Body: "body of " + title})
}

// names joins what a tally counted, for messages.
func names(t localhub.Tally) string {
	var b strings.Builder
	for _, n := range t.Names() {
		fmt.Fprintf(&b, "\n\t%d × %s", t.Routes[n], n)
	}
	return b.String()
}

// both runs a test with GraphQL and without it.
func both(t *testing.T, test func(t *testing.T, w *world)) {
	for _, rest := range []bool{false, true} {
		name := "GraphQL"
		if rest {
			name = "REST"
		}
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, how{rest: rest})) })
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
