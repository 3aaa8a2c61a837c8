package drift

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// AddInputs adds inputs to a golden path's entry in the text of .goldenpath.yaml,
// those that it does not give yet, in order of their names, and leaves every other
// byte as it is. The error is [document.Problems] where the entry is written in a
// way that nothing can be added to.
func AddInputs(text []byte, goldenPath string, inputs scaffold.Inputs) ([]byte, error) {
	doc, err := document.Parse(MemberName, text)
	if err != nil {
		return nil, err
	}
	at := entryOf(doc, goldenPath)
	if at == "" {
		return nil, document.Problems{doc.At(fmt.Sprintf("the golden path %q is not here", goldenPath), "", "goldenPaths")}
	}
	_, entry := doc.Node("goldenPaths", at)
	key, given := doc.Node("goldenPaths", at, "inputs")
	missing := maps.Clone(inputs)
	if key != nil {
		for i := 0; i+1 < len(given.Content); i += 2 {
			delete(missing, given.Content[i].Value)
		}
	}
	if len(missing) == 0 {
		return text, nil
	}
	refused := document.Problems{doc.At(fmt.Sprintf("the inputs %v cannot be added to by machine", slices.Sorted(maps.Keys(missing))), "write the inputs one a line", "goldenPaths", at)}
	block := func(n *yaml.Node) bool {
		return n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle == 0 && len(n.Content) > 0
	}
	var after []byte
	switch {
	case key == nil && block(entry):
		after, err = insertYAML(text, lastLine(entry), entry.Column, map[string]any{"inputs": missing})
	case key != nil && block(given):
		after, err = insertYAML(text, lastLine(given), given.Column, missing)
	default:
		return nil, refused
	}
	if err != nil || !onlyAdds(text, after, goldenPath, missing) {
		return nil, errors.Join(err, refused)
	}
	return after, nil
}

// onlyAdds reports whether after says what before does, and the added inputs. A
// value that goes over several lines ends later than its node begins, so that what
// is inserted after it may end up inside.
func onlyAdds(before, after []byte, goldenPath string, added scaffold.Inputs) bool {
	was, err := ParseMember(before)
	if err != nil {
		return false
	}
	is, err := ParseMember(after)
	if err != nil {
		return false
	}
	for i := range was.GoldenPaths {
		if f := &was.GoldenPaths[i]; f.Name == goldenPath {
			f.Inputs = maps.Clone(f.Inputs)
			if f.Inputs == nil {
				f.Inputs = scaffold.Inputs{}
			}
			maps.Copy(f.Inputs, added)
		}
	}
	return fmt.Sprint(*was) == fmt.Sprint(*is)
}

// entryOf returns the index of a golden path's entry as a step of a path, or "".
func entryOf(doc *document.Document, goldenPath string) string {
	_, list := doc.Node("goldenPaths")
	if list == nil {
		return ""
	}
	for i := range list.Content {
		if _, name := doc.Node("goldenPaths", fmt.Sprint(i), "name"); name != nil && name.Value == goldenPath {
			return fmt.Sprint(i)
		}
	}
	return ""
}

// insertYAML inserts v after a line, indented to a column (both from 1).
func insertYAML(text []byte, line, column int, v any) ([]byte, error) {
	lines, err := yaml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", MemberName, err)
	}
	indent := bytes.Repeat([]byte(" "), column-1)
	lines = append(bytes.Clone(indent), bytes.TrimSuffix(bytes.ReplaceAll(lines, []byte("\n"), append([]byte("\n"), indent...)), indent)...)
	at := lineEnd(text, line)
	head := text[:at]
	if len(head) > 0 && head[len(head)-1] != '\n' {
		head = append(bytes.Clone(head), '\n')
	}
	return slices.Concat(head, lines, text[at:]), nil
}

// lineEnd returns where the line after a line, from 1, begins.
func lineEnd(text []byte, line int) int {
	at := 0
	for ; line > 0; line-- {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return len(text)
		}
		at += next + 1
	}
	return at
}
