package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"path"
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
	for _, at := range members(value, []*openapi3.Schema{media.Schema.Value}, "") {
		if !excepted(taken, route.Path, at) {
			out = append(out, unknownMember(at))
		}
	}
	return out
}

func unknownMember(at string) string { return fmt.Sprintf("unknown member %q", at) }

// exception is a member that GitHub takes or sends although its description lacks it.
// Every one needs a source: what is not sure is left off, here and in localhub.
type exception struct {
	templates string // a pattern for the operation's path; see path.Match
	at        string // a pattern for where it is in the body; an item of a list is *
}

// taken are exceptions for requests. The permission for Actions variables is in
// "Permissions required for GitHub Apps"
// (https://docs.github.com/rest/authentication/permissions-required-for-github-apps#repository-permissions-for-variables)
// and in the App manifests of many, by this name; that the description lacks it is told in
// https://github.com/github/rest-api-description/issues/5437.
var taken = []exception{
	{"/app/installations/{installation_id}/access_tokens", "/permissions/actions_variables"},
}

// sent are exceptions for answers.
var sent = []exception{
	// As in requests.
	{"/app/installations/{installation_id}/access_tokens", "/permissions/actions_variables"},
	{"/app/installations/{installation_id}", "/permissions/actions_variables"},
	{"/*/*/installation", "/permissions/actions_variables"},
	{"/repos/{owner}/{repo}/installation", "/permissions/actions_variables"},
	// The list of installations is described by a copy that has fallen behind what describes
	// one of them, "installation", "app-permissions" and "simple-user"
	// (https://github.com/actions/create-github-app-token/issues/310 says of octokit's).
	{"/app/installations", "/*/client_id"},
	{"/app/installations", "/*/account/user_view_type"},
	{"/app/installations", "/*/suspended_by/user_view_type"},
	{"/app/installations", "/*/permissions/actions_variables"},
	{"/app/installations", "/*/permissions/repository_custom_properties"},
	{"/app/installations", "/*/permissions/organization_custom_properties"},
	// An Enterprise Server, which localhub says it is, adds its version
	// (https://docs.github.com/enterprise-server@3.17/rest/meta/meta,
	// https://github.com/hub4j/github-api/issues/852).
	{"/meta", "/installed_version"},
	// The repositories of a pull request's branches have their properties wherever GitHub
	// sends a pull request: every pull_request payload of @octokit/webhooks-examples 7.6.1.
	{"/repos/{owner}/{repo}/pulls", "/*/*/repo/custom_properties"},
	{"/repos/{owner}/{repo}/pulls", "/*/repo/custom_properties"},
	{"/repos/{owner}/{repo}/pulls/{pull_number}", "/*/repo/custom_properties"},
	{"/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", "/*/repo/custom_properties"},
	{"/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "/*/*/repo/custom_properties"},
}

// excepted reports whether one of the exceptions is for a member of an operation.
func excepted(list []exception, template, at string) bool {
	return slices.ContainsFunc(list, func(e exception) bool {
		here, err := path.Match(e.templates, template)
		there, err2 := path.Match(e.at, at)
		return here && there && err == nil && err2 == nil
	})
}

// members are where a value has members that none of the schemas has.
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
				out = append(out, at+"/"+name)
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
	if !t.answered || t.status/100 != 2 || r.Method == http.MethodHead {
		return // nothing was said, nothing good, or nothing but headers
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
	for _, at := range members(value, []*openapi3.Schema{media.Schema.Value}, "") {
		if !excepted(sent, route.Path, at) {
			v.report(r, route.Path, true, unknownMember(at))
		}
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
	{"/repos/{owner}/{repo}/pulls", "/labels/", "null for a label without description: https://github.com/github/rest-api-description/issues/1812"},
	{"/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "/labels/", "the same"},
	{"/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", "/labels/", "the same"},
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

// Reads are the members that a program reads of an answer, each with those below it.
// Lists are passed through: what is below one is read of its items.
type Reads map[string]Reads

// Lacking names those members that no good answer of an operation has by its
// description. The path is without /api/v3 and its variables are filled in. The error is
// that there is no such operation.
func (v *Validator) Lacking(method, path string, reads Reads) ([]string, error) {
	r, err := http.NewRequest(method, "http://localhost/"+strings.TrimPrefix(path, "/"), nil)
	if err != nil {
		return nil, err
	}
	route, _ := v.find(r)
	if route == nil {
		return nil, fmt.Errorf("%s %s: no such operation", method, path)
	}
	var bodies []*openapi3.Schema
	for status, answer := range route.Operation.Responses.Map() {
		if media := answer.Value.Content.Get("application/json"); strings.HasPrefix(status, "2") && media != nil {
			bodies = append(bodies, media.Schema.Value)
		}
	}
	return lacking(bodies, reads, ""), nil
}

func lacking(schemas []*openapi3.Schema, reads Reads, at string) (out []string) {
	schemas = items(schemas)
	for _, name := range slices.Sorted(maps.Keys(reads)) {
		below, open := property(schemas, name)
		switch {
		case below != nil:
			out = append(out, lacking(below, reads[name], at+"/"+name)...)
		case !open || len(schemas) == 0:
			out = append(out, at+"/"+name)
		}
	}
	return out
}

// items are schemas with all that they are made of, and for lists their items.
func items(schemas []*openapi3.Schema) []*openapi3.Schema {
	out := branches(schemas)
	for _, s := range out {
		if s.Items != nil && s.Items.Value != nil {
			out = append(out, items([]*openapi3.Schema{s.Items.Value})...)
		}
	}
	return out
}
