package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/term"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/settings"
)

// logger is where everything that the server does is logged, with what must not be
// in it.
type logger struct {
	*slog.Logger
	hide *scrubber
}

// newLogger returns a logger to w in the configured form.
func newLogger(w io.Writer, cfg *settings.Config) logger {
	hide := &scrubber{to: w}
	hide.add(cfg.Secrets()...)
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	var h slog.Handler = slog.NewJSONHandler(hide, options)
	if cfg.LogFormat == "text" || cfg.LogFormat == "auto" && isTerminal(w) {
		h = slog.NewTextHandler(hide, options)
	}
	return logger{slog.New(placed{h}), hide}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a descriptor fits
}

// placed adds what a record belongs to: the request, the job, the delivery that
// caused it, the trace.
type placed struct{ slog.Handler }

// Handle implements [slog.Handler].
func (p placed) Handle(ctx context.Context, r slog.Record) error {
	if id := requestID(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	if id := jobs.ID(ctx); id != 0 {
		r.AddAttrs(slog.Int64("job", id))
	}
	if guid := jobs.Cause(ctx); guid != "" {
		r.AddAttrs(slog.String("delivery", guid))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace", span.TraceID().String()))
	}
	return p.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (p placed) WithAttrs(attrs []slog.Attr) slog.Handler { return placed{p.Handler.WithAttrs(attrs)} }

// WithGroup implements [slog.Handler].
func (p placed) WithGroup(name string) slog.Handler { return placed{p.Handler.WithGroup(name)} }

// scrubber is the last line of defence: whatever is about to be logged, the secrets
// that the server knows, and what looks like GitHub's tokens, are taken out.
type scrubber struct {
	to io.Writer

	mu     sync.RWMutex
	hidden [][]byte
}

const (
	scrubbed = "[secret]"
	// leastSecret is the length from which text is a secret of its own; shorter text
	// is found everywhere.
	leastSecret = 4
)

// tokens are GitHub's (https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/),
// JSON Web Tokens, and passwords within addresses.
var tokens = regexp.MustCompile(`gh[a-z]_[A-Za-z0-9_]{20,}|github_pat_[A-Za-z0-9_]{20,}|v1\.[0-9a-f]{40}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|://[^/\s:@"]*:[^/\s:@"]+@`)

// add makes text secret, in all forms in which a log may hold it.
func (s *scrubber) add(secrets ...settings.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range secrets {
		// A key is recognized by each of its lines.
		for line := range strings.Lines(one.Reveal()) {
			line = strings.TrimSpace(line)
			if len(line) < leastSecret || strings.HasPrefix(line, "-----") {
				continue
			}
			for _, form := range forms(line) {
				s.hidden = append(s.hidden, []byte(form))
			}
		}
	}
}

func forms(text string) []string {
	all := []string{text, strings.Trim(strconv.Quote(text), `"`), url.QueryEscape(text), url.PathEscape(text)}
	if quoted, err := json.Marshal(text); err == nil {
		all = append(all, strings.Trim(string(quoted), `"`))
	}
	return all
}

// Write implements [io.Writer]. A record comes in one piece.
func (s *scrubber) Write(p []byte) (int, error) {
	s.mu.RLock()
	line := p
	for _, secret := range s.hidden {
		line = bytes.ReplaceAll(line, secret, []byte(scrubbed))
	}
	s.mu.RUnlock()
	line = tokens.ReplaceAllFunc(line, func(found []byte) []byte {
		if bytes.HasPrefix(found, []byte("://")) {
			return []byte("://" + scrubbed + "@")
		}
		return []byte(scrubbed)
	})
	if _, err := s.to.Write(line); err != nil {
		return 0, err
	}
	return len(p), nil
}
