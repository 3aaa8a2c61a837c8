package forge

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Bounds of an answer, in bytes: of an object, which the API takes up to 40 MiB and
// sends in base64, and of anything else.
const (
	maxObjectBody = 64 << 20
	maxBody       = 32 << 20
)

// defaultTransport has a time for everything that can hang.
func defaultTransport() http.RoundTripper {
	d := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           d.DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   20,
	}
}

// wire is the last step before the network: it names us, keeps the time, reads
// the whole answer, and learns GitHub's clock from it. An answer that breaks off
// is an error here, so that nobody takes half of one for all of it.
type wire struct {
	next    http.RoundTripper
	agent   string
	timeout time.Duration
	clock   *clock
}

// RoundTrip sends the request; its error is a [wireError] or the context's.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), w.timeout)
	defer cancel()
	out := req.Clone(ctx)
	out.Header.Set("User-Agent", w.agent)
	resp, err := w.next.RoundTrip(out)
	if err != nil {
		return nil, &wireError{lost: arrived(err), cause: err}
	}
	w.clock.learn(resp.Header.Get("Date"))
	limit := int64(maxBody)
	if strings.Contains(req.URL.Path, "/git/blobs/") {
		limit = maxObjectBody
	}
	body, err := readBounded(resp.Body, limit)
	if err != nil {
		return nil, &wireError{lost: true, cause: fmt.Errorf("reading the answer: %w", err)}
	}
	if strings.HasSuffix(req.URL.Path, "/access_tokens") && resp.StatusCode == http.StatusCreated {
		body = inOurTime(body, w.clock.skew())
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// arrived reports whether a request that failed may have reached GitHub: all but
// those for which no connection came about.
func arrived(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return false
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	_, plain := errors.AsType[tls.RecordHeaderError](err) // the other end speaks no TLS
	return !plain
}

func readBounded(r io.ReadCloser, limit int64) ([]byte, error) {
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	return data, err
}

// inOurTime moves the time at which a token expires to this machine's clock, by
// which ghinstallation judges it: otherwise a clock that is an hour ahead asks
// for a new token at every request.
func inOurTime(body []byte, skew time.Duration) []byte {
	var token map[string]json.RawMessage
	if skew == 0 || json.Unmarshal(body, &token) != nil {
		return body
	}
	var expires time.Time
	if json.Unmarshal(token["expires_at"], &expires) != nil {
		return body
	}
	moved, err := json.Marshal(expires.Add(-skew))
	if err != nil {
		return body // unreachable for years of four digits
	}
	token["expires_at"] = moved
	if out, err := json.Marshal(token); err == nil {
		return out
	}
	return body
}
