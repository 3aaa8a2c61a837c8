package localhub

import (
	"fmt"
	"maps"
	"slices"
)

func propertyRoutes() []route {
	return []route{
		get("/repos/{owner}/{repo}/properties/values", read("metadata"), "repos/custom-properties#get-all-custom-property-values-for-a-repository", getProperties),
		patch("/repos/{owner}/{repo}/properties/values", write("repository_custom_properties"), "repos/custom-properties#create-or-update-custom-property-values-for-a-repository", patchProperties),
		get("/orgs/{org}/properties/schema", read("organization_custom_properties"), "orgs/custom-properties#get-all-custom-properties-for-an-organization", propertySchema),
	}
}

// values are a repository's properties: what is set, else the definition's default.
func (r *repository) values() []obj {
	all := maps.Clone(r.properties)
	for name, p := range r.owner.schema {
		if _, set := all[name]; !set && p.DefaultValue != nil {
			all[name] = p.DefaultValue
		}
	}
	list := []obj{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, obj{"property_name": name, "value": all[name]})
	}
	return list
}

func getProperties(c *call) answer {
	if c.repo.owner.kind != kindOrg {
		return notFound()
	}
	return ok(c.repo.values())
}

func patchProperties(c *call) answer {
	var in struct {
		Properties []struct {
			Name  string `json:"property_name"`
			Value any    `json:"value"`
		} `json:"properties"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	values := map[string]any{}
	for _, p := range in.Properties {
		if bad := c.repo.owner.checkProperty(p.Name, p.Value); bad != nil {
			return *bad
		}
		values[p.Name] = p.Value
	}
	c.hub.setProperties(c.repo, values, c.actor)
	return none()
}

// checkProperty says why a value does not fit its definition, or nil.
func (a *account) checkProperty(name string, value any) *answer {
	p := a.schema[name]
	if p == nil {
		bad := unprocessable(fmt.Sprintf("Property %q is not defined", name))
		return &bad
	}
	if text, is := value.(string); is && p.AllowedValues != nil && !slices.Contains(p.AllowedValues, text) {
		bad := unprocessable(fmt.Sprintf("Property %q does not allow the value %q", name, text))
		return &bad
	}
	return nil
}

func (h *Hub) setProperties(r *repository, values map[string]any, by *actor) {
	was := obj{}
	for _, v := range r.values() {
		if name, is := v["property_name"].(string); is {
			was[name] = v["value"]
		}
	}
	old, current := []obj{}, []obj{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		old = append(old, obj{"property_name": name, "value": was[name]})
		current = append(current, obj{"property_name": name, "value": value})
		if value == nil {
			delete(r.properties, name)
		} else {
			r.properties[name] = value
		}
	}
	h.emit(event{name: "custom_property_values", action: "updated", repo: r, by: by, needs: "organization_custom_properties", or: "repository_custom_properties",
		body: obj{"new_property_values": current, "old_property_values": old}})
}

func propertySchema(c *call) answer {
	org, bad := c.org()
	if bad != nil {
		return *bad
	}
	list := []obj{}
	for _, name := range slices.Sorted(maps.Keys(org.schema)) {
		p := org.schema[name]
		list = append(list, obj{
			"property_name": p.Name, "value_type": p.ValueType, "required": p.Required, "default_value": p.DefaultValue, "description": p.Description,
			"allowed_values": p.AllowedValues, "source_type": "organization", "values_editable_by": "org_actors",
			"url": c.hub.apiURL() + "/orgs/" + org.login + "/properties/schema/" + p.Name,
		})
	}
	return ok(list)
}
