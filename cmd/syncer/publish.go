package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/settings"
)

func (a *app) publishCommand() *cobra.Command {
	var push bool
	cmd := &cobra.Command{
		Use: "publish [NAME…]", Short: "Publish golden paths as template repositories",
		Long: `Make the template repositories follow the golden paths on the platform repository's
default branch, so that GitHub's button "Use this template" offers them. The server
does this by itself whenever a golden path changes; this does it by hand, with the
server's settings and as its App.

Without NAME all golden paths are published that are no layer of another. It shows
what it would do, and does it with --push. Exit 2 where something is to be done.`,
		Example: "  syncer publish --config /etc/syncer/syncer.yaml\n  syncer publish go-service --config /etc/syncer/syncer.yaml --push",
		RunE:    func(cmd *cobra.Command, names []string) error { return a.publish(cmd, names, push) },
	}
	settings.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&push, "push", false, "make and change the template repositories")
	return cmd
}

func (a *app) publish(cmd *cobra.Command, names []string, push bool) error {
	cfg, err := a.configured(cmd)
	if err != nil {
		return err
	}
	if !cfg.Registered() {
		return usage(cmd, errNoApp)
	}
	log := newLogger(a.err, &cfg)
	github, err := githubApp(cfg, nil, forge.Pace{}, nil, log.Logger)
	if err != nil {
		return err
	}
	who, err := github.Identity(cmd.Context())
	if err != nil {
		return fmt.Errorf("GitHub at %s: %w", cfg.GitHub.URL, err)
	}
	s, err := newService(cmd.Context(), &flows{cfg: cfg, github: github, identity: who, log: log.Logger, tracer: noop.NewTracerProvider().Tracer("")})
	if err != nil {
		return err
	}
	list, failed := s.Publications(cmd.Context(), s.prefix, names, push)
	if err := a.reportPublications(list, push); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return unpublished(list, push)
}

// unpublished says how a run ends: with what cannot be published, or with what is
// still to be done.
func unpublished(list []walks.Publication, push bool) error {
	due := false
	for _, p := range list {
		if p.Problem != "" {
			return fmt.Errorf("%s is not published: %s", p.GoldenPath, p.Problem)
		}
		due = due || p.Due()
	}
	if due && !push {
		return errDifferences
	}
	return nil
}

// publicationReport is a template repository in JSON.
type publicationReport struct {
	GoldenPath string   `json:"goldenPath"`
	Version    string   `json:"version,omitempty"`
	Repository string   `json:"repository"`
	Action     string   `json:"action"` // create, update, none
	Files      []string `json:"files"`
	Done       bool     `json:"done"`
	Problem    string   `json:"problem,omitempty"`
}

func (a *app) reportPublications(list []walks.Publication, push bool) error {
	reports := make([]publicationReport, 0, len(list))
	for _, p := range list {
		r := publicationReport{GoldenPath: p.GoldenPath, Version: p.Version, Repository: p.Repository, Action: "none", Files: append([]string{}, p.Files...), Problem: p.Problem}
		switch {
		case p.Due() && !p.Exists:
			r.Action = "create"
		case p.Due():
			r.Action = "update"
		}
		r.Done = push && r.Problem == ""
		reports = append(reports, r)
	}
	if a.json {
		return a.report(reports)
	}
	for _, r := range reports {
		if _, err := fmt.Fprintln(a.out, r.line(push)); err != nil {
			return err
		}
	}
	return nil
}

func (r publicationReport) line(push bool) string {
	does := map[string][2]string{"create": {"would create", "created"}, "update": {"would update", "updated"}}[r.Action]
	what := does[0]
	if push {
		what = does[1]
	}
	switch {
	case r.Problem != "":
		return fmt.Sprintf("%s: cannot be published as %s: %s", r.GoldenPath, r.Repository, r.Problem)
	case r.Action == "none":
		return fmt.Sprintf("%s: %s is as it shall be", r.GoldenPath, r.Repository)
	}
	return fmt.Sprintf("%s: %s %s with %s", r.GoldenPath, what, r.Repository, strings.Join(r.Files, ", "))
}
