package localhub

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// updateRefs moves several references or none: each is where beforeOid says (no
// beforeOid: wherever it is; zeros: nowhere), and moves forward unless forced.
func (x *execution) updateRefs(args map[string]any) (any, error) {
	input, _ := args["input"].(map[string]any)
	id, _ := input["repositoryId"].(string)
	found, err := x.node(id)
	if err != nil {
		return nil, err
	}
	r := found.r
	if !x.c.actor.may(r, need{"contents", "write"}) {
		return nil, &graphError{Type: "FORBIDDEN", Message: "Resource not accessible by integration"}
	}
	if r.archived {
		return nil, &graphError{Type: "FORBIDDEN", Message: "Repository was archived so is read-only."}
	}
	updates, _ := input["refUpdates"].([]any)
	var moves []refMove
	for _, u := range updates {
		one, _ := u.(map[string]any)
		m, err := x.refUpdate(r, one)
		if err != nil {
			return nil, err
		}
		moves = append(moves, m)
	}
	for _, m := range moves {
		if bad, err := x.c.hub.moveRef(r, m, false); err != nil || bad != nil {
			return nil, fmt.Errorf("update of %s failed after it was checked", m.name)
		}
	}
	return payloadNode{input["clientMutationId"]}, nil
}

// refUpdate checks one update.
func (x *execution) refUpdate(r *repository, in map[string]any) (refMove, error) {
	refused := func(message string) (refMove, error) {
		return refMove{}, &graphError{Type: "UNPROCESSABLE", Message: message}
	}
	name, _ := in["name"].(string)
	after, _ := in["afterOid"].(string)
	before, hasBefore := in["beforeOid"].(string)
	force, _ := in["force"].(bool)
	g := r.store
	if !g.validRef(name) || strings.HasPrefix(name, "refs/pull/") {
		return refused("'" + name + "' is not a valid ref name.")
	}
	now, _ := g.ref(name)
	m := refMove{name: name, from: now, to: plumbing.NewHash(after), by: x.c.actor}
	switch {
	case !plumbing.IsHash(after) || hasBefore && !plumbing.IsHash(before):
		return refused("afterOid and beforeOid must be 40 hexadecimal digits.")
	case hasBefore && plumbing.NewHash(before) != now:
		return refused(fmt.Sprintf("The ref %s is at %s but expected %s.", name, now, before))
	case m.to.IsZero() && now.IsZero():
		return refused("The ref " + name + " does not exist.")
	case !m.to.IsZero() && !g.has(m.to):
		return refused("Object does not exist")
	case m.to.IsZero() && name == "refs/heads/"+r.defaultBranch:
		return refused("Cannot delete the default branch")
	case now.IsZero() && g.blocked(name):
		return refused("Reference update failed")
	}
	forward, err := g.forward(m)
	if err != nil {
		return m, err
	}
	if m.forced = !forward; m.forced && !force {
		return refused("Update is not a fast forward")
	}
	bad, err := x.c.hub.breaches(r, m, false)
	if err != nil {
		return m, err
	}
	if bad != nil {
		if bad.workflow != "" {
			return m, &graphError{Type: "FORBIDDEN", Message: "Resource not accessible by integration"}
		}
		return refused("Repository rule violations found\n\n" + strings.Join(bad.rules, "\n\n") + "\n\n")
	}
	return m, nil
}
