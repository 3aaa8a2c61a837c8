package tree

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/text/unicode/norm"
)

// maxPath and maxSegment bound what a path may be. 255 bytes a name is the limit
// of ext4, APFS and NTFS; 4,096 a path is Linux' PATH_MAX.
const (
	maxPath    = 4096
	maxSegment = 255
)

// CheckPath returns an error that says what is wrong with p as the path of a
// file in a repository, or nil. It refuses what leaves the tree (absolute paths,
// "..", drive letters, backslashes), what git refuses or treats as its own
// (".git" in every spelling that a file system may take for it), and what cannot
// be checked out everywhere (control characters, names that end in a space or a
// dot, Windows' device names).
func CheckPath(p string) error {
	switch {
	case p == "":
		return errors.New("the path is empty")
	case len(p) > maxPath:
		return fmt.Errorf("the path has %d bytes; at most %d are allowed", len(p), maxPath)
	case !utf8.ValidString(p):
		return errors.New("the path is not valid UTF-8")
	case strings.HasPrefix(p, "/"):
		return errors.New("the path is absolute; make it relative to the repository's root")
	case strings.ContainsRune(p, '\\'):
		return errors.New(`the path has a backslash; separate folders with "/"`)
	case len(p) >= 2 && p[1] == ':' && isLetter(p[0]):
		return errors.New("the path begins with a drive letter; make it relative to the repository's root")
	}
	for seg := range strings.SplitSeq(p, "/") {
		if err := checkSegment(seg); err != nil {
			return err
		}
	}
	return nil
}

// maxAlternatives bounds the paths that a glob's braces stand for together.
const maxAlternatives = 100

// CheckGlob returns an error that says why glob cannot be matched with paths, or
// nil: it is not one (doublestar's: ** matches folders, {a,b} either), or its braces
// have too many alternatives. Those are tried one after the other, so that forty
// times "{a,a}" would take years.
func CheckGlob(glob string) error {
	if !doublestar.ValidatePattern(glob) {
		return fmt.Errorf("%.80q is not a valid glob", glob)
	}
	all := 1
	var open []int // alternatives of the braces that are open
	for i := 0; i < len(glob); i++ {
		switch n := len(open); {
		case glob[i] == '\\':
			i++
		case glob[i] == '[':
			i += classEnd(glob[i:])
		case glob[i] == '{':
			open = append(open, 1)
		case glob[i] == ',' && n > 0:
			open[n-1]++
		case glob[i] == '}' && n > 0:
			all *= open[n-1]
			open = open[:n-1]
		}
		if all > maxAlternatives {
			return fmt.Errorf("the braces of the glob %.80q have more than %d alternatives together", glob, maxAlternatives)
		}
	}
	return nil
}

// classEnd returns where the class that s begins with ends.
func classEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ']':
			return i
		}
	}
	return len(s)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func checkSegment(seg string) error {
	switch {
	case seg == "":
		return errors.New("the path has an empty segment")
	case seg == "." || seg == "..":
		return fmt.Errorf("the path has a segment %q; it must not leave the repository", seg)
	case len(seg) > maxSegment:
		return fmt.Errorf("the name %.20q… has %d bytes; at most %d are allowed", seg, len(seg), maxSegment)
	case strings.TrimRight(seg, " .") != seg:
		return fmt.Errorf("the name %q ends in a space or a dot, which Windows cannot store", seg)
	case strings.TrimLeft(seg, " ") != seg:
		return fmt.Errorf("the name %q begins with a space", seg)
	case strings.ContainsFunc(seg, unicode.IsControl):
		return fmt.Errorf("the name %q has a control character", seg)
	case strings.ContainsAny(seg, `<>:"|?*`):
		return fmt.Errorf("the name %q has one of < > : \" | ? *, which Windows cannot store", seg)
	case isDotGit(seg):
		return fmt.Errorf("the name %q is git's own", seg)
	case isDevice(seg):
		return fmt.Errorf("the name %q is a device on Windows", seg)
	}
	return nil
}

// hfsIgnored are the code points that HFS+ leaves out when it compares names, so
// that ".g\u200cit" is ".git" there (CVE-2014-9390; git's utf8.c, next_hfs_char).
func hfsIgnored(r rune) bool {
	return r >= 0x200c && r <= 0x200f || r >= 0x202a && r <= 0x202e ||
		r >= 0x206a && r <= 0x206f || r == 0xfeff
}

// SameName reports whether some file system takes two names for one: they differ
// only in letter case, in how letters with accents are composed, or in what HFS+ leaves
// out.
func SameName(a, b string) bool { return Folded(a) == Folded(b) }

// Folded returns what all names, or paths, have in common that are [SameName].
func Folded(name string) string {
	low := strings.ToLower(name)
	if !strings.ContainsFunc(low, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return low
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if hfsIgnored(r) {
			return -1
		}
		return lowest(r)
	}, low))
}

// lowest returns one of the letters that differ only in case, the same for each of them:
// ToLower leaves apart s and the long s, or the two small sigmas.
func lowest(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return unicode.ToLower(least)
}

