package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/setup"
	"github.com/goldenpaths/syncer/internal/store"
)

// metrics are what /metrics tells. No label has a value that a stranger can choose,
// so that the number of series is bounded.
type metrics struct {
	registry   *prometheus.Registry
	deliveries *prometheus.CounterVec
	answering  prometheus.Histogram
	jobs       *prometheus.CounterVec
	working    *prometheus.HistogramVec
	github     *prometheus.CounterVec
	requests   *prometheus.CounterVec
	requesting prometheus.Histogram
}

func newMetrics(version string) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		deliveries: counter("syncer_deliveries_total", "Webhook deliveries, by event and what became of them.", "event", "outcome"),
		answering: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "syncer_delivery_seconds",
			Help: "Time until a delivery was answered. GitHub waits for 10 seconds.", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}),
		jobs: counter("syncer_jobs_total", "Runs of jobs, by kind and what became of them.", "kind", "outcome"),
		working: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "syncer_job_seconds",
			Help: "Time that runs of jobs took.", Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 600}}, []string{"kind"}),
		github:   counter("syncer_github_requests_total", "Requests to GitHub's API, by class and status.", "class", "status"),
		requests: counter("syncer_http_requests_total", "Requests that were answered, by method and status.", "method", "status"),
		requesting: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "syncer_http_request_seconds",
			Help: "Time until a request was answered.", Buckets: prometheus.DefBuckets}),
	}
	built := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "syncer_build_info", Help: "1, with the version."}, []string{"version"})
	built.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.deliveries, m.answering, m.jobs, m.working, m.github, m.requests, m.requesting, built,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

const scrapeTimeout = 10 * time.Second

// handler is /metrics. A gauge that cannot be read is logged and left out; the others
// are told all the same.
func (m *metrics) handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: 4, Timeout: scrapeTimeout,
	})
}

// delivery implements what webhooks observes. Events come from headers that nobody
// has verified yet: names that the App does not listen to are counted as one.
func (m *metrics) delivery(event string, status int, took time.Duration) {
	known := append(setup.Events(), "ping", "installation", "installation_repositories", "installation_target", "github_app_authorization")
	if !slices.Contains(known, event) {
		event = "other"
	}
	outcome := "accepted"
	switch {
	case status == http.StatusUnauthorized:
		outcome = "unsigned"
	case status >= http.StatusInternalServerError:
		outcome = "failed"
	case status >= http.StatusBadRequest:
		outcome = "refused"
	}
	m.deliveries.WithLabelValues(event, outcome).Inc()
	m.answering.Observe(took.Seconds())
}

// job implements what jobs observes.
func (m *metrics) job(o jobs.Outcome) {
	m.jobs.WithLabelValues(o.Kind, string(o.Fate)).Inc()
	m.working.WithLabelValues(o.Kind).Observe(o.Took.Seconds())
}

// request counts an answer of the public server.
func (m *metrics) request(method string, status int, took time.Duration) {
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}, method) {
		method = "other"
	}
	m.requests.WithLabelValues(method, strconv.Itoa(status)).Inc()
	m.requesting.Observe(took.Seconds())
}

// counted counts what is asked of GitHub.
type counted struct {
	next http.RoundTripper
	m    *metrics
}

// RoundTrip implements [http.RoundTripper].
func (c counted) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	status := "error"
	if err == nil {
		status = strconv.Itoa(resp.StatusCode)
	}
	c.m.github.WithLabelValues(class(req), status).Inc()
	return resp, err
}

// class is what a request costs: GitHub counts reads, writes and GraphQL apart.
func class(req *http.Request) string {
	switch {
	case strings.HasSuffix(req.URL.Path, "/graphql"):
		return "graphql"
	case strings.HasSuffix(req.URL.Path, "/access_tokens"):
		return "token"
	case req.Method == http.MethodGet || req.Method == http.MethodHead:
		return "read"
	}
	return "write"
}

// githubTransport is how GitHub is spoken to: with a time for everything that can
// hang, counted, and traced where traces are on.
func (s *server) githubTransport() http.RoundTripper {
	dial := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return s.traces.transport(counted{next: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
		ExpectContinueTimeout: time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 20,
	}, m: s.metrics})
}

// stock reads, when it is asked, how much work waits and how much room GitHub leaves.
type stock struct {
	work   *jobs.Client
	db     *store.Store
	github *forge.App
}

