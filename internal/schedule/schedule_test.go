package schedule

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustParse(t interface{ Fatal(args ...any) }, text string) Schedule {
	s, err := Parse(text, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ schedule, now, want string }{
		{"", "2026-11-25T23:00:00Z", "2026-11-25T23:00:00Z"},
		{"weekdays 08:00-18:00 Europe/Berlin", "2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z"},
		{"weekdays 08:00-18:00 Europe/Berlin", "2026-11-25T17:00:00Z", "2026-11-26T07:00:00Z"}, // 18:00 is over
		{"weekdays 08:00-18:00 Europe/Berlin", "2026-11-27T20:00:00Z", "2026-11-30T07:00:00Z"}, // over the weekend
		{"weekdays 08:00-18:00 Europe/Berlin", "2026-07-01T05:00:00Z", "2026-07-01T06:00:00Z"}, // summer time
		{"08:00-18:00", "2026-11-28T07:59:59Z", "2026-11-28T08:00:00Z"},
		{"Fri 22:00-06:00", "2026-11-28T05:00:00Z", "2026-11-28T05:00:00Z"}, // begun on Friday
		{"fri 22:00-06:00", "2026-11-28T06:00:00Z", "2026-12-04T22:00:00Z"},
		{"fri-mon 00:00-24:00", "2026-11-25T12:00:00Z", "2026-11-27T00:00:00Z"},
		{"weekends 10:00-12:00; wed 13:00-14:00 UTC", "2026-11-25T12:00:00Z", "2026-11-25T13:00:00Z"},
		{"sun 02:10-02:50 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:10:00Z"}, // the hour that is skipped: 03:10 summer time
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustParse(t, c.schedule).Next(now).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%q from %s opens at %s, want %s", c.schedule, c.now, got, c.want)
		}
	}
}

func TestParse_Error(t *testing.T) {
	for text, want := range map[string]string{
		"weekdays":                               "no hours",
		"someday 08:00-18:00":                    `"someday" is no day`,
		"8-18":                                   "no day",
		"08:00-18":                               "no hours",
		"08:00-25:00":                            "no hours",
		"24:00-08:00":                            "no hours",
		"08:00-08:00":                            "no time at all",
		"08:00-18:00 Europe/Atlantis":            "no time zone",
		"08:00-18:00 Local":                      "no time zone",
		"08:00-18:00 UTC or so":                  "too much",
		"08:00-18:00;":                           "no hours",
		strings.Repeat("08:00-18:00;", 20) + "x": "20 are possible",
	} {
		if s, err := Parse(text, time.LoadLocation); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want an error with %q", text, s, err, want)
		}
	}
}

// A schedule opens within two weeks, is open when it opens, and not before.
func TestNextIsTheFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"}).Draw(t, "zone")
		days := rapid.SampledFrom([]string{"daily", "weekdays", "weekends", "mon,wed-thu", "sat"}).Draw(t, "days")
		hours := rapid.SampledFrom([]string{"08:00-18:00", "22:00-06:00", "00:00-24:00", "02:00-02:30", "23:59-00:01"}).Draw(t, "hours")
		s := mustParse(t, days+" "+hours+" "+zone)
		now := time.Unix(rapid.Int64Range(1_700_000_000, 2_000_000_000).Draw(t, "now"), 0)
		at := s.Next(now)
		if at.Before(now) || at.After(now.AddDate(0, 0, 15)) || !s.Next(at).Equal(at) {
			t.Fatalf("%s from %s opens at %s", s, now, at)
		}
		between := now.Add(time.Duration(rapid.Float64Range(0, 0.999).Draw(t, "between") * float64(at.Sub(now))))
		if at.After(now) && !s.Next(between).Equal(at) {
			t.Fatalf("%s from %s opens at %s, and from %s at %s", s, now, at, between, s.Next(between))
		}
	})
}
