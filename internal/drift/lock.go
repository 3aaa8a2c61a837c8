package drift

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goldenpaths/syncer/internal/document"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// LockName is the file in a member that the machine keeps.
const LockName = scaffold.LockName

// lockVersion is the version of the lock's format that is written. A lock with a
// higher one comes from a newer syncer.
const lockVersion = 1

// Lock says what a member's files were rendered from. It is JSON with one file a
// line, so that it is read quickly and differences show file by file. Each golden
// path has a section with its own checksum, so that changes of two golden paths
// merge.
type Lock struct {
	LockVersion int                 `json:"lockVersion"`
	GoldenPaths map[string]*Section `json:"goldenPaths"`
}

// Section is the part of a lock that belongs to one golden path.
type Section struct {
	Revision
	// Files holds every file that the golden path has in the member.
	Files map[string]LockedFile `json:"files"`
	// Earlier are revisions that some files' bases still come from: those with open
	// conflicts, and those that are kept.
	Earlier map[string]Revision `json:"earlier,omitempty"`
	// Decisions are what people decided about conflicting hunks.
	Decisions []Decision `json:"decisions,omitempty"`
	Checksum  string     `json:"checksum,omitempty"`
}

// Revision identifies a rendering: the golden path at a state, and its inputs.
type Revision struct {
	Source     string          `json:"source"`
	Version    string          `json:"version"`
	Commit     string          `json:"commit,omitempty"`
	Digest     string          `json:"digest"` // of the golden path: scaffold.GoldenPath.Digest
	Engine     int             `json:"engine"`
	Repository string          `json:"repository,omitempty"`
	Inputs     scaffold.Inputs `json:"inputs"`
}

// Name returns how people call the revision: its version, or its commit.
func (r Revision) Name() string {
	switch {
	case r.Version != "" && r.Commit != "":
		return r.Version + " (" + short(r.Commit) + ")"
	case r.Version != "":
		return r.Version
	case r.Commit != "":
		return short(r.Commit)
	}
	return short(strings.TrimPrefix(r.Digest, "sha256:"))
}

func short(id string) string { return id[:min(len(id), 10)] }

// Has reports whether a golden path has a file at path in the member.
func (l *Lock) Has(path string) bool {
	for _, s := range l.GoldenPaths {
		if _, ok := s.Files[path]; ok {
			return true
		}
	}
	return false
}

// LockedFile is a file's base: what the golden path rendered when the member's
// file last had all of it.
type LockedFile struct {
	Mode   scaffold.Mode `json:"mode"`
	Kind   tree.Kind     `json:"kind"`
	Blob   tree.BlobID   `json:"blob,omitempty"`   // "" where there was no base
	Origin string        `json:"origin,omitempty"` // where it differs from the path
	// Earlier names the revision in Section.Earlier that the base comes from; ""
	// is the section's own.
	Earlier string `json:"earlier,omitempty"`
	// Open is true while a part of the golden path's file is not applied because it
	// conflicts and nobody decided.
	Open bool `json:"open,omitempty"`
	// Deleted is true while a migration's removal of the file is not carried out.
	Deleted bool `json:"deleted,omitempty"`
	// Holes are the parts that are not applied, where all else is: the base is Blob's
	// text with these filled.
	Holes []Hole `json:"holes,omitempty"`
	// Text is Blob's text, kept where it could not be had again: its source keeps no
	// history, and the member's file is another one.
	Text string `json:"text,omitempty"`
	// Seldom is nil for most files. An entry with more in it costs every plan time.
	*Seldom
}

// Seldom is what a lock says about few files.
type Seldom struct {
	// From is the path that the file had in the revision Earlier, where it is another one.
	From string `json:"from,omitempty"`
	// Bytes is what Text is of a file that is not UTF-8, which JSON's texts are.
	Bytes []byte `json:"bytes,omitempty"`
	// Declined is what the golden path had rendered when the member deleted the file, and
	// DeclinedKind its kind, where that has changed since. Should the file come back, that is
	// its base: what changed since then never came.
	Declined     tree.BlobID `json:"declined,omitempty"`
	DeclinedKind tree.Kind   `json:"declinedKind,omitempty"`
}

// seldom returns what the entry says that few do.
func (l LockedFile) seldom() Seldom {
	if l.Seldom == nil {
		return Seldom{}
	}
	return *l.Seldom
}

// BasePath returns the path at which the file's base was rendered; path is its own.
func (l LockedFile) BasePath(path string) string { return cmp.Or(l.seldom().From, path) }

// setFrom notes the path at which the file's base was rendered; "" is its own.
func (l *LockedFile) setFrom(path string) {
	s := l.seldom()
	s.From = path
	l.setSeldom(s)
}

func (l *LockedFile) setSeldom(s Seldom) {
	l.Seldom = nil
	if s.From != "" || s.Bytes != nil || s.Declined != "" {
		l.Seldom = &s
	}
}

