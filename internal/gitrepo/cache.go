package gitrepo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/gofrs/flock"
)

// Cache opens sources of golden paths. Those behind a URL are mirrored in Dir,
// one bare repository each. Several processes may share a Dir.
type Cache struct {
	Dir string
	// Token is the password for TokenHost, or where that is empty for github.com. No
	// other host is sent it, and only over TLS: sources are written in members'
	// files, and a member must not decide who gets the token.
	Token, TokenHost string
	// Progress, if not nil, is told what takes long.
	Progress func(string)
	// Timeout is how long a server may be silent; 0 is 30 seconds.
	Timeout time.Duration
	// Offline uses mirrors as they are, and asks no server.
	Offline bool
}

// Open opens a source: a URL's mirror, which is brought up to date first; a git
// repository on this machine or a folder in one, which is read in place; or a
// plain folder, which is a Platform without versions. A file:// URL is a path.
//
// A server that does not answer is an [UnreachableError], even where a mirror
// exists: what is current cannot be known then. Offline decides otherwise.
func (c *Cache) Open(ctx context.Context, location string) (*Platform, error) {
	if isURL(location) {
		if err := checkLocation(location); err != nil {
			return nil, err
		}
		return c.openURL(ctx, location)
	}
	path, err := localPath(location)
	if err != nil {
		return nil, err
	}
	return openPath(path)
}

// localPath turns a file:// URL or a path that begins with ~/ into a path.
func localPath(location string) (string, error) {
	if len(location) > 7 && strings.EqualFold(location[:7], "file://") {
		u, err := url.Parse(location)
		if err != nil || u.Host != "" && u.Host != "localhost" {
			return "", fmt.Errorf("%s is not a file on this machine; write file:///path or the path alone", location)
		}
		path := u.Path
		if runtime.GOOS == "windows" {
			path = strings.TrimPrefix(path, "/") // file:///C:/x
		}
		return filepath.FromSlash(path), nil
	}
	return expand(location, "."), nil
}

// mirrorError says that a mirror is damaged, so that it must be fetched anew.
type mirrorError struct{ error }

func (e *mirrorError) Unwrap() error { return e.error }

func (c *Cache) openURL(ctx context.Context, location string) (*Platform, error) {
	if c.Dir == "" {
		return nil, errors.New("there is no folder to keep copies of platform repositories in; set the cache's folder")
	}
	if err := os.MkdirAll(c.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("making the cache: %w", err)
	}
	sum := sha256.Sum256([]byte(location))
	dir := filepath.Join(c.Dir, hex.EncodeToString(sum[:]))
	unlock, err := c.lock(ctx, dir+".lock", location)
	if err != nil {
		return nil, err
	}
	defer unlock()
	p, err := c.refresh(ctx, dir, location)
	var broken *mirrorError
	if errors.As(err, &broken) && !c.Offline {
		c.say("the copy of " + redact(location) + " is damaged; fetching it anew")
		if err := os.RemoveAll(dir); err != nil {
			return nil, fmt.Errorf("removing a damaged copy of %s: %w", redact(location), err)
		}
		p, err = c.refresh(ctx, dir, location)
	}
	return p, err
}

func (c *Cache) say(what string) {
	if c.Progress != nil {
		c.Progress(what)
	}
}

// lockPoll is how often to look whether another process has finished fetching.
const lockPoll = 100 * time.Millisecond

func (c *Cache) lock(ctx context.Context, file, location string) (unlock func(), err error) {
	lock := flock.New(file)
	ok, err := lock.TryLock()
	if err == nil && !ok {
		c.say("waiting for another syncer that fetches " + redact(location))
		ok, err = lock.TryLockContext(ctx, lockPoll)
	}
	if err != nil || !ok {
		return nil, fmt.Errorf("locking the copy of %s: %w", redact(location), err)
	}
	return func() { _ = lock.Close() }, nil
}

// refresh brings the mirror in dir up to date, or makes it.
func (c *Cache) refresh(ctx context.Context, dir, location string) (*Platform, error) {
	last, exists := lastFetch(dir)
	if c.Offline {
		if !exists {
			return nil, fmt.Errorf("%s has not been fetched yet, so it cannot be used offline", redact(location))
		}
		return openMirror(dir, location)
	}
	err := c.update(ctx, dir, location, exists)
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) && exists {
		hint := "there is a copy from " + last.Format("2006-01-02 15:04") + ", which is used offline"
		if unreachable.Hint != "" {
			hint = unreachable.Hint + "; " + hint
		}
		return nil, &UnreachableError{URL: unreachable.URL, Hint: hint, Err: unreachable.Err}
	}
	if err != nil {
		return nil, err
	}
	return openMirror(dir, location)
}

// update fetches into dir. A new mirror is made under another name, so that one
// that exists is complete.
func (c *Cache) update(ctx context.Context, dir, location string, exists bool) error {
	conn, err := dial(location, credentials{c.Token, cmp.Or(c.TokenHost, "github.com")}, c.Timeout)
	if err != nil {
		return err
	}
	defer conn.close()
	c.say("fetching " + conn.location)
	if exists {
		return c.fetch(ctx, dir, conn)
	}
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("making a copy of %s: %w", conn.location, err)
	}
	defer os.RemoveAll(part)
	if err := initializeBare(part); err != nil {
		return fmt.Errorf("making a copy of %s: %w", conn.location, err)
	}
	if err := c.fetch(ctx, part, conn); err != nil {
		if damaged, ok := errors.AsType[*mirrorError](err); ok { // then it is not the copy that is at fault
			return &UnreachableError{URL: conn.location, Err: damaged.error}
		}
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(part, dir)
}

func initializeBare(dir string) error {
	if err := initialize(dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config"), []byte("[core]\n\trepositoryformatversion = 0\n\tbare = true\n"), 0o666)
}

// lastFetch returns when a mirror was last fetched, and whether there is one.
func lastFetch(dir string) (time.Time, bool) {
	info, err := os.Stat(filepath.Join(dir, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		_, err := os.Stat(dir)
		return time.Time{}, err == nil
	}
	if err != nil {
		return time.Time{}, false
	}
	return info.ModTime(), true
}

// openMirror opens a mirror and makes sure that what its references lead to is
// there.
func openMirror(dir, location string) (*Platform, error) {
	s, repo, err := openRepository(dir)
	if err == nil {
		err = s.checkTips()
	}
	if err != nil {
		return nil, &mirrorError{fmt.Errorf("the copy of %s in %s is damaged: %w", redact(location), dir, err)}
	}
	return &Platform{name: redact(location), store: s, repo: repo}, nil
}

// checkTips reads every branch's and tag's object, and the top folder of commits.
func (s *store) checkTips() error {
	tips, err := s.tips()
	if err != nil {
		return err
	}
	if len(tips) == 0 {
		return errors.New("it has no branches")
	}
	for _, tip := range tips {
		o, err := s.EncodedObject(plumbing.AnyObject, tip)
		if err != nil {
			return err
		}
		if o.Type() != plumbing.CommitObject {
			continue
		}
		commit, err := object.DecodeCommit(s, o)
		if err != nil {
			return err
		}
		if _, err := s.entries(commit.TreeHash); err != nil {
			return err
		}
	}
	return nil
}
