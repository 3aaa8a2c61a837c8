package gitrepo

import (
	"bytes"
	"errors"
	"runtime"
	"strings"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Between the repository and the work tree git converts files: line ends by
// core.autocrlf, core.eol and the attributes text and eol, and $Id$ by ident. What
// is here gives, byte for byte, what git's convert.c and gitattributes(5) say.
//
// Two conversions are left alone, and such files are taken as they lie on disk: those
// by a filter, which only its program knows, and by working-tree-encoding.

// stored returns a file of the work tree as git would store it.
func (c *checkout) stored(p string, f tree.File) (tree.File, error) {
	if f.Kind.IsLink() || !bytes.Contains(f.Data, []byte("\r\n")) && !bytes.Contains(f.Data, []byte("$Id:")) {
		return f, nil // there is nothing that git could change
	}
	attrs, err := c.attributes(p)
	if err != nil || c.filtered(attrs) {
		return f, err
	}
	if ends := c.lineEnds(attrs); ends.stores(f.Data) {
		keep, err := ends.guess, error(nil)
		if keep {
			keep, err = c.stagedCRLF(p)
		}
		if err != nil {
			return f, err
		}
		if !keep {
			f.Data = bytes.ReplaceAll(f.Data, []byte("\r\n"), []byte("\n"))
		}
	}
	if attrs["ident"] == isTrue {
		f.Data = withoutIdent(f.Data)
	}
	return f, nil
}

// stagedCRLF reports whether what is staged is text with CRLF in it. Where git has to
// guess what is text, it leaves the line ends of such a file as they are.
func (c *checkout) stagedCRLF(p string) (bool, error) {
	e, err := c.staged(p)
	if err != nil || e.kind == 0 || e.kind.IsLink() {
		return false, err
	}
	data, err := c.store.blob(e.blob, maxMemberFile)
	if err != nil {
		return false, err
	}
	n := count(data)
	return n.crlf > 0 && !n.binary(), nil
}

// shown returns a file of the repository as git would write it to the work tree.
func (c *checkout) shown(p string, f tree.File) (tree.File, error) {
	if f.Kind.IsLink() || !bytes.Contains(f.Data, []byte("\n")) && !bytes.Contains(f.Data, []byte("$Id")) {
		return f, nil
	}
	attrs, err := c.attributes(p)
	if err != nil || c.filtered(attrs) {
		return f, err
	}
	id := f.Blob()
	if attrs["ident"] == isTrue {
		f.Data = withIdent(f.Data, id)
	}
	if c.lineEnds(attrs).shows(f.Data) {
		f.Data = withCRLF(f.Data)
	}
	return f, nil
}

// written returns a file as it is to be written, so that git stores f when it is
// added: as git would show it; but where the index makes git keep line ends as they
// are, as it is. What is on disk stays where it already means the same.
func (c *checkout) written(p string, f tree.File) (tree.File, error) {
	shown, err := c.shown(p, f)
	if err != nil {
		return f, err
	}
	candidates := []tree.File{shown, f}
	now, exists, err := c.work.read(p)
	if _, obstructed := errors.AsType[*NotFileError](err); err != nil && !obstructed {
		return f, err
	}
	if exists && !now.Kind.IsLink() {
		candidates = []tree.File{{Kind: f.Kind, Data: now.Data}, shown, f}
	}
	for _, candidate := range candidates {
		back, err := c.stored(p, candidate)
		if err != nil {
			return f, err
		}
		if back.Equal(f) {
			return candidate, nil
		}
	}
	return shown, nil
}

// filtered reports whether a program, or an encoding, stands between the two forms.
func (c *checkout) filtered(attrs map[string]string) bool {
	if encoding, has := attrs["working-tree-encoding"]; has && encoding != isTrue && encoding != isFalse && !strings.EqualFold(strings.ReplaceAll(encoding, "-", ""), "utf8") {
		return true
	}
	driver, has := attrs["filter"]
	if !has || driver == isTrue || driver == isFalse {
		return false
	}
	for _, key := range []string{"clean", "smudge", "process"} {
		if c.settings.sub("filter", driver, key) != "" {
			return true
		}
	}
	return false
}

// lineEnds is what git does to the line ends of a file. The zero value is nothing.
type lineEnds struct {
	text  bool // CRLF becomes LF when the file is stored
	guess bool // only if it looks like text
	crlf  bool // LF becomes CRLF when it is shown
}

// lineEnds decides as convert_attrs does in git's convert.c.
func (c *checkout) lineEnds(attrs map[string]string) lineEnds {
	text, has := attrs["text"]
	if !has || !meansLineEnds(text) {
		text, has = attrs["crlf"] // its old name
		has = has && meansLineEnds(text)
	}
	auto := strings.ToLower(c.settings.get("core", "autocrlf"))
	convert := auto == "input" || c.settings.flag("core", "autocrlf", false)
	eol := attrs["eol"]
	given := eol == "lf" || eol == "crlf"
	switch {
	case has && text == isFalse:
		return lineEnds{}
	case given:
		return lineEnds{text: true, guess: has && text == "auto", crlf: eol == "crlf"}
	case has && text == "input":
		return lineEnds{text: true}
	case has:
		return lineEnds{text: true, guess: text == "auto", crlf: c.nativeCRLF(auto, convert)}
	case convert:
		return lineEnds{text: true, guess: true, crlf: auto != "input"}
	}
	return lineEnds{}
}

func meansLineEnds(value string) bool {
	return value == isTrue || value == isFalse || value == "input" || value == "auto"
}

// nativeCRLF reports whether text has CRLF in the work tree where no attribute says.
func (c *checkout) nativeCRLF(auto string, convert bool) bool {
	switch {
	case auto == "input":
		return false
	case convert:
		return true
	}
	switch eol := strings.ToLower(c.settings.get("core", "eol")); eol {
	case "lf", "crlf":
		return eol == "crlf"
	}
	return runtime.GOOS == "windows"
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
