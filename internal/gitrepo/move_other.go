//go:build !unix

package gitrepo

import "os"

// moveInto renames the file staged to name in the folder dir, which is target.
// While dir is open, this system does not let it be replaced.
func moveInto(staged string, dir *os.Root, name, target string) error {
	if err := os.Rename(staged, target); err != nil {
		return copyInto(staged, dir, name)
	}
	return nil
}
