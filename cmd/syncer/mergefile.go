package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// mergeFileFlags are merge-file's.
type mergeFileFlags struct {
	batch, write, hunks, policies, resolve bool
	path, suggested                        string
	off, on, labels                        []string
	markerSize                             int
}

func (a *app) mergeFileCommand() *cobra.Command {
	var f mergeFileFlags
	cmd := &cobra.Command{
		Use: "merge-file BASE OURS THEIRS", Short: "Merge three versions of a file",
		Long: `Print the three-way merge of three files; with conflict markers and exit 1 where
both sides changed the same and it is not safe to say what should become of it.
As a merge driver of Git:

  git config merge.syncer.driver \
    'syncer merge-file --write %O %A %B --path %P --marker-size %L -L %X -L %S -L %Y'
  echo '* merge=syncer' >> .gitattributes

Before Git 2.44, which brought %X, %S and %Y, conflicts are labelled ours and theirs.

With --batch, read {"id","path","base","ours","theirs"} a line from standard input
and write {"id","merged","conflicts","by"} a line.

With --json, print {"path","merged","conflicts"}; exit 1 says then, too, that there are conflicts.`,
		Example: "  syncer merge-file base.yaml ours.yaml theirs.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if f.batch {
				return between(0, 0, "no files with --batch")(cmd, args)
			}
			return between(3, 3, "BASE, OURS and THEIRS")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.markerSize < 0 || f.markerSize > maxMarker || len(f.labels) > 3 {
				return usage(cmd, fmt.Errorf("--marker-size is from 1 to %d, and there are at most three labels", maxMarker))
			}
			options, err := f.options()
			if err != nil {
				return usage(cmd, err)
			}
			if f.batch {
				return mergeBatch(a.in, a.out, batchOptions{options, f.hunks})
			}
			return a.mergeFile(args[0], args[1], args[2], f, options)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.batch, "batch", false, "merge many files, one JSON object a line")
	flags.BoolVar(&f.hunks, "hunks", false, "with --batch, tell of every hunk that both sides changed")
	flags.BoolVar(&f.resolve, "resolve", false, "ask the resolvers about what lines alone leave as a conflict; the flags below ask them too")
	flags.BoolVar(&f.policies, "policies", false, "keep ours in changelogs and other files that are the member's")
	flags.StringVar(&f.suggested, "suggested", "propose", "what becomes of suggestions: apply or propose")
	flags.StringSliceVar(&f.off, "off", nil, "resolvers not to use, or \"all\"")
	flags.StringSliceVar(&f.on, "on", nil, "optional resolvers to use")
	flags.BoolVar(&f.write, "write", false, "write the result to OURS, as a merge driver must")
	flags.StringVar(&f.path, "path", "", "the file's path in its repository, for its kind and for messages")
	flags.StringArrayVarP(&f.labels, "label", "L", nil, "how conflicts are labelled: ours, then base, then theirs, as for git merge-file")
	flags.IntVar(&f.markerSize, "marker-size", 0, "how many characters a conflict marker has; 7 where it is not given")
	return cmd
}

// maxMarker bounds the length of conflict markers.
const maxMarker = 1000

// marks returns how conflicts are marked. A merge driver's files have temporary names,
// which tell nobody anything; so where the path is given, the sides are named.
func (f mergeFileFlags) marks(base, ours, theirs string) textmerge.Labels {
	names := []string{ours, base, theirs}
	if f.path != "" {
		names = []string{"ours", "base", "theirs"}
	}
	for i, label := range f.labels {
		// An older git leaves what it does not know as it is.
		if label != "" && !slices.Contains([]string{"%X", "%S", "%Y"}, label) {
			names[i] = label
		}
	}
	return textmerge.Labels{Ours: names[0], Base: names[1], Theirs: names[2], MarkerSize: f.markerSize}
}

// options returns how the flags ask to merge.
func (f mergeFileFlags) options() (merge.Options, error) {
	resolve := f.resolve || f.policies || len(f.off)+len(f.on) > 0 || f.suggested != "propose"
	o := merge.Options{Lines: !resolve, Off: f.off, On: f.on, MembersDecided: f.policies}
	switch f.suggested {
	case "apply":
		o.Suggested = merge.Apply
	case "propose":
	default:
		return o, fmt.Errorf("--suggested %q: it is apply or propose", f.suggested)
	}
	var names []string
	for _, r := range merge.Resolvers() {
		names = append(names, r.Name)
	}
	if slices.Equal(f.off, []string{"all"}) {
		o.Off = names
		return o, nil
	}
	for _, name := range slices.Concat(f.off, f.on) {
		if !slices.Contains(names, name) {
			return o, fmt.Errorf("no resolver is called %q; they are %s, and all for --off", name, strings.Join(names, ", "))
		}
	}
	return o, nil
}

// errConflicts is merge-file's exit 1, which git expects of a merge driver.
var errConflicts = errors.New("conflicts")

func (a *app) mergeFile(base, ours, theirs string, f mergeFileFlags, options merge.Options) error {
	path := f.path
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
	r := merge.Merge(path, texts[0], texts[1], texts[2], options)
	merged, conflicts := r.Markers(texts[0], texts[1], texts[2], f.marks(base, ours, theirs))
	if f.write {
		if err := os.WriteFile(ours, merged, 0o600); err != nil {
			return fmt.Errorf("merge-file: %w", err)
		}
	}
	if err := a.tellMerged(path, merged, conflicts, f.write); err != nil {
		return err
	}
	if conflicts > 0 {
		return fmt.Errorf("%w in %s: %d", errConflicts, path, conflicts)
	}
	return nil
}

// mergedReport is a merge as JSON tells it. What was written to a file is not told again.
type mergedReport struct {
	Path      string  `json:"path"`
	Merged    *string `json:"merged,omitempty"`
	Encoding  string  `json:"encoding,omitempty"` // "base64", or none
	Conflicts int     `json:"conflicts"`
}

func (a *app) tellMerged(path string, merged []byte, conflicts int, written bool) error {
	if a.json {
		r := mergedReport{Path: path, Conflicts: conflicts}
		if !written {
			encode, encoding := encoder(merged)
			r.Merged, r.Encoding = new(encode(merged)), encoding
		}
		return a.report(r)
	}
	if written {
		return nil
	}
	_, err := a.out.Write(merged)
	return err
}
