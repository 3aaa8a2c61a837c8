// Package gitdir is a git folder as go-git reads it while others write to it.
//
// go-billy lists a folder and then asks for each entry's details. Where an entry is
// gone by then (git and go-git both make objects as objects/pack/tmp_… and rename
// them) it fails for the whole folder with "does not exist", and go-git takes that
// for a repository without packs: every packed object is "not found".
package gitdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
)

// New returns the folder dir of this machine's disk as a file system for go-git, in
// which listing a folder leaves out what disappears meanwhile.
func New(dir string) billy.Filesystem { return shared{osfs.New(dir)} }

type shared struct{ billy.Filesystem }

// ReadDir lists a folder, sorted by name. The error is fs.ErrNotExist only where the
// folder itself does not exist.
func (s shared) ReadDir(dir string) ([]os.FileInfo, error) {
	entries, err := os.ReadDir(filepath.Join(s.Root(), filepath.FromSlash(dir)))
	if err != nil {
		return nil, err
	}
	infos := make([]os.FileInfo, 0, len(entries))
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// Chroot returns a folder below, where the same holds: go-git opens alternates so.
func (s shared) Chroot(dir string) (billy.Filesystem, error) {
	below, err := s.Filesystem.Chroot(dir)
	if err != nil {
		return nil, err
	}
	return shared{below}, nil
}
