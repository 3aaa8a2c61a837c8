package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"charm.land/huh/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/gitrepo"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// inputFlags are the inputs that a verb is given.
type inputFlags struct {
	source string
	set    []string
	file   string
}

func (f *inputFlags) add(cmd *cobra.Command) {
	sourceFlag(cmd, &f.source)
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "an input as name=value; may be repeated")
	cmd.Flags().StringVar(&f.file, "inputs", "", "a YAML or JSON file with inputs; - is standard input")
}

// given reads the inputs: the file's first, then the flags'.
func (f *inputFlags) given(a *app, g *scaffold.GoldenPath) (scaffold.Inputs, error) {
	inputs := scaffold.Inputs{}
	if f.file != "" {
		data, err := a.read(f.file)
		if err != nil {
			return nil, err
		}
		doc, err := document.Parse(f.file, data)
		if err != nil {
			return nil, err
		}
		m, ok := doc.Value().(map[string]any)
		if !ok && doc.Value() != nil {
			return nil, fmt.Errorf("%s must hold inputs by name, such as name: payments", f.file)
		}
		maps.Copy(inputs, m)
	}
	for _, s := range f.set {
		name, text, ok := strings.Cut(s, "=")
		if !ok {
			return nil, &usageError{fmt.Errorf("--set %s: write it as name=value", s)}
		}
		v, err := g.Parse(name, text)
		if err != nil {
			v = text // Resolve tells it, together with all other mistakes
		}
		inputs[name] = v
	}
	return inputs, nil
}

func (a *app) read(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(a.in, document.MaxSize+1))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the inputs: %w", err)
	}
	return data, nil
}

// golden loads the golden path that a source, given here, means for a repository
// at root.
func (a *app) golden(cmd *cobra.Command, root, source, name string) (*reconcile.GoldenPath, *reconcile.Syncer, error) {
	source, err := sourceFor(root, source)
	if err != nil {
		return nil, nil, err
	}
	s := a.syncer(root)
	g, err := s.GoldenPath(cmd.Context(), source, name, "")
	return g, s, err
}

func (a *app) newCommand() *cobra.Command {
	var f inputFlags
	cmd := &cobra.Command{
		Use: "new NAME DIR", Short: "Create a repository from a golden path",
		Long: "Create a Git repository in DIR, which must not exist or be empty, with what the golden path NAME renders:\nbranch main, one commit. Inputs that are missing are asked for on a terminal.",
		Example: "  syncer new go-service payments --set team=payments-team\n" +
			"  syncer new go-service payments --source https://github.com/acme/platform@^2 --inputs inputs.yaml",
		Args: between(2, 2, "NAME and DIR"), ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error { return a.create(cmd, &f, args[0], args[1]) },
	}
	f.add(cmd)
	return cmd
}

// howToGive says how inputs are given, where some are missing or do not fit.
func howToGive(err error, name string) error {
	ps, _ := errors.AsType[document.Problems](err)
	if !slices.ContainsFunc(ps, func(p document.Problem) bool {
		return strings.HasPrefix(strings.TrimPrefix(p.Message, "unknown "), "input ")
	}) {
		return err
	}
	return fmt.Errorf("%w\ngive inputs with --set NAME=VALUE or --inputs FILE; syncer show %s lists them", err, name)
}

func (a *app) create(cmd *cobra.Command, f *inputFlags, name, dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	g, s, err := a.golden(cmd, abs, f.source, name)
	if err != nil {
		return err
	}
	given, err := f.given(a, g.GoldenPath)
	if err != nil {
		return err
	}
	facts := scaffold.Facts{"name": filepath.Base(abs)}
	if a.onTerminal() {
		if err := ask(cmd.Context(), g.GoldenPath, g.Infer(given, facts), given); err != nil {
			return err
		}
	}
	if owner, ok := given["owner"].(string); ok {
		facts["owner"] = owner
	}
	made, err := s.Scaffold(g, given, facts)
	if err != nil {
		return howToGive(err, name)
	}
	message := fmt.Sprintf("Begin with the golden path %s %s\n\nRendered by syncer; %s says what this repository follows.\n", name, made.Revision.Name(), ".goldenpath.yaml")
	commit, err := gitrepo.Create(abs, made.Files, message, gitrepo.DefaultAuthor(), time.Now())
	if err != nil {
		return err
	}
	if a.json {
		return a.report(map[string]any{"directory": abs, "commit": commit, "version": made.Revision.Version, "files": made.Files.Paths(), "notDone": made.After, "notKept": made.Forgotten})
	}
	fmt.Fprintf(a.out, "created %s: %s of %s %s, committed to main as %.10s\n", dir, many(len(made.Files), "file"), name, made.Revision.Name(), commit)
	if len(made.Forgotten) > 0 {
		fmt.Fprintf(a.out, "not kept anywhere, because they are secrets: %s; put them where they are used\n", strings.Join(made.Forgotten, ", "))
	}
	if len(made.After) > 0 {
		fmt.Fprintf(a.out, "not done here, because it needs GitHub: after.%s\n", strings.Join(made.After, ", after."))
	}
	return nil
}

