package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Why a folder cannot be opened as a member.
var (
	ErrNotRepository = errors.New("not inside a git repository; run this in one, or begin one with `git init`")
	ErrBare          = errors.New("a bare repository has no work tree; run this in a clone of it")
)

// noFolderError names a folder that is not there.
type noFolderError string

// Error names it.
func (e noFolderError) Error() string { return "there is no folder " + string(e) }

// Is reports true for [fs.ErrNotExist].
func (e noFolderError) Is(target error) bool { return target == fs.ErrNotExist }

// maxMemberFile bounds what is read of a member's file, 100 MiB.
const maxMemberFile = 100 << 20

// Member is a repository on this machine with a work tree. It is not safe for use
// by several goroutines at once; several Members of one repository are.
type Member struct {
	root     string
	store    *store
	settings *settings
	locked   bool // by this Member
}

// OpenMember opens the repository whose work tree dir is in. Linked work trees and
// submodules are found by their .git file. It returns [ErrNotRepository],
// [ErrBare], or an error that says why the repository cannot be read here.
func OpenMember(dir string) (*Member, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	// As git does: a repository that was entered through a link has its neighbours
	// beside it, not beside the link.
	if resolved, err := filepath.EvalSymlinks(abs); err == nil {
		abs = resolved
	}
	if info, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) {
		return nil, noFolderError(dir)
	} else if err != nil {
		return nil, fmt.Errorf("opening a repository: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file; name the folder of a repository", dir)
	}
	at, err := find(abs)
	switch {
	case err != nil:
		return nil, fmt.Errorf("looking for the repository around %s: %w", dir, err)
	case at.gitDir == "":
		return nil, fmt.Errorf("%s: %w", dir, ErrNotRepository)
	case at.root == "":
		return nil, fmt.Errorf("%s: %w", at.gitDir, ErrBare)
	}
	m, err := openMember(at)
	if err != nil {
		return nil, fmt.Errorf("the repository %s: %w", at.root, err)
	}
	return m, nil
}

func openMember(at place) (*Member, error) {
	s, err := openStore(at.gitDir)
	if err != nil {
		return nil, err
	}
	head, err := headOf(at.gitDir)
	if err != nil {
		return nil, err
	}
	cfg, err := readSettings(s.gitDir, s.commonDir, head.Short())
	if err != nil {
		return nil, err
	}
	if err := cfg.checkFormat(); err != nil {
		return nil, err
	}
	// The configuration of a bare repository is shared with its linked work trees,
	// which are not bare.
	if s.gitDir == s.commonDir && cfg.flag("core", "bare", false) {
		return nil, ErrBare
	}
	return &Member{root: at.root, store: s, settings: cfg}, nil
}

// Root returns the absolute path of the work tree.
func (m *Member) Root() string { return m.root }

// Head is what is checked out.
type Head struct {
	Branch string // "" where HEAD is detached
	Commit string // "" where the branch has no commit yet
}

// Head returns what is checked out.
func (m *Member) Head() (Head, error) {
	name, err := headOf(m.store.gitDir)
	if err != nil {
		return Head{}, err
	}
	h := Head{Branch: name.Short()}
	if name != "" && !name.IsBranch() {
		h.Branch = name.String()
	}
	h.Commit, err = m.store.resolve(plumbing.HEAD)
	return h, err
}

// BranchTip returns the commit of a branch, or "" where there is no such branch.
func (m *Member) BranchTip(branch string) (string, error) {
	return m.store.resolve(plumbing.NewBranchReferenceName(branch))
}

// NotFileError says that something that is no file stands where a file was asked
// for: a folder, a device, or a symbolic link on the way to it.
type NotFileError struct {
	Path string // what was asked for
	At   string // where the obstacle is; Path, or a folder on the way to it
	What string // "a folder", "a symbolic link", …
}

// Error names the path and what is in its way.
func (e *NotFileError) Error() string {
	if e.At != e.Path {
		return fmt.Sprintf("%s: %s is %s, not a folder; nothing is read or written through it", e.Path, e.At, e.What)
	}
	return fmt.Sprintf("%s is %s, not a file", e.Path, e.What)
}

// describe names a kind of directory entry that is not a regular file.
func describe(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode.IsRegular():
		return "a file"
	}
	return "neither a file nor a link"
}

// checkInside refuses paths that lead out of the work tree or into git's folder.
// It is laxer than tree.CheckPath: a member may have names that syncer would not
// give to a file.
func checkInside(path string) error {
	if path == "" || !filepath.IsLocal(filepath.FromSlash(path)) {
		return fmt.Errorf("%q is not a path in the repository", path)
	}
	for seg := range strings.SplitSeq(path, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return fmt.Errorf("%q is not a clean path", path)
		}
		if strings.EqualFold(seg, ".git") || strings.EqualFold(seg, "git~1") {
			return fmt.Errorf("%q is in git's own folder", path)
		}
	}
	return nil
}

