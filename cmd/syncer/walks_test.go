package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/mux"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/forge/openapi"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
	"github.com/goldenpaths/syncer/webhooks"
)

// world is an organisation with a platform repository on an in-process GitHub, and
// the service that works for it.
type world struct {
	*testing.T
	hub     *localhub.Hub
	db      *store.Store
	service *service
	alice   *localhub.Person
	app     *localhub.App
	install *localhub.Installation
	deliver http.Handler // takes deliveries
	webhook string       // where they go to
	rest    bool
	fault   atomic.Pointer[func(localhub.Request) localhub.Fault]
	// patience is how long until waits; 0 is two minutes.
	patience time.Duration
	ahead    atomic.Int64 // how far the clock of the walks and the store is ahead, in nanoseconds
}

// variant is what a world may have otherwise.
type variant struct {
	rest     bool
	unsigned bool            // GitHub does not sign what the Git Data API makes
	old      bool            // GitHub does not tell which run a dispatch started
	without  string          // a permission that the owner has not granted
	attempts int             // of a job; 0 is the default
	sweep    time.Duration   // 0 is an hour
	settings settings.Config // PreviewMemory, PreviewTimeout and ManagedCheck
	pace     forge.Pace      // the zero value is none
	limits   settings.Limits
	late     bool // the content of a new repository comes after two looks at it
}

const (
	manifestV1 = `apiVersion: syncer/v1
kind: GoldenPath
name: svc
title: A service
description: A small service
inputs:
  type: object
  required: [name, team, token]
  properties:
    name: {type: string, x-from: repository.name}
    team: {type: string, title: Owning team, pattern: "^[a-z]+$", x-from: repository.custom_properties.team}
    token: {type: string, title: A secret, writeOnly: true}
files:
  - {glob: "ci.yaml", mode: managed}
after:
  repository: {topics: [svc], variables: {TEAM: "{{ .team }}"}}
  pullRequests: [{repository: acme/gitops, from: gitops/, path: "apps/{{ .name }}"}]
`
	readme    = "# {{ .name }}\n\nOwned by {{ .team }}.\n"
	lines     = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
	linesV2   = "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n"
	fixtureV1 = "-- inputs.yaml --\nname: payments\nteam: core\n-- want/README.md --\n# payments\n\nOwned by core.\n-- want/ci.yaml --\nci: 1\n-- want/lines.txt --\n" + lines
)

func platformFiles() map[string]string {
	return map[string]string{
		"goldenpaths/svc/goldenpath.yaml":               manifestV1,
		"goldenpaths/svc/README.md":                     "# The golden path svc\n",
		"goldenpaths/svc/template/README.md.tmpl":       readme,
		"goldenpaths/svc/template/ci.yaml":              "ci: 1\n",
		"goldenpaths/svc/template/lines.txt":            lines,
		"goldenpaths/svc/template/gitops/app.yaml.tmpl": "app: {{ .name }}\n",
		"goldenpaths/svc/tests/one.txtar":               fixtureV1,
	}
}

// scene is what a story plays on.
type scene struct {
	name     string
	rest     bool // without GraphQL
	database func(testing.TB) string
}

// scenes are all there are. What speaks to GitHub knows nothing of the database, nor the
// database of it, so that the first two show what all of them do.
var scenes = []scene{
	{"graphql/sqlite", false, storetest.SQLite},
	{"rest/postgresql", true, storetest.PostgreSQL},
	{"graphql/postgresql", false, storetest.PostgreSQL},
	{"rest/sqlite", true, storetest.SQLite},
}

// eachWorld runs a story on both databases, once with GraphQL and once without it.
func eachWorld(t *testing.T, story func(*world)) {
	t.Helper()
	on(t, scenes[:2], variant{}, story)
}

// everyWorld runs a story in every scene.
func everyWorld(t *testing.T, v variant, story func(*world)) {
	t.Helper()
	on(t, scenes, v, story)
}

func on(t *testing.T, scenes []scene, v variant, story func(*world)) {
	t.Helper()
	t.Parallel() // most of a story is waiting
	if testing.Short() {
		scenes = scenes[:1] // one of each story is enough
	}
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			v := v
			v.rest = s.rest
			story(newVariant(t, storetest.Open(t, s.database(t)), v))
		})
	}
}

