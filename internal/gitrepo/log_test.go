package gitrepo

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

func TestLog(t *testing.T) {
	dir := gittest.Repository(t, map[string]string{"goldenpaths/go/a": "0", "goldenpaths/base/b": "0"})
	first := gittest.Git(t, dir, "rev-parse", "HEAD")
	change := func(title string, files map[string]string) string { return gittest.Commit(t, dir, title, files) }
	own := change("its own", map[string]string{"goldenpaths/go/a": "1"})
	change("another one's", map[string]string{"goldenpaths/web/a": "1"})
	change("none's", map[string]string{"README.md": "1"})
	gittest.Git(t, dir, "checkout", "-q", "-b", "side")
	layer := change("a layer's\n\nwith a reason", map[string]string{"goldenpaths/base/b": "1"})
	gittest.Git(t, dir, "checkout", "-q", "-")
	change("meanwhile", map[string]string{"README.md": "2"})
	gittest.Git(t, dir, "merge", "-q", "--no-ff", "-m", "a merge", "side")
	head := gittest.Git(t, dir, "rev-parse", "HEAD")
	p := openSource(t, &Cache{Dir: t.TempDir()}, dir)
	for _, c := range []struct {
		name, from, to string
		paths          []string
		want           []string
	}{
		{"both", first, head, []string{"base", "go"}, []string{layer, own}},
		{"one", first, head, []string{"go"}, []string{own}},
		{"from later on", own, head, []string{"base", "go"}, []string{layer}},
		{"neither", first, head, []string{"no-such"}, nil},
	} {
		entries, err := p.Log(t.Context(), c.from, c.to, c.paths)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if len(entries) == 2 && entries[0].Title != "a layer's" {
			t.Errorf("%s: the title is %q", c.name, entries[0].Title)
		}
	}
	if entries, err := p.Log(t.Context(), "0123456789012345678901234567890123456789", head, []string{"go"}); err == nil {
		t.Errorf("from a commit that is gone there is %v", entries)
	}
}
