package document_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/document"
)

func TestReferencesStayWithinTheSchema(t *testing.T) {
	var doubling, long strings.Builder
	for i := range 40 {
		fmt.Fprintf(&doubling, `"a%d": {"allOf": [{"$ref": "#/$defs/a%d"}, {"$ref": "#/$defs/a%[2]d"}]}, `, i, i+1)
		fmt.Fprintf(&long, `"a%d": {"properties": {"x": {"$ref": "#/$defs/a%d"}}}, `, i, i+1)
	}
	for schema, want := range map[string]string{
		`{"$defs": {` + doubling.String() + `"a40": {}}, "properties": {"x": {"$ref": "#/$defs/a0"}}}`: "more than 10000 parts when its references are followed",
		`{"$defs": {` + long.String() + `"a40": {}}, "properties": {"x": {"$ref": "#/$defs/a0"}}}`:     "",
		`{"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}`:                                           "$defs.a.items.$ref: #/$defs/a refers to itself",
		`{"properties": {"a": {"$ref": "#"}}}`:                                                         "properties.a.$ref: # refers to itself",
		`{"properties": {"a": {"$ref": "#/$defs/b"}}}`:                                                 "properties.a.$ref: there is no #/$defs/b",
		`{"properties": {"a": {"$ref": "#b"}}}`:                                                        "there is no #b",
		`{"properties": {"a": {"$ref": "https://x/y"}}}`:                                               "must not refer to another document",
		`{"properties": {"a": {"$ref": "schema.json#/$defs/b"}}, "$defs": {"b": {}}}`:                  "must not refer to another document",
		`{"properties": {"a": {"$id": "https://x/y"}}}`:                                                "properties.a.$id: $id is not supported",
		`{"properties": {"a": {"$dynamicRef": "#a"}}}`:                                                 "$dynamicRef is not supported",
		`{"$schema": "http://json-schema.org/draft-07/schema#"}`:                                       "$schema: only JSON Schema 2020-12 is read",
		`{"properties": {"$ref": {"default": {"$ref": "x"}}, "~/": {"$ref": "#/properties/$ref"}}}`:    "",
		`{"properties": {"~/": {}, "a": {"$ref": "#/properties/~0~1"}}}`:                               "",
	} {
		_, err := document.CompileJSON([]byte(schema))
		var se *document.SchemaError
		if want == "" && err != nil || want != "" && (!errors.As(err, &se) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.200s\ngot  %v\nwant %s", schema, err, want)
		}
	}
}
