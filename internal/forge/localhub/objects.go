package localhub

import (
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const (
	blobLimit    = 100 << 20  // what GET blobs serves
	blobIn       = 41_943_040 // decoded bytes that POST blobs takes, as measured by others
	commitTitles = 65_536
)

func objectRoutes() []route {
	r, w := read("contents"), write("contents")
	return []route{
		get("/repos/{owner}/{repo}/git/commits/{commit_sha}", r, "git/commits#get-a-commit-object", getGitCommit),
		creating(post("/repos/{owner}/{repo}/git/commits", w, "git/commits#create-a-commit", createCommit)),
		get("/repos/{owner}/{repo}/git/trees/{tree_sha}", r, "git/trees#get-a-tree", getTree),
		creating(post("/repos/{owner}/{repo}/git/trees", w, "git/trees#create-a-tree", createTree)),
		get("/repos/{owner}/{repo}/git/blobs/{file_sha}", r, "git/blobs#get-a-blob", getBlob),
		creating(post("/repos/{owner}/{repo}/git/blobs", w, "git/blobs#create-a-blob", createBlob)),
		get("/repos/{owner}/{repo}/git/tags/{tag_sha}", r, "git/tags#get-a-tag", getTag),
		creating(post("/repos/{owner}/{repo}/git/tags", w, "git/tags#create-a-tag-object", createTag)),
	}
}

// person is a signature of a commit as the API writes it.
type person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Date  string `json:"date"`
}

func (p *person) signature(otherwise object.Signature) object.Signature {
	s := otherwise
	if p == nil {
		return s
	}
	s.Name, s.Email = p.Name, p.Email
	if when, err := time.Parse(time.RFC3339, p.Date); err == nil {
		s.When = when
	}
	return s
}

func signatureJSON(s object.Signature) obj {
	return obj{"name": s.Name, "email": s.Email, "date": stamp(s.When)}
}

func (c *call) gitCommitJSON(o *object.Commit) obj {
	url := c.hub.repoURL(c.repo) + "/git"
	parents := []obj{}
	for _, p := range o.ParentHashes {
		parents = append(parents, obj{"sha": p.String(), "url": url + "/commits/" + p.String(), "html_url": c.hub.pageURL(c.repo) + "/commit/" + p.String()})
	}
	return obj{
		"sha": o.Hash.String(), "node_id": nodeID("C", c.repo.id), "url": url + "/commits/" + o.Hash.String(),
		"html_url": c.hub.pageURL(c.repo) + "/commit/" + o.Hash.String(), "author": signatureJSON(o.Author), "committer": signatureJSON(o.Committer),
		"message": strings.TrimRight(o.Message, "\n"), "tree": obj{"sha": o.TreeHash.String(), "url": url + "/trees/" + o.TreeHash.String()},
		"parents": parents, "verification": c.hub.signer.verification(o),
	}
}

func getGitCommit(c *call) answer {
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	o, err := c.repo.store.commit(plumbing.NewHash(c.vars["commit_sha"]))
	if err != nil {
		return notFound()
	}
	return ok(c.gitCommitJSON(o))
}

func createCommit(c *call) answer {
	var in struct {
		Message   *string  `json:"message"`
		Tree      string   `json:"tree"`
		Parents   []string `json:"parents"`
		Author    *person  `json:"author"`
		Committer *person  `json:"committer"`
		Signature string   `json:"signature"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	if in.Message == nil || in.Tree == "" {
		return unprocessable("Invalid request.\n\n\"message\", \"tree\" weren't supplied.")
	}
	if len(*in.Message) > commitTitles {
		return unprocessable("Commit message is too long")
	}
	tree := plumbing.NewHash(in.Tree)
	if tree != emptyTree && c.repo.store.kind(tree) != "tree" {
		return unprocessable("Tree SHA does not exist")
	}
	o := &object.Commit{TreeHash: tree, Message: *in.Message}
	for _, p := range in.Parents {
		id := plumbing.NewHash(p)
		if c.repo.store.kind(id) != "commit" {
			return unprocessable("Parent SHA does not exist or is not a commit object")
		}
		o.ParentHashes = append(o.ParentHashes, id)
	}
	who := c.actor.account()
	self := object.Signature{Name: who.login, Email: who.email(), When: c.hub.now()}
	o.Author = in.Author.signature(self)
	o.Committer = in.Committer.signature(o.Author)
	o.PGPSignature = in.Signature
	if err := c.hub.finishCommit(o, !c.hub.options.Unsigned && c.actor.isInstallation() && in.Author == nil && in.Committer == nil && in.Signature == ""); err != nil {
		return broken(err)
	}
	id, err := c.repo.store.put(o)
	if err != nil {
		return broken(err)
	}
	o.Hash = id
	return created(c.gitCommitJSON(o)).with("Location", c.hub.repoURL(c.repo)+"/git/commits/"+id.String())
}

// finishCommit signs a commit that GitHub vouches for: one that an App made without
// saying who wrote it.
func (h *Hub) finishCommit(o *object.Commit, vouch bool) error {
	if !vouch {
		return nil
	}
	o.Committer = webFlow
	o.Committer.When = o.Author.When
	return h.signer.sign(o)
}

func getTag(c *call) answer {
	t, err := object.GetTag(c.repo.store.storage(), plumbing.NewHash(c.vars["tag_sha"]))
	if err != nil {
		return notFound()
	}
	return ok(c.tagJSON(t))
}

func (c *call) tagJSON(t *object.Tag) obj {
	url := c.hub.repoURL(c.repo) + "/git/"
	kind := t.TargetType.String()
	return obj{
		"node_id": nodeID("TA", c.repo.id), "sha": t.Hash.String(), "url": url + "tags/" + t.Hash.String(), "tag": t.Name,
		"message": strings.TrimRight(t.Message, "\n"), "tagger": signatureJSON(t.Tagger),
		"object":       obj{"type": kind, "sha": t.Target.String(), "url": url + kind + "s/" + t.Target.String()},
		"verification": obj{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil},
	}
}

func createTag(c *call) answer {
	var in struct {
		Tag     string  `json:"tag"`
		Message string  `json:"message"`
		Object  string  `json:"object"`
		Type    string  `json:"type"`
		Tagger  *person `json:"tagger"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	id := plumbing.NewHash(in.Object)
	kind, err := plumbing.ParseObjectType(in.Type)
	if in.Tag == "" || err != nil || c.repo.store.kind(id) != in.Type {
		return unprocessable("Object does not exist")
	}
	who := c.actor.account()
	t := &object.Tag{
		Name: in.Tag, Message: in.Message + "\n", Target: id, TargetType: kind,
		Tagger: in.Tagger.signature(object.Signature{Name: who.login, Email: who.email(), When: c.hub.now()}),
	}
	if t.Hash, err = c.repo.store.put(t); err != nil {
		return broken(err)
	}
	return created(c.tagJSON(t))
}
