package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Installation is the App in one account.
type Installation struct {
	ID          int64
	Account     string // login of the organisation or user
	AccountID   int64
	AccountType string            // Organization, User or Enterprise
	Permissions map[string]string // as granted: contents → write
	Selection   string            // all or selected
	Suspended   time.Time         // zero: it is not
	Updated     time.Time         // set by RememberInstallation
}

// RememberInstallation records an installation as it is now.
func (s *Store) RememberInstallation(ctx context.Context, i Installation) error {
	permissions, err := json.Marshal(i.Permissions)
	if err != nil {
		return err // unreachable: a map of strings
	}
	_, err = s.exec(ctx, `INSERT INTO installations
		(id, account, account_id, account_type, permissions, selection, suspended, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, account_id = excluded.account_id,
			account_type = excluded.account_type, permissions = excluded.permissions,
			selection = excluded.selection, suspended = excluded.suspended, updated = excluded.updated`,
		i.ID, i.Account, i.AccountID, i.AccountType, string(permissions), i.Selection, millis(i.Suspended), millis(s.Now()))
	if err != nil {
		return fmt.Errorf("remembering installation %d (%s): %w", i.ID, i.Account, err)
	}
	return nil
}

// SuspendInstallation notes that an installation was suspended, or with the zero
// time that it no longer is.
func (s *Store) SuspendInstallation(ctx context.Context, id int64, since time.Time) error {
	n, err := s.exec(ctx, `UPDATE installations SET suspended = $2, updated = $3 WHERE id = $1`, id, millis(since), millis(s.Now()))
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("suspending installation %d: %w", id, err)
	}
	return nil
}

// ForgetInstallation removes an installation with its repositories and what is
// remembered of them as members, and of how conflicts were resolved in them. The log
// keeps what happened.
func (s *Store) ForgetInstallation(ctx context.Context, id int64) error {
	for _, statement := range []string{
		`DELETE FROM resolutions WHERE installation = $1`,
		`DELETE FROM lessons WHERE installation = $1`,
		`DELETE FROM members WHERE repository IN (SELECT id FROM repositories WHERE installation = $1)`,
		`DELETE FROM repositories WHERE installation = $1`,
		`DELETE FROM installations WHERE id = $1`,
	} {
		if _, err := s.exec(ctx, statement, id); err != nil {
			return fmt.Errorf("forgetting installation %d: %w", id, err)
		}
	}
	return nil
}

// Installation returns one installation, or [ErrNotFound].
func (s *Store) Installation(ctx context.Context, id int64) (Installation, error) {
	i, err := scanInstallation(s.q.QueryRowContext(ctx, selectInstallations+` WHERE id = $1`, id))
	return i, found(err, "installation %d", id)
}

// Installations returns all of them, by account.
func (s *Store) Installations(ctx context.Context) ([]Installation, error) {
	all, err := collect(ctx, s.q, scanInstallation, selectInstallations+` ORDER BY account, id`)
	if err != nil {
		return nil, fmt.Errorf("reading installations: %w", err)
	}
	return all, nil
}

const selectInstallations = `SELECT id, account, account_id, account_type, permissions, selection, suspended, updated FROM installations`

func scanInstallation(r row) (Installation, error) {
	var i Installation
	var permissions string
	var suspended, updated int64
	err := r.Scan(&i.ID, &i.Account, &i.AccountID, &i.AccountType, &permissions, &i.Selection, &suspended, &updated)
	if err != nil {
		return i, err
	}
	i.Suspended, i.Updated = at(suspended), at(updated)
	return i, json.Unmarshal([]byte(permissions), &i.Permissions)
}
