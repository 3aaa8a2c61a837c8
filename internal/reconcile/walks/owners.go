package walks

import (
	"context"
	"slices"
	"strings"

	"github.com/hmarr/codeowners"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

// label is what our pull requests are labelled with at their creation. What people do
// with labels then is theirs.
const label = "golden-path"

// ownersFiles are where GitHub looks for code owners; the first that is there counts
// (docs.github.com, "About code owners").
var ownersFiles = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

const (
	// maxOwners bounds the file: GitHub reads none of more than 3 MB.
	maxOwners = 3 << 20
	// maxReviewers is how many people and teams are asked. More than that are nobody.
	maxReviewers = 15
)

// Reviewers are whom a pull request is shown to.
type Reviewers struct {
	People []string // logins
	Teams  []string // slugs in the repository's organisation
}

// dress gives a new pull request its label, and asks the owners of what it changes for
// a review. Nothing of that is worth failing a sync for.
func (b *bringing) dress(ctx context.Context, p *reconcile.Planned, pr PullRequest) error {
	err := b.client.AddLabels(ctx, pr.Number, label)
	switch {
	case lasts(err):
		b.note(ctx, "the label is missing", err.Error())
	case err != nil:
		return err
	}
	who, err := b.reviewers(p)
	if err != nil || len(who.People)+len(who.Teams) == 0 {
		return err
	}
	err = b.client.RequestReviewers(ctx, pr.Number, who)
	if err != nil && !passes(err) {
		b.note(ctx, "reviewers were not asked", err.Error())
		return nil
	}
	return err
}

// reviewers are the owners, by the default branch's CODEOWNERS, of the files that a
// pull request changes.
func (b *bringing) reviewers(p *reconcile.Planned) (Reviewers, error) {
	files, err := b.repo.Files(ownersFiles)
	if err != nil {
		return Reviewers{}, err
	}
	for _, path := range ownersFiles {
		if f, ok := files[path]; ok && (f.Kind == tree.Regular || f.Kind == tree.Executable) {
			return ownersOf(string(f.Data), changedPaths(p), b.look.Repository.Owner), nil
		}
	}
	return Reviewers{}, nil
}

func changedPaths(p *reconcile.Planned) []string {
	var paths []string
	for _, c := range p.Changes {
		if c.Changes() || c.Action == drift.Conflict {
			paths = append(paths, c.Path)
			if c.From != "" {
				paths = append(paths, c.From)
			}
		}
	}
	return paths
}

// ownersOf returns whom a CODEOWNERS file names for paths. Teams of other
// organisations and mail addresses cannot be asked.
func ownersOf(text string, paths []string, organisation string) Reviewers {
	rules := ownerRules(text)
	var r Reviewers
	for _, path := range paths {
		rule, err := rules.Match(path)
		if err != nil || rule == nil {
			continue
		}
		for _, o := range rule.Owners {
			org, team, isTeam := strings.Cut(o.Value, "/")
			switch {
			case len(r.People)+len(r.Teams) == maxReviewers:
				return r
			case o.Type == codeowners.UsernameOwner && !slices.Contains(r.People, o.Value):
				r.People = append(r.People, o.Value)
			case isTeam && o.Type == codeowners.TeamOwner && strings.EqualFold(org, organisation) && !slices.Contains(r.Teams, team):
				r.Teams = append(r.Teams, team)
			}
		}
	}
	return r
}

// ownerRules reads a file line by line: one that is wrong is left out, as on GitHub,
// where the library would refuse all.
func ownerRules(text string) codeowners.Ruleset {
	var rules codeowners.Ruleset
	if len(text) > maxOwners {
		return nil
	}
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if one, err := codeowners.ParseFile(strings.NewReader(line)); err == nil {
			rules = append(rules, one...)
		}
	}
	return rules
}
