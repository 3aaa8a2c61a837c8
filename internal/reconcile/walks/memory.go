package walks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

// Memory remembers how people resolved conflicts, for each installation by itself: what
// one organisation did no other one learns.
type Memory interface {
	// Recall returns how the conflict with a key was resolved in other repositories of
	// the installation, and in how many.
	Recall(ctx context.Context, at Place, key string) ([]merge.Resolution, error)
	// Learn remembers what people chose in a repository. What was chosen for the same
	// conflict before counts no more.
	Learn(ctx context.Context, at Place, goldenPath string, choices []drift.Choice) error
	// LearnDecided is Learn for what a lock says was decided, which it goes on saying: what
	// was learned once is not learned again, so that it stays forgotten where it was.
	LearnDecided(ctx context.Context, at Place, goldenPath string, choices []drift.Choice) error
	// Unlearn forgets what was learned from a repository, and returns how much it was.
	Unlearn(ctx context.Context, at Place) (int, error)
}

// others is what other repositories than one did.
type others struct {
	memory Memory
	at     Place
}

// Recall implements reconcile.Memory.
func (o others) Recall(ctx context.Context, key string) ([]merge.Resolution, error) {
	return o.memory.Recall(ctx, o.at, key)
}

// memory is what the plans for a repository may ask.
func (w *Walks) memory(at Place) reconcile.Memory {
	if w.Memory == nil {
		return nil
	}
	return others{w.Memory, at}
}

// maxLesson bounds a text in a lesson. A longer one is remembered by no memory; it is cut
// to what still says that it is too long.
const maxLesson = 16 << 10

// lessons are what was decided on a pull request, for the others.
func (w *Walks) lessons(taken []*reconcile.Resolution) []Lesson {
	var all []Lesson
	for _, r := range taken {
		if w.Memory == nil || len(r.Choices) == 0 {
			continue
		}
		for i, c := range r.Choices {
			r.Choices[i].Text = c.Text[:min(len(c.Text), maxLesson)]
		}
		all = append(all, Lesson{r.GoldenPath, r.Choices})
	}
	return all
}

// learnLessons remembers what an order's commit teaches. Done again, it counts as once.
func (d *ordered) learnLessons(ctx context.Context) error {
	for _, l := range d.step.Lessons {
		if err := d.learn(ctx, d.at, l.GoldenPath, l.Choices); err != nil {
			return err
		}
	}
	return nil
}

func (w *Walks) learn(ctx context.Context, at Place, goldenPath string, choices []drift.Choice) error {
	if w.Memory == nil || len(choices) == 0 {
		return nil
	}
	return w.Memory.Learn(ctx, at, goldenPath, choices)
}

// learnDecided remembers what people decided elsewhere than on our pull requests, on
// the command line mostly, as the lock of the default branch says.
func (b *bringing) learnDecided(ctx context.Context, p *reconcile.Planned) error {
	choices := p.Decided()
	if b.Memory == nil || len(choices) == 0 {
		return nil
	}
	return b.Memory.LearnDecided(ctx, b.record.At, b.record.GoldenPath, choices)
}

// lastPushed is the commit that we moved our branch to last, "" where we never did.
func (r Record) lastPushed() string {
	if all := strings.Fields(r.Pushed); len(all) > 0 {
		return all[0]
	}
	return ""
}

// learnMerged remembers what people wrote in the places that a pull request left
// open, where they merged something else than what we proposed. What cannot be read
// any more is not learned, and that is noted.
func (w *Walks) learnMerged(ctx context.Context, at Place, number int, r Record) error {
	if w.Memory == nil || r.lastPushed() == "" {
		return nil
	}
	choices, err := w.chosen(ctx, at, number, r)
	if _, passes := errors.AsType[interface {
		error
		TryAfter() time.Duration
	}](err); passes {
		return err
	}
	if err != nil {
		return w.Registry.Note(ctx, Event{Repository: at.Repository, GoldenPath: r.GoldenPath, Kind: "not learned", What: fmt.Sprintf("how people resolved the conflicts of #%d: %v", number, err)})
	}
	return w.learn(ctx, at, r.GoldenPath, choices)
}

func (w *Walks) chosen(ctx context.Context, at Place, number int, r Record) ([]drift.Choice, error) {
	c := w.Hub.Client(at, toLearn, false)
	pr, err := c.PullRequest(ctx, number)
	if err != nil || !pr.Merged || slices.Contains(strings.Fields(r.Pushed), pr.HeadCommit) {
		return nil, err
	}
	// A commit's id names its tree as well (https://docs.github.com/rest/git/trees:
	// tree_sha is an id or a ref).
	proposed := newSnapshot(ctx, c, Look{Head: Head{Tree: r.lastPushed()}}, nil)
	merged := newSnapshot(ctx, c, Look{Head: Head{Tree: pr.HeadCommit}}, nil)
	return w.syncer(at).Chosen(ctx, proposed, merged, r.GoldenPath)
}

// forgetLearned obeys the order to forget what was learned from a repository.
func (d *ordered) forgetLearned(ctx context.Context) (string, error) {
	if d.Memory == nil {
		return "Nothing is remembered here: the memory is off.", nil
	}
	n, err := d.Memory.Unlearn(ctx, d.at)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Forgotten: how conflicts were resolved in this repository (%d). Other repositories learn nothing from it any more.", n), nil
}
