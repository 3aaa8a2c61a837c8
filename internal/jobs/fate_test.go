package jobs

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// waits is an error that says when to try again.
type waits time.Duration

func (waits) Error() string             { return "not yet" }
func (w waits) TryAfter() time.Duration { return time.Duration(w) }

func TestJudge(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name    string
		err     error
		age     time.Duration
		attempt int
		fate    Fate
		wait    time.Duration
	}{
		{"nothing wrong", nil, 0, 1, Done, 0},
		{"later", waits(time.Minute), 0, 1, Later, time.Minute},
		{"later, at the last attempt", waits(time.Minute), 0, 3, Later, time.Minute},
		{"later, at once", fmt.Errorf("x: %w", waits(-1)), 0, 1, Later, soonest},
		{"later, in a year", waits(365 * 24 * time.Hour), 0, 1, Later, latest},
		{"later, for too long", waits(time.Minute), patience, 1, Person, 0},
		{"person", fmt.Errorf("x: %w", PersonMustAct(broken)), 0, 1, Person, 0},
		{"both: waiting is tried first", errors.Join(PersonMustAct(broken), waits(time.Minute)), 0, 1, Later, time.Minute},
		{"failed", broken, 0, 1, Retry, 0},
		{"failed, at the last attempt", broken, 0, 3, Dead, 0},
	} {
		if fate, wait := judge(c.err, c.age, c.attempt, 3); fate != c.fate || wait != c.wait {
			t.Errorf("%s: %s after %s, want %s after %s", c.name, fate, wait, c.fate, c.wait)
		}
	}
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 1000).Draw(rt, "failures")
		shift := rapid.Float64Range(0, 1).Draw(rt, "shift")
		got := backoff(n, shift)
		if got < firstRetry || got > lastRetry+lastRetry/10 {
			rt.Fatalf("after %d failures %s", n, got)
		}
		if backoff(n+1, 0) < backoff(n, 0) {
			rt.Fatalf("the distance shrinks after %d failures", n)
		}
	})
}
