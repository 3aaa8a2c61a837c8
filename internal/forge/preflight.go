package forge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Intent is what is about to be done to a repository.
type Intent struct {
	// Branch is what is written to; "" is no branch yet: a commit is made.
	Branch string
	// Proposes is set where a pull request comes from it.
	Proposes bool
	// Paths are the files that change, with their new sizes in bytes; -1 deletes.
	Paths map[string]int
	// Message is the commit's.
	Message string
	// Granted are the installation's permissions; nil is not known.
	Granted map[string]string
}

// Obstacle is a reason why a write is refused, or takes more than usual.
type Obstacle struct {
	// Fact names it for programs: "branch-name", "creation", "signatures", "path",
	// "size", "message", "protected", "merge-queue".
	Fact string
	// Reason is a sentence for people, with what to do.
	Reason string
}

// Closed says why nothing can be written to a repository, and what to do, or "".
func (r Repository) Closed() string {
	switch {
	case r.Archived:
		return "the repository is archived, so that nothing can be written to it; unarchive it to receive updates"
	case r.Disabled:
		return "GitHub has disabled the repository; its owner must ask GitHub's support"
	case r.Locked:
		return "the repository is locked, by a migration, a rename or for billing; it is tried again later"
	case r.Mirror:
		return "the repository is a mirror: what is written here is overwritten from its source; update the source instead"
	}
	return ""
}

// Preflight says why an intent will be refused, by what the repository says of itself
// and by the permissions, without asking GitHub: nil, or an [Error]. What it does not
// find GitHub may still refuse; [Client.Obstacles] says why then.
func Preflight(r Repository, in Intent) error {
	op := "writing to " + r.Name.String()
	if why := r.Closed(); why != "" {
		return &Error{Kind: Refused, Op: op, Message: why}
	}
	if in.Granted == nil {
		return nil
	}
	need := func(permission, why string) error {
		return &Error{Kind: Denied, Op: op, Permission: permission + "=write", Message: why, Hint: hints[Denied]}
	}
	if in.Granted["contents"] != "write" {
		return need("contents", "files are written")
	}
	for _, p := range slices.Sorted(maps.Keys(in.Paths)) {
		if strings.HasPrefix(p, ".github/workflows/") && in.Granted["workflows"] != "write" {
			return need("workflows", p+" changes")
		}
	}
	if in.Proposes && in.Granted["pull_requests"] != "write" {
		return need("pull_requests", "a pull request is opened")
	}
	return nil
}

// PreflightPush is Preflight for a push to a branch itself, by the branch's rules: one read
// for each page of them. The error is [Queued] where there is a merge queue. GitHub may let
// an App pass it (https://github.com/orgs/community/discussions/203246), and what waits in
// it is then checked against what is there no more; so a push is not even tried. Other rules
// GitHub judges better, as it knows whether the App may bypass them.
func (c *Client) PreflightPush(ctx context.Context, r Repository, in Intent) error {
	list, err := c.Obstacles(ctx, r, in)
	if err != nil {
		return err
	}
	for _, o := range list {
		if o.Fact == "merge-queue" {
			return &Error{Kind: Queued, Op: "writing to " + r.Name.String(), Message: o.Reason}
		}
	}
	return nil
}

// Obstacles returns what the rules for a branch have against an intent: one read for each page of rules. There are none where rules cannot
// be read.
func (c *Client) Obstacles(ctx context.Context, r Repository, in Intent) ([]Obstacle, error) {
	rules, err := c.Rules(ctx, r.Name, in.Branch)
	if without(err) {
		return nil, nil
	}
	return rules.against(in, in.Branch == r.DefaultBranch), err
}

// Because adds to an error of this package what stands in the way.
func Because(err error, list []Obstacle) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || len(list) == 0 {
		return err
	}
	said := *e
	reasons := make([]string, len(list))
	for i, o := range list {
		reasons[i] = o.Reason
	}
	said.Hint = strings.Join(reasons, "; ")
	return &said
}

// without reports whether an error says that there are no rules: on an Enterprise
// Server of before them, or in a private repository of a plan without them.
func without(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Kind == NotFound || e.Kind == Denied && strings.Contains(e.text(), "upgrade to"))
}

// against judges an intent by the rules for the branch that it writes to, which is the
// default branch or one of ours.
func (rules Rules) against(in Intent, direct bool) []Obstacle {
	var list []Obstacle
	say := func(fact, format string, args ...any) {
		list = append(list, Obstacle{Fact: fact, Reason: fmt.Sprintf(format, args...)})
	}
	const bypass = "; let the App bypass the ruleset, or exclude goldenpath/** from it"
	if rules.Creation && !direct {
		say("creation", "a ruleset forbids the creation of branch %s%s", in.Branch, bypass)
	}
	if (rules.Update || rules.PullRequest) && direct {
		say("protected", "branch %s takes changes by pull request only", in.Branch)
	}
	if rules.MergeQueue && direct {
		say("merge-queue", "branch %s takes changes through its merge queue only", in.Branch)
	}
	if rules.Signatures {
		say("signatures", "branch %s takes signed commits only", in.Branch)
	}
	for _, p := range rules.Names {
		if !p.Allows(in.Branch) {
			say("branch-name", "a ruleset (%s %q) forbids the name %s%s", strings.ReplaceAll(p.Operator, "_", " "), p.Pattern, in.Branch, bypass)
		}
	}
	for _, p := range rules.Messages {
		if in.Message != "" && !p.Allows(in.Message) {
			say("message", "a ruleset (%s %q) forbids the commit message%s", strings.ReplaceAll(p.Operator, "_", " "), p.Pattern, bypass)
		}
	}
	return append(list, rules.paths(in)...)
}

// paths judges the files, in their order.
func (rules Rules) paths(in Intent) []Obstacle {
	var list []Obstacle
	for _, p := range slices.Sorted(maps.Keys(in.Paths)) {
		if i := slices.IndexFunc(rules.Paths, func(pattern string) bool { return matchPath(pattern, p) }); i >= 0 {
			list = append(list, Obstacle{"path", fmt.Sprintf("a ruleset forbids changes to %s (%s)", p, rules.Paths[i])})
		}
		if size := in.Paths[p]; rules.MaxFileBytes > 0 && size > rules.MaxFileBytes {
			list = append(list, Obstacle{"size", fmt.Sprintf("a ruleset forbids files of more than %d bytes; %s has %d", rules.MaxFileBytes, p, size)})
		}
		if rules.MaxPath > 0 && len([]rune(p)) > rules.MaxPath {
			list = append(list, Obstacle{"path", fmt.Sprintf("a ruleset forbids paths of more than %d characters: %s", rules.MaxPath, p)})
		}
		for _, ext := range rules.Extensions {
			if in.Paths[p] >= 0 && strings.HasSuffix(path.Base(p), strings.TrimPrefix(ext, "*")) {
				list = append(list, Obstacle{"path", fmt.Sprintf("a ruleset forbids files like %s: %s", ext, p)})
			}
		}
	}
	return list
}
