package openapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/forge/openapi"
)

// TestDescriptionHasEveryRoute holds the routes of the hub to operations that GitHub
// describes, but for the one that is not REST.
func TestDescriptionHasEveryRoute(t *testing.T) {
	v, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	described := v.Operations()
	var missing []string
	for _, route := range localhub.Routes() {
		if _, there := described[route]; !there {
			missing = append(missing, route)
		}
	}
	if diff := cmp.Diff([]string{"POST /graphql"}, missing); diff != "" {
		t.Errorf("routes that are not described (-want +got):\n%s", diff)
	}
}

func TestRequestsAreHeldToTheDescription(t *testing.T) {
	v, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	handler := v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	for _, c := range []struct{ name, method, path, body, want string }{
		{"good", "POST", "/repos/a/b/issues", `{"title":"x"}`, ""},
		{"good list", "GET", "/repos/a/b/issues?state=all&per_page=5", "", ""},
		{"no body where none is needed", "POST", "/app/installations/1/access_tokens", "null", ""},
		{"a permission that the description lacks", "POST", "/app/installations/1/access_tokens", `{"permissions":{"actions_variables":"write"}}`, ""},
		{"a permission that there is not", "POST", "/app/installations/1/access_tokens", `{"permissions":{"variables":"write"}}`, `unknown member "/permissions/variables"`},
		{"slashes in a name", "GET", "/repos/a/b/git/ref/heads/x/y", "", ""},
		{"by id", "GET", "/repositories/12", "", ""},
		{"the root folder", "GET", "/repos/a/b/contents/", "", ""},
		{"unknown path", "GET", "/repos/a/b/isues", "", "no such operation"},
		{"missing member", "POST", "/repos/a/b/pulls", `{"title":"x","head":"y"}`, `"base" is missing`},
		{"wrong type", "POST", "/repos/a/b/pulls", `{"title":"x","head":"y","base":5}`, "base"},
		{"unknown member", "POST", "/repos/a/b/pulls", `{"title":"x","head":"y","base":"z","labels":[]}`, `unknown member "/labels"`},
		{"unknown member in a list", "POST", "/repos/a/b/git/trees", `{"tree":[{"path":"a","mode":"100644","contents":"x"}]}`, `unknown member "/tree/0/contents"`},
		{"unknown parameter", "GET", "/repos/a/b/issues?stat=all", "", `unknown query parameter "stat"`},
		{"value that is none of the list", "GET", "/repos/a/b/issues?state=al", "", "state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(v.Violations())
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body)))
			var got []string
			for _, one := range v.Violations()[before:] {
				got = append(got, one.String())
			}
			if c.want == "" && got != nil || c.want != "" && !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnswersAreHeldToTheDescription(t *testing.T) {
	v, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	const label = `{"id":1,"node_id":"x","url":"https://x/y","name":"bug","color":"ededed","default":true,"description":null`
	for _, c := range []struct{ name, path, body, want string }{
		{"good", "/repos/a/b/labels/bug", label + "}", ""},
		{"a member less", "/repos/a/b/labels/bug", `{"id":1,"node_id":"x","url":"https://x/y"}`, `"name" is missing`},
		{"another type", "/repos/a/b/labels/bug", strings.Replace(label, "true", "1", 1) + "}", "/default"},
		{"a member that there is not", "/repos/a/b/labels/bug", label + `,"colour":"red"}`, `unknown member "/colour"`},
		{"in a list", "/repos/a/b/labels", "[" + label + `,"colour":"red"}]`, `unknown member "/0/colour"`},
		{"in one of several forms", "/repos/a/b/contents/x", `[{"name":"x","shaa":"1"}]`, `unknown member "/0/shaa"`},
		{"a member that the description lacks", "/meta", `{"verifiable_password_authentication":true,"installed_version":"3.19.0"}`, ""},
		{"and elsewhere is none", "/rate_limit", `{"installed_version":"3.19.0"}`, `unknown member "/installed_version"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(v.Violations())
			handler := v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				if _, err := io.WriteString(w, c.body); err != nil {
					t.Error(err)
				}
			}))
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, http.NoBody))
			var got []string
			for _, one := range v.Violations()[before:] {
				got = append(got, one.String())
			}
			if c.want == "" && got != nil || c.want != "" && !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
