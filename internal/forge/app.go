package forge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Config is what an [App] needs. URL, AppID and Key are required.
type Config struct {
	// URL is the root that people see: https://github.com (also when empty), a
	// tenant of ghe.com, or an Enterprise Server's, with the API below /api.
	URL string
	// AppID is the App's number.
	AppID int64
	// Key returns the App's private key in PEM; see [KeyFile]. It is called at
	// every signature, so that a rotated key is found.
	Key func() ([]byte, error)
	// UserAgent names us to GitHub; empty is "syncer".
	UserAgent string
	// Transport sends requests; nil is one with timeouts.
	Transport http.RoundTripper
	// Timeout bounds one request with its answer; 0 is 30 seconds.
	Timeout time.Duration
	// Pace bounds every installation.
	Pace Pace
	// Memory is shared by all replicas; nil is none.
	Memory Memory
	// CacheBytes bounds the cache of every installation; 0 is 16 MiB.
	CacheBytes int
	// NoGraphQL makes everything go by REST.
	NoGraphQL bool
	// Now is the clock; nil is the machine's.
	Now func() time.Time
	// Log gets what an operator should know; nil is silence.
	Log *slog.Logger
}

// App is a GitHub App: who we are. Its methods are safe for concurrent use.
type App struct {
	cfg    Config
	at     address
	keys   *keyring
	clock  *clock
	wire   *wire
	client *github.Client // signs as the App itself

	mu            sync.Mutex
	installations map[int64]*Installation
	identity      *Identity
}

// New returns an App. It reads the private key, so that a wrong one is said at
// the start, and sends nothing.
func New(cfg Config) (*App, error) {
	at, err := parseAddress(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.AppID <= 0 {
		return nil, errors.New("github.app-id: the App's number is missing; it is on the App's settings page")
	}
	if cfg.Key == nil {
		return nil, errors.New("github.private-key-file: the App's private key is missing")
	}
	cfg.UserAgent = cmp.Or(cfg.UserAgent, "syncer")
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	cfg.CacheBytes = cmp.Or(cfg.CacheBytes, 16<<20)
	if cfg.Transport == nil {
		cfg.Transport = defaultTransport()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	clock := &clock{now: cfg.Now}
	a := &App{
		cfg: cfg, at: at, clock: clock,
		keys:          &keyring{read: cfg.Key, clock: clock, log: cfg.Log},
		wire:          &wire{next: cfg.Transport, agent: cfg.UserAgent, timeout: cfg.Timeout, clock: clock},
		installations: map[int64]*Installation{},
	}
	if _, err := a.keys.current(); err != nil {
		return nil, err
	}
	a.client = a.newClient(&appCourier{a})
	return a, nil
}

// newClient makes a client of go-github's for the App's GitHub. Its own memory of
// limits is passed by (see [ownLimits]): the governor's is better.
func (a *App) newClient(rt http.RoundTripper) *github.Client {
	c := github.NewClient(&http.Client{Transport: rt, CheckRedirect: a.sameHost})
	c.BaseURL, c.UploadURL = a.at.rest, a.at.rest
	c.UserAgent = a.cfg.UserAgent
	return c
}

// signed returns a transport that signs as the App. One is never shared:
// ghinstallation writes into it.
func (a *App) signed(next http.RoundTripper) *ghinstallation.AppsTransport {
	tr, err := ghinstallation.NewAppsTransportWithOptions(next, a.cfg.AppID, ghinstallation.WithSigner(a.keys))
	if err != nil {
		panic("unreachable: a signer is given: " + err.Error())
	}
	tr.BaseURL = a.at.rest.String()
	return tr
}

// appCourier carries what the App asks for itself. A refused signature is made
// anew once, for a rotated key and for a clock that is wrong.
type appCourier struct{ app *App }

// RoundTrip implements [http.RoundTripper].
func (c *appCourier) RoundTrip(req *http.Request) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		resp, err := c.app.signed(c.app.wire).RoundTrip(req.Clone(req.Context()))
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body) // from memory: wire has read it
		if err != nil {
			return nil, &wireError{lost: true, cause: err}
		}
		if limit := limitOf(c.app.cfg.Now(), resp, body); limit != nil {
			if limit.Until.IsZero() {
				limit.Until = c.app.cfg.Now().Add(time.Minute)
			}
			return nil, limit
		}
		ownLimits(resp, body)
		if resp.StatusCode == http.StatusUnauthorized && attempt == 0 && rewind(&req) {
			continue
		}
		return resp, nil
	}
}

