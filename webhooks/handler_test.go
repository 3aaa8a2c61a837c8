package webhooks_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/webhooks"
)

const (
	oldSecret = "It's a Secret to Everybody"
	newSecret = "the new secret"
)

// memory is an inbox that keeps what it is given, and can be told to fail.
type memory struct {
	mu        sync.Mutex
	processed map[string]bool
	jobs      []webhooks.Job
	fail      error
	hold      chan struct{} // if set, Accept waits for it
}

func (m *memory) Accept(ctx context.Context, d webhooks.Delivery, jobs []webhooks.Job) (bool, error) {
	if m.hold != nil {
		select {
		case <-m.hold:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return false, m.fail
	}
	if m.processed[d.GUID] {
		return false, nil
	}
	if m.processed == nil {
		m.processed = map[string]bool{}
	}
	m.processed[d.GUID] = true
	m.jobs = append(m.jobs, jobs...)
	return true, nil
}

func handler(tb testing.TB, in webhooks.Inbox, log io.Writer) http.Handler {
	tb.Helper()
	h, err := webhooks.NewHandler(webhooks.Config{
		Secrets: []string{newSecret, oldSecret}, App: us, Inbox: in, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	r := mux.NewRouter()
	h.Mount(r)
	return r
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// delivery is a request as GitHub sends it, signed with the newest secret.
func delivery(guid, event string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, webhooks.Path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Delivery", guid)
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-Hub-Signature-256", sign(newSecret, body))
	return r
}

func send(h http.Handler, r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestSignatureOfGitHubsDocumentation uses the example that GitHub gives to test an
// implementation against.
func TestSignatureOfGitHubsDocumentation(t *testing.T) {
	r := delivery("guid", "push", []byte("Hello, World!"))
	r.Header.Set("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
	if status, body := send(handler(t, &memory{}, io.Discard), r); status != http.StatusBadRequest {
		t.Errorf("got %d %s; want 400: well signed, and not JSON", status, body)
	}
}

func TestNoSecretIsRefused(t *testing.T) {
	for _, s := range [][]string{nil, {""}, {"good", " "}} {
		if _, err := webhooks.NewHandler(webhooks.Config{Secrets: s, Inbox: &memory{}}); err == nil || strings.Contains(err.Error(), "good") {
			t.Errorf("secrets %q: error %v; want one that tells no secret", s, err)
		}
	}
}

func TestHostileDeliveries(t *testing.T) {
	body := payload(t, "repository.created")
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"as it should be", func(*http.Request) {}, 202},
		{"signed with the old secret", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(oldSecret, body)) }, 202},
		{"a charset", func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, 202},
		{"a form", form(body), 202},
		{"unsigned", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401},
		{"SHA-1 only", func(r *http.Request) {
			mac := hmac.New(sha1.New, []byte(newSecret))
			mac.Write(body)
			r.Header.Del("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil)))
		}, 401},
		{"SHA-1 in the header for SHA-256", func(r *http.Request) {
			mac := hmac.New(sha1.New, []byte(newSecret))
			mac.Write(body)
			r.Header.Set("X-Hub-Signature-256", "sha1="+hex.EncodeToString(mac.Sum(nil)))
		}, 401},
		{"signed with another secret", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign("guessed", body)) }, 401},
		{"signed with nothing", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign("", body)) }, 401},
		{"signature of another body", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(newSecret, []byte("{}"))) }, 401},
		{"not hexadecimal", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("z", 64)) }, 401},
		{"truncated", func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader(body[:len(body)/2])) }, 401},
		{"truncated before it was signed", resigned(body[:len(body)/2]), 400},
		{"not JSON", resigned([]byte("<xml/>")), 400},
		{"a form without payload", func(r *http.Request) {
			resigned([]byte("load=1"))(r)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}, 400},
		{"another content type", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		{"no content type", func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		{"no GUID", func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, 400},
		{"a GUID with a line break", func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", "a\nfake log line") }, 400},
		{"no event", func(r *http.Request) { r.Header.Del("X-GitHub-Event") }, 400},
		{"30 MB, said", resigned(make([]byte, 30<<20)), 413},
		{"30 MB, not said", func(r *http.Request) { resigned(make([]byte, 30<<20))(r); r.ContentLength = -1 }, 413},
		{"got", func(r *http.Request) { r.Method = http.MethodGet }, 405},
		{"an unknown event", func(r *http.Request) { r.Header.Set("X-GitHub-Event", "quantum") }, 202},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, log := &memory{}, &bytes.Buffer{}
			r := delivery("guid-1", "repository", body)
			c.change(r)
			status, answer := send(handler(t, in, log), r)
			if status != c.status {
				t.Errorf("got %d %s; want %d", status, answer, c.status)
			}
			if kept := len(in.processed) > 0; kept != (c.status == 202) {
				t.Errorf("kept: %t, after status %d", kept, status)
			}
			if strings.Contains(log.String(), newSecret) || strings.Contains(log.String(), "\nfake") {
				t.Errorf("log tells too much, or lies: %s", log)
			}
		})
	}
}

func resigned(body []byte) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("X-Hub-Signature-256", sign(newSecret, body))
	}
}

