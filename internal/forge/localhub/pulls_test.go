package localhub_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// text is a failed call's message and those of its errors.
func text(err error) string {
	var failed *github.ErrorResponse
	if !errors.As(err, &failed) {
		return fmt.Sprint(err)
	}
	out := failed.Message
	for _, e := range failed.Errors {
		out += "; " + e.Field + " " + e.Code + " " + e.Message
	}
	return out
}

func TestPullRequestRefusals(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"a": "1\n"})
	_, err := w.alice.Push("acme/payments", "topic", "m", localhub.Edit{Files: map[string]string{"a": "2\n"}})
	must(t, err)
	must(t, w.reset("acme/payments", "same", "main"))
	client := w.client(w.install(), nil)
	open := func(title, body, head, base string) error {
		_, _, err := client.PullRequests.Create(t.Context(), "acme", "payments", &github.NewPullRequest{Title: &title, Body: &body, Head: &head, Base: &base})
		return err
	}
	must(t, open("t", "", "topic", "main"))
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"twice", open("t", "", "topic", "main"), "Validation Failed;  custom A pull request already exists for acme:topic."},
		{"no commits", open("t", "", "same", "main"), "Validation Failed;  custom No commits between main and same"},
		{"no head", open("t", "", "nothing", "main"), "Validation Failed; head invalid "},
		{"no base", open("t", "", "topic", "nothing"), "Validation Failed; base invalid "},
		{"no title", open("", "", "topic", "main"), "Validation Failed; title missing_field "},
		{"a long body", open("t", strings.Repeat("é", 65_537), "topic", "main"), "Validation Failed; body custom body is too long (maximum is 65536 characters)"},
	} {
		if got := text(c.err); got != c.want || status(c.err) != 422 {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMergeabilityIsGits(t *testing.T) {
	w := newWorld(t, localhub.Options{MergeableReads: 1})
	w.repository("payments", map[string]string{"a": "1\n2\n3\n", "b": "b\n"})
	const repo = "acme/payments"
	_, err := w.alice.Push(repo, "topic", "m", localhub.Edit{Files: map[string]string{"a": "1\nX\n3\n"}})
	must(t, err)
	client := w.client(w.install(), nil)
	number, err := w.alice.OpenPull(repo, "topic", "main", "t", "")
	must(t, err)
	state := func() string {
		p, _, err := client.PullRequests.Get(t.Context(), "acme", "payments", number)
		must(t, err)
		mergeable := "null"
		if p.Mergeable != nil {
			mergeable = fmt.Sprint(*p.Mergeable)
		}
		return mergeable + " " + p.GetMergeableState()
	}
	expect := func(when string, want ...string) {
		t.Helper()
		for _, one := range want {
			if got := state(); got != one {
				t.Errorf("%s: got %s, want %s", when, got, one)
			}
		}
	}
	expect("new", "null unknown", "true clean")
	head, err := w.alice.Push(repo, "main", "elsewhere", localhub.Edit{Files: map[string]string{"b": "c\n"}})
	must(t, err)
	expect("base moved", "null unknown", "true clean")
	_, err = w.alice.Push(repo, "main", "same line", localhub.Edit{Files: map[string]string{"a": "1\nY\n3\n"}})
	must(t, err)
	expect("conflict", "null unknown", "false dirty")
	if err := w.alice.MergePull(repo, number, "merge"); err == nil {
		t.Error("merged a conflict")
	}
	must(t, w.alice.ResetBranch(repo, "main", head))
	must(t, w.alice.Protect(repo, "main", &localhub.Protection{Checks: []string{"build"}, Reviews: 1, Admins: true}))
	expect("demands", "null unknown", "true blocked")
	pulls, err := w.hub.Pulls(repo)
	must(t, err)
	must(t, w.alice.CompleteCheck(repo, pulls[0].HeadID, "build", "success"))
	expect("check is there", "true blocked")
	must(t, w.alice.Grant(repo, "carol", "write"))
	must(t, w.hub.Person("carol").Review(repo, number, "APPROVED", ""))
	expect("approved", "true clean")
	_, _, err = client.PullRequests.Merge(t.Context(), "acme", "payments", number, "", &github.PullRequestOptions{MergeMethod: "squash", SHA: strings.Repeat("0", 40)})
	if status(err) != 409 {
		t.Errorf("merging another head: %v", err)
	}
	_, _, err = client.PullRequests.Merge(t.Context(), "acme", "payments", number, "", &github.PullRequestOptions{MergeMethod: "squash"})
	must(t, err)
	w.conforms()
}

func TestBranchesLeadTheirPullRequests(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"a": "1\n"})
	const repo = "acme/payments"
	open := func(branch string) int {
		_, err := w.alice.Push(repo, branch, "m", localhub.Edit{Files: map[string]string{branch: "x\n"}})
		must(t, err)
		n, err := w.alice.OpenPull(repo, branch, "main", branch, "")
		must(t, err)
		return n
	}
	state := func(n int) string {
		pulls, err := w.hub.Pulls(repo)
		must(t, err)
		i := slices.IndexFunc(pulls, func(p localhub.Pull) bool { return p.Number == n })
		return fmt.Sprintf("%s merged=%v", pulls[i].State, pulls[i].Merged)
	}
	deleted, unrelated, pushed, emptied := open("deleted"), open("unrelated"), open("pushed"), open("emptied")
	must(t, w.alice.DeleteBranch(repo, "deleted"))
	_, err := w.alice.ForcePush(repo, "unrelated", "m", map[string]string{"z": "z\n"})
	must(t, err)
	must(t, w.reset(repo, "emptied", "main"))
	must(t, w.reset(repo, "main", "pushed"))
	for n, want := range map[int]string{
		deleted: "closed merged=false", unrelated: "closed merged=false", emptied: "closed merged=false", pushed: "closed merged=true",
	} {
		if got := state(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	if err := w.alice.Reopen(repo, unrelated); err == nil {
		t.Error("reopened a pull request whose branch was replaced")
	}
}

func TestRulesAreEnforced(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"a": "1\n"})
	const repo = "acme/payments"
	rule := func(kind string, parameters map[string]any) localhub.Rule {
		return localhub.Rule{Type: kind, Parameters: parameters}
	}
	must(t, w.alice.AddRuleset(repo, "main", "branch", []string{"~DEFAULT_BRANCH"}, rule("pull_request", nil)))
	must(t, w.alice.AddRuleset(repo, "signed", "branch", []string{"refs/heads/signed/**"}, rule("required_signatures", nil)))
	must(t, w.alice.AddRuleset(repo, "names", "branch", []string{"refs/heads/no/**"}, rule("creation", nil)))
	must(t, w.alice.AddRuleset(repo, "paths", "push", nil, rule("file_path_restriction", map[string]any{"restricted_file_paths": []any{"secret/**"}})))
	client := w.client(w.install(), nil)
	ctx := t.Context()
	heads, err := w.hub.Branches(repo)
	must(t, err)
	base := heads["main"]
	tree := func(path string) (*github.Tree, error) {
		made, _, err := client.Git.CreateTree(ctx, "acme", "payments", base, []*github.TreeEntry{{Path: &path, Mode: new("100644"), Type: new("blob"), Content: new("x\n")}})
		return made, err
	}
	made, err := tree("b")
	must(t, err)
	commit := func(author *github.CommitAuthor) *github.Commit {
		c, _, err := client.Git.CreateCommit(ctx, "acme", "payments", &github.Commit{Message: new("m"), Tree: made, Parents: []*github.Commit{{SHA: &base}}, Author: author}, nil)
		must(t, err)
		return c
	}
	vouched, own := commit(nil), commit(&github.CommitAuthor{Name: new("x"), Email: new("x@example.com")})
	if own.GetVerification().GetVerified() {
		t.Error("a commit with an author is vouched for")
	}
	create := func(name string, c *github.Commit) error {
		_, _, err := client.Git.CreateRef(ctx, "acme", "payments", &github.Reference{Ref: new("refs/heads/" + name), Object: &github.GitObject{SHA: c.SHA}})
		return err
	}
	_, _, direct := client.Git.UpdateRef(ctx, "acme", "payments", &github.Reference{Ref: new("refs/heads/main"), Object: &github.GitObject{SHA: vouched.SHA}}, false)
	_, secretly := tree("secret/key")
	const violations = "Repository rule violations found\n\n"
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"moving the default branch", direct, violations + "Changes must be made through a pull request.\n\n"},
		{"a signed commit", create("signed/a", vouched), "<nil>"},
		{"an unsigned commit", create("signed/b", own), violations + "Commits must have verified signatures.\n\n"},
		{"creating", create("no/a", vouched), violations + "Cannot create ref due to creations being restricted.\n\n"},
		{"a restricted path", secretly, violations + "File path secret/key is restricted\n\n"},
	} {
		if got := text(c.err); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	// go-github v60 fails on the types of push rules, so this is read raw.
	r, err := client.NewRequest("GET", "repos/acme/payments/rules/branches/signed/a", nil)
	must(t, err)
	var list []struct {
		Type string `json:"type"`
	}
	_, err = client.Do(ctx, r, &list)
	must(t, err)
	if len(list) != 2 || list[0].Type != "required_signatures" || list[1].Type != "file_path_restriction" {
		t.Errorf("got %v", list)
	}
	number, err := w.alice.OpenPull(repo, "signed/a", "main", "t", "")
	must(t, err)
	must(t, w.alice.MergePull(repo, number, "squash"))
}

