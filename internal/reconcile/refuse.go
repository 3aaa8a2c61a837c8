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
	return s.otherwise(ctx, repo, branch, path, otherwise{
		file:    func(c drift.Change) (*tree.File, []drift.Choice) { return c.Refused() },
		nothing: fmt.Errorf("nothing that was suggested is applied in %s", path),
		since:   "the suggestions were applied in it",
	})
}

// NothingKeptError says that nothing in a file was kept because it is the member's.
type NothingKeptError struct{ Path string }

// Error names the file.
func (e *NothingKeptError) Error() string {
	return fmt.Sprintf("nothing in %s was kept because it is yours", e.Path)
}

// Give puts the golden path's text, this once, where a file was kept because files of its
// kind are the member's: repo is the member as it is, branch what was proposed to it. The
// file must still be as it was proposed. It is a [*NothingKeptError] where nothing was
// kept.
func (s *Syncer) Give(ctx context.Context, repo, branch Repository, path string) (*Resolution, error) {
	return s.otherwise(ctx, repo, branch, path, otherwise{
		file:    func(c drift.Change) (*tree.File, []drift.Choice) { return c.Given(), nil },
		nothing: &NothingKeptError{Path: path},
		since:   "yours was kept in it",
	})
}

// otherwise is what becomes of a file instead of what was proposed: nothing is the error
// where file is nil, and since tells what was done that may have changed since.
type otherwise struct {
	file    func(drift.Change) (*tree.File, []drift.Choice)
	nothing error
	since   string
}

func (s *Syncer) otherwise(ctx context.Context, repo, branch Repository, path string, o otherwise) (*Resolution, error) {
	proposed, err := Load(branch)
	if err != nil {
		return nil, err
	}
	st, err := Load(repo)
	if err != nil {
		return nil, err
	}
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
			file, choices := o.file(c)
			if file == nil {
				return nil, o.nothing
			}
			now, err := branch.Files([]string{path})
			if err != nil {
				return nil, err
			}
			if f, there := now[path]; !there || !f.Equal(*c.After) {
				return nil, fmt.Errorf("%s was changed since %s; edit it by hand", path, o.since)
			}
			return &Resolution{GoldenPath: name, Writes: map[string]*tree.File{path: file}, Choices: p.policies.Learned(choices)}, nil
		}
	}
	return nil, o.nothing
}