func newVariant(t *testing.T, db *store.Store, v variant) *world {
	t.Helper()
	w := &world{T: t, db: db, rest: v.rest}
	db.Now = w.now
	router := mux.NewRouter()
	// It is known where deliveries go before there is anything that takes them, so those of
	// the installation wait at the door until it opens.
	server := httptest.NewUnstartedServer(router)
	t.Cleanup(server.Close)
	webhook := "http://" + server.Listener.Addr().String() + webhooks.Path
	held, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	impatient := &localhub.Impatient{Next: http.DefaultTransport}
	reads := 0
	if v.late {
		reads = 2
	}
	h, err := localhub.New(localhub.Options{Limits: localhub.Unlimited(), NoGraphQL: v.rest, Unsigned: v.unsigned, NoRunDetails: v.old, ContentReads: reads, Middleware: held.Middleware, Fault: func(r localhub.Request) localhub.Fault {
		if f := w.fault.Load(); f != nil {
			return impatient.Watch((*f)(r))
		}
		return localhub.Fault{}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.Close()
		// Whatever the product asked for and was told is as GitHub's description says.
		for _, violation := range held.Violations() {
			t.Errorf("GitHub's description does not know: %s", violation)
		}
	})
	permissions := map[string]string{
		"contents": "write", "metadata": "read", "pull_requests": "write", "issues": "write", "checks": "write",
		"workflows": "write", "administration": "write", "actions": "write", "actions_variables": "write", "environments": "write",
	}
	delete(permissions, v.without)
	app, err := h.App(localhub.AppOptions{
		Owner: "acme", Name: "syncer", PrivateKey: worldKey(), WebhookURL: webhook, WebhookSecret: worldSecret,
		Permissions: permissions,
		Events:      []string{"push", "create", "repository", "pull_request", "issue_comment", "issues", "check_run", "check_suite", "custom_property_values"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.hub, w.alice, w.app, w.deliver, w.webhook = h, h.Person("alice"), app, router, webhook
	h.Organization("acme").Add("admin", "alice")
	h.Organization("acme").Property("team", "string")
	w.must(w.alice.CreateRepository("acme/platform", localhub.NewRepository{Files: platformFiles()}))
	w.must(w.alice.CreateRepository("acme/gitops", localhub.NewRepository{Files: map[string]string{"README.md": "# What is deployed\n"}}))
	w.install, err = w.alice.Install(app, "acme")
	w.must(err)
	key := app.PrivateKey()
	a, err := forge.New(forge.Config{
		URL: h.URL(), AppID: app.ID(), Key: func() ([]byte, error) { return key, nil }, NoGraphQL: v.rest, Transport: impatient,
		Pace: cmp.Or(v.pace, forge.Pace{MutationGap: -1, PointsPerMinute: -1, GraphQLPointsPerMinute: -1, ContentPerMinute: -1, ContentPerHour: -1, PullRequestsMin: 100_000, PullRequestsMax: 100_000, Burst: 100_000}),
	})
	w.must(err)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, handler, err := serviceFor(t.Context(), serviceConfig{
		GitHub: h.URL(), Platform: "acme/platform", App: a, DB: db, Secrets: []string{worldSecret}, Mirrors: t.TempDir(),
		Prefix: "template-", Sweep: cmp.Or(v.sweep, time.Hour), Log: log, Settings: v.settings, Jobs: jobs.Config{Workers: 4, Attempts: v.attempts},
		Limits: v.limits,
	})
	w.must(err)
	handler.Mount(router)
	server.Start()
	w.service = s
	s.Now = w.now
	w.must(s.work.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		_ = s.work.Stop(ctx)
	})
	return w
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// serviceConfig is what a service is put together from, without what serve adds.
type serviceConfig struct {
	GitHub, Platform, Mirrors, Prefix string
	App                               *forge.App
	DB                                *store.Store
	Secrets                           []string
	Sweep                             time.Duration
	Jobs                              jobs.Config
	Limits                            settings.Limits
	Log                               *slog.Logger
	Settings                          settings.Config
}

func serviceFor(ctx context.Context, c serviceConfig) (*service, *webhooks.Handler, error) {
	root, err := url.Parse(c.GitHub)
	if err != nil {
		return nil, nil, err
	}
	c.Jobs.DB, c.Jobs.Pool, c.Jobs.Log = c.DB.DB(), c.DB.Pool(), c.Log
	f := &flows{
		db: c.DB, github: c.App, log: c.Log, tracer: noop.NewTracerProvider().Tracer(""), work: jobs.New(c.Jobs),
		cfg: c.Settings,
	}
	f.cfg.Memory = true
	f.cfg.Platform, f.cfg.TemplatePrefix, f.cfg.CacheDirectory, f.cfg.SweepInterval = c.Platform, c.Prefix, c.Mirrors, c.Sweep
	f.cfg.GitHub.URL = root
	f.cfg.PullRequests.Limits = c.Limits
	if f.identity, err = c.App.Identity(ctx); err != nil {
		return nil, nil, err
	}
	s, err := newService(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	s.register()
	again := &refused{after: time.Second, ask: func(ctx context.Context) error { return jobs.EnqueueNow(ctx, f.work, "", redeliver{}) }}
	always := context.WithoutCancel(ctx)
	h, err := webhooks.NewHandler(webhooks.Config{
		Secrets: c.Secrets, Inbox: inbox{c.DB, f.work}, Log: c.Log,
		Observe: func(_ string, status int, _ time.Duration) { again.observe(always, status) },
		App:     webhooks.App{ID: f.identity.ID, Slug: f.identity.Slug, Platform: c.Platform, PlatformID: s.platform},
	})
	return s, h, err
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

const worldSecret = "a secret of the test"

// worldKey is every App's: making one takes as long as a short story.
var worldKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
})

// until waits for something to become true, and says what was waited for.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	deadline := time.Now().Add(cmp.Or(w.patience, 2*time.Minute))
	for !is() {
		if time.Now().After(deadline) {
			w.dump()
			w.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// dump logs what the service did, for a test that fails.
func (w *world) dump() {
	events, _ := w.db.Events(w.Context(), 0, "", 40)
	for _, e := range events {
		w.Logf("event: repository %d %s %s: %s", e.Repository, e.GoldenPath, e.Kind, e.What)
	}
	letters, _, err := w.service.work.DeadLetters(w.Context(), "", 20)
	w.Logf("dead letters: %+v %v", letters, err)
	waiting, err := w.service.work.Waiting(w.Context())
	w.Logf("waiting: %v %v", waiting, err)
}

func (w *world) file(repo, branch, path string) string {
	files, err := w.hub.Files(repo, branch)
	if err != nil {
		return ""
	}
	return files[path]
}

func (w *world) pull(repo, head string) *localhub.Pull {
	w.Helper()
	pulls, err := w.hub.Pulls(repo)
	w.must(err)
	for i := len(pulls) - 1; i >= 0; i-- {
		if pulls[i].Head == head {
			return &pulls[i]
		}
	}
	return nil
}

// useTemplate presses "Use this template", and waits for the repository.
func (w *world) useTemplate(name string, with localhub.NewRepository) {
	w.Helper()
	w.until("the template repository is published", func() bool {
		return w.file("acme/template-svc", "main", ".goldenpath.yaml") != ""
	})
	w.must(w.alice.UseTemplate("acme/template-svc", name, with))
}

func (w *world) release(change map[string]string) {
	w.Helper()
	_, err := w.alice.Push("acme/platform", "main", "change the golden path", localhub.Edit{Files: change})
	w.must(err)
}

func (w *world) publish() {
	w.Helper()
	w.must(jobs.EnqueueNow(w.Context(), w.service.work, "", publish{}))
}

func TestWalkUseThisTemplate(t *testing.T) {
	everyWorld(t, variant{late: true}, func(w *world) {
		w.publish()
		w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("the golden path is rendered", func() bool { return strings.Contains(w.file("acme/payments", "main", "README.md"), "Owned by core.") })
		if got := w.file("acme/payments", "main", "README.md"); got != "# payments\n\nOwned by core.\n" {
			w.Errorf("README.md is %q", got)
		}
		if got := w.file("acme/payments", "main", ".goldenpath.yaml"); !strings.Contains(got, "name: payments") || !strings.Contains(got, "team: core") {
			w.Errorf(".goldenpath.yaml is\n%s", got)
		}
		w.until("a pull request elsewhere adds the service", func() bool {
			return w.file("acme/gitops", "goldenpath/svc-payments", "apps/payments/app.yaml") == "app: payments\n" && w.pull("acme/gitops", "goldenpath/svc-payments") != nil
		})
		// An answer that cannot be inferred is asked for, and never guessed.
		w.useTemplate("acme/orders", localhub.NewRepository{})
		var number int
		w.until("the missing input is asked for", func() bool {
			issues, _ := w.hub.Issues("acme/orders")
			for _, i := range issues {
				if i.State == "open" && strings.Contains(i.Body, "/syncer set team=") {
					number = i.Number
					if strings.Contains(i.Body, "token") {
						w.Errorf("a secret is asked for where everybody reads it:\n%s", i.Body)
					}
				}
			}
			return number != 0
		})
		_, err := w.alice.Comment("acme/orders", number, "/syncer set team=UPPER token=hunter")
		w.must(err)
		w.until("the wrong answer is refused", func() bool {
			issues, _ := w.hub.Issues("acme/orders")
			return len(issues[0].Comments) > 1 && strings.Contains(issues[0].Comments[1].Body, "Nothing was changed") && strings.Contains(issues[0].Comments[1].Body, `"token" is a secret`)
		})
		_, err = w.alice.Comment("acme/orders", number, "/syncer set team=growth")
		w.must(err)
		w.until("the answer is taken", func() bool { return strings.Contains(w.file("acme/orders", "main", "README.md"), "Owned by growth.") })
		w.until("the issue is closed", func() bool {
			issues, _ := w.hub.Issues("acme/orders")
			return issues[0].State == "closed"
		})
	})
}

func TestWalkAGoldenPathChanges(t *testing.T) {
	everyWorld(t, variant{}, func(w *world) {
		w.publish()
		w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("the golden path is rendered", func() bool { return w.file("acme/payments", "main", "lines.txt") == lines })
		_, err := w.alice.Push("acme/payments", "main", "our own", localhub.Edit{Files: map[string]string{"lines.txt": "ONE" + lines[3:], "mine.txt": "mine\n"}})
		w.must(err)
		w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2})
		w.until("a pull request brings the change", func() bool { return w.pull("acme/payments", "goldenpath/svc") != nil })
		if got, want := w.file("acme/payments", "goldenpath/svc", "lines.txt"), "ONE"+linesV2[3:]; got != want {
			w.Errorf("lines.txt on the branch is %q, want %q", got, want)
		}
		// The next version goes into the same pull request.
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("the pull request has the next version too", func() bool { return w.file("acme/payments", "goldenpath/svc", "ci.yaml") == "ci: 2\n" })
		// A person's commit on the branch stays.
		_, err = w.alice.Push("acme/payments", "goldenpath/svc", "a fix of ours", localhub.Edit{Files: map[string]string{"fix.txt": "fix\n"}})
		w.must(err)
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 3\n"})
		w.until("the third version is built on top", func() bool { return w.file("acme/payments", "goldenpath/svc", "ci.yaml") == "ci: 3\n" })
		if w.file("acme/payments", "goldenpath/svc", "fix.txt") != "fix\n" {
			w.Error("the person's commit was lost")
		}
		pulls, err := w.hub.Pulls("acme/payments")
		w.must(err)
		if len(pulls) != 1 {
			w.Errorf("there are %d pull requests, want 1", len(pulls))
		}
		w.must(w.alice.MergePull("acme/payments", pulls[0].Number, "merge"))
		w.until("the member is current", func() bool {
			members, _, _ := w.db.Members(w.Context(), store.Filter{Contains: "payments"}, "", 0)
			return len(members) == 1 && members[0].Member.State == store.Current
		})
	})
}

func TestWalkConflictIsDecidedByABox(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.publish()
		w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("the golden path is rendered", func() bool { return w.file("acme/payments", "main", "lines.txt") == lines })
		_, err := w.alice.Push("acme/payments", "main", "our own", localhub.Edit{Files: map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)}})
		w.must(err)
		w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2, "goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request asks", func() bool {
			pr := w.pull("acme/payments", "goldenpath/svc")
			return pr != nil && strings.Contains(pr.Body, "- [ ] take the golden path")
		})
		pr := w.pull("acme/payments", "goldenpath/svc")
		if got := w.file("acme/payments", "goldenpath/svc", "lines.txt"); !strings.Contains(got, "mine") || strings.Contains(got, "<<<") {
			w.Errorf("the member's hunk did not stay:\n%s", got)
		}
		w.must(w.alice.Edit("acme/payments", pr.Number, pr.Title, strings.Replace(pr.Body, "- [ ] take", "- [x] take", 1)))
		w.until("the box is obeyed", func() bool { return strings.Contains(w.file("acme/payments", "goldenpath/svc", "lines.txt"), "SEVEN") })
		// Closing says no to this version, and the next one comes again.
		w.must(w.alice.Close("acme/payments", pr.Number))
	})
}

