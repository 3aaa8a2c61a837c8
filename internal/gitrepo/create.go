package gitrepo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"golang.org/x/sync/errgroup"

	"github.com/goldenpaths/syncer/internal/tree"
)

// firstBranch is the branch of new repositories, GitHub's default.
const firstBranch = "main"

// NotEmptyError says that a new repository's folder has something in it.
type NotEmptyError struct {
	Dir   string
	Names []string // the first few of what is in it
}

// Error names the folder and what is in it.
func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("%s is not empty (it has %s); name a folder that does not exist, or an empty one", e.Dir, strings.Join(e.Names, ", "))
}

// Create makes a git repository in dir, with files in the work tree and in one
// commit on branch main, and returns the commit's id. dir must not exist, or be
// empty; otherwise it returns [NotEmptyError]. If something fails, what was made
// is removed again, and dir is as it was.
func Create(dir string, files tree.Tree, message string, author Author, when time.Time) (commit string, err error) {
	if err := files.Check(); err != nil {
		return "", fmt.Errorf("creating %s: %w", dir, err)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	exists, err := checkEmpty(dir)
	if err != nil {
		return "", err
	}
	build := dir
	if !exists {
		// Under another name first: dir appears complete or not at all.
		if build, err = makeBeside(dir); err != nil {
			return "", fmt.Errorf("creating %s: %w", dir, err)
		}
	}
	commit, err = create(build, files, Commit{Message: message, Author: author, When: when})
	if err == nil && !exists {
		if err = os.MkdirAll(filepath.Dir(dir), 0o777); err == nil {
			err = os.Rename(build, dir)
		}
	}
	if err != nil {
		removeMade(build, exists)
		return "", fmt.Errorf("creating %s: %w", dir, err)
	}
	return commit, nil
}

// checkEmpty reports whether dir exists, and returns an error where it is not an
// empty folder.
func checkEmpty(dir string) (exists bool, err error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("creating %s: %w", dir, err)
	}
	if len(list) == 0 {
		return true, nil
	}
	e := &NotEmptyError{Dir: dir}
	for _, d := range list[:min(5, len(list))] {
		e.Names = append(e.Names, d.Name())
	}
	if len(list) > 5 {
		e.Names = append(e.Names, "…")
	}
	return true, e
}

// existingParent returns the nearest folder around dir that exists, which is on
// the same file system as dir will be.
func existingParent(dir string) string {
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		if info, err := os.Stat(up); err == nil && info.IsDir() || filepath.Dir(up) == up {
			return up
		}
	}
}

// makeBeside makes a folder on dir's file system. os.MkdirTemp would keep others
// out; a repository is as open as the process's mask says.
func makeBeside(dir string) (string, error) {
	parent := existingParent(dir)
	for i := 0; ; i++ {
		made := filepath.Join(parent, fmt.Sprintf(".syncer-new-%d-%d", os.Getpid(), i))
		if err := os.Mkdir(made, 0o777); !errors.Is(err, fs.ErrExist) {
			return made, err
		}
	}
}

// removeMade removes what was made in dir, and dir itself unless it is to stay.
func removeMade(dir string, stays bool) {
	if !stays {
		_ = os.RemoveAll(dir)
		return
	}
	list, _ := os.ReadDir(dir)
	for _, d := range list {
		_ = os.RemoveAll(filepath.Join(dir, d.Name()))
	}
}

func create(dir string, files tree.Tree, c Commit) (string, error) {
	gitDir := filepath.Join(dir, ".git")
	if err := initialize(gitDir); err != nil {
		return "", err
	}
	s, err := openStore(gitDir)
	if err != nil {
		return "", err
	}
	c.Changes = make(map[string]*tree.File, len(files))
	for p, f := range files {
		c.Changes[p] = &f
	}
	shown, err := shownAs(dir, s, c.Changes)
	if err != nil {
		return "", err
	}
	var id string
	var both errgroup.Group
	both.Go(func() error { return writeFiles(dir, shown) })
	both.Go(func() error {
		return s.asPack(func() (err error) {
			id, err = s.commitChanges(c)
			return err
		})
	})
	if err := both.Wait(); err != nil {
		return "", err
	}
	if err := s.swap(firstBranch, "", id); err != nil {
		return "", err
	}
	return id, writeIndex(dir, gitDir, files)
}

// shownAs returns the first files as git would check them out.
func shownAs(dir string, s *store, files map[string]*tree.File) (tree.Tree, error) {
	cfg, err := readSettings(s.gitDir, s.commonDir, firstBranch)
	if err != nil {
		return nil, err
	}
	c, err := (&Member{root: dir, store: s, settings: cfg}).checkout()
	if err != nil {
		return nil, err
	}
	defer c.work.close()
	c.changes = files
	shown := make(tree.Tree, len(files))
	for p, f := range files {
		if shown[p], err = c.converter().Shown(p, *f); err != nil {
			return nil, err
		}
	}
	return shown, nil
}

// initialize lays out an empty git folder, as `git init` does.
func initialize(gitDir string) error {
	for _, d := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "info"} {
		if err := os.MkdirAll(filepath.Join(gitDir, filepath.FromSlash(d)), 0o777); err != nil {
			return err
		}
	}
	config := fmt.Sprintf("[core]\n\trepositoryformatversion = 0\n\tfilemode = %t\n\tbare = false\n\tlogallrefupdates = true\n", runtime.GOOS != "windows")
	for name, text := range map[string]string{
		"config":       config,
		"description":  "Unnamed repository; edit this file 'description' to name the repository.\n",
		"info/exclude": "# Files to ignore in this clone only, one pattern a line.\n",
		"HEAD":         "ref: refs/heads/" + firstBranch + "\n",
	} {
		if err := os.WriteFile(filepath.Join(gitDir, filepath.FromSlash(name)), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

func writeFiles(dir string, files tree.Tree) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	made := map[string]bool{".": true}
	for _, p := range files.Paths() {
		if up := path.Dir(p); !made[up] {
			if err := root.MkdirAll(up, 0o777); err != nil {
				return err
			}
			made[up] = true
		}
		if err := writeFile(root, p, files[p]); err != nil {
			return fmt.Errorf("writing %s: %w", p, err)
		}
	}
	return nil
}

func writeFile(root *os.Root, p string, f tree.File) error {
	if f.Kind.IsLink() {
		return root.Symlink(filepath.FromSlash(string(f.Data)), p)
	}
	mode := fs.FileMode(0o666)
	if f.Kind == tree.Executable {
		mode = 0o777
	}
	out, err := root.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = out.Write(f.Data)
	return errors.Join(err, out.Close())
}

// writeIndex writes an index in which every file is as committed and as it lies on
// disk, so that git need not read the files again to say so.
func writeIndex(dir, gitDir string, files tree.Tree) error {
	idx := &index.Index{Version: 2}
	for _, p := range slices.Sorted(maps.Keys(files)) {
		f := files[p]
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(p)))
		if err != nil {
			return err
		}
		e := &index.Entry{
			Name: p, Mode: filemode.FileMode(f.Kind), Hash: plumbing.NewHash(string(f.Blob())),
			ModifiedAt: info.ModTime(), Size: uint32(info.Size()),
		}
		fillStat(e, info)
		idx.Entries = append(idx.Entries, e)
	}
	var buf bytes.Buffer
	if err := index.NewEncoder(&buf).Encode(idx); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	return os.WriteFile(filepath.Join(gitDir, "index"), buf.Bytes(), 0o666)
}
