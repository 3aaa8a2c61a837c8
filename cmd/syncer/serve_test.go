package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

const (
	hookSecret = "a-webhook-secret-<&>-of-the-test"
	waitLimit  = 30 * time.Second
)

// output collects what a process logs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is "syncer serve" as a program of its own.
type process struct {
	t      *testing.T
	dir    string
	cmd    *exec.Cmd
	log    *output
	exited chan error
}

// serveIn starts the program in a folder, on ports that are free.
func serveIn(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, dir: dir, log: &output{}, exited: make(chan error, 1)}
	p.cmd = exec.Command("syncer", append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, args...)...)
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "SYNCER_PLATFORM_REPOSITORY=acme/platform",
		"SYNCER_URL=http://127.0.0.1:8080", "SYNCER_LOG_LEVEL=debug", "SYNCER_SHUTDOWN_TIMEOUT=10s"}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("the log of the server:\n%s", p.log)
		}
	})
	return p
}

// await waits until done returns true.
func (p *process) await(what string, done func() bool) {
	p.t.Helper()
	deadline := time.After(waitLimit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("waited %s for %s", waitLimit, what)
		case err := <-p.exited:
			p.exited <- err
			if !done() {
				p.t.Fatalf("the server ended (%v) while the test waited for %s", err, what)
			}
			return
		}
	}
}

// logged waits for a record and returns one of its attributes.
func (p *process) logged(message, attribute string) string {
	p.t.Helper()
	var found string
	p.await(fmt.Sprintf("a record %q with %s", message, attribute), func() bool {
		for line := range strings.Lines(p.log.String()) {
			var record map[string]any
			if json.Unmarshal([]byte(line), &record) != nil || record["msg"] != message {
				continue
			}
			if found = fmt.Sprint(record[attribute]); attribute == "" || found != "<nil>" {
				return true
			}
		}
		return false
	})
	return found
}

// address finds where a server listens: "public" or "admin".
func (p *process) address(name string) string {
	p.t.Helper()
	found := regexp.MustCompile(`"msg":"listening","server":"` + name + `","address":"([^"]*)"`)
	var m []string
	p.await(name+" to listen", func() bool { m = found.FindStringSubmatch(p.log.String()); return m != nil })
	return "http://" + m[1]
}

func (p *process) ready() {
	p.t.Helper()
	address := p.address("public") + "/readyz"
	p.await("readiness", func() bool { status, _ := get(p.t, address); return status == http.StatusOK })
}

// stop sends a signal and returns the exit code.
func (p *process) stop(s os.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	return p.code()
}

func (p *process) code() int {
	p.t.Helper()
	select {
	case err := <-p.exited:
		p.exited <- err
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode()
		}
		return 0
	case <-time.After(waitLimit):
		p.t.Fatal("the server did not end")
		return 0
	}
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	resp, err := http.Get(address) //nolint:gosec // the test's own server
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// ping is a signed delivery, ready to be sent.
func ping(t *testing.T, to, guid, secret string) *http.Request {
	t.Helper()
	body := `{"zen": "Half measures are as bad as nothing at all.", "hook_id": 1}`
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to+"/webhooks/github", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "ping")
	req.Header.Set("X-GitHub-Delivery", guid)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return req
}

func send(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// hubWithApp is a GitHub with an App, and the environment that configures it.
func hubWithApp(t *testing.T) (*localhub.Hub, *localhub.App, []string) {
	t.Helper()
	hub, err := localhub.New(localhub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Close() })
	app, err := hub.App(localhub.AppOptions{Owner: "acme", Name: "syncer", WebhookSecret: hookSecret,
		Permissions: map[string]string{"contents": "write"}, Events: []string{"push", "repository"}})
	if err != nil {
		t.Fatal(err)
	}
	alice := hub.Person("alice")
	hub.Organization("acme").Add("admin", "alice")
	if err := alice.CreateRepository("acme/platform", localhub.NewRepository{Files: platformFiles()}); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Install(app, "acme"); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, app.PrivateKey(), 0o600); err != nil {
		t.Fatal(err)
	}
	return hub, app, []string{"SYNCER_GITHUB_URL=" + hub.URL(), fmt.Sprintf("SYNCER_GITHUB_APP_ID=%d", app.ID()),
		"SYNCER_GITHUB_PRIVATE_KEY_FILE=" + key, "SYNCER_GITHUB_WEBHOOK_SECRET=" + hookSecret}
}

