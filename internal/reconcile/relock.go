package reconcile

import (
	"context"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// relock makes the section of a lock that was lost: the repository follows the
// golden path by its own file, which stays as it is, and the version that fits best
// becomes the base.
func relock(ctx context.Context, repo Repository, st *State, newest *GoldenPath, follow drift.Follow, facts scaffold.Facts) (*Adopted, error) {
	_, wrong := newest.Resolve(st.inputsOf(follow.Name), newest.Infer(follow.Inputs, facts))
	// The file may name inputs as an older version does, which only that one takes.
	a := adoption{repo: repo, newest: newest, inputs: follow.Inputs, older: wrong != nil, facts: facts, owned: st.owned(follow.Name)}
	best, err := a.bestMatch(ctx)
	if err != nil && wrong != nil {
		err = wrong
	}
	if err != nil {
		return nil, err
	}
	adopted, err := best.write(&State{Lock: st.Lock}, newest.revision.Source, follow.Name, nil)
	if err != nil {
		return nil, err
	}
	delete(adopted.Files, drift.MemberName)
	return adopted, nil
}
