package walks

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
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

// CheckManaged tells, on a pull request to a member's default branch, which of the files
// that it edits a golden path owns, and where to change them instead. Number 0 is a group
// in a merge queue, whose pull requests were looked at before. The check may be required,
// so that there is one whatever the pull request is, as long as the repository follows
// something.
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
	if err != nil {
		return err
	}
	changed, err := c.ChangedFiles(ctx, number)
	if err != nil {
		return err
	}
	ask, ours := Ask{Contents: ownFiles}, isOurs(records, pr)
	if ours {
		ask.Ref = pr.Head
	}
	look, err := c.Look(ctx, ask)
	if err != nil {
		return err
	}
	repo := newSnapshot(ctx, c, look, ownFiles)
	st, err := reconcile.Load(repo)
	switch {
	case notFollowing(err):
		st = &reconcile.State{Member: &drift.Member{}, Lock: &drift.Lock{}}
	case err != nil: // the walk that syncs tells it; a pull request that repairs it can be merged
		check.Conclusion, check.Title = "neutral", "Nobody knows which files a golden path manages"
		check.Summary = check.Title + ", until this is repaired:\n\n" + fenced(err.Error())
		return c.EnsureCheck(ctx, check)
	case ours:
		if changed, err = editedManaged(repo, st.Lock, changed); err != nil {
			return err
		}
	}
	if changed, err = w.notKept(ctx, c, st.Member, changed, head); err != nil {
		return err
	}
	w.judgeManaged(&check, st.Lock, changed)
	return c.EnsureCheck(ctx, check)
}

// notKept returns those of the changed files of which neither the repository nor the
// change itself says that they stay as they are.
func (w *Walks) notKept(ctx context.Context, c Client, member *drift.Member, changed []string, head string) ([]string, error) {
	members := []*drift.Member{member}
	if slices.Contains(changed, drift.MemberName) {
		// A commit's id names its tree as well.
		files, err := newSnapshot(ctx, c, Look{Head: Head{Tree: head}}, nil).Files([]string{drift.MemberName})
		if err != nil {
			return nil, err
		}
		if m, err := drift.ParseMember(files[drift.MemberName].Data); err == nil { // what is wrong is told once it is merged
			members = append(members, m)
		}
	}
	today := w.Now().UTC().Format(time.DateOnly)
	return slices.DeleteFunc(changed, func(path string) bool {
		return slices.ContainsFunc(members, func(m *drift.Member) bool { return m.Keeps(path, today) })
	}), nil
}

// isOurs reports whether a pull request is syncer's. A branch that is only called as ours
// are is not.
func isOurs(records []Record, pr PullRequest) bool {
	return slices.ContainsFunc(records, func(r Record) bool {
		return pr.Head == branchPrefix+r.GoldenPath && (r.PullRequest == pr.Number || slices.Contains(strings.Fields(r.Pushed), pr.HeadCommit))
	})
}

// editedManaged returns those of the changed files of a branch of ours that are not as the
// lock on it says that they were rendered: somebody else changed them. Of a file that the
// golden path has parts of only that cannot be told.
func editedManaged(repo *snapshot, lock *drift.Lock, changed []string) ([]string, error) {
	rendered := map[string]tree.BlobID{}
	for _, path := range changed {
		for _, section := range lock.GoldenPaths {
			if l, ok := section.Files[path]; ok && l.Mode == scaffold.Managed {
				rendered[path] = l.Blob
			}
		}
	}
	files, err := repo.Files(slices.Sorted(maps.Keys(rendered)))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(rendered)), func(path string) bool {
		f, there := files[path]
		return there && f.Blob() == rendered[path]
	}), nil
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
