package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/sandbox"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// childName is what the test's program is called where it is the other end.
const childName = "sandbox-child"

func TestMain(m *testing.M) {
	if os.Args[0] != childName {
		os.Exit(m.Run())
	}
	if err := sandbox.Serve(os.Stdin, os.Stdout, 256<<20); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func box(t *testing.T, change func(*sandbox.Config)) *sandbox.Sandbox {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := sandbox.Config{Program: program, Args: []string{childName}}
	if change != nil {
		change(&cfg)
	}
	return sandbox.New(cfg)
}

const manifest = `apiVersion: syncer/v1
kind: GoldenPath
name: svc
title: A service
description: A small service
version: 1.2.0
inputs:
  type: object
  required: [name]
  properties:
    name: {type: string}
    port: {type: integer, default: 8080}
    share: {type: number, default: 0.5}
    big: {type: integer, default: 9007199254740993}
    on: {type: boolean, default: true}
    list: {type: array, items: {type: integer}, default: [1, 2]}
    secret: {type: string, writeOnly: true}
migrations:
  - {to: 1.1.0, renames: {a: b}, inputs: {default: {port: 9000}}}
files:
  - {glob: "managed.txt", mode: managed}
`

func files() tree.Tree {
	text := "{{ .name }} {{ .port }} {{ add .port 1 }} {{ .share }} {{ .big }} {{ .on }} {{ .list }} {{ .syncer.repository }} {{ .syncer.version }}\n"
	return tree.Tree{
		"goldenpaths/svc/goldenpath.yaml":           tree.Text(manifest),
		"goldenpaths/svc/template/all.txt.tmpl":     tree.Text(text),
		"goldenpaths/svc/template/managed.txt":      tree.Text("managed\n"),
		"goldenpaths/svc/template/run.sh":           {Kind: tree.Executable, Data: []byte("#!/bin/sh\n")},
		"goldenpaths/svc/template/link":             {Kind: tree.Symlink, Data: []byte("all.txt")},
		"goldenpaths/svc/template/bytes":            {Kind: tree.Regular, Data: []byte{0, 0xff, '\n'}},
		"goldenpaths/svc/template/{{ .name }}/name": tree.Text("x\n"),
		"goldenpaths/broken/goldenpath.yaml":        tree.Text("kind: [\n"),
	}
}

// TestItIsTheSameAsHere renders in both places: every byte, mode and type of number.
func TestItIsTheSameAsHere(t *testing.T) {
	s, err := box(t, nil).Open(t.Context(), files())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if ps := s.Problems(); !strings.Contains(ps.Error(), "goldenpaths/broken/goldenpath.yaml:") {
		t.Errorf("the problems are %v", ps)
	}
	here, err := scaffold.Load(files(), "svc")
	if err != nil {
		t.Fatal(err)
	}
	want := []sandbox.Path{{Name: "svc", Version: "1.2.0", Digest: here.Digest, Migrations: here.Manifest.Migrations, Merge: here.MergeRules(), Inputs: here.InputNames(), Secrets: here.Secrets()}}
	// A manifest's own numbers are read as int, those of documents as int64; neither a
	// comparison nor a template tells them apart.
	wide := cmp.Transformer("int64", func(m map[string]any) map[string]string {
		out := map[string]string{}
		for k, v := range m {
			out[k] = fmt.Sprint(v)
		}
		return out
	})
	if diff := cmp.Diff(want, s.Paths(), wide); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	for _, given := range []scaffold.Inputs{
		{"name": "a"},
		{"name": "b", "port": int64(1), "share": 1e30, "on": false, "list": []any{int64(7)}, "secret": "hush"},
	} {
		inputs, err := here.Resolve(scaffold.Place{File: "file"}, given)
		if err != nil {
			t.Fatal(err)
		}
		wantFiles, err := here.Render(inputs, scaffold.Machine{Repository: "acme/x", Version: "1.2.0"})
		if err != nil {
			t.Fatal(err)
		}
		got, public, err := s.Render("svc", scaffold.Place{File: "file"}, given, "acme/x")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(here.Public(inputs), public); diff != "" {
			t.Errorf("public inputs (-here +there):\n%s", diff)
		}
		for p, f := range wantFiles {
			g := got[p]
			if !g.File.Equal(f.File) || g.Mode != f.Mode || g.Layer != f.Layer || g.Origin != f.Origin || g.Blob() != f.Blob() || !reflect.DeepEqual(g.Merge, f.Merge) {
				t.Errorf("%s is %+v, want %+v", p, g, f)
			}
		}
		if len(got) != len(wantFiles) {
			t.Errorf("%d files, want %d", len(got), len(wantFiles))
		}
	}
	_, _, err = s.Render("svc", scaffold.Place{File: "file"}, scaffold.Inputs{"port": "x"}, "acme/x")
	if _, ok := errors.AsType[scaffold.Problems](err); !ok || !strings.Contains(err.Error(), "name") {
		t.Errorf("wrong inputs give %v, want problems", err)
	}
	if _, _, err = s.Render("broken", scaffold.Place{File: "file"}, nil, "acme/x"); err == nil {
		t.Error("a golden path that cannot be read was rendered")
	}
	if _, _, err = s.Render("svc", scaffold.Place{File: "file"}, scaffold.Inputs{"name": "c"}, "acme/x"); err != nil {
		t.Errorf("after mistakes it does not go on: %v", err)
	}
}

// TestOnlyRenderingTakesTime: a large fleet takes long to be asked what it has, which no
// golden path is to blame for.
func TestOnlyRenderingTakesTime(t *testing.T) {
	t.Parallel()
	const timeout = 4 * time.Second
	s, err := box(t, func(c *sandbox.Config) { c.Timeout = timeout }).Open(t.Context(), files())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	<-time.After(timeout + 100*time.Millisecond) // GitHub answers slowly
	if _, _, err = s.Render("svc", scaffold.Place{File: "file"}, scaffold.Inputs{"name": "a"}, "acme/x"); err != nil {
		t.Errorf("after a long wait: %v", err)
	}
}

// TestAProcessThatMisbehaves never gets further than a BrokenError.
func TestAProcessThatMisbehaves(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for name, c := range map[string]struct{ script, want string }{
		"ends":          {"exit 3", "exit status 3"},
		"gives up":      {"echo 'bounding the process: setrlimit' >&2; exit 1", "setrlimit"},
		"too much":      {"echo 'it renders to more than 32 MiB' >&2; exit 1", "more than 32 MiB"},
		"complains":     {"echo 'fatal error: stack overflow' >&2; exit 2", "nested without end"},
		"out of memory": {"echo 'runtime: out of memory: cannot allocate' >&2; exit 2", "256 MiB of memory"},
		"sleeps":        {"exec sleep 60", "longer than 1s"},
		"reads nothing": {"exec sleep 60 <&-", ""},
		"talks":         {"printf '{\"problems\":[{\"message\":\"'; yes | tr -d '\\n'", "more than 32 MiB"},
		"nonsense":      {"echo nonsense; exec cat >/dev/null", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := box(t, func(c2 *sandbox.Config) {
				c2.Program, c2.Args, c2.Timeout, c2.AtOnce = sh, []string{"sh", "-c", "PATH=/usr/bin:/bin; " + c.script}, time.Second, 1
				if name == "talks" {
					c2.Timeout = time.Minute
				}
			})
			if name == "gives up" {
				if _, err := b.Open(t.Context(), files()); err == nil || errors.As(err, new(*sandbox.BrokenError)) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("it gives %v, which blames the golden path", err)
				}
				return
			}
			for range 2 { // its place is free again
				_, err := b.Open(t.Context(), files())
				if broken, ok := errors.AsType[*sandbox.BrokenError](err); !ok || !strings.Contains(broken.Reason, c.want) {
					t.Errorf("it gives %v, want %q", err, c.want)
				}
			}
		})
	}
}
