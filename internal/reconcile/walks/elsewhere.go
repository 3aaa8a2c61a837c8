package walks

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// proposeElsewhere opens a pull request in another repository, such as the one that
// deployments are read from, with a part of what was rendered. Done again, it finds
// the files or the pull request and leaves them alone.
func (b *bringing) proposeElsewhere(ctx context.Context, p *reconcile.Planned, step scaffold.AfterPullRequest) error {
	files := part(p, step)
	if len(files) == 0 {
		return fmt.Errorf("nothing was rendered below %s", step.From)
	}
	at, err := b.Hub.Find(ctx, b.record.At, step.Repository)
	if err != nil {
		return err
	}
	c := b.Hub.Client(at, toWrite, true)
	paths := files.Paths()
	branch := branchPrefix + p.GoldenPath + "-" + b.look.Repository.Name
	look, err := c.Look(ctx, Ask{Contents: paths, Branch: branch})
	if err != nil {
		return err
	}
	changes := missing(files, look.Files)
	if len(changes) == 0 || len(look.PullRequests) > 0 {
		return nil // there already, or proposed: what people make of it is theirs
	}
	for p := range changes {
		if what := drift.InTheWay(look.Files, p, nil); what != "" {
			return fmt.Errorf("%s cannot be proposed in %s: %s", p, step.Repository, what)
		}
	}
	title := fmt.Sprintf("Add %s for %s", step.Path, b.look.Repository.FullName())
	// A branch without a pull request is where an earlier try ended.
	if look.Branch.Commit == "" {
		made, err := c.Commit(ctx, Commit{Parent: look.Head.Commit, Tree: look.Head.Tree, Changes: changes, Message: title + "\n"})
		if err != nil {
			return err
		}
		if err := c.Move(ctx, Move{Branch: branch, To: made.ID}); err != nil {
			return err
		}
	}
	body := fmt.Sprintf("%s was made from the golden path **%s**, which keeps these files here.\n", b.look.Repository.URL, p.GoldenPath)
	_, err = c.OpenPullRequest(ctx, Proposal{Head: branch, Base: look.Repository.DefaultBranch, Title: title, Body: body})
	return err
}

// part returns the rendered files below the step's folder, at their paths elsewhere.
func part(p *reconcile.Planned, step scaffold.AfterPullRequest) tree.Tree {
	files := tree.Tree{}
	for _, c := range p.Changes {
		if rest, below := strings.CutPrefix(c.Path, strings.TrimSuffix(step.From, "/")+"/"); below && c.After != nil {
			files[path.Join(step.Path, rest)] = *c.After
		}
	}
	return files
}

// missing returns those of the files that are not there as they are.
func missing(files, there tree.Tree) map[string]*tree.File {
	changes := map[string]*tree.File{}
	for p, f := range files {
		if was, ok := there[p]; !ok || !was.Equal(f) {
			changes[p] = &f
		}
	}
	return changes
}
