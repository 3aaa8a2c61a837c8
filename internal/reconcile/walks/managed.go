package walks

import (
	"context"
	"fmt"
	"strings"

	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
)

// CheckManaged tells, on a member's pull request, which of the files that it edits
// a golden path owns, and where to change them instead.
func (w *Walks) CheckManaged(ctx context.Context, at Place, number int, head string) error {
	records, err := w.Registry.Records(ctx, at.Repository)
	if err != nil || len(records) == 0 || number == 0 {
		return err
	}
	c := w.Hub.Client(at, toCheck, false)
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
	check := Check{Commit: head, Name: "golden path files", Key: "managed", Status: "completed", Conclusion: "success", Title: "No file that a golden path manages is edited"}
	for _, path := range changed {
		for name, section := range st.Lock.GoldenPaths {
			l, ok := section.Files[path]
			if !ok || l.Mode != scaffold.Managed && l.Mode != scaffold.Block {
				continue
			}
			what := "is managed by"
			if l.Mode == scaffold.Block {
				what = "has a part that is managed by"
			}
			message := fmt.Sprintf("This file %s the golden path %s (%s); the next update puts its content back. Change it there, or list it under keep: in .goldenpath.yaml with a reason.", what, name, section.Source)
			check.Annotations = append(check.Annotations, Annotation{Path: path, Line: 1, Level: "warning", Message: message})
		}
	}
	if len(check.Annotations) > 0 {
		check.Conclusion, check.Title = "neutral", fmt.Sprintf("%d files that a golden path manages are edited", len(check.Annotations))
	}
	check.Summary = check.Title + "."
	return c.EnsureCheck(ctx, check)
}
