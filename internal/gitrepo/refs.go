package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// RefMovedError says that a branch is not where it was expected, so that nothing
// was changed.
type RefMovedError struct {
	Branch   string
	Expected string // "" is "must not exist"
	Found    string // "" is "does not exist"
}

// Error says where the branch is and where it was expected.
func (e *RefMovedError) Error() string {
	switch {
	case e.Expected == "":
		return fmt.Sprintf("branch %s exists already, at %s", e.Branch, e.Found)
	case e.Found == "":
		return fmt.Sprintf("branch %s is gone; it was expected at %s", e.Branch, e.Expected)
	}
	return fmt.Sprintf("branch %s is at %s, not at %s; somebody else has moved it", e.Branch, e.Found, e.Expected)
}

// resolve returns the commit or tag that a reference leads to, or "" where it
// does not exist.
func (s *store) resolve(name plumbing.ReferenceName) (string, error) {
	ref, err := storer.ResolveReference(s, name)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	return ref.Hash().String(), nil
}

// lockPatience is how long to wait for a git that is updating the same reference;
// it holds the lock for milliseconds.
const (
	lockPatience = time.Second
	lockRetry    = 10 * time.Millisecond
)

// swap moves refs/heads/<branch> from one commit to another, as git does it: under
// a lock file that git honours too, and by renaming, so that a reader sees the old
// value or the new one. From "" means that the branch must not exist.
func (s *store) swap(branch, from, to string) (err error) {
	name := plumbing.NewBranchReferenceName(branch)
	if err := name.Validate(); err != nil || strings.HasSuffix(branch, ".lock") {
		return fmt.Errorf("%q cannot be the name of a branch", branch)
	}
	if from == "" {
		if err := s.checkRoom(name); err != nil {
			return err
		}
	}
	file := filepath.Join(s.commonDir, filepath.FromSlash(name.String()))
	lock, err := lockRef(file)
	if err != nil {
		return fmt.Errorf("moving branch %s: %w", branch, err)
	}
	defer func() {
		_ = lock.Close()
		if err != nil {
			_ = os.Remove(lock.Name())
		}
	}()
	found, err := s.resolve(name)
	if err != nil {
		return err
	}
	if found != from {
		return &RefMovedError{Branch: branch, Expected: from, Found: found}
	}
	if err := replaceRef(lock, file, to); err != nil {
		return fmt.Errorf("moving branch %s: %w", branch, err)
	}
	return nil
}

func replaceRef(lock *os.File, file, to string) error {
	if _, err := lock.WriteString(to + "\n"); err != nil {
		return err
	}
	if err := lock.Sync(); err != nil {
		return err
	}
	if err := lock.Close(); err != nil {
		return err
	}
	// git leaves empty folders behind where "a/b" was before "a"; it removes them,
	// and so do we. A folder that is not empty stays, and the rename fails.
	if info, err := os.Lstat(file); err == nil && info.IsDir() {
		_ = os.Remove(file)
	}
	return os.Rename(lock.Name(), file)
}

func lockRef(file string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(lockPatience)
	for {
		f, err := os.OpenFile(file+".lock", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%s.lock exists: another git is working here; if none is, remove that file", file)
		}
		time.Sleep(lockRetry)
	}
}

// checkRoom returns an error where another branch needs name as a folder, or name
// needs another branch as one. Both are so for packed references too, where the
// file system would not object.
func (s *store) checkRoom(name plumbing.ReferenceName) error {
	refs, err := s.refs()
	if err != nil {
		return err
	}
	mine := name.String()
	for other := range refs {
		if strings.HasPrefix(mine, other.String()+"/") || strings.HasPrefix(other.String(), mine+"/") {
			return fmt.Errorf("branch %s cannot exist beside branch %s: one would be the other's folder; delete or rename that one", name.Short(), other.Short())
		}
	}
	return nil
}

// refs returns every reference below refs/ with what it leads to; the zero id for
// one that is symbolic. go-git's own list takes the lock files of a running git
// for references, and fails on them.
func (s *store) refs() (map[plumbing.ReferenceName]plumbing.Hash, error) {
	refs := map[plumbing.ReferenceName]plumbing.Hash{}
	packed, err := os.ReadFile(filepath.Join(s.commonDir, "packed-refs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing references: %w", err)
	}
	for line := range strings.Lines(string(packed)) {
		// "^" lines tell what an annotated tag leads to.
		id, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && plumbing.IsHash(id) {
			refs[plumbing.ReferenceName(name)] = plumbing.NewHash(id)
		}
	}
	top := filepath.Join(s.commonDir, "refs")
	err = filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // git has just packed or deleted it
			return nil
		}
		if err != nil || d.IsDir() || strings.HasSuffix(file, ".lock") {
			return err
		}
		name, err := filepath.Rel(s.commonDir, file)
		if err != nil {
			return err
		}
		data, err := readLimited(file, maxGitFile)
		if err == nil {
			// NewHash makes the zero id of anything else.
			refs[plumbing.ReferenceName(filepath.ToSlash(name))] = plumbing.NewHash(strings.TrimSpace(string(data)))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing references: %w", err)
	}
	return refs, nil
}

// tips returns what the references lead to, each once.
func (s *store) tips() ([]plumbing.Hash, error) {
	refs, err := s.refs()
	if err != nil {
		return nil, err
	}
	ids := map[plumbing.Hash]bool{}
	for _, id := range refs {
		if !id.IsZero() {
			ids[id] = true
		}
	}
	return slices.Collect(maps.Keys(ids)), nil
}

// headOf reads a HEAD file: the branch that is checked out, or "" where it is
// detached.
func headOf(gitDir string) (plumbing.ReferenceName, error) {
	data, err := readLimited(filepath.Join(gitDir, "HEAD"), maxGitFile)
	if err != nil {
		return "", fmt.Errorf("reading HEAD: %w", err)
	}
	target, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "ref:")
	if !ok {
		return "", nil
	}
	return plumbing.ReferenceName(strings.TrimSpace(target)), nil
}

// checkedOutIn returns the git folder of a work tree that has the branch checked
// out, or "".
func (s *store) checkedOutIn(branch string, bare bool) string {
	dirs, _ := filepath.Glob(filepath.Join(s.commonDir, "worktrees", "*"))
	if !bare {
		dirs = append(dirs, s.commonDir)
	}
	want := plumbing.NewBranchReferenceName(branch)
	for _, dir := range dirs {
		if head, err := headOf(dir); err == nil && head == want {
			return dir
		}
	}
	return ""
}
