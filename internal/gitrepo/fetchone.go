package gitrepo

import (
	"context"
	"fmt"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// Fetch brings the commit that a branch of a remote leads to into this repository,
// so that it can be compared, and returns its id; "" is "there is no such branch". No
// branch is made or moved here. In a shallow clone, what is before the commit may still
// be missing. Remotes and credentials are as for [Member.Push].
func (m *Member) Fetch(ctx context.Context, remote, branch string) (commit string, err error) {
	location, err := m.remoteURL(remote)
	if err != nil {
		return "", err
	}
	name := plumbing.NewBranchReferenceName(branch)
	if isURL(location) {
		commit, err = m.store.fetchOverNetwork(ctx, location, name)
	} else {
		commit, err = m.store.fetchFromFolder(ctx, location, m.root, branch)
	}
	if err != nil {
		return "", fmt.Errorf("fetching branch %s from %s: %w", branch, redact(location), err)
	}
	return commit, nil
}

func (s *store) fetchOverNetwork(ctx context.Context, location string, name plumbing.ReferenceName) (string, error) {
	conn, err := dial(location, credentials{token: os.Getenv(tokenVariable)}, 0)
	if err != nil {
		return "", err
	}
	defer conn.close()
	sess, ar, err := advertise(ctx, conn, func() (transport.UploadPackSession, error) {
		return conn.client.NewUploadPackSession(conn.endpoint, conn.auth)
	})
	if err != nil {
		return "", err
	}
	defer sess.Close()
	id, has := ar.References[name.String()]
	if !has {
		return "", nil
	}
	if s.HasEncodedObject(id) == nil {
		return id.String(), nil
	}
	req := packp.NewUploadPackRequestFromCapabilities(ar.Capabilities)
	req.Wants = []plumbing.Hash{id}
	if req.Haves, err = s.heads(); err != nil {
		return "", err
	}
	if ar.Capabilities.Supports(capability.Shallow) {
		// Without this the server takes what is before them for known here.
		if req.Shallows, err = s.Shallow(); err != nil {
			return "", err
		}
		if len(req.Shallows) > 0 {
			_ = req.Capabilities.Set(capability.Shallow)
		}
	}
	return id.String(), s.receive(ctx, conn, sess, req, func(int) {})
}

// maxHaves bounds how many commits a server is told that it need not send again.
const maxHaves = 256

// heads returns commits that references lead to.
func (s *store) heads() ([]plumbing.Hash, error) {
	tips, err := s.tips()
	if err != nil {
		return nil, err
	}
	var heads []plumbing.Hash
	for _, id := range tips {
		if c, err := s.commit(id); err == nil && len(heads) < maxHaves {
			heads = append(heads, c.Hash)
		}
	}
	return heads, nil
}

// fetchFromFolder copies from a repository on this machine what is missing here.
func (s *store) fetchFromFolder(ctx context.Context, location, base, branch string) (string, error) {
	from, err := openFolder(location, base)
	if err != nil {
		return "", err
	}
	tip, err := from.resolve(plumbing.NewBranchReferenceName(branch))
	if err != nil || tip == "" || s.HasEncodedObject(plumbing.NewHash(tip)) == nil {
		return tip, err
	}
	known, err := s.tips()
	if err != nil {
		return "", err
	}
	objects, err := (&push{store: from, branch: branch, to: tip}).newObjects(known)
	if err != nil {
		return "", err
	}
	for _, id := range objects {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		o, err := from.EncodedObject(plumbing.AnyObject, id)
		if err != nil {
			return "", err
		}
		if _, err := s.SetEncodedObject(o); err != nil {
			return "", err
		}
	}
	return tip, nil
}
