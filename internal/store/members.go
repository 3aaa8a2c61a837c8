package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// State is where a member stands towards the newest revision on its channel.
// Drift is another fact, [Member.Drifted].
type State string

// The states of a member.
const (
	Current  State = "current"  // it has the newest revision
	Behind   State = "behind"   // a newer one exists; a pull request may be open
	Conflict State = "conflict" // a pull request is open, and a person must decide
	Diverged State = "diverged" // people committed to our branch; we build on top or stop
	Unknown  State = "unknown"  // not looked at yet, or it could not be read
)

// ErrorKind says what happens after a member's last error.
type ErrorKind string

// The kinds of errors; none is "".
const (
	TryLater      ErrorKind = "try later"
	PersonMustAct ErrorKind = "person must act"
	Failed        ErrorKind = "failed"
)

// Member is a repository that follows a golden path.
type Member struct {
	Repository  int64 // must be remembered already
	GoldenPath  string
	Source      string // where the golden path is read from
	Channel     string // stable, a version range or a pin, as the repository says it
	Version     string // what the lock names; "": none yet
	Wanted      string // the newest version on the channel
	State       State
	Drifted     bool   // managed files differ from what the lock renders
	PullRequest int64  // number of the open one; 0: none
	PushedHead  string // the commit that we pushed last to our branch
	Offered     string // digest of the golden path that our open pull request brings
	Refused     string // the version whose pull request a person closed: "no" until the next
	Undecided   string // the commit whose check says what is to be decided, and a digest of it; "": nothing; the check may be owed
	Held        string // digest of the golden path that waits for a window or for room; "": nothing
	HeldUntil   time.Time
	Merges      int64     // number of the pull request that GitHub is to merge by itself; below 0: refused for that one
	MergesSince time.Time // since when GitHub refuses that for what may pass; zero: it does not
	Digest      string    // of the golden path that the lock names
	Paths       []string  // that the golden path has in the repository, by the lock
	ErrorKind   ErrorKind
	Error       string    // the last error, for people; "": the last work succeeded
	Failed      time.Time // when it happened
	Joined      time.Time // set when first remembered
	Scaffolded  time.Time // when a golden path was rendered into it; zero: it was adopted
	FirstDeploy time.Time // zero: not yet, or not known
	BehindSince time.Time // since when it is not current; zero: it is
	Looked      time.Time // when its lock was read last
	Updated     time.Time // set by RememberMember
}

// maxError bounds what is kept of an error.
const maxError = 4 << 10

// RememberMember records a member as it is now. Joined and FirstDeploy keep the
// first time that was recorded, BehindSince is kept while the member stays behind.
func (s *Store) RememberMember(ctx context.Context, m Member) error {
	now := millis(s.Now())
	behind := now
	if m.State == Current || m.State == Unknown {
		behind = 0
	}
	if m.Joined.IsZero() {
		m.Joined = s.Now()
	}
	_, err := s.exec(ctx, `INSERT INTO members
		(repository, golden_path, source, channel, version, wanted, state, drifted, pull_request, pushed_head, offered,
		 refused, error_kind, error, failed, joined, scaffolded, first_deploy, behind_since, looked, updated, digest, paths, undecided,
		 held, held_until, merges, merges_since)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
		ON CONFLICT (repository, golden_path) DO UPDATE SET source = excluded.source, channel = excluded.channel,
			version = excluded.version, wanted = excluded.wanted, state = excluded.state, drifted = excluded.drifted,
			pull_request = excluded.pull_request, pushed_head = excluded.pushed_head, offered = excluded.offered,
			refused = excluded.refused, error_kind = excluded.error_kind, error = excluded.error, failed = excluded.failed,
			scaffolded = CASE WHEN members.scaffolded = 0 THEN excluded.scaffolded ELSE members.scaffolded END,
			first_deploy = CASE WHEN members.first_deploy = 0 THEN excluded.first_deploy ELSE members.first_deploy END,
			behind_since = CASE WHEN excluded.behind_since = 0 OR members.behind_since = 0
				THEN excluded.behind_since ELSE members.behind_since END,
			looked = excluded.looked, updated = excluded.updated, digest = excluded.digest, paths = excluded.paths,
			undecided = excluded.undecided, held = excluded.held, held_until = excluded.held_until, merges = excluded.merges,
			merges_since = excluded.merges_since`,
		m.Repository, m.GoldenPath, m.Source, m.Channel, m.Version, m.Wanted, string(m.State), m.Drifted, m.PullRequest,
		m.PushedHead, m.Offered, m.Refused, string(m.ErrorKind), limit(m.Error, maxError), millis(m.Failed),
		millis(m.Joined), millis(m.Scaffolded), millis(m.FirstDeploy), behind, millis(m.Looked), now,
		m.Digest, strings.Join(m.Paths, "\n"), m.Undecided, m.Held, millis(m.HeldUntil), m.Merges, millis(m.MergesSince))
	if err != nil {
		return fmt.Errorf("remembering that repository %d follows %s: %w", m.Repository, m.GoldenPath, err)
	}
	return nil
}

