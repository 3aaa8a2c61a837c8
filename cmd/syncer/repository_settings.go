package main

import (
	"context"
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
