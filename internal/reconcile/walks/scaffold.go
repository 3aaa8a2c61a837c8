package walks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// How long a new repository's content is waited for. GitHub copies a template's
// files after it has told of the repository, for minutes at times; what comes
// later still is found by the push that brings it, and by the sweep.
const (
	contentEvery = 5 * time.Second
	contentFor   = 15 * time.Minute
)

// inputsKey names the one issue in which a new repository is asked for its inputs.
const inputsKey = "inputs"

// Scaffold renders into a new repository what its .goldenpath.yaml asks for. That
// file came with the template that the repository was made from, or a person put
// it there; a repository without it is left alone.
func (w *Walks) Scaffold(ctx context.Context, at Place) error {
	var l last
	err := w.beginAll(ctx, at, &l)
	return w.end(ctx, l, err)
}

// scaffold is Scaffold as a part of something else.
func (w *Walks) scaffold(ctx context.Context, at Place) error {
	var l last
	err := w.beginAll(ctx, at, &l)
	return errors.Join(err, w.leave(ctx, l))
}

func (w *Walks) beginAll(ctx context.Context, at Place, l *last) error {
	c := w.Hub.Client(at, toSetUp, true)
	look, err := c.Look(ctx, Ask{Contents: ownFiles, Facts: true})
	switch {
	case errors.Is(err, ErrNotReady) && look.Repository.FromTemplate != "" && w.Now().Sub(look.Repository.Created) < contentFor:
		return &LaterError{err, contentEvery}
	case errors.Is(err, ErrNotReady):
		return nil
	case err != nil:
		return err
	}
	if r := look.Repository; r.IsTemplate || r.closed() != "" {
		return nil
	}
	repo := newSnapshot(ctx, c, look, ownFiles)
	st, err := reconcile.Load(repo)
	if notFollowing(err) {
		return nil
	}
	if err != nil {
		return w.stuck(ctx, c, at, "", err)
	}
	records, err := w.Registry.Records(ctx, at.Repository)
	if err != nil {
		return err
	}
	stuck, err := w.stuckSince(ctx, at, records)
	if err != nil {
		return err
	}
	names, _ := st.Names("")
	s := w.syncer(at)
	begun := true
	for _, name := range names {
		if hasBegun(st, name) {
			continue
		}
		begun = false
		record := recordOf(records, at, name)
		record.Stuck = stuck
		b := &bringing{Walks: w, client: c, syncer: s, look: look, repo: repo, state: st, record: record, last: l}
		if b.record.Digest != "" {
			return w.stuck(ctx, c, at, name, lockGone(name))
		}
		err := b.begin(ctx, name)
		if _, unknown := errors.AsType[*scaffold.UnknownError](err); unknown {
			// Of one that was there once the platform team knows.
			return w.stuck(ctx, c, at, name, err)
		}
		if err != nil {
			return b.told(ctx, name, err)
		}
		// The next golden path sees what this one wrote.
		if look, err = c.Look(ctx, Ask{Contents: ownFiles}); err != nil {
			return err
		}
		repo = newSnapshot(ctx, c, look, ownFiles)
		if st, err = reconcile.Load(repo); err != nil {
			return err
		}
	}
	if begun {
		l.sync("the repository has its golden paths already", at)
		return nil // which closes what was told, too
	}
	if stuck == "" {
		return nil
	}
	return repaired(ctx, c, look.Repository, l)
}

// hasBegun reports whether a golden path was rendered for this repository. What a
// template repository's lock says was rendered for nobody.
func hasBegun(st *reconcile.State, name string) bool {
	section := st.Lock.GoldenPaths[name]
	return section != nil && section.Repository != ""
}

// facts are what GitHub knows of a repository, for inputs that can be inferred.
func facts(r Repository) scaffold.Facts {
	topics := make([]any, len(r.Topics))
	for i, t := range r.Topics {
		topics[i] = t
	}
	properties := map[string]any{}
	maps.Copy(properties, r.Properties)
	return scaffold.Facts{
		"name": r.Name, "owner": r.Owner, "description": r.Description, "visibility": r.Visibility,
		"default_branch": r.DefaultBranch, "topics": topics, "custom_properties": properties,
	}
}

