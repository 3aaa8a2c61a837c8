package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

// BenchmarkProcesses runs the verbs as whole processes, in turn with git clone of
// the same repository, so that each ratio comes from the same moments of the same
// machine. The golden path is go-service, from a platform repository on disk. The
// figures are medians in milliseconds, and how many clones they cost.
func BenchmarkProcesses(b *testing.B) {
	gittest.Isolate(b)
	w := newProcessBench(b)
	took := map[string][]float64{}
	run := func(what string, prepare func(), name string, args ...string) {
		prepare()
		start := time.Now()
		out, err := exec.Command(name, args...).CombinedOutput()
		took[what] = append(took[what], float64(time.Since(start).Microseconds())/1000)
		if code := exitCode(err); code != 0 && code != 2 {
			b.Fatalf("%s: %v\n%s", what, err, out)
		}
	}
	nothing := func() {}
	for b.Loop() {
		run("empty", nothing, w.empty)
		run("version", nothing, w.syncer, "version")
		run("clone", w.remove("clone"), "git", "clone", "-q", w.path("member"), w.path("clone"))
		run("new", w.remove("new"), w.syncer, w.newArgs("new")...)
		run("check", nothing, w.syncer, "check", w.path("member"))
		run("sync", w.restore, w.syncer, "sync", w.path("changed"))
	}
	median := func(what string) float64 {
		slices.Sort(took[what])
		return took[what][len(took[what])/2]
	}
	b.ReportMetric(0, "ns/op")
	for _, what := range []string{"empty", "version", "clone", "new", "check", "sync"} {
		b.ReportMetric(median(what), what+"-ms")
	}
	for _, what := range []string{"new", "check", "sync"} {
		b.ReportMetric(median(what)/median("clone"), what+"/clone")
	}
}

type processBench struct {
	b             *testing.B
	dir           string
	syncer, empty string
}

// newProcessBench builds the programs, and makes a platform, a member that is
// current, and one that is behind.
func newProcessBench(b *testing.B) *processBench {
	w := &processBench{b: b, dir: b.TempDir()}
	w.syncer, w.empty = w.path("bin-syncer"), w.path("bin-empty")
	w.must("go", "build", "-trimpath", "-o", w.syncer, ".")
	if err := os.WriteFile(w.path("empty.go"), []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	w.must("go", "build", "-trimpath", "-o", w.empty, w.path("empty.go"))
	if err := os.CopyFS(w.path("platform/goldenpaths"), os.DirFS("../../goldenpaths")); err != nil {
		b.Fatal(err)
	}
	platform := w.path("platform")
	gittest.Git(b, platform, "init", "-q")
	w.release("v1.0.0")
	w.must(w.syncer, w.newArgs("behind")...)
	makefile := filepath.Join(platform, "goldenpaths/go-service/template/Makefile.tmpl")
	text, err := os.ReadFile(makefile)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(makefile, append(text, "# one line more\n"...), 0o600); err != nil {
		b.Fatal(err)
	}
	w.release("v1.1.0")
	w.must(w.syncer, w.newArgs("member")...)
	return w
}

func (w *processBench) path(name string) string {
	return filepath.Join(w.dir, filepath.FromSlash(name))
}

func (w *processBench) newArgs(dir string) []string {
	return []string{"new", "go-service", w.path(dir), "--source", w.path("platform"), "--set", "name=payments", "--set", "owner=acme", "--set", "team=pay"}
}

func (w *processBench) release(tag string) {
	gittest.Commit(w.b, w.path("platform"), tag, nil)
	gittest.Git(w.b, w.path("platform"), "tag", tag)
}

func (w *processBench) remove(name string) func() {
	return func() {
		if err := os.RemoveAll(w.path(name)); err != nil {
			w.b.Fatal(err)
		}
	}
}

// restore makes the member that is behind anew.
func (w *processBench) restore() {
	w.remove("changed")()
	gittest.Git(w.b, w.dir, "clone", "-q", w.path("behind"), w.path("changed"))
}

func (w *processBench) must(name string, args ...string) {
	w.b.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		w.b.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func exitCode(err error) int {
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Run returns it as it is
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}
