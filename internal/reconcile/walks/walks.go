package walks

import (
	"context"
	"errors"
	"maps"
	"path"
	"time"

	"github.com/goldenpaths/syncer/internal/attributes"
	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/schedule"
	"github.com/goldenpaths/syncer/internal/tree"
)

// Walks runs the walks. It is safe for concurrent use, as far as two walks of one
// repository do not run at once.
type Walks struct {
	Hub       Hub
	Registry  Registry
	Queue     Queue
	Ending    Ending
	Platforms Platforms
	// Platform is the repository with the golden paths, and PlatformURL the source by
	// which members name it.
	Platform    Place
	PlatformURL string
	// Name is the App's, by which comments may call it after an @; "" is none.
	Name string
	// ManagedCheck is one of ManagedNeutral, ManagedFails and ManagedOff; "" is the first.
	ManagedCheck string
	// Isolate loads golden paths that nobody has looked at yet.
	Isolate func(ctx context.Context, files tree.Tree) (Untrusted, error)
	// Limits bound the pull requests that are opened, and Schedule is when members that
	// give none get changes. New repositories and people's orders wait for neither.
	Limits   Limits
	Schedule schedule.Schedule
	// Now returns the time, by which pins and keeps are judged.
	Now func() time.Time
	// Policy is what decides over what golden paths and members say about changes that
	// meet.
	Policy policy.Policy
	// Memory remembers how people resolved conflicts; nil remembers nothing.
	Memory Memory
}

// The permissions that walks ask for.
var (
	toRead  = map[string]string{"contents": "read", "metadata": "read"}
	toLearn = map[string]string{"contents": "read", "metadata": "read", "pull_requests": "read"}
	toWrite = map[string]string{"contents": "write", "metadata": "read", "pull_requests": "write", "issues": "write", "workflows": "write", "checks": "write"}
	toSetUp = map[string]string{"contents": "write", "metadata": "read", "pull_requests": "write", "issues": "write", "workflows": "write", "checks": "write", "administration": "write", "actions": "write", "environments": "write"}
	toCheck = map[string]string{"contents": "read", "metadata": "read", "pull_requests": "read", "checks": "write"}
)

// branchPrefix is what our branches begin with; the golden path's name follows.
const branchPrefix = "goldenpath/"

func (w *Walks) syncer(at Place) *reconcile.Syncer {
	return &reconcile.Syncer{
		Open: func(ctx context.Context, location string) (reconcile.Platform, error) {
			return w.Platforms.Open(ctx, at, location)
		},
		Split: w.Platforms.Split,
		Today: w.Now().UTC().Format(time.DateOnly), Policy: w.Policy, Memory: w.memory(at),
	}
}

// ownFiles are syncer's two files in a member.
var ownFiles = []string{drift.MemberName, drift.LockName}

// snapshot is a repository at one commit, as the flows see it. What was not asked
// for with the first look is fetched when it is needed.
type snapshot struct {
	ctx    context.Context //nolint:containedctx // the flows' port has none, and a snapshot lives as long as one walk
	client Client
	tree   string
	known  tree.Tree
	asked  map[string]bool
}

func newSnapshot(ctx context.Context, c Client, look Look, asked []string) *snapshot {
	s := &snapshot{ctx: ctx, client: c, tree: look.Head.Tree, known: look.Files.Clone(), asked: map[string]bool{}}
	for _, p := range asked {
		s.asked[p] = true
	}
	return s
}

// Files returns those of the paths that exist, and what is in the way of others.
func (s *snapshot) Files(paths []string) (tree.Tree, error) {
	var missing []string
	for _, p := range paths {
		if !s.asked[p] {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		more, err := s.client.Files(s.ctx, s.tree, missing)
		if err != nil {
			return nil, err
		}
		for _, p := range missing {
			s.asked[p] = true
		}
		maps.Copy(s.known, more)
	}
	found := tree.Tree{}
	for _, p := range paths {
		for at := p; at != "."; at = path.Dir(at) {
			if f, ok := s.known[at]; ok && (at == p || f.Kind != tree.Folder) {
				found[at] = f
			}
		}
	}
	s.addTwins(paths, found)
	return found, nil
}

// Blob returns an object of the repository's history.
func (s *snapshot) Blob(id tree.BlobID) ([]byte, bool, error) {
	return s.client.Blob(s.ctx, id)
}

// Stored goes by the attributes that the repository has: GitHub knows no others.
func (s *snapshot) Stored(files tree.Tree, changes map[string]*tree.File) (tree.Tree, error) {
	paths := files.Paths()
	if _, err := s.Files(append(attributes.On(paths), paths...)); err != nil { // in one request
		return nil, err
	}
	now := func(p string) (*tree.File, error) {
		found, err := s.Files([]string{p})
		if f, ok := found[p]; ok && f.Kind.IsFile() {
			return &f, err
		}
		return nil, err
	}
	c := attributes.Converter{Kept: now, Text: func(p string) ([]byte, error) {
		f, changed := changes[p]
		var err error
		if !changed {
			f, err = now(p)
		}
		if f == nil || f.Kind.IsLink() {
			return nil, err
		}
		return f.Data, nil
	}}
	return c.StoredAll(files)
}

// notFollowing reports whether an error says that a repository follows nothing.
func notFollowing(err error) bool {
	_, ok := errors.AsType[*reconcile.NotFollowingError](err)
	return ok
}

// put makes later reads see a file that is about to be written.
func (s *snapshot) put(at string, f *tree.File) {
	s.asked[at] = true
	delete(s.known, at)
	if f != nil {
		s.known[at] = *f
	}
}
