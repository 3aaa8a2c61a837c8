package gitrepo

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/user"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Author is who a commit is by.
type Author struct {
	Name, Email string
	// Guessed says that neither the environment nor git's configuration named the
	// author, so that git itself would refuse to commit.
	Guessed bool
}

// Author returns who git would say makes a commit here: GIT_AUTHOR_NAME and
// GIT_AUTHOR_EMAIL, else author.* and user.* of git's configuration. What is
// missing is made up from the account on this machine, and flagged.
func (m *Member) Author() (Author, error) { return authorFrom(m.settings), nil }

// DefaultAuthor is [Member.Author] where there is no repository yet.
func DefaultAuthor() Author {
	s := &settings{}
	for _, file := range outerConfigs() {
		_ = s.read(file, 0)
	}
	return authorFrom(s)
}

func authorFrom(s *settings) Author {
	a := Author{
		Name:  cmp.Or(os.Getenv("GIT_AUTHOR_NAME"), s.get("author", "name"), s.get("user", "name")),
		Email: cmp.Or(os.Getenv("GIT_AUTHOR_EMAIL"), s.get("author", "email"), s.get("user", "email"), os.Getenv("EMAIL")),
	}
	a.Guessed = a.Name == "" || a.Email == ""
	if !a.Guessed {
		return a
	}
	login := "syncer"
	if u, err := user.Current(); err == nil {
		login = u.Username[strings.LastIndexByte(u.Username, '\\')+1:] // DOMAIN\name on Windows
		a.Name = cmp.Or(a.Name, u.Name)
	}
	host, _ := os.Hostname()
	a.Name = cmp.Or(a.Name, login)
	a.Email = cmp.Or(a.Email, login+"@"+cmp.Or(host, "localhost"))
	return a
}

// signature makes a name fit for a commit object, which has no way to quote.
func (a Author) signature(when time.Time) object.Signature {
	clean := func(s string) string {
		return strings.TrimSpace(strings.Map(func(r rune) rune {
			if r == '<' || r == '>' || r < ' ' {
				return -1
			}
			return r
		}, s))
	}
	return object.Signature{Name: clean(a.Name), Email: clean(a.Email), When: when.Truncate(time.Second)}
}

// Commit is a commit to be made.
type Commit struct {
	Branch string
	// Parent is the commit to build on; "" makes a commit without one.
	Parent string
	// Expect is where the branch must be now; "" is "it must not exist".
	Expect string
	// Changes are the files to write, and those to delete where the value is nil.
	Changes map[string]*tree.File
	Message string
	Author  Author
	When    time.Time
}

// CheckedOutError says that a branch cannot be moved because a work tree shows it:
// its files would look as if somebody had reverted the commit.
type CheckedOutError struct {
	Branch string
	GitDir string // of the work tree
}

// Error says which branch, where it is checked out, and what to do.
func (e *CheckedOutError) Error() string {
	return fmt.Sprintf("branch %s is checked out (in %s); switch to another branch, or take the changes into the work tree instead", e.Branch, e.GitDir)
}

// Commit makes a commit on a branch that is not checked out anywhere, and returns
// its id. Only the folders on the way to the changes are read and written; the
// work tree and the index stay as they are. It returns [CheckedOutError], and
// [RefMovedError] where the branch is not at c.Expect.
func (m *Member) Commit(c Commit) (id string, err error) {
	if id, err = m.Prepare(c); err != nil {
		return "", err
	}
	return id, m.MoveBranch(c.Branch, c.Expect, id)
}

// Prepare is Commit without its last step: the commit is there, and the branch does
// not lead to it until [Member.MoveBranch].
func (m *Member) Prepare(c Commit) (id string, err error) {
	bare := m.settings.flag("core", "bare", false)
	if dir := m.store.checkedOutIn(c.Branch, bare); dir != "" {
		return "", &CheckedOutError{c.Branch, dir}
	}
	// Looked at again under the lock; looked at now so that nothing is written in vain.
	tip, err := m.BranchTip(c.Branch)
	if err != nil {
		return "", err
	}
	if tip != c.Expect {
		return "", &RefMovedError{c.Branch, c.Expect, tip}
	}
	id, err = m.store.commitChanges(c)
	if err != nil {
		return "", fmt.Errorf("committing to branch %s of %s: %w", c.Branch, m.root, err)
	}
	return id, nil
}

// MoveBranch moves a branch from one commit to another, or makes it where from is
// "". It returns [RefMovedError] where the branch is elsewhere.
func (m *Member) MoveBranch(branch, from, to string) error { return m.store.swap(branch, from, to) }

// commitChanges stores the objects of a commit.
func (s *store) commitChanges(c Commit) (string, error) {
	root := plumbing.ZeroHash
	var parents []plumbing.Hash
	if c.Parent != "" {
		var err error
		if root, err = s.rootOf(c.Parent); err != nil {
			return "", err
		}
		parents = []plumbing.Hash{plumbing.NewHash(c.Parent)}
	}
	root, err := s.change(root, "", c.Changes)
	if err != nil {
		return "", err
	}
	if root.IsZero() { // no files are left; a commit needs a tree nevertheless
		if root, err = s.write(plumbing.TreeObject, nil); err != nil {
			return "", err
		}
	}
	return s.writeCommit(root, parents, c)
}

