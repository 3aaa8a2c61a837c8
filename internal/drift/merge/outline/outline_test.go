package outline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/drift/merge/outline"
)

// ours is a leaf that takes ours where both changed.
func ours(_, o, _ string) (string, bool) { return o, false }

var formats = []string{"yaml", "json", "braces", "hcl", "gomod", "toml", "ini", "markdown", "makefile", "dockerfile", "ignore", "owners", "requirements", "xml"}

func lines(s ...string) string { return strings.Join(s, "\n") + "\n" }

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name, format             string
		base, ours, theirs, want string
	}{
		{"workflow: a step and a key, each from one side", "yaml",
			lines("jobs:", "  test:", "    steps:", "      - name: Check out", "        uses: a/checkout@v1", "      - name: Test", "        run: make"),
			lines("jobs:", "  test:", "    steps:", "      # ours", "      - name: Check out", "        uses: a/checkout@v1", "      - name: Cache", "        uses: a/cache@v1", "      - name: Test", "        run: make"),
			lines("jobs:", "  test:", "    steps:", "      - name: Check out", "        uses: a/checkout@v2", "      - name: Test", "        run: make", "        env:", "          CI: 1"),
			lines("jobs:", "  test:", "    steps:", "      # ours", "      - name: Check out", "        uses: a/checkout@v2", "      - name: Cache", "        uses: a/cache@v1", "      - name: Test", "        run: make", "        env:", "          CI: 1")},
		{"yaml: an entry follows where ours moved it", "yaml",
			lines("a: 1", "b:", "  c: 1", "d: 1"), lines("b:", "  c: 1", "a: 1", "d: 1"), lines("a: 1", "b:", "  c: 2", "d: 1"),
			lines("b:", "  c: 2", "a: 1", "d: 1")},
		{"json: commas", "json",
			lines("{", `  "a": 1`, "}"), lines("{", `  "a": 1,`, `  "b": 2`, "}"), lines("{", `  "a": 1,`, `  "c": 3`, "}"),
			lines("{", `  "a": 1,`, `  "b": 2,`, `  "c": 3`, "}")},
		{"json: the last entry goes", "json",
			lines("{", `  "a": 1,`, `  "b": 2`, "}"), lines("{", `  "a": 1`, "}"), lines("{", `  "a": 9,`, `  "b": 2`, "}"),
			lines("{", `  "a": 9`, "}")},
		{"braces: blocks by their head", "braces",
			lines("process {", "    withName: A {", "        cpus = 1", "    }", "}"),
			lines("process {", "    withName: A {", "        cpus = 1", "    }", "    withName: B {", "        cpus = 2", "    }", "}"),
			lines("process {", "    withName: 'A' {", "        cpus = 4", "    }", "    withName: C {", "        cpus = 3", "    }", "}"),
			lines("process {", "    withName: 'A' {", "        cpus = 4", "    }", "    withName: B {", "        cpus = 2", "    }", "    withName: C {", "        cpus = 3", "    }", "}")},
		{"terraform: by block", "hcl",
			lines(`resource "a" "x" {`, "  size = 1", "  name = 1", "}"),
			lines(`resource "a" "x" {`, "  size = 1", "  name = 2 # ours", "}"),
			lines(`resource "a" "x" {`, "  size = 2", "  name = 1", "}", "", `resource "a" "y" {`, "  size = 1", "}"),
			lines(`resource "a" "x" {`, "  size = 2", "  name = 2 # ours", "}", "", `resource "a" "y" {`, "  size = 1", "}")},
		{"toml: by table", "toml",
			lines("[tool]", "a = 1", "", "[other]", "b = 1"), lines("[tool]", "a = 1", "x = [", "  1,", "]", "", "[other]", "b = 1"), lines("[tool]", "a = 2", "", "[other]", "b = 2"),
			lines("[tool]", "a = 2", "x = [", "  1,", "]", "", "[other]", "b = 2")},
		{"markdown: by section", "markdown",
			lines("# T", "one", "## A", "two", "## B", "three"), lines("# T", "one", "## A", "two, ours", "## C", "mine", "## B", "three"), lines("# T", "one", "## A", "two", "## B", "three, theirs"),
			lines("# T", "one", "## A", "two, ours", "## C", "mine", "## B", "three, theirs")},
		{"dockerfile: by stage", "dockerfile",
			lines("FROM a AS build", "RUN make", "FROM b", "CMD x"), lines("FROM a AS build", "RUN make", "RUN more", "FROM b", "CMD x"), lines("FROM a2 AS build", "RUN make", "FROM b", "CMD y"),
			lines("FROM a2 AS build", "RUN make", "RUN more", "FROM b", "CMD y")},
		{"makefile: by target", "makefile",
			lines("all: a", "\tone", "test:", "\ttwo"), lines("all: a", "\tone", "mine:", "\tx", "test:", "\ttwo"), lines("all: a", "\tone more", "test:", "\ttwo"),
			lines("all: a", "\tone more", "mine:", "\tx", "test:", "\ttwo")},
		{"yaml: Kubernetes objects by kind and name", "yaml",
			lines("kind: Service", "metadata:", "  name: a", "spec: 1", "---", "kind: Deployment", "metadata:", "  name: a", "spec: 1"),
			lines("kind: Service", "metadata:", "  name: a", "spec: 1", "---", "kind: ConfigMap", "metadata:", "  name: mine", "---", "kind: Deployment", "metadata:", "  name: a", "spec: 2"),
			lines("kind: Deployment", "metadata:", "  name: a", "spec: 1", "---", "kind: Service", "metadata:", "  name: a", "spec: 3"),
			lines("kind: Deployment", "metadata:", "  name: a", "spec: 2", "---", "kind: Service", "metadata:", "  name: a", "spec: 3", "---", "kind: ConfigMap", "metadata:", "  name: mine")},
		{"markdown: a table by row", "markdown",
			lines("# T", "text", "", "| name | value |", "|---|---|", "| a | 1 |", "| b | 2 |", "", "end"),
			lines("# T", "text", "", "| name | value |", "|---|---|", "| a | 1 |", "| mine | 0 |", "| b | 2 |", "", "end"),
			lines("# T", "text", "", "| name | value |", "|---|---|", "| a | 3 |", "| b | 4 |", "| c | 5 |", "", "end"),
			lines("# T", "text", "", "| name | value |", "|---|---|", "| a | 3 |", "| mine | 0 |", "| b | 4 |", "| c | 5 |", "", "end")},
		{"markdown: a list by what its items name", "markdown",
			lines("# T", "- [a](x)", "- `b`: two", "  and more"), lines("# T", "- [a](x)", "- [mine](y)", "- `b`: two", "  and more"), lines("# T", "- [a](z)", "- `b`: two", "  and less"),
			lines("# T", "- [a](z)", "- [mine](y)", "- `b`: two", "  and less")},
		{"markdown: a changelog by version", "markdown",
			lines("# Changes", "## v1.1.0 - soon", "- one", "## 1.0.0", "- zero"), lines("# Changes", "## v1.1.0 - soon", "- one", "- mine", "## 1.0.0", "- zero"), lines("# Changes", "## [1.2.0]", "- two", "## [1.1.0] - 2026-01-01", "- one", "## 1.0.0", "- zero"),
			lines("# Changes", "## [1.2.0]", "- two", "## [1.1.0] - 2026-01-01", "- one", "- mine", "## 1.0.0", "- zero")},
		{"yaml: a step in another version, a package in another", "yaml",
			lines("steps:", "  - uses: a/b@v1", "  - uses: a/c@v1", "needs:", "  - x::one=1", "  - two=1"),
			lines("steps:", "  - uses: a/b@v1", "    with:", "      k: 1", "  - uses: a/c@v1", "needs:", "  - mine=1", "  - x::one=1", "  - two=1"),
			lines("steps:", "  - uses: a/b@v1", "  - uses: a/c@v2", "needs:", "  - y::one=2", "  - two=1"),
			lines("steps:", "  - uses: a/b@v1", "    with:", "      k: 1", "  - uses: a/c@v2", "needs:", "  - mine=1", "  - y::one=2", "  - two=1")},
		{"owners: by pattern, in order", "owners",
			lines("* @all", "/a @one"), lines("* @all", "/a @one @mine", "/c @c"), lines("* @everybody", "/b @b", "/a @one"),
			lines("* @everybody", "/b @b", "/a @one @mine", "/c @c")},
		{"requirements: by package", "requirements",
			lines("one==1", "two_x>=2  # why"), lines("mine==1", "one==1", "two_x>=2  # why"), lines("one==1", "Two-X>=3", "three[extra]~=1"),
			lines("mine==1", "one==1", "Two-X>=3", "three[extra]~=1")},
		{"go.mod: by module", "gomod",
			lines("module m", "", "require (", "\tx.org/a v1.0.0", "\tx.org/b v1.0.0 // indirect", ")"),
			lines("module m", "", "require (", "\tx.org/a v1.0.0", "\tx.org/mine v1.0.0", "\tx.org/b v1.0.0 // indirect", ")"),
			lines("module m", "", "require (", "\tx.org/a v1.2.0", "\tx.org/b v1.0.0 // indirect", "\tx.org/c v1.0.0", ")"),
			lines("module m", "", "require (", "\tx.org/a v1.2.0", "\tx.org/mine v1.0.0", "\tx.org/b v1.0.0 // indirect", "\tx.org/c v1.0.0", ")")},
		{"xml: by element", "xml",
			lines("<?xml version='1.0'?>", "<p>", "  <deps>", "    <dep>", "      <artifactId>a</artifactId>", "      <version>1</version>", "    </dep>", "    <dep>", "      <artifactId>b</artifactId>", "      <version>1</version>", "    </dep>", "  </deps>", "</p>"),
			lines("<?xml version='1.0'?>", "<p>", "  <deps>", "    <dep>", "      <artifactId>a</artifactId>", "      <version>1</version>", "    </dep>", "    <dep>", "      <artifactId>mine</artifactId>", "      <version>1</version>", "    </dep>", "    <dep>", "      <artifactId>b</artifactId>", "      <version>1</version>", "    </dep>", "  </deps>", "</p>"),
			lines("<?xml version='1.0'?>", "<p>", "  <deps>", "    <dep>", "      <artifactId>a</artifactId>", "      <version>2</version>", "    </dep>", "    <dep>", "      <artifactId>b</artifactId>", "      <version>2</version>", "    </dep>", "  </deps>", "</p>"),
			lines("<?xml version='1.0'?>", "<p>", "  <deps>", "    <dep>", "      <artifactId>a</artifactId>", "      <version>2</version>", "    </dep>", "    <dep>", "      <artifactId>mine</artifactId>", "      <version>1</version>", "    </dep>", "    <dep>", "      <artifactId>b</artifactId>", "      <version>2</version>", "    </dep>", "  </deps>", "</p>")},
		{"xml: what is no tag, and tags over lines", "xml",
			lines("<p>", "  <!-- <a> -->", "  <a n='>'", "     name='x'/>", "  <![CDATA[<b>]]>", "  <c>", "    <d/>", "  </c>", "</p>"),
			lines("<p>", "  <!-- <a> -->", "  <a n='>'", "     name='x'/>", "  <![CDATA[<b>]]>", "  <c>", "    <d/>", "    <mine/>", "  </c>", "</p>"),
			lines("<p>", "  <!-- <a> -->", "  <a n='>'", "     name='x'/>", "  <![CDATA[<b>]]>", "  <c>", "    <d>", "    </d>", "  </c>", "</p>"),
			lines("<p>", "  <!-- <a> -->", "  <a n='>'", "     name='x'/>", "  <![CDATA[<b>]]>", "  <c>", "    <d>", "    </d>", "    <mine/>", "  </c>", "</p>")},
		{"ignore: a set of lines", "ignore",
			lines("a", "b"), lines("a", "c", "b"), lines("a", "d"), lines("a", "c", "d")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var nodes [3]*outline.Node
			for i, text := range []string{c.base, c.ours, c.theirs} {
				n, ok := outline.Read(c.format, text)
				if !ok {
					t.Fatalf("not read: %q", text)
				}
				nodes[i] = n
			}
			got, ok := outline.Merge(nodes[0], nodes[1], nodes[2], ours)
			if diff := cmp.Diff(c.want, got); diff != "" || !ok {
				t.Errorf("ok %v, mismatch (-want +got)\n%s", ok, diff)
			}
		})
	}
}

