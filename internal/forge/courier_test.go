package forge

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var pay = Name{"acme", "pay"}

func TestTokenIsScopedAndKept(t *testing.T) {
	key, text := newKey(t)
	s := newStand(t, repo, key)
	a, _ := standApp(t, s, fixed(text), nil)
	in := a.Installation(3)
	access := Access{Repositories: []int64{5}, Permissions: map[string]string{"contents": "write", "pull_requests": "write"}}
	for range 3 {
		if _, err := in.As(access).Repository(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.As(Access{Repositories: []int64{6}}).Repository(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"repository_ids": []any{5.0}, "permissions": map[string]any{"contents": "write", "pull_requests": "write"}},
		{"repository_ids": []any{6.0}},
	}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("token requests mismatch (-want +got):\n%s", diff)
	}
	if got := s.seen[0].URL.Path; got != "/api/v3/app/installations/3/access_tokens" {
		t.Errorf("the token was asked for at %s", got)
	}
	for _, r := range s.seen {
		if r.Header.Get("User-Agent") != "syncer/test" {
			t.Errorf("%s %s came from %q", r.Method, r.URL.Path, r.Header.Get("User-Agent"))
		}
	}
}

func TestClockThatIsWrong(t *testing.T) {
	for _, ahead := range []time.Duration{-3 * time.Hour, -15 * time.Minute, 15 * time.Minute, 3 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			key, text := newKey(t)
			s := newStand(t, repo, key)
			s.ahead = ahead
			a, _ := standApp(t, s, fixed(text), nil)
			c := a.Installation(3).As(Access{})
			for range 3 {
				if _, err := c.Repository(t.Context(), 5); err != nil {
					t.Fatal(err)
				}
			}
			if s.refused != 1 || s.tokens != 1 {
				t.Errorf("%d signatures were refused and %d tokens given, want 1 and 1", s.refused, s.tokens)
			}
		})
	}
}

func TestClockThatIsHopelessIsNamed(t *testing.T) {
	key, text := newKey(t)
	s := newStand(t, repo, key)
	s.ahead = -48 * time.Hour
	a, _ := standApp(t, s, fixed(text), nil)
	_, err := a.Installation(3).As(Access{}).Repository(t.Context(), 5)
	if !errors.Is(err, Unauthorized) || !strings.Contains(err.Error(), "clock") {
		t.Errorf("error = %v, want Unauthorized with a word on the clock", err)
	}
}

func TestKeyIsRotatedWithoutRestart(t *testing.T) {
	old, oldText := newKey(t)
	next, nextText := newKey(t)
	s := newStand(t, repo, old)
	file := filepath.Join(t.TempDir(), "key.pem")
	write := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(oldText)
	a, log := standApp(t, s, KeyFile(file), nil)
	read := func(installation int64) error {
		_, err := a.Installation(installation).As(Access{}).Repository(t.Context(), 5)
		return err
	}
	if err := read(1); err != nil {
		t.Fatal(err)
	}
	// A file that is half written: the key in use goes on.
	write([]byte("-----BEGIN RSA"))
	if err := read(2); err != nil {
		t.Fatalf("with a broken file: %v", err)
	}
	if !strings.Contains(log.String(), "private key cannot be read") {
		t.Errorf("nothing was logged: %s", log)
	}
	s.keys[0] = &next.PublicKey // GitHub forgot the old one
	if err := read(3); !errors.Is(err, Unauthorized) || !strings.Contains(err.Error(), "key") {
		t.Errorf("with the old key: %v, want Unauthorized with a word on the key", err)
	}
	write(nextText)
	if err := read(4); err != nil {
		t.Fatalf("with the new key: %v", err)
	}
	if strings.Contains(log.String(), "secret-token") || strings.Contains(log.String(), "PRIVATE") {
		t.Error("the log has a secret")
	}
}

