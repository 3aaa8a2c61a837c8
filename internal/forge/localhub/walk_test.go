package localhub_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// TestPullRequestByTheGitDataAPI walks the way the product takes: read, tree, commit,
// ref, pull request, merge.
func TestPullRequestByTheGitDataAPI(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"README.md": "hello\n", "old.txt": "old\n", "src/main.go": "package main\n"})
	client := w.client(w.install(), nil)
	ctx := t.Context()

	repo, _, err := client.Repositories.Get(ctx, "acme", "payments")
	must(t, err)
	if repo.GetDefaultBranch() != "main" || !repo.GetPrivate() {
		t.Fatalf("got %v", repo)
	}
	ref, _, err := client.Git.GetRef(ctx, "acme", "payments", "heads/main")
	must(t, err)
	base, _, err := client.Git.GetCommit(ctx, "acme", "payments", ref.GetObject().GetSHA())
	must(t, err)
	tree, _, err := client.Git.CreateTree(ctx, "acme", "payments", base.GetTree().GetSHA(), []*github.TreeEntry{
		{Path: new("README.md"), Mode: new("100644"), Type: new("blob"), Content: new("changed\n")},
		{Path: new("run.sh"), Mode: new("100755"), Type: new("blob"), Content: new("#!/bin/sh\n")},
		{Path: new("old.txt"), Mode: new("100644"), Type: new("blob")},
	})
	must(t, err)
	commit, _, err := client.Git.CreateCommit(ctx, "acme", "payments", &github.Commit{
		Message: new("Update"), Tree: tree, Parents: []*github.Commit{base},
	}, nil)
	must(t, err)
	if !commit.GetVerification().GetVerified() || commit.GetAuthor().GetName() != "syncer[bot]" {
		t.Errorf("commit is not vouched for: %v", commit)
	}
	_, _, err = client.Git.CreateRef(ctx, "acme", "payments", &github.Reference{
		Ref: new("refs/heads/goldenpath/x"), Object: &github.GitObject{SHA: commit.SHA},
	})
	must(t, err)
	pull, _, err := client.PullRequests.Create(ctx, "acme", "payments", &github.NewPullRequest{
		Title: new("Update"), Head: new("goldenpath/x"), Base: new("main"), Body: new("why"),
	})
	must(t, err)
	if pull.Mergeable != nil {
		t.Error("mergeability is known at once")
	}
	pull, _, err = client.PullRequests.Get(ctx, "acme", "payments", pull.GetNumber())
	must(t, err)
	if pull.GetMergeableState() != "clean" || pull.GetChangedFiles() != 3 || pull.GetCommits() != 1 {
		t.Errorf("got mergeable %s, %d files, %d commits", pull.GetMergeableState(), pull.GetChangedFiles(), pull.GetCommits())
	}
	merged, _, err := client.PullRequests.Merge(ctx, "acme", "payments", pull.GetNumber(), "", nil)
	must(t, err)
	if !merged.GetMerged() {
		t.Errorf("not merged: %v", merged)
	}
	files, err := w.hub.Files("acme/payments", "main")
	must(t, err)
	want := map[string]string{"README.md": "changed\n", "run.sh": "#!/bin/sh\n", "src/main.go": "package main\n"}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	events := w.events()
	for _, name := range []string{"installation.created", "create", "push", "pull_request.opened", "pull_request.closed", "check_suite.requested"} {
		if !slices.Contains(events, name) {
			t.Errorf("no %s among %v", name, events)
		}
	}
	tally := localhub.Count(w.hub.Requests(), nil)
	if tally.Routes["POST /repos/{owner}/{repo}/pulls"] != 1 || tally.Content != 4 {
		t.Errorf("counted %+v", tally)
	}
	w.conforms()
}
