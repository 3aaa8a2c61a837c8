package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/tree"
)

// ChangedError says that a file was changed by somebody else while syncer was
// writing, so that syncer undid what it had done and left that file alone.
type ChangedError struct{ Path string }

// Error names the file.
func (e *ChangedError) Error() string {
	return e.Path + " changed while files were being written; nothing was written, try again"
}

// Apply changes files of the work tree: writes those of changes, and deletes those
// whose value is nil, with the folders that become empty. The index stays as it
// is, so that git shows everything as not staged. Changes are files as the repository
// stores them; line ends and the like are converted as in a checkout by git.
//
// It is all or nothing. Everything new is first written to a folder beside git's
// own files, so that a full disk is noticed before a file is touched; then a
// journal; then every file is moved into place. Where a move fails, those before
// it are undone. Where the process or the machine dies, [Member.Recover] finishes
// or undoes the rest. A file that somebody edits meanwhile is theirs: Apply undoes
// its own changes and returns [ChangedError].
//
// What a sparse checkout leaves out is never written: [SparseError]. A [NotFileError]
// names a link, folder, submodule or repository in the way.
// Nothing is ever written through a symbolic link, outside the work tree or into
// git's folder. Cancelling ctx has an effect only until the journal is written.
func (m *Member) Apply(ctx context.Context, changes map[string]*tree.File) error {
	return m.locking(func() error { return m.apply(ctx, changes) })
}

func (m *Member) apply(ctx context.Context, changes map[string]*tree.File) error {
	if _, err := m.Recover(); err != nil {
		return err
	}
	a, err := m.applier()
	if err != nil {
		return err
	}
	defer a.work.close()
	if changes, err = a.notLeftOut(changes); err == nil {
		changes, err = a.onDisk(changes)
	}
	if err != nil {
		return fmt.Errorf("changing files of %s: %w", m.root, err)
	}
	if err := a.plan(changes); err != nil {
		return fmt.Errorf("changing files of %s: %w", m.root, err)
	}
	if len(a.journal.Steps) == 0 {
		return nil
	}
	if err := a.stage(ctx, changes); err != nil {
		_ = os.RemoveAll(a.dir)
		return fmt.Errorf("changing files of %s: nothing was changed: %w", m.root, err)
	}
	if err := a.finish(); err != nil {
		return fmt.Errorf("changing files of %s: %w", m.root, err)
	}
	return nil
}

