package forge

import (
	"context"
	"fmt"

	"github.com/goldenpaths/syncer/internal/tree"
)

// Ask says what to read of one member.
type Ask struct {
	// ID and Name, or NodeID, say which repository; NodeID survives a rename.
	ID     int64
	NodeID string
	Name   Name
	// Ref is the branch to read; "" is the default branch.
	Ref string
	// Paths are those whose object ids and modes are wanted.
	Paths []string
	// Contents are those whose bytes are wanted too.
	Contents []string
	// Branch is ours: its head and its pull requests are read with the rest.
	Branch string
}

// all returns every path that the ask is about.
func (a Ask) all() []string {
	return append(append(make([]string, 0, len(a.Paths)+len(a.Contents)), a.Paths...), a.Contents...)
}

// Member is what was read for an [Ask]: the state of a repository at one commit.
type Member struct {
	Repository Repository
	Head       Head
	// Entries are what those of the paths hold that exist.
	Entries map[string]Entry
	// Files are those of Contents that exist, and what is in their way; as far as one
	// query can tell, which is the files. [Client.Contents] adds the rest.
	Files tree.Tree
	// Branch is where our branch is; zero where there is none.
	Branch Head
	// PullRequests are those of our branch in every state, newest first, at most 5.
	PullRequests []PullRequest
	// Err is why this member could not be read; the others are right all the same.
	// An empty repository is [NotReady].
	Err error
}

// membersPerQuery is how many members one query asks for. GitHub refuses queries
// of more than 500,000 nodes; a member has some 400.
const membersPerQuery = 20

// Members reads the state of many repositories, in the order of the asks, with
// one request for 20 of them. The error is one that concerns them all; what
// concerns one is in its Err.
func (c *Client) Members(ctx context.Context, asks []Ask) ([]Member, error) {
	out := make([]Member, 0, len(asks))
	for len(asks) > 0 {
		n := min(membersPerQuery, len(asks))
		batch, err := c.batch(ctx, asks[:n])
		if err != nil {
			return nil, err
		}
		out = append(out, batch...)
		asks = asks[n:]
	}
	return out, nil
}

// batch reads members by GraphQL where it works, else by REST. A query that
// GitHub cannot answer in its time is halved.
func (c *Client) batch(ctx context.Context, asks []Ask) ([]Member, error) {
	if c.graphQL() {
		members, err := c.query(ctx, asks)
		switch {
		case err == nil:
			return members, nil
		case KindOf(err) == Unavailable && ctx.Err() == nil && len(asks) > 1:
			half := len(asks) / 2
			left, err := c.batch(ctx, asks[:half])
			if err != nil {
				return nil, err
			}
			right, err := c.batch(ctx, asks[half:])
			return append(left, right...), err
		case KindOf(err) != Unsupported && KindOf(err) != Unavailable && KindOf(err) != Invalid && KindOf(err) != Denied:
			return nil, err
		}
	}
	members := make([]Member, len(asks))
	silent := 0
	for i, a := range asks {
		members[i] = c.member(ctx, a)
		if silent++; KindOf(members[i].Err) != Unavailable {
			silent = 0
		}
		if general(members[i].Err) || silent == outage {
			return nil, members[i].Err
		}
	}
	return members, nil
}

// outage is how many members in a row GitHub may fail to answer for before that
// is no longer taken to be about them.
const outage = 3

// general reports whether an error would be the same for every member.
func general(err error) bool {
	switch KindOf(err) {
	case Limited, Unauthorized, Suspended:
		return true
	}
	return false
}

// member reads one member by REST.
func (c *Client) member(ctx context.Context, a Ask) (m Member) {
	if a.ID != 0 {
		m.Repository, m.Err = c.Repository(ctx, a.ID)
	} else {
		m.Repository, m.Err = c.RepositoryByName(ctx, a.Name)
	}
	if m.Err != nil {
		return m
	}
	n := m.Repository.Name
	ref := a.Ref
	if ref == "" {
		ref = m.Repository.DefaultBranch
	}
	if m.Head, m.Err = c.Head(ctx, n, ref); m.Err != nil {
		m.Repository.Empty = KindOf(m.Err) == NotReady
		return m
	}
	m.Err = c.fill(ctx, &m, a)
	if m.Err == nil && a.Branch != "" {
		m.Branch, m.PullRequests, m.Err = c.ours(ctx, n, a.Branch)
	}
	return m
}

// fill reads by REST what of an ask is not there yet, by the head's tree, which
// cannot change under us.
func (c *Client) fill(ctx context.Context, m *Member, a Ask) (err error) {
	n := m.Repository.Name
	if m.Entries == nil {
		if m.Entries, err = c.Entries(ctx, n, m.Head.Tree, a.all()); err != nil {
			return err
		}
	}
	if m.Files == nil {
		m.Files = tree.Tree{}
	}
	m.Files, err = c.Contents(ctx, n, m.Entries, a.Contents, m.Files)
	return err
}

// ours reads our branch and its pull requests.
func (c *Client) ours(ctx context.Context, n Name, branch string) (Head, []PullRequest, error) {
	head, err := c.branchHead(ctx, n, branch)
	if err != nil {
		return Head{}, nil, err
	}
	if head.Commit != "" {
		if head.Tree, err = c.treeOf(ctx, n, head.Commit); err != nil {
			return Head{}, nil, err
		}
	}
	prs, err := c.PullRequests(ctx, n, branch)
	return head, prs, err
}

// treeOf returns the tree of a commit.
func (c *Client) treeOf(ctx context.Context, n Name, commit string) (string, error) {
	var v struct {
		Tree struct {
			SHA string `json:"sha"`
		} `json:"tree"`
	}
	_, err := c.send(ctx, call{op: fmt.Sprintf("reading commit %.10s of %s", commit, n), path: n.path("git/commits", commit), out: &v})
	return v.Tree.SHA, err
}
