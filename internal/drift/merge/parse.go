package merge

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/internal/drift/merge/outline"
)

// maxParse is how long a file may be to be parsed as a check.
const maxParse = 2 << 20

// health is what is known of a text's syntax.
type health struct {
	parses   bool
	repeated map[string]bool // keys that stand twice in one place
}

// examine looks at a text's syntax. A format that cannot be checked always
// parses.
func (k Kind) examine(text []byte) health {
	h := health{parses: true}
	if len(text) > maxParse {
		return h
	}
	switch k.Format {
	case "json":
		h.parses = json.Valid(text) || len(bytes.TrimSpace(text)) == 0
	case "yaml":
		h.parses = validYAML(text)
	case "toml":
		var into map[string]any
		h.parses = toml.Unmarshal(text, &into) == nil
	case "xml":
		return examineXML(text)
	case "braces", "hcl":
		return k.outlined(outline.Read(k.Format, string(text)))
	default:
		if k.Brackets {
			h.parses = outline.Balanced(string(text), k.Comment == "#")
		}
	}
	if h.parses && k.keyed() {
		h.repeated = k.outlined(outline.Read(k.Format, string(text))).repeated
	}
	return h
}

// outlined is what an outline tells of a text's syntax.
func (k Kind) outlined(n *outline.Node, ok bool) health {
	if !ok {
		return health{}
	}
	return health{parses: true, repeated: n.Repeated()}
}

// examineSide looks at the syntax of one of the three versions. What the structure
// was merged by is not read again.
func (f *file) examineSide(i int) health {
	if format := f.kind.Format; (format == "braces" || format == "hcl") && f.outlines[i] != nil {
		return f.kind.outlined(f.outlines[i], true)
	}
	return f.kind.examine(f.versions()[i])
}

// versions returns base, ours and theirs.
func (f *file) versions() [3][]byte { return [3][]byte{f.base, f.ours, f.theirs} }

// examine looks at the syntax of the file with the verdicts that use picks, which
// is text. Of YAML, whose parser takes longer than the merge, only the parts are
// parsed in which the text differs from ours: where ours does not parse, nobody
// asks of the text that it does.
func (f *file) examine(text []byte, use func(*hunk) bool) health {
	if f.kind.Format != "yaml" || len(text) > maxParse {
		return f.kind.examine(text)
	}
	edits := f.edited(text, use)
	e := 0
	essence, repeated, ok := outline.Essence(string(text), func(line int) bool {
		for e < len(edits) && line > edits[e].hi {
			e++
		}
		return e < len(edits) && line >= edits[e].lo-1 // with a line around, for what was removed
	})
	if !ok || !validYAML([]byte(essence)) {
		return f.kind.examine(text)
	}
	return health{parses: true, repeated: repeated}
}

// lineRange are the lines lo to hi of a text, hi exclusive.
type lineRange struct{ lo, hi int }

// edited returns where the file with the verdicts that use picks, which is text,
// is not as ours is.
func (f *file) edited(text []byte, use func(*hunk) bool) []lineRange {
	var all []lineRange
	at, line, shift := 0, 0, 0 // at is where line begins
	add := func(offset, size int) {
		line += bytes.Count(text[at:offset], []byte{'\n'})
		hi := line + bytes.Count(text[offset:offset+size], []byte{'\n'})
		if end := offset + size; size > 0 && text[end-1] != '\n' {
			hi++
		}
		all = append(all, lineRange{line, hi})
		at = offset
	}
	taken := f.lines.Taken
	for _, h := range f.hunks {
		for ; len(taken) > 0 && taken[0].Offset < h.Offset; taken = taken[1:] {
			add(taken[0].Offset+shift, len(taken[0].Is))
		}
		if use(h) {
			add(h.Offset+shift, len(h.verdict.text))
			shift += len(h.verdict.text) - len(h.Ours)
		}
	}
	for _, t := range taken {
		add(t.Offset+shift, len(t.Is))
	}
	return all
}

// keyed reports whether a key that stands twice in one place is a mistake.
func (k Kind) keyed() bool {
	switch k.Format {
	case "json", "yaml", "toml", "ini", "braces", "hcl":
		return true
	}
	return false
}

// validYAML parses every document of a stream, to nodes only: nothing is
// expanded.
func validYAML(text []byte) bool {
	return plainYAML(text) || parsesAsYAML(text)
}

func parsesAsYAML(text []byte) bool {
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var n yaml.Node
		if err := d.Decode(&n); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// examineXML reports whether every element is closed in its place. A second element
// beside the outermost one counts as said twice: there are fragments that have several.
func examineXML(text []byte) health {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Strict = true
	for depth, outermost := 0, 0; ; {
		token, err := d.Token()
		switch token.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				outermost++
			}
		case xml.EndElement:
			depth--
		}
		if err != nil {
			return health{parses: errors.Is(err, io.EOF), repeated: oneMore("outermost element", outermost > 1)}
		}
	}
}

// oneMore is a set of what is said twice: name, where it is.
func oneMore(name string, is bool) map[string]bool {
	if !is {
		return nil
	}
	return map[string]bool{name: true}
}
