package forge

import (
	"errors"
	"testing"
)

// TestNotAllIsGranted: a job asks for a permission that the owner has not granted.
// It does what the others allow, and hears of the missing one where it needs it; once
// it is accepted, a new Installation has it.
func TestNotAllIsGranted(t *testing.T) {
	w := newWorld(t, how{grant: map[string]string{"contents": "write", "issues": "read", "metadata": "read"}})
	w.repository("pay", map[string]string{"Makefile": "all:\n"})
	access := Access{Permissions: map[string]string{"contents": "write", "issues": "write", "administration": "write", "metadata": "read"}}
	c := w.forge.Installation(w.inst.ID()).As(access)
	r, err := c.RepositoryByName(t.Context(), Name{"acme", "pay"})
	w.must(err)
	if _, err := c.Commit(t.Context(), r.Name, Commit{Changes: change("a", "a\n"), Message: "a"}); err != nil {
		t.Errorf("what was granted cannot be done: %v", err)
	}
	_, err = c.EnsureIssue(t.Context(), r.Name, Issue{Key: "k", Title: "t"})
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Denied || e.Permission == "" {
		t.Errorf("without the permission an issue gives %v, want one that is denied and names the permission", err)
	}
	w.app.RequestPermissions(map[string]string{"contents": "write", "issues": "write", "metadata": "read"})
	w.alice.Accept(w.inst)
	w.forge.Forget(w.inst.ID())
	if _, err := w.forge.Installation(w.inst.ID()).As(access).EnsureIssue(t.Context(), r.Name, Issue{Key: "k", Title: "t"}); err != nil {
		t.Errorf("the permission was accepted: %v", err)
	}
}
