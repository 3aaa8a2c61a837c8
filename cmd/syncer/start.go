package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/store"
)

// starting is a workflow that is to be started elsewhere, once for a repository and the
// workflow's inputs.
type starting struct {
	*forge.Client // which may start it
	hub           *hub
	repository    int64
	there         forge.Name
	dispatch      forge.Dispatch
	prefix, work  string // in the store, of all that start this workflow, and of this
}

// Dispatch starts a workflow in another repository that the installation has, once for
// this repository and these inputs.
func (r *repository) Dispatch(ctx context.Context, full, workflow string, inputs map[string]string) error {
	name, err := forge.ParseName(full)
	if err != nil {
		return err
	}
	in := r.hub.app.Installation(r.at.Installation)
	there, err := in.As(forge.Access{Permissions: map[string]string{"metadata": "read"}, Urgent: true}).RepositoryByName(ctx, name)
	if err != nil {
		return fated(err)
	}
	given, err := json.Marshal(inputs) // in the order of their names
	if err != nil {
		return err
	}
	s := starting{
		Client: in.As(forge.Access{Repositories: []int64{there.ID}, Permissions: map[string]string{"actions": "write", "metadata": "read"}, Urgent: true}),
		hub:    r.hub, repository: r.at.Repository, there: there.Name,
		dispatch: forge.Dispatch{Workflow: workflow, Ref: there.DefaultBranch, Inputs: inputs},
		prefix:   fmt.Sprintf("%s in %d with ", workflow, there.ID),
	}
	s.work = fmt.Sprintf("%s%x", s.prefix, sha256.Sum256(given))
	known, err := r.hub.db.BeginStart(ctx, s.repository, s.work)
	if err != nil || known.Done {
		return err
	}
	if known.Again {
		return s.find(ctx, known)
	}
	return s.start(ctx, known)
}

// start starts it. Where the answer is lost, it may have started all the same.
func (s starting) start(ctx context.Context, known store.Start) error {
	run, err := s.Dispatch(ctx, s.there, s.dispatch)
	switch {
	case err == nil:
		return s.hub.db.EndStart(ctx, s.repository, s.work, run.ID)
	case nothingDone(err) && !known.Again:
		return errors.Join(fated(err), s.hub.db.DropStart(ctx, s.repository, s.work))
	}
	return fated(err)
}

// nothingDone reports whether GitHub itself said that it did not do what was asked.
func nothingDone(err error) bool {
	e, ok := errors.AsType[*forge.Error](err)
	return ok && !e.Lost || forge.KindOf(err) == forge.Limited
}

const (
	// doubtTime is how long GitHub may take to show a run, and others to learn what their
	// own starts became.
	doubtTime = 2 * time.Minute
	// doubtEvery is when to look again meanwhile.
	doubtEvery = 30 * time.Second
	// runSlack is how much two clocks, one of which tells whole seconds, may differ.
	runSlack = 5 * time.Second
)

// find finds out whether an earlier try, of which no answer is known, started it.
func (s starting) find(ctx context.Context, known store.Start) error {
	runs, err := s.Runs(ctx, s.there, s.dispatch.Workflow, s.dispatch.Ref, known.Began)
	if err != nil {
		return fated(err)
	}
	all, err := s.hub.db.Starts(ctx, s.prefix)
	if err != nil {
		return err
	}
	now := s.hub.db.Now()
	d := doubtAbout(known, all, runs, now)
	what := fmt.Sprintf("GitHub's answer to starting %s in %s was lost", s.dispatch.Workflow, s.there)
	switch {
	case len(d.runs) == 1 && d.others == 0:
		return s.hub.db.EndStart(ctx, s.repository, s.work, d.runs[0].ID)
	case len(d.runs) > d.others:
		return s.hub.db.EndStart(ctx, s.repository, s.work, 0)
	case d.fresh:
		return &walks.LaterError{Err: errors.New(what + "; whether it started is waited for"), After: doubtEvery}
	case len(d.runs) == 0:
		return s.again(ctx, known, what)
	}
	if err := s.hub.db.TellStart(ctx, s.repository, s.work); err != nil {
		return err
	}
	return fmt.Errorf("%s, and it cannot be told whether one of these runs is for this repository, so it is not started again: %s. Look at them. Where none is, start the workflow yourself. Then comment /syncer setup: this step counts as done", what, d.addresses())
}

// again starts it once more, which is never done without a word.
func (s starting) again(ctx context.Context, known store.Start, what string) error {
	if err := s.hub.db.TryStart(ctx, s.repository, s.work); err != nil {
		return err
	}
	err := s.hub.db.Log(ctx, store.Event{Repository: s.repository, Kind: "workflow started again", Who: "syncer", Job: jobs.ID(ctx),
		What: fmt.Sprintf("%s, and GitHub shows no run of it after %s", what, doubtTime)})
	if err != nil {
		return err
	}
	return s.start(ctx, known)
}

// doubt is what GitHub's list of runs leaves open about a start without an answer.
type doubt struct {
	runs   []forge.Run // of ours since it began, that are no other start's
	others int         // other starts that may be one of them
	fresh  bool        // it, or one of the others, may become clear yet
}

// doubtAbout compares runs with all starts of the same workflow. A start is one run at
// most, so where there are more runs than other starts, this one is among them. What else
// uses the App's key to start the same workflow cannot be told from us.
func doubtAbout(s store.Start, all []store.Start, runs []forge.Run, now time.Time) doubt {
	d := doubt{runs: slices.Clone(runs), fresh: now.Sub(s.Tried) < doubtTime}
	for _, o := range all {
		switch {
		case o.Repository == s.Repository && o.Work == s.Work:
		case o.Run != 0:
			d.runs = slices.DeleteFunc(d.runs, func(r forge.Run) bool { return r.ID == o.Run })
		case o.Done && o.Ended.After(s.Began.Add(-runSlack)):
			d.others++
		case !o.Done && o.Tried.After(s.Began.Add(-doubtTime)):
			d.others++
			d.fresh = d.fresh || now.Sub(o.Tried) < doubtTime
		}
	}
	return d
}

// maxRuns is how many runs are named.
const maxRuns = 10

func (d doubt) addresses() string {
	var named []string
	for _, r := range d.runs[:min(len(d.runs), maxRuns)] {
		named = append(named, r.URL)
	}
	if more := len(d.runs) - maxRuns; more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(named, ", ")
}
