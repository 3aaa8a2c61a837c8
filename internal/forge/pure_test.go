package forge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"
	"pgregory.net/rapid"
)

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ url, root, rest, graphql string }{
		{"", "https://github.com/", "https://api.github.com/", "https://api.github.com/graphql"},
		{"https://github.com", "https://github.com/", "https://api.github.com/", "https://api.github.com/graphql"},
		{"https://api.github.com/", "https://github.com/", "https://api.github.com/", "https://api.github.com/graphql"},
		{"https://octo.ghe.com", "https://octo.ghe.com/", "https://api.octo.ghe.com/", "https://api.octo.ghe.com/graphql"},
		{"https://ghe.example.com", "https://ghe.example.com/", "https://ghe.example.com/api/v3/", "https://ghe.example.com/api/graphql"},
		{"https://ghe.example.com/api/v3/", "https://ghe.example.com/", "https://ghe.example.com/api/v3/", "https://ghe.example.com/api/graphql"},
		{"http://127.0.0.1:1234/hub/", "http://127.0.0.1:1234/hub/", "http://127.0.0.1:1234/hub/api/v3/", "http://127.0.0.1:1234/hub/api/graphql"},
	} {
		a, err := parseAddress(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if a.root.String() != c.root || a.rest.String() != c.rest || a.graphql.String() != c.graphql {
			t.Errorf("%s: %s, %s, %s", c.url, a.root, a.rest, a.graphql)
		}
	}
	for _, bad := range []string{"github.com", "ftp://github.com", "https://", "https://me:secret@ghe.example.com", "https://ghe.example.com/?x=1"} {
		_, err := parseAddress(bad)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error = %v, want one without the secret", bad, err)
		}
	}
}

func TestParseName(t *testing.T) {
	for s, ok := range map[string]bool{
		"acme/pay": true, "a/.github": true, "a/b.c_d-e": true,
		"": false, "acme": false, "acme/": false, "/pay": false, "a/b/c": false, "a/..": false, "../x": false, "a/b c": false, "a/b?x": false, "a/ü": false,
	} {
		n, err := ParseName(s)
		if (err == nil) != ok || ok && n.String() != s {
			t.Errorf("ParseName(%q) = %v, %v; want ok = %v", s, n, err, ok)
		}
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	_, text := newKey(t)
	for words, cfg := range map[string]Config{
		"github.app-id":           {Key: fixed(text)},
		"github.private-key-file": {AppID: 1},
		"not in PEM":              {AppID: 1, Key: fixed([]byte("ssh-rsa AAAA"))},
		"not an RSA key":          {AppID: 1, Key: fixed([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))},
		"no such file":            {AppID: 1, Key: KeyFile("/nonexistent/key.pem")},
		"github.url":              {AppID: 1, Key: fixed(text), URL: "nonsense"},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("error = %v, want one with %q", err, words)
		}
	}
}

func TestFoldersComeAfterTheOneThatHoldsThem(t *testing.T) {
	got := folders([]string{"z/y/x/f", "a", "b/c", "z/q", "b/d"})
	if diff := cmp.Diff([]string{"", "b", "z", "z/y", "z/y/x"}, got); diff != "" {
		t.Errorf("folders mismatch (-want +got):\n%s", diff)
	}
	rapid.Check(t, func(t *rapid.T) {
		paths := rapid.SliceOf(rapid.StringMatching(`([a-c]{1,2}/){0,4}[a-c]`)).Draw(t, "paths")
		seen := map[string]bool{}
		for i, f := range folders(paths) {
			if up, _ := splitPath(f); i > 0 && !seen[up] {
				t.Fatalf("%q comes before %q", f, up)
			}
			if seen[f] {
				t.Fatalf("%q comes twice", f)
			}
			seen[f] = true
		}
		for _, p := range paths {
			if up, _ := splitPath(p); !seen[up] {
				t.Fatalf("the folder of %q is missing", p)
			}
		}
	})
}

func TestMarkersDoNotMix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		m := marker(a)
		if strings.Contains(strings.TrimSuffix(strings.TrimPrefix(m, "<!--"), "-->"), "--") {
			t.Fatalf("%s ends early", m)
		}
		text := marked(rapid.String().Draw(t, "text"), a)
		if !hasMarker(text, a) {
			t.Fatalf("%q has not its own marker", text)
		}
		if a != b && hasMarker(text, b) {
			t.Fatalf("%q and %q have the same marker", a, b)
		}
	})
	if !hasMarker(marked(strings.Repeat("ü", 70_000), "k"), "k") {
		t.Error("a long text lost its marker")
	}
	if n := len([]rune(marked(strings.Repeat("ü", 70_000), "k"))); n > maxText {
		t.Errorf("a long text has %d characters", n)
	}
}

