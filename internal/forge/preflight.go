package forge

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Intent is what is about to be done to a repository.
type Intent struct {
	// Branch is ours; "" asks about the repository alone.
	Branch string
	// Base is the branch that the pull request goes to; "" is the default branch.
	Base string
	// Direct is set where Base itself is written to, without a pull request.
	Direct bool
	// Paths are the files that change, with their new sizes in bytes; -1 deletes.
	Paths map[string]int
	// Message is the commit's.
	Message string
	// Granted are the installation's permissions; nil is not known.
	Granted map[string]string
}

// Obstacle is a reason why a write will be refused, or will take more than usual.
type Obstacle struct {
	// Fact names it for programs: "archived", "disabled", "locked", "empty", "fork",
	// "mirror", "permission", "branch-name", "creation", "signatures", "path",
	// "size", "message", "protected", "merge-queue".
	Fact string
	// Reason is a sentence for people, with what to do.
	Reason string
	// Fatal means that there is no use in trying.
	Fatal bool
}

// Standing returns what of a repository itself stands in the way; it sends
// nothing.
func (r Repository) Standing() []Obstacle {
	var list []Obstacle
	say := func(is bool, fact, reason string) {
		if is {
			list = append(list, Obstacle{Fact: fact, Reason: r.Name.String() + " " + reason, Fatal: fact != "fork"})
		}
	}
	say(r.Archived, "archived", "is archived, so that nothing can be written to it; unarchive it to receive updates")
	say(r.Disabled, "disabled", "was disabled by GitHub; its owner must ask GitHub's support")
	say(r.Locked, "locked", "is locked, by a migration, a rename or for billing; it is tried again later")
	say(r.Mirror, "mirror", "is a mirror: what is written here is overwritten from its source; update the source instead")
	say(r.Empty, "empty", "has no commit yet; push one first")
	say(r.Fork, "fork", "is a fork; updates usually come from the repository that it was forked from")
	return list
}

// Preflight returns what stands in the way of an intent: what the repository says
// of itself, the permissions, and the rules for our branch and for the base. It
// costs a read for each branch. What it does not find GitHub may still refuse.
func (c *Client) Preflight(ctx context.Context, r Repository, in Intent) ([]Obstacle, error) {
	list := r.Standing()
	list = append(list, missing(in)...)
	if in.Branch == "" || slices.ContainsFunc(list, func(o Obstacle) bool { return o.Fatal }) {
		return list, nil
	}
	base := orString(in.Base, r.DefaultBranch)
	target := in.Branch
	if in.Direct {
		target = base
	}
	rules, err := c.Rules(ctx, r.Name, target)
	if without(err) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	list = append(list, rules.against(target, in)...)
	if target != base {
		if rules, err = c.Rules(ctx, r.Name, base); err != nil {
			return nil, err
		}
	}
	if rules.MergeQueue {
		list = append(list, Obstacle{Fact: "merge-queue", Reason: fmt.Sprintf("branch %s has a merge queue; the pull request is merged through it", base)})
	}
	return list, nil
}

// without reports whether an error says that there are no rules: on an Enterprise
// Server of before them, or in a private repository of a plan without them.
func without(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Kind == NotFound || e.Kind == Denied && strings.Contains(e.text(), "upgrade to"))
}

// missing compares what a change needs with what was granted.
func missing(in Intent) []Obstacle {
	if in.Granted == nil {
		return nil
	}
	need := map[string]string{"contents": "to write its branch"}
	if !in.Direct {
		need["pull_requests"] = "to open the pull request"
	}
	for p := range in.Paths {
		if strings.HasPrefix(p, ".github/workflows/") {
			need["workflows"] = "because " + p + " changes"
		}
	}
	var list []Obstacle
	for _, p := range []string{"contents", "pull_requests", "workflows"} {
		if why, ok := need[p]; ok && in.Granted[p] != "write" {
			list = append(list, Obstacle{Fact: "permission", Fatal: true,
				Reason: fmt.Sprintf("the App lacks the permission %s=write, which it needs %s; an owner must grant it or accept the App's new permissions", p, why)})
		}
	}
	return list
}

// against judges an intent by the rules for the branch that it writes to.
func (rules Rules) against(branch string, in Intent) []Obstacle {
	var list []Obstacle
	say := func(fact string, fatal bool, format string, args ...any) {
		list = append(list, Obstacle{Fact: fact, Fatal: fatal, Reason: fmt.Sprintf(format, args...)})
	}
	const bypass = "; let the App bypass the ruleset, or exclude goldenpath/** from it"
	if rules.Creation && !in.Direct {
		say("creation", true, "a ruleset forbids the creation of branch %s%s", branch, bypass)
	}
	if (rules.Update || rules.PullRequest) && in.Direct {
		say("protected", true, "branch %s takes changes by pull request only", branch)
	}
	if rules.Signatures {
		say("signatures", false, "branch %s takes signed commits only; GitHub signs the App's, which is checked for every commit", branch)
	}
	for _, p := range rules.Names {
		if !p.Allows(branch) {
			say("branch-name", true, "a ruleset (%s %q) forbids the name %s%s", strings.ReplaceAll(p.Operator, "_", " "), p.Pattern, branch, bypass)
		}
	}
	for _, p := range rules.Messages {
		if in.Message != "" && !p.Allows(in.Message) {
			say("message", true, "a ruleset (%s %q) forbids the commit message%s", strings.ReplaceAll(p.Operator, "_", " "), p.Pattern, bypass)
		}
	}
	list = append(list, rules.paths(in)...)
	return list
}

// paths judges the files, in their order.
func (rules Rules) paths(in Intent) []Obstacle {
	var list []Obstacle
	names := make([]string, 0, len(in.Paths))
	for p := range in.Paths {
		names = append(names, p)
	}
	slices.Sort(names)
	for _, p := range names {
		if i := slices.IndexFunc(rules.Paths, func(pattern string) bool { return matchPath(pattern, p) }); i >= 0 {
			list = append(list, Obstacle{"path", fmt.Sprintf("a ruleset forbids changes to %s (%s)", p, rules.Paths[i]), true})
		}
		if size := in.Paths[p]; rules.MaxFileBytes > 0 && size > rules.MaxFileBytes {
			list = append(list, Obstacle{"size", fmt.Sprintf("a ruleset forbids files of more than %d bytes; %s has %d", rules.MaxFileBytes, p, size), true})
		}
		if rules.MaxPath > 0 && len([]rune(p)) > rules.MaxPath {
			list = append(list, Obstacle{"path", fmt.Sprintf("a ruleset forbids paths of more than %d characters: %s", rules.MaxPath, p), true})
		}
		for _, ext := range rules.Extensions {
			if in.Paths[p] >= 0 && strings.HasSuffix(path.Base(p), strings.TrimPrefix(ext, "*")) {
				list = append(list, Obstacle{"path", fmt.Sprintf("a ruleset forbids files like %s: %s", ext, p), true})
			}
		}
	}
	return list
}
