package drift

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goldenpaths/syncer/internal/document"
)

func TestAddKeep(t *testing.T) {
	k := Keep{Path: "deploy/**", Reason: "ours: until the move", Until: "2027-03-31"}
	const entry = "- path: deploy/**\n  reason: 'ours: until the move'\n  until: \"2027-03-31\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"no list", "goldenPaths:\n  - name: svc # mine\n", "goldenPaths:\n  - name: svc # mine\nkeep:\n    " + strings.ReplaceAll(strings.TrimSpace(entry), "\n", "\n    ") + "\n"},
		{"a list, and no line end", "goldenPaths:\n- name: svc\nkeep:\n- {path: a, reason: b}  # why", "goldenPaths:\n- name: svc\nkeep:\n- {path: a, reason: b}  # why\n" + entry},
		{"a list in the middle", "keep:\n# first\n- path: a\n  reason: b\n\ngoldenPaths:\n- name: svc\n", "keep:\n# first\n- path: a\n  reason: b\n" + entry + "\ngoldenPaths:\n- name: svc\n"},
		{"a text over lines", "goldenPaths: [{name: svc}]\nkeep:\n- path: a\n  reason: >\n    b\n    c\n", "goldenPaths: [{name: svc}]\nkeep:\n- path: a\n  reason: >\n    b\n    c\n" + entry},
	} {
		got, err := AddKeep([]byte(c.text), k)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestAddKeep_Error(t *testing.T) {
	for _, c := range []struct {
		name, text string
		keep       Keep
		want       string
	}{
		{"no day", "goldenPaths: [{name: svc}]\n", Keep{Path: "c", Reason: "d", Until: "31.3."}, "31.3."},
		{"no glob", "goldenPaths: [{name: svc}]\n", Keep{Path: "a[", Reason: "d"}, "a["},
	} {
		got, err := AddKeep([]byte(c.text), c.keep)
		if _, ok := errors.AsType[document.Problems](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v; want problems with %q", c.name, got, err, c.want)
		}
	}
}

func TestSetPin(t *testing.T) {
	for _, c := range []struct{ name, text, pin, until, want string }{
		{"a new pin", "goldenPaths:\n  - name: svc # mine\n    channel: edge\n", "1.10", "", "goldenPaths:\n  - name: svc # mine\n    pin: \"1.10\"\n    channel: edge\n"},
		{"until", "goldenPaths:\n  - name: svc\n", "v1.4.0", "2027-03-31", "goldenPaths:\n  - name: svc\n    pin: v1.4.0\n    until: \"2027-03-31\"\n"},
		{"between braces", "goldenPaths: [{name: svc, channel: edge}]\n", "v1.4.0", "", "goldenPaths: [{name: svc, pin: v1.4.0, channel: edge}]\n"},
		{"another pin", "goldenPaths:\n- pin: 'v1'  # for now\n  name: svc\n  until: 2027-01-01\n", "v2", "2028-01-01", "goldenPaths:\n- pin: v2  # for now\n  name: svc\n  until: \"2028-01-01\"\n"},
		{"no day any more", "goldenPaths:\n- name: svc\n  pin: v1\n  until: 2027-01-01 # see #7\n", "v2", "", "goldenPaths:\n- name: svc\n  pin: v2\n  # see #7\n"},
		{"no pin any more", "goldenPaths:\n- name: svc\n  pin: v1\n  until: 2027-01-01\n  channel: edge", "", "", "goldenPaths:\n- name: svc\n  channel: edge"},
		{"no pin between braces", "goldenPaths: [{name: svc, pin: v1, until: 2027-01-01}, {pin: v2, name: b}]\n", "", "", "goldenPaths: [{name: svc}, {pin: v2, name: b}]\n"},
		{"the second one", "goldenPaths: [{pin: v2, name: a}, {pin: v2, name: svc}]\n", "", "", "goldenPaths: [{pin: v2, name: a}, {name: svc}]\n"},
		{"first in the entry", "goldenPaths:\n- pin: v1\n  name: svc\n", "", "", "goldenPaths:\n- \n  name: svc\n"},
		{"nothing to take out", "goldenPaths: [{name: svc}]\n", "", "", "goldenPaths: [{name: svc}]\n"},
	} {
		got, err := SetPin([]byte(c.text), "svc", c.pin, c.until)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestSetPin_Error(t *testing.T) {
	for name, text := range map[string]string{
		"a block":     "goldenPaths:\n- name: svc\n  pin: >-\n    v1\n",
		"another one": "goldenPaths:\n- name: other\n",
	} {
		got, err := SetPin([]byte(text), "svc", "", "")
		if _, ok := errors.AsType[document.Problems](err); !ok {
			t.Errorf("%s: got %q, %v; want problems", name, got, err)
		}
	}
}

func TestRemoveFollow(t *testing.T) {
	for text, want := range map[string]string{
		"goldenPaths:\n- name: svc\n  inputs: {a: b}\n- name: ops\n":          "goldenPaths:\n- name: ops\n",
		"goldenPaths:\n- name: ops\n# c\n- name: svc # d\n  pin: \"1\"":       "goldenPaths:\n- name: ops\n# c\n",
		"goldenPaths:\n  -\n    name: svc\n  - name: ops\nsource: x\n":        "goldenPaths:\n  - name: ops\nsource: x\n",
		"goldenPaths: # all\n  - name: svc\n\nsource: x\n":                    "goldenPaths: [] # all\n\nsource: x\n",
		"goldenPaths: [{name: svc}, {name: ops}] # c\n":                       "goldenPaths: [{name: ops}] # c\n",
		"goldenPaths: [{name: ops}, {name: svc, inputs: {}}]\n":               "goldenPaths: [{name: ops}]\n",
		"goldenPaths: [{name: svc}]\n":                                        "goldenPaths: []\n",
		"goldenPaths:\r\n- name: svc\r\n  inputs:\r\n    a: |\r\n      x\r\n": "goldenPaths: []\r\n",
	} {
		got, err := RemoveFollow([]byte(text), "svc")
		if err != nil || string(got) != want {
			t.Errorf("RemoveFollow(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"goldenPaths: [{name: ops}]\n":                                              ".goldenpath.yaml:1:14: the golden path \"svc\" is not here",
		"goldenPaths:\n- {name: svc, inputs: &i {a: 1}}\n- {name: o, inputs: *i}\n": ".goldenpath.yaml:2:3: the golden path \"svc\" cannot be taken out by machine",
	} {
		if _, err := RemoveFollow([]byte(text), "svc"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("RemoveFollow(%q): %v, want %q", text, err, want)
		}
	}
}

// Whatever the file looks like, an edit is done and nothing else is, or refused.
func TestEditsChangeNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.SampledFrom([]string{"", "# head\n"}).Draw(t, "head") + "goldenPaths:\n" +
			rapid.SampledFrom([]string{"- ", "  - "}).Draw(t, "dash") +
			rapid.SampledFrom([]string{"{name: svc}", "{pin: \"a b\", name: svc}", "name: svc", "name: 'svc' # x"}).Draw(t, "entry") +
			rapid.SampledFrom([]string{"", "\n", "\n# end\n", "\nkeep:\n  - {path: a, reason: b}\n", "\nkeep: []\n", "\r\n"}).Draw(t, "tail"))
		value := rapid.StringMatching(`[ -~]{1,12}`).Draw(t, "value")
		if after, err := SetPin(text, "svc", value, ""); err == nil {
			if f := svcOf(t, after); f.Pin != value {
				t.Fatalf("pinned to %q, want %q:\n%s", f.Pin, value, after)
			}
		}
		if after, err := AddKeep(text, Keep{Path: "a/**", Reason: value}); err == nil {
			m, err := ParseMember(after)
			if err != nil || m.Keep[len(m.Keep)-1].Reason != value {
				t.Fatalf("%v, kept because %v:\n%s", err, m, after)
			}
		}
	})
}

func svcOf(t *rapid.T, text []byte) Follow {
	m, err := ParseMember(text)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := m.Follows("svc")
	return f
}
