package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Repository is a repository that the App can see. Its number stays for life;
// owner and name are attributes that change.
type Repository struct {
	ID            int64
	Installation  int64
	Owner         string
	Name          string
	DefaultBranch string
	Visibility    string // public, private or internal
	Template      string // owner/name of the template it was made from; "": none known
	Archived      bool
	Created       time.Time // at GitHub; zero: not known
	Updated       time.Time // set by RememberRepository
}

// FullName returns owner/name.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

// RememberRepository records a repository as it is now. Fields that are empty
// (Template, DefaultBranch, Visibility, Created, Installation) keep what was known,
// because most payloads tell only a part.
func (s *Store) RememberRepository(ctx context.Context, r Repository) error {
	_, err := s.exec(ctx, `INSERT INTO repositories
		(id, installation, owner, name, full_name, default_branch, visibility, template, archived, created, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, name = excluded.name, full_name = excluded.full_name,
			installation = CASE WHEN excluded.installation = 0 THEN repositories.installation ELSE excluded.installation END,
			default_branch = CASE WHEN excluded.default_branch = '' THEN repositories.default_branch ELSE excluded.default_branch END,
			visibility = CASE WHEN excluded.visibility = '' THEN repositories.visibility ELSE excluded.visibility END,
			template = CASE WHEN excluded.template = '' THEN repositories.template ELSE excluded.template END,
			archived = excluded.archived,
			created = CASE WHEN excluded.created = 0 THEN repositories.created ELSE excluded.created END,
			updated = excluded.updated`,
		r.ID, r.Installation, r.Owner, r.Name, strings.ToLower(r.FullName()), r.DefaultBranch, r.Visibility,
		r.Template, r.Archived, millis(r.Created), millis(s.Now()))
	if err != nil {
		return fmt.Errorf("remembering repository %s (%d): %w", r.FullName(), r.ID, err)
	}
	if r.Installation == 0 {
		return nil
	}
	// A repository that was handed to another organisation takes along what was
	// learned from it.
	for _, table := range []string{"resolutions", "lessons"} {
		if _, err := s.exec(ctx, `DELETE FROM `+table+` WHERE repository = $1 AND installation <> $2`, r.ID, r.Installation); err != nil {
			return fmt.Errorf("forgetting how conflicts in %s (%d) were resolved elsewhere: %w", r.FullName(), r.ID, err)
		}
	}
	return nil
}

// ForgetRepository removes a repository, its memberships, what it started, and how
// conflicts were resolved in it. The log keeps what happened to it.
func (s *Store) ForgetRepository(ctx context.Context, id int64) error {
	for _, table := range []string{"resolutions", "lessons"} {
		if _, err := s.exec(ctx, `DELETE FROM `+table+` WHERE repository = $1`, id); err != nil {
			return fmt.Errorf("forgetting how conflicts in repository %d were resolved: %w", id, err)
		}
	}
	if _, err := s.exec(ctx, `DELETE FROM starts WHERE repository = $1`, id); err != nil {
		return fmt.Errorf("forgetting what repository %d started: %w", id, err)
	}
	if _, err := s.exec(ctx, `DELETE FROM members WHERE repository = $1`, id); err != nil {
		return fmt.Errorf("forgetting the memberships of repository %d: %w", id, err)
	}
	if _, err := s.exec(ctx, `DELETE FROM repositories WHERE id = $1`, id); err != nil {
		return fmt.Errorf("forgetting repository %d: %w", id, err)
	}
	return nil
}

// Repository returns one repository, or [ErrNotFound].
func (s *Store) Repository(ctx context.Context, id int64) (Repository, error) {
	r, err := scanRepository(s.q.QueryRowContext(ctx, selectRepositories+` WHERE id = $1`, id))
	return r, found(err, "repository %d", id)
}

const repositoryColumns = `r.id, r.installation, r.owner, r.name, r.default_branch, r.visibility, r.template, r.archived, r.created, r.updated`
const selectRepositories = `SELECT ` + repositoryColumns + ` FROM repositories r`

func scanRepository(r row) (Repository, error) {
	var repo Repository
	var created, updated int64
	err := r.Scan(repo.into(&created, &updated)...)
	repo.Created, repo.Updated = at(created), at(updated)
	return repo, err
}

// into lists where repositoryColumns go.
func (r *Repository) into(created, updated *int64) []any {
	return []any{&r.ID, &r.Installation, &r.Owner, &r.Name, &r.DefaultBranch, &r.Visibility, &r.Template, &r.Archived, created, updated}
}
