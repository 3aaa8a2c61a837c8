package merge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Memory tells how people resolved the same hunk before, in other members of the
// same organisation.
type Memory interface {
	// Recall returns the resolutions of the hunks with a key (see [Key]).
	Recall(key string) []Resolution
}

// Resolution is one way in which people resolved a hunk, and in how many members.
type Resolution struct {
	Take  Take
	Text  []byte // for TakeText: what they wrote
	Count int
}

// Take says how a hunk was resolved.
type Take int

// The ways to resolve a hunk.
const (
	TakeOurs Take = iota
	TakeTheirs
	TakeText // to something else
)

// agreeing is how many members must have resolved a hunk alike, and none
// otherwise by more than a fifth, for that to be a suggestion.
const agreeing = 3

// Key names a hunk by its texts, white space at the ends of lines aside, so that
// the same conflict has the same key in every member.
func Key(base, ours, theirs []byte) string {
	sum := sha256.New()
	for _, side := range [][]byte{base, ours, theirs} {
		for _, line := range cut(side) {
			sum.Write([]byte(strings.TrimRight(line, " \t\r\n")))
			sum.Write([]byte{'\n'})
		}
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// TakeOf tells how a hunk was resolved, given what stands in its place.
func TakeOf(ours, theirs, resolved []byte) Take {
	switch {
	case bytes.Equal(resolved, ours):
		return TakeOurs
	case bytes.Equal(resolved, theirs):
		return TakeTheirs
	}
	return TakeText
}

// remembered suggests what at least three members agree on.
func remembered(h *hunk, options *Options) (verdict, bool) {
	if options.Memory == nil {
		return verdict{}, false
	}
	all := 0
	var best Resolution
	for _, r := range options.Memory.Recall(Key(h.Base, h.Ours, h.Theirs)) {
		all += r.Count
		if r.Count > best.Count {
			best = r
		}
	}
	if best.Count < agreeing || 5*best.Count < 4*all {
		return verdict{}, false
	}
	text, did := best.Text, "wrote the same in its place"
	switch best.Take {
	case TakeOurs:
		text, did = h.Ours, "kept theirs"
	case TakeTheirs:
		text, did = h.Theirs, "took the golden path's"
	}
	return verdict{text: text, reason: fmt.Sprintf("%d of %d repositories with this conflict %s", best.Count, all, did)}, true
}
