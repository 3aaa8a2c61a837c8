package forge

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"
)

// SetTopics adds topics to those that the repository has, and reports whether any
// was missing.
func (c *Client) SetTopics(ctx context.Context, n Name, topics ...string) (changed bool, err error) {
	var have struct {
		Names []string `json:"names"`
	}
	if _, err := c.send(ctx, call{op: "reading the topics of " + n.String(), path: n.path("topics"), out: &have}); err != nil {
		return false, err
	}
	all := slices.Clone(have.Names)
	for _, t := range topics {
		if t = strings.ToLower(t); !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	if len(all) == len(have.Names) {
		return false, nil
	}
	_, err = c.send(ctx, call{op: "setting the topics of " + n.String(), method: http.MethodPut, path: n.path("topics"), in: map[string][]string{"names": all}})
	return err == nil, err
}

// roles are the permissions of a team, from least to most.
var roles = []string{"pull", "triage", "push", "maintain", "admin"}

// GrantTeam gives a team (by slug) a permission ("pull", "triage", "push",
// "maintain", "admin" or a role of the organisation's own), and reports whether it
// had less. It takes nothing away.
func (c *Client) GrantTeam(ctx context.Context, n Name, team, permission string) (changed bool, err error) {
	path := fmt.Sprintf("orgs/%s/teams/%s/%s", escapeOne(n.Owner), escapeOne(team), n.path())
	op := fmt.Sprintf("giving team %s %s on %s", team, permission, n)
	have, err := c.teamPermissions(ctx, op, path)
	if err != nil {
		return false, err
	}
	if i := slices.Index(roles, permission); i >= 0 {
		for _, r := range roles[i:] {
			if have[r] {
				return false, nil
			}
		}
	}
	_, err = c.send(ctx, call{op: op, method: http.MethodPut, path: path, in: map[string]string{"permission": permission}})
	return err == nil, err
}

// teamPermissions reads what a team may do; a team that has nothing answers 404.
func (c *Client) teamPermissions(ctx context.Context, op, path string) (map[string]bool, error) {
	var r github.Repository
	req, err := c.in.client.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	// Without this type GitHub answers 204, with nothing in it.
	req.Header.Set("Accept", "application/vnd.github.v3.repository+json")
	_, err = c.in.client.Do(c.with(ctx, false), req, &r)
	if err = explain(op, http.MethodGet, err); KindOf(err) == NotFound {
		return nil, nil
	}
	return r.Permissions, err
}

// SetVariable gives the repository an Actions variable, and reports whether it had
// another value. Variables are for what is no secret.
func (c *Client) SetVariable(ctx context.Context, n Name, name, value string) (changed bool, err error) {
	var have struct {
		Value string `json:"value"`
	}
	op := fmt.Sprintf("setting variable %s of %s", name, n)
	path := n.path("actions/variables", escapeOne(name))
	_, err = c.send(ctx, call{op: op, path: path, out: &have})
	switch {
	case KindOf(err) == NotFound:
	case err != nil:
		return false, err
	case have.Value == value:
		return false, nil
	default:
		_, err = c.send(ctx, call{op: op, method: http.MethodPatch, path: path, in: map[string]string{"name": name, "value": value}})
		return err == nil, err
	}
	_, err = c.send(ctx, call{op: op, method: http.MethodPost, path: n.path("actions/variables"), in: map[string]string{"name": name, "value": value}})
	if KindOf(err) == Conflict { // an earlier attempt made it after all
		_, err = c.send(ctx, call{op: op, method: http.MethodPatch, path: path, in: map[string]string{"name": name, "value": value}})
	}
	return err == nil, err
}

// EnsureEnvironment makes sure that there is a deployment environment, and reports
// whether there was none. One that is there keeps its protections.
func (c *Client) EnsureEnvironment(ctx context.Context, n Name, name string) (changed bool, err error) {
	path := n.path("environments", escapeOne(name))
	_, err = c.send(ctx, call{op: fmt.Sprintf("reading environment %s of %s", name, n), path: path})
	if KindOf(err) != NotFound {
		return false, err
	}
	_, err = c.send(ctx, call{op: fmt.Sprintf("making environment %s of %s", name, n), method: http.MethodPut, path: path})
	return err == nil, err
}
