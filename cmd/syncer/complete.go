package main

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// What the shell completes is read from this machine alone, and nothing is changed:
// a key is pressed, not a command given.

// completeNames completes the first argument with the golden paths of --source, and
// those after it with files.
func (a *app) completeNames(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	source, err := cmd.Flags().GetString("source")
	if err != nil || (gitrepo.Source{Location: source}).IsURL() {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := a.goldenPaths(cmd, source)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]cobra.Completion, len(all))
	for i, g := range all {
		names[i] = cobra.CompletionWithDesc(g.Manifest.Name, g.Manifest.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeAdoptable is completeNames for a repository, here or in a DIR that is not
// typed yet: without --source its own sources are asked, and then this program.
func (a *app) completeAdoptable(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	m, st, _ := peek(".")
	if st == nil || len(args) > 0 || cmd.Flags().Changed("source") {
		return a.completeNames(cmd, args, typed)
	}
	s := a.syncer(m.Root())
	var names []cobra.Completion
	for _, from := range sourcesOf(st) {
		if (gitrepo.Source{Location: from}).IsURL() {
			continue
		}
		all, err := s.GoldenPaths(cmd.Context(), from)
		if err != nil {
			continue // the others may be there
		}
		for _, g := range all {
			if _, follows := st.Member.Follows(g.Manifest.Name); !follows {
				names = append(names, cobra.CompletionWithDesc(g.Manifest.Name, g.Manifest.Title))
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeTests completes the first argument with the golden paths of --dir.
func (a *app) completeTests(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	files, err := a.platformFiles(cmd, []string{cmd.Flag("dir").Value.String()})
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return scaffold.Names(files), cobra.ShellCompDirectiveNoFileComp
}

// completeFollowed completes --golden-path with what the repository follows.
func completeFollowed(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	_, st, err := peek(dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, _ := st.Names("") // without a name there is no error
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeLeaving completes the first argument with what the repository here follows,
// and those after it with folders.
func completeLeaving(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return completeFollowed(cmd, args, typed)
}

// completeOpen completes a path with the files that have conflicts to decide.
func completeOpen(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completeFiles(args, func(f drift.LockedFile) bool { return f.Open })
}

// completeLocked completes a path with the files that golden paths have.
func completeLocked(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completeFiles(args, func(drift.LockedFile) bool { return true })
}

func completeFiles(args []string, wanted func(drift.LockedFile) bool) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	m, st, err := peek(".")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var open []cobra.Completion
	for _, section := range st.Lock.GoldenPaths {
		for p, f := range section.Files {
			if !wanted(f) {
				continue
			}
			if p, err := filepath.Rel(realPath(here), filepath.Join(m.Root(), filepath.FromSlash(p))); err == nil {
				open = append(open, p)
			}
		}
	}
	slices.Sort(open)
	return open, cobra.ShellCompDirectiveNoFileComp
}

func peek(dir string) (member, *reconcile.State, error) {
	m, err := gitrepo.OpenMember(dir)
	if err != nil {
		return member{}, nil, err
	}
	st, err := reconcile.Load(member{m})
	return member{m}, st, err
}

// goldenPathFlag adds --golden-path, for verbs on a repository that may follow
// several.
func goldenPathFlag(cmd *cobra.Command, only *string) {
	cmd.Flags().StringVar(only, "golden-path", "", "only this golden path")
	_ = cmd.RegisterFlagCompletionFunc("golden-path", completeFollowed) // the flag is there
}

// takeFlag adds --take.
func takeFlag(cmd *cobra.Command, take *string) {
	sides := []cobra.Completion{string(drift.Suggested), string(drift.Theirs), string(drift.Ours)}
	cmd.Flags().StringVar(take, "take", "", "suggested, theirs (the golden path's) or ours (the file as it is)")
	_ = cmd.RegisterFlagCompletionFunc("take", cobra.FixedCompletions(sides, cobra.ShellCompDirectiveNoFileComp))
}
