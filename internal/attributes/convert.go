package attributes

import (
	"bytes"
	"strings"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Converter converts files between a repository and its work tree: line ends by
// core.autocrlf, core.eol and the attributes text and eol, and $Id$ by ident. It
// gives, byte for byte, what git's convert.c and gitattributes(5) say. The zero value
// is a repository without attributes and settings.
//
// Two conversions are left alone, and such files stay as they are: those by a filter,
// which only its program knows, and by working-tree-encoding.
type Converter struct {
	// Text returns the .gitattributes at a path; nil where there is none.
	Text func(p string) ([]byte, error)
	// Kept returns what the repository has at a path; nil where it has no file. Where git
	// has to guess what is text, it leaves the line ends of such a file as they are.
	Kept func(p string) (*tree.File, error)
	// Outer are rules of files outside the repository, and Info those of info/attributes.
	Outer, Info []Rule
	Settings    Settings

	rules map[string][]Rule // of each folder, as far as they were read
}

// Settings are those of git's configuration that converting depends on.
type Settings struct {
	AutoCRLF string // core.autocrlf: "input", "true" or ""
	EOL      string // core.eol, or what the machine has: "crlf", or else LF
	AnyCase  bool   // core.ignoreCase
	// Filters reports whether a filter has a program; nil: none has.
	Filters func(driver string) bool
}

// Attributes returns the attributes of a path: [True], [False] or a value. Files
// nearer to the path win, and info/attributes wins over all. The error is that of
// Text.
func (c *Converter) Attributes(p string) (map[string]string, error) {
	rules := append([]Rule{builtinMacro}, c.Outer...)
	for at := 0; at >= 0; {
		in, err := c.in(p[:at])
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
	return of(p, append(rules, c.Info...)), nil
}

// in reads the .gitattributes of a folder, "" or with a slash at its end.
func (c *Converter) in(dir string) ([]Rule, error) {
	rules, ok := c.rules[dir]
	if ok || c.Text == nil {
		return rules, nil
	}
	data, err := c.Text(dir + Name)
	if err != nil {
		return nil, err
	}
	if c.rules == nil {
		c.rules = map[string][]Rule{}
	}
	c.rules[dir] = Parse(data, dir, c.Settings.AnyCase)
	return c.rules[dir], nil
}

// Storable reports whether there is anything in a file that git could change where it
// stores it.
func Storable(f tree.File) bool {
	return !f.Kind.IsLink() && (bytes.Contains(f.Data, []byte("\r\n")) || bytes.Contains(f.Data, []byte("$Id:")))
}

// Stored returns a file of the work tree as git would store it. The error is that of
// Text or Kept.
func (c *Converter) Stored(p string, f tree.File) (tree.File, error) {
	if !Storable(f) {
		return f, nil
	}
	attrs, err := c.Attributes(p)
	if err != nil || c.Filtered(attrs) {
		return f, err
	}
	if ends := c.lineEnds(attrs); ends.stores(f.Data) {
		keep, err := ends.guess, error(nil)
		if keep {
			keep, err = c.keptCRLF(p)
		}
		if err != nil {
			return f, err
		}
		if !keep {
			f.Data = bytes.ReplaceAll(f.Data, []byte("\r\n"), []byte("\n"))
		}
	}
	if attrs["ident"] == True {
		f.Data = withoutIdent(f.Data)
	}
	return f, nil
}

// keptCRLF reports whether the repository has text with CRLF at a path.
func (c *Converter) keptCRLF(p string) (bool, error) {
	if c.Kept == nil {
		return false, nil
	}
	f, err := c.Kept(p)
	if err != nil || f == nil || !f.Kind.IsFile() || f.Kind.IsLink() {
		return false, err
	}
	n := count(f.Data)
	return n.crlf > 0 && !n.binary(), nil
}

// StoredAll is [Converter.Stored] for many files.
func (c *Converter) StoredAll(files tree.Tree) (tree.Tree, error) {
	stored := make(tree.Tree, len(files))
	for p, f := range files {
		var err error
		if stored[p], err = c.Stored(p, f); err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// Shown returns a file of the repository as git would write it to the work tree. The
// error is that of Text.
func (c *Converter) Shown(p string, f tree.File) (tree.File, error) {
	if f.Kind.IsLink() || !bytes.Contains(f.Data, []byte("\n")) && !bytes.Contains(f.Data, []byte("$Id")) {
		return f, nil
	}
	attrs, err := c.Attributes(p)
	if err != nil || c.Filtered(attrs) {
		return f, err
	}
	id := f.Blob()
	if attrs["ident"] == True {
		f.Data = withIdent(f.Data, id)
	}
	if c.lineEnds(attrs).shows(f.Data) {
		f.Data = withCRLF(f.Data)
	}
	return f, nil
}

// Filtered reports whether a program, or an encoding, stands between the two forms of
// a file with these attributes.
func (c *Converter) Filtered(attrs map[string]string) bool {
	if encoding, has := attrs["working-tree-encoding"]; has && encoding != True && encoding != False && !strings.EqualFold(strings.ReplaceAll(encoding, "-", ""), "utf8") {
		return true
	}
	driver, has := attrs["filter"]
	return has && driver != True && driver != False && c.Settings.Filters != nil && c.Settings.Filters(driver)
}

// lineEnds is what git does to the line ends of a file. The zero value is nothing.
type lineEnds struct {
	text  bool // CRLF becomes LF when the file is stored
	guess bool // only if it looks like text
	crlf  bool // LF becomes CRLF when it is shown
}

// lineEnds decides as convert_attrs does in git's convert.c.
func (c *Converter) lineEnds(attrs map[string]string) lineEnds {
	text, has := attrs["text"]
	if !has || !meansLineEnds(text) {
		text, has = attrs["crlf"] // its old name
		has = has && meansLineEnds(text)
	}
	auto := c.Settings.AutoCRLF
	eol := attrs["eol"]
	given := eol == "lf" || eol == "crlf"
	switch {
	case has && text == False:
		return lineEnds{}
	case given:
		return lineEnds{text: true, guess: has && text == "auto", crlf: eol == "crlf"}
	case has && text == "input":
		return lineEnds{text: true}
	case has:
		return lineEnds{text: true, guess: text == "auto", crlf: c.Settings.nativeCRLF()}
	case auto != "":
		return lineEnds{text: true, guess: true, crlf: auto != "input"}
	}
	return lineEnds{}
}

func meansLineEnds(value string) bool {
	return value == True || value == False || value == "input" || value == "auto"
}

// nativeCRLF reports whether text has CRLF in the work tree where no attribute says.
func (s Settings) nativeCRLF() bool {
	switch {
	case s.AutoCRLF == "input":
		return false
	case s.AutoCRLF != "":
		return true
	}
	return s.EOL == "crlf"
}

// stores reports whether CRLF in data becomes LF.
func (l lineEnds) stores(data []byte) bool {
	if !l.text {
		return false
	}
	n := count(data)
	return n.crlf > 0 && (!l.guess || !n.binary())
}

// shows reports whether LF in data becomes CRLF. Where git guesses, it leaves files
// alone that have any CR.
func (l lineEnds) shows(data []byte) bool {
	if !l.text || !l.crlf {
		return false
	}
	n := count(data)
	return n.lf > 0 && (!l.guess || n.crlf == 0 && !n.binary())
}

// counts is what git looks at to tell text (gather_stats in convert.c).
type counts struct{ cr, lf, crlf, nul, printable, control int }

func count(data []byte) counts {
	var n counts
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case b == '\r' && i+1 < len(data) && data[i+1] == '\n':
			n.crlf++
			i++
		case b == '\r':
			n.cr++
		case b == '\n':
			n.lf++
		case b == 0:
			n.nul++
		case b == 0x7f, b < ' ' && b != '\b' && b != '\t' && b != 0x1b && b != '\f':
			n.control++
		default:
			n.printable++
		}
	}
	if len(data) > 0 && data[len(data)-1] == 0x1a {
		n.control-- // a last ^Z does not count
	}
	return n
}

// binary reports whether git takes the file for no text: a NUL or a lone CR is in
// it, or more than one control character in 128.
func (n counts) binary() bool {
	return n.cr > 0 || n.nul > 0 || n.printable>>7 < n.control
}

func withCRLF(data []byte) []byte {
	out := make([]byte, 0, len(data)+len(data)/16)
	for i, b := range data {
		if b == '\n' && (i == 0 || data[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, b)
	}
	return out
}

// withoutIdent makes "$Id$" of every "$Id: …$" on one line.
func withoutIdent(data []byte) []byte {
	return replaceIdent(data, func(text []byte) ([]byte, bool) { return []byte("$Id$"), len(text) > 0 })
}

// withIdent writes an object's id into every "$Id$". An expanded one with spaces
// inside is another program's and stays.
func withIdent(data []byte, id tree.BlobID) []byte {
	return replaceIdent(data, func(text []byte) ([]byte, bool) {
		if len(text) > 1 {
			if at := bytes.IndexByte(text[2:], ' '); at >= 0 && at+2 < len(text)-1 {
				return nil, false
			}
		}
		return []byte("$Id: " + string(id) + " $"), true
	})
}

// replaceIdent replaces "$Id$" and "$Id:…$"; text is from the colon to before the
// last dollar.
func replaceIdent(data []byte, replace func(text []byte) ([]byte, bool)) []byte {
	var out []byte
	for {
		at := bytes.IndexByte(data, '$')
		if at < 0 {
			return append(out, data...)
		}
		out, data = append(out, data[:at]...), data[at:]
		if n := identLength(data); n > 0 {
			if with, ok := replace(data[len("$Id") : n-1]); ok {
				out, data = append(out, with...), data[n:]
				continue
			}
		}
		out, data = append(out, '$'), data[1:]
	}
}

// identLength returns how long the keyword is that data begins with, or 0.
func identLength(data []byte) int {
	rest, ok := bytes.CutPrefix(data, []byte("$Id"))
	switch {
	case !ok || len(rest) == 0:
		return 0
	case rest[0] == '$':
		return len("$Id$")
	case rest[0] != ':':
		return 0
	}
	end := bytes.IndexAny(rest[1:], "$\n")
	if end < 0 || rest[1+end] == '\n' {
		return 0
	}
	return len("$Id:") + end + 1
}
