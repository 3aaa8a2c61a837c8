// Package schedule says at which times of a week something may be done.
package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schedule is when something may be done: "weekdays 08:00-18:00 Europe/Berlin". Several
// windows are separated by semicolons. The zero value is always.
type Schedule struct {
	windows []window
	text    string
}

// window is a span of time on some days, in a zone.
type window struct {
	days       [7]bool // by time.Weekday
	begin, end int     // minutes of the day; end is past midnight where it is not after begin
	zone       *time.Location
}

// Form says how a schedule is written, for people.
const Form = `DAYS HH:MM-HH:MM ZONE, such as "weekdays 08:00-18:00 Europe/Berlin"; DAYS is daily, weekdays, weekends or days such as mon-thu,sat and may be left out, ZONE is UTC where it is left out, and several are separated by semicolons`

// maxWindows bounds how many windows a schedule has.
const maxWindows = 20

// Parse reads a schedule; "" is always. zone finds a time zone by its name, as
// time.LoadLocation does.
func Parse(text string, zone func(name string) (*time.Location, error)) (Schedule, error) {
	s := Schedule{text: strings.TrimSpace(text)}
	if s.text == "" {
		return s, nil
	}
	parts := strings.Split(s.text, ";")
	if len(parts) > maxWindows {
		return Schedule{}, fmt.Errorf("the schedule has %d windows; %d are possible", len(parts), maxWindows)
	}
	for _, part := range parts {
		w, err := parseWindow(part, zone)
		if err != nil {
			return Schedule{}, fmt.Errorf("the schedule %q: %w; write it as %s", s.text, err, Form)
		}
		s.windows = append(s.windows, w)
	}
	return s, nil
}

func parseWindow(text string, zone func(name string) (*time.Location, error)) (w window, err error) {
	words := strings.Fields(text)
	w.zone, w.days = time.UTC, daysOf(0, 6)
	if len(words) > 0 && !strings.Contains(words[0], ":") {
		if w.days, err = parseDays(words[0]); err != nil {
			return w, err
		}
		words = words[1:]
	}
	if len(words) == 0 {
		return w, fmt.Errorf("it has no hours")
	}
	if w.begin, w.end, err = parseHours(words[0]); err != nil {
		return w, err
	}
	switch len(words) {
	case 1:
		return w, nil
	case 2:
		// "Local" is a zone of Go's that means another one on every machine.
		if w.zone, err = zone(words[1]); err != nil || strings.EqualFold(words[1], "local") {
			return w, fmt.Errorf("%q is no time zone; give one such as Europe/Berlin or UTC", words[1])
		}
		return w, nil
	}
	return w, fmt.Errorf("%q is too much", strings.Join(words[2:], " "))
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseDays(text string) (days [7]bool, err error) {
	switch text = strings.ToLower(text); text {
	case "daily":
		return daysOf(0, 6), nil
	case "weekdays":
		return daysOf(1, 5), nil
	case "weekends":
		return daysOf(6, 0), nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, _ := strings.Cut(part, "-")
		if last == "" {
			last = first
		}
		from, to := slices.Index(dayNames, first), slices.Index(dayNames, last)
		if from < 0 || to < 0 {
			return days, fmt.Errorf("%q is no day", part)
		}
		for day, is := range daysOf(from, to) {
			days[day] = days[day] || is
		}
	}
	return days, nil
}

// daysOf are the days from one to another, over the week's end where that is needed.
func daysOf(from, to int) (days [7]bool) {
	for day := from; ; day = (day + 1) % 7 {
		days[day] = true
		if day == to {
			return days
		}
	}
}

func parseHours(text string) (begin, end int, err error) {
	from, to, ok := strings.Cut(text, "-")
	begin, okFrom := minutes(from)
	end, okTo := minutes(to)
	switch {
	case !ok || !okFrom || !okTo || begin == day:
		return 0, 0, fmt.Errorf("%q are no hours", text)
	case begin == end:
		return 0, 0, fmt.Errorf("%q is no time at all", text)
	}
	return begin, end, nil
}

// day is 24:00.
const day = 24 * 60

func minutes(text string) (int, bool) {
	hours, rest, ok := strings.Cut(text, ":")
	h, errH := strconv.ParseUint(hours, 10, 8)
	m, errM := strconv.ParseUint(rest, 10, 8)
	total := int(h)*60 + int(m)
	return total, ok && errH == nil && errM == nil && len(hours) <= 2 && len(rest) == 2 && m < 60 && total <= day
}

// String returns the schedule as it was written; "" is always.
func (s Schedule) String() string { return s.text }

// Next returns the first time from now on at which the schedule is open: now itself
// where it is open.
func (s Schedule) Next(now time.Time) time.Time {
	if len(s.windows) == 0 {
		return now
	}
	var first time.Time
	for _, w := range s.windows {
		if at := w.next(now); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// next is [Schedule.Next] of one window. Where a change to summer time skips all of a
// window, the week after has it.
func (w window) next(now time.Time) time.Time {
	local := now.In(w.zone)
	for ahead := -1; ahead <= 15; ahead++ {
		y, m, d := local.AddDate(0, 0, ahead).Date()
		if !w.days[time.Date(y, m, d, 12, 0, 0, 0, w.zone).Weekday()] {
			continue
		}
		end := w.end
		if end <= w.begin {
			end += day
		}
		begins, ends := time.Date(y, m, d, 0, w.begin, 0, 0, w.zone), time.Date(y, m, d, 0, end, 0, 0, w.zone)
		switch {
		case !now.Before(ends), !begins.Before(ends):
			continue
		case now.Before(begins):
			return begins
		}
		return now
	}
	return time.Time{} // unreachable: a window has a day in every week
}
