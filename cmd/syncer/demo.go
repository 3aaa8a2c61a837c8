package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/setup"
)

func (a *app) demoCommand() *cobra.Command {
	var keep string
	var exit, local bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Play the three walks on a GitHub that runs in this process",
		Long: `Starts the whole service on an in-process GitHub and SQLite in a temporary folder,
and plays the three walks: a repository is made from a template, a golden path
changes, and a change is tried first. Nothing outside the folder is touched, and
nobody is spoken to but this machine. Afterwards it keeps serving until Ctrl-C, for
you to look around; with --exit, or where nobody is at a terminal, it ends.

--local plays the command line's story instead, on plain repositories in a folder.`,
		Example: "  syncer demo\n  syncer demo --exit\n  syncer demo --local --keep /tmp/syncer-demo",
		Args:    between(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if local || keep != "" {
				return a.demoLocal(cmd.Context(), keep)
			}
			return a.demo(cmd.Context(), exit || !a.onTerminal())
		},
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "end after the walks")
	cmd.Flags().BoolVar(&local, "local", false, "play the command line's story, without a GitHub")
	cmd.Flags().StringVar(&keep, "keep", "", "with --local: keep the repositories in this folder, which must not exist or be empty")
	return cmd
}

// demoPatience is how long the demo waits for one thing to happen.
const demoPatience = 45 * time.Second

// stage is the demo's GitHub with the service that works for it.
type stage struct {
	*app
	ctx   context.Context
	dir   string
	hub   *localhub.Hub
	step  int
	err   error
	ended chan error // what the service ended with
}

