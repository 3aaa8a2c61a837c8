package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/goldenpaths/syncer/internal/forge"
	"github.com/goldenpaths/syncer/internal/reconcile/walks"
	"github.com/goldenpaths/syncer/internal/tree"
)

// repository lets the walks see one repository.
type repository struct {
	*forge.Client
	hub *hub
	at  walks.Place
	now *forge.Repository // as it was looked at last
	// made is the last commit that was made, which a branch is about to be moved to.
	made     walks.Commit
	verified bool
	id       string
	// proposing is set once a branch of ours was looked at: what is committed then goes
	// into a pull request, a new one where none is open.
	proposing, open bool
	reserved        bool
}

func (r *repository) known(ctx context.Context) (forge.Repository, error) {
	if r.now == nil {
		found, err := r.Repository(ctx, r.at.Repository)
		if err != nil {
			return found, fated(err)
		}
		r.now = &found
	}
	return *r.now, nil
}

// Look reads a repository's state, in one request where GitHub can.
func (r *repository) Look(ctx context.Context, ask walks.Ask) (walks.Look, error) {
	f := forge.Ask{ID: r.at.Repository, Ref: ask.Ref, Contents: ask.Contents, Branch: ask.Branch}
	if ask.Facts { // GraphQL has no custom properties
		if _, err := r.known(ctx); err != nil {
			return walks.Look{}, err
		}
	}
	if r.now != nil {
		f.NodeID, f.Name = r.now.NodeID, r.now.Name
	} else if name, known := r.hub.named(ctx, r.at.Repository); known {
		f.Name = name
	} else {
		found, err := r.known(ctx)
		if err != nil {
			return walks.Look{}, err
		}
		f.NodeID, f.Name = found.NodeID, found.Name
	}
	members, err := r.Members(ctx, []forge.Ask{f})
	if err != nil {
		return walks.Look{}, fated(err)
	}
	m := members[0]
	if forge.KindOf(m.Err) == forge.NotFound && m.Repository.ID == 0 && f.NodeID == "" {
		// The name may be another repository's now; the number stays for life.
		if _, err := r.known(ctx); err != nil {
			return walks.Look{}, err
		}
		return r.Look(ctx, ask)
	}
	return r.looked(ctx, m, ask)
}

// looked is what was seen of the repository.
func (r *repository) looked(ctx context.Context, m forge.Member, ask walks.Ask) (walks.Look, error) {
	if m.Repository.ID == 0 && r.now == nil {
		return walks.Look{}, fated(cmp.Or(m.Err, error(forge.NotFound)))
	}
	if m.Repository.ID != 0 {
		if len(m.Repository.Properties) == 0 && r.now != nil {
			m.Repository.Properties = r.now.Properties
		}
		r.now = &m.Repository
	}
	look := walks.Look{Repository: asRepository(*r.now)}
	if m.Err != nil {
		return look, fated(m.Err)
	}
	if m.Repository.Empty || m.Head.Commit == "" {
		return look, fmt.Errorf("%s: %w", m.Repository.Name, walks.ErrNotReady)
	}
	r.proposing, r.open = ask.Branch != "", false
	look.Head, look.Branch = walks.Head(m.Head), walks.Head(m.Branch)
	if look.Head.Branch == "" {
		look.Head.Branch = m.Repository.DefaultBranch
	}
	for _, pr := range m.PullRequests {
		r.open = r.open || pr.Open()
		look.PullRequests = append(look.PullRequests, asPullRequest(pr))
	}
	var err error
	look.Files, err = r.contents(ctx, m, ask.Contents)
	return look, err
}

// contents returns what was asked for. What is too large to come along, or no text,
// or in the way of a file, is read on its own.
func (r *repository) contents(ctx context.Context, m forge.Member, paths []string) (tree.Tree, error) {
	files, err := r.Contents(ctx, m.Repository.Name, m.Entries, paths, m.Files.Clone())
	return files, fated(err)
}

func asRepository(f forge.Repository) walks.Repository {
	r := walks.Repository{
		ID: f.ID, Owner: f.Name.Owner, Name: f.Name.Repo, DefaultBranch: f.DefaultBranch,
		Description: f.Description, Visibility: f.Visibility, URL: f.URL,
		Archived: f.Archived, Fork: f.Fork, Closed: f.Closed(), IsTemplate: f.IsTemplate, Created: f.CreatedAt, Topics: f.Topics, Properties: f.Properties,
	}
	if f.Template != nil {
		r.FromTemplate = f.Template.Name.String()
	}
	return r
}

