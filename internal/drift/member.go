package drift

import (
	"fmt"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/docs/schema"
	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// MemberName is the file in a member that people keep.
const MemberName = ".goldenpath.yaml"

// Member is .goldenpath.yaml: which golden paths a repository follows.
// docs/schema/member.schema.json describes its fields.
type Member struct {
	Source      string   `yaml:"source"`
	GoldenPaths []Follow `yaml:"goldenPaths"`
	Keep        []Keep   `yaml:"keep"`
	Sync        struct {
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

// ParseMember reads .goldenpath.yaml. The error is [document.Problems].
func ParseMember(data []byte) (*Member, error) {
	doc, err := document.Parse(MemberName, data)
	if err != nil {
		return nil, err
	}
	s, err := document.CompileJSON(schema.Member)
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
		if !doublestar.ValidatePattern(k.Path) {
			ps = append(ps, doc.At(fmt.Sprintf("%q is not a valid glob", k.Path), "", "keep", fmt.Sprint(i), "path"))
		}
	}
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
