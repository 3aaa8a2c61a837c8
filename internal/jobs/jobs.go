// Package jobs does durable work: what is enqueued in a transaction happens, once
// that transaction is committed, whatever becomes of the process.
//
// River keeps the queue, on SQLite and on PostgreSQL with the same code. What this
// package adds is said by the arguments of a job, in methods that they may have
// beside Kind:
//
//   - Lane() string: jobs of one lane are worked on one at a time, whatever their
//     kinds and in whatever process. "" is no lane.
//   - Newest() string: of the jobs with this kind and key only the newest counts.
//     While one waits, newer arguments replace its own; one that is wanted while
//     another runs runs after it. Nothing that was wanted is lost. Its dead letter
//     goes when newer work begins.
//   - Priority() int: 1 is first, 4 is last; without it 3.
//
// A handler is a plain function of a context and the arguments. What it returns
// decides what happens next: nil is done, an error with a method TryAfter()
// time.Duration waits so long without counting as a failure, [PersonMustAct] ends it
// until somebody replays it, everything else is
// tried again at growing distances and then becomes a dead letter. An effect in the
// database belongs into [Finish], which makes it one with the job's completion;
// effects elsewhere must bear repetition.
package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
)

// Args are what a job is told. They are kept as JSON; Kind must be the same for
// every value of the type.
type Args interface{ Kind() string }

// Config is what a [Client] needs. DB is required, and must be migrated before
// Start; the rest has defaults.
type Config struct {
	DB      *sql.DB
	Pool    *pgxpool.Pool // PostgreSQL's connections; nil means that DB is SQLite
	Log     *slog.Logger  // nil: nothing is logged
	Workers int           // jobs at a time; 0: 8
	Timeout time.Duration // for one job; 0: 10 minutes
	// Attempts is how often a failing job is tried before it is a dead letter; 0: 12.
	Attempts int
	// Lost is how long a process may be silent before its jobs are given to others;
	// 0: 30 seconds.
	Lost time.Duration
	// Observe, if set, is told how every job ended, for metrics. It must be quick.
	Observe func(Outcome)
	// Now tells the time; nil: time.Now.
	Now func() time.Time
}

const (
	defaultWorkers  = 8
	defaultTimeout  = 10 * time.Minute
	defaultAttempts = 12
	defaultLost     = 30 * time.Second
	defaultPriority = 3
	// pollEvery is how often waiting jobs are looked for. On PostgreSQL a
	// notification usually comes first.
	pollEvery = 250 * time.Millisecond
	// fetchPause is the least time between two fetches: with 8 workers it allows
	// 400 jobs a second.
	fetchPause = 20 * time.Millisecond
	// deadKept is how long dead letters, and jobs that wait for a person, are kept.
	deadKept = 30 * 24 * time.Hour
	doneKept = 24 * time.Hour
)

// Client enqueues jobs and works on them. Make it with [New], give it what it can
// do with [Handle] and [Every], then call [Client.Start].
type Client struct {
	cfg      Config
	id       string
	workers  *river.Workers
	periodic []*river.PeriodicJob
	stopping atomic.Bool
	helpers  sync.WaitGroup
	halt     context.CancelFunc

	once  sync.Once
	river *river.Client[*sql.Tx]
	err   error
}

// New returns a client without handlers. It does not touch the database.
func New(cfg Config) *Client {
	cfg.Workers = cmp.Or(cfg.Workers, defaultWorkers)
	cfg.Timeout = cmp.Or(cfg.Timeout, defaultTimeout)
	cfg.Attempts = cmp.Or(cfg.Attempts, defaultAttempts)
	cfg.Lost = cmp.Or(cfg.Lost, defaultLost)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Client{cfg: cfg, id: uuid.NewString(), workers: river.NewWorkers(), halt: func() {}}
	Every(c, time.Hour, housekeeping{})
	Handle(c, func(ctx context.Context, _ housekeeping) error { return c.keepHouse(ctx) })
	return c
}

