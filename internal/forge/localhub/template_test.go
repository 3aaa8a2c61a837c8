package localhub_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

func TestUseThisTemplate(t *testing.T) {
	for _, c := range []struct {
		name  string
		reads int
	}{{"at once", 0}, {"after three reads", 3}, {"when told", -1}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, localhub.Options{ContentReads: c.reads})
			files := map[string]string{"README.md": "t\n", ".goldenpath.yaml": "x\n"}
			must(t, w.alice.CreateRepository("acme/template", localhub.NewRepository{Private: true, Template: true, Files: files}))
			client := w.client(w.install(), nil)
			must(t, w.bob.UseTemplate("acme/template", "acme/made", localhub.NewRepository{Private: true, Description: "said"}))
			repo, _, err := client.Repositories.Get(t.Context(), "acme", "made")
			must(t, err)
			if repo.GetTemplateRepository().GetFullName() != "acme/template" {
				t.Errorf("made from %v", repo.GetTemplateRepository())
			}
			for range max(c.reads, 0) {
				if _, _, err := client.Git.GetRef(t.Context(), "acme", "made", "heads/main"); status(err) != http.StatusConflict {
					t.Errorf("before the content: %v", err)
				}
			}
			if c.reads < 0 {
				if _, _, err := client.Git.GetRef(t.Context(), "acme", "made", "heads/main"); status(err) != http.StatusConflict {
					t.Errorf("before the content: %v", err)
				}
				must(t, w.hub.FinishContent("acme/made"))
			}
			_, _, err = client.Git.GetRef(t.Context(), "acme", "made", "heads/main")
			must(t, err)
			got, err := w.hub.Files("acme/made", "main")
			must(t, err)
			if diff := cmp.Diff(files, got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			want := []string{"installation.created", "repository.created", "installation_repositories.added", "push", "check_suite.requested"}
			if diff := cmp.Diff(want, w.events()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			w.conforms()
		})
	}
}

func TestTemplateThatTheAppCannotSee(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	must(t, w.alice.CreateRepository("acme/template", localhub.NewRepository{Private: true, Template: true, Files: map[string]string{"a": "a\n"}}))
	must(t, w.alice.UseTemplate("acme/template", "acme/made", localhub.NewRepository{Private: true}))
	client := w.client(w.install("made"), nil)
	repo, _, err := client.Repositories.Get(t.Context(), "acme", "made")
	must(t, err)
	if repo.TemplateRepository != nil {
		t.Errorf("got %v", repo.TemplateRepository.GetFullName())
	}
}

func TestRepositoriesAreFoundAfterMoving(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("old", map[string]string{"a": "a\n"})
	client := w.client(w.install(), nil)
	ctx := t.Context()
	before, _, err := client.Repositories.Get(ctx, "acme", "old")
	must(t, err)
	must(t, w.alice.Rename("acme/old", "new"))
	after, _, err := client.Repositories.Get(ctx, "acme", "old")
	must(t, err)
	if after.GetFullName() != "acme/new" || after.GetID() != before.GetID() {
		t.Errorf("got %s", after.GetFullName())
	}
	byID, _, err := client.Repositories.GetByID(ctx, before.GetID())
	must(t, err)
	if byID.GetFullName() != "acme/new" {
		t.Errorf("got %s", byID.GetFullName())
	}
	code, body, header := w.rawNoRedirect(client, "/repos/acme/old/contents/a?ref=main")
	if code != http.StatusMovedPermanently || body["message"] != "Moved Permanently" || header.Get("Location") == "" {
		t.Errorf("got %d %v %v", code, body, header)
	}
	content, _, _, err := client.Repositories.GetContents(ctx, "acme", "old", "a", &github.RepositoryContentGetOptions{Ref: "main"})
	must(t, err)
	if text, err := content.GetContent(); err != nil || text != "a\n" {
		t.Errorf("got %q %v", text, err)
	}
	w.repository("old", map[string]string{"a": "another\n"})
	taken, _, err := client.Repositories.Get(ctx, "acme", "old")
	must(t, err)
	if taken.GetID() == before.GetID() {
		t.Error("the old name still leads to the renamed repository")
	}
	must(t, w.alice.Archive("acme/new", true))
	_, _, err = client.Issues.Create(ctx, "acme", "new", &github.IssueRequest{Title: new("x")})
	var failed *github.ErrorResponse
	if !errors.As(err, &failed) || failed.Message != "Repository was archived so is read-only." {
		t.Errorf("archived: %v", err)
	}
	must(t, w.alice.Delete("acme/new"))
	if _, _, err := client.Repositories.GetByID(ctx, before.GetID()); status(err) != 404 {
		t.Errorf("deleted: %v", err)
	}
	w.conforms()
}

// rawNoRedirect does not follow.
func (w *world) rawNoRedirect(client *github.Client, path string) (int, map[string]any, http.Header) {
	inner := *client.Client()
	inner.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w.raw(github.NewClient(&inner), "GET", path, nil)
}