// decline notes that the member, who deleted the file, does not get the version that the
// entry is of; was is the entry until now.
func (l *LockedFile) decline(was LockedFile) {
	s := l.seldom()
	if s.Declined, s.DeclinedKind = was.Blob, was.Kind; was.seldom().Declined != "" {
		s.Declined, s.DeclinedKind = was.seldom().Declined, was.seldom().DeclinedKind
	}
	if s.Declined != l.Blob || s.DeclinedKind != l.Kind {
		l.setSeldom(s)
	}
}

// returned is the entry of a file that the member has: its base is what the member's
// began from, if it was deleted for a while.
func (l LockedFile) returned() LockedFile {
	if s := l.seldom(); s.Declined != "" {
		l.Blob, l.Kind, l.Text = s.Declined, s.DeclinedKind, ""
		l.setSeldom(Seldom{From: s.From})
	}
	return l
}

// maxKeptText bounds the text that a lock keeps for one file, in bytes.
const maxKeptText = 256 << 10

// keep makes the entry hold the text of its blob, if that can be merged at all and is
// not too long.
func (l *LockedFile) keep(f tree.File) {
	switch text := utf8.Valid(f.Data); {
	case len(f.Data) > maxKeptText, f.Kind.IsLink(), !text && f.IsBinary():
	case text:
		l.Text = string(f.Data)
	default:
		s := l.seldom()
		s.Bytes = f.Data
		l.setSeldom(s)
	}
}

// text returns the text of the entry's blob, if it holds that.
func (l LockedFile) text() (text []byte, ok bool) {
	if l.Text != "" {
		return []byte(l.Text), true
	}
	b := l.seldom().Bytes
	return b, len(b) > 0
}

// Decision remembers what somebody chose for one hunk, or for a whole file. It holds for
// that version of the golden path's file alone: the same short texts may meet
// elsewhere in another one, and mean something else there.
type Decision struct {
	Path string      `json:"path"`
	Of   tree.BlobID `json:"of,omitempty"` // the golden path's file; "" where it has none
	Hunk string      `json:"hunk"`         // HunkID of what was chosen about
	Take Side        `json:"take"`
	// Like is merge.Key of a place where one side was taken: by it other members with the
	// same conflict may learn from this one.
	Like string `json:"like,omitempty"`
}

// decision is what was chosen for hunks with the same texts in one file.
type decision struct {
	take   Side
	places int // how many there were
}

// decided returns what was decided about a version of the golden path's file, by
// [HunkID]. of is asked only where something was.
func (s *Section) decided(path string, of func() tree.BlobID) map[string]decision {
	var all map[string]decision
	var version tree.BlobID
	for _, d := range s.Decisions {
		if d.Path != path {
			continue
		}
		if all == nil {
			all, version = map[string]decision{}, of()
		}
		if d.Of != version {
			continue
		}
		all[d.Hunk] = decision{d.Take, all[d.Hunk].places + 1}
	}
	return all
}

// decide notes decisions about a version of a file, in place of earlier ones about the
// same.
func (s *Section) decide(path string, of tree.BlobID, take Side, about []Clash) {
	s.Decisions = slices.DeleteFunc(s.Decisions, func(d Decision) bool {
		return d.Path == path && d.Of == of && slices.ContainsFunc(about, func(c Clash) bool { return c.ID() == d.Hunk })
	})
	for _, c := range about {
		d := Decision{Path: path, Of: of, Hunk: c.ID(), Take: take}
		if c.Line > 0 && take != Suggested {
			d.Like = merge.Key(c.Base, c.Ours, c.Theirs)
		}
		s.Decisions = append(s.Decisions, d)
	}
}

// Side is what can be taken in a conflict.
type Side string

// The sides of a merge, and what is neither.
const (
	Ours   Side = "ours"   // the member's
	Theirs Side = "theirs" // the golden path's
	// Suggested is what a resolver suggests (see package merge).
	Suggested Side = "suggested"
)

// ParseSide reads what is to be taken.
func ParseSide(text string) (Side, error) {
	switch s := Side(text); s {
	case Ours, Theirs, Suggested:
		return s, nil
	}
	return "", fmt.Errorf("%q must be suggested, theirs or ours", text)
}

