package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// unknown names the query parameters and members of the body that the description
// does not have.
func unknown(route *routers.Route, r *http.Request, body []byte) []string {
	var out []string
	known := map[string]bool{}
	for _, list := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, p := range list {
			if p.Value != nil && p.Value.In == openapi3.ParameterInQuery {
				known[p.Value.Name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.URL.Query())) {
		if !known[name] {
			out = append(out, fmt.Sprintf("unknown query parameter %q", name))
		}
	}
	if len(body) == 0 {
		return out
	}
	if route.Operation.RequestBody == nil {
		return append(out, "a body where none is described")
	}
	media := route.Operation.RequestBody.Value.Content.Get("application/json")
	var value any
	if media == nil || json.Unmarshal(body, &value) != nil {
		return out
	}
	for _, found := range members(value, []*openapi3.Schema{media.Schema.Value}, "") {
		if !slices.Contains(undescribed[route.Path], found) {
			out = append(out, found)
		}
	}
	return out
}

// undescribed are members that GitHub takes although its description lacks them. The
// permission for Actions variables is in "Permissions required for GitHub Apps"
// (https://docs.github.com/rest/authentication/permissions-required-for-github-apps#repository-permissions-for-variables)
// and in the App manifests of many, by this name.
var undescribed = map[string][]string{
	"/app/installations/{installation_id}/access_tokens": {`unknown member "/permissions/actions_variables"`},
}

// members names the members of a value that none of the schemas has.
func members(value any, schemas []*openapi3.Schema, at string) []string {
	var out []string
	schemas = branches(schemas)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			below, open := property(schemas, name)
			switch {
			case below != nil:
				out = append(out, members(value[name], below, at+"/"+name)...)
			case !open:
				out = append(out, fmt.Sprintf("unknown member %q", at+"/"+name))
			}
		}
	case []any:
		var items []*openapi3.Schema
		for _, s := range schemas {
			if s.Items != nil && s.Items.Value != nil {
				items = append(items, s.Items.Value)
			}
		}
		for i, one := range value {
			if items != nil {
				out = append(out, members(one, items, fmt.Sprintf("%s/%d", at, i))...)
			}
		}
	}
	return out
}

// branches are schemas with all that they are made of.
func branches(schemas []*openapi3.Schema) []*openapi3.Schema {
	var out []*openapi3.Schema
	for _, s := range schemas {
		out = append(out, s)
		for _, list := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf, s.AllOf} {
			for _, ref := range list {
				out = append(out, branches([]*openapi3.Schema{ref.Value})...)
			}
		}
	}
	return out
}

// property is what the schemas say of a member; open tells that any is allowed.
func property(schemas []*openapi3.Schema, name string) (below []*openapi3.Schema, open bool) {
	declared := false
	for _, s := range schemas {
		declared = declared || len(s.Properties) > 0
		if p := s.Properties[name]; p != nil && p.Value != nil {
			below = append(below, p.Value)
		}
		if extra := s.AdditionalProperties; extra.Schema != nil && extra.Schema.Value != nil {
			below = append(below, extra.Schema.Value)
		} else if extra.Has != nil && *extra.Has {
			open = true
		}
	}
	return below, open || !declared
}

// answer checks a successful JSON answer.
func (v *Validator) answer(r *http.Request, route *routers.Route, t *tee) {
	if t.status/100 != 2 || r.Method == http.MethodHead {
		return
	}
	described := route.Operation.Responses.Status(t.status)
	if described == nil || described.Value == nil {
		v.report(r, route.Path, true, fmt.Sprintf("status %d is not described", t.status))
		return
	}
	media := described.Value.Content.Get("application/json")
	kind, _, err := mime.ParseMediaType(t.Header().Get("Content-Type"))
	if media == nil || media.Schema == nil || err != nil || kind != "application/json" {
		return
	}
	var value any
	if err := json.Unmarshal(t.body.Bytes(), &value); err != nil {
		v.report(r, route.Path, true, "not JSON: "+err.Error())
		return
	}
	for _, message := range misfits(route.Path, media.Schema.Value, value) {
		v.report(r, route.Path, true, message)
	}
}

// misfits lists where an answer does not fit its schema.
func misfits(template string, schema *openapi3.Schema, value any) []string {
	err := schema.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsResponse(), openapi3.DisablePatternValidation())
	var out []string
	for _, one := range leaves(err) {
		if message := one.Error(); !tolerated(template, one) {
			message, _, _ = strings.Cut(message, "\nSchema:")
			out = append(out, strings.Join(strings.Fields(message), " "))
		}
	}
	return out
}

func leaves(err error) []error {
	if err == nil {
		return nil
	}
	if several, ok := errors.AsType[openapi3.MultiError](err); ok {
		var out []error
		for _, one := range several {
			out = append(out, leaves(one)...)
		}
		return out
	}
	return []error{err}
}

// tolerances are misfits that GitHub's own answers have too, so that no client can rely
// on the description there.
var tolerances = []struct{ template, at, why string }{
	{"/app/installations", "/account", "described as a user and an enterprise at once; it is one of them, as the single installation says"},
}

func tolerated(template string, err error) bool {
	var one *openapi3.SchemaError
	if !errors.As(err, &one) {
		return false
	}
	if one.SchemaField == "format" {
		return true // uri and the like fail on GitHub's own templates ("{/sha}")
	}
	at := "/" + strings.Join(one.JSONPointer(), "/")
	for _, t := range tolerances {
		if t.template == template && strings.Contains(at, t.at) {
			return true
		}
	}
	return false
}
