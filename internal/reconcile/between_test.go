package reconcile

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// tagged is a platform with a version for each of its trees.
type tagged map[string]tree.Tree // by version, which is the commit too

func (tagged) Resolve(_, want string) (version, commit string, err error) { return want, want, nil }

func (p tagged) Tree(_ context.Context, commit string) (tree.Tree, error) { return p[commit], nil }

func (tagged) Versions(string) ([][2]string, error) {
	return [][2]string{{"3.0.0", "3.0.0"}, {"2.0.0", "2.0.0"}, {"1.0.0", "1.0.0"}}, nil
}

// A version in between is rendered with the inputs under the names that it had.
func TestVersionsBetweenHaveTheirOwnNames(t *testing.T) {
	version := func(input, more string) tree.Tree {
		return tree.Tree{
			"goldenpaths/p/goldenpath.yaml": tree.Text("{apiVersion: syncer/v1, kind: GoldenPath, name: p, inputs: {required: [" + input + "], properties: {" + input + ": {type: string}}}" + more + "}\n"),
			"goldenpaths/p/template/f.tmpl": tree.Text(input + " is {{ ." + input + " }}\n"),
		}
	}
	p := tagged{"1.0.0": version("svc", ""), "2.0.0": version("svc", ""), "3.0.0": version("name", ", migrations: [{to: 3.0.0, inputs: {rename: {svc: name}}}]")}
	s := &Syncer{
		Open:  func(context.Context, string) (Platform, error) { return p, nil },
		Split: func(source string) (string, string, error) { return source, "", nil },
	}
	g, err := s.GoldenPath(t.Context(), "here", "p", "3.0.0")
	if err != nil {
		t.Fatal(err)
	}
	to := g.revision
	to.Inputs = scaffold.Inputs{"name": "pay"}
	b := &between{ctx: t.Context(), source: g.source, name: "p", to: to, migrations: g.Manifest.Migrations, locked: &drift.Section{Revision: drift.Revision{Version: "1.0.0"}}}
	if diff := cmp.Diff([][]byte{[]byte("svc is pay\n")}, b.of("f")); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}
