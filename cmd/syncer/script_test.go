package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// TestMain lets scripts run the command as a program of its own, and the crash test
// a replica of the service.
func TestMain(m *testing.M) {
	testscript.Main(withStore{m}, map[string]func(){"syncer": main, replicaName: replicaUntilKilled})
}

// withStore ends the database that tests started.
type withStore struct{ m *testing.M }

// atOnce is how many stories run at once where -parallel does not say: most of a
// story is waiting, so that it is more than there are processors.
const atOnce = 12

// Run runs the tests.
func (w withStore) Run() int {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		_ = flag.Set("test.parallel", strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))) // a number is a good value
	}
	return storetest.Run(w.m)
}

// TestScripts runs the stories in testdata/script: the real command on real
// repositories. "commit DIR MESSAGE [TAG]" commits everything in DIR with git, and
// makes DIR a repository first where it is none. "exits N COMMAND…" checks an
// exit code. "silent" starts a server that never answers, and puts its URL in
// $SILENT.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"commit": commitAll,
			"exits":  exits,
			"silent": silent,
		},
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, ".home")
			e.Vars = append(e.Vars, "HOME="+home, "XDG_CACHE_HOME="+filepath.Join(home, ".cache"), "GIT_CONFIG_NOSYSTEM=1")
			if err := os.MkdirAll(home, 0o755); err != nil {
				return err
			}
			config := "[user]\n\tname = Dev\n\temail = dev@example.com\n[init]\n\tdefaultBranch = main\n"
			return os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o644)
		},
	})
}

func commitAll(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: commit DIR MESSAGE [TAG]")
	}
	dir := ts.MkAbs(args[0])
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		ts.Check(ts.Exec("git", "-C", dir, "init", "-q"))
	}
	ts.Check(ts.Exec("git", "-C", dir, "add", "-A"))
	ts.Check(ts.Exec("git", "-C", dir, "commit", "-q", "--allow-empty", "-m", args[1]))
	if len(args) > 2 {
		ts.Check(ts.Exec("git", "-C", dir, "tag", args[2]))
	}
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := "0"
	if exit, ok := errors.AsType[*exec.ExitError](ts.Exec(args[1], args[2:]...)); ok {
		code = strconv.Itoa(exit.ExitCode())
	}
	if code != args[0] {
		ts.Fatalf("%v exits %s, want %s", args[1:], code, args[0])
	}
}

func silent(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv("SILENT", "http://"+l.Addr().String())
}
