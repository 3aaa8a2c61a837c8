// Package openapi checks requests and answers against GitHub's own OpenAPI
// description, trimmed to the routes that localhub answers.
//
// Requests are held to the whole description: known path, parameters of the right
// type, a body that fits, and no member that GitHub does not know (it would ignore it,
// which hides mistakes). Answers are held to the types and required fields of the
// description, and to have no member that it lacks, except where GitHub's own answers do
// not fit it (see tolerances and sent).
package openapi

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gorilla/mux"
)

//go:generate go run ./trim
//go:generate go run ./trim -examples 7.6.1 -out ../localhub/testdata/webhooks.json.gz

//go:embed github.json.gz
var packed []byte

// Violation is something that does not fit the description.
type Violation struct {
	Method, Path string
	Template     string // the operation's path; "" if there is none
	Answer       bool   // about the answer, not the request
	Message      string
}

// String is one line for a test's output.
func (v Violation) String() string {
	what := "request"
	if v.Answer {
		what = "answer"
	}
	return fmt.Sprintf("%s %s: %s: %s", v.Method, v.Path, what, v.Message)
}

// Validator checks what passes through its middleware.
type Validator struct {
	description

	mu         sync.Mutex
	violations []Violation
	seen       map[string]int
}

// violationLimit bounds what is kept.
const violationLimit = 1000

// Load is a new validator. The first call reads the description, which takes about a
// fifth of a second.
func Load() (*Validator, error) {
	d, err := read()
	if err != nil {
		return nil, err
	}
	return &Validator{description: d, seen: map[string]int{}}, nil
}

// description is what all validators share; nothing changes it.
type description struct {
	doc    *openapi3.T
	router *mux.Router
}

var read = sync.OnceValues(func() (description, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return description{}, fmt.Errorf("description of GitHub's API: %w", err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		return description{}, fmt.Errorf("description of GitHub's API: %w", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return description{}, fmt.Errorf("description of GitHub's API: %w", err)
	}
	return description{doc, routes(doc)}, nil
})

// wide are the variables whose value may hold slashes.
var wide = regexp.MustCompile(`\{(path|branch|ref|basehead|name|environment_name)\}`)

// operation is one operation on its way through mux.
type operation struct{ route *routers.Route }

// ServeHTTP is not called.
func (operation) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

func routes(doc *openapi3.T) *mux.Router {
	paths := doc.Paths.InMatchingOrder()
	sort.SliceStable(paths, func(i, j int) bool { return strings.Count(paths[i], "/") > strings.Count(paths[j], "/") })
	router := mux.NewRouter().SkipClean(true)
	for _, path := range paths {
		item := doc.Paths.Value(path)
		for method, op := range item.Operations() {
			o := operation{&routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op}}
			pattern := wide.ReplaceAllString(path, "{$1:.+}")
			router.Handle(pattern, o).Methods(method)
			if base, is := strings.CutSuffix(path, "/contents/{path}"); is {
				router.Handle(base+"/contents/", o).Methods(method)
			}
			// Where a redirect after a rename points; GitHub does not describe it.
			if rest, is := strings.CutPrefix(pattern, "/repos/{owner}/{repo}"); is {
				router.Handle("/repositories/{repository_id:[0-9]+}"+rest, o).Methods(method)
			}
		}
	}
	return router
}

// Operations are the operations of the description, as "GET /repos/{owner}/{repo}",
// each with the address of its documentation.
func (v *Validator) Operations() map[string]string {
	out := map[string]string{}
	for path, item := range v.doc.Paths.Map() {
		for method, op := range item.Operations() {
			out[method+" "+path] = ""
			if op.ExternalDocs != nil {
				out[method+" "+path] = op.ExternalDocs.URL
			}
		}
	}
	return out
}

// Violations are what was found so far.
func (v *Validator) Violations() []Violation {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.violations)
}

