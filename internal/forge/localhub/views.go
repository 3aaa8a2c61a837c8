package localhub

import (
	"maps"
	"slices"
)

// Pull is a pull request as a test or a person sees it.
type Pull struct {
	Number     int
	Title      string
	Body       string
	State      string // open or closed
	Merged     bool
	Draft      bool
	AutoMerge  bool
	Head, Base string // branches
	HeadID     string
	Author     string
	Labels     []string
	Reviewers  []string
	Comments   []Comment
	Reviews    []Review
	Remarks    []Remark
}

// Issue is an issue as a test or a person sees it.
type Issue struct {
	Number    int
	Title     string
	Body      string
	State     string
	Author    string
	Labels    []string
	Assignees []string
	Comments  []Comment
}

// Check is a check run.
type Check struct {
	ID          int64
	App         string
	Name        string
	Head        string
	Status      string
	Conclusion  string
	Title       string
	Summary     string
	Text        string
	Annotations int
}

func shortComments(list []*comment) []Comment {
	var out []Comment
	for _, k := range list {
		out = append(out, Comment{ID: k.id, Author: k.author.login, Body: k.body, Commit: k.commit})
	}
	return out
}

func (i *issue) labelNames() []string {
	var out []string
	for _, l := range i.labels {
		out = append(out, l.name)
	}
	return out
}

func logins(list []*account) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.login)
	}
	return out
}

// Pulls are a repository's pull requests, by number.
func (h *Hub) Pulls(fullName string) ([]Pull, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.named(fullName)
	if err != nil {
		return nil, err
	}
	var out []Pull
	for _, n := range slices.Sorted(maps.Keys(r.issues)) {
		i := r.issues[n]
		if i.pull == nil {
			continue
		}
		p := Pull{
			Number: i.number, Title: i.title, Body: i.body, State: i.state, Merged: i.pull.merged, Draft: i.pull.draft, AutoMerge: i.pull.auto != nil, Head: i.pull.head, Base: i.pull.base,
			HeadID: i.pull.headID.String(), Author: i.author.login, Labels: i.labelNames(), Reviewers: logins(i.pull.reviewers), Comments: shortComments(i.comments),
		}
		for _, v := range i.pull.reviews {
			p.Reviews = append(p.Reviews, Review{v.author.login, v.state, v.body})
		}
		for _, k := range i.pull.remarks {
			p.Remarks = append(p.Remarks, Remark{k.author.login, k.path, k.start, k.line, k.body})
		}
		out = append(out, p)
	}
	return out, nil
}

// Issues are a repository's issues without its pull requests, by number.
func (h *Hub) Issues(fullName string) ([]Issue, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.named(fullName)
	if err != nil {
		return nil, err
	}
	var out []Issue
	for _, n := range slices.Sorted(maps.Keys(r.issues)) {
		if i := r.issues[n]; i.pull == nil {
			out = append(out, Issue{
				Number: i.number, Title: i.title, Body: i.body, State: i.state, Author: i.author.login, Labels: i.labelNames(),
				Assignees: logins(i.assignees), Comments: shortComments(i.comments),
			})
		}
	}
	return out, nil
}

// Checks are a repository's check runs, oldest first.
func (h *Hub) Checks(fullName string) ([]Check, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.named(fullName)
	if err != nil {
		return nil, err
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	var out []Check
	for _, id := range slices.Sorted(maps.Keys(r.checks)) {
		k := r.checks[id]
		out = append(out, Check{
			ID: k.id, App: k.app.slug, Name: k.name, Head: k.head, Status: k.status, Conclusion: k.conclusion, Title: text(k.output.Title),
			Summary: text(k.output.Summary), Text: text(k.output.Text), Annotations: len(k.annotations),
		})
	}
	return out, nil
}

// CommitComments are the comments on a repository's commits.
func (h *Hub) CommitComments(fullName string) ([]Comment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.named(fullName)
	if err != nil {
		return nil, err
	}
	return shortComments(r.remarks), nil
}

// Comment is a comment on an issue, a pull request or, with Commit set, a commit.
type Comment struct {
	ID     int64
	Author string
	Body   string
	Commit string
}

// Remark is a comment on lines of a pull request; Start 0 is one line.
type Remark struct {
	Author     string
	Path       string
	Start, End int
	Body       string
}

// Review is a review of a pull request.
type Review struct {
	Author string
	State  string
	Body   string
}
