// Package scaffold renders a golden path: manifest and inputs go in, a tree of
// files comes out, the same bytes on every machine and at every time.
//
// [Load] reads a golden path, with the layers that it includes, from a tree of a
// platform repository. [GoldenPath.Resolve] turns what a repository gives into
// a full set of inputs, or says everything that is wrong with it at once.
// [GoldenPath.Render] makes the files. Nothing here touches disk, network or
// clock, and a golden path is hostile input: package engine bounds what its
// templates may cost.
package scaffold

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/docs/schema"
	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/scaffold/engine"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Root is the folder of a platform repository that holds its golden paths.
const Root = "goldenpaths"

// ManifestName is the file in a golden path's folder that describes it.
const ManifestName = "goldenpath.yaml"

// Mode says what becomes of a rendered file once a repository has it.
type Mode string

// The modes of a file.
const (
	Merge   Mode = "merge"   // three-way: the member's edits and the golden path's changes both stay
	Managed Mode = "managed" // the golden path's content wins; an edit is drift
	Once    Mode = "once"    // written at creation and never touched again
	Block   Mode = "block"   // only the marked regions are the golden path's
	Ignore  Mode = "ignore"  // not rendered at all
)

// Manifest is goldenpath.yaml. docs/schema/goldenpath.schema.json describes its
// fields.
type Manifest struct {
	APIVersion  string             `yaml:"apiVersion"`
	Kind        string             `yaml:"kind"`
	Name        string             `yaml:"name"`
	Version     string             `yaml:"version"`
	Title       string             `yaml:"title"`
	Description string             `yaml:"description"`
	Owner       string             `yaml:"owner"`
	Lifecycle   string             `yaml:"lifecycle"`
	Includes    []string           `yaml:"includes"`
	Delimiters  engine.Delimiters  `yaml:"delimiters"`
	Files       []Rule             `yaml:"files"`
	Merge       policy.Policy      `yaml:"merge"`
	Migrations  []Migration        `yaml:"migrations"`
	After       map[string]any     `yaml:"after"`
	Computed    yaml.Node          `yaml:"computed"`
	Inputs      map[string]any     `yaml:"-"`
	doc         *document.Document `yaml:"-"`
}

// Rule says how the files that its glob matches are rendered and kept.
type Rule struct {
	Glob       string            `yaml:"glob"`
	Mode       Mode              `yaml:"mode"`
	When       string            `yaml:"when"`
	Delimiters engine.Delimiters `yaml:"delimiters"`
	ForEach    string            `yaml:"forEach"`
	As         string            `yaml:"as"`
	// Merge is how changes of these files that meet are decided; what it leaves open
	// is the manifest's to say.
	Merge policy.Policy `yaml:"merge"`

	// own are the delimiters of the manifest that the rule stands in, which its When
	// is written with.
	own engine.Delimiters
	// at places a mistake at one of the rule's keys.
	at func(key, message, hint string) document.Problem
}

// Migration says what a repository needs when a sync brings it to version To or
// beyond.
type Migration struct {
	To      string            `yaml:"to"`
	Renames map[string]string `yaml:"renames"`
	Deletes []string          `yaml:"deletes"`
	Inputs  struct {
		Rename  map[string]string `yaml:"rename"`
		Default map[string]any    `yaml:"default"`
		Delete  []string          `yaml:"delete"`
		// Withdraw are the defaults that a migration gave which is undone.
		Withdraw map[string]any `yaml:"-"`
	} `yaml:"inputs"`
}

// manifestSchema compiles the published schema when it is first needed, which
// takes longer than reading a manifest does.
var manifestSchema = sync.OnceValues(func() (*document.Schema, error) { return document.CompileJSON(schema.GoldenPath) })

// Prepare does what the first golden path to be loaded would wait for. It may be
// called beside everything else, by a process that has files to read meanwhile.
func Prepare() { _, _ = manifestSchema() }

// ParseManifest reads a manifest; file is its path for messages. The error is
// [document.Problems], one for every mistake.
func ParseManifest(file string, data []byte) (*Manifest, error) {
	doc, err := document.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s, err := manifestSchema()
	if err != nil {
		return nil, fmt.Errorf("the published schema of the manifest: %w", err)
	}
	if err := doc.Validate(s).Err(); err != nil {
		return nil, err
	}
	m := &Manifest{doc: doc}
	if err := doc.Decode(m); err != nil {
		return nil, err
	}
	m.Computed = *followed(&m.Computed)
	if top, ok := doc.Value().(map[string]any); ok {
		m.Inputs, _ = top["inputs"].(map[string]any)
	}
	return m, m.check().Err()
}

// check finds the mistakes that a JSON Schema cannot express.
func (m *Manifest) check() document.Problems {
	var ps document.Problems
	if folder := path.Base(path.Dir(m.doc.Name())); path.Base(m.doc.Name()) == ManifestName && folder != "." && folder != m.Name {
		ps = append(ps, m.doc.At(fmt.Sprintf("the name is %q, but the folder is %q", m.Name, folder), "give both the same name", "name"))
	}
	for i, r := range m.Files {
		if err := tree.CheckGlob(r.Glob); err != nil {
			ps = append(ps, m.doc.At(err.Error(), "** matches folders, * a name, {a,b} either", "files", fmt.Sprint(i), "glob"))
		}
		ps = append(ps, r.Merge.Check(m.doc, "files", fmt.Sprint(i), "merge")...)
	}
	ps = append(ps, m.Merge.Check(m.doc, "merge")...)
	if _, err := semver.StrictNewVersion(m.Version); m.Version != "" && err != nil {
		ps = append(ps, m.doc.At(fmt.Sprintf("%q is not a version", m.Version), "write it like 2.0.0", "version"))
	}
	for i, mg := range m.Migrations {
		if _, err := semver.StrictNewVersion(mg.To); err != nil {
			ps = append(ps, m.doc.At(fmt.Sprintf("%q is not a version", mg.To), "write it like 2.0.0", "migrations", fmt.Sprint(i), "to"))
		}
	}
	if slices.Contains(m.Includes, m.Name) {
		ps = append(ps, m.doc.At("a golden path cannot include itself", "", "includes"))
	}
	return append(ps, m.checkInputs()...)
}

