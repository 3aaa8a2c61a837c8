package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

const (
	// replicaName is the program that a crash test starts: this test binary.
	replicaName = "syncer-replica"
	// replicaSettings is the environment variable with its settings as JSON.
	replicaSettings = "SYNCER_TEST_REPLICA"
	crashSecret     = "a secret of the crash test"
)

// unlimited is a pace without limits.
var unlimited = forge.Pace{
	MutationGap: -1, PointsPerMinute: -1, GraphQLPointsPerMinute: -1, ContentPerMinute: -1, ContentPerHour: -1,
	PullRequestsMin: 1_000_000, PullRequestsMax: 1_000_000, Burst: 1_000_000,
}

// replica is what a process of the service is told.
type replica struct {
	GitHub, Database, Mirrors string
	App                       int64
	Key                       []byte
}

// service opens the database and puts the service together. Migrate, Start and the
// closing of the database are the caller's.
func (r replica) service(ctx context.Context, log *slog.Logger) (*store.Store, *service, *mux.Router, error) {
	db, err := store.Open(ctx, r.Database)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, nil, nil, err
	}
	app, err := forge.New(forge.Config{URL: r.GitHub, AppID: r.App, Key: func() ([]byte, error) { return r.Key, nil }, Pace: unlimited})
	if err != nil {
		return nil, nil, nil, err
	}
	s, handler, err := serviceFor(ctx, serviceConfig{
		GitHub: r.GitHub, Platform: "acme/platform", App: app, DB: db, Secrets: []string{crashSecret}, Mirrors: r.Mirrors,
		Sweep: 20 * time.Second, Log: log, Jobs: jobs.Config{Workers: 4, Lost: 2 * time.Second},
	})
	router := mux.NewRouter()
	if err == nil {
		handler.Mount(router)
	}
	return db, s, router, err
}

// replicaUntilKilled is a replica in a process of its own. It says where it takes
// deliveries once it works.
func replicaUntilKilled() {
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			slog.Error("replica", "error", err)
			os.Exit(1)
		}
	}
	var r replica
	fail(json.Unmarshal([]byte(os.Getenv(replicaSettings)), &r))
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	_, s, router, err := r.service(ctx, log)
	fail(err)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	fail(err)
	fail(s.work.Start(ctx))
	fmt.Println(listener.Addr())
	fail((&http.Server{Handler: router, ReadHeaderTimeout: time.Minute}).Serve(listener))
}

// fleet is an organisation with members of version 1 that are known to the service,
// and what is needed to run replicas of it.
type fleet struct {
	*world
	settings replica
	members  []string
	requests atomic.Int64 // that GitHub saw
	balancer balancer
}

// balancer hands deliveries to a replica that lives.
type balancer struct {
	mu   sync.Mutex
	live map[string]bool
}

func (b *balancer) set(address string, live bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.live == nil {
		b.live = map[string]bool{}
	}
	delete(b.live, address)
	if live {
		b.live[address] = true
	}
}

