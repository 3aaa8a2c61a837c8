// Command syncer renders golden paths into repositories and keeps them current.
//
// Each verb is one file here; world.go wires the adapters to the flows of
// package reconcile.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	_ "time/tzdata" // schedules name time zones, and a container may have none

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goldenpaths/syncer/internal/headroom"
	"github.com/goldenpaths/syncer/internal/nearest"
)

// version is set by the linker for releases.
var version = "dev"

func main() { os.Exit(run()) }

// run executes the command line and returns the exit code.
func run() int {
	defer headroom.Keep()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	root := a.root()
	root.SetContext(ctx)
	return a.exit(root.ExecuteContext(ctx))
}

// app is what every verb has.
type app struct {
	in   *os.File
	out  io.Writer
	err  io.Writer
	json bool
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "syncer",
		Short: "Render golden paths into repositories, and keep them current",
		Long: `syncer renders a golden path, a versioned template of your platform team's best
practice, into a new repository, and brings later versions of it to repositories
that people have edited, by a three-way merge that loses nothing in silence.

Exit codes: 0 done, 1 failed, 2 differences or conflicts found, 64 bad usage.`,
		SilenceUsage: true, SilenceErrors: true,
		Args: known,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetIn(a.in)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "report as JSON")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// What follows the mistake was not read, and may say how it is to be told.
		a.json = asksJSON(os.Args[1:])
		return usage(cmd, withFlag(cmd, err))
	})
	root.AddCommand(
		a.listCommand(), a.showCommand(), a.newCommand(), a.renderCommand(),
		a.checkCommand(), a.diffCommand(), a.syncCommand(), a.explainCommand(), a.resolveCommand(), a.refuseCommand(), a.adoptCommand(), a.unfollowCommand(),
		a.lintCommand(), a.testCommand(), a.mergeFileCommand(), a.serveCommand(), a.publishCommand(), a.jobsCommand(), a.deliveriesCommand(), a.demoCommand(), a.versionCommand(), a.untrustedCommand(),
	)
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Args = func(_ *cobra.Command, args []string) error { return topic(root, args) }
		}
	}
	return root
}

// known refuses a command that there is not, and says which was meant.
func known(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return &usageError{fmt.Errorf("unknown command %q; %s", args[0], nearest.Hint(args[0], names))}
}

// topic refuses to help with a command that there is not.
func topic(root *cobra.Command, args []string) error {
	if found, _, err := root.Find(args); err != nil || found == root {
		return known(root, args)
	}
	return nil
}

// withFlag says which flag was meant by one that there is not.
func withFlag(cmd *cobra.Command, err error) error {
	wrong, is := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !is {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	if near := nearest.Names("--"+wrong, names); len(near) > 0 {
		return fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return err
}

// asksJSON reports whether the arguments have --json, of which the last one counts.
func asksJSON(args []string) bool {
	asked := false
	for _, arg := range args {
		name, value, given := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return asked
		case name == "--json" && given:
			asked, _ = strconv.ParseBool(value) // what is no truth value is the mistake that is told
		case name == "--json":
			asked = true
		}
	}
	return asked
}
