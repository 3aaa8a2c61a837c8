package reconcile

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// TestWhoDecidesOverWhom has a policy in every place where one can be.
func TestWhoDecidesOverWhom(t *testing.T) {
	const layer = `{apiVersion: syncer/v1, kind: GoldenPath, name: layer, merge: {resolve: off, onDelete: keep, onDeleted: restore}, files: [{glob: low, merge: {suggested: apply}}]}`
	const outer = `{apiVersion: syncer/v1, kind: GoldenPath, name: p, includes: [layer], merge: {onDelete: follow, off: [words]}, files: [{glob: "top*", merge: {off: [layout], care: tool, command: make}}]}`
	p := forcePushed{tree.Tree{
		"goldenpaths/layer/goldenpath.yaml": tree.Text(layer), "goldenpaths/layer/template/low": tree.Text("low\n"),
		"goldenpaths/p/goldenpath.yaml": tree.Text(outer), "goldenpaths/p/template/top": tree.Text("top\n"), "goldenpaths/p/template/plain": tree.Text("plain\n"),
	}}
	s := &Syncer{
		Open:   func(context.Context, string) (Platform, error) { return p, nil },
		Split:  func(source string) (string, string, error) { return source, "", nil },
		Policy: policy.Policy{Off: []string{"removed"}, OnDeleted: policy.Conflict},
	}
	st := &State{
		Member: &drift.Member{Source: "here", GoldenPaths: []drift.Follow{{Name: "p"}}, Merge: policy.Policy{Resolve: policy.On, On: []string{"words", "removed"}, OnDeleted: policy.Stay}},
		Lock: &drift.Lock{GoldenPaths: map[string]*drift.Section{"p": {Files: map[string]drift.LockedFile{
			"topmost": {Mode: scaffold.Merge, Kind: tree.Regular}, "renamed": {Mode: scaffold.Merge, Kind: tree.Regular, Origin: "low"},
		}}}},
	}
	plan, err := s.Plan(t.Context(), silent{}, st, "p", "")
	if err != nil {
		t.Fatal(err)
	}
	want := func(change func(*policy.Policy)) policy.Policy {
		w := policy.Policy{Resolve: policy.On, Suggested: policy.Propose, Care: policy.Join, Off: []string{"removed"}, On: []string{"words"}, OnDelete: policy.Follow, OnDeleted: policy.Conflict}
		change(&w)
		return w
	}
	tool := func(p *policy.Policy) { p.Care, p.Command, p.Off = policy.Tool, "make", []string{"layout", "removed"} }
	apply := func(p *policy.Policy) { p.Suggested = policy.Apply }
	for path, w := range map[string]policy.Policy{
		"plain": want(func(*policy.Policy) {}),
		"low":   want(apply), "top": want(tool),
		// Files that are not rendered any more go by their source.
		"topmost": want(tool), "renamed": want(apply),
	} {
		if diff := cmp.Diff(w, plan.Policy(path)); diff != "" {
			t.Errorf("%s: mismatch (-want +got):\n%s", path, diff)
		}
	}
}

// unanimous is a memory in which three members took the golden path's, or one that
// does not answer.
type unanimous struct {
	err   error
	asked *[]string
}

func (m unanimous) Recall(_ context.Context, key string) ([]merge.Resolution, error) {
	*m.asked = append(*m.asked, key)
	return []merge.Resolution{{Take: merge.TakeTheirs, Count: 3}}, m.err
}

// TestMemoryIsAsked once for each conflict; a plan without its answer is not made.
func TestMemoryIsAsked(t *testing.T) {
	const base, ours, theirs = "it is red today\n", "it is green today\n", "it is blue today\n"
	old := tree.Text(base)
	p := forcePushed{tree.Tree{
		"goldenpaths/p/goldenpath.yaml": tree.Text("{apiVersion: syncer/v1, kind: GoldenPath, name: p}\n"),
		"goldenpaths/p/template/f":      tree.Text(theirs), "goldenpaths/p/template/g": tree.Text(theirs),
	}}
	var asked []string
	s := &Syncer{
		Open:   func(context.Context, string) (Platform, error) { return p, nil },
		Split:  func(source string) (string, string, error) { return source, "", nil },
		Memory: unanimous{asked: &asked},
	}
	locked := map[string]drift.LockedFile{}
	for _, path := range []string{"f", "g"} {
		locked[path] = drift.LockedFile{Mode: scaffold.Merge, Kind: old.Kind, Blob: old.Blob()}
	}
	st := &State{
		Member: &drift.Member{Source: "here", GoldenPaths: []drift.Follow{{Name: "p"}}, Merge: policy.Policy{Resolve: policy.On}},
		Lock:   &drift.Lock{GoldenPaths: map[string]*drift.Section{"p": {Revision: drift.Revision{Source: "here", Commit: "old"}, Files: locked}}},
	}
	repo := holds{silent{files: tree.Tree{"f": tree.Text(ours), "g": tree.Text(ours)}}, []byte(base)}
	plan, err := s.Plan(t.Context(), repo, st, "p", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range plan.Changes {
		if !c.Suggests() || !strings.Contains(c.Clashes[0].Reason, "3 of 3 repositories") {
			t.Errorf("%s: %+v", c.Path, c)
		}
	}
	if diff := cmp.Diff([]string{merge.Key([]byte(base), []byte(ours), []byte(theirs))}, asked); diff != "" {
		t.Errorf("asked: mismatch (-want +got):\n%s", diff)
	}
	down := errors.New("down")
	s.Memory = unanimous{down, &asked}
	if _, err := s.Plan(t.Context(), repo, st, "p", ""); !errors.Is(err, down) {
		t.Errorf("the plan is made without the memory: %v", err)
	}
	// Another memory, with the same golden paths.
	s.Open = func(context.Context, string) (Platform, error) { return nil, errors.New("the source is opened again") }
	if plan, err := s.With(nil).Plan(t.Context(), repo, st, "p", ""); err != nil || plan.Changes[0].Suggests() {
		t.Errorf("without a memory: %v", err)
	}
	// Where it is off it is not asked.
	st.Member.Merge.Off = []string{"memory"}
	if _, err := s.Plan(t.Context(), repo, st, "p", ""); err != nil {
		t.Errorf("the memory is asked though it is off: %v", err)
	}
}

// holds is a repository whose history has one text.
type holds struct {
	silent
	text []byte
}

func (r holds) Blob(tree.BlobID) ([]byte, bool, error) { return r.text, true, nil }

func (r holds) Stored(files tree.Tree, _ map[string]*tree.File) (tree.Tree, error) { return files, nil }
