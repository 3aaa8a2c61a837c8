package reconcile

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Left is what leaving a golden path writes, and what stays behind.
type Left struct {
	GoldenPath string
	Version    string                // that the repository had; "" where its lock did not say
	Writes     map[string]*tree.File // syncer's own two files; nil: the file goes
	// Files are the golden path's files that the repository has, and Open those of them
	// about which nobody decided.
	Files, Open []string
	// Follows are the golden paths that the repository still follows.
	Follows []string
}

// Unfollow makes a member not follow a golden path any more: its entry in
// .goldenpath.yaml goes, and its section of the lock. All other files stay, whatever is
// open in them. With name "" it is the only one.
func Unfollow(repo Repository, name string) (*Left, error) {
	st, err := Load(repo)
	none, isNone := errors.AsType[*NotFollowingError](err)
	if err != nil && (!isNone || st == nil) {
		return nil, err
	}
	names, _ := st.Names("") // without a name there is no error
	known := slices.Concat(names, st.Unfollowed())
	switch {
	case len(known) == 0:
		return nil, none
	case name == "" && len(known) > 1:
		return nil, &SeveralError{known}
	case name == "":
		name = known[0]
	case !slices.Contains(known, name):
		return nil, &NotFollowingError{Name: name, Known: known}
	}
	left := &Left{GoldenPath: name, Writes: map[string]*tree.File{}, Follows: slices.DeleteFunc(names, func(n string) bool { return n == name })}
	if err := left.takeOut(st); err != nil {
		return nil, err
	}
	if section := st.Lock.GoldenPaths[name]; section != nil {
		left.Version = section.Name()
		return left, left.look(repo, section)
	}
	return left, nil
}

// SeveralError says that a repository follows several golden paths, of which one has to
// be named.
type SeveralError struct{ Names []string }

// Error lists them.
func (e *SeveralError) Error() string {
	return "this repository follows several golden paths: " + strings.Join(e.Names, ", ")
}

// takeOut writes the two files without the golden path.
func (l *Left) takeOut(st *State) error {
	if _, follows := st.Member.Follows(l.GoldenPath); follows {
		text, err := drift.RemoveFollow(st.MemberFile, l.GoldenPath)
		if err != nil {
			return err
		}
		l.Writes[drift.MemberName] = &tree.File{Kind: tree.Regular, Data: text}
	}
	if st.Lock.GoldenPaths[l.GoldenPath] == nil {
		return nil
	}
	lock := &drift.Lock{GoldenPaths: maps.Clone(st.Lock.GoldenPaths)}
	if delete(lock.GoldenPaths, l.GoldenPath); len(lock.GoldenPaths) == 0 {
		l.Writes[drift.LockName] = nil
		return nil
	}
	data, err := lock.Format()
	l.Writes[drift.LockName] = &tree.File{Kind: tree.Regular, Data: data}
	return err
}

// look finds the golden path's files in the repository, and what is open in them.
func (l *Left) look(repo Repository, section *drift.Section) error {
	paths := slices.Sorted(maps.Keys(section.Files))
	there, err := repo.Files(paths)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if f, has := there[path]; has && f.Kind.IsFile() {
			l.Files = append(l.Files, path)
		}
		if section.Files[path].Open {
			l.Open = append(l.Open, path)
		}
	}
	return nil
}
