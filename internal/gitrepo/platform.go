package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/tree"
)

// The bounds of what is read below goldenpaths/.
const (
	maxFiles = 20_000
	maxBytes = 64 << 20
	maxFile  = 10 << 20
)

// folder is the folder of a platform that holds the golden paths.
const folder = "goldenpaths"

// Worktree is the version that means a path's files as they lie on disk.
const Worktree = "worktree"

// Platform is a source of golden paths. It can be used by several goroutines.
type Platform struct {
	name string
	repo *git.Repository // nil: a plain directory
	dir  string          // on disk; "" for a mirror
	own  *Member         // the repository whose work tree dir is in; nil: there is none
	sub  string          // folder in the repository, slash-separated; "" is its root

	mu    sync.Mutex // go-git's storage cannot be shared
	store *store     // what repo reads
	read  map[string]tree.Tree
}

func openPath(location string) (*Platform, error) {
	dir, err := filepath.Abs(location)
	if err != nil {
		return nil, fmt.Errorf("the source %s: %w", location, err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("the source %s is not a folder; give a path or a URL", location)
	}
	at, err := find(dir)
	if err != nil {
		return nil, fmt.Errorf("the source %s: %w", location, err)
	}
	if at.gitDir == "" {
		return &Platform{name: location, dir: dir}, nil
	}
	s, repo, err := openRepository(at.gitDir)
	if err != nil {
		return nil, fmt.Errorf("the source %s: %w", location, err)
	}
	if at.root == "" { // bare
		return &Platform{name: location, store: s, repo: repo, dir: dir}, nil
	}
	sub, err := filepath.Rel(at.root, dir)
	if err != nil {
		return nil, fmt.Errorf("the source %s: %w", location, err)
	}
	if sub = filepath.ToSlash(sub); sub == "." {
		sub = ""
	}
	own, err := openMember(at)
	if err != nil {
		return nil, fmt.Errorf("the source %s: %w", location, err)
	}
	return &Platform{name: location, store: s, repo: repo, dir: dir, sub: sub, own: own}, nil
}

// tagged is a version tag.
type tagged struct {
	version *semver.Version
	tag     string
	commit  plumbing.Hash
}

// tags returns the version tags of a golden path, the newest first. Where it has
// tags of its own (NAME/v1.2.3), plain ones (v1.2.3) are not its.
func (p *Platform) tags(goldenPath string) ([]tagged, error) {
	refs, err := p.store.refs()
	if err != nil {
		return nil, fmt.Errorf("the tags of %s: %w", p.name, err)
	}
	var own, plain []tagged
	for ref, id := range refs {
		if !ref.IsTag() {
			continue
		}
		tag := ref.Short()
		text, isOwn := strings.CutPrefix(tag, goldenPath+"/")
		// Strictly: "v1" is a tag that moves with every 1.x, not version 1.0.0.
		v, err := semver.StrictNewVersion(strings.TrimPrefix(text, "v"))
		if err != nil || !isOwn && strings.Contains(tag, "/") {
			continue
		}
		commit, err := p.peel(id)
		if err != nil {
			continue // a tag of something that is not a commit is no version
		}
		if isOwn {
			own = append(own, tagged{v, tag, commit})
		} else {
			plain = append(plain, tagged{v, tag, commit})
		}
	}
	if len(own) == 0 {
		own = plain
	}
	// Versions that differ only in what they were built from are in the order of
	// their tags.
	slices.SortFunc(own, func(a, b tagged) int {
		return cmp.Or(b.version.Compare(a.version), strings.Compare(a.tag, b.tag))
	})
	return own, nil
}

func (p *Platform) peel(h plumbing.Hash) (plumbing.Hash, error) {
	for range 10 {
		tag, err := p.repo.TagObject(h)
		if err != nil {
			break
		}
		h = tag.Target
	}
	_, err := p.repo.CommitObject(h)
	return h, err
}

var commitID = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// Resolve finds what a wanted version means: "" and stable are the highest
// version tag that is no prerelease, or the default branch where there are no
// version tags; edge takes prereleases too; then a tag, a branch, a range, a
// commit, or worktree.
func (p *Platform) Resolve(goldenPath, want string) (version, commit string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.repo == nil {
		if want != "" && want != Worktree && want != "stable" && want != "edge" {
			return "", "", fmt.Errorf("%s has no versions, so there is no %q", p.name, want)
		}
		return "", "", nil
	}
	if want == Worktree {
		if p.dir == "" {
			return "", "", fmt.Errorf("%s has no work tree; give a version", p.name)
		}
		return "", "", nil
	}
	tags, err := p.tags(goldenPath)
	if err != nil {
		return "", "", err
	}
	if want == "" || want == "stable" || want == "edge" {
		for _, t := range tags {
			if want == "edge" || t.version.Prerelease() == "" {
				return t.version.String(), t.commit.String(), nil
			}
		}
		if len(tags) > 0 {
			return "", "", fmt.Errorf("%s has only pre-releases%s; take one with \"edge\": %s", p.name, of(goldenPath), known(tags))
		}
		return p.head()
	}
	for _, t := range tags {
		if want == t.tag || strings.TrimPrefix(want, "v") == t.version.String() {
			return t.version.String(), t.commit.String(), nil
		}
	}
	for _, ref := range []string{"refs/heads/" + want, "refs/tags/" + want, "refs/remotes/origin/" + want} {
		if r, err := p.repo.Reference(plumbing.ReferenceName(ref), true); err == nil {
			h, err := p.peel(r.Hash())
			return "", h.String(), err
		}
	}
	if c, err := semver.NewConstraint(want); err == nil {
		for _, t := range tags {
			if c.Check(t.version) {
				return t.version.String(), t.commit.String(), nil
			}
		}
	}
	if commitID.MatchString(want) {
		if h, err := p.repo.ResolveRevision(plumbing.Revision(want)); err == nil {
			return p.versionOf(tags, *h), h.String(), nil
		}
	}
	return "", "", &VersionError{fmt.Sprintf("%s has no version, branch or commit %q%s; %s", p.name, want, of(goldenPath), known(tags))}
}

// VersionError says that a platform has no such version.
type VersionError struct{ text string }

// Error names the platform, what was wanted, and the newest versions.
func (e *VersionError) Error() string { return e.text }

// MembersMistake is true: who asks for the version has to ask for another one.
func (*VersionError) MembersMistake() bool { return true }

func (p *Platform) versionOf(tags []tagged, h plumbing.Hash) string {
	for _, t := range tags {
		if t.commit == h {
			return t.version.String()
		}
	}
	return ""
}

func of(goldenPath string) string {
	if goldenPath == "" {
		return ""
	}
	return " of " + goldenPath
}

func known(tags []tagged) string {
	if len(tags) == 0 {
		return "it has no version tags"
	}
	names := make([]string, 0, 10)
	for _, t := range tags[:min(10, len(tags))] {
		names = append(names, t.version.String())
	}
	return "its newest versions: " + strings.Join(names, ", ")
}

// head is the commit of a path's checked-out branch, or of a mirror's default one.
func (p *Platform) head() (version, commit string, err error) {
	name := plumbing.HEAD
	if p.dir == "" {
		name = "refs/remotes/origin/HEAD" // a mirror's own HEAD says nothing
	}
	for _, name := range []plumbing.ReferenceName{name, "refs/heads/main", "refs/heads/master"} {
		if r, err := p.repo.Reference(name, true); err == nil {
			return "", r.Hash().String(), nil
		}
	}
	err = fmt.Errorf("%s has no commits yet", p.name)
	if p.dir != "" {
		err = fmt.Errorf("%w; commit what is there, or read it as it lies there: %s@worktree", err, p.name)
	}
	return "", "", err
}

// Tree returns the files below goldenpaths/ at a commit, or, for "", as they lie
// on disk, without the golden paths' tests, which are most of the bytes and are not
// rendered. Paths begin with "goldenpaths/".
func (p *Platform) Tree(ctx context.Context, commit string) (tree.Tree, error) {
	if commit == "" {
		return p.diskTree(isTests)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if files, ok := p.read[commit]; ok {
		return files.Clone(), nil
	}
	files, err := p.commitTree(ctx, commit, isTests)
	if err != nil {
		return nil, err
	}
	if p.read == nil || len(p.read) >= maxKept {
		p.read = map[string]tree.Tree{}
	}
	p.read[commit] = files
	return files.Clone(), nil
}

// Whole is Tree with the tests.
func (p *Platform) Whole(ctx context.Context, commit string) (tree.Tree, error) {
	all := func(string) bool { return false }
	if commit == "" {
		return p.diskTree(all)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.commitTree(ctx, commit, all)
}

// maxKept bounds how many commits' files a platform keeps: a plan needs two or
// three, and reading one again costs milliseconds.
const maxKept = 8

// isTests reports whether a folder below goldenpaths/ is NAME/tests.
func isTests(dir string) bool {
	name, sub, _ := strings.Cut(dir, "/")
	return name != "" && sub == "tests"
}

func (p *Platform) commitTree(ctx context.Context, commit string, skip func(dir string) bool) (tree.Tree, error) {
	if p.repo == nil {
		return nil, fmt.Errorf("%s has no commits, so %s cannot be read from it", p.name, commit)
	}
	root, err := p.store.rootOf(commit)
	if err != nil {
		return nil, fmt.Errorf("%s has no commit %s; only what a branch or a tag leads to is there", p.name, commit)
	}
	sub, ok, err := p.store.lookup(root, path.Join(p.sub, folder), map[plumbing.Hash][]object.TreeEntry{})
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", p.name, commit, err)
	}
	if !ok || sub.Mode != filemode.Dir {
		return nil, p.missing()
	}
	b := &bounded{name: p.name, files: tree.Tree{}}
	return b.files, p.addFolder(ctx, b, sub.Hash, "", 0, skip)
}

// maxDepth bounds how deep folders are nested below goldenpaths/.
const maxDepth = 64

func (p *Platform) addFolder(ctx context.Context, b *bounded, id plumbing.Hash, dir string, depth int, skip func(string) bool) error {
	if depth > maxDepth {
		return fmt.Errorf("%s: %s/%s is nested deeper than %d folders", p.name, folder, dir, maxDepth)
	}
	// Folders need not hold files: sixty of them, each twice in the next, are few
	// objects and 2^60 places.
	if b.folders++; b.folders > maxFiles {
		return fmt.Errorf("%s: there are more than %d folders below %s/", p.name, maxFiles, folder)
	}
	entries, err := p.store.entries(id)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", p.name, path.Join(folder, dir), err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := path.Join(dir, e.Name)
		if e.Mode == filemode.Dir {
			if !skip(at) {
				err = p.addFolder(ctx, b, e.Hash, at, depth+1, skip)
			}
		} else if kind, ok := kindOf(e.Mode); ok {
			err = p.addBlob(b, at, kind, e.Hash)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Platform) addBlob(b *bounded, at string, kind tree.Kind, id plumbing.Hash) error {
	data, err := p.store.blob(id, maxFile)
	if tooLarge, ok := errors.AsType[*TooLargeError](err); ok {
		return b.tooLarge(folder+"/"+at, tooLarge.Limit)
	}
	if err != nil {
		return fmt.Errorf("%s: %s/%s: %w", p.name, folder, at, err)
	}
	return b.add(folder+"/"+at, kind, data)
}

func (p *Platform) missing() error {
	return fmt.Errorf("%s has no folder %s/; is it a platform repository?", p.name, folder)
}

func kindOf(m filemode.FileMode) (tree.Kind, bool) {
	switch m {
	case filemode.Regular, filemode.Deprecated:
		return tree.Regular, true
	case filemode.Executable:
		return tree.Executable, true
	case filemode.Symlink:
		return tree.Symlink, true
	}
	return 0, false
}

// bounded collects files within the bounds.
type bounded struct {
	name    string
	files   tree.Tree
	folders int
	size    int
}

func (b *bounded) add(p string, kind tree.Kind, data []byte) error {
	b.size += len(data)
	b.files[p] = tree.File{Kind: kind, Data: data}
	switch {
	case len(data) > maxFile:
		return b.tooLarge(p, maxFile)
	case len(b.files) > maxFiles:
		return fmt.Errorf("%s: there are more than %d files below %s/", b.name, maxFiles, folder)
	case b.size > maxBytes:
		return fmt.Errorf("%s: the files below %s/ have more than %d bytes", b.name, folder, maxBytes)
	}
	return nil
}

func (b *bounded) tooLarge(p string, limit int64) error {
	return fmt.Errorf("%s: %s has more than %d bytes", b.name, p, limit)
}

// diskTree reads what lies on disk, as git would store it: a golden path renders to
// the same bytes wherever the platform is checked out.
func (p *Platform) diskTree(skip func(dir string) bool) (tree.Tree, error) {
	root, err := os.OpenRoot(filepath.Join(p.dir, folder))
	if err != nil {
		return nil, p.missing()
	}
	defer root.Close()
	stored := func(_ string, f tree.File) (tree.File, error) { return f, nil }
	if p.own != nil {
		c, err := p.own.checkout()
		if err != nil {
			return nil, err
		}
		defer c.work.close()
		stored = c.stored
	}
	disk := root.FS()
	b := &bounded{name: p.name, files: tree.Tree{}}
	err = fs.WalkDir(disk, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && skip(name) {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		f, err := readEntry(disk, name, d)
		switch {
		case err != nil || f.Kind == 0:
			return err
		case len(f.Data) > maxFile: // what was read of it is not the file
			return b.tooLarge(folder+"/"+name, maxFile)
		}
		if f, err = stored(path.Join(p.sub, folder, name), f); err != nil {
			return err
		}
		return b.add(folder+"/"+name, f.Kind, f.Data)
	})
	return b.files, err
}

// readEntry reads one file, a byte more than it may have; of what is neither a file
// nor a link, the kind is 0.
func readEntry(disk fs.FS, name string, d fs.DirEntry) (tree.File, error) {
	if d.Type()&fs.ModeSymlink != 0 {
		target, err := fs.ReadLink(disk, name)
		return tree.Link(target), err
	}
	if !d.Type().IsRegular() {
		return tree.File{}, nil
	}
	info, err := d.Info()
	if err != nil {
		return tree.File{}, err
	}
	kind := tree.Regular
	if info.Mode()&0o100 != 0 {
		kind = tree.Executable
	}
	f, err := disk.Open(name)
	if err != nil {
		return tree.File{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return tree.File{Kind: kind, Data: data}, err
}
