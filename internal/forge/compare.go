package forge

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Comparison is what lies between two commits.
type Comparison struct {
	// Status is that of head: "identical", "ahead", "behind" or "diverged".
	Status        string
	Ahead, Behind int
	MergeBase     string
	// Commits are those of head that base has not, oldest first, at most 1,000.
	Commits []CommitInfo
	// Files are what differs from the merge base, at most 300.
	Files []ChangedFile
	// Truncated is set where there are more commits or files than were read.
	Truncated bool
}

// CommitInfo is a commit in a list.
type CommitInfo struct {
	ID      string
	Message string
	Author  string // the name in the commit, which anybody can set
	Login   string // the account that GitHub sees behind it; "" is none
	Bot     bool
	When    time.Time
	Merge   bool
}

// ChangedFile is a file in a comparison.
type ChangedFile struct {
	Path, Before string // Before is the old name of one that was renamed
	Status       string // "added", "removed", "modified", "renamed" and others
	Blob         string
}

// Unrelated reports whether a comparison failed because the two commits have no history
// in common, which GitHub answers with 404 and these words (as in
// https://github.com/caarlos0/fork-cleaner/issues/31).
func Unrelated(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == NotFound && strings.Contains(e.Message, "No common ancestor")
}

// Compare returns what head has that base has not. Give the head that we pushed as
// base and the branch's as head to see what people added. [NotFound] means that
// one of the commits is unknown to the repository.
func (c *Client) Compare(ctx context.Context, n Name, base, head string) (Comparison, error) {
	var page github.CommitsComparison
	var out Comparison
	op := fmt.Sprintf("comparing %.40s with %.40s in %s", base, head, n)
	path := n.path("compare", url.PathEscape(base)+"..."+url.PathEscape(head))
	first := true
	more, err := c.pages(ctx, call{op: op, path: path, out: &page}, func() bool {
		if first {
			out.Status, out.Ahead, out.Behind = page.GetStatus(), page.GetAheadBy(), page.GetBehindBy()
			out.MergeBase = page.GetMergeBaseCommit().GetSHA()
			for _, f := range page.Files {
				out.Files = append(out.Files, ChangedFile{Path: f.GetFilename(), Before: f.GetPreviousFilename(), Status: f.GetStatus(), Blob: f.GetSHA()})
			}
			first = false
		}
		for _, k := range page.Commits {
			out.Commits = append(out.Commits, commitInfo(k))
		}
		page = github.CommitsComparison{}
		return len(out.Commits) < 1000
	})
	if err != nil {
		return Comparison{}, err
	}
	out.Truncated = more || len(out.Commits) < out.Ahead || len(out.Files) >= 300
	return out, nil
}

func commitInfo(k *github.RepositoryCommit) CommitInfo {
	return CommitInfo{
		ID: k.GetSHA(), Message: k.GetCommit().GetMessage(), Author: k.GetCommit().GetAuthor().GetName(),
		Login: k.GetAuthor().GetLogin(), Bot: k.GetAuthor().GetType() == "Bot",
		When: k.GetCommit().GetCommitter().GetDate().Time, Merge: len(k.Parents) > 1,
	}
}
