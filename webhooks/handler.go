// Package webhooks takes deliveries from GitHub: verify, translate, keep, answer.
//
// A delivery is answered with 202 when its jobs are in the queue and not before:
// nothing is kept in memory that a crash could lose. What an event means is decided
// by [Translate], which is pure. Keeping is the [Inbox]'s, in one transaction: the
// delivery's record, by which a second one with the same GUID is known, and its
// jobs. A delivery that fails on the way leaves no record, so that its redelivery is
// processed as if it were the first.
//
// Under more load than there is room for, deliveries wait a moment and are then
// answered with 503. GitHub notes them as failed and does not repeat them by itself;
// the sweep asks GitHub for failed deliveries and has them sent again. To answer
// 202 and hope would lose them for good, and to hold on to more than there is room
// for would end the process with all that it holds.
package webhooks

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"golang.org/x/sync/semaphore"
)

// Path is where deliveries come in.
const Path = "/webhooks/github"

// MaxBody is the most that a request may hold, in bytes. GitHub does not deliver
// what is larger than 25 MB.
const MaxBody = 25 << 20

// GitHub waits 10 seconds for an answer. These add up to less.
const (
	roomTime = 2 * time.Second // for there to be room for the body
	readTime = 4 * time.Second
	keepTime = 3 * time.Second
)

// Delivery is one request that was verified and understood.
type Delivery struct {
	GUID         string // the same when GitHub delivers it again
	Event        string
	Action       string
	Installation int64
	Repository   int64
	Received     time.Time
	Reason       string // what became of it, for people
}

// Inbox keeps deliveries. Accept records one as processed and enqueues its jobs, in
// one transaction; fresh is false, and nothing is enqueued, when one with the same
// GUID was processed before. After an error nothing of it is kept.
type Inbox interface {
	Accept(ctx context.Context, d Delivery, jobs []Job) (fresh bool, err error)
}

// Config is what a [Handler] needs; what follows Inbox may be left out.
type Config struct {
	Secrets []string // any of them may have signed: a new one and, while it is replaced, the old one
	App     App
	Inbox   Inbox
	// Room is how many bytes of bodies above 1 MB may be held at the same time, and
	// again as many of smaller ones; 0: 100 MB.
	Room int64
	Log  *slog.Logger
	// Observe, if set, is told how every request was answered, for metrics.
	Observe func(event string, status int, took time.Duration)
	Now     func() time.Time
}

// Handler answers deliveries. It may be used by many goroutines.
type Handler struct {
	cfg          Config
	secrets      secrets
	small, large *semaphore.Weighted
}

// NewHandler returns a handler, or an error when the configuration would let
// unsigned deliveries in.
func NewHandler(cfg Config) (*Handler, error) {
	keys, err := newSecrets(cfg.Secrets)
	if err != nil {
		return nil, err
	}
	if cfg.Inbox == nil {
		return nil, errors.New("webhooks: no inbox: deliveries would be lost")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Observe == nil {
		cfg.Observe = func(string, int, time.Duration) {}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Secrets = nil
	cfg.Room = cmp.Or(max(cfg.Room, 0), defaultRoom)
	return &Handler{cfg: cfg, secrets: keys, small: semaphore.NewWeighted(cfg.Room), large: semaphore.NewWeighted(cfg.Room)}, nil
}

// Mount makes r answer deliveries at [Path].
func (h *Handler) Mount(r *mux.Router) {
	r.Handle(Path, h).Methods(http.MethodPost)
}

// refusal is an answer other than 202. It says nothing that a stranger may not know.
type refusal struct {
	status int
	why    string
	err    error // for the log only
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, why: fmt.Sprintf(format, args...)}
}

// ServeHTTP answers one delivery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := h.cfg.Now()
	d := Delivery{Received: began}
	status, why, err := http.StatusAccepted, "", error(nil)
	if no := h.deliver(w, r, &d); no != nil {
		status, why, err = no.status, no.why, no.err
	} else {
		why = d.Reason
	}
	took := h.cfg.Now().Sub(began)
	h.log(r, d, status, why, err, took)
	h.cfg.Observe(d.Event, status, took)
	answer(w, status, d.GUID, why)
}

