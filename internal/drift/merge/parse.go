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
	"github.com/goldenpaths/syncer/internal/drift/textmerge"
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
		h.parses = validXML(text)
	default:
		if k.Brackets {
			h.parses = outline.Balanced(string(text), k.Comment == "#")
		}
	}
	if h.parses && k.keyed() {
		if n, ok := outline.Read(k.Format, string(text)); ok {
			h.repeated = n.Repeated()
		}
	}
	return h
}

// examine looks at the syntax of a merged text. Of YAML, whose parser takes longer
// than the merge, only the parts are parsed in which the text differs from ours:
// where ours does not parse, nobody asks of the text that it does.
func (f *file) examine(text []byte) health {
	if f.kind.Format != "yaml" || len(text) > maxParse {
		return f.kind.examine(text)
	}
	edits := textmerge.Diff(f.ours, text)
	e := 0
	essence, repeated, ok := outline.Essence(string(text), func(line int) bool {
		for e < len(edits) && line > edits[e].BHi {
			e++
		}
		return e < len(edits) && line >= edits[e].BLo-1 // with a line around, for what was removed
	})
	if !ok || !validYAML([]byte(essence)) {
		return f.kind.examine(text)
	}
	return health{parses: true, repeated: repeated}
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
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var n yaml.Node
		if err := d.Decode(&n); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

func validXML(text []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Strict = true
	for {
		if _, err := d.RawToken(); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