// ServeHTTP answers 502 where nobody lives, or who was asked dies.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	address := ""
	for address = range b.live {
		break
	}
	b.mu.Unlock()
	if address == "" {
		http.Error(w, "no replica lives", http.StatusBadGateway)
		return
	}
	p := &httputil.ReverseProxy{
		Rewrite:      func(p *httputil.ProxyRequest) { p.SetURL(&url.URL{Scheme: "http", Host: address}) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p.ServeHTTP(w, r)
}

// The variants of members: one edits a line, one has a file of its own.
const variants = 3

func own(i int) map[string]string {
	switch i % variants {
	case 1:
		return map[string]string{"lines.txt": "ONE" + lines[3:]}
	case 2:
		return map[string]string{"mine.txt": "mine\n"}
	}
	return nil
}

// wanted are the files that the pull request of a member must bring it to.
func wanted(i int) map[string]string {
	name := memberName(i)
	want := map[string]string{"README.md": "# " + name + "\n\nOwned by core.\n", "ci.yaml": "ci: 2\n", "lines.txt": linesV2, "gitops/app.yaml": "app: " + name + "\n"}
	switch i % variants {
	case 1:
		want["lines.txt"] = "ONE" + linesV2[3:]
	case 2:
		want["mine.txt"] = "mine\n"
	}
	return want
}

func memberName(i int) string { return fmt.Sprintf("member-%03d", i) }

// newFleet makes n members, and lets the service get to know them.
func newFleet(t *testing.T, database string, n int) *fleet {
	t.Helper()
	f := &fleet{}
	h, err := localhub.New(localhub.Options{Limits: localhub.Unlimited(), Fault: func(localhub.Request) localhub.Fault {
		f.requests.Add(1)
		return localhub.Fault{}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	f.world = &world{T: t, hub: h, alice: h.Person("alice")}
	h.Organization("acme").Add("admin", "alice")
	f.must(f.alice.CreateRepository("acme/platform", localhub.NewRepository{Files: platformFiles()}))
	app, err := h.App(localhub.AppOptions{
		Owner: "acme", Name: "syncer", WebhookSecret: crashSecret,
		Permissions: map[string]string{
			"contents": "write", "metadata": "read", "pull_requests": "write", "issues": "write", "checks": "write", "workflows": "write",
		},
		Events: []string{"push", "create", "repository", "pull_request", "issue_comment", "issues"},
	})
	f.must(err)
	f.makeMembers(n)
	_, err = f.alice.Install(app, "acme")
	f.must(err)
	f.settings = replica{GitHub: h.URL(), Database: database, Mirrors: t.TempDir(), App: app.ID(), Key: app.PrivateKey()}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	f.db, f.service, _, err = f.settings.service(t.Context(), log)
	f.must(err)
	t.Cleanup(func() { _ = f.db.Close() })
	// Deliveries begin here: what was made above is found by the sweep.
	front := httptest.NewServer(&f.balancer)
	t.Cleanup(front.Close)
	app.SetWebhook(front.URL+"/webhooks/github", crashSecret)
	f.must(f.service.work.Start(t.Context()))
	f.wait("every member is known", 3*time.Minute, func() bool { return f.count(store.Filter{State: store.Current}) == n })
	f.must(f.service.work.Stop(t.Context()))
	return f
}

// makeMembers makes repositories that have version 1.
func (f *fleet) makeMembers(n int) {
	f.Helper()
	mirrors := gitrepo.Cache{Dir: f.TempDir()}
	s := &reconcile.Syncer{
		Open: func(ctx context.Context, location string) (reconcile.Platform, error) {
			p, err := mirrors.Open(ctx, location)
			return platform{p}, err
		},
		Split: split, Today: time.Now().Format(time.DateOnly),
	}
	g, err := s.GoldenPath(f.Context(), f.hub.URL()+"/acme/platform", "svc", "")
	f.must(err)
	for i := range n {
		name := memberName(i)
		made, err := s.Scaffold(g, scaffold.Inputs{"name": name, "team": "core", "token": "given once"}, scaffold.Facts{"owner": "acme", "name": name})
		f.must(err)
		files := map[string]string{}
		for p, file := range made.Files {
			files[p] = string(file.Data)
		}
		maps.Copy(files, own(i))
		f.must(f.alice.CreateRepository("acme/"+name, localhub.NewRepository{Files: files}))
		f.members = append(f.members, "acme/"+name)
	}
}

func (f *fleet) count(by store.Filter) int {
	f.Helper()
	n := 0
	for cursor := ""; ; {
		page, next, err := f.db.Members(f.Context(), by, cursor, 0)
		f.must(err)
		n += len(page)
		if next == "" {
			return n
		}
		cursor = next
	}
}

// wait is until with a time of its own.
func (f *fleet) wait(what string, most time.Duration, is func() bool) {
	f.Helper()
	for deadline := time.Now().Add(most); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.dump()
			f.Fatalf("waited in vain until %s", what)
		}
	}
}

// run starts a replica again and again, and kills it after so many requests of the
// fleet as next says, until next says that it may live. It ends with ctx.
func (f *fleet) run(ctx context.Context, mirrors string, next func() (requests int64, live bool)) error {
	settings := f.settings
	settings.Mirrors = mirrors
	env, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		cmd := exec.CommandContext(ctx, replicaName)
		cmd.Env = append(os.Environ(), replicaSettings+"="+string(env))
		cmd.Stderr = f.Output()
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		address, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("a replica does not start: %w", err)
		}
		address = strings.TrimSpace(address)
		f.balancer.set(address, true)
		requests, live := next()
		f.pass(ctx, requests, live)
		f.balancer.set(address, false)
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		_ = cmd.Wait() // it was killed, and says so
	}
	return nil
}

// longestLife bounds how long a replica lives that is to be killed: one that has
// nothing to do would otherwise live for ever.
const longestLife = 5 * time.Second

