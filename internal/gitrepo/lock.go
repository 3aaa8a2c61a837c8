package gitrepo

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// BusyError says that another syncer is at work in the repository.
type BusyError struct {
	Root string
	PID  int // 0 where it is not known
}

// Error says who works where.
func (e *BusyError) Error() string {
	who := "another syncer"
	if e.PID != 0 {
		who += " (pid " + strconv.Itoa(e.PID) + ")"
	}
	return fmt.Sprintf("%s is working on %s; try again when it has finished", who, e.Root)
}

// ownFolder is the folder in git's that is ours: locks, staging, the journal.
func (m *Member) ownFolder() (string, error) {
	dir := filepath.Join(m.store.gitDir, "syncer")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("making room for syncer in git's folder: %w", err)
	}
	return dir, nil
}

// Lock takes the work tree for this process, and returns what gives it back. It
// returns [BusyError] at once where another has it. The lock ends with its
// process, however that ends. Hold it from reading files until they are applied;
// [Member.Apply] and [Member.Recover] take it themselves where that was not done.
func (m *Member) Lock() (unlock func(), err error) {
	dir, err := m.ownFolder()
	if err != nil {
		return nil, err
	}
	// The number is in a file of its own: on Windows the locked one cannot be read.
	pidFile := filepath.Join(dir, "pid")
	lock := flock.New(filepath.Join(dir, "lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", m.root, err)
	}
	if !ok && m.locked {
		return nil, fmt.Errorf("%s is locked by this Member already", m.root)
	}
	if !ok {
		data, _ := os.ReadFile(pidFile)
		pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
		return nil, &BusyError{Root: m.root, PID: pid}
	}
	// Only a message depends on it.
	_ = os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o666)
	m.locked = true
	return func() {
		m.locked = false
		_ = os.Remove(pidFile)
		_ = lock.Close()
	}, nil
}

// locking runs f while this Member holds the lock, taking it if need be.
func (m *Member) locking(f func() error) error {
	if !m.locked {
		unlock, err := m.Lock()
		if err != nil {
			return err
		}
		defer unlock()
	}
	return f()
}
