package main

import (
	"net/http"
	"net/http/pprof"

	"github.com/gorilla/mux"
)

// adminRouter answers administrators; queue is River's pages, nil before there is a
// queue.
func (s *server) adminRouter(queue http.Handler) *mux.Router {
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
	r.HandleFunc("/", adminIndex).Methods(http.MethodGet)
	return r
}

func adminIndex(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>syncer</title><h1>syncer, for administrators</h1>
<ul><li><a href="/jobs/">jobs</a></li><li><a href="/metrics">metrics</a></li><li><a href="/debug/pprof/">profiles</a></li>
<li><a href="/readyz">readiness</a></li></ul></html>
`))
}
