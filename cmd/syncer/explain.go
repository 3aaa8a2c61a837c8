package main

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/nearest"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

func (a *app) explainCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "explain PATH [DIR]", Short: "Say what a sync decides about one file, and why",
		Long: `Tell what a sync would do with one file of the repository in DIR, and change nothing:
the decision and its reason, the policy that holds for the file, and every place that
both you and the golden path changed, with the tier and the resolver that decided it.

  merged     safe; applied
  suggested  probably right; applied only where the policy says so
  conflict   somebody has to decide; yours stays until then`,
		Example: "  syncer explain Makefile\n  syncer explain .github/workflows/ci.yml --json",
		Args:    between(1, 2, "a PATH, and at most one DIR"), ValidArgsFunction: completeLocked,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.openMember(args[1:])
			if err != nil {
				return err
			}
			plans, err := a.planAll(cmd.Context(), m, "", to)
			if err != nil {
				return err
			}
			has := func(file string) bool { return len(explanations(plans, file)) > 0 }
			file, err := memberPath(m, has, args[0])
			if err != nil {
				return err
			}
			if !has(file) {
				file = path.Clean(filepath.ToSlash(args[0]))
			}
			return a.explain(plans, file)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "another version than the one that is followed")
	return cmd
}

// explanation is what is told about one file of one golden path.
type explanation struct {
	changeReport
	GoldenPath string        `json:"goldenPath"`
	Version    string        `json:"version"`
	Newest     string        `json:"newest"`
	State      drift.State   `json:"state,omitempty"` // before the sync
	Policy     policy.Policy `json:"policy"`

	why    string // there is something to do, where the version is the same
	change drift.Change
}

// explanations are what the plans have to say about a file.
func explanations(plans []*reconcile.Planned, file string) (all []explanation) {
	for _, p := range plans {
		for _, c := range p.Changes {
			// Without a mode the file is another golden path's.
			if (c.Path == file || c.From == file || c.New() == file) && c.Mode != "" {
				all = append(all, explained(p, c))
			}
		}
	}
	return all
}

func (a *app) explain(plans []*reconcile.Planned, file string) error {
	all := explanations(plans, file)
	if len(all) == 0 {
		known := map[string]bool{}
		for _, p := range plans {
			for _, c := range p.Changes {
				known[c.Path] = true
			}
		}
		return unowned(file, slices.Sorted(maps.Keys(known)))
	}
	if a.json {
		return a.report(all)
	}
	for _, e := range all {
		a.printExplanation(e)
	}
	return nil
}

func explained(p *reconcile.Planned, c drift.Change) explanation {
	e := explanation{changeReport: reportChange(c), GoldenPath: p.GoldenPath, Newest: p.To.Name(), Policy: p.Policy(c.Path), why: p.Why, change: c}
	if p.From != nil && !p.Unlocked {
		e.Version = p.From.Name()
	}
	for _, f := range p.Files {
		if f.Path == c.Path || f.Path == c.From {
			e.State = f.State
		}
	}
	return e
}

// unowned says that no golden path has a file, and which may have been meant: those
// with a path like it, or with the same name elsewhere.
func unowned(file string, known []string) error {
	near := nearest.Names(file, known)
	for _, k := range known {
		if len(near) < 3 && path.Base(k) == path.Base(file) && !slices.Contains(near, k) {
			near = append(near, k)
		}
	}
	if len(near) == 0 {
		return fmt.Errorf("no golden path of this repository has %s: it is yours alone", file)
	}
	return fmt.Errorf("no golden path of this repository has %s: it is yours alone; did you mean %s?", file, strings.Join(near, " or "))
}

// brings says from which version of the golden path to which the file would go.
func (e explanation) brings() string {
	switch {
	case e.Version == "":
		return e.GoldenPath + " " + e.Newest + ", which is new here"
	case e.why != "":
		return e.GoldenPath + " " + e.Newest + ": " + e.why
	case e.Version == e.Newest:
		return e.GoldenPath + " " + e.Newest
	}
	return e.GoldenPath + ", " + e.Version + " → " + e.Newest
}

func (a *app) printExplanation(e explanation) {
	fmt.Fprintf(a.out, "%s of %s\n", e.Path, e.brings())
	if e.State != "" {
		fmt.Fprintf(a.out, "  state     %s\n", e.State)
	}
	fmt.Fprintf(a.out, "  mode      %s\n", e.Mode)
	if e.From != "" {
		fmt.Fprintf(a.out, "  from      %s\n", e.From)
	}
	fmt.Fprintf(a.out, "  decision  %s: %s\n", e.Action, e.Reason)
	if e.DecidedBy != "" {
		fmt.Fprintf(a.out, "  by        %s\n", e.DecidedBy)
	}
	if e.Run != "" {
		fmt.Fprintf(a.out, "  run       %s\n", e.Run)
	}
	fmt.Fprintf(a.out, "  policy    %s\n", inWords(e.Policy))
	if e.Action == drift.Conflict {
		fmt.Fprintf(a.out, "  decide    syncer resolve %s --take %s\n", e.Path, takes(e.suggests()))
	}
	for _, h := range e.change.Places() {
		fmt.Fprintf(a.out, "\n## %s %s\n", at(e.Path, h.OursLine), inTier(h))
		a.printSides(h)
	}
}

// inWords lists what a settled policy says.
func inWords(p policy.Policy) string {
	words := []string{"resolve: " + string(p.Resolve), "suggested: " + string(p.Suggested), "care: " + string(p.Care), "onDelete: " + string(p.OnDelete), "onDeleted: " + string(p.OnDeleted)}
	if len(p.Off) > 0 {
		words = append(words, "off: ["+strings.Join(p.Off, ", ")+"]")
	}
	if len(p.On) > 0 {
		words = append(words, "on: ["+strings.Join(p.On, ", ")+"]")
	}
	return strings.Join(words, ", ")
}
