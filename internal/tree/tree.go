// Package tree is a set of files as a value: path → file.
//
// Every other part of syncer speaks in trees. A golden path is a tree, what it
// renders to is a tree, and a member's files are a tree, so that rendering,
// merging and planning need no disk and can be tested without one.
//
// A [File] knows what git knows of a file: its bytes, whether it can be
// executed, and whether it is a symbolic link. Its identity ([File.Blob]) is
// git's own object id, so that a tree can be compared with a repository without
// reading the repository's contents.
package tree

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // git's object ids are SHA-1; see Blob
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a path holds. Its values are the file modes that git stores in a
// tree object, so that they can be written there as they are.
type Kind uint32

// The kinds of file that git knows.
const (
	Regular    Kind = 0o100644
	Executable Kind = 0o100755
	Symlink    Kind = 0o120000
)

// The kinds of what is no file. They are never rendered or written: they say what
// stands in a repository where a file was asked for, or where a folder on the way to
// one would have to be.
const (
	// Folder is a folder with files in it; see [FolderOf].
	Folder Kind = 0o040000
	// Submodule is another repository's place.
	Submodule Kind = 0o160000
	// Other is what only a disk has: a device, a pipe, a socket.
	Other Kind = 0o010000
)

// IsFile reports whether the kind is one of a file.
func (k Kind) IsFile() bool { return k == Regular || k == Executable || k == Symlink }

// FolderOf returns what stands for a folder in the place of a file: the paths of the
// files in it, relative to it, are its Data.
func FolderOf(names []string) File {
	return File{Kind: Folder, Data: []byte(strings.Join(names, "\x00"))}
}

// Names returns the paths of the files in a folder, relative to it.
func (f File) Names() []string {
	if f.Kind != Folder || len(f.Data) == 0 {
		return nil
	}
	return strings.Split(string(f.Data), "\x00")
}

// String returns the word that reports use for the kind.
func (k Kind) String() string {
	switch k {
	case Regular:
		return "file"
	case Executable:
		return "executable file"
	case Symlink:
		return "symbolic link"
	case Folder:
		return "folder"
	case Submodule:
		return "submodule"
	case Other:
		return "device"
	}
	return "kind " + strconv.FormatUint(uint64(k), 8)
}

// IsLink reports whether the kind is a symbolic link.
func (k Kind) IsLink() bool { return k == Symlink }

// File is one file. A symbolic link's Data is its target.
type File struct {
	Kind Kind
	Data []byte
}

// Text returns an ordinary file that holds s.
func Text(s string) File { return File{Kind: Regular, Data: []byte(s)} }

// Script returns an executable file that holds s.
func Script(s string) File { return File{Kind: Executable, Data: []byte(s)} }

// Link returns a symbolic link to target.
func Link(target string) File { return File{Kind: Symlink, Data: []byte(target)} }

// Equal reports whether both files have the same kind and bytes.
func (f File) Equal(g File) bool { return f.Kind == g.Kind && bytes.Equal(f.Data, g.Data) }

// binaryProbe is how many leading bytes git searches for a NUL to tell binary
// from text (buffer_is_binary, FIRST_FEW_BYTES in git's xdiff-interface.c).
const binaryProbe = 8000

// IsBinary reports whether git would call the file binary: it is not a link and
// has a NUL among its first 8,000 bytes.
func (f File) IsBinary() bool {
	return !f.Kind.IsLink() && IsBinary(f.Data)
}

// IsBinary reports whether data has a NUL among its first 8,000 bytes, which is
// git's own test.
func IsBinary(data []byte) bool {
	return bytes.IndexByte(data[:min(len(data), binaryProbe)], 0) >= 0
}

// BlobID is a git object id of a blob: 40 hexadecimal digits.
type BlobID string

// Blob returns the id that git gives to the file's bytes: SHA-1 over
// "blob <size>\x00" and the bytes. The kind is not part of it.
func (f File) Blob() BlobID {
	h := sha1.New() //nolint:gosec // an identity that git defines, not a signature
	var head [32]byte
	b := append(head[:0], "blob "...)
	b = strconv.AppendInt(b, int64(len(f.Data)), 10)
	h.Write(append(b, 0))
	h.Write(f.Data)
	var sum [sha1.Size]byte
	return BlobID(hex.EncodeToString(h.Sum(sum[:0])))
}

// Tree maps slash-separated relative paths to files. The nil Tree is empty.
// Functions here never change a tree that they are given, and files' Data must
// not be changed by anybody: trees share it.
type Tree map[string]File

// Paths returns the paths in byte order.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

// Clone returns a copy whose set of paths can be changed on its own.
func (t Tree) Clone() Tree {
	c := make(Tree, len(t))
	maps.Copy(c, t)
	return c
}

// Size returns the number of bytes in all files together.
func (t Tree) Size() int {
	n := 0
	for _, f := range t {
		n += len(f.Data)
	}
	return n
}

// Under returns the files below dir, with dir and its slash cut off.
func (t Tree) Under(dir string) Tree {
	sub := Tree{}
	prefix := dir + "/"
	for p, f := range t {
		if len(p) > len(prefix) && p[:len(prefix)] == prefix {
			sub[p[len(prefix):]] = f
		}
	}
	return sub
}

// Digest returns a SHA-256 over every path, kind and content, as "sha256:" and
// 64 hexadecimal digits. Equal trees have equal digests on every machine.
func (t Tree) Digest() string {
	h := sha256.New()
	for _, p := range t.Paths() {
		f := t[p]
		fmt.Fprintf(h, "%d %s\x00%o %d\x00", len(p), p, f.Kind, len(f.Data))
		h.Write(f.Data)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Difference is one path at which two trees differ. Before or After is nil where
// the path does not exist.
type Difference struct {
	Path          string
	Before, After *File
}

// Diff returns what changes from before to after, in order of paths.
func Diff(before, after Tree) []Difference {
	var ds []Difference
	for p, b := range before {
		a, ok := after[p]
		switch {
		case !ok:
			ds = append(ds, Difference{Path: p, Before: &b})
		case !a.Equal(b):
			ds = append(ds, Difference{Path: p, Before: &b, After: &a})
		}
	}
	for p, a := range after {
		if _, ok := before[p]; !ok {
			ds = append(ds, Difference{Path: p, After: &a})
		}
	}
	slices.SortFunc(ds, func(x, y Difference) int {
		return bytes.Compare([]byte(x.Path), []byte(y.Path))
	})
	return ds
}
