package goldenpaths_test

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/goldenpaths"
)

// list returns the files below every folder of fsys that has a manifest.
func list(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	manifests, err := fs.Glob(fsys, "*/goldenpath.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, m := range manifests {
		err := fs.WalkDir(fsys, path.Dir(m), func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, p)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(files)
	return files
}

// A pattern of go:embed leaves out files that begin with a dot or an underscore
// unless it says all:, and everything below a folder with a go.mod. Neither is
// an error, so a golden path could ship without its workflows.
func TestEveryFileIsEmbedded(t *testing.T) {
	want := list(t, os.DirFS("."))
	if len(want) == 0 {
		t.Fatal("there are no golden paths here")
	}
	if diff := cmp.Diff(want, list(t, goldenpaths.Files())); diff != "" {
		t.Errorf("embedded files mismatch (-want +got):\n%s", diff)
	}
}

// These names act where they stand: on the Go command, on git, on editors. Below
// template/ they must end in .tmpl, so that they act on rendered repositories
// only.
func TestTemplatesDoNotActOnThisRepository(t *testing.T) {
	acting := []string{"go.mod", "go.sum", "go.work", ".gitignore", ".gitattributes", ".editorconfig"}
	for _, p := range list(t, goldenpaths.Files()) {
		if !strings.Contains(p, "/template/") {
			continue
		}
		if strings.HasSuffix(p, ".go") || slices.Contains(acting, path.Base(p)) {
			t.Errorf("%s acts on this repository: add .tmpl to its name", p)
		}
	}
}

// Every golden path is shown in the portal with its README.md and CHANGELOG.md,
// and every one is rendered by at least one fixture.
func TestEveryGoldenPathIsComplete(t *testing.T) {
	files := list(t, goldenpaths.Files())
	manifests, err := fs.Glob(goldenpaths.Files(), "*/goldenpath.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifests {
		dir := path.Dir(m)
		for _, name := range []string{"README.md", "CHANGELOG.md"} {
			if !slices.Contains(files, dir+"/"+name) {
				t.Errorf("%s has no %s", dir, name)
			}
		}
		if fixtures, _ := fs.Glob(goldenpaths.Files(), dir+"/tests/*.txtar"); len(fixtures) == 0 {
			t.Errorf("%s has no fixture in tests/", dir)
		}
	}
}
