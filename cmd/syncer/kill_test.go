package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// killFiles is how many files the sync of TestKilledSync changes.
const killFiles = 50

// TestKilledSync kills a sync at ever later moments. The next command finds the
// files all as before or all as after, never some of each.
func TestKilledSync(t *testing.T) {
	member := behindMember(t)
	dir := t.TempDir()
	killed := 0
	for i := range 30 {
		clone := filepath.Join(dir, fmt.Sprint("m", i))
		if err := os.CopyFS(clone, os.DirFS(member)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(10+12*i)*time.Millisecond)
		if err := exec.CommandContext(ctx, "syncer", "sync", clone).Run(); err != nil {
			killed++
		}
		cancel()
		_ = exec.CommandContext(t.Context(), "syncer", "check", clone).Run() // exits 2 where the sync came to nothing
		if n := countAfter(t, clone); n != 0 && n != killFiles {
			t.Errorf("killed after %d ms: %d of %d files are new", 10+12*i, n, killFiles)
		}
	}
	t.Logf("%d of 30 syncs were killed", killed)
}

func writePlatform(t *testing.T, dir, text string) {
	t.Helper()
	files := map[string]string{"goldenpath.yaml": "apiVersion: syncer/v1\nkind: GoldenPath\nname: p\n"}
	for i := range killFiles {
		files[fmt.Sprintf("template/f%02d", i)] = text
	}
	for name, text := range files {
		file := filepath.Join(dir, "goldenpaths", "p", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func countAfter(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	for i := range killFiles {
		data, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("f%02d", i)))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(data, []byte("after\n")) {
			n++
		}
	}
	return n
}
