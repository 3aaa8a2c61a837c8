package localhub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
)

// Options say how a [Hub] behaves. The zero value is a quick, friendly GitHub:
// contents arrive at once, nothing fails, limits are GitHub's own.
type Options struct {
	// Directory holds the bare repositories. Empty: a temporary folder that Close
	// removes.
	Directory string
	// Listen is the address to serve on; empty is a free port of the loopback. With
	// URL set the hub does not listen: serve it with ServeHTTP at that URL.
	Listen, URL string
	// Now is the hub's clock; nil is time.Now.
	Now func() time.Time
	// Log gets what the hub does; nil is silent. No token or payload is written to it.
	Log *slog.Logger
	// Limits are the rate limits; the zero value is GitHub's published ones.
	Limits Limits
	// NoGraphQL answers 404 at /graphql, as a server without it would.
	NoGraphQL bool
	// ContentReads is how many reads of a repository made from a template find it
	// still empty. Negative: it stays empty until Hub.FinishContent is called.
	ContentReads int
	// MergeableReads is how many reads of a pull request find its mergeability
	// still unknown after its head or base moved.
	MergeableReads int
	// TreeLimit is the number of entries after which a recursive tree is truncated;
	// 0 is GitHub's 100,000.
	TreeLimit int
	// DeliveryTimeout bounds one webhook request; 0 is GitHub's 10 seconds.
	DeliveryTimeout time.Duration
	// Senders is how many webhook requests are under way at once; 0 is 4.
	Senders int
	// Unsigned leaves commits that Apps make with the Git Data API without a signature,
	// as servers do that were not set up to sign.
	Unsigned bool
	// NoRunDetails refuses to tell which run a dispatch started, as Enterprise Servers do
	// up to 3.20.
	NoRunDetails bool
	// Fault is asked for every API and git request; nil: nothing fails.
	Fault func(Request) Fault
	// Middleware wraps the API, for example to validate what passes; nil: nothing.
	// It sees paths without /api/v3.
	Middleware func(http.Handler) http.Handler
}

// Hub is a GitHub in one process. Make it with [New]; its methods may be used from
// many goroutines.
type Hub struct {
	options Options
	url     string
	dir     string
	ownsDir bool
	git     string
	server  *http.Server
	api     *mux.Router
	rest    http.Handler
	web     *mux.Router
	signer  *signer
	hooks   *sender
	journal journal

	mu     sync.Mutex // guards everything below and every record it leads to
	state  *state
	limits map[int64]*usage // by installation; users by -id
}

const (
	bodyLimit = 64 << 20  // a REST request; a 40 MiB blob in base64 fits
	packLimit = 512 << 20 // a push
)

// New makes a hub and, unless options.URL is set, serves it. It needs the git
// program, version 2.38 or later.
func New(options Options) (*Hub, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("localhub: git is needed to serve and merge repositories: %w", err)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.TreeLimit == 0 {
		options.TreeLimit = 100_000
	}
	options.Limits = options.Limits.withDefaults()
	h := &Hub{options: options, git: git, url: strings.TrimRight(options.URL, "/"), limits: map[int64]*usage{}}
	h.state = newState()
	if h.signer, err = newSigner(options.Now); err != nil {
		return nil, fmt.Errorf("localhub: key for signing commits: %w", err)
	}
	if err := h.makeDirectory(); err != nil {
		return nil, err
	}
	h.api, h.web = h.apiRouter(), h.webRouter()
	h.rest = http.HandlerFunc(h.serveAPI)
	if options.Middleware != nil {
		h.rest = options.Middleware(h.rest)
	}
	h.hooks = newSender(h)
	if h.url == "" {
		if err := h.listen(); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	return h, nil
}

func (h *Hub) makeDirectory() error {
	if h.options.Directory == "" {
		dir, err := os.MkdirTemp("", "localhub-")
		if err != nil {
			return fmt.Errorf("localhub: folder for repositories: %w", err)
		}
		h.dir, h.ownsDir = dir, true
		return nil
	}
	dir, err := filepath.Abs(h.options.Directory)
	if err != nil {
		return fmt.Errorf("localhub: folder for repositories: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("localhub: folder for repositories: %w", err)
	}
	h.dir = dir
	return nil
}

func (h *Hub) listen() error {
	address := h.options.Listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("localhub: %w", err)
	}
	h.url = "http://" + listener.Addr().String()
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.server.Serve(listener) }() // ends with Close
	return nil
}

// URL is the hub's root, without a slash at its end: what SYNCER_GITHUB_URL takes.
// The REST API is below it and below /api/v3, GraphQL at /api/graphql, a repository
// at /owner/name.git.
func (h *Hub) URL() string { return h.url }

// Directory is the folder that holds the bare repositories.
func (h *Hub) Directory() string { return h.dir }

// Close stops serving and sending, and removes the repositories if they are in a
// temporary folder.
func (h *Hub) Close() error {
	var err error
	if h.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err = h.server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
			err = h.server.Close()
		}
	}
	h.hooks.close()
	if h.ownsDir {
		err = errors.Join(err, os.RemoveAll(h.dir))
	}
	return err
}

// ServeHTTP serves the API, git and the few pages.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/v3"); ok && (rest == "" || rest[0] == '/') {
		h.rest.ServeHTTP(w, withPath(r, rest))
		return
	}
	switch r.URL.Path {
	case "/api/graphql", "/graphql":
		h.rest.ServeHTTP(w, withPath(r, "/graphql"))
		return
	}
	var match mux.RouteMatch
	if h.web.Match(r, &match) && match.MatchErr == nil {
		h.web.ServeHTTP(w, r)
		return
	}
	h.rest.ServeHTTP(w, r)
}

// withPath is r at another path.
func withPath(r *http.Request, path string) *http.Request {
	if path == "" {
		path = "/"
	}
	copied := r.Clone(r.Context())
	copied.URL.Path, copied.URL.RawPath = path, ""
	return copied
}

// now is the hub's time in whole seconds, as GitHub tells it.
func (h *Hub) now() time.Time { return h.options.Now().UTC().Truncate(time.Second) }