func TestTokenThatWasRevokedIsReplacedOnce(t *testing.T) {
	key, text := newKey(t)
	var body atomic.Value
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "token secret-token-1" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"message":"Bad credentials"}`)
			return
		}
		data := make([]byte, 200)
		n, _ := r.Body.Read(data)
		body.Store(string(data[:n]))
		fmt.Fprint(w, `{}`)
	}, key)
	a, _ := standApp(t, s, fixed(text), nil)
	if err := a.Installation(3).As(Access{}).AddLabels(t.Context(), pay, 1, "syncer"); err != nil {
		t.Fatal(err)
	}
	if got := body.Load(); got != "{\"labels\":[\"syncer\"]}\n" {
		t.Errorf("the second attempt sent %q", got)
	}
	if s.tokens != 2 {
		t.Errorf("%d tokens, want 2", s.tokens)
	}
}

func TestTokenErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   Kind
		words  string
	}{
		{404, `{"message":"Not Found"}`, Gone, "no longer installed"},
		{403, `{"message":"This installation has been suspended"}`, Suspended, "unsuspend"},
		{422, `{"message":"There is at least one repository that does not exist or is not accessible to the parent installation."}`, NotFound, "does not have this repository"},
		{422, `{"message":"The permissions requested are not granted to this installation."}`, Denied, "this permission"},
		{500, `oops`, Unavailable, ""},
		{429, `{}`, Limited, "too fast"},
	} {
		t.Run(fmt.Sprint(c.status, c.want), func(t *testing.T) {
			_, text := newKey(t)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			t.Cleanup(srv.Close)
			a, _ := standApp(t, &stand{Server: srv}, fixed(text), nil)
			err := a.Installation(3).As(Access{}).AddLabels(t.Context(), pay, 1, "x")
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("error = %v, want %s with %q", err, c.want, c.words)
			}
			if lost(err) {
				t.Error("the write counts as lost, though it was never sent")
			}
			if strings.Contains(fmt.Sprintf("%+v %#v", err, err), "Bearer") {
				t.Error("the error carries the signature")
			}
		})
	}
}

func TestAnswersThatBreakOff(t *testing.T) {
	key, text := newKey(t)
	hijack := func(w http.ResponseWriter, say string) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte(say))
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
	var mode atomic.Value
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that we left
		switch mode.Load() {
		case "reset":
			hijack(w, "")
		case "half":
			hijack(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"id\":")
		case "nonsense":
			fmt.Fprint(w, `<html>Unicorn!</html>`)
		case "502":
			w.WriteHeader(http.StatusBadGateway)
		case "slow":
			<-r.Context().Done()
		case "huge":
			chunk := make([]byte, 1<<20)
			for range 70 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}
	}, key)
	a, _ := standApp(t, s, fixed(text), func(c *Config) { c.Timeout = 300 * time.Millisecond })
	c := a.Installation(3).As(Access{})
	for _, m := range []string{"reset", "half", "nonsense", "502", "slow", "huge"} {
		mode.Store(m)
		t.Run(m, func(t *testing.T) {
			_, err := c.Repository(t.Context(), 5)
			if !errors.Is(err, Unavailable) || lost(err) {
				t.Errorf("read: error = %v (lost %v), want Unavailable and nothing lost", err, lost(err))
			}
			_, err = c.Commit(t.Context(), pay, Commit{Parent: "a", Tree: "b", Changes: change("x", "y"), Message: "m"})
			if !errors.Is(err, Unavailable) || !lost(err) {
				t.Errorf("write: error = %v (lost %v), want Unavailable and perhaps done", err, lost(err))
			}
		})
	}
	s.Close()
	if err := c.AddLabels(t.Context(), pay, 1, "x"); !errors.Is(err, Unavailable) || lost(err) {
		t.Errorf("without a connection: error = %v (lost %v), want Unavailable and nothing lost", err, lost(err))
	}
}

func TestRedirectsStayWithinTheAPI(t *testing.T) {
	key, text := newKey(t)
	var leaked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked.Add(1)
		repo(w, r)
	}))
	t.Cleanup(elsewhere.Close)
	var s *stand
	s = newStand(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v3/repos/acme/old":
			http.Redirect(w, r, s.URL+"/api/v3/repositories/5", http.StatusMovedPermanently)
		case "/api/v3/repos/acme/evil":
			http.Redirect(w, r, elsewhere.URL+"/api/v3/repositories/5", http.StatusMovedPermanently)
		case "/api/v3/repos/acme/old/issues/1/labels":
			http.Redirect(w, r, s.URL+"/api/v3/repositories/5", http.StatusTemporaryRedirect)
		default:
			repo(w, r)
		}
	}, key)
	a, _ := standApp(t, s, fixed(text), nil)
	c := a.Installation(3).As(Access{})
	r, err := c.RepositoryByName(t.Context(), Name{"acme", "old"})
	if err != nil || r.Name != pay {
		t.Errorf("renamed: %v, %v; want %v", r.Name, err, pay)
	}
	if _, err := c.RepositoryByName(t.Context(), Name{"acme", "evil"}); !errors.Is(err, Moved) || leaked.Load() != 0 {
		t.Errorf("to another host: error = %v after %d requests there, want Moved and none", err, leaked.Load())
	}
	if err := c.AddLabels(t.Context(), Name{"acme", "old"}, 1, "x"); !errors.Is(err, Moved) {
		t.Errorf("a write: error = %v, want Moved", err)
	}
}

func TestConditionalReads(t *testing.T) {
	key, text := newKey(t)
	var sent, asked atomic.Int32
	etag := `"1"`
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent.Add(1)
		if strings.Contains(r.URL.Path, "/git/trees/") {
			fmt.Fprint(w, `{"tree":[{"path":"a","mode":"100644","type":"blob","sha":"1"}]}`)
			return
		}
		repo(w, r)
	}, key)
	a, _ := standApp(t, s, fixed(text), nil)
	c := a.Installation(3).As(Access{})
	for range 3 {
		if r, err := c.Repository(t.Context(), 5); err != nil || r.ID != 5 {
			t.Fatal(r, err)
		}
	}
	if asked.Load() != 3 || sent.Load() != 1 {
		t.Errorf("asked %d times and sent %d, want 3 and 1", asked.Load(), sent.Load())
	}
	etag = `"2"`
	if _, err := c.Repository(t.Context(), 5); err != nil || sent.Load() != 2 {
		t.Errorf("after a change: sent %d, want 2 (%v)", sent.Load(), err)
	}
	// What is named by its hash is not asked for again, and another installation
	// never gets it.
	id := strings.Repeat("a", 40)
	for range 3 {
		if _, err := c.Entries(t.Context(), pay, id, []string{"a"}); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 5 {
		t.Errorf("asked %d times, want 5", asked.Load())
	}
	if _, err := a.Installation(4).As(Access{}).Entries(t.Context(), pay, id, []string{"a"}); err != nil || sent.Load() != 4 {
		t.Errorf("another installation: sent %d, want 4 (%v)", sent.Load(), err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(64 << 10)
	req := func(i int) *http.Request {
		return httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://x/%d", i), nil)
	}
	for i := range 1000 {
		c.keep(req(i), answer(200, "", `ETag: "x"`), make([]byte, i%9000))
		if c.bytes > c.limit || c.bytes < 0 {
			t.Fatalf("after %d: %d bytes, limit %d", i, c.bytes, c.limit)
		}
	}
	sum := 0
	for _, k := range c.lru.Values() {
		sum += k.size()
	}
	if sum != c.bytes || sum == 0 {
		t.Errorf("counted %d bytes, there are %d", c.bytes, sum)
	}
	if k, _ := c.find(req(8999)); k != nil {
		t.Error("an answer of more than an eighth was kept")
	}
}
