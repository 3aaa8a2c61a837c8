package scaffold

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/nearest"
	"github.com/goldenpaths/syncer/internal/scaffold/engine"
)

// Lint returns the mistakes in the golden path's own manifest and files that loading
// it lets pass: an old version that has one must still render, as the base of a
// merge.
func (g *GoldenPath) Lint() document.Problems {
	var ps document.Problems
	for i := range g.sources {
		if s := &g.sources[i]; s.path == nil && s.badPath != nil && s.layer == g.Manifest.Name {
			_, err := s.renderedPath(engine.Data{})
			ps = append(ps, document.Gather(s.file, err)...)
		}
	}
	ps = append(ps, g.lintDefaults()...)
	ps = append(ps, g.lintComputed()...)
	ps = append(ps, g.lintRequired()...)
	ps = append(ps, g.lintHints()...)
	ps = append(ps, g.lintWords()...)
	ps = append(ps, g.lintRules()...)
	ps = append(ps, g.lintLists()...)
	ps = append(ps, g.lintTogether()...)
	ps = append(ps, g.lintTemplates()...)
	return append(ps, g.lintMigrations()...)
}

// lintDefaults finds defaults that their own inputs would not take.
func (g *GoldenPath) lintDefaults() document.Problems {
	var ps document.Problems
	own, _ := g.Manifest.Inputs["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		prop, _ := own[name].(map[string]any)
		def, has := prop["default"]
		if !has && prop["properties"] == nil {
			continue
		}
		at := []string{"inputs", "properties", name}
		if has {
			at = append(at, "default")
		}
		for _, f := range g.misfits(name, withDefaults(prop, def)) {
			if has || len(f.At) > 1 { // a default further down
				ps = append(ps, g.Manifest.doc.At(fmt.Sprintf("the default of %q does not fit: %s", strings.Join(f.At, "."), g.faultOf(f)), "change it, or what the input may be", at...))
			}
		}
	}
	return ps
}

// misfits returns what is wrong with the value of one input.
func (g *GoldenPath) misfits(name string, v any) []document.Fault {
	if v == nil {
		v = map[string]any{}
	}
	return slices.DeleteFunc(g.schema.Check(Inputs{name: v}), func(f document.Fault) bool { return len(f.At) == 0 || f.At[0] != name })
}

func (g *GoldenPath) lintComputed() document.Problems {
	var ps document.Problems
	for i := 0; i+1 < len(g.Manifest.Computed.Content); i += 2 {
		name := g.Manifest.Computed.Content[i].Value
		if g.properties()[name] != nil {
			ps = append(ps, g.Manifest.doc.AtKey(fmt.Sprintf("the computed value %q is called like an input, which templates would not see any more", name), "give it another name", "computed", name))
		}
	}
	return ps
}

// lintRules finds rules that hold for no file.
func (g *GoldenPath) lintRules() document.Problems {
	holds, matches := map[int]bool{}, map[int]bool{}
	for _, source := range g.files {
		first := true
		for i, r := range g.Manifest.Files {
			if ok, _ := doublestar.Match(r.Glob, source); ok {
				matches[i] = true
				holds[i] = holds[i] || first
				first = false
			}
		}
	}
	var ps document.Problems
	for i, r := range g.Manifest.Files {
		at := func(message, hint string) {
			ps = append(ps, g.Manifest.doc.At(message, hint, "files", fmt.Sprint(i), "glob"))
		}
		switch {
		case holds[i]:
		case matches[i]:
			at(fmt.Sprintf("%q never holds: earlier rules match every file that it does", r.Glob), "the first rule that matches holds; put this one before them")
		case strings.HasSuffix(r.Glob, ".tmpl"):
			at(fmt.Sprintf("%q matches no file", r.Glob), "globs match paths without .tmpl")
		default:
			at(fmt.Sprintf("%q matches no file below template/", r.Glob), nearest.Hint(r.Glob, g.files))
		}
	}
	return ps
}

// lintMigrations finds migrations that lead to inputs or files that are not there.
func (g *GoldenPath) lintMigrations() document.Problems {
	steps := make([]int, len(g.Manifest.Migrations))
	for i := range steps {
		steps[i] = i
	}
	slices.SortStableFunc(steps, func(i, j int) int {
		return semver.MustParse(g.Manifest.Migrations[i].To).Compare(semver.MustParse(g.Manifest.Migrations[j].To))
	})
	var ps document.Problems
	for n, i := range steps {
		m := migrationLint{GoldenPath: g, index: i}
		for _, j := range steps[n+1:] {
			m.later = append(m.later, g.Manifest.Migrations[j])
		}
		m.inputs(g.Manifest.Migrations[i])
		m.paths(g.Manifest.Migrations[i])
		ps = append(ps, m.problems...)
	}
	return ps
}

