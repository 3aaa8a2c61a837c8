package forge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	reading = weight{points: 1}
	writing = weight{points: 5, mutation: true, content: 1, posts: 1}
	opening = weight{points: 5, mutation: true, content: 1, posts: 1, pulls: 1}
)

// answer makes a response with a status, headers as "Name: value", and a body.
func answer(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for _, line := range headers {
		k, v, _ := strings.Cut(line, ": ")
		h.Set(k, v)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func until(t *testing.T, err error) time.Time {
	t.Helper()
	l, ok := errors.AsType[*LimitError](err)
	if !ok {
		t.Fatalf("error = %v, want a LimitError", err)
	}
	return l.Until
}

func TestGovernorSpacesWritesAndNeverOverlapsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGovernor(Pace{MaxWait: time.Minute}, time.Now)
		var mu sync.Mutex
		var begun []time.Time
		inside := 0
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				leave, err := g.enter(t.Context(), writing, nil)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				begun = append(begun, time.Now())
				inside++
				if inside > 1 {
					t.Error("two writes are in flight")
				}
				mu.Unlock()
				time.Sleep(300 * time.Millisecond)
				mu.Lock()
				inside--
				mu.Unlock()
				leave()
			})
		}
		wg.Wait()
		for i := 1; i < len(begun); i++ {
			if gap := begun[i].Sub(begun[i-1]); gap != time.Second {
				t.Errorf("gap %d = %v, want a second", i, gap)
			}
		}
	})
}

func TestGovernorLetsUrgentWorkGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGovernor(Pace{MaxWait: time.Minute}, time.Now)
		leave, err := g.enter(t.Context(), writing, nil)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []string
		var wg sync.WaitGroup
		queue := func(name string, w weight) {
			wg.Go(func() {
				leave, err := g.enter(t.Context(), w, nil)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				leave()
			})
			synctest.Wait()
		}
		urgent := writing
		urgent.urgent = true
		queue("refresh 1", writing)
		queue("refresh 2", writing)
		queue("new", urgent)
		leave()
		wg.Wait()
		if got := strings.Join(order, ", "); got != "new, refresh 1, refresh 2" {
			t.Errorf("order: %s", got)
		}
	})
}

func TestGovernorDoesNotWaitLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGovernor(Pace{MaxWait: 2 * time.Second}, time.Now)
		leave, err := g.enter(t.Context(), writing, nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = g.enter(t.Context(), writing, nil)
		if until(t, err); time.Since(began) != 2*time.Second {
			t.Errorf("waited %v, want MaxWait", time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.enter(ctx, writing, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want the context's", err)
		}
		leave()
		if leave, err = g.enter(t.Context(), writing, nil); err != nil {
			t.Fatalf("after the turn was given back: %v", err)
		}
		leave()
	})
}

