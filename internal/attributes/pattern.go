package attributes

import (
	"fmt"
	"regexp"
	"strings"
)

// nothing is an expression that matches no path.
const nothing = `[^\x00-\x{10FFFF}]`

// bytewise makes a character of every byte: git's wildcards stand for bytes.
func bytewise(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// wildcards writes a pattern of git's as a regular expression for [bytewise] paths,
// which cannot take long whatever the pattern is (wildmatch.c, with WM_PATHNAME).
func wildcards(pattern string) string {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	literal := strings.IndexAny(pattern, `*?[\`)
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*':
			// git compares what is before the first wildcard on its own, so that stars
			// right behind it count as at the beginning.
			begins := i == literal || pattern[i-1] == '/'
			text, n := stars(pattern[i:], begins)
			b.WriteString(text)
			i += n - 1
		case '?':
			b.WriteString(`[^/]`)
		case '[':
			class, n := characterClass(pattern[i:])
			if n == 0 {
				return nothing
			}
			b.WriteString(class)
			i += n - 1
		case '\\':
			if i++; i == len(pattern) {
				return nothing
			}
			fallthrough
		default:
			b.WriteString(regexp.QuoteMeta(bytewise(pattern[i : i+1])))
		}
	}
	return b.String() + `\z`
}

// stars translates the stars that pattern begins with, and returns how much of it
// that was. Two and more mean any folders if they stand alone between slashes.
func stars(pattern string, begins bool) (text string, n int) {
	n = len(pattern) - len(strings.TrimLeft(pattern, "*"))
	switch rest := pattern[n:]; {
	case n == 1 || !begins || rest != "" && rest[0] != '/':
		return `[^/]*`, n
	case rest == "":
		return `.*`, n
	}
	return `(?:.*/)?`, n + 1
}

// namedClasses are the classes of characters that git knows by name.
var namedClasses = map[string]string{
	"alnum": `0-9A-Za-z`, "alpha": `A-Za-z`, "blank": `\t `, "cntrl": `\x00-\x1f\x7f`, "digit": `0-9`, "graph": `!-.0-~`,
	"lower": `a-z`, "print": ` -.0-~`, "punct": `!-.:-@\[-\x60{-~`, "space": `\t-\r `, "upper": `A-Z`, "xdigit": `0-9A-Fa-f`,
}

// characterClass translates the bracket expression that pattern begins with, and
// returns how long it is; 0: it is none. No class holds the slash.
func characterClass(pattern string) (class string, n int) {
	var b strings.Builder
	i := 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			switch {
			case negated:
				return "[^/" + b.String() + "]", i + 1
			case b.Len() == 0:
				return nothing, i + 1
			}
			return "[" + b.String() + "]", i + 1
		}
		text, used := classMember(pattern[i:])
		if used == 0 {
			return "", 0
		}
		b.WriteString(text)
		i += used
	}
	return "", 0
}

// classMember translates the first member of a bracket expression: a named class, a
// range or a character.
func classMember(pattern string) (text string, n int) {
	if name, is := strings.CutPrefix(pattern, "[:"); is {
		name, _, closed := strings.Cut(name, ":]")
		text, known := namedClasses[name]
		if !closed || !known {
			return "", 0
		}
		return text, len(name) + 4
	}
	low, n := classByte(pattern)
	high := low
	if rest := pattern[n:]; n > 0 && len(rest) > 1 && rest[0] == '-' && rest[1] != ']' {
		last, used := classByte(rest[1:])
		high, n = last, n+1+used
		if used == 0 {
			return "", 0
		}
	}
	for _, part := range [][2]byte{{low, min(high, '/'-1)}, {max(low, '/'+1), high}} {
		if part[0] <= part[1] {
			text += fmt.Sprintf(`\x{%x}-\x{%x}`, part[0], part[1])
		}
	}
	return text, n
}

// classByte returns a byte that a backslash may stand before.
func classByte(pattern string) (b byte, n int) {
	switch {
	case pattern == "" || pattern == `\`:
		return 0, 0
	case pattern[0] == '\\':
		return pattern[1], 2
	}
	return pattern[0], 1
}