// TestServe is a day in the server's life: start, deliveries, metrics, stop.
func TestServe(t *testing.T) {
	spans := &atomic.Int64{}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" && r.Method == http.MethodPost {
			spans.Add(1)
		}
	}))
	t.Cleanup(collector.Close)
	hub, app, env := hubWithApp(t)
	p := serveIn(t, t.TempDir(), append(env, "SYNCER_OTLP_ENDPOINT="+collector.URL))
	public, admin := p.address("public"), p.address("admin")
	p.ready()

	if status, answer := send(t, ping(t, public, "guid-1", hookSecret)); status != http.StatusAccepted {
		t.Errorf("a signed ping is answered %d: %s", status, answer)
	}
	if status, answer := send(t, ping(t, public, "guid-1", hookSecret)); status != http.StatusAccepted || !strings.Contains(answer, "processed before") {
		t.Errorf("the same ping again is answered %d: %s", status, answer)
	}
	if status, _ := send(t, ping(t, public, "guid-2", "another secret")); status != http.StatusUnauthorized {
		t.Errorf("a ping that somebody else signed is answered %d", status)
	}
	// What GitHub itself sends when the App is installed, through to the database.
	app.SetWebhook(public+"/webhooks/github", hookSecret)
	hub.Organization("globex").Add("admin", "alice")
	if _, err := hub.Person("alice").Install(app, "globex"); err != nil {
		t.Fatal(err)
	}
	var metrics string
	p.await("the installation's job", func() bool {
		_, metrics = get(t, admin+"/metrics")
		return strings.Contains(metrics, `syncer_jobs_total{kind="installation",outcome="done"} 1`)
	})
	for _, want := range []string{
		`syncer_deliveries_total{event="ping",outcome="accepted"} 2`, `syncer_deliveries_total{event="ping",outcome="unsigned"} 1`,
		`syncer_deliveries_total{event="installation",outcome="accepted"} 1`, `syncer_github_requests_total{class="read",status="200"}`,
		`syncer_queue_jobs{kind="installation",state=`, `syncer_github_pull_requests_per_hour{installation="`,
		`syncer_job_seconds_count{kind="installation"} 1`, `syncer_build_info{version="dev"} 1`, "go_goroutines", "syncer_delivery_seconds_count 4", "syncer_first_deploy_seconds_count 0",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	record := p.logged("installation", "delivery")
	if job := p.logged("installation", "job"); record == "" || job == "" {
		t.Errorf("the record of the installation has job %q and delivery %q", job, record)
	}
	surfaces(t, public, admin)
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM ends it with exit code %d, want 0", code)
	}
	if !strings.Contains(p.log.String(), `"msg":"stopped"`) {
		t.Error("it did not say that it stopped")
	}
	if spans.Load() == 0 {
		t.Error("the collector of traces got nothing")
	}
	key := strings.Split(string(app.PrivateKey()), "\n")
	for _, secret := range []string{hookSecret, `a-webhook-secret-\u003c\u0026\u003e`, key[1], key[5]} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("the log has the secret %q", secret)
		}
	}
}

// surfaces looks at what each of the two addresses answers, and with what headers.
func surfaces(t *testing.T, public, admin string) {
	t.Helper()
	for address, want := range map[string]int{
		public + "/healthz": 200, public + "/readyz": 200, public + "/metrics": 404, public + "/jobs/": 404, public + "/debug/pprof/": 404,
		public + "/setup": 404, public + "/webhooks/github": 405,
		admin + "/healthz": 200, admin + "/readyz": 200, admin + "/jobs/": 200, admin + "/jobs/api/states": 200, admin + "/debug/pprof/": 200,
		admin + "/": 200, admin + "/debug/pprof/cmdline": 200, admin + "/webhooks/github": 404,
	} {
		if status, _ := get(t, address); status != want {
			t.Errorf("%s answers %d, want %d", address, status, want)
		}
	}
	resp, err := http.Get(public + "/nowhere") //nolint:gosec // the test's own server
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for _, h := range []string{"X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy", "Referrer-Policy", "X-Request-Id"} {
		if resp.Header.Get(h) == "" {
			t.Errorf("the header %s is missing", h)
		}
	}
	// A page elsewhere cannot have an administrator's browser act on jobs.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, admin+"/jobs/api/jobs/cancel", strings.NewReader(`{"ids":["1"]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _ := send(t, req); status != http.StatusForbidden {
		t.Errorf("a cross-site request to cancel a job is answered %d, want 403", status)
	}
}

