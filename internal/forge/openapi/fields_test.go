package openapi

import (
	"path"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestExceptionsAreNeeded: what a newer description has is no exception any more, nor is
// what no operation has.
func TestExceptionsAreNeeded(t *testing.T) {
	d, err := read()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range taken {
		needed(t, d, e, func(op *openapi3.Operation) openapi3.Content {
			if op.RequestBody == nil {
				return nil
			}
			return op.RequestBody.Value.Content
		})
	}
	for _, e := range sent {
		needed(t, d, e, func(op *openapi3.Operation) openapi3.Content {
			for _, status := range []int{200, 201} {
				if r := op.Responses.Status(status); r != nil {
					return r.Value.Content
				}
			}
			return nil
		})
	}
}

func needed(t *testing.T, d description, e exception, body func(*openapi3.Operation) openapi3.Content) {
	t.Helper()
	lacking := 0
	for template, item := range d.doc.Paths.Map() {
		if match, err := path.Match(e.templates, template); err != nil {
			t.Fatal(err)
		} else if !match {
			continue
		}
		for _, op := range item.Operations() {
			media := body(op).Get("application/json")
			if media == nil {
				continue
			}
			steps := strings.Split(strings.TrimPrefix(e.at, "/"), "/")
			last := len(steps) - 1
			in := []*openapi3.Schema{media.Schema.Value}
			for _, step := range steps[:last] {
				in = below(in, step)
			}
			if has, _ := property(branches(in), steps[last]); len(in) > 0 && has == nil {
				lacking++
			}
		}
	}
	if lacking == 0 {
		t.Errorf("%+v is no exception: no operation lacks it", e)
	}
}

// below are the schemas one step down; * is every item and every member.
func below(in []*openapi3.Schema, step string) (out []*openapi3.Schema) {
	in = branches(in)
	if step != "*" {
		out, _ = property(in, step)
		return out
	}
	for _, s := range in {
		if s.Items != nil {
			out = append(out, s.Items.Value)
		}
		for _, p := range s.Properties {
			out = append(out, p.Value)
		}
	}
	return out
}
