package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/goldenpaths/syncer/internal/tree"
)

// work is a work tree, entered folder by folder, so that no symbolic link is ever
// followed. Folders stay open while it is in use.
type work struct {
	root *os.Root
	dirs map[string]*os.Root // by slash-separated path; "." is the root
}

func openWork(dir string) (*work, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the work tree: %w", err)
	}
	return &work{root: root, dirs: map[string]*os.Root{".": root}}, nil
}

func (w *work) close() {
	for _, d := range w.dirs {
		_ = d.Close()
	}
}

// forget closes a folder that is about to be removed or was replaced.
func (w *work) forget(dir string) {
	for d, r := range w.dirs {
		if d == dir || strings.HasPrefix(d, dir+"/") {
			_ = r.Close()
			delete(w.dirs, d)
		}
	}
}

// maxOpen bounds how many folders are kept open.
const maxOpen = 200

// folder opens the folder at p. Where create is set, missing ones are made and
// their paths returned, the outermost first. The error for a missing folder is
// fs.ErrNotExist; for something else in its place, [NotFileError].
func (w *work) folder(p string, create bool) (dir *os.Root, made []string, err error) {
	if d, ok := w.dirs[p]; ok {
		return d, nil, nil
	}
	up, made, err := w.folder(path.Dir(p), create)
	if err != nil {
		return nil, made, err
	}
	name := path.Base(p)
	info, err := up.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err = up.Mkdir(name, 0o777); err == nil {
			made = append(made, p)
			info, err = up.Lstat(name)
		}
	}
	if err != nil {
		return nil, made, err
	}
	if !info.IsDir() {
		return nil, made, &NotFileError{Path: p, At: p, What: describe(info.Mode())}
	}
	dir, err = up.OpenRoot(name)
	if err != nil {
		return nil, made, err
	}
	// OpenRoot follows a link that was put here since Lstat; the folder that it
	// opened must be the one that was looked at.
	opened, err := dir.Stat(".")
	if err != nil || !os.SameFile(info, opened) {
		_ = dir.Close()
		return nil, made, fmt.Errorf("%s changed while it was opened: %w", p, err)
	}
	if _, err := dir.Lstat(".git"); err == nil {
		_ = dir.Close()
		return nil, made, &NotFileError{Path: p, At: p, What: "a repository of its own"}
	}
	w.keep(p, dir)
	return dir, made, nil
}

func (w *work) keep(p string, dir *os.Root) {
	if len(w.dirs) >= maxOpen {
		for d, r := range w.dirs {
			if d != "." && !strings.HasPrefix(p, d+"/") {
				_ = r.Close()
				delete(w.dirs, d)
			}
		}
	}
	w.dirs[p] = dir
}

// parent opens the folder that p is in. Where something stands in its place, the
// error tells of p.
func (w *work) parent(p string, create bool) (dir *os.Root, err error) {
	dir, _, err = w.folder(path.Dir(p), create)
	if obstacle, ok := errors.AsType[*NotFileError](err); ok {
		err = &NotFileError{Path: p, At: obstacle.At, What: obstacle.What}
	}
	return dir, err
}

// stat returns what is at p, or nil where there is nothing.
func (w *work) stat(p string) (fs.FileInfo, error) {
	dir, err := w.parent(p, false)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := dir.Lstat(path.Base(p))
	if absent(err) {
		return nil, nil
	}
	return info, err
}

// absent reports whether err says that there is nothing there. A file where a
// folder is needed is told apart by [work.folder].
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// read returns the file at p, and whether there is one. A file on the way to p
// means that there is none; a link or a folder is a [NotFileError].
func (w *work) read(p string) (tree.File, bool, error) {
	if err := checkInside(p); err != nil {
		return tree.File{}, false, err
	}
	info, err := w.stat(p)
	var obstacle *NotFileError
	if errors.As(err, &obstacle) && obstacle.What == "a file" {
		return tree.File{}, false, nil
	}
	if err != nil || info == nil {
		return tree.File{}, false, err
	}
	dir, err := w.parent(p, false)
	if err != nil {
		return tree.File{}, false, err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := dir.Readlink(path.Base(p))
		return tree.Link(filepath.ToSlash(target)), err == nil, err
	case !info.Mode().IsRegular():
		return tree.File{}, false, &NotFileError{Path: p, At: p, What: describe(info.Mode())}
	}
	return w.readRegular(dir, p, info)
}

func (w *work) readRegular(dir *os.Root, p string, info fs.FileInfo) (tree.File, bool, error) {
	f, err := dir.Open(path.Base(p))
	if err != nil {
		return tree.File{}, false, err
	}
	defer f.Close()
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		return tree.File{}, false, fmt.Errorf("%s changed while it was read; try again", p)
	}
	data, err := readAll(f, p)
	kind := tree.Regular
	if info.Mode()&0o100 != 0 {
		kind = tree.Executable
	}
	return tree.File{Kind: kind, Data: data}, err == nil, err
}

// removeEmpty removes the folder dir and those around it as far as they are empty,
// as git does when the last file of a folder goes.
func (w *work) removeEmpty(dir string) {
	for ; dir != "."; dir = path.Dir(dir) {
		up, err := w.parent(dir, false)
		if err != nil {
			return
		}
		w.forget(dir)
		// Remove refuses a folder that is not empty.
		if info, err := up.Lstat(path.Base(dir)); err != nil || !info.IsDir() || up.Remove(path.Base(dir)) != nil {
			return
		}
	}
}

// removeOne removes a folder if it is empty.
func (w *work) removeOne(dir string) {
	up, err := w.parent(dir, false)
	if err != nil {
		return
	}
	w.forget(dir)
	if info, err := up.Lstat(path.Base(dir)); err == nil && info.IsDir() {
		_ = up.Remove(path.Base(dir))
	}
}

// removeEmptyTree removes the folder at p with the folders in it, as far as they
// hold no files, so that a file can take its place.
func (w *work) removeEmptyTree(p string) {
	dir, _, err := w.folder(p, false)
	if err != nil {
		return
	}
	var below []string
	_ = fs.WalkDir(dir.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			below = append(below, path.Join(p, name))
		}
		return nil
	})
	for _, d := range slices.Backward(below) {
		w.removeOne(d)
	}
}

// copyInto copies a staged file into a folder on another file system: under
// another name first, so that its own name holds all of it or nothing.
func copyInto(staged string, dir *os.Root, name string) error {
	part := ".syncer-" + filepath.Base(staged) + ".part"
	_ = dir.Remove(part)
	info, err := os.Lstat(staged)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(staged)
		if err != nil {
			return err
		}
		if err := dir.Symlink(target, part); err != nil {
			return err
		}
	} else if err := copyRegular(staged, dir, part, info.Mode().Perm()); err != nil {
		_ = dir.Remove(part)
		return err
	}
	return dir.Rename(part, name)
}

func copyRegular(staged string, dir *os.Root, part string, perm fs.FileMode) error {
	in, err := os.Open(staged)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := dir.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(perm), out.Sync(), out.Close())
}
