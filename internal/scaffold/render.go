package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/nearest"
	"github.com/goldenpaths/syncer/internal/scaffold/engine"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Engine is the version of how rendering works. It is raised when the same
// golden path and inputs would give other bytes than before.
const Engine = 1

// MaxFiles and MaxBytes bound what one golden path renders to.
const (
	MaxFiles = 20_000
	MaxBytes = 64 << 20
)

// Machine is what syncer knows and templates see as .syncer.
type Machine struct {
	Repository string // owner/name, or the name alone where the owner is not known
	Version    string // the golden path's version
}

// Rendered is one file of a rendering.
type Rendered struct {
	File  tree.File
	Mode  Mode
	Layer string // the golden path that owns the file
	// Origin is the source that the file comes from: its path below template/
	// and, where it is one of several, which. A file whose Origin stays and whose
	// path changes was renamed.
	Origin string
	// Merge is what the manifests say about changes of the file that meet; nil where
	// they say nothing.
	Merge *policy.Policy
	blob  tree.BlobID
}

// Blob returns the git object id of the file's content.
func (r Rendered) Blob() tree.BlobID {
	if r.blob != "" {
		return r.blob
	}
	return r.File.Blob()
}

// With returns the file with other bytes: those that a repository stores of it.
func (r Rendered) With(f tree.File) Rendered {
	r.File, r.blob = f, ""
	return r
}

// Rendering maps paths to rendered files.
type Rendering map[string]Rendered

// Tree returns the files alone.
func (r Rendering) Tree() tree.Tree {
	t := make(tree.Tree, len(r))
	for p, f := range r {
		t[p] = f.File
	}
	return t
}

// Paths returns the paths in byte order.
func (r Rendering) Paths() []string { return slices.Sorted(maps.Keys(r)) }

// Render makes the files of the golden path. The inputs are what [GoldenPath.Resolve]
// returned; secrets among them are not seen by templates. The error is
// [document.Problems].
func (g *GoldenPath) Render(inputs Inputs, m Machine) (Rendering, error) {
	budget := g.budget()
	data, err := g.data(inputs, m, budget)
	if err != nil {
		return nil, document.Gather(manifestPath(g.Manifest.Name), err)
	}
	out := renderer{files: make(Rendering, len(g.sources)), sources: make(map[string]*sourceFile, len(g.sources))}
	prepared := budget.Data(data)
	for i := range g.sources {
		s := &g.sources[i]
		if err := out.source(s, data, prepared); err != nil {
			out.problems = append(out.problems, document.Gather(s.file, err)...)
		}
	}
	if len(out.problems) > 0 {
		return nil, out.problems
	}
	if ps := unwritable(out.files.Tree(), out.sources); len(ps) > 0 {
		return nil, ps
	}
	return out.files, nil
}

func (g *GoldenPath) budget() *engine.Budget {
	b := engine.NewBudget(engine.Limits{})
	b.Secrets = g.secrets
	return b
}

// data is the top level that templates see.
func (g *GoldenPath) data(inputs Inputs, m Machine, budget *engine.Budget) (map[string]any, error) {
	data := maps.Clone(g.optional)
	maps.Copy(data, g.Public(inputs))
	data[reserved] = map[string]any{"repository": m.Repository, "version": m.Version, "goldenPath": g.Manifest.Name}
	for _, c := range g.computed {
		v, err := c.value(budget.Data(data))
		if err != nil {
			return nil, err
		}
		data[c.name] = v
	}
	return data, nil
}

type renderer struct {
	files    Rendering
	sources  map[string]*sourceFile // by rendered path
	problems document.Problems
	bytes    int
}

// source renders one source file: once, or once for each item of its list.
func (r *renderer) source(s *sourceFile, data map[string]any, prepared engine.Data) error {
	if s.rule.ForEach == "" {
		return r.file(s, prepared, s.source)
	}
	items, err := itemsOf(s, data)
	if err != nil {
		return err
	}
	if len(items) > MaxFiles {
		return s.rule.at("forEach", fmt.Sprintf("%q has %d items; at most %d are rendered", s.rule.ForEach, len(items), MaxFiles), "have a shorter list")
	}
	for i, item := range items {
		one, err := prepared.With(s.rule.As, item)
		if err != nil {
			p := document.Gather("", err)[0]
			return s.rule.at("forEach", p.Message, p.Hint)
		}
		if err := r.file(s, one, fmt.Sprintf("%s[%s]", s.source, itemKey(item, i))); err != nil {
			return err
		}
	}
	return nil
}

func itemsOf(s *sourceFile, data map[string]any) ([]any, error) {
	v, ok := lookup(data, s.rule.ForEach)
	if first, _, _ := strings.Cut(s.rule.ForEach, "."); !ok && !slices.Contains(slices.Collect(maps.Keys(data)), first) {
		return nil, s.rule.at("forEach", fmt.Sprintf("nothing is called %q", first), nearest.Hint(first, slices.Collect(maps.Keys(data))))
	}
	if !ok {
		return nil, nil // an optional list that nobody gave
	}
	items, ok := v.([]any)
	if !ok {
		return nil, s.rule.at("forEach", fmt.Sprintf("%q is not a list", s.rule.ForEach), "name an input or computed value of type array")
	}
	return items, nil
}

