package jobs

import (
	"context"
	"fmt"
	"net/http"

	"riverqueue.com/riverui"
)

// UI returns River's own pages, to be mounted below prefix ("/jobs") on the
// address for administrators: they show every job's arguments, and let whoever
// reaches them cancel and delete. They refresh until ctx ends.
func (c *Client) UI(ctx context.Context, prefix string) (http.Handler, error) {
	r, err := c.open()
	if err != nil {
		return nil, err
	}
	h, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: riverui.NewEndpoints(r, nil), Logger: c.cfg.Log, Prefix: prefix,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up River's pages: %w", err)
	}
	if err := h.Start(ctx); err != nil {
		return nil, fmt.Errorf("starting River's pages: %w", err)
	}
	return h, nil
}
