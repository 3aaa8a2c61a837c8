package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

// behindMember makes a platform repository, a member that follows its version 1, and
// version 2, in which every file changes.
func behindMember(t *testing.T) (member string) {
	t.Helper()
	gittest.Isolate(t)
	dir := t.TempDir()
	platform, member := filepath.Join(dir, "platform"), filepath.Join(dir, "member")
	writePlatform(t, platform, "before\n")
	gittest.Git(t, platform, "init", "-q")
	gittest.Commit(t, platform, "v1", nil)
	gittest.Git(t, platform, "tag", "v1.0.0")
	if out, err := exec.CommandContext(t.Context(), "syncer", "new", "p", member, "--source", platform).CombinedOutput(); err != nil {
		t.Fatalf("new: %v\n%s", err, out)
	}
	writePlatform(t, platform, "after\n")
	gittest.Commit(t, platform, "v2", nil)
	gittest.Git(t, platform, "tag", "v2.0.0")
	return member
}

// TestSyncsAtOnce starts several syncs of one member. Each either does the work,
// finds it done, or says that another one is at it; nothing is half done.
func TestSyncsAtOnce(t *testing.T) {
	member := behindMember(t)
	cmds := make([]*exec.Cmd, 8)
	said := make([]bytes.Buffer, len(cmds))
	for i := range cmds {
		cmds[i] = exec.CommandContext(t.Context(), "syncer", "sync", member)
		cmds[i].Stdout, cmds[i].Stderr = &said[i], &said[i]
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	done := 0
	for i, cmd := range cmds {
		err := cmd.Wait()
		switch text := said[i].String(); {
		case err == nil:
			done++
		case strings.Contains(text, "another syncer"), strings.Contains(text, "uncommitted changes"):
			// The second is what a sync finds after another one: nothing to lose.
		default:
			t.Errorf("sync %d: %v\n%s", i, err, text)
		}
	}
	if n := countAfter(t, member); done == 0 || n != killFiles {
		t.Errorf("%d syncs succeeded, and %d of %d files are new", done, n, killFiles)
	}
	if out, err := exec.CommandContext(t.Context(), "syncer", "check", member).CombinedOutput(); err != nil {
		t.Errorf("check afterwards: %v\n%s", err, out)
	}
}

// TestLargeMember syncs a member of 50,000 files of its own.
func TestLargeMember(t *testing.T) {
	member := behindMember(t)
	for i := range 500 {
		dir := filepath.Join(member, "src", fmt.Sprint(i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for j := range 100 {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(j, ".go")), []byte("package own\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	gittest.Commit(t, member, "our own", nil)
	if out, err := exec.CommandContext(t.Context(), "syncer", "sync", member).CombinedOutput(); err != nil {
		t.Fatalf("sync: %v\n%s", err, out)
	}
	changed := strings.Count(gittest.Git(t, member, "status", "--porcelain"), "\n") + 1
	if n := countAfter(t, member); n != killFiles || changed != killFiles+1 {
		t.Errorf("%d of %d files are new, and git sees %d changes, the lock's among them", n, killFiles, changed)
	}
}
