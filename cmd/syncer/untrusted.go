package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/sandbox"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/tree"
)

// renderUntrusted is the verb by which the program starts itself again.
const renderUntrusted = "render-untrusted"

// untrustedCommand is the other end of the sandbox. It is for the program alone.
func (a *app) untrustedCommand() *cobra.Command {
	var memory int64
	cmd := &cobra.Command{
		Use: renderUntrusted, Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return sandbox.Serve(a.in, a.out, memory) },
	}
	cmd.Flags().Int64Var(&memory, "memory", sandbox.DefaultMemory, "bytes")
	return cmd
}

// itself is the file of this program as it runs: it may have been replaced since.
func itself() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// newSandbox returns the sandbox that the settings bound.
func newSandbox(cfg settings.Config) (*sandbox.Sandbox, error) {
	program, err := itself()
	if err != nil {
		return nil, fmt.Errorf("finding this program, to render untrusted golden paths with: %w", err)
	}
	c := sandbox.Config{Program: program, Memory: int64(cfg.PreviewMemory) << 20, Timeout: cfg.PreviewTimeout}
	if c.Memory == 0 {
		c.Memory = sandbox.DefaultMemory
	}
	c.Args = []string{"syncer", renderUntrusted, "--memory", strconv.FormatInt(c.Memory, 10)}
	return sandbox.New(c), nil
}

// isolate lets the walks see a sandbox.
func isolate(box *sandbox.Sandbox) func(context.Context, tree.Tree) (walks.Untrusted, error) {
	return func(ctx context.Context, files tree.Tree) (walks.Untrusted, error) {
		s, err := box.Open(ctx, files)
		if err != nil {
			return nil, broke(err)
		}
		return untrusted{s}, nil
	}
}

// broke says in the walks' words that golden paths are to blame.
func broke(err error) error {
	if broken, ok := errors.AsType[*sandbox.BrokenError](err); ok {
		return &walks.HostileError{Err: broken}
	}
	return err
}

type untrusted struct{ *sandbox.Session }

// Offers returns the golden paths as versions that a member could be brought to.
func (u untrusted) Offers() map[string]reconcile.Offer {
	offers := map[string]reconcile.Offer{}
	for _, p := range u.Paths() {
		offers[p.Name] = reconcile.Offer{Version: p.Version, Digest: p.Digest, Migrations: p.Migrations, Merge: p.Merge, Inputs: p.Inputs, Secrets: p.Secrets,
			Render: func(at scaffold.Place, inputs scaffold.Inputs, repository string) (scaffold.Rendering, scaffold.Inputs, error) {
				files, public, err := u.Render(p.Name, at, inputs, repository)
				return files, public, broke(err)
			}}
	}
	return offers
}