// HunkID identifies a conflict by its three texts.
func HunkID(base, ours, theirs []byte) string {
	h := sha256.New()
	for _, b := range [][]byte{base, ours, theirs} {
		fmt.Fprintf(h, "%d\x00", len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Format returns the lock's bytes. Equal locks have equal bytes.
func (l *Lock) Format() ([]byte, error) {
	out := Lock{LockVersion: lockVersion, GoldenPaths: map[string]*Section{}}
	for name, s := range l.GoldenPaths {
		sealed := *s
		sum, err := s.checksum()
		if err != nil {
			return nil, err
		}
		sealed.Checksum = sum
		out.GoldenPaths[name] = &sealed
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("%s: %w", LockName, err)
	}
	return oneLine(b.Bytes()), nil
}

// fileLines finds the entries of "files", which the encoder spreads over lines.
var fileLines = regexp.MustCompile(`\{\n\s+"mode": [^{}]*\}|\{\n\s+"path": [^{}]*\}`)

func oneLine(text []byte) []byte {
	return fileLines.ReplaceAllFunc(text, func(entry []byte) []byte {
		var b bytes.Buffer
		if json.Compact(&b, entry) != nil {
			return entry
		}
		return bytes.ReplaceAll(bytes.ReplaceAll(b.Bytes(), []byte(`":`), []byte(`": `)), []byte(`,"`), []byte(`, "`))
	})
}

// checksum is a SHA-256 over the section's canonical JSON without the checksum.
func (s *Section) checksum() (string, error) {
	plain := *s
	plain.Checksum = ""
	b, err := json.Marshal(plain)
	if err != nil {
		return "", fmt.Errorf("%s: %w", LockName, err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// restore is what to do about a lock that cannot be used.
const restore = "take back the last good one: git log -- " + LockName + ", then git checkout COMMIT -- " + LockName + "; without one, delete it and make it anew: syncer adopt NAME"

// MaxLock bounds the size of a lock, in bytes.
const MaxLock = 32 << 20

// ParseLock reads a lock. The error is [document.Problems]; it says where the
// lock was truncated, edited or left in the middle of a merge, and what to do.
func ParseLock(data []byte) (*Lock, error) {
	fault := func(offset int64, message, hint string) error {
		line := 1 + bytes.Count(data[:offset], []byte("\n"))
		column := int(offset) - bytes.LastIndexByte(data[:offset], '\n')
		return document.Problems{{File: LockName, Line: line, Column: column, Message: message, Hint: hint}}
	}
	if len(data) > MaxLock {
		return nil, fault(0, fmt.Sprintf("the lock has %d bytes; at most %d are read", len(data), MaxLock), restore)
	}
	if at := regexp.MustCompile(`(?m)^(<{7}|={7}|>{7})( |$)`).FindIndex(data); at != nil {
		return nil, fault(int64(at[0]), "a conflict marker of an unfinished merge is here", "take one side as a whole (git checkout --ours "+LockName+"), then run syncer sync")
	}
	var version struct {
		LockVersion int `json:"lockVersion"`
	}
	l := &Lock{}
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch err := json.Unmarshal(data, &version); {
	case errors.As(err, &syntax):
		return nil, fault(min(syntax.Offset, int64(len(data))), "the lock is not valid JSON, or is cut off: "+err.Error(), restore)
	case err != nil:
		return nil, fault(0, "the lock is not readable: "+err.Error(), restore)
	case version.LockVersion > lockVersion:
		return nil, fault(0, fmt.Sprintf("the lock has version %d; this syncer knows up to %d", version.LockVersion, lockVersion), "use a newer syncer")
	case version.LockVersion < 1:
		return nil, fault(0, `"lockVersion" is missing`, restore)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(l); errors.As(err, &typ) {
		return nil, fault(min(typ.Offset, int64(len(data))), "the lock was edited: "+err.Error(), restore)
	} else if err != nil {
		return nil, fault(dec.InputOffset(), "the lock was edited: "+strings.TrimPrefix(err.Error(), "json: "), restore)
	}
	return l, l.verify(data, fault)
}

// verify checks each section's checksum, and that no path leaves the member.
func (l *Lock) verify(data []byte, fault func(int64, string, string) error) error {
	for _, name := range slices.Sorted(maps.Keys(l.GoldenPaths)) {
		s := l.GoldenPaths[name]
		at := int64(max(0, bytes.Index(data, []byte(`"`+name+`": {`))))
		if s == nil {
			return fault(at, fmt.Sprintf("the section %q is empty", name), restore)
		}
		normalize(s)
		sum, err := s.checksum()
		if err != nil {
			return err
		}
		if sum != s.Checksum {
			return fault(at, fmt.Sprintf("the section %q was changed by something other than syncer: its checksum does not fit", name), restore)
		}
		for p := range s.Files {
			if err := tree.CheckPath(p); err != nil {
				return fault(at, fmt.Sprintf("the section %q has a file %q: %v", name, p, err), restore)
			}
		}
	}
	return nil
}

// normalize turns JSON's numbers into the ones that inputs have.
func normalize(s *Section) {
	s.Inputs, _ = numbers(s.Inputs).(map[string]any)
	for name, r := range s.Earlier {
		r.Inputs, _ = numbers(r.Inputs).(map[string]any)
		s.Earlier[name] = r
	}
	if s.Files == nil {
		s.Files = map[string]LockedFile{}
	}
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64() // a JSON number always has one, if only an infinite one
		return f
	case map[string]any:
		for k, item := range v {
			v[k] = numbers(item)
		}
	case []any:
		for i, item := range v {
			v[i] = numbers(item)
		}
	}
	return v
}
