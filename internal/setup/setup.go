// Package setup registers the GitHub App, once, by GitHub's manifest flow: a page
// shows what the App asks for and why, a button takes its reader to GitHub, and
// GitHub sends them back with a code that is exchanged for the App's secrets.
//
// Whoever gets to the page owns the App that the server will work as. So it is
// there only while no App is configured, and only for those who know the token that
// the server logged at its start; the token holds for an hour and until an App is
// registered. The token is given up for a cookie at once, so that it stays out of
// the browser's history; the way to GitHub and back is tied to that cookie by a
// state that is used once.
package setup

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/mux"
)

// Config is what a [Setup] needs. Client, Now, Log and Done may be left out.
type Config struct {
	GitHub    *url.URL // its root, as people see it
	Home      *url.URL // where GitHub reaches the server
	Here      *url.URL // where a browser reaches it
	HookPath  string   // where deliveries come in, below Home
	Owner     string   // the organization that is suggested
	Directory string   // where secrets are put
	Client    *http.Client
	Now       func() time.Time
	Log       *slog.Logger
	// Done is called once, when everything is written.
	Done func(Kept)
}

// lifetime is how long the token, and what follows from it, holds.
const lifetime = time.Hour

// maxSessions and maxStates bound what strangers, and forgetful people, can make
// the server remember.
const (
	maxSessions = 16
	maxStates   = 16
)

// Setup is one chance to register an App.
type Setup struct {
	cfg    Config
	client *http.Client
	token  string
	until  time.Time

	mu       sync.Mutex
	sessions []*session // the oldest first
	done     bool
	busy     bool // a code is being exchanged
}

// session is a browser that showed the token.
type session struct {
	id     string
	states []string // the oldest first
}

// New makes a token, and finds out whether the directory can be written to.
func New(cfg Config) (*Setup, error) {
	if err := probe(cfg.Directory); err != nil {
		return nil, fmt.Errorf("the App's secrets could not be kept: %w; give a folder that can be written to, or configure an App", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	client := http.Client{}
	if cfg.Client != nil {
		client = *cfg.Client
	}
	// An App's secrets come from where they were asked for or not at all.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Setup{cfg: cfg, client: &client, token: rand.Text(), until: cfg.Now().Add(lifetime)}, nil
}

// Link returns the address of the page with the token in it. It is a secret for an
// hour.
func (s *Setup) Link() string {
	u := s.at("/setup")
	u.RawQuery = url.Values{"token": {s.token}}.Encode()
	return u.String()
}

func (s *Setup) at(path string) *url.URL { return s.cfg.Here.JoinPath(path) }

// Mount makes r answer at /setup.
func (s *Setup) Mount(r *mux.Router) {
	sub := r.PathPrefix("/setup").Subrouter()
	sub.Use(s.guard)
	sub.HandleFunc("", s.show).Methods(http.MethodGet)
	sub.HandleFunc("", s.enter).Methods(http.MethodPost)
	sub.HandleFunc("/callback", s.callback).Methods(http.MethodGet)
	sub.HandleFunc("/style.css", style).Methods(http.MethodGet)
}

// guard ends it all when the App is registered or the hour is over, bounds what is
// read, and says what the pages may do.
func (s *Setup) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		// GitHub is told the origin of the form, and nobody the address of the page.
		h.Set("Referrer-Policy", "strict-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+
			s.cfg.GitHub.Scheme+"://"+s.cfg.GitHub.Host)
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		s.mu.Lock()
		done := s.done
		s.mu.Unlock()
		switch {
		case done:
			refuse(w, http.StatusGone, "The App is registered.", "This page was for that alone. A new App is registered after the settings of the old one are removed and the server is restarted.")
		case !s.cfg.Now().Before(s.until):
			refuse(w, http.StatusGone, "This link was good for an hour.", "Restart the server; it logs a new one.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

const cookie = "syncer_setup"

// session returns the one that a request belongs to, or nil.
func (s *Setup) session(r *http.Request) *session {
	c, err := r.Cookie(cookie)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *session
	for _, one := range s.sessions {
		if same(one.id, c.Value) {
			found = one
		}
	}
	return found
}

// same compares two secrets in a time that tells nothing of them.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// admit gives a browser that knows the token a session.
func (s *Setup) admit(w http.ResponseWriter, r *http.Request, token string) {
	if !same(token, s.token) {
		s.cfg.Log.WarnContext(r.Context(), "somebody without the right token was at /setup")
		w.WriteHeader(http.StatusForbidden)
		render(w, "enter", map[string]any{"Wrong": true})
		return
	}
	one := &session{id: rand.Text()}
	s.mu.Lock()
	s.sessions = append(s.sessions, one)
	s.sessions = s.sessions[max(0, len(s.sessions)-maxSessions):]
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Value: one.id, Path: "/setup", MaxAge: int(lifetime.Seconds()),
		HttpOnly: true, Secure: s.cfg.Here.Scheme == "https",
		SameSite: http.SameSiteLaxMode, // GitHub's redirect brings it along
	})
	http.Redirect(w, r, s.at("/setup").Path, http.StatusSeeOther)
}

// newState remembers a state for the way to GitHub and back.
func (s *Setup) newState(one *session) string {
	state := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	one.states = append(one.states, state)
	one.states = one.states[max(0, len(one.states)-maxStates):]
	return state
}

// begin checks a state and makes this request the only one that exchanges a code.
func (s *Setup) begin(one *session, state string) (known, free bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, have := range one.states {
		known = same(have, state) || known
	}
	free = !s.busy && !s.done
	if known && free {
		s.busy = true
	}
	return known, free
}

// end gives the turn to others. A state that was used is forgotten.
func (s *Setup) end(one *session, state string, used, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.done = false, done
	if used {
		one.states = slices.DeleteFunc(one.states, func(have string) bool { return same(have, state) })
	}
}
