package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Resolution is how people resolved one conflict in one repository.
type Resolution struct {
	Installation int64 // whose memory it is in, and nobody else's
	Repository   int64 // must be remembered already
	GoldenPath   string
	Hunk         string // a digest of the conflict's texts
	Take         string // ours, theirs, or text
	Text         []byte // for text: what was written in its place
	Resolved     time.Time
}

// The bounds of what is kept: the longest text, and how many resolutions of one
// repository. The oldest go first.
const (
	MaxResolution     = 4 << 10
	mostOfARepository = 1000
)

// RememberResolution keeps how a conflict was resolved in a repository, in place of
// how the same one was resolved there before. A text that is too long, or no text, is
// not kept, and neither is what was there before; kept tells.
func (s *Store) RememberResolution(ctx context.Context, r Resolution) (kept bool, err error) {
	if len(r.Text) > MaxResolution || !utf8.Valid(r.Text) || strings.ContainsRune(string(r.Text), 0) {
		_, err := s.exec(ctx, `DELETE FROM resolutions WHERE installation = $1 AND hunk = $2 AND repository = $3`, r.Installation, r.Hunk, r.Repository)
		if err != nil {
			return false, fmt.Errorf("forgetting how a conflict in repository %d was resolved: %w", r.Repository, err)
		}
		return false, nil
	}
	digest := ""
	if r.Take != "ours" && r.Take != "theirs" {
		sum := sha256.Sum256(r.Text)
		digest = hex.EncodeToString(sum[:])
	}
	_, err = s.exec(ctx, `INSERT INTO resolutions (installation, hunk, repository, golden_path, take, digest, wrote, resolved)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (installation, hunk, repository) DO UPDATE SET golden_path = excluded.golden_path, take = excluded.take,
			digest = excluded.digest, wrote = excluded.wrote, resolved = excluded.resolved`,
		r.Installation, r.Hunk, r.Repository, r.GoldenPath, r.Take, digest, string(r.Text), millis(s.Now()))
	if err == nil {
		_, err = s.exec(ctx, `DELETE FROM resolutions WHERE repository = $1 AND resolved <
			COALESCE((SELECT resolved FROM resolutions WHERE repository = $2 ORDER BY resolved DESC LIMIT 1 OFFSET $3), 0)`,
			r.Repository, r.Repository, mostOfARepository-1)
	}
	if err == nil {
		err = s.noteLesson(ctx, r)
	}
	if err != nil {
		return false, fmt.Errorf("remembering how a conflict in repository %d was resolved: %w", r.Repository, err)
	}
	return true, nil
}

// Lesson is a conflict, and how it was resolved.
type Lesson struct{ Hunk, Take string }

func (s *Store) noteLesson(ctx context.Context, r Resolution) error {
	_, err := s.exec(ctx, `INSERT INTO lessons (installation, repository, golden_path, hunk, take, learned) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (installation, repository, golden_path, hunk, take) DO UPDATE SET learned = excluded.learned`,
		r.Installation, r.Repository, r.GoldenPath, r.Hunk, r.Take, millis(s.Now()))
	if err == nil {
		_, err = s.exec(ctx, `DELETE FROM lessons WHERE repository = $1 AND learned <
			COALESCE((SELECT learned FROM lessons WHERE repository = $2 ORDER BY learned DESC LIMIT 1 OFFSET $3), 0)`,
			r.Repository, r.Repository, mostOfARepository-1)
	}
	return err
}

// Lessons returns what was ever learned from a repository about a golden path. What was
// forgotten by order is among it, so that it is known not to be new. A thousand of a
// repository are kept, the newest.
func (s *Store) Lessons(ctx context.Context, installation, repository int64, goldenPath string) (map[Lesson]bool, error) {
	all, err := collect(ctx, s.q, func(r row) (Lesson, error) {
		var l Lesson
		return l, r.Scan(&l.Hunk, &l.Take)
	}, `SELECT hunk, take FROM lessons WHERE installation = $1 AND repository = $2 AND golden_path = $3`, installation, repository, goldenPath)
	if err != nil {
		return nil, fmt.Errorf("reading what was learned from repository %d: %w", repository, err)
	}
	known := make(map[Lesson]bool, len(all))
	for _, l := range all {
		known[l] = true
	}
	return known, nil
}

// Resolved is one way in which a conflict was resolved, and in how many repositories.
type Resolved struct {
	Take         string
	Text         []byte
	Repositories int
}

// Resolutions returns how a conflict was resolved in the repositories of an
// installation other than one, the most common way first.
func (s *Store) Resolutions(ctx context.Context, installation, except int64, hunk string) ([]Resolved, error) {
	all, err := collect(ctx, s.q, func(r row) (Resolved, error) {
		var one Resolved
		var text string
		err := r.Scan(&one.Take, &text, &one.Repositories)
		one.Text = []byte(text)
		return one, err
	}, `SELECT take, min(wrote), count(*) FROM resolutions WHERE installation = $1 AND hunk = $2 AND repository <> $3
		GROUP BY take, digest ORDER BY count(*) DESC, take, digest`, installation, hunk, except)
	if err != nil {
		return nil, fmt.Errorf("reading how a conflict was resolved in installation %d: %w", installation, err)
	}
	return all, nil
}

// ForgetResolutions forgets how conflicts were resolved in a repository of an
// installation, or with repository 0 in all of them, and returns how many there were.
func (s *Store) ForgetResolutions(ctx context.Context, installation, repository int64) (int64, error) {
	statement, args := `DELETE FROM resolutions WHERE installation = $1`, []any{installation}
	if repository != 0 {
		statement, args = statement+` AND repository = $2`, append(args, repository)
	}
	n, err := s.exec(ctx, statement, args...)
	if err != nil {
		return 0, fmt.Errorf("forgetting how conflicts were resolved in installation %d: %w", installation, err)
	}
	return n, nil
}

// MemoryOf is how much is remembered of one installation.
type MemoryOf struct {
	Installation int64
	Account      string // "" where it is not known
	Conflicts    int
	Repositories int
}

// Memories returns how much is remembered, by account.
func (s *Store) Memories(ctx context.Context) ([]MemoryOf, error) {
	all, err := collect(ctx, s.q, func(r row) (MemoryOf, error) {
		var m MemoryOf
		return m, r.Scan(&m.Installation, &m.Account, &m.Conflicts, &m.Repositories)
	}, `SELECT x.installation, COALESCE(i.account, ''), count(DISTINCT x.hunk), count(DISTINCT x.repository)
		FROM resolutions x LEFT JOIN installations i ON i.id = x.installation
		GROUP BY x.installation, i.account ORDER BY i.account, x.installation`)
	if err != nil {
		return nil, fmt.Errorf("reading how much is remembered: %w", err)
	}
	return all, nil
}
