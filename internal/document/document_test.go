package document_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/document"
)

func TestValuesAreYAMLsCoreSchema(t *testing.T) {
	d, err := document.Parse("f", []byte("s: text\ni: 12\nf: 1.5\nb: true\nn: null\nday: 2027-03-01\nyes: on\nl: [1, a]\nm: {k: v}\na: &x 1\nr: *x\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"s": "text", "i": int64(12), "f": 1.5, "b": true, "n": nil, "day": "2027-03-01", "yes": "on",
		"l": []any{int64(1), "a"}, "m": map[string]any{"k": "v"}, "a": int64(1), "r": int64(1),
	}
	if diff := cmp.Diff(want, d.Value()); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestMistakesHavePlaces(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'h'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ",") + "]\n"
	}
	for want, text := range map[string]string{
		`f:2:1: the key "a" is here twice; it is also on line 1`: "a: 1\na: 2\n",
		`f:2:3: the key "b" is here twice`:                       "x: {b: 1,\n  b: 2}\n",
		`when its aliases are expanded`:                          bomb,
		`nested more than`:                                       strings.Repeat("[", 500) + strings.Repeat("]", 500),
		`f:2:1: a second document begins here`:                   "a: 1\n---\nb: 1\n",
		`f:3:1: a conflict marker`:                               "a: 1\n\n=======\n",
		`merge keys`:                                             "a: &a {x: 1}\nb: {<<: *a}\n",
		`at most 1048576`:                                        strings.Repeat("#", 10<<20),
		`indent with spaces, not tabs`:                           "a:\n\tb: 1\n",
	} {
		_, err := document.Parse("f", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %.300v\nwant %s", text, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	s, err := document.CompileJSON([]byte(`{"type":"object","additionalProperties":false,"required":["name"],"properties":{"name":{"type":"string"},"list":{"type":"array","items":{"enum":["a","b"]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := document.Parse("f", []byte("nam: x\nlist:\n  - a\n  - c\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := document.Problems{
		{File: "f", Line: 1, Column: 1, Message: `"name" is missing`},
		{File: "f", Line: 1, Column: 1, Message: `unknown key "nam"`, Hint: "did you mean name?"},
		{File: "f", Line: 4, Column: 5, Message: "c is not one of a, b"},
	}
	got := d.Validate(s)
	sortByMessage := func(ps document.Problems) map[string]document.Problem {
		m := map[string]document.Problem{}
		for _, p := range ps {
			m[p.Message] = p
		}
		return m
	}
	if diff := cmp.Diff(sortByMessage(want), sortByMessage(got)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestSchemasCannotReachOut(t *testing.T) {
	for _, ref := range []string{"file:///etc/passwd", "https://example.com/x.json", "other.json"} {
		if _, err := document.Compile(map[string]any{"$ref": ref}); err == nil {
			t.Errorf("a schema that refers to %s compiles", ref)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1", "[*a]", "a: &a [*a]", "{a: {b: [1, 2.5, true, ~]}}", "a: !!binary x", "? [a]\n: b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := document.Parse("f", data)
		if err != nil {
			return
		}
		if _, n := d.Node("a", "b", "0"); n == nil {
			t.Error("Node returns nil")
		}
	})
}

// A file can have as many mistakes as lines; whoever mends them reads a hundred.
func TestMistakesAreBounded(t *testing.T) {
	_, err := document.Parse("f", []byte(strings.Repeat("k: 1\n", 1001)))
	var ps document.Problems
	if !errors.As(err, &ps) || len(ps) != 101 || ps[100].Error() != "f: and 900 more mistakes" {
		t.Errorf("got %d problems, the last of them %v", len(ps), ps[len(ps)-1])
	}
}

// What one reader takes for 83 and another for 123 is nobody's number.
func TestNumbersThatBeginWithZeroAreRefused(t *testing.T) {
	for _, text := range []string{"0123", "-017", "089", "0_1", "00.5", "[1, 007]"} {
		_, err := document.Parse("f", []byte("a: "+text))
		if err == nil || !strings.Contains(err.Error(), "f:1:") || !strings.Contains(err.Error(), "begins with 0, which some take for a number in octal") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]any{"0": int64(0), "0.5": 0.5, "-0.5": -0.5, "0o17": int64(15), "0x1F": int64(31), "'0123'": "0123", "0123-4": "0123-4", "2027-01-01": "2027-01-01", "01:30": "01:30"} {
		d, err := document.Parse("f", []byte("a: "+text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(map[string]any{"a": want}, d.Value()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// A reader of YAML 1.1 takes them for numbers, one of YAML 1.2 for text.
func TestNumbersOfYAML11AreRefused(t *testing.T) {
	for _, text := range []string{"1_000", "-1_0", "1_000.5", "1e1_0", "0b11", "-0b11", "+0b1", "-0x1F", "-0o17", "0x1_F", "0o1_7", "!!int 1_000", "[1, 1_000]"} {
		_, err := document.Parse("f", []byte("a: "+text))
		if err == nil || !strings.Contains(err.Error(), "f:1:") || !strings.Contains(err.Error(), "which some take for a number and some for text") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]any{"1000": int64(1000), "+1": int64(1), ".5": 0.5, "5.": 5.0, "1e3": 1000.0, "-1.5E-1": -0.15, "0xAf": int64(175), "'1_000'": "1_000", "0b2": "0b2", "1_000_a": "1_000_a", "_1": "_1"} {
		d, err := document.Parse("f", []byte("a: "+text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(map[string]any{"a": want}, d.Value()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// A megabyte of commas is half a gigabyte of nodes.
func TestParsingTakesLittleMemory(t *testing.T) {
	for _, text := range []string{"x: {" + strings.Repeat("a,", 500_000) + "}", strings.Repeat("a:\n ", 250_000), strings.Repeat("- 1\n", 200_000)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := document.Parse("f", []byte(text))
		runtime.ReadMemStats(&after)
		if made := (after.TotalAlloc - before.TotalAlloc) >> 20; err == nil || made > 100 {
			t.Errorf("%.10s…: %d MiB were made; %.100v", text, made, err)
		}
	}
}
