package localhub

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// actor is who makes a request: an App, an installation of one, or a person.
type actor struct {
	app   *App
	token *token   // of an installation or a person
	user  *account // a person, or the App's bot
}

// token is a credential other than a JWT.
type token struct {
	value       string
	install     *Installation // nil for a person's
	user        *account
	permissions map[string]string
	repos       map[int64]bool // nil: all that the installation has
	expires     time.Time      // zero: never
}

// Levels of a permission, rising.
var levels = map[string]int{"": 0, "read": 1, "write": 2, "admin": 3}

func (a *actor) isInstallation() bool { return a.token != nil && a.token.install != nil }

// sees tells whether a repository exists for the actor.
func (a *actor) sees(r *repository) bool {
	return !r.private || a.reaches(r)
}

// reaches tells whether the actor was given the repository, not merely can see it.
func (a *actor) reaches(r *repository) bool {
	switch {
	case a.isInstallation():
		return a.token.install.has(r) && (a.token.repos == nil || a.token.repos[r.id])
	case a.user != nil:
		return r.role(a.user) != ""
	}
	return false
}

// openly are the permissions that reading a public repository does not need.
var openly = map[string]bool{
	"metadata": true, "contents": true, "issues": true, "pull_requests": true,
	"checks": true, "statuses": true, "deployments": true, "actions": true,
}

// may tells whether the actor has a permission on a repository; with no repository,
// on the organisation.
func (a *actor) may(r *repository, n need) bool {
	if r != nil && !r.private && n.level == "read" && openly[n.permission] {
		return true
	}
	if a.isInstallation() {
		return (r == nil || a.reaches(r)) && levels[a.token.permissions[n.permission]] >= levels[n.level]
	}
	if a.user == nil {
		return false
	}
	if r == nil {
		return true
	}
	return roles[r.role(a.user)] >= roleFor(n)
}

// Roles of people on a repository, rising.
var roles = map[string]int{"": 0, "read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}

// roleFor is the least role of a person that has a permission.
func roleFor(n need) int {
	switch {
	case n.permission == "administration" || n.permission == "environments" && n.level == "write":
		return roles["admin"]
	case n.level != "read":
		return roles["write"]
	}
	return roles["read"]
}

// role is a person's role on the repository; "" for none.
func (r *repository) role(user *account) string {
	if user == nil {
		return ""
	}
	best := ""
	better := func(role string) {
		if roles[role] > roles[best] {
			best = role
		}
	}
	if r.owner == user {
		better("admin")
	}
	switch r.owner.members[strings.ToLower(user.login)] {
	case "admin":
		better("admin")
	case "member":
		better("read")
	}
	better(r.collaborators[strings.ToLower(user.login)])
	for slug, permission := range r.teams {
		if t := r.owner.teams[slug]; t != nil && t.members[strings.ToLower(user.login)] {
			better(legacyRole(permission))
		}
	}
	if best == "" && !r.private {
		return "read"
	}
	return best
}

// legacyRole translates the words push and pull of the teams API.
func legacyRole(permission string) string {
	switch permission {
	case "push":
		return "write"
	case "pull":
		return "read"
	}
	return permission
}

func unauthorized(message string) *answer {
	a := pointing(http.StatusUnauthorized, message, docs)
	return &a
}

// credential is the secret of an Authorization header, in any of the forms GitHub
// takes: Bearer, token, and Basic with the secret as password.
func credential(r *http.Request) string {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer", "token":
		return rest
	case "basic":
		if user, password, ok := r.BasicAuth(); ok {
			if password == "" || password == "x-oauth-basic" {
				return user
			}
			return password
		}
	}
	return ""
}

// authenticate sets the actor, or says why not.
func (c *call) authenticate() *answer {
	secret := credential(c.r)
	c.actor = &actor{}
	if c.route.who == asApp {
		app, bad := c.hub.appOf(secret)
		if bad != nil {
			return bad
		}
		c.actor = &actor{app: app, user: app.bot}
		return nil
	}
	if secret == "" {
		if c.route.who == anybody || c.r.Method == http.MethodGet { // what is public, at least
			return nil
		}
		return unauthorized("Requires authentication")
	}
	a, bad := c.hub.holder(secret)
	if bad != nil {
		return bad
	}
	c.actor = a
	return nil
}

// holder is who a token was given to.
func (h *Hub) holder(secret string) (*actor, *answer) {
	t := h.state.tokens[secret]
	if t == nil || !t.expires.IsZero() && !h.options.Now().Before(t.expires) {
		return nil, unauthorized("Bad credentials")
	}
	if t.install == nil {
		return &actor{token: t, user: t.user}, nil
	}
	if t.install.deleted {
		return nil, unauthorized("Bad credentials")
	}
	if !t.install.suspended.IsZero() {
		a := refuse(http.StatusForbidden, "This installation has been suspended")
		return nil, &a
	}
	return &actor{app: t.install.app, token: t, user: t.install.app.bot}, nil
}

// whose tells the journal which installation and token a request is for.
func (h *Hub) whose(r *http.Request) (int64, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.state.tokens[credential(r)]
	switch {
	case t == nil:
		return 0, ""
	case t.install == nil:
		return 0, t.user.login
	}
	return t.install.id, t.install.app.slug + "[bot]"
}

// permitted tells whether the caller has one of the route's permissions, and sets the
// header that names them.
func (c *call) permitted() *answer {
	if len(c.route.needs) == 0 {
		return nil
	}
	var accepted []string
	allowed := false
	for _, n := range c.route.needs {
		accepted = append(accepted, n.permission+"="+n.level)
		allowed = allowed || c.actor.may(c.repo, n)
	}
	c.header.Set("X-Accepted-GitHub-Permissions", strings.Join(accepted, "; "))
	if !allowed {
		a := c.denied()
		return &a
	}
	if c.repo != nil && c.repo.archived && c.writes() {
		a := refuse(http.StatusForbidden, "Repository was archived so is read-only.")
		return &a
	}
	return nil
}

// denied is what GitHub says to an App and to a person without the permission.
func (c *call) denied() answer {
	if c.actor.isInstallation() {
		return inaccessible()
	}
	if c.repo != nil && c.actor.user == nil {
		return *unauthorized("Requires authentication")
	}
	return refuse(http.StatusForbidden, "Must have admin rights to Repository.")
}

// writes tells whether a call would change an archived repository: all but reading,
// deleting it, and the settings that unarchive it.
func (c *call) writes() bool {
	return c.r.Method != http.MethodGet && c.r.Method != http.MethodHead && c.route.path != "/repos/{owner}/{repo}" &&
		c.route.path != "/repos/{template_owner}/{template_repo}/generate"
}

func newToken(prefix string) string {
	var b [27]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + strings.NewReplacer("-", "A", "_", "B").Replace(base64.RawURLEncoding.EncodeToString(b[:]))
}
