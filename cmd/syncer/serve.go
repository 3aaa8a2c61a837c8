package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/settings"
)

func (a *app) serveCommand() *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the GitHub App",
		Long: `Answers GitHub's webhooks, and brings golden paths to repositories: new ones when
they are made, existing ones by pull request when a golden path changes.

Settings come from a file, the environment and the flags below, in rising order; all
three names of each are in docs/configuration.md. Without an App the server logs a
link to /setup, where one is registered on GitHub by pressing a button.

SIGTERM or Ctrl-C stop it: requests and jobs are finished, or given back to the queue
once --shutdown-timeout is over. A second Ctrl-C ends it at once; nothing is lost, and
what was running is done again at the next start.`,
		Example: `  # the first start: registers the App at the link that is logged
  syncer serve --url https://syncer.example.com --platform-repository acme/platform

  # everything in a file, secrets in files of their own
  syncer serve --config /etc/syncer/syncer.yaml

  # several replicas share one PostgreSQL
  SYNCER_DATABASE_FILE=/run/secrets/database syncer serve --config /etc/syncer/syncer.yaml

  # what is set, by whom, and whether it is right
  syncer serve --config /etc/syncer/syncer.yaml --print-config`,
		Args: between(0, 0, "no arguments"),
	}
	settings.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&show, "print-config", false, "show what every setting comes to and where it is from, without secrets, and exit")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		in := settings.Input{Flags: cmd.Flags(), Environ: os.Environ()}
		if show {
			return a.printConfig(cmd, in)
		}
		return a.serve(cmd.Context(), cmd, in)
	}
	return cmd
}

// printConfig shows the settings, also those of a configuration with mistakes.
func (a *app) printConfig(cmd *cobra.Command, in settings.Input) error {
	loaded, bad := settings.Load(in)
	err := error(nil)
	if a.json {
		err = a.report(loaded.JSON())
	} else {
		err = loaded.Print(a.out)
	}
	for _, w := range loaded.Warnings {
		fmt.Fprintln(a.err, "warning: "+w)
	}
	if bad != nil {
		return usage(cmd, bad)
	}
	return err
}

// server is one run of serve.
type server struct {
	in       settings.Input
	cfg      settings.Config
	log      logger
	ready    readiness
	metrics  *metrics
	traces   *traces
	public   *front
	admin    *front
	unpaced  bool                                                      // for a GitHub of our own, which has no limits
	register func(context.Context, *flows) (platform int64, err error) // one handler for each kind of job
}

// serve runs until ctx ends, which is a stop as it should be and no error.
func (a *app) serve(ctx context.Context, cmd *cobra.Command, in settings.Input) error {
	loaded, bad := settings.Load(in)
	if bad != nil {
		return usage(cmd, bad)
	}
	s := &server{in: in, cfg: loaded.Config, log: newLogger(a.err, &loaded.Config), register: register}
	s.log.Info("starting", "version", version, "url", s.cfg.URL.String(), "platform", s.cfg.Platform)
	for _, w := range loaded.Warnings {
		s.log.Warn(w)
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	s.log.Info("stopped")
	return nil
}

// run is the server on one screen: listen, register the App where there is none,
// open the database, start to work, answer deliveries; then all of it backwards.
func (s *server) run(ctx context.Context) (err error) {
	ctx, failed := s.interrupted(ctx)
	defer failed(nil)
	if s.traces, err = startTraces(ctx, s.cfg, s.log.Logger); err != nil {
		return err
	}
	defer s.traces.stop()
	s.metrics = newMetrics(version)
	s.ready.lacks("GitHub App", "database", "GitHub", "platform repository", "jobs")
	if s.public, err = s.listen(ctx, "public", s.cfg.Listen, s.publicly, failed); err != nil {
		return err
	}
	defer s.public.close()
	if s.admin, err = s.listen(ctx, "admin", s.cfg.AdminListen, s.privately, failed); err != nil {
		return err
	}
	defer s.admin.close()

	if err = s.registerApp(ctx); err != nil {
		return s.ended(ctx, err)
	}
	work, err := s.open(ctx)
	if err != nil {
		return s.ended(ctx, err)
	}
	s.log.Info("serving", "app", s.cfg.GitHub.AppID, "database", work.db.Engine(), "workers", s.cfg.Workers)
	<-ctx.Done()

	s.ready.lacks("stopping")
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)
	defer cancel()
	err = errors.Join(s.public.drain(last), work.close(last))
	return errors.Join(err, s.ended(ctx, nil))
}

// interrupted makes a second signal end the process at once, by taking back that
// signals are waited for. The function it returns stops the server, with an error of
// its own where it is given one.
func (s *server) interrupted(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	quiet := context.AfterFunc(ctx, func() {
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		s.log.Info("stopping; interrupt again to stop at once", "timeout", s.cfg.ShutdownTimeout.String())
	})
	return ctx, func(err error) {
		if err == nil {
			quiet()
			cancel(nil)
			return
		}
		cancel(&breakdown{err})
	}
}

// breakdown is why a server stopped that nobody asked to.
type breakdown struct{ error }

// ended tells a stop that was asked for from a failure.
func (s *server) ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if own, ok := errors.AsType[*breakdown](context.Cause(ctx)); ok {
		return own.error
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// patience is how long to wait between two tries of something that the start needs.
func patience(attempt int) time.Duration { return min(time.Second<<min(attempt, 5), 30*time.Second) }

// wait waits, and returns false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// owner is the first part of owner/name.
func owner(repository string) string {
	name, _, _ := strings.Cut(repository, "/")
	return name
}
