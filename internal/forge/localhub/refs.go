package localhub

import (
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

func refRoutes() []route {
	r, w := read("contents"), write("contents")
	return []route{
		get("/repos/{owner}/{repo}/git/ref/{ref}", r, "git/refs#get-a-reference", getRef),
		get("/repos/{owner}/{repo}/git/matching-refs/{ref}", r, "git/refs#list-matching-references", matchingRefs),
		creating(post("/repos/{owner}/{repo}/git/refs", w, "git/refs#create-a-reference", createRef)),
		creating(patch("/repos/{owner}/{repo}/git/refs/{ref}", w, "git/refs#update-a-reference", updateRef)),
		remove("/repos/{owner}/{repo}/git/refs/{ref}", w, "git/refs#delete-a-reference", deleteRef),
		get("/repos/{owner}/{repo}/branches", r, "branches/branches#list-branches", listBranches),
		get("/repos/{owner}/{repo}/branches/{branch}", r, "branches/branches#get-a-branch", getBranch),
		get("/repos/{owner}/{repo}/tags", read("metadata"), "repos/repos#list-repository-tags", listTags),
	}
}

func (c *call) refJSON(name string, id plumbing.Hash) obj {
	kind := c.repo.store.kind(id)
	url := c.hub.repoURL(c.repo)
	return obj{
		"ref": name, "node_id": nodeID("REF", c.repo.id), "url": url + "/git/" + name,
		"object": obj{"sha": id.String(), "type": kind, "url": url + "/git/" + kind + "s/" + id.String()},
	}
}

func getRef(c *call) answer {
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	name := "refs/" + strings.TrimPrefix(c.vars["ref"], "refs/")
	id, there := c.repo.store.ref(name)
	if !there {
		return notFound()
	}
	return ok(c.refJSON(name, id))
}

func matchingRefs(c *call) answer {
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	list, err := c.repo.store.refs("refs/" + c.vars["ref"])
	if err != nil {
		return broken(err)
	}
	var out []obj
	for _, r := range list {
		out = append(out, c.refJSON(r.Name().String(), r.Hash()))
	}
	return c.page(out)
}

// validRef tells whether a full name may be a reference's.
func (g *store) validRef(name string) bool {
	return strings.Count(name, "/") >= 2 && strings.HasPrefix(name, "refs/") && plumbing.ReferenceName(name).Validate() == nil
}

// blocked tells whether a name cannot be made because it is a folder of others or
// another is a folder of it.
func (g *store) blocked(name string) bool {
	list, err := g.refs("refs/")
	if err != nil {
		return true
	}
	for _, r := range list {
		other := r.Name().String()
		if strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/") {
			return true
		}
	}
	return false
}

