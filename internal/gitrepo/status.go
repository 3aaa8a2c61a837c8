package gitrepo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/gitattributes"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Uncommitted returns those of the paths at which the work tree, the index and the
// checked-out commit do not all say the same, in byte order: edited, staged,
// untracked, deleted, or in conflict. Only these paths are looked at, and files
// are compared by content, never by their times alone.
//
// What git would not call a change is none: line ends that core.autocrlf or the
// text attribute converts, execute bits where core.fileMode is false.
func (m *Member) Uncommitted(paths []string) ([]string, error) {
	c, err := m.comparison()
	if err != nil {
		return nil, fmt.Errorf("comparing files of %s: %w", m.root, err)
	}
	defer c.work.close()
	var dirty []string
	for _, p := range paths {
		same, err := c.same(p)
		if err != nil {
			return nil, fmt.Errorf("comparing %s in %s: %w", p, m.root, err)
		}
		if !same {
			dirty = append(dirty, p)
		}
	}
	slices.Sort(dirty)
	return slices.Compact(dirty), nil
}

// Unmerged returns those of the paths that are in the middle of a merge which a
// person has to finish, in the given order.
func (m *Member) Unmerged(paths []string) ([]string, error) {
	index, err := m.readIndex()
	if err != nil {
		return nil, fmt.Errorf("the index of %s: %w", m.root, err)
	}
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !index.unmerged[p] }), nil
}

// comparison is what the three states of a file are read from.
type comparison struct {
	*Member
	work    *work
	index   *gitIndex
	head    plumbing.Hash // the tree; zero where there is no commit yet
	folders map[plumbing.Hash][]object.TreeEntry
}

func (m *Member) comparison() (*comparison, error) {
	head, err := m.Head()
	if err != nil {
		return nil, err
	}
	c := &comparison{Member: m, folders: map[plumbing.Hash][]object.TreeEntry{}}
	if head.Commit != "" {
		if c.head, err = m.store.rootOf(head.Commit); err != nil {
			return nil, err
		}
	}
	if c.index, err = m.readIndex(); err != nil {
		return nil, err
	}
	c.work, err = openWork(m.root)
	return c, err
}

func (c *comparison) same(p string) (bool, error) {
	if err := checkInside(p); err != nil {
		return false, err
	}
	if c.index.unmerged[p] {
		return false, nil
	}
	committed, err := c.committed(p)
	if err != nil {
		return false, err
	}
	staged, err := c.staged(p)
	if err != nil {
		return false, err
	}
	if staged.promised || staged.kind != committed.kind || staged.blob != committed.blob {
		return false, nil
	}
	return c.sameOnDisk(p, staged)
}

// committed returns the entry of the checked-out commit, or the zero entry.
func (c *comparison) committed(p string) (indexEntry, error) {
	if c.head.IsZero() {
		return indexEntry{}, nil
	}
	return c.lookupEntry(c.head, p)
}

func (c *comparison) lookupEntry(root plumbing.Hash, p string) (indexEntry, error) {
	e, ok, err := c.store.lookup(root, p, c.folders)
	kind, isFile := kindOf(e.Mode)
	if err != nil || !ok || !isFile {
		return indexEntry{}, err
	}
	return indexEntry{kind: kind, blob: e.Hash}, nil
}

// staged returns the entry of the index, or the zero entry. In a sparse index the
// path may be in a folder that is kept as one.
func (c *comparison) staged(p string) (indexEntry, error) {
	if e, ok := c.index.entries[p]; ok {
		if e.kind == 0 {
			return indexEntry{}, nil // a submodule
		}
		return e, nil
	}
	for dir, id := range c.index.folders {
		if rest, ok := strings.CutPrefix(p, dir); ok {
			e, err := c.lookupEntry(id, rest)
			e.sparse = true
			return e, err
		}
	}
	return indexEntry{}, nil
}

func (c *comparison) sameOnDisk(p string, staged indexEntry) (bool, error) {
	f, exists, err := c.work.read(p)
	var obstacle *NotFileError
	switch {
	case errors.As(err, &obstacle):
		return false, nil
	case err != nil:
		return false, err
	case !exists:
		return staged.kind == 0 || staged.sparse, nil
	case staged.kind == 0:
		return false, nil
	}
	if !c.sameKind(f.Kind, staged.kind) {
		return false, nil
	}
	if plumbing.NewHash(string(f.Blob())) == staged.blob {
		return true, nil
	}
	if f.Kind.IsLink() {
		return false, nil
	}
	return c.sameConverted(p, f, staged)
}

