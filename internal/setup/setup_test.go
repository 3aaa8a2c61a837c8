package setup_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/forge/openapi"
	"github.com/goldenpaths/syncer/internal/setup"
)

var update = flag.Bool("update", false, "write the permissions into docs/installation.md")

// stand is a server with /setup, the GitHub it registers at, and a browser.
type stand struct {
	t       *testing.T
	hub     *localhub.Hub
	github  *url.URL
	setup   *setup.Setup
	dir     string
	log     bytes.Buffer
	browser *http.Client
	here    *url.URL
	kept    chan setup.Kept
	clock   atomic.Int64
}

// newStand sets up at a localhub, or at another GitHub where one is given.
func newStand(t *testing.T, other http.Handler) *stand {
	t.Helper()
	s := &stand{t: t, dir: filepath.Join(t.TempDir(), "app"), kept: make(chan setup.Kept, 10)}
	s.clock.Store(time.Now().Unix())
	if other == nil {
		hub, err := localhub.New(localhub.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { hub.Close() })
		s.hub, s.github = hub, parse(t, hub.URL())
	} else {
		server := httptest.NewServer(other)
		t.Cleanup(server.Close)
		s.github = parse(t, server.URL)
	}
	router := mux.NewRouter()
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	s.here = parse(t, server.URL)
	var err error
	s.setup, err = setup.New(setup.Config{
		GitHub: s.github, Home: s.here, Here: s.here, HookPath: "/webhooks/github", Owner: "acme", Directory: s.dir,
		Now:  func() time.Time { return time.Unix(s.clock.Load(), 0) },
		Log:  slog.New(slog.NewTextHandler(&s.log, nil)),
		Done: func(k setup.Kept) { s.kept <- k },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.setup.Mount(router)
	s.browser = browser(t)
	return s
}

func browser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 10 * time.Second}
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (s *stand) get(address string) (int, string, *http.Response) {
	s.t.Helper()
	resp, err := s.browser.Get(address)
	if err != nil {
		s.t.Fatal(err)
	}
	return read(s.t, resp)
}

func read(t *testing.T, resp *http.Response) (int, string, *http.Response) {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp
}

// form finds the form that goes to GitHub.
func form(t *testing.T, page string) (action, manifest string) {
	t.Helper()
	m := regexp.MustCompile(`(?s)<form method="post" action="([^"]*)">\s*<input type="hidden" name="manifest" value="([^"]*)">`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the page has no form with a manifest:\n%s", page)
	}
	return html.UnescapeString(m[1]), html.UnescapeString(m[2])
}

// TestRegister goes the whole way: link, page, GitHub, callback, files.
func TestRegister(t *testing.T) {
	s := newStand(t, nil)
	status, page, resp := s.get(s.setup.Link())
	if status != 200 || resp.Request.URL.RawQuery != "" {
		t.Fatalf("the link leads to %d %s, want the page at an address without the token", status, resp.Request.URL)
	}
	for _, p := range setup.Permissions() {
		if !strings.Contains(html.UnescapeString(page), p.Reason) {
			t.Errorf("the page does not say why it wants %s", p.Name)
		}
	}
	action, text := form(t, page)
	if want := s.github.JoinPath("/organizations/acme/settings/apps/new?state=").String(); !strings.HasPrefix(action, strings.ReplaceAll(want, "%3F", "?")) {
		t.Errorf("the form goes to %s, want %s…", action, want)
	}
	resp, err := s.browser.PostForm(action, url.Values{"manifest": {text}, "confirm": {"yes"}, "app_name": {"Golden Paths"}})
	if err != nil {
		t.Fatal(err)
	}
	status, page, resp = read(t, resp)
	if status != 200 || !strings.Contains(page, "The App is registered") {
		t.Fatalf("the callback answers %d:\n%s", status, page)
	}
	kept := <-s.kept
	app := s.hub.FindApp("golden-paths")
	if app == nil {
		t.Fatal("the hub has no such App")
	}
	s.sameSecrets(kept, app)
	if !strings.Contains(page, "/installations/new") {
		t.Errorf("the page does not lead to the installation:\n%s", page)
	}
	s.noSecrets(page, s.log.String(), app.PrivateKey())

	// It is over: the link, the page and the callback.
	for _, address := range []string{s.setup.Link(), s.here.JoinPath("setup").String(), resp.Request.URL.String()} {
		if status, page, _ := s.get(address); status != http.StatusGone || !strings.Contains(page, "The App is registered.") {
			t.Errorf("%s answers %d after it is done, want 410", address, status)
		}
	}
}

func (s *stand) sameSecrets(kept setup.Kept, app *localhub.App) {
	s.t.Helper()
	key, err := os.ReadFile(kept.PrivateKey)
	if err != nil || !bytes.Equal(key, app.PrivateKey()) {
		s.t.Errorf("the private key in %s is another (%v)", kept.PrivateKey, err)
	}
	secret, err := os.ReadFile(kept.WebhookSecret)
	if err != nil || len(strings.TrimSpace(string(secret))) < 20 {
		s.t.Errorf("the webhook secret in %s has %d bytes (%v)", kept.WebhookSecret, len(secret), err)
	}
	config, err := os.ReadFile(kept.Config)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, want := range []string{fmt.Sprintf("app-id: %d\n", app.ID()), kept.PrivateKey, kept.WebhookSecret, "url: \"" + s.github.String()} {
		if !strings.Contains(string(config), want) {
			s.t.Errorf("%s lacks %q:\n%s", kept.Config, want, config)
		}
	}
	for _, name := range []string{kept.Config, kept.PrivateKey, kept.WebhookSecret} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			s.t.Errorf("%s has mode %v (%v), want 0600", name, info.Mode().Perm(), err)
		}
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) != 3 {
		s.t.Errorf("%d files in the folder (%v), want 3", len(entries), err)
	}
	if info, err := os.Stat(s.dir); err != nil || info.Mode().Perm() != 0o700 {
		s.t.Errorf("the folder has mode %v (%v), want 0700", info.Mode().Perm(), err)
	}
}