func (a *app) demo(ctx context.Context, exit bool) (err error) {
	dir, err := os.MkdirTemp("", "syncer-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &stage{app: a, ctx: ctx, dir: dir, ended: make(chan error, 1)}
	defer s.close()
	admin := s.open()
	s.useThisTemplate()
	s.aGoldenPathChanges()
	s.aChangeIsTried()
	if s.err != nil {
		return s.err
	}
	all := localhub.Count(s.hub.Requests(), func(r localhub.Request) bool { return r.Installation != 0 })
	fmt.Fprintf(a.out, "\nThree walks in %.1f s, with %d API requests, %d of which created something.\n", time.Since(began).Seconds(), all.API, all.Content)
	if exit {
		stop()
		return <-s.ended
	}
	fmt.Fprintf(a.out, "\nStill serving. Look around, and press Ctrl-C to end:\n  %s/jobs     what was done, and by which delivery\n  %s/metrics  Prometheus\n  git clone %s/acme/payments.git\n", admin, admin, s.hub.URL())
	return <-s.ended
}

func (s *stage) close() {
	if s.hub != nil {
		s.err = errors.Join(s.err, s.hub.Close())
	}
}

// open starts the GitHub and the service, and returns the address for administrators.
func (s *stage) open() (admin string) {
	s.tell("An organisation with a platform repository, on a GitHub in this process; the service starts")
	if s.hub, s.err = localhub.New(localhub.Options{Directory: filepath.Join(s.dir, "github"), Limits: localhub.Unlimited(), ContentReads: 1}); s.err != nil {
		return ""
	}
	public, err := freePort(s.ctx)
	s.try(err)
	private, err := freePort(s.ctx)
	s.try(err)
	permissions := map[string]string{}
	for _, p := range setup.Permissions() {
		permissions[p.Name] = p.Level
	}
	const secret = "the demo's webhook secret"
	if s.err != nil {
		return ""
	}
	app, err := s.hub.App(localhub.AppOptions{
		Owner: "acme", Name: "syncer", WebhookURL: "http://" + public + "/webhooks/github", WebhookSecret: secret,
		Permissions: permissions, Events: setup.Events(),
	})
	s.try(err)
	s.hub.Organization("acme").Add("admin", "pat")
	s.hub.Organization("acme").Add("member", "dana")
	s.hub.Organization("acme").Team("payments-team", "dana")
	s.hub.Organization("acme").Property("team", "string")
	s.try(s.hub.Person("pat").CreateRepository("acme/platform", localhub.NewRepository{Files: demoFiles("1.0.0")}))
	s.try(s.hub.Person("pat").Tag("acme/platform", "v1.0.0", "main"))
	_, err = s.hub.Person("pat").Install(app, "acme")
	s.try(err)
	key := filepath.Join(s.dir, "key.pem")
	s.try(os.WriteFile(key, app.PrivateKey(), 0o600))
	if s.err != nil {
		return ""
	}
	s.serve([]string{
		"HOME=" + s.dir, "SYNCER_URL=http://" + public, "SYNCER_LISTEN=" + public, "SYNCER_ADMIN_LISTEN=" + private,
		"SYNCER_DATABASE=sqlite:" + filepath.Join(s.dir, "syncer.db"), "SYNCER_CACHE_DIRECTORY=" + filepath.Join(s.dir, "mirrors"),
		"SYNCER_PLATFORM_REPOSITORY=acme/platform", "SYNCER_GITHUB_URL=" + s.hub.URL(), fmt.Sprintf("SYNCER_GITHUB_APP_ID=%d", app.ID()),
		"SYNCER_GITHUB_PRIVATE_KEY_FILE=" + key, "SYNCER_GITHUB_WEBHOOK_SECRET=" + secret, "SYNCER_LOG_LEVEL=error",
	})
	s.until("the golden path is published as the template repository acme/template-service", func() bool {
		return s.file("acme/"+demoTemplate, "main", ".goldenpath.yaml") != ""
	})
	return "http://" + private
}

// demoTemplate is what the template repository is called by default.
const demoTemplate = "template-service"

// serve runs the service as the verb serve does.
func (s *stage) serve(environ []string) {
	loaded, err := settings.Load(settings.Input{Environ: environ})
	if s.try(err); s.err != nil {
		return
	}
	server := &server{cfg: loaded.Config, log: newLogger(s.app.err, &loaded.Config), register: register, unpaced: true}
	go func() { s.ended <- server.run(s.ctx) }()
}

// freePort returns an address of the loopback that nobody listens on.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *stage) useThisTemplate() {
	s.tell("Walk 1. dana presses “Use this template” for a new repository, payments")
	s.do(func() error {
		return errors.Join(
			s.hub.Person("dana").UseTemplate("acme/"+demoTemplate, "acme/payments", localhub.NewRepository{}),
			s.hub.Person("pat").Grant("acme/payments", "dana", "admin"))
	})
	var number int
	s.until("syncer asks in an issue for what it cannot know: who owns it", func() bool {
		issues, _ := s.hub.Issues("acme/payments")
		for _, i := range issues {
			if i.State == "open" {
				number = i.Number
			}
		}
		return number != 0
	})
	s.do(func() error {
		_, err := s.hub.Person("dana").Comment("acme/payments", number, "/syncer set team=payments-team")
		return err
	})
	s.look("dana comments: /syncer set team=payments-team")
	s.until("the golden path is rendered, in one commit with its lock", func() bool {
		return strings.Contains(s.file("acme/payments", "main", "README.md"), "payments-team")
	})
	s.show("acme/payments", "main", "service.yaml")
}

func (s *stage) aGoldenPathChanges() {
	s.tell("Walk 2. dana makes the repository her own; pat releases v1.1.0")
	makefile := strings.Replace(s.file("acme/payments", "main", "Makefile"), "test:\n\tgo test ./...\n", "test: generate\n\tgo test -race ./...\n\ngenerate:\n\tgo generate ./...\n", 1)
	service := strings.Replace(s.file("acme/payments", "main", "service.yaml"), "memory: 128Mi", "memory: 512Mi # measured", 1)
	s.do(func() error {
		_, err := s.hub.Person("dana").Push("acme/payments", "main", "Make it ours", localhub.Edit{Files: map[string]string{"Makefile": makefile, "service.yaml": service}})
		return err
	})
	s.do(func() error {
		_, err := s.hub.Person("pat").Push("acme/platform", "main", "More memory, a deploy target, CI on pull requests", localhub.Edit{Files: demoFiles("1.1.0")})
		return err
	})
	s.do(func() error { return s.hub.Person("pat").Tag("acme/platform", "v1.1.0", "main") })
	var pr *localhub.Pull
	s.until("a pull request brings the new version; dana's own lines stay", func() bool {
		pr = s.pull("acme/payments", "goldenpath/service")
		return pr != nil && strings.Contains(pr.Title, "1.1.0") && strings.Contains(pr.Body, "- [ ] take")
	})
	if s.err != nil {
		return
	}
	before, _, _ := strings.Cut(pr.Body, "\n<!-- syncer")
	s.quote(pr.Title + "\n\n" + before)
	s.look("both changed the memory, so it is asked and dana's stays; she ticks the box to take the golden path's")
	s.do(func() error {
		return s.hub.Person("dana").Edit("acme/payments", pr.Number, pr.Title, strings.Replace(pr.Body, "- [ ] take", "- [x] take", 1))
	})
	s.until("the branch has the golden path's memory", func() bool {
		return strings.Contains(s.file("acme/payments", "goldenpath/service", "service.yaml"), "memory: 256Mi")
	})
	s.until("nothing is left to decide, so the draft is ready for review", func() bool {
		pr := s.pull("acme/payments", "goldenpath/service")
		return pr != nil && !pr.Draft
	})
	s.do(func() error { return s.hub.Person("dana").MergePull("acme/payments", pr.Number, "merge") })
	s.until("she merges; both makefiles are in one", func() bool {
		text := s.file("acme/payments", "main", "Makefile")
		return strings.Contains(text, "generate:") && strings.Contains(text, "deploy:")
	})
}