func asPullRequest(f forge.PullRequest) walks.PullRequest {
	return walks.PullRequest{
		Number: f.Number, NodeID: f.NodeID, URL: f.URL, Title: f.Title, Body: f.Body, Draft: f.Draft, Head: f.Head.Branch, Base: f.Base,
		HeadCommit: f.Head.Commit, Open: f.Open(), Merged: f.State == "merged",
	}
}

// on runs a function with the repository's present name.
func (r *repository) on(ctx context.Context, do func(forge.Repository) error) error {
	known, err := r.known(ctx)
	if err != nil {
		return err
	}
	return fated(do(known))
}

// Files returns those of the paths that exist in a tree.
func (r *repository) Files(ctx context.Context, treeID string, paths []string) (files tree.Tree, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		files, err = r.Client.Files(ctx, f.Name, treeID, paths)
		return err
	})
	return files, err
}

// Blob returns an object, or false.
func (r *repository) Blob(ctx context.Context, id tree.BlobID) (data []byte, ok bool, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		data, err = r.Client.Blob(ctx, f.Name, id)
		return err
	})
	if errors.Is(err, walks.ErrNotFound) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// Ahead returns the commits of head that base does not have.
func (r *repository) Ahead(ctx context.Context, base, head string) (a walks.Ahead, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		c, err := r.Compare(ctx, f.Name, base, head)
		if forge.Unrelated(err) {
			return fmt.Errorf("%w: %w", walks.ErrUnrelated, err)
		}
		a.Count = c.Ahead
		for _, k := range c.Commits {
			title, _, _ := strings.Cut(k.Message, "\n")
			a.Commits = append(a.Commits, walks.CommitLine{ID: k.ID, Title: title, Author: cmp.Or(k.Login, k.Author)})
		}
		return err
	})
	return a, err
}

// Commit makes a commit, unless it is known that it will be refused.
func (r *repository) Commit(ctx context.Context, c walks.Commit) (made walks.Committed, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		if err := forge.Preflight(f, r.intent(ctx, c, "", f)); err != nil {
			return err
		}
		if err := r.reserve(ctx); err != nil {
			return err
		}
		m, err := r.Client.Commit(ctx, f.Name, asCommit(c))
		made = walks.Committed{ID: m.ID, Tree: m.Tree, Verified: m.Verified, Reason: m.Reason}
		r.made, r.id, r.verified = c, m.ID, m.Verified
		return err
	})
	return made, err
}

// writesOf are the requests that a pull request takes: a tree, a commit, a branch, and the
// pull request itself.
const writesOf = 4

// reserve sets room aside for a pull request until the job ends, so that one which GitHub's
// limits leave no room for is put off before its first write rather than half-way.
func (r *repository) reserve(ctx context.Context) error {
	if !r.proposing || r.reserved {
		return nil
	}
	work := forge.Work{Content: writesOf}
	if !r.open {
		work.PullRequests = 1
	}
	release, err := r.Reserve(work)
	if err != nil {
		return err
	}
	r.reserved = true
	context.AfterFunc(ctx, func() { release() })
	return nil
}

func asCommit(c walks.Commit) forge.Commit {
	return forge.Commit{Parent: c.Parent, Tree: c.Tree, Changes: c.Changes, Message: c.Message}
}

// intent is what a commit, and the branch that is moved to it, come to.
func (r *repository) intent(ctx context.Context, c walks.Commit, branch string, f forge.Repository) forge.Intent {
	in := forge.Intent{Branch: branch, Proposes: branch != "" && branch != f.DefaultBranch, Message: c.Message, Paths: map[string]int{}, Granted: r.hub.granted(ctx, r.at.Installation)}
	for p, file := range c.Changes {
		in.Paths[p] = -1
		if file != nil {
			in.Paths[p] = len(file.Data)
		}
	}
	return in
}

