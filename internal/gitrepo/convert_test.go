package gitrepo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
	"github.com/goldenpaths/syncer/internal/tree"
)

// given are attributes, and the names of the folders in which they hold.
var given = map[string]string{
	"none": "", "text": "text", "no-text": "-text", "auto": "text=auto", "input": "text=input", "odd": "text=odd",
	"auto-lf": "text=auto eol=lf", "auto-crlf": "text=auto eol=crlf", "lf": "eol=lf", "crlf": "eol=crlf",
	"text-crlf": "text eol=crlf", "input-crlf": "text=input eol=crlf", "old": "crlf", "no-old": "-crlf", "old-input": "crlf=input",
	"binary": "binary", "no-text-crlf": "-text eol=crlf", "ident": "ident", "ident-crlf": "text ident eol=crlf",
	"unknown-filter": "text=auto filter=none", "utf8": "text working-tree-encoding=UTF-8",
}

// contents are files of every kind that git tells apart.
var contents = map[string]string{
	"lf": "a\nb\n", "crlf": "a\r\nb\r\n", "mixed": "a\r\nb\n", "lone": "a\rb\r\n", "end": "a\r\nb", "cr": "a\r\nb\r",
	"zero": "a\r\n\x00\nb\n", "control": "a\x01\r\n", "few": strings.Repeat("x", 128) + "\x01\r\n\n", "eof": "a\r\n\x1a", "empty": "",
	"double": "a\r\r\nb\n", "id": "$Id$\n$Id: x $\n$Id: x y $\n$Id: \n$\n$Id:$ $Id: $Id: z$\n", "id-end": "x $Id: y", "one": "\n",
	"id-crlf": "$Id$\r\n$Id: 1 $\r\n",
}

// lineEndSettings are the configurations that decide about line ends.
func lineEndSettings() [][]string {
	return [][]string{
		nil, {"core.eol=lf"}, {"core.eol=crlf"}, {"core.eol=native"},
		{"core.autocrlf=true"}, {"core.autocrlf=true", "core.eol=lf"}, {"core.autocrlf=input"},
	}
}

func attributesFile() string {
	var b strings.Builder
	for dir, attrs := range given {
		if attrs != "" {
			fmt.Fprintf(&b, "/%s/** %s\n", dir, attrs)
		}
	}
	return b.String()
}

// What the work tree holds is read as git would add it, whatever is staged.
func TestWorkFilesAreAsGitWouldAddThem(t *testing.T) {
	gittest.Isolate(t)
	staged := map[string]string{"new": "", "lf": "x\ny\n", "crlf": "x\r\ny\r\n", "binary": "x\r\n\x00"}
	files, before := map[string]string{}, map[string]string{}
	var paths []string
	for dir, attrs := range given {
		guesses := attrs == "" || strings.Contains(attrs, "auto") // only then what is staged matters
		for name, text := range contents {
			for was, old := range staged {
				if was != "new" && !guesses {
					continue
				}
				p := dir + "/" + name + "/" + was
				paths = append(paths, p)
				files[p] = text
				if was != "new" {
					before[p] = old
				}
			}
		}
	}
	for _, config := range lineEndSettings() {
		t.Run(strings.Join(config, " "), func(t *testing.T) {
			dir := gittest.Repository(t, before)
			for _, one := range config {
				name, value, _ := strings.Cut(one, "=")
				gittest.Git(t, dir, "config", name, value)
			}
			for p, text := range files {
				gittest.Write(t, dir, p, text)
			}
			gittest.Write(t, dir, ".gitattributes", attributesFile())
			got, err := open(t, dir).WorkFiles(paths)
			if err != nil {
				t.Fatal(err)
			}
			gittest.Git(t, dir, "-c", "core.safecrlf=false", "add", "-A")
			want := stagedBlobs(t, dir)
			for _, p := range paths {
				if f, ok := got[p]; !ok || string(f.Blob()) != want[p] {
					t.Errorf("%s (%s): %q is read as %q, and git adds %s", p, given[strings.Split(p, "/")[0]], files[p], f.Data, gittest.Git(t, dir, "cat-file", "blob", want[p]))
				}
			}
		})
	}
}

func stagedBlobs(t *testing.T, dir string) map[string]string {
	t.Helper()
	blobs := map[string]string{}
	for line := range strings.Lines(gittest.Git(t, dir, "ls-files", "-s")) {
		info, p, _ := strings.Cut(strings.TrimSpace(line), "\t")
		blobs[p] = strings.Fields(info)[1]
	}
	return blobs
}

// What is to be written lies on disk as if git had checked it out.
func TestFilesAreWrittenAsGitWouldCheckOut(t *testing.T) {
	gittest.Isolate(t)
	files := map[string]string{".gitattributes": attributesFile()}
	for dir := range given {
		for name, text := range contents {
			files[dir+"/"+name] = text
		}
	}
	from := gittest.Repository(t, map[string]string{"first": "x"})
	changes := map[string]*tree.File{}
	for p, text := range files {
		f := tree.Text(text)
		changes[p] = &f
	}
	m := open(t, from)
	head, err := m.Head()
	if err != nil {
		t.Fatal(err)
	}
	// Committed as the bytes are, which git's own add would not do.
	commit := Commit{Branch: "raw", Parent: head.Commit, Changes: changes, Message: "raw", Author: DefaultAuthor()}
	if _, err := m.Commit(commit); err != nil {
		t.Fatal(err)
	}
	for _, config := range lineEndSettings() {
		t.Run(strings.Join(config, " "), func(t *testing.T) {
			want := cloneWith(t, from, "raw", config)
			c, err := open(t, cloneWith(t, from, "main", config)).checkout()
			if err != nil {
				t.Fatal(err)
			}
			defer c.work.close()
			c.changes = changes
			for p, f := range changes {
				got, err := c.written(p, *f)
				if err != nil {
					t.Fatal(err)
				}
				if disk := onDisk(t, want, p); disk != string(got.Data) {
					t.Errorf("%s (%s): git writes %q, and we %q", p, given[filepath.Dir(p)], disk, got.Data)
				}
			}
		})
	}
}