// pass waits until GitHub has seen so many more requests.
func (f *fleet) pass(ctx context.Context, requests int64, live bool) {
	began, most := f.requests.Load(), time.Now().Add(longestLife)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for live || f.requests.Load() < began+requests && time.Now().Before(most) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// crash changes the golden path, and kills replicas until the work is done.
func (f *fleet) crash(replicas, kills int) {
	f.Helper()
	const perMember = 6 // requests, with some that are made twice
	span := int64(replicas * perMember * len(f.members) * 3 / 2 / kills)
	var killed atomic.Int64
	next := func() (int64, bool) {
		if killed.Add(1) > int64(kills) {
			return 0, true
		}
		return rand.Int64N(span + 1), false
	}
	began, before := time.Now(), f.requests.Load()
	f.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2, "goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
	ctx, cancel := context.WithCancel(f.Context())
	ended := make(chan error, replicas)
	for range replicas {
		mirrors := f.TempDir()
		go func() { ended <- f.run(ctx, mirrors, next) }()
	}
	f.wait("every member has its pull request", 10*time.Minute, func() bool {
		return killed.Load() >= int64(kills+replicas) && f.idle() && f.proposed() == len(f.members)
	})
	cancel()
	for range replicas {
		f.must(<-ended)
	}
	f.Logf("%d members, %d replicas, %d kills, %s, %d requests", len(f.members), replicas, kills, time.Since(began).Round(time.Second), f.requests.Load()-before)
}

// idle reports whether no member's work waits or runs.
func (f *fleet) idle() bool {
	f.Helper()
	waiting, err := f.service.work.Waiting(f.Context())
	f.must(err)
	for _, kind := range []string{"member", "paths-changed", "scaffold"} {
		for state, n := range waiting[kind] {
			if n > 0 && !slices.Contains([]string{"completed", "cancelled", "discarded"}, state) {
				return false
			}
		}
	}
	return true
}

func (f *fleet) proposed() int {
	f.Helper()
	n := 0
	for _, m := range f.members {
		if f.pull(m, "goldenpath/svc") != nil {
			n++
		}
	}
	return n
}

// checkAll looks whether every member has exactly one right pull request and nothing
// else that is new.
func (f *fleet) checkAll() {
	f.Helper()
	title := ""
	for i, m := range f.members {
		pulls, err := f.hub.Pulls(m)
		f.must(err)
		if len(pulls) != 1 {
			f.Errorf("%s has %d pull requests, want 1", m, len(pulls))
			continue
		}
		p := pulls[0]
		if title == "" {
			title = p.Title
		}
		if p.State != "open" || p.Head != "goldenpath/svc" || p.Base != "main" || p.Title != title || !strings.HasPrefix(p.Title, "Update svc to ") {
			f.Errorf("%s: the pull request is %s, %s → %s, %q", m, p.State, p.Head, p.Base, p.Title)
		}
		branches, err := f.hub.Branches(m)
		f.must(err)
		if len(branches) != 2 || branches["goldenpath/svc"] != p.HeadID {
			f.Errorf("%s has the branches %v, want main and goldenpath/svc at %s", m, branches, p.HeadID)
		}
		files, err := f.hub.Files(m, "goldenpath/svc")
		f.must(err)
		for path, want := range wanted(i) {
			if files[path] != want {
				f.Errorf("%s: %s is %q, want %q", m, path, files[path], want)
			}
		}
		if n := len(files); n != len(wanted(i))+2 {
			f.Errorf("%s has %d files on the branch, want %d and syncer's two", m, n, len(wanted(i)))
		}
		if files, err := f.hub.Files(m, "main"); err != nil || files["ci.yaml"] != "ci: 1\n" {
			f.Errorf("%s: the default branch was touched: %v", m, err)
		}
		if issues, err := f.hub.Issues(m); err != nil || len(issues) != 0 {
			f.Errorf("%s has %d issues, want none: %v", m, len(issues), err)
		}
	}
	if n := f.count(store.Filter{State: store.Behind}); n != len(f.members) {
		f.Errorf("%d members are remembered as behind, want %d", n, len(f.members))
	}
	letters, _, err := f.service.work.DeadLetters(f.Context(), "", 20)
	f.must(err)
	if len(letters) > 0 {
		f.Errorf("dead letters: %+v", letters)
	}
}

// TestCrash kills the service at random moments while a change of a golden path goes
// out: every member gets exactly one right pull request. SYNCER_CRASH_MEMBERS and
// SYNCER_CRASH_KILLS ask for a larger fleet.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	members, kills := setting(t, "SYNCER_CRASH_MEMBERS", 40), setting(t, "SYNCER_CRASH_KILLS", 6)
	for name, c := range map[string]struct {
		replicas int
		database func(testing.TB) string
	}{
		"sqlite":     {1, storetest.SQLite},
		"postgresql": {2, storetest.PostgreSQL},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, c.database(t), members)
			f.crash(c.replicas, kills)
			f.checkAll()
		})
	}
}

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	n := otherwise
	if text := os.Getenv(name); text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil || n <= 0 {
			t.Fatalf("%s is %q; give a number", name, text)
		}
	}
	return n
}
