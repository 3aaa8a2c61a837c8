package localhub

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"
)

// manifest is what a service posts to have an App made.
// See https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest.
type manifest struct {
	Name        string `json:"name"`
	URL         string `json:"url"`
	RedirectURL string `json:"redirect_url"`
	Hook        *struct {
		URL    string `json:"url"`
		Active *bool  `json:"active"`
	} `json:"hook_attributes"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
	Public      bool              `json:"public"`
}

// confirmation is the page on which a person agrees.
var confirmation = template.Must(template.New("new").Parse(`<!doctype html>
<html lang="en"><title>Register {{.Manifest.Name}}</title>
<h1>Create GitHub App for {{.Owner}}</h1>
<form method="post">
<input type="hidden" name="manifest" value="{{.Text}}">
<label>GitHub App name <input name="app_name" value="{{.Manifest.Name}}"></label>
<ul>{{range $name, $level := .Manifest.Permissions}}<li>{{$name}}: {{$level}}</li>{{end}}</ul>
<button name="confirm" value="yes">Create GitHub App</button>
</form>
`))

const manifestLimit = 1 << 20

// newAppPage shows the posted manifest and, once a person confirms, makes the App and
// sends the browser back with a code. Whoever reaches the page is taken to be the
// owner: there is no sign-in here.
func (h *Hub) newAppPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, manifestLimit)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text := r.PostForm.Get("manifest")
	var m manifest
	if err := json.Unmarshal([]byte(text), &m); err != nil || m.URL == "" || m.RedirectURL == "" || m.Hook != nil && m.Hook.URL == "" {
		http.Error(w, "The manifest needs url and redirect_url, and hook_attributes a url.", http.StatusUnprocessableEntity)
		return
	}
	owner := mux.Vars(r)["org"]
	if owner == "" {
		owner = "platform"
	}
	if r.PostForm.Get("confirm") == "" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = confirmation.Execute(w, map[string]any{"Manifest": m, "Text": text, "Owner": owner}) // the client went away
		return
	}
	if name := r.PostForm.Get("app_name"); name != "" {
		m.Name = name
	}
	back, err := url.Parse(m.RedirectURL)
	if err != nil || back.Host == "" {
		http.Error(w, "redirect_url is not an address", http.StatusUnprocessableEntity)
		return
	}
	code, err := h.fromManifest(m, owner)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	q := back.Query()
	q.Set("code", code)
	if state := r.URL.Query().Get("state"); state != "" {
		q.Set("state", state)
	}
	back.RawQuery = q.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (h *Hub) fromManifest(m manifest, owner string) (string, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	o := AppOptions{
		Owner: owner, Name: m.Name, URL: m.URL, WebhookSecret: randomHex(20), Permissions: m.Permissions, Events: m.Events, PrivateKey: private,
	}
	if m.Hook != nil {
		o.WebhookURL = m.Hook.URL
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	app := h.addApp(o)
	code := randomHex(20)
	h.state.codes[code] = app
	return code, nil
}

// convertManifest gives the new App's secrets, once.
func convertManifest(c *call) answer {
	app := c.hub.state.codes[c.vars["code"]]
	if app == nil {
		return notFound()
	}
	delete(c.hub.state.codes, c.vars["code"])
	j := app.json()
	j["client_secret"], j["webhook_secret"], j["pem"] = app.secret, app.hookSecret, string(app.PrivateKey())
	return created(j)
}

// FindApp is the App of that slug, for example one made from a manifest; nil if there
// is none.
func (h *Hub) FindApp(slug string) *App {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.state.apps {
		if a.slug == slug {
			return a
		}
	}
	return nil
}