func cloneWith(t *testing.T, from, branch string, config []string) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"clone", "-q", "-b", branch}
	for _, one := range config {
		args = append(args, "-c", one)
	}
	gittest.Git(t, dir, append(args, from, ".")...)
	return dir
}

func onDisk(t *testing.T, dir, p string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(p)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Where git keeps the line ends of what is staged, converting would change them: what
// is read after writing is what was to be written.
func TestApplyIsReadAsItWasMeant(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"was-crlf": "a\r\nb\r\n", "was-mixed": "a\r\nb\n", "same": "a\nb\n"})
	gittest.Git(t, dir, "config", "core.autocrlf", "true")
	gittest.Write(t, dir, "same", "a\r\nb\n") // git stores it as it is staged
	m := open(t, dir)
	lf, crlf := tree.Text("a\nc\n"), tree.Text("a\r\nc\r\n")
	same := tree.Text("a\nb\n")
	changes := map[string]*tree.File{"was-crlf": &lf, "was-mixed": &crlf, "new": &lf, "same": &same}
	if err := m.Apply(context.Background(), changes); err != nil {
		t.Fatal(err)
	}
	got, err := m.WorkFiles([]string{"was-crlf", "was-mixed", "new", "same"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree.Tree{"was-crlf": lf, "was-mixed": crlf, "new": lf, "same": same}, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	for p, want := range map[string]string{"was-crlf": "a\nc\n", "was-mixed": "a\r\nc\r\n", "new": "a\r\nc\r\n", "same": "a\r\nb\n"} {
		if text := onDisk(t, dir, p); text != want {
			t.Errorf("%s is %q on disk, want %q", p, text, want)
		}
	}
	gittest.Git(t, dir, "-c", "core.safecrlf=false", "add", "-A")
	blobs := stagedBlobs(t, dir)
	for p, f := range changes {
		if blobs[p] != string(f.Blob()) {
			t.Errorf("git adds %s as something else than was to be written", p)
		}
	}
}

// A file that was committed with other line ends than its attributes say has not been
// changed by anybody.
func TestWorkFilesAreAsStagedWhereNobodyChangedThem(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{"a": "a\r\nb\r\n"})
	gittest.Write(t, dir, ".gitattributes", "a text\n")
	got, err := open(t, dir).WorkFiles([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree.Tree{"a": tree.Text("a\r\nb\r\n")}, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// A filter's files are as they lie on disk: what it makes of them only its program
// knows.
func TestWorkFilesWithAFilterAreAsOnDisk(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, map[string]string{".gitattributes": "a text filter=upper\n"})
	gittest.Git(t, dir, "config", "filter.upper.clean", "tr a-z A-Z")
	gittest.Write(t, dir, "a", "a\r\nb\r\n")
	m := open(t, dir)
	got, err := m.WorkFiles([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree.Tree{"a": tree.Text("a\r\nb\r\n")}, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	b := tree.Text("b\n")
	if err := m.Apply(context.Background(), map[string]*tree.File{"a": &b}); err != nil {
		t.Fatal(err)
	}
	if text := onDisk(t, dir, "a"); text != "b\n" {
		t.Errorf("a is %q on disk", text)
	}
}

// A new repository lies on disk as if git had checked it out, and its platform's
// files are read as git would store them.
func TestLineEndsElsewhere(t *testing.T) {
	gittest.Isolate(t)
	gittest.Need(t)
	gittest.Write(t, os.Getenv("HOME"), "gitconfig", "[core]\n\tautocrlf = true\n")
	dir := filepath.Join(t.TempDir(), "new")
	files := tree.Tree{"a": tree.Text("a\nb\n"), "b": tree.Text("a\nb\n"), ".gitattributes": tree.Text("b -text\n"), "goldenpaths/x/goldenpath.yaml": tree.Text("a\n")}
	if _, err := Create(dir, files, "first", DefaultAuthor(), time.Now()); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{"a": "a\r\nb\r\n", "b": "a\nb\n", "goldenpaths/x/goldenpath.yaml": "a\r\n"} {
		if got := onDisk(t, dir, p); got != want {
			t.Errorf("%s is %q on disk, want %q", p, got, want)
		}
	}
	if out := gittest.Git(t, dir, "-c", "core.autocrlf=true", "-c", "core.safecrlf=false", "status", "--porcelain"); out != "" {
		t.Errorf("git status says %s", out)
	}
	platform, err := openPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := platform.Tree(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree.Tree{"goldenpaths/x/goldenpath.yaml": tree.Text("a\n")}, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}
