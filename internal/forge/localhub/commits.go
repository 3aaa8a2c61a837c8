package localhub

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func commitRoutes() []route {
	r := read("contents")
	return []route{
		get("/repos/{owner}/{repo}/commits", r, "commits/commits#list-commits", listCommits),
		get("/repos/{owner}/{repo}/commits/{ref}", r, "commits/commits#get-a-commit", getCommit),
		get("/repos/{owner}/{repo}/compare/{basehead}", r, "commits/commits#compare-two-commits", compare),
		get("/repos/{owner}/{repo}/commits/{commit_sha}/comments", r, "commits/comments#list-commit-comments", listRemarks),
		creating(post("/repos/{owner}/{repo}/commits/{commit_sha}/comments", write("contents"), "commits/comments#create-a-commit-comment", createRemark)),
		get("/repos/{owner}/{repo}/commits/{commit_sha}/pulls", read("pull_requests"), "commits/commits#list-pull-requests-associated-with-a-commit", commitPulls),
	}
}

// commitJSON is a commit with, where whole, what it changes.
func (c *call) commitJSON(id plumbing.Hash, whole bool) (obj, error) {
	o, err := c.repo.store.commit(id)
	if err != nil {
		return nil, err
	}
	git := c.gitCommitJSON(o)
	url := c.hub.repoURL(c.repo) + "/commits/" + id.String()
	j := obj{
		"sha": id.String(), "node_id": git["node_id"], "url": url, "html_url": git["html_url"], "comments_url": url + "/comments",
		"commit": obj{
			"url": git["url"], "author": git["author"], "committer": git["committer"], "message": git["message"], "tree": git["tree"],
			"comment_count": 0, "verification": git["verification"],
		},
		"author": c.hub.authorJSON(o.Author), "committer": c.hub.authorJSON(o.Committer), "parents": git["parents"],
	}
	if !whole {
		return j, nil
	}
	parent := plumbing.ZeroHash
	if len(o.ParentHashes) > 0 {
		parent = o.ParentHashes[0]
	}
	files, err := c.diff(parent, id)
	if err != nil {
		return nil, err
	}
	added, removed := 0, 0
	for _, f := range files {
		more, _ := f["additions"].(int)
		less, _ := f["deletions"].(int)
		added, removed = added+more, removed+less
	}
	j["stats"], j["files"] = obj{"additions": added, "deletions": removed, "total": added + removed}, files
	return j, nil
}

// authorJSON is the account behind a signature, or null.
func (h *Hub) authorJSON(s object.Signature) any {
	if a := h.byEmail(s.Email); a != nil {
		return a.json(h)
	}
	return nil
}

// diff are the files that two commits differ in, as the API lists them. A zero from is
// the empty tree.
func (c *call) diff(from, to plumbing.Hash) ([]obj, error) {
	first := from.String()
	if from.IsZero() {
		first = emptyTree.String()
		if _, err := c.repo.store.put(&object.Tree{}); err != nil {
			return nil, err
		}
	}
	out, err := c.repo.store.in("diff", "--no-color", "--no-ext-diff", "-M", "--raw", "--numstat", "--no-abbrev", "-z", first, to.String())
	if err != nil {
		return nil, err
	}
	list := parseDiff(string(out))
	slices.SortFunc(list, func(a, b diffFile) int { return strings.Compare(a.path, b.path) })
	url := c.hub.repoURL(c.repo)
	files := []obj{}
	for _, f := range list {
		id := f.id
		if f.status == "removed" {
			id = f.old
		}
		j := obj{
			"sha": id, "filename": f.path, "status": f.status, "additions": f.added, "deletions": f.removed, "changes": f.added + f.removed,
			"blob_url": fmt.Sprintf("%s/blob/%s/%s", c.hub.pageURL(c.repo), to, f.path), "raw_url": fmt.Sprintf("%s/raw/%s/%s", c.hub.pageURL(c.repo), to, f.path),
			"contents_url": fmt.Sprintf("%s/contents/%s?ref=%s", url, f.path, to),
		}
		if f.from != "" {
			j["previous_filename"] = f.from
		}
		if patch := c.filePatch(first, to.String(), f); patch != "" {
			j["patch"] = patch
		}
		files = append(files, j)
	}
	return files, nil
}

// filePatch is the text of one file's hunks; none for binary files and for what is too
// large to show.
func (c *call) filePatch(from, to string, f diffFile) string {
	const most = 3000 // lines; beyond, GitHub shows no patch either
	if f.binary || f.added+f.removed == 0 || f.added+f.removed > most {
		return ""
	}
	args := []string{"diff", "--no-color", "--no-ext-diff", "-M", from, to, "--", f.path}
	if f.from != "" {
		args = append(args, f.from)
	}
	out, err := c.repo.store.in(args...)
	if err != nil {
		return ""
	}
	text := string(out)
	at := strings.Index(text, "\n@@ ")
	if at < 0 {
		return ""
	}
	return strings.TrimRight(text[at+1:], "\n")
}

type diffFile struct {
	path, from, old, id, status string
	added, removed              int
	binary                      bool
}

