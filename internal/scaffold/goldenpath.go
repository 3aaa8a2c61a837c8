package scaffold

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/nearest"
	"github.com/goldenpaths/syncer/internal/scaffold/engine"
	"github.com/goldenpaths/syncer/internal/tree"
)

// GoldenPath is a golden path with its layers, parsed and ready to render. It is
// safe for concurrent use.
type GoldenPath struct {
	Manifest *Manifest
	// Digest identifies everything that rendering depends on: manifests, templates
	// and partials of the golden path and its layers.
	Digest string

	set      *engine.Set
	inputs   map[string]any // JSON Schema of all layers' inputs together
	schema   *document.Schema
	later    *document.Schema // without what only creation asks for
	secrets  []string         // in order
	computed []computation
	sources  []sourceFile
	files    []string    // below template/ of all layers, without .tmpl, also those that are ignored
	layers   []*Manifest // in order of rendering
	optional Inputs      // every declared name, as null
}

// sourceFile is one file below template/ of one layer.
type sourceFile struct {
	layer    string
	file     string // path in the platform repository, for messages
	source   string // path below template/ without .tmpl
	rule     Rule
	merge    *policy.Policy // see Rendered
	kind     tree.Kind
	path     *pathTemplate // nil where the path has no action
	badPath  error         // what is wrong with a path that has none
	when     *engine.Template
	template *engine.Template // nil: copied
	static   Rendered         // of a copied file
}

