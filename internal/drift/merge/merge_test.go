package merge_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// example is one conflict as git would leave it, and what becomes of it.
type example struct {
	name, path         string
	base, ours, theirs string
	tier               merge.Tier
	resolver           string
	want               string // the proposal; ours for a conflict
}

// words100 is a text that no side changes.
var words100 = strings.Repeat("one two three four five six seven eight nine ten\n", 10)

var examples = []example{
	{"ours re-indents, theirs changes a word", "x.txt",
		"a\nset one\nb\n", "a\n  set one\nb\n", "a\nset two\nb\n",
		merge.Merged, "layout", "  set two\n"},
	{"ours adds a missing line break, theirs changes the line", "x.conf",
		"a\nfirst = 1# then\nsecond = 2\nb\n", "a\nfirst = 1\n# then\nsecond = 2\nb\n", "a\nfirst = 9# then\nsecond = 2\nb\n",
		merge.Merged, "layout", "first = 9\n# then\n"},
	{"layout is not put on what was written anew", "x.nf",
		"a\ncollect(first, second)\nb\n", "a\nother.mix(third)\nb\n", "a\ncollect(\n    first,\n    second\n)\nb\n",
		merge.Merged, "layout", "other.mix(third)\n"},
	{"words pushed together are no change of layout", "x.txt",
		"a\nnot one\nb\n", "a\nnotone\nb\n", "a\nnot one!\nb\n",
		merge.Conflict, "", "notone\n"},
	{"ours has theirs' change and more", "x.txt",
		"a\nthe old line is here\nb\n", "a\nthe new line is here\nmore of ours\nb\n", "a\nthe new line is here\nb\n",
		merge.Merged, "already-ours", "the new line is here\nmore of ours\n"},
	{"theirs has ours' change and more", "x.txt",
		"a\nold line here\nb\n", "a\nnew line here\nb\n", "a\nnew line here\nmore of theirs\nb\n",
		merge.Merged, "already-theirs", "new line here\nmore of theirs\n"},
	{"ours removes a line for which theirs has another", "x.sh",
		"a\nrm -rf \"$CACHE\"\nb\n", "a\nb\n", "a\nfind /var/tmp -delete\nb\n",
		merge.Conflict, "", ""},
	{"ours has theirs' change, which is of nearly all that stood there", "x.txt",
		"a\nold line\nb\n", "a\nwritten quite anew here\nmore of ours\nb\n", "a\nwritten quite anew here\nb\n",
		merge.Suggested, "already-ours", "written quite anew here\nmore of ours\n"},
	{"theirs has every word of ours' change", "x.txt",
		"a\nrun (build)\nb\n", "a\nrun (build, tests)\nb\n", "a\nrun (build, all, tests) + report\nb\n",
		merge.Merged, "word-by-word", "run (build, all, tests) + report\n"},
	{"theirs has ours' change but for a word", "x.txt",
		"a\nrun build\nb\n", "a\nrun build with lint and all tests quietly\nb\n", "a\nrun build with lint and all unit tests at once\nb\n",
		merge.Suggested, "nearer", "run build with lint and all unit tests at once\n"},
	{"one word was changed of a file left alone otherwise", "x.txt",
		words100 + "colour is red today\n", words100 + "colour is blue today\n", words100 + "colour is green today\n",
		merge.Suggested, "touched", "colour is green today\n"},
	{"a line would say the same twice", "x.txt",
		"if branch is old\n", "if branch is main\n", "if branch is old or branch is main\n",
		merge.Conflict, "", "if branch is main\n"},
	{"versions: the larger, as numbers", "x.yml",
		"a: 1\nuses: acme/build@v1.9.0\nb: 2\n", "a: 1\nuses: acme/build@v1.10.0\nb: 2\n", "a: 1\nuses: acme/build@v1.9.9\nb: 2\n",
		merge.Merged, "versions", "uses: acme/build@v1.10.0\n"},
	{"versions: a release is larger than its candidate", "x.yml",
		"image: app:1.0.0\n", "image: app:2.0.0-rc.1\n", "image: app:2.0.0\n",
		merge.Merged, "versions", "image: app:2.0.0\n"},
	{"versions: a digest goes with its version", "x.yml",
		"uses: a/b@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa # v1.0.0\n", "uses: a/b@bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb # v1.1.0\n", "uses: a/b@cccccccccccccccccccccccccccccccccccccccc # v1.2.0\n",
		merge.Merged, "versions", "uses: a/b@cccccccccccccccccccccccccccccccccccccccc # v1.2.0\n"},
	{"versions: dev comes before the release", "x.cfg",
		"version = 2.1.1dev\n", "version = 2.3.0\n", "version = 2.3.0dev\n",
		merge.Merged, "versions", "version = 2.3.0\n"},
	{"versions: a line of which nothing else is left", "x.yml",
		"a:\n  - \"24.10.5\"\n", "a:\n  - \"25.04.2\"\n", "a:\n  - \"25.04.0\"\n",
		merge.Merged, "versions", "  - \"25.04.2\"\n"},
	{"a version is not put together of two", "x.txt",
		"uses: one/action@v1.0.0 now\n", "uses: one/action@v1.1.0 now\n", "uses: other/thing@v0.0.2 now\n",
		merge.Conflict, "", "uses: one/action@v1.1.0 now\n"},
	{"numbers are no versions", "x.yml",
		"replicas: 2\n", "replicas: 3\n", "replicas: 5\n",
		merge.Conflict, "", "replicas: 3\n"},
	{"neighbouring lines", "x.txt",
		"one line\ntwo line\n", "one line, ours\ntwo line\n", "one line\ntwo line, theirs\n",
		merge.Suggested, "neighbours", "one line, ours\ntwo line, theirs\n"},
	{"theirs edits what ours removed", "x.txt",
		"a\nan example to be replaced\nb\n", "a\nb\n", "a\nan example to be replaced soon\nb\n",
		merge.Suggested, "removed", ""},
	{"different words of one line", "x.txt",
		"run build with cache and tests now\n", "run build with disk cache and tests now\n", "run build with cache and all tests now\n",
		merge.Suggested, "words", "run build with disk cache and all tests now\n"},
	{"theirs renamed what ours uses", "x.py",
		"old_name = 1\n\na\n\nb = old_name\n", "old_name = 1\n\na\n\nb = old_name + 1\nmore(old_name)\n", "new_name = 1\n\na\n\nb = new_name\n",
		merge.Suggested, "renamed", "b = new_name + 1\nmore(new_name)\n"},
	{"the same word", "x.txt",
		"colour is red today\n", "colour is blue today\n", "colour is green today\n",
		merge.Conflict, "", "colour is blue today\n"},
	{"both insert", "x.txt",
		"a\nb\n", "a\nof ours, this\nb\n", "a\nof theirs, that\nb\n",
		merge.Suggested, "inserts", "of ours, this\nof theirs, that\n"},
	{"identifiers", "x.txt",
		"id 8394f24a-39fd-45a7-bba7-2b047fece0b0\n", "id 72839115-07c4-48b5-9805-cdd03ac6044f\n", "id 29e72578-b557-4208-8b60-b970664acac3\n",
		merge.Suggested, "identifiers", "id 29e72578-b557-4208-8b60-b970664acac3\n"},
	{"identifiers: ours was generated later", "x.json",
		"\"at\": \"2025-01-01T10:00:00\",\n\"id\": \"8394f24a-39fd-45a7-bba7-2b047fece0b0\"\n",
		"\"at\": \"2025-03-01 10:00:00\",\n\"id\": \"72839115-07c4-48b5-9805-cdd03ac6044f\"\n",
		"\"at\": \"2025-02-01T10:00:00\",\n\"id\": \"29e72578-b557-4208-8b60-b970664acac3\"\n",
		merge.Suggested, "identifiers", "\"at\": \"2025-03-01 10:00:00\",\n\"id\": \"72839115-07c4-48b5-9805-cdd03ac6044f\"\n"},
	{"a changelog is the member's", "docs/CHANGELOG.md",
		"# 1.0\n", "# 1.1 of ours\n", "# 2.0 of theirs\n",
		merge.Suggested, "member-file", "# 1.1 of ours\n"},
	{"ignore: both add patterns", ".gitignore",
		"build/\n*.tmp\n", "build/\n*.tmp\n/of-ours\n", "build/\n*.tmp\n/of-theirs\n",
		merge.Merged, "structure", "/of-ours\n/of-theirs\n"},
	{"ignore: an exception stands where it is put", ".gitignore",
		"build/\n*.tmp\n", "build/\n*.tmp\n/of-ours\n", "build/\n*.tmp\n!keep.tmp\n",
		merge.Suggested, "structure", "/of-ours\n!keep.tmp\n"},
	{"go.mod: each side another module", "go.mod",
		"require (\n\tx.org/a v1.0.0\n)\n", "require (\n\tx.org/a v1.3.0\n\tx.org/ours v1.0.0\n)\n", "require (\n\tx.org/a v1.10.0\n\tx.org/theirs v1.0.0\n)\n",
		merge.Suggested, "structure", "\tx.org/a v1.10.0\n\tx.org/ours v1.0.0\n\tx.org/theirs v1.0.0\n"},
	{"requirements: each side another package", "requirements-dev.txt",
		"one==1.0\n", "one==1.0\nours==1.0\n", "one==1.1\ntheirs==1.0\n",
		merge.Suggested, "structure", "one==1.1\nours==1.0\ntheirs==1.0\n"},
	{"json: each side another entry of one object", "package.json",
		"{\n  \"deps\": {\n    \"left\": \"1\"\n  }\n}\n",
		"{\n  \"deps\": {\n    \"left\": \"1\",\n    \"ours\": \"1\"\n  }\n}\n",
		"{\n  \"deps\": {\n    \"left\": \"1\",\n    \"theirs\": \"1\"\n  }\n}\n",
		merge.Suggested, "structure", "    \"left\": \"1\",\n    \"ours\": \"1\",\n    \"theirs\": \"1\"\n"},
	{"json: the same key with two values", "package.json",
		"{\n  \"deps\": {\n    \"left\": 1\n  }\n}\n",
		"{\n  \"deps\": {\n    \"left\": 1,\n    \"new\": \"mine\"\n  }\n}\n",
		"{\n  \"deps\": {\n    \"left\": 1,\n    \"new\": \"yours\"\n  }\n}\n",
		merge.Conflict, "", "    \"left\": 1,\n    \"new\": \"mine\"\n"},
}

