package forge

import (
	"context"
	"fmt"
	"net/http"
)

// Move says where a branch is and where it shall be.
type Move struct {
	Branch string
	// From is the commit at which the branch must be now; "" creates it.
	From string
	// To is the commit at which it shall be; "" deletes it.
	To string
	// FastForward says that To was built on From, so that GitHub's own check makes
	// the move safe where there is no compare-and-swap.
	FastForward bool
}

// zero is the id that stands for no commit.
const zero = "0000000000000000000000000000000000000000"

// Move creates, moves or deletes a branch, if it is where the caller thinks. Where
// it is there already, nothing is wrong. The error is [BranchMovedError] where
// somebody else moved it.
//
// With GraphQL the comparison and the move are one step. Without, a move that is
// no fast-forward is a comparison and then a move: who pushes in the milliseconds
// between loses the branch's place, though not the commit, which GitHub keeps and
// the branch's activity shows. A fast-forward is safe either way.
func (c *Client) Move(ctx context.Context, r Repository, m Move) error {
	if m.From == m.To {
		return nil
	}
	var err error
	switch {
	case m.From == "":
		err = c.createBranch(ctx, r.Name, m)
	case c.graphQL() && r.NodeID != "":
		err = c.swap(ctx, r, m)
		// What GraphQL denies, REST may allow, or it names the permission.
		if k := KindOf(err); k == Unsupported || k == Denied {
			err = c.moveByREST(ctx, r.Name, m)
		}
	default:
		err = c.moveByREST(ctx, r.Name, m)
	}
	switch KindOf(err) {
	case "", Limited, Unauthorized, Suspended, Denied, Refused, Queued:
		return err
	}
	return c.settle(ctx, r.Name, m, err)
}

// settle looks where the branch is after a move that failed or whose answer was
// lost.
func (c *Client) settle(ctx context.Context, n Name, m Move, err error) error {
	found, readErr := c.branchHead(ctx, n, m.Branch)
	switch {
	case readErr != nil:
		return err
	case found.Commit == m.To:
		return nil
	case found.Commit != m.From:
		return &BranchMovedError{Repository: n, Branch: m.Branch, Expected: m.From, Found: found.Commit}
	}
	return err
}

func (c *Client) createBranch(ctx context.Context, n Name, m Move) error {
	body := map[string]string{"ref": "refs/heads/" + m.Branch, "sha": m.To}
	_, err := c.send(ctx, call{op: fmt.Sprintf("creating branch %s of %s", m.Branch, n), method: http.MethodPost, path: n.path("git/refs"), in: body})
	return err
}

// swap moves a branch in one step with the comparison.
func (c *Client) swap(ctx context.Context, r Repository, m Move) error {
	to := m.To
	if to == "" {
		to = zero
	}
	var d document
	d.printf("updateRefs(input:%s){clientMutationId}", d.arg("UpdateRefsInput!", map[string]any{
		"repositoryId": r.NodeID,
		"refUpdates": []map[string]any{{
			"name": "refs/heads/" + m.Branch, "beforeOid": m.From, "afterOid": to, "force": !m.FastForward,
		}},
	}))
	return c.mutate(ctx, fmt.Sprintf("moving branch %s of %s", m.Branch, r.Name), &d)
}

// moveByREST moves without a swap: GitHub checks a fast-forward, and anything else
// is compared first.
func (c *Client) moveByREST(ctx context.Context, n Name, m Move) error {
	k := call{op: fmt.Sprintf("moving branch %s of %s", m.Branch, n), method: http.MethodPatch, path: n.path("git/refs/heads", escapePath(m.Branch))}
	if !m.FastForward || m.To == "" {
		found, err := c.branchHead(ctx, n, m.Branch)
		if err != nil {
			return err
		}
		if found.Commit == m.To {
			return nil
		}
		if found.Commit != m.From {
			return &BranchMovedError{Repository: n, Branch: m.Branch, Expected: m.From, Found: found.Commit}
		}
	}
	if m.To == "" {
		k.method = http.MethodDelete
	} else {
		k.in = map[string]any{"sha": m.To, "force": !m.FastForward}
	}
	_, err := c.send(ctx, k)
	return err
}
