package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/store"
)

// hub lets the walks see GitHub.
type hub struct {
	app *forge.App
	db  *store.Store // by which a repository's name is known without asking; nil: it is asked
}

// named returns a repository's name, where it is known without asking.
func (h *hub) named(ctx context.Context, id int64) (forge.Name, bool) {
	if h.db == nil {
		return forge.Name{}, false
	}
	known, err := h.db.Repository(ctx, id)
	return forge.Name{Owner: known.Owner, Repo: known.Name}, err == nil
}

// granted returns what an owner granted an installation, as far as it is known; nil is
// not known.
func (h *hub) granted(ctx context.Context, installation int64) map[string]string {
	if h.db == nil {
		return nil
	}
	known, err := h.db.Installation(ctx, installation)
	if err != nil || len(known.Permissions) == 0 {
		return nil
	}
	return known.Permissions
}

// Client returns a client for one repository.
func (h *hub) Client(at walks.Place, permissions map[string]string, urgent bool) walks.Client {
	access := forge.Access{Repositories: []int64{at.Repository}, Permissions: permissions, Urgent: urgent}
	return &repository{Client: h.app.Installation(at.Installation).As(access), hub: h, at: at}
}

// LookAll looks at several repositories at once: one request, and one for a token that
// holds for these alone, for 20 of them. What is odd about one is left to [repository.Look].
func (h *hub) LookAll(ctx context.Context, asks map[walks.Place]walks.Ask) (map[walks.Place]walks.Look, error) {
	byInstallation := map[int64][]walks.Place{}
	for at := range asks {
		byInstallation[at.Installation] = append(byInstallation[at.Installation], at)
	}
	looks := make(map[walks.Place]walks.Look, len(asks))
	for installation, all := range byInstallation {
		slices.SortFunc(all, func(a, b walks.Place) int { return cmp.Compare(a.Repository, b.Repository) })
		for some := range slices.Chunk(all, surveyed) {
			if err := h.lookAtSome(ctx, installation, some, asks, looks); err != nil {
				return nil, err
			}
		}
	}
	return looks, nil
}

func (h *hub) lookAtSome(ctx context.Context, installation int64, some []walks.Place, asks map[walks.Place]walks.Ask, looks map[walks.Place]walks.Look) error {
	access := forge.Access{Permissions: map[string]string{"contents": "read", "metadata": "read"}}
	var named []walks.Place
	var all []forge.Ask
	for _, at := range some {
		if name, known := h.named(ctx, at.Repository); known {
			named = append(named, at)
			all = append(all, forge.Ask{ID: at.Repository, Name: name, Ref: asks[at].Ref, Contents: asks[at].Contents, Branch: asks[at].Branch})
			access.Repositories = append(access.Repositories, at.Repository)
		}
	}
	if len(all) == 0 {
		return nil
	}
	c := h.app.Installation(installation).As(access)
	members, err := c.Members(ctx, all)
	if k := forge.KindOf(err); k == forge.NotFound || k == forge.Denied || k == forge.Invalid {
		return nil // one of them is gone, and keeps the others' token from being made
	}
	if err != nil {
		return fated(err)
	}
	for i, m := range members {
		if m.Err != nil || m.Repository.ID != named[i].Repository {
			continue
		}
		r := &repository{Client: c, hub: h, at: named[i]}
		if look, err := r.looked(ctx, m, asks[named[i]]); err == nil {
			looks[named[i]] = look
		}
	}
	return nil
}

// Find returns the place of owner/name.
func (h *hub) Find(ctx context.Context, at walks.Place, fullName string) (walks.Place, error) {
	name, err := forge.ParseName(fullName)
	if err != nil {
		return walks.Place{}, err
	}
	wide := h.app.Installation(at.Installation).As(forge.Access{Permissions: map[string]string{"metadata": "read"}})
	r, err := wide.RepositoryByName(ctx, name)
	return walks.Place{Installation: at.Installation, Repository: r.ID}, fated(err)
}

// surveyed is how many repositories are looked at in one request.
const surveyed = 20

// Survey visits every repository of every installation.
func (h *hub) Survey(ctx context.Context, visit func(walks.Seen) error) (whole []int64, err error) {
	installations, err := h.app.Installations(ctx)
	if err != nil {
		return nil, fated(err)
	}
	var errs []error
	for _, in := range installations {
		if !in.Suspended.IsZero() {
			continue
		}
		if err := h.surveyOne(ctx, in.ID, visit); err != nil {
			errs = append(errs, err)
			continue
		}
		whole = append(whole, in.ID)
	}
	return whole, errors.Join(errs...)
}

func (h *hub) surveyOne(ctx context.Context, installation int64, visit func(walks.Seen) error) error {
	c := h.app.Installation(installation).As(forge.Access{Permissions: map[string]string{"contents": "read", "metadata": "read"}})
	all, err := c.Repositories(ctx)
	if err != nil {
		return fated(err)
	}
	for some := range slices.Chunk(all, surveyed) {
		asks := make([]forge.Ask, len(some))
		for i, r := range some {
			asks[i] = forge.Ask{ID: r.ID, NodeID: r.NodeID, Name: r.Name, Paths: []string{drift.MemberName}}
		}
		members, err := c.Members(ctx, asks)
		if err != nil {
			return fated(err)
		}
		for i, m := range members {
			seen := walks.Seen{At: walks.Place{Installation: installation, Repository: some[i].ID}, Unread: m.Err != nil}
			if _, has := m.Entries[drift.MemberName]; has {
				seen.Follows = !m.Repository.IsTemplate
			}
			if err := visit(seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// Redeliver asks for failed deliveries again.
func (h *hub) Redeliver(ctx context.Context, since time.Time) (int, error) {
	list, err := h.app.Deliveries(ctx, since)
	if err != nil {
		return 0, fated(err)
	}
	failed := forge.Failed(list)
	for i, d := range failed {
		if err := h.app.Redeliver(ctx, d.ID); err != nil {
			return i, fated(err)
		}
	}
	return len(failed), nil
}

// EnsureTemplate makes a template repository in the platform repository's account.
func (h *hub) EnsureTemplate(ctx context.Context, platform walks.Place, name, description string) (walks.Place, error) {
	wide := h.app.Installation(platform.Installation).As(forge.Access{Permissions: map[string]string{"administration": "write", "contents": "write", "metadata": "read"}})
	here, err := wide.Repository(ctx, platform.Repository)
	if err != nil {
		return walks.Place{}, fated(err)
	}
	full := forge.Name{Owner: here.Name.Owner, Repo: name}
	r, err := wide.RepositoryByName(ctx, full)
	if errors.Is(err, forge.NotFound) {
		r, err = wide.CreateRepository(ctx, forge.NewRepository{Name: full, Description: description, Visibility: here.Visibility, Template: true, Begun: true})
	}
	if err != nil {
		return walks.Place{}, fated(err)
	}
	if !r.IsTemplate {
		return walks.Place{}, &walks.PersonError{Err: fmt.Errorf("%s exists and is no template repository; mark it as one, or set another prefix", full)}
	}
	return walks.Place{Installation: platform.Installation, Repository: r.ID}, nil
}
