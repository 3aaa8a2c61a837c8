package engine

import (
	"errors"
	"fmt"
	"strings"
	"text/template/parse"
	"unicode/utf8"

	"github.com/goldenpaths/syncer/internal/document"
)

// Error is a mistake in a template, or a bound that it ran into, with its place.
// The errors of this package are pointers to one.
type Error = document.Problem

// fault is an error that does not know its place yet.
type fault struct{ message, hint string }

func (f *fault) Error() string {
	if f.hint == "" {
		return f.message
	}
	return f.message + "; " + f.hint
}

func faultf(format string, args ...any) *fault {
	return &fault{message: fmt.Sprintf(format, args...)}
}

// maxMessage bounds what a message repeats of a template's own texts. It stops
// {{ fail (repeat 60000000 "x") }} and the like from filling logs and pages.
const maxMessage = 4 << 10

// clip shortens s to maxMessage without cutting a letter in two.
func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	cut := maxMessage
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// errorAt gives err its place in b, unless it has one from a template that b
// called: the innermost place is where the mistake is.
func (b *body) errorAt(pos parse.Pos, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	f, ok := errors.AsType[*fault](err)
	if !ok {
		f = &fault{message: err.Error()}
	}
	line, column := position(b.text, int(pos))
	return &Error{File: b.file, Line: line, Column: column, Message: clip(f.message), Hint: clip(f.hint)}
}

// position turns an offset into a line and a column, both counted from 1.
func position(text string, offset int) (line, column int) {
	offset = max(0, min(offset, len(text)))
	before := text[:offset]
	return 1 + strings.Count(before, "\n"), offset - strings.LastIndexByte(before, '\n')
}
