package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// TestScrubber logs secrets in every way that the program has, and looks for them.
func TestScrubber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[ -~äß€]{8,40}`).Filter(func(s string) bool {
			return strings.TrimSpace(s) == s && !strings.Contains(s, "secret") && !strings.HasPrefix(s, "-----")
		}).Draw(t, "secret")
		var out bytes.Buffer
		cfg := &settings.Config{LogFormat: rapid.SampledFrom([]string{"text", "json"}).Draw(t, "format"),
			GitHub: settings.GitHub{WebhookSecrets: []settings.Secret{settings.Secret(secret)}}}
		log := newLogger(&out, cfg)
		log.Info("a "+secret, "plain", secret, "inside", "x"+secret+"y", "error", fmt.Errorf("with %s", secret),
			"url", "https://h/?q="+url.QueryEscape(secret), slog.Group("g", "s", secret), "struct", struct{ S string }{secret})
		log.With("k", secret).WithGroup("g").Warn(secret)
		for _, form := range forms(secret) {
			if strings.Contains(out.String(), form) {
				t.Errorf("%q is in\n%s", form, out.String())
			}
		}
	})
}

func TestScrubberKnowsTokens(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(&out, &settings.Config{LogFormat: "json"})
	for _, token := range []string{"ghs_" + strings.Repeat("a1", 18), "github_pat_" + strings.Repeat("b", 30),
		"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjF9.c2lnbmF0dXJl", "postgres://user:hunter2@h/d", "v1." + strings.Repeat("0f", 20)} {
		log.Info("x", "error", "Authorization: token "+token+" was refused")
	}
	for _, bad := range []string{"a1a1", "bbbb", "eyJ", "hunter2", "0f0f"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%s is in\n%s", bad, out.String())
		}
	}
	if strings.Count(out.String(), "was refused") != 5 {
		t.Errorf("more than the tokens is gone:\n%s", out.String())
	}
}

// TestGuarded panics before and in the middle of an answer.
func TestGuarded(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(&out, &settings.Config{LogFormat: "json"})
	server := httptest.NewServer(withRequestID(guarded(log.Logger, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		}
		panic("at " + r.URL.Path)
	}))))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/early", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Request-Id", "id-of-the-proxy")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != 500 || !strings.Contains(string(body), "id-of-the-proxy") || strings.Contains(string(body), "early") {
		t.Errorf("answered %d %q (%v)", resp.StatusCode, body, err)
	}
	if resp, err := http.Get(server.URL + "/late"); err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Error("half an answer looks like a whole one")
		}
	}
	server.Close()
	for _, want := range []string{`"panic":"at /early"`, `"panic":"at /late"`, `"request":"id-of-the-proxy"`, "serve_parts_test.go"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, out.String())
		}
	}
}

func TestRequestIDs(t *testing.T) {
	handler := withRequestID(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, requestID(r.Context())) }))
	for given, kept := range map[string]bool{"a-good-id_1": true, "": false, "x": false, "a b c d e f g h": false, "evil\"}\n{": false, strings.Repeat("x", 65): false} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["X-Request-Id"] = []string{given}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		got := w.Body.String()
		if (got == given) != kept || !requestForm.MatchString(got) || w.Header().Get("X-Request-Id") != got {
			t.Errorf("given %q the id is %q", given, got)
		}
	}
}

// TestSeriesAreBounded counts what strangers make up.
func TestSeriesAreBounded(t *testing.T) {
	m := newMetrics("test")
	for i := range 1000 {
		m.delivery(fmt.Sprintf("event%d", i), 401, 0)
		m.request(fmt.Sprintf("METHOD%d", i), 404, 0)
	}
	m.delivery("push", 202, 0)
	m.delivery("push", 503, 0)
	m.delivery("push", 413, 0)
	if n := testutil.CollectAndCount(m.deliveries); n != 4 {
		t.Errorf("%d series of deliveries, want 4", n)
	}
	if n := testutil.CollectAndCount(m.requests); n != 1 {
		t.Errorf("%d series of requests, want 1", n)
	}
	if got := testutil.ToFloat64(m.deliveries.WithLabelValues("other", "unsigned")); got != 1000 {
		t.Errorf("%v unsigned deliveries, want 1000", got)
	}
	if problems, err := testutil.GatherAndLint(m.registry, "syncer_deliveries_total", "syncer_delivery_seconds", "syncer_http_requests_total", "syncer_http_request_seconds"); err != nil || len(problems) > 0 {
		t.Errorf("the metrics' names: %v %v", problems, err)
	}
}

// TestTheFleetInNumbers reads the gauges of a database with members.
func TestTheFleetInNumbers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		ctx, now := t.Context(), time.Now()
		for i, m := range []store.Member{
			{GoldenPath: "go", State: store.Current, Scaffolded: now.Add(-2 * time.Hour), FirstDeploy: now.Add(-time.Hour)},
			{GoldenPath: "go", State: store.Behind, Drifted: true, Version: "1.0.0"},
			{GoldenPath: "go", State: store.Behind, ErrorKind: store.PersonMustAct, Error: "x"},
			{GoldenPath: "web", State: store.Conflict},
		} {
			m.Repository = int64(i + 1)
			must(t, db.RememberRepository(ctx, store.Repository{ID: m.Repository, Owner: "a", Name: fmt.Sprint(i)}))
			must(t, db.RememberMember(ctx, m))
		}
		r := prometheus.NewRegistry()
		r.MustRegister(stock{work: jobs.New(jobs.Config{DB: db.DB(), Pool: db.Pool()}), db: db})
		want := `# HELP syncer_members Members, by golden path and state.
# TYPE syncer_members gauge
syncer_members{golden_path="go",state="behind"} 2
syncer_members{golden_path="go",state="current"} 1
syncer_members{golden_path="web",state="conflict"} 1
# HELP syncer_members_drifted Members whose managed files differ from what their lock renders.
# TYPE syncer_members_drifted gauge
syncer_members_drifted{golden_path="go"} 1
syncer_members_drifted{golden_path="web"} 0
# HELP syncer_members_failing Members whose last work ended with an error.
# TYPE syncer_members_failing gauge
syncer_members_failing{golden_path="go"} 1
syncer_members_failing{golden_path="web"} 0
# HELP syncer_first_deploy_seconds Time from a repository's scaffolding to its first deployment, of those scaffolded in the last 90 days.
# TYPE syncer_first_deploy_seconds summary
syncer_first_deploy_seconds{quantile="0.5"} 3600
syncer_first_deploy_seconds{quantile="0.9"} 3600
syncer_first_deploy_seconds_sum 3600
syncer_first_deploy_seconds_count 1
`
		if err := testutil.GatherAndCompare(r, strings.NewReader(want), "syncer_members", "syncer_members_drifted", "syncer_members_failing", "syncer_first_deploy_seconds"); err != nil {
			t.Error(err)
		}
	})
}
