package localhub

import (
	"fmt"
	"maps"
	"strings"
)

// Person is somebody at a browser: what they do has the same effects and events as on
// GitHub. A person's methods need the role that GitHub asks for.
type Person struct {
	hub     *Hub
	account *account
}

// Person is the person of that login, made if new.
func (h *Hub) Person(login string) *Person {
	h.mu.Lock()
	defer h.mu.Unlock()
	return &Person{h, h.state.addAccount(login, kindUser, h.now())}
}

// Login is the person's name.
func (p *Person) Login() string { return p.account.login }

// Token is a new personal access token, for the API and as git's password.
func (p *Person) Token() string {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	t := &token{value: newToken("ghp_"), user: p.account}
	p.hub.state.tokens[t.value] = t
	return t.value
}

func (p *Person) actor() *actor { return &actor{user: p.account, token: &token{user: p.account}} }

// Organization is an account that many belong to.
type Organization struct {
	hub     *Hub
	account *account
}

// Organization is the organisation of that name, made if new.
func (h *Hub) Organization(login string) *Organization {
	h.mu.Lock()
	defer h.mu.Unlock()
	return &Organization{h, h.state.addAccount(login, kindOrg, h.now())}
}

// Add makes people members; role is "admin" or "member".
func (o *Organization) Add(role string, logins ...string) {
	o.hub.mu.Lock()
	defer o.hub.mu.Unlock()
	for _, login := range logins {
		o.hub.state.addAccount(login, kindUser, o.hub.now())
		o.account.members[lower(login)] = role
	}
}

// Team makes a team of members.
func (o *Organization) Team(name string, logins ...string) {
	o.hub.mu.Lock()
	defer o.hub.mu.Unlock()
	t := &team{id: o.hub.state.id(), name: name, slug: slugOf(name), members: map[string]bool{}}
	for _, login := range logins {
		t.members[lower(login)] = true
	}
	o.account.teams[t.slug] = t
}

// Property defines a custom property; kind is string, single_select, multi_select or
// true_false.
func (o *Organization) Property(name, kind string, allowed ...string) {
	o.hub.mu.Lock()
	defer o.hub.mu.Unlock()
	o.account.schema[name] = &property{Name: name, ValueType: kind, AllowedValues: allowed}
}

// named is a repository by owner/name.
func (h *Hub) named(fullName string) (*repository, error) {
	owner, name, _ := strings.Cut(fullName, "/")
	r, _ := h.state.find(owner, name)
	if r == nil || r.hidden {
		return nil, fmt.Errorf("localhub: no repository %s", fullName)
	}
	return r, nil
}

// failure makes an error of an answer.
func failure(a *answer) error {
	if a == nil {
		return nil
	}
	body, _ := a.body.(obj)
	var text strings.Builder
	fmt.Fprint(&text, body["message"])
	if flaws, is := body["errors"].([]flaw); is {
		for _, f := range flaws {
			fmt.Fprintf(&text, "; %s %s %s", f.Field, f.Code, f.Message)
		}
	}
	return fmt.Errorf("localhub: %d %s", a.status, text.String())
}

// do runs an action on a repository with the hub locked, if the person has the role.
func (p *Person) do(fullName, role string, action func(r *repository) error) error {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	r, err := p.hub.named(fullName)
	if err != nil {
		return err
	}
	if roles[r.role(p.account)] < roles[role] {
		return fmt.Errorf("localhub: %s has no %s role on %s", p.account.login, role, fullName)
	}
	return action(r)
}

// NewRepository says what a new repository is like.
type NewRepository struct {
	Private     bool
	Template    bool // others can use it as a template
	Description string
	Topics      []string
	Properties  map[string]any
	// Files make the first commit; none: the repository is empty.
	Files map[string]string
	// AllBranches, with UseTemplate, copies every branch.
	AllBranches bool
}

// CreateRepository makes owner/name.
func (p *Person) CreateRepository(fullName string, with NewRepository) error {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	owner, name, err := p.place(fullName)
	if err != nil {
		return err
	}
	r, err := h.newRepo(owner, name, with.Private)
	if err != nil {
		return err
	}
	with.into(r)
	h.announceNew(r, p.actor())
	if len(with.Files) == 0 {
		return nil
	}
	_, err = h.commitFiles(r, r.defaultBranch, "Initial commit", Edit{Files: with.Files}, p.actor())
	return err
}

func (n NewRepository) into(r *repository) {
	r.template = n.Template
	if n.Description != "" {
		r.description = n.Description
	}
	r.topics = append([]string{}, n.Topics...)
	maps.Copy(r.properties, n.Properties)
}

// place is where a new repository goes.
func (p *Person) place(fullName string) (*account, string, error) {
	login, name, _ := strings.Cut(fullName, "/")
	owner := p.hub.state.account(login)
	if owner == nil {
		return nil, "", fmt.Errorf("localhub: no account %s", login)
	}
	if !p.hub.mayCreate(p.actor(), owner) {
		return nil, "", fmt.Errorf("localhub: %s may not create repositories for %s", p.account.login, login)
	}
	return owner, name, failure(p.hub.freeName(owner, name))
}

// UseTemplate presses "Use this template".
func (p *Person) UseTemplate(template, fullName string, with NewRepository) error {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	from, err := h.named(template)
	if err != nil {
		return err
	}
	if !from.template || !p.actor().sees(from) {
		return fmt.Errorf("localhub: %s is not a template for %s", template, p.account.login)
	}
	owner, name, err := p.place(fullName)
	if err != nil {
		return err
	}
	r, err := h.fromTemplate(from, owner, name, with.Description, with.Private, with.AllBranches, p.actor())
	if err != nil {
		return err
	}
	with.into(r)
	return nil
}

// Fork copies a repository with its history and marks it as a fork.
func (p *Person) Fork(fullName, to string) error {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	from, err := h.named(fullName)
	if err != nil {
		return err
	}
	owner, name, err := p.place(to)
	if err != nil {
		return err
	}
	r, err := h.newRepo(owner, name, from.private)
	if err != nil {
		return err
	}
	r.fork, r.defaultBranch = true, from.defaultBranch
	if err := r.store.setHead(r.defaultBranch); err != nil {
		return err
	}
	if _, err := r.store.in("fetch", "-q", from.store.dir, "refs/heads/*:refs/heads/*"); err != nil {
		return err
	}
	r.store.reopen()
	h.announceNew(r, p.actor())
	return nil
}
