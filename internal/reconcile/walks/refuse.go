package walks

import (
	"context"
	"fmt"
	"html"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

const refuseMark = "<!-- syncer:refuse "

// refusal offers to take back what was suggested for a file and is applied in it.
func refusal(c drift.Change) string {
	if file, _ := c.Refused(); file == nil {
		return ""
	}
	return fmt.Sprintf("\n- [ ] refuse what is suggested for %s %s%s -->\n", code(c.Path), refuseMark, html.EscapeString(c.Path))
}

// refusedPaths returns the paths whose ticked lines refuse what is suggested.
func refusedPaths(lines []string) []string {
	var paths []string
	for _, line := range lines {
		_, rest, ok := strings.Cut(line, refuseMark)
		if path, _, end := strings.Cut(rest, " -->"); ok && end {
			paths = append(paths, html.UnescapeString(path))
		}
	}
	return paths
}

// refuse takes back, on the branch of a pull request of ours, the suggestions that a
// policy applied in files.
func (d *ordered) refuse(ctx context.Context, paths []string) (string, error) {
	m, ok, err := d.mine(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return notMine, nil
	}
	look, err := d.client.Look(ctx, Ask{Ref: m.Head, Contents: ownFiles})
	if err != nil {
		return "", err
	}
	repo, branch := newSnapshot(ctx, d.client, m.look, ownFiles), newSnapshot(ctx, d.client, look, ownFiles)
	changes := map[string]*tree.File{}
	var taken []*reconcile.Resolution
	for _, path := range paths {
		r, err := d.syncer(d.at).Refuse(ctx, repo, branch, path)
		if passes(err) {
			return "", err
		}
		if err != nil {
			return nothing(err), nil
		}
		taken = append(taken, r)
		changes[path] = r.Writes[path]
	}
	answer := fmt.Sprintf("Refused what is suggested for %s: yours is back.", code(strings.Join(paths, ", ")))
	if err := d.onTop(ctx, look, changes, fmt.Sprintf("Refuse what is suggested for %s\n", strings.Join(paths, ", ")), Step{Answer: answer, Lessons: d.lessons(taken)}); err != nil {
		return "", err
	}
	return d.follow(ctx)
}
