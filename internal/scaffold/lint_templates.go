package scaffold

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/nearest"
	"github.com/goldenpaths/syncer/internal/scaffold/engine"
	"github.com/goldenpaths/syncer/internal/tree"
)

// templateLint asks templates for names that are not there: what rendering with some
// inputs would stop at.
type templateLint struct {
	*GoldenPath
	known    map[string]any // what templates see; see engine.Template.Ask
	problems document.Problems
}

// lintTemplates finds mistakes in the golden path's own templates, computed values and
// steps after creation. Those of its layers are found where they are golden paths.
func (g *GoldenPath) lintTemplates() document.Problems {
	l := templateLint{GoldenPath: g, known: map[string]any{
		reserved: map[string]any{"repository": engine.Given{}, "version": engine.Given{}, "goldenPath": engine.Given{}},
	}}
	for name := range g.optional {
		l.known[name] = engine.Given{}
		if g.mayBeNull(name) {
			l.known[name] = nil
		}
	}
	for _, c := range g.computed {
		for _, e := range c.template.Ask(l.known, g.secrets) {
			l.note(c.mistake(e))
		}
		l.known[c.name] = engine.Given{}
	}
	for i := range g.sources {
		l.source(&g.sources[i])
	}
	after := newAfterRenderer(g.set, func(t *engine.Template) (out []byte, errs []error) {
		for _, e := range t.Ask(l.known, g.secrets) {
			errs = append(errs, e)
		}
		return nil, errs
	})
	after.layer(g.Manifest)
	for _, p := range after.problems {
		l.note(p)
	}
	return l.problems
}

// mayBeNull reports whether nothing asks for an input, and nothing stands for it.
func (g *GoldenPath) mayBeNull(name string) bool {
	prop, required := g.Input(name)
	return !required && prop["default"] == nil && !names(g.inputs["allOf"], []string{name})
}

// note keeps a mistake in a file of the golden path's own, once.
func (l *templateLint) note(p document.Problem) {
	if strings.HasPrefix(p.File, Root+"/"+l.Manifest.Name+"/") && !slices.Contains(l.problems, p) {
		l.problems = append(l.problems, p)
	}
}

func (l *templateLint) source(s *sourceFile) {
	known := maps.Clone(l.known)
	// Where a file is not always written, its author may know what is there then.
	given := func() {
		for name, v := range known {
			if v == nil {
				known[name] = engine.Given{}
			}
		}
	}
	if s.rule.ForEach != "" {
		given()
		known[s.rule.As] = engine.Given{}
	}
	ask := func(t *engine.Template, place func(error) document.Problem) {
		if t == nil {
			return
		}
		for _, e := range t.Ask(known, l.secrets) {
			l.note(place(e))
		}
	}
	ask(s.when, s.inWhen)
	if s.when != nil {
		given()
	}
	if s.path != nil {
		for _, t := range s.path.segments {
			ask(t, s.inPath)
		}
		given()
	}
	ask(s.template, func(err error) document.Problem { return document.Gather(s.file, err)[0] })
}

// lintLists finds rules whose list is no list, or not there.
func (g *GoldenPath) lintLists() document.Problems {
	var ps document.Problems
	for i, r := range g.Manifest.Files {
		if r.ForEach == "" {
			continue
		}
		at := func(key, message, hint string) {
			ps = append(ps, g.Manifest.At(message, hint, "files", fmt.Sprint(i), key))
		}
		as := cmp.Or(r.As, defaultItem)
		if _, taken := g.known()[as]; taken {
			at("as", fmt.Sprintf("the item is called %q, like an input or a computed value, which templates would not see any more", as), "give it another name with as")
		}
		if wrong, hint := g.noList(r.ForEach); wrong != "" {
			at("forEach", wrong, hint)
		}
	}
	return ps
}

// known returns what templates see by its names: the JSON Schema of each input, and of
// each computed value.
func (g *GoldenPath) known() map[string]any {
	all := maps.Clone(g.properties())
	for _, name := range g.secrets {
		delete(all, name)
	}
	for _, c := range g.computed {
		all[c.name] = map[string]any{"type": c.typ}
	}
	all[reserved] = map[string]any{"type": "object", "properties": map[string]any{"repository": nil, "version": nil, "goldenPath": nil}}
	return all
}

// noList says why a dotted name leads to no list, as far as the schema tells.
func (g *GoldenPath) noList(dotted string) (wrong, hint string) {
	keys := g.known()
	schema := map[string]any{}
	for name := range strings.SplitSeq(dotted, ".") {
		if keys == nil {
			return "", "" // any may be there
		}
		next, ok := keys[name]
		if !ok {
			return fmt.Sprintf("nothing is called %q", name), nearest.Hint(name, slices.Collect(maps.Keys(keys)))
		}
		schema, _ = next.(map[string]any)
		keys, _ = schema["properties"].(map[string]any)
	}
	if typ, ok := schema["type"].(string); ok && typ != "array" {
		return fmt.Sprintf("%q is not a list", dotted), "name an input or computed value of type array"
	}
	return "", ""
}

