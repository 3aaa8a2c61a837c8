package scaffold

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/scaffold/engine"
)

// After is what creating a repository does besides its files, with the templates
// in it rendered. Layers' steps come first; a later layer's ruleset and variables
// win over an earlier one's.
type After struct {
	Topics       []string
	Teams        map[string]string // permission by name
	Variables    map[string]string
	Environments []string
	Ruleset      string
	PullRequests []AfterPullRequest
	Dispatch     []AfterDispatch
}

// AfterPullRequest is a pull request in another repository, with the rendered
// files below From at Path there.
type AfterPullRequest struct{ Repository, From, Path string }

// AfterDispatch is a workflow to start in another repository.
type AfterDispatch struct {
	Repository, Workflow string
	Inputs               map[string]string
}

// Empty reports whether there is nothing to do.
func (a After) Empty() bool {
	return len(a.Topics)+len(a.Teams)+len(a.Variables)+len(a.Environments)+len(a.PullRequests)+len(a.Dispatch) == 0 && a.Ruleset == ""
}

// After renders the steps that follow a repository's creation. The inputs are what
// [GoldenPath.Resolve] returned. The error is [document.Problems].
func (g *GoldenPath) After(inputs Inputs, m Machine) (After, error) {
	budget := g.budget()
	data, err := g.data(inputs, m, budget)
	if err != nil {
		return After{}, document.Gather(manifestPath(g.Manifest.Name), err)
	}
	prepared := budget.Data(data)
	r := newAfterRenderer(g.set, func(t *engine.Template) ([]byte, []error) {
		out, err := t.ExecuteOn(prepared)
		if err != nil {
			return nil, []error{err}
		}
		return out, nil
	})
	for _, layer := range g.layers {
		r.layer(layer)
	}
	return r.out, r.problems.Err()
}

// afterRenderer goes through all texts of what manifests say.
type afterRenderer struct {
	set      *engine.Set
	execute  func(*engine.Template) ([]byte, []error)
	manifest *Manifest
	out      After
	problems document.Problems
}

func newAfterRenderer(set *engine.Set, execute func(*engine.Template) ([]byte, []error)) *afterRenderer {
	return &afterRenderer{set: set, execute: execute, out: After{Teams: map[string]string{}, Variables: map[string]string{}}}
}

func (r *afterRenderer) layer(m *Manifest) {
	r.manifest = m
	r.repository()
	r.others()
}

// text renders one text of the manifest; a mistake is told where it stands.
func (r *afterRenderer) text(v any, path ...string) string {
	text, _ := v.(string)
	if !strings.Contains(text, r.manifest.opening()) {
		return text
	}
	t, err := r.set.Parse(r.manifest.doc.Name(), []byte(text), r.manifest.Delimiters)
	if err != nil {
		r.mistake(err, path)
		return ""
	}
	out, errs := r.execute(t)
	for _, err := range errs {
		r.mistake(err, path)
	}
	return string(out)
}

func (r *afterRenderer) mistake(err error, path []string) {
	p := document.Gather("", err)[0]
	if p.File == r.manifest.doc.Name() { // and not a partial's
		p = r.manifest.At(p.Message, p.Hint, append([]string{"after"}, path...)...)
	}
	r.problems = append(r.problems, p)
}

func (r *afterRenderer) repository() {
	of, _ := r.manifest.After["repository"].(map[string]any)
	add := func(list []string, key string) []string {
		items, _ := of[key].([]any)
		for i, item := range items {
			if text := r.text(item, "repository", key, fmt.Sprint(i)); text != "" && !slices.Contains(list, text) {
				list = append(list, text)
			}
		}
		return list
	}
	put := func(into map[string]string, key string) {
		pairs, _ := of[key].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			into[r.text(name, "repository", key, name)] = r.text(pairs[name], "repository", key, name)
		}
	}
	r.out.Topics = add(r.out.Topics, "topics")
	r.out.Environments = add(r.out.Environments, "environments")
	put(r.out.Teams, "teams")
	put(r.out.Variables, "variables")
	if v, ok := of["ruleset"]; ok {
		r.out.Ruleset = r.text(v, "repository", "ruleset")
	}
}

func (r *afterRenderer) others() {
	prs, _ := r.manifest.After["pullRequests"].([]any)
	for i, item := range prs {
		of, _ := item.(map[string]any)
		at := func(key string) string { return r.text(of[key], "pullRequests", fmt.Sprint(i), key) }
		r.out.PullRequests = append(r.out.PullRequests, AfterPullRequest{at("repository"), at("from"), at("path")})
	}
	dispatches, _ := r.manifest.After["dispatch"].([]any)
	for i, item := range dispatches {
		of, _ := item.(map[string]any)
		d := AfterDispatch{
			Repository: r.text(of["repository"], "dispatch", fmt.Sprint(i), "repository"),
			Workflow:   r.text(of["workflow"], "dispatch", fmt.Sprint(i), "workflow"), Inputs: map[string]string{},
		}
		pairs, _ := of["inputs"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			d.Inputs[name] = r.text(pairs[name], "dispatch", fmt.Sprint(i), "inputs", name)
		}
		r.out.Dispatch = append(r.out.Dispatch, d)
	}
}
