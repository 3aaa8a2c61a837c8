package gitrepo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/goldenpaths/syncer/internal/tree"
)

// journal is what an Apply is about to do. While it lies in the staging folder,
// files may be half changed; both their old and their new contents lie beside it,
// as old/0, new/0, old/1, …
type journal struct {
	Steps []step   `json:"steps"`
	Made  []string `json:"made,omitempty"` // folders that did not exist before
}

// step is one file's change.
type step struct {
	Path string      `json:"path"`
	Old  state       `json:"old"`
	New  state       `json:"new"`
	Perm fs.FileMode `json:"perm,omitempty"` // of the old file
}

// state identifies what is at a path. The zero state is "nothing".
type state struct {
	Kind tree.Kind   `json:"kind,omitempty"`
	Blob tree.BlobID `json:"blob,omitempty"`
}

func (s state) absent() bool { return s.Kind == 0 }

// stateOf returns how the file looks once it is on this disk, which may know
// neither execute bits nor links.
func (a *applier) stateOf(f *tree.File) state {
	if f == nil {
		return state{}
	}
	kind := f.Kind
	if kind == tree.Executable && !a.settings.fileMode() {
		kind = tree.Regular
	}
	if kind == tree.Symlink && !a.settings.symlinks() {
		kind = tree.Regular
	}
	return state{kind, f.Blob()}
}

// state reads what is at a path now. A folder counts as nothing: a file takes its
// place only when it is empty. So does what would be behind a link that another
// step puts in a folder's place, or takes away for one.
func (a *applier) state(p string) (state, error) {
	f, ok, err := a.work.read(p)
	if obstacle, is := errors.AsType[*NotFileError](err); is {
		folder := obstacle.At == p && obstacle.What == "a folder"
		if folder || obstacle.At != p && a.steps(obstacle.At) {
			return state{}, nil
		}
	}
	if err != nil || !ok {
		return state{}, err
	}
	return a.stateOf(&f), nil
}

// steps reports whether a step is about the file or link at p.
func (a *applier) steps(p string) bool {
	return slices.ContainsFunc(a.journal.Steps, func(s step) bool { return s.Path == p })
}

// stage writes old and new contents and then the journal. Until it returns nil no
// file of the work tree is touched.
func (a *applier) stage(ctx context.Context, changes map[string]*tree.File) error {
	if err := os.RemoveAll(a.dir); err != nil {
		return err
	}
	for _, sub := range []string{"old", "new"} {
		if err := os.MkdirAll(filepath.Join(a.dir, sub), 0o777); err != nil {
			return err
		}
	}
	for i, s := range a.journal.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.stageOld(i, s); err != nil {
			return fmt.Errorf("keeping a copy of %s: %w", s.Path, err)
		}
		if err := a.stageNew(i, s, changes[s.Path]); err != nil {
			return fmt.Errorf("writing %s: %w", s.Path, err)
		}
	}
	syncDir(filepath.Join(a.dir, "old"))
	syncDir(filepath.Join(a.dir, "new"))
	return a.writeJournal()
}

func (a *applier) stageOld(i int, s step) error {
	if s.Old.absent() {
		return nil
	}
	f, ok, err := a.work.read(s.Path)
	if err != nil {
		return err
	}
	if !ok || a.stateOf(&f) != s.Old {
		return &ChangedError{s.Path}
	}
	return writeStaged(filepath.Join(a.dir, "old", strconv.Itoa(i)), f, s.Perm)
}

func (a *applier) stageNew(i int, s step, f *tree.File) error {
	if f == nil {
		return nil
	}
	g := *f
	if g.Kind.IsLink() && !s.New.Kind.IsLink() {
		g.Kind = tree.Regular
	}
	var perm fs.FileMode
	if !s.Old.absent() && !s.Old.Kind.IsLink() {
		perm = s.Perm &^ 0o111
		if g.Kind == tree.Executable {
			perm |= perm & 0o444 >> 2 // whoever may read may execute, as git does
		}
	}
	return writeStaged(filepath.Join(a.dir, "new", strconv.Itoa(i)), g, perm)
}

// writeStaged writes one file and waits until it is on the disk. A perm of 0
// leaves the permissions to the process's mask.
func writeStaged(file string, f tree.File, perm fs.FileMode) error {
	if f.Kind.IsLink() {
		return os.Symlink(filepath.FromSlash(string(f.Data)), file)
	}
	mode := fs.FileMode(0o666)
	if f.Kind == tree.Executable {
		mode = 0o777
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = out.Write(f.Data)
	if err == nil && perm != 0 {
		err = out.Chmod(perm)
	}
	return errors.Join(err, out.Sync(), out.Close())
}

func (a *applier) journalFile() string { return filepath.Join(a.dir, "journal.json") }

func (a *applier) writeJournal() error {
	data, err := json.Marshal(a.journal)
	if err != nil {
		return err
	}
	return writeDurably(a.journalFile(), data)
}

// writeDurably replaces a file so that, whatever happens, it holds all of data or
// what it held before.
func writeDurably(file string, data []byte) error {
	part := file + ".part"
	_ = os.Remove(part)
	if err := writeStaged(part, tree.File{Kind: tree.Regular, Data: data}, 0); err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	syncDir(filepath.Dir(file))
	return nil
}

// load reads the journal, and reports whether there is one.
func (a *applier) load() (bool, error) {
	data, err := os.ReadFile(a.journalFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, &a.journal); err != nil {
		return false, fmt.Errorf("%s is damaged; the files' old contents are in %s: %w", a.journalFile(), filepath.Join(a.dir, "old"), err)
	}
	for _, s := range a.journal.Steps {
		if err := checkInside(s.Path); err != nil {
			return false, fmt.Errorf("%s is damaged: %w", a.journalFile(), err)
		}
	}
	return true, nil
}

// canFinish reports whether every step is done or can still be done.
func (a *applier) canFinish() bool {
	for i, s := range a.journal.Steps {
		now, err := a.state(s.Path)
		if err != nil || now != s.New && now != s.Old {
			return false
		}
		if now == s.New || s.New.absent() {
			continue
		}
		if _, err := os.Lstat(filepath.Join(a.dir, "new", strconv.Itoa(i))); err != nil {
			return false
		}
	}
	return true
}

// An undo that is cut short must go on as one: new contents may be gone by then.
func (a *applier) undoFile() string { return filepath.Join(a.dir, "undo") }

func (a *applier) undoing() bool {
	_, err := os.Lstat(a.undoFile())
	return err == nil
}

func (a *applier) markUndo() error {
	if a.undoing() {
		return nil
	}
	return writeDurably(a.undoFile(), nil)
}

// clean ends the Apply: without a journal there is nothing to recover.
func (a *applier) clean() error {
	if err := os.Remove(a.journalFile()); err != nil {
		return err
	}
	syncDir(a.dir)
	// What is left is waste, and the next Apply or Recover removes it too.
	_ = os.RemoveAll(a.dir)
	return nil
}

// sync makes the changed folders durable, as far as the system can.
func (a *applier) sync() {
	done := map[string]bool{}
	for _, s := range a.journal.Steps {
		dir := path.Dir(s.Path)
		if !done[dir] {
			syncDir(filepath.Join(a.root, filepath.FromSlash(dir)))
		}
		done[dir] = true
	}
}

// syncDir waits until a folder's entries are on the disk. Not every system can,
// and a failure changes nothing about what was done.
func syncDir(dir string) {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}
