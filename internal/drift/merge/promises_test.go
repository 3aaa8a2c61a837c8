package merge_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"
	"testing"
	"unicode"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/internal/drift/merge"
)

// promised holds a merge's text to the three promises, by means of its own: nothing
// lost in silence, nothing said twice, and no file that does not parse any more.
func promised(t fataler, path string, b, o, th []byte, r merge.Result) {
	t.Helper()
	base, ours, theirs, merged := plainLines(b), plainLines(o), plainLines(th), plainLines(r.Text)
	named := [2]map[string]int{{}, {}}
	for _, h := range r.Hunks {
		addPlain(named[0], h.Ours)
		addPlain(named[1], h.Theirs)
	}
	for i, side := range []map[string]int{ours, theirs} {
		for line, n := range side {
			if own, left := n-base[line], merged[line]+named[i][line]; own > left {
				t.Fatalf("%s: %q is lost, and no hunk names it\nbase %q\nours %q\ntheirs %q\nmerged %q", path, line, b, o, th, r.Text)
			}
		}
	}
	for line, n := range merged {
		if n > 1 && ours[line] < 2 && theirs[line] < 2 && substance(line) && !toldTwice(r, line) {
			t.Fatalf("%s: %q is there %d times, and once at most on each side\nbase %q\nours %q\ntheirs %q\nmerged %q", path, line, n, b, o, th, r.Text)
		}
	}
	if bytes.Equal(r.Text, o) || bytes.Equal(r.Text, th) {
		return
	}
	if is := stateOf(path, r.Text); is != sound && stateOf(path, b) == sound && stateOf(path, o) == sound && stateOf(path, th) == sound {
		t.Fatalf("%s: the merged file %s, and the three versions do not\nbase %q\nours %q\ntheirs %q\nmerged %q", path, is, b, o, th, r.Text)
	}
}

// toldTwice reports whether a line may be there twice: what the lines alone merge
// cleanly is theirs to answer for, and one half may be in a place that is open, which
// says so.
func toldTwice(r merge.Result, line string) bool {
	for _, h := range r.Hunks {
		if !h.Applied && plainLines(h.Ours)[line] > 0 && strings.Contains(h.Reason, "there twice until this is decided") {
			return true
		}
	}
	return len(r.Hunks) == 0
}

// plainLines counts a text's lines, white space and what ends an entry aside.
func plainLines(text []byte) map[string]int {
	n := make(map[string]int, 16)
	addPlain(n, text)
	return n
}

func addPlain(n map[string]int, text []byte) {
	for line := range bytes.SplitSeq(text, []byte{'\n'}) {
		if p := strings.TrimRight(strings.Join(strings.Fields(string(line)), ""), ",;"); p != "" {
			n[p]++
		}
	}
}

// substance reports whether a line says enough for it to be a mistake twice.
func substance(line string) bool {
	n := 0
	for _, r := range line {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n >= 4
}

// state is what a parser says about a text.
type state string

const (
	sound  state = ""
	broken state = "does not parse"
	twice  state = "has a key twice"
)

// stateOf asks a parser that the merge is not made of. Of a format for which there
// is none here, everything is sound.
func stateOf(name string, text []byte) state {
	switch path.Ext(name) {
	case ".json":
		return stateOfJSON(text)
	case ".yml", ".yaml":
		return stateOfYAML(text)
	case ".toml":
		var into map[string]any
		if toml.Unmarshal(text, &into) != nil {
			return broken // a key that is there twice, too
		}
	case ".xml":
		return stateOfXML(text)
	}
	return sound
}

// stateOfXML takes a second element beside the outermost one for said twice.
func stateOfXML(text []byte) state {
	var within []xml.Name
	outermost := 0
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.RawToken()
		switch token := token.(type) {
		case xml.StartElement:
			if len(within) == 0 {
				outermost++
			}
			within = append(within, token.Name)
		case xml.EndElement:
			if len(within) == 0 || within[len(within)-1] != token.Name {
				return broken
			}
			within = within[:len(within)-1]
		}
		switch {
		case errors.Is(err, io.EOF) && len(within) == 0 && outermost < 2:
			return sound
		case errors.Is(err, io.EOF) && len(within) == 0:
			return twice
		case err != nil:
			return broken
		}
	}
}

// stateOfJSON walks the tokens, because a map that JSON is read into has every key
// once.
func stateOfJSON(text []byte) state {
	if !json.Valid(text) {
		return broken
	}
	type level struct {
		keys  map[string]bool // nil in a list
		value bool            // the next token is the value of a key
	}
	d := json.NewDecoder(bytes.NewReader(text))
	levels := []level{{}}
	for {
		token, err := d.Token()
		if err != nil {
			return sound
		}
		in := &levels[len(levels)-1]
		switch token {
		case json.Delim('{'):
			in.value = false
			levels = append(levels, level{keys: map[string]bool{}})
		case json.Delim('['):
			in.value = false
			levels = append(levels, level{})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
		default:
			key, is := token.(string)
			if in.keys == nil || in.value || !is {
				in.value = false
				continue
			}
			if in.keys[key] {
				return twice
			}
			in.keys[key], in.value = true, true
		}
	}
}