func createRef(c *call) answer {
	var in struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	c.header.Set("X-Accepted-GitHub-Permissions", "contents=write; contents=write,workflows=write")
	if c.repo.store.empty() {
		return refuse(http.StatusConflict, "Git Repository is empty.")
	}
	if !strings.HasPrefix(in.Ref, "refs/") || strings.Count(in.Ref, "/") < 2 {
		return unprocessable("Reference name must contain at least three slash-separated components.")
	}
	if !c.repo.store.validRef(in.Ref) || strings.HasPrefix(in.Ref, "refs/pull/") {
		return unprocessable(in.Ref + " is not a valid ref name.")
	}
	if !plumbing.IsHash(in.SHA) {
		return unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	id := plumbing.NewHash(in.SHA)
	if kind := c.repo.store.kind(id); kind == "" || strings.HasPrefix(in.Ref, "refs/heads/") && kind != "commit" {
		return unprocessable("Object does not exist")
	}
	if _, there := c.repo.store.ref(in.Ref); there {
		return unprocessable("Reference already exists")
	}
	if c.repo.store.blocked(in.Ref) {
		return unprocessable("Reference update failed")
	}
	if bad := c.move(refMove{name: in.Ref, to: id, by: c.actor}); bad != nil {
		return *bad
	}
	return created(c.refJSON(in.Ref, id)).with("Location", c.hub.repoURL(c.repo)+"/git/"+in.Ref)
}

// move moves a reference if the rules let it, and does what follows.
func (c *call) move(m refMove) *answer {
	bad, err := c.hub.moveRef(c.repo, m, false)
	if err != nil {
		a := broken(err)
		return &a
	}
	if bad != nil {
		a := bad.answer()
		return &a
	}
	return nil
}

// moveRef moves a reference if the rules let it, and does what follows. The caller has
// compared m.from with what is there, under the hub's lock.
func (h *Hub) moveRef(r *repository, m refMove, merging bool) (*violation, error) {
	if m.from == m.to {
		return nil, nil
	}
	if !m.from.IsZero() && !m.to.IsZero() && strings.HasPrefix(m.name, "refs/heads/") {
		forward, err := r.store.ancestor(m.from, m.to)
		if err != nil {
			return nil, err
		}
		m.forced = !forward
	}
	if bad, err := h.breaches(r, m, merging); bad != nil || err != nil {
		return bad, err
	}
	var err error
	if m.to.IsZero() {
		err = r.store.dropRef(m.name)
	} else {
		err = r.store.setRef(m.name, m.to)
	}
	if err != nil {
		return nil, err
	}
	h.refMoved(r, m)
	return nil, nil
}

func updateRef(c *call) answer {
	var in struct {
		SHA   string `json:"sha"`
		Force bool   `json:"force"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	c.header.Set("X-Accepted-GitHub-Permissions", "contents=write; contents=write,workflows=write")
	name := "refs/" + c.vars["ref"]
	old, there := c.repo.store.ref(name)
	if !there {
		return unprocessable("Reference does not exist")
	}
	if !plumbing.IsHash(in.SHA) {
		return unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	id := plumbing.NewHash(in.SHA)
	if c.repo.store.kind(id) != "commit" && strings.HasPrefix(name, "refs/heads/") || !c.repo.store.has(id) {
		return unprocessable("Object does not exist")
	}
	if !in.Force && strings.HasPrefix(name, "refs/heads/") {
		forward, err := c.repo.store.ancestor(old, id)
		if err != nil {
			return broken(err)
		}
		if !forward {
			return unprocessable("Update is not a fast forward")
		}
	}
	if bad := c.move(refMove{name: name, from: old, to: id, by: c.actor}); bad != nil {
		return *bad
	}
	return ok(c.refJSON(name, id))
}

func deleteRef(c *call) answer {
	name := "refs/" + c.vars["ref"]
	old, there := c.repo.store.ref(name)
	if !there {
		return unprocessable("Reference does not exist")
	}
	if name == "refs/heads/"+c.repo.defaultBranch {
		return unprocessable("Cannot delete the default branch")
	}
	if bad := c.move(refMove{name: name, from: old, by: c.actor}); bad != nil {
		return *bad
	}
	return none()
}

func (c *call) isProtected(branch string) bool {
	return c.repo.protections[branch] != nil || len(c.repo.rulesFor("refs/heads/"+branch, nil)) > 0
}

func listBranches(c *call) answer {
	c.hub.looked(c.repo)
	list, err := c.repo.store.refs("refs/heads/")
	if err != nil {
		return broken(err)
	}
	var out []obj
	for _, r := range list {
		name := r.Name().Short()
		if wanted := c.query("protected"); wanted != "" && (wanted == "true") != c.isProtected(name) {
			continue
		}
		out = append(out, obj{
			"name": name, "commit": obj{"sha": r.Hash().String(), "url": c.hub.repoURL(c.repo) + "/commits/" + r.Hash().String()},
			"protected": c.isProtected(name),
		})
	}
	return c.page(out)
}

func getBranch(c *call) answer {
	c.hub.looked(c.repo)
	name := c.vars["branch"]
	id, there := c.repo.store.branch(name)
	if !there {
		return refuse(http.StatusNotFound, "Branch not found")
	}
	commit, err := c.commitJSON(id, false)
	if err != nil {
		return broken(err)
	}
	url := c.hub.repoURL(c.repo) + "/branches/" + name
	return ok(obj{
		"name": name, "commit": commit, "protected": c.isProtected(name), "protection_url": url + "/protection",
		"_links":     obj{"self": url, "html": c.hub.pageURL(c.repo) + "/tree/" + name},
		"protection": c.protectionSummary(name),
	})
}

// protectionSummary is what everybody who reads a branch sees of its classic protection.
func (c *call) protectionSummary(branch string) obj {
	p, level, contexts, checks := c.repo.protections[branch], "off", []string{}, []obj{}
	if p != nil && len(p.Checks) > 0 {
		level = "non_admins"
		if p.Admins {
			level = "everyone"
		}
		for _, name := range p.Checks {
			contexts, checks = append(contexts, name), append(checks, obj{"context": name, "app_id": nil})
		}
	}
	return obj{"enabled": p != nil, "required_status_checks": obj{"enforcement_level": level, "contexts": contexts, "checks": checks}}
}

func listTags(c *call) answer {
	list, err := c.repo.store.refs("refs/tags/")
	if err != nil {
		return broken(err)
	}
	var out []obj
	for _, r := range list {
		id, url := c.repo.store.peel(r.Hash()), c.hub.repoURL(c.repo)
		out = append(out, obj{
			"name": r.Name().Short(), "commit": obj{"sha": id.String(), "url": url + "/commits/" + id.String()},
			"zipball_url": url + "/zipball/" + r.Name().String(), "tarball_url": url + "/tarball/" + r.Name().String(), "node_id": nodeID("REF", c.repo.id),
		})
	}
	return c.page(out)
}