// optional returns the names of the resolvers that are off by default.
func optional() []string {
	var names []string
	for _, r := range merge.Resolvers() {
		if r.Optional {
			names = append(names, r.Name)
		}
	}
	return names
}

func TestExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			r := merge.Merge(e.path, []byte(e.base), []byte(e.ours), []byte(e.theirs), merge.Options{On: optional()})
			if len(r.Hunks) != 1 {
				t.Fatalf("%d hunks, want 1; text %q", len(r.Hunks), r.Text)
			}
			h := r.Hunks[0]
			got := string(h.Proposal)
			if h.Tier == merge.Conflict {
				got = string(h.Ours)
			}
			if h.Tier != e.tier || h.Resolver != e.resolver || got != e.want {
				t.Errorf("got %s by %q: %q; want %s by %q: %q", h.Tier, h.Resolver, got, e.tier, e.resolver, e.want)
			}
			if h.Reason == "" {
				t.Error("no reason")
			}
			if h.Applied != (e.tier == merge.Merged) {
				t.Errorf("applied: %v", h.Applied)
			}
		})
	}
}

// TestSidesAreEqual swaps the sides where neither is preferred.
func TestSidesAreEqual(t *testing.T) {
	for _, e := range examples {
		if !slices.Contains([]string{"versions", "words", "neighbours"}, e.resolver) {
			continue
		}
		r := merge.Merge(e.path, []byte(e.base), []byte(e.theirs), []byte(e.ours), merge.Options{Suggested: merge.Apply, On: optional()})
		if h := r.Hunks[0]; h.Resolver != e.resolver || string(h.Proposal) != e.want {
			t.Errorf("%s, swapped: %q by %q, want %q", e.name, h.Proposal, h.Resolver, e.want)
		}
	}
}