// send asks as the App.
func (a *App) send(ctx context.Context, op, method, path string, out any) (*github.Response, error) {
	req, err := a.client.NewRequest(method, path, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	resp, err := a.client.Do(ctx, req, out)
	return resp, a.clockHint(explain(op, method, err))
}

// clockHint says what is behind a refused signature.
func (a *App) clockHint(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Unauthorized {
		return err
	}
	switch skew := a.clock.skew(); {
	case has(e.text(), []string{"claim"}) && skew != 0:
		e.Hint = fmt.Sprintf("this machine's clock is %s off GitHub's; set it right", skew.Abs().Round(time.Second))
	case has(e.text(), []string{"claim"}):
		e.Hint = "check this machine's clock, and that github.app-id is the App's number"
	default:
		e.Hint = "check that github.app-id and the private key belong together, and that the key was not deleted on GitHub"
	}
	return err
}

// tokenError explains why there is no token for an installation. It does not
// wrap ghinstallation's error, which carries the request with our signature.
func (a *App) tokenError(id int64, err error) error {
	op := fmt.Sprintf("getting a token for installation %d", id)
	h, ok := errors.AsType[*ghinstallation.HTTPError](err)
	if !ok || h.Response == nil {
		if w, ok := errors.AsType[*wireError](err); ok {
			return &Error{Kind: Unavailable, Op: op, cause: w.cause}
		}
		if ctxErr := contextError(err); ctxErr != nil {
			return &Error{Kind: Unavailable, Op: op, cause: ctxErr}
		}
		return &Error{Kind: Unauthorized, Op: op, Message: bounded(err.Error())}
	}
	body, _ := io.ReadAll(io.LimitReader(h.Response.Body, 64<<10))
	if limit := limitOf(a.cfg.Now(), h.Response, body); limit != nil {
		if limit.Until.IsZero() {
			limit.Until = a.cfg.Now().Add(time.Minute)
		}
		return limit
	}
	var r github.ErrorResponse
	_ = json.Unmarshal(body, &r) // what is no JSON has no message
	r.Response = h.Response
	e := answered(op, http.MethodGet, &r) // a token too many does no harm
	return a.clockHint(tokenKind(e))
}

// tokenKind refines what a refused token means.
func tokenKind(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	switch e.Kind {
	case NotFound:
		e.Kind, e.Hint = Gone, "the App is no longer installed there"
	case Invalid:
		if has(e.text(), []string{"does not exist or is not accessible"}) {
			e.Kind, e.Hint = NotFound, "the installation does not have this repository"
			return e
		}
		// 422: a permission was not granted.
		e.Kind, e.Hint = Denied, "the owner has not granted the installation this permission"
	}
	return e
}

func contextError(err error) error {
	for _, c := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, c) {
			return c
		}
	}
	return nil
}

// Installation returns the installation with this id. It is the same one each
// time, because limits, tokens and the cache live in it; nothing is sent.
func (a *App) Installation(id int64) *Installation {
	a.mu.Lock()
	defer a.mu.Unlock()
	in, ok := a.installations[id]
	if !ok {
		gov := newGovernor(a.cfg.Pace, a.cfg.Now)
		gov.id, gov.memory = id, a.cfg.Memory
		gov.warn = func(what string, err error) { a.cfg.Log.Warn(what, "installation", id, "error", err.Error()) }
		in = a.newInstallation(id, gov)
		a.installations[id] = in
	}
	return in
}

func (a *App) newInstallation(id int64, gov *governor) *Installation {
	in := &Installation{app: a, id: id, cache: newCache(a.cfg.CacheBytes), gov: gov}
	in.tokens, _ = simplelru.NewLRU[string, *ghinstallation.Transport](maxTokens, nil)
	in.client = a.newClient(&courier{in})
	return in
}

// Forget lets go of what is known of an installation that was changed or removed: its
// tokens, what was granted, its cache. What was sent for it still counts.
func (a *App) Forget(id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if in, ok := a.installations[id]; ok {
		a.installations[id] = a.newInstallation(id, in.gov)
	}
}
