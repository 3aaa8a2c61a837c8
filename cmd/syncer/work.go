package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/webhooks"
)

// service is what the walks need to run as jobs.
type service struct {
	*walks.Walks
	*flows
	bot      string // login of the App's own user
	prefix   string // of template repositories; "": none are published
	platform int64  // number of the platform repository
}

// sweep is the periodic look at everything.
type sweep struct{}

// Kind names the job.
func (sweep) Kind() string { return "sweep" }

// Lane is one for all sweeps: two at once would do everything twice.
func (sweep) Lane() string { return "sweep" }

// sweepSoon is a sweep that something asked for, such as an installation that changed.
type sweepSoon struct{}

// Kind names the job.
func (sweepSoon) Kind() string { return "sweep-soon" }

// Newest is one for all: a sweep sees whatever was asked for before it began.
func (sweepSoon) Newest() string { return "all" }

// Lane is that of all sweeps.
func (sweepSoon) Lane() string { return sweep{}.Lane() }

// publish makes the template repositories follow the golden paths.
type publish struct{}

// Kind names the job.
func (publish) Kind() string { return "publish" }

// Newest is one for all: only the last wish counts.
func (publish) Newest() string { return "all" }

// setUp does the steps after a repository's creation. It is work of its own so that
// it outlives a process that dies after the first commit.
type setUp struct {
	Repository   int64 `json:"repository"`
	Installation int64 `json:"installation"`
}

// Kind names the job.
func (setUp) Kind() string { return "set-up" }

// Newest is the repository's number.
func (j setUp) Newest() string { return strconv.FormatInt(j.Repository, 10) }

// Lane is the repository's, as for the jobs that deliveries ask for.
func (j setUp) Lane() string { return "repository " + j.Newest() }

// Priority is first: somebody waits for the repository.
func (setUp) Priority() int { return 1 }

// waiting looks at a repository when what has to wait there may be done. It is work of
// its own, so that other work on the repository does not wait with it.
type waiting struct {
	Repository   int64 `json:"repository"`
	Installation int64 `json:"installation"`
	Due          int64 `json:"due"` // milliseconds since 1970
}

// Kind names the job.
func (waiting) Kind() string { return "waiting" }

// Newest is the repository's number.
func (j waiting) Newest() string { return strconv.FormatInt(j.Repository, 10) }

// Lane is the repository's.
func (j waiting) Lane() string { return "repository " + j.Newest() }

// Priority is last: it has waited already.
func (waiting) Priority() int { return 4 }

// longestWait bounds how far ahead one look is asked for; then it is asked for anew.
const longestWait = 5 * 24 * time.Hour

// wait does what waits in a repository once its time has come.
func (s *service) wait(ctx context.Context, j waiting) error {
	if left := time.UnixMilli(j.Due).Sub(s.Now()); left > 0 {
		return &walks.LaterError{Err: errors.New("a window or a limit of pull requests is waited for"), After: left}
	}
	return s.Due(ctx, walks.Place{Installation: j.Installation, Repository: j.Repository})
}

// register says what is done for each kind of job.
func (s *service) register() {
	f := s.flows
	handle(f, func(ctx context.Context, j webhooks.Scaffold) error {
		if j.Creator.Login == s.bot {
			return nil // a template repository that publish makes
		}
		return s.Scaffold(ctx, place(j.Repository))
	})
	handle(f, func(ctx context.Context, j webhooks.Member) error { return s.Sync(ctx, place(j.Repository)) })
	handle(f, func(ctx context.Context, j webhooks.PathsChanged) error {
		return s.andPublish(ctx, s.Changed(ctx))
	})
	handle(f, func(ctx context.Context, j webhooks.Preview) error {
		return s.Preview(ctx, walks.Change{Number: j.Number, Head: j.Head, Closed: j.Closed})
	})
	handle(f, func(ctx context.Context, j webhooks.CheckManaged) error {
		if j.Ours && s.ManagedCheck != walks.ManagedFails {
			return nil // it would say nothing that anybody waits for
		}
		return s.CheckManaged(ctx, place(j.Repository), j.Number, j.Head)
	})
	handle(f, func(ctx context.Context, j webhooks.Decision) error {
		return s.Decide(ctx, place(j.Repository), j.Number, j.Branch, walks.Verdict(j.Verdict), j.By.Login != s.bot)
	})
	handle(f, func(ctx context.Context, j webhooks.Command) error {
		return s.Command(ctx, place(j.Repository), walks.Order{Number: j.Number, Comment: j.Comment, Text: j.Text, Author: j.Author.Login})
	})
	handle(f, func(ctx context.Context, j webhooks.Checkbox) error {
		if j.Comment != 0 || !j.PullRequest {
			return nil
		}
		return s.Ticked(ctx, place(j.Repository), j.Number, j.Ticked, j.By.Login)
	})
	handle(f, func(ctx context.Context, j setUp) error {
		return s.SetUp(ctx, walks.Place{Installation: j.Installation, Repository: j.Repository})
	})
	handle(f, s.wait)
	handle(f, s.rerun)
	handle(f, s.installed)
	handle(f, s.repositoryChanged)
	handle(f, func(ctx context.Context, j webhooks.FirstDeploy) error {
		return s.finish(ctx, func(_ *sql.Tx, db *store.Store) error {
			_, err := db.Deployed(ctx, j.Repository.ID, time.UnixMilli(j.At))
			return err
		})
	})
	handle(f, func(ctx context.Context, _ publish) error {
		if s.prefix == "" {
			return nil
		}
		return s.Publish(ctx, s.prefix)
	})
	handle(f, func(ctx context.Context, _ sweep) error { return s.sweepAll(ctx) })
	handle(f, func(ctx context.Context, _ sweepSoon) error { return s.sweepAll(ctx) })
	handle(f, func(ctx context.Context, _ redeliver) error { return s.Redeliver(ctx) })
	jobs.Every(s.work, f.cfg.SweepInterval, sweep{})
}