// TestSwapped swaps the sides of whatever is merged by resolvers that prefer
// neither.
func TestSwapped(t *testing.T) {
	fair := func(r merge.Result) bool {
		for _, h := range r.Hunks {
			if !slices.Contains([]string{"versions", "words", "neighbours"}, h.Resolver) {
				return false
			}
		}
		return len(r.Hunks) > 0
	}
	rapid.Check(t, func(t *rapid.T) {
		path, b, o, th := texts(t)
		apply := merge.Options{Suggested: merge.Apply}
		r, swapped := merge.Merge(path, b, o, th, apply), merge.Merge(path, b, th, o, apply)
		if fair(r) && fair(swapped) && !bytes.Equal(swapped.Text, r.Text) {
			t.Fatalf("%q, and %q with the sides swapped", r.Text, swapped.Text)
		}
	})
}

func TestPolicyAndOff(t *testing.T) {
	base, ours, theirs := []byte("a\nb\n"), []byte("a\nof ours, this\nb\n"), []byte("a\nof theirs, that\nb\n")
	on := optional()
	if r := merge.Merge("x", base, ours, theirs, merge.Options{}); r.Hunks[0].Tier != merge.Conflict {
		t.Errorf("not switched on: tier %s", r.Hunks[0].Tier)
	}
	if r := merge.Merge("x", base, ours, theirs, merge.Options{On: on}); r.Clean() || !bytes.Equal(r.Text, ours) {
		t.Errorf("proposed: %q, want ours, open", r.Text)
	} else if p := r.With(func(h merge.Hunk) []byte { return h.Proposal }); string(p) != "a\nof ours, this\nof theirs, that\nb\n" {
		t.Errorf("proposal %q is taken", p)
	}
	if r := merge.Merge("x", base, ours, theirs, merge.Options{Suggested: merge.Apply, On: on}); !r.Clean() || r.Hunks[0].Tier != merge.Suggested {
		t.Errorf("applied: %d open, tier %s", r.Open(), r.Hunks[0].Tier)
	}
	if r := merge.Merge("x", base, ours, theirs, merge.Options{On: on, Off: []string{"inserts"}}); r.Hunks[0].Tier != merge.Conflict {
		t.Errorf("switched off: tier %s", r.Hunks[0].Tier)
	}
}

