package merge

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// squeeze returns a line without white space.
func squeeze(line string) string {
	var kept []byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c >= utf8.RuneSelf:
			return string(kept) + squeezeRunes(line[i:])
		case c == ' ' || c >= '\t' && c <= '\r':
		default:
			if kept == nil {
				kept = make([]byte, 0, len(line)-i)
			}
			kept = append(kept, c)
		}
	}
	return string(kept)
}

func squeezeRunes(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, line)
}

// plain returns a line in the form in which two lines that differ in layout only
// are equal: without white space and without a comma or semicolon at the end.
func plain(line string) string {
	return strings.TrimRight(squeeze(line), ",;")
}

func each[T any](lines []string, f func(string) T) []T {
	out := make([]T, len(lines))
	for i, l := range lines {
		out[i] = f(l)
	}
	return out
}

// words cuts a line into words: runs of letters, digits and underscores, runs of
// white space, and all else character by character.
func words(line string) []string {
	ws := make([]string, 0, len(line)/4+1)
	for len(line) > 0 {
		n := wordEnd(line)
		ws = append(ws, line[:n])
		line = line[n:]
	}
	return ws
}

func wordEnd(s string) int {
	kind, n := charAt(s)
	if kind == other {
		return n
	}
	for n < len(s) {
		k, size := charAt(s[n:])
		if k != kind {
			break
		}
		n += size
	}
	return n
}

// charAt returns the kind and length of the character that s begins with.
func charAt(s string) (char, int) {
	if c := s[0]; c < utf8.RuneSelf {
		return asciiKind[c], 1
	}
	r, size := utf8.DecodeRuneInString(s)
	return charKind(r), size
}

// asciiKind is charKind for the characters that most text is made of.
var asciiKind = func() (kinds [utf8.RuneSelf]char) {
	for i := range kinds {
		kinds[i] = charKind(rune(i))
	}
	return kinds
}()

type char int

const (
	other char = iota
	letter
	space
)

func charKind(r rune) char {
	switch {
	case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
		return letter
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// terms cuts a line into words as words does, but leaves whole what only means
// something as a whole: versions, paths, addresses, names with hyphens.
func terms(line string) []string {
	ws := words(line)
	out := ws[:0]
	for i := 0; i < len(ws); {
		term := ws[i]
		i++
		if isName(term) {
			for i+1 < len(ws) && binds(ws[i]) && isName(ws[i+1]) {
				term += ws[i] + ws[i+1]
				i += 2
			}
		}
		out = append(out, term)
	}
	return out
}

// binds reports whether a sign between two names makes one of them.
func binds(sign string) bool {
	switch sign {
	case ".", "-", "/", "@", ":", "+", "~":
		return true
	}
	return false
}

func isSpace(word string) bool {
	kind, _ := charAt(word)
	return kind == space
}

func isName(word string) bool {
	kind, _ := charAt(word)
	return kind == letter
}

// trivial reports whether a line says so little that it may well stand twice in
// a file: brackets, a rule, a single short word.
func trivial(line string) bool {
	n := 0
	for _, r := range line {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n < 4
}
