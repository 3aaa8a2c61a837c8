package main

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// readiness is what the server still lacks before it can work.
type readiness struct {
	mu      sync.Mutex
	missing []string
	details map[string]string // for administrators
	probe   func(context.Context) error
	checked time.Time
	last    error
}

const (
	// probeTimeout is how long the database may take to answer.
	probeTimeout = 2 * time.Second
	// probeEvery keeps those who ask often from asking the database as often.
	probeEvery = time.Second
)

// lacks notes parts that are missing from now on.
func (r *readiness) lacks(parts ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missing = append(r.missing, parts...)
}

// because notes why a part is still missing.
func (r *readiness) because(part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.details == nil {
		r.details = map[string]string{}
	}
	r.details[part] = err.Error()
}

// has notes that a part is there.
func (r *readiness) has(part string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missing = slices.DeleteFunc(r.missing, func(m string) bool { return m == part })
	delete(r.details, part)
}

// watch has the database asked whenever somebody wants to know.
func (r *readiness) watch(probe func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probe = probe
}

// state returns what is missing, and why where that is known.
func (r *readiness) state(ctx context.Context) (missing []string, details map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	missing = slices.Clone(r.missing)
	details = map[string]string{}
	maps.Copy(details, r.details)
	if r.probe == nil || slices.Contains(missing, "database") {
		return missing, details
	}
	if now := time.Now(); now.Sub(r.checked) >= probeEvery {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
		defer cancel()
		r.last, r.checked = r.probe(ctx), now
	}
	if r.last != nil {
		missing = append(missing, "database")
		details["database"] = r.last.Error()
	}
	return missing, details
}

// answer is /readyz. Only administrators are told why something is missing.
func (r *readiness) answer(private bool) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		missing, details := r.state(req.Context())
		status := http.StatusOK
		if len(missing) > 0 {
			status = http.StatusServiceUnavailable
		}
		if !private {
			details = nil
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		// Whoever no longer listens cannot be told.
		_ = json.NewEncoder(w).Encode(struct {
			Ready   bool              `json:"ready"`
			Missing []string          `json:"missing,omitempty"`
			Why     map[string]string `json:"why,omitempty"`
		}{len(missing) == 0, missing, details})
	}
}

// alive is /healthz: the process answers.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

// notYet answers everything else while the server starts. What GitHub delivers now
// counts as failed on its side, and is asked for again by the sweep.
func (r *readiness) notYet(w http.ResponseWriter, req *http.Request) {
	missing, _ := r.state(req.Context())
	w.Header().Set("Retry-After", "5")
	http.Error(w, "starting; still missing: "+cmp.Or(strings.Join(missing, ", "), "a moment"), http.StatusServiceUnavailable)
}
