package gitrepo

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// published makes a bare repository that is served over HTTP, and returns where it
// is made, its URL, and how many requests were made.
func published(t *testing.T) (work, url string, requests *atomic.Int32) {
	t.Helper()
	work, _ = versioned(t)
	root := t.TempDir()
	bare := filepath.Join(root, "acme", "platform.git")
	gittest.Git(t, work, "clone", "-q", "--bare", work, bare)
	gittest.Git(t, bare, "config", "http.receivepack", "true")
	gittest.Git(t, work, "remote", "add", "origin", bare)
	requests = &atomic.Int32{}
	handler := gittest.Handler(t, root)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return work, server.URL + "/acme/platform.git", requests
}

func TestCacheFetches(t *testing.T) {
	gittest.Isolate(t)
	work, url, requests := published(t)
	at := map[string]string{"main": gittest.Git(t, work, "rev-parse", "main")}
	for _, tag := range []string{"v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0-rc.1"} {
		at[tag] = gittest.Git(t, work, "rev-parse", tag+"^{}")
	}
	c := &Cache{Dir: filepath.Join(t.TempDir(), "mirrors")}
	checkVersioned(t, openSource(t, c, url), at)

	requests.Store(0)
	old := openSource(t, c, url)
	if n := requests.Load(); n != 1 {
		t.Errorf("nothing is new, and took %d requests", n)
	}

	// A new release, a tag that was moved by force, and a branch that is gone.
	at["v3.0.0"] = gittest.Commit(t, work, "v3", map[string]string{"goldenpaths/go/a": "v3.0.0"})
	gittest.Git(t, work, "tag", "v3.0.0")
	gittest.Git(t, work, "tag", "-f", "v1.10.0", at["v1.2.0"])
	gittest.Git(t, work, "push", "-q", "--force", "origin", "main", "v3.0.0", "v1.10.0", ":feature/x")
	p := openSource(t, c, url)
	for want, commit := range map[string]string{"": at["v3.0.0"], "v1.10.0": at["v1.2.0"], "main": at["v3.0.0"]} {
		if _, got, err := p.Resolve("go", want); got != commit || err != nil {
			t.Errorf("Resolve(%q) = %s, %v; want %s", want, got, err, commit)
		}
	}
	if _, _, err := p.Resolve("go", "feature/x"); err == nil {
		t.Error("a branch that the server no longer has is still there")
	}
	got, err := p.Tree(t.Context(), at["v3.0.0"])
	if diff := cmp.Diff(tree.Tree{"goldenpaths/go/a": tree.Text("v3.0.0")}, got); err != nil || diff != "" {
		t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
	}
	// Only what is new came in: two commits' worth of objects at most.
	mirror := mirrorOf(t, c)
	if out := gittest.Git(t, mirror, "count-objects", "-v"); !strings.Contains(out, "packs: 2") {
		t.Errorf("after two fetches:\n%s", out)
	}
	gittest.Git(t, mirror, "fsck", "--strict")
	if _, err := old.Tree(t.Context(), at["v1.2.0"]); err != nil {
		t.Errorf("who opened the mirror earlier: %v", err)
	}
}

func mirrorOf(t *testing.T, c *Cache) string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(c.Dir, "*", "objects"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("mirrors: %v, %v", dirs, err)
	}
	return filepath.Dir(dirs[0])
}

