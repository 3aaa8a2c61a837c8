package walks

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// What the check on a pull request says that edits a managed file.
const (
	ManagedNeutral = "neutral" // tells it, and lets it pass
	ManagedFails   = "fail"
	ManagedOff     = "off" // there is no check
)

// managedCheck is the check run on members' pull requests.
const managedCheck = "golden path files"

// ManagedKey begins the key of that check; the pull request's number follows, which GitHub
// does not tell of a fork's commit when somebody asks for the check again.
const ManagedKey = "managed "

// CheckManaged tells, on a member's pull request, which of the files that it edits
// a golden path owns, and where to change them instead. Number 0 is a group in a merge
// queue, whose pull requests were looked at before; where the check is required, the
// queue waits for it on the group too.
func (w *Walks) CheckManaged(ctx context.Context, at Place, number int, head string) error {
	if w.ManagedCheck == ManagedOff {
		return nil
	}
	records, err := w.Registry.Records(ctx, at.Repository)
	if err != nil || len(records) == 0 {
		return err
	}
	c := w.Hub.Client(at, toCheck, false)
	check := Check{Commit: head, Name: managedCheck, Key: ManagedKey + strconv.Itoa(number), Status: "completed", Conclusion: "success"}
	if number == 0 {
		check.Title, check.Summary = "Each pull request has this check", "The pull requests in this group of the merge queue were looked at one by one."
		return c.EnsureCheck(ctx, check)
	}
	pr, err := c.PullRequest(ctx, number)
	if err != nil || strings.HasPrefix(pr.Head, branchPrefix) {
		return err
	}
	changed, err := c.ChangedFiles(ctx, number)
	if err != nil {
		return err
	}
	look, err := c.Look(ctx, Ask{Contents: ownFiles})
	if err != nil {
		return err
	}
	st, err := reconcile.Load(newSnapshot(ctx, c, look, ownFiles))
	if err != nil {
		return nil //nolint:nilerr // the walk that syncs tells it
	}
	w.judgeManaged(&check, st.Lock, changed)
	return c.EnsureCheck(ctx, check)
}

// judgeManaged says what a change of files means.
func (w *Walks) judgeManaged(check *Check, lock *drift.Lock, changed []string) {
	level, conclusion := "warning", "neutral"
	if w.ManagedCheck == ManagedFails {
		level, conclusion = "failure", "failure"
	}
	for _, path := range changed {
		for _, name := range slices.Sorted(maps.Keys(lock.GoldenPaths)) {
			section := lock.GoldenPaths[name]
			if l, ok := section.Files[path]; ok && (l.Mode == scaffold.Managed || l.Mode == scaffold.Block) {
				check.Annotations = append(check.Annotations, Annotation{Path: path, Line: 1, Level: level, Message: ownedBy(name, section, path, l)})
			}
		}
	}
	check.Title = "No file that a golden path manages is edited"
	check.Summary = check.Title + "."
	if n := len(check.Annotations); n > 0 {
		check.Conclusion, check.Title = conclusion, fmt.Sprintf("Edited files that a golden path manages: %d", n)
		check.Summary = check.Title + ":\n\n"
		for _, a := range check.Annotations {
			check.Summary += "- " + code(a.Path) + ": " + plain(a.Message) + "\n"
		}
	}
}

// ownedBy says whose a file is, what becomes of the edit, and where to make it.
func ownedBy(name string, section *drift.Section, path string, l drift.LockedFile) string {
	what := "This file is managed by"
	if l.Mode == scaffold.Block {
		what = "A part of this file, between its markers, is managed by"
	}
	return fmt.Sprintf("%s the golden path %s; its next update brings its content back. Change template/%s of %s/%s, or of a layer that it includes, in %s; or list the file under keep: in %s with a reason.",
		what, name, cmp.Or(l.Origin, path), scaffold.Root, name, section.Source, drift.MemberName)
}
