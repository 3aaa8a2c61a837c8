package gitrepo

import (
	"path/filepath"
	"testing"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

func TestMemberFetch(t *testing.T) {
	root := t.TempDir()
	source := gittest.Repository(t, map[string]string{"a": "1", "d/b": "1"})
	for i := range 5 {
		gittest.Commit(t, source, "more", map[string]string{"a": string(rune('2' + i))})
	}
	gittest.Git(t, source, "clone", "-q", "--bare", source, filepath.Join(root, "origin.git"))
	gittest.Git(t, source, "checkout", "-q", "-b", "goldenpath/svc")
	want := gittest.Commit(t, source, "on the branch", map[string]string{"d/c": "1"})
	gittest.Git(t, source, "checkout", "-q", "-b", "older", "main~3")
	older := gittest.Commit(t, source, "on an older one", map[string]string{"d/e": "1"})
	url := gittest.Serve(t, root) + "/origin.git"
	for _, c := range []struct {
		name, location string
		clone          []string
	}{
		{"http", url, nil},
		{"http, shallow", url, []string{"--depth", "1"}},
		{"folder", filepath.Join(root, "origin.git"), nil},
		{"folder, shallow", "file://" + filepath.Join(root, "origin.git"), []string{"--depth", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "m")
			gittest.Git(t, root, append(append([]string{"clone", "-q"}, c.clone...), c.location, dir)...)
			// Pushed after the clone, which therefore has none of it.
			gittest.Git(t, source, "push", "-q", filepath.Join(root, "origin.git"), "goldenpath/svc", "older")
			defer gittest.Git(t, source, "push", "-q", filepath.Join(root, "origin.git"), "--delete", "goldenpath/svc", "older")
			m := open(t, dir)
			for branch, commit := range map[string]string{"goldenpath/svc": want, "older": older, "none": ""} {
				got, err := m.Fetch(t.Context(), "origin", branch)
				if err != nil || got != commit {
					t.Fatalf("Fetch(%s) = %q, %v; want %q", branch, got, err, commit)
				}
				if commit == "" {
					continue
				}
				if out, err := gittest.Try(dir, "ls-tree", "-r", commit); err != nil {
					t.Errorf("%s is not whole: %s", branch, out)
				}
				if included, err := m.Includes(gittest.Git(t, dir, "rev-parse", "HEAD"), commit); included || err != nil {
					t.Errorf("Includes(%s) = %v, %v; want false", branch, included, err)
				}
			}
			if out := gittest.Git(t, dir, "branch", "-a", "--list", "*goldenpath*"); out != "" {
				t.Errorf("a branch was made: %s", out)
			}
			gittest.Git(t, dir, "fsck", "--connectivity-only")
		})
	}
}