// migrationLint looks at one migration.
type migrationLint struct {
	*GoldenPath
	index    int
	later    []Migration // in their order
	problems document.Problems
}

func (l *migrationLint) fault(message, hint string, at ...string) {
	l.problems = append(l.problems, l.Manifest.doc.At(message, hint, append([]string{"migrations", fmt.Sprint(l.index)}, at...)...))
}

// ends returns what later migrations make of a name; "" where one removes it.
func (l *migrationLint) ends(name string, rename func(Migration) map[string]string, remove func(Migration) []string) string {
	for _, m := range l.later {
		name = cmp.Or(rename(m)[name], name)
		if slices.Contains(remove(m), name) {
			return ""
		}
	}
	return name
}

func (l *migrationLint) inputs(m Migration) {
	ends := func(name string) string {
		return l.ends(name, func(m Migration) map[string]string { return m.Inputs.Rename }, func(m Migration) []string { return m.Inputs.Delete })
	}
	known := func(name string, at ...string) bool {
		end := ends(name)
		if end != "" && l.properties()[end] == nil {
			l.fault(fmt.Sprintf("the golden path has no input %q", end), nearest.Hint(end, l.InputNames()), append([]string{"inputs"}, at...)...)
		}
		return l.properties()[end] != nil
	}
	for _, from := range slices.Sorted(maps.Keys(m.Inputs.Rename)) {
		known(m.Inputs.Rename[from], "rename", from)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Inputs.Default)) {
		if !known(name, "default", name) {
			continue
		}
		if l.IsSecret(ends(name)) {
			l.fault(fmt.Sprintf("the input %q is a secret, which is never written to a file", name), "remove its default", "inputs", "default", name)
			continue
		}
		for _, f := range l.misfits(ends(name), m.Inputs.Default[name]) {
			l.fault(fmt.Sprintf("the default of %q does not fit: %s", name, f.Message), "", "inputs", "default", name)
		}
	}
}

func (l *migrationLint) paths(m Migration) {
	first := map[string]string{} // what is renamed, by its new name
	for _, from := range slices.Sorted(maps.Keys(m.Renames)) {
		to := m.Renames[from]
		if !l.path(from, "renames", from) || !l.path(to, "renames", from) {
			continue
		}
		if from == to {
			l.fault(fmt.Sprintf("%q is renamed to itself", from), "write its new path, or remove the line", "renames", from)
			continue
		}
		if other, twice := first[to]; twice {
			l.fault(fmt.Sprintf("%q and %q are both renamed to %q, and only one file can be there", other, from, to), "rename one, and delete the other with deletes", "renames", from)
			continue
		}
		first[to] = from
		end := l.ends(to, func(m Migration) map[string]string { return m.Renames }, func(m Migration) []string { return m.Deletes })
		if end != "" && !slices.ContainsFunc(l.layers, func(layer *Manifest) bool { return l.renders(layer, end) }) {
			l.fault(fmt.Sprintf("no file below template/ renders to %q", end), nearest.Hint(end, l.files), "renames", from)
		}
	}
	for i, p := range m.Deletes {
		l.path(p, "deletes", fmt.Sprint(i))
	}
}

// path reports whether p can be a file of a golden path's.
func (l *migrationLint) path(p string, at ...string) bool {
	err := checkPath(p)
	if err != nil {
		l.fault(fmt.Sprintf("%q cannot be the path of a file: %v", p, err), "", at...)
	}
	return err == nil
}

// renders reports whether a file of a layer may render to a path, with some inputs.
func (g *GoldenPath) renders(layer *Manifest, p string) bool {
	return slices.ContainsFunc(g.sources, func(s sourceFile) bool {
		return s.layer == layer.Name && (s.source == p || s.path != nil && likePath(s.source, layer.Delimiters).MatchString(p))
	})
}

// likePath matches what a path with actions in it may render to.
func likePath(source string, d engine.Delimiters) *regexp.Regexp {
	left, right := cmp.Or(d[0], "{{"), cmp.Or(d[1], "}}")
	var b strings.Builder
	for {
		text, rest, action := strings.Cut(source, left)
		b.WriteString(regexp.QuoteMeta(text))
		if !action {
			return regexp.MustCompile("^" + b.String() + "$")
		}
		b.WriteString(".*")
		_, source, _ = strings.Cut(rest, right)
	}
}
