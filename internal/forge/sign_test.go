package forge

import (
	"errors"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/tree"
)

// TestSign makes commits anew that GitHub did not sign.
func TestSign(t *testing.T) {
	w := newWorld(t, how{options: localhub.Options{Unsigned: true}})
	r := w.repository("pay", map[string]string{"a": "a\n", "gone": "x\n", "dir/b": "b\n"})
	_, err := w.alice.Push("acme/pay", "main", "a script", localhub.Edit{Files: map[string]string{"run.sh": "#!/bin/sh\n"}, Executable: []string{"run.sh"}})
	w.must(err)
	c := w.client()
	head, err := c.Head(t.Context(), r.Name, "main")
	w.must(err)
	regular := func(text string) *tree.File { f := tree.Text(text); return &f }
	try := func(changes map[string]*tree.File) (Committed, Committed, error) {
		k := Commit{Parent: head.Commit, Tree: head.Tree, Changes: changes, Message: "Headline\n\nBody\n"}
		made, err := c.Commit(t.Context(), r.Name, k)
		w.must(err)
		if made.Verified || made.Reason != "unsigned" {
			t.Errorf("the commit is %+v, want one without a signature", made)
		}
		signed, err := c.Sign(t.Context(), r, k, made, "via")
		return made, signed, err
	}
	for range 2 { // the branch may be there from before
		made, signed, err := try(map[string]*tree.File{"a": regular("new\n"), "gone": nil, "bytes": {Kind: tree.Regular, Data: []byte{0, 0xff}}, "deep/er/c": regular("c\n")})
		if err != nil || !signed.Verified || signed.Tree != made.Tree || signed.ID == made.ID {
			t.Fatalf("signed %+v (%v) of %+v", signed, err, made)
		}
		now, err := c.branchHead(t.Context(), r.Name, "via")
		if err != nil || now.Commit != signed.ID {
			t.Errorf("the branch is at %+v (%v)", now, err)
		}
	}
	for name, changes := range map[string]map[string]*tree.File{
		"run.sh is executable":                   {"run.sh": {Kind: tree.Executable, Data: []byte("new\n")}},
		"run.sh was executable":                  {"run.sh": regular("new\n")},
		"link is a symbolic link":                {"link": {Kind: tree.Symlink, Data: []byte("a")}},
		"let the App bypass the rule, or make":   {"link": {Kind: tree.Symlink, Data: []byte("a")}, "a": regular("b\n")},
		"GitHub signs no commit that changes wh": {"run.sh": regular("x\n"), "a": regular("b\n")},
	} {
		if _, _, err := try(changes); !errors.Is(err, Refused) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