func TestSuggestionFence(t *testing.T) {
	for lines, want := range map[string]string{
		"a: 1\n":           "```suggestion\na: 1\n```",
		"a":                "```suggestion\na\n```",
		"":                 "```suggestion\n```",
		"```go\nx\n````\n": "`````suggestion\n```go\nx\n````\n`````",
	} {
		if got := Suggestion(lines); got != want {
			t.Errorf("Suggestion(%q) = %q, want %q", lines, got, want)
		}
	}
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		status int
		text   string
		want   Kind
	}{
		{404, "not found", NotFound},
		{410, "issues are disabled for this repo", Gone},
		{451, "repository access blocked", Gone},
		{409, "git repository is empty.", NotReady},
		{409, "merge conflict", Conflict},
		{409, "repository rule violations found\n\nchanges must be made through a pull request.", Refused},
		{403, "resource not accessible by integration", Denied},
		{403, "repository was archived so is read-only.", Refused},
		{403, "this installation has been suspended", Suspended},
		{422, "refusing to allow a github app to create or update workflow `.github/workflows/ci.yml` without `workflows` permission", Denied},
		{422, "reference already exists", Invalid},
		{422, "repository rule violations found\n\ncannot create ref due to creations being restricted.", Refused},
		{422, "repository rule violations found\n\nchanges must be made through the merge queue", Queued},
		{423, "repository is locked", NotReady},
		{405, "pull request is not mergeable", Refused},
		{301, "moved permanently", Moved},
		{500, "", Unavailable},
		{401, "bad credentials", Unauthorized},
		{400, "problems parsing json", Invalid},
	} {
		if got := kindOf(c.status, c.text); got != c.want {
			t.Errorf("kindOf(%d, %q) = %q, want %q", c.status, c.text, got, c.want)
		}
	}
	err := fmt.Errorf("job: %w", &Error{Kind: Gone, Op: "x", cause: io.EOF})
	if KindOf(err) != Gone || !errors.Is(err, Gone) || errors.Is(err, NotFound) || !errors.Is(err, io.EOF) {
		t.Errorf("a wrapped error has kind %q", KindOf(err))
	}
	if KindOf(io.EOF) != "" || KindOf(nil) != "" {
		t.Error("an error of others has a kind")
	}
}

// What GitHub says with 422 is final where it names a mistake. Of what may be otherwise
// the next time, it may even have been done.
func TestUnclear(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   bool
	}{
		{422, `{"message":"Unprocessable Entity"}`, true},
		{422, `{"message":"Validation Failed"}`, true},
		{422, `not JSON`, true},
		{422, `{"message":"No commit found for SHA: 0123456789012345678901234567890123456789"}`, true},
		{422, `{"message":"Reference update failed"}`, true},
		{422, `{"message":"Validation Failed","errors":[{"resource":"Label","code":"already_exists","field":"name"}]}`, false},
		{422, `{"message":"Unprocessable Entity","errors":["Can not approve your own pull request"]}`, false},
		{422, `{"message":"Invalid request.\n\nFor 'properties/name', nil is not a string."}`, false},
		{422, `{"message":"Reference already exists"}`, false},
		{400, `{"message":""}`, false},
	} {
		var r github.ErrorResponse
		_ = json.Unmarshal([]byte(c.body), &r) // as go-github does
		r.Response = &http.Response{StatusCode: c.status, Header: http.Header{}}
		e, ok := errors.AsType[*Error](answered("x", http.MethodPost, &r))
		if !ok || e.Unclear != c.want || e.Lost != c.want {
			t.Errorf("%d %s: %+v, want unclear %v", c.status, c.body, e, c.want)
		}
	}
}

func TestCovers(t *testing.T) {
	parse := func(s string) (v any) {
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		have, want string
		ok         bool
	}{
		{`{"a":1,"b":2}`, `{"a":1}`, true},
		{`{"a":1}`, `{"a":2}`, false},
		{`[{"t":"x","p":{"n":1,"m":2}},{"t":"y"}]`, `[{"t":"y"},{"t":"x","p":{"n":1}}]`, true},
		{`[1,1]`, `[1,2]`, false},
		{`[1]`, `[1,1]`, false},
		{`{}`, `{"a":null}`, true},
		{`"x"`, `{"a":1}`, false},
		{`[]`, `[]`, true},
	} {
		if got := covers(parse(c.have), parse(c.want)); got != c.ok {
			t.Errorf("covers(%s, %s) = %v", c.have, c.want, got)
		}
	}
}

