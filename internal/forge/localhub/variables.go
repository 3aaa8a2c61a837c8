package localhub

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

type variable struct {
	name, value string
	created     time.Time
	updated     time.Time
}

var variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

const variableLimit = 48 << 10

func (v *variable) json() obj {
	return obj{"name": v.name, "value": v.value, "created_at": stamp(v.created), "updated_at": stamp(v.updated)}
}

func listVariables(c *call) answer {
	var list []obj
	for _, name := range slices.Sorted(maps.Keys(c.repo.variables)) {
		list = append(list, c.repo.variables[name].json())
	}
	return c.counted("variables", list)
}

type variableIn struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (in variableIn) check() *answer {
	if in.Name != "" && (!variableForm.MatchString(in.Name) || strings.HasPrefix(strings.ToUpper(in.Name), "GITHUB_")) {
		a := unprocessable("Variable names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_). Must not start with the GITHUB_ prefix.")
		return &a
	}
	if len(in.Value) > variableLimit {
		a := unprocessable("Variable value is too large")
		return &a
	}
	return nil
}

func createVariable(c *call) answer {
	var in variableIn
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if in.Name == "" {
		return unprocessable("Invalid request.\n\n\"name\" wasn't supplied.")
	}
	if bad := in.check(); bad != nil {
		return *bad
	}
	name := strings.ToUpper(in.Name)
	if c.repo.variables[name] != nil {
		return refuse(http.StatusConflict, "Already exists - Variable already exists")
	}
	c.repo.variables[name] = &variable{name: name, value: in.Value, created: c.hub.now(), updated: c.hub.now()}
	return created(obj{})
}

func (c *call) variable() *variable { return c.repo.variables[strings.ToUpper(c.vars["name"])] }

func getVariable(c *call) answer {
	if v := c.variable(); v != nil {
		return ok(v.json())
	}
	return notFound()
}

func patchVariable(c *call) answer {
	v := c.variable()
	if v == nil {
		return notFound()
	}
	var in struct {
		Name  optional[string] `json:"name"`
		Value optional[string] `json:"value"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := (variableIn{in.Name.value, in.Value.value}).check(); bad != nil {
		return *bad
	}
	delete(c.repo.variables, v.name)
	in.Name.into(&v.name)
	in.Value.into(&v.value)
	v.name, v.updated = strings.ToUpper(v.name), c.hub.now()
	c.repo.variables[v.name] = v
	return none()
}

func deleteVariable(c *call) answer {
	v := c.variable()
	if v == nil {
		return notFound()
	}
	delete(c.repo.variables, v.name)
	return none()
}
