package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Ruleset is a ruleset of a repository, found by its name.
type Ruleset struct {
	Name string
	// Target is "branch" or "tag"; "" is "branch".
	Target string
	// Enforcement is "active", "evaluate" or "disabled"; "" is "active".
	Enforcement string
	// Include are refs as GitHub writes them: "~DEFAULT_BRANCH", "refs/heads/x/**".
	Include, Exclude []string
	// Rules are GitHub's, by type with their parameters.
	Rules []RulesetRule
}

// RulesetRule is one rule; nil Parameters are none.
type RulesetRule struct {
	Type       string         `json:"type"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

type rulesetBody struct {
	ID          int64  `json:"id,omitempty"`
	Name        string `json:"name"`
	Target      string `json:"target"`
	Enforcement string `json:"enforcement"`
	SourceType  string `json:"source_type,omitempty"`
	Conditions  struct {
		Refs struct {
			Include []string `json:"include"`
			Exclude []string `json:"exclude"`
		} `json:"ref_name"`
	} `json:"conditions"`
	Rules []RulesetRule `json:"rules"`
}

func (r Ruleset) body() rulesetBody {
	b := rulesetBody{Name: r.Name, Target: orString(r.Target, "branch"), Enforcement: orString(r.Enforcement, "active"), Rules: r.Rules}
	b.Conditions.Refs.Include = append([]string{}, r.Include...)
	b.Conditions.Refs.Exclude = append([]string{}, r.Exclude...)
	return b
}

func orString(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// EnsureRuleset makes sure that the repository has a ruleset of this name with
// these rules, and reports whether that took a change. Parameters that GitHub adds
// of its own accord do not count as a difference.
func (c *Client) EnsureRuleset(ctx context.Context, n Name, want Ruleset) (changed bool, err error) {
	id, err := c.findRuleset(ctx, n, want.Name)
	if err != nil {
		return false, err
	}
	k := call{op: fmt.Sprintf("creating ruleset %q of %s", want.Name, n), method: http.MethodPost, path: n.path("rulesets"), in: want.body()}
	if id != 0 {
		var found rulesetBody
		k.path = fmt.Sprintf("%s/%d", k.path, id)
		if _, err := c.send(ctx, call{op: "reading ruleset " + want.Name + " of " + n.String(), path: k.path, out: &found}); err != nil {
			return false, err
		}
		if found.satisfies(want.body()) {
			return false, nil
		}
		k.op, k.method = fmt.Sprintf("changing ruleset %q of %s", want.Name, n), http.MethodPut
	}
	_, err = c.send(ctx, k)
	if id == 0 && (lost(err) || KindOf(err) == Invalid) {
		// It was made after all, by the answer that was lost or by somebody else.
		if again, findErr := c.findRuleset(ctx, n, want.Name); findErr == nil && again != 0 {
			return true, nil
		}
	}
	return err == nil, err
}

func (c *Client) findRuleset(ctx context.Context, n Name, name string) (id int64, err error) {
	var page []rulesetBody
	_, err = c.pages(ctx, call{op: "listing the rulesets of " + n.String(), path: n.path("rulesets") + "?includes_parents=false", out: &page}, func() bool {
		for _, r := range page {
			if r.Name == name && r.SourceType != "Organization" {
				id = r.ID
			}
		}
		page = nil
		return id == 0
	})
	return id, err
}

// satisfies reports whether b has all that want asks for.
func (b rulesetBody) satisfies(want rulesetBody) bool {
	return b.Target == want.Target && b.Enforcement == want.Enforcement && len(b.Rules) == len(want.Rules) &&
		covers(asJSON(b.Conditions.Refs), asJSON(want.Conditions.Refs)) && covers(asJSON(b.Rules), asJSON(want.Rules))
}

// asJSON gives a value the types that encoding/json reads.
func asJSON(v any) any {
	var out any
	if data, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(data, &out) // what was just written
	}
	return out
}

// covers reports whether have has all of want. Objects may have more; lists may be
// in another order.
func covers(have, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		for k, v := range w {
			ok = ok && covers(h[k], v)
		}
		return ok
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) != len(w) {
			return false
		}
		used := make([]bool, len(h))
		for _, v := range w {
			found := false
			for i := range h {
				if !used[i] && covers(h[i], v) {
					used[i], found = true, true
					break
				}
			}
			if !found {
				return false
			}
		}
		return true
	}
	return have == want
}