func TestWalkPreview(t *testing.T) {
	everyWorld(t, variant{}, func(w *world) {
		w.publish()
		w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("the member is known", func() bool { return w.is(payments, store.Current) })
		_, err := w.alice.Push("acme/platform", "next", "the next version", localhub.Edit{Files: map[string]string{"goldenpaths/svc/template/lines.txt": linesV2}})
		w.must(err)
		_, err = w.alice.OpenPull("acme/platform", "next", "main", "The next version", "")
		w.must(err)
		w.until("the effect is shown", func() bool {
			checks, _ := w.hub.Checks("acme/platform")
			for _, c := range checks {
				if c.Status == "completed" && c.Title == "1 clean, 0 with conflicts, 0 untouched" && strings.Contains(c.Summary, "acme/payments") {
					return true
				}
			}
			return false
		})
		_, err = w.alice.Push("acme/platform", "next", "a mistake", localhub.Edit{Files: map[string]string{"goldenpaths/svc/template/lines.txt.tmpl": "{{ .teem }}\n"}})
		w.must(err)
		w.until("the mistake is at its line", func() bool {
			checks, _ := w.hub.Checks("acme/platform")
			for _, c := range checks {
				if c.Conclusion == "failure" && c.Annotations > 0 {
					return true
				}
			}
			return false
		})
		if pr := w.pull("acme/payments", "goldenpath/svc"); pr != nil {
			w.Error("the preview opened a pull request")
		}
	})
}