func stateOfYAML(text []byte) state {
	is := sound
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var n yaml.Node
		if err := d.Decode(&n); errors.Is(err, io.EOF) {
			return is
		} else if err != nil {
			return broken
		}
		if keyTwice(&n) {
			is = twice
		}
	}
}

// keyTwice reports whether a map in a YAML document has a key twice. It goes down
// what is written, and follows no alias.
func keyTwice(n *yaml.Node) bool {
	keys := map[string]bool{}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Kind == yaml.ScalarNode && c.Value != "<<" {
			if keys[c.Value] {
				return true
			}
			keys[c.Value] = true
		}
		if keyTwice(c) {
			return true
		}
	}
	return false
}

// written are files of few lines, such as each format has.
var written = []struct {
	path  string
	lines []string
}{
	{"x.txt", []string{"one two three", "one 2 three", "one two 3", "image: app:1.2.0", "image: app:1.10.0", "old_name and more", "new_name and more", "", "a", "id 8394f24a-39fd-45a7-bba7-2b047fece0b0", "id 72839115-07c4-48b5-9805-cdd03ac6044f"}},
	{"x.yml", []string{"jobs:", "  build:", "  check:", "    runs-on: linux", "    runs-on: windows", "    steps:", "      - uses: acme/one@v1.2.0", "      - uses: acme/one@v1.3.0", "      - name: other", "        with: {key: 1}", "        with: {key: 1, more: 2}", "# a note", "", "name: [one, two]", "name: [one, three]", "---"}},
	{"x.json", []string{"{", "}", "  \"name\": \"one\",", "  \"name\": \"two\"", "  \"deps\": {", "  },", "    \"left\": \"1.2.0\",", "    \"left\": \"1.3.0\"", "    \"right\": [1, 2],", "    \"right\": [1]", "  }", "", "  \"last\": true"}},
	{"x.toml", []string{"[tool.one]", "[tool.two]", "name = \"one\"", "name = \"two\"", "version = \"1.2.0\"", "version = \"1.3.0\"", "list = [", "  \"item\",", "]", "# a note", ""}},
	{"x.xml", []string{"<root>", "</root>", "  <item id=\"a\"/>", "  <item id=\"b\"/>", "  <part>", "  </part>", "    <id>one</id>", "    <id>two</id>", "    <version>1.2.0</version>", "    <version>1.3.0</version>", "  <!-- a note -->", ""}},
	{"x.config", []string{"params {", "process {", "}", "  name = 'one'", "  name = 'two'", "  name   = 'one'", "  withName: one {", "    cpus = 1", "  }", "  // a note", "", "}}"}},
	{"x.tf", []string{"resource \"a\" \"one\" {", "resource \"a\" \"two\" {", "}", "  name = \"one\"", "  name = \"two\"", "  count = 1", "  tags = {", "  }", "# a note", ""}},
	{"x.md", []string{"# Title", "## One part", "## Other part", "- [one](a) more", "- [two](b) more", "| name | what |", "|---|---|", "| **one** | first |", "| **two** | second |", "some words here", "some other words here", "```", ""}},
	{".gitignore", []string{"*.log", "/build", "!keep.log", "# a note", "dist/", "work*", ""}},
	{"Dockerfile", []string{"FROM base:1.2.0 AS one", "FROM base:1.3.0 AS one", "FROM two", "RUN one && \\", "    two", "RUN one && two", "ENV A=1 B=2", "COPY one two", "# a note", ""}},
	{"Makefile", []string{"all: one two", "all: one", "one:", "two: one", "\tgo build ./...", "\tgo test ./...", "NAME = one", "NAME := two", "# a note", ""}},
	{"go.mod", []string{"module x.org/m", "require (", ")", "\tx.org/one v1.2.0", "\tx.org/one v1.10.0", "\tx.org/two v0.1.0 // indirect", "\tx.org/three v1.0.0", "go 1.25", "go 1.26", ""}},
	{"x.ini", []string{"[one]", "[two]", "name = one", "name = two", "; a note", "path = a:b", ""}},
	{"CODEOWNERS", []string{"* @all", "/one @team", "/one @team @other", "/two @other", "# a note", ""}},
	{"CHANGELOG.md", []string{"# 1.1.0", "# 1.0.0", "- one was added", "- two was added", ""}},
	{"go.sum", []string{"x.org/one v1.0.0 h1:a=", "x.org/one v1.1.0 h1:b=", "x.org/two v1.0.0 h1:c="}},
	{"x.py", []string{"def one():", "def two(name):", "    return name", "    return [", "    ]", "import one", "import two", "# a note", "old_name = one(1)", "new_name = one(1)", ""}},
}

// ways are how the fuzzed files are merged.
var ways = []merge.Options{
	{},
	{Suggested: merge.Apply},
	{Suggested: merge.Apply, On: optional()},
	{Suggested: merge.Apply, MembersDecided: true, Memory: past{{Take: merge.TakeTheirs, Count: 3}}, Off: []string{"layout", "structure"}},
}

