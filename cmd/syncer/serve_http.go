package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/felixge/httpsnoop"
	"github.com/gorilla/mux"
)

// The bounds of both servers. Deliveries are bounded more tightly, by webhooks.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	adminTimeout  = 5 * time.Minute // profiles take as long as they are asked to
	idleTimeout   = 2 * time.Minute
	headerBytes   = 32 << 10
)

// front is a listening server whose answers change as the process gets ready.
type front struct {
	server  *http.Server
	handler atomic.Pointer[http.Handler]
}

// show makes h answer from now on.
func (f *front) show(h http.Handler) {
	if f != nil {
		f.handler.Store(&h)
	}
}

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*f.handler.Load()).ServeHTTP(w, r)
}

// drain takes no new requests and waits for those that are being answered.
func (f *front) drain(ctx context.Context) error {
	if err := f.server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests were still being answered: %w", err), f.server.Close())
	}
	return nil
}

// close ends everything at once. Closing what is closed does nothing.
func (f *front) close() {
	if f != nil {
		_ = f.server.Close()
	}
}

// listen starts a server; nil is one that is turned off. around is what every answer
// goes through; failed is told when the server ends by itself.
func (s *server) listen(ctx context.Context, name, address string, around func(http.Handler) http.Handler, failed context.CancelCauseFunc) (*front, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // a front may be nil, and does nothing then
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening (%s): %w", name, err)
	}
	f := &front{}
	router := s.baseRouter(name == "admin")
	router.PathPrefix("/").HandlerFunc(s.ready.notYet)
	f.show(router)
	f.server = &http.Server{
		Handler:           around(f),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // a stranger's broken handshake
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	if name == "admin" {
		f.server.WriteTimeout = adminTimeout
	}
	go func() {
		if err := f.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("the %s server ended: %w", name, err))
		}
	}()
	s.log.Info("listening", "server", name, "address", l.Addr().String())
	return f, nil
}

// baseRouter answers what both servers answer at any time.
func (s *server) baseRouter(private bool) *mux.Router {
	r := mux.NewRouter()
	r.HandleFunc("/healthz", alive).Methods(http.MethodGet, http.MethodHead)
	r.Handle("/readyz", s.ready.answer(private)).Methods(http.MethodGet, http.MethodHead)
	return r
}

// publicly is what every answer to the world goes through.
func (s *server) publicly(next http.Handler) http.Handler {
	return withRequestID(s.traces.around(s.observed(guarded(s.log.Logger, s.secured(next)))))
}

// privately is what every answer to administrators goes through. Pages elsewhere
// that an administrator looks at cannot make their browser cancel jobs.
func (s *server) privately(next http.Handler) http.Handler {
	return withRequestID(guarded(s.log.Logger, http.NewCrossOriginProtection().Handler(next)))
}

type requestKey struct{}

// requestID returns the id of the request that ctx belongs to, or "".
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

var requestForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// withRequestID takes the id that a proxy gave, or makes one.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !requestForm.MatchString(id) {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	})
}

// observed counts requests and logs them. Queries are not logged: the link to
// /setup has its token there.
func (s *server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := httpsnoop.CaptureMetrics(next, w, r)
		s.metrics.request(r.Method, m.Code, m.Duration)
		level := slog.LevelDebug
		if m.Code >= http.StatusInternalServerError && m.Code != http.StatusServiceUnavailable {
			level = slog.LevelError
		}
		s.log.Log(r.Context(), level, "request", "method", r.Method, "path", bounded(r.URL.Path), "status", m.Code,
			"bytes", m.Written, "took", m.Duration.String())
	})
}

// maxLogged bounds what a stranger can write into the log, in bytes.
const maxLogged = 200

func bounded(text string) string {
	if len(text) > maxLogged {
		return text[:maxLogged] + "…"
	}
	return text
}

// guarded turns a panic into an answer, or, where an answer has begun, into a broken
// connection, so that nobody takes half of one for all of it.
func guarded(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := false
		wrapped := httpsnoop.Wrap(w, httpsnoop.Hooks{
			WriteHeader: func(f httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
				return func(code int) { begun = true; f(code) }
			},
			Write: func(f httpsnoop.WriteFunc) httpsnoop.WriteFunc {
				return func(b []byte) (int, error) { begun = true; return f(b) }
			},
		})
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares so too
				panic(p)
			}
			log.ErrorContext(r.Context(), "panic", "method", r.Method, "path", bounded(r.URL.Path), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if begun {
				panic(http.ErrAbortHandler)
			}
			http.Error(w, "something went wrong here; the log tells what, as request "+requestID(r.Context()), http.StatusInternalServerError)
		}()
		next.ServeHTTP(wrapped, r)
	})
}

// secured sets what every page may do. Pages that need more say so themselves.
func (s *server) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		if s.cfg.URL.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
