package localhub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/goldenpaths/syncer/internal/gitdir"
)

// store is one bare repository on disk. Objects are read and written in process; the
// git program serves fetches, takes packs and merges.
type store struct {
	dir string
	git string

	mu sync.Mutex
	s  *filesystem.Storage
}

const gitTimeout = time.Minute

// layout is what git needs to take a folder for a bare repository. Writing it takes a
// hundredth of the time of "git init".
var layout = map[string]string{
	"HEAD": "ref: refs/heads/main\n",
	"config": "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n" +
		"[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n[gc]\n\tauto = 0\n",
}

// newStore makes an empty bare repository.
func newStore(git, dir string) (*store, error) {
	for _, folder := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return nil, err
		}
	}
	for name, text := range layout {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	g := &store{dir: dir, git: git}
	g.reopen()
	return g, nil
}

// reopen forgets what was cached: packs came in from outside.
func (g *store) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.s = filesystem.NewStorage(gitdir.New(g.dir), cache.NewObjectLRU(8*cache.MiByte))
}

func (g *store) storage() *filesystem.Storage {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.s
}

// gitEnvironment keeps the machine's configuration out.
func gitEnvironment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
	}
}

// run runs git and returns what it printed. A non-zero exit is an *exec.ExitError.
func (g *store) run(stdin io.Reader, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, g.git, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = gitEnvironment(), stdin, &out, &errs
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return out.Bytes(), nil
}

func (g *store) in(args ...string) ([]byte, error) {
	return g.run(nil, append([]string{"-C", g.dir}, args...)...)
}

// ref is what a full reference name points to.
func (g *store) ref(name string) (plumbing.Hash, bool) {
	if strings.Contains(name, "..") { // no file outside refs
		return plumbing.ZeroHash, false
	}
	r, err := storer.ResolveReference(g.storage(), plumbing.ReferenceName(name))
	if err != nil {
		return plumbing.ZeroHash, false
	}
	return r.Hash(), true
}

// branch is the head of a branch.
func (g *store) branch(name string) (plumbing.Hash, bool) { return g.ref("refs/heads/" + name) }

// refs are the references below a prefix, sorted by name.
func (g *store) refs(prefix string) ([]*plumbing.Reference, error) {
	it, err := g.storage().IterReferences()
	if err != nil {
		return nil, err
	}
	var list []*plumbing.Reference
	err = it.ForEach(func(r *plumbing.Reference) error {
		if r.Type() == plumbing.HashReference && strings.HasPrefix(r.Name().String(), prefix) {
			list = append(list, r)
		}
		return nil
	})
	sort.Slice(list, func(i, j int) bool { return list[i].Name() < list[j].Name() })
	return list, err
}

func (g *store) setRef(name string, to plumbing.Hash) error {
	return g.storage().SetReference(plumbing.NewHashReference(plumbing.ReferenceName(name), to))
}

func (g *store) dropRef(name string) error {
	return g.storage().RemoveReference(plumbing.ReferenceName(name))
}

func (g *store) setHead(branch string) error {
	return g.storage().SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, plumbing.NewBranchReferenceName(branch)))
}

// empty tells whether there is no branch.
func (g *store) empty() bool {
	list, err := g.refs("refs/heads/")
	return err == nil && len(list) == 0
}

func (g *store) commit(id plumbing.Hash) (*object.Commit, error) {
	return object.GetCommit(g.storage(), id)
}

func (g *store) tree(id plumbing.Hash) (*object.Tree, error) { return object.GetTree(g.storage(), id) }

// has tells whether an object is there, of whatever kind.
func (g *store) has(id plumbing.Hash) bool { return g.storage().HasEncodedObject(id) == nil }

// kind is the kind of an object: commit, tree, blob or tag; "" if it is not there.
func (g *store) kind(id plumbing.Hash) string {
	o, err := g.storage().EncodedObject(plumbing.AnyObject, id)
	if err != nil {
		return ""
	}
	return o.Type().String()
}

// blob is a blob's content.
func (g *store) blob(id plumbing.Hash) ([]byte, error) {
	o, err := g.storage().EncodedObject(plumbing.BlobObject, id)
	if err != nil {
		return nil, err
	}
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

func (g *store) blobSize(id plumbing.Hash) int64 {
	n, err := g.storage().EncodedObjectSize(id)
	if err != nil {
		return 0
	}
	return n
}

// encoder is an object that writes itself, as go-git's are.
type encoder interface {
	Encode(plumbing.EncodedObject) error
}

func (g *store) put(o encoder) (plumbing.Hash, error) {
	e := g.storage().NewEncodedObject()
	if err := o.Encode(e); err != nil {
		return plumbing.ZeroHash, err
	}
	return g.keep(e)
}

func (g *store) putBlob(data []byte) (plumbing.Hash, error) {
	e := g.storage().NewEncodedObject()
	e.SetType(plumbing.BlobObject)
	w, err := e.Writer()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if _, err := w.Write(data); err != nil {
		return plumbing.ZeroHash, err
	}
	if err := w.Close(); err != nil {
		return plumbing.ZeroHash, err
	}
	return g.keep(e)
}

// keep writes an object that is not there yet.
func (g *store) keep(e plumbing.EncodedObject) (plumbing.Hash, error) {
	if id := e.Hash(); g.has(id) {
		return id, nil
	}
	return g.storage().SetEncodedObject(e)
}
