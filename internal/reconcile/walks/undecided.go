package walks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

// undecided returns the files about which a person has to decide.
func undecided(p *reconcile.Planned) []drift.Change {
	var open []drift.Change
	for _, c := range p.Changes {
		if c.Action == drift.Conflict {
			open = append(open, c)
		}
	}
	return open
}

// decidedByHand returns the files whose conflicts people decided by editing them on
// the branch: none of the places that conflict there is as it was when they were
// asked.
func decidedByHand(asked, now *reconcile.Planned) []string {
	open := map[string]map[string]bool{}
	for _, c := range undecided(asked) {
		open[c.Path] = map[string]bool{}
		for _, cl := range c.Clashes {
			open[c.Path][cl.ID()] = true
		}
	}
	var paths []string
	for _, c := range undecided(now) {
		was, known := open[c.Path]
		if known && !slices.ContainsFunc(c.Clashes, func(cl drift.Clash) bool { return was[cl.ID()] }) {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

// ConflictsKey begins the key of the check about open conflicts; the golden path's name
// follows.
const ConflictsKey = "conflicts "

// checkName is what the check about a golden path's open conflicts is called.
func checkName(goldenPath string) string { return "syncer / " + goldenPath }

// warn makes a pull request say by its own means, which people's tools understand,
// that somebody has to decide something: its check fails and it is a draft. Once all
// is decided the check succeeds and it is ready for review. It is told where that
// changes, so that a draft which a person makes ready stays so.
func (b *bringing) warn(ctx context.Context, open []drift.Change, pr PullRequest, head string) error {
	before, now := b.record.Undecided, ""
	if len(open) > 0 {
		now = head + " " + clashDigest(open)
	}
	if before == now && !b.again && (now != "" || !strings.Contains(pr.Body, toDecide)) {
		return nil
	}
	err := b.client.EnsureCheck(ctx, b.check(open, head))
	if err != nil && !lasts(err) {
		return err
	}
	paying := before == owed+now || b.again && before == now // all else was done
	if err != nil {
		now = owed + now
		if paying {
			return nil
		}
		b.note(ctx, "the check about open conflicts is missing", err.Error())
	}
	if !paying {
		began := strings.TrimPrefix(before, owed) == "" && !strings.Contains(pr.Body, toDecide)
		if err := b.warnBeside(ctx, open, pr, head, began); err != nil {
			return err
		}
	}
	b.record.Undecided = now
	return b.remember(ctx)
}

// warnBeside says besides the check that something is to be decided, or not any more.
func (b *bringing) warnBeside(ctx context.Context, open []drift.Change, pr PullRequest, head string, began bool) error {
	if len(open) == 0 && pr.Draft || began && len(open) > 0 && !pr.Draft {
		if err := b.setDraft(ctx, pr, len(open) > 0); err != nil {
			return err
		}
	}
	if len(open) == 0 {
		return nil
	}
	return b.suggest(ctx, open, pr, head)
}

// owed begins what a record says of undecided places where the check that is to say so
// could not be made. The next look pays it, if only the sweep's.
const owed = "owed "

// decides reports whether a person has to decide something on a member's pull request.
func (r Record) decides() bool { return strings.TrimPrefix(r.Undecided, owed) != "" }

// clashDigest identifies what is to be decided.
func clashDigest(open []drift.Change) string {
	h := sha256.New()
	for _, c := range open {
		fmt.Fprintf(h, "%q %q\n", c.Path, c.Reason)
		for _, cl := range c.Clashes {
			fmt.Fprintf(h, "%s %d\n", cl.ID(), cl.Line)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}

func (b *bringing) check(open []drift.Change, head string) Check {
	c := Check{
		Commit: head, Name: checkName(b.record.GoldenPath), Key: ConflictsKey + b.record.GoldenPath, Status: "completed",
		Conclusion: "success", Title: "Nothing is left to decide", Summary: "Every conflict with the golden path is decided.\n",
	}
	if len(open) == 0 {
		return c
	}
	c.Conclusion, c.Title = "failure", fmt.Sprintf("%d files wait for a decision", len(open))
	if len(open) == 1 {
		c.Title = "1 file waits for a decision"
	}
	text := body{limit: maxCheck}
	text.add("Both this repository and the golden path changed the same thing. The repository's side is in place. Decide in the pull request: tick a box in its description, comment `/syncer take theirs PATH` or `/syncer take ours PATH`, or edit the file on its branch.\n")
	for _, f := range open {
		text.add("\n#### %s\n\n%s\n", code(f.Path), plain(f.Reason))
		for _, cl := range f.Clashes {
			text.add("%s", clash(cl))
		}
	}
	c.Summary = text.end("")
	return c
}

// setDraft makes the pull request a draft, or ready for review. GitHub lets an App do
// that by GraphQL alone; where it does not, a person is told to.
func (b *bringing) setDraft(ctx context.Context, pr PullRequest, draft bool) error {
	err := b.client.SetDraft(ctx, pr, draft)
	if !lasts(err) {
		return err
	}
	b.note(ctx, "draft not changed", err.Error())
	if draft {
		return nil // the check says what is open
	}
	return b.client.EnsureComment(ctx, pr.Number, "draft", "Every conflict is decided. This is still a draft, because GitHub does not let syncer change that here: press “Ready for review”.")
}

// lasts reports whether an error will be the same the next time.
func lasts(err error) bool {
	return slices.ContainsFunc([]error{ErrDenied, ErrRefused, ErrUnsupported, ErrInvalid}, func(lasting error) bool { return errors.Is(err, lasting) })
}

// passes reports whether an error says when to try again.
func passes(err error) bool {
	var later interface{ TryAfter() time.Duration }
	return errors.As(err, &later)
}
