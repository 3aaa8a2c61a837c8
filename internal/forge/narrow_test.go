package forge

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// TestATokenIsExactlyWhatWasAskedFor: a permission that go-github's structures lack
// neither widens the token nor is lost from what an owner granted.
func TestATokenIsExactlyWhatWasAskedFor(t *testing.T) {
	all := map[string]string{"contents": "write", "metadata": "read", "issues": "write", "actions_variables": "write"}
	var asked []map[string]string
	w := newWorld(t, how{grant: all, config: func(c *Config) {
		next := c.Transport
		if next == nil {
			next = defaultTransport()
		}
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/access_tokens") {
				body, err := r.GetBody()
				if err != nil {
					return nil, err
				}
				var in struct {
					Permissions  map[string]string `json:"permissions"`
					Repositories []int64           `json:"repository_ids"`
				}
				data, err := io.ReadAll(body)
				if err == nil {
					err = json.Unmarshal(data, &in)
				}
				if err != nil {
					return nil, err
				}
				asked = append(asked, in.Permissions)
			}
			return next.RoundTrip(r)
		})
	}})
	id := w.repository("pay", map[string]string{"Makefile": "all:\n"})
	asked = nil
	narrow := map[string]string{"actions_variables": "write", "metadata": "read"}
	c := w.forge.Installation(w.inst.ID()).As(Access{Repositories: []int64{id.ID}, Permissions: narrow})
	if _, err := c.SetVariable(t.Context(), id.Name, "TEAM", "core"); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || !maps.Equal(asked[0], narrow) {
		t.Errorf("a token was asked for with %v, want %v", asked, narrow)
	}
	if _, err := c.Commit(t.Context(), id.Name, Commit{Changes: change("a", "a\n"), Message: "a"}); KindOf(err) != Denied {
		t.Errorf("the token is wider than what was asked for: a commit gives %v", err)
	}
	info, err := w.forge.InstallationInfo(t.Context(), w.inst.ID())
	if err != nil || !maps.Equal(info.Permissions, all) {
		t.Errorf("granted is %v (%v), want %v", info.Permissions, err, all)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

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