// someText draws lines that formats give a meaning to.
func someText(t *rapid.T, name string) string {
	line := rapid.SampledFrom([]string{
		"", "  ", "# c", "// c", "/* c", "*/", "a: 1", "a:", "  b: 2", "- x", "  - name: y", "    z: 1", "{", "}", "[", "]", "},", "x = [", "x = 1,",
		"[s]", "# H", "## H", "```", "t: d", "\trun", `\`, "FROM a AS b", "RUN a \\", `"k": {`, `"k": 1,`, `'''`, `"""`, "(", ")", "---", "kind: K", "<a>", "</a>", "<b id='1'", ">", "</b>", "<c/>", "<!--", "-->", "pkg==1.0", "require (", "- [x] y", "| a | b |", "|---|---|", "| c | d |", "} else {", "é\x80",
	})
	s := strings.Join(rapid.SliceOfN(line, 0, 14).Draw(t, name), "\n")
	if rapid.Bool().Draw(t, name+" ends") {
		s += "\n"
	}
	return s
}

// TestNothingIsLost reads and writes whatever can be read, and merges it with
// itself and with one changed side.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom(formats).Draw(t, "format")
		a, b := someText(t, "a"), someText(t, "b")
		n, ok := outline.Read(format, a)
		if !ok {
			return
		}
		if got := n.Text(); got != a {
			t.Fatalf("%s: read %q, written %q", format, a, got)
		}
		m, ok := outline.Read(format, b)
		if !ok {
			return
		}
		if got, _ := outline.Merge(n, m, n, ours); got != b {
			t.Fatalf("%s: Merge(a, b, a) = %q, want b = %q; a = %q", format, got, b, a)
		}
		if got, ok := outline.Merge(n, n, m, ours); ok && got != b {
			t.Fatalf("%s: Merge(a, a, b) = %q, want b = %q; a = %q", format, got, b, a)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add("json", "{\n  \"a\": [1,\n 2]\n}\n")
	f.Add("yaml", "a:\n- b: 1\n  c: |\n    x\n")
	f.Add("xml", "<?xml?>\n<a>\n  <b id='1'\n  />\n  <!-- <c> -->\n</a>\n")
	f.Add("markdown", "# T\n- [a](b)\n  more\n\n| x |\n|---|\n| y |\n```\n# no\n```\n")
	f.Add("yaml", "---\nkind: A\nmetadata:\n  name: b\n--- # c\n- uses: d@1\n")
	f.Add("gomod", "require (\n\ta.b/c v1\n)\n")
	f.Add("braces", "a {\n  b = '''\n}\n'''\n}\n")
	f.Fuzz(func(t *testing.T, format, text string) {
		if n, ok := outline.Read(format, text); ok && n.Text() != text {
			t.Fatalf("%q became %q", text, n.Text())
		}
	})
}