// WorkFiles returns those of the slash-separated paths that exist in the work
// tree, as git would store them: what core.autocrlf and attributes convert is
// converted back, and what a sparse checkout leaves out is as it is staged. Symbolic
// links are read as links.
//
// What is in the way of a path is returned too: at the path itself a [tree.Folder]
// that has files in it, a [tree.Submodule] or a [tree.Other]; or, at its own path, the
// file, link or submodule that stands in the place of a folder on the way. Nothing is
// read through it. So is, at its own path, what some file system takes for one of the
// paths that do not exist, because the names differ only in letter case or in how letters
// are composed.
//
// Where the file system keeps no execute bits (core.fileMode is false), a file
// that the index knows as executable is executable; and where it has no links
// (core.symlinks is false), a file that the index knows as a link is that link.
func (m *Member) WorkFiles(paths []string) (tree.Tree, error) {
	c, err := m.checkout()
	if err != nil {
		return nil, err
	}
	defer c.work.close()
	if err := c.needIndex(); err != nil {
		return nil, err
	}
	seen := make(tree.Tree, len(paths))
	for _, p := range paths {
		if err := c.look(p, seen); err != nil {
			return nil, fmt.Errorf("reading %s: %w", m.root, err)
		}
	}
	return seen, nil
}

// CommitFiles returns those of the paths that exist in a commit, and what is in the
// way of others, as [Member.WorkFiles] does.
func (m *Member) CommitFiles(commit string, paths []string) (tree.Tree, error) {
	root, err := m.store.rootOf(commit)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s of %s: %w", commit, m.root, err)
	}
	seen := make(tree.Tree, len(paths))
	c := committed{Member: m, root: root, folders: map[plumbing.Hash][]object.TreeEntry{}, beside: listed{}}
	for _, p := range paths {
		if err := c.look(p, seen); err != nil {
			return nil, fmt.Errorf("%s at commit %s: %w", p, commit, err)
		}
	}
	return seen, nil
}

// Entry is a file of a commit or of the index, without its bytes.
type Entry struct {
	Kind tree.Kind
	Blob tree.BlobID
}

// Entries returns every file of a commit, without reading contents. Submodules are
// left out.
func (m *Member) Entries(commit string) (map[string]Entry, error) {
	root, err := m.store.rootOf(commit)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s of %s: %w", commit, m.root, err)
	}
	all := map[string]Entry{}
	return all, m.addEntries(root, "", all)
}

func (m *Member) addEntries(id plumbing.Hash, prefix string, all map[string]Entry) error {
	list, err := m.store.entries(id)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Mode == filemode.Dir {
			if err := m.addEntries(e.Hash, prefix+e.Name+"/", all); err != nil {
				return err
			}
			continue
		}
		if kind, ok := kindOf(e.Mode); ok {
			all[prefix+e.Name] = Entry{kind, tree.BlobID(e.Hash.String())}
		}
	}
	return nil
}

// WorkEntries returns the files that the index tracks, as they were last added.
// What changed on disk since is not in it: see [Member.Uncommitted].
func (m *Member) WorkEntries() (map[string]Entry, error) {
	idx, err := m.readIndex()
	if err != nil {
		return nil, err
	}
	all := make(map[string]Entry, len(idx.entries))
	for p, e := range idx.entries {
		all[p] = Entry{e.kind, tree.BlobID(e.blob.String())}
	}
	for dir, id := range idx.folders {
		if err := m.addEntries(id, dir, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Blob returns a blob of the repository by its id, wherever in the history it is,
// and whether there is one. A blob of more than 100 MiB is a [TooLargeError].
func (m *Member) Blob(id tree.BlobID) ([]byte, bool, error) {
	if !plumbing.IsHash(string(id)) {
		return nil, false, fmt.Errorf("%q is not an object's id", id)
	}
	data, err := m.store.blob(plumbing.NewHash(string(id)), maxMemberFile)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading from %s: %w", m.root, err)
	}
	return data, true, nil
}

// Repository returns the owner and name that the remote "origin" has, or for a
// repository without one "" and the name of its folder.
func (m *Member) Repository() (owner, name string) {
	if url := m.settings.sub("remote", "origin", "url"); url != "" {
		return ownerAndName(m.settings.rewrite(url, false))
	}
	return "", filepath.Base(m.root)
}

// remoteURL returns where a remote pushes to. A name that is no remote is taken
// for a URL or a path.
func (m *Member) remoteURL(remote string) (string, error) {
	if !slices.Contains(m.settings.subsections("remote"), remote) {
		if isURL(remote) || strings.ContainsAny(remote, `/\`) {
			return remote, nil
		}
		return "", fmt.Errorf("the repository %s has no remote %q; add one with `git remote add %s URL`", m.root, remote, remote)
	}
	if url := m.settings.sub("remote", remote, "pushurl"); url != "" {
		return m.settings.rewrite(url, false), nil
	}
	url := m.settings.sub("remote", remote, "url")
	if url == "" {
		return "", fmt.Errorf("the remote %q of %s has no URL", remote, m.root)
	}
	return m.settings.rewrite(url, true), nil
}

// readAll reads a file of at most maxMemberFile bytes.
func readAll(f *os.File, path string) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxMemberFile {
		return nil, &TooLargeError{What: path, Size: info.Size(), Limit: maxMemberFile}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxMemberFile+1))
	if err == nil && len(data) > maxMemberFile {
		err = &TooLargeError{What: path, Limit: maxMemberFile}
	}
	return data, err
}
