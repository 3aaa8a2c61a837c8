package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

func (a *app) mergeFileCommand() *cobra.Command {
	var batch, write bool
	var path string
	cmd := &cobra.Command{
		Use: "merge-file BASE OURS THEIRS", Short: "Merge three versions of a file",
		Long: `Print the three-way merge of three files; with conflict markers and exit 1 where
both sides changed the same lines. As a merge driver of Git:

  git config merge.syncer.driver 'syncer merge-file --write %O %A %B --path %P'
  echo '* merge=syncer' >> .gitattributes

With --batch, read {"id","path","base","ours","theirs"} a line from standard input
and write {"id","merged","conflicts","by"} a line.`,
		Example: "  syncer merge-file base.yaml ours.yaml theirs.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if batch {
				return between(0, 0, "no files with --batch")(cmd, args)
			}
			return between(3, 3, "BASE, OURS and THEIRS")(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if batch {
				return mergeBatch(a.in, a.out)
			}
			return a.mergeFile(args[0], args[1], args[2], path, write)
		},
	}
	cmd.Flags().BoolVar(&batch, "batch", false, "merge many files, one JSON object a line")
	cmd.Flags().BoolVar(&write, "write", false, "write the result to OURS, as a merge driver must")
	cmd.Flags().StringVar(&path, "path", "", "the file's path in its repository, for the labels of conflicts")
	return cmd
}

// errConflicts is merge-file's exit 1, which git expects of a merge driver.
var errConflicts = errors.New("conflicts")

func (a *app) mergeFile(base, ours, theirs, path string, write bool) error {
	var texts [3][]byte
	for i, name := range []string{base, ours, theirs} {
		data, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("merge-file: %w", err)
		}
		texts[i] = data
	}
	if path == "" {
		path = ours
	}
	merged, conflicts := textmerge.Markers(texts[0], texts[1], texts[2], textmerge.Labels{Ours: path, Base: base, Theirs: theirs})
	if write {
		if err := os.WriteFile(ours, merged, 0o600); err != nil {
			return fmt.Errorf("merge-file: %w", err)
		}
	} else if _, err := a.out.Write(merged); err != nil {
		return err
	}
	if conflicts > 0 {
		return fmt.Errorf("%w in %s: %d", errConflicts, path, conflicts)
	}
	return nil
}