func (s *stand) noSecrets(page, log string, key []byte) {
	s.t.Helper()
	for _, secret := range []string{strings.Split(string(key), "\n")[1], s.setup.Link()[strings.Index(s.setup.Link(), "token=")+6:]} {
		if strings.Contains(page, secret) || strings.Contains(log, secret) {
			s.t.Errorf("a secret is on the page or in the log:\n%s\n%s", page, log)
		}
	}
}

func TestManifest(t *testing.T) {
	s := newStand(t, nil)
	_, page, _ := s.get(s.setup.Link())
	_, text := form(t, page)
	var m struct {
		Name, URL   string
		Public      bool
		Hook        struct{ URL string } `json:"hook_attributes"`
		RedirectURL string               `json:"redirect_url"`
		Permissions map[string]string    `json:"default_permissions"`
		Events      []string             `json:"default_events"`
		Other       map[string]any       `json:"-"`
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	if m.Name != "syncer-acme" || m.URL != s.here.String() || m.Hook.URL != s.here.String()+"/webhooks/github" || m.RedirectURL != s.here.String()+"/setup/callback" || m.Public {
		t.Errorf("the manifest is %+v", m)
	}
	if diff := cmp.Diff(setup.Events(), m.Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if m.Permissions["workflows"] != "write" || len(m.Permissions) != len(setup.Permissions()) {
		t.Errorf("permissions are %v", m.Permissions)
	}
	// For a person's own account, and another organization's.
	_, page, _ = s.get(s.here.String() + "/setup?owner=")
	if action, _ := form(t, page); !strings.HasPrefix(action, s.github.String()+"/settings/apps/new?state=") {
		t.Errorf("for an account of one's own the form goes to %s", action)
	}
	_, page, _ = s.get(s.here.String() + "/setup?owner=umbrella")
	if action, _ := form(t, page); !strings.Contains(action, "/organizations/umbrella/") {
		t.Errorf("for umbrella the form goes to %s", action)
	}
	if status, page, _ := s.get(s.here.String() + "/setup?owner=" + url.QueryEscape(`x/../../evil"`)); status != http.StatusBadRequest || strings.Contains(page, "evil") {
		t.Errorf("an owner that is none answers %d:\n%s", status, page)
	}
}

// TestStrangers shows that nobody gets in, or through, without what belongs to it.
func TestStrangers(t *testing.T) {
	s := newStand(t, nil)
	callback := s.here.String() + "/setup/callback?code=abc&state="
	if status, page, _ := s.get(s.here.String() + "/setup"); status != 200 || strings.Contains(page, "manifest") {
		t.Errorf("without the token the page answers %d and shows the form", status)
	}
	if status, page, _ := s.get(s.here.String() + "/setup?token=wrong"); status != http.StatusForbidden || strings.Contains(page, "manifest") {
		t.Errorf("a wrong token answers %d", status)
	}
	if status, _, _ := s.get(callback + "x"); status != http.StatusForbidden {
		t.Errorf("a callback of a stranger answers %d", status)
	}
	// The token by a form, as people paste it.
	resp, err := s.browser.PostForm(s.here.String()+"/setup", url.Values{"token": {s.setup.Link()[strings.Index(s.setup.Link(), "token=")+6:] + " "}})
	if err != nil {
		t.Fatal(err)
	}
	status, page, resp := read(t, resp)
	action, _ := form(t, page)
	if status != 200 {
		t.Fatalf("the token by form answers %d", status)
	}
	if got := resp.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || !strings.Contains(got, "form-action 'self' "+s.github.String()) {
		t.Errorf("the policy of the page is %q", got)
	}
	if status, _, _ := s.get(callback + "x"); status != http.StatusForbidden {
		t.Errorf("a callback with a state of nobody answers %d", status)
	}
	state := parse(t, action).Query().Get("state")
	if status, _, _ := s.get(s.here.String() + "/setup/callback?state=" + state + "&code=" + url.QueryEscape("../../x")); status != http.StatusBadRequest {
		t.Errorf("a code that is a path answers %d", status)
	}
	// Another browser cannot use this one's state, though it knows the token.
	mine := s.browser
	s.browser = browser(t)
	s.get(s.setup.Link())
	if status, _, _ := s.get(callback + state); status != http.StatusForbidden {
		t.Errorf("another browser's callback answers %d", status)
	}
	s.browser = mine
	// GitHub does not know the code: the state is spent with it.
	if status, page, _ := s.get(callback + state); status != http.StatusBadGateway || !strings.Contains(page, "does not know this code") {
		t.Errorf("an unknown code answers %d:\n%s", status, page)
	}
	if status, _, _ := s.get(callback + state); status != http.StatusForbidden {
		t.Errorf("a spent state answers %d", status)
	}
	if len(s.kept) != 0 {
		t.Error("something was kept")
	}
}

func TestHourIsOver(t *testing.T) {
	s := newStand(t, nil)
	s.get(s.setup.Link())
	s.clock.Add(3600)
	for _, address := range []string{s.setup.Link(), s.here.String() + "/setup", s.here.String() + "/setup/callback?code=a&state=b"} {
		if status, page, _ := s.get(address); status != http.StatusGone || !strings.Contains(page, "good for an hour") {
			t.Errorf("%s answers %d after an hour, want 410", address, status)
		}
	}
}

// TestAnswers gives what a broken or hostile GitHub could.
func TestAnswers(t *testing.T) {
	app := func(change func(map[string]any)) string {
		hub, err := localhub.New(localhub.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Close()
		a, err := hub.App(localhub.AppOptions{Owner: "acme", Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]any{"id": 5, "slug": "x", "name": "<b>x</b>", "html_url": "https://evil.example.com/x", "pem": string(a.PrivateKey()), "webhook_secret": "hunter2hunter2"}
		change(m)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, c := range []struct {
		name    string
		status  int
		answer  string
		want    string
		retries bool // whether a reload may succeed
	}{
		{"unavailable", 503, "hunter2", "503", true},
		{"redirected", 302, "", "302", true},
		{"no JSON", 201, `{"pem": hunter2`, "not an App in JSON", true},
		{"endless", 201, `{"id": 1, "x": "` + strings.Repeat("x", 2<<20), "more than", true},
		{"no number", 201, app(func(m map[string]any) { delete(m, "id") }), "lacks the App", true},
		{"a slug that is a path", 201, app(func(m map[string]any) { m["slug"] = "../x" }), "lacks the App", true},
		{"no key", 201, app(func(m map[string]any) { m["pem"] = "hunter2" }), "without a private key", true},
		{"a key that is none", 201, app(func(m map[string]any) { m["pem"] = "-----BEGIN X-----\naHVudGVyMg==\n-----END X-----\n" }), "cannot be read", true},
		{"a secret of two lines", 201, app(func(m map[string]any) { m["webhook_secret"] = "hunter2\n  x: y" }), "several lines", true},
		{"gone", 404, "{}", "does not know this code", false},
		{"no secret", 201, app(func(m map[string]any) { m["webhook_secret"] = nil }), "GitHub gave no webhook secret", false},
		{"a page elsewhere", 201, app(func(map[string]any) {}), "/apps/x/installations/new", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != "/api/v3/app-manifests/abc/conversions" {
					t.Errorf("asked for %s %s", r.Method, r.URL)
				}
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			_, page, _ := s.get(s.setup.Link())
			action, _ := form(t, page)
			callback := s.here.String() + "/setup/callback?code=abc&state=" + parse(t, action).Query().Get("state")
			_, page, _ = s.get(callback)
			if !strings.Contains(html.UnescapeString(page), c.want) {
				t.Errorf("the page lacks %q:\n%s", c.want, page)
			}
			if strings.Contains(page, "hunter2") || strings.Contains(s.log.String(), "hunter2") || strings.Contains(page, "evil") || strings.Contains(page, "<b>") {
				t.Errorf("what GitHub said is on the page or in the log:\n%s\n%s", page, s.log.String())
			}
			status, _, _ := s.get(callback)
			if retried := status == http.StatusBadGateway; retried != c.retries {
				t.Errorf("a reload answers %d", status)
			}
		})
	}
}

// TestNoRoom is said before an App is registered whose key nobody could keep.
func TestNoRoom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := setup.New(setup.Config{Directory: filepath.Join(file, "app")})
	if err == nil || !strings.Contains(err.Error(), "give a folder that can be written to") {
		t.Errorf("got %v", err)
	}
}

const (
	docs  = "../../docs/installation.md"
	begin = "<!-- permissions: written by go test ./internal/setup -update -->\n"
	end   = "<!-- end of permissions -->\n"
)

// TestManual holds docs/installation.md to the table.
func TestManual(t *testing.T) {
	data, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks %q and %q", docs, begin, end)
	}
	want := "\n" + setup.Markdown() + "\n"
	if *update {
		if err := os.WriteFile(docs, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, old); diff != "" {
		t.Errorf("%s (run go test ./internal/setup -update) (-want +got):\n%s", docs, diff)
	}
}

// TestWhatIsReadIsDescribed holds what is read of the answer to GitHub's description.
func TestWhatIsReadIsDescribed(t *testing.T) {
	described, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	reads := openapi.Reads{}
	for field := range reflect.TypeFor[setup.App]().Fields() {
		reads[field.Tag.Get("json")] = nil
	}
	lacking, err := described.Lacking(http.MethodPost, "app-manifests/1/conversions", reads)
	if err != nil || lacking != nil {
		t.Errorf("%d members are read, of which the answer lacks %q (%v)", len(reads), lacking, err)
	}
}
