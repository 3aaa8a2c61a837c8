package localhub_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// TestManyAtOnce opens a pull request in many repositories from several goroutines.
func TestManyAtOnce(t *testing.T) {
	const repositories, workers = 24, 6
	w := newWorld(t, localhub.Options{Limits: localhub.Unlimited()})
	for i := range repositories {
		w.repository(fmt.Sprintf("r%d", i), map[string]string{"a": "1\n", "b/c": "2\n"})
	}
	client := w.client(w.install(), nil)
	ctx := t.Context()
	open := func(name string) error {
		ref, _, err := client.Git.GetRef(ctx, "acme", name, "heads/main")
		if err != nil {
			return err
		}
		parent := ref.GetObject().GetSHA()
		tree, _, err := client.Git.CreateTree(ctx, "acme", name, parent, []*github.TreeEntry{{Path: new("a"), Mode: new("100644"), Type: new("blob"), Content: new("x\n")}})
		if err != nil {
			return err
		}
		commit, _, err := client.Git.CreateCommit(ctx, "acme", name, &github.Commit{Message: new("m"), Tree: tree, Parents: []*github.Commit{{SHA: &parent}}}, nil)
		if err != nil {
			return err
		}
		if _, _, err = client.Git.CreateRef(ctx, "acme", name, &github.Reference{Ref: new("refs/heads/t"), Object: &github.GitObject{SHA: commit.SHA}}); err != nil {
			return err
		}
		_, _, err = client.PullRequests.Create(ctx, "acme", name, &github.NewPullRequest{Title: new("t"), Head: new("t"), Base: new("main")})
		return err
	}
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < repositories; i += workers {
				if err := open(fmt.Sprintf("r%d", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for i := range repositories {
		pulls, err := w.hub.Pulls(fmt.Sprintf("acme/r%d", i))
		must(t, err)
		if len(pulls) != 1 || pulls[0].State != "open" {
			t.Errorf("r%d: got %v", i, pulls)
		}
	}
	opened := 0
	for _, name := range w.events() {
		if name == "pull_request.opened" {
			opened++
		}
	}
	tally := localhub.Count(w.hub.Requests(), func(r localhub.Request) bool { return r.Installation != 0 })
	if opened != repositories || tally.API != 5*repositories || tally.Content != 4*repositories || tally.Points != 21*repositories {
		t.Errorf("%d events, cost %+v", opened, tally)
	}
	w.conforms()
}
