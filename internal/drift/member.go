package drift

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/docs/schema"
	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/nearest"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// MemberName is the file in a member that people keep.
const MemberName = scaffold.MemberName

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

// Prepare does what the first member to be read would wait for. It may be called
// beside everything else, by a process that has files to read meanwhile.
func Prepare() { _, _ = memberSchema() }

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
	if doc.Value() == nil {
		return &Member{}, nil // it names no golden path yet
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

// Keeps reports whether the member says that a file stays as it is on a day.
func (m *Member) Keeps(path, today string) bool {
	_, ok := kept(m.Keep, path, today)
	return ok
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

// Holds reports whether the member keeps the file at a path.
func (r Request) Holds(path string) bool {
	_, held := kept(r.Keeps, path, r.Today)
	return held
}

// maxIdle is how many keeps without a file are told.
const maxIdle = 10

// Idle returns what is to be said about the keeps, of the text of .goldenpath.yaml,
// that match none of some paths.
func Idle(text []byte, keeps []Keep, paths []string) []string {
	var ps []string
	for i, k := range keeps {
		matches := func(path string) bool { ok, _ := doublestar.Match(k.Path, path); return ok }
		if slices.ContainsFunc(paths, matches) {
			continue
		}
		doc, err := document.Parse(MemberName, text)
		if err != nil || len(ps) == maxIdle {
			return ps
		}
		p := doc.At(fmt.Sprintf("keep %q matches no file of a golden path's", k.Path), "", "keep", fmt.Sprint(i), "path")
		if near := nearest.Names(k.Path, paths); len(near) > 0 {
			p.Hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		ps = append(ps, p.Error())
	}
	return ps
}

// writtenFollow is Follow as it is written, with its inputs.
type writtenFollow struct {
	Name    string          `yaml:"name"`
	Source  string          `yaml:"source,omitempty"`
	Channel string          `yaml:"channel,omitempty"`
	Version string          `yaml:"version,omitempty"`
	Pin     string          `yaml:"pin,omitempty"`
	Until   string          `yaml:"until,omitempty"`
	Inputs  scaffold.Inputs `yaml:"inputs,omitempty"`
}

// FormatMember returns the first .goldenpath.yaml of a repository. Later ones are
// people's.
func FormatMember(m *Member) ([]byte, error) {
	out := struct {
		Source      string          `yaml:"source"`
		GoldenPaths []writtenFollow `yaml:"goldenPaths"`
	}{Source: m.Source}
	for _, f := range m.GoldenPaths {
		out.GoldenPaths = append(out.GoldenPaths, writtenFollow(f))
	}
	b, err := yaml.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", MemberName, err)
	}
	return append([]byte("# Which golden paths this repository follows. It is yours: change inputs, pin a\n# version, or keep files as they are. syncer reads it and writes "+LockName+".\n"), b...), nil
}

// AddFollow returns the text of .goldenpath.yaml with one more golden path after
// the last one of its list. Every other byte stays as it is.
func AddFollow(text []byte, f Follow) ([]byte, error) {
	doc, err := document.Parse(MemberName, text)
	if err != nil {
		return nil, err
	}
	key, list := doc.Node("goldenPaths")
	_, root := doc.Node()
	edits := doc.Edit(text)
	if len(list.Content) == 0 && root.Style&yaml.FlowStyle == 0 {
		edits.Begin(key, list, writtenFollow(f))
	} else {
		edits.Append(list, writtenFollow(f))
	}
	after, err := edits.Text()
	if err == nil {
		err = follows(text, after, f)
	}
	if err != nil {
		entry, marshalErr := yaml.Marshal([]any{writtenFollow(f)})
		p := doc.At(fmt.Sprintf("no golden path can be added here by machine (%s)", document.Gather(MemberName, err)[0].Message), "add this to the list by hand:\n"+string(entry), "goldenPaths")
		return nil, errors.Join(document.Problems{p}, marshalErr)
	}
	return after, nil
}

// follows checks that after says what before does, and follows one more golden path.
func follows(before, after []byte, f Follow) error {
	want, err := ParseMember(before)
	if err != nil {
		return err
	}
	if f.Inputs, err = asWritten(f.Inputs); err != nil {
		return err
	}
	want.GoldenPaths = append(want.GoldenPaths, f)
	return saysOnly(want, after)
}
