package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/store"
)

// memory lets the walks remember how conflicts were resolved.
type memory struct{ db *store.Store }

// takesInStore are the ways to resolve a conflict, as the store has them.
var takesInStore = map[merge.Take]string{merge.TakeOurs: "ours", merge.TakeTheirs: "theirs", merge.TakeText: "text"}

// Recall returns what other repositories of the installation did.
func (m memory) Recall(ctx context.Context, at walks.Place, key string) ([]merge.Resolution, error) {
	found, err := m.db.Resolutions(ctx, at.Installation, at.Repository, key)
	var all []merge.Resolution
	for _, f := range found {
		r := merge.Resolution{Text: f.Text, Count: f.Repositories}
		for take, name := range takesInStore {
			if name == f.Take {
				r.Take = take
			}
		}
		all = append(all, r)
	}
	return all, err
}

// Learn remembers what people chose. A repository of which nothing else is remembered
// teaches nothing: nobody would know when to forget it.
func (m memory) Learn(ctx context.Context, at walks.Place, goldenPath string, choices []drift.Choice) error {
	if _, err := m.db.Repository(ctx, at.Repository); errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	for _, c := range choices {
		_, err := m.db.RememberResolution(ctx, store.Resolution{
			Installation: at.Installation, Repository: at.Repository, GoldenPath: goldenPath,
			Hunk: c.Key, Take: takesInStore[c.Take], Text: c.Text,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// LearnDecided remembers what a lock says was decided, but for what was learned before.
func (m memory) LearnDecided(ctx context.Context, at walks.Place, goldenPath string, choices []drift.Choice) error {
	known, err := m.db.Lessons(ctx, at.Installation, at.Repository, goldenPath)
	if err != nil {
		return err
	}
	return m.Learn(ctx, at, goldenPath, slices.DeleteFunc(choices, func(c drift.Choice) bool {
		return known[store.Lesson{Hunk: c.Key, Take: takesInStore[c.Take]}]
	}))
}

// Unlearn forgets what was learned from a repository.
func (m memory) Unlearn(ctx context.Context, at walks.Place) (int, error) {
	n, err := m.db.ForgetResolutions(ctx, at.Installation, at.Repository)
	return int(n), err
}

// memoryPage lists what is remembered for administrators, who may have it forgotten.
type memoryPage struct{ db *store.Store }

var memoryHTML = template.Must(template.New("memory").Parse(`<!doctype html><html lang="en"><title>syncer: memory</title><h1>How people resolved conflicts</h1>
<p>For each organisation by itself: digests of conflicts, and which side people took or, up to 4 KiB, what they wrote instead.</p>
<table><tr><th>organisation</th><th>installation</th><th>conflicts</th><th>repositories</th><th></th></tr>
{{range .}}<tr><td>{{.Account}}</td><td>{{.Installation}}</td><td>{{.Conflicts}}</td><td>{{.Repositories}}</td><td>
<form method="post" action="/memory"><input type="hidden" name="installation" value="{{.Installation}}">
<input name="repository" placeholder="number of one repository"> <button>forget</button></form></td></tr>
{{else}}<tr><td colspan="5">nothing is remembered</td></tr>{{end}}</table></html>
`))

func (p memoryPage) show(w http.ResponseWriter, r *http.Request) {
	all, err := p.db.Memories(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = memoryHTML.Execute(w, all) // the reader is gone
}

// forget forgets what an installation's repositories, or one of them, taught.
func (p memoryPage) forget(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	installation, err := strconv.ParseInt(r.PostFormValue("installation"), 10, 64)
	repository := int64(0)
	if text := r.PostFormValue("repository"); err == nil && text != "" {
		repository, err = strconv.ParseInt(text, 10, 64)
		if repository == 0 {
			err = errors.New("a repository's number is not 0")
		}
	}
	if err != nil {
		http.Error(w, "give installation, the number of an installation, and where only one repository is to be forgotten its number as repository", http.StatusBadRequest)
		return
	}
	n, err := p.db.ForgetResolutions(r.Context(), installation, repository)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	what := fmt.Sprintf("the resolutions of %s of installation %d", many(n, "conflict"), installation)
	if err := p.db.Log(r.Context(), store.Event{Repository: repository, Kind: "memory forgotten", Who: "an administrator", What: what}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintf(w, "forgotten: %s\n", what) // the reader may be gone
}
