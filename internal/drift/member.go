package drift

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/docs/schema"
	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// MemberName is the file in a member that people keep.
const MemberName = ".goldenpath.yaml"

// Member is .goldenpath.yaml: which golden paths a repository follows.
// docs/schema/member.schema.json describes its fields.
type Member struct {
	Source      string   `yaml:"source"`
	GoldenPaths []Follow `yaml:"goldenPaths"`
	Keep        []Keep   `yaml:"keep"`
	// Merge is how changes that meet are decided here.
	Merge policy.Policy `yaml:"merge"`
	Sync  struct {
		Schedule  string `yaml:"schedule"`
		Automerge string `yaml:"automerge"`
	} `yaml:"sync"`
}

// Follow is one golden path that a member follows.
type Follow struct {
	Name    string          `yaml:"name"`
	Source  string          `yaml:"source"`
	Channel string          `yaml:"channel"`
	Version string          `yaml:"version"`
	Pin     string          `yaml:"pin"`
	Until   string          `yaml:"until"`
	Inputs  scaffold.Inputs `yaml:"-"`
}

// Keep says that files stay as they are, and why.
type Keep struct {
	Path   string `yaml:"path"`
	Reason string `yaml:"reason"`
	Until  string `yaml:"until"`
}

// memberSchema compiles the published schema when it is first needed.
var memberSchema = sync.OnceValues(func() (*document.Schema, error) { return document.CompileJSON(schema.Member) })

// ParseMember reads .goldenpath.yaml. The error is [document.Problems].
func ParseMember(data []byte) (*Member, error) {
	doc, err := document.Parse(MemberName, data)
	if err != nil {
		return nil, err
	}
	s, err := memberSchema()
	if err != nil {
		return nil, fmt.Errorf("the published schema of %s: %w", MemberName, err)
	}
	if err := doc.Validate(s).Err(); err != nil {
		return nil, err
	}
	m := &Member{}
	if err := doc.Decode(m); err != nil {
		return nil, err
	}
	top, _ := doc.Value().(map[string]any)
	list, _ := top["goldenPaths"].([]any)
	var ps document.Problems
	seen := map[string]bool{}
	for i := range m.GoldenPaths {
		f := &m.GoldenPaths[i]
		entry, _ := list[i].(map[string]any)
		f.Inputs, _ = entry["inputs"].(map[string]any)
		if seen[f.Name] {
			ps = append(ps, doc.At(fmt.Sprintf("the golden path %q is here twice", f.Name), "remove one", "goldenPaths", fmt.Sprint(i), "name"))
		}
		seen[f.Name] = true
	}
	for i, k := range m.Keep {
		if err := tree.CheckGlob(k.Path); err != nil {
			ps = append(ps, doc.At(err.Error(), "", "keep", fmt.Sprint(i), "path"))
		}
	}
	ps = append(ps, m.Merge.Check(doc, "merge")...)
	return m, ps.Err()
}

// Follows returns the entry of a golden path.
func (m *Member) Follows(name string) (Follow, bool) {
	for _, f := range m.GoldenPaths {
		if f.Name == name {
			if f.Source == "" {
				f.Source = m.Source
			}
			return f, true
		}
	}
	return Follow{}, false
}

// Wanted returns which version the entry asks for on the day today (as
// 2006-01-02): its pin while that holds, else its range or channel.
func (f Follow) Wanted(today string) string {
	switch {
	case f.Pin != "" && (f.Until == "" || today <= f.Until):
		return f.Pin
	case f.Version != "":
		return f.Version
	}
	return f.Channel
}

// kept returns the entry of Keep that holds for a path on a day.
func kept(keeps []Keep, path, today string) (Keep, bool) {
	for _, k := range keeps {
		if ok, _ := doublestar.Match(k.Path, path); ok && (k.Until == "" || today <= k.Until) {
			return k, true
		}
	}
	return Keep{}, false
}

