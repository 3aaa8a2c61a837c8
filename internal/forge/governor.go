package forge

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// governor keeps one installation within its [Pace] and within what GitHub's answers
// say. Pauses and the pace of pull requests are shared with other replicas through a
// [Memory], and survive a restart in it; each replica takes its part of the other
// limits. The windows are empty after a restart, so that for at most an hour more may
// be sent than they name; GitHub's own answer (Retry-After) is then what stops us.
type governor struct {
	pace Pace
	now  func() time.Time

	slots chan struct{} // requests in flight
	turn  turn          // whose turn it is to change something

	mu       sync.Mutex
	points   map[bool]*window // by graphql
	minute   window
	hour     window
	pulls    bucket
	promised int       // writes of reservations that are not released
	last     time.Time // the beginning of the last mutation
	primary  map[bool]*allowance
	until    time.Time // nothing is sent before
	why      string
	strikes  int // secondary limits since the last success of a mutation

	id         int64
	memory     Memory // nil: nobody else is told
	warn       func(what string, err error)
	among      int // replicas that share the limits
	exchanging bool
	exchanged  time.Time
	slowed     bool    // since then
	rose       float64 // since then
}

// allowance is GitHub's hourly limit as its answers tell it.
type allowance struct {
	limit, remaining int
	reset            time.Time
}

func newGovernor(p Pace, now func() time.Time) *governor {
	p = p.withDefaults()
	slots := p.Concurrent
	if slots < 0 {
		slots = 1 << 16
	}
	g := &governor{
		pace: p, now: now, slots: make(chan struct{}, slots),
		points: map[bool]*window{
			false: {span: time.Minute, limit: p.PointsPerMinute},
			true:  {span: time.Minute, limit: p.GraphQLPointsPerMinute},
		},
		minute:  window{span: time.Minute, limit: p.ContentPerMinute},
		hour:    window{span: time.Hour, limit: p.ContentPerHour},
		primary: map[bool]*allowance{false: {remaining: -1}, true: {remaining: -1}},
	}
	g.pulls = bucket{
		rate: float64(p.PullRequestsMin), lowest: float64(p.PullRequestsMin),
		highest: float64(p.PullRequestsMax), burst: float64(p.Burst), among: 1,
	}
	g.among = 1
	return g
}

// enter waits until w may be sent, at most MaxWait, and returns what must be
// called when its answer is there. The error is a [LimitError] or the context's.
func (g *governor) enter(ctx context.Context, w weight, credit *reservation) (leave func(), err error) {
	g.exchange(ctx)
	if err := g.check(w, credit); err != nil {
		return nil, err
	}
	// One timer for the turn and the slot: together they are not to take long.
	timer := time.NewTimer(g.pace.MaxWait)
	defer timer.Stop()
	if w.mutation {
		if err := g.turn.take(ctx, timer.C, w.urgent); err != nil {
			return nil, g.late(err)
		}
	}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = errLate
	}
	if err == nil {
		if err = g.begin(ctx, w, credit); err != nil {
			<-g.slots
		}
	}
	if err != nil {
		if w.mutation {
			g.turn.give()
		}
		return nil, g.late(err)
	}
	return func() {
		<-g.slots
		if w.mutation {
			g.turn.give()
		}
	}, nil
}

// late says that too many others were first.
func (g *governor) late(err error) error {
	if err != errLate { //nolint:errorlint // ours, never wrapped
		return err
	}
	return &LimitError{Until: g.now().Add(g.pace.MaxWait), Why: "too many requests of this installation wait for their turn"}
}

// check fails where w has no room now, without waiting.
func (g *governor) check(w weight, credit *reservation) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, err := g.room(g.now(), w, credit)
	return err
}

