package localhub

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// Rule is one rule of a ruleset, with GitHub's names for types and parameters.
type Rule struct {
	Type       string         `json:"type"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

// ruleset is a named set of rules over some references.
type ruleset struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Target      string `json:"target"`
	Enforcement string `json:"enforcement"`
	Conditions  struct {
		RefName struct {
			Include []string `json:"include"`
			Exclude []string `json:"exclude"`
		} `json:"ref_name"`
	} `json:"conditions"`
	Bypass  []bypass `json:"bypass_actors"`
	Rules   []Rule   `json:"rules"`
	created time.Time
}

// bypass is who need not obey a ruleset.
type bypass struct {
	ActorID   int64  `json:"actor_id"`
	ActorType string `json:"actor_type"`
	Mode      string `json:"bypass_mode"`
}

// Protection is a classic branch protection.
type Protection struct {
	Checks     []string // required status checks
	Strict     bool     // and up to date with the base
	Reviews    int      // approvals required; with Pull, 0 is allowed
	Pull       bool     // changes by pull request only
	Admins     bool     // also for administrators
	Signatures bool
	Linear     bool
	Force      bool // force pushes allowed
	Delete     bool // deletion allowed
}

// covers tells whether a ruleset is about a reference.
func (s *ruleset) covers(r *repository, ref string) bool {
	if s.Enforcement != "active" {
		return false
	}
	if s.Target == "push" {
		return true
	}
	prefix := "refs/heads/"
	if s.Target == "tag" {
		prefix = "refs/tags/"
	}
	if !strings.HasPrefix(ref, prefix) {
		return false
	}
	matches := func(pattern string) bool {
		switch pattern {
		case "~ALL":
			return true
		case "~DEFAULT_BRANCH":
			return ref == "refs/heads/"+r.defaultBranch
		}
		same, err := doublestar.Match(pattern, ref)
		return err == nil && same
	}
	names := s.Conditions.RefName
	return slices.ContainsFunc(names.Include, matches) && !slices.ContainsFunc(names.Exclude, matches)
}

// bypassed tells whether an actor may ignore the ruleset.
func (s *ruleset) bypassed(r *repository, by *actor) bool {
	for _, b := range s.Bypass {
		switch b.ActorType {
		case "Integration":
			if by.app != nil && by.app.id == b.ActorID {
				return true
			}
		case "OrganizationAdmin":
			if by.app == nil && r.owner.members[lower(by.account().login)] == "admin" {
				return true
			}
		}
	}
	return false
}

// rulesFor are the rules about a reference that an actor cannot ignore; with by nil,
// all of them.
func (r *repository) rulesFor(ref string, by *actor) []Rule {
	var list []Rule
	for _, s := range r.rulesets {
		if s.covers(r, ref) && (by == nil || !s.bypassed(r, by)) {
			list = append(list, s.Rules...)
		}
	}
	return list
}

// protectionRules are a classic protection in the words of rules.
func (r *repository) protectionRules(ref string, by *actor) []Rule {
	p := r.protections[strings.TrimPrefix(ref, "refs/heads/")]
	if p == nil || !strings.HasPrefix(ref, "refs/heads/") || !p.Admins && by.app == nil && r.role(by.user) == "admin" {
		return nil
	}
	var list []Rule
	add := func(on bool, kind string, parameters map[string]any) {
		if on {
			list = append(list, Rule{Type: kind, Parameters: parameters})
		}
	}
	var checks []any
	for _, name := range p.Checks {
		checks = append(checks, map[string]any{"context": name})
	}
	add(p.Pull || p.Reviews > 0, "pull_request", map[string]any{"required_approving_review_count": float64(p.Reviews)})
	add(len(checks) > 0, "required_status_checks", map[string]any{"required_status_checks": checks, "strict_required_status_checks_policy": p.Strict})
	add(p.Signatures, "required_signatures", nil)
	add(p.Linear, "required_linear_history", nil)
	add(!p.Force, "non_fast_forward", nil)
	add(!p.Delete, "deletion", nil)
	return list
}

func (c *call) ruleset() *ruleset {
	for _, s := range c.repo.rulesets {
		if s.ID == c.number("ruleset_id") {
			return s
		}
	}
	return nil
}

// parameter is a rule's parameter as a number, list of texts, or text.
func (o Rule) number(name string) int {
	switch n := o.Parameters[name].(type) {
	case float64: // from JSON
		return int(n)
	case int:
		return n
	}
	return 0
}

func (o Rule) text(name string) string {
	s, _ := o.Parameters[name].(string)
	return s
}

func (o Rule) flag(name string) bool {
	b, _ := o.Parameters[name].(bool)
	return b
}

func (o Rule) list(name string) []string {
	var out []string
	if list, is := o.Parameters[name].([]string); is {
		return list
	}
	values, _ := o.Parameters[name].([]any) // from JSON
	for _, v := range values {
		if s, is := v.(string); is {
			out = append(out, s)
		}
	}
	return out
}

// contexts are the status checks that a required_status_checks rule names.
func (o Rule) contexts() []string {
	var out []string
	var values []any
	switch list := o.Parameters["required_status_checks"].(type) {
	case []any:
		values = list
	case []map[string]any:
		for _, m := range list {
			values = append(values, m)
		}
	}
	for _, v := range values {
		if m, is := v.(map[string]any); is {
			if s, is := m["context"].(string); is {
				out = append(out, s)
			}
		}
	}
	return slices.Sorted(maps.Keys(set(out)))
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out
}
