package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoPostgres says that PostgreSQL is not installed here.
var ErrNoPostgres = errors.New("no PostgreSQL found: looked for initdb and postgres in PATH and /usr/lib/postgresql/*/bin")

const (
	startTime = 60 * time.Second
	superuser = "syncer"
)

// Cluster is a running PostgreSQL that nobody else uses. It listens on a socket
// in its own folder only, and keeps nothing through a power cut.
type Cluster struct {
	dir    string
	server *exec.Cmd
	log    *bytes.Buffer
	exited chan error
	count  atomic.Int64
}

// StartCluster makes and starts a cluster in a temporary folder. It returns
// [ErrNoPostgres] where there are no binaries.
func StartCluster() (_ *Cluster, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "syncer-pg-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, log: &bytes.Buffer{}, exited: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	as, err := servant(dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", c.data(), "--username", superuser,
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	as(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	c.server = exec.Command(filepath.Join(bin, "postgres"), "-D", c.data(), "-k", dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
	c.server.Stdout, c.server.Stderr = c.log, c.log
	as(c.server)
	if err := c.start(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) start() error {
	if err := c.server.Start(); err != nil {
		return fmt.Errorf("starting postgres: %w", err)
	}
	go func() { c.exited <- c.server.Wait() }()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		conn, err := pgx.Connect(ctx, c.address("postgres"))
		if err == nil {
			tick.Stop()
			return conn.Close(ctx)
		}
		select {
		case exit := <-c.exited:
			return fmt.Errorf("postgres ended at once: %w\n%s", exit, c.log)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("postgres does not answer: %w", err), c.Stop())
		case <-tick.C:
		}
	}
}

func (c *Cluster) address(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User(superuser), Path: "/" + database,
		RawQuery: url.Values{"host": {c.dir}}.Encode(),
	}).String()
}

// Create makes an empty database and returns its address.
func (c *Cluster) Create(ctx context.Context) (address string, err error) {
	conn, err := pgx.Connect(ctx, c.address("postgres"))
	if err != nil {
		return "", fmt.Errorf("connecting to the cluster: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	name := fmt.Sprintf("test%d", c.count.Add(1))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("creating database %s: %w", name, err)
	}
	return c.address(name), nil
}

// Stop ends the server at once, and removes everything it kept.
func (c *Cluster) Stop() error {
	if err := c.server.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping postgres: %w", err)
	}
	select {
	case <-c.exited: //nolint:errcheck // how it ended does not matter: it was told to
	case <-time.After(startTime):
		return fmt.Errorf("postgres (pid %d) does not stop", c.server.Process.Pid)
	}
	return os.RemoveAll(c.dir)
}

// binaries returns the folder of the newest PostgreSQL's programs.
func binaries() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Dir(target), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrNoPostgres
	}
	slices.SortFunc(found, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
	return filepath.Dir(found[len(found)-1]), nil
}

// servant returns what makes a command run as somebody other than root, whom
// PostgreSQL refuses; the folder becomes theirs.
func servant(dir string) (func(*exec.Cmd), error) {
	if os.Geteuid() != 0 {
		return func(c *exec.Cmd) { c.Dir = dir }, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		who, err := user.Lookup(name)
		if err != nil {
			continue
		}
		return runAs(who, dir)
	}
	return nil, errors.New("running as root, and there is neither a user postgres nor nobody to run PostgreSQL as")
}
