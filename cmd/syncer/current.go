package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

// planAll plans each golden path that the member in DIR follows, or one.
func (a *app) planAll(ctx context.Context, m member, only, to string) ([]*reconcile.Planned, error) {
	st, err := reconcile.Load(m)
	if err != nil {
		return nil, err
	}
	names, err := st.Names(only)
	if err != nil {
		return nil, err
	}
	s := a.syncer(m.Root())
	var plans []*reconcile.Planned
	for _, name := range names {
		p, err := s.Plan(ctx, m, st, name, to)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// changeReport is a change as JSON tells it.
type changeReport struct {
	Path   string       `json:"path"`
	From   string       `json:"from,omitempty"`
	Action drift.Action `json:"action"`
	Mode   string       `json:"mode"`
	Reason string       `json:"reason"`
	tiersReport
}

// pathReport is where a member stands with one golden path.
type pathReport struct {
	GoldenPath string            `json:"goldenPath"`
	Version    string            `json:"version"`
	Newest     string            `json:"newest"`
	Behind     bool              `json:"behind"`
	Why        string            `json:"why,omitempty"` // it is behind, though it has that version
	Drifted    bool              `json:"drifted"`
	Conflicts  int               `json:"conflicts"` // files with something to decide
	Suggested  int               `json:"suggested"` // those for which something is suggested
	Files      []drift.FileState `json:"files"`
	Changes    []changeReport    `json:"changes"`
	notes
}

func reportOf(p *reconcile.Planned) pathReport {
	r := pathReport{GoldenPath: p.GoldenPath, Newest: p.To.Name(), Behind: p.Behind, Why: p.Why, Files: p.Files, Changes: []changeReport{}, notes: notesOf(p)}
	if p.From != nil && !p.Unlocked {
		r.Version = p.From.Name()
	}
	r.Drifted, r.Conflicts = countStates(p.Files)
	for _, c := range p.Changes {
		if c.Suggests() {
			r.Suggested++
		}
		if c.Told() {
			r.Changes = append(r.Changes, reportChange(c))
		}
	}
	return r
}

func reportChange(c drift.Change) changeReport {
	return changeReport{Path: c.Path, From: c.From, Action: c.Action, Mode: string(c.Mode), Reason: c.Reason, tiersReport: tiersOf(c)}
}

// countStates says whether a file drifted, and how many have conflicts to decide.
func countStates(files []drift.FileState) (drifted bool, conflicts int) {
	for _, f := range files {
		drifted = drifted || f.State == drift.Drifted
		if f.State == drift.Undecided {
			conflicts++
		}
	}
	return drifted, conflicts
}

func (a *app) checkCommand() *cobra.Command {
	var only string
	cmd := &cobra.Command{
		Use: "check [DIR]", Short: "Say whether a repository is current, behind or drifted",
		Long: `Compare the repository in DIR with its golden paths, file by file, and change nothing.

behind    a newer version exists on the repository's channel, its inputs changed, or what
          a keep held back can come
drifted   a managed file, or a block of the golden path's, was edited
Files whose mode lets people edit them are told as edited, which is no drift.

Exit 0: current. Exit 2: behind, drifted, or conflicts to decide.`,
		Example: "  syncer check\n  syncer check ../payments --json",
		Args:    between(0, 1, "at most one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.openMember(args)
			if err != nil {
				return err
			}
			plans, err := a.planAll(cmd.Context(), m, only, "")
			if err != nil {
				return err
			}
			return a.check(plans)
		},
	}
	goldenPathFlag(cmd, &only)
	return cmd
}

func (a *app) check(plans []*reconcile.Planned) error {
	reports := []pathReport{}
	different := false
	for _, p := range plans {
		r := reportOf(p)
		different = different || r.Behind || r.Drifted || r.Conflicts > 0
		reports = append(reports, r)
	}
	if a.json {
		if err := a.report(reports); err != nil {
			return err
		}
	} else {
		for _, r := range reports {
			a.printCheck(r)
		}
	}
	if different {
		return errDifferences
	}
	return nil
}

func (a *app) printCheck(r pathReport) {
	fmt.Fprintf(a.out, "%s: %s\n", strings.TrimSpace(r.GoldenPath+" "+r.Version), a.verdict(r))
	for _, f := range r.Files {
		if f.State != drift.Current && f.State != drift.WrittenOnce {
			fmt.Fprintf(a.out, "  %s %s\n", a.paint(styleOfState(f.State), fmt.Sprintf("%-9s", f.State)), f.Path)
		}
	}
	what := r.Newest
	if r.Why != "" {
		what = "a sync"
	}
	switch {
	case r.Behind && len(r.Changes) == 0:
		fmt.Fprintf(a.out, "  %s would change no file, only note it in %s\n", what, drift.LockName)
	case r.Behind:
		fmt.Fprintf(a.out, "  %s would:\n", what)
		a.printChanges(r.Changes, "")
	default:
		a.printChanges(slices.DeleteFunc(slices.Clone(r.Changes), func(c changeReport) bool {
			return c.Action != drift.Conflict && c.Action != drift.Elsewhere
		}), "")
	}
	a.printNotes(r.GoldenPath, r.notes)
}

func (a *app) verdict(r pathReport) string {
	var words []string
	switch {
	case r.Why != "":
		words = append(words, a.paint(attention, "behind: "+r.Why))
	case r.Behind:
		words = append(words, a.paint(attention, "behind "+r.Newest))
	}
	if r.Drifted {
		words = append(words, a.paint(attention, "drifted"))
	}
	if r.Conflicts > 0 {
		word := many(r.Conflicts, "file") + " with conflicts to decide"
		if r.Suggested > 0 {
			word += fmt.Sprintf(" (something is suggested for %d)", r.Suggested)
		}
		words = append(words, a.paint(bad, word))
	}
	if len(words) == 0 {
		return a.paint(good, "current")
	}
	return strings.Join(words, ", ")
}

func (a *app) diffCommand() *cobra.Command {
	var threeWay bool
	var only, to string
	cmd := &cobra.Command{
		Use: "diff [DIR]", Short: "Show what a sync would change",
		Long: `Show what a sync would change, as a patch that git apply takes; binary files are
left out of it on a terminal. Nothing is changed.`,
		Example: "  syncer diff\n  syncer diff --3way",
		Args:    between(0, 1, "at most one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.openMember(args)
			if err != nil {
				return err
			}
			plans, err := a.planAll(cmd.Context(), m, only, to)
			if err != nil {
				return err
			}
			return a.diff(plans, threeWay)
		},
	}
	cmd.Flags().BoolVar(&threeWay, "3way", false, "show each conflict with its base, ours and theirs")
	goldenPathFlag(cmd, &only)
	cmd.Flags().StringVar(&to, "to", "", "another version than the one that is followed")
	return cmd
}

func (a *app) diff(plans []*reconcile.Planned, threeWay bool) error {
	different := false
	reports := []pathReport{}
	for _, p := range plans {
		reports = append(reports, reportOf(p))
		for _, c := range p.Changes {
			different = different || c.Changes() || c.Action == drift.Conflict
			if !a.json {
				a.printDiff(c, threeWay)
			}
		}
	}
	if a.json {
		if err := a.report(reports); err != nil {
			return err
		}
	}
	if different {
		return errDifferences
	}
	return nil
}

func (a *app) printDiff(c drift.Change, threeWay bool) {
	if c.Changes() {
		from := c.Path
		if c.From != "" {
			from = c.From
		}
		fmt.Fprintf(a.out, "# %s %s: %s\n", c.Action, c.Path, c.Reason)
		fmt.Fprint(a.out, a.paintPatch(patch{from, c.Path, c.Before, c.After, isTerminal(a.out)}.String()))
	}
	if c.Action == drift.Conflict || c.Policy != "" && !c.Changes() {
		fmt.Fprintf(a.out, "# %s %s: %s\n", c.Action, c.Path, c.Reason)
	}
	for _, h := range c.Places() {
		fmt.Fprintf(a.out, "## %s %s\n", at(c.Path, h.OursLine), inTier(h))
		if threeWay && !h.Applied {
			a.printSides(h)
		}
	}
}

// quoted indents a side of a conflict, and says what cannot be shown.
func quoted(text []byte) string {
	switch {
	case text == nil:
		return "    (no file)\n"
	case tree.IsBinary(text):
		return fmt.Sprintf("    (binary, %d bytes)\n", len(text))
	case len(text) == 0:
		return "    (nothing)\n"
	}
	return "    " + strings.TrimSuffix(strings.ReplaceAll(string(text), "\n", "\n    "), "    ") + strings.Repeat("\n", 1-min(1, strings.Count(string(text[len(text)-1:]), "\n")))
}
