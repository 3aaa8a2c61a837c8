package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"

	"github.com/goldenpaths/syncer/goldenpaths"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// builtin is the source that means the golden paths in the binary.
const builtin = "builtin"

// shipped is the platform of the golden paths in the binary: one version, the
// one that each manifest names.
type shipped struct{}

func (s shipped) Resolve(goldenPath, want string) (version, commit string, err error) {
	switch want {
	case "", "stable", "edge":
		return "", "", nil
	}
	files, err := s.Tree(context.Background(), "")
	if err != nil {
		return "", "", err
	}
	g, err := scaffold.Load(files, goldenPath)
	if err != nil {
		return "", "", err
	}
	if want != g.Manifest.Version && want != "v"+g.Manifest.Version {
		return "", "", fmt.Errorf("this syncer has %s %s; for %s use the syncer of that time, or a Git source", goldenPath, g.Manifest.Version, want)
	}
	return "", "", nil
}

func (shipped) Tree(_ context.Context, commit string) (tree.Tree, error) {
	if commit != "" {
		return nil, fmt.Errorf("the golden paths in this syncer have no commits, so there is no %s", commit)
	}
	files := tree.Tree{}
	disk := goldenpaths.Files()
	err := fs.WalkDir(disk, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path.Base(name) == "tests" && path.Dir(path.Dir(name)) == "." {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(disk, name)
		if err != nil {
			return err
		}
		files[scaffold.Root+"/"+name] = tree.File{Kind: shippedKind(data), Data: data}
		return nil
	})
	return files, err
}

// shippedKind stands in for the executable bit, which the go command does not
// embed: a file that begins with #! is a script.
func shippedKind(data []byte) tree.Kind {
	if bytes.HasPrefix(data, []byte("#!")) {
		return tree.Executable
	}
	return tree.Regular
}

// Versions returns the one version that there is.
func (shipped) Versions(string) ([][2]string, error) { return [][2]string{{"", ""}}, nil }
