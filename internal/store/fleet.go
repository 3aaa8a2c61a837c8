package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count is how many members there are of one kind.
type Count struct {
	GoldenPath string
	Version    string // what their locks name
	State      State
	Drifted    bool
	Failing    bool // their last work ended with an error
	Members    int
}

// Counts returns the fleet in numbers, by golden path, version, state, drift and
// error, for one golden path or with "" for all.
func (s *Store) Counts(ctx context.Context, goldenPath string) ([]Count, error) {
	all, err := collect(ctx, s.q, func(r row) (Count, error) {
		var c Count
		err := r.Scan(&c.GoldenPath, &c.Version, &c.State, &c.Drifted, &c.Failing, &c.Members)
		return c, err
	}, `SELECT golden_path, version, state, drifted, error_kind <> '' AS failing, count(*) FROM members
		WHERE $1 = '' OR golden_path = $2
		GROUP BY golden_path, version, state, drifted, error_kind <> ''
		ORDER BY golden_path, version, state, drifted, failing`, goldenPath, goldenPath)
	if err != nil {
		return nil, fmt.Errorf("counting members: %w", err)
	}
	return all, nil
}

// Filter chooses members; the zero value chooses all. What is given must all hold.
type Filter struct {
	GoldenPath   string
	Version      string
	State        State
	ErrorKind    ErrorKind
	Installation int64
	Owner        string
	Contains     string // part of owner/name, in any case
	Drifted      bool   // only those that are
	Failing      bool   // only those whose last work ended with an error
	Open         bool   // only those with an open pull request
	WithArchived bool   // archived repositories too
	Active       bool   // only those whose installation is not suspended
}

// Listed is a member with its repository.
type Listed struct {
	Member     Member
	Repository Repository
}

// MaxPage is the most members that one page has.
const MaxPage = 500

// Members returns a page of members by owner, name and golden path, at most size
// (0 or more than [MaxPage]: MaxPage), and the cursor of the next page, "" when
// there is none. Begin with the cursor ""; a cursor stays right while members come
// and go, and one that is not ours is an error.
func (s *Store) Members(ctx context.Context, f Filter, cursor string, size int) (page []Listed, next string, err error) {
	if size <= 0 || size > MaxPage {
		size = MaxPage
	}
	after, err := parseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	var w where
	f.conditions(&w)
	if cursor != "" {
		w.and("(r.full_name, m.golden_path, r.id) > (?, ?, ?)", after.Name, after.GoldenPath, after.ID)
	}
	query := `SELECT ` + memberColumns + `, ` + repositoryColumns + `
		FROM members m JOIN repositories r ON r.id = m.repository` + w.clause() + `
		ORDER BY r.full_name, m.golden_path, r.id LIMIT ` + strconv.Itoa(size+1)
	page, err = collect(ctx, s.q, scanListed, query, w.args...)
	if err != nil {
		return nil, "", fmt.Errorf("listing members: %w", err)
	}
	if len(page) > size {
		page = page[:size]
		last := page[size-1]
		next = position{strings.ToLower(last.Repository.FullName()), last.Member.GoldenPath, last.Repository.ID}.cursor()
	}
	return page, next, nil
}

func (f Filter) conditions(w *where) {
	if f.Active {
		w.and("NOT EXISTS (SELECT 1 FROM installations i WHERE i.id = r.installation AND i.suspended > 0)")
	}
	for _, c := range []struct {
		given bool
		sql   string
		arg   any
	}{
		{f.GoldenPath != "", "m.golden_path = ?", f.GoldenPath},
		{f.Version != "", "m.version = ?", f.Version},
		{f.State != "", "m.state = ?", string(f.State)},
		{f.ErrorKind != "", "m.error_kind = ?", string(f.ErrorKind)},
		{f.Installation != 0, "r.installation = ?", f.Installation},
		{f.Owner != "", "lower(r.owner) = ?", strings.ToLower(f.Owner)},
		{f.Contains != "", `r.full_name LIKE ? ESCAPE '\'`, "%" + escapeLike(strings.ToLower(f.Contains)) + "%"},
		{f.Drifted, "m.drifted = ?", true},
		{f.Failing, "m.error_kind <> ?", ""},
		{f.Open, "m.pull_request <> ?", 0},
		{!f.WithArchived, "r.archived = ?", false},
	} {
		if c.given {
			w.and(c.sql, c.arg)
		}
	}
}

func scanListed(r row) (Listed, error) {
	var l Listed
	var times memberTimes
	var created, updated int64
	err := r.Scan(append(l.Member.into(&times), l.Repository.into(&created, &updated)...)...)
	l.Member.times(times)
	l.Repository.Created, l.Repository.Updated = at(created), at(updated)
	return l, err
}

// where gathers conditions; each ? becomes the next numbered parameter.
type where struct {
	conditions []string
	args       []any
}

func (w *where) and(condition string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.conditions = append(w.conditions, condition)
}

func (w *where) clause() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// position is the last member of a page; a cursor is its opaque form.
type position struct {
	Name       string `json:"n"`
	GoldenPath string `json:"g"`
	ID         int64  `json:"i"`
}

func (p position) cursor() string {
	data, err := json.Marshal(p)
	if err != nil {
		return "" // unreachable: strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseCursor(cursor string) (position, error) {
	var p position
	if cursor == "" {
		return p, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(limit(cursor, 4<<10))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil || p.Name == "" {
		return p, fmt.Errorf("%q is not a cursor that a list returned; begin without one", limit(cursor, 40))
	}
	return p, nil
}

// Arrival is how long a member took from being created to its first deployment.
type Arrival struct {
	Repository  int64
	GoldenPath  string
	Scaffolded  time.Time
	FirstDeploy time.Time
}

// Arrivals returns the members that were scaffolded and deployed, those scaffolded
// since the given time, oldest first: what "time to first deploy" is measured on.
func (s *Store) Arrivals(ctx context.Context, since time.Time) ([]Arrival, error) {
	all, err := collect(ctx, s.q, func(r row) (Arrival, error) {
		var a Arrival
		var scaffolded, deployed int64
		err := r.Scan(&a.Repository, &a.GoldenPath, &scaffolded, &deployed)
		a.Scaffolded, a.FirstDeploy = at(scaffolded), at(deployed)
		return a, err
	}, `SELECT repository, golden_path, scaffolded, first_deploy FROM members
		WHERE scaffolded > 0 AND scaffolded >= $1 AND first_deploy > 0 ORDER BY scaffolded, repository`, millis(since))
	if err != nil {
		return nil, fmt.Errorf("reading times to first deployment: %w", err)
	}
	return all, nil
}
