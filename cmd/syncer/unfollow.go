package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

func (a *app) unfollowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "unfollow [NAME [DIR]]", Short: "Stop following a golden path, and keep its files",
		Long: `Make the repository in DIR not follow the golden path NAME any more. Its entry in
.goldenpath.yaml goes, and what .goldenpath.lock says about it. Every other file
stays as it is, also where a conflict is open, and nothing updates it any more.
Other golden paths are followed as before.

NAME may be left out where the repository follows one alone. syncer adopt NAME makes
it follow the golden path again.`,
		Example: "  syncer unfollow go-service\n  syncer unfollow go-service ../payments --json",
		Args:    between(0, 2, "at most a NAME and one DIR"), ValidArgsFunction: completeLeaving,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return a.unfollow(cmd, name, args[min(len(args), 1):])
		},
	}
}

func (a *app) unfollow(cmd *cobra.Command, name string, dir []string) error {
	m, unlock, err := a.lockedMember(dir)
	if err != nil {
		return err
	}
	defer unlock()
	left, err := reconcile.Unfollow(m, name)
	if several, ok := errors.AsType[*reconcile.SeveralError](err); ok {
		return usage(cmd, fmt.Errorf("%w; say which: syncer unfollow NAME", several))
	}
	if err != nil {
		return err
	}
	if err := m.Apply(cmd.Context(), left.Writes); err != nil {
		return err
	}
	if a.json {
		return a.report(leftReport{left.GoldenPath, left.Version, notNil(left.Files), notNil(left.Open), notNil(left.Follows)})
	}
	return a.printLeft(m, left)
}

// leftReport is a golden path that is not followed any more, as JSON tells it.
type leftReport struct {
	GoldenPath string   `json:"goldenPath"`
	Version    string   `json:"version,omitempty"`
	Files      []string `json:"files"`   // its files, which stay
	Open       []string `json:"open"`    // those with a conflict that nobody decided
	Follows    []string `json:"follows"` // what is followed as before
}

func notNil(list []string) []string { return append([]string{}, list...) }

func (a *app) printLeft(m member, left *reconcile.Left) error {
	rest := "no file here was its own"
	if n := len(left.Files); n > 0 {
		rest = fmt.Sprintf("what it wrote here (%s) stays as it is, and nothing updates it", many(n, "file"))
	}
	fmt.Fprintf(a.out, "%s is not followed any more; %s\n", strings.TrimSpace(left.GoldenPath+" "+left.Version), rest)
	for _, path := range left.Open {
		fmt.Fprintf(a.out, "  %-9s %s (both changed it, and nobody decided; yours stays)\n", drift.Undecided, path)
	}
	if len(left.Follows) > 0 {
		fmt.Fprintf(a.out, "still followed: %s; syncer check tells what changes where %s had files\n", strings.Join(left.Follows, ", "), left.GoldenPath)
	} else {
		fmt.Fprintf(a.out, "no golden path is followed any more; delete %s if nothing in it is needed\n", drift.MemberName)
	}
	branch := "goldenpath/" + left.GoldenPath
	tip, err := m.BranchTip(branch)
	if err != nil {
		return err
	}
	if tip != "" {
		fmt.Fprintf(a.out, "the branch %s is still there; delete it, unless something on it is yours: git branch -D %s\n", branch, branch)
	}
	fmt.Fprintf(a.out, "next: commit %s\n", strings.Join(slices.Sorted(maps.Keys(left.Writes)), " and "))
	return nil
}