// MemberFailed records the last error of a member, and nothing else of it.
func (s *Store) MemberFailed(ctx context.Context, repository int64, goldenPath string, kind ErrorKind, why string) error {
	now := millis(s.Now())
	n, err := s.exec(ctx, `UPDATE members SET error_kind = $3, error = $4, failed = $5, updated = $5
		WHERE repository = $1 AND golden_path = $2`, repository, goldenPath, string(kind), limit(why, maxError), now)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("recording the error of member %d, %s: %w", repository, goldenPath, err)
	}
	return nil
}

// Deployed notes the first successful deployment of a repository, in all its
// memberships that have none yet. It returns false when there was none to note.
func (s *Store) Deployed(ctx context.Context, repository int64, when time.Time) (bool, error) {
	n, err := s.exec(ctx, `UPDATE members SET first_deploy = $2, updated = $3 WHERE repository = $1 AND first_deploy = 0`,
		repository, millis(when), millis(s.Now()))
	if err != nil {
		return false, fmt.Errorf("noting the first deployment of repository %d: %w", repository, err)
	}
	return n > 0, nil
}

// ForgetMember removes a membership: the repository no longer follows the golden
// path. How conflicts with it were resolved is forgotten too.
func (s *Store) ForgetMember(ctx context.Context, repository int64, goldenPath string) error {
	_, err := s.exec(ctx, `DELETE FROM resolutions WHERE repository = $1 AND golden_path = $2`, repository, goldenPath)
	if err == nil {
		_, err = s.exec(ctx, `DELETE FROM lessons WHERE repository = $1 AND golden_path = $2`, repository, goldenPath)
	}
	if err == nil {
		_, err = s.exec(ctx, `DELETE FROM members WHERE repository = $1 AND golden_path = $2`, repository, goldenPath)
	}
	if err != nil {
		return fmt.Errorf("forgetting that repository %d follows %s: %w", repository, goldenPath, err)
	}
	return nil
}

// Memberships returns what a repository follows, by golden path.
func (s *Store) Memberships(ctx context.Context, repository int64) ([]Member, error) {
	all, err := collect(ctx, s.q, scanMember,
		`SELECT `+memberColumns+` FROM members m WHERE m.repository = $1 ORDER BY m.golden_path`, repository)
	if err != nil {
		return nil, fmt.Errorf("reading what repository %d follows: %w", repository, err)
	}
	return all, nil
}

const memberColumns = `m.repository, m.golden_path, m.source, m.channel, m.version, m.wanted, m.state, m.drifted,
	m.pull_request, m.pushed_head, m.offered, m.refused, m.error_kind, m.error, m.failed, m.joined, m.scaffolded,
	m.first_deploy, m.behind_since, m.looked, m.updated, m.digest, m.paths, m.undecided,
	m.held, m.held_until, m.merges, m.merges_since`

func scanMember(r row) (Member, error) {
	var m Member
	var t memberTimes
	err := r.Scan(m.into(&t)...)
	m.times(t)
	return m, err
}

// memberTimes are a member's times as they are stored.
type memberTimes [9]int64

// into lists where memberColumns go.
func (m *Member) into(t *memberTimes) []any {
	return []any{&m.Repository, &m.GoldenPath, &m.Source, &m.Channel, &m.Version, &m.Wanted, &m.State, &m.Drifted,
		&m.PullRequest, &m.PushedHead, &m.Offered, &m.Refused, &m.ErrorKind, &m.Error,
		&t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &m.Digest, (*lines)(&m.Paths), &m.Undecided,
		&m.Held, &t[7], &m.Merges, &t[8]}
}

func (m *Member) times(t memberTimes) {
	m.Failed, m.Joined, m.Scaffolded, m.FirstDeploy = at(t[0]), at(t[1]), at(t[2]), at(t[3])
	m.BehindSince, m.Looked, m.Updated = at(t[4]), at(t[5]), at(t[6])
	m.HeldUntil, m.MergesSince = at(t[7]), at(t[8])
}

// lines are kept as one text, one in each line; git's paths have no line ends here,
// because tree.CheckPath refuses them.
type lines []string

// Scan reads what the database has.
func (l *lines) Scan(v any) error {
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	}
	*l = nil
	if text != "" {
		*l = strings.Split(text, "\n")
	}
	return nil
}
