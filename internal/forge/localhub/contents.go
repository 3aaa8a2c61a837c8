package localhub

import (
	"net/http"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func contentRoutes() []route {
	return []route{
		get("/repos/{owner}/{repo}/contents/{path}", read("contents"), "repos/contents#get-repository-content", getContents),
		get("/repos/{owner}/{repo}/readme", read("contents"), "repos/contents#get-a-repository-readme", func(c *call) answer {
			c.vars["path"] = "README.md"
			return getContents(c)
		}),
	}
}

const (
	inlineLimit   = 1 << 20   // above it contents come without content, unless raw
	contentsLimit = 100 << 20 // above it they do not come at all
	folderLimit   = 1000
)

func getContents(c *call) answer {
	c.hub.looked(c.repo)
	if c.repo.store.empty() {
		return refuse(http.StatusNotFound, "This repository is empty.")
	}
	ref := c.query("ref")
	if ref == "" {
		ref = c.repo.defaultBranch
	}
	commit, found := c.repo.store.resolve(ref)
	if !found {
		return refuse(http.StatusNotFound, "No commit found for the ref "+ref)
	}
	tree, err := c.repo.store.treeOf(commit)
	if err != nil {
		return broken(err)
	}
	file := strings.Trim(c.vars["path"], "/")
	entry, found := c.repo.store.lookup(tree, file)
	if !found {
		return notFound()
	}
	if entry.Mode == filemode.Dir {
		return c.folder(file, ref, entry)
	}
	return c.file(file, ref, entry)
}

func (c *call) folder(dir, ref string, entry object.TreeEntry) answer {
	t, err := c.repo.store.tree(entry.Hash)
	if err != nil {
		return broken(err)
	}
	list := []obj{}
	for _, e := range t.Entries[:min(len(t.Entries), folderLimit)] {
		list = append(list, c.contentJSON(path.Join(dir, e.Name), ref, e))
	}
	if strings.Contains(c.r.Header.Get("Accept"), "object") {
		j := c.contentJSON(dir, ref, entry)
		j["entries"] = list
		return ok(j)
	}
	return ok(list)
}

func (c *call) contentJSON(file, ref string, e object.TreeEntry) obj {
	kind, size := "file", c.repo.store.blobSize(e.Hash)
	gitURL := c.hub.repoURL(c.repo) + "/git/blobs/" + e.Hash.String()
	var download any = c.hub.pageURL(c.repo) + "/raw/" + ref + "/" + file
	switch e.Mode {
	case filemode.Dir:
		kind, size, download = "dir", 0, nil
		gitURL = c.hub.repoURL(c.repo) + "/git/trees/" + e.Hash.String()
	case filemode.Symlink:
		kind = "symlink"
	case filemode.Submodule:
		kind, size, download = "submodule", 0, nil
	}
	url := c.hub.repoURL(c.repo) + "/contents/" + file + "?ref=" + ref
	html := c.hub.pageURL(c.repo) + "/blob/" + ref + "/" + file
	return obj{
		"name": path.Base(file), "path": file, "sha": e.Hash.String(), "size": size, "url": url, "html_url": html, "git_url": gitURL,
		"download_url": download, "type": kind, "_links": obj{"self": url, "git": gitURL, "html": html},
	}
}

func (c *call) file(file, ref string, e object.TreeEntry) answer {
	j := c.contentJSON(file, ref, e)
	if e.Mode == filemode.Submodule {
		return ok(j)
	}
	data, err := c.repo.store.blob(e.Hash)
	if err != nil {
		return broken(err)
	}
	if len(data) > contentsLimit {
		return refuse(http.StatusForbidden, "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API, but you can always clone the repository via Git to obtain this blob.",
			flaw{Resource: "Blob", Field: "data", Code: "too_large"})
	}
	if strings.Contains(c.r.Header.Get("Accept"), "raw") {
		return answer{status: http.StatusOK, raw: data, media: "application/vnd.github.raw+json; charset=utf-8"}
	}
	switch {
	case e.Mode == filemode.Symlink:
		j["target"] = string(data)
	case len(data) > inlineLimit:
		j["content"], j["encoding"] = "", "none"
	default:
		j["content"], j["encoding"] = base64Lines(data), "base64"
	}
	return ok(j)
}