func (b *bringing) begin(ctx context.Context, name string) error {
	p, err := b.syncer.Begin(ctx, b.repo, b.state, name, facts(b.look.Repository))
	if _, wrong := errors.AsType[scaffold.Problems](err); wrong {
		return b.askForInputs(ctx, name, err)
	}
	if err != nil {
		return err
	}
	b.learn(p)
	b.record.Scaffolded = true
	writes, err := p.Writes()
	if err != nil {
		return err
	}
	text := describe(p, undecided(p), story{})
	if proposed, err := b.beginsAlready(ctx, p, text); proposed || err != nil {
		return err
	}
	commit := Commit{Parent: b.look.Head.Commit, Tree: b.look.Head.Tree, Changes: writes, Message: text.message}
	made, err := b.client.Commit(ctx, commit)
	if err != nil {
		return err
	}
	// Asked for, and remembered, before the repository has begun: whatever happens in
	// between, the steps are done, and the next look notes what was rendered. They can be
	// done again.
	if err := errors.Join(b.Queue.SetUp(ctx, b.record.At), b.remember(ctx)); err != nil {
		return err
	}
	err = b.advance(ctx, commit, &made, Move{Branch: b.look.Head.Branch, From: b.look.Head.Commit, To: made.ID, FastForward: true})
	switch {
	case errors.Is(err, ErrRefused):
		err = b.beginByPullRequest(ctx, p, text.because(err), commit, made)
	case err == nil:
		b.record.Version, b.record.Digest = p.To.Name(), p.To.Digest
		if p.Clean() {
			b.record.State = Current
		}
		b.rememberLast()
		b.noteScaffolded(p.To.Name())
	}
	return err
}

// beginsAlready reports whether the first rendering is proposed by a pull request
// that is open, or was refused.
func (b *bringing) beginsAlready(ctx context.Context, p *reconcile.Planned, text description) (bool, error) {
	if b.record.Pushed == "" {
		return false, nil // the default branch takes it, as far as is known
	}
	before := b.record
	if err := b.lookAtBranch(ctx); err != nil {
		return false, err
	}
	b.asked = b.branch()
	b.takeRefusal(before)
	open := b.openPullRequest()
	if open == nil && b.refused(p.To) {
		b.rememberLast()
		return true, nil
	}
	if open == nil || !strings.Contains(open.Body, text.mark) {
		return false, nil
	}
	b.record.PullRequest, b.record.Offered = open.Number, p.To.Digest
	b.rememberLast()
	return true, nil
}

// beginByPullRequest proposes the first rendering where the default branch is
// protected.
func (b *bringing) beginByPullRequest(ctx context.Context, p *reconcile.Planned, text description, commit Commit, made Committed) error {
	if err := b.lookAtBranch(ctx); err != nil {
		return err
	}
	if b.look.Branch.Commit != "" && !b.ours() {
		return b.onTop(ctx, p, b.openPullRequest())
	}
	b.pushing(made.ID)
	if err := b.remember(ctx); err != nil {
		return err
	}
	if err := b.advance(ctx, commit, &made, Move{Branch: b.branch(), From: b.look.Branch.Commit, To: made.ID}); err != nil {
		return err
	}
	return b.pullRequest(ctx, p, b.openPullRequest(), text, made.ID, undecided(p))
}

// askForInputs opens an issue that lists what a person has to answer. Nothing is
// guessed.
func (b *bringing) askForInputs(ctx context.Context, name string, why error) error {
	follow, _ := b.state.Member.Follows(name)
	g, err := b.syncer.GoldenPath(ctx, follow.Source, name, follow.Wanted(b.syncer.Today))
	if err != nil {
		return b.stuck(ctx, b.client, b.record.At, name, errors.Join(why, err))
	}
	known := g.Infer(follow.Inputs, facts(b.look.Repository))
	_, err = b.client.EnsureIssue(ctx, Issue{Key: inputsKey, Title: "Answer a few questions, and " + name + " is set up", Body: questions(g, known, why)})
	if err != nil {
		return err
	}
	if err := b.Registry.Failed(ctx, b.record.At.Repository, name, why); err != nil {
		return err
	}
	return &PersonError{why}
}

// questions lists the inputs that are missing or wrong, with their rules, and how to
// answer.
func questions(g *reconcile.GoldenPath, known scaffold.Inputs, why error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This repository begins with the golden path **%s**, which needs some answers first:\n\n%s\n", g.Manifest.Name, fenced(why.Error()))
	example := ""
	b.WriteString("| input | what it is | rules |\n|---|---|---|\n")
	for _, name := range g.InputNames() {
		property, required := g.Input(name)
		if g.IsSecret(name) {
			continue // nobody could answer without showing it
		}
		if _, has := known[name]; has && g.CheckInput(name, known[name]) == nil || !required && !strings.Contains(why.Error(), `"`+name+`"`) {
			continue
		}
		title, _ := property["title"].(string)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", code(name), plain(title), plain(rules(property)))
		example += " " + name + "=…"
	}
	if example == "" {
		example = " name=…"
	}
	fmt.Fprintf(&b, "\nAnswer with a comment here, one line:\n\n```\n/syncer set%s\n```\n\nAnybody who may push to this repository can. Or edit %s yourself.\n", example, code(drift.MemberName))
	return b.String()
}

// rules says in words what a JSON Schema asks of a value.
func rules(property map[string]any) string {
	var parts []string
	for _, key := range []string{"type", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "description"} {
		if v, ok := property[key]; ok {
			parts = append(parts, fmt.Sprintf("%s: %v", key, v))
		}
	}
	return strings.Join(parts, "; ")
}