func isDotGit(seg string) bool {
	// "git~1" is the short name that NTFS gives to ".git".
	seg = Folded(seg)
	return seg == ".git" || seg == "git~1"
}

// devices are the names that Windows keeps for itself, with any ending, and with spaces
// before that ("Naming Files, Paths, and Namespaces", learn.microsoft.com; CONIN$ and
// CONOUT$ as in git's compat/mingw.c).
var devices = []string{"con", "prn", "aux", "nul", "conin$", "conout$"}

func isDevice(seg string) bool {
	stem, _, _ := strings.Cut(strings.ToLower(seg), ".")
	stem = strings.TrimRight(stem, " ")
	for _, port := range []string{"com", "lpt"} {
		if number, ok := strings.CutPrefix(stem, port); ok && number != "" && strings.Trim(number, "123456789¹²³") == "" && utf8.RuneCountInString(number) == 1 {
			return true
		}
	}
	return slices.Contains(devices, stem)
}

// CheckLink returns an error where a symbolic link at p with the given target is
// absolute, leaves the tree, or points into git's own folder.
func CheckLink(p, target string) error {
	switch {
	case target == "":
		return errors.New("the symbolic link has no target")
	case path.IsAbs(target), strings.ContainsRune(target, '\\'), len(target) >= 2 && target[1] == ':' && isLetter(target[0]):
		return fmt.Errorf("the symbolic link's target %q is not a relative path", target)
	case strings.ContainsFunc(target, unicode.IsControl):
		return fmt.Errorf("the symbolic link's target %q has a control character", target)
	}
	to := path.Join(path.Dir(p), target)
	if to == ".." || strings.HasPrefix(to, "../") {
		return fmt.Errorf("the symbolic link's target %q is outside the repository", target)
	}
	for seg := range strings.SplitSeq(to, "/") {
		if isDotGit(seg) {
			return fmt.Errorf("the symbolic link's target %q is git's own", target)
		}
	}
	return nil
}

// checkRendered returns an error where a link that nobody but a golden path made could
// lead out after all: the way to its target may itself be a link, from which ".." leads
// elsewhere than it seems to. git refuses links that are called .gitmodules (verify_path
// in its read-cache.c).
func checkRendered(p, target string) error {
	_, down, up := strings.Cut(strings.TrimLeft(target, "./"), "/")
	if up && slices.Contains(strings.Split(down, "/"), "..") {
		return fmt.Errorf("the symbolic link's target %q has a .. after a name; have all .. at its beginning", target)
	}
	if SameName(path.Base(p), ".gitmodules") {
		return fmt.Errorf("git refuses a symbolic link that is called %q", path.Base(p))
	}
	return CheckLink(p, target)
}

// PathError says why a file cannot be written to its path.
type PathError struct {
	Path string
	Err  error
}

// Error returns the path and the reason.
func (e *PathError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *PathError) Unwrap() error { return e.Err }

// Check returns every reason why t cannot be written into a repository: bad
// paths, and what [Tree.CheckTogether] says.
func (t Tree) Check() error {
	var errs []error
	for _, p := range t.Paths() {
		if err := CheckPath(p); err != nil {
			errs = append(errs, &PathError{p, err})
		}
	}
	return errors.Join(append(errs, t.CheckTogether())...)
}

// CheckTogether returns every reason why files whose paths are good by themselves
// cannot be written into one repository, as [PathError]s: links that leave the tree,
// paths that are one file on macOS or Windows, a file where another path needs a
// folder, and a path that runs through a symbolic link.
func (t Tree) CheckTogether() error {
	var errs []error
	fail := func(p, format string, args ...any) {
		errs = append(errs, &PathError{p, fmt.Errorf(format, args...)})
	}
	paths := t.Paths()
	first := make(map[string]string, len(t)) // paths by what file systems make of them
	for _, p := range paths {
		if f := t[p]; f.Kind.IsLink() {
			if err := checkRendered(p, string(f.Data)); err != nil {
				fail(p, "%w", err)
			}
		}
		same := Folded(p)
		if other, ok := first[same]; ok {
			fail(p, "differs from %s only in %s", other, difference(p, other))
		}
		first[same] = p
	}
	last := "." // the folder whose way to the root was looked at
	folders := map[string]string{}
	for _, p := range paths {
		dir := path.Dir(p)
		if dir == last {
			continue
		}
		for last = dir; dir != "." && dir != "/"; dir = path.Dir(dir) {
			same := Folded(dir)
			if other, ok := first[same]; ok {
				fail(p, "%s is a %s, not a folder", other, t[other].Kind)
			}
			if other, ok := folders[same]; ok && other != dir {
				fail(p, "its folder %s differs from %s only in %s", dir, other, difference(dir, other))
			}
			folders[same] = dir
		}
	}
	return errors.Join(errs...)
}

// difference says in what two names differ that are one for some file system.
func difference(a, b string) string {
	if strings.EqualFold(a, b) {
		return "letter case"
	}
	return "what macOS does not tell apart"
}
