package gitrepo

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // a pack ends with it
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
)

// asPack makes everything that store writes one pack, which costs two files where
// each object would cost one. What is written cannot be read before it returns.
func (s *store) asPack(store func() error) error {
	p, err := newPacker()
	if err != nil {
		return err
	}
	s.packing = p
	err = store()
	s.packing = nil
	if err != nil || len(p.has) == 0 {
		return err
	}
	if err := p.save(filepath.Join(s.commonDir, "objects", "pack")); err != nil {
		return fmt.Errorf("storing a pack in %s: %w", s.commonDir, err)
	}
	s.Reindex()
	return nil
}

// packer builds a pack of whole objects, without deltas, and its index along with
// it: go-git reads a pack that it wrote once more for the index, which takes longer
// than writing it. The format: https://git-scm.com/docs/pack-format.
type packer struct {
	pack  bytes.Buffer
	index idxfile.Writer
	zip   *zlib.Writer
	has   map[plumbing.Hash]bool
}

// packCount is where a pack says how many objects it has, in four bytes.
const packCount = len("PACK") + len("\x00\x00\x00\x02")

func newPacker() (*packer, error) {
	p := &packer{has: map[plumbing.Hash]bool{}}
	p.pack.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00") // version 2
	var err error
	// The next `git gc` packs it all again, in its own good time.
	p.zip, err = zlib.NewWriterLevel(&p.pack, zlib.BestSpeed)
	return p, err
}

// add packs an object, unless it has been already.
func (p *packer) add(kind plumbing.ObjectType, data []byte) (plumbing.Hash, error) {
	id := plumbing.ComputeHash(kind, data)
	if p.has[id] {
		return id, nil
	}
	p.has[id] = true
	at := p.pack.Len()
	p.pack.Write(entryHead(kind, uint64(len(data))))
	p.zip.Reset(&p.pack)
	if _, err := p.zip.Write(data); err != nil {
		return id, err
	}
	if err := p.zip.Close(); err != nil {
		return id, err
	}
	p.index.Add(id, uint64(at), crc32.ChecksumIEEE(p.pack.Bytes()[at:]))
	return id, nil
}

// entryHead is an object's type and size: three bits of type and four of size in the
// first byte, seven of size in each that follows, the lowest first.
func entryHead(kind plumbing.ObjectType, size uint64) []byte {
	first := byte(kind)<<4 | byte(size&0x0f)
	if size >>= 4; size == 0 {
		return []byte{first}
	}
	return binary.AppendUvarint([]byte{first | 0x80}, size)
}

// save writes the pack into a folder, and then its index, which is what makes git
// see the pack.
func (p *packer) save(dir string) error {
	binary.BigEndian.PutUint32(p.pack.Bytes()[packCount:], uint32(len(p.has)))
	sum := sha1.Sum(p.pack.Bytes()) //nolint:gosec // the format's
	p.pack.Write(sum[:])
	if err := p.index.OnFooter(sum); err != nil {
		return err
	}
	index, err := p.index.Index()
	if err != nil {
		return err
	}
	var encoded bytes.Buffer
	if _, err := idxfile.NewEncoder(&encoded).Encode(index); err != nil {
		return err
	}
	name := filepath.Join(dir, "pack-"+plumbing.Hash(sum).String())
	// As open as git makes them.
	if err := os.WriteFile(name+".pack", p.pack.Bytes(), 0o444); err != nil { //nolint:gosec // see above
		return err
	}
	return os.WriteFile(name+".idx", encoded.Bytes(), 0o444) //nolint:gosec // see above
}
