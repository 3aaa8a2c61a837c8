package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/scaffold/fixture"
	"github.com/goldenpaths/syncer/internal/tree"
)

// sourceFlag is where golden paths come from, for verbs outside a member.
func sourceFlag(cmd *cobra.Command, source *string) {
	cmd.Flags().StringVar(source, "source", builtin, "where golden paths come from: PATH-OR-URL[@VERSION]")
}

// goldenPaths loads every golden path of a source that is given here.
func (a *app) goldenPaths(cmd *cobra.Command, source string) ([]*reconcile.GoldenPath, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if source, err = sourceFor(here, source); err != nil {
		return nil, err
	}
	return a.syncer(here).GoldenPaths(cmd.Context(), source)
}

// entry is a golden path in a list.
type entry struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Title     string `json:"title"`
	Lifecycle string `json:"lifecycle"`
}

func (a *app) listCommand() *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use: "list", Short: "List the golden paths of a source",
		Example: "  syncer list\n  syncer list --source https://github.com/acme/platform",
		Args:    between(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.goldenPaths(cmd, source)
			if err != nil {
				return err
			}
			list := make([]entry, len(all))
			for i, g := range all {
				list[i] = entry{g.Manifest.Name, g.Version(), g.Manifest.Title, g.Manifest.Lifecycle}
			}
			if a.json {
				return a.report(list)
			}
			w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
			for _, e := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Name, e.Version, e.Lifecycle, e.Title)
			}
			return w.Flush()
		},
	}
	sourceFlag(cmd, &source)
	return cmd
}

func (a *app) showCommand() *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show a golden path: what it is, its inputs, its files",
		Example: "  syncer show go-service",
		Args:    between(1, 1, "the NAME of a golden path"), ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			here, err := os.Getwd()
			if err != nil {
				return err
			}
			g, _, err := a.golden(cmd, here, source, args[0])
			if err != nil {
				return err
			}
			return a.show(g)
		},
	}
	sourceFlag(cmd, &source)
	return cmd
}

// showHead says what a manifest says of the golden path: what it leaves out is not told.
func (a *app) showHead(m *scaffold.Manifest, version string) {
	fmt.Fprint(a.out, m.Name+" "+version)
	if m.Title != "" {
		fmt.Fprint(a.out, ": "+m.Title)
	}
	fmt.Fprintln(a.out)
	if m.Description != "" {
		fmt.Fprintln(a.out, m.Description)
	}
	var facts []string
	for _, fact := range [][2]string{{"owner", m.Owner}, {"lifecycle", m.Lifecycle}, {"includes", strings.Join(m.Includes, ", ")}} {
		if fact[1] != "" {
			facts = append(facts, fact[0]+" "+fact[1])
		}
	}
	if len(facts) > 0 {
		fmt.Fprintln(a.out, strings.Join(facts, ", "))
	}
}

func (a *app) show(g *reconcile.GoldenPath) error {
	m, version := g.Manifest, g.Version()
	inputs := map[string]any{}
	for _, name := range g.InputNames() {
		inputs[name], _ = g.Input(name)
	}
	if a.json {
		return a.report(map[string]any{"name": m.Name, "version": version, "title": m.Title, "description": m.Description, "owner": m.Owner, "lifecycle": m.Lifecycle, "includes": m.Includes, "inputs": inputs, "files": g.Sources(), "after": m.After})
	}
	a.showHead(m, g.Called())
	fmt.Fprint(a.out, "\nInputs\n")
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, name := range g.InputNames() {
		prop, required := g.Input(name)
		state := "optional"
		if d, ok := prop["default"]; ok {
			state = fmt.Sprintf("default %v", d)
			if d == "" {
				state = `default ""`
			}
		} else if required {
			state = "required"
		}
		if g.IsSecret(name) {
			state += ", a secret"
		}
		fmt.Fprintf(w, "  %s\t%v\t%s\t%v\n", name, orDash(prop["type"]), state, orDash(prop["title"]))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprint(a.out, "\nFiles\n")
	for _, s := range g.Sources() {
		fmt.Fprintln(a.out, "  "+s)
	}
	return nil
}

func orDash(v any) any {
	if v == nil {
		return "-"
	}
	return v
}

func (a *app) lintCommand() *cobra.Command {
	return &cobra.Command{
		Use: "lint [DIR]", Short: "Find every mistake in the golden paths of a platform repository",
		Long:    "Find every mistake in the golden paths below DIR/goldenpaths: manifests by their JSON Schema, templates,\ndefaults, globs, includes, migrations, and that each has tests. Each line says file:line:column, what is wrong and what would be right.",
		Example: "  syncer lint",
		Args:    between(0, 1, "at most one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := a.platformFiles(cmd, args)
			if err != nil {
				return err
			}
			if len(scaffold.Names(files)) == 0 {
				return fmt.Errorf("there is no %s/*/%s to check", scaffold.Root, scaffold.ManifestName)
			}
			problems := fixture.Lint(files)
			if a.json {
				if err := a.report(problems); err != nil {
					return err
				}
			} else {
				for _, p := range problems {
					fmt.Fprintln(a.out, p.Error())
				}
			}
			if len(problems) > 0 {
				return errDifferences
			}
			if !a.json {
				fmt.Fprintf(a.out, "%s, no mistakes\n", many(len(scaffold.Names(files)), "golden path"))
			}
			return nil
		},
	}
}

// platformFiles reads the platform repository around DIR as it lies on disk.
func (a *app) platformFiles(cmd *cobra.Command, args []string) (tree.Tree, error) {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", dir, err)
	}
	p, err := (&gitrepo.Cache{}).Open(cmd.Context(), dir)
	if err != nil {
		return nil, err
	}
	return p.Whole(cmd.Context(), "")
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version",
		Args: between(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.report(map[string]string{"version": version})
			}
			_, err := fmt.Fprintln(a.out, "syncer "+version)
			return err
		},
	}
}
