package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxTokens bounds the access tokens that an installation keeps.
const maxTokens = 1000

// Installation is the App in one organisation or account.
type Installation struct {
	app    *App
	id     int64
	client *github.Client
	cache  *cache
	gov    *governor

	mu     sync.Mutex
	tokens *simplelru.LRU[string, *ghinstallation.Transport]
	// granted are the owner's permissions, nil as long as all that was asked for was
	// given.
	granted map[string]string

	// noGraphQL is until when GraphQL is left alone, in Unix seconds; failing is how
	// often in a row it did not answer.
	noGraphQL atomic.Int64
	failing   atomic.Int64
}

// ID returns the installation's number.
func (in *Installation) ID() int64 { return in.id }

// Budget returns where the installation stands in its limits.
func (in *Installation) Budget() Budget { return in.gov.budget() }

// Access is what a job may do: its token can do no more.
type Access struct {
	// Repositories are ids, at most 500; none is all that the installation has.
	Repositories []int64
	// Permissions by the names of GitHub's API, "read" or "write"; nil is all that
	// the owner granted.
	Permissions map[string]string
	// Urgent work, a new repository that somebody waits for, goes before the rest.
	Urgent bool
}

// key names an access in the memory of tokens.
func (a Access) key() string {
	var b strings.Builder
	for _, id := range slices.Sorted(slices.Values(a.Repositories)) {
		fmt.Fprintf(&b, "%d,", id)
	}
	for _, p := range slices.Sorted(maps.Keys(a.Permissions)) {
		fmt.Fprintf(&b, "%s=%s;", p, a.Permissions[p])
	}
	return b.String()
}

// within leaves out what was not granted; nil grants all. GitHub refuses a token
// with one permission too many, and what a job asks for besides may be of use. A
// token must not become one with all permissions because none is left.
func (a Access) within(granted map[string]string) Access {
	if granted == nil || len(a.Permissions) == 0 {
		return a
	}
	left := map[string]string{"metadata": "read"}
	for name, level := range a.Permissions {
		switch has := granted[name]; {
		case has == "":
		case level == "read":
			left[name] = level
		default:
			left[name] = has
		}
	}
	a.Permissions = left
	return a
}

// narrow learns what was granted after a token was refused, and reports whether
// asking again is of use. Accepted permissions come with a new Installation.
func (in *Installation) narrow(ctx context.Context, a Access) bool {
	if len(a.Permissions) == 0 {
		return false
	}
	info, err := in.app.InstallationInfo(ctx, in.id)
	if err != nil || info.Permissions == nil {
		return false
	}
	in.mu.Lock()
	in.granted = info.Permissions
	in.tokens.Purge()
	in.mu.Unlock()
	return !maps.Equal(a.within(info.Permissions).Permissions, a.Permissions)
}

// body is what to ask a token for, exactly. go-github's options have a field for each
// permission that it knows: one that it does not know would be lost, and a token that
// names none has them all.
func (a Access) body() ([]byte, error) {
	return json.Marshal(struct {
		Repositories []int64           `json:"repository_ids,omitempty"`
		Permissions  map[string]string `json:"permissions,omitempty"`
	}{a.Repositories, a.Permissions})
}

// asking sends an access with the request for a token, in place of what ghinstallation
// asks for.
type asking struct {
	next   http.RoundTripper
	access Access
}

// RoundTrip implements [http.RoundTripper].
func (a asking) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(req.URL.Path, "/access_tokens") {
		return a.next.RoundTrip(req) // ghinstallation sends everything by the same way
	}
	body, err := a.access.body()
	if err != nil {
		return nil, err // unreachable: numbers and strings
	}
	req = req.Clone(req.Context())
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Header.Set("Content-Type", "application/json")
	return a.next.RoundTrip(req)
}

// token returns the transport that holds the token of an access, which it asks
// for when it is needed and again a minute before it expires.
func (in *Installation) token(a Access) *ghinstallation.Transport {
	in.mu.Lock()
	defer in.mu.Unlock()
	key := a.key()
	if tr, ok := in.tokens.Get(key); ok {
		return tr
	}
	signed := in.app.signed(asking{in.app.wire, a.within(in.granted)})
	tr := ghinstallation.NewFromAppsTransport(signed, in.id)
	// The address has no slash at its end here; ghinstallation takes one off too.
	tr.BaseURL = signed.BaseURL
	in.tokens.Add(key, tr)
	return tr
}

func (in *Installation) forgetToken(a Access) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tokens.Remove(a.key())
}

// Client is an installation with a job's access. It may be used by several
// goroutines; writes go one after the other.
type Client struct {
	in     *Installation
	access Access
	credit atomic.Pointer[reservation]
}

// As returns a client for a job.
func (in *Installation) As(a Access) *Client { return &Client{in: in, access: a} }

// Reserve sets room aside for a job's writes, so that it is stopped before its
// first write rather than half-way. The error is a [LimitError]. Call release
// when the job is done; it gives back what was not used. A client has one
// reservation at a time.
func (c *Client) Reserve(w Work) (release func(), err error) {
	r, err := c.in.gov.reserve(w, c.access.Urgent)
	if err != nil {
		return nil, err
	}
	c.credit.Store(r)
	return func() {
		c.credit.CompareAndSwap(r, nil)
		c.in.gov.release(r)
	}, nil
}

// call is one request of the REST API.
type call struct {
	op     string // what it does, for the error
	method string // "" is GET
	path   string
	in     any // sent as JSON
	out    any // read from JSON
}

// send makes a call.
func (c *Client) send(ctx context.Context, k call) (*github.Response, error) {
	if k.method == "" {
		k.method = http.MethodGet
	}
	req, err := c.in.client.NewRequest(k.method, k.path, k.in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.op, err)
	}
	resp, err := c.in.client.Do(c.with(ctx, false), req, k.out)
	return resp, explain(k.op, k.method, err)
}

// maxPages bounds every list, at 100 entries a page.
const maxPages = 50

// pages makes a call for every page of a list; each is called after every page
// and stops the reading when it returns false. It reports whether more remained.
func (c *Client) pages(ctx context.Context, k call, each func() bool) (more bool, err error) {
	sep := "?"
	if strings.Contains(k.path, "?") {
		sep = "&"
	}
	base := k.path
	for page := 1; page <= maxPages; {
		k.path = fmt.Sprintf("%s%sper_page=100&page=%d", base, sep, page)
		resp, err := c.send(ctx, k)
		if err != nil {
			return false, err
		}
		if !each() {
			return resp.NextPage != 0, nil
		}
		if resp.NextPage == 0 {
			return false, nil
		}
		page = resp.NextPage
	}
	return true, nil
}

// now is the App's clock.
func (c *Client) now() time.Time { return c.in.app.cfg.Now() }
