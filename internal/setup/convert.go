package setup

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// App is what GitHub registered. PrivateKey and WebhookSecret are told once.
type App struct {
	ID            int64  `json:"id"`
	Slug          string `json:"slug"`
	Name          string `json:"name"`
	Page          string `json:"html_url"`
	PrivateKey    string `json:"pem"`
	WebhookSecret string `json:"webhook_secret"`
}

// String does not tell the secrets.
func (a App) String() string { return fmt.Sprintf("App %d (%s)", a.ID, a.Slug) }

// GoString does not tell the secrets.
func (a App) GoString() string { return a.String() }

const (
	maxAnswer       = 1 << 20 // bytes; a real one has some 5 KB
	exchangeTimeout = 20 * time.Second
)

// errSpent says that GitHub does not know the code, or no longer does.
var errSpent = errors.New("GitHub does not know this code: it holds for an hour, and once")

// exchange gives the code of the callback for the App. Its error is errSpent where
// trying again is of no use.
func (s *Setup) exchange(ctx context.Context, code string) (App, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	to := apiRoot(s.cfg.GitHub).JoinPath("app-manifests", code, "conversions")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), http.NoBody)
	if err != nil {
		return App{}, err
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("User-Agent", "syncer")
	resp, err := s.client.Do(req)
	if err != nil {
		// The error of the client quotes the address, which holds the code.
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return App{}, fmt.Errorf("asking %s for the App: %w", to.Host, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusUnprocessableEntity:
		return App{}, errSpent
	case resp.StatusCode != http.StatusCreated:
		return App{}, fmt.Errorf("%s answered %s", to.Host, resp.Status)
	}
	var app App
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(data) > maxAnswer {
		err = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	if err == nil && json.Unmarshal(data, &app) != nil {
		err = errors.New("the answer is not an App in JSON") // the parser's error could quote a secret
	}
	if err != nil {
		return App{}, fmt.Errorf("%s: %w", to.Host, err)
	}
	return app, app.check(s.cfg.GitHub)
}

var slugForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`) })

// check refuses an answer that cannot be used. What was registered is named, since
// it is there all the same.
func (a *App) check(github *url.URL) error {
	block, _ := pem.Decode([]byte(a.PrivateKey))
	switch {
	case a.ID <= 0 || !slugForm().MatchString(a.Slug):
		return errors.New("the answer lacks the App's number or name")
	case block == nil:
		return fmt.Errorf("GitHub registered %s without a private key", a)
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
		if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
			return fmt.Errorf("GitHub registered %s with a private key that cannot be read", a)
		}
	}
	if strings.ContainsAny(a.WebhookSecret, "\r\n") {
		return fmt.Errorf("GitHub registered %s with a webhook secret of several lines", a)
	}
	// A page elsewhere is not one that we send people to.
	if u, err := url.Parse(a.Page); err != nil || u.Host != github.Host || u.Scheme != github.Scheme {
		a.Page = github.JoinPath("apps", a.Slug).String()
	}
	return nil
}

// InstallPage is where owners install the App.
func (a App) InstallPage() string { return strings.TrimSuffix(a.Page, "/") + "/installations/new" }
