package localhub

import (
	"fmt"
)

// Rename gives a repository another name.
func (p *Person) Rename(fullName, name string) error {
	return p.do(fullName, "admin", func(r *repository) error {
		if bad := p.hub.freeName(r.owner, name); bad != nil {
			return failure(bad)
		}
		p.hub.rename(r, name, p.actor())
		return nil
	})
}

// Transfer gives a repository to another account, of which the person must be an
// administrator too.
func (p *Person) Transfer(fullName, to string) error {
	return p.do(fullName, "admin", func(r *repository) error {
		h := p.hub
		owner := h.state.account(to)
		if owner == nil || !h.mayCreate(p.actor(), owner) {
			return fmt.Errorf("localhub: %s may not give repositories to %s", p.account.login, to)
		}
		if bad := h.freeName(owner, r.name); bad != nil {
			return failure(bad)
		}
		return h.transfer(r, owner, p.actor())
	})
}

func (h *Hub) transfer(r *repository, owner *account, by *actor) error {
	old := r.owner
	for _, i := range h.installsOf(old) {
		if i.has(r) {
			h.deliver(i.app, i, nil, "installation_repositories", i.changed("removed", nil, []*repository{r}, by.account()))
			delete(i.selected, r.id)
		}
	}
	delete(h.state.names, key(old.login, r.name))
	h.state.moved[key(old.login, r.name)] = r.id
	r.owner, r.teams = owner, map[string]string{}
	h.state.names[key(owner.login, r.name)] = r.id
	kind := "user"
	if old.kind == kindOrg {
		kind = "organization"
	}
	h.emit(event{name: "repository", action: "transferred", repo: r, by: by, needs: "metadata",
		body: obj{"changes": obj{"owner": obj{"from": obj{kind: old.json(h)}}}}})
	for _, i := range h.installsOf(owner) {
		if i.all {
			h.deliver(i.app, i, nil, "installation_repositories", i.changed("added", []*repository{r}, nil, by.account()))
		}
	}
	return nil
}

// Archive makes a repository read-only, or with false writable again.
func (p *Person) Archive(fullName string, archived bool) error {
	return p.do(fullName, "admin", func(r *repository) error {
		p.hub.setArchived(r, archived, p.actor())
		return nil
	})
}

// SetPrivate hides a repository or publishes it.
func (p *Person) SetPrivate(fullName string, private bool) error {
	return p.do(fullName, "admin", func(r *repository) error {
		p.hub.setPrivate(r, private, p.actor())
		return nil
	})
}

// Delete deletes a repository.
func (p *Person) Delete(fullName string) error {
	return p.do(fullName, "admin", func(r *repository) error {
		p.hub.deleteRepository(r, p.actor())
		return nil
	})
}

// SetDefaultBranch makes another branch the default one.
func (p *Person) SetDefaultBranch(fullName, branch string) error {
	return p.do(fullName, "admin", func(r *repository) error {
		if _, there := r.store.branch(branch); !there {
			return fmt.Errorf("localhub: no branch %s in %s", branch, fullName)
		}
		p.hub.describe(r, optional[string]{}, optional[string]{}, optional[string]{set: true, value: branch}, p.actor())
		return nil
	})
}

// Describe changes a repository's description.
func (p *Person) Describe(fullName, description string) error {
	return p.do(fullName, "admin", func(r *repository) error {
		p.hub.describe(r, optional[string]{set: true, value: description}, optional[string]{}, optional[string]{}, p.actor())
		return nil
	})
}

// SetProperties sets custom properties; nil unsets.
func (p *Person) SetProperties(fullName string, values map[string]any) error {
	return p.do(fullName, "admin", func(r *repository) error {
		for name, value := range values {
			if bad := r.owner.checkProperty(name, value); bad != nil {
				return failure(bad)
			}
		}
		p.hub.setProperties(r, values, p.actor())
		return nil
	})
}

// Grant gives a person a role: read, triage, write, maintain or admin; "" takes it.
func (p *Person) Grant(fullName, login, role string) error {
	return p.do(fullName, "admin", func(r *repository) error {
		user := p.hub.state.addAccount(login, kindUser, p.hub.now())
		if role == "" {
			delete(r.collaborators, lower(user.login))
			return nil
		}
		r.collaborators[lower(user.login)] = role
		return nil
	})
}

// Traits are facts about a repository that only its settings or GitHub's staff change.
type Traits struct {
	Disabled  bool
	Mirror    string // URL that it mirrors
	NoIssues  bool
	Template  bool
	AutoMerge bool // people may switch automatic merging on
	NoDrafts  bool // a private repository of an account that does not pay for drafts
}

// SetTraits sets them.
func (p *Person) SetTraits(fullName string, t Traits) error {
	return p.do(fullName, "admin", func(r *repository) error {
		r.disabled, r.mirror, r.settings.hasIssues, r.template = t.Disabled, t.Mirror, !t.NoIssues, t.Template
		r.settings.noDrafts, r.settings.autoMerge = t.NoDrafts, t.AutoMerge
		return nil
	})
}

// Protect protects a branch in the classic way; nil ends it.
func (p *Person) Protect(fullName, branch string, with *Protection) error {
	return p.do(fullName, "admin", func(r *repository) error {
		if with == nil {
			delete(r.protections, branch)
			return nil
		}
		r.protections[branch] = with
		return nil
	})
}

// AddRuleset makes an active ruleset over references such as "~DEFAULT_BRANCH", "~ALL"
// or "refs/heads/goldenpath/**". Target is branch, tag or push.
func (p *Person) AddRuleset(fullName, name, target string, refs []string, rules ...Rule) error {
	return p.do(fullName, "admin", func(r *repository) error {
		s := &ruleset{ID: p.hub.state.id(), Name: name, Target: target, Enforcement: "active", Rules: rules, Bypass: []bypass{}, created: p.hub.now()}
		s.Conditions.RefName.Include, s.Conditions.RefName.Exclude = refs, []string{}
		r.rulesets = append(r.rulesets, s)
		return nil
	})
}
