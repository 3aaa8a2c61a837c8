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
