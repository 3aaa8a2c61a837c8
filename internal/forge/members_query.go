package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/goldenpaths/syncer/internal/tree"
)

// repositoryFields are read of every member.
const repositoryFields = `id databaseId nameWithOwner isArchived isDisabled isEmpty isFork isMirror isLocked isTemplate isPrivate visibility description url pushedAt createdAt autoMergeAllowed owner{__typename login} defaultBranchRef{name} repositoryTopics(first:100){nodes{topic{name}}} templateRepository{databaseId nameWithOwner}`

// pullFields are read of every pull request of our branch.
const pullFields = `id number title body state isDraft url headRefOid headRefName baseRefName isCrossRepository merged createdAt closedAt labels(first:50){nodes{name}}`

const entryFields = `entries{name mode type oid}`

// describe adds a member to a document, as m<i>.
func (d *document) describe(i int, a Ask) {
	end := "}"
	switch {
	case a.NodeID != "":
		d.printf("m%d:node(id:%s){... on Repository{", i, d.arg("ID!", a.NodeID))
		end = "}}"
	default:
		d.printf("m%d:repository(owner:%s,name:%s){", i, d.arg("String!", a.Name.Owner), d.arg("String!", a.Name.Repo))
	}
	ref := "HEAD"
	if a.Ref != "" {
		ref = "refs/heads/" + a.Ref
	}
	d.printf("%s head:object(expression:%s){... on Commit{oid tree{oid %s}}}", repositoryFields, d.arg("String!", ref), entryFields)
	for j, f := range folders(a.all()) {
		if f != "" {
			d.printf(" d%d:object(expression:%s){... on Tree{oid %s}}", j, d.arg("String!", ref+":"+f), entryFields)
		}
	}
	for j, p := range a.Contents {
		d.printf(" f%d:object(expression:%s){... on Blob{oid isTruncated text}}", j, d.arg("String!", ref+":"+p))
	}
	if a.Branch != "" {
		d.printf(" branch:ref(qualifiedName:%s){target{oid ... on Commit{tree{oid}}}}", d.arg("String!", "refs/heads/"+a.Branch))
		d.printf(" pulls:pullRequests(headRefName:%s,first:5,orderBy:{field:CREATED_AT,direction:DESC}){nodes{%s}}", d.arg("String!", a.Branch), pullFields)
	}
	d.printf("%s ", end)
}

