package walks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

// Sync brings one repository up to date with every golden path that it follows, by
// one pull request for each, and remembers where it stands. A repository that
// follows none is forgotten. One that is not to be found is not: whether it is gone
// the sweep finds out, and what only its records have would be lost.
func (w *Walks) Sync(ctx context.Context, at Place) error {
	var l last
	err := w.bringAll(ctx, at, wish{}, &l)
	return w.end(ctx, l, err)
}

// wish is how a sync differs from an ordinary one.
type wish struct {
	rebuild  string // a golden path whose branch is built anew, unless people committed to it
	byPerson bool   // somebody asked for it, and waits
	again    bool   // somebody asked for the check about open conflicts
}

// Recheck is Sync that makes the check about open conflicts again, although it says the
// same: until it is made again, GitHub waits for what runs it again.
func (w *Walks) Recheck(ctx context.Context, at Place) error {
	var l last
	err := w.bringAll(ctx, at, wish{again: true}, &l)
	return w.end(ctx, l, err)
}

// sync is Sync as a part of something else.
func (w *Walks) sync(ctx context.Context, at Place, how wish) error {
	var l last
	err := w.bringAll(ctx, at, how, &l)
	return errors.Join(err, w.leave(ctx, l))
}

func (w *Walks) bringAll(ctx context.Context, at Place, how wish, l *last) error {
	c := w.Hub.Client(at, toWrite, false)
	records, err := w.Registry.Records(ctx, at.Repository)
	if err != nil {
		return err
	}
	ask := Ask{Contents: slices.Concat(ownFiles, ownersFiles)}
	for _, r := range records {
		ask.Contents = append(ask.Contents, r.Paths...)
	}
	if len(records) > 0 {
		ask.Branch = branchPrefix + records[0].GoldenPath
	}
	look, err := c.Look(ctx, ask)
	switch {
	case errors.Is(err, ErrNotReady):
		return nil // a repository without a commit follows nothing
	case errors.Is(err, ErrNotFound) && len(records) == 0:
		return nil // nothing can be lost; the sweep finds what is there after all
	case err != nil:
		return errors.Join(err, w.Registry.Failed(ctx, at.Repository, "", err))
	}
	stuck, err := w.stuckSince(ctx, at, records)
	if err != nil {
		return err
	}
	repo := newSnapshot(ctx, c, look, ask.Contents)
	st, err := reconcile.Load(repo)
	if notFollowing(err) {
		return w.unfollowAll(ctx, c, look, ask.Branch, records, stuck != "", l)
	}
	if err != nil {
		return w.stuck(ctx, c, at, "", err)
	}
	names, _ := st.Names("")
	if err := w.unfollow(ctx, c, look, ask.Branch, records, names, l); err != nil {
		return err
	}
	s := w.syncer(at)
	var errs []error
	for _, name := range names {
		record := recordOf(records, at, name)
		record.Stuck = stuck
		b := &bringing{Walks: w, client: c, syncer: s, look: look, asked: ask.Branch, repo: repo, state: st, record: record, wish: how, last: l}
		switch {
		case hasBegun(st, name):
			errs = append(errs, b.bring(ctx, name))
		case look.Repository.IsTemplate:
		case record.Digest != "":
			errs = append(errs, w.stuck(ctx, c, at, name, lockGone(name)))
		default:
			l.scaffold(at)
			return errors.Join(w.putOff(at, errs, l)...)
		}
	}
	if err := errors.Join(w.putOff(at, errs, l)...); err != nil || stuck == "" || len(names) == 0 {
		return err
	}
	return repaired(ctx, c, look.Repository, l)
}

// putOff asks for a look at the time when what has to wait may be done, and returns the
// other errors.
func (w *Walks) putOff(at Place, errs []error, l *last) []error {
	var first time.Duration
	rest := slices.DeleteFunc(errs, func(err error) bool {
		later, is := errors.AsType[*LaterError](err)
		if is && (first == 0 || later.After < first) {
			first = later.After
		}
		return is
	})
	if first > 0 {
		l.syncAt(at, w.Now().Add(first))
	}
	return rest
}

// lockGone says what a member has to do that had a lock.
func lockGone(name string) error {
	return fmt.Errorf("%[1]s has nothing about %[2]s any more, so that what was rendered cannot be told from what was written here. Restore it from the history (git log -- %[1]s), or run syncer adopt %[2]s", drift.LockName, name)
}

// stuckSince returns what the member was told to repair, "" where nothing was.
func (w *Walks) stuckSince(ctx context.Context, at Place, records []Record) (string, error) {
	for _, r := range records {
		if r.Stuck != "" {
			return r.Stuck, nil
		}
	}
	if len(records) > 0 {
		return "", nil
	}
	return w.Registry.Trouble(ctx, at.Repository)
}

// repaired closes the issue that told what kept syncer from going on. Only then the
// records say so: until then the issue is known to be open.
func repaired(ctx context.Context, c Client, repository Repository, l *last) error {
	if err := c.CloseIssue(ctx, stuckKey, "This is repaired, and syncer goes on."); err != nil {
		return err
	}
	*l = append(*l, func(ctx context.Context, r Registry, _ Queue) error {
		records, err := r.Records(ctx, repository.ID)
		if err != nil {
			return err
		}
		for _, record := range records {
			record.Stuck = ""
			if err := r.Remember(ctx, repository, record); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}

func recordOf(records []Record, at Place, name string) Record {
	for _, r := range records {
		if r.GoldenPath == name {
			r.At = at
			return r
		}
	}
	return Record{At: at, GoldenPath: name}
}

// forget drops the records of golden paths that are not followed any more.
func forget(l *last, records []Record, followed []string) {
	for _, r := range records {
		if !slices.Contains(followed, r.GoldenPath) {
			l.forget(r.At.Repository, r.GoldenPath)
		}
	}
}

// stuckKey names the one issue in which a member is told what it has to repair.
const stuckKey = "stuck"

// stuck tells people in the repository what keeps syncer from going on.
func (w *Walks) stuck(ctx context.Context, c Client, at Place, goldenPath string, why error) error {
	if err := w.Registry.Failed(ctx, at.Repository, goldenPath, &PersonError{why}); err != nil {
		return err
	}
	_, err := c.EnsureIssue(ctx, Issue{
		Key:   stuckKey,
		Title: "The golden path cannot be brought up to date",
		Body:  "syncer cannot go on in this repository until this is repaired:\n\n" + fenced(why.Error()) + "\nNothing was changed. The next push to the default branch, or a permission that is granted, lets syncer try again; it also looks by itself every now and then.\n",
	})
	if err != nil && !lasts(err) {
		return fmt.Errorf("telling that a person must act: %w", err) // which is tried again
	}
	return errors.Join(err, &PersonError{why})
}
