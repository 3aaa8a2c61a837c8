package forge

import (
	"context"
	"fmt"
	"time"

	"github.com/google/go-github/v60/github"
)

// Repository is what GitHub says of a repository.
type Repository struct {
	ID            int64
	NodeID        string
	Name          Name   // today's
	OwnerType     string // "Organization" or "User"
	DefaultBranch string
	Description   string
	Visibility    string // "public", "private" or "internal"
	URL, CloneURL string
	Archived      bool
	Disabled      bool
	Fork          bool
	Mirror        bool
	// Locked is told by GraphQL only: a migration, a rename or billing.
	Locked     bool
	IsTemplate bool
	Private    bool
	// Empty is certain where [Client.Members] says it; elsewhere it is false.
	Empty bool
	// AllowAutoMerge is told to those who may change the settings.
	AllowAutoMerge bool
	Topics         []string
	// Properties are the organisation's custom properties, where the answer has
	// them: strings, or lists of strings.
	Properties map[string]any
	// Template is what the repository was made from; nil where it was made without
	// one, or from one that we cannot see.
	Template            *TemplateRef
	CreatedAt, PushedAt time.Time
	// Permissions are ours on it: "pull", "push", "admin" and others.
	Permissions map[string]bool
}

// TemplateRef names a template repository.
type TemplateRef struct {
	ID   int64
	Name Name
}

func repository(r *github.Repository) Repository {
	out := Repository{
		ID: r.GetID(), NodeID: r.GetNodeID(), Name: Name{r.GetOwner().GetLogin(), r.GetName()},
		OwnerType: r.GetOwner().GetType(), DefaultBranch: r.GetDefaultBranch(), Description: r.GetDescription(),
		Visibility: r.GetVisibility(), URL: r.GetHTMLURL(), CloneURL: r.GetCloneURL(),
		Archived: r.GetArchived(), Disabled: r.GetDisabled(), Fork: r.GetFork(), Mirror: r.GetMirrorURL() != "",
		IsTemplate: r.GetIsTemplate(), Private: r.GetPrivate(), AllowAutoMerge: r.GetAllowAutoMerge(),
		Topics: r.Topics, CreatedAt: r.GetCreatedAt().Time, PushedAt: r.GetPushedAt().Time, Permissions: r.GetPermissions(),
	}
	if t := r.GetTemplateRepository(); t != nil {
		out.Template = &TemplateRef{ID: t.GetID(), Name: Name{t.GetOwner().GetLogin(), t.GetName()}}
	}
	return out
}

// withProperties adds what go-github v60 reads as strings only: a property may be
// a list.
type withProperties struct {
	github.Repository
	Properties map[string]any `json:"custom_properties"`
}

// Repository reads a repository by its id, wherever it is now.
func (c *Client) Repository(ctx context.Context, id int64) (Repository, error) {
	return c.readRepository(ctx, fmt.Sprintf("repository %d", id), fmt.Sprintf("repositories/%d", id))
}

// RepositoryByName reads a repository by a name that it has or had. The answer's
// Name is the present one.
func (c *Client) RepositoryByName(ctx context.Context, n Name) (Repository, error) {
	if !n.valid() {
		return Repository{}, &Error{Kind: NotFound, Op: "reading " + n.String(), Message: "that is not the name of a repository"}
	}
	return c.readRepository(ctx, n.String(), n.path())
}

func (c *Client) readRepository(ctx context.Context, what, path string) (Repository, error) {
	var r withProperties
	if _, err := c.send(ctx, call{op: "reading " + what, path: path, out: &r}); err != nil {
		return Repository{}, err
	}
	out := repository(&r.Repository)
	out.Properties = r.Properties
	return out, nil
}

// Repositories lists what the installation has, at most 5,000.
func (c *Client) Repositories(ctx context.Context) ([]Repository, error) {
	var page struct {
		Repositories []*withProperties `json:"repositories"`
	}
	var all []Repository
	_, err := c.pages(ctx, call{op: "listing the installation's repositories", path: "installation/repositories", out: &page}, func() bool {
		for _, r := range page.Repositories {
			repo := repository(&r.Repository)
			repo.Properties = r.Properties
			all = append(all, repo)
		}
		page.Repositories = nil
		return true
	})
	return all, err
}

// Level returns what a person may do in a repository: "admin", "maintain",
// "write", "triage", "read" or "none".
func (c *Client) Level(ctx context.Context, n Name, login string) (string, error) {
	if !validPart(login) {
		return "none", nil // bots and what is no login have no level of their own
	}
	var l struct {
		Permission string `json:"permission"`
		Role       string `json:"role_name"`
	}
	_, err := c.send(ctx, call{op: "reading what " + login + " may do in " + n.String(), path: n.path("collaborators", login, "permission"), out: &l})
	if KindOf(err) == NotFound {
		// Everybody has a level, if only "none": either there is no such person, or GitHub
		// does not see the repository just now, which must not turn anybody down.
		return c.levelOfNobody(ctx, login, err)
	}
	if err != nil {
		return "", err
	}
	// role_name tells maintain and triage apart, which permission does not; an
	// organisation's own roles have names of their own.
	switch l.Role {
	case "admin", "maintain", "write", "triage", "read", "none":
		return l.Role, nil
	}
	return l.Permission, nil
}

// levelOfNobody is "none" where GitHub does not know the person either, and missing
// where it does.
func (c *Client) levelOfNobody(ctx context.Context, login string, missing error) (string, error) {
	_, err := c.send(ctx, call{op: "reading who " + login + " is", path: "users/" + login})
	switch KindOf(err) {
	case NotFound:
		return "none", nil
	case "":
		return "", missing
	}
	return "", err
}
