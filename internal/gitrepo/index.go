package gitrepo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/goldenpaths/syncer/internal/tree"
)

// gitIndex is what is staged.
type gitIndex struct {
	entries map[string]indexEntry
	// unmerged are paths with a conflict that nobody has resolved yet.
	unmerged map[string]bool
	// elsewhere are the paths of entries that may have nothing on disk: those that a
	// sparse checkout leaves out, and submodules.
	elsewhere []string
	// folders are those that a sparse index keeps as one entry, by their path with
	// a slash at the end.
	folders map[string]plumbing.Hash
	// written is when the index was; a file that changed later than that cannot be
	// told from an unchanged one by its time.
	written time.Time
}

type indexEntry struct {
	kind     tree.Kind // 0 for a submodule
	blob     plumbing.Hash
	size     uint32
	modified time.Time
	sparse   bool // skip-worktree: deliberately not on disk
	promised bool // intent-to-add: only the name is staged
}

// The index's layout, gitformat-index(5).
const (
	indexFixed    = 62 // bytes of an entry before the extended flags or the name
	flagExtended  = 0x4000
	flagStage     = 0x3000
	flagSparse    = 0x4000 // in the extended flags
	flagPromised  = 0x2000
	indexChecksum = 20
)

var errIndex = errors.New("the index is damaged; run `git status` to see what git says")

func emptyIndex() *gitIndex {
	return &gitIndex{entries: map[string]indexEntry{}, unmerged: map[string]bool{}, folders: map[string]plumbing.Hash{}}
}

// readIndex reads the index. A repository without one has an empty one.
func (m *Member) readIndex() (*gitIndex, error) {
	file := filepath.Join(m.store.gitDir, "index")
	idx := emptyIndex()
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return idx, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	idx.written = info.ModTime()
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	if err := idx.decode(data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return idx, nil
}

func (idx *gitIndex) decode(data []byte) error {
	if len(data) < 12+indexChecksum || string(data[:4]) != "DIRC" {
		return errIndex
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version < 2 || version > 4 {
		return fmt.Errorf("an index of version %d is not understood", version)
	}
	rest := data[12 : len(data)-indexChecksum]
	name := ""
	for range count {
		var n int
		var err error
		if name, n, err = idx.decodeEntry(rest, version, name); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return checkExtensions(rest)
}

// checkExtensions refuses an index whose entries are not all in the file itself.
// Of the extensions that a reader must understand, "sdir" only announces folders
// as entries.
func checkExtensions(rest []byte) error {
	for len(rest) >= 8 {
		name, size := string(rest[:4]), uint64(binary.BigEndian.Uint32(rest[4:]))
		switch {
		case name == "link":
			return errors.New("the index is split; run `git update-index --no-split-index`")
		case name[0] >= 'a' && name[0] <= 'z' && name != "sdir":
			return fmt.Errorf("the index has an extension %q that is not understood", name)
		case size > uint64(len(rest)-8):
			return errIndex
		}
		rest = rest[8+size:]
	}
	return nil
}

// decodeEntry reads the first entry of data and returns its name and length.
func (idx *gitIndex) decodeEntry(data []byte, version uint32, before string) (name string, n int, err error) {
	if len(data) < indexFixed+2 {
		return "", 0, errIndex
	}
	be := binary.BigEndian
	e := indexEntry{
		modified: time.Unix(int64(be.Uint32(data[8:])), int64(be.Uint32(data[12:]))),
		size:     be.Uint32(data[36:]),
		blob:     plumbing.Hash(data[40:60]),
	}
	mode, flags := filemode.FileMode(be.Uint32(data[24:])), be.Uint16(data[60:])
	n = indexFixed
	if flags&flagExtended != 0 {
		extended := be.Uint16(data[n:])
		e.sparse, e.promised = extended&flagSparse != 0, extended&flagPromised != 0
		n += 2
	}
	if name, n, err = decodeName(data, n, version, before); err != nil {
		return "", 0, err
	}
	e.kind, _ = kindOf(mode)
	switch {
	case mode == filemode.Dir:
		idx.folders[strings.TrimSuffix(name, "/")+"/"] = e.blob
	case flags&flagStage != 0:
		idx.unmerged[name] = true
	default:
		idx.entries[name] = e
		if e.sparse || e.kind == 0 {
			idx.elsewhere = append(idx.elsewhere, name)
		}
	}
	return name, n, nil
}

func decodeName(data []byte, n int, version uint32, before string) (string, int, error) {
	prefix := ""
	if version == 4 {
		drop, size := varint(data[n:])
		if size == 0 || drop > uint64(len(before)) {
			return "", 0, errIndex
		}
		prefix = before[:uint64(len(before))-drop]
		n += size
	}
	end := bytes.IndexByte(data[n:], 0)
	if end < 0 {
		return "", 0, errIndex
	}
	name := prefix + string(data[n:n+end])
	n += end + 1
	if version < 4 {
		n = (n + 7) &^ 7 // entries are padded with NULs to a multiple of eight
	}
	if n > len(data) {
		return "", 0, errIndex
	}
	return name, n, nil
}

// varint is the variable-width number of git's packs, in which every byte but the
// last counts one more than its bits. A size of 0 is a mistake.
func varint(data []byte) (value uint64, size int) {
	for i, b := range data[:min(len(data), 9)] {
		value = value<<7 | uint64(b&0x7f)
		if b&0x80 == 0 {
			return value, i + 1
		}
		value++
	}
	return 0, 0
}