// Descriptions of the gauges that stock reads.
var (
	queueDesc  = prometheus.NewDesc("syncer_queue_jobs", "Jobs in the queue, by kind and state.", []string{"kind", "state"}, nil)
	roomDesc   = prometheus.NewDesc("syncer_github_rate_remaining", "Requests that GitHub still allows this hour. Not there before the first answer.", []string{"installation"}, nil)
	limitDesc  = prometheus.NewDesc("syncer_github_rate_limit", "Requests that GitHub allows an hour.", []string{"installation"}, nil)
	paceDesc   = prometheus.NewDesc("syncer_github_pull_requests_per_hour", "The present pace of new pull requests.", []string{"installation"}, nil)
	memberDesc = prometheus.NewDesc("syncer_members", "Members, by golden path and state.", []string{"golden_path", "state"}, nil)
	driftDesc  = prometheus.NewDesc("syncer_members_drifted", "Members whose managed files differ from what their lock renders.", []string{"golden_path"}, nil)
	failDesc   = prometheus.NewDesc("syncer_members_failing", "Members whose last work ended with an error.", []string{"golden_path"}, nil)
	deployDesc = prometheus.NewDesc("syncer_first_deploy_seconds", "Time from a repository's scaffolding to its first deployment, of those scaffolded in the last 90 days.", nil, nil)
	pausedDesc = prometheus.NewDesc("syncer_github_paused", "1 while GitHub has asked to wait.", []string{"installation"}, nil)
)

// Describe implements [prometheus.Collector].
func (s stock) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queueDesc, roomDesc, limitDesc, paceDesc, pausedDesc, memberDesc, driftDesc, failDesc, deployDesc} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (s stock) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout/2)
	defer cancel()
	waiting, err := s.work.Waiting(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(queueDesc, err)
	}
	for kind, states := range waiting {
		for state, n := range states {
			ch <- prometheus.MustNewConstMetric(queueDesc, prometheus.GaugeValue, float64(n), kind, state)
		}
	}
	s.fleet(ctx, ch)
	all, err := s.db.Installations(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(roomDesc, err)
	}
	for _, one := range all {
		s.room(ch, strconv.FormatInt(one.ID, 10), s.github.Installation(one.ID).Budget())
	}
}

// arrivalsOf is how far back times to first deployment are told.
const arrivalsOf = 90 * 24 * time.Hour

// fleet tells where the members stand.
func (s stock) fleet(ctx context.Context, ch chan<- prometheus.Metric) {
	counts, err := s.db.Counts(ctx, "")
	if err != nil {
		ch <- prometheus.NewInvalidMetric(memberDesc, err)
	}
	states, drifted, failing := map[[2]string]int{}, map[string]int{}, map[string]int{}
	for _, c := range counts {
		states[[2]string{c.GoldenPath, string(c.State)}] += c.Members
		drifted[c.GoldenPath] += where(c.Drifted, c.Members) // a golden path without any is told too
		failing[c.GoldenPath] += where(c.Failing, c.Members)
	}
	for key, n := range states {
		ch <- prometheus.MustNewConstMetric(memberDesc, prometheus.GaugeValue, float64(n), key[0], key[1])
	}
	for name := range drifted {
		ch <- prometheus.MustNewConstMetric(driftDesc, prometheus.GaugeValue, float64(drifted[name]), name)
		ch <- prometheus.MustNewConstMetric(failDesc, prometheus.GaugeValue, float64(failing[name]), name)
	}
	arrivals, err := s.db.Arrivals(ctx, time.Now().Add(-arrivalsOf))
	if err != nil {
		ch <- prometheus.NewInvalidMetric(deployDesc, err)
		return
	}
	took := make([]float64, 0, len(arrivals))
	sum := 0.0
	for _, a := range arrivals {
		took = append(took, a.FirstDeploy.Sub(a.Scaffolded).Seconds())
		sum += took[len(took)-1]
	}
	slices.Sort(took)
	quantiles := map[float64]float64{}
	for _, q := range []float64{0.5, 0.9} {
		if n := len(took); n > 0 {
			quantiles[q] = took[min(int(q*float64(n)), n-1)]
		}
	}
	ch <- prometheus.MustNewConstSummary(deployDesc, uint64(len(took)), sum, quantiles)
}

// where is n where something holds, else none.
func where(holds bool, n int) int {
	if holds {
		return n
	}
	return 0
}

func (stock) room(ch chan<- prometheus.Metric, id string, b forge.Budget) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, id)
	}
	if b.Remaining >= 0 {
		gauge(roomDesc, float64(b.Remaining))
		gauge(limitDesc, float64(b.Limit))
	}
	gauge(paceDesc, b.PullRequestsPerHour)
	paused := 0.0
	if !b.Until.IsZero() {
		paused = 1
	}
	gauge(pausedDesc, paused)
}
