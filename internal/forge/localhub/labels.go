package localhub

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

type label struct {
	id          int64
	name        string
	color       string
	description string
	standard    bool
}

// standard are the labels that GitHub gives a new repository.
var standard = []label{
	{name: "bug", color: "d73a4a", description: "Something isn't working"},
	{name: "documentation", color: "0075ca", description: "Improvements or additions to documentation"},
	{name: "duplicate", color: "cfd3d7", description: "This issue or pull request already exists"},
	{name: "enhancement", color: "a2eeef", description: "New feature or request"},
	{name: "good first issue", color: "7057ff", description: "Good for newcomers"},
	{name: "help wanted", color: "008672", description: "Extra attention is needed"},
	{name: "invalid", color: "e4e669", description: "This doesn't seem right"},
	{name: "question", color: "d876e3", description: "Further information is requested"},
	{name: "wontfix", color: "ffffff", description: "This will not be worked on"},
}

func (r *repository) defaultLabels(s *state) {
	for _, l := range standard {
		copied := l
		copied.id, copied.standard = s.id(), true
		r.labels[lower(l.name)] = &copied
	}
}

func (i *issue) hasLabel(name string) bool {
	return slices.ContainsFunc(i.labels, func(l *label) bool { return strings.EqualFold(l.name, name) })
}

// label is the repository's label of that name, made if it is not there, as GitHub
// does when an issue is given an unknown one.
func (h *Hub) label(r *repository, name string) *label {
	if l := r.labels[lower(name)]; l != nil {
		return l
	}
	l := &label{id: h.state.id(), name: name, color: "ededed"}
	r.labels[lower(name)] = l
	return l
}

func (h *Hub) labelJSON(r *repository, l *label) obj {
	return obj{
		"id": l.id, "node_id": nodeID("LA", l.id), "url": h.repoURL(r) + "/labels/" + url.PathEscape(l.name), "name": l.name,
		"color": l.color, "default": l.standard, "description": orNil(l.description),
	}
}

func labelRoutes() []route {
	both, writeBoth := read("issues", "pull_requests"), write("issues", "pull_requests")
	const base, one = "/repos/{owner}/{repo}/labels", "/repos/{owner}/{repo}/issues/{issue_number}/labels"
	return []route{
		get(base, both, "issues/labels#list-labels-for-a-repository", listLabels),
		creating(post(base, writeBoth, "issues/labels#create-a-label", createLabel)),
		get(base+"/{name}", both, "issues/labels#get-a-label", getLabel),
		patch(base+"/{name}", writeBoth, "issues/labels#update-a-label", patchLabel),
		remove(base+"/{name}", writeBoth, "issues/labels#delete-a-label", deleteLabel),
		get(one, both, "issues/labels#list-labels-for-an-issue", issueLabels),
		post(one, writeBoth, "issues/labels#add-labels-to-an-issue", addLabels),
		put(one, writeBoth, "issues/labels#set-labels-for-an-issue", putLabels),
		remove(one+"/{name}", writeBoth, "issues/labels#remove-a-label-from-an-issue", removeLabel),
	}
}

func (c *call) labelList(list []*label) []obj {
	out := []obj{}
	for _, l := range list {
		out = append(out, c.hub.labelJSON(c.repo, l))
	}
	return out
}

func listLabels(c *call) answer {
	list := slices.Collect(maps.Values(c.repo.labels))
	slices.SortFunc(list, func(a, b *label) int { return int(a.id - b.id) })
	return c.page(c.labelList(list))
}

var colorForm = regexp.MustCompile(`^[0-9A-Fa-f]{6}$`)

const (
	labelName = 50
	labelText = 100
)

func (c *call) checkLabel(name, color, description string) *answer {
	fields := []struct {
		bad   bool
		field string
	}{
		{name == "" || len([]rune(name)) > labelName, "name"},
		{color != "" && !colorForm.MatchString(color), "color"},
		{len([]rune(description)) > labelText, "description"},
	}
	for _, f := range fields {
		if f.bad {
			a := invalid(flaw{Resource: "Label", Field: f.field, Code: "invalid"})
			return &a
		}
	}
	return nil
}