// Move moves a branch, unless it is known that what comes of it will be refused. Where
// GitHub refuses, the branch's rules say why.
func (r *repository) Move(ctx context.Context, m walks.Move) error {
	var unsigned bool
	err := r.on(ctx, func(f forge.Repository) error {
		commit := walks.Commit{}
		if m.To == r.id {
			commit = r.made
		}
		in := r.intent(ctx, commit, m.Branch, f)
		if m.To != "" {
			if err := forge.Preflight(f, in); err != nil {
				return err
			}
		}
		if m.To != "" && m.Branch == f.DefaultBranch {
			if err := r.PreflightPush(ctx, f, in); err != nil {
				return err
			}
		}
		err := r.Client.Move(ctx, f, forge.Move(m))
		if forge.KindOf(err) != forge.Refused {
			return err
		}
		why, readErr := r.Obstacles(ctx, f, in)
		if readErr != nil {
			return err // the refusal says enough
		}
		unsigned = m.To == r.id && !r.verified && len(why) == 1 && why[0].Fact == "signatures"
		return forge.Because(err, why)
	})
	if unsigned {
		return &fate{error: err, means: walks.ErrUnsigned}
	}
	return err
}

// Sign makes a commit anew that GitHub signs.
func (r *repository) Sign(ctx context.Context, c walks.Commit, made walks.Committed, via string) (signed walks.Committed, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		m, err := r.Client.Sign(ctx, f, asCommit(c), forge.Committed{ID: made.ID, Tree: made.Tree}, via)
		signed = walks.Committed{ID: m.ID, Tree: m.Tree, Verified: m.Verified}
		return err
	})
	return signed, err
}

// Unsign removes the branch that a signed commit was made on.
func (r *repository) Unsign(ctx context.Context, via string, made walks.Committed) error {
	return r.on(ctx, func(f forge.Repository) error {
		return r.Client.Move(ctx, f, forge.Move{Branch: via, From: made.ID})
	})
}

// ChangedFiles returns the paths that a pull request changes.
func (r *repository) ChangedFiles(ctx context.Context, number int) (paths []string, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		pr, err := r.Client.PullRequest(ctx, f.Name, number)
		if err != nil {
			return err
		}
		c, err := r.Compare(ctx, f.Name, pr.Base, pr.Head.Commit)
		for _, file := range c.Files {
			paths = append(paths, file.Path)
			if file.Before != "" {
				paths = append(paths, file.Before)
			}
		}
		return err
	})
	return paths, err
}

// EnsureIssue opens or rewrites an issue.
func (r *repository) EnsureIssue(ctx context.Context, i walks.Issue) (number int, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		info, err := r.Client.EnsureIssue(ctx, f.Name, forge.Issue{Key: i.Key, Title: i.Title, Body: i.Body})
		number = info.Number
		return err
	})
	return number, err
}

// CloseIssue closes the issue with a key.
func (r *repository) CloseIssue(ctx context.Context, key, comment string) error {
	return r.on(ctx, func(f forge.Repository) error { return r.Client.CloseIssue(ctx, f.Name, key, comment) })
}

// EnsureComment writes or rewrites a comment.
func (r *repository) EnsureComment(ctx context.Context, number int, key, body string) error {
	return r.on(ctx, func(f forge.Repository) error {
		_, err := r.Client.EnsureComment(ctx, f.Name, number, key, body)
		return err
	})
}

// EnsureCheck writes a check run.
func (r *repository) EnsureCheck(ctx context.Context, c walks.Check) error {
	return r.on(ctx, func(f forge.Repository) error {
		_, err := r.Client.EnsureCheck(ctx, f.Name, asCheck(c))
		return err
	})
}

// CancelCheck ends a check run that is in progress.
func (r *repository) CancelCheck(ctx context.Context, c walks.Check) error {
	return r.on(ctx, func(f forge.Repository) error { return r.Client.CancelCheck(ctx, f.Name, asCheck(c)) })
}

func asCheck(c walks.Check) forge.Check {
	check := forge.Check{Commit: c.Commit, Name: c.Name, Key: c.Key, Status: c.Status, Conclusion: c.Conclusion, Title: c.Title, Summary: c.Summary}
	for _, a := range c.Annotations {
		check.Annotations = append(check.Annotations, forge.Annotation{Path: a.Path, Start: a.Line, End: a.Line, Level: a.Level, Message: a.Message})
	}
	return check
}

// Folder returns every file below a folder at a commit.
func (r *repository) Folder(ctx context.Context, commit, folder string, known map[tree.BlobID][]byte) (files tree.Tree, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		files, err = r.Client.Folder(ctx, f.Name, commit, folder, known)
		return err
	})
	return files, err
}

// Level is what a person may do.
func (r *repository) Level(ctx context.Context, login string) (level string, err error) {
	err = r.on(ctx, func(f forge.Repository) error {
		level, err = r.Client.Level(ctx, f.Name, login)
		return err
	})
	return level, err
}
