package forge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/bradleyfalzon/ghinstallation/v2"
)

// courier carries one installation's requests: it keeps the pace, answers from
// the cache where that is right, puts the token on, and learns from the answer.
type courier struct {
	in *Installation
}

// trip is what a request knows of the call that it belongs to.
type trip struct {
	client *Client
	// query marks a POST that reads only.
	query bool
}

type tripKey struct{}

// RoundTrip implements [http.RoundTripper]. Its errors are a [LimitError], an
// [Error] of the token's request, a [wireError], or the context's.
func (c *courier) RoundTrip(req *http.Request) (*http.Response, error) {
	t, _ := req.Context().Value(tripKey{}).(trip)
	if t.client == nil {
		return nil, errors.New("forge: a request without a client") // unreachable: Client.send sets it
	}
	found, fresh := c.in.cache.find(req)
	if fresh {
		return found.response(req), nil
	}
	w := weigh(req, t, c.in.gov.pace.ObjectsFree)
	leave, err := c.in.gov.enter(req.Context(), w, t.client.credit.Load())
	if err != nil {
		return nil, err
	}
	defer leave()
	if found != nil {
		req = req.Clone(req.Context())
		req.Header.Set("If-None-Match", found.etag)
	}
	resp, body, err := c.send(req, t.client)
	if err != nil {
		return nil, err
	}
	if limit := c.in.gov.learn(w, resp, body); limit != nil {
		c.in.gov.exchange(req.Context()) // the other replicas stop too
		return nil, limit
	}
	if found != nil && resp.StatusCode == http.StatusNotModified {
		return found.response(req), nil
	}
	c.in.cache.keep(req, resp, body)
	return resp, nil
}

// send puts the token on and sends. A token that is refused is thrown away and
// asked for once more: it was revoked, or this machine's clock is wrong.
func (c *courier) send(req *http.Request, client *Client) (*http.Response, []byte, error) {
	for attempt := 0; ; attempt++ {
		resp, err := client.deliver(req, attempt)
		if err != nil {
			return nil, nil, err
		}
		body, err := io.ReadAll(resp.Body) // from memory: wire has read it
		if err != nil {
			return nil, nil, &wireError{lost: true, cause: err}
		}
		ownLimits(resp, body)
		if resp.StatusCode != http.StatusUnauthorized || attempt > 0 || !rewind(&req) {
			return resp, body, nil
		}
		client.in.forgetToken(client.access)
	}
}

// ownLimits hands a body on to go-github, with the mark at which it does not
// remember the limits of the answer: it would refuse calls of its own accord, by
// its own clock.
func ownLimits(resp *http.Response, body []byte) {
	resp.Header.Set("X-From-Cache", "1")
	resp.Body = io.NopCloser(bytes.NewReader(body))
}

// rewind makes a request that can be sent again.
func rewind(req **http.Request) bool {
	if (*req).Body == nil {
		return true
	}
	if (*req).GetBody == nil {
		return false
	}
	body, err := (*req).GetBody()
	if err != nil {
		return false
	}
	again := (*req).Clone((*req).Context())
	again.Body = body
	*req = again
	return true
}

// deliver sends one request with a token of the client's access. Where the App's
// own signature was refused it is made anew once: the key may have been rotated,
// and the refusal told GitHub's clock. Where the owner did not grant all that the
// job asks for, the token has what was granted.
func (c *Client) deliver(req *http.Request, attempt int) (*http.Response, error) {
	tr := c.in.token(c.access)
	_, err := tr.Token(req.Context())
	switch {
	case err == nil:
	case attempt == 0 && refusedWith(err, http.StatusUnauthorized):
		_, err = tr.Token(req.Context())
	case refusedWith(err, http.StatusUnprocessableEntity) && c.in.narrow(req.Context(), c.access):
		tr = c.in.token(c.access)
		_, err = tr.Token(req.Context())
	}
	if err != nil {
		return nil, c.in.app.tokenError(c.in.id, err)
	}
	return tr.RoundTrip(req)
}

func refusedWith(err error, status int) bool {
	h, ok := errors.AsType[*ghinstallation.HTTPError](err)
	return ok && h.Response != nil && h.Response.StatusCode == status
}

// weigh says what a request costs (GitHub's points: a read 1, a write 5).
func weigh(req *http.Request, t trip, objectsFree bool) weight {
	w := weight{points: 1, urgent: t.client.access.Urgent, graphql: strings.HasSuffix(req.URL.Path, "/graphql")}
	if t.query || !mutates(req.Method) {
		return w
	}
	w.points, w.mutation = 5, true
	if req.Method == http.MethodDelete {
		return w
	}
	w.content, w.posts = 1, 1
	if objectsFree && strings.Contains(req.URL.Path, "/git/") && !strings.Contains(req.URL.Path, "/git/refs") {
		w.posts = 0
	}
	if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/pulls") {
		w.pulls = 1
	}
	return w
}

// sameHost follows redirects of reads within the API, as GitHub answers for what
// was renamed. The token is put on below, so another host must never be followed
// to; and a write that is sent on as a read would look done, so it comes back as
// [Moved].
func (a *App) sameHost(req *http.Request, via []*http.Request) error {
	if len(via) > 5 || mutates(via[0].Method) || req.URL.Host != a.at.rest.Host || req.URL.Scheme != a.at.rest.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// with gives a context what the courier needs.
func (c *Client) with(ctx context.Context, query bool) context.Context {
	return context.WithValue(ctx, tripKey{}, trip{client: c, query: query})
}
