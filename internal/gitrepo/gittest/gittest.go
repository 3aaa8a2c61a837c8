// Package gittest helps tests with real git: repositories made by it, and a server
// that speaks its protocol over HTTP.
package gittest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// environment keeps the machine's configuration out of tests.
func environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=2026-11-01T10:00:00Z",
		"GIT_COMMITTER_NAME=A U Thor", "GIT_COMMITTER_EMAIL=author@example.com", "GIT_COMMITTER_DATE=2026-11-01T10:00:00Z",
	}
}

// Isolate makes the code under test see none of the machine's git configuration.
func Isolate(t testing.TB) {
	t.Helper()
	home := t.TempDir()
	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": home, "NETRC": filepath.Join(home, "netrc"), "EMAIL": "",
		"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": filepath.Join(home, "gitconfig"),
		"GIT_AUTHOR_NAME": "", "GIT_AUTHOR_EMAIL": "", "SYNCER_GIT_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
}

// Need skips a test where git is not installed.
func Need(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
}

// Git runs git in a folder and returns what it prints, without the last line end.
// A failure ends the test.
func Git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := Try(dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Try is [Git] where failing is allowed.
func Try(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, environment()
	out, err := cmd.CombinedOutput()
	return strings.TrimRight(string(out), "\n"), err
}

// Repository makes a repository with one commit that holds files, and returns its
// folder.
func Repository(t testing.TB, files map[string]string) string {
	t.Helper()
	Need(t)
	dir := t.TempDir()
	Git(t, dir, "init", "-q", "-b", "main")
	Commit(t, dir, "first", files)
	return dir
}

// Commit writes files, commits everything and returns the commit's id.
func Commit(t testing.TB, dir, message string, files map[string]string) string {
	t.Helper()
	for p, text := range files {
		Write(t, dir, p, text)
	}
	Git(t, dir, "add", "-A")
	Git(t, dir, "commit", "-q", "--allow-empty", "-m", message)
	return Git(t, dir, "rev-parse", "HEAD")
}

// Write writes one file, with the folders it needs.
func Write(t testing.TB, dir, p, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(p))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Serve serves the repositories below root over HTTP, for reading and for pushing
// where a repository's http.receivepack allows it, and returns the URL of root.
func Serve(t testing.TB, root string) string {
	t.Helper()
	server := httptest.NewServer(Handler(t, root))
	t.Cleanup(server.Close)
	return server.URL
}

// Handler is what [Serve] serves.
func Handler(t testing.TB, root string) http.Handler {
	t.Helper()
	Need(t)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Stderr: io.Discard,
		Env: append(environment(), "GIT_PROJECT_ROOT="+root, "GIT_HTTP_EXPORT_ALL=1"),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// CGI needs a length, and package cgi refuses chunked bodies.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		backend.ServeHTTP(w, r)
	})
}
