package forge

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Rules are what rulesets and the classic protection say about a branch, as far as
// we may see it. The branch need not exist.
type Rules struct {
	Creation, Update, Deletion bool // forbidden but for those who may bypass
	NoForce                    bool // only fast-forwards
	Signatures                 bool // commits must be signed
	Linear                     bool // no merge commits
	PullRequest                bool // changes come by pull request only
	MergeQueue                 bool
	Checks                     []string  // names that must succeed
	Names                      []Pattern // of the branch
	Messages                   []Pattern // of commits
	Paths                      []string  // patterns of paths that must not change
	MaxFileBytes               int       // 0: none
	MaxPath                    int       // in characters; 0: none
	Extensions                 []string  // that must not be added, as "*.jar"
	Other                      []string  // types of rules that this package does not judge
}

// Pattern is a rule on a text.
type Pattern struct {
	Name     string
	Operator string // "starts_with", "ends_with", "contains" or "regex"
	Pattern  string
	Negate   bool // the text must not match
}

// Allows reports whether the pattern is satisfied. A regular expression that Go
// cannot read is taken to be: GitHub will say.
func (p Pattern) Allows(s string) bool {
	var match bool
	switch p.Operator {
	case "starts_with":
		match = strings.HasPrefix(s, p.Pattern)
	case "ends_with":
		match = strings.HasSuffix(s, p.Pattern)
	case "contains":
		match = strings.Contains(s, p.Pattern)
	case "regex":
		re, err := regexp.Compile(p.Pattern)
		if err != nil {
			return true
		}
		match = re.MatchString(s)
	default:
		return true
	}
	return match != p.Negate
}

// rule is one rule as GitHub lists it: the parameters of all types together.
type rule struct {
	Type       string `json:"type"`
	Parameters struct {
		Name       string   `json:"name"`
		Operator   string   `json:"operator"`
		Pattern    string   `json:"pattern"`
		Negate     bool     `json:"negate"`
		Paths      []string `json:"restricted_file_paths"`
		Extensions []string `json:"restricted_file_extensions"`
		MaxFile    int      `json:"max_file_size"` // megabytes
		MaxPath    int      `json:"max_file_path_length"`
		Checks     []struct {
			Context string `json:"context"`
		} `json:"required_status_checks"`
	} `json:"parameters"`
}

// Rules reads the rules for a branch. It needs no permission beyond seeing the
// repository; the classic protection is seen by administrators only, so that what
// it forbids may be learnt from a refusal alone.
func (c *Client) Rules(ctx context.Context, n Name, branch string) (Rules, error) {
	var page []rule
	var out Rules
	op := fmt.Sprintf("reading the rules for branch %s of %s", branch, n)
	_, err := c.pages(ctx, call{op: op, path: n.path("rules/branches", escapePath(branch)), out: &page}, func() bool {
		for _, r := range page {
			out.add(r)
		}
		page = nil
		return true
	})
	return out, err
}

// RequiredChecks returns the names of the checks that must succeed before anything is
// merged into a branch: those of rulesets, and those of a classic protection, of which
// everybody who reads the branch is told this much.
func (c *Client) RequiredChecks(ctx context.Context, n Name, branch string) ([]string, error) {
	rules, err := c.Rules(ctx, n, branch)
	if err != nil && !without(err) {
		return nil, err
	}
	var b struct {
		Protection struct {
			Checks struct {
				Contexts []string `json:"contexts"`
			} `json:"required_status_checks"`
		} `json:"protection"`
	}
	op := fmt.Sprintf("reading what branch %s of %s requires", branch, n)
	_, err = c.send(ctx, call{op: op, path: n.path("branches", escapePath(branch)), out: &b})
	return append(rules.Checks, b.Protection.Checks.Contexts...), err
}

func (rules *Rules) add(r rule) {
	p := r.Parameters
	switch r.Type {
	case "creation":
		rules.Creation = true
	case "update":
		rules.Update = true
	case "deletion":
		rules.Deletion = true
	case "non_fast_forward":
		rules.NoForce = true
	case "required_signatures":
		rules.Signatures = true
	case "required_linear_history":
		rules.Linear = true
	case "pull_request":
		rules.PullRequest = true
	case "merge_queue":
		rules.MergeQueue = true
	case "required_status_checks":
		for _, k := range p.Checks {
			rules.Checks = append(rules.Checks, k.Context)
		}
	case "branch_name_pattern":
		rules.Names = append(rules.Names, Pattern{p.Name, p.Operator, p.Pattern, p.Negate})
	case "commit_message_pattern":
		rules.Messages = append(rules.Messages, Pattern{p.Name, p.Operator, p.Pattern, p.Negate})
	case "file_path_restriction":
		rules.Paths = append(rules.Paths, p.Paths...)
	case "file_extension_restriction":
		rules.Extensions = append(rules.Extensions, p.Extensions...)
	case "max_file_size":
		rules.MaxFileBytes = p.MaxFile << 20
	case "max_file_path_length":
		rules.MaxPath = p.MaxPath
	default:
		rules.Other = append(rules.Other, r.Type)
	}
}

// matchPath reports whether a ruleset's pattern of paths covers p; a pattern that
// cannot be read covers nothing.
func matchPath(pattern, p string) bool {
	pattern = strings.TrimPrefix(pattern, "/")
	if dir, ok := strings.CutSuffix(pattern, "/**/*"); ok {
		return strings.HasPrefix(p, dir+"/")
	}
	if dir, ok := strings.CutSuffix(pattern, "/**"); ok {
		return strings.HasPrefix(p, dir+"/")
	}
	if rest, ok := strings.CutPrefix(pattern, "**/"); ok {
		for {
			if ok, err := path.Match(rest, p); ok || err != nil {
				return ok
			}
			_, after, more := strings.Cut(p, "/")
			if !more {
				return false
			}
			p = after
		}
	}
	ok, err := path.Match(pattern, p)
	return ok && err == nil
}