func form(body []byte) func(*http.Request) {
	return func(r *http.Request) {
		resigned([]byte(url.Values{"payload": {string(body)}}.Encode()))(r)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
}

// TestBothContentTypesMeanTheSame also shows what reaches the inbox.
func TestBothContentTypesMeanTheSame(t *testing.T) {
	body := payload(t, "repository.created")
	for name, change := range map[string]func(*http.Request){"json": func(*http.Request) {}, "form": form(body)} {
		in := &memory{}
		r := delivery("guid", "repository", body)
		change(r)
		send(handler(t, in, io.Discard), r)
		if d := diff.Diff([]webhooks.Job{webhooks.Scaffold{Repository: octo(1), Creator: cat}}, in.jobs); d != "" {
			t.Errorf("%s, mismatch (-want +got):\n%s", name, d)
		}
	}
}

// TestProcessedNotSeen: deliveries come several times, in any order, while the
// inbox fails now and then. Whoever was told 202 was processed exactly once, and
// whoever was told 503 may come again.
func TestProcessedNotSeen(t *testing.T) {
	body := payload(t, "repository.created")
	rapid.Check(t, func(rt *rapid.T) {
		in := &memory{}
		h := handler(t, in, io.Discard)
		accepted := map[string]bool{}
		for range rapid.IntRange(1, 30).Draw(rt, "deliveries") {
			guid := fmt.Sprintf("guid-%d", rapid.IntRange(1, 6).Draw(rt, "guid"))
			in.fail = nil
			if rapid.IntRange(0, 2).Draw(rt, "fails") == 0 {
				in.fail = errors.New("database is down")
			}
			status, answer := send(h, delivery(guid, "repository", body))
			switch {
			case in.fail != nil && status != http.StatusServiceUnavailable:
				rt.Fatalf("got %d %s while the inbox fails; want 503", status, answer)
			case in.fail == nil && status != http.StatusAccepted:
				rt.Fatalf("got %d %s; want 202", status, answer)
			case in.fail == nil && accepted[guid] != strings.Contains(answer, "processed before"):
				rt.Fatalf("accepted before: %t, answer %s", accepted[guid], answer)
			}
			accepted[guid] = accepted[guid] || in.fail == nil
			if len(in.jobs) != len(accepted)-countFalse(accepted) {
				rt.Fatalf("%d jobs for %v", len(in.jobs), accepted)
			}
		}
	})
}

func countFalse(m map[string]bool) int {
	n := 0
	for _, v := range m {
		if !v {
			n++
		}
	}
	return n
}

// TestOverload fills the room for large bodies. What does not fit is refused with
// 503 before GitHub hangs up, small deliveries still come through, and afterwards
// there is room again.
func TestOverload(t *testing.T) {
	in := &memory{hold: make(chan struct{})}
	h, err := webhooks.NewHandler(webhooks.Config{Secrets: []string{newSecret}, App: us, Inbox: in, Room: 5 << 20})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	large := append([]byte(`{"repository":{},"x":"`), bytes.Repeat([]byte("x"), 1200<<10)...)
	large = append(large, `"}`...)
	signature := sign(newSecret, large)
	statuses := make(chan int)
	post := func(guid string, body []byte, signature string) {
		began := time.Now()
		r, err := http.NewRequest(http.MethodPost, srv.URL+webhooks.Path, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
		}
		r.Header = delivery(guid, "star", nil).Header
		r.Header.Set("X-Hub-Signature-256", signature)
		res, err := srv.Client().Do(r)
		if err != nil {
			t.Error(err)
			statuses <- 0
			return
		}
		_ = res.Body.Close()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("answered after %s", took)
		}
		statuses <- res.StatusCode
	}
	for i := range 6 { // four fit; the inbox holds them until it gives up
		go post(fmt.Sprintf("large-%d", i), large, signature)
	}
	for range 6 {
		if got := <-statuses; got != http.StatusServiceUnavailable {
			t.Errorf("got %d under load, want 503", got)
		}
	}
	if len(in.processed) > 0 {
		t.Errorf("kept what was refused: %v", in.processed)
	}
	close(in.hold)
	go post("small", []byte("{}"), sign(newSecret, []byte("{}")))
	go post("large-0", large, signature)
	for range 2 {
		if got := <-statuses; got != http.StatusAccepted {
			t.Errorf("got %d afterwards, want 202", got)
		}
	}
}

// TestSlowBody: whoever sends a byte now and then does not keep a place for long.
func TestSlowBody(t *testing.T) {
	srv := httptest.NewServer(handler(t, &memory{}, io.Discard))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Delivery: a\r\n"+
		"X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=00\r\nContent-Length: 1000\r\n\r\n{", webhooks.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 100)
	n, err := conn.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 400 ") {
		t.Errorf("got %q, %v; want 400 within 10 s", answer[:n], err)
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("guid", "push", "application/json", "sha256=00", []byte("{}"), true)
	f.Add("guid", "repository", "application/x-www-form-urlencoded", "", []byte("payload=%7B%7D"), true)
	f.Add("", "", "", "sha1=", []byte("\x00"), false)
	f.Fuzz(func(t *testing.T, guid, event, kind, signature string, body []byte, signed bool) {
		in := &memory{}
		r := delivery(guid, event, body)
		r.Header.Set("Content-Type", kind)
		if !signed {
			r.Header.Set("X-Hub-Signature-256", signature)
		}
		status, answer := send(handler(t, in, io.Discard), r)
		if status >= 500 {
			t.Errorf("status %d: %s", status, answer)
		}
		if kept := len(in.processed) == 1; kept != (status == http.StatusAccepted) {
			t.Errorf("kept: %t, status %d", kept, status)
		}
		if !signed && status == http.StatusAccepted && signature != sign(newSecret, body) && signature != sign(oldSecret, body) {
			t.Errorf("accepted with signature %q", signature)
		}
		if !json.Valid([]byte(answer)) && status != http.StatusMethodNotAllowed {
			t.Errorf("the answer is not JSON: %q", answer)
		}
	})
}
