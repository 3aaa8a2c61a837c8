package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/policy"
)

func TestOver(t *testing.T) {
	manifest := policy.Policy{Resolve: policy.Off, Suggested: policy.Apply, Off: []string{"words", "versions"}, Care: policy.Tool, Command: "make gen"}
	member := policy.Policy{Resolve: policy.On, Off: []string{"layout"}, On: []string{"words", "inserts"}}
	server := policy.Policy{Suggested: policy.Propose, Off: []string{"inserts"}, OnDelete: policy.Follow}
	got := server.Over(member.Over(manifest))
	want := policy.Policy{
		Resolve: policy.On, Suggested: policy.Propose, Off: []string{"versions", "layout", "inserts"}, On: []string{"words"},
		Care: policy.Tool, Command: "make gen", OnDelete: policy.Follow,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if got := (policy.Policy{Care: policy.Join}).Over(manifest); got.Care != policy.Join || got.Command != "" {
		t.Errorf("another care keeps the command %q", got.Command)
	}
}

func TestSettled(t *testing.T) {
	plain := policy.Policy{Resolve: policy.DefaultResolve, Suggested: policy.Propose, Care: policy.Join, OnDelete: policy.Conflict, OnDeleted: policy.Stay}
	change := func(f func(*policy.Policy)) policy.Policy { p := plain; f(&p); return p }
	for _, c := range []struct {
		path        string
		given, want policy.Policy
	}{
		{"main.go", policy.Policy{}, plain},
		{"docs/CHANGELOG.md", policy.Policy{}, change(func(p *policy.Policy) { p.Care, p.OnDelete = policy.Member, policy.Keep })},
		{"CHANGELOG.md", policy.Policy{Care: policy.Join}, plain},
		{"CHANGELOG.md", policy.Policy{OnDelete: policy.Follow}, change(func(p *policy.Policy) { p.Care, p.OnDelete = policy.Member, policy.Follow })},
		{"a/go.sum", policy.Policy{}, change(func(p *policy.Policy) { p.Care, p.Command = policy.Tool, "go mod tidy" })},
		{"a/go.sum", policy.Policy{Command: "make sum"}, change(func(p *policy.Policy) { p.Care, p.Command = policy.Tool, "make sum" })},
		{"api.pb.go", policy.Policy{Care: policy.Tool, Command: "buf generate"}, change(func(p *policy.Policy) { p.Care, p.Command = policy.Tool, "buf generate" })},
	} {
		got := c.given.Settled(c.path)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: mismatch (-want +got):\n%s", c.path, diff)
		}
		if diff := cmp.Diff(got, got.Settled(c.path)); diff != "" {
			t.Errorf("%s: settled twice: mismatch (-once +twice):\n%s", c.path, diff)
		}
	}
}

// TestOptions merges by each policy that changes how a merge is done.
func TestOptions(t *testing.T) {
	const base, ours, theirs = "set  one\n", "set one\n", "set  two\n"
	for _, c := range []struct {
		name, path string
		given      policy.Policy
		want       string
		open       int
	}{
		{"resolvers", "a.txt", policy.Policy{Resolve: policy.On}, "set two\n", 0},
		{"no resolvers", "a.txt", policy.Policy{Resolve: policy.Off}, ours, 1},
		{"those off", "a.txt", policy.Policy{Resolve: policy.On, Off: []string{"layout", "neighbours"}}, ours, 1},
		{"the member's", "a.txt", policy.Policy{Resolve: policy.On, Care: policy.Member}, ours, 0},
		{"the member's, without resolvers", "CHANGELOG.md", policy.Policy{Resolve: policy.Off}, ours, 0},
	} {
		r := merge.Merge(c.path, []byte(base), []byte(ours), []byte(theirs), c.given.Settled(c.path).Options())
		if string(r.Text) != c.want || r.Open() != c.open {
			t.Errorf("%s: %q with %d open, want %q with %d", c.name, r.Text, r.Open(), c.want, c.open)
		}
	}
}

func TestCheck(t *testing.T) {
	doc, err := document.Parse("f.yaml", []byte("merge:\n  off: [version, layout, qqqqqqqq]\n  on: [layout]\n  command: make\n"))
	if err != nil {
		t.Fatal(err)
	}
	var top struct {
		Merge policy.Policy `yaml:"merge"`
	}
	if err := doc.Decode(&top); err != nil {
		t.Fatal(err)
	}
	got := top.Merge.Check(doc, "merge").Error()
	lines := strings.Split(got, "\n")
	for i, want := range []string{
		`f.yaml:2:9: there is no resolver "version"; did you mean versions?`,
		`f.yaml:2:18: the resolver "layout" is on and off; name it in one of the two lists`,
		`f.yaml:2:26: there is no resolver "qqqqqqqq"; known: already-ours,`,
		`f.yaml:4:12: command is for files that a program writes; add care: tool`,
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of\n%s\nmust begin with %s", i, got, want)
		}
	}
	if err := policy.CheckResolver("neighbors"); err == nil || !strings.Contains(err.Error(), "did you mean neighbours?") {
		t.Errorf("error %v", err)
	}
}
