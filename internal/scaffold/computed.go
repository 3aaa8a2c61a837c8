package scaffold

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/scaffold/engine"
)

// computation is one computed value.
type computation struct {
	name     string
	typ      string
	template *engine.Template
	problem  func(message, hint string) document.Problem
}

// parseComputed reads a manifest's computed values, in the order of the file.
func (m *Manifest) parseComputed(set *engine.Set) ([]computation, document.Problems) {
	var cs []computation
	var ps document.Problems
	node := m.Computed
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i].Value, followed(node.Content[i+1])
		c := computation{name: name, typ: "string", problem: func(message, hint string) document.Problem {
			return m.doc.At(message, hint, "computed", name)
		}}
		text := value.Value
		if value.Kind == yaml.MappingNode {
			var long struct{ Value, Type string }
			if err := value.Decode(&long); err != nil {
				ps = append(ps, c.problem(err.Error(), ""))
				continue
			}
			text = long.Value
			if long.Type != "" {
				c.typ = long.Type
			}
		}
		var err error
		if c.template, err = set.Parse(m.doc.Name(), []byte(text), m.Delimiters); err != nil {
			ps = append(ps, m.atTemplate(err, value))
			continue
		}
		cs = append(cs, c)
	}
	return cs, ps
}

// followed returns the node that an alias stands for.
func followed(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// atTemplate moves a problem in a template that stands in the manifest from the
// template's own first line to where it stands.
func (m *Manifest) atTemplate(err error, value *yaml.Node) document.Problem {
	p := document.Gather(m.doc.Name(), err)[0]
	switch {
	case p.File != m.doc.Name(): // a partial's own mistake
		return p
	case value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0: // begins on the next line
		p.Line++
	case value.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 && p.Line <= 1:
		p.Column += value.Column
	case p.Line <= 1:
		p.Column += value.Column - 1
	}
	p.Line = value.Line + max(p.Line, 1) - 1
	return p
}

// value runs the computation on what is known so far.
func (c computation) value(data engine.Data) (any, error) {
	out, err := c.template.ExecuteOn(data)
	if err != nil {
		return nil, c.mistake(err)
	}
	if c.typ == "string" {
		return string(out), nil
	}
	d, err := document.Parse("", out)
	if err != nil {
		return nil, c.problem(fmt.Sprintf("computed %q renders %.60q, which is not YAML", c.name, out), "")
	}
	v := d.Value()
	if !hasType(v, c.typ) {
		return nil, c.problem(fmt.Sprintf("computed %q renders %.60q, which is not of type %s", c.name, out, c.typ), "")
	}
	return v, nil
}

// mistake moves a mistake in the computation's template to where it stands. One that is
// in a partial stays there.
func (c computation) mistake(err error) document.Problem {
	p := document.Gather("", err)[0]
	if at := c.problem(fmt.Sprintf("computed %q: %s", c.name, p.Message), p.Hint); at.File == p.File {
		return at
	}
	return p
}

func hasType(v any, typ string) bool {
	switch v.(type) {
	case bool:
		return typ == "boolean"
	case int64:
		return typ == "integer" || typ == "number"
	case float64:
		return typ == "number"
	case []any:
		return typ == "array"
	case map[string]any:
		return typ == "object"
	}
	return false
}
