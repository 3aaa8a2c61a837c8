package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/scaffold/fixture"
	"github.com/goldenpaths/syncer/internal/tree"
)

func (a *app) testCommand() *cobra.Command {
	var update bool
	var dir string
	cmd := &cobra.Command{
		Use: "test [NAME]", Short: "Render the tests of golden paths and compare",
		Long: `Render every fixture goldenpaths/NAME/tests/*.txtar, compare the files with those in
the fixture, and check that rendering twice gives the same bytes. --update writes
what was rendered into the fixtures, for you to review.`,
		Example: "  syncer test\n  syncer test go-service --update",
		Args:    between(0, 1, "at most one NAME"), ValidArgsFunction: a.completeTests,
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := a.platformFiles(cmd, []string{dir})
			if err != nil {
				return err
			}
			names := scaffold.Names(files)
			if len(args) == 1 {
				names = args
			}
			return a.testAll(files, names, dir, update)
		},
	}
	cmd.Flags().BoolVar(&update, "update", false, "write what is rendered into the fixtures")
	cmd.Flags().StringVar(&dir, "dir", ".", "the platform repository")
	return cmd
}

// testResult is one fixture's outcome.
type testResult struct {
	Fixture string   `json:"fixture"`
	Passed  bool     `json:"passed"`
	Updated bool     `json:"updated,omitempty"`
	Error   string   `json:"error,omitempty"`
	Files   []string `json:"files,omitempty"` // that differ
}

func (a *app) testAll(files tree.Tree, names []string, dir string, update bool) error {
	results := []testResult{}
	failed := false
	for _, name := range names {
		g, err := scaffold.Load(files, name)
		if err != nil {
			return err
		}
		fixtures, err := fixture.Of(files, name)
		if err != nil {
			return err
		}
		for _, f := range fixtures {
			r, err := a.testOne(g, f, dir, update)
			if err != nil {
				return err
			}
			failed = failed || !r.Passed
			results = append(results, r)
		}
	}
	if len(results) == 0 {
		return fmt.Errorf("there is no test to run; write one as %s/NAME/tests/FIXTURE.txtar, with its inputs, and let --update fill it", scaffold.Root)
	}
	if a.json {
		if err := a.report(results); err != nil {
			return err
		}
	}
	if failed {
		return errDifferences
	}
	return nil
}

func (a *app) testOne(g *scaffold.GoldenPath, f *fixture.Fixture, dir string, update bool) (testResult, error) {
	r := testResult{Fixture: f.File}
	rendered, err := f.Render(g)
	if err != nil {
		r.Error = err.Error()
		a.say("FAIL %s\n%v\n", f.File, err)
		return r, nil
	}
	got := rendered.Tree()
	differences := f.Compare(got)
	if len(differences) > 0 && update {
		r.Passed, r.Updated = true, true
		a.say("updated %s\n", f.File)
		return r, os.WriteFile(filepath.Join(dir, filepath.FromSlash(f.File)), f.Format(got), 0o644) //nolint:gosec // a file for everybody
	}
	r.Passed = len(differences) == 0
	if r.Passed {
		a.say("ok   %s (%s)\n", f.File, many(len(got), "file"))
		return r, nil
	}
	a.say("FAIL %s\n", f.File)
	for _, d := range differences {
		r.Files = append(r.Files, d.Path)
		a.say("%s", textmerge.Unified(d.Path, "rendered/"+strings.TrimPrefix(d.Path, "want/"), d.Want, d.Got, 3))
	}
	a.say("see whether that is meant; then syncer test %s --update\n", g.Manifest.Name)
	return r, nil
}

// say prints for people, and nothing where JSON is wanted.
func (a *app) say(format string, args ...any) {
	if !a.json {
		fmt.Fprintf(a.out, format, args...)
	}
}
