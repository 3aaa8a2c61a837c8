package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/goldenpaths/syncer/internal/settings"
)

// TestTraces sends what is traced to a collector: requests, jobs, and requests to GitHub;
// neither probes, nor /setup, nor what is in headers.
func TestTraces(t *testing.T) {
	var mu sync.Mutex
	var sent strings.Builder
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		sent.WriteString(r.URL.Path + "\n")
		_, _ = io.Copy(&sent, r.Body)
	}))
	defer collector.Close()
	to, err := url.Parse(collector.URL)
	if err != nil {
		t.Fatal(err)
	}
	all, err := startTraces(t.Context(), settings.Config{TracesEndpoint: to}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	github := httptest.NewServer(http.NotFoundHandler())
	defer github.Close()
	client := &http.Client{Transport: all.transport(http.DefaultTransport)}
	server := all.around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, github.URL+"/api/v3/repos/acme/payments", nil)
		if err != nil {
			t.Error(err)
			return
		}
		ask.Header.Set("Authorization", "token hunter2")
		answer, err := client.Do(ask)
		if err != nil {
			t.Error(err)
			return
		}
		_ = answer.Body.Close()
	}))
	for _, path := range []string{"/webhooks/github", "/healthz", "/setup?token=hunter2"} {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("hunter2"))
		r.Header.Set("X-Hub-Signature-256", "hunter2")
		server.ServeHTTP(httptest.NewRecorder(), r)
	}
	_, span := all.tracer().Start(t.Context(), "job member")
	span.End()
	all.stop()
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"/v1/traces", "service.name", "/webhooks/github", "/api/v3/repos/acme/payments", "job member"} {
		if !strings.Contains(sent.String(), want) {
			t.Errorf("the collector did not get %q", want)
		}
	}
	for _, never := range []string{"hunter2", "/healthz", "/setup"} {
		if strings.Contains(sent.String(), never) {
			t.Errorf("the collector got %q", never)
		}
	}
}
