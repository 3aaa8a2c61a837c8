package localhub

import (
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/gorilla/mux"
)

// who may call a route.
type who int

const (
	anyToken who = iota // an installation or a person
	asApp               // the App itself, with a JWT
	anybody             // also without credentials
)

// need is one permission at a level. A route's needs are alternatives.
type need struct{ permission, level string }

// route is one operation of the API. Paths and variable names are those of GitHub's
// OpenAPI description.
type route struct {
	method, path string
	who          who
	needs        []need
	doc          string // below docs
	content      bool   // counts as creating content
	serve        func(*call) answer
}

func read(permissions ...string) []need  { return needs("read", permissions) }
func write(permissions ...string) []need { return needs("write", permissions) }

func needs(level string, permissions []string) []need {
	var list []need
	for _, p := range permissions {
		list = append(list, need{p, level})
	}
	return list
}

// creating marks a route as creating content.
func creating(r route) route {
	r.content = true
	return r
}

func get(path string, needs []need, doc string, serve func(*call) answer) route {
	return route{method: http.MethodGet, path: path, needs: needs, doc: doc, serve: serve}
}

func post(path string, needs []need, doc string, serve func(*call) answer) route {
	return route{method: http.MethodPost, path: path, needs: needs, doc: doc, serve: serve}
}

func patch(path string, needs []need, doc string, serve func(*call) answer) route {
	return route{method: http.MethodPatch, path: path, needs: needs, doc: doc, serve: serve}
}

func put(path string, needs []need, doc string, serve func(*call) answer) route {
	return route{method: http.MethodPut, path: path, needs: needs, doc: doc, serve: serve}
}

func remove(path string, needs []need, doc string, serve func(*call) answer) route {
	return route{method: http.MethodDelete, path: path, needs: needs, doc: doc, serve: serve}
}

// routes is the whole API.
func routes() []route {
	return slices.Concat(
		appRoutes(), deliveryRoutes(), installationRoutes(), accountRoutes(),
		repoRoutes(), propertyRoutes(), teamRoutes(), actionRoutes(), ruleRoutes(),
		contentRoutes(), refRoutes(), objectRoutes(), commitRoutes(),
		pullRoutes(), reviewRoutes(), issueRoutes(), labelRoutes(), checkRoutes(),
		graphRoutes(),
	)
}

// Routes lists the operations that the hub answers, as "GET /repos/{owner}/{repo}",
// sorted. The names are those of GitHub's OpenAPI description.
func Routes() []string {
	var list []string
	for _, r := range routes() {
		list = append(list, r.method+" "+r.path)
	}
	sort.Strings(list)
	return slices.Compact(list)
}

// wide are the variables whose value may hold slashes.
var wide = regexp.MustCompile(`\{(path|branch|ref|basehead|name|environment_name)\}`)

// apiRouter matches longer paths first: {ref} could otherwise swallow what follows it.
func (h *Hub) apiRouter() *mux.Router {
	list := routes()
	sort.SliceStable(list, func(i, j int) bool {
		return strings.Count(list[i].path, "/") > strings.Count(list[j].path, "/")
	})
	router := mux.NewRouter().SkipClean(true)
	for _, r := range list {
		h.register(router, r, wide.ReplaceAllString(r.path, "{$1:.+}"))
		if strings.HasSuffix(r.path, "/contents/{path}") && r.method == http.MethodGet {
			base := strings.TrimSuffix(r.path, "/{path}")
			h.register(router, r, base)
			h.register(router, r, base+"/")
		}
		if rest, isRepo := strings.CutPrefix(r.path, "/repos/{owner}/{repo}"); isRepo && !strings.Contains(rest, "{owner}") {
			h.registerByID(router, r, wide.ReplaceAllString("/repositories/{repository_id}"+rest, "{$1:.+}"))
		}
	}
	return router
}

// routed carries a route through mux, which keeps only handlers.
type routed struct{ route *route }

// ServeHTTP is not called: the hub matches and serves itself.
func (routed) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

func routeOf(m *mux.Route) *route {
	if r, is := m.GetHandler().(routed); is {
		return r.route
	}
	return nil
}

func (h *Hub) register(router *mux.Router, r route, path string) {
	methods := []string{r.method}
	if r.method == http.MethodGet {
		methods = append(methods, http.MethodHead)
	}
	router.Handle(path, routed{&r}).Methods(methods...)
}

// registerByID serves a repository's route below its number too, which is where a
// redirect after a rename points.
func (h *Hub) registerByID(router *mux.Router, r route, path string) {
	byID := r
	byID.path = r.path
	h.register(router, byID, path)
}
