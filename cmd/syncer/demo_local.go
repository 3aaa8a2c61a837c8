package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/tree"
)

// story is the demo's folder and what it may still need.
type story struct {
	*app
	ctx      context.Context
	dir      string
	platform string
	step     int
	err      error
}

// demoLocal plays the command line's story on repositories in a folder.
func (a *app) demoLocal(ctx context.Context, keep string) error {
	dir := keep
	if dir == "" {
		temporary, err := os.MkdirTemp("", "syncer-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	} else if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a folder for everybody
		return err
	}
	s := &story{app: a, ctx: ctx, dir: dir, platform: filepath.Join(dir, "platform")}
	s.play()
	if s.err == nil && keep != "" {
		fmt.Fprintf(a.out, "\nThe repositories are in %s.\n", keep)
	}
	return s.err
}

func (s *story) play() {
	s.tell("The platform team writes a golden path and tags it v1.0.0")
	first := s.commit(gitrepo.Commit{Message: "Add the golden path service\n"}, demoPlatform("1.0.0"))
	s.tag("v1.0.0", first)

	s.tell("Two teams create repositories from it")
	for _, name := range []string{"payments", "search"} {
		s.syncer(0, "new", "service", filepath.Join(s.dir, name), "--source", s.platform, "--set", "team="+name+"-team")
	}
	s.look("payments/.goldenpath.yaml is the team's, payments/.goldenpath.lock is syncer's")

	s.tell("The developers make the repositories their own")
	s.edit("payments", "Makefile", "test:\n\tgo test ./...", "test: generate\n\tgo test -race ./...\n\ngenerate:\n\tgo generate ./...")
	s.edit("search", "service.yaml", "memory: 128Mi", "memory: 512Mi # the index lives in memory")

	s.tell("The platform team releases v1.1.0: more memory, a deploy target, CI on pull requests")
	second := s.commit(gitrepo.Commit{Parent: first, Message: "More memory, a deploy target, CI on pull requests\n"}, demoPlatform("1.1.0"))
	s.tag("v1.1.0", second)

	s.tell("Each repository sees that it is behind, and what would change")
	s.syncer(exitDifferences, "check", filepath.Join(s.dir, "payments"))

	s.tell("payments syncs: the developers' Makefile and the golden path's are merged")
	s.syncer(0, "sync", filepath.Join(s.dir, "payments"))
	s.show("payments", "Makefile")
	s.look("the team's generate target and the golden path's deploy target are both there")

	s.tell("search syncs: both changed the memory, so the team's stays and the conflict is told")
	s.syncer(exitDifferences, "sync", filepath.Join(s.dir, "search"))
	s.syncer(exitDifferences, "diff", filepath.Join(s.dir, "search"), "--3way")
	s.look("service.yaml holds no conflict markers; the rest of the new version is in")

	s.tell("The team keeps its own memory, and is not asked again")
	s.inFolder("search", func() { s.syncer(0, "resolve", "service.yaml", "--take", "ours") })
	s.syncer(0, "check", filepath.Join(s.dir, "search"))
}

func (s *story) tell(text string) {
	if s.err == nil {
		s.step++
		fmt.Fprintf(s.out, "\n%d. %s\n", s.step, text)
	}
}

func (s *story) look(text string) {
	if s.err == nil {
		fmt.Fprintf(s.out, "   → look: %s\n", text)
	}
}

// syncer runs a verb as a user would, and expects its exit code.
func (s *story) syncer(want int, args ...string) {
	if s.err != nil {
		return
	}
	shown := strings.ReplaceAll(strings.Join(args, " "), s.dir+string(filepath.Separator), "")
	fmt.Fprintf(s.out, "   $ syncer %s\n", shown)
	var out strings.Builder
	inner := &app{in: s.in, out: &out, err: &out}
	root := inner.root()
	root.SetArgs(args)
	err := root.ExecuteContext(s.ctx)
	got := inner.exit(err)
	for line := range strings.Lines(out.String()) {
		fmt.Fprintf(s.out, "     %s", strings.ReplaceAll(line, s.dir+string(filepath.Separator), ""))
	}
	if got != want {
		s.err = fmt.Errorf("demo: syncer %s ended with %d instead of %d: %w", shown, got, want, errors.Join(err, errors.New("the story cannot go on")))
	}
}

func (s *story) inFolder(name string, do func()) {
	if s.err != nil {
		return
	}
	back, err := os.Getwd()
	if err == nil {
		err = os.Chdir(filepath.Join(s.dir, name))
	}
	if s.err = err; err != nil {
		return
	}
	do()
	s.err = errors.Join(s.err, os.Chdir(back))
}

// commit writes the platform repository's next commit.
func (s *story) commit(c gitrepo.Commit, files tree.Tree) string {
	if s.err != nil {
		return ""
	}
	author := gitrepo.Author{Name: "Platform team", Email: "platform@example.com"}
	var id string
	if c.Parent == "" {
		id, s.err = gitrepo.Create(s.platform, files, c.Message, author, time.Now())
		return id
	}
	c.Changes = map[string]*tree.File{}
	for p, f := range files {
		c.Changes[p] = &f
	}
	c.Branch, c.Author, c.When = "next", author, time.Now()
	var m *gitrepo.Member
	if m, s.err = gitrepo.OpenMember(s.platform); s.err == nil {
		id, s.err = m.Commit(c)
	}
	return id
}

func (s *story) tag(name, commit string) {
	if s.err == nil {
		s.err = tagCommit(s.platform, name, commit)
	}
}

// edit changes a file of a repository as a developer would, and commits it.
func (s *story) edit(name, file, from, to string) {
	if s.err != nil {
		return
	}
	path := filepath.Join(s.dir, name, file)
	data, err := os.ReadFile(path)
	if err == nil && !strings.Contains(string(data), from) {
		err = fmt.Errorf("demo: %s/%s does not hold %q", name, file, from)
	}
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(data), from, to, 1)), 0o644) //nolint:gosec // a file for everybody
	}
	if err == nil {
		err = commitFile(filepath.Join(s.dir, name), file, "Make "+file+" ours")
	}
	s.err = err
	fmt.Fprintf(s.out, "   %s/%s edited and committed\n", name, file)
}