func (s *store) writeCommit(root plumbing.Hash, parents []plumbing.Hash, c Commit) (string, error) {
	message := strings.TrimRight(c.Message, "\n") + "\n"
	by := c.Author.signature(c.When)
	o := s.NewEncodedObject()
	commit := object.Commit{Author: by, Committer: by, Message: message, TreeHash: root, ParentHashes: parents}
	if err := commit.Encode(o); err != nil {
		return "", err
	}
	r, err := o.Reader()
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	id, err := s.write(plumbing.CommitObject, data)
	return id.String(), err
}

// change writes the folder that results from changing the folder id, and returns
// its id, or the zero id where nothing is left in it. The paths of changes are
// relative to it; at is where it is, for messages.
func (s *store) change(id plumbing.Hash, at string, changes map[string]*tree.File) (plumbing.Hash, error) {
	list, err := s.entries(id)
	if err != nil {
		return id, err
	}
	entries := make(map[string]object.TreeEntry, len(list)+len(changes))
	for _, e := range list {
		entries[e.Name] = e
	}
	files, folders := split(changes)
	// What is a folder now is changed first, so that a file can take the place of
	// one that is emptied; what is a file now is deleted before a folder takes its.
	for _, emptying := range []bool{true, false} {
		for name, below := range folders {
			if e, ok := entries[name]; emptying != (ok && e.Mode == filemode.Dir) {
				continue
			}
			if err := s.changeFolder(entries, path.Join(at, name), below); err != nil {
				return id, err
			}
			delete(folders, name)
		}
		if !emptying {
			break
		}
		for name, f := range files {
			if err := s.changeFile(entries, path.Join(at, name), f); err != nil {
				return id, err
			}
		}
	}
	return s.writeFolder(entries)
}

// split parts changes into those of a folder's own files and those further down.
func split(changes map[string]*tree.File) (files map[string]*tree.File, folders map[string]map[string]*tree.File) {
	files, folders = map[string]*tree.File{}, map[string]map[string]*tree.File{}
	for p, f := range changes {
		name, rest, deeper := strings.Cut(p, "/")
		if !deeper {
			files[name] = f
			continue
		}
		if folders[name] == nil {
			folders[name] = map[string]*tree.File{}
		}
		folders[name][rest] = f
	}
	return files, folders
}

// changeFile sets or deletes one file among entries. Deleting what is not there
// does nothing.
func (s *store) changeFile(entries map[string]object.TreeEntry, at string, f *tree.File) error {
	name := path.Base(at)
	old, has := entries[name]
	if has && old.Mode == filemode.Submodule {
		return &NotFileError{Path: at, At: at, What: "a submodule"}
	}
	if f == nil {
		// A folder stays: deleting a file never deletes a folder of that name.
		if has && old.Mode != filemode.Dir {
			delete(entries, name)
		}
		return nil
	}
	if err := checkWrite(at, f); err != nil {
		return err
	}
	if has && old.Mode == filemode.Dir {
		return &NotFileError{Path: at, At: at, What: "a folder"}
	}
	id, err := s.write(plumbing.BlobObject, f.Data)
	entries[name] = object.TreeEntry{Name: name, Mode: filemode.FileMode(f.Kind), Hash: id}
	return err
}

// changeFolder applies changes below one name among entries.
func (s *store) changeFolder(entries map[string]object.TreeEntry, at string, changes map[string]*tree.File) error {
	name := path.Base(at)
	old, has := entries[name]
	folder := plumbing.ZeroHash
	switch {
	case has && old.Mode == filemode.Dir:
		folder = old.Hash
	case has && onlyDeletes(changes):
		return nil // nothing is below a file
	case has:
		kind := "a submodule"
		if k, ok := kindOf(old.Mode); ok {
			kind = "a " + k.String()
		}
		return &NotFileError{Path: at + "/…", At: at, What: kind}
	}
	id, err := s.change(folder, at, changes)
	if err != nil {
		return err
	}
	delete(entries, name)
	if !id.IsZero() {
		entries[name] = object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: id}
	}
	return nil
}

func onlyDeletes(changes map[string]*tree.File) bool {
	for _, f := range changes {
		if f != nil {
			return false
		}
	}
	return true
}

// writeFolder stores a folder. git orders folders as if their names ended in "/".
func (s *store) writeFolder(entries map[string]object.TreeEntry) (plumbing.Hash, error) {
	if len(entries) == 0 {
		return plumbing.ZeroHash, nil
	}
	key := func(e object.TreeEntry) string {
		if e.Mode == filemode.Dir {
			return e.Name + "/"
		}
		return e.Name
	}
	list := make([]object.TreeEntry, 0, len(entries))
	for _, e := range entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b object.TreeEntry) int { return strings.Compare(key(a), key(b)) })
	var data []byte
	for _, e := range list {
		data = fmt.Appendf(data, "%o %s\x00", uint32(e.Mode), e.Name)
		data = append(data, e.Hash[:]...)
	}
	return s.write(plumbing.TreeObject, data)
}

// checkWrite refuses files that cannot be written safely everywhere.
func checkWrite(p string, f *tree.File) error {
	if err := tree.CheckPath(p); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	switch f.Kind {
	case tree.Regular, tree.Executable:
		return nil
	case tree.Symlink:
		if err := tree.CheckLink(p, string(f.Data)); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		return nil
	}
	return fmt.Errorf("%s: %s cannot be written", p, f.Kind)
}