// Recover completes an [Member.Apply] that was cut short, and reports whether there
// was one. If it cannot be completed, because staging had not finished or because
// a person has edited one of the files since, it is undone instead; edited files
// stay as they are. It can be called any number of times. Where another syncer is
// still at it, it returns [BusyError].
func (m *Member) Recover() (recovered bool, err error) {
	if _, err := os.Lstat(m.staging()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	err = m.locking(func() error {
		recovered, err = m.recover()
		return err
	})
	return recovered, err
}

func (m *Member) recover() (recovered bool, err error) {
	a, err := m.applier()
	if err != nil {
		return false, err
	}
	defer a.work.close()
	// Whoever held the lock may have finished meanwhile.
	if _, err := os.Lstat(a.dir); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	found, err := a.load()
	if err != nil {
		return false, fmt.Errorf("recovering %s: %w", m.root, err)
	}
	if !found { // killed while staging: no file was touched
		return true, os.RemoveAll(a.dir)
	}
	if a.undoing() || !a.canFinish() {
		err = a.undo()
	} else {
		err = a.finish()
	}
	if err != nil {
		return false, fmt.Errorf("recovering %s: %w", m.root, err)
	}
	return true, nil
}

// applier carries out one set of changes.
type applier struct {
	*checkout
	dir     string // where everything is staged
	journal journal
}

// staging is the folder where changes wait to be moved into place.
func (m *Member) staging() string { return filepath.Join(m.store.gitDir, "syncer", "apply") }

func (m *Member) applier() (*applier, error) {
	if _, err := m.ownFolder(); err != nil {
		return nil, err
	}
	c, err := m.checkout()
	if err != nil {
		return nil, err
	}
	return &applier{checkout: c, dir: m.staging()}, nil
}

// SparseError says that files cannot be changed in the work tree, because a sparse
// checkout leaves them out of it.
type SparseError struct{ Paths []string }

// Error names the files and says what to do.
func (e *SparseError) Error() string {
	return fmt.Sprintf("these files are left out of this work tree (skip-worktree): %s; check them out first (git sparse-checkout add FOLDER, or git update-index --no-skip-worktree FILE), or commit the change to a branch instead", strings.Join(e.Paths, ", "))
}

// notLeftOut drops the changes that change nothing of what a sparse checkout leaves
// out, and returns a [SparseError] where others would: what is not in the work tree
// cannot be changed there.
func (a *applier) notLeftOut(changes map[string]*tree.File) (map[string]*tree.File, error) {
	here, missing := maps.Clone(changes), &SparseError{}
	for p, f := range changes {
		if err := checkInside(p); err != nil {
			return nil, err
		}
		info, err := a.work.stat(p)
		if _, obstructed := errors.AsType[*NotFileError](err); err != nil && !obstructed {
			return nil, err
		}
		out, e, err := a.leftOut(p, info != nil)
		switch {
		case err != nil:
			return nil, err
		case out && f != nil && e.kind == f.Kind && e.blob.String() == string(f.Blob()):
			delete(here, p)
		case out:
			missing.Paths = append(missing.Paths, p)
		}
	}
	if len(missing.Paths) > 0 {
		slices.Sort(missing.Paths)
		return nil, missing
	}
	return here, nil
}

// onDisk returns the changes as they are to be on disk. The .gitattributes among them
// count already, as when git checks a commit out.
func (a *applier) onDisk(changes map[string]*tree.File) (map[string]*tree.File, error) {
	a.changes = changes
	shown := make(map[string]*tree.File, len(changes))
	for p, f := range changes {
		shown[p] = f
		if f == nil || f.Kind.IsLink() {
			continue
		}
		g, err := a.written(p, *f)
		if err != nil {
			return nil, err
		}
		shown[p] = &g
	}
	return shown, nil
}

// plan compares changes with what is there, and lists the steps: deletions first,
// because a folder may have to go for a file and the other way round.
func (a *applier) plan(changes map[string]*tree.File) error {
	if err := a.needIndex(); err != nil {
		return err
	}
	paths := slices.Sorted(maps.Keys(changes))
	kept := a.renamedInCase(changes)
	for _, writing := range []bool{false, true} {
		for _, p := range paths {
			if (changes[p] != nil) != writing || kept[p] {
				continue
			}
			if err := a.planStep(p, changes); err != nil {
				return err
			}
		}
	}
	return nil
}

// renamedInCase returns the deleted paths that are written paths in other letters,
// where the disk does not tell letters apart: there both are one file, and deleting
// the one would delete the other. The file keeps its old letters on such a disk.
func (a *applier) renamedInCase(changes map[string]*tree.File) map[string]bool {
	kept := map[string]bool{}
	if !a.settings.flag("core", "ignorecase", false) {
		return kept
	}
	written := map[string]bool{}
	for p, f := range changes {
		if f != nil {
			written[strings.ToLower(p)] = true
		}
	}
	for p, f := range changes {
		kept[p] = f == nil && written[strings.ToLower(p)]
	}
	return kept
}

func (a *applier) planStep(p string, changes map[string]*tree.File) error {
	if err := checkInside(p); err != nil {
		return err
	}
	f := changes[p]
	s := step{Path: p, New: a.stateOf(f)}
	if f != nil {
		if err := checkWrite(p, f); err != nil {
			return err
		}
		// The folder of a submodule that is not checked out is empty.
		for at := range ways(p) {
			if e, staged := a.index.entries[at]; staged && e.kind == 0 {
				return &NotFileError{Path: p, At: at, What: "a submodule"}
			}
		}
		if err := a.planFolders(path.Dir(p), p, changes); err != nil {
			return err
		}
	}
	old, exists, err := a.work.read(p)
	var obstacle *NotFileError
	switch {
	case errors.As(err, &obstacle) && obstacle.At == p && obstacle.What == "a folder":
		// A folder is no file: there is nothing to delete, but it may be in the way.
		if f == nil {
			return nil
		}
		if err := a.emptied(p, changes); err != nil {
			return err
		}
	case errors.As(err, &obstacle) && goes(changes, obstacle.At):
		// Behind a link that goes there is nothing.
	case err != nil:
		return err
	case exists:
		s.Old = a.stateOf(&old)
		if info, err := a.work.stat(p); err == nil && info != nil {
			s.Perm = info.Mode().Perm()
		}
	}
	unnoticed := false
	if exists && s.Old == s.New {
		if unnoticed, err = a.unnoticed(p, old); err != nil {
			return err
		}
	}
	if s.Old != s.New || unnoticed {
		a.journal.Steps = append(a.journal.Steps, s)
	}
	return nil
}

// unnoticed reports whether a file that stays as it is on disk is to be stored as
// something else, because what converts it changed. git looks into it only once its
// time changes.
func (a *applier) unnoticed(p string, now tree.File) (bool, error) {
	e, err := a.staged(p)
	if err != nil || e.kind == 0 || e.blob.String() == string(a.changes[p].Blob()) || e.blob.String() != string(now.Blob()) {
		return false, err
	}
	return a.untouched(p, e)
}

// goes reports whether the changes delete the file or link at p.
func goes(changes map[string]*tree.File, p string) bool {
	f, planned := changes[p]
	return planned && f == nil
}

// planFolders notes which folders on the way to a new file do not exist yet, so
// that undoing removes them again. A file in the place of one must be among those
// that are deleted.
func (a *applier) planFolders(dir, p string, changes map[string]*tree.File) error {
	for ; dir != "."; dir = path.Dir(dir) {
		if changes[dir] != nil {
			return &NotFileError{Path: p, At: dir, What: "to be a file"}
		}
		info, err := a.work.stat(dir)
		// A file or a link on the way is looked at when its turn comes.
		var obstacle *NotFileError
		if err != nil && (!errors.As(err, &obstacle) || obstacle.What != "a file" && obstacle.What != "a symbolic link") {
			return err
		}
		if info == nil {
			if !slices.Contains(a.journal.Made, dir) {
				a.journal.Made = append(a.journal.Made, dir)
			}
			continue
		}
		if !info.IsDir() && !goes(changes, dir) {
			return &NotFileError{Path: p, At: dir, What: describe(info.Mode())}
		}
	}
	return nil
}

// maxEmptied bounds how many files a folder may have that a file replaces.
const maxEmptied = 10_000

// emptied returns an error where the folder at p holds a file that is not deleted.
func (a *applier) emptied(p string, changes map[string]*tree.File) error {
	dir, _, err := a.work.folder(p, false)
	if err != nil {
		return err
	}
	n := 0
	return fs.WalkDir(dir.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, planned := changes[path.Join(p, name)]
		if n++; !planned || f != nil || n > maxEmptied {
			return &NotFileError{Path: p, At: p, What: "a folder with files that are to stay (" + name + ")"}
		}
		return nil
	})
}

