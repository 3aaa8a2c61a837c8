package gitrepo

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Source says where golden paths are, and which version is wanted.
type Source struct {
	Location string // a URL or a path on this machine
	Version  string // what [Platform.Resolve] understands; "" is the newest release
}

// String returns the form that [ParseSource] reads.
func (s Source) String() string {
	if s.Version == "" {
		return s.Location
	}
	return s.Location + "@" + s.Version
}

// tagOrRef are the versions that may hold a slash behind a path's "@": a golden
// path's tag or a full reference name. Without this rule the folder
// "/home/me@work/platform" would be the path "/home/me".
var tagOrRef = regexp.MustCompile(`^(refs/.+|[^/]+/v?[0-9][^/]*)$`)

// ParseSource reads "PATH-OR-URL[@VERSION]". The version begins after the last
// "@" that is neither part of a URL's user nor the first letter of a name. Behind
// a path (not a URL), a version with a slash must be a tag ("go-service/v1.2.0")
// or a full name ("refs/heads/feature/x").
//
// A URL with a password or a token in it is an error, because sources are written
// into files; the error does not repeat the secret.
func ParseSource(s string) (Source, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return Source{}, errors.New("the source is empty; give a URL or a path, for example https://github.com/acme/platform@v1.4.0")
	case strings.ContainsFunc(s, unicode.IsControl):
		return Source{}, errors.New("the source has a control character")
	}
	start, isPath := locationStart(s)
	src := Source{Location: s}
	if at := strings.LastIndexByte(s[start:], '@'); at > 0 && !strings.ContainsRune(`/\`, rune(s[start+at-1])) {
		version := strings.TrimSpace(s[start+at+1:])
		if !isPath || !strings.ContainsAny(version, `/\`) || tagOrRef.MatchString(version) {
			src = Source{Location: s[:start+at], Version: version}
			if src.Version == "" {
				return Source{}, fmt.Errorf("%s: nothing follows the \"@\"; name a version or leave the \"@\" out", redact(s))
			}
		}
	}
	if src.Location == "" {
		return Source{}, fmt.Errorf("%q has a version but no location; write PATH-OR-URL@VERSION", s)
	}
	return src, checkLocation(src.Location)
}

// locationStart returns where a version's "@" may be looked for, and whether s is
// a path on this machine.
func locationStart(s string) (start int, isPath bool) {
	if i := strings.Index(s, "://"); i > 0 {
		start = i + len("://")
		if slash := strings.IndexByte(s[start:], '/'); slash >= 0 {
			return start + slash, false
		}
		return len(s), false
	}
	if colon := scpColon(s); colon > 0 {
		return colon + 1, false
	}
	return 0, true
}

// scpColon returns where the colon of "user@host:path" is, or -1. A single letter
// before it is a drive.
func scpColon(s string) int {
	colon := strings.IndexByte(s, ':')
	if colon < 2 || strings.ContainsAny(s[:colon], `/\`) {
		return -1
	}
	return colon
}

// isURL reports whether location is reached over the network.
func isURL(location string) bool {
	if i := strings.Index(location, "://"); i > 0 {
		return !strings.EqualFold(location[:i], "file")
	}
	return scpColon(location) > 0
}

// tokenPrefixes begin the tokens of GitHub and GitLab, which people put in the
// place of a URL's user.
const tokenPrefixes = `^(gh[a-z]_|github_pat_|glpat-|gl[a-z]+-)`

var (
	looksLikeToken = regexp.MustCompile(tokenPrefixes + `|^[A-Za-z0-9_-]{32,}$`)
	// authority is what lies between a URL's slashes and its path.
	authority = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://)([^/]*)@`)
)

func checkLocation(location string) error {
	if !strings.Contains(location, "://") {
		return nil
	}
	u, err := url.Parse(location)
	if err != nil {
		// url.Parse's error repeats the URL, password and all.
		return fmt.Errorf("%s is not a valid URL", redact(location))
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "ssh":
		if u.Hostname() == "" {
			return fmt.Errorf("%s has no host", redact(location))
		}
	case "file":
		return nil
	case "git":
		return fmt.Errorf("%s: git:// is neither encrypted nor authenticated; use https:// or ssh://", redact(location))
	default:
		return fmt.Errorf("%s: %s:// is not understood; use https://, ssh:// or a path", redact(location), u.Scheme)
	}
	if _, has := u.User.Password(); has || looksLikeToken.MatchString(u.User.Username()) {
		return fmt.Errorf("%s has a secret in it, which would be written into files; leave it out and keep it in ~/.netrc or SYNCER_GIT_TOKEN", redact(location))
	}
	return nil
}

// redact returns location as it may be shown: without a password or a token.
func redact(location string) string {
	m := authority.FindStringSubmatchIndex(location)
	if m == nil {
		return location
	}
	user, _, secret := strings.Cut(location[m[4]:m[5]], ":")
	if secret || looksLikeToken.MatchString(user) {
		return location[:m[3]] + location[m[1]:]
	}
	return location
}

// ownerAndName returns the last name of a remote's URL and what stands before it:
// "acme" and "pay" for git@github.com:acme/pay.git.
func ownerAndName(location string) (owner, name string) {
	p := location
	if i := strings.Index(p, "://"); i > 0 {
		_, p, _ = strings.Cut(p[i+3:], "/")
	} else if colon := scpColon(p); colon > 0 {
		p = p[colon+1:]
	}
	p = strings.Trim(strings.ReplaceAll(p, `\`, "/"), "/")
	p = strings.TrimSuffix(strings.TrimSuffix(p, "/.git"), ".git")
	i := strings.LastIndexByte(p, '/')
	if i < 0 {
		return "", p
	}
	return p[:i], p[i+1:]
}

// IsURL reports whether the source is reached over the network rather than on
// disk.
func (s Source) IsURL() bool { return isURL(s.Location) }