// query reads members with one request. What the answer cannot say for sure is
// read again by REST, by ids that cannot change.
func (c *Client) query(ctx context.Context, asks []Ask) ([]Member, error) {
	var d document
	for i, a := range asks {
		if a.NodeID == "" && !a.Name.valid() {
			return nil, &Error{Kind: Unsupported, Op: "reading members", Message: "a member has neither node id nor name"}
		}
		d.describe(i, a)
	}
	op := fmt.Sprintf("reading members (%d)", len(asks))
	answer, err := c.post(ctx, op, "query", &d)
	if err != nil {
		return nil, err
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal(answer.Data, &data); err != nil || data == nil {
		if len(answer.Errors) > 0 {
			return nil, answer.Errors[0].failed(op)
		}
		return nil, &Error{Kind: Unavailable, Op: op, Message: "the answer has no data", cause: err}
	}
	members := make([]Member, len(asks))
	for i, a := range asks {
		members[i] = c.judge(ctx, a, data["m"+strconv.Itoa(i)], errorsFor(answer.Errors, "m"+strconv.Itoa(i)))
		if general(members[i].Err) {
			return nil, members[i].Err
		}
	}
	return members, nil
}

// errorsFor returns the errors that are about one member.
func errorsFor(all []gqlError, alias string) []gqlError {
	return slices.DeleteFunc(slices.Clone(all), func(e gqlError) bool { return len(e.Path) == 0 || e.Path[0] != any(alias) })
}

// judge makes a member of its part of the answer. Where an error came with it
// that is not about the whole repository, REST reads it all again: a half is not
// taken for the whole.
func (c *Client) judge(ctx context.Context, a Ask, raw json.RawMessage, errs []gqlError) Member {
	var g gqlMember
	if len(raw) == 0 || string(raw) == "null" {
		k, text := NotFound, "no repository with this id or name is visible to the installation"
		if len(errs) > 0 {
			k, text = errs[0].kind(), bounded(errs[0].Message)
		}
		return Member{Err: &Error{Kind: k, Op: "reading " + a.what(), Message: text}}
	}
	if len(errs) > 0 || json.Unmarshal(raw, &g) != nil {
		return c.member(ctx, a)
	}
	m, sure := g.member(a)
	if a.ID != 0 && m.Repository.ID != a.ID {
		return Member{Err: &Error{Kind: NotFound, Op: "reading " + a.what(), Message: "the name belongs to another repository now; read it by its id"}}
	}
	if !sure {
		m.Entries, m.Files = nil, nil
	}
	if m.Err == nil {
		m.Err = c.fill(ctx, &m, a)
	}
	return m
}

func (a Ask) what() string {
	if a.Name.Repo != "" {
		return a.Name.String()
	}
	return "repository " + strconv.FormatInt(a.ID, 10)
}

// gqlMember is a member in an answer. Folders and files come under names made up
// by describe, hence the map.
type gqlMember struct {
	ID               string `json:"id"`
	DatabaseID       int64  `json:"databaseId"`
	NameWithOwner    string
	IsArchived       bool
	IsDisabled       bool
	IsEmpty          bool
	IsFork           bool
	IsMirror         bool
	IsLocked         bool
	IsTemplate       bool
	IsPrivate        bool
	Visibility       string
	Description      string
	URL              string
	PushedAt         time.Time
	CreatedAt        time.Time
	AutoMergeAllowed bool
	Owner            struct {
		Type  string `json:"__typename"`
		Login string
	}
	DefaultBranchRef struct{ Name string }
	RepositoryTopics struct {
		Nodes []struct{ Topic struct{ Name string } }
	}
	TemplateRepository *struct {
		DatabaseID    int64 `json:"databaseId"`
		NameWithOwner string
	}
	Head   *gqlCommit
	Branch *struct{ Target gqlCommit }
	Pulls  struct{ Nodes []gqlPull }

	rest map[string]json.RawMessage
}

type gqlCommit struct {
	OID  string
	Tree gqlTree
}

func (c *gqlCommit) empty() bool { return c == nil || c.OID == "" }

type gqlTree struct {
	OID     string
	Entries []struct {
		Name string
		Mode uint32 // a number: 33188 is 0100644
		Type string
		OID  string
	}
}

// UnmarshalJSON keeps the parts whose names describe makes up.
func (g *gqlMember) UnmarshalJSON(data []byte) error {
	type plain gqlMember
	if err := json.Unmarshal(data, (*plain)(g)); err != nil {
		return err
	}
	return json.Unmarshal(data, &g.rest)
}

// member makes a Member of the answer. sure is false where the parts of the
// answer do not belong to one commit: somebody pushed while it was put together.
func (g *gqlMember) member(a Ask) (m Member, sure bool) {
	m.Repository = g.repository()
	ref := a.Ref
	if ref == "" {
		ref = g.DefaultBranchRef.Name
	}
	switch {
	case g.IsEmpty || g.Head.empty() && a.Ref == "":
		m.Repository.Empty = true
		m.Err = &Error{Kind: NotReady, Op: "reading " + m.Repository.Name.String(), Message: "the repository has no commit yet"}
		return m, true
	case g.Head.empty():
		m.Err = &Error{Kind: NotFound, Op: "reading " + m.Repository.Name.String(), Message: "there is no branch " + ref}
		return m, true
	}
	m.Head = Head{Branch: ref, Commit: g.Head.OID, Tree: g.Head.Tree.OID}
	if g.Branch != nil {
		m.Branch = Head{Branch: a.Branch, Commit: g.Branch.Target.OID, Tree: g.Branch.Target.Tree.OID}
	}
	for _, p := range g.Pulls.Nodes {
		if !p.IsCrossRepository { // a fork's branch may have our name
			m.PullRequests = append(m.PullRequests, p.pullRequest(m.Repository.Name))
		}
	}
	listed, sure := g.listed(a)
	if !sure {
		return m, false
	}
	m.Entries = pick(listed, a.all())
	m.Files = g.files(a, m.Entries)
	return m, true
}

// listed returns the folders' contents, if every folder is the one that the
// folder above it names.
func (g *gqlMember) listed(a Ask) (map[string]map[string]Entry, bool) {
	listed := map[string]map[string]Entry{"": g.Head.Tree.list()}
	for j, f := range folders(a.all()) {
		if f == "" {
			continue
		}
		var t gqlTree
		if raw := g.rest["d"+strconv.Itoa(j)]; len(raw) > 0 && json.Unmarshal(raw, &t) != nil {
			return nil, false
		}
		up, name := splitPath(f)
		e := listed[up][name]
		if e.Folder != (t.OID != "") || e.Folder && string(e.Blob) != t.OID {
			return nil, false
		}
		if e.Folder {
			listed[f] = t.list()
		}
	}
	return listed, true
}

func (t gqlTree) list() map[string]Entry {
	list := make(map[string]Entry, len(t.Entries))
	for _, e := range t.Entries {
		list[e.Name] = entryOf(e.Mode, e.OID)
	}
	return list
}

// files returns those contents whose bytes are what their id says: binaries have
// no text, other bytes than UTF-8 are replaced, long texts are cut.
func (g *gqlMember) files(a Ask, entries map[string]Entry) tree.Tree {
	files := tree.Tree{}
	for j, p := range a.Contents {
		var b struct {
			OID  string
			Text *string
		}
		e := entries[p]
		if raw := g.rest["f"+strconv.Itoa(j)]; len(raw) == 0 || json.Unmarshal(raw, &b) != nil || b.Text == nil {
			continue
		}
		f := tree.File{Kind: e.Kind, Data: []byte(*b.Text)}
		if e.Kind != 0 && f.Blob() == e.Blob {
			files[p] = f
		}
	}
	return files
}

func (g *gqlMember) repository() Repository {
	n, _ := ParseName(g.NameWithOwner)
	r := Repository{
		ID: g.DatabaseID, NodeID: g.ID, Name: n, OwnerType: g.Owner.Type, DefaultBranch: g.DefaultBranchRef.Name,
		Description: g.Description, Visibility: lower(g.Visibility), URL: g.URL, CloneURL: g.URL + ".git",
		Archived: g.IsArchived, Disabled: g.IsDisabled, Fork: g.IsFork, Mirror: g.IsMirror, Locked: g.IsLocked,
		IsTemplate: g.IsTemplate, Private: g.IsPrivate, Empty: g.IsEmpty, AllowAutoMerge: g.AutoMergeAllowed,
		CreatedAt: g.CreatedAt, PushedAt: g.PushedAt,
	}
	for _, t := range g.RepositoryTopics.Nodes {
		r.Topics = append(r.Topics, t.Topic.Name)
	}
	if t := g.TemplateRepository; t != nil {
		r.Template = &TemplateRef{ID: t.DatabaseID}
		r.Template.Name, _ = ParseName(t.NameWithOwner)
	}
	return r
}
