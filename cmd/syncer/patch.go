package main

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
	"github.com/goldenpaths/syncer/internal/tree"
)

// patch is the change of one file as git diff writes it and git apply reads it.
type patch struct {
	from, to      string
	before, after *tree.File
	// brief leaves the content of binary files out, which nobody can read.
	brief bool
}

func (p patch) String() string {
	if p.before != nil && p.after != nil && p.before.Kind.IsLink() != p.after.Kind.IsLink() {
		// git knows no change from a file to a link: one goes, the other comes.
		gone, made := p, p
		gone.to, gone.after = p.from, nil
		made.from, made.before = p.to, nil
		return gone.String() + made.String()
	}
	return p.head() + p.content()
}

// head says which file it is, what it was called and how its mode changes.
func (p patch) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "diff --git a/%s b/%s\n", p.from, p.to)
	switch {
	case p.before == nil:
		fmt.Fprintf(&b, "new file mode %o\n", p.after.Kind)
	case p.after == nil:
		fmt.Fprintf(&b, "deleted file mode %o\n", p.before.Kind)
	case p.before.Kind != p.after.Kind:
		fmt.Fprintf(&b, "old mode %o\nnew mode %o\n", p.before.Kind, p.after.Kind)
	}
	if p.from != p.to {
		fmt.Fprintf(&b, "rename from %s\nrename to %s\n", p.from, p.to)
	}
	return b.String() + p.index()
}

// nothing is the id that stands for a file that is not there.
const nothing = "0000000000000000000000000000000000000000"

// index names the two contents by their full ids, without which git applies no binary
// patch.
func (p patch) index() string {
	was, is, mode := nothing, nothing, ""
	if p.before != nil {
		was = string(p.before.Blob())
	}
	if p.after != nil {
		is = string(p.after.Blob())
	}
	if p.before != nil && p.after != nil && p.before.Kind == p.after.Kind {
		mode = fmt.Sprintf(" %o", p.after.Kind)
	}
	if was == is {
		return ""
	}
	return fmt.Sprintf("index %s..%s%s\n", was, is, mode)
}

func (p patch) content() string {
	var before, after []byte
	beforeName, afterName := "/dev/null", "/dev/null"
	if p.before != nil {
		before, beforeName = p.before.Data, "a/"+p.from
	}
	if p.after != nil {
		after, afterName = p.after.Data, "b/"+p.to
	}
	switch {
	case !tree.IsBinary(before) && !tree.IsBinary(after):
		return textmerge.Unified(beforeName, afterName, before, after, 3)
	case bytes.Equal(before, after):
		return ""
	case p.brief:
		return fmt.Sprintf("Binary files %s and %s differ\n", beforeName, afterName)
	}
	return "GIT binary patch\n" + literal(after) + literal(before)
}

// literal writes a content as a binary patch holds it: deflated, 52 bytes a line in
// base 85, and the length of each line before it. git apply's documentation does not
// tell the form; it is that of git's diff.c, emit_binary_diff_body.
func literal(data []byte) string {
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	_, _ = w.Write(data) // into memory
	_ = w.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "literal %d\n", len(data))
	for rest := deflated.Bytes(); len(rest) > 0; {
		line := rest[:min(len(rest), bytesPerLine)]
		rest = rest[len(line):]
		b.WriteByte(lengthLetter(len(line)))
		b.WriteString(base85(line))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.String()
}

// bytesPerLine is how much a line holds: its length is one of 52 letters.
const bytesPerLine = 52

func lengthLetter(n int) byte {
	if n <= 26 {
		return byte('A' + n - 1) //nolint:gosec // at most 52
	}
	return byte('a' + n - 27) //nolint:gosec // at most 52
}

// digits85 are git's digits (base85.c), which are those of RFC 1924.
const digits85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

// base85 writes each four bytes as five digits, the last ones filled up with zeros.
func base85(data []byte) string {
	var out []byte
	for len(data) > 0 {
		var four [4]byte
		data = data[copy(four[:], data):]
		n := uint32(four[0])<<24 | uint32(four[1])<<16 | uint32(four[2])<<8 | uint32(four[3])
		var five [5]byte
		for i := 4; i >= 0; i-- {
			five[i] = digits85[n%85]
			n /= 85
		}
		out = append(out, five[:]...)
	}
	return string(out)
}
