package localhub

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Request is one API or git request as the hub saw it.
type Request struct {
	Time     time.Time
	ID       string // X-GitHub-Request-Id
	Method   string
	Path     string // without /api/v3
	Query    string
	Template string // the route, "/repos/{owner}/{repo}"; "" if there is none; "git-upload-pack" and the like for git
	// Installation is whose token it carried; 0 for a JWT, a person's or none.
	Installation int64
	Token        string // whose token: a login, or slug[bot]
	Points       int    // of GitHub's secondary limit: 1 for a read, 5 for a write, 0 for git
	Content      bool   // creates content in the sense of the secondary limits
	Status       int    // 0 where the connection was cut
	NotModified  bool   // a 304, which costs nothing of the primary limit
	Fault        FaultKind
}

// journalLimit bounds the journal; older requests are forgotten.
const journalLimit = 200_000

type journal struct {
	mu   sync.Mutex
	list []Request
}

func (j *journal) add(r Request) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.list) >= journalLimit {
		j.list = slices.Delete(j.list, 0, journalLimit/2)
	}
	j.list = append(j.list, r)
}

// Requests are the requests so far, oldest first.
func (h *Hub) Requests() []Request {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	return slices.Clone(h.journal.list)
}

// ForgetRequests empties the journal.
func (h *Hub) ForgetRequests() {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	h.journal.list = nil
}

// Tally is what a set of requests cost.
type Tally struct {
	API     int            // REST and GraphQL requests
	Git     int            // git smart HTTP requests
	Points  int            // for the secondary limit
	Content int            // requests that create content
	Free    int            // 304 answers among API
	Routes  map[string]int // "GET /repos/{owner}/{repo}" → count
}

// Count adds up requests for which keep is true; nil keeps all.
func Count(requests []Request, keep func(Request) bool) Tally {
	t := Tally{Routes: map[string]int{}}
	for _, r := range requests {
		if keep != nil && !keep(r) {
			continue
		}
		t.Routes[r.Method+" "+r.Template]++
		if r.Points == 0 {
			t.Git++
			continue
		}
		t.API++
		t.Points += r.Points
		if r.Content {
			t.Content++
		}
		if r.NotModified {
			t.Free++
		}
	}
	return t
}

// Names are the routes of a tally, sorted.
func (t Tally) Names() []string { return slices.Sorted(maps.Keys(t.Routes)) }

// points are what GitHub counts for a REST request.
func points(method string) int {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return 1
	}
	return 5
}
