package walks

import (
	"context"
	"errors"
	"fmt"
)

// viaSuffix ends the name of the branch that a signed commit is made on.
const viaSuffix = "-signing"

// advance moves a branch to a commit. Where the branch takes signed commits only, and
// GitHub has not signed this one, it is made anew in a way that GitHub signs.
func (b *bringing) advance(ctx context.Context, c Commit, made *Committed, m Move) error {
	err := b.client.Move(ctx, m)
	if !errors.Is(err, ErrUnsigned) {
		return err
	}
	via := b.branch() + viaSuffix
	signed, signErr := b.client.Sign(ctx, c, *made, via)
	if signErr != nil {
		return errors.Join(signErr, err)
	}
	if !m.FastForward {
		b.pushing(signed.ID)
		if err := b.remember(ctx); err != nil {
			return err
		}
	}
	m.To = signed.ID
	err = errors.Join(b.client.Move(ctx, m), b.client.Unsign(ctx, via, signed))
	if err != nil {
		return err
	}
	b.note(ctx, "commit signed", fmt.Sprintf("GitHub had not signed the commit (%s), so it was made anew on the branch itself", made.Reason))
	*made = signed
	return nil
}

// told tells in the repository what only a person can change: a permission that is
// missing, a rule that forbids it, a mistake in what the repository follows.
func (b *bringing) told(ctx context.Context, name string, err error) error {
	if !isTold(err) && (errors.Is(err, ErrDenied) || errors.Is(err, ErrRefused) || isMistake(err)) {
		return b.stuck(ctx, b.client, b.record.At, name, err)
	}
	return err
}

// isMistake reports whether a member's own file asks for what is not to be had. Errors of
// the ports say so.
func isMistake(err error) bool {
	var mistake interface{ MembersMistake() bool }
	return errors.As(err, &mistake) && mistake.MembersMistake()
}

// isTold reports whether a person was told of an error.
func isTold(err error) bool {
	_, told := errors.AsType[*PersonError](err)
	return told
}
