package reconcile

import (
	"slices"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// Offer is a version of a golden path that is rendered elsewhere: one that nobody has
// looked at yet is not loaded here.
type Offer struct {
	Version, Digest string
	Migrations      []scaffold.Migration
	Merge           scaffold.MergeRules
	Inputs, Secrets []string // the names that it declares, and those of them that are secret
	// Render renders for a repository, and returns the inputs that may be shown; at is
	// where the inputs stand.
	Render func(at scaffold.Place, inputs scaffold.Inputs, repository string) (scaffold.Rendering, scaffold.Inputs, error)
}

// candidate is the version that a plan brings.
type candidate struct {
	name       string
	revision   drift.Revision
	migrations []scaffold.Migration
	merge      scaffold.MergeRules
	declares   func(input string) bool
	secret     func(input string) bool
	source     *source
	render     func(at scaffold.Place, given scaffold.Inputs, repository string) (scaffold.Rendering, drift.Revision, error)
	loaded     *GoldenPath // nil: it is rendered elsewhere
}

func loaded(g *GoldenPath) candidate {
	return candidate{g.Manifest.Name, g.revision, g.Manifest.Migrations, g.MergeRules(), g.declares, g.IsSecret, g.source, g.render, g}
}

func offered(o Offer, src *source, from, name, commit string) candidate {
	revision := drift.Revision{Source: from, Version: o.Version, Commit: commit, Digest: o.Digest, Engine: scaffold.Engine}
	render := func(at scaffold.Place, given scaffold.Inputs, repository string) (scaffold.Rendering, drift.Revision, error) {
		to := revision
		files, public, err := o.Render(at, given, repository)
		to.Inputs, to.Repository = public, repository
		return files, to, err
	}
	declares := func(input string) bool { return slices.Contains(o.Inputs, input) }
	secret := func(input string) bool { return slices.Contains(o.Secrets, input) }
	return candidate{name: name, revision: revision, migrations: o.Migrations, merge: o.Merge, declares: declares, secret: secret, source: src, render: render}
}