// itemKey names an item so that it is found again when the list is reordered.
func itemKey(item any, index int) string {
	switch item := item.(type) {
	case string:
		return item
	case int64, float64, bool:
		return fmt.Sprint(item)
	case map[string]any:
		if name, ok := item["name"].(string); ok {
			return name
		}
	}
	return fmt.Sprint(index)
}

func (r *renderer) file(s *sourceFile, data engine.Data, origin string) error {
	if use, err := s.wanted(data); err != nil || !use {
		return err
	}
	p, err := s.renderedPath(data)
	if err != nil || p == "" {
		return err
	}
	f := s.static
	f.Origin = origin
	if s.template != nil {
		text, err := s.template.ExecuteOn(data)
		if err != nil {
			return err
		}
		f = Rendered{File: tree.File{Kind: s.kind, Data: text}, Mode: s.rule.Mode, Layer: s.layer, Origin: origin, Merge: s.merge}
		f.blob = f.File.Blob()
	}
	before := r.sources[p]
	if before == s {
		return s.rule.at("forEach", fmt.Sprintf("two items of %q both render %s to %s", s.rule.ForEach, s.source, p), "put what tells the items apart into the file's path")
	}
	if before != nil && before.layer == s.layer {
		return document.Problem{File: s.file, Message: fmt.Sprintf("this and %s both render to %s", before.file, p), Hint: "give one another path, or a when"}
	}
	r.files[p], r.sources[p] = f, s
	r.bytes += len(f.File.Data)
	if len(r.files) > MaxFiles || r.bytes > MaxBytes {
		return document.Problem{File: s.file, Message: fmt.Sprintf("the golden path renders more than %d files or %d bytes", MaxFiles, MaxBytes)}
	}
	return nil
}

// wanted reports whether the file's when holds.
func (s *sourceFile) wanted(data engine.Data) (bool, error) {
	if s.when == nil {
		return true, nil
	}
	out, err := s.when.ExecuteOn(data)
	if err != nil {
		return false, s.inWhen(err)
	}
	switch text := string(bytes.TrimSpace(out)); text {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	default:
		return false, s.rule.at("when", fmt.Sprintf("%q renders to %.60q", s.rule.When, text), "it must render to true or false, as {{ if .x }}true{{ end }} does")
	}
}

// inWhen moves a mistake in the rule's when to where the rule stands. One that is in a
// partial stays there.
func (s *sourceFile) inWhen(err error) document.Problem {
	p := document.Gather(s.file, err)[0]
	if p.File != s.file {
		return p
	}
	return s.rule.at("when", p.Message, p.Hint)
}

// inPath says that a mistake is in the file's path, not on a line of it.
func (s *sourceFile) inPath(err error) document.Problem {
	p := document.Gather(s.file, err)[0]
	if p.File == s.file {
		p.Line, p.Column, p.Message = 0, 0, "in the file's path: "+p.Message
	}
	return p
}

// renderedPath returns "" where a segment of the path renders to nothing.
func (s *sourceFile) renderedPath(data engine.Data) (string, error) {
	p, err := s.source, s.badPath
	if s.path != nil {
		if p, err = s.path.render(data); err != nil {
			return "", s.inPath(err)
		}
		if p == "" {
			return "", nil
		}
		err = checkPath(p)
	}
	if err != nil {
		return "", document.Problem{File: s.file, Message: fmt.Sprintf("the file would be written to %q: %v", p, err), Hint: "change the input or the name of the template"}
	}
	return p, nil
}

// MemberName and LockName are the files in a member that say which golden paths it
// follows, and what was rendered of them.
const (
	MemberName = ".goldenpath.yaml"
	LockName   = ".goldenpath.lock"
)

// checkPath returns an error where a golden path must not have a file at p: it is no
// path of a repository's, or one of the two files that are not the golden path's.
func checkPath(p string) error {
	first, _, _ := strings.Cut(p, "/")
	for _, own := range []string{MemberName, LockName} {
		if tree.SameName(first, own) {
			return fmt.Errorf("%s is where a repository says what it follows, and no golden path's", own)
		}
	}
	return tree.CheckPath(p)
}

// unwritable returns why files cannot be written into one repository, each reason at the
// source that the file comes from.
func unwritable(files tree.Tree, sources map[string]*sourceFile) document.Problems {
	joined, _ := files.CheckTogether().(interface{ Unwrap() []error })
	if joined == nil {
		return nil
	}
	var ps document.Problems
	for _, err := range joined.Unwrap() {
		p := document.Problem{Message: "the rendered files cannot be written: " + err.Error(), Hint: "change the name of one, or its when"}
		if at, ok := errors.AsType[*tree.PathError](err); ok {
			p.File = sources[at.Path].file
			if files[at.Path].Kind.IsLink() {
				p.Hint = "have the link lead to a file of the repository"
			}
		}
		ps = append(ps, p)
	}
	return ps
}