// deliver takes a request through all steps, filling in d.
func (h *Handler) deliver(w http.ResponseWriter, r *http.Request, d *Delivery) *refusal {
	deadline(w, roomTime+readTime)
	if no := admit(r, d); no != nil {
		return no
	}
	release, no := h.room(r)
	if no != nil {
		return no
	}
	defer release()
	body, no := read(w, r)
	if no != nil {
		return no
	}
	if !h.secrets.signed(body, r.Header.Get(signatureHeader)) {
		return refuse(http.StatusUnauthorized, "the signature is not of a secret that is configured here")
	}
	body, no = payloadOf(r, body)
	if no != nil {
		return no
	}
	t, err := Translate(h.cfg.App, d.Event, body)
	if err != nil {
		return &refusal{http.StatusBadRequest, err.Error(), err}
	}
	d.Action, d.Installation, d.Repository, d.Reason = t.Action, t.Installation, t.Repository, t.Reason
	return h.keep(r.Context(), d, t.Jobs)
}

// Deliveries are named by GUIDs; the pattern is wider, and still safe to log.
var (
	guidForm  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`) })
	eventForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9_]{1,64}$`) })
)

// admit looks at the headers, before a byte of the body is read.
func admit(r *http.Request, d *Delivery) *refusal {
	guid, event := r.Header.Get("X-GitHub-Delivery"), r.Header.Get("X-GitHub-Event")
	switch {
	case r.Method != http.MethodPost:
		return refuse(http.StatusMethodNotAllowed, "deliveries are sent by POST")
	case !guidForm().MatchString(guid):
		return refuse(http.StatusBadRequest, "the header X-GitHub-Delivery lacks a GUID; this address is for GitHub's webhooks")
	case !eventForm().MatchString(event):
		return refuse(http.StatusBadRequest, "the header X-GitHub-Event lacks an event; this address is for GitHub's webhooks")
	}
	d.GUID, d.Event = guid, event
	switch {
	case r.Header.Get(signatureHeader) == "":
		return refuse(http.StatusUnauthorized, "the header %s is missing: set a secret for the webhook (SHA-1 is not accepted)", signatureHeader)
	case r.ContentLength > MaxBody:
		return refuse(http.StatusRequestEntityTooLarge, "the body has %d bytes; at most %d are read", r.ContentLength, MaxBody)
	}
	if kind := contentType(r); kind != jsonType && kind != formType {
		return refuse(http.StatusUnsupportedMediaType, "content type %.40q: GitHub sends %s or %s", kind, jsonType, formType)
	}
	return nil
}

// keep hands the delivery to the inbox.
func (h *Handler) keep(ctx context.Context, d *Delivery, jobs []Job) *refusal {
	// GitHub hanging up does not undo a delivery that is understood.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	fresh, err := h.cfg.Inbox.Accept(ctx, *d, jobs)
	if err != nil {
		return &refusal{http.StatusServiceUnavailable, "the delivery could not be kept; it is to be delivered again", err}
	}
	if !fresh {
		d.Reason = "processed before"
	}
	return nil
}

func (h *Handler) log(r *http.Request, d Delivery, status int, why string, err error, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	case status >= http.StatusBadRequest:
		level = slog.LevelWarn
	}
	attrs := []any{
		"delivery", d.GUID, "event", d.Event, "action", d.Action, "installation", d.Installation,
		"repository", d.Repository, "status", status, "outcome", why, "took", took,
	}
	if err != nil {
		attrs = append(attrs, "error", err.Error())
	}
	h.cfg.Log.Log(r.Context(), level, "delivery", attrs...)
}

// retryAfter is what a refusal under load advises, in seconds. GitHub does not
// heed it; whatever stands between may.
const retryAfter = "30"

func answer(w http.ResponseWriter, status int, guid, why string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(status)
	// Whoever no longer listens cannot be told.
	_ = json.NewEncoder(w).Encode(struct {
		Delivery string `json:"delivery,omitempty"`
		Outcome  string `json:"outcome"`
	}{guid, cmp.Or(why, http.StatusText(status))})
}
