package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Config says how to start the process, and its bounds. Program is required.
type Config struct {
	// Program is the path of the program, and Args what it is called with, its own name
	// first; it must call [Serve].
	Program string
	Args    []string
	// Memory bounds the process, in bytes; it is for messages here, and is handed to
	// the process in Args. 0 is 256 MiB.
	Memory int64
	// Timeout bounds how long all that is rendered for one pull request takes, without
	// what is waited for in between; 0 is two minutes.
	Timeout time.Duration
	// AtOnce bounds how many processes there are; 0 is two.
	AtOnce int
}

// DefaultMemory bounds a process that nobody bounded otherwise, in bytes.
const DefaultMemory = 256 << 20

// Sandbox starts processes that render. It is safe for concurrent use.
type Sandbox struct {
	cfg   Config
	slots chan struct{}
}

// New returns a sandbox; no process is started.
func New(cfg Config) *Sandbox {
	if cfg.Memory == 0 {
		cfg.Memory = DefaultMemory
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Minute
	}
	if cfg.AtOnce == 0 {
		cfg.AtOnce = 2
	}
	return &Sandbox{cfg: cfg, slots: make(chan struct{}, cfg.AtOnce)}
}

// BrokenError says that what was to be rendered ended the process, or was too much:
// it is the golden path's fault, and comes again.
type BrokenError struct{ Reason string }

// Error says what the golden path did.
func (e *BrokenError) Error() string { return e.Reason }

// Session is one process with the files of one pull request. It is for one goroutine.
type Session struct {
	box    *Sandbox
	ctx    context.Context //nolint:containedctx // the process's own time
	cancel context.CancelCauseFunc
	left   time.Duration // to render in
	cmd    *exec.Cmd
	send   sender
	recv   *receiver
	stdin  io.Closer
	errs   *tail
	ended  sync.Once
	broken error

	overview overview
}

// Open starts a process, and lets it lint and load the golden paths among files. The
// session must be closed. The error is a [BrokenError] where the files are to blame.
func (b *Sandbox) Open(ctx context.Context, files tree.Tree) (*Session, error) {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := b.start(ctx)
	if err != nil {
		<-b.slots
		return nil, err
	}
	if err := s.begin(files); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (b *Sandbox) start(ctx context.Context) (*Session, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Session{box: b, ctx: ctx, cancel: cancel, left: b.cfg.Timeout, errs: &tail{}}
	s.cmd = exec.CommandContext(ctx, b.cfg.Program) //nolint:gosec // this program
	s.cmd.Args = b.cfg.Args
	s.cmd.Env = []string{} // no secrets, and nil would be ours
	s.cmd.Stderr = s.errs
	s.cmd.WaitDelay = time.Second
	in, err := s.cmd.StdinPipe()
	if err == nil {
		var out io.Reader
		if out, err = s.cmd.StdoutPipe(); err == nil {
			s.stdin, s.send, s.recv = in, sender{in}, newReceiver(out)
			err = s.cmd.Start()
		}
	}
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("starting a process to render in: %w", err)
	}
	return s, nil
}

// errTime says that there is no time left to render in.
var errTime = errors.New("the time to render is over")

// timed lets the session's time run until the function that it returns is called. It
// stands still in between: how long GitHub takes to say what a repository has is no
// golden path's fault.
func (s *Session) timed() (stop func()) {
	began := time.Now()
	over := time.AfterFunc(s.left, func() { s.cancel(errTime) })
	return func() {
		over.Stop()
		s.left -= time.Since(began)
	}
}

func (s *Session) begin(files tree.Tree) error {
	defer s.timed()()
	if err := s.send.send(opening{Files: len(files)}); err != nil {
		return s.fail(err)
	}
	for _, p := range files.Paths() {
		if err := s.send.send(file{Path: p, Kind: files[p].Kind, Data: files[p].Data}); err != nil {
			return s.fail(err)
		}
	}
	if err := s.recv.receive(&s.overview); err != nil {
		return s.fail(err)
	}
	for i := range s.overview.Paths {
		for j := range s.overview.Paths[i].Migrations {
			in := &s.overview.Paths[i].Migrations[j].Inputs
			in.Default = exactInputs(in.Default)
		}
	}
	return nil
}

