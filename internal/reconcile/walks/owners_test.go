package walks

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOwnersOf(t *testing.T) {
	const text = "\ufeff# who\r\n* @alice\r\n/docs/ @acme/writers bob@example.com # they know\n*.yaml @acme/platform @alice\nthis [is] no line\n!/x @carol\n/deploy/ @other/ops\n/free/\n"
	for _, c := range []struct {
		name  string
		paths []string
		want  Reviewers
	}{
		{"the last one counts", []string{"main.go", "docs/a/b.md", "ci.yaml"}, Reviewers{[]string{"alice"}, []string{"writers", "platform"}}},
		{"another organisation's", []string{"deploy/run.sh"}, Reviewers{}},
		{"nobody's", []string{"free/a"}, Reviewers{}},
		{"none", nil, Reviewers{}},
	} {
		if diff := cmp.Diff(c.want, ownersOf(text, c.paths, "Acme")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if got := ownersOf(string(make([]byte, maxOwners+1)), []string{"a"}, "acme"); len(got.People) > 0 {
		t.Errorf("a file that GitHub does not read has owners: %v", got)
	}
}
