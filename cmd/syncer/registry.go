package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/store"
)

// registry lets the walks see the store.
type registry struct{ db *store.Store }

// Records returns what a repository follows.
func (r registry) Records(ctx context.Context, repository int64) ([]walks.Record, error) {
	found, err := r.db.Repository(ctx, repository)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	members, err := r.db.Memberships(ctx, repository)
	records := make([]walks.Record, len(members))
	for i, m := range members {
		records[i] = asRecord(m, found)
	}
	return records, err
}

// Trouble returns the last thing that went wrong in a repository without records.
func (r registry) Trouble(ctx context.Context, repository int64) (string, error) {
	events, err := r.db.Events(ctx, repository, "", recent)
	for _, e := range events {
		if e.Kind == failure {
			return e.What, err
		}
	}
	return "", err
}

const (
	// failure is the kind of event that tells of a failure.
	failure = "work failed"
	// recent is how far back the log is read for one, in events of the repository.
	recent = 20
)

func asRecord(m store.Member, r store.Repository) walks.Record {
	stuck := ""
	if m.ErrorKind == store.PersonMustAct {
		stuck = m.Error
	}
	return walks.Record{
		Stuck:      stuck,
		At:         walks.Place{Installation: r.Installation, Repository: m.Repository},
		GoldenPath: m.GoldenPath, Source: m.Source, Channel: m.Channel, Version: m.Version, Wanted: m.Wanted,
		State: walks.State(m.State), Drifted: m.Drifted, PullRequest: int(m.PullRequest),
		Pushed: m.PushedHead, Refused: m.Refused, Digest: m.Digest, Offered: m.Offered, Undecided: m.Undecided, Held: m.Held, HeldUntil: m.HeldUntil, Merges: int(m.Merges), MergesSince: m.MergesSince, Paths: m.Paths,
	}
}

// Remember records where a member stands. That it could be looked at ends its last
// error, unless people were told to repair it.
func (r registry) Remember(ctx context.Context, repository walks.Repository, rec walks.Record) error {
	if err := r.db.RememberRepository(ctx, store.Repository{
		ID: repository.ID, Installation: rec.At.Installation, Owner: repository.Owner, Name: repository.Name,
		DefaultBranch: repository.DefaultBranch, Visibility: repository.Visibility, Template: repository.FromTemplate,
		Archived: repository.Archived, Created: repository.Created,
	}); err != nil {
		return err
	}
	m := store.Member{
		Repository: repository.ID, GoldenPath: rec.GoldenPath, Source: rec.Source, Channel: rec.Channel,
		Version: rec.Version, Wanted: rec.Wanted, State: store.State(rec.State), Drifted: rec.Drifted,
		PullRequest: int64(rec.PullRequest), PushedHead: rec.Pushed, Refused: rec.Refused,
		Digest: rec.Digest, Offered: rec.Offered, Undecided: rec.Undecided, Held: rec.Held, HeldUntil: rec.HeldUntil, Merges: int64(rec.Merges), MergesSince: rec.MergesSince, Paths: rec.Paths, Looked: time.Now(),
	}
	if rec.Stuck != "" {
		m.ErrorKind, m.Error, m.Failed = store.PersonMustAct, rec.Stuck, time.Now()
	}
	if rec.Scaffolded {
		m.Scaffolded = time.Now()
	}
	return r.db.RememberMember(ctx, m)
}

// Forget drops a membership.
func (r registry) Forget(ctx context.Context, repository int64, goldenPath string) error {
	return r.db.ForgetMember(ctx, repository, goldenPath)
}

// Failed notes an error; one of a repository as a whole is noted for all that it
// follows, and where it follows nothing yet, in the log.
func (r registry) Failed(ctx context.Context, repository int64, goldenPath string, why error) error {
	kind := store.Failed
	var person interface{ PersonMustAct() bool }
	if errors.As(why, &person) {
		kind = store.PersonMustAct
	}
	members, err := r.db.Memberships(ctx, repository)
	if err != nil {
		return err
	}
	members = slices.DeleteFunc(members, func(m store.Member) bool { return goldenPath != "" && m.GoldenPath != goldenPath })
	news := len(members) == 0
	for _, m := range members {
		news = news || m.Error != why.Error()
		if err := r.db.MemberFailed(ctx, repository, m.GoldenPath, kind, why.Error()); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if !news {
		return nil // the log has it: every sweep would add a line otherwise
	}
	return r.Note(ctx, walks.Event{Repository: repository, GoldenPath: goldenPath, Kind: failure, What: why.Error()})
}

// Following visits the members of a golden path, by owner and name.
func (r registry) Following(ctx context.Context, goldenPath string, visit func(walks.Record) error) error {
	for cursor := ""; ; {
		page, next, err := r.db.Members(ctx, store.Filter{GoldenPath: goldenPath, Active: true}, cursor, 0)
		if err != nil {
			return err
		}
		for _, l := range page {
			if err := visit(asRecord(l.Member, l.Repository)); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

// Claim takes a place for a new pull request.
func (r registry) Claim(ctx context.Context, rec walks.Record, l walks.Limits) (walks.Wait, error) {
	until, why, err := r.db.Claim(ctx, rec.At.Repository, rec.GoldenPath, store.Limits(l))
	return walks.Wait{Until: until, Why: why}, err
}

// Settle takes what people have seen to as done.
func (r registry) Settle(ctx context.Context, repository int64) error {
	return r.db.SettleStarts(ctx, repository)
}

// Note adds to the log, with the delivery and job that caused it.
func (r registry) Note(ctx context.Context, e walks.Event) error {
	return r.db.Log(ctx, store.Event{
		Repository: e.Repository, GoldenPath: e.GoldenPath, Kind: e.Kind, Who: "syncer", What: e.What,
		Delivery: jobs.Cause(ctx), Job: jobs.ID(ctx),
	})
}
