package localhub

import (
	"fmt"
	"maps"
	"slices"
)

// Install installs an App on an account: on the named repositories of it, or on all,
// also future ones, where none is named.
func (p *Person) Install(app *App, login string, names ...string) (*Installation, error) {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	on := h.state.account(login)
	if on == nil {
		return nil, fmt.Errorf("localhub: no account %s", login)
	}
	if on != p.account && on.members[lower(p.account.login)] != "admin" {
		return nil, fmt.Errorf("localhub: %s may not install Apps on %s", p.account.login, login)
	}
	for _, i := range h.installsOf(on) {
		if i.app == app {
			return nil, fmt.Errorf("localhub: App %s is on %s already", app.slug, login)
		}
	}
	list, err := h.ofAccount(on, names)
	if err != nil {
		return nil, err
	}
	return h.install(app, on, p.account, list, len(names) == 0), nil
}

func (h *Hub) ofAccount(on *account, names []string) ([]*repository, error) {
	var list []*repository
	for _, name := range names {
		r, err := h.named(on.login + "/" + name)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// Add gives the installation more of its account's repositories.
func (p *Person) Add(i *Installation, names ...string) error {
	return p.change(i, "added", names)
}

// Remove takes repositories from the installation.
func (p *Person) Remove(i *Installation, names ...string) error {
	return p.change(i, "removed", names)
}

func (p *Person) change(i *Installation, action string, names []string) error {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	list, err := h.ofAccount(i.account, names)
	if err != nil {
		return err
	}
	i.all = false
	var added, removed []*repository
	for _, r := range list {
		if action == "added" {
			i.selected[r.id] = true
			added = list
		} else {
			delete(i.selected, r.id)
			removed = list
		}
	}
	h.deliver(i.app, i, nil, "installation_repositories", i.changed(action, added, removed, p.account))
	return nil
}

// Suspend suspends an installation: its tokens are refused and it is told nothing.
func (p *Person) Suspend(i *Installation) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.hub.suspend(i, p.account)
}

// Unsuspend ends that.
func (p *Person) Unsuspend(i *Installation) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.hub.unsuspend(i, p.account)
}

// Uninstall removes the App from the account.
func (p *Person) Uninstall(i *Installation) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.hub.uninstall(i, p.account)
}

// Accept grants what the App asks for now.
func (p *Person) Accept(i *Installation) {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	i.permissions, i.events = maps.Clone(i.app.permissions), slices.Clone(i.app.events)
	h.deliver(i.app, i, nil, "installation", obj{
		"action": "new_permissions_accepted", "installation": i.json(), "repositories": short(i.repositories()), "sender": p.account.json(h),
	})
}

// Installations are the installations on an account, oldest first.
func (h *Hub) Installations(login string) []*Installation {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.state.account(login)
	if a == nil {
		return nil
	}
	return h.installsOf(a)
}
