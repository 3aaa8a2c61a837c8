package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/goldenpaths/syncer/internal/forge"
)

// SetTopics adds topics.
func (r *repository) SetTopics(ctx context.Context, topics []string) error {
	return r.on(ctx, func(f forge.Repository) error {
		_, err := r.Client.SetTopics(ctx, f.Name, topics...)
		return err
	})
}

// GrantTeam gives a team access.
func (r *repository) GrantTeam(ctx context.Context, team, level string) error {
	return r.on(ctx, func(f forge.Repository) error {
		_, err := r.Client.GrantTeam(ctx, f.Name, team, level)
		return err
	})
}

// SetVariable sets an Actions variable, with a token of its own: GitHub's description
// of tokens lacks the permission for it, and a GitHub that refuses it must not refuse
// the rest with it.
func (r *repository) SetVariable(ctx context.Context, name, value string) error {
	return r.on(ctx, func(f forge.Repository) error {
		own := r.hub.app.Installation(r.at.Installation).As(forge.Access{
			Repositories: []int64{r.at.Repository}, Permissions: map[string]string{"actions_variables": "write", "metadata": "read"}, Urgent: true})
		_, err := own.SetVariable(ctx, f.Name, name, value)
		return err
	})
}

// EnsureEnvironment makes a deployment environment.
func (r *repository) EnsureEnvironment(ctx context.Context, name string) error {
	return r.on(ctx, func(f forge.Repository) error {
		_, err := r.Client.EnsureEnvironment(ctx, f.Name, name)
		return err
	})
}

// rulesets are those that a manifest can name.
var rulesets = map[string][]forge.RulesetRule{
	"protected-main": {{Type: "deletion"}, {Type: "non_fast_forward"}, {Type: "pull_request", Parameters: map[string]any{
		"required_approving_review_count": 1, "dismiss_stale_reviews_on_push": false, "require_code_owner_review": false,
		"require_last_push_approval": false, "required_review_thread_resolution": false,
	}}},
}

// EnsureRuleset sets one of the known rulesets on the default branch.
func (r *repository) EnsureRuleset(ctx context.Context, name string) error {
	rules, ok := rulesets[name]
	if !ok {
		return fmt.Errorf("there is no ruleset %q; syncer knows protected-main", name)
	}
	return r.on(ctx, func(f forge.Repository) error {
		_, err := r.Client.EnsureRuleset(ctx, f.Name, forge.Ruleset{Name: name, Target: "branch", Enforcement: "active", Include: []string{"~DEFAULT_BRANCH"}, Rules: rules})
		return err
	})
}

// Dispatch starts a workflow in another repository that the installation has, once for
// this repository and these inputs.
func (r *repository) Dispatch(ctx context.Context, full, workflow string, inputs map[string]string) error {
	name, err := forge.ParseName(full)
	if err != nil {
		return err
	}
	in := r.hub.app.Installation(r.at.Installation)
	there, err := in.As(forge.Access{Permissions: map[string]string{"metadata": "read"}, Urgent: true}).RepositoryByName(ctx, name)
	if err != nil {
		return fated(err)
	}
	given, err := json.Marshal(inputs) // in the order of their names
	if err != nil {
		return err
	}
	work := fmt.Sprintf("%s in %d with %x", workflow, there.ID, sha256.Sum256(given))
	start, err := r.hub.db.BeginStart(ctx, r.at.Repository, work)
	if err != nil || start.Done {
		return err
	}
	own := in.As(forge.Access{Repositories: []int64{there.ID}, Permissions: map[string]string{"actions": "write", "metadata": "read"}, Urgent: true})
	_, err = own.Dispatch(ctx, there.Name, forge.Dispatch{Workflow: workflow, Ref: there.DefaultBranch, Inputs: inputs, Since: start.Began, Again: start.Again})
	switch {
	case err == nil:
		return r.hub.db.EndStart(ctx, r.at.Repository, work, true)
	case !start.Again && nothingDone(err):
		return errors.Join(fated(err), r.hub.db.EndStart(ctx, r.at.Repository, work, false))
	}
	return fated(err)
}

// nothingDone reports whether GitHub itself said that it did not do what was asked.
func nothingDone(err error) bool {
	e, ok := errors.AsType[*forge.Error](err)
	return ok && !e.Lost || forge.KindOf(err) == forge.Limited
}
