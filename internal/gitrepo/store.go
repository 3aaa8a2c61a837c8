package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/objfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"

	"github.com/goldenpaths/syncer/internal/gitdir"
)

// store is a repository's objects and references. It is not safe for use by
// several goroutines at once, because go-git's is not.
type store struct {
	*filesystem.Storage
	gitDir    string // HEAD, index, and what is ours
	commonDir string // objects, references, configuration; gitDir but in linked work trees
	// packing takes the objects that are to become one pack; nil: each is written
	// to a file of its own at once.
	packing *packer
}

// openStore opens the repository whose git folder is gitDir.
func openStore(gitDir string) (*store, error) {
	commonDir, err := commonOf(gitDir)
	if err != nil {
		return nil, err
	}
	fsys := dotgit.NewRepositoryFilesystem(gitdir.New(gitDir), gitdir.New(commonDir))
	s := filesystem.NewStorageWithOptions(fsys, cache.NewObjectLRUDefault(), filesystem.Options{
		// Alternates are absolute paths; without this they are looked for below gitDir.
		AlternatesFS: gitdir.New(filepath.VolumeName(commonDir) + string(filepath.Separator)),
	})
	return &store{Storage: s, gitDir: gitDir, commonDir: commonDir}, nil
}

// openRepository opens a repository to read from with go-git's own functions.
func openRepository(gitDir string) (*store, *git.Repository, error) {
	s, err := openStore(gitDir)
	if err != nil {
		return nil, nil, err
	}
	local := &settings{gitDir: s.gitDir}
	if err := local.readRepository(s.commonDir); err != nil {
		return nil, nil, err
	}
	if err := local.checkFormat(); err != nil {
		return nil, nil, err
	}
	repo, err := git.Open(plainFormat{s}, nil)
	return s, repo, err
}

// plainFormat is a store whose extensions go-git does not see: it refuses every
// one that it does not know, though they have been checked (checkFormat) and do not
// matter for reading.
type plainFormat struct{ *store }

// Config returns the repository's configuration without its extensions.
func (s plainFormat) Config() (*config.Config, error) {
	cfg, err := s.store.Config()
	if err == nil {
		cfg.Raw.RemoveSection("extensions")
	}
	return cfg, err
}

// commonOf returns the folder that a linked work tree shares with its repository.
func commonOf(gitDir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(gitDir, "commondir"))
	if errors.Is(err, fs.ErrNotExist) {
		return gitDir, nil
	}
	if err != nil {
		return "", err
	}
	dir := strings.TrimSpace(string(data))
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(gitDir, dir)
	}
	return dir, nil
}

// isGitDir reports whether dir is a git folder, by git's own rule: HEAD, objects
// and refs are there, the latter two perhaps in the common folder.
func isGitDir(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	common, err := commonOf(dir)
	if err != nil {
		return false
	}
	for _, name := range []string{"objects", "refs"} {
		if info, err := os.Stat(filepath.Join(common, name)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// place is where a folder stands in git's world.
type place struct {
	root   string // the work tree's root, "" in a bare repository
	gitDir string // "" where there is no repository
}

// find looks for the repository around dir, as git does: from dir upwards, at
// each folder first for .git (a folder, or a file that names one), then whether
// the folder is a git folder itself.
func find(dir string) (place, error) {
	for {
		dot := filepath.Join(dir, ".git")
		info, err := os.Stat(dot)
		switch {
		case err == nil && info.IsDir() && isGitDir(dot):
			return place{root: dir, gitDir: dot}, nil
		case err == nil && info.Mode().IsRegular():
			gitDir, err := readGitFile(dot)
			return place{root: dir, gitDir: gitDir}, err
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return place{}, err
		}
		if isGitDir(dir) {
			return place{gitDir: dir}, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return place{}, nil
		}
		dir = up
	}
}

// maxGitFile bounds a .git file, which holds one path.
const maxGitFile = 1 << 14

func readGitFile(file string) (string, error) {
	data, err := readLimited(file, maxGitFile)
	if err != nil {
		return "", err
	}
	dir, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir:")
	if !ok {
		return "", fmt.Errorf("%s is not a git folder and does not name one", file)
	}
	dir = filepath.FromSlash(strings.TrimSpace(dir))
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(filepath.Dir(file), dir)
	}
	if !isGitDir(dir) {
		return "", fmt.Errorf("%s names %s, which is not a git folder; if the repository was moved, run `git worktree repair`", file, dir)
	}
	return dir, nil
}

func readLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", file, limit)
	}
	return data, err
}

