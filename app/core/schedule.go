// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"slices"
	"time"

	"shoal/app/config"
)

// clockLayout is how the settings write a time of the day.
const clockLayout = "15:04"

// scheduleAt tells whether the schedule's limits are in force at a moment, and when that changes
// next: zero for never. Times of the day are those of now's location. Each span goes from one moment
// to another, so where a clock is put forward or back on that day it is an hour shorter or longer.
func scheduleAt(s config.Schedule, now time.Time) (active bool, next time.Time) {
	if !s.Enabled {
		return false, time.Time{}
	}
	from, err := time.Parse(clockLayout, s.From)
	if err != nil {
		return false, time.Time{}
	}
	to, err := time.Parse(clockLayout, s.To)
	if err != nil {
		return false, time.Time{}
	}
	overnight := 0
	if !to.After(from) {
		overnight = 1
	}
	// Spans can meet (00:00 to 00:00), so the end of one is no change where the next has begun.
	until := time.Time{}
	for day := -2; day <= 8; day++ {
		begin := onDay(now, day, from)
		if !scheduledOn(s.Days, onDay(now, day, noon())) {
			continue
		}
		end := onDay(now, day+overnight, to)
		switch {
		case !end.After(begin): // a clock put forward swallowed it
		case !active && begin.After(now):
			return false, begin
		case active && begin.After(until):
			return true, until
		case end.After(now):
			active, until = true, end
		}
	}
	if active && until.Sub(now) > 7*24*time.Hour {
		return true, time.Time{} // always
	}
	return active, until
}

func noon() time.Time { return time.Date(0, 1, 1, 12, 0, 0, 0, time.UTC) }

// onDay is a time of the day, so many days from now.
func onDay(now time.Time, days int, clock time.Time) time.Time {
	y, m, d := now.Date()
	return time.Date(y, m, d+days, clock.Hour(), clock.Minute(), 0, 0, now.Location())
}

// scheduledOn reports whether a span may begin on a day.
func scheduledOn(days []string, day time.Time) bool {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as config has them
	return len(days) == 0 || slices.Contains(days, names[day.Weekday()])
}
