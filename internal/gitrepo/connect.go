package gitrepo

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"
)

// defaultTimeout is how long a server may be silent.
const defaultTimeout = 30 * time.Second

// UnreachableError says that a repository could not be reached or did not let us
// in. Its text has no credentials in it.
type UnreachableError struct {
	URL  string // without credentials
	Hint string // what to do
	Err  error
}

// Error says what could not be reached, why, and what to do.
func (e *UnreachableError) Error() string {
	msg := "cannot reach " + e.URL + ": " + e.Err.Error()
	if e.Hint != "" {
		msg += "; " + e.Hint
	}
	return msg
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// silenceError is the cause of a cancellation where a server said nothing for too
// long.
type silenceError struct{ after time.Duration }

func (e *silenceError) Error() string { return fmt.Sprintf("no answer for %s", e.after) }

// connection is how one repository is reached over the network.
type connection struct {
	location string // as it may be shown
	raw      string
	endpoint *transport.Endpoint
	client   transport.Transport
	auth     transport.AuthMethod
	timeout  time.Duration
	close    func()
}

// credentials are what a connection may use besides what the system offers.
type credentials struct {
	token string // for http
	host  string // the only one that token is for; "" is any
}

// dial prepares a connection; nothing is sent yet.
func dial(location string, with credentials, timeout time.Duration) (*connection, error) {
	ep, err := transport.NewEndpoint(location)
	if err != nil {
		return nil, fmt.Errorf("%s is not a valid URL", redact(location)) // err repeats it
	}
	c := &connection{
		location: redact(location), raw: location, endpoint: ep,
		timeout: cmp.Or(timeout, defaultTimeout), close: func() {},
	}
	switch ep.Protocol {
	case "http", "https":
		c.dialHTTP(with)
	case "ssh":
		c.client = gitssh.NewClient(&ssh.ClientConfig{Timeout: c.timeout})
		if c.auth, err = sshKeys(ep.User); err != nil {
			err = &UnreachableError{URL: c.location, Err: err}
		}
	default:
		err = fmt.Errorf("%s: %s is not understood; use https:// or ssh://", c.location, ep.Protocol)
	}
	return c, err
}

// dialHTTP chooses credentials: those in the URL, which only a member's own
// configuration can have, the token, or netrc's. They are sent over TLS only, or
// to this machine.
func (c *connection) dialHTTP(with credentials) {
	// A transport of our own, because go-git's registry belongs to the process.
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // net/http documents its type
	t.DialContext = (&net.Dialer{Timeout: c.timeout}).DialContext
	c.client, c.close = githttp.NewClient(&http.Client{Transport: t}), t.CloseIdleConnections
	host := c.endpoint.Host
	if c.endpoint.Password != "" || c.endpoint.Protocol != "https" && !isLoopback(host) {
		return
	}
	if with.token != "" && (with.host == "" || strings.EqualFold(with.host, host)) {
		c.auth = &githttp.BasicAuth{Username: "x-access-token", Password: with.token}
		return
	}
	if login, password, ok := netrc(host); ok {
		c.auth = &githttp.BasicAuth{Username: login, Password: password}
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// sshKeys returns nil where an agent runs, which go-git asks by itself; else the
// first of the user's keys that has no passphrase.
func sshKeys(user string) (transport.AuthMethod, error) {
	if os.Getenv("SSH_AUTH_SOCK") != "" {
		return nil, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("looking for SSH keys: %w", err)
	}
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		keys, err := gitssh.NewPublicKeysFromFile(cmp.Or(user, "git"), filepath.Join(home, ".ssh", name), "")
		if err == nil {
			return keys, nil
		}
	}
	return nil, errors.New("there is neither an SSH agent nor a key without a passphrase; start an agent with `ssh-agent` and `ssh-add`, or use https://")
}

// session is what go-git's two kinds of session have in common.
type session interface {
	AdvertisedReferencesContext(context.Context) (*packp.AdvRefs, error)
	Close() error
}

// advertise opens a session and reads what references the server has. It has the
// connection's timeout for that, whatever the transport does: an SSH handshake,
// for one, cannot be cancelled, and is left behind.
func advertise[S session](ctx context.Context, c *connection, open func() (S, error)) (S, *packp.AdvRefs, error) {
	type answer struct {
		s   S
		ar  *packp.AdvRefs
		err error
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, &silenceError{c.timeout})
	defer cancel()
	answered := make(chan answer, 1)
	go func() {
		var a answer
		if a.s, a.err = open(); a.err == nil {
			a.ar, a.err = a.s.AdvertisedReferencesContext(ctx)
		}
		answered <- a
	}()
	select {
	case a := <-answered:
		return a.s, a.ar, c.explain(ctx, a.err)
	case <-ctx.Done():
		var none S
		return none, nil, c.explain(ctx, ctx.Err())
	}
}

// explain makes an error of the network one that a person can act on, and takes
// secrets out of it.
func (c *connection) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	e := &UnreachableError{URL: c.location, Err: err}
	switch {
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return fmt.Errorf("%s has no commits yet: %w", c.location, err)
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		e.Hint = "check that it exists, and give credentials for it in ~/.netrc or SYNCER_GIT_TOKEN"
		if c.endpoint.Protocol == "http" && !isLoopback(c.endpoint.Host) {
			e.Hint = "credentials are sent over https:// only"
		}
	case errors.Is(err, transport.ErrRepositoryNotFound):
		e.Hint = "check the spelling; a private repository is not found without credentials (~/.netrc or SYNCER_GIT_TOKEN)"
	}
	if text := c.clean(err.Error()); text != err.Error() {
		e.Err = errors.New(text)
	}
	return e
}

// clean takes secrets out of a message, which a server may have put there too: the
// URL in another spelling, the token that stands in a user's place, the header.
func (c *connection) clean(text string) string {
	text = strings.ReplaceAll(text, c.raw, c.location)
	header := func(user, password string) string {
		return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	}
	var secrets []string
	if user := c.endpoint.User; c.endpoint.Password != "" || looksLikeToken.MatchString(user) {
		secrets = append(secrets, c.endpoint.Password, header(user, c.endpoint.Password))
		if looksLikeToken.MatchString(user) {
			secrets = append(secrets, user)
		}
	}
	if basic, ok := c.auth.(*githttp.BasicAuth); ok {
		secrets = append(secrets, basic.Password, header(basic.Username, basic.Password))
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// watched reads from a server, and cancels where it falls silent.
type watched struct {
	io.Reader
	timer   *time.Timer
	timeout time.Duration
	count   func(n int) // told of every read
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.timer.Reset(w.timeout)
	if w.count != nil {
		w.count(n)
	}
	return n, err
}

// watch returns a context that ends when the server has been silent for too long,
// and the timer to reset whenever it was not.
func (c *connection) watch(ctx context.Context) (context.Context, *time.Timer, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(c.timeout, func() { cancel(&silenceError{c.timeout}) })
	return ctx, timer, func() { timer.Stop(); cancel(nil) }
}
