package forge

import (
	"context"
	"time"
)

// Noted is what replicas tell each other of an installation.
type Noted struct {
	Until    time.Time // nothing is sent before; zero: nobody was told to wait
	Why      string
	Rate     float64 // new pull requests an hour, by all together; 0: not known
	Replicas int     // that share the installation's limits
}

// Memory is where replicas tell each other how GitHub treats an installation, and
// where a process finds it that was started again.
type Memory interface {
	// Noted returns what is known.
	Noted(ctx context.Context, installation int64) (Noted, error)
	// Slowed notes that GitHub found us too fast.
	Slowed(ctx context.Context, installation int64, n Noted) error
	// Quickened adds to the rate, or to from where none is known.
	Quickened(ctx context.Context, installation int64, from, by float64) error
}

const (
	// exchangeEvery is how old what is known of other replicas may be: as long they may
	// go on after GitHub stopped one.
	exchangeEvery = 2 * time.Second
	// exchangeTimeout bounds how long a request waits for the memory.
	exchangeTimeout = 5 * time.Second
)

// exchange tells the memory what happened here, and learns what happened elsewhere: at
// most every two seconds, or at once after GitHub stopped us. Where the memory fails,
// this replica goes by what it knows.
func (g *governor) exchange(ctx context.Context) {
	if g.memory == nil {
		return
	}
	g.mu.Lock()
	now := g.now()
	if g.exchanging || !g.slowed && !g.exchanged.IsZero() && now.Sub(g.exchanged) < exchangeEvery {
		g.mu.Unlock()
		return
	}
	g.exchanging = true
	slowed, rose := g.slowed, g.rose
	mine := Noted{Until: g.until, Why: g.why, Rate: g.pulls.rate}
	g.slowed, g.rose = false, 0
	g.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	noted, err := g.talk(ctx, mine, slowed, rose)

	g.mu.Lock()
	defer g.mu.Unlock()
	g.exchanging, g.exchanged = false, g.now()
	if err != nil {
		g.slowed, g.rose = g.slowed || slowed, g.rose+rose
		g.exchanged = now.Add(exchangeTimeout) // not at every request
		g.warn("what replicas tell each other about GitHub's limits cannot be read", err)
		return
	}
	if !g.slowed { // else GitHub has stopped us meanwhile, and that is newer
		g.adopt(noted)
	}
}

func (g *governor) talk(ctx context.Context, mine Noted, slowed bool, rose float64) (Noted, error) {
	var err error
	switch {
	case slowed:
		err = g.memory.Slowed(ctx, g.id, mine)
	case rose > 0:
		err = g.memory.Quickened(ctx, g.id, mine.Rate-rose, rose)
	}
	if err != nil {
		return Noted{}, err
	}
	return g.memory.Noted(ctx, g.id)
}

// adopt goes by what all replicas know. Each takes its part of the limits.
func (g *governor) adopt(n Noted) {
	if n.Until.After(g.until) {
		g.until, g.why = n.Until, n.Why
	}
	if n.Rate > 0 && g.pulls.highest > 0 {
		g.pulls.rate = min(max(n.Rate+g.rose, g.pulls.lowest), g.pulls.highest)
	}
	g.share(max(1, n.Replicas))
}

// share divides the limits among so many replicas.
func (g *governor) share(among int) {
	if among == g.among {
		return
	}
	g.among = among
	g.pulls.among = float64(among)
	for _, w := range []struct {
		window *window
		whole  int
	}{
		{g.points[false], g.pace.PointsPerMinute}, {g.points[true], g.pace.GraphQLPointsPerMinute},
		{&g.minute, g.pace.ContentPerMinute}, {&g.hour, g.pace.ContentPerHour},
	} {
		if w.window.limit = w.whole; w.whole > 0 {
			w.window.limit = max(1, w.whole/among)
		}
	}
}
