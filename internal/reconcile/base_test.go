package reconcile

import (
	"context"
	"errors"
	"testing"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// forcePushed is a platform whose history is gone but for its last commit.
type forcePushed struct{ now tree.Tree }

func (forcePushed) Resolve(string, string) (version, commit string, err error) { return "", "new", nil }

func (p forcePushed) Tree(_ context.Context, commit string) (tree.Tree, error) {
	if commit != "new" {
		return nil, errors.New("there is no commit " + commit)
	}
	return p.now, nil
}

// silent is a repository whose objects are not to be had.
type silent struct {
	files tree.Tree
	err   error
}

func (r silent) Files(paths []string) (tree.Tree, error) {
	found := tree.Tree{}
	for _, p := range paths {
		if f, ok := r.files[p]; ok {
			found[p] = f
		}
	}
	return found, nil
}

func (r silent) Blob(tree.BlobID) ([]byte, bool, error) { return nil, false, r.err }

func (r silent) Stored(files tree.Tree, _ map[string]*tree.File) (tree.Tree, error) {
	return files, nil
}

// TestABaseThatIsNotRead: what a merge begins with is only in the repository's
// history, which does not answer. Going on without it would show people conflicts
// that are none.
func TestABaseThatIsNotRead(t *testing.T) {
	down := errors.New("down")
	p := forcePushed{tree.Tree{
		"goldenpaths/p/goldenpath.yaml": tree.Text("apiVersion: syncer/v1\nkind: GoldenPath\nname: p\n"),
		"goldenpaths/p/template/f":      tree.Text("a\nb\nc\nd\nnew\n"),
	}}
	s := &Syncer{
		Open:  func(context.Context, string) (Platform, error) { return p, nil },
		Split: func(source string) (string, string, error) { return source, "", nil },
	}
	old := tree.Text("a\nb\nc\nd\ne\n")
	st := &State{
		Member: &drift.Member{Source: "here", GoldenPaths: []drift.Follow{{Name: "p"}}},
		Lock: &drift.Lock{GoldenPaths: map[string]*drift.Section{"p": {
			Revision: drift.Revision{Source: "here", Commit: "old", Digest: "sha256:old"},
			Files:    map[string]drift.LockedFile{"f": {Mode: scaffold.Merge, Kind: old.Kind, Blob: old.Blob()}},
		}}},
	}
	repo := silent{files: tree.Tree{"f": tree.Text("ours\nb\nc\nd\ne\n")}, err: down}
	if _, err := s.Plan(t.Context(), repo, st, "p", ""); !errors.Is(err, down) {
		t.Errorf("the plan is made without its base: %v", err)
	}
	repo.err = nil // it answers, and there is no such object
	if _, err := s.Plan(t.Context(), repo, st, "p", ""); err != nil {
		t.Errorf("a base that is gone for good: %v", err)
	}
}
