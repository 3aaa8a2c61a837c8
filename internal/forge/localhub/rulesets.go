package localhub

import (
	"fmt"
	"net/http"
	"slices"
)

func ruleRoutes() []route {
	admin, meta := write("administration"), read("metadata")
	return []route{
		get("/repos/{owner}/{repo}/rules/branches/{branch}", meta, "repos/rules#get-rules-for-a-branch", branchRules),
		get("/repos/{owner}/{repo}/rulesets", meta, "repos/rules#get-all-repository-rulesets", listRulesets),
		post("/repos/{owner}/{repo}/rulesets", admin, "repos/rules#create-a-repository-ruleset", createRuleset),
		get("/repos/{owner}/{repo}/rulesets/{ruleset_id}", meta, "repos/rules#get-a-repository-ruleset", getRuleset),
		put("/repos/{owner}/{repo}/rulesets/{ruleset_id}", admin, "repos/rules#update-a-repository-ruleset", putRuleset),
		remove("/repos/{owner}/{repo}/rulesets/{ruleset_id}", admin, "repos/rules#delete-a-repository-ruleset", deleteRuleset),
		get("/repos/{owner}/{repo}/branches/{branch}/protection", read("administration"), "branches/branch-protection#get-branch-protection", getProtection),
	}
}

func branchRules(c *call) answer {
	list := []obj{}
	ref := "refs/heads/" + c.vars["branch"]
	for _, s := range c.repo.rulesets {
		if !s.covers(c.repo, ref) {
			continue
		}
		for _, one := range s.Rules {
			j := obj{"type": one.Type, "ruleset_source_type": "Repository", "ruleset_source": c.repo.fullName(), "ruleset_id": s.ID}
			if one.Parameters != nil {
				j["parameters"] = one.Parameters
			}
			list = append(list, j)
		}
	}
	return c.page(list)
}

func (c *call) rulesetJSON(s *ruleset, whole bool) obj {
	url := fmt.Sprintf("%s/rulesets/%d", c.hub.repoURL(c.repo), s.ID)
	j := obj{
		"id": s.ID, "name": s.Name, "target": s.Target, "source_type": "Repository", "source": c.repo.fullName(),
		"enforcement": s.Enforcement, "node_id": nodeID("RRS", s.ID), "created_at": stamp(s.created), "updated_at": stamp(s.created),
		"_links": obj{"self": obj{"href": url}, "html": obj{"href": fmt.Sprintf("%s/rules/%d", c.hub.pageURL(c.repo), s.ID)}},
	}
	if whole {
		j["rules"], j["conditions"], j["current_user_can_bypass"] = s.Rules, s.Conditions, "never"
		if c.actor.may(c.repo, need{"administration", "write"}) {
			j["bypass_actors"] = s.Bypass // hidden from those who cannot change them
		}
	}
	return j
}

func listRulesets(c *call) answer {
	var list []obj
	for _, s := range c.repo.rulesets {
		list = append(list, c.rulesetJSON(s, false))
	}
	return c.page(list)
}

func getRuleset(c *call) answer {
	if s := c.ruleset(); s != nil {
		return ok(c.rulesetJSON(s, true))
	}
	return notFound()
}

// ruleTypes are the rules that are enforced here; others are refused, so that no test
// relies on a rule that does nothing.
var ruleTypes = []string{
	"creation", "update", "deletion", "non_fast_forward", "required_linear_history", "required_signatures", "pull_request",
	"required_status_checks", "commit_message_pattern", "commit_author_email_pattern", "branch_name_pattern",
	"file_path_restriction", "max_file_size", "file_extension_restriction", "max_file_path_length", "merge_queue", "workflows",
}

func createRuleset(c *call) answer {
	s, bad := c.readRuleset()
	if bad != nil {
		return *bad
	}
	s.ID, s.created = c.hub.state.id(), c.hub.now()
	c.repo.rulesets = append(c.repo.rulesets, s)
	return created(c.rulesetJSON(s, true))
}

func (c *call) readRuleset() (*ruleset, *answer) {
	s := &ruleset{Target: "branch", Rules: []Rule{}, Bypass: []bypass{}}
	s.Conditions.RefName.Include, s.Conditions.RefName.Exclude = []string{}, []string{}
	if bad := c.read(s); bad != nil {
		return nil, bad
	}
	for _, one := range s.Rules {
		if !slices.Contains(ruleTypes, one.Type) {
			a := unprocessable("Invalid rules: '" + one.Type + "'")
			return nil, &a
		}
	}
	if !slices.Contains([]string{"active", "disabled", "evaluate"}, s.Enforcement) || s.Name == "" {
		a := invalid(flaw{Resource: "RepositoryRuleset", Field: "enforcement", Code: "invalid"})
		return nil, &a
	}
	for _, other := range c.repo.rulesets {
		if other.Name == s.Name && other.ID != c.number("ruleset_id") {
			a := refuse(http.StatusUnprocessableEntity, "Validation Failed", flaw{Resource: "RepositoryRuleset", Code: "custom", Message: "Name must be unique"})
			return nil, &a
		}
	}
	return s, nil
}

func putRuleset(c *call) answer {
	was := c.ruleset()
	if was == nil {
		return notFound()
	}
	s, bad := c.readRuleset()
	if bad != nil {
		return *bad
	}
	s.ID, s.created = was.ID, was.created
	*was = *s
	return ok(c.rulesetJSON(was, true))
}

func deleteRuleset(c *call) answer {
	s := c.ruleset()
	if s == nil {
		return notFound()
	}
	c.repo.rulesets = slices.DeleteFunc(c.repo.rulesets, func(o *ruleset) bool { return o == s })
	return none()
}

func getProtection(c *call) answer {
	branch := c.vars["branch"]
	if _, there := c.repo.store.branch(branch); !there {
		return refuse(http.StatusNotFound, "Branch not found")
	}
	p := c.repo.protections[branch]
	if p == nil {
		return refuse(http.StatusNotFound, "Branch not protected")
	}
	url := c.hub.repoURL(c.repo) + "/branches/" + branch + "/protection"
	on := func(yes bool) obj { return obj{"enabled": yes} }
	j := obj{
		"url": url, "enforce_admins": obj{"url": url + "/enforce_admins", "enabled": p.Admins},
		"required_linear_history": on(p.Linear), "allow_force_pushes": on(p.Force), "allow_deletions": on(p.Delete),
		"required_signatures": obj{"url": url + "/required_signatures", "enabled": p.Signatures},
		"block_creations":     on(false), "required_conversation_resolution": on(false), "lock_branch": on(false), "allow_fork_syncing": on(false),
	}
	if len(p.Checks) > 0 {
		var checks []obj
		for _, name := range p.Checks {
			checks = append(checks, obj{"context": name, "app_id": nil})
		}
		j["required_status_checks"] = obj{
			"url": url + "/required_status_checks", "strict": p.Strict, "contexts": p.Checks,
			"contexts_url": url + "/required_status_checks/contexts", "checks": checks,
		}
	}
	if p.Pull || p.Reviews > 0 {
		j["required_pull_request_reviews"] = obj{
			"url": url + "/required_pull_request_reviews", "dismiss_stale_reviews": false, "require_code_owner_reviews": false,
			"require_last_push_approval": false, "required_approving_review_count": p.Reviews,
		}
	}
	return ok(j)
}
