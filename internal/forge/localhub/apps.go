package localhub

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AppOptions describe an App to be registered.
type AppOptions struct {
	Owner         string // account that owns it; made as an organisation if it is not there
	Name          string
	URL           string // its homepage
	WebhookURL    string // "": deliveries are logged but not sent
	WebhookSecret string
	Permissions   map[string]string // "contents": "write"; metadata:read is added
	Events        []string          // "push", "pull_request", …
	// PrivateKey is made where nil.
	PrivateKey *rsa.PrivateKey
}

// App is a registered GitHub App.
type App struct {
	hub         *Hub
	id          int64
	slug        string
	name        string
	clientID    string
	secret      string // OAuth client secret
	owner       *account
	bot         *account
	homepage    string
	hookID      int64
	hookURL     string
	hookSecret  string
	permissions map[string]string
	events      []string
	private     *rsa.PrivateKey
	created     time.Time
	deliveries  []*Delivery // oldest first
}

// App registers an App.
func (h *Hub) App(o AppOptions) (*App, error) {
	if o.PrivateKey == nil {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("localhub: key of App %s: %w", o.Name, err)
		}
		o.PrivateKey = private
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addApp(o), nil
}

func (h *Hub) addApp(o AppOptions) *App {
	if o.Owner == "" {
		o.Owner = "platform"
	}
	if o.Name == "" {
		o.Name = "syncer"
	}
	now, slug := h.now(), slugOf(o.Name)
	for n := 2; h.state.account(slug+"[bot]") != nil; n++ {
		slug = fmt.Sprintf("%s-%d", slugOf(o.Name), n)
	}
	app := &App{
		hub: h, id: h.state.id(), slug: slug, name: o.Name, homepage: o.URL, created: now,
		clientID: "Iv23li" + randomHex(7), secret: randomHex(20),
		owner: h.state.addAccount(o.Owner, kindOrg, now), bot: h.state.addAccount(slug+"[bot]", kindBot, now),
		hookID: h.state.id(), hookURL: o.WebhookURL, hookSecret: o.WebhookSecret,
		permissions: withMetadata(o.Permissions), events: slices.Clone(o.Events), private: o.PrivateKey,
	}
	h.state.apps[app.id] = app
	return app
}

func withMetadata(permissions map[string]string) map[string]string {
	all := maps.Clone(permissions)
	if all == nil {
		all = map[string]string{}
	}
	all["metadata"] = "read"
	return all
}

func slugOf(name string) string {
	slug := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	return strings.Trim(slug, "-")
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// ID is the App's number, for SYNCER_GITHUB_APP_ID.
func (a *App) ID() int64 { return a.id }

// Slug is the App's name in URLs; its bot is slug[bot].
func (a *App) Slug() string { return a.slug }

// ClientID may be a JWT's issuer in place of the number.
func (a *App) ClientID() string { return a.clientID }

// PrivateKey is the App's key in PEM, as GitHub offers it for download.
func (a *App) PrivateKey() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.private)})
}

// SetWebhook changes where deliveries go and what signs them.
func (a *App) SetWebhook(url, secret string) {
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	a.hookURL, a.hookSecret = url, secret
}

// Ping sends the event that GitHub sends when a webhook is made.
func (a *App) Ping() {
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	hook := a.hookConfig()
	a.hub.deliver(a, nil, nil, "ping", obj{
		"zen": "Keep it logically awesome.", "hook_id": a.hookID, "sender": a.owner.json(a.hub),
		"hook": obj{
			"type": "App", "id": a.hookID, "name": "web", "active": true, "events": a.eventList(), "config": hook,
			"app_id": a.id, "updated_at": stamp(a.created), "created_at": stamp(a.created),
			"deliveries_url": a.hub.apiURL() + "/app/hook/deliveries",
		},
	})
}

// RequestPermissions changes what the App asks for. Installations keep what they
// granted until Installation.Accept.
func (a *App) RequestPermissions(permissions map[string]string, events ...string) {
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	a.permissions = withMetadata(permissions)
	if len(events) > 0 {
		a.events = events
	}
}

func (a *App) eventList() []string {
	if a.events == nil {
		return []string{}
	}
	return a.events
}

func (a *App) hookConfig() obj {
	config := obj{"content_type": "json", "insecure_ssl": "0", "url": a.hookURL}
	if a.hookSecret != "" {
		config["secret"] = "********"
	}
	return config
}

// json is the App as GitHub shows it.
func (a *App) json() obj {
	count := 0
	for _, i := range a.hub.state.installs {
		if i.app == a && !i.deleted {
			count++
		}
	}
	return obj{
		"id": a.id, "slug": a.slug, "node_id": nodeID("A", a.id), "client_id": a.clientID,
		"owner": a.owner.json(a.hub), "name": a.name, "description": "", "external_url": a.homepage,
		"html_url": a.hub.url + "/apps/" + a.slug, "created_at": stamp(a.created), "updated_at": stamp(a.created),
		"permissions": a.permissions, "events": a.eventList(), "installations_count": count,
	}
}

func appRoutes() []route {
	list := []route{
		get("/app", nil, "apps/apps#get-the-authenticated-app", func(c *call) answer { return ok(c.actor.app.json()) }),
		get("/app/installations", nil, "apps/apps#list-installations-for-the-authenticated-app", listInstallations),
		get("/app/installations/{installation_id}", nil, "apps/apps#get-an-installation-for-the-authenticated-app", getInstallation),
		remove("/app/installations/{installation_id}", nil, "apps/apps#delete-an-installation-for-the-authenticated-app", deleteInstallation),
		post("/app/installations/{installation_id}/access_tokens", nil, "apps/apps#create-an-installation-access-token-for-an-app", createToken),
		put("/app/installations/{installation_id}/suspended", nil, "apps/apps#suspend-an-app-installation", suspendInstallation),
		remove("/app/installations/{installation_id}/suspended", nil, "apps/apps#unsuspend-an-app-installation", unsuspendInstallation),
		get("/orgs/{org}/installation", nil, "apps/apps#get-an-organization-installation-for-the-authenticated-app", orgInstallation),
		get("/repos/{owner}/{repo}/installation", nil, "apps/apps#get-a-repository-installation-for-the-authenticated-app", repoInstallation),
		get("/users/{username}/installation", nil, "apps/apps#get-a-user-installation-for-the-authenticated-app", userInstallation),
	}
	for i := range list {
		list[i].who = asApp
	}
	return append(list,
		route{method: http.MethodPost, path: "/app-manifests/{code}/conversions", who: anybody, doc: "apps/apps#create-a-github-app-from-a-manifest", serve: convertManifest},
		route{method: http.MethodGet, path: "/apps/{app_slug}", who: anybody, doc: "apps/apps#get-an-app", serve: getApp},
	)
}

func getApp(c *call) answer {
	for _, a := range c.hub.state.apps {
		if a.slug == c.vars["app_slug"] {
			return ok(a.json())
		}
	}
	return notFound()
}