// TestMembersOfTwoMomentsAreNotMixed gives the answer of a GitHub where somebody
// pushed between its parts.
func TestMembersOfTwoMomentsAreNotMixed(t *testing.T) {
	id := func(c string) string { return strings.Repeat(c, 40) }
	ask := Ask{ID: 5, Paths: []string{"a/x"}}
	// folders(ask) is "", "a": the second is d1.
	body := `{"databaseId":5,"nameWithOwner":"acme/pay","defaultBranchRef":{"name":"main"},
		"head":{"oid":"` + id("1") + `","tree":{"oid":"` + id("2") + `","entries":[{"name":"a","mode":16384,"type":"tree","oid":"` + id("3") + `"}]}},
		"d1":%s}`
	for part, sure := range map[string]bool{
		`{"oid":"` + id("3") + `","entries":[{"name":"x","mode":33261,"type":"blob","oid":"` + id("4") + `"}]}`: true,
		`{"oid":"` + id("9") + `","entries":[]}`: false,
		`null`:                                   false,
		`{}`:                                     false, // a file there now
	} {
		var g gqlMember
		if err := json.Unmarshal(fmt.Appendf(nil, body, part), &g); err != nil {
			t.Fatal(err)
		}
		m, ok := g.member(ask)
		if ok != sure || m.Err != nil {
			t.Errorf("%s: sure = %v (%v), want %v", part, ok, m.Err, sure)
		}
		if sure && (len(m.Entries) != 1 || m.Entries["a/x"].Kind.String() != "executable file") {
			t.Errorf("entries = %+v", m.Entries)
		}
	}
}

// FuzzAnswers gives answers of any kind to everything that reads them: there may
// be errors, not panics, and no error repeats more than a bounded part.
func FuzzAnswers(f *testing.F) {
	f.Add(403, `{"message":"x","errors":[{"field":"a","code":"custom"}]}`, "60", "contents=write")
	f.Add(200, `{"data":{"m0":{"databaseId":5}},"errors":[{"type":"NOT_FOUND","path":["m0"]}]}`, "", "")
	f.Add(200, `{"head":{"oid":"1","tree":{"entries":[{"mode":4294967295}]}},"d1":[],"f0":{"text":"x"}}`, "-1", "")
	f.Add(429, "\x00\xff", "Tue, 14 Nov 2023 22:14:20 GMT", "\r\n")
	ask := Ask{ID: 5, Paths: []string{"a/x"}, Contents: []string{"b/c/d", "e"}, Branch: "goldenpath/x"}
	f.Fuzz(func(t *testing.T, status int, body, header, permission string) {
		resp := &http.Response{StatusCode: status, Header: http.Header{
			"Retry-After": {header}, "X-Accepted-Github-Permissions": {permission}, "X-Ratelimit-Remaining": {header}, "X-Ratelimit-Reset": {header},
		}, Request: &http.Request{Method: "GET"}}
		now := time.Unix(1_700_000_000, 0)
		if l := limitOf(now, resp, []byte(body)); l != nil && l.Until.After(now.Add(1<<62)) {
			t.Errorf("until %v", l.Until)
		}
		r := &github.ErrorResponse{Response: resp}
		_ = json.Unmarshal([]byte(body), r) // as go-github does
		r.Response = resp
		err := answered("op", "POST", r)
		if n := len(err.Error()); n > 20*(maxMessage+50) {
			t.Errorf("an error of %d bytes", n)
		}
		if strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("control characters in %q", err)
		}
		if KindOf(err) == "" {
			t.Error("an error without a kind")
		}
		var g gqlMember
		if json.Unmarshal([]byte(body), &g) == nil {
			m, _ := g.member(ask)
			for p := range m.Files {
				if !slices.Contains(ask.Contents, p) {
					t.Errorf("file %q was not asked for", p)
				}
			}
		}
		var a gqlAnswer
		if json.Unmarshal([]byte(body), &a) == nil {
			for _, e := range a.Errors {
				if e.kind() == "" {
					t.Error("a GraphQL error without a kind")
				}
			}
		}
	})
}
