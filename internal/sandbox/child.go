package sandbox

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/scaffold/fixture"
	"github.com/goldenpaths/syncer/internal/tree"
)

// maxStack bounds a goroutine's stack in bytes, in place of Go's 1 GB.
const maxStack = 32 << 20

// Serve is the other end of a [Session], in the process of its own: it bounds this
// process to so many bytes of memory, lints and loads the golden paths that come in,
// and renders what it is asked for until in ends.
func Serve(in io.Reader, out io.Writer, memory int64) error {
	debug.SetMaxStack(maxStack)
	debug.SetMemoryLimit(memory / 4 * 3) // collect before there is none left
	if err := confine(memory); err != nil {
		return fmt.Errorf("bounding the process: %w", err)
	}
	r, s := newReceiver(in), sender{out}
	files, err := take(r)
	if err != nil {
		return err
	}
	paths := map[string]*scaffold.GoldenPath{}
	o := overview{Problems: fixture.Lint(files)}
	for _, name := range scaffold.Names(files) {
		g, err := scaffold.Load(files, name)
		if err != nil {
			continue // among the problems
		}
		paths[name] = g
		o.Paths = append(o.Paths, Path{Name: name, Version: g.Manifest.Version, Digest: g.Digest, Migrations: g.Manifest.Migrations, Merge: g.MergeRules(), Inputs: g.InputNames(), Secrets: g.Secrets()})
	}
	if err := s.send(o); err != nil {
		return err
	}
	for {
		var w wish
		if err := r.receive(&w); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answer := render(paths[w.Name], w)
		err := s.send(answer)
		if errors.Is(err, errTooMuch) {
			err = s.send(rendering{Error: err.Error()})
		}
		if err != nil {
			return err
		}
	}
}

func take(r *receiver) (tree.Tree, error) {
	var o opening
	if err := r.receive(&o); err != nil {
		return nil, err
	}
	files := tree.Tree{}
	for range o.Files {
		var f file
		if err := r.receive(&f); err != nil {
			return nil, err
		}
		files[f.Path] = tree.File{Kind: f.Kind, Data: f.Data}
	}
	return files, nil
}

func render(g *scaffold.GoldenPath, w wish) rendering {
	if g == nil {
		return rendering{Error: fmt.Sprintf("there is no golden path %q that can be read", w.Name)}
	}
	inputs, err := g.Resolve(w.At, exactInputs(w.Inputs))
	if err != nil {
		return failed(err)
	}
	files, err := g.Render(inputs, scaffold.Machine{Repository: w.Repository, Version: g.Manifest.Version})
	if err != nil {
		return failed(err)
	}
	out := rendering{Public: g.Public(inputs)}
	for _, p := range files.Paths() {
		f := files[p]
		out.Files = append(out.Files, file{Path: p, Kind: f.File.Kind, Data: f.File.Data, Mode: f.Mode, Layer: f.Layer, Origin: f.Origin, Merge: f.Merge})
	}
	return out
}

func failed(err error) rendering {
	if ps, ok := errors.AsType[scaffold.Problems](err); ok {
		return rendering{Problems: ps}
	}
	return rendering{Error: err.Error()}
}