func TestGovernorCountsContent(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	g := newGovernor(Pace{MutationGap: -1, PointsPerMinute: -1, ContentPerHour: 100, ContentPerMinute: 50}, func() time.Time { return now })
	urgent := writing
	urgent.urgent = true
	send := func() error {
		leave, err := g.enter(t.Context(), urgent, nil)
		if err == nil {
			leave()
		}
		return err
	}
	for range 50 {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := until(t, send()), now.Add(time.Minute); !got.Equal(want) {
		t.Errorf("the minute's limit is over at %v, want %v", got, want)
	}
	now = now.Add(time.Minute)
	for range 50 {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Minute)
	if got, want := until(t, send()), now.Add(58*time.Minute); !got.Equal(want) {
		t.Errorf("the hour's limit is over at %v, want %v", got, want)
	}
	if leave, err := g.enter(t.Context(), reading, nil); err != nil {
		t.Errorf("a read was refused: %v", err)
	} else {
		leave()
	}
}

func TestReservationCoversAJob(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	g := newGovernor(Pace{MutationGap: -1, ContentPerHour: 10, Burst: 2}, func() time.Time { return now })
	r, err := g.reserve(Work{Content: 4, PullRequests: 1}, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.reserve(Work{Content: 6, PullRequests: 1}, false); err == nil {
		t.Error("10 were booked of the 9 that refreshes may have")
	}
	for _, w := range []weight{writing, writing, writing, opening} {
		leave, err := g.enter(t.Context(), w, r)
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	if g.hour.sum != 4 {
		t.Errorf("the hour has %d, want the 4 that were reserved", g.hour.sum)
	}
	g.release(r)
	r, err = g.reserve(Work{Content: 4, PullRequests: 1}, false)
	if err != nil {
		t.Fatal(err)
	}
	g.release(r)
	if g.hour.sum != 4 || g.pulls.tokens < 1 || g.promised != 0 {
		t.Errorf("after release: hour %d, tokens %.1f, promised %d; want 4, 1, 0", g.hour.sum, g.pulls.tokens, g.promised)
	}
}

func TestReservationsTakeTurns(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	g := newGovernor(Pace{}, func() time.Time { return now })
	granted := 0
	for range 20 {
		if _, err := g.reserve(Work{Content: 4}, false); err == nil {
			granted++
		}
	}
	if granted != 3 {
		t.Errorf("%d jobs may write at once, want 3: 12 writes at a second each", granted)
	}
	if _, err := g.reserve(Work{Content: 4}, true); err != nil {
		t.Errorf("an urgent job was refused: %v", err)
	}
}

func TestGovernorObeysGitHub(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	g := newGovernor(Pace{MutationGap: -1}, func() time.Time { return now })
	limited := func(resp *http.Response, body string) *LimitError {
		t.Helper()
		l := g.learn(opening, resp, []byte(body))
		if l == nil {
			t.Fatal("the answer is not taken for a limit")
		}
		return l
	}
	g.pulls.rate = 200
	const slow = `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	l := limited(answer(403, slow, "Retry-After: 30"), slow)
	if want := now.Add(30 * time.Second); !l.Until.Equal(want) || !l.Secondary || !l.Sent {
		t.Errorf("limit = %+v, want secondary until %v", l, want)
	}
	if g.pulls.rate != 100 {
		t.Errorf("pace = %.0f, want half of 200", g.pulls.rate)
	}
	if _, err := g.enter(t.Context(), reading, nil); !until(t, err).Equal(l.Until) {
		t.Error("a read was let through")
	}
	// Without a time the wait doubles.
	now = l.Until
	for i, want := range []time.Duration{2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		if l = limited(answer(429, slow), slow); l.Until.Sub(now) != want {
			t.Errorf("limit %d: %v, want %v", i+2, l.Until.Sub(now), want)
		}
		now = l.Until
	}
	// A success ends the series.
	if l := g.learn(writing, answer(201, `{}`), nil); l != nil {
		t.Fatal(l)
	}
	if l = limited(answer(429, ``), ``); l.Until.Sub(now) != time.Minute {
		t.Errorf("after a success: %v, want a minute", l.Until.Sub(now))
	}
}

func TestGovernorKeepsTheHoursAllowance(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	g := newGovernor(Pace{MutationGap: -1}, func() time.Time { return now })
	if l := g.learn(reading, answer(200, `{}`, "X-RateLimit-Remaining: 60", "X-RateLimit-Limit: 5000", "X-RateLimit-Reset: 1700001800"), nil); l != nil {
		t.Fatal(l)
	}
	if _, err := g.enter(t.Context(), writing, nil); !until(t, err).Equal(time.Unix(1_700_001_800, 0)) {
		t.Errorf("a refresh's write took of the spare: %v", err)
	}
	urgent := writing
	urgent.urgent = true
	if leave, err := g.enter(t.Context(), urgent, nil); err != nil {
		t.Errorf("an urgent write was refused: %v", err)
	} else {
		leave()
	}
	l := g.learn(reading, answer(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700001800"), nil)
	if l == nil || l.Secondary || !l.Until.Equal(time.Unix(1_700_001_800, 0)) {
		t.Fatalf("limit = %+v, want primary until the reset", l)
	}
	if _, err := g.enter(t.Context(), urgent, nil); err == nil {
		t.Error("an urgent write was let through without allowance")
	}
	if leave, err := g.enter(t.Context(), weight{graphql: true, points: 1}, nil); err != nil {
		t.Errorf("GraphQL has its own allowance: %v", err)
	} else {
		leave()
	}
	now = time.Unix(1_700_001_800, 0)
	if leave, err := g.enter(t.Context(), writing, nil); err != nil {
		t.Errorf("after the reset: %v", err)
	} else {
		leave()
	}
}

func TestLimitOf(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		name string
		resp *http.Response
		body string
		want *LimitError // nil: none
	}{
		{"permission", answer(403, "", "X-RateLimit-Remaining: 4999"), `{"message":"Resource not accessible by integration"}`, nil},
		{"not found", answer(404, "", "Retry-After: 5"), ``, nil},
		{"secondary, old address", answer(403, ""), `{"documentation_url":"https://docs.github.com/rest/overview/resources-in-the-rest-api#secondary-rate-limits"}`, &LimitError{Secondary: true}},
		{"secondary, new address", answer(403, ""), `{"message":"x","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`, &LimitError{Secondary: true}},
		{"submitted too quickly", answer(403, ""), `{"message":"was submitted too quickly"}`, &LimitError{Secondary: true}},
		{"429 alone", answer(429, ""), ``, &LimitError{Secondary: true}},
		{"a date", answer(429, "", "Retry-After: Tue, 14 Nov 2023 22:14:20 GMT"), ``, &LimitError{Secondary: true, Until: now.Add(time.Minute)}},
		{"a week", answer(429, "", "Retry-After: 604800"), ``, &LimitError{Secondary: true, Until: now.Add(24 * time.Hour)}},
		{"negative", answer(429, "", "Retry-After: -5"), ``, &LimitError{Secondary: true}},
		{"primary", answer(429, "", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700000060"), ``, &LimitError{Until: now.Add(time.Minute)}},
		{"primary, reset in the past", answer(403, "", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 5"), ``, &LimitError{Until: now.Add(time.Minute)}},
		{"GraphQL", answer(200, "", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700000060"), `{"errors":[{"type":"RATE_LIMITED"}]}`, &LimitError{Until: now.Add(time.Minute)}},
		{"a file that says so", answer(200, "", "X-RateLimit-Remaining: 7"), `"RATE_LIMITED"`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := limitOf(now, c.resp, []byte(c.body))
			if (got == nil) != (c.want == nil) {
				t.Fatalf("limitOf = %+v, want %+v", got, c.want)
			}
			if got != nil && (got.Secondary != c.want.Secondary || !got.Until.Equal(c.want.Until)) {
				t.Errorf("limitOf = %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestForgettingKeepsTheLimits: new permissions are no reason to go faster.
func TestForgettingKeepsTheLimits(t *testing.T) {
	w := newWorld(t, how{})
	in := w.forge.Installation(w.inst.ID())
	body := `{"message":"You have exceeded a secondary rate limit"}`
	if in.gov.learn(writing, answer(403, body, "Retry-After: 300"), []byte(body)) == nil {
		t.Fatal("no limit was seen")
	}
	before := in.Budget()
	w.forge.Forget(w.inst.ID())
	if after := w.forge.Installation(w.inst.ID()).Budget(); before.Until.IsZero() || !after.Until.Equal(before.Until) {
		t.Errorf("nothing was sent until %v, and then until %v", before.Until, after.Until)
	}
}
