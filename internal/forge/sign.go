package forge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/tree"
)

// maxSigned bounds what is sent to be signed, in bytes.
const maxSigned = 16 << 20

// Sign makes a commit that was made by [Client.Commit] anew, in the one way that GitHub
// signs whatever its set-up for the Git Data API: createCommitOnBranch of GraphQL. That
// commits to a branch which must exist, so that the branch via is made at the commit's
// parent first, and is the caller's to delete. It writes files of mode 100644 and no
// other (GitHub's schema has no field for a mode), so that a commit which has another
// file, or changes one, is [Refused], as is one whose tree would not be made's.
func (c *Client) Sign(ctx context.Context, r Repository, k Commit, made Committed, via string) (Committed, error) {
	op := fmt.Sprintf("signing commit %.10s of %s", made.ID, r.Name)
	if err := c.signable(ctx, r.Name, k, op); err != nil {
		return Committed{}, err
	}
	at, err := c.branchHead(ctx, r.Name, via)
	if err == nil {
		err = c.Move(ctx, r, Move{Branch: via, From: at.Commit, To: k.Parent})
	}
	if err != nil {
		return Committed{}, err
	}
	signed, err := c.commitOnBranch(ctx, r, k, via, op)
	if err != nil {
		return Committed{}, err
	}
	if signed.Tree != made.Tree {
		return Committed{}, &Error{Kind: Refused, Op: op, Message: fmt.Sprintf("GitHub made the tree %.10s, not %.10s", signed.Tree, made.Tree)}
	}
	if !signed.Verified {
		return Committed{}, &Error{Kind: Refused, Op: op, Message: "GitHub does not sign commits here, whichever way they are made"}
	}
	return signed, nil
}

// signable says why a commit cannot be made by createCommitOnBranch.
func (c *Client) signable(ctx context.Context, n Name, k Commit, op string) error {
	refuse := func(format string, args ...any) error {
		return &Error{Kind: Refused, Op: op, Message: fmt.Sprintf(format, args...), Hint: "let the App bypass the rule, or make this change by hand"}
	}
	switch {
	case c.in.app.cfg.NoGraphQL || !c.graphQL():
		return refuse("the branch takes signed commits only, GitHub has not signed this one, and GraphQL, which could have it signed, is not there")
	case k.Parent == "" || len(k.More) > 0:
		return refuse("only a commit with one parent can be signed")
	}
	paths, size := slices.Sorted(maps.Keys(k.Changes)), 0
	now, err := c.Entries(ctx, n, k.Tree, paths)
	if err != nil {
		return err
	}
	for _, p := range paths {
		f, e := k.Changes[p], now[p]
		if f == nil {
			continue
		}
		size += len(f.Data)
		switch {
		case f.Kind != tree.Regular:
			return refuse("%s is %s, and GitHub signs commits of ordinary files only", p, kindInWords(f.Kind))
		case e.Kind != 0 && e.Kind != tree.Regular:
			return refuse("%s was %s, and GitHub signs no commit that changes what kind of file one is", p, kindInWords(e.Kind))
		case size > maxSigned:
			return refuse("the files have more than %d bytes together", maxSigned)
		}
	}
	return nil
}

func kindInWords(k tree.Kind) string {
	if k == tree.Executable {
		return "executable"
	}
	return "a " + k.String()
}

// commitOnBranch commits to a branch that is at the commit's parent. An answer that
// is lost costs nothing: the branch is moved back and the commit made anew.
func (c *Client) commitOnBranch(ctx context.Context, r Repository, k Commit, branch, op string) (Committed, error) {
	headline, body, _ := strings.Cut(strings.TrimSpace(k.Message), "\n")
	additions, deletions := []map[string]string{}, []map[string]string{}
	for _, p := range slices.Sorted(maps.Keys(k.Changes)) {
		if f := k.Changes[p]; f != nil {
			additions = append(additions, map[string]string{"path": p, "contents": base64.StdEncoding.EncodeToString(f.Data)})
		} else {
			deletions = append(deletions, map[string]string{"path": p})
		}
	}
	var d document
	d.printf("createCommitOnBranch(input:%s){commit{oid tree{oid} signature{isValid}}}", d.arg("CreateCommitOnBranchInput!", map[string]any{
		"branch":          map[string]string{"repositoryNameWithOwner": r.Name.String(), "branchName": branch},
		"expectedHeadOid": k.Parent,
		"message":         map[string]string{"headline": headline, "body": strings.TrimSpace(body)},
		"fileChanges":     map[string]any{"additions": additions, "deletions": deletions},
	}))
	out, err := c.post(ctx, op, "mutation", &d)
	if err == nil && len(out.Errors) > 0 {
		err = out.Errors[0].failed(op)
	}
	if err != nil {
		return Committed{}, err
	}
	var made struct {
		Created struct {
			Commit struct {
				OID       string
				Tree      struct{ OID string }
				Signature *struct{ IsValid bool }
			}
		} `json:"createCommitOnBranch"`
	}
	if err := json.Unmarshal(out.Data, &made); err != nil || made.Created.Commit.OID == "" {
		return Committed{}, &Error{Kind: Unavailable, Op: op, Message: "the answer has no commit", cause: err}
	}
	commit := made.Created.Commit
	return Committed{ID: commit.OID, Tree: commit.Tree.OID, Verified: commit.Signature != nil && commit.Signature.IsValid}, nil
}
