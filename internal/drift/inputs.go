package drift

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// InputEdits is what happens to the inputs that .goldenpath.yaml gives a golden
// path.
type InputEdits struct {
	Rename map[string]string // new names by old ones
	Remove []string
	Add    scaffold.Inputs
}

// Empty reports whether nothing happens.
func (e InputEdits) Empty() bool { return len(e.Rename)+len(e.Remove)+len(e.Add) == 0 }

// AddInputs adds inputs to a golden path's entry in the text of .goldenpath.yaml,
// those that it does not give yet, in order of their names, and leaves every other
// byte as it is. The error is [document.Problems] where the entry is written in a
// way that nothing can be added to.
func AddInputs(text []byte, goldenPath string, inputs scaffold.Inputs) ([]byte, error) {
	return EditInputs(text, goldenPath, InputEdits{Add: inputs})
}

// EditInputs edits a golden path's inputs in the text of .goldenpath.yaml and leaves
// every other byte as it is. What the file does not give is neither renamed nor
// removed, and what it gives is not added. The error is [document.Problems], which
// say what to write by hand where that cannot be done by machine.
func EditInputs(text []byte, goldenPath string, e InputEdits) ([]byte, error) {
	doc, err := document.Parse(MemberName, text)
	if err != nil {
		return nil, err
	}
	at := entryOf(doc, goldenPath)
	if at == "" {
		return nil, document.Problems{doc.At(fmt.Sprintf("the golden path %q is not here", goldenPath), "", "goldenPaths")}
	}
	key, inputs := doc.Node("goldenPaths", at, "inputs")
	given := key != nil && key.Value == "inputs"
	e = e.applicable(given, inputs)
	if e.Empty() {
		return text, nil
	}
	edits := doc.Edit(text)
	if given {
		edits.Keys(key, inputs, document.KeyEdit{Rename: e.Rename, Remove: e.Remove, Put: e.Add})
	} else {
		above, entry := doc.Node("goldenPaths", at)
		edits.Keys(above, entry, document.KeyEdit{Put: map[string]any{"inputs": e.Add}})
	}
	after, err := edits.Text()
	if err == nil {
		err = e.made(text, after, goldenPath)
	}
	if err != nil {
		return nil, e.byHand(doc, at, err)
	}
	return after, nil
}

// applicable leaves out what is done already.
func (e InputEdits) applicable(given bool, inputs *yaml.Node) InputEdits {
	var names []string
	if given {
		for i := 0; i+1 < len(inputs.Content); i += 2 {
			names = append(names, inputs.Content[i].Value)
		}
	}
	e.Rename, e.Add = maps.Clone(e.Rename), maps.Clone(e.Add)
	maps.DeleteFunc(e.Rename, func(from, _ string) bool { return !slices.Contains(names, from) })
	maps.DeleteFunc(e.Add, func(name string, _ any) bool {
		return slices.Contains(names, name) && !slices.Contains(e.Remove, name) && e.Rename[name] == ""
	})
	e.Remove = slices.DeleteFunc(slices.Clone(e.Remove), func(name string) bool { return !slices.Contains(names, name) })
	return e
}

// errOtherMeaning says that an edit would do something else than what is asked for:
// the file is written in a way that was not foreseen.
var errOtherMeaning = errors.New("the file would say something else")

// made checks that after says what before does but for the edits.
func (e InputEdits) made(before, after []byte, goldenPath string) error {
	want, err := ParseMember(before)
	if err != nil {
		return err
	}
	for i := range want.GoldenPaths {
		if f := &want.GoldenPaths[i]; f.Name == goldenPath {
			if f.Inputs, err = e.apply(f.Inputs); err != nil {
				return err
			}
		}
	}
	return saysOnly(want, after)
}

// saysOnly checks that a text of .goldenpath.yaml has a meaning.
func saysOnly(want *Member, text []byte) error {
	is, err := ParseMember(text)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(want, is) {
		return errOtherMeaning
	}
	return nil
}

// apply returns inputs as they are after the edits.
func (e InputEdits) apply(inputs scaffold.Inputs) (scaffold.Inputs, error) {
	out := scaffold.Inputs{}
	for name, v := range inputs {
		if to, ok := e.Rename[name]; ok {
			name = to
		} else if slices.Contains(e.Remove, name) {
			continue
		}
		out[name] = v
	}
	added, err := asWritten(e.Add)
	maps.Copy(out, added)
	return out, err
}

// asWritten returns values as they are after they were written and read again.
func asWritten(values map[string]any) (map[string]any, error) {
	if len(values) == 0 {
		return nil, nil
	}
	text, err := yaml.Marshal(values)
	if err != nil {
		return nil, err
	}
	doc, err := document.Parse(MemberName, text)
	if err != nil {
		return nil, err
	}
	written, _ := doc.Value().(map[string]any)
	return written, nil
}

// SameInput reports whether two values of an input are written in the same way. Numbers
// have several types in Go, by where they were read.
func SameInput(a, b any) bool {
	x, errX := asWritten(map[string]any{"v": a})
	y, errY := asWritten(map[string]any{"v": b})
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

// byHand says what a person has to write where it cannot be done by machine.
func (e InputEdits) byHand(doc *document.Document, at string, why error) error {
	var ps document.Problems
	for _, from := range slices.Sorted(maps.Keys(e.Rename)) {
		ps = append(ps, doc.AtKey(fmt.Sprintf("the input %q is now called %q", from, e.Rename[from]), "rename it here, then sync again", "goldenPaths", at, "inputs", from))
	}
	for _, name := range e.Remove {
		ps = append(ps, doc.AtKey(fmt.Sprintf("the golden path no longer has the input %q", name), "remove it here, then sync again", "goldenPaths", at, "inputs", name))
	}
	if len(e.Add) > 0 {
		lines, err := yaml.Marshal(e.Add)
		if err != nil {
			return errors.Join(why, err)
		}
		hint := "write this below inputs: here, then try again: " + strings.ReplaceAll(strings.TrimSpace(string(lines)), "\n", ", ")
		ps = append(ps, doc.At("inputs are missing which cannot be added by machine", hint, "goldenPaths", at, "inputs"))
	}
	ps[len(ps)-1].Message += " (" + document.Gather(MemberName, why)[0].Message + ")"
	return ps
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
