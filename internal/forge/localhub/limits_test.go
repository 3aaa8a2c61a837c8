package localhub_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

func TestRateLimits(t *testing.T) {
	start := time.Now().Truncate(time.Second)
	now := start
	w := newWorld(t, localhub.Options{
		Now: func() time.Time { return now }, Limits: localhub.Limits{PerHour: 8, ContentPerMinute: 2, ContentPerHour: 3, RetryAfter: 42 * time.Second},
	})
	w.repository("payments", map[string]string{"a": "a\n"})
	client := w.enterprise(bearer(w.token(w.install(), nil)))
	ctx := t.Context()
	open := func() (*github.Response, error) {
		_, response, err := client.Issues.Create(ctx, "acme", "payments", &github.IssueRequest{Title: new("x")})
		return response, err
	}
	for range 2 {
		_, err := open()
		must(t, err)
	}
	response, err := open()
	var abuse *github.AbuseRateLimitError
	if !errors.As(err, &abuse) || response.Header.Get("Retry-After") != "42" || abuse.Response.StatusCode != http.StatusForbidden {
		t.Fatalf("third issue of a minute: %v", err)
	}
	now = now.Add(61 * time.Second)
	client = w.enterprise(bearer(w.token(w.hub.Installations("acme")[0], nil))) // go-github remembers the limit
	response, err = open()
	must(t, err)
	if response.Rate.Limit != 8 || response.Rate.Remaining != 5 {
		t.Errorf("got %+v", response.Rate)
	}
	now = now.Add(61 * time.Second)
	if _, err = open(); !errors.As(err, &abuse) {
		t.Errorf("fourth issue of an hour: %v", err)
	}
	for range 5 {
		code, _, _ := w.raw(client, "GET", "/repos/acme/payments", nil)
		if code != 200 {
			t.Errorf("got %d", code)
		}
	}
	code, body, header := w.raw(client, "GET", "/repos/acme/payments", nil)
	message, _ := body["message"].(string)
	if code != 403 || !strings.Contains(message, "API rate limit exceeded for installation ID") || header.Get("X-Ratelimit-Remaining") != "0" {
		t.Errorf("got %d %q %v", code, message, header)
	}
	if code, _, _ := w.raw(client, "GET", "/rate_limit", nil); code != 200 {
		t.Errorf("asking for the limit: %d", code)
	}
	now = start.Add(time.Hour + time.Second)
	if code, _, _ := w.raw(client, "GET", "/repos/acme/payments", nil); code != 200 {
		t.Errorf("an hour later: %d", code)
	}
}

func TestConditionalReadsAreFree(t *testing.T) {
	w := newWorld(t, localhub.Options{Limits: localhub.Limits{PerHour: 3}})
	w.repository("payments", map[string]string{"a": "a\n"})
	client := w.enterprise(bearer(w.token(w.install(), nil)))
	get := func(tag string) *http.Response {
		r, err := client.NewRequest("GET", "repos/acme/payments/contents/a", nil)
		must(t, err)
		r.Header.Set("If-None-Match", tag)
		response, err := client.Client().Do(r)
		must(t, err)
		must(t, response.Body.Close())
		return response
	}
	tag := get("").Header.Get("ETag")
	for range 10 {
		if got := get(tag); got.StatusCode != http.StatusNotModified {
			t.Fatalf("got %d", got.StatusCode)
		}
	}
	_, err := w.alice.Push("acme/payments", "main", "m", localhub.Edit{Files: map[string]string{"a": "b\n"}})
	must(t, err)
	if got := get(tag); got.StatusCode != 200 || got.Header.Get("X-Ratelimit-Remaining") != "1" {
		t.Errorf("after a change: %d, remaining %s", got.StatusCode, got.Header.Get("X-Ratelimit-Remaining"))
	}
}

func TestFaults(t *testing.T) {
	var next atomic.Pointer[localhub.Fault]
	next.Store(&localhub.Fault{})
	w := newWorld(t, localhub.Options{Fault: func(r localhub.Request) localhub.Fault {
		if r.Template == "/repos/{owner}/{repo}/issues" {
			return *next.Load()
		}
		return localhub.Fault{}
	}})
	w.repository("payments", map[string]string{"a": "a\n"})
	client := w.client(w.install(), nil)
	for _, c := range []struct {
		name   string
		fault  localhub.Fault
		status int
		effect int
	}{
		{"none", localhub.Fault{}, 0, 1},
		{"a status before", localhub.Fault{Kind: localhub.FaultStatus, Status: 502}, 502, 0},
		{"a status after", localhub.Fault{Kind: localhub.FaultStatus, Status: 500, Done: true}, 500, 1},
		{"a reset before", localhub.Fault{Kind: localhub.FaultReset}, 0, 0},
		{"a reset after", localhub.Fault{Kind: localhub.FaultReset, Done: true}, 0, 1},
		{"half an answer", localhub.Fault{Kind: localhub.FaultTruncate}, 0, 1},
		{"no answer", localhub.Fault{Kind: localhub.FaultHang, Hang: 10 * time.Millisecond, Done: true}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, err := w.hub.Issues("acme/payments")
			must(t, err)
			next.Store(&c.fault)
			_, _, err = client.Issues.Create(t.Context(), "acme", "payments", &github.IssueRequest{Title: new("x")})
			if (err != nil) != (c.fault.Kind != "") || status(err) != c.status {
				t.Errorf("got %v, want status %d", err, c.status)
			}
			after, err := w.hub.Issues("acme/payments")
			must(t, err)
			if got := len(after) - len(before); got != c.effect {
				t.Errorf("opened %d issues, want %d", got, c.effect)
			}
		})
	}
	kinds := map[localhub.FaultKind]int{}
	for _, r := range w.hub.Requests() {
		kinds[r.Fault]++
	}
	if kinds[localhub.FaultReset] != 2 || kinds[localhub.FaultTruncate] != 1 {
		t.Errorf("journal: %v", kinds)
	}
}
