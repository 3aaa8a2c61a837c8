package main

import (
	"errors"
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

Without --source, NAME is looked for in the sources of the golden paths that the
repository follows, and then among those in this program.

A repository that follows NAME and has lost its .goldenpath.lock gets a new one in
the same way, from what .goldenpath.yaml says.`,
		Example: "  syncer adopt go-service --set team=payments-team",
		Args:    between(1, 2, "NAME and at most one DIR"), ValidArgsFunction: a.completeAdoptable,
		RunE: func(cmd *cobra.Command, args []string) error { return a.adopt(cmd, &f, args[0], args[1:]) },
	}
	f.add(cmd)
	return cmd
}

// adoptable loads the golden path to adopt. Where the repository follows it already,
// its own file says from where; where it follows others, and no source is given, it
// is looked for where they come from, and in this program last.
func (a *app) adoptable(cmd *cobra.Command, m member, source, name string) (*reconcile.GoldenPath, *reconcile.Syncer, error) {
	st, _ := reconcile.Load(m) // what is wrong with it is said when it is adopted
	if st == nil {
		return a.golden(cmd, m.Root(), source, name)
	}
	s := a.syncer(m.Root())
	if follow, ok := st.Member.Follows(name); ok {
		g, err := s.GoldenPath(cmd.Context(), follow.Source, name, follow.Wanted(s.Today))
		return g, s, err
	}
	if cmd.Flags().Changed("source") {
		return a.golden(cmd, m.Root(), source, name)
	}
	unknown := &scaffold.UnknownError{Name: name}
	for _, from := range sourcesOf(st) {
		g, err := s.GoldenPath(cmd.Context(), from, name, "")
		none, is := errors.AsType[*scaffold.UnknownError](err)
		if !is {
			return g, s, err
		}
		unknown.Known = append(unknown.Known, none.Known...)
	}
	slices.Sort(unknown.Known)
	unknown.Known = slices.Compact(unknown.Known)
	return nil, nil, unknown
}

// sourcesOf returns where a member's golden paths come from, in its file's order, and
// what is in this program.
func sourcesOf(st *reconcile.State) []string {
	var all []string
	if st.Member.Source != "" {
		all = append(all, st.Member.Source)
	}
	for _, f := range st.Member.GoldenPaths {
		follow, _ := st.Member.Follows(f.Name)
		if from := follow.Source; from != "" && !slices.Contains(all, from) {
			all = append(all, from)
		}
	}
	if !slices.Contains(all, builtin) {
		all = append(all, builtin)
	}
	return all
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
	if owner == "" { // without a remote; a new repository has it from there too
		owner, _ = given["owner"].(string)
	}
	if owner != "" {
		facts["owner"] = owner
	}
	adopted, err := s.Adopt(cmd.Context(), m, g, given, facts)
	if err != nil {
		return howToGive(err, name)
	}
	if err := m.Apply(cmd.Context(), adopted.Files); err != nil {
		return err
	}
	if a.json {
		return a.report(map[string]any{"goldenPath": name, "version": adopted.Revision.Version, "same": adopted.Same, "different": adopted.Different, "missing": adopted.Missing, "owned": adopted.Owned})
	}
	fmt.Fprintf(a.out, "adopted %s %s, which fits best: %s the same, %d edited, %d missing\n", name, adopted.Revision.Name(), many(adopted.Same, "file"), adopted.Different, adopted.Missing)
	for _, path := range slices.Sorted(maps.Keys(adopted.Owned)) {
		fmt.Fprintf(a.out, "  not taken %s (the golden path %s has this file here)\n", path, adopted.Owned[path])
	}
	fmt.Fprintln(a.out, "next: syncer diff shows what the first sync would do; commit .goldenpath.yaml and .goldenpath.lock")
	return nil
}
