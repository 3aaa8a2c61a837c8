package reconcile

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// held is an input on its way through migrations.
type held struct {
	value any
	was   string // its name in the member's file; "" where it is not there
	// withdrawn is true where the migration that is undone gave it.
	withdrawn bool
}

// migrateInputs applies migrations to what the member gives, and says how its file
// has to change; known reports whether the golden path has an input.
func migrateInputs(given scaffold.Inputs, ms []scaffold.Migration, known func(string) bool) (scaffold.Inputs, drift.InputEdits) {
	now := map[string]held{}
	for name, v := range given {
		now[name] = held{value: v, was: name}
	}
	for _, m := range ms {
		for name, v := range m.Inputs.Withdraw {
			if h, has := now[name]; has && drift.SameInput(h.value, v) {
				h.withdrawn = true
				now[name] = h
			}
		}
		now = renamed(now, m.Inputs.Rename)
		for name, v := range m.Inputs.Default {
			if _, has := now[name]; !has {
				now[name] = held{value: v}
			}
		}
		for _, name := range m.Inputs.Delete {
			delete(now, name)
		}
	}
	// What a migration gave goes with it, unless the older version takes it too.
	maps.DeleteFunc(now, func(name string, h held) bool { return h.withdrawn && !known(name) })
	return result(given, now)
}

// renamed gives inputs their new names, all in one step. An input whose new name is
// given too stays: which of the two holds is a person's to say.
func renamed(now map[string]held, names map[string]string) map[string]held {
	next := map[string]held{}
	for name, h := range now {
		if _, moves := names[name]; !moves {
			next[name] = h
		}
	}
	for _, from := range slices.Sorted(maps.Keys(names)) {
		h, has := now[from]
		if !has {
			continue
		}
		to := names[from]
		if _, both := next[to]; both {
			to = from
		}
		next[to] = h
	}
	return next
}

// result returns the inputs, and what leads to them from those that are given.
func result(given scaffold.Inputs, now map[string]held) (scaffold.Inputs, drift.InputEdits) {
	inputs := scaffold.Inputs{}
	edits := drift.InputEdits{Rename: map[string]string{}, Add: scaffold.Inputs{}}
	stays := map[string]bool{}
	for name, h := range now {
		inputs[name] = h.value
		stays[h.was] = true
		switch h.was {
		case name:
		case "":
			edits.Add[name] = h.value
		default:
			edits.Rename[h.was] = name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !stays[name] {
			edits.Remove = append(edits.Remove, name)
		}
	}
	return inputs, edits
}

// takes returns the inputs of a newer version, whose migrations ms are, as the golden
// path takes them: under the names that they had, and without those that it does not
// know.
func (g *GoldenPath) takes(inputs scaffold.Inputs, ms []scaffold.Migration, newer string) scaffold.Inputs {
	taken, _ := migrateInputs(inputs, crossed(ms, newer, g.revision.Version), g.declares)
	maps.DeleteFunc(taken, func(name string, _ any) bool { return !g.declares(name) })
	return taken
}

// inputsOf says where the member's file has a golden path's inputs.
func (s *State) inputsOf(name string) scaffold.Place {
	i := slices.IndexFunc(s.Member.GoldenPaths, func(f drift.Follow) bool { return f.Name == name })
	return scaffold.Place{File: drift.MemberName, Text: s.MemberFile, At: []string{"goldenPaths", fmt.Sprint(i), "inputs"}}
}

// refuseSecrets refuses secrets in the member's file, which everybody can read.
func refuseSecrets(isSecret func(input string) bool, at scaffold.Place, inputs scaffold.Inputs) error {
	var ps scaffold.Problems
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if isSecret(name) {
			ps = append(ps, at.Problem(name, fmt.Sprintf("the input %q is a secret, which must not stand in a file", name), "remove it here; nothing needs it after the repository was created. Where it was pushed, make a new one"))
		}
	}
	return ps.Err()
}

// addChange adds to a plan what happens to the member's own file, so that it is
// shown, told and written as every other change is.
func (p *Planned) addChange(edits drift.InputEdits, secret func(input string) bool) error {
	if edits.Empty() {
		return nil
	}
	before := tree.File{Kind: tree.Regular, Data: p.state.MemberFile}
	text, err := drift.EditInputs(before.Data, p.GoldenPath, edits)
	after := tree.File{Kind: tree.Regular, Data: text}
	if err != nil || after.Equal(before) {
		return err
	}
	c := drift.Change{Path: drift.MemberName, Mode: scaffold.Merge, Action: drift.Update, Reason: reasonOf(edits, p.Following.Inputs, secret), Before: &before, After: &after}
	at := slices.IndexFunc(p.Changes, func(other drift.Change) bool { return other.Path > c.Path })
	if at < 0 {
		at = len(p.Changes)
	}
	p.Changes = slices.Insert(p.Changes, at, c)
	return nil
}

// maxShown is how many characters of a value are shown.
const maxShown = 60

// shortly returns a value as one short line.
func shortly(v any) string {
	text, isText := v.(string)
	if !isText {
		if b, err := json.Marshal(v); err == nil {
			text = string(b)
		}
	}
	if text == "" || strings.ContainsFunc(text, unicode.IsControl) {
		text = strconv.Quote(text)
	}
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return text
}

func reasonOf(edits drift.InputEdits, given scaffold.Inputs, secret func(input string) bool) string {
	var parts []string
	for _, from := range slices.Sorted(maps.Keys(edits.Rename)) {
		parts = append(parts, fmt.Sprintf("the input %s is now called %s", from, edits.Rename[from]))
	}
	for _, name := range edits.Remove {
		if secret(name) {
			parts = append(parts, fmt.Sprintf("the input %s is a secret now, which must not stand in a file", name))
			continue
		}
		parts = append(parts, fmt.Sprintf("the golden path no longer has the input %s, which was %s", name, shortly(given[name])))
	}
	for _, name := range slices.Sorted(maps.Keys(edits.Add)) {
		parts = append(parts, fmt.Sprintf("the input %s begins as %s", name, shortly(edits.Add[name])))
	}
	return strings.Join(parts, "; ")
}
