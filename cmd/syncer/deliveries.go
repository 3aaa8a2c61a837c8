package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/goldenpaths/syncer/internal/settings"
	"github.com/goldenpaths/syncer/internal/store"
)

func (a *app) deliveriesCommand() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use: "deliveries [GUID]", Short: "Show what became of GitHub's deliveries",
		Long: `List the newest deliveries that the server has processed, with how many jobs each
made, or why it made none. With GUID, as the App's advanced settings on GitHub show it,
only that one: a delivery that is not known was not processed, and GitHub is asked for
it again.`,
		Example: "  syncer deliveries --config /etc/syncer/syncer.yaml\n  syncer deliveries 72d3162e-cc78-11e3-81ab-4c9367dc0958 --config /etc/syncer/syncer.yaml",
		Args:    between(0, 1, "at most one GUID"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.deliveries(cmd, args, most) },
	}
	cmd.Flags().IntVar(&most, "limit", 50, "list at most this many")
	settings.AddFlags(cmd.Flags())
	return cmd
}

// deliveryReport is a delivery in JSON.
type deliveryReport struct {
	GUID         string    `json:"guid"`
	Event        string    `json:"event"`
	Action       string    `json:"action,omitempty"`
	Installation int64     `json:"installation,omitempty"`
	Repository   int64     `json:"repository,omitempty"`
	Received     time.Time `json:"received"`
	Jobs         int       `json:"jobs"`
	Outcome      string    `json:"outcome,omitempty"`
}

func (a *app) deliveries(cmd *cobra.Command, args []string, most int) (err error) {
	db, err := a.configuredDatabase(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var list []store.Delivery
	if len(args) > 0 {
		one, err := db.Delivery(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		list = []store.Delivery{one}
	} else if list, err = db.Deliveries(cmd.Context(), max(most, 1)); err != nil {
		return err
	}
	reports := make([]deliveryReport, 0, len(list))
	for _, d := range list {
		reports = append(reports, deliveryReport{d.GUID, d.Event, d.Action, d.Installation, d.Repository, d.Received, d.Jobs, d.Outcome})
	}
	if a.json {
		return a.report(reports)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, r := range reports {
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\n", r.Received.UTC().Format(time.RFC3339), r.GUID, r.Event, r.Action, many(r.Jobs, "job"), r.Outcome)
	}
	return w.Flush()
}