func TestGitDataRefusals(t *testing.T) {
	w := newWorld(t, localhub.Options{TreeLimit: 2})
	w.repository("payments", map[string]string{"a": "1\n", "d/b": "2\n", "d/c": "3\n"})
	must(t, w.alice.CreateRepository("acme/empty", localhub.NewRepository{Private: true}))
	client := w.client(w.install(), nil)
	heads, err := w.hub.Branches("acme/payments")
	must(t, err)
	base := heads["main"]
	unknown := strings.Repeat("1", 40)
	post := func(path string, body any) string {
		code, out, _ := w.raw(client, "POST", "/repos/acme/"+path, body)
		return fmt.Sprint(code, " ", out["message"])
	}
	entry := func(more map[string]any) map[string]any {
		one := map[string]any{"path": "x", "mode": "100644", "type": "blob"}
		maps.Copy(one, more)
		return map[string]any{"base_tree": base, "tree": []any{one}}
	}
	for _, c := range []struct{ name, got, want string }{
		{"deleting what is not there", post("payments/git/trees", entry(map[string]any{"sha": nil})), "422 GitRPC::BadObjectState"},
		{"content and sha", post("payments/git/trees", entry(map[string]any{"sha": unknown, "content": "x"})), "422 Must supply either tree.sha or tree.content. Request will be rejected if both are present."},
		{"neither", post("payments/git/trees", entry(nil)), "422 Must supply either tree.sha or tree.content. Request will be rejected if both are present."},
		{"a bad path", post("payments/git/trees", entry(map[string]any{"path": "a/../b", "content": "x"})), "422 tree.path contains a malformed path component"},
		{"unknown tree", post("payments/git/commits", map[string]any{"message": "m", "tree": unknown}), "422 Tree SHA does not exist"},
		{"unknown parent", post("payments/git/commits", map[string]any{"message": "m", "tree": base, "parents": []string{unknown}}), "422 Tree SHA does not exist"},
		{"ref to nothing", post("payments/git/refs", map[string]any{"ref": "refs/heads/x", "sha": unknown}), "422 Object does not exist"},
		{"ref that is there", post("payments/git/refs", map[string]any{"ref": "refs/heads/main", "sha": base}), "422 Reference already exists"},
		{"short ref", post("payments/git/refs", map[string]any{"ref": "x", "sha": base}), "422 Reference name must contain at least three slash-separated components."},
		{"ref below a ref", post("payments/git/refs", map[string]any{"ref": "refs/heads/main/x", "sha": base}), "422 Reference update failed"},
		{"in an empty repository", post("empty/git/trees", entry(map[string]any{"content": "x"})), "409 Git Repository is empty."},
		{"ref in an empty repository", post("empty/git/refs", map[string]any{"ref": "refs/heads/main", "sha": base}), "409 Git Repository is empty."},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	tree, _, err := client.Git.GetTree(t.Context(), "acme", "payments", base, true)
	must(t, err)
	if !tree.GetTruncated() || len(tree.Entries) != 2 {
		t.Errorf("got %d entries, truncated %v", len(tree.Entries), tree.GetTruncated())
	}
	_, err = client.Git.DeleteRef(t.Context(), "acme", "payments", "heads/nothing")
	if text(err) != "Reference does not exist" {
		t.Errorf("got %v", err)
	}
}

func TestChecksAreBounded(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"a": "1\n"})
	client := w.client(w.install(), nil)
	heads, err := w.hub.Branches("acme/payments")
	must(t, err)
	create := func(summary string, annotations int) error {
		output := &github.CheckRunOutput{Title: new("t"), Summary: &summary}
		for range annotations {
			output.Annotations = append(output.Annotations, &github.CheckRunAnnotation{
				Path: new("a"), StartLine: new(1), EndLine: new(1), AnnotationLevel: new("notice"), Message: new("m"),
			})
		}
		_, _, err := client.Checks.CreateCheckRun(t.Context(), "acme", "payments", github.CreateCheckRunOptions{Name: "n", HeadSHA: heads["main"], Output: output})
		return err
	}
	must(t, create(strings.Repeat("x", 65_535), 50))
	if err := create(strings.Repeat("x", 65_536), 0); status(err) != 422 {
		t.Errorf("a long summary: %v", err)
	}
	if err := create("s", 51); status(err) != 422 {
		t.Errorf("many annotations: %v", err)
	}
}

// reset points a branch at another one's head.
func (w *world) reset(repo, branch, to string) error {
	heads, err := w.hub.Branches(repo)
	if err != nil {
		return err
	}
	return w.alice.ResetBranch(repo, branch, heads[to])
}