// parseDiff reads "git diff --raw --numstat -z".
func parseDiff(out string) []diffFile {
	fields := strings.Split(out, "\x00")
	statuses := map[byte]string{'A': "added", 'D': "removed", 'M': "modified", 'R': "renamed", 'T': "changed", 'C': "copied"}
	var list []diffFile
	at := map[string]int{}
	for i := 0; i < len(fields); i++ {
		head := fields[i]
		if strings.HasPrefix(head, ":") {
			part := strings.Fields(head)
			f := diffFile{old: part[2], id: part[3], status: statuses[part[4][0]], path: fields[i+1]}
			i++
			if part[4][0] == 'R' || part[4][0] == 'C' {
				f.from, f.path = f.path, fields[i+1]
				i++
			}
			at[f.path] = len(list)
			list = append(list, f)
			continue
		}
		part := strings.SplitN(head, "\t", 3)
		if len(part) != 3 {
			continue
		}
		name := part[2]
		if name == "" { // a rename: old and new name follow
			name = fields[i+2]
			i += 2
		}
		if n, known := at[name]; known {
			list[n].added, _ = strconv.Atoi(part[0])
			list[n].removed, _ = strconv.Atoi(part[1])
			list[n].binary = part[0] == "-"
		}
	}
	return list
}

func listCommits(c *call) answer {
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	name := c.query("sha")
	if name == "" {
		name = c.repo.defaultBranch
	}
	head, found := c.repo.store.resolve(name)
	if !found {
		return notFound()
	}
	args := []string{"rev-list", "--max-count=1000", head.String()}
	for flag, value := range map[string]string{"--since=": c.query("since"), "--until=": c.query("until")} {
		if value != "" {
			args = append(args, flag+value)
		}
	}
	if p := c.query("path"); p != "" {
		args = append(args, "--", p)
	}
	out, err := c.repo.store.in(args...)
	if err != nil {
		return broken(err)
	}
	var list []obj
	for line := range strings.FieldsSeq(string(out)) {
		list = append(list, obj{"sha": line})
	}
	a := c.page(list)
	part, _ := a.body.([]obj)
	for i := range part {
		sha, _ := part[i]["sha"].(string)
		if part[i], err = c.commitJSON(plumbing.NewHash(sha), false); err != nil {
			return broken(err)
		}
	}
	return a
}

func getCommit(c *call) answer {
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	id, found := c.repo.store.resolve(c.vars["ref"])
	if !found {
		return unprocessable("No commit found for SHA: " + c.vars["ref"])
	}
	if strings.Contains(c.r.Header.Get("Accept"), "sha") {
		return answer{status: http.StatusOK, raw: []byte(id.String()), media: "application/vnd.github.v3.sha; charset=utf-8"}
	}
	j, err := c.commitJSON(id, true)
	if err != nil {
		return broken(err)
	}
	return ok(j)
}

func compare(c *call) answer {
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	first, second, cut := strings.Cut(c.vars["basehead"], "...")
	base, hasBase := c.repo.store.resolve(afterOwner(first))
	head, hasHead := c.repo.store.resolve(afterOwner(second))
	if !cut || !hasBase || !hasHead {
		return notFound()
	}
	common, err := c.repo.store.mergeBase(base, head)
	if err != nil {
		return broken(err)
	}
	if common.IsZero() {
		return refuse(http.StatusNotFound, "No common ancestor between "+first+" and "+second+".")
	}
	const most = 250
	ahead, aheadBy, err := c.repo.store.commitsBetween(base, head, most)
	if err != nil {
		return broken(err)
	}
	_, behindBy, err := c.repo.store.commitsBetween(head, base, 0)
	if err != nil {
		return broken(err)
	}
	files, err := c.diff(common, head)
	if err != nil {
		return broken(err)
	}
	commits := []obj{}
	for _, id := range ahead {
		j, err := c.commitJSON(id, false)
		if err != nil {
			return broken(err)
		}
		commits = append(commits, j)
	}
	baseJSON, err := c.commitJSON(base, false)
	if err != nil {
		return broken(err)
	}
	commonJSON, err := c.commitJSON(common, false)
	if err != nil {
		return broken(err)
	}
	url := c.hub.repoURL(c.repo) + "/compare/" + c.vars["basehead"]
	page := c.hub.pageURL(c.repo) + "/compare/" + c.vars["basehead"]
	const mostFiles = 300
	return ok(obj{
		"url": url, "html_url": page, "permalink_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch",
		"base_commit": baseJSON, "merge_base_commit": commonJSON, "status": relation(aheadBy, behindBy), "ahead_by": aheadBy, "behind_by": behindBy,
		"total_commits": aheadBy, "commits": commits, "files": files[:min(len(files), mostFiles)],
	})
}

func relation(ahead, behind int) string {
	switch {
	case ahead == 0 && behind == 0:
		return "identical"
	case behind == 0:
		return "ahead"
	case ahead == 0:
		return "behind"
	}
	return "diverged"
}

// afterOwner drops the owner of owner:branch.
func afterOwner(s string) string {
	if _, branch, has := strings.Cut(s, ":"); has {
		return branch
	}
	return s
}