// TestServeRegisters starts without an App, registers one as a person would, goes on
// with it, and finds it again at the next start.
func TestServeRegisters(t *testing.T) {
	hub, err := localhub.New(localhub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Close() })
	dir := t.TempDir()
	env := []string{"SYNCER_GITHUB_URL=" + hub.URL(), "SYNCER_LISTEN="}
	address := freeAddress(t)
	args := []string{"--listen", address, "--url", "http://" + address}
	p := serveIn(t, dir, env, args...)
	link := p.logged("no GitHub App is configured; register one at this link within an hour", "link")
	if status, body := get(t, p.address("public")+"/readyz"); status != 503 || !strings.Contains(body, "GitHub App") {
		t.Errorf("/readyz answers %d %s before there is an App", status, body)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	page := visit(t, func() (*http.Response, error) { return browser.Get(link) })
	m := regexp.MustCompile(`(?s)action="(http[^"]*)">\s*<input type="hidden" name="manifest" value="([^"]*)">`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no form:\n%s", page)
	}
	form := url.Values{"manifest": {unescape(m[2])}, "confirm": {"yes"}}
	page = visit(t, func() (*http.Response, error) { return browser.PostForm(unescape(m[1]), form) })
	if !strings.Contains(page, "The App is registered") {
		t.Fatalf("the browser ends at:\n%s", page)
	}
	// The server waits for the App to be installed on the platform repository.
	p.logged("the platform repository is not there yet", "again")
	alice := hub.Person("alice")
	hub.Organization("acme").Add("admin", "alice")
	if err := alice.CreateRepository("acme/platform", localhub.NewRepository{Files: platformFiles()}); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Install(hub.FindApp("syncer-acme"), "acme"); err != nil {
		t.Fatal(err)
	}
	p.ready()
	secrets, err := filepath.Glob(filepath.Join(dir, "github-app", "*.webhook-secret"))
	if err != nil || len(secrets) != 1 {
		t.Fatalf("files with secrets: %v (%v)", secrets, err)
	}
	secret, err := os.ReadFile(secrets[0])
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(guid string) {
		t.Helper()
		if status, answer := send(t, ping(t, p.address("public"), guid, strings.TrimSpace(string(secret)))); status != http.StatusAccepted {
			t.Errorf("a ping with the new secret is answered %d: %s", status, answer)
		}
	}
	deliver("guid-1")
	if status, _ := get(t, p.address("public")+"/setup"); status != http.StatusNotFound {
		t.Errorf("/setup answers %d once there is an App", status)
	}
	if code := p.stop(syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(p.log.String(), strings.TrimSpace(string(secret))) {
		t.Error("the log has the new webhook secret")
	}
	p = serveIn(t, dir, env, args...)
	p.ready()
	deliver("guid-2")
	if code := p.stop(syscall.SIGTERM); code != 0 || strings.Contains(p.log.String(), "/setup") {
		t.Errorf("the second start ends with %d, or asked to register again", code)
	}
}

func unescape(text string) string {
	return strings.NewReplacer("&#34;", `"`, "&amp;", "&").Replace(text)
}

func visit(t *testing.T, do func() (*http.Response, error)) string {
	t.Helper()
	resp, err := do()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestServeRefuses(t *testing.T) {
	_, _, env := hubWithApp(t)
	_, other, _ := hubWithApp(t)
	wrong := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(wrong, other.PrivateKey(), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"mistakes in the configuration", []string{"--url", "x", "--workers", "0"}, exitUsage, "the configuration has 2 mistakes:"},
		{"an argument", []string{"x"}, exitUsage, "takes no arguments"},
		{"an address that is taken", []string{"--admin-listen", l.Addr().String()}, exitFailed, "address already in use"},
		{"the key of another App", []string{"--github-private-key-file", wrong}, exitFailed, "check that github.app-id and the private key belong together"},
		{"a database in no folder", []string{"--database", "sqlite:/nowhere/x.db"}, exitFailed, "its folder must exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := serveIn(t, t.TempDir(), env, c.args...)
			if code := p.code(); code != c.code || !strings.Contains(p.log.String(), c.want) {
				t.Errorf("exit code %d, want %d, with %q in:\n%s", code, c.code, c.want, p.log)
			}
		})
	}
}

