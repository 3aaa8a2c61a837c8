package gitrepo

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The values of an attribute that is set or unset without a value.
const (
	isTrue  = "true"
	isFalse = "false"
	// isUnspecified takes back what files of lower precedence say.
	isUnspecified = "\x00"
)

// maxAttributeLine is the length from which git ignores a line.
const maxAttributeLine = 2048

// attributeRule is one line of a .gitattributes: a pattern, or the definition of a
// macro, and the attributes it gives.
type attributeRule struct {
	macro string         // the macro's name; "" for a pattern
	in    string         // the folder with a slash at its end that the pattern is relative to
	name  bool           // the pattern is about the last part of the path only
	match *regexp.Regexp // nil matches nothing
	gives [][2]string    // attribute and value
}

// builtinMacro is what git knows without any file.
var builtinMacro = attributeRule{macro: "binary", gives: [][2]string{{"diff", isFalse}, {"merge", isFalse}, {"text", isFalse}}}

// attributes returns the attributes of a path: "true", "false" or a value. Files
// nearer to the path win, and info/attributes wins over all.
func (c *checkout) attributes(p string) (map[string]string, error) {
	if c.rules == nil {
		c.rules = map[string][]attributeRule{}
		for _, file := range outerAttributes(c.settings) {
			c.outer = append(c.outer, c.attributeFile(file)...)
		}
		c.info = c.attributeFile(filepath.Join(c.store.commonDir, "info", "attributes"))
	}
	rules := append([]attributeRule{builtinMacro}, c.outer...)
	for at := 0; at >= 0; {
		in, err := c.attributesIn(p[:at])
		if err != nil {
			return nil, err
		}
		rules = append(rules, in...)
		next := strings.IndexByte(p[at:], '/')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return attributesOf(p, append(rules, c.info...)), nil
}

// outerAttributes are the files outside the work tree that hold for every
// repository, in rising precedence.
func outerAttributes(s *settings) []string {
	var files []string
	if os.Getenv("GIT_ATTR_NOSYSTEM") == "" {
		files = append(files, "/etc/gitattributes")
	}
	if own := s.get("core", "attributesFile"); own != "" {
		return append(files, expand(own, s.gitDir))
	}
	xdg := os.Getenv("XDG_CONFIG_HOME")
	if home, err := os.UserHomeDir(); xdg == "" && err == nil {
		xdg = filepath.Join(home, ".config")
	}
	return append(files, filepath.Join(xdg, "git", "attributes"))
}

// attributeFile reads a file outside the work tree. As git does, it takes one that
// it cannot read as empty.
func (c *checkout) attributeFile(file string) []attributeRule {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return parseAttributes(data, "", c.ignoresCase())
}

// attributesIn reads the .gitattributes of a folder, "" or with a slash at its end.
func (c *checkout) attributesIn(dir string) ([]attributeRule, error) {
	if rules, ok := c.rules[dir]; ok {
		return rules, nil
	}
	data, err := c.attributeText(dir + ".gitattributes")
	if err != nil {
		return nil, err
	}
	c.rules[dir] = parseAttributes(data, dir, c.ignoresCase())
	return c.rules[dir], nil
}

// attributeText returns a .gitattributes: as it is about to be written, as it lies
// on disk, or where it does not, as it is staged. git follows no link to one.
func (c *checkout) attributeText(p string) ([]byte, error) {
	if f, planned := c.changes[p]; planned {
		if f == nil || f.Kind.IsLink() {
			return nil, nil
		}
		return f.Data, nil
	}
	f, exists, err := c.work.read(p)
	if err == nil && exists {
		if f.Kind.IsLink() {
			return nil, nil
		}
		return f.Data, nil
	}
	e, err := c.staged(p)
	if err != nil || e.kind == 0 || e.kind.IsLink() {
		return nil, err
	}
	return c.store.blob(e.blob, maxMemberFile)
}

func (c *checkout) ignoresCase() bool { return c.settings.flag("core", "ignorecase", false) }

// attributesOf applies rules in rising precedence. Like git it goes from the last to
// the first and keeps what it finds first, so that a macro that is taken back gives
// nothing.
func attributesOf(p string, rules []attributeRule) map[string]string {
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
			if g[1] == isTrue {
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

func (r attributeRule) matches(p string) bool {
	rest, inside := strings.CutPrefix(p, r.in)
	if !inside || r.match == nil {
		return false
	}
	if r.name {
		rest = rest[strings.LastIndexByte(rest, '/')+1:]
	}
	return r.match.MatchString(bytewise(rest))
}

// parseAttributes reads a .gitattributes of the folder dir. Like git it leaves out
// the lines that it does not understand. Macros count only outside of folders.
func parseAttributes(data []byte, dir string, anyCase bool) []attributeRule {
	var rules []attributeRule
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
				rules = append(rules, attributeRule{macro: macro, gives: gives})
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
			name, value = name[1:], isFalse
		case name != "" && name[0] == '!':
			name, value = name[1:], isUnspecified
		case !has:
			value = isTrue
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

func newRule(pattern, dir string, gives [][2]string, anyCase bool) attributeRule {
	r := attributeRule{in: dir, gives: gives}
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
