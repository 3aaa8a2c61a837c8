package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/settings"
)

// queueFlags say what syncer jobs shows.
type queueFlags struct {
	dead bool
	most int
}

func (a *app) jobsCommand() *cobra.Command {
	var f queueFlags
	cmd := &cobra.Command{
		Use: "jobs", Short: "Show the server's queue, and replay what failed for good",
		Long: `Count the jobs in the server's database by kind and state, or with --dead list the
dead letters: jobs that failed too often, or that wait for a person, and are not
tried again by themselves. The server may be running. The same is on the
administrators' address at /jobs.`,
		Example: "  syncer jobs --config /etc/syncer/syncer.yaml\n  syncer jobs --dead --database sqlite:syncer.db\n  syncer jobs replay 4711 --config /etc/syncer/syncer.yaml",
		Args:    between(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withQueue(cmd, func(ctx context.Context, q *jobs.Client) error {
				if f.dead {
					return a.deadLetters(ctx, q, f.most)
				}
				return a.waiting(ctx, q)
			})
		},
	}
	cmd.Flags().BoolVar(&f.dead, "dead", false, "list the dead letters, the newest first")
	cmd.Flags().IntVar(&f.most, "limit", 100, "list at most this many")
	settings.AddFlags(cmd.Flags())
	cmd.AddCommand(a.replayCommand())
	return cmd
}

func (a *app) replayCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "replay ID…", Short: "Try dead letters again",
		Long: `Put dead letters back into the queue, where the server tries them at once and as
often as a new job. What was done since by newer work is not done again.`,
		Example: "  syncer jobs replay 4711 4712 --config /etc/syncer/syncer.yaml\n  syncer jobs replay --all --config /etc/syncer/syncer.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := jobNumbers(args)
			switch {
			case err != nil:
				return usage(cmd, err)
			case all == (len(ids) > 0):
				return usage(cmd, errors.New("give the numbers of dead letters, or --all; syncer jobs --dead lists them"))
			}
			return a.withQueue(cmd, func(ctx context.Context, q *jobs.Client) error { return a.replay(ctx, q, ids) })
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all that there are")
	settings.AddFlags(cmd.Flags())
	return cmd
}

func jobNumbers(args []string) (ids []int64, err error) {
	for _, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || id <= 0 {
			return nil, fmt.Errorf("%q is not a job's number", arg)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// withQueue runs do with the queue of the configured database.
func (a *app) withQueue(cmd *cobra.Command, do func(context.Context, *jobs.Client) error) error {
	db, err := a.configuredDatabase(cmd)
	if err != nil {
		return err
	}
	err = do(cmd.Context(), jobs.New(jobs.Config{DB: db.DB(), Pool: db.Pool()}))
	return errors.Join(err, db.Close())
}

// waiting shows how many jobs there are of each kind in each state.
func (a *app) waiting(ctx context.Context, q *jobs.Client) error {
	kinds, err := q.Waiting(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.report(kinds)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KIND\tSTATE\tJOBS")
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		for _, state := range slices.Sorted(maps.Keys(kinds[kind])) {
			fmt.Fprintf(w, "%s\t%s\t%d\n", kind, state, kinds[kind][state])
		}
	}
	return w.Flush()
}

// letterReport is a dead letter in JSON.
type letterReport struct {
	ID       int64           `json:"id"`
	Kind     string          `json:"kind"`
	Args     json.RawMessage `json:"args"`
	Delivery string          `json:"delivery,omitempty"`
	Attempts int             `json:"attempts"`
	Created  time.Time       `json:"created"`
	Died     time.Time       `json:"died"`
	Person   bool            `json:"waitsForPerson"`
	Error    string          `json:"error"`
}

func (a *app) deadLetters(ctx context.Context, q *jobs.Client, most int) error {
	reports := []letterReport{}
	cursor := ""
	for len(reports) < most {
		letters, next, err := q.DeadLetters(ctx, cursor, most-len(reports))
		if err != nil {
			return err
		}
		for _, l := range letters {
			reports = append(reports, letterReport{l.ID, l.Kind, l.Args, l.Cause, l.Attempts, l.Created, l.Died, l.Person, l.Error})
		}
		if cursor = next; next == "" {
			break
		}
	}
	if a.json {
		return a.report(reports)
	}
	for _, r := range reports {
		why := "failed " + many(r.Attempts, "time")
		if r.Person {
			why = "waits for a person"
		}
		first, _, _ := strings.Cut(r.Error, "\n")
		fmt.Fprintf(a.out, "%d %s %s %s: %s\n    %s\n", r.ID, r.Kind, r.Died.UTC().Format(time.RFC3339), why, first, r.Args)
	}
	if len(reports) == 0 {
		fmt.Fprintln(a.out, "There are no dead letters.")
	} else if cursor != "" {
		fmt.Fprintln(a.out, "There are more; see --limit.")
	}
	return nil
}

// replay puts dead letters back; without numbers all.
func (a *app) replay(ctx context.Context, q *jobs.Client, ids []int64) error {
	var errs []error
	n := 0
	if len(ids) == 0 {
		all, err := q.ReplayAll(ctx)
		n, errs = all, append(errs, err)
	}
	for _, id := range ids {
		err := q.Replay(ctx, id)
		if err == nil {
			n++
		}
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	if a.json {
		return errors.Join(a.report(map[string]int{"replayed": n}), err)
	}
	fmt.Fprintf(a.out, "tried again: %s\n", many(n, "job"))
	return err
}