func (c *comparison) sameKind(disk, staged tree.Kind) bool {
	switch {
	case disk == staged:
		return true
	case staged == tree.Symlink:
		// Where links cannot be made, git writes their target into a file.
		return !c.settings.symlinks()
	case disk == tree.Symlink:
		return false
	}
	return !c.settings.fileMode()
}

// sameConverted compares a file with the index as git would see it when adding it.
func (c *comparison) sameConverted(p string, f tree.File, staged indexEntry) (bool, error) {
	attrs := c.attributes(p)
	if attrs["filter"] != "" {
		// What a filter (Git LFS) makes of the file only the filter knows; git
		// believes size and time here, and so must we, but only a time that is
		// older than the index.
		info, err := c.work.stat(p)
		if err != nil || info == nil {
			return false, err
		}
		return uint32(info.Size()) == staged.size && info.ModTime().Equal(staged.modified) && staged.modified.Before(c.index.written), nil
	}
	if !c.converts(attrs, f) {
		return false, nil
	}
	unix := tree.File{Kind: f.Kind, Data: bytes.ReplaceAll(f.Data, []byte("\r\n"), []byte("\n"))}
	return plumbing.NewHash(string(unix.Blob())) == staged.blob, nil
}

// converts reports whether git turns the file's CRLF into LF when it is added
// (convert.c, convert_attrs).
func (c *comparison) converts(attrs map[string]string, f tree.File) bool {
	looksLikeText := looksLikeText(f.Data)
	text, has := attrs["text"]
	if !has {
		text, has = attrs["crlf"] // its old name
	}
	switch {
	case text == "false":
		return false
	case text == "true" || text == "input":
		return true
	case text == "auto":
		return looksLikeText
	case attrs["eol"] == "lf" || attrs["eol"] == "crlf":
		return true
	}
	auto := strings.EqualFold(c.settings.get("core", "autocrlf"), "input") || c.settings.flag("core", "autocrlf", false)
	return !has && auto && looksLikeText
}

// looksLikeText reports whether git converts line ends where it has to guess: there
// is no NUL and no CR without LF, and among 128 bytes at most one control character
// (convert.c, gather_stats and convert_is_binary; a last ^Z does not count).
func looksLikeText(data []byte) bool {
	printable, controls := 0, 0
	for i, b := range data {
		switch {
		case b == 0, b == '\r' && (i+1 == len(data) || data[i+1] != '\n'):
			return false
		case b == '\r', b == '\n':
		case b == 0x7f, b < ' ' && !bytes.Contains([]byte("\b\t\x1b\f"), []byte{b}):
			controls++
		default:
			printable++
		}
	}
	if n := len(data); n > 0 && data[n-1] == 0x1a {
		controls--
	}
	return printable>>7 >= controls
}

// attributes returns the attributes of a path that matter here: "true", "false"
// or a value. Files nearer to the path win, and info/attributes wins over all.
func (c *comparison) attributes(p string) map[string]string {
	segs := strings.Split(p, "/")
	var rules []gitattributes.MatchAttribute
	for depth := range segs {
		dir := strings.Join(append(slices.Clone(segs[:depth]), ".gitattributes"), "/")
		if f, ok, err := c.work.read(dir); err == nil && ok && !f.Kind.IsLink() {
			rules = append(rules, parseAttributes(f.Data, segs[:depth])...)
		}
	}
	if data, err := os.ReadFile(filepath.Join(c.store.commonDir, "info", "attributes")); err == nil {
		rules = append(rules, parseAttributes(data, nil)...)
	}
	found := map[string]string{}
	for _, rule := range rules {
		if rule.Pattern != nil && rule.Pattern.Match(segs) {
			for _, a := range rule.Attributes {
				setAttribute(found, a)
			}
		}
	}
	return found
}

func parseAttributes(data []byte, domain []string) []gitattributes.MatchAttribute {
	rules, _ := gitattributes.ReadAttributes(bytes.NewReader(data), domain, len(domain) == 0)
	return rules
}

func setAttribute(found map[string]string, a gitattributes.Attribute) {
	switch {
	case a.Name() == "binary" && a.IsSet():
		found["text"] = "false"
	case a.IsUnspecified():
		delete(found, a.Name())
	case a.IsSet():
		found[a.Name()] = "true"
	case a.IsUnset():
		found[a.Name()] = "false"
	default:
		found[a.Name()] = a.Value()
	}
}