// TestServeWaits shows a server that is alive, and says what it waits for.
func TestServeWaits(t *testing.T) {
	_, _, env := hubWithApp(t)
	p := serveIn(t, t.TempDir(), env, "--github-url", "http://"+freeAddress(t))
	public, admin := p.address("public"), p.address("admin")
	p.logged("GitHub does not answer", "error")
	if status, _ := get(t, public+"/healthz"); status != 200 {
		t.Errorf("/healthz answers %d", status)
	}
	status, body := get(t, public+"/readyz")
	if status != 503 || !strings.Contains(body, `"missing":["GitHub","platform repository","jobs"]`) || strings.Contains(body, "refused") {
		t.Errorf("/readyz answers %d %s to the world", status, body)
	}
	if status, body := get(t, admin+"/readyz"); status != 503 || !strings.Contains(body, "refused") {
		t.Errorf("/readyz answers %d %s to administrators, who want to know why", status, body)
	}
	if status, _ := send(t, ping(t, public, "guid", hookSecret)); status != 503 {
		t.Errorf("a delivery is answered %d", status)
	}
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// half is a delivery of which only a part has arrived.
func half(t *testing.T, p *process) (conn net.Conn, rest string) {
	t.Helper()
	req := ping(t, p.address("public"), "guid-half", hookSecret)
	var text bytes.Buffer
	if err := req.Write(&text); err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", req.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	middle := text.Len() - 10
	if _, err := conn.Write(text.Bytes()[:middle]); err != nil {
		t.Fatal(err)
	}
	return conn, text.String()[middle:]
}

// TestServeFinishes stops the server in the middle of a delivery: it is kept, and
// answered.
func TestServeFinishes(t *testing.T) {
	_, _, env := hubWithApp(t)
	p := serveIn(t, t.TempDir(), env)
	p.ready()
	conn, rest := half(t, p)
	// A later request that was answered shows that the half one has arrived.
	send(t, ping(t, p.address("public"), "guid-whole", hookSecret))
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.logged("stopping; interrupt again to stop at once", "timeout")
	if _, err := io.WriteString(conn, rest); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 202 ") {
		t.Errorf("the delivery is answered %.60q (%v)", answer, err)
	}
	if code := p.code(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestServeSecondInterrupt does not wait for anybody.
func TestServeSecondInterrupt(t *testing.T) {
	_, _, env := hubWithApp(t)
	p := serveIn(t, t.TempDir(), env)
	p.ready()
	half(t, p)
	send(t, ping(t, p.address("public"), "guid-whole", hookSecret))
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.logged("stopping; interrupt again to stop at once", "timeout")
	began := time.Now()
	if code := p.stop(os.Interrupt); code != -1 || strings.Contains(p.log.String(), `"msg":"stopped"`) {
		t.Errorf("exit code %d after %s, want to be ended by the signal", code, time.Since(began))
	}
}

// TestServeReplicas starts two at once on one PostgreSQL: both migrate, both get
// ready, and a delivery that reaches both is processed once.
func TestServeReplicas(t *testing.T) {
	cluster, err := storetest.StartCluster()
	if errors.Is(err, storetest.ErrNoPostgres) && os.Getenv("SYNCER_REQUIRE_POSTGRES") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceValue(cluster.Stop)
	t.Cleanup(func() { _ = stop() })
	address, err := cluster.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	_, _, env := hubWithApp(t)
	env = append(env, "SYNCER_DATABASE="+address)
	a, b := serveIn(t, t.TempDir(), env), serveIn(t, t.TempDir(), env)
	a.ready()
	b.ready()
	fresh := 0
	for _, p := range []*process{a, b} {
		status, answer := send(t, ping(t, p.address("public"), "guid-1", hookSecret))
		if status != http.StatusAccepted {
			t.Errorf("answered %d: %s", status, answer)
		}
		if !strings.Contains(answer, "processed before") {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("the delivery was processed %d times", fresh)
	}
	// A database that is gone makes a replica unready, and does not end it.
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	a.await("the loss of the database to be noticed", func() bool {
		status, body := get(t, a.address("public")+"/readyz")
		return status == 503 && strings.Contains(body, `"missing":["database"]`)
	})
	if status, _ := get(t, a.address("public")+"/healthz"); status != 200 {
		t.Errorf("/healthz answers %d without a database", status)
	}
}

func TestServePrintConfig(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "syncer", "serve", "--print-config", "--json", "--workers", "3")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "SYNCER_DATABASE=postgres://u:hunter2@h/d", "SYNCER_GITHUB_WEBHOOK_SECRET=hunter2"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != exitUsage {
		t.Errorf("a configuration with mistakes ends with %v, want %d", err, exitUsage)
	}
	var first []map[string]string
	if err := json.NewDecoder(&out).Decode(&first); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, v := range first {
		found[v["setting"]] = v["value"] + " from " + v["from"]
	}
	if found["workers"] != "3 from flag --workers" || found["database"] != "postgres://u:xxxxx@h/d from environment SYNCER_DATABASE" {
		t.Errorf("got %v", found)
	}
	if strings.Contains(out.String()+errs.String()+fmt.Sprint(found), "hunter2") {
		t.Error("a secret is shown")
	}
}