func (s *story) show(name, file string) {
	if s.err != nil {
		return
	}
	data, err := os.ReadFile(filepath.Join(s.dir, name, file))
	s.err = err
	for line := range strings.Lines(string(data)) {
		fmt.Fprint(s.out, "     │ "+line)
	}
}

func tagCommit(dir, name, commit string) error {
	repo, err := git.PlainOpen(dir)
	if err != nil {
		return err
	}
	_, err = repo.CreateTag(name, plumbing.NewHash(commit), nil)
	return err
}

func commitFile(dir, file, message string) error {
	repo, err := git.PlainOpen(dir)
	if err != nil {
		return err
	}
	work, err := repo.Worktree()
	if err != nil {
		return err
	}
	if _, err := work.Add(file); err != nil {
		return err
	}
	_, err = work.Commit(message, &git.CommitOptions{Author: &object.Signature{Name: "Developer", Email: "dev@example.com", When: time.Now()}})
	return err
}

// demoPlatform is a small platform repository at one of its two versions.
func demoPlatform(version string) tree.Tree {
	makefile := "# What a developer runs.\n\nbuild:\n\tgo build ./...\n\ntest:\n\tgo test ./...\n\nlint:\n\tgo vet ./...\n"
	memory, on := "128Mi", "on: [push]\n"
	if version != "1.0.0" {
		makefile += "\ndeploy:\n\tkubectl apply -f service.yaml\n"
		memory, on = "256Mi", "on: [push, pull_request]\n"
	}
	return tree.Tree{
		"goldenpaths/service/goldenpath.yaml": tree.Text(`apiVersion: syncer/v1
kind: GoldenPath
name: service
version: ` + version + `
title: A small service
inputs:
  type: object
  required: [name, team]
  properties:
    name: {type: string, title: Service name, x-from: repository.name}
    team: {type: string, title: Owning team}
files:
  - {glob: ".github/**", mode: managed}
`),
		"goldenpaths/service/tests/payments.txtar":              tree.Text("-- inputs.yaml --\nname: payments\nteam: payments-team\n"),
		"goldenpaths/service/template/README.md.tmpl":           tree.Text("# {{ .name }}\n\nOwned by {{ .team }}.\n"),
		"goldenpaths/service/template/Makefile":                 tree.Text(makefile),
		"goldenpaths/service/template/service.yaml.tmpl":        tree.Text("name: {{ .name }}\nteam: {{ .team }}\nresources:\n  cpu: 100m\n  memory: " + memory + "\n"),
		"goldenpaths/service/template/.github/workflows/ci.yml": tree.Text("name: ci\n" + on + "jobs: {}\n"),
	}
}