func TestCacheRepairs(t *testing.T) {
	gittest.Isolate(t)
	_, url, _ := published(t)
	c := &Cache{Dir: t.TempDir()}
	openSource(t, c, url)
	mirror := mirrorOf(t, c)
	packs, _ := filepath.Glob(filepath.Join(mirror, "objects", "pack", "*.pack"))
	for name, damage := range map[string]func() error{
		"a lost pack":      func() error { return os.RemoveAll(filepath.Join(mirror, "objects", "pack")) },
		"a lost HEAD":      func() error { return os.Remove(filepath.Join(mirror, "HEAD")) },
		"lost references":  func() error { return os.Remove(filepath.Join(mirror, "packed-refs")) },
		"an empty folder":  func() error { return errors.Join(os.RemoveAll(mirror), os.Mkdir(mirror, 0o777)) },
		"a truncated pack": func() error { return errors.Join(os.Chmod(packs[0], 0o600), os.Truncate(packs[0], 100)) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := damage(); err != nil && name != "a truncated pack" {
				t.Fatal(err)
			}
			p := openSource(t, c, url)
			_, commit, err := p.Resolve("go", "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Tree(t.Context(), commit); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCacheUnreachable(t *testing.T) {
	gittest.Isolate(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + closed.Addr().String() + "/acme/platform.git"
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := &Cache{Dir: t.TempDir(), Timeout: 50 * time.Millisecond}
	t.Setenv("SSH_AUTH_SOCK", filepath.Join(t.TempDir(), "nobody"))
	for _, url := range []string{
		dead, "http://" + silent.Addr().String() + "/x", "ssh://git@" + silent.Addr().String() + "/x",
	} {
		var unreachable *UnreachableError
		if _, err := c.Open(t.Context(), url); !errors.As(err, &unreachable) || !strings.Contains(err.Error(), url) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(c.Dir, "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A server that begins to answer and falls silent in the middle of a pack.
func TestCacheStalledPack(t *testing.T) {
	gittest.Isolate(t)
	root := filepath.Dir(gittest.Repository(t, map[string]string{"goldenpaths/go/a": strings.Repeat("stall", 1000)}))
	backend := gittest.Handler(t, root)
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			backend.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		backend.ServeHTTP(whole, r)
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		<-done
	}))
	defer server.Close()
	defer close(done)
	dirs, _ := filepath.Glob(filepath.Join(root, "*", ".git"))
	url := server.URL + "/" + filepath.Base(filepath.Dir(dirs[0]))
	var unreachable *UnreachableError
	c := &Cache{Dir: t.TempDir(), Timeout: 300 * time.Millisecond}
	if _, err := c.Open(t.Context(), url); !errors.As(err, &unreachable) || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("Open: %v", err)
	}
}

func TestCacheOffline(t *testing.T) {
	gittest.Isolate(t)
	work, _ := versioned(t)
	server := httptest.NewServer(gittest.Handler(t, filepath.Dir(work)))
	url := server.URL + "/" + filepath.Base(work)
	c := &Cache{Dir: t.TempDir()}
	offline := &Cache{Dir: c.Dir, Offline: true}
	if _, err := offline.Open(t.Context(), url); err == nil {
		t.Error("what was never fetched was opened offline")
	}
	openSource(t, c, url)
	server.Close()
	if _, err := c.Open(t.Context(), url); err == nil || !strings.Contains(err.Error(), "offline") {
		t.Errorf("with a mirror: %v; want a hint", err)
	}
	if _, _, err := openSource(t, offline, url).Resolve("go", "^1"); err != nil {
		t.Error(err)
	}
}

// The token goes to its host and to no other, and no error shows it.
func TestCacheToken(t *testing.T) {
	gittest.Isolate(t)
	var sent atomic.Value
	sent.Store("")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		sent.Store(password)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "no "+password)
	}))
	defer server.Close()
	for host, want := range map[string]string{"": "", "127.0.0.1": "s3cr3t", "github.com": ""} {
		c := &Cache{Dir: t.TempDir(), Token: "s3cr3t", TokenHost: host}
		_, err := c.Open(t.Context(), server.URL+"/x")
		if err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("TokenHost %q: %v", host, err)
		}
		if got := sent.Load(); got != want {
			t.Errorf("TokenHost %q: the server was sent %q, want %q", host, got, want)
		}
	}
	host, _, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	gittest.Write(t, os.Getenv("HOME"), "netrc", "machine "+host+" login me password fromnetrc\n")
	if _, err := (&Cache{Dir: t.TempDir()}).Open(t.Context(), server.URL+"/x"); err == nil || sent.Load() != "fromnetrc" {
		t.Errorf("netrc: sent %q, %v", sent.Load(), err)
	}
}

