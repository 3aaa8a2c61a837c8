//go:build unix

package gitrepo

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// moveInto renames the file staged to name in the folder dir, which is held open:
// nobody can swap it for a link meanwhile. Where the two are on different file
// systems, as a submodule's git folder can be, the file is copied beside its place
// first.
func moveInto(staged string, dir *os.Root, name, _ string) error {
	at, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer at.Close()
	err = unix.Renameat(unix.AT_FDCWD, staged, int(at.Fd()), name)
	if errors.Is(err, unix.EXDEV) {
		return copyInto(staged, dir, name)
	}
	if err != nil {
		return &os.PathError{Op: "rename", Path: filepath.Base(name), Err: err}
	}
	return nil
}