// begin waits for the gap between mutations and books w.
func (g *governor) begin(ctx context.Context, w weight, credit *reservation) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait, err := g.room(g.now(), w, credit)
	if err != nil {
		return err
	}
	if wait > 0 {
		g.mu.Unlock()
		err := sleep(ctx, wait)
		g.mu.Lock()
		if err != nil {
			return err
		}
		if _, err := g.room(g.now(), w, credit); err != nil {
			return err
		}
	}
	g.book(g.now(), w, credit)
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// room returns how long to wait for the gap, or a LimitError where something is
// used up for longer than that.
func (g *governor) room(now time.Time, w weight, credit *reservation) (time.Duration, error) {
	if now.Before(g.until) {
		return 0, &LimitError{Until: g.until, Why: g.why, Secondary: true}
	}
	if a := g.primary[w.graphql]; a.remaining >= 0 && now.Before(a.reset) &&
		(a.remaining == 0 || !w.urgent && w.mutation && a.remaining < min(spareRequests, a.limit/10)) {
		return 0, &LimitError{Until: a.reset, Why: fmt.Sprintf("the hour's %d requests are used up", a.limit)}
	}
	if err := g.windows(now, w, credit); err != nil {
		return 0, err
	}
	if !w.mutation || g.pace.MutationGap < 0 || g.last.IsZero() {
		return 0, nil
	}
	wait := g.last.Add(g.pace.MutationGap * time.Duration(g.among)).Sub(now)
	if wait > g.pace.MaxWait {
		return 0, &LimitError{Until: now.Add(wait), Why: "the gap between writes is longer than the longest wait"}
	}
	return max(0, wait), nil
}

// windows checks the budgets that are counted here.
func (g *governor) windows(now time.Time, w weight, credit *reservation) error {
	content, posts, pulls := credit.uncovered(w)
	for _, b := range []struct {
		wait time.Duration
		why  string
	}{
		{g.points[w.graphql].room(now, w.points, w.urgent), "the points of this minute are used up"},
		{g.minute.room(now, content, w.urgent), "the writes of this minute are used up"},
		{g.hour.room(now, posts, w.urgent), "the writes of this hour are used up"},
		{g.pulls.room(now, pulls), fmt.Sprintf("new pull requests go at %.0f an hour", g.pulls.rate)},
	} {
		if b.wait > 0 {
			return &LimitError{Until: now.Add(b.wait), Why: b.why}
		}
	}
	return nil
}

func (g *governor) book(now time.Time, w weight, credit *reservation) {
	content, posts, pulls := credit.uncovered(w)
	credit.spend(w)
	g.points[w.graphql].add(now, w.points)
	g.minute.add(now, content)
	g.hour.add(now, posts)
	g.pulls.take(pulls)
	if w.mutation {
		g.last = now
	}
}

// learn takes what an answer says about limits. Where the answer is "too fast" or
// "used up", it returns the LimitError to hand on instead of the answer.
func (g *governor) learn(w weight, resp *http.Response, body []byte) *LimitError {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	a := g.primary[w.graphql]
	if n, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining")); err == nil {
		a.remaining = n
		a.limit, _ = strconv.Atoi(resp.Header.Get("X-RateLimit-Limit"))
		if s, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			a.reset = time.Unix(s, 0)
		}
	}
	limit := limitOf(now, resp, body)
	switch {
	case limit == nil:
		if w.mutation && resp.StatusCode < 300 {
			g.strikes = 0
			if w.pulls > 0 {
				g.rose += g.pulls.went()
			}
		}
		return nil
	case limit.Secondary:
		g.struck(now, limit)
	default:
		a.remaining, a.reset = 0, limit.Until
	}
	return limit
}

// struck slows down after GitHub found us too fast. Without a time from GitHub
// the wait doubles from a minute, as its documentation asks.
func (g *governor) struck(now time.Time, limit *LimitError) {
	if limit.Until.IsZero() {
		limit.Until = now.Add(min(time.Minute<<min(g.strikes, 6), time.Hour))
	}
	g.strikes++
	g.pulls.slow()
	g.slowed, g.rose = true, 0
	if limit.Until.After(g.until) {
		g.until, g.why = limit.Until, limit.Why
	}
}