func TestPush(t *testing.T) {
	gittest.Isolate(t)
	work, url, _ := published(t)
	bare := gittest.Git(t, work, "remote", "get-url", "origin")
	gittest.Git(t, work, "remote", "add", "served", url)
	m := open(t, work)
	head, err := m.Head()
	if err != nil {
		t.Fatal(err)
	}
	for _, remote := range []string{"served", "origin"} {
		branch := "goldenpath/" + remote
		first, err := m.Commit(example(branch, head.Commit, "", map[string]any{"goldenpaths/go/a": "one " + remote, "new/deep/x": "x"}))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Push(t.Context(), remote, branch, ""); err != nil {
			t.Fatalf("%s: %v", remote, err)
		}
		if err := m.Push(t.Context(), remote, branch, first); err != nil {
			t.Errorf("%s: pushing the same again: %v", remote, err)
		}
		// Not a descendant of the first.
		second, err := m.Commit(example(branch, head.Commit, first, map[string]any{"goldenpaths/go/a": "two"}))
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{"", head.Commit} {
			var moved *RefMovedError
			if err := m.Push(t.Context(), remote, branch, wrong); !errors.As(err, &moved) || moved.Found != first {
				t.Errorf("%s: expecting %q: %v", remote, wrong, err)
			}
		}
		if err := m.Push(t.Context(), remote, branch, first); err != nil {
			t.Errorf("%s: moving it: %v", remote, err)
		}
		if got := gittest.Git(t, bare, "rev-parse", branch); got != second {
			t.Errorf("%s: the branch is at %s, want %s", remote, got, second)
		}
		gittest.Git(t, bare, "fsck", "--strict")
	}
	if err := m.Push(t.Context(), "nowhere", "main", ""); err == nil {
		t.Error("a remote that does not exist was pushed to")
	}
	if err := m.Push(t.Context(), "served", "absent", ""); err == nil {
		t.Error("a branch that does not exist was pushed")
	}
}

// git refuses it too: the other repository would lack what is before the commits.
func TestPushFromAShallowCloneIntoAFolder(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a": "1"})
	gittest.Commit(t, dir, "second", map[string]string{"a": "2"})
	clone, empty, full := filepath.Join(t.TempDir(), "clone"), filepath.Join(t.TempDir(), "empty.git"), filepath.Join(t.TempDir(), "full.git")
	gittest.Git(t, dir, "clone", "-q", "--depth", "1", "file://"+filepath.ToSlash(dir), clone)
	gittest.Git(t, dir, "init", "-q", "--bare", empty)
	gittest.Git(t, dir, "clone", "-q", "--bare", dir, full)
	m := open(t, clone)
	if _, err := m.Commit(example("new", gittest.Git(t, clone, "rev-parse", "HEAD"), "", map[string]any{"n": "n"})); err != nil {
		t.Fatal(err)
	}
	if err := m.Push(t.Context(), empty, "new", ""); err == nil || !strings.Contains(err.Error(), "shallow") {
		t.Errorf("into an empty repository: %v", err)
	}
	if refs := gittest.Git(t, empty, "for-each-ref"); refs != "" {
		t.Errorf("the empty repository has %s", refs)
	}
	if err := m.Push(t.Context(), full, "new", ""); err != nil {
		t.Errorf("into a repository that has what is before: %v", err)
	}
	gittest.Git(t, full, "fsck", "--full")
}

func TestPushRefusedByTheServer(t *testing.T) {
	gittest.Isolate(t)
	work, url, _ := published(t)
	bare := gittest.Git(t, work, "remote", "get-url", "origin")
	gittest.Write(t, bare, "hooks/pre-receive", "#!/bin/sh\necho no >&2\nexit 1\n")
	if err := os.Chmod(filepath.Join(bare, "hooks/pre-receive"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := open(t, work)
	head, _ := m.Head()
	if _, err := m.Commit(example("b", head.Commit, "", map[string]any{"x": "y"})); err != nil {
		t.Fatal(err)
	}
	if err := m.Push(t.Context(), url, "b", ""); err == nil || !strings.Contains(err.Error(), "hook") {
		t.Errorf("Push: %v; want the server's refusal", err)
	}
	if err := m.Push(t.Context(), strings.Replace(url, "http://", "http://me:s3cr3t@", 1), "b", ""); err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("Push with a password in the URL: %v", err)
	}
}

// Of a large history only what is new is sent.
func TestPushSendsOnlyWhatIsNew(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a/b/c": "1", "a/d": "2", "e": "3"})
	first := gittest.Git(t, dir, "rev-parse", "HEAD")
	second := gittest.Commit(t, dir, "second", map[string]string{"a/b/c": "4"})
	m := open(t, dir)
	p := push{store: m.store, to: second}
	known, err := m.store.commit(plumbing.NewHash(first))
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.newObjects([]plumbing.Hash{known.Hash})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(gittest.Git(t, dir, "rev-list", "--objects", "--no-object-names", second, "^"+first))
	if len(got) != len(want) {
		t.Errorf("newObjects lists %d objects, git %d", len(got), len(want))
	}
	all, err := p.newObjects(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Fields(gittest.Git(t, dir, "rev-list", "--objects", "--no-object-names", second)); len(all) != len(want) {
		t.Errorf("newObjects lists %d objects for an empty remote, git %d", len(all), len(want))
	}
}
