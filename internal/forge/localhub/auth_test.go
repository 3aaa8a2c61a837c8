package localhub_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// bearer carries a fixed secret.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// status is the code of a failed call; 0 for success.
func status(err error) int {
	if failed, ok := errors.AsType[*github.ErrorResponse](err); ok {
		return failed.Response.StatusCode
	}
	return 0
}

func TestJWT(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	block, _ := pem.Decode(w.app.PrivateKey())
	private, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	must(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	now := time.Now()
	good := jwt.MapClaims{"iss": w.app.ID(), "iat": now.Add(-30 * time.Second).Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	with := func(name string, value any) jwt.MapClaims {
		changed := jwt.MapClaims{}
		maps.Copy(changed, good)
		changed[name] = value
		return changed
	}
	for _, c := range []struct {
		name   string
		method jwt.SigningMethod
		key    any
		claims jwt.MapClaims
		status int
		want   string
	}{
		{"good", jwt.SigningMethodRS256, private, good, 200, ""},
		{"by client id", jwt.SigningMethodRS256, private, with("iss", w.app.ClientID()), 200, ""},
		{"another key", jwt.SigningMethodRS256, other, good, 401, "could not be decoded"},
		{"another algorithm", jwt.SigningMethodHS256, []byte("x"), good, 401, "could not be decoded"},
		{"none", jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good, 401, "could not be decoded"},
		{"too long", jwt.SigningMethodRS256, private, with("exp", now.Add(11*time.Minute).Unix()), 401, "too far in the future"},
		{"over", jwt.SigningMethodRS256, private, with("exp", now.Add(-time.Minute).Unix()), 401, "('exp') must be"},
		{"issued in the future", jwt.SigningMethodRS256, private, with("iat", now.Add(time.Minute).Unix()), 401, "('iat') must be"},
		{"unknown App", jwt.SigningMethodRS256, private, with("iss", 1), 404, "Integration not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := jwt.NewWithClaims(c.method, c.claims).SignedString(c.key)
			must(t, err)
			code, body, _ := w.raw(w.enterprise(bearer(text)), "GET", "/app", nil)
			message, _ := body["message"].(string)
			if code != c.status || !strings.Contains(message, c.want) {
				t.Errorf("got %d %q, want %d %q", code, message, c.status, c.want)
			}
		})
	}
}

func TestTokensAreEnforced(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("one", map[string]string{"a": "a\n"})
	w.repository("two", map[string]string{"a": "a\n"})
	w.repository("outside", map[string]string{"a": "a\n"})
	must(t, w.alice.CreateRepository("acme/public", localhub.NewRepository{Files: map[string]string{"a": "a\n"}}))
	install := w.install("one", "two")
	ctx := t.Context()
	client := w.client(install, &github.InstallationTokenOptions{
		Repositories: []string{"one"}, Permissions: &github.InstallationPermissions{Contents: new("read"), Issues: new("write")},
	})
	create := func(repo string) error {
		_, _, err := client.Issues.Create(ctx, "acme", repo, &github.IssueRequest{Title: new("x")})
		return err
	}
	ref := func(repo string) error {
		_, _, err := client.Git.GetRef(ctx, "acme", repo, "heads/main")
		return err
	}
	newRef := func(repo string) error {
		_, _, err := client.Git.CreateRef(ctx, "acme", repo, &github.Reference{Ref: new("refs/heads/x"), Object: &github.GitObject{SHA: new(strings.Repeat("1", 40))}})
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"reading what it may", ref("one"), 0},
		{"writing what it may", create("one"), 0},
		{"writing what it may not", newRef("one"), 403},
		{"another repository of the installation", ref("two"), 404},
		{"a private repository outside", ref("outside"), 404},
		{"a public repository outside", ref("public"), 0},
		{"writing to a public repository outside", create("public"), 403},
	} {
		if got := status(c.err); got != c.want || c.want == 0 && c.err != nil {
			t.Errorf("%s: got %v, want %d", c.name, c.err, c.want)
		}
	}
	code, body, header := w.raw(client, "POST", "/repos/acme/one/git/refs", map[string]string{"ref": "refs/heads/x", "sha": strings.Repeat("1", 40)})
	if code != 403 || body["message"] != "Resource not accessible by integration" || header.Get("X-Accepted-Github-Permissions") != "contents=write" {
		t.Errorf("got %d %v %v", code, body, header)
	}
	if got := len(listed(t, client)); got != 1 {
		t.Errorf("the token lists %d repositories, want 1", got)
	}
	_, _, err := w.asApp().Apps.CreateInstallationToken(ctx, install.ID(), &github.InstallationTokenOptions{Repositories: []string{"outside"}})
	if status(err) != 422 {
		t.Errorf("a token for what is not installed: %v", err)
	}
	_, _, err = w.asApp().Apps.CreateInstallationToken(ctx, install.ID(), &github.InstallationTokenOptions{Permissions: &github.InstallationPermissions{Packages: new("write")}})
	if status(err) != 422 {
		t.Errorf("a token with more than was granted: %v", err)
	}
	w.conforms()
}

func listed(t *testing.T, client *github.Client) []*github.Repository {
	t.Helper()
	list, _, err := client.Apps.ListRepos(t.Context(), nil)
	must(t, err)
	return list.Repositories
}

func TestTokensEnd(t *testing.T) {
	now := time.Now()
	w := newWorld(t, localhub.Options{Now: func() time.Time { return now }})
	w.repository("one", map[string]string{"a": "a\n"})
	install := w.install()
	client := w.enterprise(bearer(w.token(install, nil)))
	get := func() error {
		_, _, err := client.Repositories.Get(t.Context(), "acme", "one")
		return err
	}
	must(t, get())
	w.alice.Suspend(install)
	if err := get(); status(err) != 403 || !strings.Contains(err.Error(), "suspended") {
		t.Errorf("suspended: %v", err)
	}
	w.alice.Unsuspend(install)
	must(t, get())
	now = now.Add(61 * time.Minute)
	if err := get(); status(err) != 401 {
		t.Errorf("after an hour: %v", err)
	}
	now = now.Add(-61 * time.Minute)
	w.alice.Uninstall(install)
	if err := get(); status(err) != 401 {
		t.Errorf("uninstalled: %v", err)
	}
}

func TestNewPermissionsWaitForAcceptance(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("one", map[string]string{"a": "a\n"})
	w.app.RequestPermissions(map[string]string{"contents": "read"})
	install := w.install()
	w.app.RequestPermissions(map[string]string{"contents": "read", "issues": "write"}, "issues", "push")
	open := func() error {
		_, _, err := w.client(install, nil).Issues.Create(t.Context(), "acme", "one", &github.IssueRequest{Title: new("x")})
		return err
	}
	if err := open(); status(err) != 403 {
		t.Errorf("before: %v", err)
	}
	w.alice.Accept(install)
	must(t, open())
	events := w.events()
	if got := strings.Join(events, " "); got != "installation.created installation.new_permissions_accepted issues.opened" {
		t.Errorf("got %s", got)
	}
}