// commit reads a commit, peeling annotated tags.
func (s *store) commit(id plumbing.Hash) (*object.Commit, error) {
	// Tags may point at tags; nobody nests them deeper than this.
	for range 10 {
		o, err := s.EncodedObject(plumbing.AnyObject, id)
		if err != nil {
			return nil, fmt.Errorf("object %s: %w", id, err)
		}
		switch o.Type() {
		case plumbing.CommitObject:
			return object.DecodeCommit(s, o)
		case plumbing.TagObject:
			t := &object.Tag{}
			if err := t.Decode(o); err != nil {
				return nil, fmt.Errorf("tag %s: %w", id, err)
			}
			id = t.Target
		default:
			return nil, fmt.Errorf("%s is a %s, not a commit", id, o.Type())
		}
	}
	return nil, fmt.Errorf("%s is a tag of a tag of a tag, too deep to follow", id)
}

// rootOf returns the tree of the commit with that id.
func (s *store) rootOf(commit string) (plumbing.Hash, error) {
	if !plumbing.IsHash(commit) {
		return plumbing.ZeroHash, fmt.Errorf("%q is not a commit's id", commit)
	}
	c, err := s.commit(plumbing.NewHash(commit))
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return c.TreeHash, nil
}

// entries reads one folder of a commit. A zero id is an empty folder.
func (s *store) entries(id plumbing.Hash) ([]object.TreeEntry, error) {
	if id.IsZero() {
		return nil, nil
	}
	t, err := object.GetTree(s, id)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", id, err)
	}
	return t.Entries, nil
}

// lookup finds the entry at a slash-separated path, reading only the folders on
// the way. folders remembers those, so that neighbours cost nothing.
func (s *store) lookup(root plumbing.Hash, path string, folders map[plumbing.Hash][]object.TreeEntry) (object.TreeEntry, bool, error) {
	at := object.TreeEntry{Mode: filemode.Dir, Hash: root}
	for seg := range strings.SplitSeq(path, "/") {
		if at.Mode != filemode.Dir {
			return at, false, nil
		}
		list, ok := folders[at.Hash]
		if !ok {
			var err error
			if list, err = s.entries(at.Hash); err != nil {
				return at, false, err
			}
			folders[at.Hash] = list
		}
		found := false
		for _, e := range list {
			if e.Name == seg {
				at, found = e, true
				break
			}
		}
		if !found {
			return at, false, nil
		}
	}
	return at, true, nil
}

// blob reads a blob of at most limit bytes.
func (s *store) blob(id plumbing.Hash, limit int64) ([]byte, error) {
	data, err := s.looseBlob(id, limit)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = s.packedBlob(id, limit)
	}
	return data, err
}

// looseBlob reads a blob that has a file of its own; the error is fs.ErrNotExist
// where it has none. go-git would open the file twice, for the size and for the
// content, and look for it in every alternate first.
func (s *store) looseBlob(id plumbing.Hash, limit int64) ([]byte, error) {
	name := id.String()
	f, err := os.Open(filepath.Join(s.commonDir, "objects", name[:2], name[2:]))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := objfile.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	defer r.Close()
	kind, size, err := r.Header()
	if err == nil && kind != plumbing.BlobObject {
		err = fmt.Errorf("it is a %s, not a file", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	if size > limit {
		return nil, &TooLargeError{What: "object " + name, Size: size, Limit: limit}
	}
	data := make([]byte, max(size, 0))
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	if r.Hash() != id {
		return nil, fmt.Errorf("object %s is damaged: its content is another one's", id)
	}
	return data, nil
}

func (s *store) packedBlob(id plumbing.Hash, limit int64) ([]byte, error) {
	size, err := s.EncodedObjectSize(id)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		err = nil // go-git does not look for sizes in the packs of alternates
	}
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	if size > limit {
		return nil, &TooLargeError{What: "object " + id.String(), Size: size, Limit: limit}
	}
	o, err := s.EncodedObject(plumbing.BlobObject, id)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	if size = o.Size(); size > limit {
		return nil, &TooLargeError{What: "object " + id.String(), Size: size, Limit: limit}
	}
	r, err := o.Reader()
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	defer r.Close()
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	return data, nil
}

// write stores an object.
func (s *store) write(kind plumbing.ObjectType, data []byte) (plumbing.Hash, error) {
	if s.packing != nil {
		return s.packing.add(kind, data)
	}
	o := &plumbing.MemoryObject{}
	o.SetType(kind)
	if _, err := o.Write(data); err != nil {
		return plumbing.ZeroHash, err
	}
	id, err := s.SetEncodedObject(o)
	if err != nil {
		return id, fmt.Errorf("storing an object in %s: %w", s.commonDir, err)
	}
	return id, nil
}

// TooLargeError says that something is larger than it may be.
type TooLargeError struct {
	What        string // what is too large, with its path
	Size, Limit int64  // in bytes or files; Size is 0 where it is only known to be more
	Unit        string // "bytes" where empty
}

// Error says what is too large and what the limit is.
func (e *TooLargeError) Error() string {
	unit := e.Unit
	if unit == "" {
		unit = "bytes"
	}
	if e.Size == 0 {
		return fmt.Sprintf("%s: more than the limit of %d %s", e.What, e.Limit, unit)
	}
	return fmt.Sprintf("%s: %d %s, and the limit is %d", e.What, e.Size, unit, e.Limit)
}
