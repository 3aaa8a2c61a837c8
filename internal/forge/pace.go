package forge

import "time"

// Pace is how fast an installation may go. The zero value is what GitHub
// documents ("Rate limits for the REST API", "Best practices for using the REST
// API") and, for pull requests, what has been measured; a negative value switches
// a limit off.
type Pace struct {
	// MutationGap is the time between the beginnings of two requests that change
	// something, which are never in flight together; 0 is a second.
	MutationGap time.Duration
	// MaxWait is how long a request waits for its turn before a [LimitError] is
	// returned instead; 0 is 10 seconds.
	MaxWait time.Duration
	// PointsPerMinute bounds REST: a read is 1 point, a write 5; 0 is 900.
	PointsPerMinute int
	// GraphQLPointsPerMinute bounds GraphQL likewise; 0 is 2,000.
	GraphQLPointsPerMinute int
	// ContentPerMinute and ContentPerHour bound what creates or changes content;
	// 0 is 80 and 500. GitHub does not say which requests count: all writes do
	// here.
	ContentPerMinute, ContentPerHour int
	// ObjectsFree takes git's blobs, trees and commits, which nobody is notified
	// of, out of ContentPerHour. A new pull request then costs 2 of it, not 4.
	ObjectsFree bool
	// PullRequestsMin and PullRequestsMax bound the pace of new pull requests in an
	// hour, which begins at the lowest, rises while all goes well and halves when
	// GitHub finds us too fast; 0 is 60 and 500. GitHub publishes no number; about
	// 20 a minute and 150 an hour have been measured.
	PullRequestsMin, PullRequestsMax int
	// Burst is how many new pull requests may follow each other without the pace;
	// 0 is 10.
	Burst int
	// Concurrent bounds the requests in flight; 0 is 50 of GitHub's 100, which all
	// replicas and people's tools share.
	Concurrent int
}

// withDefaults replaces zeroes.
func (p Pace) withDefaults() Pace {
	def := func(n *int, to int) {
		if *n == 0 {
			*n = to
		}
	}
	if p.MutationGap == 0 {
		p.MutationGap = time.Second
	}
	if p.MaxWait == 0 {
		p.MaxWait = 10 * time.Second
	}
	def(&p.PointsPerMinute, 900)
	def(&p.GraphQLPointsPerMinute, 2000)
	def(&p.ContentPerMinute, 80)
	def(&p.ContentPerHour, 500)
	def(&p.PullRequestsMin, 60)
	def(&p.PullRequestsMax, 500)
	def(&p.Burst, 10)
	def(&p.Concurrent, 50)
	return p
}

// How the pace of pull requests changes. Ten minutes of work at full pace without
// a complaint raise it by rise: from 60 to 150 in half an hour.
const (
	rise       = 30.0
	risePeriod = 10.0 / 60 // of an hour
	fall       = 0.5
)

// forRefreshes is the part of a budget that requests may use which are not
// urgent: the rest waits for new repositories.
const forRefreshes = 0.9

// spareRequests of the hourly allowance are kept for urgent work.
const spareRequests = 100

// weight is what one request costs.
type weight struct {
	graphql  bool
	points   int
	mutation bool
	content  int // towards the minute
	posts    int // towards the hour
	pulls    int
	urgent   bool
}

// window counts what happened within a span of time.
type window struct {
	span   time.Duration
	limit  int // negative: none
	events []event
	sum    int
}

type event struct {
	at time.Time
	n  int
}

// drop forgets what has left the window.
func (w *window) drop(now time.Time) {
	i := 0
	for i < len(w.events) && now.Sub(w.events[i].at) >= w.span {
		w.sum -= w.events[i].n
		i++
	}
	w.events = w.events[i:]
}

// room returns how long until n more fit; 0 is now.
func (w *window) room(now time.Time, n int, urgent bool) time.Duration {
	if w.limit < 0 || n == 0 {
		return 0
	}
	w.drop(now)
	limit := w.limit
	if !urgent {
		limit = max(n, int(float64(limit)*forRefreshes))
	}
	over := w.sum + n - limit
	for _, e := range w.events {
		if over <= 0 {
			break
		}
		if over -= e.n; over <= 0 {
			return max(e.at.Add(w.span).Sub(now), time.Millisecond)
		}
	}
	return 0
}

func (w *window) add(now time.Time, n int) {
	if w.limit >= 0 && n != 0 {
		w.events = append(w.events, event{now, n})
		w.sum += n
	}
}

// giveBack takes n of the latest back out.
func (w *window) giveBack(n int) {
	for i := len(w.events) - 1; i >= 0 && n > 0; i-- {
		m := min(n, w.events[i].n)
		w.events[i].n -= m
		w.sum -= m
		n -= m
	}
}

// bucket is the pace of new pull requests: tokens come at rate an hour.
type bucket struct {
	rate, lowest, highest float64
	burst                 float64
	among                 float64 // replicas, of which each has its part of the rate; 0 is one
	tokens                float64
	at                    time.Time
}

func (b *bucket) fill(now time.Time) {
	if b.at.IsZero() {
		b.tokens, b.at = b.most(), now
		return
	}
	if dt := now.Sub(b.at); dt > 0 {
		b.tokens = min(b.most(), b.tokens+dt.Hours()*b.part(b.rate))
		b.at = now
	}
}

func (b *bucket) room(now time.Time, n int) time.Duration {
	if b.highest < 0 || n == 0 {
		return 0
	}
	b.fill(now)
	missing := float64(n) - b.tokens
	if missing <= 1e-9 {
		return 0
	}
	return max(time.Duration(missing/b.part(b.rate)*float64(time.Hour)), time.Millisecond)
}

func (b *bucket) take(n int) { b.tokens = min(b.most(), b.tokens-float64(n)) }

// most is how many pull requests may follow each other.
func (b *bucket) most() float64 { return max(1, b.part(b.burst)) }

// part is this replica's.
func (b *bucket) part(of float64) float64 { return of / max(1, b.among) }

// went raises the pace after a pull request that GitHub took without complaint:
// as many as fit into risePeriod raise it by rise together. It returns by how much.
func (b *bucket) went() float64 {
	if b.highest <= 0 {
		return 0
	}
	before := b.rate
	b.rate = min(b.highest, b.rate+rise/(b.rate*risePeriod))
	return b.rate - before
}

func (b *bucket) slow() { b.rate = max(b.lowest, b.rate*fall) }
