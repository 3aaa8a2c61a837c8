package forge

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limitOf returns the limit that an answer speaks of, or nil. A limit without a
// time has a zero Until. GitHub answers 403 or 429 for all of them, and 200 with
// an error inside for GraphQL.
func limitOf(now time.Time, resp *http.Response, body []byte) *LimitError {
	h := resp.Header
	switch resp.StatusCode {
	case http.StatusForbidden, http.StatusTooManyRequests:
	case http.StatusOK:
		if h.Get("X-RateLimit-Remaining") != "0" || !bytes.Contains(body, []byte(`"RATE_LIMITED"`)) {
			return nil
		}
	default:
		return nil
	}
	used := h.Get("X-RateLimit-Remaining") == "0"
	if after := retryAfter(now, h.Get("Retry-After")); !after.IsZero() {
		return &LimitError{Until: after, Why: "GitHub asks to wait", Secondary: !used, Sent: true}
	}
	low := bytes.ToLower(body[:min(len(body), 4<<10)])
	if used {
		reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
		until := time.Unix(reset, 0)
		if err != nil || until.Before(now) {
			until = now.Add(time.Minute)
		}
		return &LimitError{Until: until, Why: "GitHub's hourly limit is used up", Sent: true}
	}
	if resp.StatusCode == http.StatusTooManyRequests || isTooFast(low) {
		return &LimitError{Why: "GitHub found the requests too fast", Secondary: true, Sent: true}
	}
	return nil
}

// isTooFast looks for the words of a secondary limit: go-github knows one
// spelling of the documentation's address, GitHub uses several.
func isTooFast(low []byte) bool {
	for _, word := range []string{"secondary rate limit", "secondary-rate-limit", "abuse detection", "abuse-rate-limit", "submitted too quickly"} {
		if bytes.Contains(low, []byte(word)) {
			return true
		}
	}
	return false
}

// retryAfter reads the header, in seconds or as a date. A day bounds it, so that
// nonsense does not stop an installation for ever.
func retryAfter(now time.Time, v string) time.Time {
	if v == "" {
		return time.Time{}
	}
	if s, err := strconv.ParseInt(v, 10, 64); err == nil && s >= 0 {
		return now.Add(time.Duration(min(s, 86400)) * time.Second)
	}
	if t, err := http.ParseTime(v); err == nil {
		return minTime(t, now.Add(24*time.Hour))
	}
	return time.Time{}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// errLate says that the longest wait went by.
var errLate = errors.New("waited too long")

// turn lets one mutation through at a time, urgent ones first, others in the
// order in which they came.
type turn struct {
	mu      sync.Mutex
	busy    bool
	waiting [2][]chan struct{} // urgent, others
}

// take waits for the turn.
func (t *turn) take(ctx context.Context, late <-chan time.Time, urgent bool) error {
	t.mu.Lock()
	if !t.busy {
		t.busy = true
		t.mu.Unlock()
		return nil
	}
	queue := &t.waiting[1]
	if urgent {
		queue = &t.waiting[0]
	}
	mine := make(chan struct{})
	*queue = append(*queue, mine)
	t.mu.Unlock()
	var err error
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late:
		err = errLate
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, c := range *queue {
		if c == mine {
			*queue = append((*queue)[:i], (*queue)[i+1:]...)
			return err
		}
	}
	return nil // it came while we gave up
}

// give passes the turn on.
func (t *turn) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.waiting {
		if q := t.waiting[i]; len(q) > 0 {
			t.waiting[i] = q[1:]
			close(q[0])
			return
		}
	}
	t.busy = false
}

// Work is what a job is about to create.
type Work struct {
	Content      int // requests that create or change something
	PullRequests int // new ones
}

// reservation is room that was set aside. Its nil value covers nothing.
type reservation struct {
	mu             sync.Mutex
	booked         int
	content, posts int
	pulls          int
}

// uncovered returns what of w the reservation does not pay for.
func (r *reservation) uncovered(w weight) (content, posts, pulls int) {
	if r == nil {
		return w.content, w.posts, w.pulls
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(0, w.content-r.content), max(0, w.posts-r.posts), max(0, w.pulls-r.pulls)
}

func (r *reservation) spend(w weight) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.content = max(0, r.content-w.content)
	r.posts = max(0, r.posts-w.posts)
	r.pulls = max(0, r.pulls-w.pulls)
}

// reserve books work ahead; release gives back what was not used.
func (g *governor) reserve(work Work, urgent bool) (*reservation, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	posts := work.Content
	if g.pace.ObjectsFree {
		posts = max(0, work.Content-2*work.PullRequests)
	}
	w := weight{content: work.Content, posts: posts, pulls: work.PullRequests, urgent: urgent, mutation: true}
	now := g.now()
	if _, err := g.room(now, w, nil); err != nil {
		return nil, err
	}
	// Writes go one after the other: more jobs than can take turns within MaxWait
	// would only stop each other half-way.
	if ahead := time.Duration(g.promised) * max(0, g.pace.MutationGap); ahead > g.pace.MaxWait && !urgent {
		return nil, &LimitError{Until: now.Add(ahead), Why: "other jobs of this installation are writing"}
	}
	g.promised += w.content
	g.minute.add(now, w.content)
	g.hour.add(now, w.posts)
	g.pulls.take(w.pulls)
	return &reservation{booked: w.content, content: w.content, posts: w.posts, pulls: w.pulls}, nil
}

func (g *governor) release(r *reservation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	g.promised -= r.booked
	g.minute.giveBack(r.content)
	g.hour.giveBack(r.posts)
	g.pulls.take(-r.pulls)
	r.booked, r.content, r.posts, r.pulls = 0, 0, 0, 0
}

// Budget is where an installation stands, for metrics and the portal.
type Budget struct {
	PullRequestsPerHour float64 // the present pace
	ContentLastHour     int
	PointsLastMinute    int
	Remaining, Limit    int // GitHub's hourly allowance for REST; -1: not known yet
	Reset               time.Time
	Until               time.Time // nothing is sent before; zero: no limit is in force
	Why                 string
}

func (g *governor) budget() Budget {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.hour.drop(now)
	g.points[false].drop(now)
	a := g.primary[false]
	b := Budget{
		PullRequestsPerHour: g.pulls.rate, ContentLastHour: g.hour.sum, PointsLastMinute: g.points[false].sum,
		Remaining: a.remaining, Limit: a.limit, Reset: a.reset,
	}
	if now.Before(g.until) {
		b.Until, b.Why = g.until, g.why
	}
	return b
}