func TestDecided(t *testing.T) {
	decided := func(_, _, _ []byte) ([]byte, bool) { return []byte("blue and green"), true }
	r := merge.Merge("x", []byte("a\nred\nb\n"), []byte("a\nblue\nb\n"), []byte("a\ngreen\nb\n"), merge.Options{Decided: decided})
	if !r.Clean() || string(r.Text) != "a\nblue and green\nb\n" || r.Hunks[0].Resolver != merge.Decided {
		t.Errorf("%q by %q", r.Text, r.Hunks[0].Resolver)
	}
}

// past is a memory of one hunk.
type past []merge.Resolution

func (p past) Recall(string) []merge.Resolution { return p }

func TestMemory(t *testing.T) {
	for _, c := range []struct {
		name   string
		memory past
		want   string
	}{
		{"two are too few", past{{Take: merge.TakeTheirs, Count: 2}}, ""},
		{"three agree", past{{Take: merge.TakeTheirs, Count: 3}}, "3 of 3 repositories with this conflict took the golden path's"},
		{"one in five may disagree", past{{Take: merge.TakeOurs, Count: 4}, {Take: merge.TakeTheirs, Count: 1}}, "4 of 5 repositories with this conflict kept theirs"},
		{"not one in four", past{{Take: merge.TakeOurs, Count: 3}, {Take: merge.TakeTheirs, Count: 1}}, ""},
	} {
		r := merge.Merge("x", []byte("colour red\n"), []byte("colour blue\n"), []byte("colour green\n"), merge.Options{Memory: c.memory})
		h := r.Hunks[0]
		if got := h.Resolver == "memory"; got != (c.want != "") || got && h.Reason != c.want {
			t.Errorf("%s: %q, %q", c.name, h.Resolver, h.Reason)
		}
	}
}

func TestBetween(t *testing.T) {
	base, ours, theirs := []byte("a\nport 80\nb\n"), []byte("a\nlisten on 8080\nb\n"), []byte("a\nbind all 9090\nb\n")
	r := merge.Merge("x", base, ours, theirs, merge.Options{Between: [][]byte{ours}})
	if h := r.Hunks[0]; h.Resolver != "between" || !bytes.Equal(r.Text, theirs) {
		t.Errorf("%q by %q", r.Text, h.Resolver)
	}
}

func TestLockFilesAreNotMerged(t *testing.T) {
	base, ours, theirs := []byte("a v1\nb v1\nc v1\n"), []byte("a v2\nb v1\nc v1\n"), []byte("a v1\nb v1\nc v2\n")
	r := merge.Merge("sub/go.sum", base, ours, theirs, merge.Options{})
	if r.Clean() || !bytes.Equal(r.Text, ours) || !strings.Contains(r.Hunks[0].Reason, "go mod tidy") {
		t.Errorf("%q: %+v", r.Text, r.Hunks)
	}
	if r := merge.Merge("go.sum", base, base, theirs, merge.Options{}); !r.Clean() || !bytes.Equal(r.Text, theirs) {
		t.Errorf("one-sided: %q", r.Text)
	}
}

// TestMoreCarefulThanLines merges changes that do not overlap and yet together
// say something twice.
func TestMoreCarefulThanLines(t *testing.T) {
	base := "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n"
	ours := "{\n  \"new\": 1,\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n"
	theirs := "{\n  \"a\": 1,\n  \"b\": 2,\n  \"new\": 2,\n  \"c\": 3\n}\n"
	if r := textmerge.Merge([]byte(base), []byte(ours), []byte(theirs)); !r.Clean() {
		t.Fatal("the lines conflict")
	}
	r := merge.Merge("x.json", []byte(base), []byte(ours), []byte(theirs), merge.Options{})
	if r.Clean() || string(r.Text) != ours {
		t.Errorf("%q", r.Text)
	}
}

