package localhub

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

// FaultKind is how a request goes wrong.
type FaultKind string

// The ways in which a request goes wrong.
const (
	// FaultStatus answers Fault.Status.
	FaultStatus FaultKind = "status"
	// FaultReset cuts the connection without an answer.
	FaultReset FaultKind = "reset"
	// FaultTruncate sends the first half of the answer and cuts the connection.
	FaultTruncate FaultKind = "truncate"
	// FaultHang says nothing until the client gives up or Fault.Hang is over, then
	// cuts the connection.
	FaultHang FaultKind = "hang"
)

// Fault is what happens to one request. The zero value lets it pass.
type Fault struct {
	Kind FaultKind
	// Done makes the request take effect before it fails: the answer is lost. A
	// truncated answer is always of a request that took effect.
	Done bool
	// Status, Message and Header are for FaultStatus. An empty message is the status's
	// usual text.
	Status  int
	Message string
	Header  http.Header
	// Hang bounds FaultHang; 0 is one minute.
	Hang time.Duration

	hung func(*http.Request) // told that FaultHang begins
}

// noted puts a request into the journal before the first byte of its answer leaves, so
// that who has the answer finds the request counted.
type noted struct {
	http.ResponseWriter
	journal *journal
	entry   *Request
	done    bool
}

// WriteHeader notes the status.
func (n *noted) WriteHeader(status int) {
	n.note(status)
	n.ResponseWriter.WriteHeader(status)
}

// Write notes a status of 200 where none was written.
func (n *noted) Write(p []byte) (int, error) {
	n.note(http.StatusOK)
	return n.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is below.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

func (n *noted) note(status int) {
	if !n.done {
		n.done, n.entry.Status = true, status
		n.journal.add(*n.entry)
	}
}

// withFault runs serve, or what the fault makes of it, and notes the outcome.
func (h *Hub) withFault(w http.ResponseWriter, r *http.Request, entry *Request, serve func(http.ResponseWriter)) {
	var fault Fault
	if h.options.Fault != nil {
		fault = h.options.Fault(*entry)
	}
	entry.Fault = fault.Kind
	out := &noted{ResponseWriter: w, journal: &h.journal, entry: entry}
	if fault.Kind == "" {
		serve(out)
		out.note(http.StatusOK)
		return
	}
	recorded := &recorder{header: http.Header{}, status: http.StatusOK}
	if fault.Done || fault.Kind == FaultTruncate {
		serve(recorded)
	}
	switch fault.Kind {
	case FaultStatus:
		fault.answer(out)
	case FaultTruncate:
		truncate(out, recorded)
	case FaultHang:
		out.note(0)
		fault.wait(r)
		reset(w)
	default:
		out.note(0)
		reset(w)
	}
}

// wait is how long the client hears nothing.
func (f Fault) wait(r *http.Request) {
	limit := f.Hang
	if limit == 0 {
		limit = time.Minute
	}
	if f.hung != nil {
		f.hung(r)
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-timer.C:
	}
}

func (f Fault) answer(w http.ResponseWriter) {
	maps.Copy(w.Header(), f.Header)
	message := f.Message
	if message == "" {
		message = http.StatusText(f.Status)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-GitHub-Request-Id", requestID())
	w.WriteHeader(f.Status)
	_ = json.NewEncoder(w).Encode(obj{"message": message, "documentation_url": docs}) // the client went away
}

// recorder keeps an answer that is not sent, or not whole.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// truncate announces the whole answer and sends half of it.
func truncate(w http.ResponseWriter, whole *recorder) {
	maps.Copy(w.Header(), whole.header)
	w.WriteHeader(whole.status)
	body := whole.body.Bytes()
	_, _ = w.Write(body[:len(body)/2]) // the client went away
	panic(http.ErrAbortHandler)        // net/http's way to cut an answer short
}
