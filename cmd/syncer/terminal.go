package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
)

// style is how a terminal shows a text, as a parameter of the control sequence SGR
// (ECMA-48).
type style string

// The styles. Nothing is told by colour alone.
const (
	plain     style = ""
	strong    style = "1"
	bad       style = "31" // red
	good      style = "32" // green
	attention style = "33" // yellow
	aside     style = "36" // cyan
)

// coloured reports whether w shows colours: a terminal, unless it can show none or
// somebody wants none (https://no-color.org).
func coloured(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// paint returns a text in a style where what is reported is shown in colours.
func (a *app) paint(s style, text string) string {
	if s == plain || !coloured(a.out) {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// paintPatch returns a patch with its lines in the styles that git diff gives them.
func (a *app) paintPatch(text string) string {
	if !coloured(a.out) {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		words, end := strings.CutSuffix(line, "\n")
		b.WriteString(a.paint(styleOfLine(words), words))
		if end {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func styleOfLine(line string) style {
	for _, s := range []struct {
		prefix string
		style  style
	}{
		{"diff --git ", strong}, {"index ", strong}, {"--- ", strong}, {"+++ ", strong},
		{"@@ ", aside}, {"-", bad}, {"+", good},
	} {
		if strings.HasPrefix(line, s.prefix) {
			return s.style
		}
	}
	return plain
}

// styleOfAction and styleOfState bring out what asks for a person.
func styleOfAction(a drift.Action) style {
	switch a {
	case drift.Conflict:
		return bad
	case drift.Replace, drift.Delete:
		return attention
	}
	return plain
}

func styleOfState(s drift.State) style {
	switch s {
	case drift.Undecided:
		return bad
	case drift.Drifted:
		return attention
	}
	return plain
}

// watched returns what tells of long work on a terminal, in a line that is written
// over, and what takes that line away. Elsewhere nobody is told.
func watched(w io.Writer) (tell func(string), done func()) {
	if !isTerminal(w) {
		return nil, func() {}
	}
	const wipe = "\r\x1b[K"
	told := false
	tell = func(what string) {
		told = true
		fmt.Fprint(w, wipe+what+" …")
	}
	return tell, func() {
		if told {
			fmt.Fprint(w, wipe)
		}
	}
}

// many says how many of a thing there are: "1 file", "2 files".
func many[N int | int64](n N, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(n, " ", thing)
}
