package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// Memory tells how conflicts were resolved before, in other members of the same
// organisation.
type Memory interface {
	// Recall returns the ways in which the conflict with a key (merge.Key) was
	// resolved, and by how many members.
	Recall(ctx context.Context, key string) ([]merge.Resolution, error)
}

// policies returns what decides where changes meet. What is said later decides over
// what is said earlier: the golden path for all of its files, the golden path for one
// file, the member, whoever runs the Syncer.
func (s *Syncer) policies(ctx context.Context, st *State, rules scaffold.MergeRules, locked *drift.Section, theirs scaffold.Rendering) (drift.Policies, *recall) {
	p := drift.Policies{Of: func(path string) policy.Policy {
		return s.Policy.Over(st.Member.Merge.Over(manifestSays(rules, locked, theirs, path)))
	}}
	memory := &recall{ctx: ctx, memory: s.Memory}
	if s.Memory != nil {
		p.Memory = memory
	}
	return p, memory
}

// Policy returns how changes that meet in a file are decided, with nothing left open.
func (p *Planned) Policy(path string) policy.Policy { return p.policies.For(path) }

func manifestSays(rules scaffold.MergeRules, locked *drift.Section, theirs scaffold.Rendering, path string) policy.Policy {
	f, rendered := theirs[path]
	switch {
	case rendered && f.Merge != nil:
		return *f.Merge
	case rendered:
		return policy.Policy{}
	}
	origin := locked.Files[path].Origin
	if origin == "" {
		origin = path
	}
	return rules.Of(origin)
}

// maxRecalled bounds how many conflicts of one plan are looked up.
const maxRecalled = 500

// recall asks the memory for one plan, and each thing once.
type recall struct {
	ctx    context.Context //nolint:containedctx // package merge is pure and has none, and a recall lives as long as one plan
	memory Memory
	known  map[string][]merge.Resolution
	failed error // a plan without what is remembered would be another one
}

// Recall implements merge.Memory.
func (r *recall) Recall(key string) []merge.Resolution {
	if found, ok := r.known[key]; ok {
		return found
	}
	if len(r.known) == maxRecalled || r.failed != nil {
		return nil
	}
	found, err := r.memory.Recall(r.ctx, key)
	if err != nil {
		r.failed = errors.Join(r.failed, fmt.Errorf("how other members resolved a conflict: %w", err))
		return nil
	}
	if r.known == nil {
		r.known = map[string][]merge.Resolution{}
	}
	r.known[key] = found
	return found
}

// Chosen tells what people wrote in the places that a proposal left open: repo is the
// member as it was proposed, merged as people merged it.
func (s *Syncer) Chosen(ctx context.Context, repo, merged Repository, name string) ([]drift.Choice, error) {
	st, err := Load(repo)
	if err != nil {
		return nil, err
	}
	section := st.Lock.GoldenPaths[name]
	if section == nil {
		return nil, nil
	}
	var open []string
	for path, f := range section.Files {
		if f.Open {
			open = append(open, path)
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	p, err := s.Plan(ctx, repo, st, name, section.Commit)
	if err != nil {
		return nil, err
	}
	after, err := Load(merged)
	if err != nil {
		return nil, err
	}
	files, err := merged.Files(open)
	if err != nil {
		return nil, err
	}
	decided := after.Lock.GoldenPaths[name]
	if decided == nil {
		decided = &drift.Section{}
	}
	var all []drift.Choice
	for _, c := range p.Changes {
		if f, there := files[c.Path]; there && f.Kind.IsFile() {
			all = append(all, c.Chosen(f.Data, decided)...)
		}
	}
	return p.policies.Learned(all), nil
}
