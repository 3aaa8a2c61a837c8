package forge

import (
	"context"
	"net/http"

	"github.com/google/go-github/v60/github"
)

// NewRepository is a repository to be made in an organisation.
type NewRepository struct {
	Name        Name
	Description string
	Visibility  string // "private", "internal" or "public"; "" is private
	Template    bool   // others may be made from it
	// Begun makes a first commit, with a README: without one the Git Data API refuses
	// to write.
	Begun bool
}

// CreateRepository makes a repository in an organisation, empty unless it is to be begun. After a lost
// answer, and where the name is taken, it looks: one that is still empty is the
// one that was asked for; any other is a [Conflict]. An App cannot make
// repositories in a person's account.
func (c *Client) CreateRepository(ctx context.Context, want NewRepository) (Repository, error) {
	visibility := orString(want.Visibility, "private")
	in := map[string]any{
		"name": want.Name.Repo, "description": bounded(want.Description), "visibility": visibility,
		"private": visibility != "public", "is_template": want.Template,
		"auto_init": want.Begun,
	}
	return c.newRepository(ctx, want.Name, call{
		op: "making " + want.Name.String(), method: http.MethodPost, path: "orgs/" + escapeOne(want.Name.Owner) + "/repos", in: in,
	}, func(r Repository) bool {
		heads, err := c.Branches(ctx, r.Name)
		return err == nil && (len(heads) == 0 || want.Begun && len(heads) == 1)
	})
}

// newRepository makes a repository unless one that is same is there.
func (c *Client) newRepository(ctx context.Context, n Name, k call, same func(Repository) bool) (Repository, error) {
	if !n.valid() {
		return Repository{}, &Error{Kind: Invalid, Op: k.op, Message: "GitHub allows letters, digits, -, _ and . in names"}
	}
	var made github.Repository
	k.out = &made
	_, err := c.send(ctx, k)
	if err == nil {
		return repository(&made), nil
	}
	if !lost(err) && KindOf(err) != Invalid {
		return Repository{}, err
	}
	found, readErr := c.RepositoryByName(ctx, n)
	switch {
	case readErr != nil:
		return Repository{}, err
	case same(found):
		return found, nil
	}
	return Repository{}, &Error{Kind: Conflict, Op: k.op, Message: "there is another repository of this name already", Hint: "choose another name", cause: err}
}