// finish carries out the steps and cleans up; where one fails, it undoes them.
func (a *applier) finish() error {
	for i := range a.journal.Steps {
		if err := a.forward(i); err != nil {
			if undone := a.undo(); undone != nil {
				return errors.Join(err, fmt.Errorf("undoing it failed too; repair the cause and run syncer again, which continues: %w", undone))
			}
			return err
		}
	}
	a.sync()
	return a.clean()
}

// forward carries out one step, unless that was done before.
func (a *applier) forward(i int) error {
	s := a.journal.Steps[i]
	now, err := a.state(s.Path)
	switch {
	case err != nil:
		return err
	case now == s.New && s.Old == s.New:
		return a.touch(s.Path)
	case now == s.New:
		return nil
	case now != s.Old:
		return &ChangedError{s.Path}
	case s.New.absent():
		return a.remove(s.Path, true)
	}
	a.work.removeEmptyTree(s.Path)
	dir, err := a.work.parent(s.Path, true)
	if err != nil {
		return err
	}
	return a.place("new", i, dir, s.Path)
}

// touch makes git look into a file again: see [applier.unnoticed].
func (a *applier) touch(p string) error {
	dir, err := a.work.parent(p, false)
	if err != nil {
		return err
	}
	now := time.Now()
	return dir.Chtimes(path.Base(p), now, now)
}

// undo takes every step back that was carried out. Files that are neither as
// syncer found them nor as it left them are a person's, and stay.
func (a *applier) undo() error {
	if err := a.markUndo(); err != nil {
		return err
	}
	for i, s := range slices.Backward(a.journal.Steps) {
		now, err := a.state(s.Path)
		if err != nil {
			return err
		}
		if now != s.New {
			continue
		}
		if s.Old.absent() {
			if err := a.remove(s.Path, false); err != nil {
				return err
			}
			continue
		}
		a.work.removeEmptyTree(s.Path)
		dir, err := a.work.parent(s.Path, true)
		if err != nil {
			return err
		}
		if err := a.place("old", i, dir, s.Path); err != nil {
			return err
		}
	}
	// The longest first, so that the inner ones go before the outer ones.
	slices.SortFunc(a.journal.Made, func(x, y string) int { return len(y) - len(x) })
	for _, dir := range a.journal.Made {
		a.work.removeOne(dir)
	}
	a.sync()
	return a.clean()
}

// remove deletes a file and, with folders, those that become empty.
func (a *applier) remove(p string, folders bool) error {
	dir, err := a.work.parent(p, false)
	if err != nil {
		return err
	}
	if err := dir.Remove(path.Base(p)); err != nil {
		return err
	}
	if folders {
		a.work.removeEmpty(path.Dir(p))
	}
	return nil
}

// place moves a staged file to its path.
func (a *applier) place(from string, i int, dir *os.Root, p string) error {
	staged := filepath.Join(a.dir, from, strconv.Itoa(i))
	target := filepath.Join(a.root, filepath.FromSlash(p))
	if err := moveInto(staged, dir, path.Base(p), target); err != nil {
		return fmt.Errorf("moving %s into place: %w", p, err)
	}
	return nil
}
