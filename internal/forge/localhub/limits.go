package localhub

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Limits are the rate limits of one installation. Zero fields are GitHub's published
// numbers, negative ones are no limit.
// See https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api.
type Limits struct {
	PerHour          int           // primary, REST: 5,000
	GraphQLPerHour   int           // primary, GraphQL: 5,000 points
	PointsPerMinute  int           // secondary: 900
	ContentPerMinute int           // secondary: 80
	ContentPerHour   int           // secondary: 500
	RetryAfter       time.Duration // what a secondary limit asks to wait: 60 s
	// NoRetryAfter leaves the header out, as GitHub sometimes does.
	NoRetryAfter bool
	// Status of a secondary limit, 403 or 429: 403.
	Status int
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.PerHour, 5000}, {&l.GraphQLPerHour, 5000}, {&l.PointsPerMinute, 900},
		{&l.ContentPerMinute, 80}, {&l.ContentPerHour, 500}, {&l.Status, http.StatusForbidden},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if l.RetryAfter == 0 {
		l.RetryAfter = time.Minute
	}
	return l
}

// Unlimited are limits that are never reached, for tests of something else.
func Unlimited() Limits {
	return Limits{PerHour: -1, GraphQLPerHour: -1, PointsPerMinute: -1, ContentPerMinute: -1, ContentPerHour: -1}
}

// SetLimits changes the limits from now on; what was used stays used.
func (h *Hub) SetLimits(l Limits) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.options.Limits = l.withDefaults()
}

// usage is what one installation or person has used.
type usage struct {
	rest, graph window
	points      []stamped // of the last minute
	content     []stamped // of the last hour
}

// window is one hour of the primary limit.
type window struct {
	used  int
	reset time.Time
}

type stamped struct {
	at     time.Time
	amount int
}

func (h *Hub) usage(a *actor) *usage {
	id := int64(0)
	switch {
	case a.isInstallation():
		id = a.token.install.id
	case a.user != nil:
		id = -a.user.id
	}
	u := h.limits[id]
	if u == nil {
		u = &usage{}
		h.limits[id] = u
	}
	now := h.now()
	for _, w := range []*window{&u.rest, &u.graph} {
		if !now.Before(w.reset) {
			*w = window{reset: now.Add(time.Hour)}
		}
	}
	u.points = since(u.points, now.Add(-time.Minute))
	u.content = since(u.content, now.Add(-time.Hour))
	return u
}

func since(list []stamped, from time.Time) []stamped {
	return slices.DeleteFunc(list, func(s stamped) bool { return s.at.Before(from) })
}

func total(list []stamped, from time.Time) int {
	sum := 0
	for _, s := range list {
		if !s.at.Before(from) {
			sum += s.amount
		}
	}
	return sum
}

func (c *call) isGraph() bool { return c.route.path == "/graphql" }

// primary is the window that a call is counted in, its limit and its name.
func (c *call) primary(u *usage) (*window, int, string) {
	if c.isGraph() {
		return &u.graph, c.hub.options.Limits.GraphQLPerHour, "graphql"
	}
	return &u.rest, c.hub.options.Limits.PerHour, "core"
}

// limited says that a limit is reached, or nil. App endpoints with a JWT are not
// limited here.
func (c *call) limited(u *usage) *answer {
	if c.route.who == asApp || c.route.path == "/rate_limit" {
		return nil
	}
	limits := c.hub.options.Limits
	w, limit, _ := c.primary(u)
	if limit >= 0 && w.used >= limit {
		c.rateHeaders(u)
		a := pointing(http.StatusForbidden, "API rate limit exceeded for "+c.rateName()+". If you reach out to GitHub Support for help, please include the request ID "+c.id+".", docs+"/overview/rate-limits-for-the-rest-api")
		return &a
	}
	now := c.hub.now()
	switch {
	case over(limits.PointsPerMinute, total(u.points, now.Add(-time.Minute)), c.points()):
		return c.secondary("You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
	case c.creates() && (over(limits.ContentPerMinute, total(u.content, now.Add(-time.Minute)), 1) ||
		over(limits.ContentPerHour, total(u.content, now.Add(-time.Hour)), 1)):
		return c.secondary("You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.")
	}
	return nil
}

func over(limit, used, more int) bool { return limit >= 0 && used+more > limit }

func (c *call) rateName() string {
	if c.actor.isInstallation() {
		return "installation ID " + strconv.FormatInt(c.actor.token.install.id, 10)
	}
	if c.actor.user == nil {
		return "127.0.0.1"
	}
	return "user ID " + strconv.FormatInt(c.actor.user.id, 10)
}

// secondary is the answer to going too fast.
func (c *call) secondary(message string) *answer {
	limits := c.hub.options.Limits
	a := pointing(limits.Status, message+" If you reach out to GitHub Support for help, please include the request ID "+c.id+".", docs+"/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits")
	if !limits.NoRetryAfter {
		a = a.with("Retry-After", strconv.Itoa(int(limits.RetryAfter.Seconds())))
	}
	return &a
}

// count adds a call that was let through; a 304 costs nothing of the primary limit.
func (c *call) count(u *usage, a answer) {
	if c.route.who == asApp {
		return
	}
	now := c.hub.now()
	if a.status != http.StatusNotModified && c.route.path != "/rate_limit" {
		w, _, _ := c.primary(u)
		w.used++
	}
	u.points = append(u.points, stamped{now, c.points()})
	if c.creates() {
		u.content = append(u.content, stamped{now, 1})
	}
	c.rateHeaders(u)
}

func (c *call) rateHeaders(u *usage) {
	w, limit, name := c.primary(u)
	for header, value := range map[string]int64{
		"X-Ratelimit-Limit":     int64(shown(limit)),
		"X-Ratelimit-Remaining": int64(max(0, shown(limit)-w.used)),
		"X-Ratelimit-Used":      int64(w.used),
		"X-Ratelimit-Reset":     w.reset.Unix(),
	} {
		c.header.Set(header, strconv.FormatInt(value, 10))
	}
	c.header.Set("X-Ratelimit-Resource", name)
}

// shown is the number told to clients where there is no limit.
func shown(limit int) int {
	if limit < 0 {
		return 1_000_000
	}
	return limit
}

func rateLimit(c *call) answer {
	u, l := c.hub.usage(c.actor), c.hub.options.Limits
	bucket := func(w window, limit int) obj {
		return obj{"limit": shown(limit), "used": w.used, "remaining": max(0, shown(limit)-w.used), "reset": w.reset.Unix()}
	}
	core := bucket(u.rest, l.PerHour)
	return ok(obj{
		"resources": obj{"core": core, "search": bucket(window{reset: u.rest.reset}, 30), "graphql": bucket(u.graph, l.GraphQLPerHour)},
		"rate":      core,
	})
}
