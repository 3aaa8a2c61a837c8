// Package attributes knows what git does to the files that it stores and shows: what
// the lines of a .gitattributes mean, and how line ends and $Id$ are converted.
package attributes

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Name is what the files are called.
const Name = ".gitattributes"

// On returns where the files are that can give attributes to paths, each once.
func On(paths []string) []string {
	var all []string
	seen := map[string]bool{}
	for _, p := range paths {
		for p != "." {
			p = path.Dir(p)
			if seen[p] {
				break
			}
			seen[p] = true
			all = append(all, path.Join(p, Name))
		}
	}
	return all
}

// The values of an attribute that is set or unset without a value.
const (
	True  = "true"
	False = "false"
	// isUnspecified takes back what files of lower precedence say.
	isUnspecified = "\x00"
)

// maxAttributeLine is the length from which git ignores a line.
const maxAttributeLine = 2048

// Rule is one line of a .gitattributes: a pattern, or the definition of a
// macro, and the attributes it gives.
type Rule struct {
	macro string         // the macro's name; "" for a pattern
	in    string         // the folder with a slash at its end that the pattern is relative to
	name  bool           // the pattern is about the last part of the path only
	match *regexp.Regexp // nil matches nothing
	gives [][2]string    // attribute and value
}

// builtinMacro is what git knows without any file.
var builtinMacro = Rule{macro: "binary", gives: [][2]string{{"diff", False}, {"merge", False}, {"text", False}}}

// of applies rules in rising precedence. Like git it goes from the last to
// the first and keeps what it finds first, so that a macro that is taken back gives
// nothing.
func of(p string, rules []Rule) map[string]string {
	macros := map[string][][2]string{}
	for _, r := range rules {
		if r.macro != "" {
			macros[r.macro] = r.gives
		}
	}
	found := map[string]string{}
	var give func([][2]string)
	give = func(gives [][2]string) {
		for _, g := range slices.Backward(gives) {
			if _, known := found[g[0]]; known {
				continue
			}
			found[g[0]] = g[1]
			if g[1] == True {
				give(macros[g[0]])
			}
		}
	}
	for _, r := range slices.Backward(rules) {
		if r.matches(p) {
			give(r.gives)
		}
	}
	for name, value := range found {
		if value == isUnspecified {
			delete(found, name)
		}
	}
	return found
}

func (r Rule) matches(p string) bool {
	rest, inside := strings.CutPrefix(p, r.in)
	if !inside || r.match == nil {
		return false
	}
	if r.name {
		rest = rest[strings.LastIndexByte(rest, '/')+1:]
	}
	return r.match.MatchString(bytewise(rest))
}

// Parse reads a .gitattributes of the folder dir. Like git it leaves out
// the lines that it does not understand. Macros count only outside of folders.
func Parse(data []byte, dir string, anyCase bool) []Rule {
	var rules []Rule
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		if len(line) > maxAttributeLine {
			continue
		}
		pattern, rest, ok := cutPattern(strings.Trim(string(line), blanks))
		gives, valid := parseGiven(strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(blanks, r) }))
		if !ok || !valid {
			continue
		}
		if macro, is := strings.CutPrefix(pattern, "[attr]"); is {
			if dir == "" && isAttribute(macro) {
				rules = append(rules, Rule{macro: macro, gives: gives})
			}
			continue
		}
		rules = append(rules, newRule(pattern, dir, gives, anyCase))
	}
	return rules
}

// blanks is what git takes for space between the parts of a line.
const blanks = " \t\r\n"

// cutPattern parts a line into its pattern, which may be quoted, and the rest.
func cutPattern(line string) (pattern, rest string, ok bool) {
	switch {
	case line == "" || line[0] == '#':
		return "", "", false
	case line[0] == '"':
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			break // git takes it as it is, too
		}
		pattern, err = strconv.Unquote(quoted)
		if err == nil {
			return pattern, line[len(quoted):], true
		}
	}
	if at := strings.IndexAny(line, blanks); at >= 0 {
		return line[:at], line[at:], true
	}
	return line, "", true
}

func parseGiven(words []string) (gives [][2]string, ok bool) {
	for _, w := range words {
		name, value, has := strings.Cut(w, "=")
		switch {
		case name != "" && name[0] == '-':
			name, value = name[1:], False
		case name != "" && name[0] == '!':
			name, value = name[1:], isUnspecified
		case !has:
			value = True
		}
		if !isAttribute(name) {
			return nil, false
		}
		gives = append(gives, [2]string{name, value})
	}
	return gives, true
}

func isAttribute(name string) bool {
	return name != "" && name[0] != '-' && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func newRule(pattern, dir string, gives [][2]string, anyCase bool) Rule {
	r := Rule{in: dir, gives: gives}
	// A pattern with "!" is forbidden, and one that ends in a slash is about folders,
	// which have no attributes.
	if strings.HasPrefix(pattern, "!") || strings.HasSuffix(pattern, "/") {
		return r
	}
	r.name = !strings.Contains(pattern, "/")
	text := wildcards(strings.TrimPrefix(pattern, "/"))
	if anyCase {
		text = "(?i)" + text
	}
	r.match, _ = regexp.Compile(text) // what is no pattern matches nothing
	return r
}
