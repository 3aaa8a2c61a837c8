package reconcile

import (
	"context"
	"fmt"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Refuse takes the suggestions back that a policy applied in a file: repo is the
// member as it is, branch what was proposed to it. The file must still be as it was
// proposed.
func (s *Syncer) Refuse(ctx context.Context, repo, branch Repository, path string) (*Resolution, error) {
	proposed, err := Load(branch)
	if err != nil {
		return nil, err
	}
	st, err := Load(repo)
	if err != nil {
		return nil, err
	}
	nothing := fmt.Errorf("nothing that was suggested is applied in %s", path)
	for name, section := range proposed.Lock.GoldenPaths {
		if _, has := section.Files[path]; !has {
			continue
		}
		p, err := s.Plan(ctx, repo, st, name, section.Commit)
		if err != nil {
			return nil, err
		}
		for _, c := range p.Changes {
			if c.Path != path {
				continue
			}
			if file, choices := c.Refused(); file != nil {
				return refused(branch, name, c, file, p.policies.Learned(choices))
			}
			return nil, nothing
		}
	}
	return nil, nothing
}

func refused(branch Repository, name string, c drift.Change, file *tree.File, choices []drift.Choice) (*Resolution, error) {
	now, err := branch.Files([]string{c.Path})
	if err != nil {
		return nil, err
	}
	if f, there := now[c.Path]; !there || !f.Equal(*c.After) {
		return nil, fmt.Errorf("%s was changed since the suggestions were applied in it; edit it by hand", c.Path)
	}
	return &Resolution{GoldenPath: name, Writes: map[string]*tree.File{c.Path: file}, Choices: choices}, nil
}