// Problems are the mistakes that linting found.
func (s *Session) Problems() scaffold.Problems { return s.overview.Problems }

// Paths are the golden paths that can be read.
func (s *Session) Paths() []Path { return s.overview.Paths }

// Render renders a golden path for a repository. It returns the inputs that may be
// shown too. The error is [scaffold.Problems], or a [BrokenError], after which every
// other call fails likewise.
func (s *Session) Render(name string, at scaffold.Place, inputs scaffold.Inputs, repository string) (scaffold.Rendering, scaffold.Inputs, error) {
	if s.broken != nil {
		return nil, nil, s.broken
	}
	defer s.timed()()
	err := s.send.send(wish{Name: name, At: at, Inputs: inputs, Repository: repository})
	if err != nil {
		return nil, nil, s.fail(err)
	}
	var r rendering
	if err := s.recv.receive(&r); err != nil {
		return nil, nil, s.fail(err)
	}
	switch {
	case len(r.Problems) > 0:
		return nil, nil, r.Problems
	case r.Error != "":
		return nil, nil, errors.New(r.Error)
	}
	files := scaffold.Rendering{}
	for _, f := range r.Files {
		if err := tree.CheckPath(f.Path); err != nil {
			return nil, nil, &BrokenError{Reason: fmt.Sprintf("it renders a file called %q: %v", f.Path, err)}
		}
		files[f.Path] = scaffold.Rendered{File: tree.File{Kind: f.Kind, Data: f.Data}, Mode: f.Mode, Layer: f.Layer, Origin: f.Origin, Merge: f.Merge}
	}
	return files, exactInputs(r.Public), nil
}

// What Go's runtime says as it dies of a bound; the last two of
// memory are the race detector's.
var (
	outOfMemory = []string{"out of memory", "cannot allocate memory", "failed to create new OS thread", "failed to allocate", "address space collisions"}
	outOfStack  = []string{"stack overflow", "goroutine stack exceeds"}
)

func contains(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// selfMade is the exit code of a program that says what is wrong; Go's runtime dies
// with 2.
const selfMade = 1

// fail ends the process and says what it died of.
func (s *Session) fail(cause error) error {
	timedOut := errors.Is(context.Cause(s.ctx), errTime)
	stopped := s.ctx.Err() != nil && !timedOut
	s.end()
	said := s.errs.String()
	switch {
	case stopped:
		s.broken = s.ctx.Err()
	case timedOut:
		s.broken = &BrokenError{fmt.Sprintf("it took longer than %s to render", s.box.cfg.Timeout)}
	case contains(said, outOfMemory):
		s.broken = &BrokenError{fmt.Sprintf("it took more than %d MiB of memory to render", s.box.cfg.Memory>>20)}
	case contains(said, outOfStack):
		s.broken = &BrokenError{"its templates are nested without end"}
	case errors.Is(cause, errTooMuch):
		s.broken = &BrokenError{cause.Error()}
	case s.cmd.ProcessState.ExitCode() == selfMade && !strings.Contains(said, errTooMuch.Error()):
		// It gave up by itself, because of the machine: nobody's golden path is to blame.
		s.broken = fmt.Errorf("the process to render in failed: %.200s", strings.TrimSpace(said))
	default:
		first, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
		s.broken = &BrokenError{fmt.Sprintf("rendering it ended the process (%s): %.200s", s.cmd.ProcessState, cmp.Or(first, cause.Error()))}
	}
	return s.broken
}

// end stops the process, once, and frees its place.
func (s *Session) end() {
	s.ended.Do(func() {
		_ = s.stdin.Close()
		s.cancel(nil)
		_ = s.cmd.Wait() // how it ended is read from what it said
		<-s.box.slots
	})
}

// Close ends the process.
func (s *Session) Close() { s.end() }
