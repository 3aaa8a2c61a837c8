package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// tokenVariable holds a token for pushing over https.
const tokenVariable = "SYNCER_GIT_TOKEN"

// pushTimeout is how long a server may be silent, which runs hooks and checks
// before it answers.
const pushTimeout = 5 * time.Minute

// Push makes a branch of a remote what the local branch is: remote is a remote's
// name, a URL or a path. The remote's branch must be at expectRemote ("" is "must
// not exist"), or nothing is pushed and [RefMovedError] says where it is; the
// server checks that again when it moves the branch. Given that, it may move
// backwards. Pushing what is there already does nothing.
//
// Credentials come from the SSH agent or keys, from the remote's URL, from
// SYNCER_GIT_TOKEN or from ~/.netrc; no error shows them.
func (m *Member) Push(ctx context.Context, remote, branch, expectRemote string) error {
	tip, err := m.BranchTip(branch)
	if err != nil {
		return err
	}
	if tip == "" {
		return fmt.Errorf("pushing from %s: there is no branch %s", m.root, branch)
	}
	return m.PushCommit(ctx, remote, branch, tip, expectRemote)
}

// PushCommit is Push of a commit that no local branch needs to lead to.
func (m *Member) PushCommit(ctx context.Context, remote, branch, commit, expectRemote string) error {
	location, err := m.remoteURL(remote)
	if err != nil {
		return err
	}
	p := push{store: m.store, branch: branch, from: expectRemote, to: commit}
	if isURL(location) {
		err = p.overNetwork(ctx, location)
	} else {
		err = p.intoFolder(ctx, location, m.root)
	}
	if err != nil {
		return fmt.Errorf("pushing branch %s to %s: %w", branch, redact(location), err)
	}
	return nil
}

// push is the move of one branch of a remote.
type push struct {
	*store
	branch, from, to string
}

func (p *push) ref() plumbing.ReferenceName { return plumbing.NewBranchReferenceName(p.branch) }

// check compares where the remote's branch is with where it should be, and
// reports whether there is nothing to do.
func (p *push) check(found string) (done bool, err error) {
	if found == p.to {
		return true, nil
	}
	if found != p.from {
		return false, &RefMovedError{Branch: p.branch, Expected: p.from, Found: found}
	}
	return false, nil
}

func (p *push) overNetwork(ctx context.Context, location string) error {
	conn, err := dial(location, credentials{token: os.Getenv(tokenVariable)}, 0)
	if err != nil {
		return err
	}
	defer conn.close()
	sess, ar, err := advertise(ctx, conn, func() (transport.ReceivePackSession, error) {
		return conn.client.NewReceivePackSession(conn.endpoint, conn.auth)
	})
	if err != nil {
		return err
	}
	defer sess.Close()
	found := ""
	known := make([]plumbing.Hash, 0, len(ar.References))
	for name, id := range ar.References {
		known = append(known, id)
		if name == p.ref().String() {
			found = id.String()
		}
	}
	if done, err := p.check(found); done || err != nil {
		return err
	}
	objects, err := p.newObjects(known)
	if err != nil {
		return err
	}
	conn.timeout = pushTimeout
	return p.send(ctx, conn, sess, ar, objects)
}

// send streams a pack with the objects and moves the branch.
func (p *push) send(ctx context.Context, conn *connection, sess transport.ReceivePackSession, ar *packp.AdvRefs, objects []plumbing.Hash) error {
	req := packp.NewReferenceUpdateRequestFromCapabilities(ar.Capabilities)
	// The command carries where the branch was: the server refuses it if that is no
	// longer so.
	req.Commands = []*packp.Command{{Name: p.ref(), Old: plumbing.NewHash(p.from), New: plumbing.NewHash(p.to)}}
	if ar.Capabilities.Supports(capability.Sideband64k) {
		_ = req.Capabilities.Set(capability.Sideband64k)
	}
	ctx, timer, stop := conn.watch(ctx)
	defer stop()
	r, w := io.Pipe()
	defer r.Close()
	go func() {
		// No deltas against what the server has: go-git would have to read that too.
		_, err := packfile.NewEncoder(w, p.store, false).Encode(objects, 10)
		_ = w.CloseWithError(err)
	}()
	req.Packfile = io.NopCloser(&watched{Reader: r, timer: timer, timeout: conn.timeout})
	report, err := sess.ReceivePack(ctx, req)
	if err != nil {
		if report != nil && report.UnpackStatus == "ok" {
			return fmt.Errorf("the server refused: %w", err)
		}
		return conn.explain(ctx, err)
	}
	return nil
}

