package tree

import (
	"path"
	"slices"
	"strings"
)

// maxTwins bounds how many folders are looked into whose paths some file system takes
// for one.
const maxTwins = 64

// Listing says what is in a folder, by what names have in common that some file system
// takes for one ([Folded]).
type Listing map[string][]string

// ListOf returns the names of a folder as a [Listing].
func ListOf(names []string) Listing {
	f := Listing{}
	for _, name := range names {
		same := Folded(name)
		f[same] = append(f[same], name)
	}
	return f
}

// Twins calls found for everything that some file system takes for p, or for a folder on
// the way to it, and that has another path; end is true where it is p's twin. List
// returns what is in a folder, "" being the root, and nothing where there is no folder.
func Twins(p string, list func(dir string) (Listing, error), found func(at string, end bool) error) error {
	dirs := []string{""}
	for rest, more := p, true; more; {
		var seg string
		seg, rest, more = strings.Cut(rest, "/")
		var next []string
		for _, dir := range dirs {
			in, err := list(dir)
			if err != nil {
				return err
			}
			for _, name := range in[Folded(seg)] {
				next = append(next, path.Join(dir, name))
			}
		}
		for _, at := range next {
			if at == p || strings.HasPrefix(p, at+"/") {
				continue
			}
			if err := found(at, !more); err != nil {
				return err
			}
		}
		slices.Sort(next)
		dirs = next[:min(len(next), maxTwins)]
	}
	return nil
}