// Seen counts the operations that were asked for.
func (v *Validator) Seen() map[string]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := map[string]int{}
	maps.Copy(out, v.seen)
	return out
}

func (v *Validator) report(r *http.Request, template string, answer bool, message string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.violations) < violationLimit {
		v.violations = append(v.violations, Violation{Method: r.Method, Path: r.URL.Path, Template: template, Answer: answer, Message: message})
	}
}

// bodyLimit bounds what is read of a request.
const bodyLimit = 64 << 20

// Middleware checks every request before next gets it, and the answers. Paths are
// without /api/v3. Nothing is refused: see Violations.
func (v *Validator) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/graphql" {
			next.ServeHTTP(w, r) // checked against the GraphQL schema
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		route, vars := v.find(r)
		if route == nil {
			v.report(r, "", false, "no such operation")
		} else {
			v.request(r, route, vars, body)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		copied := &tee{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(copied, r)
		if route != nil {
			v.answer(r, route, copied)
		}
	})
}

func (v *Validator) find(r *http.Request) (*routers.Route, map[string]string) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	probe := r.Clone(r.Context())
	probe.Method = method
	var match mux.RouteMatch
	if !v.router.Match(probe, &match) || match.MatchErr != nil {
		return nil, nil
	}
	found, is := match.Handler.(operation)
	if !is {
		return nil, nil
	}
	return found.route, match.Vars
}

func (v *Validator) request(r *http.Request, route *routers.Route, vars map[string]string, body []byte) {
	v.mu.Lock()
	v.seen[route.Method+" "+route.Path]++
	v.mu.Unlock()
	if string(bytes.TrimSpace(body)) == "null" {
		body = nil // GitHub takes it for no body; ghinstallation sends it
	}
	if vars["repository_id"] != "" {
		vars["owner"], vars["repo"] = "by", "id"
	}
	if _, wanted := vars["path"]; !wanted {
		vars["path"] = "/" // the root folder
	}
	copied := r.Clone(context.Background())
	query := r.URL.Query()
	if from, is := strings.CutPrefix(query.Get("created"), ">="); is && ranged[route.Path] {
		query.Set("created", from)
	}
	copied.URL.RawQuery = query.Encode()
	copied.Body = io.NopCloser(bytes.NewReader(body))
	copied.ContentLength = int64(len(body))
	if len(body) > 0 {
		copied.Header.Set("Content-Type", "application/json")
	}
	options := &openapi3filter.Options{MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	err := openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: vars, Route: route, Options: options, QueryParams: query,
	})
	for _, message := range flatten(err) {
		v.report(r, route.Path, false, message)
	}
	for _, message := range unknown(route, r, body) {
		v.report(r, route.Path, false, message)
	}
}

// ranged are operations whose parameter "created" takes a range such as >=TIME, in the
// syntax of GitHub's search, although its schema says date-time
// (https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow,
// https://github.blog/changelog/2021-09-02-github-actions-filter-workflow-runs-by-created-date).
var ranged = map[string]bool{"/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs": true}

// flatten lists what a validation found wrong.
func flatten(err error) []string {
	var several openapi3.MultiError
	if !errors.As(err, &several) {
		if err == nil {
			return nil
		}
		return []string{oneLine(err)}
	}
	var out []string
	for _, one := range several {
		out = append(out, oneLine(one))
	}
	return out
}

func oneLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\nSchema:")
	return strings.Join(strings.Fields(text), " ")
}

// tee passes an answer on and keeps a copy.
type tee struct {
	http.ResponseWriter
	status   int
	body     bytes.Buffer
	answered bool // false where the connection was cut without a word
}

// WriteHeader keeps the status.
func (t *tee) WriteHeader(status int) {
	t.status, t.answered = status, true
	t.ResponseWriter.WriteHeader(status)
}

// Write keeps a copy.
func (t *tee) Write(p []byte) (int, error) {
	t.answered = true
	t.body.Write(p)
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is below.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }
