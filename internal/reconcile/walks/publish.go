package walks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// readmeName is the file of a template repository that people read.
const readmeName = "README.md"

// Publication is a golden path and the template repository that offers it.
type Publication struct {
	GoldenPath  string
	Version     string
	Repository  string // owner/name
	Description string
	Exists      bool
	Files       []string // that differ there; none: it is as it shall be
	Problem     string   // why it cannot be published; "": it can

	golden *reconcile.GoldenPath
}

// Due reports whether there is something to do.
func (p Publication) Due() bool { return p.Problem == "" && (!p.Exists || len(p.Files) > 0) }

// Publish makes each golden path that is no layer of another a template repository,
// called prefix and its name, so that GitHub's own button offers it. The repository
// holds .goldenpath.yaml, a README, and a lock that says so: what is made from it
// begins as if its README had been rendered for nobody.
func (w *Walks) Publish(ctx context.Context, prefix string) error {
	list, files, err := w.published(ctx, prefix, nil)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range list {
		if p.golden != nil { // one that cannot be read Changed tells
			errs = append(errs, w.publish(ctx, p, files))
		}
	}
	return errors.Join(errs...)
}

// Publications says what publishing would do to the template repositories of the
// golden paths with these names, or of all. With push it does it, and says what it
// did; one that cannot be done is no reason not to do the others.
func (w *Walks) Publications(ctx context.Context, prefix string, names []string, push bool) ([]Publication, error) {
	list, files, err := w.published(ctx, prefix, names)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i := range list {
		p := &list[i]
		if p.Problem == "" {
			err = w.compare(ctx, p, files)
		}
		if err == nil && push && p.Due() {
			err = w.publish(ctx, *p, files)
		}
		if err != nil {
			p.Problem = err.Error()
			errs = append(errs, fmt.Errorf("%s: %w", p.GoldenPath, err))
		}
		err = nil
	}
	return list, errors.Join(errs...)
}

// published lists the golden paths that have a template repository, and returns the
// platform's files.
func (w *Walks) published(ctx context.Context, prefix string, names []string) ([]Publication, tree.Tree, error) {
	src, err := w.Platforms.Latest(ctx, w.Platform, w.PlatformURL)
	if err != nil {
		return nil, nil, err
	}
	_, commit, err := src.Resolve("", "")
	if err != nil {
		return nil, nil, err
	}
	files, err := src.Tree(ctx, commit)
	if err != nil {
		return nil, nil, err
	}
	all, layers, err := w.readable(ctx, scaffold.Names(files))
	if err != nil {
		return nil, nil, err
	}
	if len(names) > 0 {
		if all, err = named(all, layers, names); err != nil {
			return nil, nil, err
		}
	}
	look, err := w.Hub.Client(w.Platform, toRead, false).Look(ctx, Ask{})
	if err != nil {
		return nil, nil, err
	}
	list := slices.DeleteFunc(all, func(p Publication) bool { return layers[p.GoldenPath] != "" })
	for i := range list {
		list[i].Repository = look.Repository.Owner + "/" + prefix + list[i].GoldenPath
	}
	return list, files, nil
}

// readable reads golden paths. Those that others are made of are layers: each with
// the name of one that includes it.
func (w *Walks) readable(ctx context.Context, names []string) (all []Publication, layers map[string]string, err error) {
	s := w.syncer(w.Platform)
	layers = map[string]string{}
	for _, name := range names {
		g, err := s.GoldenPath(ctx, w.PlatformURL, name, "")
		if _, wrong := errors.AsType[scaffold.Problems](err); wrong {
			all = append(all, Publication{GoldenPath: name, Problem: err.Error()})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		all = append(all, Publication{GoldenPath: name, Version: g.Version(), Description: g.Manifest.Description, golden: g})
		for _, layer := range g.Manifest.Includes {
			layers[layer] = name
		}
	}
	return all, layers, nil
}

// named picks golden paths by their names.
func named(all []Publication, layers map[string]string, names []string) ([]Publication, error) {
	var list []Publication
	for _, name := range names {
		i := slices.IndexFunc(all, func(p Publication) bool { return p.GoldenPath == name })
		if by := layers[name]; by != "" {
			return nil, fmt.Errorf("%s is a layer of %s, and layers are not published; publish %s", name, by, by)
		}
		if i < 0 {
			var there []string
			for _, p := range all {
				there = append(there, p.GoldenPath)
			}
			return nil, fmt.Errorf("the platform repository has no golden path %q; it has %s", name, strings.Join(there, ", "))
		}
		if !slices.ContainsFunc(list, func(p Publication) bool { return p.GoldenPath == name }) {
			list = append(list, all[i])
		}
	}
	return list, nil
}

// compare looks at a template repository without changing it.
func (w *Walks) compare(ctx context.Context, p *Publication, files tree.Tree) error {
	want, err := templateFiles(p.golden, w.PlatformURL, files)
	if err != nil {
		return err
	}
	look, err := w.lookAtTemplate(ctx, p.Repository)
	p.Exists = !errors.Is(err, ErrNotFound)
	if err != nil && !errors.Is(err, ErrNotReady) && p.Exists {
		return err
	}
	if p.Exists && !look.Repository.IsTemplate {
		p.Problem = "the repository exists and is no template repository; mark it as one in its settings, or set another template-prefix"
		return nil
	}
	p.Files = slices.Sorted(maps.Keys(missing(want, look.Files)))
	return nil
}

func (w *Walks) lookAtTemplate(ctx context.Context, fullName string) (Look, error) {
	at, err := w.Hub.Find(ctx, w.Platform, fullName)
	if err != nil {
		return Look{}, err
	}
	return w.Hub.Client(at, toRead, false).Look(ctx, Ask{Contents: append([]string{readmeName}, ownFiles...)})
}

func (w *Walks) publish(ctx context.Context, p Publication, files tree.Tree) error {
	g := p.golden
	_, name, _ := strings.Cut(p.Repository, "/")
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
	err = c.Move(ctx, Move{Branch: look.Repository.DefaultBranch, From: look.Head.Commit, To: made.ID, FastForward: true})
	if errors.Is(err, ErrRefused) || errors.Is(err, ErrDenied) {
		return &PersonError{err}
	}
	return err
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