// maxWritten is how many lines the base of a fuzzed file has at most: what goes wrong
// goes wrong in few.
const maxWritten = 12

// write reads three versions of a file out of bytes: one for the file's format and how
// it is merged, one for the versions' last lines, and three for each line of the base:
// which one it is, and what became of it on each side.
func write(code []byte) (path string, options merge.Options, versions [3][]byte) {
	head := [2]byte{}
	code = code[copy(head[:], code):]
	format := written[int(head[0])%len(written)]
	line := func(n byte) string { return format.lines[int(n)%len(format.lines)] + "\n" }
	var texts [3]bytes.Buffer
	for n := 0; len(code) >= 3 && n < maxWritten; n, code = n+1, code[3:] {
		was := line(code[0])
		texts[0].WriteString(was)
		for side := 1; side < 3; side++ {
			into, arg := &texts[side], code[side]&15
			switch code[side] >> 4 {
			case 8, 9: // removed
			case 10, 11:
				into.WriteString(line(arg))
			case 12, 13:
				into.WriteString(was + line(arg))
			case 14:
				into.WriteString(line(arg) + was)
			case 15:
				into.WriteString("  " + strings.ReplaceAll(was, " ", "  "))
			default:
				into.WriteString(was)
			}
		}
	}
	for i := range versions {
		versions[i] = texts[i].Bytes()
		if head[1]>>i&1 == 1 {
			versions[i] = bytes.TrimSuffix(versions[i], []byte{'\n'})
		}
	}
	return format.path, ways[int(head[1]>>3)%len(ways)], versions
}

// FuzzPromises merges small files of lines that their formats have, and holds the
// outcome to what check and promised ask.
func FuzzPromises(f *testing.F) {
	for i := range written {
		for way := range ways {
			f.Add([]byte{byte(i), byte(way << 3), 0, 0, 0, 1, 0xa2, 0, 2, 0, 0xc5, 3, 0xb6, 0xa7, 4, 0, 0, 1, 0xd3, 0xe3})
			f.Add([]byte{byte(i), byte(way<<3 | 5), 0, 0, 0, 1, 0x80, 0xf0, 2, 0xc3, 0xc4, 2, 0, 0})
		}
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		path, options, v := write(code)
		check(t, path, v[0], v[1], v[2], options)
	})
}

// TestMovedLines merges what FuzzPromises found: a line that one side or both moved,
// and what a resolver puts where it was.
func TestMovedLines(t *testing.T) {
	for _, c := range []struct{ name, path, base, ours, theirs string }{
		{"both moved it, each to another place", "x.yml",
			"jobs:\n  build:\n  check:\n    runs-on: linux\n    runs-on: windows\n  build:\n",
			"jobs:\n  check:\n  check:\n      - uses: acme/one@v1.2.0\n    runs-on: windows\n  build:\n    runs-on: linux\n",
			"jobs:\n  build:\n  check:\n    steps:\n      - uses: acme/one@v1.3.0\n    runs-on: windows\n    runs-on: linux\n  build:\n"},
		{"theirs moved it out of a place that stays open", "x.txt",
			"one two three\nnew_name and more\none two three\nid 7\none two 3\none two three\n",
			"one two three\nold_name and more\nnew_name and more\none two three\nid 7\none two 3\none two three",
			"one two three\none two 3\none two three\nnew_name and more\none two 3\none two three\nimage: app:1.2.0\n"},
		{"theirs moved it out of a place that is joined", ".gitignore",
			"/build\n/build\n!keep.log\n# a note\ndist/\n*.log\n",
			"/build\n# a note\n!keep.log\n!keep.log\n\ndist/\n*.log\n",
			"/build\n/build\n!keep.log\nwork*\n*.log\ndist/\n# a note\n*.log\n"},
		{"two places that are joined bring it", ".gitignore",
			"*.log\n!keep.log\n/build", "/build\n*.log\n!keep.log\n/build\n", "!keep.log\n# a note\n/build"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, options := range ways {
				check(t, c.path, []byte(c.base), []byte(c.ours), []byte(c.theirs), options)
			}
		})
	}
}

// TestMovedLineIsTold leaves a place open out of which the golden path moved a line.
func TestMovedLineIsTold(t *testing.T) {
	base := "first line\nmoved line\nthird line\nfourth line\nlast line\n"
	ours := "first line\nmoved line\nother of ours\nthird line\nfourth line\nlast line\n"
	theirs := "first line\nanother of theirs\nthird line\nfourth line\nmoved line\nlast line\n"
	r := merge.Merge("x.txt", []byte(base), []byte(ours), []byte(theirs), merge.Options{})
	if len(r.Hunks) != 1 || r.Clean() || !strings.Contains(r.Hunks[0].Reason, `the golden path has put "moved line" elsewhere`) {
		t.Errorf("%q: %+v; want an open place that says where its line is", r.Text, r.Hunks)
	}
}
