package main

import (
	"net/http"
	"net/http/pprof"

	"github.com/gorilla/mux"

	"github.com/goldenpaths/syncer/internal/store"
)

// adminRouter answers administrators; queue is River's pages and db what they may have
// forgotten, nil before there are any.
func (s *server) adminRouter(queue http.Handler, db *store.Store) *mux.Router {
	r := s.baseRouter(true)
	r.Handle("/metrics", s.metrics.handler(s.log.Logger)).Methods(http.MethodGet)
	r.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	r.HandleFunc("/debug/pprof/profile", pprof.Profile)
	r.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	r.HandleFunc("/debug/pprof/trace", pprof.Trace)
	r.PathPrefix("/debug/pprof/").HandlerFunc(pprof.Index)
	if queue != nil {
		r.PathPrefix("/jobs").Handler(queue)
	}
	if db != nil {
		r.HandleFunc("/memory", memoryPage{db}.show).Methods(http.MethodGet)
		r.HandleFunc("/memory", memoryPage{db}.forget).Methods(http.MethodPost)
	}
	r.HandleFunc("/", adminIndex).Methods(http.MethodGet)
	return r
}

func adminIndex(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>syncer</title><h1>syncer, for administrators</h1>
<ul><li><a href="/jobs/">jobs</a></li><li><a href="/memory">memory</a></li><li><a href="/metrics">metrics</a></li><li><a href="/debug/pprof/">profiles</a></li>
<li><a href="/readyz">readiness</a></li></ul></html>
`))
}
