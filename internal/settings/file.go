package settings

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/nearest"
)

// yamlParser reads YAML for koanf and keeps the document, which knows the line of
// every value.
type yamlParser struct {
	name string
	doc  *document.Document
}

// Unmarshal implements koanf's interface.
func (p *yamlParser) Unmarshal(data []byte) (map[string]any, error) {
	doc, err := document.Parse(p.name, data)
	if err != nil {
		return nil, err
	}
	p.doc = doc
	if doc.Value() == nil {
		return map[string]any{}, nil
	}
	values, ok := doc.Value().(map[string]any)
	if !ok {
		return nil, doc.At("a configuration is a mapping of settings", "write key: value")
	}
	// koanf changes what it is given; the document is shared.
	return copied(values), nil
}

// Marshal implements koanf's interface; nothing is written.
func (p *yamlParser) Marshal(map[string]any) ([]byte, error) {
	return nil, fmt.Errorf("%s is only read", p.name)
}

func copied(m map[string]any) map[string]any {
	out := maps.Clone(m)
	for k, v := range out {
		if inner, ok := v.(map[string]any); ok {
			out[k] = copied(inner)
		}
	}
	return out
}

// readLayer reads a file with settings; nil is that there is none.
func readLayer(name string) (*layer, Problems) {
	if _, err := os.Lstat(name); os.IsNotExist(err) {
		return nil, nil
	}
	data, err := readBounded(name, document.MaxSize)
	if err != nil {
		return nil, Problems{{Message: err.Error()}}
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil, nil
	}
	k, parser := koanf.New("."), &yamlParser{name: name}
	if err := k.Load(rawbytes.Provider(data), parser); err != nil {
		var ps Problems
		for _, p := range document.Gather(name, err) {
			ps = append(ps, Problem{Message: p.Error()})
		}
		return nil, ps
	}
	place := func(key string) string {
		return fmt.Sprintf("%s:%d", name, parser.doc.At("", "", pathOf(parser.doc, key)...).Line)
	}
	return &layer{k, func(s Setting) string { return place(s.Key) }}, unknown(k, place)
}

// pathOf returns the way to a key, which may be written with dots or as levels.
func pathOf(doc *document.Document, key string) []string {
	if k, _ := doc.Node(key); k != nil && k.Value == key {
		return []string{key}
	}
	return strings.Split(key, ".")
}

// unknown finds the keys of a file that are no settings.
func unknown(k *koanf.Koanf, place func(string) string) Problems {
	var known []string
	for _, s := range Table() {
		known = append(known, s.Key)
	}
	var ps Problems
	for _, key := range strayKeys(k.Raw(), "", known) {
		hint := nearest.Hint(key, known)
		// A level that was forgotten: app-id for github.app-id.
		for _, full := range known {
			if strings.HasSuffix(full, "."+key) {
				hint = "did you mean " + full + "?"
			}
		}
		ps = append(ps, Problem{Setting: key, From: place(key), Message: "there is no such setting; " + hint})
	}
	return ps
}

// strayKeys returns the keys of a mapping that lead to no setting, sorted.
func strayKeys(m map[string]any, prefix string, known []string) []string {
	var stray []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		key := prefix + name
		if slices.Contains(known, key) {
			continue
		}
		begins := slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, key+".") })
		if inner, ok := m[name].(map[string]any); ok && begins {
			stray = append(stray, strayKeys(inner, key+".", known)...)
			continue
		}
		if m[name] == nil && begins {
			continue // a level with everything in it commented out
		}
		stray = append(stray, key)
	}
	return stray
}
