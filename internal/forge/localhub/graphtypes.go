package localhub

import (
	"encoding/base64"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// The objects that GraphQL walks over.
type (
	queryRoot    struct{}
	mutationRoot struct{}
	rateNode     struct{}
	payloadNode  struct{ mutation any }
	userNode     struct{ a *account }
	repoNode     struct{ r *repository }
	refNode      struct {
		r    *repository
		name string
		id   plumbing.Hash
	}
	gitNode struct {
		r    *repository
		kind string
		id   plumbing.Hash
		path string // of a tree, where it was reached by a path
	}
	entryNode struct {
		r   *repository
		dir string
		e   object.TreeEntry
	}
)

// graphType is the type of an object; "" for a scalar.
func graphType(v any) string {
	switch v := v.(type) {
	case queryRoot:
		return "Query"
	case mutationRoot:
		return "Mutation"
	case rateNode:
		return "RateLimit"
	case payloadNode:
		return "UpdateRefsPayload"
	case plainNode:
		return v.kind
	case userNode:
		return "User"
	case repoNode:
		return "Repository"
	case refNode:
		return "Ref"
	case entryNode:
		return "TreeEntry"
	case gitNode:
		return strings.ToUpper(v.kind[:1]) + v.kind[1:]
	}
	return ""
}

func (x *execution) resolve(on any, name string, args map[string]any) (any, error) {
	switch v := on.(type) {
	case queryRoot:
		return x.query(name, args)
	case mutationRoot:
		switch name {
		case "updateRefs":
			return x.updateRefs(args)
		case "createCommitOnBranch":
			return x.createCommitOnBranch(args)
		case "enablePullRequestAutoMerge", "disablePullRequestAutoMerge":
			return x.setAutoMerge(name, args)
		}
		return x.setDraft(name, args)
	case plainNode:
		return v.fields[name], nil
	case rateNode:
		return x.rate(name), nil
	case payloadNode:
		return v.mutation, nil
	case userNode:
		return map[string]any{"id": nodeID("U", v.a.id), "login": v.a.login}[name], nil
	case repoNode:
		return x.repository(v.r, name, args)
	case refNode:
		return x.ref(v, name), nil
	case gitNode:
		return x.git(v, name)
	case entryNode:
		return x.entry(v, name), nil
	}
	return nil, fmt.Errorf("no field %s", name)
}

func (x *execution) query(name string, args map[string]any) (any, error) {
	switch name {
	case "repository":
		owner, _ := args["owner"].(string)
		repo, _ := args["name"].(string)
		r, _ := x.c.hub.state.find(owner, repo)
		if r == nil || r.hidden || !x.c.actor.sees(r) {
			return nil, &graphError{Type: "NOT_FOUND", Message: fmt.Sprintf("Could not resolve to a Repository with the name '%s/%s'.", owner, repo)}
		}
		return repoNode{r}, nil
	case "node":
		id, _ := args["id"].(string)
		return x.node(id)
	case "nodes":
		var out []any
		ids, _ := args["ids"].([]any)
		for _, id := range ids {
			text, _ := id.(string)
			n, err := x.node(text)
			if err != nil {
				return nil, err
			}
			out = append(out, n)
		}
		return out, nil
	case "rateLimit":
		return rateNode{}, nil
	}
	return userNode{x.c.actor.account()}, nil
}

// node is the repository with an id; other nodes are not found by id here.
func (x *execution) node(id string) (repoNode, error) {
	if text, is := strings.CutPrefix(id, "R_"); is {
		if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil {
			n, _ := strconv.ParseInt(string(raw), 10, 64)
			if r := x.c.hub.state.repos[n]; r != nil && !r.hidden && x.c.actor.sees(r) {
				return repoNode{r}, nil
			}
		}
	}
	return repoNode{}, &graphError{Type: "NOT_FOUND", Message: fmt.Sprintf("Could not resolve to a node with the global id of '%s'.", id)}
}

func (x *execution) rate(name string) any {
	u, limit := x.c.hub.usage(x.c.actor), shown(x.c.hub.options.Limits.GraphQLPerHour)
	return map[string]any{
		"cost": 1, "limit": limit, "nodeCount": x.nodes, "remaining": max(0, limit-u.graph.used), "used": u.graph.used, "resetAt": stamp(u.graph.reset),
	}[name]
}

func (x *execution) repository(r *repository, name string, args map[string]any) (any, error) {
	g := r.store
	switch name {
	case "defaultBranchRef", "ref", "object", "isEmpty":
		if !x.c.actor.may(r, need{"contents", "read"}) {
			return nil, &graphError{Type: "FORBIDDEN", Message: "Resource not accessible by integration"}
		}
		x.c.hub.looked(r)
	}
	switch name {
	case "id":
		return nodeID("R", r.id), nil
	case "defaultBranchRef":
		return refOf(r, "refs/heads/"+r.defaultBranch), nil
	case "ref":
		wanted, _ := args["qualifiedName"].(string)
		for _, full := range []string{wanted, "refs/heads/" + wanted, "refs/tags/" + wanted, "refs/" + wanted} {
			if node := refOf(r, full); node != nil {
				return node, nil
			}
		}
		return nil, nil
	case "object":
		return x.expression(r, args)
	case "isEmpty":
		return g.empty(), nil
	case "templateRepository":
		if from := x.c.hub.state.repos[r.templateOf]; from != nil && !from.hidden && x.c.actor.sees(from) {
			return repoNode{from}, nil
		}
		return nil, nil
	}
	if value, done, err := x.about(r, name, args); done || err != nil {
		return value, err
	}
	return map[string]any{
		"databaseId": r.id, "name": r.name, "nameWithOwner": r.fullName(), "isArchived": r.archived, "isDisabled": r.disabled, "isFork": r.fork,
		"isLocked": false, "isMirror": r.mirror != "", "isPrivate": r.private, "isTemplate": r.template,
	}[name], nil
}

// refOf is nil, and not a nil of some type, where there is no such reference.
func refOf(r *repository, full string) any {
	id, there := r.store.ref(full)
	if !there || !strings.HasPrefix(full, "refs/") {
		return nil
	}
	return refNode{r, full, id}
}

// expression is what oid or a revision such as "main:docs/a.md" names; null where
// there is nothing.
func (x *execution) expression(r *repository, args map[string]any) (any, error) {
	g := r.store
	if oid, given := args["oid"].(string); given {
		return gitOf(r, plumbing.NewHash(oid), ""), nil
	}
	text, given := args["expression"].(string)
	if !given {
		return nil, &graphError{Type: "ARGUMENT_ERROR", Message: "object requires either an expression or an oid"}
	}
	name, file, hasFile := strings.Cut(text, ":")
	if name == "HEAD" {
		name = r.defaultBranch
	}
	commit, found := g.resolve(name)
	if !found {
		return nil, nil
	}
	if !hasFile {
		return gitOf(r, commit, ""), nil
	}
	tree, err := g.treeOf(commit)
	if err != nil {
		return nil, err
	}
	entry, found := g.lookup(tree, file)
	if !found {
		return nil, nil
	}
	return gitOf(r, entry.Hash, strings.Trim(file, "/")), nil
}

func gitOf(r *repository, id plumbing.Hash, at string) any {
	kind := r.store.kind(id)
	if kind == "" {
		return nil
	}
	return gitNode{r, kind, id, at}
}

func (x *execution) ref(v refNode, name string) any {
	at := strings.LastIndex(v.name, "/")
	if parts := strings.SplitN(v.name, "/", 3); len(parts) == 3 {
		at = len(parts[0]) + 1 + len(parts[1])
	}
	switch name {
	case "name":
		return v.name[at+1:]
	case "prefix":
		return v.name[:at+1]
	case "target":
		return gitOf(v.r, v.id, "")
	}
	return nodeID("REF", v.r.id)
}

// textLimit is where GitHub cuts Blob.text off.
const textLimit = 512_000

func (x *execution) git(v gitNode, name string) (any, error) {
	switch name {
	case "id":
		return nodeID(strings.ToUpper(v.kind[:1]), v.r.id), nil
	case "oid":
		return v.id.String(), nil
	case "abbreviatedOid":
		return v.id.String()[:7], nil
	}
	g := v.r.store
	switch v.kind {
	case "blob":
		return blobField(g, v.id, name)
	case "commit":
		o, err := g.commit(v.id)
		if err != nil {
			return nil, err
		}
		return map[string]any{"committedDate": stamp(o.Committer.When), "message": strings.TrimRight(o.Message, "\n"), "tree": gitOf(v.r, o.TreeHash, ""), "signature": x.signature(o)}[name], nil
	case "tree":
		t, err := g.tree(v.id)
		if err != nil {
			return nil, err
		}
		out := []any{}
		for _, e := range t.Entries {
			out = append(out, entryNode{v.r, v.path, e})
		}
		return out, nil
	}
	t, err := object.GetTag(g.storage(), v.id)
	if err != nil {
		return nil, err
	}
	if name == "name" {
		return t.Name, nil
	}
	return gitOf(v.r, t.Target, ""), nil
}

func blobField(g *store, id plumbing.Hash, name string) (any, error) {
	size := g.blobSize(id)
	switch name {
	case "byteSize":
		return size, nil
	case "isTruncated":
		return size > textLimit, nil
	}
	data, err := g.blob(id)
	if err != nil {
		return nil, err
	}
	if name == "isBinary" {
		return isBinary(data), nil
	}
	if isBinary(data) || !utf8.Valid(data) {
		return nil, nil
	}
	return string(data[:min(len(data), textLimit)]), nil
}

func (x *execution) entry(v entryNode, name string) any {
	switch name {
	case "object":
		return gitOf(v.r, v.e.Hash, path.Join(v.dir, v.e.Name))
	case "size":
		return v.r.store.blobSize(v.e.Hash)
	}
	return map[string]any{
		"mode": int(v.e.Mode), "name": v.e.Name, "oid": v.e.Hash.String(), "path": path.Join(v.dir, v.e.Name), "type": typeOf(v.e.Mode),
	}[name]
}
