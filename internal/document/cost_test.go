package document_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/document"
)

// words are n different words as JSON.
func words(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("\"w%d\"", i)
	}
	return "[" + strings.Join(all, ",") + "]"
}

func compiled(t *testing.T, schema string) *document.Schema {
	t.Helper()
	s, err := document.CompileJSON([]byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A list is not held against an enum as long as both may be.
func TestChecksAreBounded(t *testing.T) {
	const tooMany = "values are too many to be checked by a schema with "
	many := func(n int) any {
		d, err := document.Parse("f", []byte("["+strings.Repeat("x,", n)+"x]"))
		if err != nil {
			t.Fatal(err)
		}
		return d.Value()
	}
	long := compiled(t, `{"items": {"enum": `+words(9_000)+`}}`)
	if got := long.Check(many(90_000)); len(got) != 1 || !strings.Contains(got[0].Message, "90002 "+tooMany) || got[0].Hint == "" {
		t.Errorf("a long list with a long enum: %.200v", got)
	}
	if got := long.Check(many(1)); len(got) != 2 || strings.Contains(got[0].Message, tooMany) {
		t.Errorf("a short list with a long enum: %.200v", got)
	}
	short := compiled(t, `{"items": {"enum": ["x"]}}`)
	if got := short.Check(many(90_000)); len(got) > 0 {
		t.Errorf("a long list with a short enum: %.200v", got)
	}
	var all []string
	for range 900 {
		all = append(all, `{"maxLength": 1}`)
	}
	if got := compiled(t, `{"items": {"allOf": [`+strings.Join(all, ",")+`]}}`).Check(many(90_000)); len(got) != 1 || !strings.Contains(got[0].Message, tooMany) {
		t.Errorf("a long list with a schema of many parts: %.200v", got)
	}
}

// What many parts refer to counts for each of them.
func TestEnumsCountWhereTheyAreReferredTo(t *testing.T) {
	var refs []string
	for range 100 {
		refs = append(refs, `{"$ref": "#/$defs/long"}`)
	}
	_, err := document.CompileJSON([]byte(`{"$defs": {"long": {"enum": ` + words(200) + `}}, "allOf": [` + strings.Join(refs, ",") + `]}`))
	var se *document.SchemaError
	if !errors.As(err, &se) || !strings.Contains(err.Error(), "more than 10000 parts") {
		t.Errorf("got %v", err)
	}
}

// A message does not repeat an enum of thousands for each of thousands of items.
func TestMessagesOfEnumsAreShort(t *testing.T) {
	got := compiled(t, `{"enum": `+words(1_000)+`}`).Check("x")
	if len(got) != 1 || !strings.HasPrefix(got[0].Message, "x is not one of w0, w1, ") || !strings.HasSuffix(got[0].Message, "w19 or 980 more") {
		t.Errorf("got %v", got)
	}
}