// reserved is the name under which templates see what the machine knows.
const reserved = "syncer"

func (m *Manifest) checkInputs() document.Problems {
	var ps document.Problems
	const hint = "templates find what syncer knows there"
	for i := 0; i+1 < len(m.Computed.Content); i += 2 {
		if m.Computed.Content[i].Value == reserved {
			ps = append(ps, m.doc.AtKey(fmt.Sprintf("%q cannot be the name of a computed value", reserved), hint, "computed", reserved))
		}
	}
	for i, r := range m.Files {
		if r.As == reserved {
			ps = append(ps, m.doc.At(fmt.Sprintf("%q cannot be the name of an item", reserved), hint, "files", fmt.Sprint(i), "as"))
		}
	}
	if m.Inputs == nil {
		return ps
	}
	props, _ := m.Inputs["properties"].(map[string]any)
	if _, ok := props[reserved]; ok {
		ps = append(ps, m.doc.AtKey(fmt.Sprintf("%q cannot be the name of an input", reserved), hint, "inputs", "properties", reserved))
	}
	required, _ := m.Inputs["required"].([]any)
	for i, r := range required {
		if name, ok := r.(string); ok && props[name] == nil && len(m.Includes) == 0 {
			ps = append(ps, m.doc.At(fmt.Sprintf("%q is required, but is not among the properties", name), "", "inputs", "required", fmt.Sprint(i)))
		}
	}
	return append(ps, m.checkSecrets()...)
}

// checkSecrets finds inputs of which only a part is marked as a secret, or which are
// marked by a definition that they refer to: those would be rendered and written.
func (m *Manifest) checkSecrets() document.Problems {
	var ps document.Problems
	for _, at := range keywordPlaces(m.Inputs, "writeOnly") {
		if v := m.Inputs; len(at) == 3 && at[0] == "properties" || valueAt(v, at) != true {
			continue
		}
		ps = append(ps, m.doc.At("writeOnly keeps only a whole input secret, and only where it is said of the input itself", "write it below properties, next to the input's type, and make a secret of several parts several inputs", append([]string{"inputs"}, at...)...))
	}
	return ps
}

// keywordPlaces returns where a keyword stands in a schema.
func keywordPlaces(schema map[string]any, keyword string) [][]string {
	return keywords(schema, func(word string) bool { return word == keyword })
}

// keywords returns where the keywords of a schema stand that are asked for.
func keywords(schema map[string]any, asked func(word string) bool) [][]string {
	var places [][]string
	var walk func(v any, at []string)
	below := func(m map[string]any, at []string) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			walk(m[k], append(slices.Clone(at), k))
		}
	}
	walk = func(v any, at []string) {
		switch v := v.(type) {
		case []any:
			for i, item := range v {
				walk(item, append(slices.Clone(at), strconv.Itoa(i)))
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				here := append(slices.Clone(at), k)
				switch named, ok := v[k].(map[string]any); k {
				case "default", "const", "enum", "examples", "x-ui", "dependentRequired", "$vocabulary": // values, not schemas
				case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies":
					if ok { // its keys are names
						below(named, here)
					}
				default:
					walk(v[k], here)
				}
				if asked(k) {
					places = append(places, here)
				}
			}
		}
	}
	walk(schema, nil)
	return places
}

// valueAt returns what stands at a path of keys.
func valueAt(v any, at []string) any {
	for _, step := range at {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// checkSchema finds the mistakes in the inputs as a JSON Schema. Compiling a schema
// takes longer than all else that is done to a manifest, so it is left to where the
// layers' schemas have been compiled as one, and were wrong.
func (m *Manifest) checkSchema() document.Problems {
	if m.Inputs == nil {
		return nil
	}
	_, err := document.Compile(m.Inputs)
	if se, ok := errors.AsType[*document.SchemaError](err); ok {
		return m.doc.Place(se.Faults, "inputs")
	}
	if err != nil {
		return document.Problems{m.doc.At(err.Error(), "", "inputs")}
	}
	return nil
}

// At returns a mistake at the place in the manifest that a path of keys leads to.
func (m *Manifest) At(message, hint string, path ...string) document.Problem {
	return m.doc.At(message, hint, path...)
}

// opening is what an action begins with.
func (m *Manifest) opening() string {
	left, _ := m.Delimiters.Pair()
	return left
}

// rule returns the first rule that matches a path below template/, with defaults
// filled in, but for the delimiters: those are the file's manifest's.
func (m *Manifest) rule(source string) (Rule, bool) {
	for i, r := range m.Files {
		if ok, _ := doublestar.Match(r.Glob, source); ok {
			r.at = func(key, message, hint string) document.Problem {
				return m.doc.At(message, hint, "files", strconv.Itoa(i), key)
			}
			return m.filled(r), true
		}
	}
	return m.filled(Rule{}), false
}

// defaultItem is what an item is called that its rule gives no name.
const defaultItem = "item"

func (m *Manifest) filled(r Rule) Rule {
	if r.Mode == "" {
		r.Mode = Merge
	}
	r.As = cmp.Or(r.As, defaultItem)
	r.own = m.Delimiters
	return r
}

// sourcePath is a file's path below template/ without .tmpl, by which rules
// match.
func sourcePath(file string) string { return strings.TrimSuffix(file, ".tmpl") }