// Names returns the golden paths that a tree of a platform repository has, in
// order: the folders below goldenpaths/ with a manifest.
func Names(files tree.Tree) []string {
	var names []string
	for p := range files {
		dir, base := path.Split(p)
		if root, name := path.Split(strings.TrimSuffix(dir, "/")); root == Root+"/" && base == ManifestName {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// UnknownError says that a tree has no golden path of a name.
type UnknownError struct {
	Name  string
	Known []string
}

// Error names the golden paths that may have been meant.
func (e *UnknownError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("there is no golden path %q: there is no %s/*/%s", e.Name, Root, ManifestName)
	}
	return fmt.Sprintf("there is no golden path %q; %s", e.Name, nearest.Hint(e.Name, e.Known))
}

// Load reads the golden path called name, with everything that it includes, from
// a tree whose paths begin with "goldenpaths/". The error is [UnknownError] or
// [document.Problems] with every mistake found.
func Load(files tree.Tree, name string) (*GoldenPath, error) {
	l := loader{files: files, set: engine.NewSet(engine.Limits{})}
	if err := l.include(name, nil); err != nil {
		return nil, err
	}
	return l.build()
}

type loader struct {
	files    tree.Tree
	set      *engine.Set
	layers   []*Manifest // in order of rendering; the last is the golden path itself
	problems document.Problems
}

// include adds the layers of name, depth first, each once.
func (l *loader) include(name string, above []string) error {
	if slices.Contains(above, name) {
		return document.Problems{{File: manifestPath(name), Line: 1, Column: 1, Message: "golden paths include each other in a circle: " + strings.Join(append(above, name), " → ")}}
	}
	if slices.ContainsFunc(l.layers, func(m *Manifest) bool { return m.Name == name }) {
		return nil
	}
	f, ok := l.files[manifestPath(name)]
	if !ok {
		return &UnknownError{name, Names(l.files)}
	}
	m, err := ParseManifest(manifestPath(name), f.Data)
	if err != nil {
		return err
	}
	for i, layer := range m.Includes {
		err := l.include(layer, append(above, name))
		if u, unknown := errors.AsType[*UnknownError](err); unknown {
			return document.Problems{m.doc.At(u.Error(), "", "includes", fmt.Sprint(i))}
		}
		if err != nil {
			return err
		}
	}
	l.layers = append(l.layers, m)
	return nil
}

func manifestPath(name string) string { return Root + "/" + name + "/" + ManifestName }

func (l *loader) build() (*GoldenPath, error) {
	g := &GoldenPath{Manifest: l.layers[len(l.layers)-1], Digest: l.digest(), set: l.set, layers: l.layers}
	g.inputs = l.mergedInputs()
	g.optional = Inputs{}
	for name := range g.properties() {
		g.optional[name] = nil
	}
	g.secrets = secretsOf(g.inputs)
	for _, s := range g.secrets {
		delete(g.optional, s)
	}
	var err error
	if g.schema, err = document.Compile(g.inputs); err != nil {
		return nil, l.schemaProblems(err)
	}
	g.later = g.schema
	if len(g.secrets) > 0 {
		if g.later, err = document.Compile(withoutSecrets(g.inputs, g.secrets)); err != nil {
			return nil, l.schemaProblems(err)
		}
	}
	for _, m := range l.layers {
		l.partials(m)
	}
	for _, m := range l.layers {
		cs, ps := m.parseComputed(l.set)
		g.computed = append(g.computed, cs...)
		l.problems = append(l.problems, ps...)
		g.sources = append(g.sources, l.sources(m)...)
		for p := range l.files.Under(Root + "/" + m.Name + "/template") {
			g.files = append(g.files, sourcePath(p))
		}
	}
	slices.Sort(g.files)
	return g, l.problems.Err()
}

// digest covers what rendering reads, so that a change of a README, a changelog
// or a test makes nobody be behind.
func (l *loader) digest() string {
	read := tree.Tree{}
	for _, m := range l.layers {
		dir := Root + "/" + m.Name
		read[manifestPath(m.Name)] = l.files[manifestPath(m.Name)]
		for _, sub := range []string{"template", "partials"} {
			for p, f := range l.files.Under(dir + "/" + sub) {
				read[dir+"/"+sub+"/"+p] = f
			}
		}
	}
	return read.Digest()
}

// mergedInputs joins the layers' schemas; where two declare the same input, or the same
// definition, the later one's declaration holds. All other rules hold together.
func (l *loader) mergedInputs() map[string]any {
	all := map[string]any{"type": "object"}
	props := map[string]any{}
	var required, rules []any
	for _, m := range l.layers {
		for k, v := range m.Inputs {
			switch k {
			case "properties":
				own, _ := v.(map[string]any)
				maps.Copy(props, own)
			case "required":
				own, _ := v.([]any)
				for _, r := range own {
					if !slices.Contains(required, r) {
						required = append(required, r)
					}
				}
			case "$defs", "definitions":
				own, _ := v.(map[string]any)
				if before, ok := all[k].(map[string]any); ok {
					own = joined(before, own)
				}
				all[k] = own
			case "type", "additionalProperties", "unevaluatedProperties": // what is unknown is told otherwise
			case "$schema", "$id", "$comment", "title", "description", "x-ui":
				all[k] = v
			}
		}
		rules = append(rules, rulesOf(m.Inputs)...)
	}
	all["properties"] = props
	if len(rules) > 0 {
		all["allOf"] = rules
	}
	if len(required) > 0 {
		all["required"] = required
	}
	return all
}

func joined(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// rulesOf returns what a schema says about its inputs together, each rule as a schema
// of its own.
func rulesOf(schema map[string]any) []any {
	var rules []any
	for _, k := range slices.Sorted(maps.Keys(schema)) {
		switch v := schema[k]; k {
		case "allOf":
			list, _ := v.([]any)
			rules = append(rules, list...)
		case "if":
			rule := map[string]any{}
			for _, part := range []string{"if", "then", "else"} {
				if v, ok := schema[part]; ok {
					rule[part] = v
				}
			}
			rules = append(rules, rule)
		case "anyOf", "oneOf", "not", "dependentRequired", "dependentSchemas", "dependencies",
			"minProperties", "maxProperties", "propertyNames", "patternProperties", "const", "enum", "$ref":
			rules = append(rules, map[string]any{k: v})
		}
	}
	return rules
}

// schemaProblems places what is wrong with the joined inputs in the layers'
// manifests, as far as a layer is wrong by itself.
func (l *loader) schemaProblems(joined error) document.Problems {
	var ps document.Problems
	for _, m := range l.layers {
		ps = append(ps, m.checkSchema()...)
	}
	if len(ps) > 0 {
		return ps
	}
	return document.Gather(manifestPath(l.layers[len(l.layers)-1].Name), joined)
}

// note keeps a mistake and goes on, so that all are told at once.
func (l *loader) note(file string, err error) {
	l.problems = append(l.problems, document.Gather(file, err)...)
}

func (l *loader) partials(m *Manifest) {
	dir := Root + "/" + m.Name + "/partials"
	files := l.files.Under(dir)
	for _, p := range files.Paths() {
		name, ok := strings.CutSuffix(p, ".tmpl")
		if !ok {
			continue
		}
		l.note(dir+"/"+p, l.set.AddPartial(name, dir+"/"+p, files[p].Data, m.Delimiters))
	}
}

func (l *loader) sources(m *Manifest) []sourceFile {
	dir := Root + "/" + m.Name + "/template"
	files := l.files.Under(dir)
	var ss []sourceFile
	for _, p := range files.Paths() {
		s, err := l.source(m, dir+"/"+p, p, files[p])
		l.note(dir+"/"+p, err)
		if s.rule.Mode != Ignore {
			ss = append(ss, s)
		}
	}
	return ss
}

func (l *loader) source(m *Manifest, file, p string, f tree.File) (sourceFile, error) {
	s := sourceFile{layer: m.Name, file: file, source: sourcePath(p), kind: f.Kind}
	s.rule = l.rule(m, s.source)
	if said := s.rule.Merge.Over(l.layers[len(l.layers)-1].Merge.Over(m.Merge)); said.Says() {
		s.merge = &said
	}
	var ps document.Problems
	parse := func(text string, d engine.Delimiters, place func(error) document.Problem) *engine.Template {
		t, err := l.set.Parse(file, []byte(text), d)
		if err != nil {
			ps = append(ps, place(err))
		}
		return t
	}
	if strings.Contains(s.source, m.opening()) {
		var err error
		s.path, err = parsePath(s.source, func(text string) (*engine.Template, error) {
			return l.set.Parse(file, []byte(text), m.Delimiters)
		}, m.Delimiters)
		if err != nil {
			ps = append(ps, s.inPath(err))
		}
	} else {
		s.badPath = checkPath(s.source)
	}
	if s.rule.When != "" {
		s.when = parse(s.rule.When, s.rule.own, s.inWhen)
	}
	if strings.HasSuffix(p, ".tmpl") && !f.Kind.IsLink() {
		s.template = parse(string(f.Data), s.rule.Delimiters, func(err error) document.Problem { return document.Gather(file, err)[0] })
	} else {
		s.static = Rendered{File: f, Mode: s.rule.Mode, Layer: m.Name, Origin: s.source, Merge: s.merge}
		s.static.blob = f.Blob()
	}
	return s, ps.Err()
}

// rule finds the rule of a layer's file: the golden path's own rules come first,
// then the layer's.
func (l *loader) rule(m *Manifest, source string) Rule {
	r, ok := l.layers[len(l.layers)-1].rule(source)
	if !ok {
		r, _ = m.rule(source)
	}
	if r.Delimiters == (engine.Delimiters{}) {
		r.Delimiters = m.Delimiters
	}
	return r
}

// Layers returns the names of what a golden path is made of: what it includes, in the
// order of rendering, and itself at the end.
func (g *GoldenPath) Layers() []string {
	names := make([]string, len(g.layers))
	for i, m := range g.layers {
		names[i] = m.Name
	}
	return names
}

// MergeRules are what the manifests of all layers say about changes that meet.
type MergeRules []LayerMerge

// LayerMerge is what one layer's manifest says: for all of it, and for files.
type LayerMerge struct {
	Whole policy.Policy
	Files []FileMerge // the first that matches holds
}

// FileMerge is what a rule says about the files that it is for.
type FileMerge struct {
	Glob  string
	Merge policy.Policy
}

// MergeRules returns what the golden path says about changes that meet.
func (g *GoldenPath) MergeRules() MergeRules {
	var all MergeRules
	for _, m := range g.layers {
		l := LayerMerge{Whole: m.Merge}
		for _, r := range m.Files {
			l.Files = append(l.Files, FileMerge{r.Glob, r.Merge})
		}
		all = append(all, l)
	}
	return all
}

// Of returns what is said about a file that is not rendered any more; source is its
// path below template/.
func (rules MergeRules) Of(source string) policy.Policy {
	var whole, ruled policy.Policy
	for _, l := range rules {
		whole = l.Whole.Over(whole)
		for _, f := range l.Files {
			if ok, _ := doublestar.Match(f.Glob, source); ok {
				ruled = f.Merge
				break
			}
		}
	}
	return ruled.Over(whole)
}

// Sources returns the files below template/ of all layers, without .tmpl, in
// order. Where two layers have the same, it is there once.
func (g *GoldenPath) Sources() []string {
	var all []string
	for _, s := range g.sources {
		all = append(all, s.source)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Problems are mistakes in golden paths, each with its place.
type Problems = document.Problems

// Gather returns the mistakes that an error of this package holds; file is where
// one without a place of its own belongs.
func Gather(file string, err error) Problems { return document.Gather(file, err) }