func (s *stage) aChangeIsTried() {
	s.tell("Walk 3. pat tries the next change in a pull request to the platform repository")
	files := demoFiles("1.1.0")
	s.do(func() error {
		_, err := s.hub.Person("pat").Push("acme/platform", "arm", "Build for arm64 too", localhub.Edit{Files: map[string]string{
			"goldenpaths/service/template/Makefile": files["goldenpaths/service/template/Makefile"] + "\narm:\n\tGOARCH=arm64 go build ./...\n",
		}})
		return err
	})
	s.do(func() error {
		_, err := s.hub.Person("pat").OpenPull("acme/platform", "arm", "main", "Build for arm64 too", "")
		return err
	})
	var summary string
	s.until("a check shows what it will do to every member, before it is merged", func() bool {
		checks, _ := s.hub.Checks("acme/platform")
		for _, c := range checks {
			if c.Status == "completed" {
				summary = c.Conclusion + ": " + c.Title + "\n\n" + c.Summary
			}
		}
		return summary != ""
	})
	s.quote(summary)
}

func (s *stage) tell(text string) {
	if s.err == nil {
		s.step++
		fmt.Fprintf(s.out, "\n%d. %s\n", s.step, text)
	}
}

func (s *stage) look(text string) {
	if s.err == nil {
		fmt.Fprintf(s.out, "   → %s\n", text)
	}
}

func (s *stage) try(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *stage) do(step func() error) {
	if s.err == nil {
		s.err = step()
	}
}

// until waits for something to happen, and tells it.
func (s *stage) until(what string, happened func() bool) {
	if s.err != nil {
		return
	}
	deadline := time.After(demoPatience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline:
			s.err = fmt.Errorf("demo: waited %s in vain: %s", demoPatience, what)
			return
		case err := <-s.ended:
			s.ended <- err
			s.err = errors.Join(fmt.Errorf("demo: the service ended while this was waited for: %s", what), err)
			return
		case <-s.ctx.Done():
			s.err = s.ctx.Err()
			return
		}
	}
	s.look(what)
}

func (s *stage) file(repository, branch, path string) string {
	files, err := s.hub.Files(repository, branch)
	if err != nil {
		return ""
	}
	return files[path]
}

func (s *stage) pull(repository, head string) *localhub.Pull {
	pulls, err := s.hub.Pulls(repository)
	if err != nil {
		return nil
	}
	for i := range pulls {
		if pulls[i].Head == head && pulls[i].State == "open" {
			return &pulls[i]
		}
	}
	return nil
}

func (s *stage) show(repository, branch, path string) {
	if s.err == nil {
		s.quote(path + ":\n" + s.file(repository, branch, path))
	}
}

func (s *stage) quote(text string) {
	if s.err != nil {
		return
	}
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		_, _ = io.WriteString(s.out, "     │ "+line)
	}
}

// demoFiles is the demo's platform repository at one of its two versions.
func demoFiles(version string) map[string]string {
	files := map[string]string{}
	for p, f := range demoPlatform(version) {
		files[p] = string(f.Data)
	}
	return files
}
