package walks

import (
	"context"
	"errors"
	"fmt"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// readmeName is the file of a template repository that people read.
const readmeName = "README.md"

// Publish makes each golden path that is no layer of another a template repository, called prefix and its name,
// so that GitHub's own button offers it. The repository holds .goldenpath.yaml,
// a README, and a lock that says so: what is made from it begins as if its README
// had been rendered for nobody.
func (w *Walks) Publish(ctx context.Context, prefix string) error {
	src, err := w.Platforms.Latest(ctx, w.Platform, w.PlatformURL)
	if err != nil {
		return err
	}
	_, commit, err := src.Resolve("", "")
	if err != nil {
		return err
	}
	files, err := src.Tree(ctx, commit)
	if err != nil {
		return err
	}
	s := w.syncer(w.Platform)
	var errs []error
	var all []*reconcile.GoldenPath
	layers := map[string]bool{} // golden paths that others are made of
	for _, name := range scaffold.Names(files) {
		g, err := s.GoldenPath(ctx, w.PlatformURL, name, "")
		if _, wrong := errors.AsType[scaffold.Problems](err); wrong {
			continue // Changed tells it; the template stays as it is
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, g)
		for _, layer := range g.Manifest.Includes {
			layers[layer] = true
		}
	}
	for _, g := range all {
		if name := g.Manifest.Name; !layers[name] {
			errs = append(errs, w.publish(ctx, g, prefix+name, files))
		}
	}
	return errors.Join(errs...)
}

func (w *Walks) publish(ctx context.Context, g *reconcile.GoldenPath, name string, files tree.Tree) error {
	at, err := w.Hub.EnsureTemplate(ctx, w.Platform, name, g.Manifest.Description)
	if err != nil {
		return err
	}
	c := w.Hub.Client(at, toWrite, false)
	paths := append([]string{readmeName}, ownFiles...)
	look, err := c.Look(ctx, Ask{Contents: paths})
	if errors.Is(err, ErrNotReady) {
		return &LaterError{err, contentEvery}
	}
	if err != nil {
		return err
	}
	want, err := templateFiles(g, w.PlatformURL, files)
	if err != nil {
		return err
	}
	changes := missing(want, look.Files)
	if len(changes) == 0 {
		return nil
	}
	made, err := c.Commit(ctx, Commit{Parent: look.Head.Commit, Tree: look.Head.Tree, Changes: changes, Message: fmt.Sprintf("Publish %s %s\n", g.Manifest.Name, g.Version())})
	if err != nil {
		return err
	}
	return c.Move(ctx, Move{Branch: look.Repository.DefaultBranch, From: look.Head.Commit, To: made.ID, FastForward: true})
}

// templateFiles are the files of a template repository.
func templateFiles(g *reconcile.GoldenPath, source string, files tree.Tree) (tree.Tree, error) {
	name := g.Manifest.Name
	readme, ok := files[scaffold.Root+"/"+name+"/"+readmeName]
	if !ok {
		readme = tree.Text("# " + g.Manifest.Title + "\n\n" + g.Manifest.Description + "\n")
	}
	member, err := drift.FormatMember(&drift.Member{Source: source, GoldenPaths: []drift.Follow{{Name: name}}})
	if err != nil {
		return nil, err
	}
	section := &drift.Section{
		Revision: drift.Revision{Source: source, Digest: "sha256:published", Engine: scaffold.Engine, Inputs: scaffold.Inputs{}},
		Files:    map[string]drift.LockedFile{readmeName: {Mode: scaffold.Merge, Kind: readme.Kind, Blob: readme.Blob()}},
	}
	lock, err := (&drift.Lock{GoldenPaths: map[string]*drift.Section{name: section}}).Format()
	if err != nil {
		return nil, err
	}
	return tree.Tree{readmeName: readme, drift.MemberName: {Kind: tree.Regular, Data: member}, drift.LockName: {Kind: tree.Regular, Data: lock}}, nil
}