// Handle makes f what does jobs of A's kind. It panics when the kind has a handler
// already or the client has been used: both are mistakes in the program's wiring,
// and show when it starts.
func Handle[A Args](c *Client, f func(ctx context.Context, args A) error) {
	if c.river != nil {
		panic("jobs: Handle after the client was used")
	}
	river.AddWorker(c.workers, &worker[A]{client: c, handle: f})
}

// Every enqueues args at start and then at this distance, once for all replicas,
// unless the last one still waits or runs. Args must have no Newest method: their
// uniqueness is by arguments.
func Every(c *Client, distance time.Duration, args Args) {
	if c.river != nil {
		panic("jobs: Every after the client was used")
	}
	if traitsOf(args).newest {
		panic("jobs: " + args.Kind() + " is periodic and has a Newest method")
	}
	c.periodic = append(c.periodic, river.NewPeriodicJob(river.PeriodicInterval(distance),
		func() (river.JobArgs, *river.InsertOpts) {
			return args, &river.InsertOpts{
				Priority:    traitsOf(args).priority,
				MaxAttempts: c.cfg.Attempts,
				UniqueOpts:  river.UniqueOpts{ByArgs: true, ByState: unfinished},
			}
		}, &river.PeriodicJobOpts{RunOnStart: true}))
}

// unfinished are the states of a job that waits or runs.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// open makes River's client when it is first needed, since it must know every
// handler.
func (c *Client) open() (*river.Client[*sql.Tx], error) {
	c.once.Do(func() {
		var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(c.cfg.DB)
		if c.cfg.Pool != nil {
			driver = riverdatabasesql.NewWithPgxListener(c.cfg.DB, c.cfg.Pool)
		}
		c.river, c.err = river.NewClient(driver, c.riverConfig())
	})
	if c.err != nil {
		return nil, fmt.Errorf("setting up the queue: %w", c.err)
	}
	return c.river, nil
}

func (c *Client) riverConfig() *river.Config {
	return &river.Config{
		ID:                          c.id,
		Logger:                      c.cfg.Log,
		Workers:                     c.workers,
		PeriodicJobs:                c.periodic,
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: c.cfg.Workers}},
		JobTimeout:                  c.cfg.Timeout,
		MaxAttempts:                 c.cfg.Attempts,
		RetryPolicy:                 retryPolicy{now: c.cfg.Now},
		FetchCooldown:               fetchPause,
		FetchPollInterval:           pollEvery,
		FetchOnlyKnownKinds:         true, // an older replica leaves newer work to newer ones
		CompletedJobRetentionPeriod: doneKept,
		CancelledJobRetentionPeriod: deadKept,
		DiscardedJobRetentionPeriod: deadKept,
		// The last resort: replicas that fall silent are noticed sooner, in rescue.go.
		RescueStuckJobsAfter: c.cfg.Timeout + time.Minute,
	}
}

// Start begins to work, and returns. Work goes on until Stop; ctx ending stops it
// as Stop does, without waiting for what runs.
func (c *Client) Start(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	if err := c.beat(ctx); err != nil {
		return err
	}
	if err := r.Start(ctx); err != nil {
		return fmt.Errorf("starting to work: %w", err)
	}
	ctx, c.halt = context.WithCancel(ctx)
	c.helpers.Go(func() { c.watch(ctx) })
	return nil
}

// giveBack is how long jobs have, once cancelled, to notice.
const giveBack = 10 * time.Second

// Stop takes no new jobs and waits for those that run. When ctx ends first, they
// are cancelled and given back to the queue without counting as failed.
func (c *Client) Stop(ctx context.Context) error {
	if c.river == nil {
		return nil
	}
	err := c.river.Stop(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		c.stopping.Store(true)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBack)
		defer cancel()
		err = c.river.StopAndCancel(last)
	}
	c.halt()
	c.helpers.Wait()
	if err != nil {
		return fmt.Errorf("stopping work: %w; what still ran is given to others in %s", err, c.cfg.Lost)
	}
	return c.leave(context.WithoutCancel(ctx))
}
