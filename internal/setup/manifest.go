package setup

import (
	"encoding/json"
	"net/url"
	"strings"
)

// manifest is what GitHub makes an App of. See
// https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest.
type manifest struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	Description string            `json:"description"`
	Hook        hook              `json:"hook_attributes"`
	RedirectURL string            `json:"redirect_url"`
	Public      bool              `json:"public"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

type hook struct {
	URL    string `json:"url"`
	Active bool   `json:"active"`
}

// maxName is how long GitHub allows an App's name to be.
const maxName = 34

// manifest returns the manifest for an App of owner's, "" for a person's own.
func (s *Setup) manifest(owner string) (string, error) {
	name := "syncer"
	if owner != "" {
		name += "-" + owner // names are unique on a GitHub
	}
	m := manifest{
		Name: name[:min(len(name), maxName)], URL: s.cfg.Home.String(),
		Description: "Renders golden paths into repositories and keeps them current.",
		Hook:        hook{s.cfg.Home.JoinPath(s.cfg.HookPath).String(), true},
		RedirectURL: s.at("/setup/callback").String(),
		Permissions: map[string]string{}, Events: Events(),
	}
	for _, p := range Permissions() {
		m.Permissions[p.Name] = p.Level
	}
	text, err := json.Marshal(m)
	return string(text), err
}

// formAddress is where the manifest is posted to.
func (s *Setup) formAddress(owner, state string) string {
	u := s.cfg.GitHub.JoinPath("settings", "apps", "new")
	if owner != "" {
		u = s.cfg.GitHub.JoinPath("organizations", owner, "settings", "apps", "new")
	}
	u.RawQuery = url.Values{"state": {state}}.Encode()
	return u.String()
}

// apiRoot derives the API's root from the one that people see: github.com and the
// tenants of ghe.com have a host of their own for it, an Enterprise Server has it
// below /api/v3.
func apiRoot(github *url.URL) *url.URL {
	host := strings.ToLower(github.Hostname())
	switch {
	case host == "github.com" || host == "www.github.com":
		return &url.URL{Scheme: "https", Host: "api.github.com"}
	case strings.HasSuffix(host, ".ghe.com"):
		return &url.URL{Scheme: "https", Host: "api." + strings.TrimPrefix(host, "api.")}
	}
	return github.JoinPath("api", "v3")
}