func createLabel(c *call) answer {
	var in struct {
		Name        string `json:"name"`
		Color       string `json:"color"`
		Description string `json:"description"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := c.checkLabel(in.Name, in.Color, in.Description); bad != nil {
		return *bad
	}
	if c.repo.labels[lower(in.Name)] != nil {
		return invalid(flaw{Resource: "Label", Code: "already_exists", Field: "name"})
	}
	l := c.hub.label(c.repo, in.Name)
	if in.Color != "" {
		l.color = lower(in.Color)
	}
	l.description = in.Description
	j := c.hub.labelJSON(c.repo, l)
	c.hub.emit(event{name: "label", action: "created", repo: c.repo, by: c.actor, needs: "metadata", body: obj{"label": j}})
	return created(j)
}

func getLabel(c *call) answer {
	if l := c.repo.labels[lower(c.vars["name"])]; l != nil {
		return ok(c.hub.labelJSON(c.repo, l))
	}
	return notFound()
}

func patchLabel(c *call) answer {
	l := c.repo.labels[lower(c.vars["name"])]
	if l == nil {
		return notFound()
	}
	var in struct {
		Name        optional[string] `json:"new_name"`
		Color       optional[string] `json:"color"`
		Description optional[string] `json:"description"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	name := l.name
	in.Name.into(&name)
	if bad := c.checkLabel(name, in.Color.value, in.Description.value); bad != nil {
		return *bad
	}
	delete(c.repo.labels, lower(l.name))
	l.name = name
	c.repo.labels[lower(name)] = l
	in.Color.into(&l.color)
	in.Description.into(&l.description)
	return ok(c.hub.labelJSON(c.repo, l))
}

func deleteLabel(c *call) answer {
	l := c.repo.labels[lower(c.vars["name"])]
	if l == nil {
		return notFound()
	}
	delete(c.repo.labels, lower(l.name))
	for _, i := range c.repo.issues {
		i.labels = slices.DeleteFunc(i.labels, func(o *label) bool { return o == l })
	}
	return none()
}

func issueLabels(c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	return c.page(c.labelList(i.labels))
}

// readLabels takes {"labels": [...]} and, as GitHub does, a bare list.
func (c *call) readLabels() (names, *answer) {
	var in struct {
		Labels []any `json:"labels"`
	}
	if len(c.body) > 0 && c.body[0] == '[' {
		c.body = []byte(`{"labels":` + string(c.body) + `}`)
	}
	if bad := c.read(&in); bad != nil {
		return nil, bad
	}
	return textNames(in.Labels), nil
}

func addLabels(c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	list, bad := c.readLabels()
	if bad != nil {
		return *bad
	}
	all := slices.Clone(i.labels)
	for _, l := range c.labelsNamed(c.repo, list) {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	c.hub.setLabels(c.repo, i, all, c.actor)
	return ok(c.labelList(i.labels))
}

func putLabels(c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	list, bad := c.readLabels()
	if bad != nil {
		return *bad
	}
	c.hub.setLabels(c.repo, i, c.labelsNamed(c.repo, list), c.actor)
	return ok(c.labelList(i.labels))
}

func removeLabel(c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	if !i.hasLabel(c.vars["name"]) {
		return refuse(404, "Label does not exist")
	}
	rest := slices.DeleteFunc(slices.Clone(i.labels), func(l *label) bool { return strings.EqualFold(l.name, c.vars["name"]) })
	c.hub.setLabels(c.repo, i, rest, c.actor)
	return ok(c.labelList(i.labels))
}

// setLabels changes the labels of an issue and tells of each change.
func (h *Hub) setLabels(r *repository, i *issue, list []*label, by *actor) {
	was := i.labels
	i.labels = list
	for _, l := range list {
		if !slices.Contains(was, l) {
			h.issueEvent(r, i, "labeled", by, obj{"label": h.labelJSON(r, l)})
		}
	}
	for _, l := range was {
		if !slices.Contains(list, l) {
			h.issueEvent(r, i, "unlabeled", by, obj{"label": h.labelJSON(r, l)})
		}
	}
	i.updated = h.now()
}
