// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // for machines without a time zone database

	"shoal/app/config"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestSchedule(t *testing.T) {
	evening := config.Schedule{Enabled: true, From: "18:00", To: "23:00"}
	night := config.Schedule{Enabled: true, From: "22:30", To: "06:00", Days: []string{"fri", "sat"}}
	always := config.Schedule{Enabled: true, From: "00:00", To: "00:00"}
	early := config.Schedule{Enabled: true, From: "01:30", To: "02:30"}
	// 2026-03-29 at 02:00 Berlin's clocks go to 03:00, and 2026-10-25 at 03:00 to 02:00.
	for _, c := range []struct {
		name     string
		s        config.Schedule
		now      string
		active   bool
		next     string // "": never
		duration time.Duration
	}{
		{"off", config.Schedule{From: "00:00", To: "23:00"}, "2026-01-05 12:00", false, "", 0},
		{"before", evening, "2026-01-05 17:59", false, "2026-01-05 18:00", time.Minute},
		{"at the start", evening, "2026-01-05 18:00", true, "2026-01-05 23:00", 5 * time.Hour},
		{"at the end", evening, "2026-01-05 23:00", false, "2026-01-06 18:00", 19 * time.Hour},
		{"Friday's night", night, "2026-01-09 22:30", true, "2026-01-10 06:00", 0},
		{"the morning after", night, "2026-01-11 05:59", true, "2026-01-11 06:00", 0},
		{"Sunday night", night, "2026-01-11 23:00", false, "2026-01-16 22:30", 0},
		{"Friday morning", night, "2026-01-09 03:00", false, "2026-01-09 22:30", 0},
		{"always", always, "2026-01-05 12:00", true, "", 0},
		{"the night that is an hour shorter", night, "2026-03-28 23:00", true, "2026-03-29 06:00", 6 * time.Hour},
		{"the night that is an hour longer", night, "2026-10-24 23:00", true, "2026-10-25 06:00", 8 * time.Hour},
		{"an hour that comes twice", early, "2026-10-25 01:45", true, "", 0},
		{"no such day", config.Schedule{Enabled: true, From: "x", To: "23:00"}, "2026-01-05 12:00", false, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, err := time.ParseInLocation("2006-01-02 15:04", c.now, berlin(t))
			if err != nil {
				t.Fatal(err)
			}
			active, next := scheduleAt(c.s, now)
			if active != c.active {
				t.Fatalf("active is %v", active)
			}
			if c.name == "an hour that comes twice" {
				if got := next.Sub(now); got != 45*time.Minute && got != 105*time.Minute {
					t.Fatalf("ends after %s", got)
				}
				return
			}
			want := ""
			if !next.IsZero() {
				want = next.Format("2006-01-02 15:04")
			}
			if want != c.next || c.duration != 0 && next.Sub(now) != c.duration {
				t.Fatalf("changes next at %q, after %s", want, next.Sub(now))
			}
		})
	}
}

// TestScheduleChangesAsSaid compares the moments of change with the state around them, over a year
// with both changes of the clock.
func TestScheduleChangesAsSaid(t *testing.T) {
	days := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	chance := rand.New(rand.NewPCG(1, 2))
	clock := func() string {
		return time.Date(0, 1, 1, chance.IntN(24), chance.IntN(60), 0, 0, time.UTC).Format(clockLayout)
	}
	for range 2000 {
		s := config.Schedule{Enabled: true, From: clock(), To: clock()}
		for _, d := range days {
			if chance.IntN(2) == 0 {
				s.Days = append(s.Days, d)
			}
		}
		now := time.Date(2026, 1, 1, 0, chance.IntN(365*24*60), 0, 0, berlin(t))
		active, next := scheduleAt(s, now)
		if next.IsZero() {
			t.Fatalf("%+v at %s never changes", s, now)
		}
		if !next.After(now) {
			t.Fatalf("%+v at %s changes at %s", s, now, next)
		}
		if before, _ := scheduleAt(s, next.Add(-time.Second)); before != active {
			t.Fatalf("%+v: %v at %s, and not just before %s", s, active, now, next)
		}
		if after, _ := scheduleAt(s, next); after == active {
			t.Fatalf("%+v: no change at %s", s, next)
		}
	}
}
