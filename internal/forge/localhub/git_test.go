package localhub_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

// git runs the real program, without the machine's configuration.
func git(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Bob", "GIT_AUTHOR_EMAIL=bob@example.com", "GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=bob@example.com",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func gitOK(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := git(t, dir, args...)
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return out
}

// remote is a repository's address with a password.
func (w *world) remote(name, password string) string {
	return strings.Replace(w.hub.URL(), "://", "://x-access-token:"+password+"@", 1) + "/acme/" + name + ".git"
}

// token asks for an installation token.
func (w *world) token(i *localhub.Installation, options *github.InstallationTokenOptions) string {
	w.t.Helper()
	t, _, err := w.asApp().Apps.CreateInstallationToken(w.t.Context(), i.ID(), options)
	must(w.t, err)
	return t.GetToken()
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, []byte(text), 0o644))
}

func TestGitOverHTTP(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"README.md": "hello\n", "a/b.txt": "b\n"})
	install := w.install()
	password := w.token(install, nil)
	for _, protocol := range []string{"0", "2"} {
		t.Run("protocol "+protocol, func(t *testing.T) {
			dir := t.TempDir()
			gitOK(t, dir, "-c", "protocol.version="+protocol, "clone", "-q", w.remote("payments", password), "c")
			c := filepath.Join(dir, "c")
			branch := "from-" + protocol
			gitOK(t, c, "checkout", "-q", "-b", branch)
			write(t, c, "new.txt", "by git "+protocol+"\n")
			gitOK(t, c, "add", "-A")
			gitOK(t, c, "commit", "-q", "-m", "by git")
			gitOK(t, c, "-c", "protocol.version="+protocol, "push", "-q", "origin", branch)
			files, err := w.hub.Files("acme/payments", branch)
			must(t, err)
			want := map[string]string{"README.md": "hello\n", "a/b.txt": "b\n", "new.txt": "by git " + protocol + "\n"}
			if diff := cmp.Diff(want, files); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			// A forced push, and a deletion.
			gitOK(t, c, "commit", "-q", "--amend", "-m", "again")
			if out, err := git(t, c, "push", "-q", "origin", branch); err == nil {
				t.Errorf("pushing without force worked: %s", out)
			}
			gitOK(t, c, "push", "-q", "--force", "origin", branch)
			gitOK(t, c, "push", "-q", "origin", ":"+branch)
		})
	}
	t.Run("many objects come as a pack", func(t *testing.T) {
		dir := t.TempDir()
		gitOK(t, dir, "clone", "-q", w.remote("payments", password), "c")
		c := filepath.Join(dir, "c")
		for i := range 150 {
			write(t, c, filepath.Join("many", strings.Repeat("x", i+1)), strings.Repeat("y", i))
		}
		gitOK(t, c, "add", "-A")
		gitOK(t, c, "commit", "-q", "-m", "many")
		gitOK(t, c, "push", "-q", "origin", "main")
		files, err := w.hub.Files("acme/payments", "main")
		must(t, err)
		if len(files) != 152 {
			t.Errorf("got %d files", len(files))
		}
	})
	t.Run("without blobs", func(t *testing.T) {
		dir := t.TempDir()
		gitOK(t, dir, "clone", "-q", "--filter=blob:none", "--no-checkout", w.remote("payments", password), "c")
		if out := gitOK(t, filepath.Join(dir, "c"), "rev-list", "--objects", "--missing=print", "HEAD"); !strings.Contains(out, "?") {
			t.Errorf("nothing is missing:\n%s", out)
		}
	})
	t.Run("events", func(t *testing.T) {
		pushes := 0
		for _, name := range w.events() {
			if name == "push" {
				pushes++
			}
		}
		if pushes != 7 {
			t.Errorf("got %d pushes, want 7", pushes)
		}
	})
}

func TestGitRefusals(t *testing.T) {
	w := newWorld(t, localhub.Options{})
	w.repository("payments", map[string]string{"README.md": "hello\n"})
	w.repository("other", map[string]string{"README.md": "hello\n"})
	install := w.install()
	must(t, w.alice.AddRuleset("acme/other", "main", "branch", []string{"~DEFAULT_BRANCH"}, localhub.Rule{Type: "pull_request"}))
	only := func(names []string, permissions *github.InstallationPermissions) string {
		return w.token(install, &github.InstallationTokenOptions{Repositories: names, Permissions: permissions})
	}
	writing := &github.InstallationPermissions{Contents: new("write")}
	for _, c := range []struct {
		name, repo, password, file, want string
	}{
		{"no password", "payments", "", "x", "could not read Username"},
		{"unknown token", "payments", "ghs_no", "x", "Invalid username or token"},
		{"another repository's token", "payments", only([]string{"other"}, writing), "x", "not found"},
		{"reading only", "payments", only([]string{"payments"}, &github.InstallationPermissions{Contents: new("read")}), "x", "403"},
		{"a workflow without the permission", "payments", only([]string{"payments"}, writing), ".github/workflows/ci.yml",
			"refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission"},
		{"a ruleset", "other", w.token(install, nil), "x", "GH013: Repository rule violations found for refs/heads/main"},
		{"a ruleset's reason", "other", w.token(install, nil), "x", "Changes must be made through a pull request."},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			gitOK(t, dir, "clone", "-q", w.remote(c.repo, w.alice.Token()), "c")
			clone := filepath.Join(dir, "c")
			write(t, clone, c.file, "x\n")
			gitOK(t, clone, "add", "-A")
			gitOK(t, clone, "commit", "-q", "-m", "x")
			url := w.hub.URL() + "/acme/" + c.repo + ".git"
			if c.password != "" {
				url = w.remote(c.repo, c.password)
			}
			out, err := git(t, clone, "push", url, "HEAD:main")
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("got %v, want %q:\n%s", err, c.want, out)
			}
		})
	}
}