// onTerminal reports whether somebody can be asked.
func (a *app) onTerminal() bool {
	return !a.json && term.IsTerminal(int(a.in.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) //nolint:gosec // file descriptors are small
}

// ask shows a form for the required inputs that nobody gave.
func ask(ctx context.Context, g *scaffold.GoldenPath, known, given scaffold.Inputs) error {
	answers := map[string]*string{}
	var fields []huh.Field
	for _, name := range g.InputNames() {
		prop, required := g.Input(name)
		if _, has := known[name]; has || !required {
			continue
		}
		answers[name] = new(string)
		fields = append(fields, field(g, name, prop, answers[name]))
	}
	if len(fields) == 0 {
		return nil
	}
	if err := huh.NewForm(huh.NewGroup(fields...)).RunWithContext(ctx); err != nil {
		if errors.Is(err, huh.ErrUserAborted) {
			return context.Canceled
		}
		return err
	}
	for name, text := range answers {
		v, err := g.Parse(name, *text)
		if err != nil {
			return err
		}
		given[name] = v
	}
	return nil
}

func field(g *scaffold.GoldenPath, name string, prop map[string]any, answer *string) huh.Field {
	title, _ := prop["title"].(string)
	if title == "" {
		title = name
	}
	description, _ := prop["description"].(string)
	if enum, ok := prop["enum"].([]any); ok {
		options := make([]huh.Option[string], len(enum))
		for i, e := range enum {
			options[i] = huh.NewOption(fmt.Sprint(e), fmt.Sprint(e))
		}
		return huh.NewSelect[string]().Title(title).Description(description).Options(options...).Value(answer)
	}
	input := huh.NewInput().Title(title).Description(description).Value(answer)
	if g.IsSecret(name) {
		input.EchoMode(huh.EchoModePassword)
	}
	return input.Validate(func(text string) error {
		v, err := g.Parse(name, text)
		if err != nil {
			return err
		}
		return g.CheckInput(name, v)
	})
}

func (a *app) renderCommand() *cobra.Command {
	var f inputFlags
	var out string
	var stdout bool
	cmd := &cobra.Command{
		Use: "render NAME", Short: "Render a golden path without creating a repository",
		Example: "  syncer render go-service --set name=payments --set team=core --out /tmp/payments\n  syncer render go-service --inputs inputs.yaml --stdout",
		Args:    between(1, 1, "the NAME of a golden path"), ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (out == "") == !stdout {
				return usage(cmd, errors.New("give one of --out DIR and --stdout"))
			}
			files, err := a.rendered(cmd, &f, args[0])
			if err != nil {
				return err
			}
			if stdout {
				return a.printTree(files)
			}
			if err := export(out, files); err != nil {
				return err
			}
			if a.json {
				return a.report(map[string]any{"directory": out, "files": files.Paths()})
			}
			fmt.Fprintf(a.err, "wrote %s to %s\n", many(len(files), "file"), out)
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to; it must not exist or be empty")
	cmd.Flags().BoolVar(&stdout, "stdout", false, "print the files as a txtar archive, or with --json as a list")
	return cmd
}

func (a *app) rendered(cmd *cobra.Command, f *inputFlags, name string) (tree.Tree, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	g, _, err := a.golden(cmd, here, f.source, name)
	if err != nil {
		return nil, err
	}
	given, err := f.given(a, g.GoldenPath)
	if err != nil {
		return nil, err
	}
	inputs, err := g.Resolve(scaffold.Place{File: f.file}, given)
	if err != nil {
		return nil, howToGive(err, name)
	}
	repository, _ := inputs["name"].(string)
	if owner, _ := inputs["owner"].(string); owner != "" {
		repository = owner + "/" + repository
	}
	r, err := g.Render(inputs, scaffold.Machine{Repository: repository, Version: g.Version()})
	if err != nil {
		return nil, err
	}
	return r.Tree(), nil
}

// fileReport is a file as JSON tells it.
type fileReport struct {
	Path     string `json:"path"`
	Kind     string `json:"kind"`
	Content  string `json:"content"`
	Encoding string `json:"encoding,omitempty"` // "base64", or none
}

func (a *app) printTree(files tree.Tree) error {
	if a.json {
		list := []fileReport{}
		for _, p := range files.Paths() {
			encode, encoding := encoder(files[p].Data)
			list = append(list, fileReport{p, files[p].Kind.String(), encode(files[p].Data), encoding})
		}
		return a.report(list)
	}
	for _, p := range slices.Sorted(maps.Keys(files)) {
		if _, err := fmt.Fprintf(a.out, "-- %s --\n%s", p, files[p].Data); err != nil {
			return err
		}
		if d := files[p].Data; len(d) > 0 && d[len(d)-1] != '\n' {
			fmt.Fprintln(a.out)
		}
	}
	return nil
}

// export writes files to a folder that does not exist or is empty.
func export(dir string, files tree.Tree) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a folder for everybody
		return fmt.Errorf("--out: %w", err)
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		return errors.Join(fmt.Errorf("--out: %s is not empty; nothing was written", dir), err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer root.Close()
	for _, p := range files.Paths() {
		if err := exportFile(root, filepath.FromSlash(p), files[p]); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	return nil
}

func exportFile(root *os.Root, name string, f tree.File) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	switch f.Kind {
	case tree.Symlink:
		return root.Symlink(string(f.Data), name)
	case tree.Executable:
		return root.WriteFile(name, f.Data, 0o755)
	}
	return root.WriteFile(name, f.Data, 0o644)
}