// lintRequired finds inputs that must be given and that no layer has.
func (g *GoldenPath) lintRequired() document.Problems {
	var ps document.Problems
	required, _ := g.Manifest.Inputs["required"].([]any)
	for i, r := range required {
		if name, ok := r.(string); ok && g.properties()[name] == nil {
			ps = append(ps, g.Manifest.At(fmt.Sprintf("%q is required, but is not among the properties", name), nearest.Hint(name, g.InputNames()), "inputs", "required", fmt.Sprint(i)))
		}
	}
	return ps
}

// factNames are what is known of a repository; see [Facts].
func factNames() []string {
	return []string{"custom_properties", "default_branch", "description", "name", "owner", "topics", "visibility"}
}

// lintHints finds words of an input's schema that do nothing where they stand: nobody
// knows what they ask for, or nobody reads them there.
func (g *GoldenPath) lintHints() document.Problems {
	var ps document.Problems
	at := func(message, hint string, path []string) {
		ps = append(ps, g.Manifest.At(message, hint, append([]string{"inputs"}, path...)...))
	}
	for _, path := range keywordPlaces(g.Manifest.Inputs, "x-from") {
		if len(path) != 3 || path[0] != "properties" {
			at("x-from is read only where it is said of an input itself", "write it below properties, next to the input's type", path)
			continue
		}
		for _, from := range froms(valueAt(g.Manifest.Inputs, path)) {
			fact, _, _ := strings.Cut(strings.TrimPrefix(from, "repository."), ".")
			if !slices.Contains(factNames(), fact) {
				at(fmt.Sprintf("of a repository nothing is known as %q", fact), nearest.Hint(fact, factNames()), path)
			}
		}
	}
	for _, path := range keywordPlaces(g.Manifest.Inputs, "default") {
		if !filled(path) {
			at("this default is not filled in", "only defaults of inputs, of properties in them, and of the items of lists are", path)
		}
	}
	return ps
}

// schemaWords are the keywords of JSON Schema 2020-12, with those that its metaschema
// (https://json-schema.org/draft/2020-12/schema) keeps from before, and syncer's own.
func schemaWords() []string {
	return []string{
		"$anchor", "$comment", "$defs", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$ref", "$schema", "$vocabulary",
		"additionalProperties", "allOf", "anyOf", "const", "contains", "contentEncoding", "contentMediaType", "contentSchema",
		"default", "definitions", "dependencies", "dependentRequired", "dependentSchemas", "deprecated", "description",
		"else", "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format", "if", "items",
		"maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains", "minItems", "minLength", "minProperties", "minimum", "multipleOf",
		"not", "oneOf", "pattern", "patternProperties", "prefixItems", "properties", "propertyNames", "readOnly", "required",
		"then", "title", "type", "unevaluatedItems", "unevaluatedProperties", "uniqueItems", "writeOnly", "x-from", "x-ui",
	}
}

// lintWords finds words of an input's schema that nobody knows. JSON Schema lets them
// pass, and so a misspelled bound would bound nothing, and a secret would be written.
func (g *GoldenPath) lintWords() document.Problems {
	known := schemaWords()
	var ps document.Problems
	for _, path := range keywords(g.Manifest.Inputs, func(word string) bool { return !slices.Contains(known, word) }) {
		word := path[len(path)-1]
		hint := "JSON Schema has no such keyword; what is meant for people goes below x-ui"
		if near := nearest.Names(word, known); len(near) > 0 {
			hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		if strings.Contains(strings.ToLower(word), "secret") {
			hint = "writeOnly: true marks a secret"
		}
		ps = append(ps, g.Manifest.doc.AtKey(fmt.Sprintf("nobody knows what %q asks for", word), hint, append([]string{"inputs"}, path...)...))
	}
	return ps
}

// filled reports whether a default at a path of a schema is filled in.
func filled(path []string) bool {
	for len(path) > 1 {
		switch path[0] {
		case "properties":
			path = path[2:]
		case "items":
			path = path[1:]
		default:
			return false
		}
	}
	return true
}

// lintTogether finds files that are always written and cannot stand in one repository,
// and links that lead out of it.
func (g *GoldenPath) lintTogether() document.Problems {
	files, sources := tree.Tree{}, map[string]*sourceFile{}
	for i := range g.sources {
		if s := &g.sources[i]; s.path == nil && s.badPath == nil && (s.when == nil && s.rule.ForEach == "" || s.kind.IsLink()) {
			files[s.source], sources[s.source] = s.static.File, s
			if s.static.File.Kind == 0 {
				files[s.source] = tree.File{Kind: s.kind}
			}
		}
	}
	ps := unwritable(files, sources)
	for _, p := range files.Paths() {
		if s := sources[p]; s.kind.IsLink() && s.layer == g.Manifest.Name {
			ps = append(ps, g.lintLink(s)...)
		}
	}
	return ps
}

// lintLink finds a link to a template, which is called otherwise once it is rendered.
func (g *GoldenPath) lintLink(s *sourceFile) document.Problems {
	target := string(s.static.File.Data)
	to, is := strings.CutSuffix(target, ".tmpl")
	if !is || !slices.Contains(g.files, path.Join(path.Dir(s.source), to)) || slices.Contains(g.files, path.Join(path.Dir(s.source), target)) {
		return nil
	}
	return document.Problems{{File: s.file, Message: fmt.Sprintf("the symbolic link leads to the template %q, which renders to a file without .tmpl", target), Hint: fmt.Sprintf("have it lead to %q", to)}}
}
