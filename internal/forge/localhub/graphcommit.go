package localhub

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// signature is what is known of a commit's signature; nil where there is none.
func (x *execution) signature(o *object.Commit) any {
	if o.PGPSignature == "" {
		return nil
	}
	valid := x.c.hub.signer.verified(o)
	return plainNode{"GpgSignature", map[string]any{"isValid": valid, "wasSignedByGitHub": valid}}
}

// createCommitOnBranch commits to a branch that is there and where the caller says. The
// commit is signed; files have the mode 100644, and author and committer are not the
// caller's to choose.
func (x *execution) createCommitOnBranch(args map[string]any) (any, error) {
	input, _ := args["input"].(map[string]any)
	refused := func(kind, format string, args ...any) (any, error) {
		return nil, &graphError{Type: kind, Message: fmt.Sprintf(format, args...)}
	}
	on, _ := input["branch"].(map[string]any)
	name, _ := on["repositoryNameWithOwner"].(string)
	branch, _ := on["branchName"].(string)
	owner, repo, _ := strings.Cut(name, "/")
	r, _ := x.c.hub.state.find(owner, repo)
	if r == nil || r.hidden || !x.c.actor.sees(r) {
		return refused("NOT_FOUND", "Could not resolve to a Repository with the name '%s'.", name)
	}
	if !x.c.actor.may(r, need{"contents", "write"}) {
		return refused("FORBIDDEN", "Resource not accessible by integration")
	}
	if r.archived {
		return refused("FORBIDDEN", "Repository was archived so is read-only.")
	}
	head, there := r.store.branch(strings.TrimPrefix(branch, "refs/heads/"))
	if !there {
		return refused("NOT_FOUND", "Branch '%s' could not be found", branch)
	}
	if expected, _ := input["expectedHeadOid"].(string); expected != head.String() {
		return refused("STALE_DATA", "Expected branch to point to %q but it did not. Pull and try again.", expected)
	}
	root, err := r.store.treeOf(head)
	if err != nil {
		return nil, err
	}
	edits, err := x.fileChanges(r, root, input)
	if err != nil {
		return nil, err
	}
	return x.commitSigned(r, strings.TrimPrefix(branch, "refs/heads/"), head, root, edits, input)
}

// fileChanges reads what a commit changes. A file is not both written and deleted, and
// one that is deleted is there.
func (x *execution) fileChanges(r *repository, root plumbing.Hash, input map[string]any) (map[string]edit, error) {
	unprocessable := func(format string, args ...any) error {
		return &graphError{Type: "UNPROCESSABLE", Message: fmt.Sprintf(format, args...)}
	}
	changes, _ := input["fileChanges"].(map[string]any)
	edits := map[string]edit{}
	additions, _ := changes["additions"].([]any)
	for _, one := range additions {
		in, _ := one.(map[string]any)
		path, _ := in["path"].(string)
		text, _ := in["contents"].(string)
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil || path == "" || strings.HasPrefix(path, "/") {
			return nil, unprocessable("A path was requested for addition which is not valid: %q", path)
		}
		id, err := r.store.putBlob(data)
		if err != nil {
			return nil, err
		}
		edits[path] = edit{mode: filemode.Regular, id: id}
	}
	deletions, _ := changes["deletions"].([]any)
	for _, one := range deletions {
		in, _ := one.(map[string]any)
		path, _ := in["path"].(string)
		if _, twice := edits[path]; twice {
			return nil, unprocessable("A path was requested for both addition and deletion: %s", path)
		}
		if _, there := r.store.lookup(root, path); !there {
			return nil, unprocessable("A path was requested for deletion which does not exist as of commit oid: %s", path)
		}
		edits[path] = edit{remove: true}
	}
	return edits, nil
}

func (x *execution) commitSigned(r *repository, branch string, head, root plumbing.Hash, edits map[string]edit, input map[string]any) (any, error) {
	h := x.c.hub
	tree, err := r.store.editTree(root, edits)
	if err != nil {
		return nil, err
	}
	said, _ := input["message"].(map[string]any)
	message, _ := said["headline"].(string)
	if body, _ := said["body"].(string); body != "" {
		message += "\n\n" + body
	}
	who := x.c.actor.account()
	author := object.Signature{Name: who.login, Email: who.email(), When: h.now()}
	o := &object.Commit{TreeHash: tree, ParentHashes: []plumbing.Hash{head}, Message: message, Author: author, Committer: author}
	if err := h.finishCommit(o, true); err != nil {
		return nil, err
	}
	id, err := r.store.put(o)
	if err != nil {
		return nil, err
	}
	m := refMove{name: "refs/heads/" + branch, from: head, to: id, by: x.c.actor}
	bad, err := h.moveRef(r, m, false)
	switch {
	case err != nil:
		return nil, err
	case bad != nil && bad.workflow != "":
		return nil, &graphError{Type: "FORBIDDEN", Message: "Resource not accessible by integration"}
	case bad != nil:
		return nil, &graphError{Type: "UNPROCESSABLE", Message: "Repository rule violations found\n\n" + strings.Join(bad.rules, "\n\n") + "\n\n"}
	}
	return plainNode{"CreateCommitOnBranchPayload", map[string]any{"clientMutationId": input["clientMutationId"], "commit": gitOf(r, id, "")}}, nil
}