// FormatMember returns the first .goldenpath.yaml of a repository. Later ones are
// people's.
func FormatMember(m *Member) ([]byte, error) {
	type follow struct {
		Name    string          `yaml:"name"`
		Source  string          `yaml:"source,omitempty"`
		Channel string          `yaml:"channel,omitempty"`
		Version string          `yaml:"version,omitempty"`
		Pin     string          `yaml:"pin,omitempty"`
		Inputs  scaffold.Inputs `yaml:"inputs,omitempty"`
	}
	out := struct {
		Source      string   `yaml:"source"`
		GoldenPaths []follow `yaml:"goldenPaths"`
	}{Source: m.Source}
	for _, f := range m.GoldenPaths {
		out.GoldenPaths = append(out.GoldenPaths, follow{f.Name, f.Source, f.Channel, f.Version, f.Pin, f.Inputs})
	}
	b, err := yaml.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", MemberName, err)
	}
	return append([]byte("# Which golden paths this repository follows. It is yours: change inputs, pin a\n# version, or keep files as they are. syncer reads it and writes "+LockName+".\n"), b...), nil
}

// InputEdit is a change of an input's key in .goldenpath.yaml: to another name,
// or, where To is "", away.
type InputEdit struct{ From, To string }

// EditInputs changes keys of a golden path's inputs in the text of
// .goldenpath.yaml and leaves every other byte as it is.
func EditInputs(text []byte, goldenPath string, edits []InputEdit) ([]byte, error) {
	for _, e := range edits {
		doc, err := document.Parse(MemberName, text)
		if err != nil {
			return nil, err
		}
		key := inputKey(doc, goldenPath, e.From)
		if key == nil {
			continue
		}
		lo := offset(text, key.Line, key.Column)
		hi := lo + len(key.Value)
		if hi > len(text) || string(text[lo:hi]) != key.Value {
			return nil, document.Problems{{File: MemberName, Line: key.Line, Column: key.Column, Message: fmt.Sprintf("the input %q is now called %q", e.From, e.To), Hint: "rename it here, then sync again"}}
		}
		if e.To == "" {
			return nil, document.Problems{{File: MemberName, Line: key.Line, Column: key.Column, Message: fmt.Sprintf("the golden path no longer has the input %q", e.From), Hint: "remove it here, then sync again"}}
		}
		text = slices.Concat(text[:lo], []byte(e.To), text[hi:])
	}
	return text, nil
}

func inputKey(doc *document.Document, goldenPath, input string) *yaml.Node {
	_, list := doc.Node("goldenPaths")
	for i := range list.Content {
		if _, name := doc.Node("goldenPaths", fmt.Sprint(i), "name"); name.Value != goldenPath {
			continue
		}
		if key, _ := doc.Node("goldenPaths", fmt.Sprint(i), "inputs", input); key != nil && key.Value == input {
			return key
		}
	}
	return nil
}

// offset returns where a line and column, both from 1, are in a text.
func offset(text []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return at + column - 1
}

// AddFollow returns the text of .goldenpath.yaml with one more golden path after
// the last one of its list. Every other byte stays as it is.
func AddFollow(text []byte, f Follow) ([]byte, error) {
	doc, err := document.Parse(MemberName, text)
	if err != nil {
		return nil, err
	}
	key, list := doc.Node("goldenPaths")
	if key == nil || list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0 {
		return nil, document.Problems{doc.At("the list goldenPaths is not written one entry a line", "write it with a - for each, then adopt again", "goldenPaths")}
	}
	entry, err := yaml.Marshal([]any{followFields(f)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", MemberName, err)
	}
	indent := bytes.Repeat([]byte(" "), list.Column-1)
	entry = bytes.TrimSuffix(bytes.ReplaceAll(append(bytes.Clone(indent), entry...), []byte("\n"), append([]byte("\n"), indent...)), indent)
	at := offset(text, lastLine(list)+1, 1)
	if at > len(text) || at == 0 {
		at = len(text)
	}
	head := text[:at]
	if len(head) > 0 && head[len(head)-1] != '\n' {
		head = append(bytes.Clone(head), '\n')
	}
	return slices.Concat(head, entry, text[at:]), nil
}

func followFields(f Follow) map[string]any {
	fields := map[string]any{"name": f.Name}
	if f.Source != "" {
		fields["source"] = f.Source
	}
	if len(f.Inputs) > 0 {
		fields["inputs"] = f.Inputs
	}
	return fields
}

// lastLine returns the last line that a node and those in it begin on.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}