// settle waits until every delivery is answered and no work is left, nor any that the
// last work's own deliveries make.
func (w *world) settle() {
	w.Helper()
	w.until("no work is left", func() bool {
		before, idle := w.lastJob(), w.idle()
		w.must(w.hub.Settle(w.Context()))
		// Nothing ran when the deliveries were waited for, and they made nothing.
		return idle && w.idle() && w.lastJob() == before
	})
}

// idle reports whether no work waits or runs.
func (w *world) idle() bool {
	w.Helper()
	waiting, err := w.service.work.Waiting(w.Context())
	w.must(err)
	for _, states := range waiting {
		for state, n := range states {
			if n > 0 && state != "completed" && state != "cancelled" && state != "discarded" {
				return false
			}
		}
	}
	return true
}

// resting reports whether no work runs or could; some may wait for its time.
func (w *world) resting() bool {
	w.Helper()
	waiting, err := w.service.work.Waiting(w.Context())
	w.must(err)
	for _, states := range waiting {
		if states["available"]+states["running"] > 0 {
			return false
		}
	}
	return true
}

// lastJob is the number of the newest job.
func (w *world) lastJob() (id int64) {
	w.Helper()
	w.must(w.db.DB().QueryRowContext(w.Context(), `SELECT COALESCE(max(id), 0) FROM river_job`).Scan(&id))
	return id
}

