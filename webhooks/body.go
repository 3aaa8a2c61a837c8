package webhooks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// Bodies that are held at the same time are bounded by their bytes. Small ones,
// which nearly all are, have room of their own, so that a few that are large, or
// pretend to be, do not hold them up.
const (
	small       = 1 << 20
	least       = 16 << 10 // what the smallest is counted as, for what goes with it
	defaultRoom = 4 * MaxBody
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

func contentType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// room waits until there is room for the body, which is counted as what it says to
// have, or as the largest where it does not say.
func (h *Handler) room(r *http.Request) (release func(), _ *refusal) {
	size, where := r.ContentLength, h.small
	if size < 0 {
		size = MaxBody
	}
	if size > small {
		where = h.large
	}
	size = min(max(size, least), h.cfg.Room) // the largest has to fit alone
	ctx, cancel := context.WithTimeout(r.Context(), roomTime)
	defer cancel()
	if err := where.Acquire(ctx, size); err != nil {
		return nil, &refusal{http.StatusServiceUnavailable, "too many deliveries at once; this one is to be delivered again", err}
	}
	return func() { where.Release(size) }, nil
}

// read reads the body, bounded in bytes and in time.
func read(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	deadline(w, readTime)
	var body bytes.Buffer
	body.Grow(int(max(r.ContentLength, 0)))
	_, err := io.Copy(&body, http.MaxBytesReader(w, r.Body, MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", MaxBody)
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, "the body ended early, or took too long", err}
	}
	deadline(w, 0)
	return body.Bytes(), nil
}

// deadline bounds how long the rest of the body may take, 0 for as long as it
// likes. It stays for a request that is refused, whose rest the server still reads.
func deadline(w http.ResponseWriter, d time.Duration) {
	var at time.Time
	if d > 0 {
		at = time.Now().Add(d)
	}
	// A writer without deadlines is not a network's.
	_ = http.NewResponseController(w).SetReadDeadline(at)
}

// payloadOf returns the JSON in a body, of either form that GitHub sends. The
// signature is of the body as it came.
func payloadOf(r *http.Request, body []byte) ([]byte, *refusal) {
	if contentType(r) == jsonType {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !form.Has("payload") {
		return nil, refuse(http.StatusBadRequest, "the form lacks a field named payload")
	}
	return []byte(form.Get("payload")), nil
}