// sweepAll looks at everything.
func (s *service) sweepAll(ctx context.Context) error {
	_, err := s.db.ForgetDeliveries(ctx)
	return s.andPublish(ctx, errors.Join(err, s.Sweep(ctx)))
}

func place(r webhooks.Repository) walks.Place {
	return walks.Place{Installation: r.Installation, Repository: r.ID}
}

// rerun does a check again, or all of a commit. Which pull request it is about is in the
// check's key: GitHub does not tell it of a fork's commit.
func (s *service) rerun(ctx context.Context, j webhooks.Rerun) error {
	keys := []string{j.ExternalID}
	if j.CheckRun == 0 {
		at := s.github.Installation(j.Repository.Installation).As(forge.Access{
			Repositories: []int64{j.Repository.ID}, Permissions: map[string]string{"checks": "read", "metadata": "read"}, Urgent: true})
		var err error
		if keys, err = at.CheckKeys(ctx, forge.Name{Owner: j.Repository.Owner, Repo: j.Repository.Name}, j.Head); err != nil {
			return fated(err)
		}
	}
	var errs []error
	for _, key := range keys {
		errs = append(errs, s.rerunKey(ctx, j, key))
	}
	return errors.Join(errs...)
}

func (s *service) rerunKey(ctx context.Context, j webhooks.Rerun, key string) error {
	switch {
	case strings.HasPrefix(key, walks.PreviewKey):
		return numbered(key, walks.PreviewKey, func(n int) error {
			return s.Preview(ctx, walks.Change{Number: n, Head: j.Head})
		})
	case strings.HasPrefix(key, walks.ManagedKey):
		return numbered(key, walks.ManagedKey, func(n int) error {
			return s.CheckManaged(ctx, place(j.Repository), n, j.Head)
		})
	case strings.HasPrefix(key, walks.BrokenKey):
		return s.Changed(ctx)
	case strings.HasPrefix(key, walks.ConflictsKey):
		return s.Recheck(ctx, place(j.Repository))
	}
	// Earlier versions' checks have no number in their key.
	var errs []error
	for _, n := range j.Numbers {
		errs = append(errs, s.CheckManaged(ctx, place(j.Repository), n, j.Head))
	}
	return errors.Join(errs...)
}

// numbered calls f with the number that follows in a key of ours.
func numbered(key, prefix string, f func(n int) error) error {
	n, err := strconv.Atoi(strings.TrimPrefix(key, prefix))
	if err != nil {
		return nil //nolint:nilerr // none of ours
	}
	return f(n)
}

// andPublish ends a job that went as err says with the wish to publish. What went
// well is completed with it; what did not is tried again, and publishing does not
// wait for that.
func (s *service) andPublish(ctx context.Context, err error) error {
	if err != nil {
		return errors.Join(err, jobs.EnqueueNow(ctx, s.work, "", publish{}))
	}
	return s.finish(ctx, func(tx *sql.Tx, _ *store.Store) error { return jobs.Enqueue(ctx, s.work, tx, "", publish{}) })
}

// installed takes in where the App is installed, and asks for a look at what it sees
// now.
func (s *service) installed(ctx context.Context, j webhooks.Installation) error {
	ended := j.Action == "deleted" || j.Action == "suspend"
	if j.Action == "new_permissions_accepted" {
		s.github.Forget(j.ID) // before what waits for them begins
		if err := s.setUpAgain(ctx, j.ID); err != nil {
			return err
		}
	}
	err := s.finish(ctx, func(tx *sql.Tx, db *store.Store) error {
		for _, r := range j.Removed {
			if err := db.ForgetRepository(ctx, r.ID); err != nil {
				return err
			}
		}
		if err := s.installation(ctx, db, j); err != nil || ended {
			return err
		}
		return jobs.Enqueue(ctx, s.work, tx, "", sweepSoon{})
	})
	if err == nil {
		s.github.Forget(j.ID) // tokens made before would lack new permissions
	}
	return err
}

