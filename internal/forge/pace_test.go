package forge

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWindowNeverHoldsMoreThanItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		w := window{span: time.Minute, limit: limit}
		now := time.Unix(1_700_000_000, 0)
		type sent struct {
			at time.Time
			n  int
		}
		var log []sent
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			n := rapid.IntRange(1, limit).Draw(t, "n")
			wait := w.room(now, n, true)
			if wait < 0 {
				t.Fatalf("room = %v, want no negative wait", wait)
			}
			if wait > 0 {
				now = now.Add(wait)
				if again := w.room(now, n, true); again != 0 {
					t.Fatalf("after the wait of %v room still asks for %v", wait, again)
				}
			}
			w.add(now, n)
			log = append(log, sent{now, n})
			sum := 0
			for _, s := range log {
				if now.Sub(s.at) < time.Minute {
					sum += s.n
				}
			}
			if sum > limit {
				t.Fatalf("%d within a minute, limit %d", sum, limit)
			}
		}
	})
}

func TestWindowKeepsATenthForUrgentWork(t *testing.T) {
	w := window{span: time.Minute, limit: 80}
	now := time.Unix(0, 0)
	for range 72 {
		w.add(now, 1)
	}
	if got := w.room(now, 1, false); got != time.Minute {
		t.Errorf("the 73rd refresh waits %v, want a minute", got)
	}
	if got := w.room(now, 1, true); got != 0 {
		t.Errorf("an urgent request waits %v, want none", got)
	}
}

func TestGiveBackLeavesWhatWasUsed(t *testing.T) {
	w := window{span: time.Minute, limit: 10}
	now := time.Unix(0, 0)
	w.add(now, 3)
	w.add(now, 4)
	w.giveBack(5)
	if w.sum != 2 {
		t.Errorf("sum = %d, want 2", w.sum)
	}
	w.drop(now.Add(time.Minute))
	if w.sum != 0 || len(w.events) != 0 {
		t.Errorf("after a minute: sum %d, %d events; want none", w.sum, len(w.events))
	}
}

// creations runs the bucket for some hours, as fast as it allows, and returns how
// many pull requests each hour had.
func creations(b *bucket, hours int, each func()) []int {
	now := time.Unix(0, 0)
	end := now.Add(time.Duration(hours) * time.Hour)
	counts := make([]int, hours)
	for {
		now = now.Add(b.room(now, 1))
		if !now.Before(end) {
			return counts
		}
		b.take(1)
		counts[int(now.Sub(time.Unix(0, 0))/time.Hour)]++
		each()
	}
}

func TestPaceOfPullRequestsRisesAndFalls(t *testing.T) {
	b := bucket{rate: 60, lowest: 60, highest: 500, burst: 10}
	counts := creations(&b, 4, func() { b.went() })
	if counts[0] < 120 || counts[0] > 200 {
		t.Errorf("the first hour had %d, want about 150", counts[0])
	}
	if counts[3] < 450 || counts[3] > 510 {
		t.Errorf("the fourth hour had %d, want about 500", counts[3])
	}
	if b.rate != 500 {
		t.Errorf("rate = %.0f, want the highest", b.rate)
	}
	b.slow()
	if b.rate != 250 {
		t.Errorf("after a complaint rate = %.0f, want half", b.rate)
	}
	for range 10 {
		b.slow()
	}
	if b.rate != 60 {
		t.Errorf("after many complaints rate = %.0f, want the lowest", b.rate)
	}
}

func TestPaceOfPullRequestsThatDoesNotRise(t *testing.T) {
	b := bucket{rate: 60, lowest: 60, highest: 500, burst: 10}
	counts := creations(&b, 2, func() {})
	if counts[0] < 69 || counts[0] > 70 || counts[1] != 60 {
		t.Errorf("hours had %v, want 70 (the burst) and 60", counts)
	}
}

func TestReplicasSharePaceOfPullRequests(t *testing.T) {
	b := bucket{rate: 120, lowest: 60, highest: 500, burst: 10, among: 2}
	counts := creations(&b, 2, func() {})
	if counts[0] < 64 || counts[0] > 65 || counts[1] != 60 {
		t.Errorf("hours had %v, want 65 (half the burst) and 60: half of 120", counts)
	}
}
