package walks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// batch is how many members are queued at once.
const batch = 200

// Changed looks which members the platform repository has something new for, and
// queues them. What changed is read from the golden paths' digests, not from the
// push: a change of a README reaches nobody.
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
		errs = append(errs, w.changed(ctx, name))
	}
	return errors.Join(errs...)
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
		key := [2]string{r.Source, r.Channel}
		g, ok := newest[key]
		if !ok {
			var err error
			if g, err = s.GoldenPath(ctx, r.Source, name, r.Channel); err != nil {
				// Members keep their state; the platform team hears of it on the commit.
				return w.Registry.Failed(ctx, r.At.Repository, name, err)
			}
			newest[key] = g
		}
		if r.Digest == g.Digest || r.PullRequest != 0 && r.Offered == g.Digest {
			return nil
		}
		if waiting = append(waiting, r.At); len(waiting) < batch {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

// redeliverFor is how long GitHub keeps deliveries.
const redeliverFor = 3 * 24 * time.Hour

// Sweep finds what deliveries did not tell: those that failed, repositories that
// began or ceased to follow golden paths, and members whose last work came to
// nothing.
func (w *Walks) Sweep(ctx context.Context) error {
	n, err := w.Hub.Redeliver(ctx, w.Now().Add(-redeliverFor))
	if n > 0 {
		err = errors.Join(err, w.Registry.Note(ctx, Event{Kind: "deliveries asked for again", What: fmt.Sprintf("%d had failed", n)}))
	}
	var due []Place
	surveyed := w.Hub.Survey(ctx, func(at Place, follows bool) error {
		records, err := w.Registry.Records(ctx, at.Repository)
		if err != nil {
			return err
		}
		settled := len(records) > 0
		for _, r := range records {
			settled = settled && r.State == Current
		}
		if follows == settled && follows || !follows && len(records) == 0 {
			return nil
		}
		due = append(due, at)
		return nil
	})
	return errors.Join(err, surveyed, w.Queue.Sync(ctx, "the sweep", due...), w.Changed(ctx))
}