// setUpAgain takes up the steps after creation that failed in an installation: what
// they lacked may have been granted. The sweep, which looks at files, does not see them.
func (s *service) setUpAgain(ctx context.Context, installation int64) error {
	return s.work.TryAgain(ctx, setUp{}.Kind(), func(args json.RawMessage) bool {
		var at setUp
		return json.Unmarshal(args, &at) == nil && at.Installation == installation
	})
}

// repositoryChanged follows a repository by its number, and asks for a look at it.
func (s *service) repositoryChanged(ctx context.Context, j webhooks.RepositoryChanged) error {
	r := j.Repository
	return s.finish(ctx, func(tx *sql.Tx, db *store.Store) error {
		if j.Action == "deleted" {
			return db.ForgetRepository(ctx, r.ID)
		}
		err := db.RememberRepository(ctx, store.Repository{
			ID: r.ID, Installation: r.Installation, Owner: r.Owner, Name: r.Name,
			DefaultBranch: r.DefaultBranch, Visibility: r.Visibility, Archived: r.Archived,
		})
		if err != nil {
			return err
		}
		return jobs.Enqueue(ctx, s.work, tx, "", webhooks.Member{Repository: r, Why: "it was " + j.Action})
	})
}

// ending lets the walks end jobs.
type ending struct{ *flows }

// Finish implements [walks.Ending].
func (e ending) Finish(ctx context.Context, write func(walks.Registry, walks.Queue) error) error {
	if jobs.ID(ctx) == 0 {
		return e.Together(ctx, write)
	}
	return e.finish(ctx, func(tx *sql.Tx, db *store.Store) error { return write(registry{db}, queue{e.work, tx}) })
}

// Together implements [walks.Ending].
func (e ending) Together(ctx context.Context, write func(walks.Registry, walks.Queue) error) error {
	return e.db.InTx(ctx, func(tx *sql.Tx, db *store.Store) error { return write(registry{db}, queue{e.work, tx}) })
}

// queue lets the walks ask for work: in a transaction, or without one at once.
type queue struct {
	work *jobs.Client
	tx   *sql.Tx
}

func want[A jobs.Args](ctx context.Context, q queue, all ...A) error {
	if q.tx == nil {
		return jobs.EnqueueNow(ctx, q.work, "", all...)
	}
	return jobs.Enqueue(ctx, q.work, q.tx, "", all...)
}

// Sync asks for a look at repositories.
func (q queue) Sync(ctx context.Context, why string, at ...walks.Place) error {
	if len(at) == 0 {
		return nil
	}
	all := make([]webhooks.Member, len(at))
	for i, p := range at {
		all[i] = webhooks.Member{Repository: webhooks.Repository{ID: p.Repository, Installation: p.Installation}, Why: why}
	}
	return want(ctx, q, all...)
}

// SyncAt asks for a look at a repository at a time.
func (q queue) SyncAt(ctx context.Context, at walks.Place, when time.Time) error {
	if most := time.Now().Add(longestWait); when.After(most) {
		when = most
	}
	return want(ctx, q, waiting{Repository: at.Repository, Installation: at.Installation, Due: when.UnixMilli()})
}

// Scaffold asks for a new repository to be filled.
func (q queue) Scaffold(ctx context.Context, at walks.Place) error {
	return want(ctx, q, webhooks.Scaffold{Repository: webhooks.Repository{ID: at.Repository, Installation: at.Installation}})
}

// SetUp asks for the steps after a repository's creation.
func (q queue) SetUp(ctx context.Context, at walks.Place) error {
	return want(ctx, q, setUp{Repository: at.Repository, Installation: at.Installation})
}

// Steps returns what was noted of the job that ctx belongs to.
func (q queue) Steps(ctx context.Context) ([]walks.Step, error) { return jobs.Steps[walks.Step](ctx) }

// NoteStep notes how far the job that ctx belongs to came.
func (q queue) NoteStep(ctx context.Context, n int, s walks.Step) error {
	return jobs.NoteStep(ctx, q.tx, n, s)
}

// Superseded reports whether newer work replaces the job that ctx belongs to.
func (q queue) Superseded(ctx context.Context) (bool, error) {
	if jobs.ID(ctx) == 0 {
		return false, nil // by hand
	}
	return jobs.IsSuperseded(ctx)
}