// newObjects lists what a repository with the known commits lacks of p.to. Its
// history is walked only as far as it is new, and of each commit only the folders
// that differ from its parents'.
func (p *push) newObjects(known []plumbing.Hash) ([]plumbing.Hash, error) {
	commits, err := p.newCommits(plumbing.NewHash(p.to), known)
	if err != nil {
		return nil, err
	}
	seen := map[plumbing.Hash]bool{}
	var list []plumbing.Hash
	for _, c := range commits {
		list = append(list, c.Hash)
		var bases []plumbing.Hash
		for _, parent := range c.ParentHashes {
			// A parent that a shallow clone lacks is no base, so that more is sent.
			if pc, err := p.commit(parent); err == nil {
				bases = append(bases, pc.TreeHash)
			}
		}
		if list, err = p.newInFolder(c.TreeHash, bases, seen, list); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// newInFolder adds what the folder id has and none of the bases has at the same
// place.
func (p *push) newInFolder(id plumbing.Hash, bases []plumbing.Hash, seen map[plumbing.Hash]bool, list []plumbing.Hash) ([]plumbing.Hash, error) {
	if slices.Contains(bases, id) {
		return list, nil
	}
	if seen[id] {
		return list, nil
	}
	seen[id] = true
	list = append(list, id)
	entries, err := p.entries(id)
	if err != nil {
		return nil, err
	}
	old := make([]map[string]plumbing.Hash, len(bases))
	for i, base := range bases {
		there, err := p.entries(base)
		if err != nil {
			return nil, err
		}
		old[i] = make(map[string]plumbing.Hash, len(there))
		for _, e := range there {
			old[i][e.Name] = e.Hash
		}
	}
	for _, e := range entries {
		var below []plumbing.Hash
		same := false
		for _, names := range old {
			if h, ok := names[e.Name]; ok {
				same = same || h == e.Hash
				below = append(below, h)
			}
		}
		switch {
		case same || e.Mode == filemode.Submodule:
		case e.Mode == filemode.Dir:
			list, err = p.newInFolder(e.Hash, p.folders(below), seen, list)
			if err != nil {
				return nil, err
			}
		case !seen[e.Hash]:
			seen[e.Hash] = true
			list = append(list, e.Hash)
		}
	}
	return list, nil
}

// folders returns those of the ids that are folders.
func (p *push) folders(ids []plumbing.Hash) []plumbing.Hash {
	var dirs []plumbing.Hash
	for _, id := range ids {
		if o, err := p.EncodedObject(plumbing.TreeObject, id); err == nil && o != nil {
			dirs = append(dirs, id)
		}
	}
	return dirs
}

// intoFolder pushes to a repository on this machine, without git: objects first,
// then the branch.
func (p *push) intoFolder(ctx context.Context, location, base string) error {
	to, err := openFolder(location, base)
	if err != nil {
		return err
	}
	found, err := to.resolve(p.ref())
	if err != nil {
		return err
	}
	if done, err := p.check(found); done || err != nil {
		return err
	}
	cfg, err := readSettings(to.gitDir, to.commonDir, "")
	if err != nil {
		return err
	}
	if dir := to.checkedOutIn(p.branch, cfg.flag("core", "bare", false)); dir != "" {
		return &CheckedOutError{p.branch, dir}
	}
	known, err := to.tips()
	if err != nil {
		return err
	}
	objects, err := p.newObjects(known)
	if err != nil {
		return err
	}
	sent := make(map[plumbing.Hash]bool, len(objects))
	for _, id := range objects {
		sent[id] = true
	}
	for _, id := range objects {
		if err := ctx.Err(); err != nil {
			return err
		}
		o, err := p.EncodedObject(plumbing.AnyObject, id)
		if err != nil {
			return err
		}
		if o.Type() == plumbing.CommitObject {
			if err := p.complete(to, o, sent); err != nil {
				return err
			}
		}
		if _, err := to.SetEncodedObject(o); err != nil {
			return err
		}
	}
	return to.swap(p.branch, p.from, p.to)
}

// complete returns an error where a commit has a parent that is neither sent nor in
// the other repository: a shallow clone's history would leave that one broken.
func (p *push) complete(to *store, o plumbing.EncodedObject, sent map[plumbing.Hash]bool) error {
	c, err := object.DecodeCommit(p, o)
	if err != nil {
		return err
	}
	for _, parent := range c.ParentHashes {
		if sent[parent] {
			continue
		}
		if _, err := to.commit(parent); err != nil {
			return fmt.Errorf("commit %s is where the history of this shallow clone begins, and the other repository lacks what is before it; run `git fetch --unshallow` first", c.Hash)
		}
	}
	return nil
}

// openFolder opens the repository at a location on this machine; base is where a
// relative one begins.
func openFolder(location, base string) (*store, error) {
	path, err := localPath(location)
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	return openRemoteFolder(path)
}

// openRemoteFolder opens a repository by the paths that git accepts for one.
func openRemoteFolder(path string) (*store, error) {
	for _, dir := range []string{filepath.Join(path, ".git"), path, path + ".git"} {
		if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() && strings.HasSuffix(dir, ".git") {
			gitDir, err := readGitFile(dir)
			if err != nil {
				return nil, err
			}
			return openStore(gitDir)
		}
		if isGitDir(dir) {
			return openStore(dir)
		}
	}
	return nil, errors.New("there is no git repository there")
}
