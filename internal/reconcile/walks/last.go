package walks

import (
	"context"
	"errors"
	"time"
)

// Ending makes what a walk leaves in the fleet's memory and in the queue one with what
// it belongs to.
type Ending interface {
	// Finish lets write do what is the last that a walk does, in a transaction that also
	// completes the job that ctx belongs to: either all of it is there or nothing,
	// whenever the process dies. In write only what it is given may be used. Outside of a
	// job it is Together.
	Finish(ctx context.Context, write func(Registry, Queue) error) error
	// Together is Finish for a walk that goes on: the job is not completed.
	Together(ctx context.Context, write func(Registry, Queue) error) error
}

// last is what a walk leaves behind, in its order, when everything else is done.
type last []func(ctx context.Context, r Registry, q Queue) error

func (l *last) remember(repository Repository, record Record) {
	*l = append(*l, func(ctx context.Context, r Registry, _ Queue) error { return r.Remember(ctx, repository, record) })
}

func (l *last) forget(repository int64, goldenPath string) {
	*l = append(*l, func(ctx context.Context, r Registry, _ Queue) error { return r.Forget(ctx, repository, goldenPath) })
}

func (l *last) failed(repository int64, goldenPath string, why error) {
	*l = append(*l, func(ctx context.Context, r Registry, _ Queue) error {
		return r.Failed(ctx, repository, goldenPath, why)
	})
}

func (l *last) note(e Event) {
	*l = append(*l, func(ctx context.Context, r Registry, _ Queue) error { return r.Note(ctx, e) })
}

func (l *last) sync(why string, at Place) {
	*l = append(*l, func(ctx context.Context, _ Registry, q Queue) error { return q.Sync(ctx, why, at) })
}

func (l *last) syncAt(at Place, when time.Time) {
	*l = append(*l, func(ctx context.Context, _ Registry, q Queue) error { return q.SyncAt(ctx, at, when) })
}

func (l *last) scaffold(at Place) {
	*l = append(*l, func(ctx context.Context, _ Registry, q Queue) error { return q.Scaffold(ctx, at) })
}

// end ends a walk that went as err says. What went well is completed with what it
// leaves; what did not leaves it too, and is done again.
func (w *Walks) end(ctx context.Context, l last, err error) error {
	if err != nil {
		return errors.Join(err, w.leave(ctx, l))
	}
	if len(l) == 0 {
		return nil
	}
	return w.Ending.Finish(ctx, l.write(ctx))
}

// leave writes what a part of a walk leaves, while the walk goes on.
func (w *Walks) leave(ctx context.Context, l last) error {
	if len(l) == 0 {
		return nil
	}
	return w.Ending.Together(ctx, l.write(ctx))
}

func (l last) write(ctx context.Context) func(Registry, Queue) error {
	return func(r Registry, q Queue) error {
		for _, leave := range l {
			if err := leave(ctx, r, q); err != nil {
				return err
			}
		}
		return nil
	}
}
