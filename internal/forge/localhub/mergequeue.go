package localhub

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing/object"
)

// QueueMerge puts a pull request into the merge queue: GitHub makes a branch with what
// would be merged and asks for checks of it. It returns the commit to be checked.
func (p *Person) QueueMerge(fullName string, number int) (head string, err error) {
	err = p.onPull(fullName, "write", number, func(r *repository, i *issue) error {
		head, err = p.hub.queueMerge(r, i, p.actor())
		return err
	})
	return head, err
}

// queueMerge puts a pull request into the merge queue.
func (h *Hub) queueMerge(r *repository, i *issue, by *actor) (string, error) {
	base, there := r.store.branch(i.pull.base)
	if !there || i.state != "open" {
		return "", fmt.Errorf("localhub: pull request %d of %s cannot be queued", i.number, r.fullName())
	}
	tree, clean, err := r.store.merge(base, i.pull.headID)
	if err != nil {
		return "", err
	}
	if !clean {
		return "", fmt.Errorf("localhub: pull request %d of %s has conflicts", i.number, r.fullName())
	}
	id, err := h.mergeCommit(r, i, mergeWish{method: "merge"}, base, tree, by)
	if err != nil {
		return "", err
	}
	commit, err := r.store.commit(id)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", i.pull.base, i.number, base)
	if err := r.store.setRef(name, id); err != nil {
		return "", err
	}
	h.emit(event{name: "merge_group", action: "checks_requested", repo: r, by: by, needs: "merge_queues", or: "pull_requests",
		body: obj{"merge_group": h.mergeGroup(i, commit, name, base.String())}})
	return id.String(), nil
}

func (h *Hub) mergeGroup(i *issue, commit *object.Commit, name, base string) obj {
	person := func(s object.Signature) obj { return obj{"name": s.Name, "email": s.Email} }
	return obj{
		"head_sha": commit.Hash.String(), "head_ref": name, "base_sha": base, "base_ref": "refs/heads/" + i.pull.base,
		"head_commit": obj{
			"id": commit.Hash.String(), "tree_id": commit.TreeHash.String(), "message": commit.Message, "timestamp": stamp(commit.Committer.When),
			"author": person(commit.Author), "committer": person(commit.Committer),
		},
	}
}
