package merge

import (
	"regexp"
	"strings"
)

// versionWord finds what may be a version: digests, dates and dotted numbers,
// and a single number after a "v".
var versionWord = regexp.MustCompile(`(?:sha256:)?\b[0-9a-f]{12,64}\b|\b\d{4}-\d{2}-\d{2}(?:[T ][0-9:.+Z-]+)?|\bv?\d+(?:\.\d+)+(?:[-+.]?[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?\b|\bv\d+\b|\b\d+\b`)

// larger returns the one of two lines that has the larger versions, if the lines
// differ from each other and from the base in versions only.
func larger(b, o, t string) (string, bool) {
	const digits = "0123456789"
	if len(b)+len(o)+len(t) > maxHunkBytes || !strings.ContainsAny(o, digits) || !strings.ContainsAny(t, digits) {
		return "", false
	}
	if squeeze(numbered(o)) != squeeze(numbered(t)) {
		return "", false
	}
	ov, tv, bv := versionWord.FindAllString(o, -1), versionWord.FindAllString(t, -1), versionWord.FindAllString(b, -1)
	if len(ov) == 0 || len(ov) != len(tv) || len(bv) != len(ov) {
		return "", false
	}
	form := plain(versionWord.ReplaceAllString(o, "\x00"))
	if form != plain(versionWord.ReplaceAllString(t, "\x00")) || form != plain(versionWord.ReplaceAllString(b, "\x00")) {
		return "", false
	}
	up, down := false, false
	for i := range ov {
		if ov[i] == tv[i] {
			continue
		}
		if isDigest(ov[i]) || isDigest(tv[i]) {
			continue // goes with the version beside it
		}
		if isTime(ov[i]) || isTime(tv[i]) {
			return "", false // when something was generated
		}
		if !isVersion(ov[i]) || !isVersion(tv[i]) {
			return "", false
		}
		switch c := compareVersions(ov[i], tv[i]); {
		case c < 0:
			up = true
		case c > 0:
			down = true
		default:
			return "", false
		}
	}
	switch {
	case up && !down:
		return t, true
	case down && !up:
		return o, true
	}
	return "", false
}

// numbered returns a line without the words that have a digit, or are long and
// hexadecimal: all that may be a version.
func numbered(line string) string {
	out := make([]byte, 0, len(line))
	for line != "" {
		end, digit, hex := 0, false, true
		for ; end < len(line) && (isWordByte(line[end]) || strings.IndexByte("-+.:", line[end]) >= 0); end++ {
			c := line[end]
			digit = digit || c >= '0' && c <= '9'
			hex = hex && (c >= 'a' && c <= 'f' || c == ':')
		}
		if !digit && (!hex || end < shortDigest) {
			out = append(out, line[:end]...)
		}
		line = line[end:]
		if line != "" {
			out, line = append(out, line[0]), line[1:]
		}
	}
	return string(out)
}

// shortDigest is how long a digest is at least.
const shortDigest = 12

func isDigest(w string) bool {
	w = strings.TrimPrefix(w, "sha256:")
	return len(w) >= shortDigest && strings.Trim(w, "0123456789abcdef") == "" && strings.ContainsAny(w, "abcdef")
}

// isVersion reports whether a word is a version rather than a number, of which
// nobody knows that the larger one is better.
func isVersion(w string) bool {
	return strings.ContainsAny(w, ".-") || w[0] == 'v'
}

// isTime reports whether a word is a date with a time of the day.
func isTime(w string) bool { return isDate(w) && len(w) > len("2006-01-02") && w[10] != '-' }

// compareVersions compares dot-separated versions: numbers as numbers, and what
// follows a "-" as less than nothing, as semantic versions have it.
func compareVersions(a, b string) int {
	a, b = strings.TrimPrefix(a, "v"), strings.TrimPrefix(b, "v")
	if len(a) > 10 && len(b) > 10 && isDate(a) && isDate(b) {
		return strings.Compare(a, b)
	}
	if isDate(a) != isDate(b) {
		return 0
	}
	x, xPre := versionParts(a)
	y, yPre := versionParts(b)
	for i := range max(len(x), len(y)) {
		if c := compareParts(part(x, i), part(y, i)); c != 0 {
			return c
		}
	}
	switch {
	case xPre == yPre:
		return 0
	case xPre == "":
		return 1
	case yPre == "":
		return -1
	}
	return strings.Compare(xPre, yPre)
}

func isDate(s string) bool {
	return len(s) >= 10 && s[4] == '-' && s[7] == '-'
}

var versionPart = regexp.MustCompile(`\d+|[a-zA-Z]+`)

func versionParts(v string) (parts []string, pre string) {
	if isDate(v) {
		return []string{v[:4], v[5:7], v[8:10]}, ""
	}
	v, _, _ = strings.Cut(v, "+")
	v, pre, _ = strings.Cut(v, "-")
	return versionPart.FindAllString(v, -1), pre
}

func part(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// early are words that a version has before its release.
var early = regexp.MustCompile(`^(?:dev|a|b|c|alpha|beta|pre|preview|rc|snapshot|nightly|canary|edge|next)$`)

func compareParts(a, b string) int {
	if x, y := early.MatchString(strings.ToLower(a)), early.MatchString(strings.ToLower(b)); x != y {
		if x {
			return -1
		}
		return 1
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) && isNumber(a) && isNumber(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }
