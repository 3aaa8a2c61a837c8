package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"path"

	"github.com/goldenpaths/syncer/internal/attributes"
	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// stored returns a rendering as the repository stores it. A golden path's text with
// CRLF, in a repository that stores LF, would otherwise count as edited for ever.
func stored(repo Repository, r scaffold.Rendering, changes map[string]*tree.File) (scaffold.Rendering, error) {
	files := tree.Tree{}
	for p, f := range r {
		if attributes.Storable(f.File) {
			files[p] = f.File
		}
	}
	if len(files) == 0 {
		return r, nil
	}
	files, err := repo.Stored(files, changes)
	if err != nil {
		return nil, fmt.Errorf("how the repository stores what is rendered: %w", err)
	}
	out := maps.Clone(r)
	for p, f := range files {
		if !f.Equal(r[p].File) {
			out[p] = r[p].With(f)
		}
	}
	return out, nil
}

// planStored plans for a rendering as the repository stores it. Where the plan itself
// changes the attributes that decide about that, it is made once more with those.
func planStored(repo Repository, r drift.Request) (drift.ChangeSet, scaffold.Rendering, error) {
	rendered := r.Theirs
	var err error
	if r.Theirs, err = stored(repo, rendered, nil); err != nil {
		return drift.ChangeSet{}, nil, err
	}
	cs := drift.Plan(r)
	changes := attributesIn(cs.Writes())
	if len(changes) == 0 {
		return cs, r.Theirs, nil
	}
	before := r.Theirs
	if r.Theirs, err = stored(repo, rendered, changes); err != nil {
		return cs, nil, err
	}
	if maps.EqualFunc(before, r.Theirs, func(x, y scaffold.Rendered) bool { return x.File.Equal(y.File) }) {
		return cs, r.Theirs, nil
	}
	ours := r.Ours
	if r.Ours, err = storedEdits(repo, r, changes); err != nil {
		return cs, nil, err
	}
	cs = drift.Plan(r)
	tellOfStoring(cs.Changes, ours)
	return cs, r.Theirs, nil
}

// storedEdits returns the member's files with those that it edited as the repository will
// store them: side by side with a rendering that is stored otherwise, all lines of a
// file would count as edited. What the member keeps is left alone. A file that is as the lock has it needs no help.
func storedEdits(repo Repository, r drift.Request, changes map[string]*tree.File) (tree.Tree, error) {
	edited := tree.Tree{}
	for p, f := range r.Ours {
		if f.Kind.IsFile() && attributes.Storable(f) && f.Blob() != r.Locked.Files[p].Blob && !r.Holds(p) {
			edited[p] = f
		}
	}
	if len(edited) == 0 {
		return r.Ours, nil
	}
	edited, err := repo.Stored(edited, changes)
	if err != nil {
		return nil, fmt.Errorf("how the repository stores its files: %w", err)
	}
	ours := maps.Clone(r.Ours)
	maps.Copy(ours, edited)
	return ours, nil
}

// tellOfStoring makes changes those of the files that the member has. One that is only
// stored otherwise is written so, as git would; but not one that is none of the golden
// path's to change.
func tellOfStoring(changes []drift.Change, ours tree.Tree) {
	for i, c := range changes {
		had, there := ours[cmp.Or(c.From, c.Path)]
		if c.Before == nil || !there || c.Before.Equal(had) {
			continue
		}
		untouched := c.After != nil && c.After.Equal(*c.Before)
		c.Before = &had
		switch {
		case !untouched:
		case c.Mode != scaffold.Once && (c.Action == drift.Same || c.Action == drift.Yours):
			c.Action = drift.Update
			c.Reason += "; stored with other line ends, as " + attributes.Name + " says now"
		default:
			c.After = &had
		}
		changes[i] = c
	}
}

// attributesIn returns those of the changes that are about attributes.
func attributesIn(changes map[string]*tree.File) map[string]*tree.File {
	of := maps.Clone(changes)
	maps.DeleteFunc(of, func(p string, _ *tree.File) bool { return path.Base(p) != attributes.Name })
	return of
}

// unborn is a repository that is about to be made of a rendering.
type unborn struct{ scaffold.Rendering }

// Files returns nothing: there is none yet.
func (u unborn) Files([]string) (tree.Tree, error) { return tree.Tree{}, nil }

// Blob returns nothing.
func (u unborn) Blob(tree.BlobID) ([]byte, bool, error) { return nil, false, nil }

// Stored goes by the attributes that are rendered.
func (u unborn) Stored(files tree.Tree, _ map[string]*tree.File) (tree.Tree, error) {
	c := attributes.Converter{Text: func(p string) ([]byte, error) {
		if f := u.Rendering[p].File; f.Kind.IsFile() && !f.Kind.IsLink() {
			return f.Data, nil
		}
		return nil, nil
	}}
	return c.StoredAll(files)
}