// texts draws three versions of a file of few different lines, for which most
// resolvers have something to say.
func texts(t *rapid.T) (path string, base, ours, theirs []byte) {
	line := rapid.SampledFrom([]string{
		"", "a", "{", "}", "key: 1", "key: 2", "other: v1.2.0", "other: v1.3.0", "  - name: x", "  - name: y",
		"[part]", "name = one two three", "name = one 2 three", "name = one two 3", "# note", "\t\"k\": 1,", "\t\"k\": 2", "## Head",
	})
	text := func(name string) []byte {
		s := strings.Join(rapid.SliceOfN(line, 0, 12).Draw(t, name), "\n")
		if rapid.Bool().Draw(t, name+" ends") {
			s += "\n"
		}
		return []byte(s)
	}
	path = rapid.SampledFrom([]string{"x.txt", "x.yml", "x.json", "x.config", "x.toml", "x.md", ".gitignore", "Makefile", "Dockerfile", "CHANGELOG.md", "x.py"}).Draw(t, "path")
	return path, text("base"), text("ours"), text("theirs")
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path, b, o, th := texts(t)
		apply := merge.Options{Suggested: merge.Apply, On: optional()}
		if r := merge.Merge(path, b, o, b, apply); !bytes.Equal(r.Text, o) || !r.Clean() {
			t.Fatalf("Merge(b, o, b) = %q, want ours %q", r.Text, o)
		}
		if r := merge.Merge(path, b, b, th, apply); !bytes.Equal(r.Text, th) || !r.Clean() {
			t.Fatalf("Merge(b, b, t) = %q, want theirs %q", r.Text, th)
		}
		for _, options := range []merge.Options{{}, apply} {
			check(t, path, b, o, th, options)
		}
	})
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// check holds a merge to what it promises of every input.
func check(t fataler, path string, b, o, th []byte, options merge.Options) {
	t.Helper()
	r := merge.Merge(path, b, o, th, options)
	promised(t, path, b, o, th, r)
	lines := textmerge.Merge(b, o, th)
	if len(r.Hunks) == 0 {
		if !bytes.Equal(r.Text, lines.Merged) {
			t.Fatalf("nothing is said, and the text %q is not that of the lines %q", r.Text, lines.Merged)
		}
		return
	}
	// With ours in every hunk it is the lines' merge, or ours as a whole.
	var plain []byte
	at := 0
	for _, h := range r.Hunks {
		if h.Offset < at || !bytes.HasPrefix(r.Text[h.Offset:], h.Text()) {
			t.Fatalf("hunk at %d is not in the text %q", h.Offset, r.Text)
		}
		if h.Reason == "" || (h.Tier == merge.Conflict) != (h.Resolver == "") || h.Applied && h.Tier == merge.Conflict {
			t.Fatalf("hunk %+v", h)
		}
		if h.Applied != (h.Tier == merge.Merged || h.Tier == merge.Suggested && options.Suggested == merge.Apply) {
			t.Fatalf("hunk of tier %s, applied: %v", h.Tier, h.Applied)
		}
		plain = append(append(plain, r.Text[at:h.Offset]...), h.Ours...)
		at = h.Offset + len(h.Text())
	}
	plain = append(plain, r.Text[at:]...)
	if !bytes.Equal(plain, lines.Merged) && !bytes.Equal(plain, o) {
		t.Fatalf("with ours in the hunks: %q, want %q\n%s", plain, lines.Merged, cmp.Diff(string(lines.Merged), string(plain)))
	}
	if again := merge.Merge(path, th, r.Text, th, options); !bytes.Equal(again.Text, r.Text) {
		t.Fatalf("applied again: %q, want %q", again.Text, r.Text)
	}
}

// TestMapsRunTogether takes away the line between two maps that have the same key,
// far from it, which the lines alone merge cleanly.
func TestMapsRunTogether(t *testing.T) {
	base := "a:\n  x: 1\n  k1: 1\n  k2: 1\n\nb:\n  k3: 1\n  k4: 1\n  k5: 1\n  y: 1\n\nc:\n  z: 1\n"
	ours := strings.Replace(base, "  y: 1\n", "  y: 1\n  x: 2\n", 1)
	theirs := strings.Replace(base, "\nb:\n", "\n", 1)
	r := merge.Merge("x.yml", []byte(base), []byte(ours), []byte(theirs), merge.Options{})
	if r.Clean() || string(r.Text) != ours {
		t.Errorf("%d open, %q; want a conflict that keeps ours", r.Open(), r.Text)
	}
}
