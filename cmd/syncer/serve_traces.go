package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/goldenpaths/syncer/internal/settings"
)

// traces are OpenTelemetry's, or nothing where no endpoint is configured.
type traces struct {
	provider trace.TracerProvider
	sdk      *sdk.TracerProvider // nil: nothing is sent
	log      *slog.Logger
}

// flushTimeout is how long the last spans may take to be sent.
const flushTimeout = 5 * time.Second

// startTraces begins to send traces to the configured endpoint. One that does not
// answer is logged, and keeps nothing from being done.
func startTraces(ctx context.Context, cfg settings.Config, log *slog.Logger) (*traces, error) {
	if cfg.TracesEndpoint == nil {
		return &traces{provider: noop.NewTracerProvider(), log: log}, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err.Error()) }))
	to := *cfg.TracesEndpoint
	if strings.Trim(to.Path, "/") == "" {
		to.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(to.String()))
	if err != nil {
		return nil, fmt.Errorf("traces to %s: %w", to.Host, err)
	}
	host, _ := os.Hostname()
	about := resource.NewSchemaless(
		attribute.String("service.name", "syncer"),
		attribute.String("service.version", version),
		attribute.String("service.instance.id", host),
	)
	// What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say comes first.
	if merged, err := resource.Merge(about, resource.Environment()); err == nil {
		about = merged
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	return &traces{provider: provider, sdk: provider, log: log}, nil
}

// stop sends what is left.
func (t *traces) stop() {
	if t.sdk == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.sdk.Shutdown(ctx); err != nil {
		t.log.Warn("the last traces were not sent", "error", err.Error())
	}
}

// tracer makes spans of the server's own.
func (t *traces) tracer() trace.Tracer {
	return t.provider.Tracer("github.com/goldenpaths/syncer")
}

// around makes a span of every request. A stranger's trace is linked, not joined.
func (t *traces) around(next http.Handler) http.Handler {
	if t.sdk == nil {
		return next
	}
	return otelhttp.NewHandler(next, "request", otelhttp.WithTracerProvider(t.provider),
		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }),
		otelhttp.WithFilter(worthASpan))
}

// worthASpan leaves out what is asked every second, and /setup, whose addresses hold
// secrets.
func worthASpan(r *http.Request) bool {
	return r.URL.Path != "/healthz" && r.URL.Path != "/readyz" && !strings.HasPrefix(r.URL.Path, "/setup")
}

// transport makes a span of every request to GitHub.
func (t *traces) transport(next http.RoundTripper) http.RoundTripper {
	if t.sdk == nil {
		return next
	}
	return otelhttp.NewTransport(next, otelhttp.WithTracerProvider(t.provider))
}
