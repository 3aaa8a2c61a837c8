package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

func (a *app) adoptCommand() *cobra.Command {
	var f inputFlags
	cmd := &cobra.Command{
		Use: "adopt NAME [DIR]", Short: "Make an existing repository follow a golden path",
		Long: `Make the repository in DIR follow the golden path NAME. Inputs are inferred from the
repository where the golden path says how. The version that fits the repository
best becomes the base, so that your text counts as your edits. Only
.goldenpath.yaml and .goldenpath.lock are written; syncer diff then shows what
the first sync would do.

A repository that follows NAME and has lost its .goldenpath.lock gets a new one in
the same way, from what .goldenpath.yaml says.`,
		Example: "  syncer adopt go-service --set team=payments-team",
		Args:    between(1, 2, "NAME and at most one DIR"), ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error { return a.adopt(cmd, &f, args[0], args[1:]) },
	}
	f.add(cmd)
	return cmd
}

// adoptable loads the golden path to adopt. Where the repository follows it already,
// its own file says from where.
func (a *app) adoptable(cmd *cobra.Command, m member, source, name string) (*reconcile.GoldenPath, *reconcile.Syncer, error) {
	st, err := reconcile.Load(m)
	if err == nil {
		if follow, ok := st.Member.Follows(name); ok {
			s := a.syncer(m.Root())
			g, err := s.GoldenPath(cmd.Context(), follow.Source, name, follow.Wanted(s.Today))
			return g, s, err
		}
	}
	return a.golden(cmd, m.Root(), source, name)
}

func (a *app) adopt(cmd *cobra.Command, f *inputFlags, name string, dir []string) error {
	m, unlock, err := a.lockedMember(dir)
	if err != nil {
		return err
	}
	defer unlock()
	g, s, err := a.adoptable(cmd, m, f.source, name)
	if err != nil {
		return err
	}
	given, err := f.given(a, g.GoldenPath)
	if err != nil {
		return err
	}
	owner, repository := m.Repository()
	facts := scaffold.Facts{"name": repository}
	if owner != "" {
		facts["owner"] = owner
	}
	adopted, err := s.Adopt(cmd.Context(), m, g, given, facts)
	if err != nil {
		return err
	}
	if err := m.Apply(cmd.Context(), adopted.Files); err != nil {
		return err
	}
	if a.json {
		return a.report(map[string]any{"goldenPath": name, "version": adopted.Revision.Version, "same": adopted.Same, "different": adopted.Different, "missing": adopted.Missing, "owned": adopted.Owned})
	}
	fmt.Fprintf(a.out, "adopted %s %s, which fits best: %d files the same, %d edited, %d missing\n", name, adopted.Revision.Name(), adopted.Same, adopted.Different, adopted.Missing)
	for _, path := range slices.Sorted(maps.Keys(adopted.Owned)) {
		fmt.Fprintf(a.out, "  not taken %s (the golden path %s has this file here)\n", path, adopted.Owned[path])
	}
	fmt.Fprintln(a.out, "next: syncer diff shows what the first sync would do; commit .goldenpath.yaml and .goldenpath.lock")
	return nil
}
