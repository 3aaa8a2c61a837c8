package forge

import (
	"fmt"
	"net/url"
	"strings"
)

// Name is where a repository lies today. Repositories are renamed and
// transferred: what is remembered is the id.
type Name struct {
	Owner string
	Repo  string
}

// ParseName reads "owner/repository".
func ParseName(s string) (Name, error) {
	owner, repo, ok := strings.Cut(s, "/")
	n := Name{owner, repo}
	if !ok || !n.valid() {
		return Name{}, fmt.Errorf("%q is not the name of a repository; write owner/repository", s)
	}
	return n, nil
}

// String returns "owner/repository".
func (n Name) String() string { return n.Owner + "/" + n.Repo }

// valid reports whether both parts are of the characters that GitHub allows, so
// that a name can never be another path of the API.
func (n Name) valid() bool { return validPart(n.Owner) && validPart(n.Repo) }

func validPart(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}

// path returns the address of something in the repository. Every part is
// escaped; join branch names and paths that keep their slashes with escapePath.
func (n Name) path(parts ...string) string {
	return strings.Join(append([]string{"repos", url.PathEscape(n.Owner), url.PathEscape(n.Repo)}, parts...), "/")
}

// escapePath escapes every segment of a slash-separated path.
func escapePath(p string) string {
	segs := strings.Split(p, "/")
	for i, s := range segs {
		segs[i] = url.PathEscape(s)
	}
	return strings.Join(segs, "/")
}

// escapeOne escapes one segment.
func escapeOne(s string) string { return url.PathEscape(s) }
