package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// fetch makes the mirror in dir have the branches and tags that the server has:
// first the missing objects, in one pack, then all references in one step.
func (c *Cache) fetch(ctx context.Context, dir string, conn *connection) error {
	s, err := openStore(dir)
	if err != nil {
		return &mirrorError{err}
	}
	sess, ar, err := advertise(ctx, conn, func() (transport.UploadPackSession, error) {
		return conn.client.NewUploadPackSession(conn.endpoint, conn.auth)
	})
	if err != nil {
		return err
	}
	defer sess.Close()
	refs, head, err := mirrored(ar)
	if err != nil {
		return conn.explain(ctx, err)
	}
	wants := s.missing(refs)
	if len(wants) > 0 {
		if err := c.receive(ctx, conn, sess, s, ar, wants); err != nil {
			return err
		}
	}
	return writeMirrorRefs(dir, refs, head)
}

// mirrored returns the branches and tags that a server has, and its default
// branch.
func mirrored(ar *packp.AdvRefs) (refs map[string]plumbing.Hash, head string, err error) {
	all, err := ar.AllReferences()
	if err != nil {
		return nil, "", err
	}
	refs = map[string]plumbing.Hash{}
	for name, ref := range all {
		// A server may name a reference anything; only what can be a path is kept.
		if (name.IsBranch() || name.IsTag()) && ref.Type() == plumbing.HashReference && name.Validate() == nil {
			refs[name.String()] = ref.Hash()
		}
	}
	if len(refs) == 0 {
		return nil, "", transport.ErrEmptyRemoteRepository
	}
	if ref, ok := all[plumbing.HEAD]; ok && ref.Type() == plumbing.SymbolicReference {
		head = ref.Target().String()
	}
	return refs, defaultBranch(refs, head), nil
}

// defaultBranch falls back to the usual names where a server does not say.
func defaultBranch(refs map[string]plumbing.Hash, head string) string {
	for _, name := range []string{head, "refs/heads/main", "refs/heads/master"} {
		if _, ok := refs[name]; ok {
			return name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if strings.HasPrefix(name, "refs/heads/") {
			return name
		}
	}
	return "refs/heads/main"
}

// missing returns the objects among refs that are not in the store. A pack is
// stored whole or not at all, so that what an object leads to is there with it.
func (s *store) missing(refs map[string]plumbing.Hash) []plumbing.Hash {
	want := map[plumbing.Hash]bool{}
	for _, id := range refs {
		if s.HasEncodedObject(id) != nil {
			want[id] = true
		}
	}
	return slices.Collect(maps.Keys(want))
}

// receive fetches a pack with what is missing.
func (c *Cache) receive(ctx context.Context, conn *connection, sess transport.UploadPackSession, s *store, ar *packp.AdvRefs, wants []plumbing.Hash) error {
	// What an interrupted fetch left behind.
	if old, err := filepath.Glob(filepath.Join(s.commonDir, "objects", "pack", "tmp_*")); err == nil {
		for _, file := range old {
			_ = os.Remove(file)
		}
	}
	haves, err := s.haves()
	if err != nil {
		return &mirrorError{err}
	}
	req := packp.NewUploadPackRequestFromCapabilities(ar.Capabilities)
	req.Wants, req.Haves = wants, haves
	return s.receive(ctx, conn, sess, req, c.counter())
}

// receive stores the pack that a server sends for a request.
func (s *store) receive(ctx context.Context, conn *connection, sess transport.UploadPackSession, req *packp.UploadPackRequest, count func(int)) error {
	ctx, timer, stop := conn.watch(ctx)
	defer stop()
	resp, err := sess.UploadPack(ctx, req)
	if err != nil {
		return conn.explain(ctx, err)
	}
	defer resp.Close()
	body := demultiplex(req.Capabilities, &watched{Reader: resp, timer: timer, timeout: conn.timeout, count: count})
	if err := packfile.UpdateObjectStorage(s, body); err != nil {
		// A full disk is no fault of the server's.
		if _, ok := errors.AsType[*os.PathError](err); ok {
			return fmt.Errorf("storing what %s sent: %w", conn.location, err)
		}
		return conn.explain(ctx, err)
	}
	return nil
}

// tellEvery is how often progress is told, in bytes.
const tellEvery = 8 << 20

// counter returns what tells of every few megabytes that have come in.
func (c *Cache) counter() func(int) {
	total, told := 0, 0
	return func(n int) {
		total += n
		if total-told >= tellEvery {
			told = total
			c.say(fmt.Sprintf("received %d MiB", total>>20))
		}
	}
}

// demultiplex takes a server's messages out of a pack's stream.
func demultiplex(can *capability.List, r io.Reader) io.Reader {
	switch {
	case can.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, r)
	case can.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, r)
	}
	return r
}

// ancestors is how many commits before each tip are told to the server. Where a
// branch was rewritten, it may know those although it forgot the tip.
const ancestors = 32

// haves returns commits that the mirror has, so that the server need not send
// them again.
func (s *store) haves() ([]plumbing.Hash, error) {
	tips, err := s.tips()
	if err != nil {
		return nil, err
	}
	have := map[plumbing.Hash]bool{}
	for _, tip := range tips {
		commit, err := s.commit(tip)
		if have[tip] || err != nil { // a tag of something else
			continue
		}
		have[tip] = true
		n := 0
		err = object.NewCommitPreorderIter(commit, nil, nil).ForEach(func(c *object.Commit) error {
			have[c.Hash] = true
			if n++; n >= ancestors {
				return storer.ErrStop
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Collect(maps.Keys(have)), nil
}

// writeMirrorRefs replaces all references of a mirror at once: they are all in
// packed-refs, so that one rename changes, adds and removes them together.
func writeMirrorRefs(dir string, refs map[string]plumbing.Hash, head string) error {
	var b strings.Builder
	b.WriteString("# pack-refs with: sorted \n")
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		fmt.Fprintf(&b, "%s %s\n", refs[name], name)
	}
	if err := writeDurably(filepath.Join(dir, "packed-refs"), []byte(b.String())); err != nil {
		return fmt.Errorf("writing a mirror's references: %w", err)
	}
	if err := writeDurably(filepath.Join(dir, "HEAD"), []byte("ref: "+head+"\n")); err != nil {
		return fmt.Errorf("writing a mirror's HEAD: %w", err)
	}
	// Clones have the server's default branch under this name; a mirror answers to
	// it too.
	origin := filepath.Join(dir, "refs", "remotes", "origin")
	if err := os.MkdirAll(origin, 0o777); err != nil {
		return fmt.Errorf("writing a mirror's HEAD: %w", err)
	}
	return writeDurably(filepath.Join(origin, "HEAD"), []byte("ref: "+head+"\n"))
}