// TestWalkLineEnds has a golden path whose text has CRLF, and whose attributes say that
// repositories store LF: git would call what is stored otherwise a change.
func TestWalkLineEnds(t *testing.T) {
	eachWorld(t, func(w *world) {
		crlf := strings.ReplaceAll(lines, "\n", "\r\n")
		w.release(map[string]string{"goldenpaths/svc/template/.gitattributes.tmpl": "* text=auto\n", "goldenpaths/svc/template/lines.txt": crlf})
		w.publish()
		w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
		w.until("the golden path is rendered", func() bool {
			return w.file("acme/payments", "main", "lines.txt") != "" && w.file("acme/payments", "main", ".goldenpath.lock") != ""
		})
		if got := w.file("acme/payments", "main", "lines.txt"); got != lines {
			w.Errorf("lines.txt is stored as %q, want %q", got, lines)
		}
		_, err := w.alice.Push("acme/payments", "main", "our own", localhub.Edit{Files: map[string]string{"lines.txt": "ONE" + lines[3:]}})
		w.must(err)
		w.release(map[string]string{"goldenpaths/svc/template/lines.txt": strings.ReplaceAll(linesV2, "\n", "\r\n")})
		w.until("a pull request brings the change", func() bool { return w.pull("acme/payments", "goldenpath/svc") != nil })
		if got, want := w.file("acme/payments", "goldenpath/svc", "lines.txt"), "ONE"+linesV2[3:]; got != want {
			w.Errorf("lines.txt on the branch is %q, want %q", got, want)
		}
	})
}
