package walks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// batch is how many members are queued at once.
const batch = 200

// Changed looks which members the platform repository has something new for, and
// queues them. What changed is read from the golden paths' digests, not from the
// push: a change of a README reaches nobody. Where a newer push asks for the same, it
// stops, and leaves everybody to that.
func (w *Walks) Changed(ctx context.Context) error {
	src, err := w.Platforms.Latest(ctx, w.Platform, w.PlatformURL)
	if err != nil {
		return err
	}
	_, commit, err := src.Resolve("", "")
	if err != nil {
		return err
	}
	files, err := src.Tree(ctx, commit)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range scaffold.Names(files) {
		if _, err := scaffold.Load(files, name); err != nil {
			// Members keep their state, and hear nothing: it is not theirs to repair.
			errs = append(errs, w.broken(ctx, commit, name, err))
			continue
		}
		err := w.changed(ctx, name)
		if errors.Is(err, errSuperseded) {
			break
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// BrokenKey begins the key of the check that says that a golden path cannot be read; its
// name follows.
const BrokenKey = "broken "

// broken tells the platform team, once on the commit, that a golden path on the
// default branch cannot be read.
func (w *Walks) broken(ctx context.Context, commit, name string, why error) error {
	check := Check{
		Commit: commit, Name: "golden path " + name, Key: BrokenKey + name, Status: "completed", Conclusion: "failure",
		Title:   name + " cannot be read",
		Summary: "Nobody gets this version of " + name + ", and every member stays as it is, until this is repaired:\n\n" + fenced(why.Error()),
	}
	if problems, ok := errors.AsType[scaffold.Problems](why); ok {
		for _, p := range problems {
			check.Annotations = append(check.Annotations, Annotation{Path: p.File, Line: max(p.Line, 1), Level: "failure", Message: p.Message})
		}
	}
	return w.Hub.Client(w.Platform, toCheck, true).EnsureCheck(ctx, check)
}

func (w *Walks) changed(ctx context.Context, name string) error {
	s := w.syncer(w.Platform)
	newest := map[[2]string]*reconcile.GoldenPath{} // by source and channel
	var waiting []Place
	flush := func() error {
		due := waiting
		waiting = nil
		if len(due) == 0 {
			return nil
		}
		return w.Queue.Sync(ctx, "a new version of "+name, due...)
	}
	err := w.Registry.Following(ctx, name, func(r Record) error {
		if newer, err := w.Queue.Superseded(ctx); err != nil || newer {
			return cmp.Or(err, errSuperseded)
		}
		key := [2]string{r.Source, r.Channel}
		g, ok := newest[key]
		if !ok {
			var err error
			if g, err = s.GoldenPath(ctx, r.Source, name, r.Channel); err != nil {
				// What this member's channel means cannot be read; it keeps its state.
				return w.Registry.Failed(ctx, r.At.Repository, name, err)
			}
			newest[key] = g
		}
		if r.Held == g.Digest {
			return w.Queue.SyncAt(ctx, r.At, r.HeldUntil) // which it is already, unless that was lost
		}
		if r.Digest == g.Digest || (r.PullRequest != 0 || r.Refused != "") && r.Offered == g.Digest {
			return nil
		}
		if waiting = append(waiting, r.At); len(waiting) < batch {
			return nil
		}
		return flush()
	})
	if errors.Is(err, errSuperseded) {
		return err // nobody is queued for a version that is not the newest
	}
	return errors.Join(err, flush())
}

// How far back failed deliveries are asked for.
const (
	redeliverFor  = 3 * 24 * time.Hour // as long as GitHub keeps them
	refusedBefore = time.Hour          // when it is known that some were refused just now
)

// Sweep finds what deliveries did not tell: those that failed, repositories that
// began or ceased to follow golden paths, and members whose last work came to
// nothing.
func (w *Walks) Sweep(ctx context.Context) error {
	err := w.redeliver(ctx, redeliverFor)
	var due []Place
	there := map[int64]bool{}
	whole, surveyed := w.Hub.Survey(ctx, func(s Seen) error {
		there[s.At.Repository] = true
		if s.Unread {
			return nil // the next sweep looks again
		}
		records, err := w.Registry.Records(ctx, s.At.Repository)
		if err != nil {
			return err
		}
		settled := len(records) > 0
		for _, r := range records {
			settled = settled && (r.State == Current || r.Held != "") && r.Stuck == ""
		}
		if s.Follows == settled && s.Follows || !s.Follows && len(records) == 0 {
			return nil
		}
		due = append(due, s.At)
		return nil
	})
	return errors.Join(err, surveyed, w.forgetGone(ctx, whole, there), w.Queue.Sync(ctx, "the sweep", due...), w.Changed(ctx))
}

// Redeliver asks for the deliveries again that failed lately: GitHub sends none twice by
// itself. Those that failed earlier are the sweep's.
func (w *Walks) Redeliver(ctx context.Context) error { return w.redeliver(ctx, refusedBefore) }

func (w *Walks) redeliver(ctx context.Context, back time.Duration) error {
	n, err := w.Hub.Redeliver(ctx, w.Now().Add(-back))
	if n > 0 {
		err = errors.Join(err, w.Registry.Note(ctx, Event{Kind: "deliveries asked for again", What: fmt.Sprintf("%d had failed", n)}))
	}
	return err
}

// forgetGone forgets members that are not among what was listed whole, and that
// cannot be read either: one answer that there is no such thing is not believed.
func (w *Walks) forgetGone(ctx context.Context, whole []int64, there map[int64]bool) error {
	var gone []Record
	err := w.Registry.Following(ctx, "", func(r Record) error {
		if slices.Contains(whole, r.At.Installation) && !there[r.At.Repository] {
			gone = append(gone, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range gone {
		if _, err := w.Hub.Client(r.At, toRead, false).Look(ctx, Ask{}); !errors.Is(err, ErrNotFound) {
			continue
		}
		if err := w.Registry.Forget(ctx, r.At.Repository, r.GoldenPath); err != nil {
			return err
		}
	}
	return nil
}
